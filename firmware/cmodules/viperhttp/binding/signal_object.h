// SPDX-License-Identifier: MIT
// A Python object that poll can wait for, to end the sleep of an asyncio loop.
#ifndef VHTTP_SIGNAL_OBJECT_H
#define VHTTP_SIGNAL_OBJECT_H

#include "py/obj.h"

// Signal(): set(), clear(); readable for poll while it is set.
extern const mp_obj_type_t vhttp_signal_type;

#endif
