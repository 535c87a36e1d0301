// SPDX-License-Identifier: MIT
#define MICROPY_HW_BOARD_NAME "ESP32_SPIRAM"
#define MICROPY_HW_MCU_NAME "ESP32"

// Internal RAM is tight on this chip, and Bluetooth's controller takes 56 KB of it.
#define MICROPY_PY_BLUETOOTH (0)

// viperhttp learns that a task can go on, where no asyncio loop runs to see it.
#define MICROPY_PY_ASYNCIO_TASK_QUEUE_PUSH_CALLBACK (1)
