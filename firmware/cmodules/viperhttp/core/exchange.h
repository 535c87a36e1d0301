// SPDX-License-Identifier: MIT
// What requests mean, and what the interpreter's answers mean for them.
#ifndef VHTTP_EXCHANGE_H
#define VHTTP_EXCHANGE_H

#include <stdint.h>

#include "ipc.h"
#include "parser.h"
#include "step.h"

struct vhttp_exchange;
struct vhttp_shared;

// Answers a request, or has the interpreter answer it. Slices of the request are kept until the
// exchange is over, unless the step is to receive its body.
enum vhttp_step vhttp_exchange_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                     const struct vhttp_request *request);

// Has the interpreter refuse a request: with `status`, or, where that is 0, because a mount has no
// such file.
enum vhttp_step vhttp_exchange_refuse(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                      const struct vhttp_request *request, int status);

// Takes a record of the interpreter that is for this exchange. `request` is what it answers, as
// vhttp_exchange_start got it, or without path and fields when these are gone.
enum vhttp_step vhttp_exchange_take(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                    const struct vhttp_request *request,
                                    const struct vhttp_ipc_head *answer, uint32_t length);

// The interpreter does not answer in time.
enum vhttp_step vhttp_exchange_overdue(struct vhttp_shared *shared,
                                       struct vhttp_exchange *exchange);

// It is over, or given up: nothing is asked for, nothing is read for it any more.
void vhttp_exchange_end(struct vhttp_shared *shared, struct vhttp_exchange *exchange);

#endif
