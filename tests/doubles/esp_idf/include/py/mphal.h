// SPDX-License-Identifier: MIT
// Double of MicroPython v1.27.0, ports/esp32/mphalport.h (through py/mphal.h): what viperhttp's
// port uses of it.
#pragma once

#define MP_TASK_COREID (1)

void mp_hal_wake_main_task(void);
