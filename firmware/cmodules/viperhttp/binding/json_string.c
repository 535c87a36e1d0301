// SPDX-License-Identifier: MIT
#include "json_string.h"

#include <string.h>

#include "py/objstr.h"
#include "py/runtime.h"

static void add_unit(vstr_t *out, unsigned unit) { vstr_printf(out, "\\u%04x", unit); }

static void add_character(vstr_t *out, unichar c) {
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i < sizeof(named) - 1; i += 2) {
        if (c == (unichar)named[i]) {
            vstr_add_byte(out, '\\');
            vstr_add_byte(out, (byte)named[i + 1]);
            return;
        }
    }
    if (c >= 0x10000) {
        add_unit(out, 0xd800 + ((c - 0x10000) >> 10));
        add_unit(out, 0xdc00 + (c & 0x3ff));
    } else if (c < ' ' || c >= 0x7f || strchr("<>&'", (int)c) != NULL) {
        add_unit(out, c);
    } else {
        vstr_add_byte(out, (byte)c);
    }
}

static mp_obj_t json_text(mp_obj_t text) {
    size_t size;
    const byte *at = (const byte *)mp_obj_str_get_data(text, &size);
    const byte *end = at + size;
    if (!mp_obj_is_str(text)) {
        mp_raise_TypeError(MP_ERROR_TEXT("a str is written"));
    }
    vstr_t out;
    vstr_init(&out, size + 16);
    vstr_add_byte(&out, '"');
    while (at < end) {
        add_character(&out, utf8_get_char(at));
        at = utf8_next_char(at);
    }
    vstr_add_byte(&out, '"');
    return mp_obj_new_str_from_vstr(&out);
}
MP_DEFINE_CONST_FUN_OBJ_1(vhttp_json_text_obj, json_text);
