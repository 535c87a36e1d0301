// SPDX-License-Identifier: MIT
// Double of newlib's unistd.h: what viperhttp uses of it on the chip.
#pragma once

#include <sys/types.h>

int close(int descriptor);
ssize_t read(int descriptor, void *bytes, size_t size);
ssize_t write(int descriptor, const void *bytes, size_t size);
