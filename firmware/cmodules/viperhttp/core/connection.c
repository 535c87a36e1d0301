#include "connection.h"

#include <stdio.h>

#include "port.h"

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
    server->stats.connections_total++;
    server->stats.connections_open++;
    vhttp_connection_advance(server, connection);
}

// The interpreter is told that its file is no longer wanted.
static void give_up_file(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (connection->has_file) {
        connection->has_file = false;
        connection->owes_close = true;
        vhttp_settle(server, connection);
    }
}

void vhttp_connection_close(struct vhttp_server *server, struct vhttp_connection *connection) {
    give_up_file(server, connection);
    set_deadline(server, connection, VHTTP_DEADLINE_NONE);
    vhttp_close(connection->socket);
    connection->state = VHTTP_FREE;
    server->free[server->free_count++] = vhttp_index(server, connection);
    server->stats.connections_open--;
}

// ---- Responses

void vhttp_connection_respond(struct vhttp_server *server, struct vhttp_connection *connection,
                              struct vhttp_response *response) {
    response->close = !connection->keep_alive;
    response->say_keep_alive = connection->is_http_1_0;
    connection->head_sent = 0;
    connection->head_size =
        (uint32_t)vhttp_write_response_head(response, connection->head, VHTTP_RESPONSE_HEAD_MAX);
    if (connection->head_size == 0) { // only a redirection carries something long
        vhttp_connection_respond_status(server, connection, 414);
        return;
    }
    bool has_content = response->content_type != NULL && !connection->is_head;
    connection->content_left = has_content ? response->length : 0;
    connection->state = VHTTP_SENDING;
    set_deadline(server, connection, VHTTP_DEADLINE_SEND);
    server->stats.responses[vhttp_status_index(response->status)]++;
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
    connection->head_length = connection->input_length;
    connection->body_left = 0;
    vhttp_connection_respond_status(server, connection, status);
}

static void start_lingering(struct vhttp_server *server, struct vhttp_connection *connection) {
    vhttp_shutdown(connection->socket);
    connection->state = VHTTP_LINGERING;
    connection->input_length = 0;
    set_deadline(server, connection, VHTTP_DEADLINE_LINGER);
}

// The response is out: on to the next request.
static void finish_exchange(struct vhttp_server *server, struct vhttp_connection *connection) {
    give_up_file(server, connection);
    if (!connection->keep_alive) {
        start_lingering(server, connection);
        return;
    }
    connection->input_length -= connection->head_length;
    memmove(connection->input, connection->input + connection->head_length,
            connection->input_length);
    connection->checked = 0;
    connection->state = connection->body_left > 0 ? VHTTP_DISCARDING : VHTTP_READING;
    set_deadline(server, connection, VHTTP_DEADLINE_NONE);
}

// Fills `parts` with what can be sent now: the head's rest and the window's one or two runs.
static size_t gather(const struct vhttp_connection *connection, struct vhttp_slice parts[3]) {
    size_t count = 0;
    if (connection->head_sent < connection->head_size) {
        parts[count++] = (struct vhttp_slice){connection->head + connection->head_sent,
                                              connection->head_size - connection->head_sent};
    }
    uint64_t ready = connection->written - connection->taken;
    if (ready > connection->content_left) {
        ready = connection->content_left;
    }
    if (ready > 0) {
        uint32_t at = connection->taken % VHTTP_WINDOW_SIZE;
        uint32_t run = VHTTP_WINDOW_SIZE - at;
        const char *window = (const char *)connection->window;
        size_t first = ready < run ? (size_t)ready : run;
        parts[count++] = (struct vhttp_slice){window + at, first};
        if (ready > first) {
            parts[count++] = (struct vhttp_slice){window, (size_t)ready - first};
        }
    }
    return count;
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
    connection->taken += of_content;
    connection->content_left -= of_content;
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
        struct vhttp_slice parts[3];
        size_t count = gather(connection, parts);
        if (count == 0) {
            return connection->content_left == 0;
        }
        ptrdiff_t sent = vhttp_send(connection->socket, parts, count);
        if (sent == VHTTP_SOCKET_AGAIN) {
            connection->socket_is_full = true;
            return false;
        }
        if (sent < 0) {
            vhttp_connection_close(server, connection);
            return false;
        }
        count_sent(server, connection, (uint32_t)sent);
        set_deadline(server, connection, VHTTP_DEADLINE_SEND);
    }
}

// ---- Requests

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
    connection->body_left = request->content_length;
    connection->is_http_1_0 = request->minor_version == 0;
    connection->is_head = request->method == VHTTP_HEAD;
    // A body whose end the server does not look for, or that waits for a word which will not
    // come, ends the connection after the response.
    connection->keep_alive = request->keep_alive && !request->chunked && !request->expects_continue;
    if (request->content_length > VHTTP_REQUEST_BODY_MAX) {
        vhttp_connection_refuse(server, connection, 413);
        return true;
    }
    vhttp_dispatch(server, connection);
    return true;
}

// Drops the answered request's body. False when more of it is to come.
static bool discard_body(struct vhttp_server *server, struct vhttp_connection *connection) {
    uint32_t length = connection->input_length;
    if (length > connection->body_left) {
        length = (uint32_t)connection->body_left;
    }
    connection->input_length -= length;
    connection->body_left -= length;
    memmove(connection->input, connection->input + length, connection->input_length);
    if (connection->body_left == 0) {
        connection->state = VHTTP_READING;
        set_deadline(server, connection, VHTTP_DEADLINE_NONE);
        return true;
    }
    if (connection->input_ended) {
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

void vhttp_connection_overdue(struct vhttp_server *server, struct vhttp_connection *connection,
                              enum vhttp_deadline kind) {
    server->stats.timeouts++;
    switch (kind) {
    case VHTTP_DEADLINE_HEADER:
        vhttp_connection_refuse(server, connection, 408);
        vhttp_connection_advance(server, connection);
        break;
    case VHTTP_DEADLINE_PYTHON:
        give_up_file(server, connection);
        vhttp_connection_respond_status(server, connection, 503);
        vhttp_connection_advance(server, connection);
        break;
    default:
        vhttp_connection_close(server, connection);
        break;
    }
}
