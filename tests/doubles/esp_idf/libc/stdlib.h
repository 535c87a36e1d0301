// SPDX-License-Identifier: MIT
// Double of newlib's stdlib.h: what viperhttp uses of it on the chip. No malloc: memory has a kind.
#pragma once

double strtod(const char *text, char **end);
