// SPDX-License-Identifier: MIT
// Parameters of a route: what their text in a path or a query stands for.
#ifndef VHTTP_VALUE_H
#define VHTTP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum vhttp_value_kind {
    VHTTP_VALUE_STR,
    VHTTP_VALUE_INT,   // decimal, within 64 bits
    VHTTP_VALUE_FLOAT, // decimal, finite, with or without an exponent
    VHTTP_VALUE_BOOL,  // true, false, 1, 0, yes, no, on, off, in any case
    VHTTP_VALUE_PATH,  // like STR, and may hold slashes
    VHTTP_VALUE_KINDS,
    VHTTP_VALUE_ABSENT = VHTTP_VALUE_KINDS, // a query has no such name
};

struct vhttp_value {
    enum vhttp_value_kind kind;
    struct vhttp_slice text; // STR and PATH; points into what was converted
    int64_t integer;         // INT, and BOOL's 0 or 1
    double number;           // FLOAT
};

// "int", "float", …: the kind's name, or of a name its kind; VHTTP_VALUE_KINDS for no kind's name.
const char *vhttp_value_kind_name(enum vhttp_value_kind kind);
enum vhttp_value_kind vhttp_value_kind_of(struct vhttp_slice name);

// Converts decoded text. False when it does not stand for a value of `kind`.
bool vhttp_value_convert(enum vhttp_value_kind kind, struct vhttp_slice text,
                         struct vhttp_value *value);

// ---- Queries: name=value&name=value (application/x-www-form-urlencoded)

// Takes the next pair off `rest`, still encoded. False at the end; empty pairs are passed over.
bool vhttp_query_next(struct vhttp_slice *rest, struct vhttp_slice *name,
                      struct vhttp_slice *value);

// Decodes escapes and '+' into `out`, which has room for `encoded.length` bytes and may be where
// `encoded` lies. Returns the length, or -1 for a bad escape or text that is not UTF-8.
int vhttp_query_decode(struct vhttp_slice encoded, char *out);

// True when `encoded` is `name`, once decoded.
bool vhttp_query_is(struct vhttp_slice encoded, struct vhttp_slice name);

#endif
