// SPDX-License-Identifier: MIT
// Double of newlib's inttypes.h for a chip whose uint32_t is a long: what viperhttp uses of it.
#pragma once

#include <stdint.h>

#define PRIu32 "lu"
#define PRIu64 "llu"
#define PRIx64 "llx"
#define PRId64 "lld"
