// SPDX-License-Identifier: MIT
// Requests that a route's handler answers: asked of the interpreter, and its responses.
#ifndef VHTTP_CALL_H
#define VHTTP_CALL_H

#include <stdint.h>

#include "ipc.h"
#include "parser.h"
#include "route.h"
#include "step.h"

struct vhttp_exchange;
struct vhttp_shared;

// Has the handler of a route answer a request for the decoded `path`.
enum vhttp_step vhttp_call_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_request *request, const char *path,
                                 const struct vhttp_match *match);

// What the server would answer by itself.
struct vhttp_offered {
    int status;
    const char *file;  // in the file system, or "": the status is then that without it,
    int folder_status; // and this that of a folder
};

// Asks the interpreter what is to become of a request that no route takes.
enum vhttp_step vhttp_call_for_unrouted(struct vhttp_shared *shared,
                                        struct vhttp_exchange *exchange,
                                        const struct vhttp_request *request, const char *path,
                                        const struct vhttp_offered *offered);

// Has the interpreter answer a request that the server refuses with `status`; `methods` are those
// that the path is for.
enum vhttp_step vhttp_call_for_refusal(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                       const struct vhttp_request *request, const char *path,
                                       int status, unsigned methods);

// The handler's response begins, with a record of `size` bytes.
enum vhttp_step vhttp_call_begins(struct vhttp_exchange *exchange,
                                  const struct vhttp_answer_begin *begin, uint32_t size);

#endif
