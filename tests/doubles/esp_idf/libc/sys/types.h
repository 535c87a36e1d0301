// SPDX-License-Identifier: MIT
// Double of newlib's sys/types.h: what viperhttp uses of it on the chip.
#pragma once

#include <stddef.h>

typedef int ssize_t;
