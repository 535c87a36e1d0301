// SPDX-License-Identifier: MIT
#include "call.h"

#include <stdio.h>
#include <string.h>

#include "state.h"

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

static void refuse_query(struct vhttp_exchange *exchange, struct vhttp_slice query,
                         const struct vhttp_query_parameter *parameter) {
    bool is_missing = find_in_query(query, parameter->name).at == NULL;
    bool is_int = parameter->kind == VHTTP_VALUE_INT;
    int length = snprintf(vhttp_reply_room(&exchange->reply), VHTTP_REPLY_ROOM,
                          "{\"detail\":\"query parameter '%.*s' %s%s\"}\n",
                          (int)parameter->name.length, parameter->name.at,
                          is_missing ? "is missing"
                          : is_int   ? "must be an "
                                     : "must be a ",
                          is_missing ? "" : vhttp_value_kind_name(parameter->kind));
    struct vhttp_response response = {
        .status = 422, .content_type = "application/json", .length = (uint64_t)length};
    vhttp_reply_start_text(&exchange->reply, &response);
}

// What a call's record holds besides the request.
struct call_wish {
    uint32_t route;
    size_t value_count;
    size_t text_length; // bytes of the values' texts at most
    bool takes_body;
};

static struct vhttp_slice query_of(const struct vhttp_request *request) {
    return request->query.at == NULL ? (struct vhttp_slice){"", 0} : request->query;
}

// Starts the record; its values are added behind. False when the ring has no room.
static bool start_record(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                         const struct vhttp_request *request, struct vhttp_slice path,
                         const struct call_wish *wish, struct call_writer *writer) {
    struct vhttp_slice query = query_of(request);
    size_t fixed =
        sizeof(struct vhttp_ask_call) + wish->value_count * sizeof(struct vhttp_call_value);
    size_t longest =
        fixed + path.length + query.length + request->fields.length + wish->text_length;
    struct vhttp_ask_call *record =
        vhttp_errand_write_call(&shared->desk, &exchange->errand, (uint32_t)longest);
    if (record == NULL) {
        return false;
    }
    bool is_http_1_0 = request->minor_version == 0;
    *record = (struct vhttp_ask_call){
        .head = record->head,
        .route = wish->route,
        .credit = VHTTP_WINDOW_SIZE,
        .flags = (uint16_t)((wish->takes_body ? VHTTP_CALL_BODY : 0) |
                            (is_http_1_0 ? VHTTP_CALL_HTTP_1_0 : 0)),
        .method = (uint8_t)request->method,
        .content_length = (uint32_t)request->content_length,
        .path_length = (uint32_t)path.length,
        .query_length = (uint32_t)query.length,
        .fields_length = (uint32_t)request->fields.length,
        .client = exchange->client,
    };
    *writer = (struct call_writer){record, (char *)record + fixed, 0};
    add_text(writer, path);
    add_text(writer, query);
    add_text(writer, request->fields);
    return true;
}

static void ask(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                const struct call_writer *writer) {
    uint32_t fixed = (uint32_t)(writer->text - (const char *)writer->record);
    vhttp_errand_ask_call(&shared->desk, &exchange->errand, fixed + writer->text_length);
}

static enum vhttp_step respond_busy(struct vhttp_exchange *exchange) {
    vhttp_reply_start_status(&exchange->reply, 503);
    return VHTTP_STEP_REPLY;
}

enum vhttp_step vhttp_call_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_request *request, const char *decoded_path,
                                 const struct vhttp_match *match) {
    size_t query_count;
    const struct vhttp_query_parameter *parameters =
        vhttp_route_parameters(shared->options.routes, match->route, &query_count);
    struct vhttp_slice path = vhttp_slice_of(decoded_path);
    struct vhttp_slice query = query_of(request);
    bool has_body = request->chunked || request->content_length > 0;
    // The values' texts are no longer than the path and the query that they come from.
    struct call_wish wish = {match->route, match->count + query_count, path.length + query.length,
                             has_body};
    struct call_writer writer;
    if (!start_record(shared, exchange, request, path, &wish, &writer)) {
        return respond_busy(exchange);
    }
    for (size_t i = 0; i < match->count; i++) {
        add_value(&writer, &match->values[i]);
    }
    for (size_t i = 0; i < query_count; i++) {
        if (!add_query_value(&writer, query, &parameters[i])) {
            refuse_query(exchange, query, &parameters[i]);
            return VHTTP_STEP_REPLY;
        }
    }
    ask(shared, exchange, &writer);
    return has_body ? VHTTP_STEP_RECEIVE : VHTTP_STEP_WAIT;
}

// Calls what is no route, with values of its own.
static enum vhttp_step call_with(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_request *request, const char *path,
                                 uint32_t route, const struct vhttp_value *values, size_t count) {
    struct call_wish wish = {.route = route, .value_count = count};
    for (size_t i = 0; i < count; i++) {
        wish.text_length += values[i].kind == VHTTP_VALUE_STR ? values[i].text.length : 0;
    }
    struct call_writer writer;
    if (!start_record(shared, exchange, request, vhttp_slice_of(path), &wish, &writer)) {
        return respond_busy(exchange);
    }
    for (size_t i = 0; i < count; i++) {
        add_value(&writer, &values[i]);
    }
    ask(shared, exchange, &writer);
    return VHTTP_STEP_WAIT;
}

enum vhttp_step vhttp_call_for_unrouted(struct vhttp_shared *shared,
                                        struct vhttp_exchange *exchange,
                                        const struct vhttp_request *request, const char *path,
                                        const struct vhttp_offered *offered) {
    struct vhttp_value values[] = {
        {.kind = VHTTP_VALUE_INT, .integer = offered->status},
        {.kind = VHTTP_VALUE_STR, .text = vhttp_slice_of(offered->file)},
        {.kind = VHTTP_VALUE_INT, .integer = offered->folder_status},
    };
    return call_with(shared, exchange, request, path, VHTTP_NO_ROUTE, values, 3);
}

enum vhttp_step vhttp_call_for_refusal(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                       const struct vhttp_request *request, const char *path,
                                       int status, unsigned methods) {
    char allow[VHTTP_ALLOW_SIZE] = "";
    if (methods != 0) {
        vhttp_write_allow(methods, allow);
    }
    struct vhttp_value values[] = {
        {.kind = VHTTP_VALUE_INT, .integer = status},
        {.kind = VHTTP_VALUE_STR, .text = vhttp_slice_of(allow)},
    };
    return call_with(shared, exchange, request, path, VHTTP_REFUSAL_ROUTE, values, 2);
}

// ---- Responses

enum vhttp_step vhttp_call_begins(struct vhttp_exchange *exchange,
                                  const struct vhttp_answer_begin *begin, uint32_t size) {
    bool is_endless = begin->length == VHTTP_LENGTH_UNKNOWN;
    struct vhttp_response response = {
        .status = begin->status,
        .fields = {begin->text, begin->fields_length},
        .length = is_endless ? VHTTP_CONTENT_UNKNOWN : begin->length,
        .chunked = begin->flags & VHTTP_BEGIN_CHUNKED,
        .sized = !is_endless && begin->status != 204 && begin->status != 304,
    };
    vhttp_reply_start(&exchange->reply, &response);
    uint32_t fixed = (uint32_t)sizeof(*begin) + begin->fields_length;
    uint32_t first = size - fixed; // bytes of content that came along
    bool wants_content = !vhttp_reply_is_head(&exchange->reply) && (is_endless || response.sized);
    if (wants_content) {
        vhttp_errand_expect(&exchange->errand, response.length);
        vhttp_reply_add(&exchange->reply, (const uint8_t *)begin + fixed, first);
        vhttp_errand_got(&exchange->errand, first);
    } else if (!is_endless && first >= begin->length) {
        vhttp_errand_is_done(&exchange->errand); // else the rest is given up with the exchange
    }
    return VHTTP_STEP_REPLY;
}
