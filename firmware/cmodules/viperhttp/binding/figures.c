// SPDX-License-Identifier: MIT
#include "figures.h"

#include <stdio.h>
#include <string.h>

#include "py/runtime.h"

#include "platform.h"
#include "pulse.h"
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

// ---- Of the device

static mp_obj_t stall(void) {
    struct vhttp_stall *kept = vhttp_stall_last(vhttp_kept());
    if (kept == NULL) {
        return mp_const_none;
    }
    mp_obj_t values[] = {
        mp_obj_new_str_from_cstr(vhttp_stall_place(kept)),
        mp_obj_new_int_from_ull(kept->after_ms),
        mp_obj_new_int_from_uint(kept->count),
        mp_obj_new_bool(kept->is_told != 0),
    };
    vhttp_stall_set_told(kept);
    return mp_obj_new_tuple(MP_ARRAY_SIZE(values), values);
}
MP_DEFINE_CONST_FUN_OBJ_0(vhttp_stall_obj, stall);

// "free_bytes" of "internal" is "internal_free".
static void store_figure(void *dict, const char *name, const char *kind, const char *of,
                         uint64_t value) {
    (void)kind;
    static const char unit[] = "_bytes";
    size_t length = strlen(name);
    if (length > sizeof(unit) && strcmp(name + length - (sizeof(unit) - 1), unit) == 0) {
        length -= sizeof(unit) - 1;
    }
    char key[64];
    snprintf(key, sizeof(key), "%s%s%.*s", of == NULL ? "" : of, of == NULL ? "" : "_", (int)length,
             name);
    mp_obj_dict_store(MP_OBJ_FROM_PTR(dict), mp_obj_new_str_from_cstr(key),
                      mp_obj_new_int_from_ull(value));
}

static mp_obj_t system_figures(void) {
    mp_obj_t figures = mp_obj_new_dict(0);
    mp_obj_dict_store(figures, MP_OBJ_NEW_QSTR(MP_QSTR_reset_reason),
                      mp_obj_new_str_from_cstr(vhttp_reset_reason()));
    const struct vhttp_stall *kept = vhttp_stall_last(vhttp_kept());
    store(figures, MP_QSTR_stalls, kept == NULL ? 0 : kept->count);
    vhttp_system_figures(store_figure, MP_OBJ_TO_PTR(figures));
    return figures;
}
MP_DEFINE_CONST_FUN_OBJ_0(vhttp_system_figures_obj, system_figures);

static mp_obj_t memory_lack(void) {
    const char *lack = vhttp_memory_lack();
    return lack == NULL ? mp_const_none : mp_obj_new_str_from_cstr(lack);
}
MP_DEFINE_CONST_FUN_OBJ_0(vhttp_memory_lack_obj, memory_lack);
