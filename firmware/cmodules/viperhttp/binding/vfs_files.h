// SPDX-License-Identifier: MIT
// MicroPython's file system, for the interpreter's thread.
#ifndef VHTTP_VFS_FILES_H
#define VHTTP_VFS_FILES_H

#include "file_system.h"

// Its files are objects: whoever holds one has to lie where the garbage collector looks.
extern const struct vhttp_file_system vhttp_vfs_files;

#endif
