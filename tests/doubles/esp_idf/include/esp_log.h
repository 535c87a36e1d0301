// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/log/include/esp_log.h: what viperhttp uses of it. There
// these are macros around a function of printf's kind too.
#pragma once

void esp_log_double(char level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define ESP_LOGE(tag, format, ...) esp_log_double('E', tag, format, ##__VA_ARGS__)
#define ESP_LOGI(tag, format, ...) esp_log_double('I', tag, format, ##__VA_ARGS__)
