// SPDX-License-Identifier: MIT
#include "content.h"

#include <string.h>

#include "py/objarray.h"
#include "py/objstr.h"
#include "py/runtime.h"

bool content_is_bytes(mp_obj_t value) {
    return mp_obj_is_str_or_bytes(value) || mp_obj_is_type(value, &mp_type_bytearray) ||
           mp_obj_is_type(value, &mp_type_memoryview);
}

static bool can_change(mp_obj_t memoryview) {
    const mp_obj_array_t *view = MP_OBJ_TO_PTR(memoryview);
    return view->typecode & MP_OBJ_ARRAY_TYPECODE_FLAG_RW;
}

void content_take(struct content *content, mp_obj_t value) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(value, &info, MP_BUFFER_READ);
    bool is_copied = mp_obj_is_type(value, &mp_type_memoryview) && can_change(value);
    content->owner = is_copied ? mp_obj_new_bytes(info.buf, info.len) : value;
    content->length = info.len;
    content->at = 0;
}

size_t content_read(struct content *content, char *out, size_t room) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(content->owner, &info, MP_BUFFER_READ);
    if (info.len < content->length) {
        mp_raise_ValueError(MP_ERROR_TEXT("a bytearray was cut short while it was sent"));
    }
    size_t left = content->length - content->at;
    size_t count = left < room ? left : room;
    memcpy(out, (const char *)info.buf + content->at, count);
    content->at += count;
    return count;
}
