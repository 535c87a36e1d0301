// SPDX-License-Identifier: MIT
#include "gzip.h"

#include "crc32.h"

bool vhttp_gzip_begin(struct vhttp_gzip *gzip, void *memory, int level, vhttp_deflate_output output,
                      void *argument) {
    static const uint8_t header[10] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF};
    *gzip = (struct vhttp_gzip){.output = output, .argument = argument};
    gzip->deflate = vhttp_deflate_begin(memory, level, output, argument);
    return output(argument, header, sizeof(header));
}

bool vhttp_gzip_write(struct vhttp_gzip *gzip, const uint8_t *bytes, size_t size) {
    gzip->crc = vhttp_crc32(gzip->crc, bytes, size);
    gzip->size += (uint32_t)size;
    return vhttp_deflate_write(gzip->deflate, bytes, size);
}

bool vhttp_gzip_end(struct vhttp_gzip *gzip) {
    uint8_t trailer[8];
    for (int i = 0; i < 4; i++) {
        trailer[i] = (uint8_t)(gzip->crc >> (8 * i));
        trailer[4 + i] = (uint8_t)(gzip->size >> (8 * i));
    }
    return vhttp_deflate_end(gzip->deflate) &&
           gzip->output(gzip->argument, trailer, sizeof(trailer));
}
