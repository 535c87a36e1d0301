// SPDX-License-Identifier: MIT
// sys.stdin, sys.stdout and sys.stderr over the console, as on a chip.
#include "py/mphal.h"

// The unix port declares that it has no such function; the shared file needs one.
#undef mp_hal_stdio_poll
#define mp_hal_stdio_poll virtual_chip_stdio_poll
uintptr_t virtual_chip_stdio_poll(uintptr_t poll_flags);

#include "shared/runtime/sys_stdio_mphal.c"
