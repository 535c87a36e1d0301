#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "file_reader.h"
#include "memory_use.h"
#include "port.h"

#define EVENTS_PER_TURN 64
#define TAG_LISTENER UINT32_MAX

_Static_assert(VHTTP_CACHE_SIZE_PSRAM / VHTTP_CACHE_BLOCK_SIZE < VHTTP_NO_BLOCK, "cache blocks");
_Static_assert((VHTTP_WINDOW_SIZE & (VHTTP_WINDOW_SIZE - 1)) == 0, "the window wraps with 2^32");

// ---- Connections

// Closes the connection that has been idle for longest. False when none is.
static bool evict_idle(struct vhttp_server *server) {
    uint16_t idle = vhttp_deadlines_oldest(&server->deadlines, VHTTP_DEADLINE_IDLE);
    if (idle == VHTTP_NO_MEMBER) {
        return false;
    }
    server->stats.connections_evicted++;
    vhttp_connection_close(server, &server->connections[idle]);
    return true;
}

static struct vhttp_connection *take_free_connection(struct vhttp_server *server) {
    if (server->free_count == 0 && !evict_idle(server)) {
        return NULL;
    }
    return &server->connections[server->free[--server->free_count]];
}

static void give_back(struct vhttp_server *server, struct vhttp_connection *connection) {
    server->free[server->free_count++] = vhttp_index(server, connection);
}

static void watch_listener(struct vhttp_server *server, unsigned interest) {
    vhttp_poller_watch(server->poller, server->listener, TAG_LISTENER, interest, true);
    server->listener_is_watched = interest != 0;
}

static void accept_connections(struct vhttp_server *server) {
    for (int i = 0; i < VHTTP_LISTEN_BACKLOG; i++) {
        struct vhttp_connection *connection = take_free_connection(server);
        if (connection == NULL) {
            watch_listener(server, 0); // until a place is free, the backlog holds them
            return;
        }
        int socket = vhttp_accept(server->listener);
        if (socket < 0) {
            give_back(server, connection);
            if (socket == VHTTP_SOCKET_FAILED) {
                evict_idle(server); // descriptors ran out
            }
            return;
        }
        vhttp_connection_open(server, connection, socket);
    }
}

// ---- The rings

static void take_records(struct vhttp_server *server, struct vhttp_ring *answers) {
    uint32_t length;
    const void *record;
    while ((record = vhttp_ring_peek(answers, &length)) != NULL) {
        vhttp_take_answer(server, record, length);
        vhttp_ring_release(answers);
    }
}

static void take_answers(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->drop_cache, memory_order_acquire)) {
        atomic_store_explicit(&server->drop_cache, false, memory_order_relaxed);
        vhttp_cache_invalidate(&server->cache, "/");
    }
    take_records(server, &server->responses);
    if (atomic_load_explicit(&server->ask_again, memory_order_acquire)) {
        atomic_store_explicit(&server->ask_again, false, memory_order_relaxed);
        server->asked_now = true;
    }
}

static void settle_debts(struct vhttp_server *server) {
    server->owes = false;
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        struct vhttp_connection *connection = &server->connections[i];
        if (!vhttp_settle(server, connection)) {
            return; // the ring is full: the others would find no room either
        }
        if (connection->state == VHTTP_RECEIVING) {
            vhttp_connection_advance(server, connection);
        }
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
    server->file_requests = &local->requests;
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
        take_records(server, &local->answers);
    } while (!is_done && local->reader.spent < VHTTP_SERVICE_BUDGET);
    if (!is_done) {
        vhttp_poller_wake(server->poller);
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
    server->file_requests = &server->requests;
    return true;
}
static void read_local_files(struct vhttp_server *server) { (void)server; }
static void close_local_files(struct vhttp_server *server) { (void)server; }
#endif

static void wake_interpreter(struct vhttp_server *server) {
    server->asked_now = false;
    atomic_store_explicit(&server->unacknowledged, true, memory_order_release);
    server->options.wake_interpreter();
}

// ---- The loop

static int alarm_left_ms(const struct vhttp_server *server) {
    unsigned due = atomic_load_explicit(&server->alarm_ms, memory_order_relaxed);
    return (int)(due - (unsigned)server->now_ms);
}

static int wait_time(const struct vhttp_server *server) {
    int wait = vhttp_deadlines_wait_ms(&server->deadlines, server->now_ms);
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
        server->asked_now = true;
    }
}

static void copy_stats(struct vhttp_server *server) {
    if (atomic_load_explicit(&server->copy_wanted, memory_order_acquire)) {
        server->copied_stats = server->stats;
        atomic_store_explicit(&server->copy_wanted, false, memory_order_release);
    }
}

static void expire_deadlines(struct vhttp_server *server) {
    uint16_t member;
    while ((member = vhttp_deadlines_overdue(&server->deadlines, server->now_ms)) !=
           VHTTP_NO_MEMBER) {
        enum vhttp_deadline kind = server->deadlines.members[member].kind;
        vhttp_connection_overdue(server, &server->connections[member], kind);
    }
}

static void handle_events(struct vhttp_server *server, const struct vhttp_event *events,
                          size_t count) {
    bool has_clients = false;
    for (size_t i = 0; i < count; i++) {
        if (events[i].tag == TAG_LISTENER) {
            has_clients = true;
            continue;
        }
        struct vhttp_connection *connection = &server->connections[events[i].tag];
        if (connection->state != VHTTP_FREE) {
            vhttp_connection_ready(server, connection, events[i].ready);
        }
    }
    if (has_clients) { // last, so that no event meets a connection that took the place of its own
        accept_connections(server);
    }
}

// The Date of this second's responses (RFC 9110, section 6.6.1: only with a clock that is right).
static void update_date(struct vhttp_server *server) {
    int64_t now_s = vhttp_clock_s();
    if (now_s == server->date_s) {
        return;
    }
    server->date_s = now_s;
    server->date_line[0] = '\0';
    if (now_s > server->options.built_s) {
        char date[VHTTP_DATE_SIZE];
        vhttp_format_date(now_s, date);
        snprintf(server->date_line, sizeof(server->date_line), "Date: %s\r\n", date);
    }
}

static void run(void *argument) {
    struct vhttp_server *server = argument;
    struct vhttp_event events[EVENTS_PER_TURN];
    while (!atomic_load_explicit(&server->stop, memory_order_acquire)) {
        size_t count =
            vhttp_poller_wait(server->poller, events, EVENTS_PER_TURN, wait_time(server));
        server->now_ms = vhttp_now_ms();
        update_date(server);
        take_answers(server); // first: what was dropped from the cache is not served any more
        handle_events(server, events, count);
        read_local_files(server);
        ring_alarm(server);
        copy_stats(server);
        expire_deadlines(server);
        if (server->owes) {
            settle_debts(server);
        }
        bool is_unheard = vhttp_kick_retry_ms != 0 &&
                          atomic_load_explicit(&server->unacknowledged, memory_order_acquire);
        if (server->asked_now || is_unheard) {
            wake_interpreter(server);
        }
        if (!server->listener_is_watched && server->free_count > 0) {
            watch_listener(server, VHTTP_READABLE);
        }
    }
}

// ---- Start and stop

static void free_server(struct vhttp_server *server) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        if (server->connections[i].state != VHTTP_FREE) {
            vhttp_close(server->connections[i].socket);
        }
    }
    if (server->listener >= 0) {
        vhttp_close(server->listener);
    }
    if (server->poller != NULL) {
        vhttp_poller_close(server->poller);
    }
    close_local_files(server);
    vhttp_free(server->cache_entries);
    vhttp_free(server->cache_blocks);
    vhttp_free(server->cache_links);
    vhttp_free(server->buffers);
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
    vhttp_cache_init(&server->cache, server->cache_entries, server->cache_blocks,
                     server->cache_links, (uint16_t)blocks);
    return true;
}

void vhttp_server_memory(size_t *internal, size_t *large) {
    *internal = vhttp_memory_use.internal;
    *large = vhttp_has_psram() ? vhttp_memory_use.psram : vhttp_memory_use.sram;
}

static bool take_memory(struct vhttp_server *server) {
    uint32_t response_size =
        vhttp_has_psram() ? VHTTP_IPC_RINGBUF_SIZE_PSRAM : VHTTP_IPC_RINGBUF_SIZE;
    server->request_bytes = vhttp_alloc(VHTTP_IPC_REQUEST_RINGBUF_SIZE, VHTTP_MEMORY_LARGE);
    server->response_bytes = vhttp_alloc(response_size, VHTTP_MEMORY_LARGE);
    server->buffers =
        vhttp_alloc((size_t)VHTTP_MAX_CONNECTIONS * VHTTP_CONNECTION_BUFFERS, VHTTP_MEMORY_LARGE);
    if (server->buffers == NULL || !take_cache(server) || !open_local_files(server) ||
        !vhttp_ring_init(&server->requests, server->request_bytes,
                         VHTTP_IPC_REQUEST_RINGBUF_SIZE) ||
        !vhttp_ring_init(&server->responses, server->response_bytes, response_size)) {
        return false;
    }
    vhttp_deadlines_init(&server->deadlines);
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        struct vhttp_connection *connection = &server->connections[i];
        connection->input = server->buffers + i * VHTTP_CONNECTION_BUFFERS;
        connection->head = connection->input + VHTTP_REQUEST_HEAD_MAX;
        connection->window = (uint8_t *)connection->head + VHTTP_RESPONSE_HEAD_MAX;
        server->free[i] = (uint16_t)(VHTTP_MAX_CONNECTIONS - 1 - i);
    }
    server->free_count = VHTTP_MAX_CONNECTIONS;
    return true;
}

struct vhttp_server *vhttp_server_start(const struct vhttp_server_options *options, char *where,
                                        size_t where_size, int *error) {
    struct vhttp_server *server = vhttp_alloc(sizeof(*server), VHTTP_MEMORY_INTERNAL);
    if (server == NULL) {
        *error = ENOMEM;
        return NULL;
    }
    server->options = *options;
    server->router = options->router;
    server->now_ms = server->stats.started_ms = vhttp_now_ms();
    server->listener = VHTTP_SOCKET_NONE;
    *error = ENOMEM;
    if (!take_memory(server) || (server->poller = vhttp_poller_open()) == NULL) {
        free_server(server);
        return NULL;
    }
    server->listener = vhttp_listen(options->port, VHTTP_LISTEN_BACKLOG, where, where_size);
    if (server->listener < 0) {
        *error = -server->listener;
        free_server(server);
        return NULL;
    }
    server->listener_is_watched =
        vhttp_poller_watch(server->poller, server->listener, TAG_LISTENER, VHTTP_READABLE, false);
    server->thread = server->listener_is_watched ? vhttp_thread_start(run, server) : NULL;
    if (server->thread == NULL) {
        free_server(server);
        return NULL;
    }
    return server;
}

void vhttp_server_stop(struct vhttp_server *server) {
    atomic_store_explicit(&server->stop, true, memory_order_release);
    vhttp_poller_wake(server->poller);
    vhttp_thread_join(server->thread);
    free_server(server);
}

// ---- The interpreter's side

void vhttp_server_acknowledge(struct vhttp_server *server) {
    atomic_store_explicit(&server->unacknowledged, false, memory_order_release);
}

struct vhttp_ring *vhttp_server_requests(struct vhttp_server *server) {
    return &server->requests;
}

struct vhttp_ring *vhttp_server_responses(struct vhttp_server *server) {
    return &server->responses;
}

void vhttp_server_notify(struct vhttp_server *server) { vhttp_poller_wake(server->poller); }

void vhttp_server_ask_again(struct vhttp_server *server) {
    atomic_store_explicit(&server->ask_again, true, memory_order_release);
    vhttp_poller_wake(server->poller);
}

void vhttp_server_invalidate(struct vhttp_server *server, const char *path) {
    uint32_t path_size = (uint32_t)strlen(path) + 1;
    uint32_t length = (uint32_t)sizeof(struct vhttp_answer_changed) + path_size;
    struct vhttp_answer_changed *record = vhttp_ring_reserve(&server->responses, length);
    if (record == NULL) {
        atomic_store_explicit(&server->drop_cache, true, memory_order_release);
    } else {
        record->head = (struct vhttp_ipc_head){.kind = VHTTP_ANSWER_CHANGED};
        memcpy(record->path, path, path_size);
        vhttp_ring_commit(&server->responses, length);
    }
    vhttp_poller_wake(server->poller);
}

void vhttp_server_copy_stats(struct vhttp_server *server, struct vhttp_stats *stats) {
    atomic_store_explicit(&server->copy_wanted, true, memory_order_release);
    vhttp_poller_wake(server->poller);
    while (atomic_load_explicit(&server->copy_wanted, memory_order_acquire)) {
    }
    *stats = server->copied_stats;
}

void vhttp_server_set_alarm(struct vhttp_server *server, uint32_t after_ms) {
    unsigned due = (unsigned)vhttp_now_ms() + after_ms;
    atomic_store_explicit(&server->alarm_ms, due, memory_order_relaxed);
    atomic_store_explicit(&server->has_alarm, true, memory_order_release);
    vhttp_poller_wake(server->poller);
}

bool vhttp_server_wants_heap(struct vhttp_server *server) {
    if (!atomic_load_explicit(&server->heap_wanted, memory_order_acquire)) {
        return false;
    }
    atomic_store_explicit(&server->heap_wanted, false, memory_order_relaxed);
    return true;
}

void vhttp_server_publish_heap(struct vhttp_server *server, uint32_t used, uint32_t free) {
    atomic_store_explicit(&server->heap.used, used, memory_order_relaxed);
    atomic_store_explicit(&server->heap.free, free, memory_order_relaxed);
}
