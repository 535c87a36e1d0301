// SPDX-License-Identifier: MIT
#include "byte_range.h"

#include <stdbool.h>

#define DIGITS_MAX 18 // fit 64 bits

// False when there is something other than at least one digit.
static bool read_number(struct vhttp_slice text, uint64_t *number) {
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint64_t)(text.at[i] - '0');
    }
    return text.length > 0 && text.length <= DIGITS_MAX;
}

// "-500": the last bytes.
static struct vhttp_range last_bytes(uint64_t count, uint64_t size) {
    if (count == 0 || size == 0) {
        return (struct vhttp_range){.kind = VHTTP_RANGE_UNSATISFIABLE};
    }
    uint64_t length = count < size ? count : size;
    return (struct vhttp_range){VHTTP_RANGE_SATISFIABLE, size - length, length};
}

struct vhttp_range vhttp_read_range(struct vhttp_slice value, uint64_t size) {
    static const struct vhttp_range none = {.kind = VHTTP_RANGE_NONE};
    struct vhttp_slice set = value, unit;
    if (!vhttp_slice_next(&set, '=', &unit) || !vhttp_slice_equals_nocase(unit, "bytes") ||
        set.at == NULL) {
        return none;
    }
    struct vhttp_slice text = vhttp_slice_trim(set);
    const char *dash = text.length == 0 ? NULL : memchr(text.at, '-', text.length);
    if (dash == NULL) {
        return none;
    }
    struct vhttp_slice from = {text.at, (size_t)(dash - text.at)};
    struct vhttp_slice to = {dash + 1, text.length - from.length - 1};
    uint64_t first, last;
    if (from.length == 0) {
        return read_number(to, &last) ? last_bytes(last, size) : none;
    }
    if (!read_number(from, &first)) {
        return none;
    }
    if (to.length == 0) {
        last = UINT64_MAX;
    } else if (!read_number(to, &last) || last < first) {
        return none;
    }
    if (first >= size) {
        return (struct vhttp_range){.kind = VHTTP_RANGE_UNSATISFIABLE};
    }
    if (last >= size) {
        last = size - 1;
    }
    return (struct vhttp_range){VHTTP_RANGE_SATISFIABLE, first, last - first + 1};
}
