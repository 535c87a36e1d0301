// SPDX-License-Identifier: MIT
#include "html_escape.h"

#include <string.h>

#include "py/objstr.h"
#include "py/runtime.h"

// As markupsafe has them, so that a page is the same as Jinja2's.
static const char *reference(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&#34;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static mp_obj_t escape_html(mp_obj_t text) {
    size_t size;
    const char *from = mp_obj_str_get_data(text, &size);
    if (!mp_obj_is_str(text)) {
        mp_raise_TypeError(MP_ERROR_TEXT("a str is escaped"));
    }
    size_t escaped = size;
    for (size_t i = 0; i < size; i++) {
        const char *in_place = reference(from[i]);
        if (in_place != NULL) {
            escaped += strlen(in_place) - 1;
        }
    }
    if (escaped == size) {
        return text;
    }
    vstr_t result;
    vstr_init_len(&result, escaped);
    char *to = result.buf;
    for (size_t i = 0; i < size; i++) {
        const char *in_place = reference(from[i]);
        if (in_place == NULL) {
            *to++ = from[i];
        } else {
            to = (char *)memcpy(to, in_place, strlen(in_place)) + strlen(in_place);
        }
    }
    return mp_obj_new_str_from_utf8_vstr(&result);
}
MP_DEFINE_CONST_FUN_OBJ_1(vhttp_escape_html_obj, escape_html);
