// SPDX-License-Identifier: MIT
#include "deadlines.h"

#include <limits.h>

static const uint32_t lasts_ms[VHTTP_DEADLINE_KINDS] = {
    [VHTTP_DEADLINE_FIRST] = VHTTP_IDLE_TIMEOUT_MS,
    [VHTTP_DEADLINE_IDLE] = VHTTP_IDLE_TIMEOUT_MS,
    [VHTTP_DEADLINE_HEADER] = VHTTP_HEADER_TIMEOUT_MS,
    [VHTTP_DEADLINE_BODY] = VHTTP_BODY_TIMEOUT_MS,
    [VHTTP_DEADLINE_PYTHON] = VHTTP_COLD_WAIT_MS,
    [VHTTP_DEADLINE_HANDLER] = VHTTP_HANDLER_TIMEOUT_MS,
    [VHTTP_DEADLINE_SEND] = VHTTP_SEND_TIMEOUT_MS,
    [VHTTP_DEADLINE_QUIET] = VHTTP_STREAM_QUIET_MS,
    [VHTTP_DEADLINE_LINGER] = VHTTP_LINGER_MS,
};

void vhttp_deadlines_init(struct vhttp_deadlines *deadlines) {
    for (size_t kind = 0; kind < VHTTP_DEADLINE_KINDS; kind++) {
        deadlines->first[kind] = deadlines->last[kind] = VHTTP_NO_MEMBER;
    }
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        deadlines->members[i].kind = VHTTP_DEADLINE_NONE;
    }
}

static void take_out(struct vhttp_deadlines *deadlines, uint16_t member) {
    uint8_t kind = deadlines->members[member].kind;
    uint16_t before = deadlines->members[member].before;
    uint16_t after = deadlines->members[member].after;
    if (before == VHTTP_NO_MEMBER) {
        deadlines->first[kind] = after;
    } else {
        deadlines->members[before].after = after;
    }
    if (after == VHTTP_NO_MEMBER) {
        deadlines->last[kind] = before;
    } else {
        deadlines->members[after].before = before;
    }
}

void vhttp_deadlines_set(struct vhttp_deadlines *deadlines, uint16_t member,
                         enum vhttp_deadline kind, uint64_t now_ms) {
    if (deadlines->members[member].kind != VHTTP_DEADLINE_NONE) {
        take_out(deadlines, member);
    }
    deadlines->members[member].kind = (uint8_t)kind;
    if (kind == VHTTP_DEADLINE_NONE) {
        return;
    }
    uint16_t last = deadlines->last[kind];
    deadlines->members[member].due_ms = now_ms + lasts_ms[kind];
    deadlines->members[member].before = last;
    deadlines->members[member].after = VHTTP_NO_MEMBER;
    if (last == VHTTP_NO_MEMBER) {
        deadlines->first[kind] = member;
    } else {
        deadlines->members[last].after = member;
    }
    deadlines->last[kind] = member;
}

uint16_t vhttp_deadlines_oldest(const struct vhttp_deadlines *deadlines, enum vhttp_deadline kind) {
    return deadlines->first[kind];
}

uint64_t vhttp_deadlines_age_ms(const struct vhttp_deadlines *deadlines, uint16_t member,
                                uint64_t now_ms) {
    uint64_t due_ms = deadlines->members[member].due_ms;
    return now_ms + lasts_ms[deadlines->members[member].kind] - due_ms;
}

uint16_t vhttp_deadlines_overdue(const struct vhttp_deadlines *deadlines, uint64_t now_ms) {
    for (size_t kind = 0; kind < VHTTP_DEADLINE_KINDS; kind++) {
        uint16_t first = deadlines->first[kind];
        if (first != VHTTP_NO_MEMBER && deadlines->members[first].due_ms <= now_ms) {
            return first;
        }
    }
    return VHTTP_NO_MEMBER;
}

int vhttp_deadlines_wait_ms(const struct vhttp_deadlines *deadlines, uint64_t now_ms) {
    uint64_t wait = UINT64_MAX;
    for (size_t kind = 0; kind < VHTTP_DEADLINE_KINDS; kind++) {
        uint16_t first = deadlines->first[kind];
        if (first != VHTTP_NO_MEMBER) {
            uint64_t due = deadlines->members[first].due_ms;
            uint64_t left = due > now_ms ? due - now_ms : 0;
            wait = left < wait ? left : wait;
        }
    }
    return wait == UINT64_MAX ? -1 : wait > INT_MAX ? INT_MAX : (int)wait;
}
