// SPDX-License-Identifier: MIT
// A dict of names that a client chose. They can be chosen to collide, so that a dict of n of them
// takes n * n comparisons; here these are a few instructions each, and are not made anew as it
// grows.
#ifndef VHTTP_NAMES_DICT_H
#define VHTTP_NAMES_DICT_H

#include "py/obj.h"

// Room for `count` names.
mp_obj_t vhttp_names_dict_new(size_t count);

// Puts a name, a str, into a dict that has room for it. Of one that is repeated the last counts.
void vhttp_names_dict_store(mp_obj_t dict, mp_obj_t name, mp_obj_t value);

#endif
