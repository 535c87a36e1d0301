// SPDX-License-Identifier: MIT
#include "body.h"

#include "characters.h"
#include "slice.h"
#include "vhttp_config.h"

#define DIGITS_MAX 8 // of a chunk's size: 4 GiB are beyond every limit

void vhttp_body_start(struct vhttp_body *body, bool is_chunked, uint64_t length) {
    *body = (struct vhttp_body){.left = is_chunked ? 0 : length, .is_chunked = is_chunked};
    if (is_chunked) {
        body->state = VHTTP_BODY_SIZE;
    } else if (length > 0) {
        body->state = VHTTP_BODY_CONTENT;
    }
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = vhttp_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A byte of the size's line.
static int take_size(struct vhttp_body *body, char c) {
    int digit = hex_value(c);
    if (digit >= 0) {
        body->has_digits = true;
        if (digit == 0 && body->digits == 0) {
            return ++body->ignored > VHTTP_BODY_IGNORED_MAX ? -431 : 0;
        }
        if (++body->digits > DIGITS_MAX) {
            return -413;
        }
        body->left = body->left * 16 + (uint64_t)digit;
        return 0;
    }
    if (!body->has_digits) {
        return -400;
    }
    if (c == ';') {
        body->state = VHTTP_BODY_EXTENSION;
    } else if (c == ' ' || c == '\t') {
        body->state = VHTTP_BODY_SIZE_SPACE;
    } else if (c == '\r') {
        body->state = VHTTP_BODY_SIZE_LF;
    } else {
        return -400;
    }
    return 0;
}

// A byte that means nothing; `behind` is the state that follows its line's CR.
static int take_ignored(struct vhttp_body *body, char c, enum vhttp_body_state behind) {
    if (c == '\r') {
        body->state = behind;
        return 0;
    }
    if (!vhttp_is(c, VHTTP_VALUE)) {
        return -400;
    }
    return ++body->ignored > VHTTP_BODY_IGNORED_MAX ? -431 : 0;
}

// White space behind a size, which only an extension may follow.
static int take_size_space(struct vhttp_body *body, char c) {
    if (c == ';') {
        body->state = VHTTP_BODY_EXTENSION;
        return 0;
    }
    if (c != ' ' && c != '\t') {
        return -400;
    }
    return ++body->ignored > VHTTP_BODY_IGNORED_MAX ? -431 : 0;
}

static int take_expected(struct vhttp_body *body, char c, char expected,
                         enum vhttp_body_state behind) {
    body->state = behind;
    return c == expected ? 0 : -400;
}

// A trailer is a field: a token, a colon, and what means nothing.
static int take_trailer_name(struct vhttp_body *body, char c) {
    if (c == ':') {
        body->state = VHTTP_BODY_TRAILER_LINE;
    } else if (!vhttp_is(c, VHTTP_TOKEN)) {
        return -400;
    }
    return ++body->ignored > VHTTP_BODY_IGNORED_MAX ? -431 : 0;
}

static int take_trailer_start(struct vhttp_body *body, char c) {
    if (c == '\r') {
        body->state = VHTTP_BODY_LAST_LF;
        return 0;
    }
    body->state = VHTTP_BODY_TRAILER_NAME;
    return c == ':' ? -400 : take_trailer_name(body, c);
}

static void end_size(struct vhttp_body *body) {
    body->digits = 0;
    body->has_digits = false;
    body->state = body->left > 0 ? VHTTP_BODY_CONTENT : VHTTP_BODY_TRAILER;
}

static int take_frame_byte(struct vhttp_body *body, char c) {
    int error = 0;
    switch (body->state) {
    case VHTTP_BODY_SIZE:
        return take_size(body, c);
    case VHTTP_BODY_SIZE_SPACE:
        return take_size_space(body, c);
    case VHTTP_BODY_EXTENSION:
        return take_ignored(body, c, VHTTP_BODY_SIZE_LF);
    case VHTTP_BODY_SIZE_LF:
        error = take_expected(body, c, '\n', VHTTP_BODY_CONTENT);
        end_size(body);
        return error;
    case VHTTP_BODY_CONTENT_CR:
        return take_expected(body, c, '\r', VHTTP_BODY_CONTENT_LF);
    case VHTTP_BODY_CONTENT_LF:
        return take_expected(body, c, '\n', VHTTP_BODY_SIZE);
    case VHTTP_BODY_TRAILER:
        return take_trailer_start(body, c);
    case VHTTP_BODY_TRAILER_NAME:
        return take_trailer_name(body, c);
    case VHTTP_BODY_TRAILER_LINE:
        return take_ignored(body, c, VHTTP_BODY_TRAILER_LF);
    case VHTTP_BODY_TRAILER_LF:
        return take_expected(body, c, '\n', VHTTP_BODY_TRAILER);
    case VHTTP_BODY_LAST_LF:
        return take_expected(body, c, '\n', VHTTP_BODY_OVER);
    case VHTTP_BODY_CONTENT:
    case VHTTP_BODY_OVER:
        break;
    }
    return 0;
}

int vhttp_body_frame(struct vhttp_body *body, const char *bytes, size_t length) {
    size_t at = 0;
    while (at < length && body->state != VHTTP_BODY_CONTENT && body->state != VHTTP_BODY_OVER) {
        int error = take_frame_byte(body, bytes[at++]);
        if (error != 0) {
            return error;
        }
    }
    return (int)at;
}

void vhttp_body_take(struct vhttp_body *body, uint64_t count) {
    body->left -= count;
    if (body->left == 0) {
        body->state = body->is_chunked ? VHTTP_BODY_CONTENT_CR : VHTTP_BODY_OVER;
    }
}
