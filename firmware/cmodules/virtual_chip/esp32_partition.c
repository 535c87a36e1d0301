// SPDX-License-Identifier: MIT
// esp32.Partition over the virtual flash: the partition table at 0x8000 is the only truth.
// Table format: ESP-IDF, components/partition_table; API: MicroPython's esp32 port.
#include <stdio.h>
#include <string.h>

#include "extmod/vfs.h"
#include "py/mperrno.h"
#include "py/runtime.h"

#include "esp32_partition.h"
#include "flash.h"

#define TABLE_OFFSET 0x8000u
#define TABLE_SIZE 0xC00u
#define ENTRY_SIZE 32u
#define ENTRY_MAGIC 0x50AAu
#define FLAG_ENCRYPTED 1u

enum { BOOT, RUNNING }; // what Partition() takes in place of a label

static const mp_obj_type_t partition_type;

static uint32_t get_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// The table ends with its MD5 entry, or with blank flash.
bool partition_read_entry(size_t index, partition_obj_t *out) {
    if (index >= TABLE_SIZE / ENTRY_SIZE || TABLE_OFFSET + TABLE_SIZE > flash_size()) {
        return false;
    }
    const uint8_t *entry = flash_bytes() + TABLE_OFFSET + index * ENTRY_SIZE;
    if ((entry[0] | entry[1] << 8) != ENTRY_MAGIC) {
        return false;
    }
    out->type = entry[2];
    out->subtype = entry[3];
    out->address = get_u32(entry + 4);
    out->size = get_u32(entry + 8);
    memcpy(out->label, entry + 12, PARTITION_LABEL_SIZE);
    out->label[PARTITION_LABEL_SIZE] = '\0';
    out->encrypted = get_u32(entry + 28) & FLAG_ENCRYPTED;
    return out->address <= flash_size() && out->size <= flash_size() - out->address;
}

mp_obj_t partition_new(const partition_obj_t *found) {
    partition_obj_t *self = mp_obj_malloc(partition_obj_t, &partition_type);
    *self = *found;
    self->base.type = &partition_type;
    return MP_OBJ_FROM_PTR(self);
}

bool partition_find_first(uint8_t type, uint8_t subtype, partition_obj_t *out) {
    for (size_t i = 0; partition_read_entry(i, out); i++) {
        if (out->type == type && out->subtype == subtype) {
            return true;
        }
    }
    return false;
}

void partition_running(partition_obj_t *out) {
    for (size_t i = 0; partition_read_entry(i, out); i++) {
        if (out->type == PARTITION_APP && out->address == flash_running_app()) {
            return;
        }
    }
    mp_raise_OSError(MP_ENOENT); // the table has been written anew since the start
}

_Noreturn void raise_esp_error(mp_int_t code, const char *name) {
    mp_obj_t args[] = {mp_obj_new_int(-code), mp_obj_new_str_from_cstr(name)};
    nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, MP_ARRAY_SIZE(args), 0, args));
}

// Partition(label), Partition(BOOT), Partition(RUNNING): OSError(ENOENT) when the table has no
// such partition.
static mp_obj_t partition_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                   const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    partition_obj_t found;
    if (mp_obj_is_int(args[0])) {
        switch (mp_obj_get_int(args[0])) {
        case BOOT:
            partition_boot(&found);
            break;
        case RUNNING:
            partition_running(&found);
            break;
        default:
            mp_raise_ValueError(NULL);
        }
        return partition_new(&found);
    }
    const char *label = mp_obj_str_get_str(args[0]);
    for (size_t i = 0; partition_read_entry(i, &found); i++) {
        if (strcmp(found.label, label) == 0) {
            return partition_new(&found);
        }
    }
    mp_raise_OSError(MP_ENOENT);
}

static void partition_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<Partition type=%u, subtype=%u, address=%u, size=%u, label=%s, encrypted=%u>",
              self->type, self->subtype, (unsigned)self->address, (unsigned)self->size, self->label,
              self->encrypted);
}

// find(type=TYPE_APP, subtype=0xff, label=None, block_size=4096) -> list of Partition
static mp_obj_t partition_find(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_type, ARG_subtype, ARG_label, ARG_block_size };
    static const mp_arg_t allowed[] = {
        {MP_QSTR_type, MP_ARG_INT, {.u_int = PARTITION_APP}},
        {MP_QSTR_subtype, MP_ARG_INT, {.u_int = PARTITION_ANY}},
        {MP_QSTR_label, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE}},
        {MP_QSTR_block_size, MP_ARG_INT, {.u_int = FLASH_SECTOR_SIZE}},
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    if (args[ARG_block_size].u_int != (mp_int_t)FLASH_SECTOR_SIZE) {
        mp_raise_ValueError(MP_ERROR_TEXT("block_size must be 4096"));
    }
    const char *label =
        args[ARG_label].u_obj == mp_const_none ? NULL : mp_obj_str_get_str(args[ARG_label].u_obj);

    mp_obj_t list = mp_obj_new_list(0, NULL);
    partition_obj_t found;
    for (size_t i = 0; partition_read_entry(i, &found); i++) {
        if (found.type == args[ARG_type].u_int &&
            (args[ARG_subtype].u_int == PARTITION_ANY ||
             found.subtype == args[ARG_subtype].u_int) &&
            (label == NULL || strcmp(found.label, label) == 0)) {
            mp_obj_list_append(list, partition_new(&found));
        }
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(partition_find_fun_obj, 0, partition_find);
static MP_DEFINE_CONST_STATICMETHOD_OBJ(partition_find_obj, MP_ROM_PTR(&partition_find_fun_obj));

// info() -> (type, subtype, address, size, label, encrypted)
static mp_obj_t partition_info(mp_obj_t self_in) {
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_obj_t fields[] = {
        MP_OBJ_NEW_SMALL_INT(self->type),        MP_OBJ_NEW_SMALL_INT(self->subtype),
        mp_obj_new_int_from_uint(self->address), mp_obj_new_int_from_uint(self->size),
        mp_obj_new_str_from_cstr(self->label),   mp_obj_new_bool(self->encrypted),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(fields), fields);
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_info_obj, partition_info);

// The address in flash of `size` bytes at (block, offset); OSError(EINVAL) outside the partition.
static uint32_t locate(const partition_obj_t *self, mp_obj_t block_in, mp_obj_t offset_in,
                       size_t size) {
    mp_int_t block = mp_obj_get_int(block_in);
    mp_int_t offset = mp_obj_get_int(offset_in);
    if (block < 0 || offset < 0 || (size_t)block > self->size / FLASH_SECTOR_SIZE ||
        (size_t)offset > self->size || size > self->size ||
        (uint64_t)block * FLASH_SECTOR_SIZE + (uint64_t)offset + size > self->size) {
        mp_raise_OSError(MP_EINVAL);
    }
    return self->address + (uint32_t)block * FLASH_SECTOR_SIZE + (uint32_t)offset;
}

static void check(int result) {
    if (result != 0) {
        mp_raise_OSError(MP_EIO);
    }
}

// The three methods of the block protocol allocate nothing: the garbage collector closes files,
// and so writes blocks, with the heap locked.

// readblocks(block, buffer[, offset])
static mp_obj_t partition_readblocks(size_t n_args, const mp_obj_t *args) {
    partition_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[2], &buffer, MP_BUFFER_WRITE);
    mp_obj_t offset = n_args == 4 ? args[3] : MP_OBJ_NEW_SMALL_INT(0);
    memcpy(buffer.buf, flash_bytes() + locate(self, args[1], offset, buffer.len), buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_readblocks_obj, 3, 4, partition_readblocks);

// writeblocks(block, buffer): erases first; writeblocks(block, buffer, offset): only programs.
static mp_obj_t partition_writeblocks(size_t n_args, const mp_obj_t *args) {
    partition_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    mp_buffer_info_t buffer;
    mp_get_buffer_raise(args[2], &buffer, MP_BUFFER_READ);
    mp_obj_t offset = n_args == 4 ? args[3] : MP_OBJ_NEW_SMALL_INT(0);
    uint32_t address = locate(self, args[1], offset, buffer.len);
    if (n_args == 3) {
        check(flash_erase(address, (uint32_t)buffer.len));
    }
    check(flash_program(address, buffer.buf, (uint32_t)buffer.len));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(partition_writeblocks_obj, 3, 4, partition_writeblocks);

static mp_obj_t partition_ioctl(mp_obj_t self_in, mp_obj_t command_in, mp_obj_t arg_in) {
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    switch (mp_obj_get_int(command_in)) {
    case MP_BLOCKDEV_IOCTL_INIT:
    case MP_BLOCKDEV_IOCTL_DEINIT:
    case MP_BLOCKDEV_IOCTL_SYNC:
        return MP_OBJ_NEW_SMALL_INT(0);
    case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
        return MP_OBJ_NEW_SMALL_INT(self->size / FLASH_SECTOR_SIZE);
    case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
        return MP_OBJ_NEW_SMALL_INT(FLASH_SECTOR_SIZE);
    case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
        check(flash_erase(locate(self, arg_in, MP_OBJ_NEW_SMALL_INT(0), FLASH_SECTOR_SIZE),
                          FLASH_SECTOR_SIZE));
        return MP_OBJ_NEW_SMALL_INT(0);
    default:
        return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(partition_ioctl_obj, partition_ioctl);

static const mp_rom_map_elem_t partition_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_find), MP_ROM_PTR(&partition_find_obj)},
    {MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&partition_info_obj)},
    {MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&partition_readblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&partition_writeblocks_obj)},
    {MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&partition_ioctl_obj)},
    {MP_ROM_QSTR(MP_QSTR_set_boot), MP_ROM_PTR(&partition_set_boot_obj)},
    {MP_ROM_QSTR(MP_QSTR_get_next_update), MP_ROM_PTR(&partition_get_next_update_obj)},
    {MP_ROM_QSTR(MP_QSTR_mark_app_valid_cancel_rollback), MP_ROM_PTR(&partition_mark_valid_obj)},
    {MP_ROM_QSTR(MP_QSTR_BOOT), MP_ROM_INT(BOOT)},
    {MP_ROM_QSTR(MP_QSTR_RUNNING), MP_ROM_INT(RUNNING)},
    {MP_ROM_QSTR(MP_QSTR_TYPE_APP), MP_ROM_INT(PARTITION_APP)},
    {MP_ROM_QSTR(MP_QSTR_TYPE_DATA), MP_ROM_INT(PARTITION_DATA)},
};
static MP_DEFINE_CONST_DICT(partition_locals_dict, partition_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(partition_type, MP_QSTR_Partition, MP_TYPE_FLAG_NONE, make_new,
                                partition_make_new, print, partition_print, locals_dict,
                                &partition_locals_dict);

static const mp_rom_map_elem_t esp32_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp32)},
    {MP_ROM_QSTR(MP_QSTR_Partition), MP_ROM_PTR(&partition_type)},
};
static MP_DEFINE_CONST_DICT(esp32_globals, esp32_globals_table);

const mp_obj_module_t esp32_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&esp32_globals,
};
MP_REGISTER_MODULE(MP_QSTR_esp32, esp32_module);
