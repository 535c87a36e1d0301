// SPDX-License-Identifier: MIT
#include "json_writer.h"

#include <math.h>
#include <string.h>

#include "py/objint.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"

// MicroPython has this from 1.26 on; a named tuple iterates as a tuple does.
#ifndef mp_obj_is_tuple_compatible
#define mp_obj_is_tuple_compatible(o)                                                              \
    (MP_OBJ_TYPE_GET_SLOT_OR_NULL(mp_obj_get_type(o), iter) == mp_obj_tuple_getiter)
#endif

void json_writer_init(struct json_writer *writer, mp_obj_t value) {
    writer->value = value;
    writer->text = NULL;
    writer->value_is_next = true;
    writer->is_first = true;
    writer->depth = 0;
}

static void start_text(struct json_writer *writer, mp_obj_t str) {
    writer->text = mp_obj_str_get_data(str, &writer->text_length);
    writer->text_at = 0;
    writer->text_is_string = true;
}

// Writes one character of a string, which takes at most six bytes.
static char *put_escaped(char *at, char c) {
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    *at++ = '\\';
    for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
        if (letters[i] == c) {
            *at++ = letters[i + 1];
            return at;
        }
    }
    memcpy(at, "u00", 3);
    at[3] = hex[(unsigned char)c >> 4];
    at[4] = hex[c & 15];
    return at + 5;
}

// Goes on with the text. True when it is complete.
static bool fill_text(struct json_writer *writer, char **at, char *end) {
    while (writer->text_at < writer->text_length) {
        if (end - *at < 8) {
            return false;
        }
        char c = writer->text[writer->text_at++];
        bool is_plain =
            !writer->text_is_string || ((unsigned char)c >= ' ' && c != '"' && c != '\\');
        if (is_plain) {
            *(*at)++ = c;
        } else {
            *at = put_escaped(*at, c);
        }
    }
    if (writer->text_is_string) {
        if (end - *at < 8) {
            return false;
        }
        *(*at)++ = '"';
    }
    writer->text = NULL;
    return true;
}

static char *put_int(char *at, mp_int_t value) {
    char digits[24];
    size_t count = 0;
    mp_uint_t rest = value < 0 ? -(mp_uint_t)value : (mp_uint_t)value;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) {
        *at++ = '-';
    }
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
}

// A float, or an int of more digits than a small one's.
static void start_number(struct json_writer *writer, mp_obj_t number) {
    if (mp_obj_is_float(number) && !isfinite(mp_obj_get_float(number))) {
        mp_raise_ValueError(MP_ERROR_TEXT("JSON has no infinity and no NaN"));
    }
    vstr_t text;
    mp_print_t print;
    vstr_init_print(&text, 24, &print);
    mp_obj_print_helper(&print, number, PRINT_REPR);
    writer->text = text.buf;
    writer->text_at = 0;
    writer->text_length = text.len;
    writer->text_is_string = false;
}

static char *put_word(char *at, const char *word) {
    size_t length = strlen(word);
    memcpy(at, word, length);
    return at + length;
}

static bool is_map(mp_obj_t value) { return mp_obj_is_dict_or_ordereddict(value); }

static void open_container(struct json_writer *writer, mp_obj_t container) {
    if (writer->depth == VHTTP_JSON_DEPTH_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("too deep for JSON, or it holds itself"));
    }
    writer->frames[writer->depth++] = (struct json_frame){container, 0};
    writer->is_first = true;
}

static char *put_value(struct json_writer *writer, char *at, mp_obj_t value) {
    writer->value_is_next = false;
    if (value == mp_const_none) {
        return put_word(at, "null");
    }
    if (mp_obj_is_bool(value)) {
        return put_word(at, value == mp_const_true ? "true" : "false");
    }
    if (mp_obj_is_small_int(value)) {
        return put_int(at, MP_OBJ_SMALL_INT_VALUE(value));
    }
    if (mp_obj_is_str(value)) {
        *at++ = '"';
        start_text(writer, value);
    } else if (is_map(value)) {
        *at++ = '{';
        open_container(writer, value);
    } else if (mp_obj_is_type(value, &mp_type_list) || mp_obj_is_tuple_compatible(value)) {
        *at++ = '[';
        open_container(writer, value);
    } else if (mp_obj_is_int(value) || mp_obj_is_float(value)) {
        start_number(writer, value);
    } else {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("JSON cannot hold '%s'"),
                          mp_obj_get_type_str(value));
    }
    return at;
}

static char *put_key(struct json_writer *writer, char *at, mp_obj_t key) {
    *at++ = '"';
    if (mp_obj_is_str(key)) {
        start_text(writer, key);
    } else if (mp_obj_is_small_int(key)) {
        at = put_int(at, MP_OBJ_SMALL_INT_VALUE(key));
        *at++ = '"';
    } else {
        mp_raise_msg_varg(&mp_type_TypeError, MP_ERROR_TEXT("a key of JSON cannot be '%s'"),
                          mp_obj_get_type_str(key));
    }
    return at;
}

// The next item of a map or sequence; false at its end.
static bool next_item(struct json_frame *frame, mp_obj_t *key, mp_obj_t *value) {
    if (is_map(frame->container)) {
        mp_map_t *map = mp_obj_dict_get_map(frame->container);
        while (frame->next < map->alloc) {
            size_t slot = frame->next++;
            if (mp_map_slot_is_filled(map, slot)) {
                *key = map->table[slot].key;
                *value = map->table[slot].value;
                return true;
            }
        }
        return false;
    }
    size_t length;
    mp_obj_t *items;
    mp_obj_get_array(frame->container, &length, &items);
    if (frame->next >= length) {
        return false;
    }
    *key = MP_OBJ_NULL;
    *value = items[frame->next++];
    return true;
}

// Goes on in the innermost container: a comma and the next item's key, or the closing bracket.
static char *put_next_item(struct json_writer *writer, char *at) {
    struct json_frame *frame = &writer->frames[writer->depth - 1];
    mp_obj_t key;
    if (!next_item(frame, &key, &writer->value)) {
        *at++ = is_map(frame->container) ? '}' : ']';
        writer->depth--;
        writer->is_first = false;
        return at;
    }
    if (!writer->is_first) {
        *at++ = ',';
    }
    writer->is_first = false;
    writer->value_is_next = true;
    return key == MP_OBJ_NULL ? at : put_key(writer, at, key);
}

bool json_writer_fill(struct json_writer *writer, char **at, char *end) {
    for (;;) {
        if (writer->text != NULL && !fill_text(writer, at, end)) {
            return false;
        }
        if (end - *at < JSON_PIECE_MIN) {
            // A complete text may end here too; the next piece finds that out.
            return !writer->value_is_next && writer->depth == 0;
        }
        if (writer->value_is_next) {
            bool is_after_key =
                writer->depth > 0 && is_map(writer->frames[writer->depth - 1].container);
            if (is_after_key) {
                *(*at)++ = ':';
            }
            *at = put_value(writer, *at, writer->value);
        } else if (writer->depth > 0) {
            *at = put_next_item(writer, *at);
        } else {
            return true;
        }
    }
}
