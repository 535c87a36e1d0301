// SPDX-License-Identifier: MIT
// All connections: who may have one, and which of them an event is for.
//
// While clients wait, and for some turns (VHTTP_TURN_MS) after, every reply says that it is the
// last on its connection: who is told so comes back on a new one, and places pass from hand to hand
// without anybody being closed who might be asking at that moment.
//
// Where that takes a part of a turn, a client that waits gets the place of the connection which has
// been idle for longest, if that is a turn or more; or, when no place has become free for a turn,
// that of a client that has asked for nothing in three of them, or of a call whose client has sent
// no more for a turn and may have left.
#ifndef VHTTP_POOL_H
#define VHTTP_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "ring.h"
#include "state.h"
#include "vhttp_config.h"

// The bytes that a pool's connections need.
#define VHTTP_POOL_BUFFERS ((size_t)VHTTP_MAX_CONNECTIONS * VHTTP_CONNECTION_BUFFERS)

// Only pool.c knows its fields.
struct vhttp_pool {
    int listener;
    bool listener_is_watched;  // false: a client waits, and there is no place for it
    bool has_queue;            // clients wait
    uint64_t queue_began_ms;   // when the first of them was seen to
    uint64_t crowded_until_ms; // a client has waited not long ago
    uint64_t freed_ms;         // when a place last became free
    uint16_t free_count;
    uint16_t free[VHTTP_MAX_CONNECTIONS];
    struct vhttp_connection connections[VHTTP_MAX_CONNECTIONS];
};

// `buffers` are VHTTP_POOL_BUFFERS bytes that the caller keeps.
void vhttp_pool_init(struct vhttp_pool *pool, char *buffers);

// Lets clients of `listener` in, which belongs to the pool from now on. False when the poller has
// no room for it.
bool vhttp_pool_open(struct vhttp_shared *shared, struct vhttp_pool *pool, int listener);

// Closes the listener and every connection.
void vhttp_pool_close(struct vhttp_shared *shared, struct vhttp_pool *pool);

// What the poller reports, in any order.
void vhttp_pool_ready(struct vhttp_shared *shared, struct vhttp_pool *pool,
                      const struct vhttp_event *events, size_t count);

// Takes all records of the interpreter, or of another who reads files.
void vhttp_pool_take(struct vhttp_shared *shared, struct vhttp_pool *pool,
                     struct vhttp_ring *answers);

// Milliseconds until vhttp_pool_tend has something to do; -1 without any.
int vhttp_pool_wait_ms(const struct vhttp_shared *shared, const struct vhttp_pool *pool);

// What is due by now: deadlines, and records that found no room in the request ring.
void vhttp_pool_tend(struct vhttp_shared *shared, struct vhttp_pool *pool);

#endif
