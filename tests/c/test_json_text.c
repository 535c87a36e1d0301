// SPDX-License-Identifier: MIT
// JSON read token by token: the whole grammar at a page's end, strings, and the limits.
#include "json_text.h"

#include "check.h"
#include "guarded.h"

static struct guarded memory;

// A token as a letter: { [ ) for the end of either, k s i f t n for a value, and so on.
static const char letters[] = "{[)ksiftFn.BDWL";

// The tokens of a text, behind which nothing may be read.
static const char *tokens_of(const char *text, size_t length) {
    static char tokens[4096];
    struct vhttp_json_text json;
    struct vhttp_slice part;
    vhttp_json_start(&json, (struct vhttp_slice){guarded_copy(memory, text, length), length});
    size_t count = 0;
    enum vhttp_json_token token;
    do {
        token = vhttp_json_next(&json, &part);
        tokens[count++] = letters[token];
    } while (token < VHTTP_JSON_END && count < sizeof(tokens) - 1);
    tokens[count] = '\0';
    return tokens;
}

static void expect_tokens(const char *text, const char *expected) {
    const char *tokens = tokens_of(text, strlen(text));
    CHECK(strcmp(tokens, expected) == 0, "%s: %s, expected %s", text, tokens, expected);
    for (size_t cut = 0; cut < strlen(text); cut++) {
        tokens_of(text, cut); // the guard page watches
    }
}

static void test_grammar(void) {
    expect_tokens("null", "n.");
    expect_tokens(" {\"a\" : [1,-0.5e+2 ,true],\n\"\":{}} ", "{k[ift)k{)).");
    expect_tokens("[[],\"x\",false]", "[[)sF).");
    static const char *const bad[] = {
        "",
        "[1 2]",
        "{\"a\" 1}",
        "[1,,2]",
        "01",
        "1.",
        "-",
        "1e",
        "+1",
        ".5",
        "[1,]",
        "{\"a\":}",
        "{,}",
        "[,]",
        "nul",
        "truefalse",
        "\"",
        "\"\\x\"",
        "'a'",
        "]",
        "{]",
        "[}",
        "1 1",
        "\"\n\"",
        "\"\\u00g0\"",
        "\xef\xbb\xbf"
        "1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *tokens = tokens_of(bad[i], strlen(bad[i]));
        CHECK(tokens[strlen(tokens) - 1] == 'B', "%s: %s", bad[i], tokens);
    }
    CHECK(strcmp(tokens_of("\"a\0b\"", 5), "B") == 0, "a NUL in a string");
    CHECK(strcmp(tokens_of("\"\xff\"", 3), "B") == 0, "a string that is no UTF-8");
}

static void expect_text(const char *escaped, const char *expected) {
    char out[64];
    size_t length = strlen(escaped);
    struct vhttp_slice text = {guarded_copy(memory, escaped, length), length};
    ptrdiff_t result = vhttp_json_unescape(text, out);
    if (expected == NULL) {
        CHECK(result == -1, "%s: %d", escaped, (int)result);
        return;
    }
    CHECK(result == (ptrdiff_t)strlen(expected) && memcmp(out, expected, strlen(expected)) == 0,
          "%s: %.*s", escaped, (int)result, out);
}

static void test_strings(void) {
    expect_text("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    expect_text("\\u0041\\u00e4\\u20AC", "A\xc3\xa4\xe2\x82\xac");
    expect_text("\\ud83d\\ude00!", "\xf0\x9f\x98\x80!");
    expect_text("\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf");
    expect_text("\\ud83d", NULL);
    expect_text("\\ude00", NULL);
    expect_text("\\ud83d\\u0041", NULL);
    expect_text("\\ud83d\\\\u", NULL);
    expect_text("\\ud83d\\ud83d", NULL);
}

static char text[65536];

static const char *repeated(const char *part, size_t count) {
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * strlen(part), part, strlen(part) + 1);
    }
    return text;
}

static char last_of(const char *json) {
    static struct vhttp_json_text reader;
    struct vhttp_slice part;
    vhttp_json_start(&reader, vhttp_slice_of(json));
    enum vhttp_json_token token;
    do {
        token = vhttp_json_next(&reader, &part);
    } while (token < VHTTP_JSON_END);
    return letters[token];
}

static void test_limits(void) {
    CHECK(last_of(repeated("[", VHTTP_JSON_DEPTH_MAX)) == 'B', "as deep as can be");
    CHECK(last_of(repeated("[", VHTTP_JSON_DEPTH_MAX + 1)) == 'D', "deeper");
    CHECK(last_of(repeated("1", VHTTP_JSON_NUMBER_MAX)) == '.', "as long as can be");
    CHECK(last_of(repeated("1", VHTTP_JSON_NUMBER_MAX + 1)) == 'L', "longer");
    repeated("\"k\":1,", VHTTP_NAMES_MAX);
    memmove(text + 1, text, strlen(text));
    text[0] = '{';
    text[6 * VHTTP_NAMES_MAX] = '}';
    CHECK(last_of(text) == '.', "as wide as can be");
    text[6 * VHTTP_NAMES_MAX] = ',';
    strcpy(text + 6 * VHTTP_NAMES_MAX + 1, "\"k\":1}");
    CHECK(last_of(text) == 'W', "wider");
}

int main(void) {
    memory = guarded_new(4096);
    test_grammar();
    test_strings();
    test_limits();
    return check_result();
}
