// SPDX-License-Identifier: MIT
// deflate.h by the compressor in the chip's ROM (miniz), which costs no flash.
#include "deflate.h"

#include "miniz.h"

#define MEMORY_MAX (192 * 1024)

struct vhttp_deflate {
    vhttp_deflate_output output;
    void *argument;
    tdefl_compressor rom;
};

_Static_assert(sizeof(struct vhttp_deflate) <= MEMORY_MAX, "gzip_static's memory is bounded");

// Candidates that are looked at for each match, by level, as miniz's own levels have it; the ROM
// lacks the function that knows them.
static const uint16_t probes[10] = {0, 1, 6, 32, 16, 32, 128, 256, 512, 768};
#define LAST_GREEDY_LEVEL 3

static mz_bool put(const void *bytes, int size, void *argument) {
    const struct vhttp_deflate *deflate = argument;
    return deflate->output(deflate->argument, bytes, (size_t)size);
}

size_t vhttp_deflate_size(void) { return sizeof(struct vhttp_deflate); }

struct vhttp_deflate *vhttp_deflate_begin(void *memory, int level, vhttp_deflate_output output,
                                          void *argument) {
    struct vhttp_deflate *deflate = memory;
    deflate->output = output;
    deflate->argument = argument;
    int flags = probes[level] | (level <= LAST_GREEDY_LEVEL ? TDEFL_GREEDY_PARSING_FLAG : 0);
    tdefl_init(&deflate->rom, put, deflate, flags);
    return deflate;
}

bool vhttp_deflate_write(struct vhttp_deflate *deflate, const uint8_t *bytes, size_t size) {
    return tdefl_compress_buffer(&deflate->rom, bytes, size, TDEFL_NO_FLUSH) == TDEFL_STATUS_OKAY;
}

bool vhttp_deflate_end(struct vhttp_deflate *deflate) {
    return tdefl_compress_buffer(&deflate->rom, NULL, 0, TDEFL_FINISH) == TDEFL_STATUS_DONE;
}
