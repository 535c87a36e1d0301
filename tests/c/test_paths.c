// SPDX-License-Identifier: MIT
// Paths: decoding, what is mounted for them, and content types.
#include "mime.h"
#include "path.h"
#include "router.h"

#include "check.h"
#include "guarded.h"

static struct guarded memory;

static void expect_path(const char *encoded, const char *expected) {
    char out[64];
    size_t length = strlen(encoded);
    struct vhttp_slice slice = {guarded_copy(memory, encoded, length), length};
    int result = vhttp_decode_path(slice, out, sizeof(out));
    CHECK(result >= 0 && strcmp(out, expected) == 0, "%s: %d, \"%s\"", encoded, result,
          result >= 0 ? out : "");
}

static void expect_error(const char *encoded, int expected) {
    char out[16];
    size_t length = strlen(encoded);
    struct vhttp_slice slice = {guarded_copy(memory, encoded, length), length};
    int result = vhttp_decode_path(slice, out, sizeof(out));
    CHECK(result == expected, "%s: %d, expected %d", encoded, result, expected);
}

static void test_decoding(void) {
    expect_path("/", "/");
    expect_path("/a/b.txt", "/a/b.txt");
    expect_path("/a/", "/a/");
    expect_path("/a%20b", "/a b");
    expect_path("/%C3%a4", "/\xc3\xa4");
    expect_path("/%2541", "/%41"); // once, not twice
    expect_path("//a///b//", "/a/b/");
    expect_path("/a/./b/.", "/a/b/");
    expect_path("/a/../b", "/b");
    expect_path("/a/b/..", "/a/");
    expect_path("/a/b/%2e%2E/c", "/a/c");
    expect_path("/..a/...", "/..a/...");
    // The first and the last character of each length in UTF-8, and around the surrogates.
    expect_path("/%c2%80/%df%bf", "/\xc2\x80/\xdf\xbf");
    expect_path("/%e0%a0%80/%ef%bf%bf", "/\xe0\xa0\x80/\xef\xbf\xbf");
    expect_path("/%ed%9f%bf/%ee%80%80", "/\xed\x9f\xbf/\xee\x80\x80");
    expect_path("/%f0%90%80%80/%f4%8f%bf%bf", "/\xf0\x90\x80\x80/\xf4\x8f\xbf\xbf");
}

static void test_refusals(void) {
    static const char *const bad[] = {
        "/..",     "/../a",      "/a/../../b",    "/%2e%2e/a", "/a%2Fb", "/a%5cb", "/a\\b",
        "/%00",    "/%0a",       "/%7f",          "/%",        "/%4",    "/%4g",   "/%ff",
        "/%c0%ae", "/%ed%a0%80", "/%f5%80%80%80", "/%e2%82",   "x",      "",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_error(bad[i], -400);
    }
    expect_error("/0123456789abcdef", -414);
    expect_error("/0123456789abcd", -414);
    expect_path("/0123456789abc", "/0123456789abc");
}

static void test_hidden(void) {
    CHECK(vhttp_path_is_hidden("/.git/config"), "a folder");
    CHECK(vhttp_path_is_hidden("/a/.env"), "a file");
    CHECK(!vhttp_path_is_hidden("/a.b/c."), "dots elsewhere");
}

static void expect_mount(const struct vhttp_router *router, const char *path, int index) {
    const struct vhttp_mount *mount = vhttp_router_find(router, path);
    const struct vhttp_mount *expected = index < 0 ? NULL : &router->mounts[index];
    CHECK(mount == expected, "%s: mount %ld", path, mount ? (long)(mount - router->mounts) : -1L);
}

static void test_mounts(void) {
    static struct vhttp_router router;
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "/", "/www/", true) == 0, "root");
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "/static", "/s", false) == 0, "static");
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_HEALTH, "/health", NULL, false) == 0, "health");
    CHECK(strcmp(router.mounts[0].folder, "/www") == 0, "%s", router.mounts[0].folder);
    expect_mount(&router, "/", 0);
    expect_mount(&router, "/staticx", 0);
    expect_mount(&router, "/static", 1);
    expect_mount(&router, "/static/a/b", 1);
    expect_mount(&router, "/health", 2);
    expect_mount(&router, "/health/", 0);

    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "/static/", "/t", false) ==
              VHTTP_ROUTER_TAKEN,
          "taken");
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "x", "/t", false) ==
              VHTTP_ROUTER_BAD_PATH,
          "relative path");
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_STATIC, "/x", "/a/../b", false) ==
              VHTTP_ROUTER_BAD_PATH,
          "folder with dots");
    char path[] = "/0";
    while (router.count < VHTTP_MAX_MOUNTS) {
        path[1]++;
        CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_HEALTH, path, NULL, false) == 0, "%s", path);
    }
    CHECK(vhttp_router_mount(&router, VHTTP_MOUNT_HEALTH, "/more", NULL, false) ==
              VHTTP_ROUTER_FULL,
          "full");
}

static void expect_type(const char *path, const char *expected) {
    CHECK(strcmp(vhttp_content_type(path), expected) == 0, "%s: %s", path,
          vhttp_content_type(path));
}

static void test_content_types(void) {
    expect_type("/a.html", "text/html; charset=utf-8");
    expect_type("/a.JS", "text/javascript; charset=utf-8");
    expect_type("/a.svg", "image/svg+xml");
    expect_type("/a.tar.gz", "application/gzip");
    expect_type("/a.css/b", "application/octet-stream");
    expect_type("/a", "application/octet-stream");
}

int main(void) {
    memory = guarded_new(4096);
    test_decoding();
    test_refusals();
    test_hidden();
    test_mounts();
    test_content_types();
    return check_result();
}
