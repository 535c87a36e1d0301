// SPDX-License-Identifier: MIT
#include "figures.h"

#include "py/runtime.h"

#include "platform.h"
#include "ring.h"
#include "stats.h"
#include "status.h"

static void store(mp_obj_t dict, qstr name, uint64_t value) {
    mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(name), mp_obj_new_int_from_ull(value));
}

// server_stats(): counts since the start.
mp_obj_t vhttp_server_figures(struct vhttp_server *server) {
    struct vhttp_stats stats;
    vhttp_server_copy_stats(server, &stats);
    mp_obj_t figures = mp_obj_new_dict(0);
    store(figures, MP_QSTR_uptime_ms, vhttp_now_ms() - stats.started_ms);
    store(figures, MP_QSTR_connections_open, stats.connections_open);
    store(figures, MP_QSTR_connections_total, stats.connections_total);
    store(figures, MP_QSTR_connections_evicted, stats.connections_evicted);
    store(figures, MP_QSTR_received_bytes, stats.bytes_received);
    store(figures, MP_QSTR_sent_bytes, stats.bytes_sent);
    store(figures, MP_QSTR_files_opened, stats.files_opened);
    store(figures, MP_QSTR_timeouts, stats.timeouts);
    mp_obj_t responses = mp_obj_new_dict(0);
    for (size_t i = 0; i < VHTTP_STATUS_COUNT; i++) {
        if (stats.responses[i] != 0) {
            mp_obj_dict_store(responses, MP_OBJ_NEW_SMALL_INT(vhttp_statuses[i].code),
                              mp_obj_new_int_from_ull(stats.responses[i]));
        }
    }
    mp_obj_dict_store(figures, MP_OBJ_NEW_QSTR(MP_QSTR_responses), responses);
    return figures;
}

static mp_obj_t ring_figures(const struct vhttp_ring *ring) {
    mp_obj_t figures = mp_obj_new_dict(0);
    store(figures, MP_QSTR_size, ring->size);
    store(figures, MP_QSTR_depth, vhttp_ring_depth(ring));
    store(figures, MP_QSTR_high_water,
          atomic_load_explicit(&ring->high_water, memory_order_relaxed));
    store(figures, MP_QSTR_full, atomic_load_explicit(&ring->full_count, memory_order_relaxed));
    return figures;
}

// ipc_stats(): the two rings.
mp_obj_t vhttp_ring_figures(struct vhttp_server *server) {
    struct vhttp_stats stats;
    vhttp_server_copy_stats(server, &stats);
    mp_obj_t figures = mp_obj_new_dict(0);
    mp_obj_dict_store(figures, MP_OBJ_NEW_QSTR(MP_QSTR_psram), mp_obj_new_bool(vhttp_has_psram()));
    mp_obj_dict_store(figures, MP_OBJ_NEW_QSTR(MP_QSTR_requests),
                      ring_figures(vhttp_server_requests(server)));
    mp_obj_dict_store(figures, MP_OBJ_NEW_QSTR(MP_QSTR_responses),
                      ring_figures(vhttp_server_responses(server)));
    store(figures, MP_QSTR_dropped, stats.answers_dropped);
    return figures;
}
