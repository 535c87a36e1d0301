// SPDX-License-Identifier: MIT
// The server's figures as Python objects.
#ifndef VHTTP_FIGURES_H
#define VHTTP_FIGURES_H

#include "py/obj.h"

#include "server.h"

// Both raise MemoryError alone.
mp_obj_t vhttp_server_figures(struct vhttp_server *server);
mp_obj_t vhttp_ring_figures(struct vhttp_server *server);

// stall() -> (place, milliseconds after the server's start, how many since the power came, whether
// it was asked for before), or None: the last time that the server stood still and was reset.
extern const mp_obj_fun_builtin_fixed_t vhttp_stall_obj;

// system_figures() -> dict: why the device started, and what the system has of figures.
extern const mp_obj_fun_builtin_fixed_t vhttp_system_figures_obj;

// memory_lack() -> what the firmware was built for and this device lacks, or None.
extern const mp_obj_fun_builtin_fixed_t vhttp_memory_lack_obj;

#endif
