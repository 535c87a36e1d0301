// SPDX-License-Identifier: MIT
// The request parser: each input in one piece and at every split, against a guard page.
#include "parser.h"

#include "check.h"
#include "guarded.h"

#define TEXT(literal) literal, sizeof(literal) - 1

struct example {
    const char *name;
    const char *input;
    size_t length;
    int expected; // 0: the whole input is one head
};

static const struct example examples[] = {
    {"plain", TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"1.0 without host", TEXT("GET /x HTTP/1.0\r\n\r\n"), 0},
    {"empty lines first", TEXT("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"absolute form", TEXT("GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"options *", TEXT("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {"empty value", TEXT("GET / HTTP/1.1\r\nHost:\r\nA: \t \r\n\r\n"), 0},
    {"obs-text value", TEXT("GET / HTTP/1.1\r\nHost: a\r\nA: \xff\r\n\r\n"), 0},
    {"same length twice",
     TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"), 0},
    {"chunked", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"), 0},
    {"incomplete", TEXT("GET / HTTP/1.1\r\nHost: a\r\n"), VHTTP_PARSE_PARTIAL},
    {"nothing", TEXT(""), VHTTP_PARSE_PARTIAL},

    {"bare LF", TEXT("GET / HTTP/1.1\nHost: a\n\n"), -400},
    {"bare LF in the middle", TEXT("GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n"), -400},
    {"bare CR", TEXT("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n"), -400},
    {"NUL", TEXT("GET / HTTP/1.1\r\nHost: a\r\nB: \0\r\n\r\n"), -400},
    {"no target", TEXT("GET HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"two spaces", TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"target with space", TEXT("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"raw UTF-8 target", TEXT("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"fragment", TEXT("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"relative target", TEXT("GET x HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"GET *", TEXT("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), -400},
    {"HTTP/0.9", TEXT("GET /\r\n\r\n"), -400},
    {"lower case version", TEXT("GET / http/1.1\r\nHost: a\r\n\r\n"), -400},
    {"space before colon", TEXT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), -400},
    {"folded line", TEXT("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n"), -400},
    {"first line folded", TEXT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), -400},
    {"no colon", TEXT("GET / HTTP/1.1\r\nHost: a\r\nB\r\n\r\n"), -400},
    {"empty name", TEXT("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"), -400},
    {"no host", TEXT("GET / HTTP/1.1\r\n\r\n"), -400},
    {"two hosts", TEXT("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), -400},
    {"bad host", TEXT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), -400},
    {"length and chunks",
     TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
     -400},
    {"two lengths",
     TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"), -400},
    {"length list", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n"), -400},
    {"signed length", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n"), -400},
    {"empty length", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"), -400},
    {"huge length",
     TEXT("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"), -413},
    {"chunks in 1.0", TEXT("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), -400},
    {"unknown coding", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"), -501},
    {"chunked twice",
     TEXT("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
          "Transfer-Encoding: chunked\r\n\r\n"),
     -400},
    {"unknown expectation", TEXT("PUT / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"), -417},
    {"unknown method", TEXT("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), -501},
    {"HTTP/2", TEXT("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), -505},
};

static struct guarded memory;
static struct vhttp_request request;

static int parse_in_pieces(const struct example *example, size_t step) {
    size_t checked = 0;
    for (size_t length = step; length < example->length; length += step) {
        const char *buffer = guarded_copy(memory, example->input, length);
        int result = vhttp_parse_request(buffer, length, checked, &request);
        if (result != VHTTP_PARSE_PARTIAL) {
            return result;
        }
        checked = length;
    }
    const char *buffer = guarded_copy(memory, example->input, example->length);
    return vhttp_parse_request(buffer, example->length, checked, &request);
}

static void test_examples_at_every_split(void) {
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *example = &examples[i];
        int expected = example->expected != 0 ? example->expected : (int)example->length;
        for (size_t step = 1; step <= example->length + 1; step++) {
            int result = parse_in_pieces(example, step);
            CHECK(result == expected, "%s in steps of %zu: %d, expected %d", example->name, step,
                  result, expected);
        }
        for (size_t first = 1; first < example->length; first++) {
            const char *buffer = guarded_copy(memory, example->input, first);
            int result = vhttp_parse_request(buffer, first, 0, &request);
            if (result == VHTTP_PARSE_PARTIAL) {
                buffer = guarded_copy(memory, example->input, example->length);
                result = vhttp_parse_request(buffer, example->length, first, &request);
            }
            CHECK(result == expected, "%s split at %zu: %d", example->name, first, result);
        }
    }
}

static int parse(const char *text) {
    size_t length = strlen(text);
    return vhttp_parse_request(guarded_copy(memory, text, length), length, 0, &request);
}

static void test_meaning(void) {
    parse("GET /a/b?c=d&e HTTP/1.1\r\nHost: x\r\nIF-NONE-MATCH:  \"q\" \r\n\r\nrest");
    CHECK(request.method == VHTTP_GET, "%d", request.method);
    CHECK(vhttp_slice_equals(request.path, "/a/b"), "%.*s", (int)request.path.length,
          request.path.at);
    CHECK(vhttp_slice_equals(request.query, "c=d&e"), "query");
    const struct vhttp_slice *value = vhttp_find_header(&request, "if-none-match");
    CHECK(value != NULL && vhttp_slice_equals(*value, "\"q\""), "header value is trimmed");
    CHECK(vhttp_find_header(&request, "accept") == NULL, "absent header");
    parse("GET / HTTP/1.1\r\nAccept: a\r\nHost: x\r\nRange: b\r\n\r\n");
    value = vhttp_find_header(&request, "accept");
    CHECK(value != NULL && vhttp_slice_equals(*value, "a"), "the first header");
    value = vhttp_find_header(&request, "range");
    CHECK(value != NULL && vhttp_slice_equals(*value, "b"), "the last header");
    parse("GET /a/./b/?c=d&e HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(request.keep_alive, "1.1 keeps the connection");

    parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: foo , CLOSE\r\n\r\n");
    CHECK(!request.keep_alive, "close among other options");
    parse("GET / HTTP/1.0\r\n\r\n");
    CHECK(!request.keep_alive && request.minor_version == 0, "1.0 closes");
    parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(request.keep_alive, "1.0 can keep the connection");
    parse("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0042\r\nExpect: 100-continue\r\n\r\n");
    CHECK(request.content_length == 42 && request.expects_continue, "body fields");
    parse("GET http://x/y HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(vhttp_slice_equals(request.path, "/y") && request.query.at == NULL, "absolute form");
}

static void test_limits(void) {
    char text[VHTTP_MAX_HEADERS * 6 + 128];
    for (int count = VHTTP_MAX_HEADERS - 1; count <= VHTTP_MAX_HEADERS; count++) {
        int length = sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 0; i < count; i++) {
            length += sprintf(text + length, "A: b\r\n");
        }
        strcpy(text + length, "\r\n");
        int result = parse(text);
        CHECK(count < VHTTP_MAX_HEADERS ? result == length + 2 : result == -431, "%d fields: %d",
              count + 1, result);
    }
    CHECK(vhttp_parse_overflow(TEXT("GET /aaaa")) == 414, "a line without end is a long target");
    CHECK(vhttp_parse_overflow(TEXT("\r\nGET / HTTP/1.1\r\nA: ")) == 431, "long fields");
}

int main(void) {
    memory = guarded_new(8192);
    test_examples_at_every_split();
    test_meaning();
    test_limits();
    return check_result();
}
