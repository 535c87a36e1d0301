// SPDX-License-Identifier: MIT
// Double of newlib's math.h: what viperhttp uses of it on the chip.
#pragma once

#define isfinite(x) __builtin_isfinite(x)
