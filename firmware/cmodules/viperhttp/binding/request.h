// SPDX-License-Identifier: MIT
// A request whose handler is called, and the way of its response into the ring.
#ifndef VHTTP_REQUEST_H
#define VHTTP_REQUEST_H

#include "py/obj.h"

#include "call_service.h"
#include "content.h"
#include "ipc.h"
#include "json_writer.h"

#define VHTTP_WAKE_CREDIT 1024u // bytes of credit that are worth waking a writer
#define VHTTP_FIELDS_MAX (VHTTP_RESPONSE_HEAD_MAX - 400) // the rest is the server's own

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
    struct vhttp_peer client;
    mp_int_t default_status; // of a response that does not say one
    bool has_begun;          // the response
    bool is_chunked;
    bool is_unsized; // content goes on until the end is said

    // The response's head, until it is sent.
    int status;
    const char *fields; // header lines, each with its CRLF
    size_t fields_length;

    // What is being sent.
    enum source source;
    struct content content;
    struct json_writer *json;

    mp_obj_t waker; // called when there is credit again; MP_OBJ_NULL: nobody waits

    vstr_t body;
    mp_obj_t state; // for Python's own use

    uint32_t path_length, query_length, fields_length_in; // of the request's text
    uint32_t value_count;
    const char *text;
    struct vhttp_call_value values[];
} request_obj_t;

// A call is over when this has been called, here and nowhere else: its last record is written, or
// the client is gone. No more is sent. Wakes who waits for room.
void vhttp_request_finish(request_obj_t *request);

// Python is done with the call. What was handed over whole is sent on by the service; a response
// that Python began and did not end is broken off, and one that it did not begin is a 500.
void vhttp_request_leave(request_obj_t *request);

// Sends a response whole: bytes, str, or a value as JSON; its head is set. As much of it goes at
// once as there is credit and room for; the rest follows when there is more. False when the ring
// has no room. Raises what the value's text raises.
bool vhttp_request_respond(request_obj_t *request, mp_obj_t content);

// Sends what a handler returned, if it is a plain value, as vhttp_request_respond does. False when
// it is more than that.
bool vhttp_request_send_value(request_obj_t *request, mp_obj_t value, bool *has_room);

// Begins a response of `length` bytes, or VHTTP_LENGTH_UNKNOWN, whose content is written. False
// when the ring has no room.
bool vhttp_request_begin(request_obj_t *request, uint32_t length);

// Responds with a file, which the server finds by itself; its head is set, with a type. False when
// the ring has no room.
bool vhttp_request_send_file(request_obj_t *request, const char *path);

// Has the server answer a request that no route takes, with the fields of its head. False when the
// ring has no room.
bool vhttp_request_pass(request_obj_t *request);

// Writes as much as there is credit for, *taken bytes. False when the ring has no room.
bool vhttp_request_write(request_obj_t *request, const char *bytes, size_t length, size_t *taken);

// The content is complete. False when there is no room for saying so.
bool vhttp_request_end(request_obj_t *request);

// Goes on with what respond could not send. False when the ring has no room. Raises as it does.
bool vhttp_request_go_on(request_obj_t *request);

// Answers with no more than a status, in the server's own words.
void vhttp_request_refuse(request_obj_t *request, int status);

// The response cannot be sent to its end.
void vhttp_request_break_off(request_obj_t *request);

#endif
