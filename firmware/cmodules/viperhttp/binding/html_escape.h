// SPDX-License-Identifier: MIT
// escape_html(): a text for a page, for compiled templates.
#ifndef VHTTP_HTML_ESCAPE_H
#define VHTTP_HTML_ESCAPE_H

#include "py/obj.h"

// escape_html(text) -> the text with & < > " ' as character references, itself if it has none;
// TypeError for what is no str.
MP_DECLARE_CONST_FUN_OBJ_1(vhttp_escape_html_obj);

#endif
