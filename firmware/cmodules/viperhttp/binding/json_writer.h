// SPDX-License-Identifier: MIT
// Writes Python values as JSON (RFC 8259) into memory that comes piece by piece.
//
// dict, list, tuple, str, int, float, bool and None; keys are str or int. Between two pieces the
// values may change: what is written then follows the change and stays within the containers.
#ifndef VHTTP_JSON_WRITER_H
#define VHTTP_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "py/obj.h"

#include "vhttp_config.h"

#define JSON_PIECE_MIN 64 // bytes: room for any token but a string, which can be split

struct json_frame {
    mp_obj_t container;
    size_t next; // the index of its next item, or of the next slot of its map
};

// To be reachable for the garbage collector while it is in use.
struct json_writer {
    mp_obj_t value;   // the one to be written next
    const char *text; // of a string or a long number that is being written; NULL: none
    size_t text_at, text_length;
    bool text_is_string;
    bool value_is_next;
    bool is_first; // of its container's items
    size_t depth;
    struct json_frame frames[VHTTP_JSON_DEPTH_MAX];
};

void json_writer_init(struct json_writer *writer, mp_obj_t value);

// Writes on, from *at to `end`, which are JSON_PIECE_MIN or more apart, and moves *at. Returns true
// when the text is complete. Raises TypeError or ValueError for what JSON cannot hold.
bool json_writer_fill(struct json_writer *writer, char **at, char *end);

#endif
