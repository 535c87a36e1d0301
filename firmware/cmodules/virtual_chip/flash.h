// SPDX-License-Identifier: MIT
// The flash of the virtual chip and the faults its board can be told to have.
//
// The flash is NOR: an erase sets every bit of a 4 KiB sector, programming only clears bits.
// Both the flash and the control page are shared with the board's process, which owns them.
#ifndef VIRTUAL_CHIP_FLASH_H
#define VIRTUAL_CHIP_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_SECTOR_SIZE 4096u

// Little endian, at offset 0 of the file behind VIRTUAL_CHIP_FD. From 2048 on the file has what
// lasts over a reset (viperhttp/port/posix.c).
struct chip_control {
    uint64_t bytes_programmed;
    uint64_t sectors_erased;
    int64_t power_budget; // bytes of programming left before the power fails; -1: never
    uint32_t bad_sector;  // sector whose erase and programming fail; 0xFFFFFFFF: none
    uint32_t psram_size;  // bytes
    uint8_t mac[6];
};

// Maps the files behind VIRTUAL_FLASH_FD and VIRTUAL_CHIP_FD. False when either is missing.
bool flash_open(void);

// True when `fd` is one of the two, which a soft reset keeps.
bool flash_owns_fd(int fd);

const struct chip_control *chip_control(void);

uint32_t flash_size(void); // bytes

// The address of the application that the bootloader has started.
uint32_t flash_running_app(void);

// The bytes of the flash, memory-mapped, read-only.
const uint8_t *flash_bytes(void);

// Both answer 0, or -1 for a range outside the flash, one that is not aligned to sectors (erase
// only) or one that touches the bad sector. When the power budget runs out, they do not return.
int flash_erase(uint32_t address, uint32_t size);
int flash_program(uint32_t address, const uint8_t *data, uint32_t size);

#endif
