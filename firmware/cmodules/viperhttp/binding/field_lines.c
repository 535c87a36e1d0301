// SPDX-License-Identifier: MIT
#include "field_lines.h"

#include <string.h>

#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"

#include "slice.h"

static bool is_token(struct vhttp_slice text) {
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        char lower = vhttp_lower(c);
        bool is_good = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        if (!is_good) {
            return false;
        }
    }
    return text.length > 0;
}

static bool is_servers(struct vhttp_slice name) {
    static const char *const names[] = {"content-length", "transfer-encoding", "connection"};
    for (size_t i = 0; i < MP_ARRAY_SIZE(names); i++) {
        if (vhttp_slice_equals_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool has_control_character(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

static void add_line(vstr_t *lines, struct vhttp_slice name, mp_obj_t value) {
    vstr_add_strn(lines, name.at, name.length);
    vstr_add_strn(lines, ": ", 2);
    size_t start = lines->len;
    if (mp_obj_is_str_or_bytes(value)) {
        size_t length;
        const char *text = mp_obj_str_get_data(value, &length);
        vstr_add_strn(lines, text, length);
    } else {
        mp_print_t print = {lines, (mp_print_strn_t)vstr_add_strn};
        mp_obj_print_helper(&print, value, PRINT_STR);
    }
    if (has_control_character(lines->buf + start, lines->len - start)) {
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("header '%.*s': a value has no control characters"),
                          (int)name.length, name.at);
    }
    vstr_add_strn(lines, "\r\n", 2);
}

static void add_field(vstr_t *lines, mp_obj_t name_in, mp_obj_t value) {
    struct vhttp_slice name;
    name.at = mp_obj_str_get_data(name_in, &name.length);
    if (!is_token(name)) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("no header's name: '%s'"), name.at);
    }
    if (is_servers(name)) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%s is the server's own to set"),
                          name.at);
    }
    if (!mp_obj_is_type(value, &mp_type_list) && !mp_obj_is_type(value, &mp_type_tuple)) {
        add_line(lines, name, value);
        return;
    }
    size_t count;
    mp_obj_t *values;
    mp_obj_get_array(value, &count, &values);
    for (size_t i = 0; i < count; i++) {
        add_line(lines, name, values[i]);
    }
}

void vhttp_add_field_lines(vstr_t *lines, mp_obj_t fields) {
    if (!mp_obj_is_dict_or_ordereddict(fields)) {
        mp_raise_TypeError(MP_ERROR_TEXT("headers are a dict"));
    }
    const mp_map_t *map = mp_obj_dict_get_map(fields);
    for (size_t i = 0; i < map->alloc; i++) {
        if (mp_map_slot_is_filled(map, i)) {
            add_field(lines, map->table[i].key, map->table[i].value);
        }
    }
}
