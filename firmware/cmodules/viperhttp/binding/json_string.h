// SPDX-License-Identifier: MIT
// A text as JSON that may stand in a page, for compiled templates.
#ifndef VHTTP_JSON_STRING_H
#define VHTTP_JSON_STRING_H

#include "py/obj.h"

// json_text(text) -> the text in quotes, all of it ASCII, and < > & ' as escapes, as Jinja2's
// tojson writes it; TypeError for what is no str.
MP_DECLARE_CONST_FUN_OBJ_1(vhttp_json_text_obj);

#endif
