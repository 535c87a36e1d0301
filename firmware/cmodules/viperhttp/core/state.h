// SPDX-License-Identifier: MIT
// One exchange, a request and its reply, and what all exchanges share: what the files of core/ that
// handle requests work on. Structs alone; each part belongs to the file that its type is from.
#ifndef VHTTP_STATE_H
#define VHTTP_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "deadlines.h"
#include "errand.h"
#include "http_date.h"
#include "parser.h"
#include "platform.h"
#include "pulse.h"
#include "reply.h"
#include "ring.h"
#include "server.h"
#include "static.h"
#include "stats.h"

struct vhttp_exchange {
    struct vhttp_peer client;
    struct vhttp_reply reply;
    struct vhttp_errand errand;
    struct vhttp_cache_reader reader; // of the file that is waited for, or that the reply is of
    struct vhttp_file_wish file;
};

struct vhttp_shared {
    struct vhttp_server_options options;
    uint64_t now_ms;                     // of this turn of the loop
    char date_line[8 + VHTTP_DATE_SIZE]; // "Date: …" with its CRLF; "" while the clock is not right
    struct vhttp_poller *poller;
    struct vhttp_pulse pulse;
    struct vhttp_deadlines deadlines; // of the connections
    struct vhttp_ring requests, responses;
    struct vhttp_desk desk;
    bool is_crowded; // clients wait for a connection, or have not long ago
    struct vhttp_cache cache;
    struct vhttp_stats stats;
    struct vhttp_heap heap;
    atomic_bool heap_wanted;
    struct vhttp_request request; // the one being read
};

#endif
