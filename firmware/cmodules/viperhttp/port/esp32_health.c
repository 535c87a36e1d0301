// SPDX-License-Identifier: MIT
// The ESP32 family's health: what a reset leaves, why it came, the watchdog of the server's task,
// and what ESP-IDF, FreeRTOS and lwIP tell of memory, stacks and sockets.
#include <fcntl.h>

#include "esp_attr.h"
#include "esp_debug_helpers.h"
#include "esp_heap_caps.h"
#include "esp_log.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/sockets.h"
#include "lwip/stats.h"
#include "platform.h"
#include "sdkconfig.h"
#include "vhttp_config.h"

#ifndef CONFIG_FREERTOS_USE_TRACE_FACILITY
#error "CONFIG_FREERTOS_USE_TRACE_FACILITY: /metrics tells how much stack each task has left"
#endif
#ifndef CONFIG_LWIP_STATS
#error "CONFIG_LWIP_STATS: /metrics tells what lwIP dropped"
#endif

static const char TAG[] = "viperhttp";

// ---- Memory

const char *vhttp_memory_lack(void) {
#ifdef CONFIG_SPIRAM
    if (heap_caps_get_total_size(MALLOC_CAP_SPIRAM) == 0) {
        return "PSRAM is missing: the firmware is for a board that has it, and none was found";
    }
#endif
    return NULL;
}

// ---- Over a reset

// RTC memory: it keeps what it has until the power goes, and starts with anything.
static RTC_NOINIT_ATTR uint64_t kept[VHTTP_KEPT_SIZE / sizeof(uint64_t)];
static RTC_NOINIT_ATTR uint32_t resets;

void *vhttp_kept(void) { return kept; }

// Before main(), and so once for each start of the chip.
__attribute__((constructor)) static void count_reset(void) {
    esp_reset_reason_t reason = esp_reset_reason();
    resets = reason == ESP_RST_POWERON || reason == ESP_RST_UNKNOWN ? 0 : resets + 1;
}

const char *vhttp_reset_reason(void) {
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return "power-on";
    case ESP_RST_EXT:
        return "pin";
    case ESP_RST_SW:
        return "software";
    case ESP_RST_PANIC:
    case ESP_RST_CPU_LOCKUP:
        return "panic";
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return "watchdog";
    case ESP_RST_DEEPSLEEP:
        return "deep-sleep";
    case ESP_RST_BROWNOUT:
    case ESP_RST_PWR_GLITCH:
        return "brownout";
    default:
        return "other";
    }
}

// ---- The watchdog: a timer of ESP-IDF, whose task has a higher priority than all but the
// network's

struct vhttp_watchdog {
    const char *(*look)(void *); // NULL: it is stopped
    void *argument;
    esp_timer_handle_t timer;
    SemaphoreHandle_t lock; // held during a look
    StaticSemaphore_t lock_memory;
};

// Never freed: a look that was under way when it is stopped still finds it.
static struct vhttp_watchdog watchdog;

static void look(void *unused) {
    (void)unused;
    xSemaphoreTake(watchdog.lock, portMAX_DELAY);
    const char *text = watchdog.look == NULL ? NULL : watchdog.look(watchdog.argument);
    xSemaphoreGive(watchdog.lock);
    if (text != NULL) {
        ESP_LOGE(TAG, "%s", text);
        esp_backtrace_print_all_tasks(32);
        esp_system_abort(text);
    }
}

struct vhttp_watchdog *vhttp_watchdog_start(const char *(*look_on)(void *), void *argument,
                                            uint32_t period_ms) {
    if (watchdog.lock == NULL) {
        watchdog.lock = xSemaphoreCreateBinaryStatic(&watchdog.lock_memory);
        xSemaphoreGive(watchdog.lock);
    }
    watchdog.argument = argument;
    watchdog.look = look_on;
    // Without skip_unhandled_events the looks that a flash write held up would follow at once.
    const esp_timer_create_args_t timer = {
        .callback = look, .name = "viperhttp", .skip_unhandled_events = true};
    if (esp_timer_create(&timer, &watchdog.timer) != ESP_OK) {
        return NULL;
    }
    if (esp_timer_start_periodic(watchdog.timer, (uint64_t)period_ms * 1000) != ESP_OK) {
        esp_timer_delete(watchdog.timer);
        return NULL;
    }
    return &watchdog;
}

void vhttp_watchdog_stop(struct vhttp_watchdog *stopped) {
    esp_timer_stop(stopped->timer);
    xSemaphoreTake(stopped->lock, portMAX_DELAY);
    stopped->look = NULL;
    xSemaphoreGive(stopped->lock);
    esp_timer_delete(stopped->timer);
}

// ---- Figures

static void tell_memory(vhttp_take_figure take, void *argument) {
    static const struct {
        const char *name;
        uint32_t capability;
    } kinds[] = {
        {"internal", MALLOC_CAP_INTERNAL | MALLOC_CAP_8BIT},
        {"dma", MALLOC_CAP_DMA},
        {"psram", MALLOC_CAP_SPIRAM},
    };
    static const struct {
        const char *name;
        size_t (*of)(uint32_t capability);
    } figures[] = {
        {"free_bytes", heap_caps_get_free_size},
        {"least_free_bytes", heap_caps_get_minimum_free_size},
        {"largest_bytes", heap_caps_get_largest_free_block},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            if (heap_caps_get_total_size(kinds[k].capability) > 0) {
                take(argument, figures[i].name, "memory", kinds[k].name,
                     figures[i].of(kinds[k].capability));
            }
        }
    }
}

#define TASKS_MAX 32

static void tell_stacks(vhttp_take_figure take, void *argument) {
    TaskStatus_t tasks[TASKS_MAX];
    UBaseType_t count = uxTaskGetSystemState(tasks, TASKS_MAX, NULL);
    for (UBaseType_t i = 0; i < count; i++) {
        take(argument, "stack_free_bytes", "task", tasks[i].pcTaskName,
             tasks[i].usStackHighWaterMark);
    }
}

static void tell_network(vhttp_take_figure take, void *argument) {
    uint64_t open = 0;
    for (int i = 0; i < CONFIG_LWIP_MAX_SOCKETS; i++) {
        open += lwip_fcntl(LWIP_SOCKET_OFFSET + i, F_GETFL, 0) >= 0;
    }
    take(argument, "sockets_open", NULL, NULL, open);
    take(argument, "sockets_max", NULL, NULL, CONFIG_LWIP_MAX_SOCKETS);
    const struct {
        const char *name;
        const struct stats_proto *stats;
    } protocols[] = {{"tcp", &lwip_stats.tcp}, {"ip", &lwip_stats.ip}, {"link", &lwip_stats.link}};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        take(argument, "lwip_sent_total", "protocol", protocols[i].name, protocols[i].stats->xmit);
    }
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        take(argument, "lwip_dropped_total", "protocol", protocols[i].name,
             protocols[i].stats->drop);
    }
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        take(argument, "lwip_no_memory_total", "protocol", protocols[i].name,
             protocols[i].stats->memerr);
    }
}

void vhttp_system_figures(vhttp_take_figure take, void *argument) {
    take(argument, "resets_total", NULL, NULL, resets);
    tell_memory(take, argument);
    tell_stacks(take, argument);
    tell_network(take, argument);
}
