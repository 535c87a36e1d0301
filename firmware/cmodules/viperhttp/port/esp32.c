// SPDX-License-Identifier: MIT
// The ESP32 family under ESP-IDF v5.5: clocks, memory, the server's task, the interpreter's.
// The network is in esp32_sockets.c, the ROM's compressor in esp32_deflate.c.
#include "platform.h"

#include <time.h>

#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "py/mphal.h" // mp_hal_wake_main_task, MP_TASK_COREID
#include "sdkconfig.h"
#include "vhttp_config.h"

#ifdef CONFIG_FREERTOS_UNICORE
#error "CONFIG_FREERTOS_UNICORE: the server and the interpreter have a core each"
#endif
#ifdef CONFIG_LIBC_NEWLIB_NANO_FORMAT
#error "CONFIG_LIBC_NEWLIB_NANO_FORMAT: its printf writes no 64-bit number, and lengths are"
#endif
#ifndef __OPTIMIZE__
#error "viperhttp is compiled without optimisation: link the library that micropython.cmake makes"
#endif
#if !VHTTP_STATIC_SERVE_VIA_IPC
#error "VHTTP_STATIC_SERVE_VIA_IPC=0: MicroPython's files are the interpreter's alone"
#endif
_Static_assert(VHTTP_SERVER_CORE >= 0 && VHTTP_SERVER_CORE < configNUMBER_OF_CORES, "a core");
_Static_assert(VHTTP_SERVER_CORE != MP_TASK_COREID, "the interpreter's core is not the server's");
_Static_assert(VHTTP_SERVER_PRIORITY < configMAX_PRIORITIES, "a priority of FreeRTOS");

static const char TAG[] = "viperhttp";

// ---- Clock

uint64_t vhttp_now_ms(void) { return (uint64_t)esp_timer_get_time() / 1000; }

// MicroPython sets the system's clock to seconds since 2000 (ports/esp32/machine_rtc.c).
#define SECONDS_1970_TO_2000 946684800

int64_t vhttp_clock_s(void) { return (int64_t)time(NULL) + SECONDS_1970_TO_2000; }

// ---- Memory

bool vhttp_has_psram(void) { return heap_caps_get_total_size(MALLOC_CAP_SPIRAM) > 0; }

// What both cores change must be internal: the instruction behind atomic exchanges and FreeRTOS's
// spinlocks, S32C1I, has no effect on PSRAM.
#define INTERNAL_RAM (MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT)
#define PSRAM (MALLOC_CAP_SPIRAM | MALLOC_CAP_8BIT)

void *vhttp_alloc(size_t size, enum vhttp_memory kind) {
    void *memory = kind == VHTTP_MEMORY_INTERNAL
                       ? heap_caps_calloc(1, size, INTERNAL_RAM)
                       : heap_caps_calloc_prefer(1, size, 2, PSRAM, INTERNAL_RAM);
    if (memory == NULL) {
        const char *lack = vhttp_memory_lack();
        ESP_LOGE(TAG, "%u bytes are not free%s%s", (unsigned)size, lack == NULL ? "" : "; ",
                 lack == NULL ? "" : lack);
    }
    return memory;
}

void vhttp_free(void *memory) { heap_caps_free(memory); }

// ---- The server's task

struct vhttp_thread {
    void (*body)(void *);
    void *argument;
    SemaphoreHandle_t ended;
    StaticSemaphore_t ended_memory;
};

static void run_task(void *argument) {
    struct vhttp_thread *thread = argument;
    thread->body(thread->argument);
    ESP_LOGI(TAG, "%u bytes of the stack were never used",
             (unsigned)uxTaskGetStackHighWaterMark(NULL));
    xSemaphoreGive(thread->ended); // and the thread may be freed
    vTaskDelete(NULL);
}

struct vhttp_thread *vhttp_thread_start(void (*body)(void *), void *argument) {
    struct vhttp_thread *thread = vhttp_alloc(sizeof(*thread), VHTTP_MEMORY_INTERNAL);
    if (thread == NULL) {
        return NULL;
    }
    thread->body = body;
    thread->argument = argument;
    thread->ended = xSemaphoreCreateBinaryStatic(&thread->ended_memory);
    if (xTaskCreatePinnedToCore(run_task, "viperhttp", VHTTP_SERVER_STACK_SIZE, thread,
                                VHTTP_SERVER_PRIORITY, NULL, VHTTP_SERVER_CORE) != pdPASS) {
        ESP_LOGE(TAG, "no task: its stack takes %u bytes", (unsigned)VHTTP_SERVER_STACK_SIZE);
        vhttp_free(thread);
        return NULL;
    }
    return thread;
}

void vhttp_thread_join(struct vhttp_thread *thread) {
    xSemaphoreTake(thread->ended, portMAX_DELAY);
    vhttp_free(thread);
}

// ---- The interpreter's task: it sleeps in a task notification, which counts and is never lost

const uint32_t vhttp_kick_retry_ms = 0;

void vhttp_interpreter_attach(void) {} // mp_hal_wake_main_task knows it

void vhttp_interpreter_kick(void) { mp_hal_wake_main_task(); }

// ---- Signals: the poll of this port asks each object, then sleeps in the same notification

int vhttp_signal_open(void) { return VHTTP_SIGNAL_NONE; }

void vhttp_signal_set(int signal) {
    (void)signal;
    mp_hal_wake_main_task(); // else the poll would sleep a tick, 10 ms, before it asks again
}

void vhttp_signal_clear(int signal) { (void)signal; }

void vhttp_signal_close(int signal) { (void)signal; }
