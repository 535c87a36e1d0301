// SPDX-License-Identifier: MIT
// Double of newlib's fcntl.h: what viperhttp uses of it on the chip.
#pragma once

#define O_NONBLOCK 0x4000
#define F_GETFL 3
#define F_SETFL 4
