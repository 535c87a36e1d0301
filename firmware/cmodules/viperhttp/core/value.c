// SPDX-License-Identifier: MIT
#include "value.h"

#include <math.h>
#include <stdlib.h>

#include "path.h"

#define NUMBER_MAX 64 // characters of a float

static const char *const kind_names[VHTTP_VALUE_KINDS] = {"str", "int", "float", "bool", "path"};

const char *vhttp_value_kind_name(enum vhttp_value_kind kind) { return kind_names[kind]; }

enum vhttp_value_kind vhttp_value_kind_of(struct vhttp_slice name) {
    for (int kind = 0; kind < VHTTP_VALUE_KINDS; kind++) {
        if (vhttp_slice_equals(name, kind_names[kind])) {
            return (enum vhttp_value_kind)kind;
        }
    }
    return VHTTP_VALUE_KINDS;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool convert_int(struct vhttp_slice text, int64_t *out) {
    bool is_negative = text.length > 0 && text.at[0] == '-';
    size_t i = is_negative ? 1 : 0;
    if (i == text.length) {
        return false;
    }
    int64_t value = 0; // counted downwards: the negative numbers are one more
    for (; i < text.length; i++) {
        if (!is_digit(text.at[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text.at[i] - '0', &value)) {
            return false;
        }
    }
    return is_negative ? (*out = value, true) : !__builtin_sub_overflow(0, value, out);
}

static size_t skip_digits(struct vhttp_slice text, size_t from) {
    while (from < text.length && is_digit(text.at[from])) {
        from++;
    }
    return from;
}

// [-] digits [. digits] [e [sign] digits], with a digit before or after the point.
static bool is_decimal(struct vhttp_slice text) {
    size_t start = text.length > 0 && text.at[0] == '-' ? 1 : 0;
    size_t end = skip_digits(text, start);
    size_t digits = end - start;
    if (end < text.length && text.at[end] == '.') {
        size_t fraction = end + 1;
        end = skip_digits(text, fraction);
        digits += end - fraction;
    }
    if (digits > 0 && end < text.length && vhttp_lower(text.at[end]) == 'e') {
        size_t exponent = end + 1;
        if (exponent < text.length && (text.at[exponent] == '-' || text.at[exponent] == '+')) {
            exponent++;
        }
        end = skip_digits(text, exponent);
        if (end == exponent) {
            return false;
        }
    }
    return digits > 0 && end == text.length;
}

static bool convert_float(struct vhttp_slice text, double *out) {
    char copy[NUMBER_MAX + 1];
    if (text.length > NUMBER_MAX || !is_decimal(text)) {
        return false;
    }
    memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    *out = strtod(copy, NULL);
    return isfinite(*out);
}

static bool convert_bool(struct vhttp_slice text, int64_t *out) {
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (vhttp_slice_equals_nocase(text, words[i])) {
            *out = (int64_t)(i % 2);
            return true;
        }
    }
    return false;
}

bool vhttp_value_convert(enum vhttp_value_kind kind, struct vhttp_slice text,
                         struct vhttp_value *value) {
    value->kind = kind;
    switch (kind) {
    case VHTTP_VALUE_STR:
    case VHTTP_VALUE_PATH:
        value->text = text;
        return true;
    case VHTTP_VALUE_INT:
        return convert_int(text, &value->integer);
    case VHTTP_VALUE_FLOAT:
        return convert_float(text, &value->number);
    case VHTTP_VALUE_BOOL:
        return convert_bool(text, &value->integer);
    case VHTTP_VALUE_KINDS:
        break;
    }
    return false;
}

// ---- Queries

bool vhttp_query_next(struct vhttp_slice *rest, struct vhttp_slice *name,
                      struct vhttp_slice *value) {
    struct vhttp_slice pair;
    do {
        if (rest->at == NULL || rest->length == 0) {
            return false;
        }
        const char *end = memchr(rest->at, '&', rest->length);
        pair =
            (struct vhttp_slice){rest->at, end == NULL ? rest->length : (size_t)(end - rest->at)};
        size_t used = pair.length + (end == NULL ? 0 : 1);
        *rest = (struct vhttp_slice){rest->at + used, rest->length - used};
    } while (pair.length == 0);
    const char *equals = memchr(pair.at, '=', pair.length);
    size_t name_length = equals == NULL ? pair.length : (size_t)(equals - pair.at);
    size_t value_at = equals == NULL ? pair.length : name_length + 1;
    *name = (struct vhttp_slice){pair.at, name_length};
    *value = (struct vhttp_slice){pair.at + value_at, pair.length - value_at};
    return true;
}

static int hex_digit(char c) {
    char lower = vhttp_lower(c);
    return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Takes one decoded byte off `encoded`, which is not empty; -1 for a bad escape.
static int take_byte(struct vhttp_slice *encoded) {
    char c = encoded->at[0];
    size_t used = 1;
    int byte = c == '+' ? ' ' : (unsigned char)c;
    if (c == '%') {
        int high = encoded->length >= 3 ? hex_digit(encoded->at[1]) : -1;
        int low = high >= 0 ? hex_digit(encoded->at[2]) : -1;
        if (low < 0) {
            return -1;
        }
        byte = high * 16 + low;
        used = 3;
    }
    *encoded = (struct vhttp_slice){encoded->at + used, encoded->length - used};
    return byte;
}

int vhttp_query_decode(struct vhttp_slice encoded, char *out) {
    size_t length = 0;
    while (encoded.length > 0) {
        int byte = take_byte(&encoded);
        if (byte < 0) {
            return -1;
        }
        out[length++] = (char)byte;
    }
    return vhttp_is_utf8(out, length) ? (int)length : -1;
}

bool vhttp_query_is(struct vhttp_slice encoded, struct vhttp_slice name) {
    for (size_t i = 0; i < name.length; i++) {
        if (encoded.length == 0 || take_byte(&encoded) != (unsigned char)name.at[i]) {
            return false;
        }
    }
    return encoded.length == 0;
}
