// SPDX-License-Identifier: MIT
// MicroPython's features on the virtual board: those of a full esp32 board.
#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "variants/mpconfigvariant_common.h"

#define MICROPY_HW_BOARD_NAME "VIRTUAL_N16R8"
#define MICROPY_HW_MCU_NAME "virtual ESP32-S3"

#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_SYS_STDIO_BUFFER (1)

// As on the esp32 port: C code is called back on the interpreter's thread without allocation.
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MICROPY_SCHEDULER_DEPTH (8)
