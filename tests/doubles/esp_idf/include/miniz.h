// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_rom/include/miniz.h: what viperhttp uses of it. The
// functions are in the ROM (components/esp_rom/esp32/ld/esp32.rom.ld, esp32s3/ld/esp32s3.rom.ld).
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int mz_bool;
typedef mz_bool (*tdefl_put_buf_func_ptr)(const void *pBuf, int len, void *pUser);

typedef enum {
    TDEFL_STATUS_BAD_PARAM = -2,
    TDEFL_STATUS_PUT_BUF_FAILED = -1,
    TDEFL_STATUS_OKAY = 0,
    TDEFL_STATUS_DONE = 1,
} tdefl_status;

typedef enum {
    TDEFL_NO_FLUSH = 0,
    TDEFL_SYNC_FLUSH = 2,
    TDEFL_FULL_FLUSH = 3,
    TDEFL_FINISH = 4,
} tdefl_flush;

enum { TDEFL_GREEDY_PARSING_FLAG = 0x04000 };

// Of the size that it has there: a dictionary of 32 KiB with its chains and hashes, 24 KiB of
// codes, 31.2 KiB of output, the tables of three Huffman codes.
typedef struct {
    uint32_t words[(33025 + 2 * 32768 + 2 * 4096 + 24576 + 31948 + 4320 + 256) / 4];
} tdefl_compressor;

tdefl_status tdefl_init(tdefl_compressor *d, tdefl_put_buf_func_ptr pPut_buf_func,
                        void *pPut_buf_user, int flags);
tdefl_status tdefl_compress_buffer(tdefl_compressor *d, const void *pIn_buf, size_t in_buf_size,
                                   tdefl_flush flush);
