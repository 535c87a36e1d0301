#include "call_service.h"

#include <stdio.h>
#include <string.h>

#include "py/mperrno.h"
#include "py/objexcept.h"
#include "py/objlist.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"

#include "json_writer.h"
#include "parser.h"
#include "port.h"
#include "status.h"
#include "value.h"

#define PIECE_MAX 4096u                            // bytes of content in one record
#define FIELDS_MAX (VHTTP_RESPONSE_HEAD_MAX - 256) // of a response; the rest is the server's own
#define CHUNK_HEAD 6u                              // "1000\r\n"
#define CHUNK_TAIL 2u                              // "\r\n"
#define LAST_CHUNK "0\r\n\r\n"
#define LAST_CHUNK_SIZE 5u
#define REQUEST_ROOM 1024u // bytes of values and text that any request object holds
#define BODY_START 256u    // bytes of a body whose length is not known
#define WAKE_CREDIT 1024u  // bytes of credit that are worth waking a writer

_Static_assert(PIECE_MAX <= 0xFFFF, "a chunk's size has four digits");
_Static_assert(VHTTP_WINDOW_SIZE > PIECE_MAX + CHUNK_HEAD + CHUNK_TAIL + LAST_CHUNK_SIZE,
               "the window holds a piece in chunked coding");

enum source { SOURCE_NONE, SOURCE_BYTES, SOURCE_JSON };

typedef struct {
    mp_obj_base_t base;
    struct vhttp_call_service *service; // NULL: the request is over
    size_t room;                        // bytes from `values` on
    bool is_seen;                       // Python may keep it
    uint16_t connection;
    uint32_t generation;
    uint32_t route;
    uint32_t credit; // bytes of content that may be sent
    uint8_t method;
    bool is_http_1_0;
    bool has_begun; // the response
    bool is_chunked;
    bool is_unsized; // content goes on until the end is said

    // The response's head, until it is sent.
    int status;
    const char *fields; // header lines, each with its CRLF
    size_t fields_length;
    mp_obj_t fields_owner;

    // What is being sent.
    enum source source;
    mp_obj_t content; // the bytes, or the value, which must live until it is sent
    const char *bytes;
    size_t bytes_at, bytes_length;
    struct json_writer *json;

    mp_obj_t waker; // called when there is credit again; MP_OBJ_NULL: nobody waits

    vstr_t body;
    mp_obj_t state; // for Python's own use

    uint32_t path_length, query_length, fields_length_in; // of the request's text
    uint32_t value_count;
    const char *text;
    struct vhttp_call_value values[];
} request_obj_t;

// ---- Records of the response ring

static struct vhttp_ipc_head head_of(const request_obj_t *request, enum vhttp_answer kind) {
    return (struct vhttp_ipc_head){(uint16_t)kind, request->connection, request->generation};
}

static void *reserve(request_obj_t *request, size_t length) {
    return vhttp_ring_reserve(vhttp_server_responses(request->service->server), (uint32_t)length);
}

static void commit(request_obj_t *request, size_t length) {
    vhttp_ring_commit(vhttp_server_responses(request->service->server), (uint32_t)length);
}

static void set_source(request_obj_t *request, enum source source) {
    request->service->sending += (source != SOURCE_NONE) - (request->source != SOURCE_NONE);
    request->source = source;
}

// The response is handed over, or the client is gone.
static void finish_request(request_obj_t *request) {
    struct vhttp_call_service *service = request->service;
    if (service == NULL) {
        return;
    }
    set_source(request, SOURCE_NONE);
    request->content = request->fields_owner = MP_OBJ_NULL;
    request->json = NULL;
    if (service->requests[request->connection] == MP_OBJ_FROM_PTR(request)) {
        service->requests[request->connection] = MP_OBJ_NULL;
    }
    request->service = NULL;
    if (request->waker != MP_OBJ_NULL) {
        mp_obj_t waker = request->waker;
        request->waker = MP_OBJ_NULL;
        service->sending--;
        service->needs_turn = true;
        mp_call_function_1_protected(waker, MP_OBJ_FROM_PTR(request));
    }
}

// ---- Responses

// Writes on from the request's source to *at. True when the source is at its end.
static bool fill(request_obj_t *request, char **at, char *end) {
    if (request->source == SOURCE_JSON) {
        return json_writer_fill(request->json, at, end);
    }
    size_t left = request->bytes_length - request->bytes_at;
    size_t room = (size_t)(end - *at);
    size_t length = left < room ? left : room;
    memcpy(*at, request->bytes + request->bytes_at, length);
    *at += length;
    request->bytes_at += length;
    return length == left;
}

// The bytes that the next piece may fill, without its framing; 0 when there is too little credit.
static size_t piece_room(const request_obj_t *request) {
    size_t framing = request->is_unsized ? CHUNK_HEAD + CHUNK_TAIL + LAST_CHUNK_SIZE : 0;
    size_t least = request->source == SOURCE_JSON ? JSON_PIECE_MIN : 1;
    if (request->credit < framing + least) {
        return 0;
    }
    size_t room = request->credit - framing;
    return room < PIECE_MAX ? room : PIECE_MAX;
}

// Frames the `length` bytes at `content` as a chunk, in the room around them. Returns the end.
static char *frame_chunk(char *content, size_t length, bool is_last) {
    char digits[CHUNK_HEAD + 1];
    char *end = content + length;
    if (length > 0) {
        snprintf(digits, sizeof(digits), "%04x\r\n", (unsigned)length);
        memcpy(content - CHUNK_HEAD, digits, CHUNK_HEAD);
        memcpy(end, "\r\n", CHUNK_TAIL);
        end += CHUNK_TAIL;
    }
    if (is_last) {
        memcpy(end, LAST_CHUNK, LAST_CHUNK_SIZE);
        end += LAST_CHUNK_SIZE;
    }
    return end;
}

// Sends the source's next piece; the response has begun. False when the ring has no room.
static bool send_piece(request_obj_t *request) {
    size_t room = piece_room(request);
    size_t chunk_head = request->is_chunked ? CHUNK_HEAD : 0;
    struct vhttp_ipc_head *record =
        reserve(request, sizeof(*record) + chunk_head + room + CHUNK_TAIL + LAST_CHUNK_SIZE);
    if (record == NULL) {
        return false;
    }
    char *start = (char *)(record + 1);
    char *content = start + chunk_head;
    char *at = content;
    bool is_complete = fill(request, &at, content + room);
    bool is_end = is_complete && request->is_unsized;
    size_t length = (size_t)(at - content);
    if (request->is_chunked) {
        at = frame_chunk(content, length, is_end);
        start = length > 0 ? start : content; // no chunk: only the last one's mark
        if (start != (char *)(record + 1)) {
            memmove(record + 1, start, (size_t)(at - start));
        }
    }
    size_t size = (size_t)(at - start);
    *record = head_of(request, is_end ? VHTTP_ANSWER_END : VHTTP_ANSWER_DATA);
    commit(request, sizeof(*record) + size);
    request->credit -= (uint32_t)size;
    if (is_complete) {
        finish_request(request);
    }
    return true;
}

// Begins the response with as much of its source as fits a record. False when the ring has no
// room.
static bool begin_with_source(request_obj_t *request) {
    size_t room = PIECE_MAX; // the window's credit is untouched
    size_t fixed = sizeof(struct vhttp_answer_begin) + request->fields_length;
    struct vhttp_answer_begin *record =
        reserve(request, fixed + CHUNK_HEAD + room + CHUNK_TAIL + LAST_CHUNK_SIZE);
    if (record == NULL) {
        return false;
    }
    memcpy(record->text, request->fields, request->fields_length);
    char *content = record->text + request->fields_length;
    char *at = content;
    bool is_complete = fill(request, &at, content + room);
    size_t length = (size_t)(at - content);
    uint32_t total = (uint32_t)length;
    if (!is_complete && request->source == SOURCE_JSON) {
        request->is_unsized = true;
        request->is_chunked = !request->is_http_1_0;
        total = VHTTP_LENGTH_UNKNOWN;
    } else if (!is_complete) {
        total = (uint32_t)request->bytes_length;
    }
    if (request->is_chunked) {
        memmove(content + CHUNK_HEAD, content, length);
        length = (size_t)(frame_chunk(content + CHUNK_HEAD, length, false) - content);
    }
    record->head = head_of(request, VHTTP_ANSWER_BEGIN);
    record->status = (uint16_t)request->status;
    record->flags = request->is_chunked ? VHTTP_BEGIN_CHUNKED : 0;
    record->length = total;
    record->fields_length = (uint32_t)request->fields_length;
    commit(request, fixed + length);
    request->has_begun = true;
    request->credit -= (uint32_t)length;
    if (is_complete) {
        finish_request(request);
    }
    return true;
}

// Begins a response whose content is written by hand. False when the ring has no room.
static bool begin_alone(request_obj_t *request, uint32_t length) {
    size_t size = sizeof(struct vhttp_answer_begin) + request->fields_length;
    struct vhttp_answer_begin *record = reserve(request, size);
    if (record == NULL) {
        return false;
    }
    request->is_unsized = length == VHTTP_LENGTH_UNKNOWN;
    request->is_chunked = request->is_unsized && !request->is_http_1_0;
    record->head = head_of(request, VHTTP_ANSWER_BEGIN);
    record->status = (uint16_t)request->status;
    record->flags = request->is_chunked ? VHTTP_BEGIN_CHUNKED : 0;
    record->length = length;
    record->fields_length = (uint32_t)request->fields_length;
    memcpy(record->text, request->fields, request->fields_length);
    commit(request, size);
    request->has_begun = true;
    return true;
}

// Answers with no more than a status, in the server's own words.
static void refuse(request_obj_t *request, int status) {
    struct vhttp_answer_none *record = reserve(request, sizeof(*record));
    if (record != NULL) { // else the server's deadline answers
        record->head = head_of(request, VHTTP_ANSWER_NONE);
        record->status = status;
        commit(request, sizeof(*record));
    }
    finish_request(request);
}

// The response cannot be sent to its end.
static void break_off(request_obj_t *request) {
    struct vhttp_ipc_head *record = reserve(request, sizeof(*record));
    if (record != NULL) {
        *record = head_of(request, VHTTP_ANSWER_BROKEN);
        commit(request, sizeof(*record));
    }
    finish_request(request);
}

static bool is_bytes_like(mp_obj_t value) {
    return mp_obj_is_str_or_bytes(value) || mp_obj_is_type(value, &mp_type_bytearray) ||
           mp_obj_is_type(value, &mp_type_memoryview);
}

// Sends a response whole: bytes, str, or a value as JSON; its head is set. What does not fit now
// follows when there is room. Raises what the value's text raises.
static void respond(request_obj_t *request, mp_obj_t content) {
    struct json_writer writer; // lives on only if the value does not fit one record
    request->content = content;
    if (is_bytes_like(content)) {
        mp_buffer_info_t info;
        mp_get_buffer_raise(content, &info, MP_BUFFER_READ);
        request->bytes = info.buf;
        request->bytes_length = info.len;
        request->bytes_at = 0;
        set_source(request, SOURCE_BYTES);
    } else {
        json_writer_init(&writer, content);
        request->json = &writer;
        set_source(request, SOURCE_JSON);
    }
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        begin_with_source(request);
        if (request->source == SOURCE_JSON) {
            request->json = m_new_obj(struct json_writer);
            *request->json = writer;
        }
        nlr_pop();
    } else {
        set_source(request, SOURCE_NONE);
        nlr_jump(nlr.ret_val);
    }
}

static void set_head(request_obj_t *request, int status, const char *fields) {
    request->status = status;
    request->fields = fields;
    request->fields_length = strlen(fields);
    request->fields_owner = MP_OBJ_NULL;
}

// Sends what a handler returned, if it is a plain value. False when it is more than that.
static bool send_value(request_obj_t *request, mp_obj_t value) {
    if (value == mp_const_none || mp_obj_is_bool(value) || mp_obj_is_int(value) ||
        mp_obj_is_float(value) || mp_obj_is_dict_or_ordereddict(value) ||
        mp_obj_is_type(value, &mp_type_list) || mp_obj_is_type(value, &mp_type_tuple)) {
        set_head(request, 200, "Content-Type: application/json\r\n");
    } else if (mp_obj_is_str(value)) {
        set_head(request, 200, "Content-Type: text/plain; charset=utf-8\r\n");
    } else if (is_bytes_like(value)) {
        set_head(request, 200, "Content-Type: application/octet-stream\r\n");
    } else {
        return false;
    }
    respond(request, value);
    return true;
}

// ---- Calling

static void print_exception(mp_obj_t exception) {
    mp_obj_print_exception(&mp_plat_print, exception);
}

// What ends the program ends it, wherever it was raised.
static bool is_for_the_program(mp_obj_t exception) {
    return !mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_Exception));
}

// The handler raised: Python's side answers, and if it raises too, the server does.
static void handle_failure(request_obj_t *request, mp_obj_t exception) {
    nlr_buf_t nlr;
    if (is_for_the_program(exception)) {
        mp_sched_exception(exception);
    } else if (request->service == NULL) {
        print_exception(exception);
    } else if (nlr_push(&nlr) == 0) {
        request->service->needs_turn = true;
        request->is_seen = true;
        mp_call_function_2(request->service->fail, MP_OBJ_FROM_PTR(request), exception);
        nlr_pop();
        return;
    } else {
        mp_obj_t second = MP_OBJ_FROM_PTR(nlr.ret_val);
        if (is_for_the_program(second)) {
            mp_sched_exception(second);
        } else {
            print_exception(second);
        }
    }
    if (request->service == NULL) {
        return;
    }
    if (request->has_begun) {
        break_off(request);
    } else {
        refuse(request, 500);
    }
}

static mp_obj_t value_object(const request_obj_t *request, size_t i, mp_obj_t fallback) {
    const struct vhttp_call_value *value = &request->values[i];
    switch ((enum vhttp_value_kind)value->kind) {
    case VHTTP_VALUE_STR:
    case VHTTP_VALUE_PATH:
        return mp_obj_new_str(request->text + value->as.at, value->length);
    case VHTTP_VALUE_INT:
        return mp_obj_new_int_from_ll(value->as.integer);
    case VHTTP_VALUE_BOOL:
        return mp_obj_new_bool(value->as.integer != 0);
    case VHTTP_VALUE_FLOAT:
        return mp_obj_new_float((mp_float_t)value->as.number);
    case VHTTP_VALUE_ABSENT:
        break;
    }
    return fallback;
}

// Calls the route's handler with the parameters by name, and sends what it returns.
static void call_handler(request_obj_t *request) {
    struct vhttp_call_service *service = request->service;
    mp_obj_t previous = service->current;
    service->current = MP_OBJ_FROM_PTR(request);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        size_t length;
        mp_obj_t *entry, *handlers;
        mp_obj_list_get(service->handlers, &length, &handlers);
        mp_obj_get_array(handlers[request->route], &length, &entry);
        mp_obj_t arguments[4 * VHTTP_ROUTE_PARAMETERS_MAX];
        for (size_t i = 0; i < request->value_count; i++) {
            arguments[2 * i] = entry[1 + 2 * i];
            arguments[2 * i + 1] = value_object(request, i, entry[2 + 2 * i]);
        }
        mp_obj_t result = mp_call_function_n_kw(entry[0], 0, request->value_count, arguments);
        if (request->service != NULL && !send_value(request, result)) {
            service->needs_turn = true;
            request->is_seen = true;
            mp_call_function_2(service->finish, MP_OBJ_FROM_PTR(request), result);
        }
        nlr_pop();
    } else {
        handle_failure(request, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    service->current = previous;
    if (request->service == NULL && !request->is_seen) {
        service->spare = MP_OBJ_FROM_PTR(request);
    }
}

// Calls the handler, unless the client has been told to come later.
static void call_in_time(request_obj_t *request, uint32_t asked_ms) {
    if ((uint32_t)vhttp_now_ms() - asked_ms >= VHTTP_COLD_WAIT_MS) {
        refuse(request, 503);
    } else {
        call_handler(request);
    }
}

mp_obj_t vhttp_call_service_current(struct vhttp_call_service *service) {
    if (service->current == MP_OBJ_NULL) {
        return mp_const_none;
    }
    ((request_obj_t *)MP_OBJ_TO_PTR(service->current))->is_seen = true;
    return service->current;
}

// ---- Records of the request ring

// An object for `size` bytes of values and text: the spare one, so that a plain call allocates
// nothing. Raises MemoryError.
static request_obj_t *take_object(struct vhttp_call_service *service, size_t size) {
    if (service->spare != MP_OBJ_NULL) {
        request_obj_t *spare = MP_OBJ_TO_PTR(service->spare);
        if (spare->room >= size) {
            service->spare = MP_OBJ_NULL;
            return spare;
        }
    }
    size_t room = size > REQUEST_ROOM ? size : REQUEST_ROOM;
    request_obj_t *request =
        mp_obj_malloc_var(request_obj_t, values, char, room, &vhttp_request_type);
    request->room = room;
    return request;
}

// Copies what is in the ring into an object. NULL when memory does not suffice.
static request_obj_t *new_request(struct vhttp_call_service *service,
                                  const struct vhttp_ask_call *ask, uint32_t length) {
    size_t size = length - sizeof(*ask);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return NULL;
    }
    request_obj_t *request = take_object(service, size);
    size_t room = request->room;
    *request = (request_obj_t){
        .base.type = &vhttp_request_type,
        .room = room,
        .service = service,
        .connection = ask->head.connection,
        .generation = ask->head.generation,
        .route = ask->route,
        .credit = ask->credit,
        .method = ask->method,
        .is_http_1_0 = ask->flags & VHTTP_CALL_HTTP_1_0,
        .state = mp_const_none,
        .path_length = ask->path_length,
        .query_length = ask->query_length,
        .fields_length_in = ask->fields_length,
        .value_count = ask->value_count,
        .text = (const char *)(request->values + ask->value_count),
    };
    memcpy(request->values, ask->values, size);
    if (ask->flags & VHTTP_CALL_BODY) {
        vstr_init(&request->body, ask->content_length > 0 ? ask->content_length : BODY_START);
    }
    nlr_pop();
    return request;
}

static bool add_to_body(request_obj_t *request, const void *bytes, size_t length) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return false;
    }
    vstr_add_strn(&request->body, bytes, length);
    nlr_pop();
    return true;
}

static request_obj_t *request_of(const struct vhttp_call_service *service,
                                 const struct vhttp_ipc_head *ask) {
    mp_obj_t request_in = service->requests[ask->connection];
    if (request_in == MP_OBJ_NULL) {
        return NULL;
    }
    request_obj_t *request = MP_OBJ_TO_PTR(request_in);
    return request->generation == ask->generation ? request : NULL;
}

static bool take_call(struct vhttp_call_service *service, const struct vhttp_ask_call *ask,
                      uint32_t length) {
    struct vhttp_ring *responses = vhttp_server_responses(service->server);
    struct vhttp_answer_none *none = vhttp_ring_reserve(responses, sizeof(*none));
    if (none == NULL) {
        return false;
    }
    if (service->requests[ask->head.connection] != MP_OBJ_NULL) {
        finish_request(MP_OBJ_TO_PTR(service->requests[ask->head.connection]));
    }
    bool has_body = ask->flags & VHTTP_CALL_BODY;
    uint32_t asked_ms = ask->asked_ms;
    request_obj_t *request = new_request(service, ask, length);
    if (request == NULL) {
        none->head = ask->head;
        none->head.kind = VHTTP_ANSWER_NONE;
        none->status = 503;
        vhttp_ring_commit(responses, sizeof(*none));
    } else {
        service->requests[ask->head.connection] = MP_OBJ_FROM_PTR(request);
    }
    vhttp_ring_release(vhttp_server_requests(service->server));
    if (request != NULL && !has_body) {
        call_in_time(request, asked_ms);
    }
    return true;
}

bool vhttp_call_service_take(struct vhttp_call_service *service, const struct vhttp_ipc_head *ask,
                             uint32_t length, bool *is_ours) {
    request_obj_t *request = request_of(service, ask);
    enum vhttp_ask kind = (enum vhttp_ask)ask->kind;
    if (kind == VHTTP_ASK_OPEN && service->requests[ask->connection] != MP_OBJ_NULL) {
        finish_request(MP_OBJ_TO_PTR(service->requests[ask->connection]));
    }
    *is_ours = kind == VHTTP_ASK_CALL || kind == VHTTP_ASK_BODY || kind == VHTTP_ASK_BODY_END ||
               request != NULL;
    if (!*is_ours) {
        return true;
    }
    if (kind == VHTTP_ASK_CALL) {
        return take_call(service, (const struct vhttp_ask_call *)ask, length);
    }
    if (request != NULL && kind == VHTTP_ASK_BODY) {
        if (!add_to_body(request, ask + 1, length - sizeof(*ask))) {
            refuse(request, 503);
        }
    } else if (request != NULL && kind == VHTTP_ASK_CREDIT) {
        request->credit += ((const struct vhttp_ask_credit *)ask)->credit;
    } else if (request != NULL && kind == VHTTP_ASK_CLOSE) {
        finish_request(request);
    }
    uint32_t asked_ms =
        kind == VHTTP_ASK_BODY_END ? ((const struct vhttp_ask_body_end *)ask)->asked_ms : 0;
    vhttp_ring_release(vhttp_server_requests(service->server));
    if (request != NULL && kind == VHTTP_ASK_BODY_END) {
        call_in_time(request, asked_ms);
    }
    return true;
}

// Goes on with one response. False when the ring has no room.
static bool send_some(request_obj_t *request) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        print_exception(MP_OBJ_FROM_PTR(nlr.ret_val)); // the value changed under way
        if (request->has_begun) {
            break_off(request);
        } else {
            refuse(request, 500);
        }
        return true;
    }
    bool has_room = true;
    while (has_room && request->source != SOURCE_NONE) {
        if (!request->has_begun) {
            has_room = begin_with_source(request);
        } else if (piece_room(request) == 0) {
            break; // until the client has taken more
        } else {
            has_room = send_piece(request);
        }
    }
    nlr_pop();
    return has_room;
}

static void wake(request_obj_t *request) {
    request->service->needs_turn = true;
    mp_obj_t waker = request->waker;
    request->waker = MP_OBJ_NULL;
    request->service->sending--;
    mp_call_function_1_protected(waker, MP_OBJ_FROM_PTR(request));
}

bool vhttp_call_service_send(struct vhttp_call_service *service) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS && service->sending > 0; i++) {
        if (service->requests[i] == MP_OBJ_NULL) {
            continue;
        }
        request_obj_t *request = MP_OBJ_TO_PTR(service->requests[i]);
        if (request->source != SOURCE_NONE && !send_some(request)) {
            return false;
        }
        if (request->waker != MP_OBJ_NULL && request->credit >= WAKE_CREDIT) {
            wake(request);
        }
    }
    return true;
}

void vhttp_call_service_close(struct vhttp_call_service *service) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        if (service->requests[i] != MP_OBJ_NULL) {
            finish_request(MP_OBJ_TO_PTR(service->requests[i]));
        }
    }
}

// ---- The object that Python's side works with

static request_obj_t *live(mp_obj_t self_in) {
    request_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->service == NULL) {
        mp_raise_OSError(MP_ECONNRESET);
    }
    return self;
}

// Outside of a run of the service, the server's thread learns at once what was written.
static void tell_server(struct vhttp_call_service *service, bool waits_for_room) {
    if (service->is_running) {
        service->wants_room |= waits_for_room;
    } else if (waits_for_room) {
        vhttp_server_ask_again(service->server);
    } else {
        vhttp_server_notify(service->server);
    }
}

static void take_head(request_obj_t *self, mp_obj_t status_in, mp_obj_t fields) {
    if (self->has_begun || self->source != SOURCE_NONE) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("the response has begun already"));
    }
    mp_int_t status = mp_obj_get_int(status_in);
    if (vhttp_statuses[vhttp_status_index((int)status)].code != status) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("no such status: %d"), (int)status);
    }
    mp_buffer_info_t info;
    mp_get_buffer_raise(fields, &info, MP_BUFFER_READ);
    if (info.len > FIELDS_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("a response's fields have at most %d bytes"),
                          (int)FIELDS_MAX);
    }
    self->status = (int)status;
    self->fields_owner = fields;
    self->fields = info.buf;
    self->fields_length = info.len;
}

// send(value) -> bool: sends a plain value; False when it is more than that.
static mp_obj_t request_send(mp_obj_t self_in, mp_obj_t value) {
    request_obj_t *self = live(self_in);
    struct vhttp_call_service *service = self->service;
    bool is_sent = send_value(self, value);
    tell_server(service, is_sent && !self->has_begun);
    return mp_obj_new_bool(is_sent);
}
static MP_DEFINE_CONST_FUN_OBJ_2(request_send_obj, request_send);

// respond(status, fields, content): a whole response.
static mp_obj_t request_respond(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    request_obj_t *self = live(args[0]);
    take_head(self, args[1], args[2]);
    struct vhttp_call_service *service = self->service;
    respond(self, args[3]);
    tell_server(service, !self->has_begun);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(request_respond_obj, 4, 4, request_respond);

// begin(status, fields, length) -> bool: starts a response that write and end go on with; length
// None means until the end. False when there is no room now.
static mp_obj_t request_begin(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    request_obj_t *self = live(args[0]);
    take_head(self, args[1], args[2]);
    uint32_t length = VHTTP_LENGTH_UNKNOWN;
    if (args[3] != mp_const_none) {
        mp_int_t given = mp_obj_get_int(args[3]);
        if (given < 0 || given > INT32_MAX) {
            mp_raise_ValueError(MP_ERROR_TEXT("length"));
        }
        length = (uint32_t)given;
    }
    bool has_room = begin_alone(self, length);
    tell_server(self->service, !has_room);
    return mp_obj_new_bool(has_room);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(request_begin_obj, 4, 4, request_begin);

// write(bytes, start) -> how many of the bytes from `start` on were taken; 0: wait for on_room.
static mp_obj_t request_write(mp_obj_t self_in, mp_obj_t bytes, mp_obj_t start_in) {
    request_obj_t *self = live(self_in);
    mp_buffer_info_t info;
    mp_get_buffer_raise(bytes, &info, MP_BUFFER_READ);
    mp_int_t start = mp_obj_get_int(start_in);
    if (!self->has_begun || start < 0 || (size_t)start > info.len) {
        mp_raise_ValueError(NULL);
    }
    size_t length = info.len - (size_t)start;
    size_t room = piece_room(self);
    length = length < room ? length : room;
    if (length == 0) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    size_t chunk_head = self->is_chunked ? CHUNK_HEAD : 0;
    struct vhttp_ipc_head *record =
        reserve(self, sizeof(*record) + chunk_head + length + CHUNK_TAIL + LAST_CHUNK_SIZE);
    if (record == NULL) {
        tell_server(self->service, true);
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    char *content = (char *)(record + 1) + chunk_head;
    memcpy(content, (const char *)info.buf + start, length);
    char *end = self->is_chunked ? frame_chunk(content, length, false) : content + length;
    *record = head_of(self, VHTTP_ANSWER_DATA);
    size_t size = (size_t)(end - (char *)record);
    commit(self, size);
    self->credit -= (uint32_t)(size - sizeof(*record));
    tell_server(self->service, false);
    return MP_OBJ_NEW_SMALL_INT((mp_int_t)length);
}
static MP_DEFINE_CONST_FUN_OBJ_3(request_write_obj, request_write);

// end() -> bool: the content is complete. False when there is no room now.
static mp_obj_t request_end(mp_obj_t self_in) {
    request_obj_t *self = live(self_in);
    if (self->is_unsized) {
        size_t size = self->is_chunked ? LAST_CHUNK_SIZE : 0;
        struct vhttp_ipc_head *record = reserve(self, sizeof(*record) + size);
        if (record == NULL || self->credit < size) {
            tell_server(self->service, record == NULL);
            return mp_const_false;
        }
        memcpy(record + 1, LAST_CHUNK, size);
        *record = head_of(self, VHTTP_ANSWER_END);
        commit(self, sizeof(*record) + size);
    }
    tell_server(self->service, false);
    finish_request(self);
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_1(request_end_obj, request_end);

// on_room(callable): calls it once with the request when there is room, or the client is gone.
static mp_obj_t request_on_room(mp_obj_t self_in, mp_obj_t waker) {
    request_obj_t *self = live(self_in);
    self->service->sending += self->waker == MP_OBJ_NULL;
    self->waker = waker;
    if (self->credit >= WAKE_CREDIT) {
        vhttp_server_ask_again(self->service->server); // credit may have come since the writing
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(request_on_room_obj, request_on_room);

// abort(): the response cannot be sent to its end. Does nothing when it is over.
static mp_obj_t request_abort(mp_obj_t self_in) {
    request_obj_t *self = MP_OBJ_TO_PTR(self_in);
    struct vhttp_call_service *service = self->service;
    if (service != NULL) {
        if (self->has_begun) {
            break_off(self);
        } else {
            refuse(self, 500);
        }
        tell_server(service, false);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(request_abort_obj, request_abort);

static mp_obj_t method_name(const request_obj_t *self) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return mp_obj_new_str_from_cstr(names[self->method]);
}

// method, path, query (as it came), fields (header lines), body, is_over, has_begun; state is
// Python's own.
static void request_attribute(mp_obj_t self_in, qstr name, mp_obj_t *destination) {
    request_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (destination[0] != MP_OBJ_NULL) {
        if (name == MP_QSTR_state && destination[1] != MP_OBJ_NULL) {
            self->state = destination[1];
            destination[0] = MP_OBJ_NULL;
        }
        return;
    }
    const char *query = self->text + self->path_length;
    switch (name) {
    case MP_QSTR_method:
        destination[0] = method_name(self);
        break;
    case MP_QSTR_path:
        destination[0] = mp_obj_new_str(self->text, self->path_length);
        break;
    case MP_QSTR_query:
        destination[0] = mp_obj_new_bytes((const byte *)query, self->query_length);
        break;
    case MP_QSTR_fields:
        destination[0] =
            mp_obj_new_bytes((const byte *)query + self->query_length, self->fields_length_in);
        break;
    case MP_QSTR_body:
        destination[0] = mp_obj_new_bytes((const byte *)self->body.buf, self->body.len);
        break;
    case MP_QSTR_is_over:
        destination[0] = mp_obj_new_bool(self->service == NULL);
        break;
    case MP_QSTR_has_begun:
        destination[0] = mp_obj_new_bool(self->has_begun || self->source != SOURCE_NONE);
        break;
    case MP_QSTR_state:
        destination[0] = self->state;
        break;
    default:
        destination[1] = MP_OBJ_SENTINEL; // look among the methods
        break;
    }
}

static const mp_rom_map_elem_t request_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_send), MP_ROM_PTR(&request_send_obj)},
    {MP_ROM_QSTR(MP_QSTR_respond), MP_ROM_PTR(&request_respond_obj)},
    {MP_ROM_QSTR(MP_QSTR_begin), MP_ROM_PTR(&request_begin_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&request_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_end), MP_ROM_PTR(&request_end_obj)},
    {MP_ROM_QSTR(MP_QSTR_on_room), MP_ROM_PTR(&request_on_room_obj)},
    {MP_ROM_QSTR(MP_QSTR_abort), MP_ROM_PTR(&request_abort_obj)},
};
static MP_DEFINE_CONST_DICT(request_locals_dict, request_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(vhttp_request_type, MP_QSTR_Call, MP_TYPE_FLAG_NONE, attr,
                         request_attribute, locals_dict, &request_locals_dict);
