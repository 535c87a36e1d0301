// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/freertos: portable/xtensa/include/freertos/portmacro.h,
// config/include/freertos/FreeRTOSConfig.h and FreeRTOS.h, what viperhttp uses of them.
#pragma once

#include <stdint.h>

#include "sdkconfig.h"

typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;
typedef struct {
    void *words[20]; // opaque
} StaticSemaphore_t;

#define pdFALSE ((BaseType_t)0)
#define pdTRUE ((BaseType_t)1)
#define pdPASS (pdTRUE)
#define portMAX_DELAY (TickType_t)0xffffffffUL
#define configMAX_PRIORITIES (25)
#define configNUMBER_OF_CORES CONFIG_FREERTOS_NUMBER_OF_CORES
