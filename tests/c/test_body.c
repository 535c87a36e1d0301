// SPDX-License-Identifier: MIT
// Bodies: every split of the input gives the same content or the same refusal.
#include "body.h"

#include "check.h"
#include "guarded.h"
#include "vhttp_config.h"

#define CONTENT_MAX 4096

struct outcome {
    int status; // 0, or the refusal
    bool is_over;
    size_t used, length;
    char content[CONTENT_MAX];
};

// Receives `input` in pieces of `step` bytes, each before a guard page.
static struct outcome receive(struct guarded memory, const char *input, size_t size, size_t step,
                              bool is_chunked, uint64_t length) {
    struct outcome outcome = {0};
    struct vhttp_body body;
    vhttp_body_start(&body, is_chunked, length);
    while (outcome.used < size && !vhttp_body_is_over(&body)) {
        size_t piece = size - outcome.used < step ? size - outcome.used : step;
        const char *bytes = guarded_copy(memory, input + outcome.used, piece);
        int framed = vhttp_body_frame(&body, bytes, piece);
        if (framed < 0) {
            outcome.status = framed;
            return outcome;
        }
        size_t content = piece - (size_t)framed;
        if (body.state != VHTTP_BODY_CONTENT) {
            content = 0;
        } else if (content > body.left) {
            content = (size_t)body.left;
        }
        memcpy(outcome.content + outcome.length, bytes + framed, content);
        outcome.length += content;
        outcome.used += (size_t)framed + content;
        if (content > 0) {
            vhttp_body_take(&body, content);
        }
    }
    outcome.is_over = vhttp_body_is_over(&body);
    return outcome;
}

static void expect(struct guarded memory, const char *input, const char *content, size_t behind) {
    size_t size = strlen(input);
    for (size_t step = 1; step <= size; step++) {
        struct outcome got = receive(memory, input, size, step, true, 0);
        CHECK(got.status == 0 && got.is_over, "'%s' by %zu: %d", input, step, got.status);
        CHECK(got.length == strlen(content) && memcmp(got.content, content, got.length) == 0,
              "'%s' by %zu gives '%.*s'", input, step, (int)got.length, got.content);
        CHECK(got.used == size - behind, "'%s' by %zu: %zu bytes used", input, step, got.used);
    }
}

static void expect_refused(struct guarded memory, const char *input, size_t size, int status) {
    for (size_t step = 1; step <= size; step++) {
        struct outcome got = receive(memory, input, size, step, true, 0);
        CHECK(got.status == status, "'%s' by %zu: %d", input, step, got.status);
    }
}

static void test_chunks(struct guarded memory) {
    expect(memory, "0\r\n\r\n", "", 0);
    expect(memory, "5\r\nhello\r\n0\r\n\r\n", "hello", 0);
    expect(memory, "1\r\na\r\n0a\r\n0123456789\r\n00\r\n\r\nGET /", "a0123456789", 5);
    expect(memory, "3;a=\"b;c\"\r\nxyz\r\n0;last\r\nTrailer: 1\r\nOther:\r\n\r\n", "xyz", 0);
    expect(memory, "3\r\n\r\n!\r\n0\r\n\r\n", "\r\n!", 0);
}

static void test_refusals(struct guarded memory) {
    static const char *const bad[] = {
        "\r\n",          ";\r\n",           "g\r\n",        "5 \r\nhello", " 5\r\n",
        "-1\r\n",        "0x5\r\n",         "5\nhello",     "5\rhello",    "1\r\nab\r\n",
        "1\r\na\n0\r\n", "0\r\n a\r\n\r\n", "0\r\na\n\r\n", "0\r\n\rx",    "1;\1\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_refused(memory, bad[i], strlen(bad[i]), -400);
    }
    expect_refused(memory, "123456789\r\n", 11, -413);
    char endless[VHTTP_BODY_IGNORED_MAX + 16];
    memset(endless, 'a', sizeof(endless));
    memcpy(endless, "1;", 2);
    expect_refused(memory, endless, sizeof(endless), -431);
}

static void test_lengths(struct guarded memory) {
    struct outcome got = receive(memory, "hello, more", 11, 4, false, 5);
    CHECK(got.is_over && got.used == 5 && got.length == 5, "%zu bytes used", got.used);
    got = receive(memory, "hell", 4, 4, false, 5);
    CHECK(!got.is_over && got.length == 4, "a body that is not complete");
    struct vhttp_body body;
    vhttp_body_start(&body, false, 0);
    CHECK(vhttp_body_is_over(&body), "no body");
}

int main(void) {
    struct guarded memory = guarded_new(CONTENT_MAX);
    test_chunks(memory);
    test_refusals(memory);
    test_lengths(memory);
    return check_result();
}
