// One client: its bytes in, its bytes out, and the exchange under way. Core's own header.
#ifndef VHTTP_CONNECTION_H
#define VHTTP_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deadlines.h"
#include "ipc.h"
#include "parser.h"
#include "response.h"
#include "ring.h"
#include "router.h"
#include "server.h"
#include "stats.h"
#include "vhttp_config.h"

enum vhttp_state {
    VHTTP_FREE,       // in the pool
    VHTTP_READING,    // the next request's head
    VHTTP_WAITING,    // for the interpreter's first answer
    VHTTP_SENDING,    // the response
    VHTTP_DISCARDING, // the body of a request that was answered
    VHTTP_LINGERING,  // no more requests: until the client has read the last response
};

struct vhttp_connection {
    enum vhttp_state state;
    int socket;
    unsigned watched; // the poller's interest; 0 before the first
    bool is_watched;
    bool input_ended; // the client sends no more

    char *input; // VHTTP_REQUEST_HEAD_MAX bytes: the request's head and what came behind it
    uint32_t input_length;
    uint32_t checked;     // of it, already seen to hold no complete head
    uint32_t head_length; // of the request under way
    uint64_t body_left;   // of the request under way, not received yet

    // The request under way, as far as its response needs it. Slices point into `input`.
    bool keep_alive;
    bool is_http_1_0;
    bool is_head;
    struct vhttp_slice path, query, if_none_match;
    const char *content_type;

    char *head; // VHTTP_RESPONSE_HEAD_MAX bytes
    uint32_t head_size, head_sent;
    uint8_t *window;           // VHTTP_WINDOW_SIZE bytes, a ring of the content's next bytes
    uint32_t written, taken;   // into and out of the window, since the response's start
    uint64_t content_left;     // bytes to be sent still
    uint64_t content_expected; // bytes that the interpreter is still to send
    bool socket_is_full;

    uint32_t generation;
    bool has_file;        // the interpreter holds, or will hold, a file for it
    bool owes_close;      // and is to be told that it is no longer wanted
    uint32_t owes_credit; // bytes it is to be told of
};

struct vhttp_server {
    struct vhttp_server_options options;
    const struct vhttp_router *router;
    struct vhttp_poller *poller;
    struct vhttp_thread *thread;
    int listener;
    bool listener_is_watched;
    atomic_bool stop;
    uint64_t now_ms;

    struct vhttp_ring requests, responses;
    uint8_t *request_bytes, *response_bytes;
    bool asked_now;             // this turn of the loop wrote a request
    bool owes;                  // a connection owes the interpreter something
    atomic_bool unacknowledged; // the interpreter was woken and has not looked yet
    atomic_bool ask_again;      // the interpreter stopped early

    struct vhttp_heap heap;
    atomic_bool heap_wanted;
    struct vhttp_stats stats;
    struct vhttp_deadlines deadlines;
    struct vhttp_request request; // the one being dispatched
    char decoded_path[VHTTP_PATH_MAX];
    char *buffers;
    uint16_t free_count;
    uint16_t free[VHTTP_MAX_CONNECTIONS];
    struct vhttp_connection connections[VHTTP_MAX_CONNECTIONS];
};

static inline uint16_t vhttp_index(const struct vhttp_server *server,
                                   const struct vhttp_connection *connection) {
    return (uint16_t)(connection - server->connections);
}

// ---- connection.c

void vhttp_connection_open(struct vhttp_server *server, struct vhttp_connection *connection,
                           int socket);
void vhttp_connection_close(struct vhttp_server *server, struct vhttp_connection *connection);

// The poller reports `ready`.
void vhttp_connection_ready(struct vhttp_server *server, struct vhttp_connection *connection,
                            unsigned ready);

// Goes on as far as it can: reads requests from the input, sends what is to be sent.
void vhttp_connection_advance(struct vhttp_server *server, struct vhttp_connection *connection);

// Its deadline of `kind` is over.
void vhttp_connection_overdue(struct vhttp_server *server, struct vhttp_connection *connection,
                              enum vhttp_deadline kind);

// Starts a response whose content, if any, is in the window or comes from the interpreter.
// `response->close` and `say_keep_alive` are set here.
void vhttp_connection_respond(struct vhttp_server *server, struct vhttp_connection *connection,
                              struct vhttp_response *response);

// Starts a response that says no more than its status.
void vhttp_connection_respond_status(struct vhttp_server *server,
                                     struct vhttp_connection *connection, int status);

// Answers with `status` and closes: what follows in the input is not to be trusted.
void vhttp_connection_refuse(struct vhttp_server *server, struct vhttp_connection *connection,
                             int status);

// ---- exchange.c

// Answers server->request, or has the interpreter answer it.
void vhttp_dispatch(struct vhttp_server *server, struct vhttp_connection *connection);

// Takes one record of the response ring.
void vhttp_take_answer(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                       uint32_t length);

// Tells the interpreter what the connection owes it. False when the request ring has no room.
bool vhttp_settle(struct vhttp_server *server, struct vhttp_connection *connection);

#endif
