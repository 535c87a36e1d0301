// SPDX-License-Identifier: MIT
// The server's figures as Python objects.
#ifndef VHTTP_FIGURES_H
#define VHTTP_FIGURES_H

#include "py/obj.h"

#include "server.h"

// Both raise MemoryError alone.
mp_obj_t vhttp_server_figures(struct vhttp_server *server);
mp_obj_t vhttp_ring_figures(struct vhttp_server *server);

#endif
