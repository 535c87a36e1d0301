// SPDX-License-Identifier: MIT
// Where a request's body lies among the bytes that a client sends (RFC 9112, sections 6 and 7).
//
// The caller takes turns: vhttp_body_frame() passes over framing, then up to `left` bytes of
// content follow, of which vhttp_body_take() is told.
#ifndef VHTTP_BODY_H
#define VHTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vhttp_body_state {
    VHTTP_BODY_OVER,
    VHTTP_BODY_CONTENT,
    VHTTP_BODY_SIZE,       // the digits of a chunk's size
    VHTTP_BODY_SIZE_SPACE, // white space before an extension
    VHTTP_BODY_EXTENSION,  // what may stand behind them, which means nothing here
    VHTTP_BODY_SIZE_LF,    // the rest are ends of lines …
    VHTTP_BODY_CONTENT_CR, // … behind a chunk
    VHTTP_BODY_CONTENT_LF,
    VHTTP_BODY_TRAILER, // … and the trailer's lines, which mean nothing here either
    VHTTP_BODY_TRAILER_NAME,
    VHTTP_BODY_TRAILER_LINE,
    VHTTP_BODY_TRAILER_LF,
    VHTTP_BODY_LAST_LF,
};

struct vhttp_body {
    uint64_t left; // bytes of content that follow, before more framing
    bool is_chunked;
    enum vhttp_body_state state;
    bool has_digits;  // the chunk's size has begun
    uint16_t digits;  // of it, without its leading zeros
    uint16_t ignored; // bytes of extensions, trailers and leading zeros so far
};

// `length` is the Content-Length, which a chunked body has not got.
void vhttp_body_start(struct vhttp_body *body, bool is_chunked, uint64_t length);

// Passes over framing at `bytes`, up to content, the body's end or the end of what is there.
// Returns the number of bytes passed, or -400 when a chunk is malformed, -413 when it cannot be
// received at all, -431 when extensions and trailers together exceed VHTTP_BODY_IGNORED_MAX.
// The answer is the same wherever the input was split.
int vhttp_body_frame(struct vhttp_body *body, const char *bytes, size_t length);

// `count` bytes of content were taken, at most `left`.
void vhttp_body_take(struct vhttp_body *body, uint64_t count);

// Whether all of it has come.
static inline bool vhttp_body_is_over(const struct vhttp_body *body) {
    return body->state == VHTTP_BODY_OVER;
}

#endif
