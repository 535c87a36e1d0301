// SPDX-License-Identifier: MIT
#include "function_parameters.h"

#include "py/bc.h"
#include "py/objfun.h"
#include "py/objlist.h"
#include "py/objtuple.h"
#include "py/runtime.h"

// As py/objclosure.c and py/objboundmeth.c have them: a function and what is put before its
// arguments.
struct closure {
    mp_obj_base_t base;
    mp_obj_t function;
    size_t count;
    mp_obj_t closed[];
};
struct bound_method {
    mp_obj_base_t base;
    mp_obj_t function;
    mp_obj_t self;
};

// The function below closures and methods, and how many of its arguments these give.
static mp_obj_t unwrapped(mp_obj_t function, size_t *given) {
    *given = 0;
    for (;;) {
        if (mp_obj_is_type(function, &mp_type_bound_meth)) {
            *given += 1;
            function = ((struct bound_method *)MP_OBJ_TO_PTR(function))->function;
        } else if (mp_obj_get_type(function)->name == MP_QSTR_closure) {
            *given += ((struct closure *)MP_OBJ_TO_PTR(function))->count;
            function = ((struct closure *)MP_OBJ_TO_PTR(function))->function;
        } else {
            return function;
        }
    }
}

static bool has_keyword_default(const mp_obj_fun_bc_t *function, size_t place, mp_obj_t name) {
    mp_map_t *defaults = mp_obj_dict_get_map(function->extra_args[place]);
    return mp_map_lookup(defaults, name, MP_MAP_LOOKUP) != NULL;
}

// The names stand at the head of the function's code, as py/bc.c reads them for a call.
static mp_obj_t function_parameters(mp_obj_t callable) {
    size_t given;
    mp_obj_t unwrapped_callable = unwrapped(callable, &given);
    if (!mp_obj_is_type(unwrapped_callable, &mp_type_fun_bc) &&
        !mp_obj_is_type(unwrapped_callable, &mp_type_gen_wrap)) {
        return mp_const_none;
    }
    const mp_obj_fun_bc_t *function = MP_OBJ_TO_PTR(unwrapped_callable);
    const byte *at = function->bytecode;
    MP_BC_PRELUDE_SIG_DECODE(at);
    MP_BC_PRELUDE_SIZE_DECODE(at);
    mp_decode_uint(&at); // the function's own name
    mp_obj_t names = mp_obj_new_list(0, NULL), required = mp_obj_new_list(0, NULL);
    for (size_t i = 0; i < n_pos_args + n_kwonly_args; i++) {
        qstr index = mp_decode_uint(&at);
#if MICROPY_EMIT_BYTECODE_USES_QSTR_TABLE
        index = function->context->constants.qstr_table[index];
#endif
        mp_obj_t name = MP_OBJ_NEW_QSTR(index);
        if (i < given) {
            continue;
        }
        mp_obj_list_append(names, name);
        bool has_default = i < n_pos_args ? i >= n_pos_args - n_def_pos_args
                                          : (scope_flags & MP_SCOPE_FLAG_DEFKWARGS) &&
                                                has_keyword_default(function, n_def_pos_args, name);
        if (!has_default) {
            mp_obj_list_append(required, name);
        }
    }
    mp_obj_t all[] = {
        names,
        MP_OBJ_NEW_SMALL_INT((mp_int_t)(n_pos_args > given ? n_pos_args - given : 0)),
        required,
        mp_obj_new_bool(scope_flags & MP_SCOPE_FLAG_VARARGS),
        mp_obj_new_bool(scope_flags & MP_SCOPE_FLAG_VARKEYWORDS),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(all), all);
}
MP_DEFINE_CONST_FUN_OBJ_1(vhttp_function_parameters_obj, function_parameters);
