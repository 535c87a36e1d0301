// SPDX-License-Identifier: MIT
// Double of FreeRTOS and of ESP-IDF's heap, timer and log, by threads and the C library. A task is
// a thread, whichever core it is pinned to; its stack is larger than it asked for and painted, so
// that what it used of it can be told.
//
// HEAP_FAILS_AT in the environment is the number of the allocation that fails, from 1.
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "esp_debug_helpers.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "py/mphal.h"

// ---- Log and time

void esp_log_double(char level, const char *tag, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%c %s: %s\n", level, tag, line);
}

int64_t esp_timer_get_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// ---- Heap

static atomic_int allocations;

static bool fails(void) {
    const char *at = getenv("HEAP_FAILS_AT");
    return ++allocations == (at == NULL ? 0 : atoi(at));
}

static void check_kind(uint32_t caps) {
    if ((caps & MALLOC_CAP_8BIT) == 0 ||
        ((caps & MALLOC_CAP_INTERNAL) == 0) == ((caps & MALLOC_CAP_SPIRAM) == 0)) {
        abort(); // of no kind, or of two
    }
}

void *heap_caps_calloc(size_t n, size_t size, uint32_t caps) {
    check_kind(caps);
    return fails() ? NULL : calloc(n, size);
}

void *heap_caps_calloc_prefer(size_t n, size_t size, size_t num, ...) {
    va_list kinds;
    va_start(kinds, num);
    while (num-- > 0) {
        check_kind((uint32_t)va_arg(kinds, int));
    }
    va_end(kinds);
    return fails() ? NULL : calloc(n, size);
}

void heap_caps_free(void *ptr) { free(ptr); }

// PSRAM_IS_MISSING in the environment: none was found.
size_t heap_caps_get_total_size(uint32_t caps) {
    bool is_psram = (caps & MALLOC_CAP_SPIRAM) != 0;
    return !is_psram ? 320u << 10 : getenv("PSRAM_IS_MISSING") == NULL ? 8u << 20 : 0;
}

size_t heap_caps_get_free_size(uint32_t caps) { return heap_caps_get_total_size(caps) / 2; }

size_t heap_caps_get_minimum_free_size(uint32_t caps) { return heap_caps_get_total_size(caps) / 4; }

size_t heap_caps_get_largest_free_block(uint32_t caps) {
    return heap_caps_get_total_size(caps) / 8;
}

// ---- Semaphores

SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *pxStaticSemaphore) {
    _Static_assert(sizeof(sem_t) <= sizeof(StaticSemaphore_t), "room for a semaphore");
    sem_init((sem_t *)pxStaticSemaphore, 0, 0);
    return (SemaphoreHandle_t)pxStaticSemaphore;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t xSemaphore, TickType_t xBlockTime) {
    if (xBlockTime != portMAX_DELAY) {
        abort();
    }
    while (sem_wait((sem_t *)xSemaphore) != 0) {
    }
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t xSemaphore) {
    return sem_post((sem_t *)xSemaphore) == 0 ? pdTRUE : pdFALSE;
}

// ---- Tasks

#define STACK_SIZE (2u << 20) // ThreadSanitizer wants one
#define PAINT 0xA5

struct task {
    struct task *previous;
    TaskFunction_t code;
    void *argument;
    uint32_t depth;
    uint8_t *stack, *top; // top: where the task's own code begins
};
static _Thread_local struct task *self;
static struct task *last; // its stack is never freed: the thread ends on it

static void *run(void *argument) {
    self = argument;
    self->top = __builtin_frame_address(0);
    self->code(self->argument);
    abort(); // a task must not return
}

BaseType_t xTaskCreatePinnedToCore(TaskFunction_t pxTaskCode, const char *const pcName,
                                   const uint32_t ulStackDepth, void *const pvParameters,
                                   UBaseType_t uxPriority, TaskHandle_t *const pxCreatedTask,
                                   const BaseType_t xCoreID) {
    (void)pxCreatedTask;
    struct task *task = malloc(sizeof(*task));
    *task = (struct task){last, pxTaskCode, pvParameters, ulStackDepth, NULL, NULL};
    if (posix_memalign((void **)&task->stack, 4096, STACK_SIZE) != 0) {
        abort();
    }
    memset(task->stack, PAINT, STACK_SIZE);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, task->stack, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    fprintf(stderr, "task %s: core %d, priority %u, stack %u\n", pcName, (int)xCoreID, uxPriority,
            (unsigned)ulStackDepth);
    last = task;
    pthread_t id;
    return pthread_create(&id, &attributes, run, task) == 0 ? pdPASS : pdFALSE;
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t xTask) {
    (void)xTask;
    const uint8_t *lowest = self->stack;
    while (*lowest == PAINT) {
        lowest++;
    }
    size_t used = (size_t)(self->top - lowest);
    return used < self->depth ? (UBaseType_t)(self->depth - used) : 0;
}

void vTaskDelete(TaskHandle_t xTaskToDelete) {
    if (xTaskToDelete != NULL) {
        abort(); // a task ends itself
    }
    pthread_exit(NULL);
}

void vTaskDelay(const TickType_t xTicksToDelay) { usleep(xTicksToDelay * 10000); }

// The tasks that every chip has are told of as one, beside the server's.
UBaseType_t uxTaskGetSystemState(TaskStatus_t *const pxTaskStatusArray,
                                 const UBaseType_t uxArraySize, uint32_t *const pulTotalRunTime) {
    (void)pulTotalRunTime;
    if (uxArraySize < 2) {
        return 0;
    }
    pxTaskStatusArray[0] = (TaskStatus_t){.pcTaskName = "tiT", .usStackHighWaterMark = 2400};
    pxTaskStatusArray[1] = (TaskStatus_t){.pcTaskName = "viperhttp", .usStackHighWaterMark = 9000};
    return 2;
}

// ---- Timers, each with a thread in place of the task that calls them all

struct esp_timer {
    esp_timer_create_args_t args;
    pthread_t thread;
    uint64_t period;
    atomic_bool stop;
};

static void *run_timer(void *argument) {
    struct esp_timer *timer = argument;
    while (usleep((useconds_t)timer->period), !atomic_load(&timer->stop)) {
        timer->args.callback(timer->args.arg);
    }
    return NULL;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *create_args,
                           esp_timer_handle_t *out_handle) {
    *out_handle = calloc(1, sizeof(**out_handle));
    (*out_handle)->args = *create_args;
    return ESP_OK;
}

esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period) {
    timer->period = period;
    return pthread_create(&timer->thread, NULL, run_timer, timer) == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_timer_stop(esp_timer_handle_t timer) {
    atomic_store(&timer->stop, true);
    return ESP_OK;
}

esp_err_t esp_timer_delete(esp_timer_handle_t timer) {
    pthread_join(timer->thread, NULL);
    free(timer);
    return ESP_OK;
}

// ---- Resets

esp_reset_reason_t esp_reset_reason(void) { return ESP_RST_POWERON; }

esp_err_t esp_backtrace_print_all_tasks(int depth) {
    fprintf(stderr, "backtraces of all tasks, %d deep\n", depth);
    return ESP_OK;
}

void esp_system_abort(const char *details) {
    fprintf(stderr, "\nabort: %s\n", details);
    _exit(134);
}

// ---- MicroPython

void mp_hal_wake_main_task(void) {}
