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

// viperhttp learns that a task can go on, where no asyncio loop runs to see it.
#define MICROPY_PY_ASYNCIO_TASK_QUEUE_PUSH_CALLBACK (1)

// As on the esp32 port: floats are printed by the C library, to the last digit.
#define MICROPY_USE_INTERNAL_PRINTF (0)
