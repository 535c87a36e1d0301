// SPDX-License-Identifier: MIT
// machine.reset() and machine.unique_id() of the virtual chip.
#include <unistd.h>

#include "py/runtime.h"

#include "flash.h"

#define EXIT_RESET 3 // tells the board to boot again from flash

static mp_obj_t virtual_chip_reset(void) { _exit(EXIT_RESET); }
MP_DEFINE_CONST_FUN_OBJ_0(virtual_chip_reset_obj, virtual_chip_reset);

// The MAC address, as in MicroPython's esp32 port: 6 bytes.
static mp_obj_t virtual_chip_unique_id(void) {
    const struct chip_control *control = chip_control();
    return mp_obj_new_bytes(control->mac, sizeof(control->mac));
}
MP_DEFINE_CONST_FUN_OBJ_0(virtual_chip_unique_id_obj, virtual_chip_unique_id);
