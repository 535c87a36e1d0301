// SPDX-License-Identifier: MIT
// Routes: patterns, what paths mean, typed parameters, queries, and a thousand routes.
#include "route.h"

#include "check.h"
#include "guarded.h"
#include "platform.h"

#define GET (1u << VHTTP_GET)
#define POST (1u << VHTTP_POST)

static struct vhttp_routes routes;

void *vhttp_alloc(size_t size, enum vhttp_memory kind) {
    (void)kind;
    return calloc(1, size);
}

void vhttp_free(void *memory) { free(memory); }

static enum vhttp_route_error add(unsigned methods, const char *pattern) {
    uint32_t index;
    return vhttp_routes_add(&routes, methods, vhttp_slice_of(pattern), NULL, 0, &index);
}

// The index of the route for GET, or -1.
static int find(const char *path, struct vhttp_match *match) {
    return vhttp_routes_find(&routes, VHTTP_GET, path, match) ? (int)match->route : -1;
}

static void test_patterns(void) {
    static const char *const bad[] = {
        "",
        "a",
        "/{",
        "/{}",
        "/{a",
        "/a}",
        "/{a:}",
        "/{a:word}",
        "/{a:path}/b",
        "/x{a}",
        "/{a}x",
        "/{{a}}",
        "/a//b",
        "/{:int}",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
        "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(add(GET, bad[i]) == VHTTP_ROUTE_BAD_PATTERN, "'%s'", bad[i]);
    }
    CHECK(add(GET, "/a") == VHTTP_ROUTE_OK, "a pattern");
    CHECK(add(POST, "/a") == VHTTP_ROUTE_OK, "another method");
    CHECK(add(GET | POST, "/a") == VHTTP_ROUTE_TAKEN, "the same again");
    CHECK(add(GET, "/{x}") == VHTTP_ROUTE_OK, "a parameter beside it");
    CHECK(add(GET, "/{y:str}") == VHTTP_ROUTE_TAKEN, "the same parameter by another name");
    vhttp_routes_free(&routes);
}

static void test_precedence(void) {
    static const char *const patterns[] = {
        "/",         "/a",        "/a/",          "/{x}",     "/{x:int}",      "/{x:float}",
        "/{x:bool}", "/{x:path}", "/a/{x:int}/b", "/a/{x}/c", "/deep/{p:path}"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        CHECK(add(GET, patterns[i]) == VHTTP_ROUTE_OK, "%s", patterns[i]);
    }
    static const struct {
        const char *path;
        int route;
    } cases[] = {
        {"/", 0},
        {"/a", 1},
        {"/a/", 2},
        {"/b", 3},
        {"/12", 4},
        {"/-12", 4},
        {"/1.5", 5},
        {"/1e3", 5},
        {"/true", 6},
        {"/b/c", 7},
        {"/a/7/b", 8},
        {"/a/7/c", 9},
        {"/a/x/c", 9},
        {"/a/x/b", 7},
        {"/deep/", 10},
        {"/deep", 3},
        {"/deep/x/y", 10},
        {"/a/7/b/", 7},
        {"/99999999999999999999", 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vhttp_match match;
        int found = find(cases[i].path, &match);
        CHECK(found == cases[i].route, "%s: route %d", cases[i].path, found);
    }
    vhttp_routes_free(&routes);
}

static void test_methods(void) {
    struct vhttp_match match;
    CHECK(find("/a", &match) == -1 && match.methods == 0, "no routes at all");
    add(GET, "/a");
    add(POST, "/{x}");
    CHECK(vhttp_routes_find(&routes, VHTTP_HEAD, "/a", &match) && match.route == 0, "HEAD is GET");
    CHECK(vhttp_routes_find(&routes, VHTTP_POST, "/a", &match) && match.route == 1,
          "what the literal has not, the parameter may have");
    CHECK(!vhttp_routes_find(&routes, VHTTP_PUT, "/a", &match) && match.methods == (GET | POST),
          "methods %x", match.methods);
    CHECK(find("/a/b", &match) == -1 && match.methods == 0, "nothing there");
    vhttp_routes_free(&routes);
}

static void test_values(void) {
    add(GET, "/{a:int}/{b}/{c:float}/{d:bool}/{e:path}");
    struct vhttp_match match;
    CHECK(find("/-5/x y/2.5/YES/f/g", &match) == 0 && match.count == 5, "found");
    CHECK(match.values[0].integer == -5, "int");
    CHECK(vhttp_slice_equals(match.values[1].text, "x y"), "str");
    CHECK(match.values[2].number == 2.5, "float");
    CHECK(match.values[3].integer == 1, "bool");
    CHECK(vhttp_slice_equals(match.values[4].text, "f/g"), "path");
    CHECK(find("/-5//2.5/yes/f", &match) == -1, "an empty part is no value");
    vhttp_routes_free(&routes);
}

static void test_conversion(void) {
    struct guarded memory = guarded_new(4096);
    static const struct {
        enum vhttp_value_kind kind;
        const char *text;
        bool good;
    } cases[] = {
        {VHTTP_VALUE_INT, "9223372036854775807", true},
        {VHTTP_VALUE_INT, "-9223372036854775808", true},
        {VHTTP_VALUE_INT, "9223372036854775808", false},
        {VHTTP_VALUE_INT, "-9223372036854775809", false},
        {VHTTP_VALUE_INT, "", false},
        {VHTTP_VALUE_INT, "-", false},
        {VHTTP_VALUE_INT, "+1", false},
        {VHTTP_VALUE_INT, "1 ", false},
        {VHTTP_VALUE_INT, "0x1", false},
        {VHTTP_VALUE_FLOAT, "1.", true},
        {VHTTP_VALUE_FLOAT, ".5", true},
        {VHTTP_VALUE_FLOAT, "-1e-3", true},
        {VHTTP_VALUE_FLOAT, ".", false},
        {VHTTP_VALUE_FLOAT, "1e", false},
        {VHTTP_VALUE_FLOAT, "1e999", false},
        {VHTTP_VALUE_FLOAT, "nan", false},
        {VHTTP_VALUE_FLOAT, "inf", false},
        {VHTTP_VALUE_FLOAT, "0x1p3", false},
        {VHTTP_VALUE_BOOL, "Off", true},
        {VHTTP_VALUE_BOOL, "2", false},
        {VHTTP_VALUE_BOOL, "", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = strlen(cases[i].text);
        struct vhttp_slice text = {guarded_copy(memory, cases[i].text, length), length};
        struct vhttp_value value;
        CHECK(vhttp_value_convert(cases[i].kind, text, &value) == cases[i].good, "%s",
              cases[i].text);
    }
}

static void test_queries(void) {
    struct vhttp_slice rest = vhttp_slice_of("a=1&&b&c=x%3D+y&=z&a=2"), name, value;
    static const char *const names[] = {"a", "b", "c", "", "a"};
    static const char *const values[] = {"1", "", "x= y", "z", "2"};
    for (size_t i = 0; i < 5; i++) {
        char decoded[32];
        CHECK(vhttp_query_next(&rest, &name, &value), "pair %zu", i);
        CHECK(vhttp_query_is(name, vhttp_slice_of(names[i])), "name %zu", i);
        int length = vhttp_query_decode(value, decoded);
        struct vhttp_slice text = {decoded, (size_t)length};
        CHECK(length >= 0 && vhttp_slice_equals(text, values[i]), "value %zu", i);
    }
    CHECK(!vhttp_query_next(&rest, &name, &value), "the end");
    char out[8];
    CHECK(vhttp_query_decode(vhttp_slice_of("%4"), out) == -1, "a cut escape");
    CHECK(vhttp_query_decode(vhttp_slice_of("%GG"), out) == -1, "no escape");
    CHECK(vhttp_query_decode(vhttp_slice_of("%ff"), out) == -1, "not UTF-8");
    CHECK(vhttp_query_is(vhttp_slice_of("%61b"), vhttp_slice_of("ab")), "a name may be escaped");
    CHECK(!vhttp_query_is(vhttp_slice_of("abc"), vhttp_slice_of("ab")), "a longer name");
}

static void test_many(void) {
    static char patterns[1000][48];
    for (int i = 0; i < 1000; i++) {
        snprintf(patterns[i], sizeof(patterns[i]), "/group%d/name%d/{id:int}", i % 20, i);
        CHECK(add(GET, patterns[i]) == VHTTP_ROUTE_OK, "%s", patterns[i]);
    }
    for (int i = 0; i < 1000; i++) {
        char path[48];
        struct vhttp_match match;
        snprintf(path, sizeof(path), "/group%d/name%d/%d", i % 20, i, i);
        CHECK(find(path, &match) == i && match.values[0].integer == i, "%s", path);
    }
    vhttp_routes_free(&routes);
}

int main(void) {
    test_patterns();
    test_precedence();
    test_methods();
    test_values();
    test_conversion();
    test_queries();
    test_many();
    return check_result();
}
