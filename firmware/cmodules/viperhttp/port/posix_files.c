// SPDX-License-Identifier: MIT
// Linux: the host's own file system, for VHTTP_STATIC_SERVE_VIA_IPC=0 and for the tests.
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "platform.h"

static int file_error(int error) {
    switch (error) {
    case EISDIR:
        return VHTTP_FILE_IS_FOLDER;
    case ENOMEM:
    case EMFILE:
        return VHTTP_FILE_NO_MEMORY;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return VHTTP_FILE_ABSENT;
    default:
        return VHTTP_FILE_FAILED;
    }
}

static int stat_file(const char *path, struct vhttp_file_stat *out) {
    struct stat entry;
    if (stat(path, &entry) != 0) {
        return file_error(errno);
    }
    if (S_ISDIR(entry.st_mode)) {
        return VHTTP_FILE_IS_FOLDER;
    }
    bool is_settled = time(NULL) - entry.st_mtime >= VHTTP_FILE_TIME_STEP_S;
    *out = (struct vhttp_file_stat){entry.st_size, entry.st_mtime,
                                    is_settled ? (uint64_t)entry.st_mtime : 0};
    return S_ISREG(entry.st_mode) ? 0 : VHTTP_FILE_ABSENT;
}

static void *open_file(const char *path, int *error) {
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        *error = file_error(errno);
    }
    return file;
}

static void close_file(void *file) { fclose(file); }

static bool read_file(void *file, void *out, size_t size) {
    return fread(out, 1, size, file) == size;
}

static bool seek_file(void *file, uint32_t offset) {
    return fseek(file, (long)offset, SEEK_SET) == 0;
}

const struct vhttp_file_system vhttp_port_files = {stat_file, open_file, close_file, read_file,
                                                   seek_file};
