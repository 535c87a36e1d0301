# SPDX-License-Identifier: MIT
# The virtual board stands on MicroPython's unix port, without a submodule or a system library.
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_PY_TERMIOS = 0
MICROPY_VFS_LFS1 = 0

# No manifest requires micropython-lib; the port's check for it is content with any README.md.
MPY_LIB_DIR = $(TOP)

# The same sources give the same bytes in any folder.
CFLAGS_EXTRA += -ffile-prefix-map=$(USER_C_MODULES)=firmware/cmodules -ffile-prefix-map=$(BUILD)=build
LDFLAGS_EXTRA += -Wl,--build-id=none
