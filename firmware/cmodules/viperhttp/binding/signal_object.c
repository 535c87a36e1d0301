// SPDX-License-Identifier: MIT
#include "signal_object.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"

#include "platform.h"

typedef struct {
    mp_obj_base_t base;
    int signal;
    bool is_open;
    volatile bool is_set;
} signal_obj_t;

static mp_obj_t signal_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    (void)args;
    signal_obj_t *self = mp_obj_malloc_with_finaliser(signal_obj_t, type);
    self->is_set = false;
    self->is_open = false;
    self->signal = vhttp_signal_open();
    if (self->signal < 0 && self->signal != VHTTP_SIGNAL_NONE) {
        mp_raise_OSError(-self->signal);
    }
    self->is_open = true;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t signal_set(mp_obj_t self_in) {
    signal_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->is_open && !self->is_set) {
        self->is_set = true;
        vhttp_signal_set(self->signal);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(signal_set_obj, signal_set);

static mp_obj_t signal_clear(mp_obj_t self_in) {
    signal_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->is_open && self->is_set) {
        self->is_set = false;
        vhttp_signal_clear(self->signal);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(signal_clear_obj, signal_clear);

static mp_obj_t signal_del(mp_obj_t self_in) {
    signal_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->is_open) {
        self->is_open = false;
        vhttp_signal_close(self->signal);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(signal_del_obj, signal_del);

static mp_uint_t signal_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t argument, int *error) {
    signal_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (request == MP_STREAM_POLL) {
        return self->is_set ? argument & MP_STREAM_POLL_RD : 0;
    }
    if (request == MP_STREAM_GET_FILENO && self->is_open && self->signal != VHTTP_SIGNAL_NONE) {
        return (mp_uint_t)self->signal;
    }
    *error = MP_EINVAL;
    return MP_STREAM_ERROR;
}

static const mp_stream_p_t signal_stream = {.ioctl = signal_ioctl};

static const mp_rom_map_elem_t signal_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_set), MP_ROM_PTR(&signal_set_obj)},
    {MP_ROM_QSTR(MP_QSTR_clear), MP_ROM_PTR(&signal_clear_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&signal_del_obj)},
};
static MP_DEFINE_CONST_DICT(signal_locals_dict, signal_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(vhttp_signal_type, MP_QSTR_Signal, MP_TYPE_FLAG_NONE, make_new,
                         signal_make_new, protocol, &signal_stream, locals_dict,
                         &signal_locals_dict);
