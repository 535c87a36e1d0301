// SPDX-License-Identifier: MIT
// The dates of HTTP (RFC 9110, section 5.6.7), as seconds since 1970-01-01 00:00:00 UTC.
#ifndef VHTTP_HTTP_DATE_H
#define VHTTP_HTTP_DATE_H

#include <stdint.h>

#include "slice.h"

#define VHTTP_DATE_SIZE 30 // "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL

// Writes the preferred form. `seconds` is from 0 to the end of the year 9999.
void vhttp_format_date(int64_t seconds, char out[VHTTP_DATE_SIZE]);

// Reads any of the three forms; -1 for anything else. A year of two digits is taken as 1970–2069.
int64_t vhttp_parse_date(struct vhttp_slice text);

#endif
