// SPDX-License-Identifier: MIT
// Floats as Python on a computer prints and rounds them, whatever MicroPython's own way.
#ifndef VHTTP_FLOAT_TEXT_H
#define VHTTP_FLOAT_TEXT_H

#include "py/obj.h"

#define FLOAT_TEXT_SIZE 32 // bytes, with a final NUL

// The shortest text that reads back as the same float, in the form of Python's repr().
void vhttp_float_text(mp_float_t value, char text[FLOAT_TEXT_SIZE]);

// float_text(float) -> str, as above.
MP_DECLARE_CONST_FUN_OBJ_1(vhttp_float_text_obj);

// float_round(float, digits) -> float, as round(): the exact value decides, halves go to the even.
MP_DECLARE_CONST_FUN_OBJ_2(vhttp_float_round_obj);

#endif
