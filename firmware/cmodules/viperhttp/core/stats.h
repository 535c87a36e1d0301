// SPDX-License-Identifier: MIT
// The server's own figures. All are counted by the server's thread, which alone reads them too,
// except the heap's, which the interpreter publishes.
#ifndef VHTTP_STATS_H
#define VHTTP_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "delay.h"
#include "ring.h"
#include "status.h"

struct vhttp_stats {
    uint64_t started_ms;
    uint64_t responses[VHTTP_STATUS_COUNT]; // by index in vhttp_statuses
    uint64_t bytes_received;
    uint64_t bytes_sent;
    uint64_t connections_total;
    uint64_t connections_evicted; // idle ones closed to make room
    uint32_t connections_open;
    uint64_t files_opened;
    uint64_t timeouts;
    uint64_t answers_dropped; // of the interpreter, for requests that were over

    // Where the time goes. All but `turns` are seen once in a turn, and by its time.
    struct vhttp_delay turns;        // of the loop, from a wake-up until it waits again
    struct vhttp_delay requests;     // from a whole head until TCP has taken all of the answer
    struct vhttp_delay python;       // from asking the interpreter to its answer
    struct vhttp_delay wake_ups;     // of it, until the interpreter looked
    struct vhttp_delay full_sockets; // until TCP had room again
};

// The interpreter's heap, as it was when the interpreter last had a moment.
struct vhttp_heap {
    atomic_uint used; // bytes
    atomic_uint free; // bytes; 0 with used == 0: not published yet
};

struct vhttp_metrics {
    const struct vhttp_stats *stats;
    const struct vhttp_heap *heap;
    const struct vhttp_cache *cache;
    const struct vhttp_ring *requests;
    const struct vhttp_ring *responses;
    const char *version;
    const char *build_id;
    bool psram;
    uint64_t now_ms;
};

// Writes all of it in Prometheus' text format (version 0.0.4). Returns the length, at most `size`;
// lines that would not fit are left out whole.
size_t vhttp_write_metrics(const struct vhttp_metrics *metrics, char *out, size_t size);

#endif
