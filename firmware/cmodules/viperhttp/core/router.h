// SPDX-License-Identifier: MIT
// What is mounted where. Filled before the server starts, read-only while it runs.
#ifndef VHTTP_ROUTER_H
#define VHTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "vhttp_config.h"

#define VHTTP_CACHE_CONTROL_SIZE 64 // bytes of the field's value, with its NUL

enum vhttp_mount_kind {
    VHTTP_MOUNT_STATIC,  // a folder, at a prefix
    VHTTP_MOUNT_FILE,    // one file, at one path
    VHTTP_MOUNT_HEALTH,  // at one path
    VHTTP_MOUNT_METRICS, // at one path
};

struct vhttp_mount {
    enum vhttp_mount_kind kind;
    bool html;                   // static: a folder stands for its index.html
    char prefix[VHTTP_PATH_MAX]; // without a final slash, so "" is the root
    size_t prefix_length;
    char folder[VHTTP_PATH_MAX];       // static, file: in the file system, without a final slash
    char fallback[2 * VHTTP_PATH_MAX]; // static: the file for what is no file; "": none
    char cache_control[VHTTP_CACHE_CONTROL_SIZE]; // static, file: the field; "": the server's own
    char immutable[VHTTP_PATH_MAX]; // static: below the mount, what never changes; "": nothing
};

struct vhttp_router {
    size_t count;
    struct vhttp_mount mounts[VHTTP_MAX_MOUNTS];
};

enum vhttp_router_error {
    VHTTP_ROUTER_OK,
    VHTTP_ROUTER_FULL,
    VHTTP_ROUTER_BAD_PATH, // not absolute, too long, or with a segment that starts with a dot
    VHTTP_ROUTER_TAKEN,    // something is mounted there
};

// `folder` is the folder or the file; it is used by these two kinds only and lies below
// VHTTP_STATIC_FS_BASE.
enum vhttp_router_error vhttp_router_mount(struct vhttp_router *router, enum vhttp_mount_kind kind,
                                           const char *path, const char *folder, bool html);

// How the files of the last mount are served. `fallback` is a file below its folder, `immutable`
// the start of paths below it; each may be "". False when one is too long, or has a hidden part.
bool vhttp_router_serve(struct vhttp_router *router, const char *fallback,
                        const char *cache_control, const char *immutable);

// What Cache-Control says of a file at a path that the mount holds; NULL: the server's own word.
const char *vhttp_mount_cache_control(const struct vhttp_mount *mount, const char *path);

// The mount for a decoded path: an exact one before a folder, a longer prefix before a shorter
// one. NULL when there is none.
const struct vhttp_mount *vhttp_router_find(const struct vhttp_router *router, const char *path);

#endif
