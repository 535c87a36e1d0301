// SPDX-License-Identifier: MIT
// What a running server takes, in numbers that the build reads from the firmware's image: no
// section of the image shows them, since all of it is allocated at the start.
#ifndef VHTTP_MEMORY_USE_H
#define VHTTP_MEMORY_USE_H

#include <stdint.h>

struct vhttp_memory_use {
    char name[16]; // "VHTTP_MEMORY_USE" without a NUL: site_scons/viper/firmware/module_memory.py
    uint32_t internal; // bytes of internal RAM, the stack of the server's task included
    uint32_t psram;    // bytes of PSRAM where there is some
    uint32_t sram;     // else bytes more of internal RAM
};

extern const struct vhttp_memory_use vhttp_memory_use;

#endif
