// SPDX-License-Identifier: MIT
// How long something took, each time that it was waited for: counts by length, and the sum. Times
// are whole milliseconds: what is cut off at one end is cut off at the other too, and sums come out
// right.
#ifndef VHTTP_DELAY_H
#define VHTTP_DELAY_H

#include <stdint.h>

#define VHTTP_DELAY_BOUNDS 6

extern const uint32_t vhttp_delay_bounds_ms[VHTTP_DELAY_BOUNDS];

struct vhttp_delay {
    uint32_t counts[VHTTP_DELAY_BOUNDS + 1]; // of those up to each bound; the last of longer ones
    uint64_t sum_ms;
};

// It took so long this time.
void vhttp_delay_add(struct vhttp_delay *delay, uint64_t ms);

#endif
