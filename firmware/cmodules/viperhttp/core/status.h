// SPDX-License-Identifier: MIT
// The HTTP status codes of responses (IANA's registry; RFC 9110, section 15).
#ifndef VHTTP_STATUS_H
#define VHTTP_STATUS_H

#include <stddef.h>

#define VHTTP_STATUS_COUNT 56 // entries of vhttp_statuses

struct vhttp_status {
    int code;
    const char *reason;
};

// In ascending order of the code.
extern const struct vhttp_status vhttp_statuses[VHTTP_STATUS_COUNT];

// The index of `code` in vhttp_statuses; that of 500 for a code which is not there.
size_t vhttp_status_index(int code);

#endif
