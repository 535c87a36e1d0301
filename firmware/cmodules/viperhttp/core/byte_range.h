// SPDX-License-Identifier: MIT
// A single range of bytes (RFC 9110, section 14).
#ifndef VHTTP_BYTE_RANGE_H
#define VHTTP_BYTE_RANGE_H

#include <stdint.h>

#include "slice.h"

enum vhttp_range_kind {
    VHTTP_RANGE_NONE,          // to be ignored: another unit, several ranges, or malformed
    VHTTP_RANGE_SATISFIABLE,   // `first` and `length` are set
    VHTTP_RANGE_UNSATISFIABLE, // it lies behind the end
};

struct vhttp_range {
    enum vhttp_range_kind kind;
    uint64_t first, length; // bytes
};

// Reads the value of a Range field for content of `size` bytes.
struct vhttp_range vhttp_read_range(struct vhttp_slice value, uint64_t size);

#endif
