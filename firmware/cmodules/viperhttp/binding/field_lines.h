// SPDX-License-Identifier: MIT
// A response's header fields as they are sent.
#ifndef VHTTP_FIELD_LINES_H
#define VHTTP_FIELD_LINES_H

#include "py/obj.h"

// Appends a line for each item of `fields`, a dict; a list or tuple as value makes one for each of
// its items. Raises ValueError for a name or value that a field cannot hold (RFC 9110, 5.1 and 5.5)
// and for a field that is the server's own to set.
void vhttp_add_field_lines(vstr_t *lines, mp_obj_t fields);

#endif
