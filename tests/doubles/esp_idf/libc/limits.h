// SPDX-License-Identifier: MIT
// Double of newlib's limits.h: GCC's own has what viperhttp uses.
#pragma once
