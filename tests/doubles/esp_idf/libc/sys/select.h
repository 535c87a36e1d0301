// SPDX-License-Identifier: MIT
// Double of newlib's sys/select.h: what viperhttp uses of it on the chip.
#pragma once

#include <stdint.h>

#define FD_SETSIZE 64

typedef struct {
    uint32_t bits[FD_SETSIZE / 32];
} fd_set;

#define FD_ZERO(set) (*(set) = (fd_set){{0}})
#define FD_SET(n, set) ((set)->bits[(n) / 32] |= 1ul << ((n) % 32))
#define FD_ISSET(n, set) (((set)->bits[(n) / 32] >> ((n) % 32) & 1) != 0)

struct timeval {
    int64_t tv_sec;
    long tv_usec;
};

int select(int descriptors, fd_set *readable, fd_set *writable, fd_set *broken,
           struct timeval *timeout);
