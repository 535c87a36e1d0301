// SPDX-License-Identifier: MIT
// CRC-32 of RFC 1952, as gzip has it.
#ifndef VHTTP_CRC32_H
#define VHTTP_CRC32_H

#include <stddef.h>
#include <stdint.h>

// Goes on from the CRC-32 of what came before; 0 at first.
uint32_t vhttp_crc32(uint32_t crc, const uint8_t *bytes, size_t size);

#endif
