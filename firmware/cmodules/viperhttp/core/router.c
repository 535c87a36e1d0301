// SPDX-License-Identifier: MIT
#include "router.h"

#include <stdio.h>
#include <string.h>

#include "path.h"

// Copies an absolute path without its final slash.
static bool copy_path(char *out, const char *path) {
    size_t length = strlen(path);
    if (length == 0 || path[0] != '/' || length >= VHTTP_PATH_MAX || vhttp_path_is_hidden(path)) {
        return false;
    }
    if (path[length - 1] == '/') {
        length--;
    }
    memcpy(out, path, length);
    out[length] = '\0';
    return true;
}

// Whether a request's decoded path may begin so.
static bool may_be_asked_for(const char *prefix) {
    while (*prefix == '/') {
        size_t length = strcspn(prefix + 1, "/");
        if (length == 0 || !vhttp_path_may_have((struct vhttp_slice){prefix + 1, length})) {
            return false;
        }
        prefix += 1 + length;
    }
    return true;
}

static bool has_files(enum vhttp_mount_kind kind) {
    return kind == VHTTP_MOUNT_STATIC || kind == VHTTP_MOUNT_FILE;
}

static bool copy_folder(char *out, const char *folder) {
    char below[VHTTP_PATH_MAX];
    if (!copy_path(below, folder)) {
        return false;
    }
    const char *base = VHTTP_STATIC_FS_BASE;
    size_t base_length = strlen(base);
    if (base_length > 0 && base[base_length - 1] == '/') {
        base_length--;
    }
    int length = snprintf(out, VHTTP_PATH_MAX, "%.*s%s", (int)base_length, base, below);
    return length < VHTTP_PATH_MAX;
}

enum vhttp_router_error vhttp_router_mount(struct vhttp_router *router, enum vhttp_mount_kind kind,
                                           const char *path, const char *folder, bool html) {
    if (router->count == VHTTP_MAX_MOUNTS) {
        return VHTTP_ROUTER_FULL;
    }
    struct vhttp_mount *mount = &router->mounts[router->count];
    memset(mount, 0, sizeof(*mount));
    mount->kind = kind;
    mount->html = html;
    if (!copy_path(mount->prefix, path) || !may_be_asked_for(mount->prefix) ||
        (has_files(kind) && !copy_folder(mount->folder, folder))) {
        return VHTTP_ROUTER_BAD_PATH;
    }
    mount->prefix_length = strlen(mount->prefix);
    for (size_t i = 0; i < router->count; i++) {
        if (strcmp(router->mounts[i].prefix, mount->prefix) == 0) {
            return VHTTP_ROUTER_TAKEN;
        }
    }
    router->count++;
    return VHTTP_ROUTER_OK;
}

static bool copy_text(char *out, size_t size, const char *text) {
    size_t length = strlen(text);
    if (length >= size) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

bool vhttp_router_serve(struct vhttp_router *router, const char *fallback,
                        const char *cache_control, const char *immutable) {
    struct vhttp_mount *mount = &router->mounts[router->count - 1];
    char path[VHTTP_PATH_MAX] = "/";
    if (!copy_text(path + 1, sizeof(path) - 1, fallback) || vhttp_path_is_hidden(path) ||
        !copy_text(mount->cache_control, sizeof(mount->cache_control), cache_control) ||
        !copy_text(mount->immutable, sizeof(mount->immutable), immutable)) {
        return false;
    }
    if (fallback[0] != '\0') {
        size_t length = strlen(mount->folder); // as the path's, under VHTTP_PATH_MAX
        memcpy(mount->fallback, mount->folder, length);
        memcpy(mount->fallback + length, path, strlen(path) + 1);
    }
    return true;
}

const char *vhttp_mount_cache_control(const struct vhttp_mount *mount, const char *path) {
    static const char for_a_year[] = "public, max-age=31536000, immutable";
    const char *below = path + mount->prefix_length;
    size_t length = strlen(mount->immutable);
    if (length > 0 && strncmp(below, mount->immutable, length) == 0) {
        return for_a_year;
    }
    return mount->cache_control[0] == '\0' ? NULL : mount->cache_control;
}

static bool holds(const struct vhttp_mount *mount, const char *path) {
    if (strncmp(mount->prefix, path, mount->prefix_length) != 0) {
        return false;
    }
    const char *rest = path + mount->prefix_length;
    if (mount->kind == VHTTP_MOUNT_STATIC) {
        return rest[0] == '\0' || rest[0] == '/';
    }
    return rest[0] == '\0' || (mount->prefix_length == 0 && strcmp(rest, "/") == 0);
}

const struct vhttp_mount *vhttp_router_find(const struct vhttp_router *router, const char *path) {
    const struct vhttp_mount *best = NULL;
    for (size_t i = 0; i < router->count; i++) {
        const struct vhttp_mount *mount = &router->mounts[i];
        if (holds(mount, path) && (best == NULL || mount->prefix_length > best->prefix_length)) {
            best = mount;
        }
    }
    return best;
}
