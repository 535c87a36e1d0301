// SPDX-License-Identifier: MIT
// A request as Python's side sees it: the type Call.
#include <stdio.h>

#include "py/mperrno.h"
#include "py/runtime.h"

#include "field_lines.h"
#include "platform.h"
#include "request.h"
#include "status.h"

#define FIELDS_START 64u // bytes

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
    vstr_t lines;
    vstr_init(&lines, FIELDS_START);
    vhttp_add_field_lines(&lines, fields);
    if (lines.len > VHTTP_FIELDS_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("a response's fields have at most %d bytes"),
                          (int)VHTTP_FIELDS_MAX);
    }
    self->status = (int)status;
    self->fields = lines.buf;
    self->fields_length = lines.len;
}

// send(value) -> bool: sends a plain value; False when it is more than that.
static mp_obj_t request_send(mp_obj_t self_in, mp_obj_t value) {
    request_obj_t *self = live(self_in);
    struct vhttp_call_service *service = self->service;
    bool has_room = true;
    bool is_sent = vhttp_request_send_value(self, value, &has_room);
    tell_server(service, !has_room);
    return mp_obj_new_bool(is_sent);
}
static MP_DEFINE_CONST_FUN_OBJ_2(request_send_obj, request_send);

// respond(status, fields, content): a whole response; fields are a dict.
static mp_obj_t request_respond(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    request_obj_t *self = live(args[0]);
    take_head(self, args[1], args[2]);
    struct vhttp_call_service *service = self->service;
    tell_server(service, !vhttp_request_respond(self, args[3]));
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
    bool has_room = vhttp_request_begin(self, length);
    tell_server(self->service, !has_room);
    return mp_obj_new_bool(has_room);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(request_begin_obj, 4, 4, request_begin);

// file(status, fields, path) -> bool: responds with a file. False when there is no room now.
static mp_obj_t request_file(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    request_obj_t *self = live(args[0]);
    take_head(self, args[1], args[2]);
    const char *path = mp_obj_str_get_str(args[3]);
    if (path[0] != '/' || strlen(path) >= VHTTP_PATH_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("a file's path is absolute and has under %d bytes"),
                          VHTTP_PATH_MAX);
    }
    struct vhttp_call_service *service = self->service;
    bool has_room = vhttp_request_send_file(self, path);
    tell_server(service, !has_room);
    return mp_obj_new_bool(has_room);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(request_file_obj, 4, 4, request_file);

// pass_on(fields) -> bool: has the server answer what no route takes. False when there is no room
// now.
static mp_obj_t request_pass_on(mp_obj_t self_in, mp_obj_t fields) {
    request_obj_t *self = live(self_in);
    if (self->route != VHTTP_NO_ROUTE) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("a route's request is the route's"));
    }
    take_head(self, MP_OBJ_NEW_SMALL_INT(200), fields);
    struct vhttp_call_service *service = self->service;
    bool has_room = vhttp_request_pass(self);
    tell_server(service, !has_room);
    return mp_obj_new_bool(has_room);
}
static MP_DEFINE_CONST_FUN_OBJ_2(request_pass_on_obj, request_pass_on);

// write(bytes, start) -> how many of the bytes from `start` on were taken; 0: wait for on_room.
static mp_obj_t request_write(mp_obj_t self_in, mp_obj_t bytes, mp_obj_t start_in) {
    request_obj_t *self = live(self_in);
    mp_buffer_info_t info;
    mp_get_buffer_raise(bytes, &info, MP_BUFFER_READ);
    mp_int_t start = mp_obj_get_int(start_in);
    if (!self->has_begun || start < 0 || (size_t)start > info.len) {
        mp_raise_ValueError(NULL);
    }
    size_t taken;
    bool has_room =
        vhttp_request_write(self, (const char *)info.buf + start, info.len - (size_t)start, &taken);
    tell_server(self->service, !has_room);
    return MP_OBJ_NEW_SMALL_INT((mp_int_t)taken);
}
static MP_DEFINE_CONST_FUN_OBJ_3(request_write_obj, request_write);

// end() -> bool: the content is complete. False when there is no room now.
static mp_obj_t request_end(mp_obj_t self_in) {
    request_obj_t *self = live(self_in);
    struct vhttp_call_service *service = self->service;
    bool has_ended = vhttp_request_end(self);
    tell_server(service, !has_ended);
    return mp_obj_new_bool(has_ended);
}
static MP_DEFINE_CONST_FUN_OBJ_1(request_end_obj, request_end);

// on_room(callable): calls it once with the request when there is room, or the client is gone.
static mp_obj_t request_on_room(mp_obj_t self_in, mp_obj_t waker) {
    request_obj_t *self = live(self_in);
    self->service->sending += self->waker == MP_OBJ_NULL;
    self->waker = waker;
    if (self->credit >= VHTTP_WAKE_CREDIT) {
        vhttp_server_ask_again(self->service->server); // credit may have come since the writing
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(request_on_room_obj, request_on_room);

// done(): nothing more comes from Python. What it handed over is sent to its end; what it began and
// did not end is broken off.
static mp_obj_t request_done(mp_obj_t self_in) {
    request_obj_t *self = MP_OBJ_TO_PTR(self_in);
    struct vhttp_call_service *service = self->service;
    if (service != NULL) {
        vhttp_request_leave(self);
        tell_server(service, false);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(request_done_obj, request_done);

static mp_obj_t method_name(const request_obj_t *self) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return mp_obj_new_str_from_cstr(names[self->method]);
}

static mp_obj_t client_address(const request_obj_t *self) {
    const uint8_t *host = self->client.host;
    char text[sizeof("255.255.255.255")];
    int length = snprintf(text, sizeof(text), "%u.%u.%u.%u", host[0], host[1], host[2], host[3]);
    mp_obj_t both[] = {mp_obj_new_str(text, (size_t)length),
                       MP_OBJ_NEW_SMALL_INT(self->client.port)};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(both), both);
}

// method, path, query (as it came), fields (header lines), client (host, port), body,
// default_status, is_over, has_begun; state is Python's own.
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
    case MP_QSTR_client:
        destination[0] = client_address(self);
        break;
    case MP_QSTR_default_status:
        destination[0] = MP_OBJ_NEW_SMALL_INT(self->default_status);
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
    {MP_ROM_QSTR(MP_QSTR_file), MP_ROM_PTR(&request_file_obj)},
    {MP_ROM_QSTR(MP_QSTR_pass_on), MP_ROM_PTR(&request_pass_on_obj)},
    {MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&request_write_obj)},
    {MP_ROM_QSTR(MP_QSTR_end), MP_ROM_PTR(&request_end_obj)},
    {MP_ROM_QSTR(MP_QSTR_on_room), MP_ROM_PTR(&request_on_room_obj)},
    {MP_ROM_QSTR(MP_QSTR_done), MP_ROM_PTR(&request_done_obj)},
};
static MP_DEFINE_CONST_DICT(request_locals_dict, request_locals_table);

MP_DEFINE_CONST_OBJ_TYPE(vhttp_request_type, MP_QSTR_Call, MP_TYPE_FLAG_NONE, attr,
                         request_attribute, locals_dict, &request_locals_dict);
