// SPDX-License-Identifier: MIT
// A request's response, written piece by piece into the response ring as credit allows.
#include <stdio.h>
#include <string.h>

#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/runtime.h"

#include "request.h"

#define PIECE_MAX 4096u // bytes of content in one record
#define CHUNK_HEAD 6u   // "1000\r\n"
#define CHUNK_TAIL 2u   // "\r\n"
#define LAST_CHUNK "0\r\n\r\n"
#define LAST_CHUNK_SIZE 5u

_Static_assert(PIECE_MAX <= 0xFFFF, "a chunk's size has four digits");
_Static_assert(VHTTP_WINDOW_SIZE > PIECE_MAX + CHUNK_HEAD + CHUNK_TAIL + LAST_CHUNK_SIZE,
               "the window holds a piece in chunked coding");

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

void vhttp_request_finish(request_obj_t *request) {
    struct vhttp_call_service *service = request->service;
    if (service == NULL) {
        return;
    }
    set_source(request, SOURCE_NONE);
    request->content.owner = MP_OBJ_NULL;
    request->fields = NULL;
    request->json = NULL;
    if (service->requests[request->connection] == MP_OBJ_FROM_PTR(request)) {
        service->requests[request->connection] = MP_OBJ_NULL;
    }
    request->service = NULL;
    if (request->waker != MP_OBJ_NULL) {
        mp_obj_t waker = request->waker;
        request->waker = MP_OBJ_NULL;
        service->sending--;
        mp_call_function_1_protected(waker, MP_OBJ_FROM_PTR(request));
    }
}

// ---- Responses

// Writes on from the request's source to *at. True when the source is at its end.
static bool fill(request_obj_t *request, char **at, char *end) {
    if (request->source == SOURCE_JSON) {
        return json_writer_fill(request->json, at, end);
    }
    *at += content_read(&request->content, *at, (size_t)(end - *at));
    return content_is_at_end(&request->content);
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
        snprintf(digits, sizeof(digits), "%04x\r\n", (unsigned)(uint16_t)length);
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
        vhttp_request_finish(request);
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
        total = (uint32_t)request->content.length;
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
        vhttp_request_finish(request);
    }
    return true;
}

bool vhttp_request_begin(request_obj_t *request, uint32_t length) {
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

bool vhttp_request_send_file(request_obj_t *request, const char *path) {
    size_t path_size = strlen(path) + 1;
    size_t size = sizeof(struct vhttp_answer_file) + path_size + request->fields_length;
    struct vhttp_answer_file *record = reserve(request, size);
    if (record == NULL) {
        return false;
    }
    record->head = head_of(request, VHTTP_ANSWER_FILE);
    record->status = (uint32_t)request->status;
    record->fields_length = (uint32_t)request->fields_length;
    memcpy(record->text, path, path_size);
    memcpy(record->text + path_size, request->fields, request->fields_length);
    commit(request, size);
    vhttp_request_finish(request);
    return true;
}

bool vhttp_request_pass(request_obj_t *request) {
    size_t size = sizeof(struct vhttp_answer_pass) + request->fields_length;
    struct vhttp_answer_pass *record = reserve(request, size);
    if (record == NULL) {
        return false;
    }
    record->head = head_of(request, VHTTP_ANSWER_PASS);
    record->fields_length = (uint32_t)request->fields_length;
    memcpy(record->text, request->fields, request->fields_length);
    commit(request, size);
    vhttp_request_finish(request);
    return true;
}

void vhttp_request_refuse(request_obj_t *request, int status) {
    struct vhttp_answer_none *record = reserve(request, sizeof(*record));
    if (record != NULL) { // else the server's deadline answers
        record->head = head_of(request, VHTTP_ANSWER_NONE);
        record->status = status;
        commit(request, sizeof(*record));
    }
    vhttp_request_finish(request);
}

void vhttp_request_break_off(request_obj_t *request) {
    struct vhttp_ipc_head *record = reserve(request, sizeof(*record));
    if (record != NULL) {
        *record = head_of(request, VHTTP_ANSWER_BROKEN);
        commit(request, sizeof(*record));
    }
    vhttp_request_finish(request);
}

void vhttp_request_leave(request_obj_t *request) {
    if (request->service == NULL || request->source != SOURCE_NONE) {
        return;
    }
    if (request->has_begun) {
        vhttp_request_break_off(request);
    } else {
        vhttp_request_refuse(request, 500);
    }
}

bool vhttp_request_respond(request_obj_t *request, mp_obj_t value) {
    struct json_writer writer; // lives on only if the value does not fit one record
    if (content_is_bytes(value)) {
        content_take(&request->content, value);
        set_source(request, SOURCE_BYTES);
    } else {
        json_writer_init(&writer, value);
        request->content.owner = value;
        request->json = &writer;
        set_source(request, SOURCE_JSON);
    }
    bool has_room = false;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        has_room = begin_with_source(request);
        if (request->source == SOURCE_JSON) {
            request->json = m_new_obj(struct json_writer);
            *request->json = writer;
        }
        has_room = has_room && vhttp_request_go_on(request);
        nlr_pop();
    } else {
        set_source(request, SOURCE_NONE);
        nlr_jump(nlr.ret_val);
    }
    return has_room;
}

static void set_head(request_obj_t *request, int status, const char *fields) {
    request->status = status;
    request->fields = fields;
    request->fields_length = strlen(fields);
}

bool vhttp_request_send_value(request_obj_t *request, mp_obj_t value, bool *has_room) {
    int status = (int)request->default_status;
    if (value == mp_const_none && (status == 204 || status == 205)) {
        set_head(request, status, "");
        value = mp_const_empty_bytes;
    } else if (value == mp_const_none || mp_obj_is_bool(value) || mp_obj_is_int(value) ||
               mp_obj_is_float(value) || mp_obj_is_dict_or_ordereddict(value) ||
               mp_obj_is_type(value, &mp_type_list)) {
        set_head(request, status, "Content-Type: application/json\r\n");
    } else if (mp_obj_is_str(value)) {
        set_head(request, status, "Content-Type: text/plain; charset=utf-8\r\n");
    } else if (content_is_bytes(value)) {
        set_head(request, status, "Content-Type: application/octet-stream\r\n");
    } else {
        return false;
    }
    *has_room = vhttp_request_respond(request, value);
    return true;
}

bool vhttp_request_go_on(request_obj_t *request) {
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
    return has_room;
}

bool vhttp_request_write(request_obj_t *request, const char *bytes, size_t length, size_t *taken) {
    size_t room = piece_room(request);
    *taken = length < room ? length : room;
    if (*taken == 0) {
        return true; // for want of credit
    }
    size_t chunk_head = request->is_chunked ? CHUNK_HEAD : 0;
    struct vhttp_ipc_head *record =
        reserve(request, sizeof(*record) + chunk_head + *taken + CHUNK_TAIL + LAST_CHUNK_SIZE);
    if (record == NULL) {
        *taken = 0;
        return false;
    }
    char *content = (char *)(record + 1) + chunk_head;
    memcpy(content, bytes, *taken);
    char *end = request->is_chunked ? frame_chunk(content, *taken, false) : content + *taken;
    *record = head_of(request, VHTTP_ANSWER_DATA);
    size_t size = (size_t)(end - (char *)record);
    commit(request, size);
    request->credit -= (uint32_t)(size - sizeof(*record));
    return true;
}

bool vhttp_request_end(request_obj_t *request) {
    if (request->is_unsized) {
        size_t size = request->is_chunked ? LAST_CHUNK_SIZE : 0;
        struct vhttp_ipc_head *record = reserve(request, sizeof(*record) + size);
        if (record == NULL || request->credit < size) {
            return false;
        }
        memcpy(record + 1, LAST_CHUNK, size);
        *record = head_of(request, VHTTP_ANSWER_END);
        commit(request, sizeof(*record) + size);
    }
    vhttp_request_finish(request);
    return true;
}
