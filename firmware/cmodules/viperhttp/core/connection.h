// One client: its bytes in, its bytes out, and the exchange under way. Core's own header.
#ifndef VHTTP_CONNECTION_H
#define VHTTP_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "body.h"
#include "cache.h"
#include "deadlines.h"
#include "http_date.h"
#include "ipc.h"
#include "parser.h"
#include "response.h"
#include "ring.h"
#include "router.h"
#include "server.h"
#include "stats.h"
#include "vhttp_config.h"

// What makes a request for a file conditional, or partial; at == NULL where there is none.
struct vhttp_conditions {
    struct vhttp_slice if_none_match, if_modified_since, range, if_range;
};

// What a handler says of a response that is a file. A mount's has no fields, at == NULL.
struct vhttp_chosen_file {
    int status;
    struct vhttp_slice fields; // header lines, with the type among them; they lie in `window`
};

enum vhttp_state {
    VHTTP_FREE,       // in the pool
    VHTTP_READING,    // the next request's head
    VHTTP_RECEIVING,  // its body, for the interpreter
    VHTTP_WAITING,    // for the interpreter's first answer
    VHTTP_SENDING,    // the response
    VHTTP_DISCARDING, // the body of a request that was answered
    VHTTP_LINGERING,  // no more requests: until the client has read the last response
};

// The bytes that `input`, `head` and `window` of a connection point to.
#define VHTTP_CONNECTION_BUFFERS                                                                   \
    (VHTTP_REQUEST_HEAD_MAX + VHTTP_RESPONSE_HEAD_MAX + VHTTP_WINDOW_SIZE)

struct vhttp_connection {
    enum vhttp_state state;
    int socket;
    unsigned watched; // the poller's interest; 0 before the first
    bool is_watched;
    bool input_ended; // the client sends no more

    char *input; // VHTTP_REQUEST_HEAD_MAX bytes: the request's head and what came behind it
    uint32_t input_length;
    uint32_t checked;     // of it, already seen to hold no complete head
    uint32_t head_length; // of the request under way, as long as it lies in `input`

    struct vhttp_body body; // of the request under way
    uint32_t body_received; // bytes of content so far
    bool expects_continue;  // the client waits for a word before it sends it
    uint32_t continue_left; // bytes of that word, to be sent still

    // The request under way, as far as its response needs it. Slices point into `input`.
    bool keep_alive;
    bool is_http_1_0;
    bool is_head;
    struct vhttp_slice path, query;
    struct vhttp_conditions conditions;
    struct vhttp_chosen_file chosen;
    const char *content_type; // of a file that does not go through the cache

    char *head; // VHTTP_RESPONSE_HEAD_MAX bytes
    uint32_t head_size, head_sent;
    uint64_t content_left; // bytes to be sent still
    bool socket_is_full;
    size_t unacknowledged; // bytes, when the socket was found full or its deadline put off

    // The content, where it comes from the cache: what is there from `place` on.
    struct vhttp_cached *cached; // waited for, or read from; NULL: none
    struct vhttp_connection *next_reader, *previous_reader;
    struct vhttp_cached_place place;
    uint32_t content_at; // the place's offset in the file

    // And where it does not: a ring of its next bytes.
    uint8_t *window;           // VHTTP_WINDOW_SIZE bytes
    uint32_t written, taken;   // into and out of the window, since the response's start
    uint64_t content_expected; // bytes that the interpreter is still to send

    uint32_t generation;
    bool has_errand;      // the interpreter holds, or will hold, a file or a call for it
    bool is_call;         // it is a call's, not a file's
    uint32_t asked_until; // where in the request ring the call ends
    bool owes_close;      // and is to be told that it is no longer wanted
    bool owes_read;       // or that content_expected bytes from read_offset on are
    uint32_t read_offset;
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
    int64_t date_s;                      // of date_line
    char date_line[8 + VHTTP_DATE_SIZE]; // "Date: …" with its CRLF; "" while the clock is not right

    struct vhttp_ring requests, responses;
    uint8_t *request_bytes, *response_bytes;
    struct vhttp_ring *file_requests; // to who reads files: `requests`, or those of `local_files`
#if !VHTTP_STATIC_SERVE_VIA_IPC
    struct vhttp_local_files *local_files;
#endif
    bool asked_now;             // this turn of the loop wrote a request
    bool owes;                  // a connection owes the interpreter something
    atomic_bool unacknowledged; // the interpreter was woken and has not looked yet
    atomic_bool ask_again;      // the interpreter stopped early

    struct vhttp_cache cache;
    struct vhttp_cached *cache_entries;
    uint8_t *cache_blocks;
    uint16_t *cache_links;
    atomic_bool drop_cache; // a word of the interpreter's that found no room in the ring

    struct vhttp_heap heap;
    atomic_bool heap_wanted;
    atomic_bool has_alarm; // the interpreter wants to be woken
    atomic_uint alarm_ms;  // at this time, modulo 2^32
    struct vhttp_stats stats;
    struct vhttp_stats copied_stats; // for the interpreter
    atomic_bool copy_wanted;
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

// Starts a response whose content, if any, is in the window, in the cache, or comes from the
// interpreter.
void vhttp_connection_respond(struct vhttp_server *server, struct vhttp_connection *connection,
                              const struct vhttp_response *response);

// Likewise, with a head whose start is written already.
void vhttp_connection_respond_ready(struct vhttp_server *server,
                                    struct vhttp_connection *connection, const char *head,
                                    uint32_t head_length, int status, uint64_t content_length);

// Waits for the interpreter's first answer, VHTTP_COLD_WAIT_MS at most.
void vhttp_connection_wait(struct vhttp_server *server, struct vhttp_connection *connection);

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

// Takes the next bytes of the response's content into the window.
void vhttp_take_content(struct vhttp_server *server, struct vhttp_connection *connection,
                        const uint8_t *bytes, uint32_t length);

// Tells the interpreter what the connection owes it. False when the request ring has no room.
bool vhttp_settle(struct vhttp_server *server, struct vhttp_connection *connection);

// ---- static.c

// Answers server->request with a file: the one at `path` in the file system, or in the folder that
// it names by a final slash, if `html`, index.html.
void vhttp_request_file(struct vhttp_server *server, struct vhttp_connection *connection,
                        const char *path, bool html, struct vhttp_chosen_file chosen);

// FOUND or NONE, for a connection; any answer, for an entry of the cache.
void vhttp_take_found(struct vhttp_server *server, struct vhttp_connection *connection,
                      const struct vhttp_ipc_head *answer);
void vhttp_take_cached_answer(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                              uint32_t length);

// The interpreter does not answer in time: with what is known, or 503.
void vhttp_file_overdue(struct vhttp_server *server, struct vhttp_connection *connection);

// The connection does not read from the cache any more.
void vhttp_leave_cache(struct vhttp_server *server, struct vhttp_connection *connection);
// ---- call.c

// Answers server->request, or has a handler answer it, when server->decoded_path is a route's.
// Nothing points into `input` any more afterwards. A call whose request has a body leaves the
// connection VHTTP_RECEIVING, else VHTTP_WAITING. False when the path is no route's.
bool vhttp_call_dispatch(struct vhttp_server *server, struct vhttp_connection *connection);

// Hands on the next bytes of the body, without their framing. Returns how many were taken: fewer
// when the ring is full; the rest is to be tried again.
uint32_t vhttp_call_body(struct vhttp_server *server, struct vhttp_connection *connection,
                         const char *bytes, uint32_t length);

// The body is complete: the handler can start. False when the ring is full.
bool vhttp_call_body_end(struct vhttp_server *server, struct vhttp_connection *connection);

// True when the interpreter has turned to the call, and it is the handler that takes its time.
bool vhttp_call_was_taken(const struct vhttp_server *server,
                          const struct vhttp_connection *connection);

// The handler's response begins (a record of `size` bytes); its content of unknown length ends.
void vhttp_call_begins(struct vhttp_server *server, struct vhttp_connection *connection,
                       const struct vhttp_answer_begin *begin, uint32_t size);
void vhttp_call_ends(struct vhttp_connection *connection);

// The handler's response is a file.
void vhttp_call_chooses(struct vhttp_server *server, struct vhttp_connection *connection,
                        const struct vhttp_answer_file *file);

#endif
