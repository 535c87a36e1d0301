// SPDX-License-Identifier: MIT
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "parser.h"
#include "status.h"

_Static_assert(VHTTP_REPLY_ROOM >= VHTTP_RESPONSE_HEAD_MAX,
               "the window holds a head's lines twice");

void vhttp_reply_init(struct vhttp_reply *reply, char *buffers) {
    reply->head = buffers;
    reply->window = (uint8_t *)buffers + VHTTP_RESPONSE_HEAD_MAX;
}

void vhttp_reply_prepare(struct vhttp_reply *reply, bool is_head, bool is_http_1_0) {
    reply->is_head = is_head;
    reply->is_http_1_0 = is_http_1_0;
    reply->closes = false;
    reply->kept = 0;
}

bool vhttp_reply_is_head(const struct vhttp_reply *reply) { return reply->is_head; }

bool vhttp_reply_is_http_1_0(const struct vhttp_reply *reply) { return reply->is_http_1_0; }

char *vhttp_reply_room(struct vhttp_reply *reply) { return (char *)reply->window; }

// ---- Kept fields

void vhttp_reply_keep_fields(struct vhttp_reply *reply, struct vhttp_slice lines) {
    reply->kept = lines.length < VHTTP_RESPONSE_HEAD_MAX ? (uint32_t)lines.length : 0;
    memcpy(reply->window + VHTTP_WINDOW_SIZE - reply->kept, lines.at, reply->kept);
}

// The length of the line at `at`, with its end.
static size_t line_size(const char *at, const char *end) {
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    return (size_t)((feed == NULL ? end : feed + 1) - at);
}

// The length of its name, with the colon.
static size_t name_size(const char *line, size_t size) {
    const char *colon = memchr(line, ':', size);
    return colon == NULL ? 0 : (size_t)(colon + 1 - line);
}

static bool is_same_name(const char *a, const char *b, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (vhttp_lower(a[i]) != vhttp_lower(b[i])) {
            return false;
        }
    }
    return true;
}

// Takes the lines of a name, `size` bytes with its colon, out of the head.
static void drop_from_head(struct vhttp_reply *reply, const char *name, size_t size) {
    char *line = reply->head;
    char *end = line + reply->head_size;
    while (line < end) {
        size_t length = line_size(line, end);
        if (name_size(line, length) == size && is_same_name(line, name, size)) {
            memmove(line, line + length, (size_t)(end - line) - length);
            end -= length;
        } else {
            line += length;
        }
    }
    reply->head_size = (uint32_t)(end - reply->head);
}

static void put_kept_fields(struct vhttp_reply *reply) {
    const char *end = (const char *)reply->window + VHTTP_WINDOW_SIZE;
    const char *lines = end - reply->kept;
    size_t length;
    for (const char *line = lines; line < end; line += length) {
        length = line_size(line, end);
        size_t size = name_size(line, length);
        if (size > 0 && !is_same_name(line, "vary:", size)) {
            drop_from_head(reply, line, size);
        }
    }
    if (reply->head_size + reply->kept > VHTTP_RESPONSE_HEAD_MAX - VHTTP_RESPONSE_END_MAX) {
        vhttp_reply_start_status(reply, 414); // only a redirection carries something long
    }
    memcpy(reply->head + reply->head_size, lines, reply->kept);
    reply->head_size += reply->kept;
}

// ---- Starting

static void start(struct vhttp_reply *reply, size_t head_size, int status,
                  uint64_t content_length) {
    reply->head_size = (uint32_t)head_size;
    reply->head_sent = 0;
    reply->status = status;
    reply->content_left = reply->is_head ? 0 : content_length;
    reply->written = reply->taken = 0;
    reply->cached = NULL;
    reply->is_of_events = false;
}

static bool is_event_stream(struct vhttp_slice fields) {
    static const char line_start[] = "content-type: text/event-stream";
    struct vhttp_slice line;
    while (vhttp_slice_next(&fields, '\n', &line)) {
        line.length = line.length < sizeof(line_start) - 1 ? 0 : sizeof(line_start) - 1;
        if (vhttp_slice_equals_nocase(line, line_start)) {
            return true;
        }
    }
    return false;
}

void vhttp_reply_start(struct vhttp_reply *reply, const struct vhttp_response *response) {
    size_t size = vhttp_write_response_head(response, reply->head,
                                            VHTTP_RESPONSE_HEAD_MAX - VHTTP_RESPONSE_END_MAX);
    if (size == 0) {
        vhttp_reply_start_status(reply, 414);
        return;
    }
    bool has_content = response->content_type != NULL || response->sized ||
                       response->length == VHTTP_CONTENT_UNKNOWN;
    start(reply, size, response->status, has_content ? response->length : 0);
    if (response->length == VHTTP_CONTENT_UNKNOWN) {
        reply->closes |= !response->chunked;
        reply->is_of_events = is_event_stream(response->fields);
        reply->is_chunked = response->chunked;
        reply->ends_line = true;
    }
}

void vhttp_reply_start_text(struct vhttp_reply *reply, const struct vhttp_response *response) {
    vhttp_reply_start(reply, response);
    reply->written = (uint32_t)response->length;
}

static void send_from_cache(struct vhttp_reply *reply, const struct vhttp_cache *cache,
                            const struct vhttp_cached *entry, uint32_t offset) {
    reply->cached = entry;
    reply->content_at = offset;
    reply->place = vhttp_cache_seek(cache, entry, offset);
}

void vhttp_reply_start_cached(struct vhttp_reply *reply, const struct vhttp_response *response,
                              const struct vhttp_cache *cache, const struct vhttp_cached *entry,
                              uint32_t offset) {
    vhttp_reply_start(reply, response);
    send_from_cache(reply, cache, entry, offset);
}

void vhttp_reply_start_plain(struct vhttp_reply *reply, const struct vhttp_cache *cache,
                             const struct vhttp_cached *entry) {
    memcpy(reply->head, entry->head, entry->head_length);
    start(reply, entry->head_length, 200, entry->facts.size);
    send_from_cache(reply, cache, entry, 0);
}

void vhttp_reply_start_status(struct vhttp_reply *reply, int status) {
    const struct vhttp_status *entry = &vhttp_statuses[vhttp_status_index(status)];
    int length =
        snprintf(vhttp_reply_room(reply), VHTTP_REPLY_ROOM, "%d %s\n", entry->code, entry->reason);
    struct vhttp_response response = {.status = status,
                                      .content_type = "text/plain; charset=utf-8",
                                      .length = (uint64_t)length,
                                      .retry_later = status == 503};
    vhttp_reply_start_text(reply, &response);
}

void vhttp_write_allow(unsigned methods, char *out) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    out[0] = '\0';
    methods |= 1u << VHTTP_OPTIONS | (methods >> VHTTP_GET & 1) << VHTTP_HEAD;
    for (size_t method = 0; method < sizeof(names) / sizeof(names[0]); method++) {
        if (methods >> method & 1) {
            strcat(out, out[0] == '\0' ? "" : ", ");
            strcat(out, names[method]);
        }
    }
}

void vhttp_reply_start_methods(struct vhttp_reply *reply, int status, unsigned methods) {
    char allow[VHTTP_ALLOW_SIZE];
    vhttp_write_allow(methods, allow);
    struct vhttp_response response = {.status = status, .allow = allow};
    if (status != 204) {
        response.content_type = "text/plain; charset=utf-8";
    }
    vhttp_reply_start(reply, &response);
}

void vhttp_reply_refuse(struct vhttp_reply *reply, int status, bool is_head) {
    vhttp_reply_prepare(reply, is_head, false);
    vhttp_reply_start_status(reply, status);
    reply->closes = true;
}

bool vhttp_reply_seal(struct vhttp_reply *reply, const char *date, bool close) {
    reply->closes |= close;
    if (reply->kept > 0) {
        put_kept_fields(reply);
    }
    struct vhttp_response_end end = {
        .date = date, .close = reply->closes, .say_keep_alive = reply->is_http_1_0};
    reply->head_size += (uint32_t)vhttp_write_response_end(&end, reply->head + reply->head_size);
    return reply->closes;
}

int vhttp_reply_status(const struct vhttp_reply *reply) { return reply->status; }

// ---- Content by way of the window

void vhttp_reply_add(struct vhttp_reply *reply, const uint8_t *bytes, uint32_t length) {
    uint32_t at = reply->written % VHTTP_WINDOW_SIZE;
    uint32_t run = VHTTP_WINDOW_SIZE - at;
    uint32_t first = length < run ? length : run;
    memcpy(reply->window + at, bytes, first);
    memcpy(reply->window, bytes + first, length - first);
    reply->written += length;
    uint32_t framing = reply->is_chunked ? 2 : 0;
    if (length > framing) {
        reply->ends_line = bytes[length - framing - 1] == '\n';
    }
}

bool vhttp_reply_is_of_events(const struct vhttp_reply *reply) { return reply->is_of_events; }

struct vhttp_slice vhttp_reply_comment(const struct vhttp_reply *reply) {
    if (!reply->ends_line) {
        return (struct vhttp_slice){"", 0};
    }
    return vhttp_slice_of(reply->is_chunked ? "2\r\n:\n\r\n" : ":\n");
}

void vhttp_reply_end(struct vhttp_reply *reply) {
    reply->content_left = reply->is_head ? 0 : (uint64_t)(reply->written - reply->taken);
}

// ---- Sending

static size_t gather_window(const struct vhttp_reply *reply, struct vhttp_slice *parts) {
    uint64_t ready = reply->written - reply->taken;
    if (ready > reply->content_left) {
        ready = reply->content_left;
    }
    if (ready == 0) {
        return 0;
    }
    uint32_t at = reply->taken % VHTTP_WINDOW_SIZE;
    uint32_t run = VHTTP_WINDOW_SIZE - at;
    const char *window = (const char *)reply->window;
    size_t first = ready < run ? (size_t)ready : run;
    parts[0] = (struct vhttp_slice){window + at, first};
    parts[1] = (struct vhttp_slice){window, (size_t)ready - first};
    return ready > first ? 2 : 1;
}

static size_t gather_cached(const struct vhttp_reply *reply, const struct vhttp_cache *cache,
                            struct vhttp_slice *parts, size_t room) {
    if (reply->cached->loaded < reply->content_at) {
        return 0; // a range that was not loaded yet
    }
    uint64_t ready = reply->cached->loaded - reply->content_at;
    if (ready > reply->content_left) {
        ready = reply->content_left;
    }
    return vhttp_cache_gather(cache, reply->place, ready, parts, room);
}

size_t vhttp_reply_gather(const struct vhttp_reply *reply, const struct vhttp_cache *cache,
                          struct vhttp_slice *parts, size_t room) {
    size_t count = 0;
    if (reply->head_sent < reply->head_size) {
        parts[count++] = (struct vhttp_slice){reply->head + reply->head_sent,
                                              reply->head_size - reply->head_sent};
    }
    if (reply->content_left == 0) {
        return count;
    }
    return count + (reply->cached != NULL ? gather_cached(reply, cache, parts + count, room - count)
                                          : gather_window(reply, parts + count));
}

uint32_t vhttp_reply_sent(struct vhttp_reply *reply, const struct vhttp_cache *cache,
                          uint32_t sent) {
    uint32_t of_head = reply->head_size - reply->head_sent;
    if (of_head > sent) {
        of_head = sent;
    }
    uint32_t of_content = sent - of_head;
    reply->head_sent += of_head;
    reply->content_left -= of_content;
    if (reply->cached == NULL) {
        reply->taken += of_content;
        return of_content;
    }
    reply->place = vhttp_cache_advance(cache, reply->place, of_content);
    reply->content_at += of_content;
    return 0;
}

bool vhttp_reply_is_over(const struct vhttp_reply *reply) {
    return reply->head_sent == reply->head_size && reply->content_left == 0;
}
