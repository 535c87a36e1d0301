// SPDX-License-Identifier: MIT
// A JSON text as Python's values.
#ifndef VHTTP_JSON_READER_H
#define VHTTP_JSON_READER_H

#include "py/obj.h"

// parse_json(bytes) -> value; of a key that is repeated the last counts. ValueError: it is no JSON.
// OverflowError: it goes beyond VHTTP_JSON_DEPTH_MAX, VHTTP_NAMES_MAX or VHTTP_JSON_NUMBER_MAX.
MP_DECLARE_CONST_FUN_OBJ_1(vhttp_parse_json_obj);

#endif
