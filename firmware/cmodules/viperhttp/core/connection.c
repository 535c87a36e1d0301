// SPDX-License-Identifier: MIT
#include "connection.h"

#include <string.h>

#include "exchange.h"
#include "platform.h"

#define PARTS_MAX 32 // of a reply, sent at once

static const char continue_word[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void set_deadline(struct vhttp_shared *shared, const struct vhttp_connection *connection,
                         enum vhttp_deadline kind) {
    vhttp_deadlines_set(&shared->deadlines, connection->index, kind, shared->now_ms);
}

static enum vhttp_deadline deadline_of(const struct vhttp_shared *shared,
                                       const struct vhttp_connection *connection) {
    return vhttp_deadlines_kind(&shared->deadlines, connection->index);
}

// A deadline that a state keeps until it is left, and that is not put off.
static void keep_deadline(struct vhttp_shared *shared, const struct vhttp_connection *connection,
                          enum vhttp_deadline kind) {
    if (deadline_of(shared, connection) != kind) {
        set_deadline(shared, connection, kind);
    }
}

void vhttp_connection_init(struct vhttp_connection *connection, uint16_t index, char *buffers) {
    connection->index = index;
    connection->input = buffers;
    vhttp_reply_init(&connection->exchange.reply, buffers + VHTTP_REQUEST_HEAD_MAX);
    vhttp_errand_init(&connection->exchange.errand, index);
    connection->exchange.reader.connection = index;
}

bool vhttp_connection_is_free(const struct vhttp_connection *connection) {
    return connection->state == VHTTP_FREE;
}

void vhttp_connection_close(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    vhttp_exchange_end(shared, &connection->exchange);
    set_deadline(shared, connection, VHTTP_DEADLINE_NONE);
    vhttp_close(connection->socket);
    connection->state = VHTTP_FREE;
    shared->stats.connections_open--;
}

static void drop_input(struct vhttp_connection *connection, uint32_t length) {
    connection->input_length -= length;
    memmove(connection->input, connection->input + length, connection->input_length);
}

static void drop_head(struct vhttp_connection *connection) {
    drop_input(connection, connection->head_length);
    connection->head_length = 0;
    connection->checked = 0;
}

// ---- From state to state

// A client that waits for a word before it sends a body may send it or not: nobody knows.
static void start_sending(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    struct vhttp_reply *reply = &connection->exchange.reply;
    if (connection->state == VHTTP_WAITING) {
        vhttp_delay_add(&shared->stats.python, shared->now_ms - connection->waits_since_ms);
    }
    bool closes = connection->closes || connection->expects_continue || shared->is_crowded;
    connection->closes = vhttp_reply_seal(reply, shared->date_line, closes);
    connection->state = VHTTP_SENDING;
    connection->unacknowledged = 0;
    set_deadline(shared, connection, VHTTP_DEADLINE_SEND);
    shared->stats.responses[vhttp_status_index(vhttp_reply_status(reply))]++;
}

static void start_receiving(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    drop_head(connection);
    if (connection->expects_continue) {
        connection->expects_continue = false;
        connection->continue_left = connection->input_length == 0 ? sizeof(continue_word) - 1 : 0;
    }
    connection->state = VHTTP_RECEIVING;
    connection->body_due_ms = shared->now_ms + VHTTP_BODY_TOTAL_MS;
    set_deadline(shared, connection, VHTTP_DEADLINE_BODY);
}

// The interpreter is waited for as long as it is not busy with something else.
static void wait_for_python(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    connection->waits_since_ms = shared->now_ms;
    connection->file_work = vhttp_ring_work(shared->desk.found);
    set_deadline(shared, connection, VHTTP_DEADLINE_PYTHON);
}

static void start_waiting(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    connection->state = VHTTP_WAITING;
    wait_for_python(shared, connection);
}

static void start_lingering(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    vhttp_shutdown(connection->socket);
    connection->state = VHTTP_LINGERING;
    connection->body_due_ms = shared->now_ms + VHTTP_BODY_TOTAL_MS;
    connection->input_length = 0;
    set_deadline(shared, connection, VHTTP_DEADLINE_LINGER);
}

// The request that is being answered, to be read once more. Its head is gone if it had a body; such
// a request has no conditions.
static const struct vhttp_request *reread_request(struct vhttp_shared *shared,
                                                  const struct vhttp_connection *connection) {
    if (connection->head_length == 0 ||
        vhttp_parse_request(connection->input, connection->head_length, 0, &shared->request) < 0) {
        shared->request = (struct vhttp_request){.method = VHTTP_POST};
    }
    return &shared->request;
}

// What the exchange wants next. False when the connection is gone.
static bool take_step(struct vhttp_shared *shared, struct vhttp_connection *connection,
                      enum vhttp_step step) {
    switch (step) {
    case VHTTP_STEP_STAY:
        break;
    case VHTTP_STEP_WAIT:
        start_waiting(shared, connection);
        break;
    case VHTTP_STEP_RECEIVE:
        start_receiving(shared, connection);
        break;
    case VHTTP_STEP_REPLY:
        start_sending(shared, connection);
        break;
    case VHTTP_STEP_ASK:
        return take_step(shared, connection,
                         vhttp_exchange_refuse(shared, &connection->exchange,
                                               reread_request(shared, connection), 0));
    case VHTTP_STEP_BREAK:
        vhttp_connection_close(shared, connection);
        return false;
    }
    return true;
}

// Answers with `status` and closes: what follows in the input is not to be trusted.
static void refuse(struct vhttp_shared *shared, struct vhttp_connection *connection, int status,
                   bool is_head) {
    vhttp_exchange_end(shared, &connection->exchange);
    vhttp_reply_refuse(&connection->exchange.reply, status, is_head);
    start_sending(shared, connection);
}

// Likewise, within the body of a call.
static void refuse_body(struct vhttp_shared *shared, struct vhttp_connection *connection,
                        int status) {
    refuse(shared, connection, status, vhttp_reply_is_head(&connection->exchange.reply));
}

// The reply is out: on to the next request.
static void finish_exchange(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    vhttp_exchange_end(shared, &connection->exchange);
    vhttp_delay_add(&shared->stats.requests, shared->now_ms - connection->asked_ms);
    if (connection->closes) {
        start_lingering(shared, connection);
        return;
    }
    drop_head(connection);
    connection->body_due_ms = shared->now_ms + VHTTP_BODY_TOTAL_MS;
    connection->state = vhttp_body_is_over(&connection->body) ? VHTTP_READING : VHTTP_DISCARDING;
    set_deadline(shared, connection, VHTTP_DEADLINE_NONE);
}

// ---- SENDING

// A stream may pause as long as it likes, but one of events ends with its client: it says now and
// then that it is there, and a client that sends no more has gone.
static void pause_stream(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (!vhttp_reply_is_of_events(&connection->exchange.reply)) {
        set_deadline(shared, connection, VHTTP_DEADLINE_NONE);
    } else if (connection->input_ended) {
        vhttp_connection_close(shared, connection);
    } else {
        set_deadline(shared, connection, VHTTP_DEADLINE_QUIET);
    }
}

// A comment, which a reader of events passes over. It goes out whole or not at all, past the
// window, whose room belongs to what is under way.
static void send_comment(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    struct vhttp_slice comment = vhttp_reply_comment(&connection->exchange.reply);
    if (comment.length > 0 &&
        vhttp_send(connection->socket, &comment, 1) != (ptrdiff_t)comment.length) {
        vhttp_connection_close(shared, connection); // nothing is taken there any more
        return;
    }
    shared->stats.bytes_sent += comment.length;
    set_deadline(shared, connection, VHTTP_DEADLINE_QUIET);
}

// Sends what there is. True when the reply is complete; false when it waits for the socket or the
// interpreter, or when the connection had to be closed.
static bool send_reply(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    struct vhttp_reply *reply = &connection->exchange.reply;
    struct vhttp_errand *errand = &connection->exchange.errand;
    while (!connection->socket_is_full) {
        struct vhttp_slice parts[PARTS_MAX];
        size_t count = vhttp_reply_gather(reply, &shared->cache, parts, PARTS_MAX);
        if (count == 0) {
            if (vhttp_reply_is_over(reply)) {
                return true;
            }
            if (vhttp_errand_is_call(errand)) {
                pause_stream(shared, connection);
            }
            return false;
        }
        vhttp_pulse_stands(&shared->pulse, VHTTP_AT_SEND);
        ptrdiff_t sent = vhttp_send(connection->socket, parts, count);
        if (sent == VHTTP_SOCKET_AGAIN) {
            connection->socket_is_full = true;
            connection->full_since_ms = shared->now_ms;
            connection->unacknowledged = vhttp_unacknowledged(connection->socket);
            return false;
        }
        if (sent < 0) {
            vhttp_connection_close(shared, connection);
            return false;
        }
        shared->stats.bytes_sent += (uint64_t)sent;
        uint32_t freed = vhttp_reply_sent(reply, &shared->cache, (uint32_t)sent);
        if (freed > 0) {
            vhttp_errand_credit(&shared->desk, errand, freed);
        }
        if (vhttp_reply_is_over(reply)) {
            return true;
        }
        set_deadline(shared, connection, VHTTP_DEADLINE_SEND);
    }
    return false;
}

// ---- RECEIVING and DISCARDING

// Hands the body's bytes to the interpreter, or drops them. Returns 0, or the status of a body
// that cannot be received. It waits for the client, or for room in the ring, unless it is over.
static int take_body(struct vhttp_shared *shared, struct vhttp_connection *connection,
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
        uint32_t taken = is_wanted ? vhttp_errand_body(&shared->desk, &connection->exchange.errand,
                                                       connection->input + at, run)
                                   : run;
        vhttp_body_take(&connection->body, taken);
        connection->body_received += taken;
        at += taken;
        if (taken < run) {
            break;
        }
    }
    drop_input(connection, at);
    return 0;
}

// Sends the word that the client waits for. False when the connection is gone.
static bool send_continue(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (connection->continue_left == 0) {
        return true;
    }
    struct vhttp_slice rest = {continue_word + sizeof(continue_word) - 1 -
                                   connection->continue_left,
                               connection->continue_left};
    ptrdiff_t sent = vhttp_send(connection->socket, &rest, 1);
    if (sent == VHTTP_SOCKET_FAILED) {
        vhttp_connection_close(shared, connection);
        return false;
    }
    if (sent == VHTTP_SOCKET_AGAIN) {
        connection->socket_is_full = true;
        connection->full_since_ms = shared->now_ms;
    } else {
        connection->continue_left -= (uint32_t)sent;
    }
    return true;
}

// Goes on with the body of a call. False when it waits.
static bool receive_body(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (!send_continue(shared, connection)) {
        return false;
    }
    int refused = take_body(shared, connection, true);
    if (refused != 0) {
        refuse_body(shared, connection, refused);
        return true;
    }
    bool is_over = vhttp_body_is_over(&connection->body);
    if (is_over && vhttp_errand_body_end(&shared->desk, &connection->exchange.errand)) {
        start_waiting(shared, connection);
        return false;
    }
    if (is_over || connection->input_length > 0) { // the ring is full: Python is busy
        if (deadline_of(shared, connection) != VHTTP_DEADLINE_PYTHON) {
            wait_for_python(shared, connection);
        }
        return false;
    }
    if (connection->input_ended) {
        vhttp_connection_close(shared, connection);
        return false;
    }
    if (shared->now_ms >= connection->body_due_ms) {
        refuse_body(shared, connection, 408);
        return true;
    }
    set_deadline(shared, connection, VHTTP_DEADLINE_BODY);
    return false;
}

// Drops the answered request's body. False when more of it is to come.
static bool discard_body(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    bool is_bad = take_body(shared, connection, false) != 0;
    if (!is_bad && vhttp_body_is_over(&connection->body)) {
        connection->state = VHTTP_READING;
        set_deadline(shared, connection, VHTTP_DEADLINE_NONE);
        return true;
    }
    if (is_bad || connection->input_ended || shared->now_ms >= connection->body_due_ms) {
        vhttp_connection_close(shared, connection);
    } else {
        set_deadline(shared, connection, VHTTP_DEADLINE_BODY);
    }
    return false;
}

// ---- READING

// A request that says what its content is but not where it ends.
static bool lacks_length(const struct vhttp_request *request) {
    return !request->chunked && !request->has_length &&
           vhttp_find_header(request, "content-type") != NULL &&
           (request->method == VHTTP_POST || request->method == VHTTP_PUT ||
            request->method == VHTTP_PATCH);
}

// Dispatches the next request. False when it is not complete yet.
static bool read_request(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (connection->input_length == 0) {
        if (connection->input_ended) {
            vhttp_connection_close(shared, connection);
        } else {
            keep_deadline(shared, connection,
                          connection->has_asked ? VHTTP_DEADLINE_IDLE : VHTTP_DEADLINE_FIRST);
        }
        return false;
    }
    struct vhttp_request *request = &shared->request;
    int result = vhttp_parse_request(connection->input, connection->input_length,
                                     connection->checked, request);
    if (result == VHTTP_PARSE_PARTIAL && connection->input_length == VHTTP_REQUEST_HEAD_MAX) {
        result = -vhttp_parse_overflow(connection->input, connection->input_length);
    }
    if (result == VHTTP_PARSE_PARTIAL) {
        if (connection->input_ended) {
            vhttp_connection_close(shared, connection);
        } else {
            keep_deadline(shared, connection, VHTTP_DEADLINE_HEADER);
        }
        connection->checked = connection->input_length;
        return false;
    }
    connection->asked_ms = shared->now_ms;
    if (result < 0) {
        refuse(shared, connection, -result, false);
        return true;
    }
    connection->head_length = (uint32_t)result;
    connection->has_asked = true;
    connection->closes = !request->keep_alive;
    vhttp_body_start(&connection->body, request->chunked, request->content_length);
    connection->body_received = 0;
    connection->continue_left = 0;
    connection->expects_continue =
        request->expects_continue && !vhttp_body_is_over(&connection->body);
    if (request->content_length > VHTTP_REQUEST_BODY_MAX &&
        (shared->options.asks_about & VHTTP_ASKS_ABOUT_BODIES)) {
        connection->closes = true;
        vhttp_reply_prepare(&connection->exchange.reply, request->method == VHTTP_HEAD,
                            request->minor_version == 0);
        take_step(shared, connection,
                  vhttp_exchange_refuse(shared, &connection->exchange, request, 413));
    } else if (request->content_length > VHTTP_REQUEST_BODY_MAX) {
        refuse(shared, connection, 413, request->method == VHTTP_HEAD);
    } else if (lacks_length(request)) {
        refuse(shared, connection, 411, false); // no HEAD
    } else {
        take_step(shared, connection, vhttp_exchange_start(shared, &connection->exchange, request));
    }
    return true;
}

// ---- LINGERING

// Drops what the client sends. As long as it does, it may not have looked at its answer yet, and an
// end of the connection would take that away from it.
static void linger(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (connection->input_ended || shared->now_ms >= connection->body_due_ms) {
        vhttp_connection_close(shared, connection);
    } else if (connection->input_length > 0) {
        connection->input_length = 0;
        set_deadline(shared, connection, VHTTP_DEADLINE_LINGER);
    }
}

// ---- Giving up

bool vhttp_connection_is_forsaken(const struct vhttp_shared *shared,
                                  const struct vhttp_connection *connection, uint64_t *since_ms) {
    bool is_paused = connection->state == VHTTP_SENDING &&
                     deadline_of(shared, connection) == VHTTP_DEADLINE_NONE;
    *since_ms = connection->ended_ms;
    return connection->input_ended && (connection->state == VHTTP_WAITING || is_paused);
}

void vhttp_connection_give_up(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    if (connection->state == VHTTP_WAITING) {
        connection->closes = true;
        take_step(shared, connection, vhttp_exchange_overdue(shared, &connection->exchange));
    }
    if (connection->state == VHTTP_SENDING && send_reply(shared, connection)) {
        finish_exchange(shared, connection);
    }
    if (connection->state != VHTTP_FREE) {
        vhttp_connection_close(shared, connection);
    }
}

// ---- Events

static void update_interest(struct vhttp_shared *shared, struct vhttp_connection *connection) {
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
    if (!vhttp_poller_watch(shared->poller, connection->socket, connection->index, interest,
                            connection->is_watched)) {
        vhttp_connection_close(shared, connection);
        return;
    }
    connection->is_watched = true;
    connection->watched = interest;
}

// Goes on as far as it can.
static void advance(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    bool goes_on = true;
    while (goes_on) {
        switch (connection->state) {
        case VHTTP_READING:
            goes_on = read_request(shared, connection);
            break;
        case VHTTP_SENDING:
            goes_on = send_reply(shared, connection);
            if (goes_on) {
                finish_exchange(shared, connection);
            }
            break;
        case VHTTP_RECEIVING:
            goes_on = receive_body(shared, connection);
            break;
        case VHTTP_DISCARDING:
            goes_on = discard_body(shared, connection);
            break;
        case VHTTP_LINGERING:
            linger(shared, connection);
            goes_on = false;
            break;
        case VHTTP_WAITING:
        case VHTTP_FREE:
            goes_on = false;
            break;
        }
    }
    if (connection->state != VHTTP_FREE) {
        update_interest(shared, connection);
    }
}

void vhttp_connection_open(struct vhttp_shared *shared, struct vhttp_connection *connection,
                           int socket) {
    connection->state = VHTTP_READING;
    connection->socket = socket;
    connection->is_watched = false;
    connection->input_ended = false;
    connection->has_asked = false;
    connection->input_length = 0;
    connection->checked = 0;
    connection->socket_is_full = false;
    connection->head_length = 0;
    connection->exchange.client = vhttp_peer(socket);
    shared->stats.connections_total++;
    shared->stats.connections_open++;
    advance(shared, connection);
}

// Takes what the client sent. False when the connection is gone.
static bool receive(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    vhttp_pulse_stands(&shared->pulse, VHTTP_AT_RECEIVE);
    ptrdiff_t received =
        vhttp_recv(connection->socket, connection->input + connection->input_length,
                   VHTTP_REQUEST_HEAD_MAX - connection->input_length);
    if (received == VHTTP_SOCKET_FAILED) {
        vhttp_connection_close(shared, connection);
        return false;
    }
    if (received == 0) {
        connection->input_ended = true;
        connection->ended_ms = shared->now_ms;
    } else if (received > 0) {
        connection->input_length += (uint32_t)received;
        shared->stats.bytes_received += (uint64_t)received;
    }
    return true;
}

void vhttp_connection_ready(struct vhttp_shared *shared, struct vhttp_connection *connection,
                            unsigned ready) {
    bool wants_input = connection->watched & VHTTP_READABLE;
    if ((ready & VHTTP_READABLE) && !wants_input && !(connection->watched & VHTTP_WRITABLE)) {
        vhttp_connection_close(shared, connection); // it was not asked for: the socket is broken
        return;
    }
    if ((ready & VHTTP_WRITABLE) && connection->socket_is_full) {
        connection->socket_is_full = false;
        vhttp_delay_add(&shared->stats.full_sockets, shared->now_ms - connection->full_since_ms);
    }
    if ((ready & VHTTP_READABLE) && wants_input && !receive(shared, connection)) {
        return;
    }
    advance(shared, connection);
}

void vhttp_connection_answer(struct vhttp_shared *shared, struct vhttp_connection *connection,
                             const struct vhttp_ipc_head *answer, uint32_t length) {
    struct vhttp_exchange *exchange = &connection->exchange;
    if (!vhttp_errand_awaits(&exchange->errand, answer->generation)) {
        shared->stats.answers_dropped++;
        return; // it was for a request that is over
    }
    bool is_served_here = answer->kind == VHTTP_ANSWER_FILE || answer->kind == VHTTP_ANSWER_PASS;
    const struct vhttp_request *request =
        is_served_here ? reread_request(shared, connection) : NULL;
    if (!take_step(shared, connection,
                   vhttp_exchange_take(shared, exchange, request, answer, length))) {
        return;
    }
    if (connection->state == VHTTP_SENDING &&
        deadline_of(shared, connection) == VHTTP_DEADLINE_NONE) {
        set_deadline(shared, connection, VHTTP_DEADLINE_SEND); // a stream had paused
    }
    advance(shared, connection);
}

void vhttp_connection_cache_news(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    enum vhttp_step step = connection->exchange.reader.entry->is_broken ? VHTTP_STEP_BREAK
                           : connection->state == VHTTP_WAITING
                               ? vhttp_static_go_on(shared, &connection->exchange)
                               : VHTTP_STEP_STAY;
    if (take_step(shared, connection, step)) {
        advance(shared, connection);
    }
}

bool vhttp_connection_settle(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    bool is_settled = vhttp_errand_settle(&shared->desk, &connection->exchange.errand);
    if (is_settled && connection->state == VHTTP_RECEIVING) {
        advance(shared, connection);
    }
    return is_settled;
}

// A socket with a large buffer has room again only when a good part of it is acknowledged; until
// then a client that reads slowly looks like one that does not read.
static bool is_reading(struct vhttp_connection *connection) {
    size_t before = connection->unacknowledged;
    connection->unacknowledged = vhttp_unacknowledged(connection->socket);
    return connection->unacknowledged < before;
}

// Files are looked for and read meanwhile: this one, or those that are before it in the ring. Such
// a look may take long, the first one on a chip above all, and nobody is busy with anything else.
static bool is_behind_files(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    bool is_at_files = vhttp_desk_is_at_files(&shared->desk, &connection->file_work);
    return is_at_files && !vhttp_static_is_known(&connection->exchange) &&
           shared->now_ms - connection->waits_since_ms < VHTTP_HANDLER_TIMEOUT_MS;
}

void vhttp_connection_overdue(struct vhttp_shared *shared, struct vhttp_connection *connection) {
    enum vhttp_deadline kind = deadline_of(shared, connection);
    if (kind == VHTTP_DEADLINE_SEND && is_reading(connection)) {
        set_deadline(shared, connection, VHTTP_DEADLINE_SEND);
        return;
    }
    if (kind == VHTTP_DEADLINE_QUIET) {
        send_comment(shared, connection);
        return;
    }
    if (kind == VHTTP_DEADLINE_PYTHON && is_behind_files(shared, connection)) {
        set_deadline(shared, connection, VHTTP_DEADLINE_PYTHON);
        return;
    }
    shared->stats.timeouts++;
    bool is_receiving = connection->state == VHTTP_RECEIVING;
    if (kind == VHTTP_DEADLINE_PYTHON && !is_receiving &&
        vhttp_errand_is_call(&connection->exchange.errand) &&
        !vhttp_errand_give_up(&shared->desk, &connection->exchange.errand)) {
        set_deadline(shared, connection, VHTTP_DEADLINE_HANDLER);
        return;
    }
    if (is_receiving) {
        refuse_body(shared, connection, kind == VHTTP_DEADLINE_PYTHON ? 503 : 408);
    } else if (kind == VHTTP_DEADLINE_PYTHON || kind == VHTTP_DEADLINE_HANDLER) {
        take_step(shared, connection, vhttp_exchange_overdue(shared, &connection->exchange));
    } else if (kind == VHTTP_DEADLINE_HEADER) {
        refuse(shared, connection, 408, false);
    } else {
        vhttp_connection_close(shared, connection);
        return;
    }
    advance(shared, connection);
}
