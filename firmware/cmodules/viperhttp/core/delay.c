// SPDX-License-Identifier: MIT
#include "delay.h"

const uint32_t vhttp_delay_bounds_ms[VHTTP_DELAY_BOUNDS] = {3, 10, 30, 100, 300, 1000};

void vhttp_delay_add(struct vhttp_delay *delay, uint64_t ms) {
    unsigned i = 0;
    while (i < VHTTP_DELAY_BOUNDS && ms > vhttp_delay_bounds_ms[i]) {
        i++;
    }
    delay->counts[i]++;
    delay->sum_ms += ms;
}
