// SPDX-License-Identifier: MIT
// The bytes of a Python object that is sent in pieces, while Python goes on. They have an owner,
// and are read from where it has them at that moment, or are a copy that nobody else can change.
#ifndef VHTTP_CONTENT_H
#define VHTTP_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "py/obj.h"

// To be reachable for the garbage collector while it is in use.
struct content {
    mp_obj_t
        owner; // str or bytes, which never change; or a bytearray, which is asked for each piece
    size_t length; // bytes, when it was taken
    size_t at;     // of them, read so far
};

// True for str, bytes, bytearray and memoryview.
bool content_is_bytes(mp_obj_t value);

// Takes such an object. What a memoryview shows of memory that can change is copied: that memory
// may be moved, and the view would not know. Raises MemoryError.
void content_take(struct content *content, mp_obj_t value);

// Reads on, at most `room` bytes to `out`. Returns how many. Raises ValueError when there are fewer
// now than were promised.
size_t content_read(struct content *content, char *out, size_t room);

static inline bool content_is_at_end(const struct content *content) {
    return content->at == content->length;
}

#endif
