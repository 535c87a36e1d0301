// SPDX-License-Identifier: MIT
// The head of an HTTP/1.x request (RFC 9110, RFC 9112), parsed where it lies.
//
// Strict: whatever two implementations could read differently is refused.
#ifndef VHTTP_PARSER_H
#define VHTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "vhttp_config.h"

enum vhttp_method {
    VHTTP_GET,
    VHTTP_HEAD,
    VHTTP_POST,
    VHTTP_PUT,
    VHTTP_PATCH,
    VHTTP_DELETE,
    VHTTP_OPTIONS,
};

struct vhttp_header {
    struct vhttp_slice name;
    struct vhttp_slice value; // without white space at its ends
};

// All slices point into the parsed buffer, or to constants.
struct vhttp_request {
    enum vhttp_method method;
    struct vhttp_slice path;  // still encoded; starts with '/', or is "*" for OPTIONS
    struct vhttp_slice query; // without the '?'; at == NULL when there is none
    int minor_version;        // 0 or 1
    bool keep_alive;
    bool chunked;
    bool expects_continue;
    bool has_length;
    uint64_t content_length;   // bytes; 0 when there is none
    struct vhttp_slice fields; // the header lines as they came, each with its CRLF
    size_t header_count;
    struct vhttp_header headers[VHTTP_MAX_HEADERS];
};

#define VHTTP_PARSE_PARTIAL (-2)

// Parses the `length` bytes at `buffer`. Returns
//   > 0   the head's length; `request` is filled and a body or the next request follows,
//   VHTTP_PARSE_PARTIAL  when the head does not end within the buffer yet,
//   -400, -413, -417, -431, -501, -505  the status to answer with before closing.
// `checked` is the length with which the last call for this head answered PARTIAL, 0 at first:
// the answer is the same wherever the input was split.
int vhttp_parse_request(const char *buffer, size_t length, size_t checked,
                        struct vhttp_request *request);

// The status for a head that fills its buffer and is still partial: 414 or 431.
int vhttp_parse_overflow(const char *buffer, size_t length);

// Takes the next value of the header called `name` (in lower case), and all before it, off the
// `lines` that a request's `fields` are. False when there is none.
bool vhttp_next_value(struct vhttp_slice *lines, const char *name, struct vhttp_slice *value);

// The first header called `name` (in lower case), or NULL.
const struct vhttp_slice *vhttp_find_header(const struct vhttp_request *request, const char *name);

#endif
