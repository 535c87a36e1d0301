// SPDX-License-Identifier: MIT
#include "errand.h"

#include <string.h>

_Static_assert(VHTTP_IPC_REQUEST_RINGBUF_SIZE >= 4 * VHTTP_REQUEST_HEAD_MAX, "a call holds a head");

void vhttp_errand_init(struct vhttp_errand *errand, uint16_t connection) {
    errand->connection = connection;
}

static struct vhttp_ipc_head head_of(const struct vhttp_errand *errand, enum vhttp_ask kind) {
    return (struct vhttp_ipc_head){(uint16_t)kind, errand->connection, errand->generation};
}

static struct vhttp_ipc_head head_of_next(const struct vhttp_errand *errand, enum vhttp_ask kind) {
    return (struct vhttp_ipc_head){(uint16_t)kind, errand->connection, errand->generation + 1};
}

static void commit(struct vhttp_desk *desk, struct vhttp_ring *ring, uint32_t length) {
    vhttp_ring_commit(ring, length);
    desk->asked = true;
}

// What was before it ends with it, and nothing is owed to that any more.
static void begin(struct vhttp_errand *errand, bool is_call) {
    errand->generation++;
    errand->is_open = true;
    errand->is_call = is_call;
    errand->owes_close = errand->owes_read = false;
    errand->owes_credit = 0;
    errand->expected = 0;
}

// ---- Asking

bool vhttp_desk_ask_file(struct vhttp_desk *desk, struct vhttp_ipc_head head, const char *path,
                         uint32_t flags, uint32_t limit) {
    uint32_t path_size = (uint32_t)strlen(path) + 1;
    uint32_t length = (uint32_t)sizeof(struct vhttp_ask_open) + path_size;
    struct vhttp_ask_open *record = vhttp_ring_reserve(desk->files, length);
    if (record == NULL) {
        return false;
    }
    record->head = head;
    record->flags = flags;
    record->limit = limit;
    memcpy(record->path, path, path_size);
    commit(desk, desk->files, length);
    return true;
}

bool vhttp_desk_is_at_files(const struct vhttp_desk *desk, uint32_t *seen) {
    uint32_t before = *seen;
    *seen = vhttp_ring_work(desk->found);
    return *seen != before || *seen % 2 == 1;
}

bool vhttp_errand_ask_file(struct vhttp_desk *desk, struct vhttp_errand *errand, const char *path,
                           uint32_t flags) {
    if (!vhttp_desk_ask_file(desk, head_of_next(errand, VHTTP_ASK_OPEN), path,
                             flags | VHTTP_OPEN_KEEP, 0)) {
        return false;
    }
    begin(errand, false);
    return true;
}

struct vhttp_ask_call *vhttp_errand_write_call(struct vhttp_desk *desk,
                                               const struct vhttp_errand *errand,
                                               uint32_t longest) {
    struct vhttp_ask_call *record = vhttp_ring_reserve(desk->calls, longest);
    if (record != NULL) {
        record->head = head_of_next(errand, VHTTP_ASK_CALL);
    }
    return record;
}

void vhttp_errand_ask_call(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t length) {
    commit(desk, desk->calls, length);
    begin(errand, true);
    errand->asked_until = vhttp_ring_written(desk->calls);
}

uint32_t vhttp_errand_body(struct vhttp_desk *desk, const struct vhttp_errand *errand,
                           const char *bytes, uint32_t length) {
    // Half of the ring is left to the requests of others.
    uint32_t room = VHTTP_IPC_REQUEST_RINGBUF_SIZE / 2;
    uint32_t used = vhttp_ring_depth(desk->calls);
    uint32_t piece = room > used ? room - used : 0;
    piece = length < piece ? length : piece;
    uint32_t size = (uint32_t)sizeof(struct vhttp_ipc_head) + piece;
    struct vhttp_ipc_head *record = piece == 0 ? NULL : vhttp_ring_reserve(desk->calls, size);
    if (record == NULL) {
        desk->owes = true;
        return 0;
    }
    *record = head_of(errand, VHTTP_ASK_BODY);
    memcpy(record + 1, bytes, piece);
    commit(desk, desk->calls, size);
    desk->owes |= piece < length;
    return piece;
}

bool vhttp_errand_body_end(struct vhttp_desk *desk, struct vhttp_errand *errand) {
    struct vhttp_ipc_head *record = vhttp_ring_reserve(desk->calls, sizeof(*record));
    if (record == NULL) {
        desk->owes = true;
        return false;
    }
    *record = head_of(errand, VHTTP_ASK_BODY_END);
    commit(desk, desk->calls, sizeof(*record));
    errand->asked_until = vhttp_ring_written(desk->calls);
    return true;
}

// Writes a short record. False when there is no room for it.
static bool tell(struct vhttp_desk *desk, const struct vhttp_errand *errand, const void *record,
                 uint32_t length) {
    struct vhttp_ring *ring = errand->is_call ? desk->calls : desk->files;
    void *room = vhttp_ring_reserve(ring, length);
    if (room == NULL) {
        return false;
    }
    memcpy(room, record, length);
    commit(desk, ring, length);
    return true;
}

bool vhttp_errand_settle(struct vhttp_desk *desk, struct vhttp_errand *errand) {
    if (errand->owes_close) {
        struct vhttp_ipc_head record = head_of(errand, VHTTP_ASK_CLOSE);
        errand->owes_close = !tell(desk, errand, &record, sizeof(record));
        errand->owes_credit = 0;
    } else if (errand->owes_read) {
        struct vhttp_ask_read record = {head_of(errand, VHTTP_ASK_READ), errand->read_offset,
                                        (uint32_t)errand->expected, VHTTP_WINDOW_SIZE};
        errand->owes_read = !tell(desk, errand, &record, sizeof(record));
    } else if (errand->owes_credit > 0) {
        struct vhttp_ask_credit record = {head_of(errand, VHTTP_ASK_CREDIT), errand->owes_credit};
        if (tell(desk, errand, &record, sizeof(record))) {
            errand->owes_credit = 0;
        }
    }
    bool is_settled = !errand->owes_close && !errand->owes_read && errand->owes_credit == 0;
    desk->owes |= !is_settled;
    return is_settled;
}

void vhttp_errand_read(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t offset,
                       uint32_t length) {
    errand->expected = length;
    errand->read_offset = offset;
    errand->owes_read = true;
    vhttp_errand_settle(desk, errand);
}

void vhttp_errand_credit(struct vhttp_desk *desk, struct vhttp_errand *errand, uint32_t count) {
    if (errand->expected == 0) {
        return;
    }
    errand->owes_credit += count;
    if (errand->owes_credit >= VHTTP_WINDOW_SIZE / 2) {
        vhttp_errand_settle(desk, errand);
    }
}

void vhttp_errand_drop(struct vhttp_desk *desk, struct vhttp_errand *errand) {
    if (errand->is_open) {
        errand->is_open = false;
        errand->owes_close = true;
        errand->owes_read = false;
        vhttp_errand_settle(desk, errand);
    }
}

// ---- Answers

bool vhttp_errand_awaits(const struct vhttp_errand *errand, uint32_t generation) {
    return errand->is_open && errand->generation == generation;
}

void vhttp_errand_expect(struct vhttp_errand *errand, uint64_t count) {
    errand->expected = count;
    if (count == 0) {
        vhttp_errand_is_done(errand);
    }
}

void vhttp_errand_got(struct vhttp_errand *errand, uint32_t count) {
    vhttp_errand_expect(errand, errand->expected - count);
}

void vhttp_errand_is_done(struct vhttp_errand *errand) {
    errand->is_open = false;
    errand->expected = 0;
    errand->owes_credit = 0;
}

bool vhttp_errand_is_call(const struct vhttp_errand *errand) {
    return errand->is_call && errand->is_open;
}

// Each side writes its own word before it reads the other's, so that one of them sees both.
bool vhttp_errand_give_up(struct vhttp_desk *desk, const struct vhttp_errand *errand) {
    atomic_store_explicit(&desk->given_up[errand->connection], errand->generation,
                          memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    return (int32_t)(vhttp_ring_released(desk->calls) - errand->asked_until) < 0;
}

bool vhttp_desk_gave_up(const struct vhttp_desk *desk, uint16_t connection, uint32_t generation) {
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&desk->given_up[connection], memory_order_relaxed) == generation;
}
