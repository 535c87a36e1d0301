// SPDX-License-Identifier: MIT
// What the interpreter is sent for on behalf of one connection, a file or a call of a handler, and
// what it is still to be told of it. The server's thread is the writer of the request rings.
#ifndef VHTTP_ERRAND_H
#define VHTTP_ERRAND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc.h"
#include "ring.h"

// Where all errands are asked for.
struct vhttp_desk {
    struct vhttp_ring *calls; // to the interpreter
    struct vhttp_ring *files; // to who reads files: the same ring, or one of the server's own
    struct vhttp_ring *found; // from who reads files
    bool asked;               // something was written since the interpreter was last woken
    bool owes;                // and something found no room
    // By connection: the generation of the last call that was given up before it was made.
    atomic_uint given_up[VHTTP_MAX_CONNECTIONS];
};

// Only errand.c knows its fields.
struct vhttp_errand {
    uint16_t connection; // index in the pool
    uint32_t generation; // of what was last asked for
    bool is_open;        // the interpreter holds it, or will
    bool is_call;
    bool owes_close;      // it is to be told that it is no longer wanted
    bool owes_read;       // or that `expected` bytes from `read_offset` on are
    uint32_t owes_credit; // or that there is room for so many bytes
    uint32_t read_offset;
    uint64_t expected;    // bytes of content that are still to come
    uint32_t asked_until; // where in the request ring a call ends
};

// Once: there is none, and those to come are of this connection, by its index in the pool.
void vhttp_errand_init(struct vhttp_errand *errand, uint16_t connection);

// ---- Asking. What is asked for anew takes the place of what was before.

// Asks for a file; an answer FOUND keeps it open until vhttp_errand_read or _drop. False when the
// ring is full.
bool vhttp_errand_ask_file(struct vhttp_desk *desk, struct vhttp_errand *errand, const char *path,
                           uint32_t flags);

// Likewise for a reader that is no connection: for an entry of the cache.
bool vhttp_desk_ask_file(struct vhttp_desk *desk, struct vhttp_ipc_head head, const char *path,
                         uint32_t flags, uint32_t limit);

// Who reads files is at one, or was since `*seen` had this function's last word. `*seen` starts as
// vhttp_ring_work of the desk's `found`.
bool vhttp_desk_is_at_files(const struct vhttp_desk *desk, uint32_t *seen);

// Room in the ring for a call's record of `longest` bytes, with its head; NULL when it is full.
// It lapses unless vhttp_errand_ask_call publishes its first `length` bytes.
struct vhttp_ask_call *vhttp_errand_write_call(struct vhttp_desk *desk,
                                               const struct vhttp_errand *errand, uint32_t longest);
void vhttp_errand_ask_call(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t length);

// Hands on the next bytes of the call's body, without their framing. Returns how many were taken:
// fewer when the ring is full; the rest is to be tried again.
uint32_t vhttp_errand_body(struct vhttp_desk *desk, const struct vhttp_errand *errand,
                           const char *bytes, uint32_t length);

// The body is complete: the handler can start. False when the ring is full.
bool vhttp_errand_body_end(struct vhttp_desk *desk, struct vhttp_errand *errand);

// Asks for a part of the file that was found.
void vhttp_errand_read(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t offset,
                       uint32_t length);

// There is room for `count` more bytes of content.
void vhttp_errand_credit(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t count);

// It is no longer wanted.
void vhttp_errand_drop(struct vhttp_desk *desk, struct vhttp_errand *errand);

// Tells the interpreter what found no room before. False when there is none now either.
bool vhttp_errand_settle(struct vhttp_desk *desk, struct vhttp_errand *errand);

// ---- Answers

// An answer of `generation` is one to this errand, and one is awaited.
bool vhttp_errand_awaits(const struct vhttp_errand *errand, uint32_t generation);

// `count` bytes of content are still to come; it is over when there are none.
void vhttp_errand_expect(struct vhttp_errand *errand, uint64_t count);

// `count` of these have come.
void vhttp_errand_got(struct vhttp_errand *errand, uint32_t count);

// The interpreter is done with it.
void vhttp_errand_is_done(struct vhttp_errand *errand);

// It is a call that the interpreter is not done with.
bool vhttp_errand_is_call(const struct vhttp_errand *errand);

// Gives up a call that was not made: it never is. False when the interpreter has turned to it, and
// it is the handler that takes its time.
bool vhttp_errand_give_up(struct vhttp_desk *desk, const struct vhttp_errand *errand);

// Interpreter, when it has released the last record before the call: it was given up.
bool vhttp_desk_gave_up(const struct vhttp_desk *desk, uint16_t connection, uint32_t generation);

#endif
