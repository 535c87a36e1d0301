// SPDX-License-Identifier: MIT
// The gzip format (RFC 1952) around deflate.h.
#ifndef VHTTP_GZIP_H
#define VHTTP_GZIP_H

#include "deflate.h"

// All memory of one compression; from PSRAM where there is some.
struct vhttp_gzip {
    struct vhttp_deflate *deflate;
    vhttp_deflate_output output;
    void *argument;
    uint32_t crc;
    uint32_t size; // of the input, modulo 2^32
};

// Writes the header; its time is 0 and its system unknown, so that the same input gives the same
// bytes. `memory` is that of vhttp_deflate_begin. False, as below, when the output was refused.
bool vhttp_gzip_begin(struct vhttp_gzip *gzip, void *memory, int level, vhttp_deflate_output output,
                      void *argument);
bool vhttp_gzip_write(struct vhttp_gzip *gzip, const uint8_t *bytes, size_t size);
bool vhttp_gzip_end(struct vhttp_gzip *gzip);

#endif
