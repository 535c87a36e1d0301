// SPDX-License-Identifier: MIT
#include "json_reader.h"

#include <stdlib.h>

#include "py/objlist.h"
#include "py/parsenum.h"
#include "py/runtime.h"

#include "json_text.h"
#include "names_dict.h"

struct reader {
    struct vhttp_json_text text;
    char *unescaped; // room for the longest string
    size_t depth;
    // What was read of the open containers: values, in an object each behind its key.
    mp_obj_t items;
    struct {
        bool is_object;
        size_t first; // of its items
    } open[VHTTP_JSON_DEPTH_MAX];
};

static NORETURN void raise_bad(void) { mp_raise_ValueError(MP_ERROR_TEXT("the body is not JSON")); }

static NORETURN void raise_too_much(enum vhttp_json_token token) {
    mp_raise_msg_varg(
        &mp_type_OverflowError,
        token == VHTTP_JSON_DEEP   ? MP_ERROR_TEXT("JSON of more than %d containers in each other")
        : token == VHTTP_JSON_WIDE ? MP_ERROR_TEXT("a JSON object of more than %d names")
                                   : MP_ERROR_TEXT("a JSON number of more than %d characters"),
        token == VHTTP_JSON_DEEP   ? VHTTP_JSON_DEPTH_MAX
        : token == VHTTP_JSON_WIDE ? VHTTP_NAMES_MAX
                                   : VHTTP_JSON_NUMBER_MAX);
}

static mp_obj_t string(struct reader *reader, struct vhttp_slice text) {
    if (memchr(text.at, '\\', text.length) == NULL) {
        return mp_obj_new_str(text.at, text.length);
    }
    ptrdiff_t length = vhttp_json_unescape(text, reader->unescaped);
    if (length < 0) {
        raise_bad();
    }
    return mp_obj_new_str(reader->unescaped, (size_t)length);
}

// Rounded to the nearest, which MicroPython's own reading of floats is not.
static mp_obj_t number(struct reader *reader, struct vhttp_slice text) {
    memcpy(reader->unescaped, text.at, text.length);
    reader->unescaped[text.length] = '\0';
    return mp_obj_new_float((mp_float_t)strtod(reader->unescaped, NULL));
}

// Forgets the items from `length` on.
static void shorten(mp_obj_t list, size_t length) {
    mp_obj_list_t *items = MP_OBJ_TO_PTR(list);
    mp_seq_clear(items->items, length, items->len, sizeof(*items->items));
    items->len = length;
}

// The innermost container, made of its items, which it replaces.
static mp_obj_t take_closed(struct reader *reader) {
    size_t first = reader->open[--reader->depth].first, length;
    mp_obj_t *items;
    mp_obj_list_get(reader->items, &length, &items);
    items += first;
    length -= first;
    mp_obj_t container;
    if (reader->open[reader->depth].is_object) {
        container = vhttp_names_dict_new(length / 2);
        for (size_t i = 0; i < length; i += 2) {
            vhttp_names_dict_store(container, items[i], items[i + 1]);
        }
    } else {
        container = mp_obj_new_list(length, items);
    }
    shorten(reader->items, first);
    return container;
}

// The value that a token ends, or MP_OBJ_NULL.
static mp_obj_t value_of(struct reader *reader, enum vhttp_json_token token,
                         struct vhttp_slice text) {
    switch (token) {
    case VHTTP_JSON_OBJECT:
    case VHTTP_JSON_ARRAY: {
        size_t length;
        mp_obj_t *items;
        mp_obj_list_get(reader->items, &length, &items);
        reader->open[reader->depth].is_object = token == VHTTP_JSON_OBJECT;
        reader->open[reader->depth++].first = length;
        return MP_OBJ_NULL;
    }
    case VHTTP_JSON_CLOSE:
        return take_closed(reader);
    case VHTTP_JSON_KEY:
    case VHTTP_JSON_STRING:
        return string(reader, text);
    case VHTTP_JSON_INTEGER:
        return mp_parse_num_integer(text.at, text.length, 10, NULL);
    case VHTTP_JSON_FLOAT:
        return number(reader, text);
    case VHTTP_JSON_TRUE:
        return mp_const_true;
    case VHTTP_JSON_FALSE:
        return mp_const_false;
    case VHTTP_JSON_NULL:
        return mp_const_none;
    case VHTTP_JSON_DEEP:
    case VHTTP_JSON_WIDE:
    case VHTTP_JSON_LONG:
        raise_too_much(token);
    case VHTTP_JSON_END:
    case VHTTP_JSON_BAD:
        break;
    }
    raise_bad();
}

static mp_obj_t read_value(struct reader *reader) {
    struct vhttp_slice text;
    enum vhttp_json_token token;
    while ((token = vhttp_json_next(&reader->text, &text)) != VHTTP_JSON_END) {
        mp_obj_t item = value_of(reader, token, text);
        if (item != MP_OBJ_NULL) {
            mp_obj_list_append(reader->items, item);
        }
    }
    return mp_obj_subscr(reader->items, MP_OBJ_NEW_SMALL_INT(0), MP_OBJ_SENTINEL);
}

static mp_obj_t parse_json(mp_obj_t bytes) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(bytes, &info, MP_BUFFER_READ);
    struct reader reader = {.unescaped = m_new(char, info.len + 1),
                            .items = mp_obj_new_list(0, NULL)};
    vhttp_json_start(&reader.text, (struct vhttp_slice){info.buf, info.len});
    mp_obj_t value = read_value(&reader);
    m_del(char, reader.unescaped, info.len + 1);
    return value;
}
MP_DEFINE_CONST_FUN_OBJ_1(vhttp_parse_json_obj, parse_json);
