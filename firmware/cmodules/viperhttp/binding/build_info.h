// SPDX-License-Identifier: MIT
// Which viperhttp this is.
#ifndef VHTTP_BUILD_INFO_H
#define VHTTP_BUILD_INFO_H

#include <stdint.h>

#define VHTTP_VERSION "0.1.0"

// Digest of the firmware's inputs and toolchain, from the build.
extern const char vhttp_build_id[];

// Its date, in seconds since 1970: a clock or a file's time before that is not right.
int64_t vhttp_build_time_s(void);

#endif
