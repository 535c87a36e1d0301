// SPDX-License-Identifier: MIT
// Dates and ranges, as clients send them.
#include "byte_range.h"
#include "check.h"
#include "http_date.h"

static void test_dates(void) {
    static const struct {
        const char *text;
        int64_t seconds;
    } dates[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"Mon, 01 Mar 2100 00:00:00 GMT", 4107542400},
        {"Sun, 06 Nov 1994 08:49:37 CET", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
        {"Sun, 06 Nov 1994 24:49:37 GMT", -1},
        {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
        {"06 Nov 1994 08:49:37 GMT", -1},
        {"784111777", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        int64_t seconds = vhttp_parse_date(vhttp_slice_of(dates[i].text));
        CHECK(seconds == dates[i].seconds, "'%s' is %lld", dates[i].text, (long long)seconds);
    }
}

static void test_written_dates_read_back(void) {
    char text[VHTTP_DATE_SIZE];
    vhttp_format_date(784111777, text);
    CHECK(strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0, "%s", text);
    for (int64_t seconds = 0; seconds < 253402300800; seconds += 86400 * 13 + 54321) {
        vhttp_format_date(seconds, text);
        int64_t read = vhttp_parse_date(vhttp_slice_of(text));
        CHECK(read == seconds, "%lld is written %s", (long long)seconds, text);
    }
}

static void test_ranges(void) {
    static const struct {
        const char *text;
        uint64_t size;
        struct vhttp_range range;
    } ranges[] = {
        {"bytes=0-0", 10, {VHTTP_RANGE_SATISFIABLE, 0, 1}},
        {"bytes=2-5", 10, {VHTTP_RANGE_SATISFIABLE, 2, 4}},
        {"Bytes = 2-", 10, {VHTTP_RANGE_SATISFIABLE, 2, 8}},
        {"bytes=2-99", 10, {VHTTP_RANGE_SATISFIABLE, 2, 8}},
        {"bytes=-3", 10, {VHTTP_RANGE_SATISFIABLE, 7, 3}},
        {"bytes=-30", 10, {VHTTP_RANGE_SATISFIABLE, 0, 10}},
        {"bytes=10-", 10, {.kind = VHTTP_RANGE_UNSATISFIABLE}},
        {"bytes=-0", 10, {.kind = VHTTP_RANGE_UNSATISFIABLE}},
        {"bytes=0-", 0, {.kind = VHTTP_RANGE_UNSATISFIABLE}},
        {"bytes=5-2", 10, {.kind = VHTTP_RANGE_NONE}},
        {"bytes=0-1,3-4", 10, {.kind = VHTTP_RANGE_NONE}},
        {"bytes=a-", 10, {.kind = VHTTP_RANGE_NONE}},
        {"bytes=-", 10, {.kind = VHTTP_RANGE_NONE}},
        {"bytes=1234567890123456789-", 10, {.kind = VHTTP_RANGE_NONE}},
        {"lines=0-1", 10, {.kind = VHTTP_RANGE_NONE}},
        {"bytes", 10, {.kind = VHTTP_RANGE_NONE}},
        {"", 10, {.kind = VHTTP_RANGE_NONE}},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct vhttp_range got = vhttp_read_range(vhttp_slice_of(ranges[i].text), ranges[i].size);
        const struct vhttp_range *want = &ranges[i].range;
        CHECK(got.kind == want->kind && got.first == want->first && got.length == want->length,
              "'%s' of %llu: kind %d, %llu + %llu", ranges[i].text,
              (unsigned long long)ranges[i].size, got.kind, (unsigned long long)got.first,
              (unsigned long long)got.length);
    }
}

int main(void) {
    test_dates();
    test_written_dates_read_back();
    test_ranges();
    return check_result();
}
