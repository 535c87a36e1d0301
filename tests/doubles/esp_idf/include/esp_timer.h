// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_timer/include/esp_timer.h: what viperhttp uses of it.
#pragma once

#include <stdint.h>

int64_t esp_timer_get_time(void); // microseconds since boot
