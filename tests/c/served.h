// SPDX-License-Identifier: MIT
// A whole server over a folder of this machine, with a thread that plays the interpreter.
#ifndef TESTS_SERVED_H
#define TESTS_SERVED_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "file_reader.h"
#include "platform.h"
#include "route.h"
#include "router.h"
#include "server.h"

struct served {
    struct vhttp_router router;
    struct vhttp_routes *routes;
    struct vhttp_server *server;
    struct vhttp_file_reader reader;
    pthread_t interpreter;
    pthread_mutex_t lock;
    pthread_cond_t woken, done;
    bool has_work, stop;
    const char *invalid; // a path that the interpreter is to drop from the cache; NULL: none
    char address[64];    // "http://host:port/"
};

// Serves `folder` at "/" with index.html, /health and /metrics, and the routes in served.c. Exits
// on failure.
void served_start(struct served *served, const char *folder, uint16_t port);

// Has the interpreter drop `path` from the cache, and waits until it has done so.
void served_invalidate(struct served *served, const char *path);

void served_stop(struct served *served);

#endif
