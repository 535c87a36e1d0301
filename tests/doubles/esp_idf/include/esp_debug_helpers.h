// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_system/include/esp_debug_helpers.h: what viperhttp uses
// of it.
#pragma once

#include "esp_err.h"

esp_err_t esp_backtrace_print_all_tasks(int depth);
