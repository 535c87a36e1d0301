// SPDX-License-Identifier: MIT
// The methods of esp32.Partition that say which application boots.
// What they write is what ESP-IDF v5.5.1 writes (app_update/esp_ota_ops.c) with rollback enabled.
#include <string.h>

#include "lib/uzlib/uzlib.h"
#include "py/mperrno.h"
#include "py/runtime.h"

#include "app_image.h"
#include "esp32_partition.h"
#include "flash.h"

#define SEQ_ERASED 0xFFFFFFFFu
#define STATE_NEW 0u
#define STATE_VALID 2u
#define STATE_INVALID 3u
#define STATE_ABORTED 4u

#define ESP_FAIL (-1)
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_FLASH_OP_FAIL 0x6001
#define ESP_ERR_OTA_VALIDATE_FAILED 0x1503

// At the head of each of the two sectors of otadata, little endian as the host is.
struct otadata_record {
    uint32_t seq;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc;
};

struct otadata {
    uint32_t address;
    struct otadata_record records[2];
    int active; // the record that decides, -1: none does
};

// The CRC of ESP-IDF starts from zero, where others start from all ones.
static uint32_t crc_of(uint32_t seq) { return ~uzlib_crc32(&seq, sizeof(seq), 0); }

static bool selects(const struct otadata_record *record) {
    return record->seq != SEQ_ERASED && record->state != STATE_INVALID &&
           record->state != STATE_ABORTED && record->crc == crc_of(record->seq);
}

static bool read_otadata(struct otadata *out) {
    partition_obj_t found;
    if (!partition_find_first(PARTITION_DATA, PARTITION_OTADATA, &found) ||
        found.size < 2 * FLASH_SECTOR_SIZE) {
        return false;
    }
    out->address = found.address;
    out->active = -1;
    for (int i = 0; i < 2; i++) {
        memcpy(&out->records[i], flash_bytes() + found.address + i * FLASH_SECTOR_SIZE,
               sizeof(out->records[i]));
        if (selects(&out->records[i]) &&
            (out->active < 0 || out->records[i].seq > out->records[out->active].seq)) {
            out->active = i;
        }
    }
    return true;
}

static void check_flash(int result) {
    if (result != 0) {
        raise_esp_error(ESP_ERR_FLASH_OP_FAIL, "ESP_ERR_FLASH_OP_FAIL");
    }
}

static void write_record(const struct otadata *otadata, int index,
                         const struct otadata_record *record) {
    uint32_t address = otadata->address + (uint32_t)index * FLASH_SECTOR_SIZE;
    check_flash(flash_erase(address, FLASH_SECTOR_SIZE));
    check_flash(flash_program(address, (const uint8_t *)record, sizeof(*record)));
}

static uint32_t count_slots(void) {
    partition_obj_t found;
    uint32_t count = 0;
    while (count < PARTITION_OTA_MAX - PARTITION_OTA_MIN &&
           partition_find_first(PARTITION_APP, (uint8_t)(PARTITION_OTA_MIN + count), &found)) {
        count++;
    }
    return count;
}

static struct otadata otadata_or_raise(void) {
    struct otadata otadata;
    if (!read_otadata(&otadata)) {
        raise_esp_error(ESP_ERR_NOT_FOUND, "ESP_ERR_NOT_FOUND");
    }
    return otadata;
}

void partition_boot(partition_obj_t *out) {
    struct otadata otadata = otadata_or_raise();
    uint32_t slots = count_slots();
    if (otadata.active >= 0 && slots != 0) {
        uint32_t slot = (otadata.records[otadata.active].seq - 1) % slots;
        partition_find_first(PARTITION_APP, (uint8_t)(PARTITION_OTA_MIN + slot), out);
    } else if (!partition_find_first(PARTITION_APP, PARTITION_FACTORY, out) &&
               !partition_find_first(PARTITION_APP, PARTITION_OTA_MIN, out)) {
        raise_esp_error(ESP_ERR_NOT_FOUND, "ESP_ERR_NOT_FOUND");
    }
}

static void select_slot(uint32_t slot) {
    struct otadata otadata = otadata_or_raise();
    uint32_t slots = count_slots();
    if (slot >= slots) {
        raise_esp_error(ESP_ERR_INVALID_ARG, "ESP_ERR_INVALID_ARG");
    }
    struct otadata_record record;
    int index = 0;
    uint32_t seq = slot + 1;
    if (otadata.active >= 0) {
        index = 1 - otadata.active;
        seq = (slot + 1) % slots;
        uint32_t before = otadata.records[otadata.active].seq;
        if (seq < before) {
            seq += (before - seq + slots - 1) / slots * slots;
        }
    }
    memset(&record, 0xFF, sizeof(record));
    record.seq = seq;
    record.state = STATE_NEW;
    record.crc = crc_of(seq);
    write_record(&otadata, index, &record);
}

// set_boot(): boots this partition from now on. OSError when its image is damaged.
static mp_obj_t partition_set_boot(mp_obj_t self_in) {
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!app_image_is_valid(flash_bytes() + self->address, self->size)) {
        raise_esp_error(ESP_ERR_OTA_VALIDATE_FAILED, "ESP_ERR_OTA_VALIDATE_FAILED");
    }
    if (self->type != PARTITION_APP) {
        raise_esp_error(ESP_ERR_INVALID_ARG, "ESP_ERR_INVALID_ARG");
    }
    if (self->subtype == PARTITION_FACTORY) {
        check_flash(flash_erase(otadata_or_raise().address, 2 * FLASH_SECTOR_SIZE));
    } else {
        select_slot(self->subtype - PARTITION_OTA_MIN);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_1(partition_set_boot_obj, partition_set_boot);

// get_next_update() -> the slot after this one, the first after the last or `factory`.
static mp_obj_t partition_get_next_update(mp_obj_t self_in) {
    partition_obj_t *self = MP_OBJ_TO_PTR(self_in);
    partition_obj_t found;
    uint8_t after = self->subtype >= PARTITION_OTA_MIN ? self->subtype + 1 : PARTITION_OTA_MIN;
    if (!partition_find_first(PARTITION_APP, after, &found) &&
        !partition_find_first(PARTITION_APP, PARTITION_OTA_MIN, &found)) {
        mp_raise_OSError(MP_ENOENT);
    }
    return partition_new(&found);
}
MP_DEFINE_CONST_FUN_OBJ_1(partition_get_next_update_obj, partition_get_next_update);

// mark_app_valid_cancel_rollback(): what otadata selects is not given up at the next boot.
static mp_obj_t partition_mark_valid(mp_obj_t class_in) {
    (void)class_in;
    struct otadata otadata = otadata_or_raise();
    if (otadata.active < 0 || count_slots() == 0) {
        raise_esp_error(ESP_FAIL, "ESP_FAIL");
    }
    struct otadata_record *record = &otadata.records[otadata.active];
    if (record->state != STATE_VALID) {
        record->state = STATE_VALID;
        write_record(&otadata, otadata.active, record);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(partition_mark_valid_fun_obj, partition_mark_valid);
MP_DEFINE_CONST_CLASSMETHOD_OBJ(partition_mark_valid_obj,
                                MP_ROM_PTR(&partition_mark_valid_fun_obj));
