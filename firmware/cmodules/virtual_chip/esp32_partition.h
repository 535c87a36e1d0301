// SPDX-License-Identifier: MIT
// An entry of the partition table, which is also the object esp32.Partition.
#ifndef VIRTUAL_CHIP_ESP32_PARTITION_H
#define VIRTUAL_CHIP_ESP32_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/obj.h"

#define PARTITION_LABEL_SIZE 16

#define PARTITION_APP 0x00
#define PARTITION_DATA 0x01

#define PARTITION_FACTORY 0x00 // subtypes of applications
#define PARTITION_OTA_MIN 0x10
#define PARTITION_OTA_MAX 0x20 // the first that is none
#define PARTITION_OTADATA 0x00 // subtype of data
#define PARTITION_ANY 0xFF

typedef struct {
    mp_obj_base_t base;
    uint8_t type;
    uint8_t subtype;
    uint32_t address; // bytes from the start of the flash
    uint32_t size;    // bytes
    bool encrypted;
    char label[PARTITION_LABEL_SIZE + 1];
} partition_obj_t;

// Reads entry `index` of the table; false after the last one.
bool partition_read_entry(size_t index, partition_obj_t *out);

// Finds the first partition of a type and subtype; false when there is none.
bool partition_find_first(uint8_t type, uint8_t subtype, partition_obj_t *out);

mp_obj_t partition_new(const partition_obj_t *found);

// The application that runs, and the one that otadata lets boot next.
void partition_running(partition_obj_t *out);
void partition_boot(partition_obj_t *out);

// Raises OSError as the esp32 port does for an error of ESP-IDF: (-code, name).
_Noreturn void raise_esp_error(mp_int_t code, const char *name);

MP_DECLARE_CONST_FUN_OBJ_1(partition_set_boot_obj);
MP_DECLARE_CONST_FUN_OBJ_1(partition_get_next_update_obj);
extern const mp_rom_obj_static_class_method_t partition_mark_valid_obj;

#endif
