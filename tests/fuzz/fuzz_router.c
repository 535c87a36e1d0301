// SPDX-License-Identifier: MIT
// Paths against a fixed set of routes: any bytes decode to a path that is normal, or are refused,
// and the lookup reads no further than the path.
#include <string.h>

#include "../c/guarded.h"
#include "fuzz.h"
#include "path.h"
#include "route.h"

static struct vhttp_routes routes;

static void add(const char *pattern) {
    uint32_t index;
    enum vhttp_route_error error =
        vhttp_routes_add(&routes, 1u << VHTTP_GET, vhttp_slice_of(pattern), NULL, 0, &index);
    FUZZ_CHECK(error == VHTTP_ROUTE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct guarded memory;
    if (memory.pages == NULL) {
        memory = guarded_new(VHTTP_PATH_MAX);
        add("/");
        add("/items");
        add("/items/{id:int}");
        add("/items/{price:float}");
        add("/items/{name}");
        add("/items/{id:int}/{on:bool}");
        add("/files/{rest:path}");
    }
    char path[VHTTP_PATH_MAX];
    int length =
        vhttp_decode_path((struct vhttp_slice){(const char *)data, size}, path, sizeof(path));
    if (length < 0) {
        FUZZ_CHECK(length == -400 || length == -414);
        return 0;
    }
    FUZZ_CHECK((size_t)length == strlen(path) && path[0] == '/');
    FUZZ_CHECK(strstr(path, "/../") == NULL && strstr(path, "//") == NULL);
    struct vhttp_match match;
    const char *bytes = guarded_copy(memory, path, (size_t)length + 1);
    if (vhttp_routes_find(&routes, VHTTP_GET, bytes, &match)) {
        FUZZ_CHECK(match.route < 7 && match.count <= 2 && match.methods != 0);
    }
    return 0;
}
