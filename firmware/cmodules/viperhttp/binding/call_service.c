// SPDX-License-Identifier: MIT
#include "call_service.h"

#include <string.h>

#include "py/objexcept.h"
#include "py/objlist.h"
#include "py/runtime.h"

#include "platform.h"
#include "request.h"
#include "value.h"

#define REQUEST_ROOM 1024u // bytes of values and text that any request object holds
#define BODY_START 256u    // bytes of a body whose length is not known

// ---- Calling

static void print_exception(mp_obj_t exception) {
    mp_obj_print_exception(&mp_plat_print, exception);
}

bool vhttp_call_service_is_for_program(const struct vhttp_call_service *service,
                                       mp_obj_t exception) {
    return !service->is_at_prompt &&
           !mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_Exception));
}

// The handler raised: Python's side answers, and if it raises too, the server does.
static void handle_failure(struct vhttp_call_service *service, request_obj_t *request,
                           mp_obj_t exception) {
    nlr_buf_t nlr;
    if (vhttp_call_service_is_for_program(service, exception)) {
        mp_sched_exception(exception);
    } else if (request->service == NULL) {
        print_exception(exception);
    } else if (nlr_push(&nlr) == 0) {
        request->is_seen = true;
        mp_call_function_2(request->service->fail, MP_OBJ_FROM_PTR(request), exception);
        nlr_pop();
        return;
    } else {
        mp_obj_t second = MP_OBJ_FROM_PTR(nlr.ret_val);
        if (vhttp_call_service_is_for_program(service, second)) {
            mp_sched_exception(second);
        } else {
            print_exception(second);
        }
    }
    vhttp_request_leave(request);
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
        mp_obj_t called = request->route == VHTTP_NO_ROUTE        ? service->unrouted
                          : request->route == VHTTP_REFUSAL_ROUTE ? service->refused
                                                                  : handlers[request->route];
        mp_obj_get_array(called, &length, &entry);
        request->default_status = mp_obj_get_int(entry[1]);
        mp_obj_t arguments[4 * VHTTP_ROUTE_PARAMETERS_MAX];
        for (size_t i = 0; i < request->value_count; i++) {
            arguments[2 * i] = entry[2 + 2 * i];
            arguments[2 * i + 1] = value_object(request, i, entry[3 + 2 * i]);
        }
        mp_obj_t result = mp_call_function_n_kw(entry[0], 0, request->value_count, arguments);
        bool has_room = true;
        if (request->service != NULL && !vhttp_request_send_value(request, result, &has_room)) {
            request->is_seen = true;
            mp_call_function_2(service->finish, MP_OBJ_FROM_PTR(request), result);
        }
        service->wants_room |= !has_room;
        nlr_pop();
    } else {
        handle_failure(service, request, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
    service->current = previous;
    if (request->service == NULL && !request->is_seen) {
        service->spare = MP_OBJ_FROM_PTR(request);
    }
}

// Calls the handler, unless the client has been told to come later.
static void call_in_time(request_obj_t *request) {
    if (vhttp_server_gave_up(request->service->server, request->connection, request->generation)) {
        vhttp_request_refuse(request, 503);
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
        .client = ask->client,
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
        vhttp_request_finish(MP_OBJ_TO_PTR(service->requests[ask->head.connection]));
    }
    bool has_body = ask->flags & VHTTP_CALL_BODY;
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
        call_in_time(request);
    }
    return true;
}

bool vhttp_call_service_take(struct vhttp_call_service *service, const struct vhttp_ipc_head *ask,
                             uint32_t length, bool *is_ours) {
    request_obj_t *request = request_of(service, ask);
    enum vhttp_ask kind = (enum vhttp_ask)ask->kind;
    if (kind == VHTTP_ASK_OPEN && service->requests[ask->connection] != MP_OBJ_NULL) {
        vhttp_request_finish(MP_OBJ_TO_PTR(service->requests[ask->connection]));
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
            vhttp_request_refuse(request, 503);
        }
    } else if (request != NULL && kind == VHTTP_ASK_CREDIT) {
        request->credit += ((const struct vhttp_ask_credit *)ask)->credit;
    } else if (request != NULL && kind == VHTTP_ASK_CLOSE) {
        vhttp_request_finish(request);
    }
    vhttp_ring_release(vhttp_server_requests(service->server));
    if (request != NULL && kind == VHTTP_ASK_BODY_END) {
        call_in_time(request);
    }
    return true;
}

// Goes on with one response. False when the ring has no room.
static bool send_some(request_obj_t *request) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        print_exception(MP_OBJ_FROM_PTR(nlr.ret_val)); // the value changed under way
        if (request->has_begun) {
            vhttp_request_break_off(request);
        } else {
            vhttp_request_refuse(request, 500);
        }
        return true;
    }
    bool has_room = vhttp_request_go_on(request);
    nlr_pop();
    return has_room;
}

static void wake(request_obj_t *request) {
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
        if (request->waker != MP_OBJ_NULL && request->credit >= VHTTP_WAKE_CREDIT) {
            wake(request);
        }
    }
    return true;
}

void vhttp_call_service_close(struct vhttp_call_service *service) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        if (service->requests[i] != MP_OBJ_NULL) {
            vhttp_request_finish(MP_OBJ_TO_PTR(service->requests[i]));
        }
    }
}
