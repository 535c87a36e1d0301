// SPDX-License-Identifier: MIT
// Which characters may stand where in a message (RFC 9110, section 5.6.2; RFC 3986, section 3.2.2).
#ifndef VHTTP_CHARACTERS_H
#define VHTTP_CHARACTERS_H

#include <stdbool.h>
#include <stdint.h>

enum vhttp_character {
    VHTTP_TOKEN = 1,  // in a method or a field's name
    VHTTP_TARGET = 2, // in a request's target: what is visible
    VHTTP_VALUE = 4,  // in a field's value: also white space, and bytes above ASCII
    VHTTP_HOST = 8,   // in a host and its port
};

extern const uint8_t vhttp_characters[256]; // the sets that each belongs to

// Whether a character belongs to a set.
static inline bool vhttp_is(char c, enum vhttp_character set) {
    return (vhttp_characters[(uint8_t)c] & set) != 0;
}

#endif
