#include "response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

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

size_t vhttp_write_response_head(const struct vhttp_response *response, char *out, size_t size) {
    struct text text = {out, size, false};
    const struct vhttp_status *status = &vhttp_statuses[vhttp_status_index(response->status)];
    add(&text, "HTTP/1.1 %d %s\r\n", status->code, status->reason);
    if (response->content_type != NULL) {
        add(&text, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", response->content_type,
            response->length);
    }
    if (response->gzip) {
        add(&text, "Content-Encoding: gzip\r\n");
    }
    if (response->varies) {
        add(&text, "Vary: Accept-Encoding\r\n");
    }
    if (response->etag != NULL) {
        add(&text, "ETag: %s\r\n", response->etag);
    }
    if (response->cache_control != NULL) {
        add(&text, "Cache-Control: %s\r\n", response->cache_control);
    }
    if (response->allow != NULL) {
        add(&text, "Allow: %s\r\n", response->allow);
    }
    if (response->location_path.at != NULL) {
        add_location(&text, response);
    }
    if (response->retry_later) {
        add(&text, "Retry-After: %d\r\n", VHTTP_RETRY_AFTER_S);
    }
    if (response->close) {
        add(&text, "Connection: close\r\n");
    } else if (response->say_keep_alive) {
        add(&text, "Connection: keep-alive\r\n");
    }
    add(&text, "\r\n");
    return text.overflown ? 0 : size - text.left;
}
