// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/esp_common/include/esp_err.h: what viperhttp uses of it.
#pragma once

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL -1
#define ESP_ERR_INVALID_STATE 0x103
