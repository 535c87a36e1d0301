// SPDX-License-Identifier: MIT
#include "parser.h"

#include "characters.h"

enum { BAD_REQUEST = -400 };

struct cursor {
    const char *at;
    const char *end;
};

static size_t count_empty_lines(const char *buffer, size_t length) {
    size_t at = 0;
    while (length - at >= 2 && buffer[at] == '\r' && buffer[at + 1] == '\n') {
        at += 2;
    }
    return at;
}

// The end of the head: behind the first empty line. A bare LF ends a line here as well, so that
// the parser sees it and refuses it at once. 0 when there is no end yet.
static size_t find_end(const char *buffer, size_t length, size_t from) {
    size_t at = from;
    for (;;) {
        const char *newline = memchr(buffer + at, '\n', length - at);
        if (newline == NULL) {
            return 0;
        }
        at = (size_t)(newline - buffer) + 1;
        if (at < length && buffer[at] == '\n') {
            return at + 1;
        }
        if (length - at >= 2 && buffer[at] == '\r' && buffer[at + 1] == '\n') {
            return at + 2;
        }
    }
}

static bool take_crlf(struct cursor *cursor) {
    if (cursor->end - cursor->at < 2 || cursor->at[0] != '\r' || cursor->at[1] != '\n') {
        return false;
    }
    cursor->at += 2;
    return true;
}

static bool take_char(struct cursor *cursor, char c) {
    if (cursor->at == cursor->end || *cursor->at != c) {
        return false;
    }
    cursor->at++;
    return true;
}

static struct vhttp_slice take_while(struct cursor *cursor, enum vhttp_character set) {
    const char *start = cursor->at;
    const char *at = start;
    while (at < cursor->end && vhttp_is(*at, set)) {
        at++;
    }
    cursor->at = at;
    return (struct vhttp_slice){start, (size_t)(at - start)};
}

static int read_method(struct vhttp_slice name, enum vhttp_method *method) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (vhttp_slice_equals(name, names[i])) {
            *method = (enum vhttp_method)i;
            return 0;
        }
    }
    return -501;
}

static bool is_host(struct vhttp_slice value) {
    for (size_t i = 0; i < value.length; i++) {
        if (!vhttp_is(value.at[i], VHTTP_HOST)) {
            return false;
        }
    }
    return true;
}

// Takes the scheme and the authority off a target in absolute-form, without user information: what
// follows may be empty. False when they are malformed.
static bool take_authority(struct vhttp_slice *target) {
    const char *start = target->at + sizeof("http://") - 1;
    const char *all_end = target->at + target->length;
    const char *end = start;
    while (end < all_end && *end != '/' && *end != '?') {
        end++;
    }
    *target = (struct vhttp_slice){end, (size_t)(all_end - end)};
    struct vhttp_slice authority = {start, (size_t)(end - start)};
    return authority.length > 0 && *start != ':' && is_host(authority);
}

// RFC 9112, section 3.2: origin-form, absolute-form, and "*" for OPTIONS.
static int read_target(struct vhttp_slice target, struct vhttp_request *request) {
    bool is_absolute = target.length >= 7 &&
                       vhttp_slice_equals_nocase((struct vhttp_slice){target.at, 7}, "http://");
    if (is_absolute && !take_authority(&target)) {
        return BAD_REQUEST;
    }
    const char *mark = memchr(target.at, '?', target.length);
    request->path = target;
    request->query = (struct vhttp_slice){NULL, 0};
    if (mark != NULL) {
        request->path.length = (size_t)(mark - target.at);
        request->query.at = mark + 1;
        request->query.length = target.length - request->path.length - 1;
    }
    if (is_absolute && request->path.length == 0) {
        bool is_of_server = request->method == VHTTP_OPTIONS && mark == NULL;
        request->path = vhttp_slice_of(is_of_server ? "*" : "/");
    }
    bool is_asterisk = vhttp_slice_equals(request->path, "*") && request->method == VHTTP_OPTIONS;
    bool is_path = request->path.length > 0 && request->path.at[0] == '/';
    bool is_whole = memchr(target.at, '#', target.length) == NULL;
    return (is_path || (is_asterisk && mark == NULL)) && is_whole ? 0 : BAD_REQUEST;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int read_version(struct cursor *cursor, struct vhttp_request *request) {
    const char *at = cursor->at;
    if (cursor->end - at < 8 || memcmp(at, "HTTP/", 5) != 0 || !is_digit(at[5]) || at[6] != '.' ||
        !is_digit(at[7])) {
        return BAD_REQUEST;
    }
    cursor->at += 8;
    if (!take_crlf(cursor)) {
        return BAD_REQUEST;
    }
    if (at[5] != '1') {
        return -505;
    }
    request->minor_version = at[7] == '0' ? 0 : 1;
    return 0;
}

static int read_request_line(struct cursor *cursor, struct vhttp_request *request) {
    struct vhttp_slice method = take_while(cursor, VHTTP_TOKEN);
    if (method.length == 0 || !take_char(cursor, ' ')) {
        return BAD_REQUEST;
    }
    struct vhttp_slice target = take_while(cursor, VHTTP_TARGET);
    if (target.length == 0 || !take_char(cursor, ' ')) {
        return BAD_REQUEST;
    }
    int error = read_version(cursor, request);
    if (error == 0) {
        error = read_method(method, &request->method);
    }
    return error != 0 ? error : read_target(target, request);
}

static int read_headers(struct cursor *cursor, struct vhttp_request *request) {
    request->header_count = 0;
    while (!take_crlf(cursor)) {
        struct vhttp_slice name = take_while(cursor, VHTTP_TOKEN);
        if (name.length == 0 || !take_char(cursor, ':')) {
            return BAD_REQUEST; // also obsolete folding and white space before the colon
        }
        struct vhttp_slice value = take_while(cursor, VHTTP_VALUE);
        if (!take_crlf(cursor)) {
            return BAD_REQUEST;
        }
        if (request->header_count == VHTTP_MAX_HEADERS) {
            return -431;
        }
        request->headers[request->header_count++] =
            (struct vhttp_header){name, vhttp_slice_trim(value)};
    }
    return 0;
}

static int read_content_length(struct vhttp_slice value, uint64_t *length) {
    if (value.length == 0) {
        return BAD_REQUEST;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (!is_digit(value.at[i])) {
            return BAD_REQUEST;
        }
        if (number > (UINT64_MAX >> 4) / 10) {
            return -413;
        }
        number = number * 10 + (uint64_t)(value.at[i] - '0');
    }
    *length = number;
    return 0;
}

static void read_connection(struct vhttp_slice list, struct vhttp_request *request) {
    struct vhttp_slice option;
    while (vhttp_slice_next(&list, ',', &option)) {
        if (vhttp_slice_equals_nocase(option, "close")) {
            request->keep_alive = false;
        } else if (vhttp_slice_equals_nocase(option, "keep-alive") && request->minor_version == 0) {
            request->keep_alive = true;
        }
    }
}

// What the fields say of the message itself: its framing, its connection, its host.
static int read_meaning(struct vhttp_request *request) {
    int hosts = 0;
    request->has_length = false;
    request->keep_alive = request->minor_version >= 1;
    request->chunked = false;
    request->expects_continue = false;
    request->content_length = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        struct vhttp_slice name = request->headers[i].name;
        struct vhttp_slice value = request->headers[i].value;
        if (vhttp_slice_equals_nocase(name, "host")) {
            hosts++;
            if (!is_host(value)) {
                return BAD_REQUEST;
            }
        } else if (vhttp_slice_equals_nocase(name, "content-length")) {
            uint64_t length = 0;
            int error = read_content_length(value, &length);
            if (error != 0) {
                return error;
            }
            if (request->has_length && length != request->content_length) {
                return BAD_REQUEST;
            }
            request->has_length = true;
            request->content_length = length;
        } else if (vhttp_slice_equals_nocase(name, "transfer-encoding")) {
            if (request->minor_version == 0 || request->chunked) {
                return BAD_REQUEST;
            }
            if (!vhttp_slice_equals_nocase(value, "chunked")) {
                return -501;
            }
            request->chunked = true;
        } else if (vhttp_slice_equals_nocase(name, "connection")) {
            read_connection(value, request);
        } else if (vhttp_slice_equals_nocase(name, "expect")) {
            if (!vhttp_slice_equals_nocase(value, "100-continue")) {
                return -417;
            }
            request->expects_continue = request->minor_version >= 1;
        }
    }
    bool host_is_clear = hosts == 1 || (hosts == 0 && request->minor_version == 0);
    return host_is_clear && !(request->has_length && request->chunked) ? 0 : BAD_REQUEST;
}

int vhttp_parse_request(const char *buffer, size_t length, size_t checked,
                        struct vhttp_request *request) {
    size_t start = count_empty_lines(buffer, length);
    size_t from = checked > start + 2 ? checked - 2 : start;
    size_t end = find_end(buffer, length, from);
    if (end == 0) {
        return VHTTP_PARSE_PARTIAL;
    }
    struct cursor cursor = {buffer + start, buffer + end};
    int error = read_request_line(&cursor, request);
    if (error == 0) {
        request->fields = (struct vhttp_slice){cursor.at, (size_t)(cursor.end - cursor.at) - 2};
        error = read_headers(&cursor, request);
    }
    if (error == 0) {
        error = read_meaning(request);
    }
    return error != 0 ? error : (int)end;
}

int vhttp_parse_overflow(const char *buffer, size_t length) {
    size_t start = count_empty_lines(buffer, length);
    return memchr(buffer + start, '\n', length - start) == NULL ? 414 : 431;
}

bool vhttp_next_value(struct vhttp_slice *lines, const char *name, struct vhttp_slice *value) {
    struct vhttp_slice line;
    while (vhttp_slice_next(lines, '\n', &line)) {
        const char *colon = memchr(line.at, ':', line.length);
        size_t length = colon == NULL ? 0 : (size_t)(colon - line.at);
        if (vhttp_slice_equals_nocase((struct vhttp_slice){line.at, length}, name)) {
            size_t end = line.length - 1; // the CR
            *value = vhttp_slice_trim((struct vhttp_slice){colon + 1, end - length - 1});
            return true;
        }
    }
    return false;
}

const struct vhttp_slice *vhttp_find_header(const struct vhttp_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (vhttp_slice_equals_nocase(request->headers[i].name, name)) {
            return &request->headers[i].value;
        }
    }
    return NULL;
}
