// SPDX-License-Identifier: MIT
#include "vfs_files.h"

#include "extmod/vfs.h"
#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/objexcept.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/timeutils/timeutils.h"

#include "build_info.h"

// ---- Calls into MicroPython, none of which raises

typedef mp_obj_t (*protected_fun)(void *argument);

// Calls `fun`; on an exception answers MP_OBJ_NULL and sets *error to its errno value (EIO for
// one that has none). A KeyboardInterrupt is not for us: it is raised again in the program.
static mp_obj_t call_protected(protected_fun fun, void *argument, int *error) {
    nlr_buf_t nlr;
    *error = 0;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t result = fun(argument);
        nlr_pop();
        return result;
    }
    mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    *error = MP_EIO;
    if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt))) {
        mp_sched_keyboard_interrupt();
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_MemoryError))) {
        *error = MP_ENOMEM;
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_OSError))) {
        mp_obj_t value = mp_obj_exception_get_value(exception);
        if (mp_obj_is_small_int(value)) {
            *error = (int)MP_OBJ_SMALL_INT_VALUE(value);
        }
    }
    return MP_OBJ_NULL;
}

static mp_obj_t stat_unprotected(void *path) { return mp_vfs_stat(mp_obj_new_str_from_cstr(path)); }

static mp_obj_t open_unprotected(void *path) {
    mp_obj_t args[] = {mp_obj_new_str_from_cstr(path), MP_OBJ_NEW_QSTR(MP_QSTR_rb)};
    return mp_vfs_open(MP_ARRAY_SIZE(args), args, (mp_map_t *)&mp_const_empty_map);
}

static mp_obj_t close_unprotected(void *file) { return mp_stream_close(MP_OBJ_FROM_PTR(file)); }

struct reading {
    mp_obj_t file;
    void *out;
    size_t size;
    size_t done;
};

static mp_obj_t read_unprotected(void *argument) {
    struct reading *reading = argument;
    int error = 0;
    reading->done =
        mp_stream_rw(reading->file, reading->out, reading->size, &error, MP_STREAM_RW_READ);
    if (error != 0) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

struct seeking {
    mp_obj_t file;
    mp_off_t offset;
};

static mp_obj_t seek_unprotected(void *argument) {
    struct seeking *seeking = argument;
    int error = 0;
    if (mp_stream_seek(seeking->file, seeking->offset, MP_SEEK_SET, &error) == (mp_off_t)-1) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

static int file_error(int error) {
    switch (error) {
    case MP_EISDIR:
        return VHTTP_FILE_IS_FOLDER;
    case MP_ENOMEM:
        return VHTTP_FILE_NO_MEMORY;
    case MP_EIO:
        return VHTTP_FILE_FAILED;
    default:
        return VHTTP_FILE_ABSENT; // ENOENT, and whatever a name that cannot be gives
    }
}

// ---- The file system's functions

// A time is sure when it is later than the firmware's: images have a constant one, and a board
// whose clock is not set starts in 2000.
static int64_t sure_time(mp_obj_t field) {
    int64_t seconds = mp_obj_get_int(field);
#if !MICROPY_EPOCH_IS_1970
    seconds += TIMEUTILS_SECONDS_1970_TO_2000;
#endif
    return seconds > vhttp_build_time_s() ? seconds : 0;
}

static int stat_file(const char *path, struct vhttp_file_stat *out) {
    int error;
    mp_obj_t stat = call_protected(stat_unprotected, (void *)(uintptr_t)path, &error);
    if (stat == MP_OBJ_NULL) {
        return file_error(error);
    }
    mp_obj_t *fields;
    mp_obj_get_array_fixed_n(stat, 10, &fields);
    if (mp_obj_get_int(fields[0]) & MP_S_IFDIR) {
        return VHTTP_FILE_IS_FOLDER;
    }
    *out = (struct vhttp_file_stat){mp_obj_get_int(fields[6]), sure_time(fields[8])};
    return 0;
}

static void *open_file(const char *path, int *error) {
    mp_obj_t file = call_protected(open_unprotected, (void *)(uintptr_t)path, error);
    if (file == MP_OBJ_NULL) {
        *error = file_error(*error);
        return NULL;
    }
    return MP_OBJ_TO_PTR(file);
}

static void close_file(void *file) {
    int error;
    call_protected(close_unprotected, file, &error);
}

static bool read_file(void *file, void *out, size_t size) {
    struct reading reading = {MP_OBJ_FROM_PTR(file), out, size, 0};
    int error;
    return call_protected(read_unprotected, &reading, &error) != MP_OBJ_NULL &&
           reading.done == size;
}

static bool seek_file(void *file, uint32_t offset) {
    struct seeking seeking = {MP_OBJ_FROM_PTR(file), (mp_off_t)offset};
    int error;
    return call_protected(seek_unprotected, &seeking, &error) != MP_OBJ_NULL;
}

const struct vhttp_file_system vhttp_vfs_files = {stat_file, open_file, close_file, read_file,
                                                  seek_file};
