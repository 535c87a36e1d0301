// SPDX-License-Identifier: MIT
#include "response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "http_date.h"
#include "status.h"
#include "vhttp_config.h"

struct text {
    char *at;
    size_t left;
    bool overflown;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text->at, text->left, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= text->left) {
        text->overflown = true;
        return;
    }
    text->at += length;
    text->left -= (size_t)length;
}

static void add_location(struct text *text, const struct vhttp_response *response) {
    struct vhttp_slice path = response->location_path;
    while (path.length > 1 && path.at[1] == '/') { // "//host" would be an address elsewhere
        path.at++;
        path.length--;
    }
    add(text, "Location: %.*s/", (int)path.length, path.at);
    if (response->location_query.at != NULL) {
        add(text, "?%.*s", (int)response->location_query.length, response->location_query.at);
    }
    add(text, "\r\n");
}

static void add_range(struct text *text, const struct vhttp_response *response) {
    const struct vhttp_range *range = &response->range;
    if (range->kind == VHTTP_RANGE_SATISFIABLE) {
        add(text, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n", range->first,
            range->first + range->length - 1, response->whole);
    } else if (range->kind == VHTTP_RANGE_UNSATISFIABLE) {
        add(text, "Content-Range: bytes */%" PRIu64 "\r\n", response->whole);
    }
}

static void add_lines(struct text *text, struct vhttp_slice lines) {
    if (lines.length > text->left) {
        text->overflown = true;
    } else if (lines.length > 0) {
        memcpy(text->at, lines.at, lines.length);
        text->at += lines.length;
        text->left -= lines.length;
    }
}

static void add_content(struct text *text, const struct vhttp_response *response) {
    if (response->content_type != NULL) {
        add(text, "Content-Type: %s\r\n", response->content_type);
    }
    add_lines(text, response->fields);
    if (response->chunked) {
        add(text, "Transfer-Encoding: chunked\r\n");
    } else if (response->content_type != NULL || response->sized) {
        add(text, "Content-Length: %" PRIu64 "\r\n", response->length);
    }
    if (response->gzip) {
        add(text, "Content-Encoding: gzip\r\n");
    }
    add_range(text, response);
}

static void add_file(struct text *text, const struct vhttp_response *response) {
    if (response->varies) {
        add(text, "Vary: Accept-Encoding\r\n");
    }
    if (response->etag != NULL) {
        add(text, "ETag: %s\r\n", response->etag);
    }
    if (response->modified_s != 0) {
        char date[VHTTP_DATE_SIZE];
        vhttp_format_date(response->modified_s, date);
        add(text, "Last-Modified: %s\r\n", date);
    }
    if (response->accepts_ranges) {
        add(text, "Accept-Ranges: bytes\r\n");
    }
    if (response->cache_control != NULL) {
        add(text, "Cache-Control: %s\r\n", response->cache_control);
    }
}

size_t vhttp_write_response_head(const struct vhttp_response *response, char *out, size_t size) {
    struct text text = {out, size, false};
    const struct vhttp_status *status = &vhttp_statuses[vhttp_status_index(response->status)];
    add(&text, "HTTP/1.1 %d %s\r\n", status->code, status->reason);
    add_content(&text, response);
    add_file(&text, response);
    if (response->allow != NULL) {
        add(&text, "Allow: %s\r\n", response->allow);
    }
    if (response->location_path.at != NULL) {
        add_location(&text, response);
    }
    if (response->retry_later) {
        add(&text, "Retry-After: %d\r\n", VHTTP_RETRY_AFTER_S);
    }
    return text.overflown ? 0 : size - text.left;
}

static char *put(char *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

size_t vhttp_write_response_end(const struct vhttp_response_end *end, char *out) {
    char *at = put(out, end->date);
    if (end->close) {
        at = put(at, "Connection: close\r\n");
    } else if (end->say_keep_alive) {
        at = put(at, "Connection: keep-alive\r\n");
    }
    return (size_t)(put(at, "\r\n") - out);
}
