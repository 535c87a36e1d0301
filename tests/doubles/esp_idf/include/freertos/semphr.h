// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/freertos/FreeRTOS-Kernel/include/freertos/semphr.h: what
// viperhttp uses of it. There these are macros around functions of queue.h.
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct QueueDefinition *SemaphoreHandle_t;

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *pxStaticSemaphore);
BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xBlockTime);
BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore);
