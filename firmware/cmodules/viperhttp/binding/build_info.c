// SPDX-License-Identifier: MIT
// Alone in its file, so that a new build id recompiles nothing else.
#include "build_info.h"

#include <stdio.h>

#include "py/obj.h"

#include "genhdr/mpversion.h"
#include "shared/timeutils/timeutils.h"
#include "viperhttp_build.h"

const char vhttp_build_id[] = VHTTP_BUILD_ID;

int64_t vhttp_build_time_s(void) {
    unsigned year = 0, month = 1, day = 1;
    sscanf(MICROPY_BUILD_DATE, "%u-%u-%u", &year, &month, &day);
    // Counted from 2000, which all versions of MicroPython have.
    return (int64_t)timeutils_seconds_since_2000(year, month, day, 0, 0, 0) +
           (int64_t)TIMEUTILS_SECONDS_1970_TO_2000;
}
