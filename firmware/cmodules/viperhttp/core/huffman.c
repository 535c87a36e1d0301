// SPDX-License-Identifier: MIT
#include "huffman.h"

#include <string.h>

#define LONGEST 15

struct leaf {
    uint32_t weight;
    uint16_t symbol;
};

// By weight, then by symbol; the number is small.
static void sort_leaves(struct leaf *leaves, unsigned count) {
    for (unsigned gap = count / 2; gap > 0; gap /= 2) {
        for (unsigned i = gap; i < count; i++) {
            struct leaf leaf = leaves[i];
            unsigned at = i;
            while (at >= gap && (leaves[at - gap].weight > leaf.weight ||
                                 (leaves[at - gap].weight == leaf.weight &&
                                  leaves[at - gap].symbol > leaf.symbol))) {
                leaves[at] = leaves[at - gap];
                at -= gap;
            }
            leaves[at] = leaf;
        }
    }
}

// Depths of the leaves of a Huffman tree over sorted weights, by the method of two queues: nodes
// come out in the order of their weight. At least two leaves.
static void find_depths(const struct leaf *leaves, unsigned count, uint8_t *depths) {
    uint32_t weights[VHTTP_HUFFMAN_SYMBOLS];
    uint16_t parents[2 * VHTTP_HUFFMAN_SYMBOLS]; // leaves, then inner nodes from `count` on
    unsigned leaf = 0, node = 0, made = 0;
    while (made < count - 1) {
        uint32_t weight = 0;
        for (int i = 0; i < 2; i++) {
            if (leaf < count && (node == made || leaves[leaf].weight <= weights[node])) {
                weight += leaves[leaf].weight;
                parents[leaf++] = (uint16_t)(count + made);
            } else {
                weight += weights[node];
                parents[count + node++] = (uint16_t)(count + made);
            }
        }
        weights[made++] = weight;
    }
    uint16_t node_depths[VHTTP_HUFFMAN_SYMBOLS];
    node_depths[made - 1] = 0;
    for (unsigned i = made - 1; i-- > 0;) {
        node_depths[i] = (uint16_t)(node_depths[parents[count + i] - count] + 1);
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned depth = node_depths[parents[i] - count] + 1u;
        depths[i] = (uint8_t)(depth < UINT8_MAX ? depth : UINT8_MAX);
    }
}

// Cuts the depths down to `longest` and makes them those of a full tree again. `depths` fall from
// the rarest leaf on.
static void limit_depths(uint8_t *depths, unsigned count, unsigned longest) {
    unsigned counts[LONGEST + 1] = {0};
    uint32_t sum = 0; // full at 1 << longest
    for (unsigned i = 0; i < count; i++) {
        unsigned depth = depths[i] < longest ? depths[i] : longest;
        counts[depth]++;
        sum += 1u << (longest - depth);
    }
    for (; sum > 1u << longest; sum--) {
        // A deepest leaf moves up beside the deepest one that is not, which goes down by one.
        unsigned depth = longest - 1;
        while (counts[depth] == 0) {
            depth--;
        }
        counts[longest]--;
        counts[depth]--;
        counts[depth + 1] += 2;
    }
    unsigned at = 0;
    for (unsigned depth = longest; depth > 0; depth--) {
        for (unsigned i = 0; i < counts[depth]; i++) {
            depths[at++] = (uint8_t)depth;
        }
    }
}

static uint16_t reversed(unsigned code, unsigned length) {
    unsigned out = 0;
    for (unsigned i = 0; i < length; i++) {
        out |= (code >> i & 1) << (length - 1 - i);
    }
    return (uint16_t)out;
}

// RFC 1951, section 3.2.2.
static void assign_codes(struct vhttp_huffman *code, unsigned count) {
    unsigned counts[LONGEST + 1] = {0}, next[LONGEST + 1] = {0};
    for (unsigned i = 0; i < count; i++) {
        counts[code->lengths[i]]++;
    }
    counts[0] = 0;
    for (unsigned bits = 1; bits <= LONGEST; bits++) {
        next[bits] = (next[bits - 1] + counts[bits - 1]) << 1;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned length = code->lengths[i];
        code->codes[i] = length == 0 ? 0 : reversed(next[length]++, length);
    }
}

void vhttp_huffman_build(struct vhttp_huffman *code, const uint32_t *frequencies, unsigned count,
                         unsigned longest) {
    struct leaf leaves[VHTTP_HUFFMAN_SYMBOLS];
    uint8_t depths[VHTTP_HUFFMAN_SYMBOLS];
    unsigned leaf_count = 0;
    for (unsigned i = 0; i < count; i++) {
        if (frequencies[i] > 0) {
            leaves[leaf_count++] = (struct leaf){frequencies[i], (uint16_t)i};
        }
    }
    memset(code, 0, sizeof(*code));
    if (leaf_count == 1) {
        code->lengths[leaves[0].symbol] = 1;
    } else if (leaf_count > 1) {
        sort_leaves(leaves, leaf_count);
        find_depths(leaves, leaf_count, depths);
        limit_depths(depths, leaf_count, longest);
        for (unsigned i = 0; i < leaf_count; i++) {
            code->lengths[leaves[i].symbol] = depths[i];
        }
    }
    assign_codes(code, count);
}

void vhttp_huffman_fixed(struct vhttp_huffman *literals, struct vhttp_huffman *distances) {
    memset(literals, 0, sizeof(*literals));
    memset(distances, 0, sizeof(*distances));
    for (unsigned i = 0; i < VHTTP_HUFFMAN_SYMBOLS; i++) {
        literals->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    memset(distances->lengths, 5, 30);
    assign_codes(literals, VHTTP_HUFFMAN_SYMBOLS);
    assign_codes(distances, 30);
}
