#include "connection.h"

#include <stdio.h>

#include "port.h"

#define PARTS_MAX 32 // of a response, sent at once

static const char continue_word[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void set_deadline(struct vhttp_server *server, struct vhttp_connection *connection,
                         enum vhttp_deadline kind) {
    vhttp_deadlines_set(&server->deadlines, vhttp_index(server, connection), kind, server->now_ms);
}

static bool has_deadline(const struct vhttp_server *server,
                         const struct vhttp_connection *connection, enum vhttp_deadline kind) {
    return server->deadlines.members[vhttp_index(server, connection)].kind == kind;
}

void vhttp_connection_open(struct vhttp_server *server, struct vhttp_connection *connection,
                           int socket) {
    connection->state = VHTTP_READING;
    connection->socket = socket;
    connection->is_watched = false;
    connection->input_ended = false;
    connection->input_length = 0;
    connection->checked = 0;
    connection->socket_is_full = false;
    connection->head_length = 0;
    connection->cached = NULL;
    server->stats.connections_total++;
    server->stats.connections_open++;
    vhttp_connection_advance(server, connection);
}

// The interpreter is told that the file or the call is no longer wanted.
static void give_up_errand(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (connection->has_errand) {
        connection->has_errand = false;
        connection->owes_close = true;
        connection->owes_read = false;
        vhttp_settle(server, connection);
    }
}

void vhttp_connection_close(struct vhttp_server *server, struct vhttp_connection *connection) {
    give_up_errand(server, connection);
    vhttp_leave_cache(server, connection);
    set_deadline(server, connection, VHTTP_DEADLINE_NONE);
    vhttp_close(connection->socket);
    connection->state = VHTTP_FREE;
    server->free[server->free_count++] = vhttp_index(server, connection);
    server->stats.connections_open--;
}

// ---- Responses

// The start of the response's head is in `connection->head`.
static void start_response(struct vhttp_server *server, struct vhttp_connection *connection,
                           size_t head_length, int status, uint64_t content_length) {
    if (connection->expects_continue) {
        connection->keep_alive = false; // whether the body will come nobody knows
    }
    struct vhttp_response_end end = {.date = server->date_line,
                                     .close = !connection->keep_alive,
                                     .say_keep_alive = connection->is_http_1_0};
    head_length += vhttp_write_response_end(&end, connection->head + head_length);
    connection->head_size = (uint32_t)head_length;
    connection->head_sent = 0;
    connection->content_left = connection->is_head ? 0 : content_length;
    connection->state = VHTTP_SENDING;
    connection->unacknowledged = 0;
    set_deadline(server, connection, VHTTP_DEADLINE_SEND);
    server->stats.responses[vhttp_status_index(status)]++;
}

void vhttp_connection_respond(struct vhttp_server *server, struct vhttp_connection *connection,
                              const struct vhttp_response *response) {
    size_t length = vhttp_write_response_head(response, connection->head,
                                              VHTTP_RESPONSE_HEAD_MAX - VHTTP_RESPONSE_END_MAX);
    if (length == 0) { // only a redirection carries something long
        vhttp_connection_respond_status(server, connection, 414);
        return;
    }
    bool has_content = response->content_type != NULL || response->sized ||
                       response->length == VHTTP_CONTENT_UNKNOWN;
    start_response(server, connection, length, response->status,
                   has_content ? response->length : 0);
}

void vhttp_connection_respond_ready(struct vhttp_server *server,
                                    struct vhttp_connection *connection, const char *head,
                                    uint32_t head_length, int status, uint64_t content_length) {
    memcpy(connection->head, head, head_length);
    start_response(server, connection, head_length, status, content_length);
}

void vhttp_connection_wait(struct vhttp_server *server, struct vhttp_connection *connection) {
    connection->state = VHTTP_WAITING;
    set_deadline(server, connection, VHTTP_DEADLINE_PYTHON);
}

void vhttp_connection_respond_status(struct vhttp_server *server,
                                     struct vhttp_connection *connection, int status) {
    struct vhttp_response response = {.status = status, .retry_later = status == 503};
    const struct vhttp_status *entry = &vhttp_statuses[vhttp_status_index(status)];
    int length = snprintf((char *)connection->window, VHTTP_WINDOW_SIZE, "%d %s\n", entry->code,
                          entry->reason);
    response.content_type = "text/plain; charset=utf-8";
    response.length = (uint64_t)length;
    connection->written = (uint32_t)length;
    connection->taken = 0;
    connection->content_expected = 0;
    vhttp_connection_respond(server, connection, &response);
}

void vhttp_connection_refuse(struct vhttp_server *server, struct vhttp_connection *connection,
                             int status) {
    connection->keep_alive = false;
    connection->is_http_1_0 = false;
    connection->is_head = false;
    connection->expects_continue = false;
    vhttp_connection_respond_status(server, connection, status);
}

static void start_lingering(struct vhttp_server *server, struct vhttp_connection *connection) {
    vhttp_shutdown(connection->socket);
    connection->state = VHTTP_LINGERING;
    connection->input_length = 0;
    set_deadline(server, connection, VHTTP_DEADLINE_LINGER);
}

static void drop_input(struct vhttp_connection *connection, uint32_t length) {
    connection->input_length -= length;
    memmove(connection->input, connection->input + length, connection->input_length);
}

// The response is out: on to the next request.
static void finish_exchange(struct vhttp_server *server, struct vhttp_connection *connection) {
    give_up_errand(server, connection);
    vhttp_leave_cache(server, connection);
    if (!connection->keep_alive) {
        start_lingering(server, connection);
        return;
    }
    drop_input(connection, connection->head_length);
    connection->head_length = 0;
    connection->checked = 0;
    connection->state = vhttp_body_is_over(&connection->body) ? VHTTP_READING : VHTTP_DISCARDING;
    set_deadline(server, connection, VHTTP_DEADLINE_NONE);
}

static size_t gather_window(const struct vhttp_connection *connection, struct vhttp_slice *parts) {
    uint64_t ready = connection->written - connection->taken;
    if (ready > connection->content_left) {
        ready = connection->content_left;
    }
    if (ready == 0) {
        return 0;
    }
    uint32_t at = connection->taken % VHTTP_WINDOW_SIZE;
    uint32_t run = VHTTP_WINDOW_SIZE - at;
    const char *window = (const char *)connection->window;
    size_t first = ready < run ? (size_t)ready : run;
    parts[0] = (struct vhttp_slice){window + at, first};
    parts[1] = (struct vhttp_slice){window, (size_t)ready - first};
    return ready > first ? 2 : 1;
}

static size_t gather_cached(const struct vhttp_server *server,
                            const struct vhttp_connection *connection, struct vhttp_slice *parts,
                            size_t room) {
    uint64_t ready = connection->cached->loaded - connection->content_at;
    if (connection->cached->loaded < connection->content_at) {
        return 0; // a range that was not loaded yet
    }
    if (ready > connection->content_left) {
        ready = connection->content_left;
    }
    return vhttp_cache_gather(&server->cache, connection->place, ready, parts, room);
}

// Fills `parts` with what can be sent now: the head's rest and the content's next runs.
static size_t gather(const struct vhttp_server *server, const struct vhttp_connection *connection,
                     struct vhttp_slice parts[PARTS_MAX]) {
    size_t count = 0;
    if (connection->head_sent < connection->head_size) {
        parts[count++] = (struct vhttp_slice){connection->head + connection->head_sent,
                                              connection->head_size - connection->head_sent};
    }
    if (connection->content_left == 0) {
        return count;
    }
    return count + (connection->cached != NULL
                        ? gather_cached(server, connection, parts + count, PARTS_MAX - count)
                        : gather_window(connection, parts + count));
}

static void count_sent(struct vhttp_server *server, struct vhttp_connection *connection,
                       uint32_t sent) {
    server->stats.bytes_sent += sent;
    uint32_t of_head = connection->head_size - connection->head_sent;
    if (of_head > sent) {
        of_head = sent;
    }
    uint32_t of_content = sent - of_head;
    connection->head_sent += of_head;
    connection->content_left -= of_content;
    if (connection->cached != NULL) {
        connection->place = vhttp_cache_advance(&server->cache, connection->place, of_content);
        connection->content_at += of_content;
        return;
    }
    connection->taken += of_content;
    if (connection->content_expected > 0) {
        connection->owes_credit += of_content;
        if (connection->owes_credit >= VHTTP_WINDOW_SIZE / 2) {
            vhttp_settle(server, connection);
        }
    }
}

// Sends what there is. True when the response is complete; false when it waits for the socket or
// the interpreter, or when the connection had to be closed.
static bool send_response(struct vhttp_server *server, struct vhttp_connection *connection) {
    for (;;) {
        struct vhttp_slice parts[PARTS_MAX];
        size_t count = gather(server, connection, parts);
        if (count == 0) {
            if (connection->is_call && connection->content_left > 0) {
                set_deadline(server, connection, VHTTP_DEADLINE_NONE); // a stream may pause
            }
            return connection->content_left == 0;
        }
        ptrdiff_t sent = vhttp_send(connection->socket, parts, count);
        if (sent == VHTTP_SOCKET_AGAIN) {
            connection->socket_is_full = true;
            connection->unacknowledged = vhttp_unacknowledged(connection->socket);
            return false;
        }
        if (sent < 0) {
            vhttp_connection_close(server, connection);
            return false;
        }
        count_sent(server, connection, (uint32_t)sent);
        if (connection->head_sent == connection->head_size && connection->content_left == 0) {
            return true;
        }
        set_deadline(server, connection, VHTTP_DEADLINE_SEND);
    }
}

// ---- Bodies

// Hands the body's bytes to the interpreter, or drops them. Returns 0, or the status of a body
// that cannot be received. It waits for the client, or for room in the ring, unless it is over.
static int take_body(struct vhttp_server *server, struct vhttp_connection *connection,
                     bool is_wanted) {
    uint32_t at = 0;
    for (;;) {
        int framed = vhttp_body_frame(&connection->body, connection->input + at,
                                      connection->input_length - at);
        if (framed < 0) {
            return -framed;
        }
        at += (uint32_t)framed;
        uint32_t run = connection->input_length - at;
        if (run > connection->body.left) {
            run = (uint32_t)connection->body.left;
        }
        if (run == 0 || connection->body.state != VHTTP_BODY_CONTENT) {
            break;
        }
        if (run > VHTTP_REQUEST_BODY_MAX - connection->body_received) {
            return 413;
        }
        uint32_t taken =
            is_wanted ? vhttp_call_body(server, connection, connection->input + at, run) : run;
        vhttp_body_take(&connection->body, taken);
        connection->body_received += taken;
        at += taken;
        if (taken < run) {
            server->owes = true;
            break;
        }
    }
    drop_input(connection, at);
    return 0;
}

// Sends the word that the client waits for. False when the connection is gone.
static bool send_continue(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (connection->continue_left == 0) {
        return true;
    }
    struct vhttp_slice rest = {continue_word + sizeof(continue_word) - 1 -
                                   connection->continue_left,
                               connection->continue_left};
    ptrdiff_t sent = vhttp_send(connection->socket, &rest, 1);
    if (sent == VHTTP_SOCKET_FAILED) {
        vhttp_connection_close(server, connection);
        return false;
    }
    if (sent == VHTTP_SOCKET_AGAIN) {
        connection->socket_is_full = true;
    } else {
        connection->continue_left -= (uint32_t)sent;
    }
    return true;
}

// Goes on with the body of a call. False when it waits.
static bool receive_body(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (!send_continue(server, connection)) {
        return false;
    }
    int refused = take_body(server, connection, true);
    if (refused != 0) {
        give_up_errand(server, connection);
        vhttp_connection_refuse(server, connection, refused);
        return true;
    }
    if (vhttp_body_is_over(&connection->body)) {
        if (vhttp_call_body_end(server, connection)) {
            vhttp_connection_wait(server, connection);
        } else {
            server->owes = true;
        }
        return false;
    }
    if (connection->input_ended) {
        vhttp_connection_close(server, connection);
    } else if (connection->input_length == 0) {
        set_deadline(server, connection, VHTTP_DEADLINE_BODY);
    }
    return false;
}

// A call has started: its body follows.
static void begin_receiving(struct vhttp_connection *connection) {
    drop_input(connection, connection->head_length);
    connection->head_length = 0;
    if (connection->expects_continue) {
        connection->expects_continue = false;
        connection->continue_left = connection->input_length == 0 ? sizeof(continue_word) - 1 : 0;
    }
}

// ---- Requests

// A request that says what its content is but not where it ends.
static bool lacks_length(const struct vhttp_request *request) {
    return !request->chunked && !request->has_length &&
           vhttp_find_header(request, "content-type") != NULL &&
           (request->method == VHTTP_POST || request->method == VHTTP_PUT ||
            request->method == VHTTP_PATCH);
}

// Dispatches the next request. False when it is not complete yet.
static bool read_request(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (connection->input_length == 0) {
        if (connection->input_ended) {
            vhttp_connection_close(server, connection);
        } else if (!has_deadline(server, connection, VHTTP_DEADLINE_IDLE)) {
            set_deadline(server, connection, VHTTP_DEADLINE_IDLE);
        }
        return false;
    }
    struct vhttp_request *request = &server->request;
    int result = vhttp_parse_request(connection->input, connection->input_length,
                                     connection->checked, request);
    if (result == VHTTP_PARSE_PARTIAL && connection->input_length == VHTTP_REQUEST_HEAD_MAX) {
        result = -vhttp_parse_overflow(connection->input, connection->input_length);
    }
    if (result == VHTTP_PARSE_PARTIAL) {
        if (connection->input_ended) {
            vhttp_connection_close(server, connection);
        } else if (!has_deadline(server, connection, VHTTP_DEADLINE_HEADER)) {
            set_deadline(server, connection, VHTTP_DEADLINE_HEADER);
        }
        connection->checked = connection->input_length;
        return false;
    }
    if (result < 0) {
        vhttp_connection_refuse(server, connection, -result);
        return true;
    }
    connection->head_length = (uint32_t)result;
    connection->is_http_1_0 = request->minor_version == 0;
    connection->is_head = request->method == VHTTP_HEAD;
    connection->keep_alive = request->keep_alive;
    connection->is_call = false;
    vhttp_body_start(&connection->body, request->chunked, request->content_length);
    connection->body_received = 0;
    connection->continue_left = 0;
    connection->expects_continue =
        request->expects_continue && !vhttp_body_is_over(&connection->body);
    if (request->content_length > VHTTP_REQUEST_BODY_MAX) {
        vhttp_connection_refuse(server, connection, 413);
    } else if (lacks_length(request)) {
        vhttp_connection_refuse(server, connection, 411);
    } else {
        vhttp_dispatch(server, connection);
        if (connection->state == VHTTP_RECEIVING) {
            begin_receiving(connection);
        }
    }
    return true;
}

// Drops the answered request's body. False when more of it is to come.
static bool discard_body(struct vhttp_server *server, struct vhttp_connection *connection) {
    bool is_bad = take_body(server, connection, false) != 0;
    if (!is_bad && vhttp_body_is_over(&connection->body)) {
        connection->state = VHTTP_READING;
        set_deadline(server, connection, VHTTP_DEADLINE_NONE);
        return true;
    }
    if (is_bad || connection->input_ended) {
        vhttp_connection_close(server, connection);
    } else {
        set_deadline(server, connection, VHTTP_DEADLINE_BODY);
    }
    return false;
}

static void update_interest(struct vhttp_server *server, struct vhttp_connection *connection) {
    unsigned interest = 0;
    if (!connection->input_ended && connection->input_length < VHTTP_REQUEST_HEAD_MAX) {
        interest |= VHTTP_READABLE;
    }
    if (connection->socket_is_full) {
        interest |= VHTTP_WRITABLE;
    }
    if (connection->is_watched && interest == connection->watched) {
        return;
    }
    if (!vhttp_poller_watch(server->poller, connection->socket, vhttp_index(server, connection),
                            interest, connection->is_watched)) {
        vhttp_connection_close(server, connection);
        return;
    }
    connection->is_watched = true;
    connection->watched = interest;
}

void vhttp_connection_advance(struct vhttp_server *server, struct vhttp_connection *connection) {
    bool goes_on = true;
    while (goes_on) {
        switch (connection->state) {
        case VHTTP_READING:
            goes_on = read_request(server, connection);
            break;
        case VHTTP_SENDING:
            goes_on = send_response(server, connection);
            if (goes_on) {
                finish_exchange(server, connection);
            }
            break;
        case VHTTP_RECEIVING:
            goes_on = receive_body(server, connection);
            break;
        case VHTTP_DISCARDING:
            goes_on = discard_body(server, connection);
            break;
        case VHTTP_LINGERING:
            connection->input_length = 0;
            if (connection->input_ended) {
                vhttp_connection_close(server, connection);
            }
            goes_on = false;
            break;
        case VHTTP_WAITING:
        case VHTTP_FREE:
            goes_on = false;
            break;
        }
    }
    if (connection->state != VHTTP_FREE) {
        update_interest(server, connection);
    }
}

// Takes what the client sent. False when the connection is gone.
static bool receive(struct vhttp_server *server, struct vhttp_connection *connection) {
    ptrdiff_t received =
        vhttp_recv(connection->socket, connection->input + connection->input_length,
                   VHTTP_REQUEST_HEAD_MAX - connection->input_length);
    if (received == VHTTP_SOCKET_FAILED) {
        vhttp_connection_close(server, connection);
        return false;
    }
    if (received == 0) {
        connection->input_ended = true;
    } else if (received > 0) {
        connection->input_length += (uint32_t)received;
        server->stats.bytes_received += (uint64_t)received;
    }
    return true;
}

void vhttp_connection_ready(struct vhttp_server *server, struct vhttp_connection *connection,
                            unsigned ready) {
    bool wants_input = connection->watched & VHTTP_READABLE;
    if ((ready & VHTTP_READABLE) && !wants_input && !(connection->watched & VHTTP_WRITABLE)) {
        vhttp_connection_close(server, connection); // it was not asked for: the socket is broken
        return;
    }
    if (ready & VHTTP_WRITABLE) {
        connection->socket_is_full = false;
    }
    if ((ready & VHTTP_READABLE) && wants_input && !receive(server, connection)) {
        return;
    }
    vhttp_connection_advance(server, connection);
}

// A socket with a large buffer has room again only when a good part of it is acknowledged; until
// then a client that reads slowly looks like one that does not read.
static bool is_reading(struct vhttp_connection *connection) {
    size_t before = connection->unacknowledged;
    connection->unacknowledged = vhttp_unacknowledged(connection->socket);
    return connection->unacknowledged < before;
}

void vhttp_connection_overdue(struct vhttp_server *server, struct vhttp_connection *connection,
                              enum vhttp_deadline kind) {
    if (kind == VHTTP_DEADLINE_SEND && is_reading(connection)) {
        set_deadline(server, connection, VHTTP_DEADLINE_SEND);
        return;
    }
    server->stats.timeouts++;
    switch (kind) {
    case VHTTP_DEADLINE_HEADER:
        vhttp_connection_refuse(server, connection, 408);
        vhttp_connection_advance(server, connection);
        break;
    case VHTTP_DEADLINE_PYTHON:
        if (vhttp_call_was_taken(server, connection)) {
            set_deadline(server, connection, VHTTP_DEADLINE_HANDLER);
            break;
        }
        // falls through
    case VHTTP_DEADLINE_HANDLER:
        give_up_errand(server, connection);
        vhttp_file_overdue(server, connection);
        vhttp_connection_advance(server, connection);
        break;
    case VHTTP_DEADLINE_BODY:
        if (connection->state != VHTTP_RECEIVING) {
            vhttp_connection_close(server, connection);
            break;
        }
        give_up_errand(server, connection);
        vhttp_connection_refuse(server, connection, 408);
        vhttp_connection_advance(server, connection);
        break;
    default:
        vhttp_connection_close(server, connection);
        break;
    }
}
