// SPDX-License-Identifier: MIT
// Deadlines of connections, by kind. All of one kind last equally long, so each kind is a queue
// whose first member is due first: every operation takes constant time, whatever the pool's size.
#ifndef VHTTP_DEADLINES_H
#define VHTTP_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

#include "vhttp_config.h"

enum vhttp_deadline {
    VHTTP_DEADLINE_FIRST,   // the first request's first byte
    VHTTP_DEADLINE_IDLE,    // that of the next one
    VHTTP_DEADLINE_HEADER,  // the last byte of its head
    VHTTP_DEADLINE_BODY,    // the next byte of its body
    VHTTP_DEADLINE_PYTHON,  // the interpreter's first answer
    VHTTP_DEADLINE_HANDLER, // the called handler's response
    VHTTP_DEADLINE_SEND,    // the next byte that the client takes
    VHTTP_DEADLINE_QUIET,   // the next bytes of an event stream
    VHTTP_DEADLINE_LINGER,  // the client's end of the stream
    VHTTP_DEADLINE_KINDS,
    VHTTP_DEADLINE_NONE = VHTTP_DEADLINE_KINDS,
};

#define VHTTP_NO_MEMBER UINT16_MAX

struct vhttp_deadlines {
    uint16_t first[VHTTP_DEADLINE_KINDS], last[VHTTP_DEADLINE_KINDS];
    struct {
        uint64_t due_ms;
        uint16_t before, after;
        uint8_t kind;
    } members[VHTTP_MAX_CONNECTIONS];
};

// Nobody has a deadline.
void vhttp_deadlines_init(struct vhttp_deadlines *deadlines);

// Gives `member` a deadline of `kind` from `now_ms` on, in place of the one it had.
// VHTTP_DEADLINE_NONE takes its deadline away.
void vhttp_deadlines_set(struct vhttp_deadlines *deadlines, uint16_t member,
                         enum vhttp_deadline kind, uint64_t now_ms);

// The kind of the member's deadline.
static inline enum vhttp_deadline vhttp_deadlines_kind(const struct vhttp_deadlines *deadlines,
                                                       uint16_t member) {
    return (enum vhttp_deadline)deadlines->members[member].kind;
}

// The member of `kind` that waits longest, or VHTTP_NO_MEMBER.
uint16_t vhttp_deadlines_oldest(const struct vhttp_deadlines *deadlines, enum vhttp_deadline kind);

// Milliseconds since the member's deadline was set.
uint64_t vhttp_deadlines_age_ms(const struct vhttp_deadlines *deadlines, uint16_t member,
                                uint64_t now_ms);

// A member that is overdue, or VHTTP_NO_MEMBER. It stays overdue until it is set again.
uint16_t vhttp_deadlines_overdue(const struct vhttp_deadlines *deadlines, uint64_t now_ms);

// Milliseconds until the next deadline, rounded so that it is over then; -1 without any.
int vhttp_deadlines_wait_ms(const struct vhttp_deadlines *deadlines, uint64_t now_ms);

#endif
