#include "server.h"

#include <errno.h>
#include <string.h>

#include "connection.h"
#include "port.h"

#define EVENTS_PER_TURN 64
#define TAG_LISTENER UINT32_MAX

_Static_assert((VHTTP_WINDOW_SIZE & (VHTTP_WINDOW_SIZE - 1)) == 0, "the window wraps with 2^32");

#define CONNECTION_BUFFERS (VHTTP_REQUEST_HEAD_MAX + VHTTP_RESPONSE_HEAD_MAX + VHTTP_WINDOW_SIZE)

// ---- Connections

static struct vhttp_connection *take_free_connection(struct vhttp_server *server) {
    if (server->free_count == 0) {
        uint16_t idle = vhttp_deadlines_oldest(&server->deadlines, VHTTP_DEADLINE_IDLE);
        if (idle == VHTTP_NO_MEMBER) {
            return NULL;
        }
        server->stats.connections_evicted++;
        vhttp_connection_close(server, &server->connections[idle]);
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
            return;
        }
        vhttp_connection_open(server, connection, socket);
    }
}

// ---- The rings

static void take_answers(struct vhttp_server *server) {
    uint32_t length;
    const void *record;
    while ((record = vhttp_ring_peek(&server->responses, &length)) != NULL) {
        vhttp_take_answer(server, record, length);
        vhttp_ring_release(&server->responses);
    }
    if (atomic_load_explicit(&server->ask_again, memory_order_acquire)) {
        atomic_store_explicit(&server->ask_again, false, memory_order_relaxed);
        server->asked_now = true;
    }
}

static void settle_debts(struct vhttp_server *server) {
    server->owes = false;
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        if (!vhttp_settle(server, &server->connections[i])) {
            return; // the ring is full: the others would find no room either
        }
    }
}

static void wake_interpreter(struct vhttp_server *server) {
    server->asked_now = false;
    atomic_store_explicit(&server->unacknowledged, true, memory_order_release);
    server->options.wake_interpreter();
}

// ---- The loop

static int wait_time(const struct vhttp_server *server) {
    int wait = vhttp_deadlines_wait_ms(&server->deadlines, server->now_ms);
    bool is_heard = !atomic_load_explicit(&server->unacknowledged, memory_order_acquire);
    if (vhttp_kick_retry_ms != 0 && !is_heard && (wait < 0 || wait > (int)vhttp_kick_retry_ms)) {
        wait = (int)vhttp_kick_retry_ms;
    }
    return wait;
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

static void run(void *argument) {
    struct vhttp_server *server = argument;
    struct vhttp_event events[EVENTS_PER_TURN];
    while (!atomic_load_explicit(&server->stop, memory_order_acquire)) {
        size_t count =
            vhttp_poller_wait(server->poller, events, EVENTS_PER_TURN, wait_time(server));
        server->now_ms = vhttp_now_ms();
        handle_events(server, events, count);
        take_answers(server);
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
    vhttp_free(server->buffers);
    vhttp_free(server->request_bytes);
    vhttp_free(server->response_bytes);
    vhttp_free(server);
}

static bool take_memory(struct vhttp_server *server) {
    uint32_t response_size =
        vhttp_has_psram() ? VHTTP_IPC_RINGBUF_SIZE_PSRAM : VHTTP_IPC_RINGBUF_SIZE;
    server->request_bytes = vhttp_alloc(VHTTP_IPC_REQUEST_RINGBUF_SIZE, VHTTP_MEMORY_INTERNAL);
    server->response_bytes = vhttp_alloc(response_size, VHTTP_MEMORY_LARGE);
    server->buffers =
        vhttp_alloc((size_t)VHTTP_MAX_CONNECTIONS * CONNECTION_BUFFERS, VHTTP_MEMORY_LARGE);
    if (server->buffers == NULL ||
        !vhttp_ring_init(&server->requests, server->request_bytes,
                         VHTTP_IPC_REQUEST_RINGBUF_SIZE) ||
        !vhttp_ring_init(&server->responses, server->response_bytes, response_size)) {
        return false;
    }
    vhttp_deadlines_init(&server->deadlines);
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        struct vhttp_connection *connection = &server->connections[i];
        connection->input = server->buffers + i * CONNECTION_BUFFERS;
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
