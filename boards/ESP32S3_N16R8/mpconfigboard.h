// SPDX-License-Identifier: MIT
#define MICROPY_HW_BOARD_NAME "ESP32S3_N16R8"
#define MICROPY_HW_MCU_NAME "ESP32S3"

// The REPL is on UART0 too, where boards with a USB-UART bridge have theirs.
#define MICROPY_HW_ENABLE_UART_REPL (1)

// viperhttp learns that a task can go on, where no asyncio loop runs to see it.
#define MICROPY_PY_ASYNCIO_TASK_QUEUE_PUSH_CALLBACK (1)
