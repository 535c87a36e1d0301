// SPDX-License-Identifier: MIT
// Compression: any input, level and split decompress to the input again, by zlib.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "gzip.h"

#define OUT_MAX (1u << 20)

static uint8_t packed[OUT_MAX], unpacked[OUT_MAX];
static size_t packed_length;

static bool collect(void *unused, const uint8_t *bytes, size_t size) {
    (void)unused;
    FUZZ_CHECK(size <= OUT_MAX - packed_length);
    memcpy(packed + packed_length, bytes, size);
    packed_length += size;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void *memory;
    if (memory == NULL) {
        memory = malloc(vhttp_deflate_size());
    }
    if (size < 4 || size > 4096) {
        return 0;
    }
    // The input is repeated, so that short ones reach beyond the window too.
    unsigned repeats = 1 + data[1] % 64;
    size_t step = 1 + data[2];
    const uint8_t *text = data + 3;
    size_t length = size - 3;
    struct vhttp_gzip gzip;
    packed_length = 0;
    vhttp_gzip_begin(&gzip, memory, 1 + data[0] % 9, collect, NULL);
    for (unsigned i = 0; i < repeats; i++) {
        for (size_t at = 0; at < length; at += step) {
            vhttp_gzip_write(&gzip, text + at, length - at < step ? length - at : step);
        }
    }
    FUZZ_CHECK(vhttp_gzip_end(&gzip));
    z_stream stream = {.next_in = packed,
                       .avail_in = (uInt)packed_length,
                       .next_out = unpacked,
                       .avail_out = OUT_MAX};
    FUZZ_CHECK(inflateInit2(&stream, 16 + 15) == Z_OK);
    FUZZ_CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    FUZZ_CHECK(stream.total_out == repeats * length && stream.avail_in == 0);
    for (unsigned i = 0; i < repeats; i++) {
        FUZZ_CHECK(memcmp(unpacked + i * length, text, length) == 0);
    }
    inflateEnd(&stream);
    return 0;
}
