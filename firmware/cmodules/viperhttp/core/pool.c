// SPDX-License-Identifier: MIT
#include "pool.h"

#include "platform.h"
#include "static.h"

#define TAG_LISTENER UINT32_MAX

// Turns in which a new client is to ask: who has been answered is used to being closed, and a new
// one takes it for a fault.
#define SILENT_TURNS 3

// Turns in which a crowd may come back: as long, connections are kept for no next request.
#define CROWD_TURNS 4

// That a client waits for a place to pass on, before another has to leave.
#define QUEUE_MS (VHTTP_TURN_MS / 4)

void vhttp_pool_init(struct vhttp_pool *pool, char *buffers) {
    pool->listener = VHTTP_SOCKET_NONE;
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        vhttp_connection_init(&pool->connections[i], (uint16_t)i,
                              buffers + i * VHTTP_CONNECTION_BUFFERS);
        pool->free[i] = (uint16_t)(VHTTP_MAX_CONNECTIONS - 1 - i);
    }
    pool->free_count = VHTTP_MAX_CONNECTIONS;
}

bool vhttp_pool_open(struct vhttp_shared *shared, struct vhttp_pool *pool, int listener) {
    pool->listener = listener;
    pool->listener_is_watched =
        vhttp_poller_watch(shared->poller, listener, TAG_LISTENER, VHTTP_READABLE, false);
    return pool->listener_is_watched;
}

void vhttp_pool_close(struct vhttp_shared *shared, struct vhttp_pool *pool) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        if (!vhttp_connection_is_free(&pool->connections[i])) {
            vhttp_connection_close(shared, &pool->connections[i]);
        }
    }
    if (pool->listener >= 0) {
        vhttp_close(pool->listener);
    }
}

// ---- Slots

// A connection that is free after an event is there for the next client.
static void give_back_if_free(const struct vhttp_shared *shared, struct vhttp_pool *pool,
                              const struct vhttp_connection *connection) {
    if (vhttp_connection_is_free(connection)) {
        pool->free[pool->free_count++] = (uint16_t)(connection - pool->connections);
        pool->freed_ms = shared->now_ms;
    }
}

// A connection that may make room for another from `at_ms` on.
struct spare {
    uint16_t index; // NO_MEMBER: none
    uint64_t at_ms;
};

// The one that has had a deadline of `kind` for longest, and may have it for `turn_ms`.
static struct spare find_oldest(const struct vhttp_shared *shared, enum vhttp_deadline kind,
                                uint64_t turn_ms) {
    uint16_t oldest = vhttp_deadlines_oldest(&shared->deadlines, kind);
    if (oldest == VHTTP_NO_MEMBER) {
        return (struct spare){VHTTP_NO_MEMBER, UINT64_MAX};
    }
    uint64_t age_ms = vhttp_deadlines_age_ms(&shared->deadlines, oldest, shared->now_ms);
    return (struct spare){oldest, shared->now_ms - age_ms + turn_ms};
}

static struct spare not_before(struct spare spare, uint64_t since_ms, uint64_t patience_ms) {
    if (spare.at_ms < since_ms + patience_ms) {
        spare.at_ms = since_ms + patience_ms;
    }
    return spare;
}

// The first that is to make room for those who wait: of those who do not idle, none as long as
// places become free without that.
static struct spare find_next_spare(const struct vhttp_shared *shared,
                                    const struct vhttp_pool *pool) {
    struct spare idle = find_oldest(shared, VHTTP_DEADLINE_IDLE, VHTTP_TURN_MS);
    if (idle.index != VHTTP_NO_MEMBER) {
        idle = not_before(idle, pool->queue_began_ms, QUEUE_MS);
    }
    if (idle.at_ms <= shared->now_ms) {
        return idle;
    }
    struct spare other = find_oldest(shared, VHTTP_DEADLINE_FIRST, SILENT_TURNS * VHTTP_TURN_MS);
    for (uint16_t i = 0; i < VHTTP_MAX_CONNECTIONS && other.at_ms > shared->now_ms; i++) {
        uint64_t since_ms;
        if (vhttp_connection_is_forsaken(shared, &pool->connections[i], &since_ms) &&
            since_ms + VHTTP_TURN_MS < other.at_ms) {
            other = (struct spare){i, since_ms + VHTTP_TURN_MS};
        }
    }
    if (other.index != VHTTP_NO_MEMBER) {
        other = not_before(other, pool->freed_ms, VHTTP_TURN_MS);
    }
    return other.at_ms < idle.at_ms ? other : idle;
}

// That connection, if it may have to leave by now; NULL: none.
static struct vhttp_connection *find_spare(const struct vhttp_shared *shared,
                                           struct vhttp_pool *pool) {
    struct spare next = find_next_spare(shared, pool);
    return next.at_ms <= shared->now_ms ? &pool->connections[next.index] : NULL;
}

static void evict(struct vhttp_shared *shared, struct vhttp_pool *pool,
                  struct vhttp_connection *spare) {
    shared->stats.connections_evicted++;
    vhttp_connection_give_up(shared, spare);
    give_back_if_free(shared, pool, spare);
}

static void watch_listener(struct vhttp_shared *shared, struct vhttp_pool *pool,
                           unsigned interest) {
    vhttp_poller_watch(shared->poller, pool->listener, TAG_LISTENER, interest, true);
    pool->listener_is_watched = interest != 0;
}

// Takes note of who waits, when the listener has clients or not.
static void note_crowd(struct vhttp_shared *shared, struct vhttp_pool *pool, bool has_clients) {
    if (!pool->listener_is_watched || (has_clients && pool->free_count == 0)) {
        pool->queue_began_ms = pool->has_queue ? pool->queue_began_ms : shared->now_ms;
        pool->has_queue = true;
        pool->crowded_until_ms = shared->now_ms + CROWD_TURNS * VHTTP_TURN_MS;
    } else if (!has_clients) {
        pool->has_queue = false;
    }
    shared->is_crowded = shared->now_ms < pool->crowded_until_ms;
}

// A client waits. One is let in only when there is a place for it, and nobody has to leave before
// it is known that somebody comes.
static void accept_clients(struct vhttp_shared *shared, struct vhttp_pool *pool) {
    for (int i = 0; i < VHTTP_LISTEN_BACKLOG; i++) {
        struct vhttp_connection *spare = pool->free_count == 0 ? find_spare(shared, pool) : NULL;
        if (pool->free_count == 0 && spare == NULL) {
            if (i == 0) {
                watch_listener(shared, pool, 0); // until there is, the backlog holds them
            }
            return;
        }
        vhttp_pulse_stands(&shared->pulse, VHTTP_AT_ACCEPT);
        int socket = vhttp_accept(pool->listener);
        if (socket == VHTTP_SOCKET_FAILED) { // descriptors ran out
            spare = find_spare(shared, pool);
            if (spare != NULL) {
                evict(shared, pool, spare);
            }
        }
        if (socket < 0) {
            return;
        }
        if (spare != NULL) {
            evict(shared, pool, spare);
        }
        struct vhttp_connection *connection = &pool->connections[pool->free[--pool->free_count]];
        vhttp_connection_open(shared, connection, socket);
        give_back_if_free(shared, pool, connection);
    }
}

// ---- Events

void vhttp_pool_ready(struct vhttp_shared *shared, struct vhttp_pool *pool,
                      const struct vhttp_event *events, size_t count) {
    bool has_clients = false;
    for (size_t i = 0; i < count; i++) {
        has_clients |= events[i].tag == TAG_LISTENER;
    }
    note_crowd(shared, pool, has_clients);
    for (size_t i = 0; i < count; i++) {
        if (events[i].tag == TAG_LISTENER) {
            continue;
        }
        struct vhttp_connection *connection = &pool->connections[events[i].tag];
        if (!vhttp_connection_is_free(connection)) {
            vhttp_connection_ready(shared, connection, events[i].ready);
            give_back_if_free(shared, pool, connection);
        }
    }
    if (has_clients) { // last, so that no event meets a connection that took the place of its own
        accept_clients(shared, pool);
    }
}

// An answer for an entry of the cache is news for all who read there.
static void take_for_cache(struct vhttp_shared *shared, struct vhttp_pool *pool,
                           const struct vhttp_ipc_head *answer, uint32_t length) {
    struct vhttp_cached *entry = vhttp_static_take(shared, answer, length);
    if (entry == NULL) {
        return;
    }
    struct vhttp_cache_reader *reader = entry->readers;
    while (reader != NULL) {
        struct vhttp_cache_reader *next = reader->next;
        struct vhttp_connection *connection = &pool->connections[reader->connection];
        vhttp_connection_cache_news(shared, connection);
        give_back_if_free(shared, pool, connection);
        reader = next;
    }
    vhttp_cache_tidy(&shared->cache, entry);
}

static void take_for_connection(struct vhttp_shared *shared, struct vhttp_pool *pool,
                                const struct vhttp_ipc_head *answer, uint32_t length) {
    struct vhttp_connection *connection = &pool->connections[answer->connection];
    if (vhttp_connection_is_free(connection)) {
        shared->stats.answers_dropped++;
        return;
    }
    vhttp_connection_answer(shared, connection, answer, length);
    give_back_if_free(shared, pool, connection);
}

void vhttp_pool_take(struct vhttp_shared *shared, struct vhttp_pool *pool,
                     struct vhttp_ring *answers) {
    uint32_t length;
    const struct vhttp_ipc_head *answer;
    while ((answer = vhttp_ring_peek(answers, &length)) != NULL) {
        if (answer->kind == VHTTP_ANSWER_CHANGED) {
            vhttp_cache_invalidate(&shared->cache,
                                   ((const struct vhttp_answer_changed *)answer)->path);
        } else if (answer->connection >= VHTTP_CACHE_READER) {
            take_for_cache(shared, pool, answer, length);
        } else {
            take_for_connection(shared, pool, answer, length);
        }
        vhttp_ring_release(answers);
    }
}

static void expire_deadlines(struct vhttp_shared *shared, struct vhttp_pool *pool) {
    uint16_t member;
    while ((member = vhttp_deadlines_overdue(&shared->deadlines, shared->now_ms)) !=
           VHTTP_NO_MEMBER) {
        vhttp_connection_overdue(shared, &pool->connections[member]);
        give_back_if_free(shared, pool, &pool->connections[member]);
    }
}

static void settle_debts(struct vhttp_shared *shared, struct vhttp_pool *pool) {
    shared->desk.owes = false;
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        struct vhttp_connection *connection = &pool->connections[i];
        bool was_free = vhttp_connection_is_free(connection);
        if (!vhttp_connection_settle(shared, connection)) {
            return; // the ring is full: the others would find no room either
        }
        if (!was_free) {
            give_back_if_free(shared, pool, connection);
        }
    }
}

int vhttp_pool_wait_ms(const struct vhttp_shared *shared, const struct vhttp_pool *pool) {
    int wait = vhttp_deadlines_wait_ms(&shared->deadlines, shared->now_ms);
    if (pool->listener_is_watched) {
        return wait;
    }
    struct spare next = find_next_spare(shared, pool);
    if (next.index == VHTTP_NO_MEMBER) {
        return wait;
    }
    int left = next.at_ms <= shared->now_ms ? 0 : (int)(next.at_ms - shared->now_ms);
    return wait < 0 || left < wait ? left : wait;
}

void vhttp_pool_tend(struct vhttp_shared *shared, struct vhttp_pool *pool) {
    expire_deadlines(shared, pool);
    if (shared->desk.owes) {
        settle_debts(shared, pool);
    }
    if (!pool->listener_is_watched && (pool->free_count > 0 || find_spare(shared, pool) != NULL)) {
        watch_listener(shared, pool, VHTTP_READABLE);
    }
}
