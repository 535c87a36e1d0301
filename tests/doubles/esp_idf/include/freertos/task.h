// SPDX-License-Identifier: MIT
// Double of ESP-IDF v5.5.1, components/freertos: FreeRTOS-Kernel/include/freertos/task.h and
// esp_additions/include/freertos/idf_additions.h, what viperhttp uses of them. Stacks are counted
// in bytes there.
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *const pcName,
                                   const uint32_t ulStackDepth, void *const pvParameters,
                                   UBaseType_t uxPriority, TaskHandle_t *const pxCreatedTask,
                                   const BaseType_t xCoreID);
void vTaskDelete(TaskHandle_t xTaskToDelete);
void vTaskDelay(const TickType_t xTicksToDelay);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask);

// With CONFIG_FREERTOS_USE_TRACE_FACILITY.
typedef struct {
    TaskHandle_t xHandle;
    const char *pcTaskName;
    UBaseType_t xTaskNumber;
    uint32_t usStackHighWaterMark;
} TaskStatus_t;

UBaseType_t uxTaskGetSystemState(TaskStatus_t *const pxTaskStatusArray,
                                 const UBaseType_t uxArraySize, uint32_t *const pulTotalRunTime);
