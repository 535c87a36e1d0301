// SPDX-License-Identifier: MIT
// A file system, as static files and .gz siblings need it: MicroPython's, or the host's own.
#ifndef VHTTP_FILE_SYSTEM_H
#define VHTTP_FILE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vhttp_file_error {
    VHTTP_FILE_ABSENT = -1,
    VHTTP_FILE_IS_FOLDER = -2,
    VHTTP_FILE_NO_MEMORY = -3,
    VHTTP_FILE_FAILED = -4,
};

struct vhttp_file_stat {
    int64_t size;       // bytes
    int64_t modified_s; // since 1970; 0 when it is not known for sure
    uint64_t version;   // another one when the file was written to; 0: nobody can tell
};

// For so long another write may get the time of the last one: FAT counts by two seconds.
#define VHTTP_FILE_TIME_STEP_S 3

// None of these raises or waits for another thread. Paths are absolute.
struct vhttp_file_system {
    // 0, or an error. ABSENT unless each part of the path is, letter for letter, the name that is
    // stored: a file has no other names.
    int (*stat)(const char *path, struct vhttp_file_stat *stat);

    // Opens for reading. NULL with *error set to an error.
    void *(*open)(const char *path, int *error);
    void (*close)(void *file);

    // True when all of `size` bytes were read.
    bool (*read)(void *file, void *out, size_t size);
    bool (*seek)(void *file, uint32_t offset);
};

#endif
