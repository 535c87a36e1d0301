// SPDX-License-Identifier: MIT
// All that a server takes of internal RAM, in one struct, so that memory_use.c knows how much it
// is.
#ifndef VHTTP_SERVER_STATE_H
#define VHTTP_SERVER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pool.h"
#include "pulse.h"
#include "state.h"

struct vhttp_server {
    struct vhttp_shared shared;
    struct vhttp_pool pool;
    struct vhttp_thread *thread;
    struct vhttp_watchdog *watchdog;
    char stall_text[VHTTP_STALL_TEXT_SIZE];
    int64_t date_s; // of shared.date_line
    atomic_bool stop;
    atomic_bool unacknowledged; // the interpreter was woken and has not looked yet
    atomic_uint looked_ms;      // when it did, modulo 2^32
    bool is_woken;              // the interpreter was, and how long it took is to be measured
    uint32_t woken_ms;          // since then, modulo 2^32
    atomic_bool ask_again;      // the interpreter stopped early
    atomic_bool drop_cache;     // a word of the interpreter's that found no room in the ring
    atomic_bool has_alarm;      // the interpreter wants to be woken
    atomic_uint alarm_ms;       // at this time, modulo 2^32
    atomic_bool copy_wanted;
    struct vhttp_stats copied_stats; // for the interpreter

    // Memory of other kinds, which the server's parts use.
    char *connection_buffers;
    uint8_t *request_bytes, *response_bytes;
    struct vhttp_cached *cache_entries;
    uint8_t *cache_blocks;
    uint16_t *cache_links;
    struct vhttp_local_files *local_files; // NULL where the interpreter reads the files
};

#endif
