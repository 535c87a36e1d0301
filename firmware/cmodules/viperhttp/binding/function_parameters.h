// SPDX-License-Identifier: MIT
// What a Python function can be called with.
#ifndef VHTTP_FUNCTION_PARAMETERS_H
#define VHTTP_FUNCTION_PARAMETERS_H

#include "py/obj.h"

// parameters(callable) -> (names, how many of them go by position, required names, takes *args,
// takes **kwargs), or None for what is no function of Python's: a class, an object, native code.
MP_DECLARE_CONST_FUN_OBJ_1(vhttp_function_parameters_obj);

#endif
