// SPDX-License-Identifier: MIT
#include "app_image.h"

#include <string.h>

#include "lib/crypto-algorithms/sha256.h"

#define HEADER_SIZE 24u
#define SEGMENT_HEADER_SIZE 8u
#define MAX_SEGMENTS 16
#define MAGIC 0xE9
#define CHIP_ID 9
#define CHECKSUM_SEED 0xEF

static uint32_t get_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool app_image_is_valid(const uint8_t *bytes, uint32_t size) {
    if (size < HEADER_SIZE || bytes[0] != MAGIC || bytes[1] == 0 || bytes[1] > MAX_SEGMENTS ||
        (bytes[12] | bytes[13] << 8) != CHIP_ID || bytes[23] != 1) {
        return false;
    }
    uint32_t end = HEADER_SIZE;
    uint8_t checksum = CHECKSUM_SEED;
    for (int segment = 0; segment < bytes[1]; segment++) {
        if (size - end < SEGMENT_HEADER_SIZE) {
            return false;
        }
        uint32_t length = get_u32(bytes + end + 4);
        end += SEGMENT_HEADER_SIZE;
        if (length % 4 != 0 || length > size - end) {
            return false;
        }
        for (const uint8_t *p = bytes + end; p < bytes + end + length; p++) {
            checksum ^= *p;
        }
        end += length;
    }
    // The checksum is the last byte of a block of 16; the digest follows it.
    uint32_t hashed = (end / 16 + 1) * 16;
    if (hashed > size || size - hashed < SHA256_BLOCK_SIZE || bytes[hashed - 1] != checksum) {
        return false;
    }
    CRYAL_SHA256_CTX context;
    uint8_t digest[SHA256_BLOCK_SIZE];
    sha256_init(&context);
    sha256_update(&context, bytes, hashed);
    sha256_final(&context, digest);
    return memcmp(digest, bytes + hashed, sizeof(digest)) == 0;
}
