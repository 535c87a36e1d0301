// SPDX-License-Identifier: MIT
// JSON (RFC 8259) read token by token, to the letter: what is no JSON is refused, and so is what
// would cost more than its length, by limits of vhttp_config.h.
#ifndef VHTTP_JSON_TEXT_H
#define VHTTP_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "vhttp_config.h"

enum vhttp_json_token {
    VHTTP_JSON_OBJECT,  // an object begins; keys, each followed by its value, come next
    VHTTP_JSON_ARRAY,   // an array begins; its values come next
    VHTTP_JSON_CLOSE,   // the innermost of them ends
    VHTTP_JSON_KEY,     // `text` is as it stands between the quotes
    VHTTP_JSON_STRING,  // likewise
    VHTTP_JSON_INTEGER, // `text` is the number
    VHTTP_JSON_FLOAT,   // with a fraction or an exponent
    VHTTP_JSON_TRUE,
    VHTTP_JSON_FALSE,
    VHTTP_JSON_NULL,
    VHTTP_JSON_END,  // of the text, which was one value
    VHTTP_JSON_BAD,  // it is no JSON
    VHTTP_JSON_DEEP, // more than VHTTP_JSON_DEPTH_MAX containers within each other
    VHTTP_JSON_WIDE, // an object of more than VHTTP_NAMES_MAX keys
    VHTTP_JSON_LONG, // a number of more than VHTTP_JSON_NUMBER_MAX characters
};

struct vhttp_json_text {
    struct vhttp_slice rest;
    bool wants_value; // the next token is a value
    bool is_first;    // of its container
    size_t depth;
    bool is_object[VHTTP_JSON_DEPTH_MAX];
    uint16_t keys[VHTTP_JSON_DEPTH_MAX];
};

// From the start of a text, which the caller keeps until the last token was taken.
void vhttp_json_start(struct vhttp_json_text *json, struct vhttp_slice text);

// The next token; after the last four it is not called again.
enum vhttp_json_token vhttp_json_next(struct vhttp_json_text *json, struct vhttp_slice *text);

// Writes a key's or string's characters in UTF-8, which takes no more bytes than the text has.
// Returns how many, or -1 for an escape of half a surrogate pair.
ptrdiff_t vhttp_json_unescape(struct vhttp_slice text, char *out);

#endif
