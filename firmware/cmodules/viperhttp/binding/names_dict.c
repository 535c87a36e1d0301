// SPDX-License-Identifier: MIT
#include "names_dict.h"

#include <string.h>

#include "py/objstr.h"
#include "py/runtime.h"

mp_obj_t vhttp_names_dict_new(size_t count) {
    return mp_obj_new_dict(count + count / 3); // as full as a dict gets that has grown
}

static bool are_equal(mp_obj_t one, mp_obj_t other) {
    size_t one_length, other_length;
    const char *one_text = mp_obj_str_get_data(one, &one_length);
    const char *other_text = mp_obj_str_get_data(other, &other_length);
    return one_length == other_length && memcmp(one_text, other_text, one_length) == 0;
}

// As py/map.c looks a name up.
void vhttp_names_dict_store(mp_obj_t dict, mp_obj_t name, mp_obj_t value) {
    mp_map_t *map = mp_obj_dict_get_map(dict);
    size_t at = (size_t)MP_OBJ_SMALL_INT_VALUE(mp_unary_op(MP_UNARY_OP_HASH, name)) % map->alloc;
    while (map->table[at].key != MP_OBJ_NULL && !are_equal(map->table[at].key, name)) {
        at = (at + 1) % map->alloc;
    }
    if (map->table[at].key == MP_OBJ_NULL) {
        map->used++;
        map->all_keys_are_qstrs &= mp_obj_is_qstr(name);
        map->table[at].key = name;
    }
    map->table[at].value = value;
}
