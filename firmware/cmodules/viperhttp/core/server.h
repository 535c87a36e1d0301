// SPDX-License-Identifier: MIT
// The server: its thread, its memory, and its side of the rings.
//
// Memory is taken at the start and given back at the stop; no request allocates any.
#ifndef VHTTP_SERVER_H
#define VHTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"
#include "route.h"
#include "router.h"
#include "stats.h"

struct vhttp_server;

#define VHTTP_ASKS_ABOUT_PATHS 1u   // 404
#define VHTTP_ASKS_ABOUT_METHODS 2u // 405
#define VHTTP_ASKS_ABOUT_BODIES 4u  // 413

struct vhttp_server_options {
    const struct vhttp_router *router; // kept by the caller, unchanged, until the stop
    const struct vhttp_routes *routes; // likewise
    bool asks_for_all;                 // the interpreter is called for what no route takes, too
    unsigned asks_about;               // VHTTP_ASKS_ABOUT_…: for the words of these refusals
    uint16_t port;
    const char *version; // both are shown in /metrics, and kept by the caller
    const char *build_id;
    int64_t built_s; // since 1970: a clock that shows less is not set
    // Called on the server's thread when there is something in the request ring: has the
    // interpreter read it soon. Must not block.
    void (*wake_interpreter)(void);
};

// Listens and starts the thread. Returns NULL with *error set to an errno value; else the server,
// with its address ("http://host:port/") in `where`.
struct vhttp_server *vhttp_server_start(const struct vhttp_server_options *options, char *where,
                                        size_t where_size, int *error);

// What a server takes at its start, bytes: of the internal RAM, and of PSRAM where there is some.
void vhttp_server_memory(size_t *internal, size_t *large);

// Closes every connection, ends the thread and frees everything.
void vhttp_server_stop(struct vhttp_server *server);

// The rest is called on the interpreter's thread.

// To be called when it turns to the request ring, before it reads.
void vhttp_server_acknowledge(struct vhttp_server *server);

// The rings, by the part in them that the interpreter has.
struct vhttp_ring *vhttp_server_requests(struct vhttp_server *server);  // it is the reader
struct vhttp_ring *vhttp_server_responses(struct vhttp_server *server); // it is the writer

// Whether the server gave up a call: to be asked before the handler is called, when all records of
// the call are released. Its client has its 503 then.
bool vhttp_server_gave_up(const struct vhttp_server *server, uint16_t connection,
                          uint32_t generation);

// To be called after it has written responses.
void vhttp_server_notify(struct vhttp_server *server);

// To be called in its place when the interpreter has more to do, or found the response ring full:
// wake_interpreter follows when there is room.
void vhttp_server_ask_again(struct vhttp_server *server);

// Has the server forget what it holds of the file or folder `path` (in the file system) and all
// below it, before it takes its next request.
void vhttp_server_invalidate(struct vhttp_server *server, const char *path);

// Has wake_interpreter called in `after_ms`, in place of the time given before.
void vhttp_server_set_alarm(struct vhttp_server *server, uint32_t after_ms);

// The figures of this moment. Waits for the server's thread, which takes well under a millisecond.
void vhttp_server_copy_stats(struct vhttp_server *server, struct vhttp_stats *stats);

// True once after /metrics was read: the heap's figures are wanted.
bool vhttp_server_wants_heap(struct vhttp_server *server);
void vhttp_server_publish_heap(struct vhttp_server *server, uint32_t used, uint32_t free);

#endif
