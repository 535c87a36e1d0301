// SPDX-License-Identifier: MIT
#include "pulse.h"

#include <inttypes.h>
#include <stdio.h>

#include "crc32.h"

#define MAGIC 0x4c4c5453u // "STLL"

static const char *const names[VHTTP_PLACES] = {
    [VHTTP_AT_START] = "start",     [VHTTP_AT_WAIT] = "wait",
    [VHTTP_AT_ANSWERS] = "answers", [VHTTP_AT_ACCEPT] = "accept",
    [VHTTP_AT_RECEIVE] = "receive", [VHTTP_AT_SEND] = "send",
    [VHTTP_AT_FILES] = "files",     [VHTTP_AT_DEADLINES] = "deadlines",
    [VHTTP_AT_WAKE] = "wake",
};

void vhttp_pulse_turn(struct vhttp_pulse *pulse) {
    uint32_t turns = atomic_load_explicit(&pulse->turns, memory_order_relaxed);
    atomic_store_explicit(&pulse->turns, turns + 1, memory_order_relaxed);
}

void vhttp_pulse_stands(struct vhttp_pulse *pulse, enum vhttp_place place) {
    atomic_store_explicit(&pulse->place, place, memory_order_relaxed);
}

bool vhttp_pulse_is_lost(struct vhttp_pulse *pulse) {
    uint32_t turns = atomic_load_explicit(&pulse->turns, memory_order_relaxed);
    pulse->looks = turns == pulse->seen ? pulse->looks + 1 : 0;
    pulse->seen = turns;
    return pulse->looks >= VHTTP_LOOKS;
}

// ---- The record

static uint32_t crc_of(const struct vhttp_stall *stall) {
    return vhttp_crc32(0, (const uint8_t *)stall, offsetof(struct vhttp_stall, crc));
}

struct vhttp_stall *vhttp_stall_last(void *kept) {
    struct vhttp_stall *stall = kept;
    bool is_one = stall != NULL && stall->magic == MAGIC && stall->place < VHTTP_PLACES &&
                  stall->crc == crc_of(stall);
    return is_one ? stall : NULL;
}

void vhttp_stall_write(void *kept, const struct vhttp_pulse *pulse, uint64_t after_ms,
                       char text[VHTTP_STALL_TEXT_SIZE]) {
    const struct vhttp_stall *before = vhttp_stall_last(kept);
    struct vhttp_stall stall = {
        .magic = MAGIC,
        .place = atomic_load_explicit(&pulse->place, memory_order_relaxed),
        .count = before == NULL ? 1 : before->count + 1,
        .after_ms = after_ms,
        .turns = atomic_load_explicit(&pulse->turns, memory_order_relaxed),
    };
    stall.crc = crc_of(&stall);
    if (kept != NULL) {
        *(struct vhttp_stall *)kept = stall;
    }
    snprintf(text, VHTTP_STALL_TEXT_SIZE,
             "viperhttp: the server stands still at '%s', after %" PRIu64 " ms: reset",
             vhttp_stall_place(&stall), after_ms);
}

void vhttp_stall_set_told(struct vhttp_stall *kept) {
    kept->is_told = 1;
    kept->crc = crc_of(kept);
}

const char *vhttp_stall_place(const struct vhttp_stall *stall) { return names[stall->place]; }
