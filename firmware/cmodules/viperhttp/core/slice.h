// SPDX-License-Identifier: MIT
// A run of bytes that belongs to someone else.
#ifndef VHTTP_SLICE_H
#define VHTTP_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct vhttp_slice {
    const char *at;
    size_t length;
};

// A text without its NUL, which the caller keeps.
static inline struct vhttp_slice vhttp_slice_of(const char *text) {
    return (struct vhttp_slice){text, strlen(text)};
}

// Whether it is the same, byte by byte.
static inline bool vhttp_slice_equals(struct vhttp_slice slice, const char *text) {
    return slice.length == strlen(text) && memcmp(slice.at, text, slice.length) == 0;
}

// A letter of ASCII in lower case; any other byte as it is.
static inline char vhttp_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

// Compares without regard to ASCII case; `text` is in lower case.
static inline bool vhttp_slice_equals_nocase(struct vhttp_slice slice, const char *text) {
    if (slice.length != strlen(text)) {
        return false;
    }
    for (size_t i = 0; i < slice.length; i++) {
        if (vhttp_lower(slice.at[i]) != text[i]) {
            return false;
        }
    }
    return true;
}

// Without spaces and tabs at both ends.
static inline struct vhttp_slice vhttp_slice_trim(struct vhttp_slice slice) {
    while (slice.length > 0 && (slice.at[0] == ' ' || slice.at[0] == '\t')) {
        slice.at++;
        slice.length--;
    }
    while (slice.length > 0 &&
           (slice.at[slice.length - 1] == ' ' || slice.at[slice.length - 1] == '\t')) {
        slice.length--;
    }
    return slice;
}

// Takes the next element of a comma-separated list off `list`, trimmed. False at the end.
static inline bool vhttp_slice_next(struct vhttp_slice *list, char separator,
                                    struct vhttp_slice *element) {
    if (list->at == NULL) {
        return false;
    }
    const char *end = memchr(list->at, separator, list->length);
    size_t length = end == NULL ? list->length : (size_t)(end - list->at);
    *element = vhttp_slice_trim((struct vhttp_slice){list->at, length});
    if (end == NULL) {
        *list = (struct vhttp_slice){NULL, 0};
    } else {
        list->at = end + 1;
        list->length -= length + 1;
    }
    return true;
}

#endif
