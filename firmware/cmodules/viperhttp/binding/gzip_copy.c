// SPDX-License-Identifier: MIT
#include "gzip_copy.h"

#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"

#include "gzip.h"
#include "platform.h"

#define CHUNK_SIZE 4096

struct copy {
    mp_obj_t source, target;
    int level;
    struct vhttp_gzip gzip;
    mp_uint_t read, written;
    void *memory; // the compressor's
    uint8_t chunk[CHUNK_SIZE];
};

// Raises what the stream raises, or OSError.
static bool write_out(void *argument, const uint8_t *bytes, size_t size) {
    struct copy *copy = argument;
    int error = 0;
    mp_uint_t written =
        mp_stream_rw(copy->target, (void *)(uintptr_t)bytes, size, &error, MP_STREAM_RW_WRITE);
    if (error != 0 || written != size) {
        mp_raise_OSError(error != 0 ? error : MP_ENOSPC); // FAT writes less when it is full
    }
    copy->written += written;
    return true;
}

static void copy_all(struct copy *copy) {
    vhttp_gzip_begin(&copy->gzip, copy->memory, copy->level, write_out, copy);
    for (;;) {
        int error = 0;
        mp_uint_t length =
            mp_stream_rw(copy->source, copy->chunk, CHUNK_SIZE, &error, MP_STREAM_RW_READ);
        if (error != 0) {
            mp_raise_OSError(error);
        }
        if (length == 0) {
            break;
        }
        copy->read += length;
        vhttp_gzip_write(&copy->gzip, copy->chunk, length);
        mp_handle_pending(true); // files are served meanwhile
    }
    vhttp_gzip_end(&copy->gzip);
}

static mp_obj_t gzip_copy(mp_obj_t source, mp_obj_t target, mp_obj_t level_in) {
    mp_get_stream_raise(source, MP_STREAM_OP_READ);
    mp_get_stream_raise(target, MP_STREAM_OP_WRITE);
    mp_int_t level = mp_obj_get_int(level_in);
    if (level < 1 || level > 9) {
        mp_raise_ValueError(MP_ERROR_TEXT("level must be in 1..9"));
    }
    struct copy *copy = m_new_obj(struct copy); // on the heap: a task's stack has no room for it
    *copy = (struct copy){.source = source, .target = target, .level = (int)level};
    copy->memory = vhttp_alloc(vhttp_deflate_size(), VHTTP_MEMORY_LARGE);
    if (copy->memory == NULL) {
        mp_raise_type(&mp_type_MemoryError);
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        vhttp_free(copy->memory);
        nlr_jump(nlr.ret_val);
    }
    copy_all(copy);
    nlr_pop();
    vhttp_free(copy->memory);
    mp_obj_t sizes[] = {mp_obj_new_int_from_uint(copy->read),
                        mp_obj_new_int_from_uint(copy->written)};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(sizes), sizes);
}
MP_DEFINE_CONST_FUN_OBJ_3(vhttp_gzip_copy_obj, gzip_copy);
