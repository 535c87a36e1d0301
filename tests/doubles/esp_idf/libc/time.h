// SPDX-License-Identifier: MIT
// Double of newlib's time.h: what viperhttp uses of it on the chip, where time_t has 64 bits.
#pragma once

#include <stdint.h>

typedef int64_t time_t;
time_t time(time_t *now);
