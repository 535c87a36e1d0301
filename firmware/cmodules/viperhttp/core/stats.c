// SPDX-License-Identifier: MIT
#include "stats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "platform.h"
#include "pulse.h"
#include "vhttp_config.h"

struct text {
    char *at;
    size_t left;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= text->left) {
        text->left = 0; // nothing after a line that did not fit
        return;
    }
    text->at += length;
    text->left -= (size_t)length;
}

static void add_one(struct text *text, const char *name, const char *type, uint64_t value) {
    add(text, "# TYPE viperhttp_%s %s\nviperhttp_%s %" PRIu64 "\n", name, type, name, value);
}

static void add_responses(struct text *text, const struct vhttp_stats *stats) {
    add(text, "# TYPE viperhttp_responses_total counter\n");
    for (size_t i = 0; i < VHTTP_STATUS_COUNT; i++) {
        if (stats->responses[i] != 0 || vhttp_statuses[i].code == 200) {
            add(text, "viperhttp_responses_total{status=\"%d\"} %" PRIu64 "\n",
                vhttp_statuses[i].code, stats->responses[i]);
        }
    }
}

static void add_cache(struct text *text, const struct vhttp_cache *cache) {
    uint64_t block = VHTTP_CACHE_BLOCK_SIZE;
    add_one(text, "cache_hits_total", "counter", cache->stats.hits);
    add_one(text, "cache_misses_total", "counter", cache->stats.misses);
    add_one(text, "cache_evictions_total", "counter", cache->stats.evictions);
    add_one(text, "cache_entries", "gauge", cache->stats.entries);
    add_one(text, "cache_used_bytes", "gauge", cache->stats.blocks_used * block);
    add_one(text, "cache_size_bytes", "gauge", cache->block_count * block);
}

// The last line of a histogram counts all; Prometheus' buckets do so up to each bound.
static void add_delay(struct text *text, const char *name, const struct vhttp_delay *delay) {
    add(text, "# TYPE viperhttp_%s_seconds histogram\n", name);
    uint64_t count = 0;
    for (size_t i = 0; i < VHTTP_DELAY_BOUNDS; i++) {
        count += delay->counts[i];
        unsigned bound = (unsigned)vhttp_delay_bounds_ms[i];
        add(text, "viperhttp_%s_seconds_bucket{le=\"%u.%03u\"} %" PRIu64 "\n", name, bound / 1000,
            bound % 1000, count);
    }
    count += delay->counts[VHTTP_DELAY_BOUNDS];
    add(text, "viperhttp_%s_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
    add(text, "viperhttp_%s_seconds_sum %" PRIu64 ".%03u\n", name, delay->sum_ms / 1000,
        (unsigned)(delay->sum_ms % 1000));
    add(text, "viperhttp_%s_seconds_count %" PRIu64 "\n", name, count);
}

static void add_delays(struct text *text, const struct vhttp_stats *stats) {
    add_delay(text, "turn", &stats->turns);
    add_delay(text, "request", &stats->requests);
    add_delay(text, "python", &stats->python);
    add_delay(text, "python_wake_up", &stats->wake_ups);
    add_delay(text, "full_socket", &stats->full_sockets);
}

static void add_rings(struct text *text, const struct vhttp_metrics *metrics) {
    const struct vhttp_ring *rings[] = {metrics->requests, metrics->responses};
    static const char *const names[] = {"requests", "responses"};
    uint32_t figures[2][4];
    for (size_t i = 0; i < 2; i++) {
        figures[i][0] = rings[i]->size;
        figures[i][1] = vhttp_ring_depth(rings[i]);
        figures[i][2] = atomic_load_explicit(&rings[i]->high_water, memory_order_relaxed);
        figures[i][3] = atomic_load_explicit(&rings[i]->full_count, memory_order_relaxed);
    }
    static const char *const kinds[] = {"size_bytes", "depth_bytes", "high_water_bytes",
                                        "full_total"};
    for (size_t kind = 0; kind < 4; kind++) {
        add(text, "# TYPE viperhttp_ring_%s %s\n", kinds[kind], kind == 3 ? "counter" : "gauge");
        for (size_t i = 0; i < 2; i++) {
            add(text, "viperhttp_ring_%s{ring=\"%s\"} %" PRIu32 "\n", kinds[kind], names[i],
                figures[i][kind]);
        }
    }
}

// The system's figures come by name, those of one name together.
struct figures {
    struct text *text;
    const char *last;
};

static bool is_total(const char *name) {
    size_t length = strlen(name);
    return length > 6 && strcmp(name + length - 6, "_total") == 0;
}

static void add_figure(void *argument, const char *name, const char *kind, const char *of,
                       uint64_t value) {
    struct figures *figures = argument;
    if (figures->last == NULL || strcmp(figures->last, name) != 0) {
        add(figures->text, "# TYPE viperhttp_%s %s\n", name, is_total(name) ? "counter" : "gauge");
    }
    figures->last = name;
    if (kind == NULL) {
        add(figures->text, "viperhttp_%s %" PRIu64 "\n", name, value);
    } else {
        add(figures->text, "viperhttp_%s{%s=\"%s\"} %" PRIu64 "\n", name, kind, of, value);
    }
}

static void add_health(struct text *text) {
    add(text, "# TYPE viperhttp_reset_info gauge\nviperhttp_reset_info{reason=\"%s\"} 1\n",
        vhttp_reset_reason());
    const struct vhttp_stall *stall = vhttp_stall_last(vhttp_kept());
    add_one(text, "stalls_total", "counter", stall == NULL ? 0 : stall->count);
    if (stall != NULL) {
        add(text, "# TYPE viperhttp_last_stall_info gauge\n");
        add(text, "viperhttp_last_stall_info{place=\"%s\",after_ms=\"%" PRIu64 "\"} 1\n",
            vhttp_stall_place(stall), stall->after_ms);
    }
    struct figures figures = {text, NULL};
    vhttp_system_figures(add_figure, &figures);
}

size_t vhttp_write_metrics(const struct vhttp_metrics *metrics, char *out, size_t size) {
    const struct vhttp_stats *stats = metrics->stats;
    struct text text = {out, size};
    add(&text,
        "# TYPE viperhttp_build_info gauge\n"
        "viperhttp_build_info{version=\"%s\",build_id=\"%s\",ring_memory=\"%s\"} 1\n",
        metrics->version, metrics->build_id, metrics->psram ? "psram" : "sram");
    uint64_t uptime_ms = metrics->now_ms - stats->started_ms;
    add(&text, "# TYPE viperhttp_uptime_seconds gauge\nviperhttp_uptime_seconds %" PRIu64 ".%03u\n",
        uptime_ms / 1000, (unsigned)(uptime_ms % 1000));
    add_responses(&text, stats);
    add_one(&text, "received_bytes_total", "counter", stats->bytes_received);
    add_one(&text, "sent_bytes_total", "counter", stats->bytes_sent);
    add_one(&text, "connections_open", "gauge", stats->connections_open);
    add_one(&text, "connections_max", "gauge", VHTTP_MAX_CONNECTIONS);
    add_one(&text, "connections_total", "counter", stats->connections_total);
    add_one(&text, "connections_evicted_total", "counter", stats->connections_evicted);
    add_one(&text, "timeouts_total", "counter", stats->timeouts);
    add_one(&text, "files_opened_total", "counter", stats->files_opened);
    add_cache(&text, metrics->cache);
    add_rings(&text, metrics);
    uint32_t used = atomic_load_explicit(&metrics->heap->used, memory_order_relaxed);
    uint32_t free = atomic_load_explicit(&metrics->heap->free, memory_order_relaxed);
    if (used != 0 || free != 0) {
        add_one(&text, "python_heap_used_bytes", "gauge", used);
        add_one(&text, "python_heap_free_bytes", "gauge", free);
    }
    add_health(&text);
    add_delays(&text, stats);
    return (size_t)(text.at - out);
}
