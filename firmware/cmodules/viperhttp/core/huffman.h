// SPDX-License-Identifier: MIT
// Huffman codes of bounded length, as RFC 1951 has them.
#ifndef VHTTP_HUFFMAN_H
#define VHTTP_HUFFMAN_H

#include <stdint.h>

#define VHTTP_HUFFMAN_SYMBOLS 288

struct vhttp_huffman {
    uint16_t codes[VHTTP_HUFFMAN_SYMBOLS];  // with the first bit lowest
    uint8_t lengths[VHTTP_HUFFMAN_SYMBOLS]; // bits; 0: the symbol has no code
};

// Makes the code for `count` symbols of the given frequencies, none longer than `longest` bits.
void vhttp_huffman_build(struct vhttp_huffman *code, const uint32_t *frequencies, unsigned count,
                         unsigned longest);

// The fixed codes (RFC 1951, section 3.2.6).
void vhttp_huffman_fixed(struct vhttp_huffman *literals, struct vhttp_huffman *distances);

#endif
