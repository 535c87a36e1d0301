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

// The handler's response begins, with a record of `size` bytes.
enum vhttp_step vhttp_call_begins(struct vhttp_exchange *exchange,
                                  const struct vhttp_answer_begin *begin, uint32_t size);

#endif
