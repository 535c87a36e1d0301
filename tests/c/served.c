// SPDX-License-Identifier: MIT
#include "served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crc32.h"

static struct served *running; // one at a time, as on a board

// The routes, by their index.
enum route {
    ROUTE_BODY,   // GET, POST: the length and the CRC-32 of the body that was sent
    ROUTE_POSTED, // POST: likewise; a folder of files may lie behind it
    ROUTE_EVENTS, // GET: an event, then none
    ROUTE_SLEEP,  // GET: busy for BUSY_S, then as ROUTE_BODY
    ROUTE_PAUSE,  // GET: a stream that begins, and no more
    ROUTE_LATER,  // GET: answered as ROUTE_BODY when it is asked for
    ROUTE_NOW,    // GET: asks for the answer to the last ROUTE_LATER
};

#define BUSY_S 2
#define ANSWER_MAX 64 // bytes

struct call {
    uint32_t route, generation, length, crc;
};
static struct call calls[VHTTP_MAX_CONNECTIONS];
static struct vhttp_ipc_head later; // the last of ROUTE_LATER

static void wake(void) {
    pthread_mutex_lock(&running->lock);
    running->has_work = true;
    pthread_cond_signal(&running->woken);
    pthread_mutex_unlock(&running->lock);
}

static void start_stream(struct served *served, const struct vhttp_ipc_head *ask,
                         struct vhttp_answer_begin *begin, const char *fields) {
    static const char chunk[] = "9\r\ndata: 1\n\n\r\n";
    uint32_t fields_length = (uint32_t)strlen(fields);
    memcpy(begin->text, fields, fields_length);
    memcpy(begin->text + fields_length, chunk, sizeof(chunk) - 1);
    begin->head = (struct vhttp_ipc_head){VHTTP_ANSWER_BEGIN, ask->connection, ask->generation};
    begin->status = 200;
    begin->flags = VHTTP_BEGIN_CHUNKED;
    begin->length = VHTTP_LENGTH_UNKNOWN;
    begin->fields_length = fields_length;
    vhttp_ring_commit(vhttp_server_responses(served->server),
                      (uint32_t)(sizeof(*begin) + fields_length + sizeof(chunk) - 1));
}

static void answer_text(struct served *served, const struct vhttp_ipc_head *ask,
                        struct vhttp_answer_begin *begin) {
    const struct call *call = &calls[ask->connection];
    int length = snprintf(begin->text, ANSWER_MAX, "%u %08x\n", call->length, call->crc);
    begin->head = (struct vhttp_ipc_head){VHTTP_ANSWER_BEGIN, ask->connection, ask->generation};
    begin->status = 200;
    begin->flags = 0;
    begin->length = (uint32_t)length;
    begin->fields_length = 0;
    vhttp_ring_commit(vhttp_server_responses(served->server),
                      (uint32_t)sizeof(*begin) + (uint32_t)length);
}

static bool answer_call(struct served *served, const struct vhttp_ipc_head *ask) {
    struct vhttp_answer_begin *begin =
        vhttp_ring_reserve(vhttp_server_responses(served->server), sizeof(*begin) + ANSWER_MAX);
    if (begin == NULL) {
        return false;
    }
    const struct call *call = &calls[ask->connection];
    if (call->route == ROUTE_EVENTS) {
        start_stream(served, ask, begin, "Content-Type: text/event-stream\r\n");
        return true;
    }
    if (call->route == ROUTE_PAUSE) {
        start_stream(served, ask, begin, "Content-Type: text/plain\r\n");
        return true;
    }
    if (call->route == ROUTE_LATER) {
        later = *ask;
        return true;
    }
    if (call->route == ROUTE_NOW) {
        answer_text(served, &later, begin);
        begin =
            vhttp_ring_reserve(vhttp_server_responses(served->server), sizeof(*begin) + ANSWER_MAX);
        if (begin == NULL) {
            return false;
        }
    }
    if (call->route == ROUTE_SLEEP) {
        nanosleep(&(struct timespec){.tv_sec = BUSY_S}, NULL);
    }
    answer_text(served, ask, begin);
    return true;
}

static bool take_call(struct served *served, const struct vhttp_ipc_head *ask, uint32_t length) {
    struct call *call = &calls[ask->connection];
    if (ask->kind == VHTTP_ASK_CALL) {
        const struct vhttp_ask_call *asked = (const struct vhttp_ask_call *)ask;
        *call = (struct call){.route = asked->route, .generation = ask->generation};
        return (asked->flags & VHTTP_CALL_BODY) != 0 || answer_call(served, ask);
    }
    if (call->generation != ask->generation) {
        return true;
    }
    if (ask->kind == VHTTP_ASK_BODY) {
        uint32_t size = length - (uint32_t)sizeof(*ask);
        call->crc = vhttp_crc32(call->crc, (const uint8_t *)(ask + 1), size);
        call->length += size;
        return true;
    }
    return ask->kind != VHTTP_ASK_BODY_END || answer_call(served, ask);
}

static void serve_once(struct served *served) {
    struct vhttp_ring *requests = vhttp_server_requests(served->server);
    const struct vhttp_ipc_head *ask;
    uint32_t length;
    bool has_room = true;
    vhttp_server_acknowledge(served->server);
    served->reader.spent = 0;
    while (has_room && (ask = vhttp_ring_peek(requests, &length)) != NULL) {
        bool is_call = ask->kind >= VHTTP_ASK_CALL;
        has_room =
            is_call ? take_call(served, ask, length) : vhttp_file_reader_take(&served->reader, ask);
        if (has_room) {
            vhttp_ring_release(requests);
        }
    }
    if (vhttp_file_reader_send(&served->reader) && has_room) {
        vhttp_server_notify(served->server);
    } else {
        vhttp_server_ask_again(served->server);
    }
}

static void *interpret(void *argument) {
    struct served *served = argument;
    for (;;) {
        pthread_mutex_lock(&served->lock);
        while (!served->has_work && !served->stop) {
            pthread_cond_wait(&served->woken, &served->lock);
        }
        served->has_work = false;
        bool stop = served->stop;
        if (served->invalid != NULL) {
            vhttp_server_invalidate(served->server, served->invalid);
            served->invalid = NULL;
            pthread_cond_signal(&served->done);
        }
        pthread_mutex_unlock(&served->lock);
        if (stop) {
            return NULL;
        }
        serve_once(served);
    }
}

static void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static bool add_routes(struct vhttp_routes *routes) {
    static const struct {
        const char *pattern;
        unsigned methods;
    } all[] = {
        [ROUTE_BODY] = {"/body", 1u << VHTTP_POST | 1u << VHTTP_GET},
        [ROUTE_POSTED] = {"/posted/{name}", 1u << VHTTP_POST},
        [ROUTE_EVENTS] = {"/events", 1u << VHTTP_GET},
        [ROUTE_SLEEP] = {"/sleep", 1u << VHTTP_GET},
        [ROUTE_PAUSE] = {"/pause", 1u << VHTTP_GET},
        [ROUTE_LATER] = {"/later", 1u << VHTTP_GET},
        [ROUTE_NOW] = {"/now", 1u << VHTTP_GET},
    };
    uint32_t index;
    vhttp_routes_free(routes);
    memset(routes, 0, sizeof(*routes));
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (vhttp_routes_add(routes, all[i].methods, vhttp_slice_of(all[i].pattern), NULL, 0,
                             &index) != VHTTP_ROUTE_OK) {
            return false;
        }
    }
    return true;
}

// Looks take SLOW_FILES_MS of the environment, as the first ones on a chip do.
static int stat_slowly(const char *path, struct vhttp_file_stat *out) {
    const char *slow_ms = getenv("SLOW_FILES_MS");
    long ms = slow_ms == NULL ? 0 : strtol(slow_ms, NULL, 10);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    return vhttp_port_files.stat(path, out);
}

void served_start(struct served *served, const char *folder, uint16_t port) {
    static struct vhttp_routes routes;
    memset(served, 0, sizeof(*served));
    running = served;
    if (vhttp_router_mount(&served->router, VHTTP_MOUNT_STATIC, "/", folder, true) != 0 ||
        vhttp_router_mount(&served->router, VHTTP_MOUNT_HEALTH, "/health", NULL, false) != 0 ||
        vhttp_router_mount(&served->router, VHTTP_MOUNT_METRICS, "/metrics", NULL, false) != 0 ||
        !add_routes(&routes)) {
        fail(folder);
    }
    pthread_mutex_init(&served->lock, NULL);
    pthread_cond_init(&served->woken, NULL);
    pthread_cond_init(&served->done, NULL);
    static struct vhttp_file_system files;
    files = vhttp_port_files;
    files.stat = stat_slowly;
    served->reader.files = &files;
    vhttp_interpreter_attach();
    struct vhttp_server_options options = {
        .router = &served->router,
        .routes = &routes,
        .port = port,
        .version = "test",
        .build_id = "test",
        .wake_interpreter = wake,
    };
    int error;
    pthread_mutex_lock(&served->lock); // nobody is woken before all is there
    served->server = vhttp_server_start(&options, served->address, sizeof(served->address), &error);
    if (served->server == NULL) {
        fail("vhttp_server_start");
    }
    served->reader.answers = vhttp_server_responses(served->server);
    pthread_mutex_unlock(&served->lock);
    pthread_create(&served->interpreter, NULL, interpret, served);
}

void served_invalidate(struct served *served, const char *path) {
    pthread_mutex_lock(&served->lock);
    served->invalid = path;
    served->has_work = true;
    pthread_cond_signal(&served->woken);
    while (served->invalid != NULL) {
        pthread_cond_wait(&served->done, &served->lock);
    }
    pthread_mutex_unlock(&served->lock);
}

void served_stop(struct served *served) {
    pthread_mutex_lock(&served->lock);
    served->stop = true;
    pthread_cond_signal(&served->woken);
    pthread_mutex_unlock(&served->lock);
    pthread_join(served->interpreter, NULL);
    vhttp_server_stop(served->server);
    vhttp_file_reader_close(&served->reader);
}
