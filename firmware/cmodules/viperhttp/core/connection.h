// SPDX-License-Identifier: MIT
// One client: its bytes in, its bytes out, and the exchange under way. All that happens to it comes
// here as an event, and the state machine in connection.c goes on as far as it can.
#ifndef VHTTP_CONNECTION_H
#define VHTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "body.h"
#include "deadlines.h"
#include "ipc.h"
#include "state.h"
#include "vhttp_config.h"

enum vhttp_state {
    VHTTP_FREE,       // in the pool
    VHTTP_READING,    // the next request's head
    VHTTP_RECEIVING,  // its body, for the interpreter
    VHTTP_WAITING,    // for the interpreter's first answer
    VHTTP_SENDING,    // the reply
    VHTTP_DISCARDING, // the body of a request that was answered
    VHTTP_LINGERING,  // no more requests: until the client has read the last reply
};

// The bytes that one connection needs: its input, and its reply's.
#define VHTTP_CONNECTION_BUFFERS (VHTTP_REQUEST_HEAD_MAX + VHTTP_REPLY_BUFFERS)

// Only connection.c knows its fields.
struct vhttp_connection {
    enum vhttp_state state;
    uint16_t index; // in the pool
    int socket;
    uint64_t asked_ms;       // when the head of the request under way was whole
    uint64_t full_since_ms;  // socket_is_full
    uint64_t waits_since_ms; // for the interpreter
    uint32_t file_work;      // of who reads files, when it was last looked at meanwhile
    unsigned watched;        // the poller's interest
    bool is_watched;
    bool socket_is_full;
    bool input_ended;      // the client sends no more
    uint64_t ended_ms;     // since then
    bool has_asked;        // there was a request
    size_t unacknowledged; // bytes, when the socket was found full or its deadline put off

    char *input; // VHTTP_REQUEST_HEAD_MAX bytes: the request's head and what came behind it
    uint32_t input_length;
    uint32_t checked;     // of it, already seen to hold no complete head
    uint32_t head_length; // of the request under way, as long as it lies in `input`

    struct vhttp_body body; // of the request under way
    uint32_t body_received; // bytes of content so far
    uint64_t body_due_ms;   // when all of it must have come
    bool expects_continue;  // the client waits for a word before it sends it
    uint32_t continue_left; // bytes of that word, to be sent still

    bool closes; // the reply under way is the last one
    struct vhttp_exchange exchange;
};

// Once, before it is opened: its place in the pool, and VHTTP_CONNECTION_BUFFERS bytes that the
// caller keeps.
void vhttp_connection_init(struct vhttp_connection *connection, uint16_t index, char *buffers);

// Whether it has no client.
bool vhttp_connection_is_free(const struct vhttp_connection *connection);

// Whether its client sends no more and has nothing to read but what the interpreter may say one
// day, since *since_ms: it may have left, and nobody can tell.
bool vhttp_connection_is_forsaken(const struct vhttp_shared *shared,
                                  const struct vhttp_connection *connection, uint64_t *since_ms);

// A client is there. The socket belongs to the connection from now on.
void vhttp_connection_open(struct vhttp_shared *shared, struct vhttp_connection *connection,
                           int socket);

// Ends whatever is under way; then it is free.
void vhttp_connection_close(struct vhttp_shared *shared, struct vhttp_connection *connection);

// Likewise, because another client needs the place. One that waits for an answer is told so.
void vhttp_connection_give_up(struct vhttp_shared *shared, struct vhttp_connection *connection);

// ---- Events. The connection may be free afterwards.

// The poller reports `ready`.
void vhttp_connection_ready(struct vhttp_shared *shared, struct vhttp_connection *connection,
                            unsigned ready);

// A record of the interpreter's for it.
void vhttp_connection_answer(struct vhttp_shared *shared, struct vhttp_connection *connection,
                             const struct vhttp_ipc_head *answer, uint32_t length);

// The entry of the cache that it waits for, or reads from, has news.
void vhttp_connection_cache_news(struct vhttp_shared *shared, struct vhttp_connection *connection);

// There may be room in the request ring again. False when there was not enough.
bool vhttp_connection_settle(struct vhttp_shared *shared, struct vhttp_connection *connection);

// Its deadline is over.
void vhttp_connection_overdue(struct vhttp_shared *shared, struct vhttp_connection *connection);

#endif
