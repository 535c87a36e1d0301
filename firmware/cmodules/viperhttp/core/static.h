// SPDX-License-Identifier: MIT
// Files: from the cache or from the interpreter, whole, in part, or only when they have changed.
#ifndef VHTTP_STATIC_H
#define VHTTP_STATIC_H

#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "ipc.h"
#include "parser.h"
#include "slice.h"
#include "step.h"

struct vhttp_exchange;
struct vhttp_shared;

// What a handler says of a response that is a file, or a mount, whose has no fields, at == NULL.
struct vhttp_chosen_file {
    int status;
    struct vhttp_slice fields; // header lines, with the type among them; in the reply's room
    const char *cache_control; // a mount's; NULL: the server's own
    const char *fallback;      // of a mount: the file in place of one that there is not; or NULL
};

// What is wanted of a file. Slices point into the request. Only static.c knows its fields.
struct vhttp_file_wish {
    struct vhttp_slice path, query;
    struct vhttp_slice conditions; // the header lines with conditions or a range; at == NULL: none
    struct vhttp_chosen_file chosen;
    unsigned route_methods;   // of a route at this path, if there is no file
    uint32_t flags;           // VHTTP_OPEN_…
    const char *content_type; // of a file that does not go through the cache
};

// Answers a request with the file at `path` in the file system; with `html` a folder without its
// final slash is 301. `route_methods` are those of a route at the request's path, for other methods
// than its own.
enum vhttp_step vhttp_static_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_request *request, const char *path, bool html,
                                   struct vhttp_chosen_file chosen, unsigned route_methods);

// FOUND or NONE, for a file that does not go through the cache.
enum vhttp_step vhttp_static_found(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_ipc_head *answer);

// The entry of the cache that the exchange waits for has news, or not.
enum vhttp_step vhttp_static_go_on(struct vhttp_shared *shared, struct vhttp_exchange *exchange);

// The file is known as it was some time ago, which can be the answer.
bool vhttp_static_is_known(const struct vhttp_exchange *exchange);

// The interpreter does not answer in time: with what is known, or 503.
enum vhttp_step vhttp_static_overdue(struct vhttp_shared *shared, struct vhttp_exchange *exchange);

// Takes any answer for an entry of the cache. Returns the entry, whose readers are to go on, or
// NULL when nothing has changed. vhttp_cache_tidy ends it.
struct vhttp_cached *vhttp_static_take(struct vhttp_shared *shared,
                                       const struct vhttp_ipc_head *answer, uint32_t length);

#endif
