// SPDX-License-Identifier: MIT
// A request's path: percent-decoded once, with its dot segments resolved.
#ifndef VHTTP_PATH_H
#define VHTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

// Writes the decoded, normalised form of `encoded` (which starts with '/') to `out`, `size` bytes
// with a final NUL, and returns its length, or
//   -400  for a bad escape, an encoded slash, a backslash, a control character, bytes that are
//         not UTF-8, or a path that climbs above its root,
//   -414  when it does not fit.
// A final slash stays; empty segments and "." go.
int vhttp_decode_path(struct vhttp_slice encoded, char *out, size_t size);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool vhttp_is_utf8(const char *text, size_t length);

// True when a segment of the decoded path starts with a dot.
bool vhttp_path_is_hidden(const char *path);

// Whether a decoded path may have a segment, which is not empty: dots are resolved, and some bytes
// refused.
bool vhttp_path_may_have(struct vhttp_slice segment);

#endif
