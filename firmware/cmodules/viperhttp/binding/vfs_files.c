// SPDX-License-Identifier: MIT
#include "vfs_files.h"

#include <string.h>

#include "extmod/vfs.h"
#include "extmod/vfs_fat.h"
#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objexcept.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/timeutils/timeutils.h"

#include "build_info.h"
#include "vhttp_config.h"

#define PATH_SIZE (2 * VHTTP_PATH_MAX + sizeof(".gz"))

// ---- Calls into MicroPython, none of which raises

typedef mp_obj_t (*protected_fun)(void *argument);

// Calls `fun`; on an exception answers MP_OBJ_NULL and sets *error to its errno value (EIO for
// one that has none). A KeyboardInterrupt is not for us: it is raised again in the program.
static mp_obj_t call_protected(protected_fun fun, void *argument, int *error) {
    nlr_buf_t nlr;
    *error = 0;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t result = fun(argument);
        nlr_pop();
        return result;
    }
    mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    *error = MP_EIO;
    if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt))) {
        mp_sched_keyboard_interrupt();
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_MemoryError))) {
        *error = MP_ENOMEM;
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_OSError))) {
        mp_obj_t value = mp_obj_exception_get_value(exception);
        if (mp_obj_is_small_int(value)) {
            *error = (int)MP_OBJ_SMALL_INT_VALUE(value);
        }
    }
    return MP_OBJ_NULL;
}

static mp_obj_t stat_unprotected(void *path) { return mp_vfs_stat(mp_obj_new_str_from_cstr(path)); }

static mp_obj_t open_unprotected(void *path) {
    mp_obj_t args[] = {mp_obj_new_str_from_cstr(path), MP_OBJ_NEW_QSTR(MP_QSTR_rb)};
    return mp_vfs_open(MP_ARRAY_SIZE(args), args, (mp_map_t *)&mp_const_empty_map);
}

static mp_obj_t close_unprotected(void *file) { return mp_stream_close(MP_OBJ_FROM_PTR(file)); }

struct reading {
    mp_obj_t file;
    void *out;
    size_t size;
    size_t done;
};

static mp_obj_t read_unprotected(void *argument) {
    struct reading *reading = argument;
    int error = 0;
    reading->done =
        mp_stream_rw(reading->file, reading->out, reading->size, &error, MP_STREAM_RW_READ);
    if (error != 0) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

struct seeking {
    mp_obj_t file;
    mp_off_t offset;
};

static mp_obj_t seek_unprotected(void *argument) {
    struct seeking *seeking = argument;
    int error = 0;
    if (mp_stream_seek(seeking->file, seeking->offset, MP_SEEK_SET, &error) == (mp_off_t)-1) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

static int file_error(int error) {
    switch (error) {
    case MP_EISDIR:
        return VHTTP_FILE_IS_FOLDER;
    case MP_ENOMEM:
        return VHTTP_FILE_NO_MEMORY;
    case MP_EIO:
        return VHTTP_FILE_FAILED;
    default:
        return VHTTP_FILE_ABSENT; // ENOENT, and whatever a name that cannot be gives
    }
}

// ---- The file system's functions

// A time, as MicroPython counts, is sure when it is later than the firmware's: images have a
// constant one, and a board whose clock is not set starts in 2000.
static int64_t sure_time(int64_t seconds) {
#if !MICROPY_EPOCH_IS_1970
    seconds += TIMEUTILS_SECONDS_1970_TO_2000;
#endif
    return seconds > vhttp_build_time_s() ? seconds : 0;
}

// The time of a write as a version, unless a write that comes now could have the same. Both are
// seconds, as MicroPython counts; an image's time can lie before its clock and behind it.
static uint64_t version_of(int64_t written, int64_t now) {
    int64_t age = now > written ? now - written : written - now;
    return written != 0 && age >= VHTTP_FILE_TIME_STEP_S ? (uint64_t)written : 0;
}

// FAT finds a file by other names than its own: in either case, by its short name, with dots and
// spaces behind; and says then that it is called what it was looked for by. A path stands for a
// file here only if it is made of the very names that are stored, so folders are read, not
// searched.
struct fat_search {
    FATFS *volume;
    const char *path; // in the volume, absolute
    FILINFO found;
};

static void check(FRESULT result) {
    if (result != FR_OK) {
        mp_raise_OSError(fresult_to_errno_table[result]);
    }
}

// Looks for the entry called `name`, `length` bytes, in a folder. Raises OSError.
static void find_in_folder(struct fat_search *search, const char *folder, const char *name,
                           size_t length) {
    FILINFO *found = &search->found;
    FF_DIR entries;
    check(f_opendir(search->volume, &entries, folder));
    do {
        check(f_readdir(&entries, found));
        if (found->fname[0] == '\0') {
            mp_raise_OSError(MP_ENOENT);
        }
    } while (strncmp(found->fname, name, length) != 0 || found->fname[length] != '\0');
    f_closedir(&entries);
}

static mp_obj_t search_unprotected(void *argument) {
    struct fat_search *search = argument;
    char folder[PATH_SIZE] = "/";
    const char *name = search->path + 1;
    for (;;) {
        size_t length = strcspn(name, "/");
        find_in_folder(search, folder, name, length);
        size_t end = (size_t)(name + length - search->path);
        if (search->path[end] == '\0') {
            return mp_const_none;
        }
        if (!(search->found.fattrib & AM_DIR) || end >= PATH_SIZE) {
            mp_raise_OSError(MP_ENOENT);
        }
        memcpy(folder, search->path, end);
        folder[end] = '\0';
        name += length + 1;
    }
}

// Seconds, as MicroPython counts, of a time as FAT has it.
static int64_t seconds_of(uint16_t date, uint16_t time) {
    return timeutils_seconds_since_epoch(1980 + ((date >> 9) & 0x7f), (date >> 5) & 0x0f,
                                         date & 0x1f, (time >> 11) & 0x1f, (time >> 5) & 0x3f,
                                         2 * (time & 0x1f));
}

static int stat_on_fat(FATFS *volume, const char *path, struct vhttp_file_stat *out) {
    struct fat_search search = {.volume = volume, .path = path};
    int error;
    if (call_protected(search_unprotected, &search, &error) == MP_OBJ_NULL) {
        return file_error(error);
    }
    if (search.found.fattrib & AM_DIR) {
        return VHTTP_FILE_IS_FOLDER;
    }
    DWORD now = get_fattime();
    int64_t written = seconds_of(search.found.fdate, search.found.ftime);
    *out = (struct vhttp_file_stat){
        (int64_t)search.found.fsize, sure_time(written),
        version_of(written, seconds_of((uint16_t)(now >> 16), (uint16_t)now))};
    return 0;
}

static FATFS *fat_volume(const char *path, const char **path_in_volume) {
    mp_vfs_mount_t *vfs = mp_vfs_lookup_path(path, path_in_volume);
    bool is_fat = vfs != MP_VFS_NONE && vfs != MP_VFS_ROOT &&
                  mp_obj_is_type(vfs->obj, &mp_fat_vfs_type) && (*path_in_volume)[1] != '\0';
    return is_fat ? &((fs_user_mount_t *)MP_OBJ_TO_PTR(vfs->obj))->fatfs : NULL;
}

static int stat_file(const char *path, struct vhttp_file_stat *out) {
    const char *path_in_volume;
    FATFS *volume = fat_volume(path, &path_in_volume);
    if (volume != NULL) {
        return stat_on_fat(volume, path_in_volume, out);
    }
    int error;
    mp_obj_t stat = call_protected(stat_unprotected, (void *)(uintptr_t)path, &error);
    if (stat == MP_OBJ_NULL) {
        return file_error(error);
    }
    mp_obj_t *fields;
    mp_obj_get_array_fixed_n(stat, 10, &fields);
    if (mp_obj_get_int(fields[0]) & MP_S_IFDIR) {
        return VHTTP_FILE_IS_FOLDER;
    }
    int64_t written = mp_obj_get_int(fields[8]);
    int64_t now = timeutils_seconds_since_epoch_from_nanoseconds_since_1970(mp_hal_time_ns());
    *out = (struct vhttp_file_stat){mp_obj_get_int(fields[6]), sure_time(written),
                                    version_of(written, now)};
    return 0;
}

static void *open_file(const char *path, int *error) {
    mp_obj_t file = call_protected(open_unprotected, (void *)(uintptr_t)path, error);
    if (file == MP_OBJ_NULL) {
        *error = file_error(*error);
        return NULL;
    }
    return MP_OBJ_TO_PTR(file);
}

static void close_file(void *file) {
    int error;
    call_protected(close_unprotected, file, &error);
}

static bool read_file(void *file, void *out, size_t size) {
    struct reading reading = {MP_OBJ_FROM_PTR(file), out, size, 0};
    int error;
    return call_protected(read_unprotected, &reading, &error) != MP_OBJ_NULL &&
           reading.done == size;
}

static bool seek_file(void *file, uint32_t offset) {
    struct seeking seeking = {MP_OBJ_FROM_PTR(file), (mp_off_t)offset};
    int error;
    return call_protected(seek_unprotected, &seeking, &error) != MP_OBJ_NULL;
}

const struct vhttp_file_system vhttp_vfs_files = {stat_file, open_file, close_file, read_file,
                                                  seek_file};
