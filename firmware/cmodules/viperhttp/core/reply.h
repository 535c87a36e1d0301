// SPDX-License-Identifier: MIT
// The reply to one request: its head, and the content behind it, from the window or the cache.
//
// The window is a ring of the content's next bytes. Before the reply starts it is room for a text,
// and at its end for header lines that wait for their head.
#ifndef VHTTP_REPLY_H
#define VHTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache.h"
#include "response.h"
#include "slice.h"
#include "vhttp_config.h"

// The bytes that a reply writes into.
#define VHTTP_REPLY_BUFFERS (VHTTP_RESPONSE_HEAD_MAX + VHTTP_WINDOW_SIZE)
#define VHTTP_REPLY_ROOM (VHTTP_WINDOW_SIZE - VHTTP_RESPONSE_HEAD_MAX)

// Only reply.c knows its fields.
struct vhttp_reply {
    char *head; // VHTTP_RESPONSE_HEAD_MAX bytes
    uint32_t head_size, head_sent;
    uint64_t content_left;             // bytes to be sent still
    uint8_t *window;                   // VHTTP_WINDOW_SIZE bytes
    uint32_t written, taken;           // into and out of the window, since the reply's start
    uint32_t kept;                     // bytes of kept fields, at the window's end until the seal
    const struct vhttp_cached *cached; // where the content is from `place` on; NULL: the window
    struct vhttp_cached_place place;
    uint32_t content_at; // the place's offset in the file
    int status;
    bool is_head;      // it answers HEAD: without content
    bool is_http_1_0;  // to a client of that version
    bool is_of_events; // a stream of server-sent events
    bool is_chunked;
    bool ends_line; // of what was added so far, the last byte of content ends a line
    bool closes;    // the connection's end is the content's, or nothing behind it can be trusted
};

// Gives it its buffers: VHTTP_REPLY_BUFFERS bytes, kept by the caller.
void vhttp_reply_init(struct vhttp_reply *reply, char *buffers);

// Makes it the reply to a new request. Nothing is started yet.
void vhttp_reply_prepare(struct vhttp_reply *reply, bool is_head, bool is_http_1_0);

// What the request was: HEAD, which has no content; of a version without chunked coding.
bool vhttp_reply_is_head(const struct vhttp_reply *reply);
bool vhttp_reply_is_http_1_0(const struct vhttp_reply *reply);

// VHTTP_REPLY_ROOM bytes for a text that is written before the reply starts.
char *vhttp_reply_room(struct vhttp_reply *reply);

// Header lines for this reply, whatever it turns out to be, under VHTTP_RESPONSE_HEAD_MAX bytes.
// They take the place of its own of their names, but for Vary, which they are added to.
void vhttp_reply_keep_fields(struct vhttp_reply *reply, struct vhttp_slice lines);

// ---- Starting: one of these, then vhttp_reply_seal

// The content, if any, is added piece by piece. A head that does not fit becomes 414: only a
// redirection carries something long.
void vhttp_reply_start(struct vhttp_reply *reply, const struct vhttp_response *response);

// The content is the text of response->length bytes in the reply's room.
void vhttp_reply_start_text(struct vhttp_reply *reply, const struct vhttp_response *response);

// The content is what the cache holds of a file from `offset` on.
void vhttp_reply_start_cached(struct vhttp_reply *reply, const struct vhttp_response *response,
                              const struct vhttp_cache *cache, const struct vhttp_cached *entry,
                              uint32_t offset);

// The whole of a file in the cache, with the head that its entry keeps.
void vhttp_reply_start_plain(struct vhttp_reply *reply, const struct vhttp_cache *cache,
                             const struct vhttp_cached *entry);

// Says no more than a status.
void vhttp_reply_start_status(struct vhttp_reply *reply, int status);

// Says which methods a path is for, a set of 1 << enum vhttp_method: 204 or 405.
void vhttp_reply_start_methods(struct vhttp_reply *reply, int status, unsigned methods);

// Writes the names of methods to VHTTP_ALLOW_SIZE bytes, as Allow has them; HEAD goes with GET, and
// OPTIONS with all.
#define VHTTP_ALLOW_SIZE 64
void vhttp_write_allow(unsigned methods, char *out);

// Says no more than a status, as the connection's last reply: what follows the request is not to be
// trusted. `is_head` as in vhttp_reply_prepare.
void vhttp_reply_refuse(struct vhttp_reply *reply, int status, bool is_head);

// Writes the head's end: `date` is a Date line or "". `close` says that the connection is closed
// behind the reply. Returns whether it is.
bool vhttp_reply_seal(struct vhttp_reply *reply, const char *date, bool close);

// The status code of what was started last.
int vhttp_reply_status(const struct vhttp_reply *reply);

// ---- Content by way of the window

// Adds the next bytes, for which there is room.
void vhttp_reply_add(struct vhttp_reply *reply, const uint8_t *bytes, uint32_t length);

// It is a stream of server-sent events.
bool vhttp_reply_is_of_events(const struct vhttp_reply *reply);

// A comment in its coding, which may be sent when all that was added is out. Empty within a line,
// where none can stand.
struct vhttp_slice vhttp_reply_comment(const struct vhttp_reply *reply);

// There is no more of a content whose length was not known.
void vhttp_reply_end(struct vhttp_reply *reply);

// ---- Sending

// Fills `parts`, at most `room`, with what can be sent now: the head's rest and the content's next
// runs. Returns how many.
size_t vhttp_reply_gather(const struct vhttp_reply *reply, const struct vhttp_cache *cache,
                          struct vhttp_slice *parts, size_t room);

// `sent` of these bytes are out. Returns how many of them the window has room for again.
uint32_t vhttp_reply_sent(struct vhttp_reply *reply, const struct vhttp_cache *cache,
                          uint32_t sent);

// All of it is out.
bool vhttp_reply_is_over(const struct vhttp_reply *reply);

#endif
