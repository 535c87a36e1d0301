// SPDX-License-Identifier: MIT
// Compresses its input to its output: `gzip_stdin LEVEL PIECE`, PIECE bytes at a time.
#include <stdio.h>
#include <stdlib.h>

#include "gzip.h"

static bool to_stdout(void *unused, const uint8_t *bytes, size_t size) {
    (void)unused;
    return fwrite(bytes, 1, size, stdout) == size;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return 2;
    }
    size_t piece = (size_t)atoi(argv[2]);
    uint8_t *bytes = malloc(piece);
    void *memory = malloc(vhttp_deflate_size());
    struct vhttp_gzip gzip;
    vhttp_gzip_begin(&gzip, memory, atoi(argv[1]), to_stdout, NULL);
    for (size_t length; (length = fread(bytes, 1, piece, stdin)) > 0;) {
        vhttp_gzip_write(&gzip, bytes, length);
    }
    bool is_written = vhttp_gzip_end(&gzip);
    free(bytes);
    free(memory);
    return is_written && vhttp_deflate_size() <= 188 * 1024 ? 0 : 1;
}
