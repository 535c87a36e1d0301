// SPDX-License-Identifier: MIT
#include "json_text.h"

#include <string.h>

#include "path.h"

void vhttp_json_start(struct vhttp_json_text *json, struct vhttp_slice text) {
    *json = (struct vhttp_json_text){.rest = text, .wants_value = true};
}

// The next byte, or NUL, which begins no token, at the end.
static char peek(const struct vhttp_json_text *json) {
    return json->rest.length > 0 ? json->rest.at[0] : '\0';
}

static void skip(struct vhttp_json_text *json, size_t count) {
    json->rest.at += count;
    json->rest.length -= count;
}

static bool take(struct vhttp_json_text *json, char c) {
    bool is_there = json->rest.length > 0 && json->rest.at[0] == c;
    skip(json, is_there);
    return is_there;
}

static void skip_space(struct vhttp_json_text *json) {
    while (take(json, ' ') || take(json, '\n') || take(json, '\t') || take(json, '\r')) {
    }
}

static bool take_word(struct vhttp_json_text *json, const char *word) {
    size_t length = strlen(word);
    bool is_there = json->rest.length >= length && memcmp(json->rest.at, word, length) == 0;
    skip(json, is_there ? length : 0);
    return is_there;
}

static size_t take_digits(struct vhttp_json_text *json) {
    size_t count = 0;
    while (peek(json) >= '0' && peek(json) <= '9') {
        skip(json, 1);
        count++;
    }
    return count;
}

static enum vhttp_json_token take_number(struct vhttp_json_text *json, struct vhttp_slice *text) {
    text->at = json->rest.at;
    enum vhttp_json_token token = VHTTP_JSON_INTEGER;
    take(json, '-');
    if (!take(json, '0') && take_digits(json) == 0) {
        return VHTTP_JSON_BAD;
    }
    if (take(json, '.')) {
        token = VHTTP_JSON_FLOAT;
        if (take_digits(json) == 0) {
            return VHTTP_JSON_BAD;
        }
    }
    if (take(json, 'e') || take(json, 'E')) {
        token = VHTTP_JSON_FLOAT;
        if (!take(json, '-')) {
            take(json, '+');
        }
        if (take_digits(json) == 0) {
            return VHTTP_JSON_BAD;
        }
    }
    text->length = (size_t)(json->rest.at - text->at);
    return text->length > VHTTP_JSON_NUMBER_MAX ? VHTTP_JSON_LONG : token;
}

static int hex_digit(char c) {
    char lower = vhttp_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What four hexadecimal digits say, or -1.
static int32_t unit_at(struct vhttp_slice text) {
    int32_t unit = text.length < 4 ? -1 : 0;
    for (size_t i = 0; i < 4 && unit >= 0; i++) {
        int digit = hex_digit(text.at[i]);
        unit = digit < 0 ? -1 : unit << 4 | digit;
    }
    return unit;
}

// From behind the opening quote to behind the closing one.
static bool take_string(struct vhttp_json_text *json, struct vhttp_slice *text) {
    text->at = json->rest.at;
    while (json->rest.length > 0 && (unsigned char)peek(json) >= ' ') {
        if (peek(json) == '"') {
            text->length = (size_t)(json->rest.at - text->at);
            skip(json, 1);
            return vhttp_is_utf8(text->at, text->length);
        }
        if (take(json, '\\')) {
            if (peek(json) == '\0' || strchr("\"\\/bfnrtu", peek(json)) == NULL) {
                return false;
            }
            if (take(json, 'u') && unit_at(json->rest) < 0) {
                return false;
            }
        }
        skip(json, 1);
    }
    return false;
}

static enum vhttp_json_token take_open(struct vhttp_json_text *json, bool is_object) {
    if (json->depth == VHTTP_JSON_DEPTH_MAX) {
        return VHTTP_JSON_DEEP;
    }
    json->is_object[json->depth] = is_object;
    json->keys[json->depth++] = 0;
    json->is_first = true;
    json->wants_value = false;
    return is_object ? VHTTP_JSON_OBJECT : VHTTP_JSON_ARRAY;
}

static enum vhttp_json_token take_value(struct vhttp_json_text *json, struct vhttp_slice *text) {
    json->wants_value = false;
    if (take(json, '"')) {
        return take_string(json, text) ? VHTTP_JSON_STRING : VHTTP_JSON_BAD;
    }
    if (take(json, '{')) {
        return take_open(json, true);
    }
    if (take(json, '[')) {
        return take_open(json, false);
    }
    if (peek(json) == '-' || (peek(json) >= '0' && peek(json) <= '9')) {
        return take_number(json, text);
    }
    return take_word(json, "true")    ? VHTTP_JSON_TRUE
           : take_word(json, "false") ? VHTTP_JSON_FALSE
           : take_word(json, "null")  ? VHTTP_JSON_NULL
                                      : VHTTP_JSON_BAD;
}

static enum vhttp_json_token take_key(struct vhttp_json_text *json, struct vhttp_slice *text) {
    if (json->keys[json->depth - 1]++ == VHTTP_NAMES_MAX) {
        return VHTTP_JSON_WIDE;
    }
    if (!take(json, '"') || !take_string(json, text)) {
        return VHTTP_JSON_BAD;
    }
    skip_space(json);
    json->wants_value = true;
    return take(json, ':') ? VHTTP_JSON_KEY : VHTTP_JSON_BAD;
}

enum vhttp_json_token vhttp_json_next(struct vhttp_json_text *json, struct vhttp_slice *text) {
    skip_space(json);
    if (json->wants_value) {
        return take_value(json, text);
    }
    if (json->depth == 0) {
        return json->rest.length == 0 ? VHTTP_JSON_END : VHTTP_JSON_BAD;
    }
    bool is_object = json->is_object[json->depth - 1];
    bool is_first = json->is_first;
    json->is_first = false;
    if (take(json, is_object ? '}' : ']')) {
        json->depth--;
        return VHTTP_JSON_CLOSE;
    }
    if (!is_first && !take(json, ',')) {
        return VHTTP_JSON_BAD;
    }
    skip_space(json);
    return is_object ? take_key(json, text) : take_value(json, text);
}

// ---- Strings

static char *put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char)(0xe0 | c >> 12);
        } else {
            *out++ = (char)(0xf0 | c >> 18);
            *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

// Takes the character that follows "\u" off `text`, which may need a second escape. -1 for half a
// pair.
static int32_t take_unicode(struct vhttp_slice *text) {
    int32_t c = unit_at(*text);
    text->at += 4;
    text->length -= 4;
    if (c < 0xd800 || c > 0xdfff) {
        return c;
    }
    if (c > 0xdbff || text->length < 6 || text->at[0] != '\\' || text->at[1] != 'u') {
        return -1;
    }
    int32_t low = unit_at((struct vhttp_slice){text->at + 2, 4});
    text->at += 6;
    text->length -= 6;
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

ptrdiff_t vhttp_json_unescape(struct vhttp_slice text, char *out) {
    static const char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    const char *start = out;
    while (text.length > 0) {
        char c = *text.at++;
        text.length--;
        if (c != '\\') {
            *out++ = c;
            continue;
        }
        char letter = *text.at++;
        text.length--;
        if (letter != 'u') {
            *out++ = strchr(letters, letter)[1];
            continue;
        }
        int32_t unicode = take_unicode(&text);
        if (unicode < 0) {
            return -1;
        }
        out = put_utf8(out, (uint32_t)unicode);
    }
    return out - start;
}
