// SPDX-License-Identifier: MIT
// A whole server whose interpreter and clock move only when told: `puppet FOLDER`. It reads
// commands, a line each, and answers each with lines of which the last is "." and what is said of
// it. Linked with --wrap=vhttp_now_ms and --wrap=vhttp_accept.
//
//     start                            a server, in place of the one before: "port N"
//     pass MS                          the clock goes on
//     sync                             waits until the server has done all it can: "open N"
//     take                             prints what the server asks of the interpreter
//     begin C G STATUS LENGTH CODING FIELD   a response to the call of generation G on connection
//                                      C; LENGTH -1: until its end, with CODING "chunked" or
//                                      "whole"
//     data C G START COUNT             bytes of its content, from START on in a pattern
//     chunk C G START COUNT            likewise, as a chunk
//     end C G CHUNKED                  its end
//     none C G STATUS                  a status in its place
//     broken C G                       its sudden end
//     file C G PATH                    a file as the response
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "crc32.h"
#include "file_reader.h"
#include "platform.h"
#include "route.h"
#include "router.h"
#include "server.h"

#define TEXT_MAX 64
#define SOCKET_BUFFER 4608 // bytes: the least that Linux takes, so that clients who stall are felt

static struct vhttp_router router;
static struct vhttp_routes routes;
static struct vhttp_server *server;
static struct vhttp_file_reader reader;
static atomic_ullong clock_ms = 1;
static struct {
    uint32_t generation, length, crc; // of its call, and of that one's body
} calls[VHTTP_MAX_CONNECTIONS];

uint64_t __wrap_vhttp_now_ms(void);
uint64_t __wrap_vhttp_now_ms(void) { return atomic_load(&clock_ms); }

int __real_vhttp_accept(int listener);
int __wrap_vhttp_accept(int listener);
int __wrap_vhttp_accept(int listener) {
    int peer = __real_vhttp_accept(listener);
    int size = SOCKET_BUFFER;
    if (peer >= 0) {
        setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    return peer;
}

static void wake(void) {}

static void stop(void) {
    if (server != NULL) {
        vhttp_server_stop(server);
        vhttp_file_reader_close(&reader);
    }
    server = NULL;
}

static void start(void) {
    stop();
    memset(calls, 0, sizeof(calls));
    struct vhttp_server_options options = {
        .router = &router,
        .routes = &routes,
        .version = "test",
        .build_id = "test",
        .wake_interpreter = wake,
    };
    char address[64];
    int error = 0;
    unsigned port = 0;
    server = vhttp_server_start(&options, address, sizeof(address), &error);
    if (server == NULL || sscanf(address, "http://127.0.0.1:%u/", &port) != 1) {
        fprintf(stderr, "no server: %d\n", error);
        exit(EXIT_FAILURE);
    }
    reader.answers = vhttp_server_responses(server);
    printf(". port %u\n", port);
}

static void sync(void) {
    struct vhttp_stats stats;
    for (int turns = 0; turns < 3; turns++) { // one may have been under way, and one leave events
        vhttp_server_copy_stats(server, &stats);
    }
    printf(". open %" PRIu32 "\n", (uint32_t)stats.connections_open);
}

// ---- The interpreter's reader

static bool is_of_call(const struct vhttp_ipc_head *ask) {
    return ask->kind >= VHTTP_ASK_CALL || (ask->connection < VHTTP_MAX_CONNECTIONS &&
                                           calls[ask->connection].generation == ask->generation);
}

static void take_of_call(const struct vhttp_ipc_head *ask, uint32_t length) {
    uint32_t size = length - (uint32_t)sizeof(*ask);
    unsigned at = ask->connection;
    switch ((enum vhttp_ask)ask->kind) {
    case VHTTP_ASK_CALL: {
        const struct vhttp_ask_call *call = (const struct vhttp_ask_call *)ask;
        calls[at].generation = ask->generation;
        calls[at].length = calls[at].crc = 0;
        printf("call %u %" PRIu32 " %" PRIu32 " %d %.*s\n", at, ask->generation, call->credit,
               (call->flags & VHTTP_CALL_BODY) != 0, (int)call->path_length,
               (const char *)(call->values + call->value_count));
        return;
    }
    case VHTTP_ASK_BODY:
        calls[at].crc = vhttp_crc32(calls[at].crc, (const uint8_t *)(ask + 1), size);
        calls[at].length += size;
        return;
    case VHTTP_ASK_BODY_END:
        printf("body %u %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", at, ask->generation,
               calls[at].length, calls[at].crc);
        return;
    case VHTTP_ASK_CREDIT:
        printf("credit %u %" PRIu32 " %" PRIu32 "\n", at, ask->generation,
               ((const struct vhttp_ask_credit *)ask)->credit);
        return;
    case VHTTP_ASK_CLOSE:
        printf("close %u %" PRIu32 "\n", at, ask->generation);
        return;
    case VHTTP_ASK_OPEN:
    case VHTTP_ASK_READ:
        break;
    }
    printf("what is asked of a file of a call: %u\n", (unsigned)ask->kind);
}

static void take(void) {
    struct vhttp_ring *requests = vhttp_server_requests(server);
    const struct vhttp_ipc_head *ask;
    uint32_t length;
    bool has_room = true;
    vhttp_server_acknowledge(server);
    reader.spent = 0;
    while (has_room && (ask = vhttp_ring_peek(requests, &length)) != NULL) {
        if (is_of_call(ask)) {
            take_of_call(ask, length);
        } else {
            has_room = vhttp_file_reader_take(&reader, ask);
        }
        if (has_room) {
            vhttp_ring_release(requests);
        }
    }
    vhttp_file_reader_send(&reader);
    printf(".\n");
}

// ---- The interpreter's writer

static void write_pattern(char *out, uint32_t start, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (char)('a' + (start + i) % 23);
    }
}

// Publishes a record of `size` bytes behind `head` if there was room for it.
static void publish(void *record, struct vhttp_ipc_head head, size_t size) {
    if (record != NULL) {
        *(struct vhttp_ipc_head *)record = head;
        vhttp_ring_commit(vhttp_server_responses(server), (uint32_t)size);
    }
    printf(record != NULL ? ". ok\n" : ". full\n");
}

static void *reserve(size_t size) {
    return vhttp_ring_reserve(vhttp_server_responses(server), (uint32_t)size);
}

static void begin(struct vhttp_ipc_head head, int status, int length, const char *text) {
    bool is_chunked = strncmp(text, "chunked ", 8) == 0;
    const char *field = strchr(text, ' ') + 1;
    size_t field_length = strlen(field);
    size_t size = sizeof(struct vhttp_answer_begin) + field_length + 2;
    struct vhttp_answer_begin *record = reserve(size);
    if (record != NULL) {
        record->status = (uint16_t)status;
        record->flags = is_chunked ? VHTTP_BEGIN_CHUNKED : 0;
        record->length = length < 0 ? VHTTP_LENGTH_UNKNOWN : (uint32_t)length;
        record->fields_length = (uint32_t)field_length + 2;
        memcpy(record->text, field, field_length);
        memcpy(record->text + field_length, "\r\n", 2);
    }
    publish(record, head, size);
}

static void data(struct vhttp_ipc_head head, uint32_t start, uint32_t count, bool is_chunk) {
    char line[16] = "";
    int line_length = is_chunk ? snprintf(line, sizeof(line), "%" PRIx32 "\r\n", count) : 0;
    size_t size = sizeof(head) + (size_t)line_length + count + (is_chunk ? 2 : 0);
    struct vhttp_ipc_head *record = reserve(size);
    if (record != NULL) {
        char *out = (char *)(record + 1);
        memcpy(out, line, (size_t)line_length);
        write_pattern(out + line_length, start, count);
        memcpy(out + line_length + count, "\r\n", is_chunk ? 2 : 0);
    }
    publish(record, head, size);
}

static void end(struct vhttp_ipc_head head, bool is_chunked) {
    static const char last[] = "0\r\n\r\n";
    size_t size = sizeof(head) + (is_chunked ? sizeof(last) - 1 : 0);
    struct vhttp_ipc_head *record = reserve(size);
    if (record != NULL) {
        memcpy(record + 1, last, size - sizeof(head));
    }
    publish(record, head, size);
}

static void none(struct vhttp_ipc_head head, int status) {
    struct vhttp_answer_none *record = reserve(sizeof(*record));
    if (record != NULL) {
        record->status = status;
    }
    publish(record, head, sizeof(*record));
}

static void file(struct vhttp_ipc_head head, const char *path) {
    static const char field[] = "Content-Type: text/plain\r\n";
    size_t path_size = strlen(path) + 1;
    size_t size = sizeof(struct vhttp_answer_file) + path_size + sizeof(field) - 1;
    struct vhttp_answer_file *record = reserve(size);
    if (record != NULL) {
        record->status = 200;
        record->fields_length = sizeof(field) - 1;
        memcpy(record->text, path, path_size);
        memcpy(record->text + path_size, field, sizeof(field) - 1);
    }
    publish(record, head, size);
}

static void answer(const char *what, const char *rest) {
    unsigned connection;
    uint32_t generation;
    int at = 0, first = 0, second = 0;
    char text[512] = "";
    sscanf(rest, "%u %" SCNu32 "%n", &connection, &generation, &at);
    struct vhttp_ipc_head head = {0, (uint16_t)connection, generation};
    rest += at;
    if (strcmp(what, "file") == 0) {
        sscanf(rest, "%511s", text);
    } else {
        sscanf(rest, "%d %d %511[^\n]", &first, &second, text);
    }
    if (strcmp(what, "begin") == 0) {
        head.kind = VHTTP_ANSWER_BEGIN;
        begin(head, first, second, text);
    } else if (strcmp(what, "data") == 0 || strcmp(what, "chunk") == 0) {
        head.kind = VHTTP_ANSWER_DATA;
        data(head, (uint32_t)first, (uint32_t)second, what[0] == 'c');
    } else if (strcmp(what, "end") == 0) {
        head.kind = VHTTP_ANSWER_END;
        end(head, first != 0);
    } else if (strcmp(what, "none") == 0) {
        head.kind = VHTTP_ANSWER_NONE;
        none(head, first);
    } else if (strcmp(what, "file") == 0) {
        head.kind = VHTTP_ANSWER_FILE;
        file(head, text);
    } else {
        head.kind = VHTTP_ANSWER_BROKEN;
        publish(reserve(sizeof(head)), head, sizeof(head));
    }
    vhttp_server_notify(server);
}

static void obey(const char *line) {
    char what[TEXT_MAX] = "";
    int at = 0;
    sscanf(line, "%63s%n", what, &at);
    if (strcmp(what, "start") == 0) {
        start();
    } else if (strcmp(what, "pass") == 0) {
        atomic_fetch_add(&clock_ms, (unsigned)atoi(line + at));
        sync();
    } else if (strcmp(what, "sync") == 0) {
        sync();
    } else if (strcmp(what, "take") == 0) {
        take();
        vhttp_server_ask_again(server);
    } else {
        answer(what, line + at);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    static const unsigned methods = 1u << VHTTP_GET | 1u << VHTTP_POST;
    char line[1024];
    uint32_t index;
    reader.files = &vhttp_port_files;
    vhttp_interpreter_attach();
    if (argc != 2 || vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "/", argv[1], true) != 0 ||
        vhttp_router_mount(&router, VHTTP_MOUNT_HEALTH, "/health", NULL, false) != 0 ||
        vhttp_routes_add(&routes, methods, vhttp_slice_of("/call/{number}"), NULL, 0, &index) !=
            VHTTP_ROUTE_OK) {
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        obey(line);
    }
    stop();
    vhttp_routes_free(&routes);
    return EXIT_SUCCESS;
}
