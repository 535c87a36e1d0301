// SPDX-License-Identifier: MIT
// Double of newlib's errno.h: what viperhttp uses of it on the chip.
#pragma once

int *__errno(void);
#define errno (*__errno())

#define ENOMEM 12
#define EAGAIN 11
#define EWOULDBLOCK EAGAIN
#define ENFILE 23
