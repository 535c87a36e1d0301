// Requests that a route's handler answers: asked of the interpreter, and its responses.
#include <stdio.h>

#include "connection.h"
#include "route.h"

// ---- Asking

// Where a call's record stands in the ring while it is written.
struct call_writer {
    struct vhttp_ask_call *record;
    char *text; // behind the values
    uint32_t text_length;
};

static void add_text(struct call_writer *writer, struct vhttp_slice text) {
    memcpy(writer->text + writer->text_length, text.at, text.length);
    writer->text_length += (uint32_t)text.length;
}

static void add_value(struct call_writer *writer, const struct vhttp_value *value) {
    struct vhttp_call_value *out = &writer->record->values[writer->record->value_count++];
    *out = (struct vhttp_call_value){.kind = (uint32_t)value->kind};
    switch (value->kind) {
    case VHTTP_VALUE_STR:
    case VHTTP_VALUE_PATH:
        out->as.at = writer->text_length;
        out->length = (uint32_t)value->text.length;
        add_text(writer, value->text);
        break;
    case VHTTP_VALUE_INT:
    case VHTTP_VALUE_BOOL:
        out->as.integer = value->integer;
        break;
    case VHTTP_VALUE_FLOAT:
        out->as.number = value->number;
        break;
    case VHTTP_VALUE_ABSENT:
        break;
    }
}

// The last of the query's values called `name`; at == NULL when there is none.
static struct vhttp_slice find_in_query(struct vhttp_slice query, struct vhttp_slice name) {
    struct vhttp_slice found = {NULL, 0}, other, value;
    while (vhttp_query_next(&query, &other, &value)) {
        if (vhttp_query_is(other, name)) {
            found = value;
        }
    }
    return found;
}

// Converts a query parameter into the record. False when the request does not fit it.
static bool add_query_value(struct call_writer *writer, struct vhttp_slice query,
                            const struct vhttp_query_parameter *parameter) {
    struct vhttp_slice encoded = find_in_query(query, parameter->name);
    struct vhttp_value value = {.kind = VHTTP_VALUE_ABSENT};
    if (encoded.at == NULL) {
        add_value(writer, &value);
        return !parameter->required;
    }
    char *decoded = writer->text + writer->text_length; // a text is then where it belongs
    int length = vhttp_query_decode(encoded, decoded);
    if (length < 0 || !vhttp_value_convert(parameter->kind,
                                           (struct vhttp_slice){decoded, (size_t)length}, &value)) {
        return false;
    }
    add_value(writer, &value);
    return true;
}

// The lines between the request line and the empty line, each with its CRLF.
static struct vhttp_slice header_lines(const struct vhttp_connection *connection) {
    const char *start = memchr(connection->input, '\n', connection->head_length);
    const char *end = connection->input + connection->head_length - 2;
    return start + 1 >= end ? (struct vhttp_slice){"", 0}
                            : (struct vhttp_slice){start + 1, (size_t)(end - start - 1)};
}

static void refuse_query(struct vhttp_server *server, struct vhttp_connection *connection,
                         const struct vhttp_query_parameter *parameter) {
    int length = snprintf((char *)connection->window, VHTTP_WINDOW_SIZE,
                          "{\"detail\":\"query parameter '%.*s' must be %s %s\"}\n",
                          (int)parameter->name.length, parameter->name.at,
                          parameter->kind == VHTTP_VALUE_INT ? "an" : "a",
                          vhttp_value_kind_name(parameter->kind));
    struct vhttp_response response = {
        .status = 422, .content_type = "application/json", .length = (uint64_t)length};
    connection->written = (uint32_t)length;
    connection->taken = 0;
    connection->content_expected = 0;
    vhttp_connection_respond(server, connection, &response);
}

static void start_call(struct vhttp_server *server, struct vhttp_connection *connection,
                       const struct vhttp_match *match) {
    const struct vhttp_request *request = &server->request;
    size_t query_count;
    const struct vhttp_query_parameter *parameters =
        vhttp_route_parameters(server->options.routes, match->route, &query_count);
    struct vhttp_slice path = vhttp_slice_of(server->decoded_path);
    struct vhttp_slice query =
        request->query.at == NULL ? (struct vhttp_slice){"", 0} : request->query;
    struct vhttp_slice fields = header_lines(connection);
    size_t fixed = sizeof(struct vhttp_ask_call) +
                   (match->count + query_count) * sizeof(struct vhttp_call_value);
    // The values' texts are no longer than the path and the query that they come from.
    size_t longest = fixed + 2 * path.length + 2 * query.length + fields.length;
    struct vhttp_ask_call *record = vhttp_ring_reserve(&server->requests, (uint32_t)longest);
    if (record == NULL) {
        vhttp_connection_respond_status(server, connection, 503);
        return;
    }
    bool has_body = request->chunked || request->content_length > 0;
    *record = (struct vhttp_ask_call){
        .head = {VHTTP_ASK_CALL, vhttp_index(server, connection), connection->generation + 1},
        .asked_ms = (uint32_t)server->now_ms,
        .route = match->route,
        .credit = VHTTP_WINDOW_SIZE,
        .flags = (uint16_t)((has_body ? VHTTP_CALL_BODY : 0) |
                            (connection->is_http_1_0 ? VHTTP_CALL_HTTP_1_0 : 0)),
        .method = (uint8_t)request->method,
        .content_length = (uint32_t)request->content_length,
        .path_length = (uint32_t)path.length,
        .query_length = (uint32_t)query.length,
        .fields_length = (uint32_t)fields.length,
    };
    struct call_writer writer = {record, (char *)record + fixed, 0};
    add_text(&writer, path);
    add_text(&writer, query);
    add_text(&writer, fields);
    for (size_t i = 0; i < match->count; i++) {
        add_value(&writer, &match->values[i]);
    }
    for (size_t i = 0; i < query_count; i++) {
        if (!add_query_value(&writer, query, &parameters[i])) {
            refuse_query(server, connection, &parameters[i]);
            return; // the reservation lapses
        }
    }
    vhttp_ring_commit(&server->requests, (uint32_t)fixed + writer.text_length);
    server->asked_now = true;
    connection->generation++;
    connection->has_errand = true;
    connection->is_call = true;
    connection->owes_close = false; // a call ends the one before
    connection->owes_credit = 0;
    connection->asked_until = vhttp_ring_written(&server->requests);
    connection->state = has_body ? VHTTP_RECEIVING : VHTTP_WAITING;
    vhttp_deadlines_set(&server->deadlines, vhttp_index(server, connection),
                        has_body ? VHTTP_DEADLINE_BODY : VHTTP_DEADLINE_PYTHON, server->now_ms);
}

static void respond_allow(struct vhttp_server *server, struct vhttp_connection *connection,
                          unsigned methods, int status) {
    static const char *const names[VHTTP_METHOD_COUNT] = {"GET",   "HEAD",   "POST",   "PUT",
                                                          "PATCH", "DELETE", "OPTIONS"};
    char allow[64] = "";
    methods |= 1u << VHTTP_OPTIONS | (methods >> VHTTP_GET & 1) << VHTTP_HEAD;
    for (int method = 0; method < VHTTP_METHOD_COUNT; method++) {
        if (methods >> method & 1) {
            strcat(allow, allow[0] == '\0' ? "" : ", ");
            strcat(allow, names[method]);
        }
    }
    struct vhttp_response response = {.status = status, .allow = allow};
    if (status != 204) {
        response.content_type = "text/plain; charset=utf-8";
    }
    vhttp_connection_respond(server, connection, &response);
}

bool vhttp_call_dispatch(struct vhttp_server *server, struct vhttp_connection *connection) {
    struct vhttp_match match;
    enum vhttp_method method = server->request.method;
    if (vhttp_routes_find(server->options.routes, method, server->decoded_path, &match)) {
        start_call(server, connection, &match);
    } else if (match.methods == 0) {
        return false;
    } else {
        respond_allow(server, connection, match.methods, method == VHTTP_OPTIONS ? 204 : 405);
    }
    return true;
}

// ---- The request's body

uint32_t vhttp_call_body(struct vhttp_server *server, struct vhttp_connection *connection,
                         const char *bytes, uint32_t length) {
    // Half of the ring is left to the requests of others.
    uint32_t room = VHTTP_IPC_REQUEST_RINGBUF_SIZE / 2;
    uint32_t used = vhttp_ring_depth(&server->requests);
    uint32_t piece = room > used ? room - used : 0;
    piece = length < piece ? length : piece;
    uint32_t size = (uint32_t)sizeof(struct vhttp_ipc_head) + piece;
    struct vhttp_ipc_head *record = piece == 0 ? NULL : vhttp_ring_reserve(&server->requests, size);
    if (record == NULL) {
        return 0;
    }
    *record = (struct vhttp_ipc_head){VHTTP_ASK_BODY, vhttp_index(server, connection),
                                      connection->generation};
    memcpy(record + 1, bytes, piece);
    vhttp_ring_commit(&server->requests, size);
    server->asked_now = true;
    return piece;
}

bool vhttp_call_body_end(struct vhttp_server *server, struct vhttp_connection *connection) {
    struct vhttp_ask_body_end *record = vhttp_ring_reserve(&server->requests, sizeof(*record));
    if (record == NULL) {
        return false;
    }
    *record = (struct vhttp_ask_body_end){
        {VHTTP_ASK_BODY_END, vhttp_index(server, connection), connection->generation},
        (uint32_t)server->now_ms};
    vhttp_ring_commit(&server->requests, sizeof(*record));
    server->asked_now = true;
    connection->asked_until = vhttp_ring_written(&server->requests);
    return true;
}

// ---- Responses

bool vhttp_call_was_taken(const struct vhttp_server *server,
                          const struct vhttp_connection *connection) {
    return connection->is_call && connection->has_errand &&
           (int32_t)(vhttp_ring_released(&server->requests) - connection->asked_until) >= 0;
}

void vhttp_call_begins(struct vhttp_server *server, struct vhttp_connection *connection,
                       const struct vhttp_answer_begin *begin, uint32_t size) {
    struct vhttp_response response = {
        .status = begin->status,
        .fields = {begin->text, begin->fields_length},
        .length = begin->length,
        .chunked = begin->flags & VHTTP_BEGIN_CHUNKED,
        .sized =
            begin->length != VHTTP_LENGTH_UNKNOWN && begin->status != 204 && begin->status != 304,
    };
    connection->written = connection->taken = 0;
    connection->content_expected = 0;
    bool is_endless = begin->length == VHTTP_LENGTH_UNKNOWN;
    if (is_endless) {
        response.length = VHTTP_CONTENT_UNKNOWN;
        connection->keep_alive &= response.chunked; // else the connection's end is the content's
    }
    bool wants_content = !connection->is_head && (is_endless || response.sized);
    connection->content_expected = wants_content ? response.length : 0;
    uint32_t fixed = (uint32_t)sizeof(*begin) + begin->fields_length;
    connection->has_errand = is_endless || size - fixed < begin->length;
    vhttp_connection_respond(server, connection, &response);
    if (wants_content) {
        vhttp_take_content(server, connection, (const uint8_t *)begin + fixed, size - fixed);
    }
}

void vhttp_call_ends(struct vhttp_connection *connection) {
    connection->has_errand = false;
    connection->content_expected = 0;
    connection->owes_credit = 0;
    connection->content_left =
        connection->is_head ? 0 : (uint64_t)(connection->written - connection->taken);
}

void vhttp_call_chooses(struct vhttp_server *server, struct vhttp_connection *connection,
                        const struct vhttp_answer_file *file) {
    connection->has_errand = connection->is_call = false;
    struct vhttp_request *request = &server->request;
    // The head of a request that had a body is gone; such a request has no conditions.
    if (connection->head_length == 0 ||
        vhttp_parse_request(connection->input, connection->head_length, 0, request) < 0) {
        *request = (struct vhttp_request){.method = VHTTP_POST};
    }
    const char *fields = file->text + strlen(file->text) + 1;
    memcpy(connection->window, fields, file->fields_length);
    struct vhttp_chosen_file chosen = {(int)file->status,
                                       {(const char *)connection->window, file->fields_length}};
    vhttp_request_file(server, connection, file->text, false, chosen);
}
