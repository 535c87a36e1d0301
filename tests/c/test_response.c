// SPDX-License-Identifier: MIT
// Heads of responses, to the byte.
#include "response.h"

#include "check.h"
#include "status.h"

static void expect_head(struct vhttp_response response, const char *expected) {
    char out[512];
    size_t length = vhttp_write_response_head(&response, out, sizeof(out));
    CHECK(length == strlen(expected) && memcmp(out, expected, length) == 0, "\"%.*s\"", (int)length,
          out);
    for (size_t size = 1; size <= length; size++) { // the head and a byte that ends it
        CHECK(vhttp_write_response_head(&response, out, size) == 0, "%zu bytes", size);
    }
    CHECK(vhttp_write_response_head(&response, out, length + 1) == length, "just enough");
}

static void test_content(void) {
    expect_head((struct vhttp_response){.status = 204}, "HTTP/1.1 204 No Content\r\n");
    expect_head((struct vhttp_response){.status = 200, .content_type = "text/plain", .length = 12},
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n");
    expect_head((struct vhttp_response){.status = 200,
                                        .content_type = "text/css",
                                        .length = 9,
                                        .gzip = true,
                                        .varies = true,
                                        .etag = "\"e\"",
                                        .modified_s = 784111777,
                                        .accepts_ranges = true,
                                        .cache_control = "no-cache"},
                "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 9\r\n"
                "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\nETag: \"e\"\r\n"
                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nAccept-Ranges: bytes\r\n"
                "Cache-Control: no-cache\r\n");
    expect_head((struct vhttp_response){.status = 200,
                                        .fields = vhttp_slice_of("A: b\r\nC: d\r\n"),
                                        .length = 3,
                                        .sized = true},
                "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\nContent-Length: 3\r\n");
    expect_head((struct vhttp_response){.status = 200, .content_type = "a/b", .chunked = true},
                "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n");
}

static void test_ranges(void) {
    expect_head((struct vhttp_response){.status = 206,
                                        .content_type = "a/b",
                                        .length = 4,
                                        .whole = 100,
                                        .range = {VHTTP_RANGE_SATISFIABLE, 10, 4}},
                "HTTP/1.1 206 Partial Content\r\nContent-Type: a/b\r\nContent-Length: 4\r\n"
                "Content-Range: bytes 10-13/100\r\n");
    expect_head((struct vhttp_response){.status = 416,
                                        .whole = 100,
                                        .range = {.kind = VHTTP_RANGE_UNSATISFIABLE}},
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */100\r\n");
}

static void test_where_to_go_and_when(void) {
    expect_head((struct vhttp_response){.status = 405, .allow = "GET, HEAD"},
                "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n");
    expect_head((struct vhttp_response){.status = 301, .location_path = vhttp_slice_of("/a")},
                "HTTP/1.1 301 Moved Permanently\r\nLocation: /a/\r\n");
    expect_head((struct vhttp_response){.status = 301,
                                        .location_path = vhttp_slice_of("///a"),
                                        .location_query = vhttp_slice_of("b=c")},
                "HTTP/1.1 301 Moved Permanently\r\nLocation: /a/?b=c\r\n");
    expect_head((struct vhttp_response){.status = 503, .retry_later = true},
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n");
}

static void test_ends(void) {
    static const struct {
        struct vhttp_response_end end;
        const char *text;
    } ends[] = {
        {{.date = ""}, "\r\n"},
        {{.date = "Date: d\r\n"}, "Date: d\r\n\r\n"},
        {{.date = "", .close = true}, "Connection: close\r\n\r\n"},
        {{.date = "", .say_keep_alive = true}, "Connection: keep-alive\r\n\r\n"},
        {{.date = "", .close = true, .say_keep_alive = true}, "Connection: close\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char out[VHTTP_RESPONSE_END_MAX];
        size_t length = vhttp_write_response_end(&ends[i].end, out);
        CHECK(length == strlen(ends[i].text) && memcmp(out, ends[i].text, length) == 0, "%zu", i);
    }
}

// Each code has a phrase of its own, and what is no code is a server's error.
static void test_statuses(void) {
    static const struct vhttp_status some[] = {
        {200, "OK"},
        {404, "Not Found"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {500, "Internal Server Error"},
        {511, "Network Authentication Required"},
    };
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        const struct vhttp_status *found = &vhttp_statuses[vhttp_status_index(some[i].code)];
        CHECK(found->code == some[i].code, "%d", some[i].code);
        CHECK(strcmp(found->reason, some[i].reason) == 0, "%d %s", found->code, found->reason);
    }
    for (size_t i = 1; i < VHTTP_STATUS_COUNT; i++) {
        CHECK(vhttp_statuses[i - 1].code < vhttp_statuses[i].code, "%zu", i);
    }
    static const int none[] = {0, -1, 99, 299, 600, 2000};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK(vhttp_statuses[vhttp_status_index(none[i])].code == 500, "%d", none[i]);
    }
}

int main(void) {
    test_content();
    test_ranges();
    test_where_to_go_and_when();
    test_ends();
    test_statuses();
    return check_result();
}
