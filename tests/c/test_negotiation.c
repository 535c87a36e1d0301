// SPDX-License-Identifier: MIT
// Accept-Encoding and If-None-Match.
#include "negotiation.h"

#include "check.h"

static void expect_gzip(const char *value, bool expected) {
    struct vhttp_request request = {.header_count = 1};
    request.headers[0].name = vhttp_slice_of("Accept-Encoding");
    request.headers[0].value = vhttp_slice_of(value);
    CHECK(vhttp_accepts_gzip(&request) == expected, "\"%s\"", value);
}

static void test_accept_encoding(void) {
    expect_gzip("gzip", true);
    expect_gzip("deflate, gzip, br, zstd", true);
    expect_gzip("GZip;Q=1.0", true);
    expect_gzip("gzip ; q=0.001", true);
    expect_gzip("*", true);
    expect_gzip("br, *;q=0.1", true);
    expect_gzip("identity;q=0.5, gzip;q=0.5", true);
    expect_gzip("", false);
    expect_gzip("br", false);
    expect_gzip("gzip;q=0", false);
    expect_gzip("gzip;q=0.000", false);
    expect_gzip("*, gzip;q=0", false);
    expect_gzip("*;q=0", false);
    expect_gzip("identity, gzip;q=0.5", false);
    expect_gzip("gzip;q=2", false);
    expect_gzip("gzip;q=0.1234", false);
    expect_gzip("gzip;q=0.x", false);
    expect_gzip("gzip;q=0.1x", false);
    expect_gzip("gzip;q=x", false);
    expect_gzip("gzip;q=0x1", false);
    expect_gzip("gzip;q=1.001", false);
    expect_gzip("gzipped", false);

    struct vhttp_request request = {.header_count = 2};
    request.headers[0].name = request.headers[1].name = vhttp_slice_of("accept-encoding");
    request.headers[0].value = vhttp_slice_of("br");
    request.headers[1].value = vhttp_slice_of("gzip");
    CHECK(vhttp_accepts_gzip(&request), "two fields are one list");
    request.header_count = 0;
    CHECK(!vhttp_accepts_gzip(&request), "no field");
}

static void expect_match(const char *list, bool expected) {
    CHECK(vhttp_etag_matches(vhttp_slice_of(list), "\"a,b\"") == expected, "%s", list);
}

static void test_if_none_match(void) {
    expect_match("\"a,b\"", true);
    expect_match("W/\"a,b\"", true);
    expect_match("\"x\", \"a,b\"", true);
    expect_match("*", true);
    expect_match("\"a\", \"b\"", false);
    expect_match("a,b", false);
    expect_match("\"a,b", false);
    expect_match("\"x\"a,b\"\"", false);
    expect_match("", false);
}

int main(void) {
    test_accept_encoding();
    test_if_none_match();
    return check_result();
}
