// SPDX-License-Identifier: MIT
// Whether the server's thread still goes round, and where it stands if it does not.
//
// The thread tells each turn of its loop and what it begins with. The watchdog of the platform
// looks on from another thread. It counts looks, not time: while nothing runs at all, as during a
// write to a chip's flash, it does not look either. Before each look but the first the thread was
// woken, so that one that waits for clients goes round too.
#ifndef VHTTP_PULSE_H
#define VHTTP_PULSE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHTTP_LOOKS 10u // in a row that find no turn: it stands still

enum vhttp_place {
    VHTTP_AT_START,
    VHTTP_AT_WAIT, // for what is ready
    VHTTP_AT_ANSWERS,
    VHTTP_AT_ACCEPT,
    VHTTP_AT_RECEIVE,
    VHTTP_AT_SEND,
    VHTTP_AT_FILES, // that it reads by itself
    VHTTP_AT_DEADLINES,
    VHTTP_AT_WAKE, // of the interpreter
    VHTTP_PLACES,
};

struct vhttp_pulse {
    atomic_uint turns, place; // the thread's
    uint32_t seen, looks;     // the watchdog's
};

// The thread: another turn; what it begins with.
void vhttp_pulse_turn(struct vhttp_pulse *pulse);
void vhttp_pulse_stands(struct vhttp_pulse *pulse, enum vhttp_place place);

// The watchdog: looks, and tells whether the thread stands still.
bool vhttp_pulse_is_lost(struct vhttp_pulse *pulse);

// ---- The record of it, which lasts over the reset that follows

struct vhttp_stall {
    uint32_t magic;
    uint32_t place;    // enum vhttp_place
    uint32_t count;    // since the power came
    uint32_t is_told;  // the start after it has been reported
    uint64_t after_ms; // that the server had run
    uint32_t turns;    // of its loop
    uint32_t crc;      // of what is before
};

#define VHTTP_STALL_TEXT_SIZE 96

// Writes the record of now to `kept`, unless that is NULL, and a line for the console.
void vhttp_stall_write(void *kept, const struct vhttp_pulse *pulse, uint64_t after_ms,
                       char text[VHTTP_STALL_TEXT_SIZE]);

// The record at `kept`; NULL when there is none: memory that nobody has written to holds anything.
struct vhttp_stall *vhttp_stall_last(void *kept);

// The start after it has been reported.
void vhttp_stall_set_told(struct vhttp_stall *kept);

const char *vhttp_stall_place(const struct vhttp_stall *stall); // "send"

#endif
