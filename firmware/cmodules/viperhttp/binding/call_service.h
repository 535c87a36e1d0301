// SPDX-License-Identifier: MIT
// The interpreter's side of routes: calls their handlers and sends what they return.
//
// Everything here runs on the interpreter's thread.
#ifndef VHTTP_CALL_SERVICE_H
#define VHTTP_CALL_SERVICE_H

#include "py/obj.h"

#include "ipc.h"
#include "server.h"
#include "vhttp_config.h"

// Lies in an object of the garbage collector, which thereby finds the requests.
struct vhttp_call_service {
    struct vhttp_server *server;
    // The request of each connection: that of its last call, until its response is handed over.
    mp_obj_t requests[VHTTP_MAX_CONNECTIONS];
    size_t sending;    // requests whose response waits for credit or for room in the ring
    bool is_running;   // the service runs, and tells the server at its end
    bool wants_room;   // a writer in Python found the response ring full
    bool needs_turn;   // Python's tasks have something to go on with
    bool is_at_prompt; // the REPL waits for a line: there is no program that Ctrl-C could end
    mp_obj_t spare;    // a request that is over and that Python has not seen; MP_OBJ_NULL: none
    mp_obj_t current;  // the request whose handler runs now; MP_OBJ_NULL: none
    mp_obj_t handlers; // list of (callable, status, name of the first argument, …), by the route
    mp_obj_t unrouted; // likewise, for requests that no route takes; MP_OBJ_NULL: never called
    mp_obj_t refused;  // likewise, for what the server refuses; MP_OBJ_NULL: never called
    mp_obj_t finish;   // finish(request, result): sends what is more than a value, or awaits it
    mp_obj_t fail;     // fail(request, exception): answers for a handler that raised
};

// The type of a request as Python's side sees it.
extern const mp_obj_type_t vhttp_request_type;

// Whether an exception that a handler raised is to end the program: Ctrl-C, and what exits.
bool vhttp_call_service_is_for_program(const struct vhttp_call_service *service,
                                       mp_obj_t exception);

// The request whose handler runs now, for Python to keep; None without one.
mp_obj_t vhttp_call_service_current(struct vhttp_call_service *service);

// Takes a record of the request ring if it is for a call, and releases it. `is_ours` tells whether
// it was. Calls handlers; raises nothing. False when the response ring has no room: to be tried
// again.
bool vhttp_call_service_take(struct vhttp_call_service *service, const struct vhttp_ipc_head *ask,
                             uint32_t length, bool *is_ours);

// Goes on with the responses under way. False when the ring has no room.
bool vhttp_call_service_send(struct vhttp_call_service *service);

// Forgets all requests; what is sent to them then goes nowhere.
void vhttp_call_service_close(struct vhttp_call_service *service);

#endif
