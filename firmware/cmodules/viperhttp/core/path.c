// SPDX-License-Identifier: MIT
#include "path.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = vhttp_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_allowed(unsigned char byte) { return byte >= ' ' && byte != 0x7F && byte != '\\'; }

// Takes one decoded byte off `encoded`; -1 for a byte that no path may hold.
static int take_byte(struct vhttp_slice *encoded) {
    unsigned char byte = (unsigned char)encoded->at[0];
    size_t used = 1;
    if (byte == '%') {
        int high = encoded->length >= 3 ? hex_digit(encoded->at[1]) : -1;
        int low = high >= 0 ? hex_digit(encoded->at[2]) : -1;
        if (low < 0) {
            return -1;
        }
        byte = (unsigned char)(high * 16 + low);
        used = 3;
        if (byte == '/') {
            return -1; // a slash that is no separator could be taken for one further on
        }
    }
    encoded->at += used;
    encoded->length -= used;
    return is_allowed(byte) ? byte : -1;
}

bool vhttp_is_utf8(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + length;
    while (at < end) {
        unsigned char lead = *at++;
        if (lead < 0x80) {
            continue;
        }
        int more = lead >= 0xC2 && lead <= 0xDF   ? 1
                   : lead >= 0xE0 && lead <= 0xEF ? 2
                   : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                  : 0;
        if (more == 0 || end - at < more) {
            return false;
        }
        unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (*at < lowest || *at > highest) {
            return false;
        }
        for (int i = 1; i < more; i++) {
            if (at[i] < 0x80 || at[i] > 0xBF) {
                return false;
            }
        }
        at += more;
    }
    return true;
}

static bool is_dots(const char *segment, size_t size) {
    return (size == 1 || size == 2) && memcmp(segment, "..", size) == 0;
}

bool vhttp_path_may_have(struct vhttp_slice segment) {
    for (size_t i = 0; i < segment.length; i++) {
        if (!is_allowed((unsigned char)segment.at[i])) {
            return false;
        }
    }
    return !is_dots(segment.at, segment.length);
}

// Ends the segment that starts at out[start] with a slash, or resolves it when it is made of
// dots. Returns the new length, -1 when it climbs above the root.
static int end_segment(char *out, size_t start, size_t length) {
    size_t size = length - start;
    if (size == 0 || (size == 1 && is_dots(out + start, size))) {
        return (int)start;
    }
    if (is_dots(out + start, size)) {
        if (start <= 1) {
            return -1;
        }
        size_t parent = start - 1;
        while (out[parent - 1] != '/') {
            parent--;
        }
        return (int)parent;
    }
    out[length] = '/';
    return (int)length + 1;
}

int vhttp_decode_path(struct vhttp_slice encoded, char *out, size_t size) {
    if (encoded.length == 0 || encoded.at[0] != '/' || size < 2) {
        return -400;
    }
    encoded.at++;
    encoded.length--;
    out[0] = '/';
    size_t start = 1, length = 1; // of the segment, and of all
    while (encoded.length > 0) {
        bool is_separator = encoded.at[0] == '/';
        int byte = take_byte(&encoded);
        if (byte < 0) {
            return -400;
        }
        if (length + 2 >= size) {
            return -414;
        }
        if (is_separator) {
            int ended = end_segment(out, start, length);
            if (ended < 0) {
                return -400;
            }
            start = length = (size_t)ended;
        } else {
            out[length++] = (char)byte;
        }
    }
    if (is_dots(out + start, length - start)) {
        int ended = end_segment(out, start, length);
        if (ended < 0) {
            return -400;
        }
        length = (size_t)ended;
    }
    out[length] = '\0';
    return vhttp_is_utf8(out, length) ? (int)length : -400;
}

bool vhttp_path_is_hidden(const char *path) { return strstr(path, "/.") != NULL; }
