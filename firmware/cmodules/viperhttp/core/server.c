// SPDX-License-Identifier: MIT
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "file_reader.h"
#include "memory_use.h"
#include "platform.h"
#include "server_state.h"

#define EVENTS_PER_TURN 64

_Static_assert(VHTTP_CACHE_SIZE_PSRAM / VHTTP_CACHE_BLOCK_SIZE < VHTTP_NO_BLOCK, "cache blocks");

// ---- The rings

static void take_answers(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->drop_cache, memory_order_acquire)) {
        atomic_store_explicit(&server->drop_cache, false, memory_order_relaxed);
        vhttp_cache_invalidate(&server->shared.cache, "/");
    }
    vhttp_pool_take(&server->shared, &server->pool, &server->shared.responses);
    if (atomic_load_explicit(&server->ask_again, memory_order_acquire)) {
        atomic_store_explicit(&server->ask_again, false, memory_order_relaxed);
        server->shared.desk.asked = true;
    }
}

#if !VHTTP_STATIC_SERVE_VIA_IPC
// Files that the server reads by itself: the same reader, with rings of its own.
struct vhttp_local_files {
    struct vhttp_file_reader reader;
    struct vhttp_ring requests, answers;
    _Alignas(8) uint8_t request_bytes[VHTTP_IPC_RINGBUF_SIZE];
    _Alignas(8) uint8_t answer_bytes[VHTTP_IPC_RINGBUF_SIZE];
};

static bool open_local_files(struct vhttp_server *server) {
    struct vhttp_local_files *local = vhttp_alloc(sizeof(*local), VHTTP_MEMORY_LARGE);
    if (local == NULL) {
        return false;
    }
    server->local_files = local;
    server->shared.desk.files = &local->requests;
    server->shared.desk.found = &local->answers;
    local->reader.files = &vhttp_port_files;
    local->reader.answers = &local->answers;
    return vhttp_ring_init(&local->requests, local->request_bytes, VHTTP_IPC_RINGBUF_SIZE) &&
           vhttp_ring_init(&local->answers, local->answer_bytes, VHTTP_IPC_RINGBUF_SIZE);
}

// Reads what was asked for, a budget's worth. The poller is woken when there is more.
static void read_local_files(struct vhttp_server *server) {
    struct vhttp_local_files *local = server->local_files;
    local->reader.spent = 0;
    bool is_done;
    do {
        uint32_t length;
        const struct vhttp_ipc_head *ask = vhttp_ring_peek(&local->requests, &length);
        if (ask != NULL && vhttp_file_reader_take(&local->reader, ask)) {
            vhttp_ring_release(&local->requests);
        }
        is_done = vhttp_file_reader_send(&local->reader) && ask == NULL;
        vhttp_pool_take(&server->shared, &server->pool, &local->answers);
    } while (!is_done && local->reader.spent < VHTTP_SERVICE_BUDGET);
    if (!is_done) {
        vhttp_poller_wake(server->shared.poller);
    }
}

static void close_local_files(struct vhttp_server *server) {
    if (server->local_files != NULL) {
        vhttp_file_reader_close(&server->local_files->reader);
        vhttp_free(server->local_files);
    }
}
#else
static bool open_local_files(struct vhttp_server *server) {
    server->shared.desk.files = &server->shared.requests;
    server->shared.desk.found = &server->shared.responses;
    return true;
}
static void read_local_files(struct vhttp_server *server) { (void)server; }
static void close_local_files(struct vhttp_server *server) { (void)server; }
#endif

// How long the interpreter took to look, when it has.
static void measure_wake_up(struct vhttp_server *server) {
    if (server->is_woken && !atomic_load_explicit(&server->unacknowledged, memory_order_acquire)) {
        uint32_t looked_ms = atomic_load_explicit(&server->looked_ms, memory_order_relaxed);
        vhttp_delay_add(&server->shared.stats.wake_ups, looked_ms - server->woken_ms);
        server->is_woken = false;
    }
}

static void wake_interpreter(struct vhttp_server *server) {
    if (!server->is_woken) {
        server->is_woken = true;
        server->woken_ms = (uint32_t)vhttp_now_ms();
    }
    server->shared.desk.asked = false;
    atomic_store_explicit(&server->unacknowledged, true, memory_order_release);
    server->shared.options.wake_interpreter();
}

// ---- The loop

static int alarm_left_ms(const struct vhttp_server *server) {
    unsigned due = atomic_load_explicit(&server->alarm_ms, memory_order_relaxed);
    return (int)(due - (unsigned)server->shared.now_ms);
}

static int wait_time(const struct vhttp_server *server) {
    int wait = vhttp_pool_wait_ms(&server->shared, &server->pool);
    bool is_heard = !atomic_load_explicit(&server->unacknowledged, memory_order_acquire);
    if (vhttp_kick_retry_ms != 0 && !is_heard && (wait < 0 || wait > (int)vhttp_kick_retry_ms)) {
        wait = (int)vhttp_kick_retry_ms;
    }
    if (atomic_load_explicit(&server->has_alarm, memory_order_acquire)) {
        int left = alarm_left_ms(server);
        wait = wait < 0 || left < wait ? (left < 0 ? 0 : left) : wait;
    }
    return wait;
}

static void ring_alarm(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->has_alarm, memory_order_acquire) &&
        alarm_left_ms(server) <= 0) {
        atomic_store_explicit(&server->has_alarm, false, memory_order_relaxed);
        server->shared.desk.asked = true;
    }
}

static void copy_stats(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->copy_wanted, memory_order_acquire)) {
        server->copied_stats = server->shared.stats;
        atomic_store_explicit(&server->copy_wanted, false, memory_order_release);
    }
}

// The Date of this second's responses (RFC 9110, section 6.6.1: only with a clock that is right).
static void update_date(struct vhttp_server *server) {
    int64_t now_s = vhttp_clock_s();
    if (now_s == server->date_s) {
        return;
    }
    server->date_s = now_s;
    server->shared.date_line[0] = '\0';
    if (now_s > server->shared.options.built_s) {
        char date[VHTTP_DATE_SIZE];
        vhttp_format_date(now_s, date);
        snprintf(server->shared.date_line, sizeof(server->shared.date_line), "Date: %s\r\n", date);
    }
}

static void run(void *argument) {
    struct vhttp_server *server = argument;
    struct vhttp_pulse *pulse = &server->shared.pulse;
    struct vhttp_event events[EVENTS_PER_TURN];
    server->shared.now_ms = vhttp_now_ms();
    while (!atomic_load_explicit(&server->stop, memory_order_acquire)) {
        vhttp_delay_add(&server->shared.stats.turns, vhttp_now_ms() - server->shared.now_ms);
        vhttp_pulse_turn(pulse);
        vhttp_pulse_stands(pulse, VHTTP_AT_WAIT);
        size_t count =
            vhttp_poller_wait(server->shared.poller, events, EVENTS_PER_TURN, wait_time(server));
        server->shared.now_ms = vhttp_now_ms();
        update_date(server);
        vhttp_pulse_stands(pulse, VHTTP_AT_ANSWERS);
        take_answers(server); // first: what was dropped from the cache is not served any more
        vhttp_pool_ready(&server->shared, &server->pool, events, count);
        vhttp_pulse_stands(pulse, VHTTP_AT_FILES);
        read_local_files(server);
        vhttp_pulse_stands(pulse, VHTTP_AT_DEADLINES);
        ring_alarm(server);
        measure_wake_up(server);
        copy_stats(server);
        vhttp_pool_tend(&server->shared, &server->pool);
        bool is_unheard = vhttp_kick_retry_ms != 0 &&
                          atomic_load_explicit(&server->unacknowledged, memory_order_acquire);
        if (server->shared.desk.asked || is_unheard) {
            vhttp_pulse_stands(pulse, VHTTP_AT_WAKE);
            wake_interpreter(server);
        }
    }
}

// ---- The watchdog

_Static_assert(sizeof(struct vhttp_stall) <= VHTTP_KEPT_SIZE, "the record of a stall");

// On the watchdog's thread.
static const char *look(void *argument) {
    struct vhttp_server *server = argument;
    if (vhttp_pulse_is_lost(&server->shared.pulse)) {
        vhttp_stall_write(vhttp_kept(), &server->shared.pulse,
                          vhttp_now_ms() - server->shared.stats.started_ms, server->stall_text);
        return server->stall_text;
    }
    vhttp_poller_wake(server->shared.poller); // one that waits for clients goes round, too
    return NULL;
}

// True when there is one, or is to be none.
static bool start_watchdog(struct vhttp_server *server) {
    if (VHTTP_WATCHDOG_MS != 0) {
        server->watchdog = vhttp_watchdog_start(look, server, VHTTP_WATCHDOG_MS / VHTTP_LOOKS);
    }
    return VHTTP_WATCHDOG_MS == 0 || server->watchdog != NULL;
}

// ---- Start and stop

static void free_server(struct vhttp_server *server) {
    if (server->shared.poller != NULL) { // the last that is taken
        vhttp_pool_close(&server->shared, &server->pool);
        vhttp_poller_close(server->shared.poller);
    }
    close_local_files(server);
    vhttp_free(server->cache_entries);
    vhttp_free(server->cache_blocks);
    vhttp_free(server->cache_links);
    vhttp_free(server->connection_buffers);
    vhttp_free(server->request_bytes);
    vhttp_free(server->response_bytes);
    vhttp_free(server);
}

static bool take_cache(struct vhttp_server *server) {
    size_t size = vhttp_has_psram() ? VHTTP_CACHE_SIZE_PSRAM : VHTTP_CACHE_SIZE;
    size_t blocks = size / VHTTP_CACHE_BLOCK_SIZE;
    server->cache_entries =
        vhttp_alloc(VHTTP_CACHE_ENTRIES * sizeof(struct vhttp_cached), VHTTP_MEMORY_LARGE);
    if (blocks > 0) {
        server->cache_blocks = vhttp_alloc(blocks * VHTTP_CACHE_BLOCK_SIZE, VHTTP_MEMORY_LARGE);
        server->cache_links = vhttp_alloc(blocks * sizeof(uint16_t), VHTTP_MEMORY_LARGE);
    }
    if (server->cache_entries == NULL ||
        (blocks > 0 && (server->cache_blocks == NULL || server->cache_links == NULL))) {
        return false;
    }
    vhttp_cache_init(&server->shared.cache, server->cache_entries, server->cache_blocks,
                     server->cache_links, (uint16_t)blocks);
    return true;
}

void vhttp_server_memory(size_t *internal, size_t *large) {
    *internal = vhttp_memory_use.internal;
    *large = vhttp_has_psram() ? vhttp_memory_use.psram : vhttp_memory_use.sram;
}

static bool take_memory(struct vhttp_server *server) {
    struct vhttp_shared *shared = &server->shared;
    uint32_t response_size =
        vhttp_has_psram() ? VHTTP_IPC_RINGBUF_SIZE_PSRAM : VHTTP_IPC_RINGBUF_SIZE;
    server->connection_buffers = vhttp_alloc(VHTTP_POOL_BUFFERS, VHTTP_MEMORY_LARGE);
    server->request_bytes = vhttp_alloc(VHTTP_IPC_REQUEST_RINGBUF_SIZE, VHTTP_MEMORY_LARGE);
    server->response_bytes = vhttp_alloc(response_size, VHTTP_MEMORY_LARGE);
    if (server->connection_buffers == NULL || !take_cache(server) || !open_local_files(server) ||
        !vhttp_ring_init(&shared->requests, server->request_bytes,
                         VHTTP_IPC_REQUEST_RINGBUF_SIZE) ||
        !vhttp_ring_init(&shared->responses, server->response_bytes, response_size)) {
        return false;
    }
    shared->desk.calls = &shared->requests;
    vhttp_deadlines_init(&shared->deadlines);
    vhttp_pool_init(&server->pool, server->connection_buffers);
    shared->poller = vhttp_poller_open();
    return shared->poller != NULL;
}

struct vhttp_server *vhttp_server_start(const struct vhttp_server_options *options, char *where,
                                        size_t where_size, int *error) {
    struct vhttp_server *server = vhttp_alloc(sizeof(*server), VHTTP_MEMORY_INTERNAL);
    if (server == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    server->shared.options = *options;
    server->shared.now_ms = server->shared.stats.started_ms = vhttp_now_ms();
    *error = ENOMEM;
    if (!take_memory(server)) {
        free_server(server);
        return NULL;
    }
    int listener = vhttp_listen(options->port, VHTTP_LISTEN_BACKLOG, where, where_size);
    if (listener < 0) {
        *error = -listener;
        free_server(server);
        return NULL;
    }
    if (vhttp_pool_open(&server->shared, &server->pool, listener)) {
        server->thread = vhttp_thread_start(run, server);
    }
    if (server->thread == NULL) {
        free_server(server);
        return NULL;
    }
    if (!start_watchdog(server)) {
        vhttp_server_stop(server);
        return NULL;
    }
    return server;
}

void vhttp_server_stop(struct vhttp_server *server) {
    if (server->watchdog != NULL) {
        vhttp_watchdog_stop(server->watchdog);
    }
    atomic_store_explicit(&server->stop, true, memory_order_release);
    vhttp_poller_wake(server->shared.poller);
    vhttp_thread_join(server->thread);
    free_server(server);
}

// ---- The interpreter's side

void vhttp_server_acknowledge(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->unacknowledged, memory_order_relaxed)) {
        atomic_store_explicit(&server->looked_ms, (uint32_t)vhttp_now_ms(), memory_order_relaxed);
    }
    atomic_store_explicit(&server->unacknowledged, false, memory_order_release);
}

struct vhttp_ring *vhttp_server_requests(struct vhttp_server *server) {
    return &server->shared.requests;
}

struct vhttp_ring *vhttp_server_responses(struct vhttp_server *server) {
    return &server->shared.responses;
}

bool vhttp_server_gave_up(const struct vhttp_server *server, uint16_t connection,
                          uint32_t generation) {
    return vhttp_desk_gave_up(&server->shared.desk, connection, generation);
}

void vhttp_server_notify(struct vhttp_server *server) { vhttp_poller_wake(server->shared.poller); }

void vhttp_server_ask_again(struct vhttp_server *server) {
    atomic_store_explicit(&server->ask_again, true, memory_order_release);
    vhttp_poller_wake(server->shared.poller);
}

void vhttp_server_invalidate(struct vhttp_server *server, const char *path) {
    uint32_t path_size = (uint32_t)strlen(path) + 1;
    uint32_t length = (uint32_t)sizeof(struct vhttp_answer_changed) + path_size;
    struct vhttp_answer_changed *record = vhttp_ring_reserve(&server->shared.responses, length);
    if (record == NULL) {
        atomic_store_explicit(&server->drop_cache, true, memory_order_release);
    } else {
        record->head = (struct vhttp_ipc_head){.kind = VHTTP_ANSWER_CHANGED};
        memcpy(record->path, path, path_size);
        vhttp_ring_commit(&server->shared.responses, length);
    }
    vhttp_poller_wake(server->shared.poller);
}

void vhttp_server_copy_stats(struct vhttp_server *server, struct vhttp_stats *stats) {
    atomic_store_explicit(&server->copy_wanted, true, memory_order_release);
    vhttp_poller_wake(server->shared.poller);
    while (atomic_load_explicit(&server->copy_wanted, memory_order_acquire)) {
    }
    *stats = server->copied_stats;
}

void vhttp_server_set_alarm(struct vhttp_server *server, uint32_t after_ms) {
    unsigned due = (unsigned)vhttp_now_ms() + after_ms;
    atomic_store_explicit(&server->alarm_ms, due, memory_order_relaxed);
    atomic_store_explicit(&server->has_alarm, true, memory_order_release);
    vhttp_poller_wake(server->shared.poller);
}

bool vhttp_server_wants_heap(struct vhttp_server *server) {
    if (!atomic_load_explicit(&server->shared.heap_wanted, memory_order_acquire)) {
        return false;
    }
    atomic_store_explicit(&server->shared.heap_wanted, false, memory_order_relaxed);
    return true;
}

void vhttp_server_publish_heap(struct vhttp_server *server, uint32_t used, uint32_t free) {
    atomic_store_explicit(&server->shared.heap.used, used, memory_order_relaxed);
    atomic_store_explicit(&server->shared.heap.free, free, memory_order_relaxed);
}
