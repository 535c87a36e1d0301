// SPDX-License-Identifier: MIT
// MicroPython's configuration for the virtual chip: the unix port's, without the host.
// It is MP_CONFIGFILE, because the port's header sets these without asking.
#ifndef VIRTUAL_CHIP_MPCONFIGCHIP_H
#define VIRTUAL_CHIP_MPCONFIGCHIP_H

#include <mpconfigport.h>

// The application sees its flash and nothing of the host's files, shell or memory.
#undef MICROPY_VFS_POSIX
#define MICROPY_VFS_POSIX (0)
#undef MICROPY_READER_POSIX
#define MICROPY_READER_POSIX (0)
#undef MICROPY_PY_OS_SYSTEM
#define MICROPY_PY_OS_SYSTEM (0)
#undef MICROPY_PY_OS_GETENV_PUTENV_UNSETENV
#define MICROPY_PY_OS_GETENV_PUTENV_UNSETENV (0)
#undef MICROPY_PY_SYS_EXECUTABLE
#define MICROPY_PY_SYS_EXECUTABLE (0)
#define MICROPY_PY_MACHINE_MEMX (0)

// Ctrl-C is raised where the interpreter looks for it, as on a chip, and not out of a signal
// handler, which could leave any C code half done.
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)

// There is one console.
#undef MICROPY_DEBUG_PRINTER
#define MICROPY_DEBUG_PRINTER (&mp_plat_print)
#undef MICROPY_ERROR_PRINTER
#define MICROPY_ERROR_PRINTER (&mp_plat_print)

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS                                                           \
    {MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&virtual_chip_reset_obj)},                             \
        {MP_ROM_QSTR(MP_QSTR_unique_id), MP_ROM_PTR(&virtual_chip_unique_id_obj)},

extern const struct _mp_obj_fun_builtin_fixed_t virtual_chip_reset_obj;
extern const struct _mp_obj_fun_builtin_fixed_t virtual_chip_unique_id_obj;

#endif
