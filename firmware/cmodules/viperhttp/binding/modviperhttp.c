// SPDX-License-Identifier: MIT
// The MicroPython module _viperhttp: the server as an object, and what it is built with.
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/objlist.h"
#include "py/objtuple.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"

#include "build_info.h"
#include "call_service.h"
#include "figures.h"
#include "file_service.h"
#include "float_text.h"
#include "function_parameters.h"
#include "gzip_copy.h"
#include "html_escape.h"
#include "json_reader.h"
#include "json_string.h"
#include "mime.h"
#include "names_dict.h"
#include "platform.h"
#include "router.h"
#include "server.h"
#include "signal_object.h"
#include "vfs_files.h"
#include "vhttp_config.h"

#if !MICROPY_PY_ASYNCIO_TASK_QUEUE_PUSH_CALLBACK
#error "the board's MicroPython settings lack MICROPY_PY_ASYNCIO_TASK_QUEUE_PUSH_CALLBACK (1)"
#endif

#define ADDRESS_SIZE 64 // "http://host:port/"

typedef struct {
    mp_obj_base_t base;
    struct vhttp_router router;
    struct vhttp_routes routes;
    mp_obj_t kept; // list of the objects that the routes point into
    bool serves;   // the interpreter runs the service now
    bool has_alarm;
    unsigned asks_about; // VHTTP_ASKS_ABOUT_…
    uint64_t alarm_ms;
    mp_obj_t turn; // turn() -> milliseconds until the next, or None: lets Python's tasks go on
    struct vhttp_call_service calls;
    struct vhttp_file_service service; // service.server is NULL while stopped
} server_obj_t;

// The server that runs: there is one set of pools. It keeps itself alive.
MP_REGISTER_ROOT_POINTER(void *viperhttp_running);

static mp_sched_node_t service_node;

// An asyncio loop runs.
static bool loop_runs;

// Of shared/runtime/interrupt_char.h, whose functions the unix port declares with other types.
extern int mp_interrupt_char;

// Python's tasks go on as far as they can.
static void take_turn(server_obj_t *self) {
    nlr_buf_t nlr;
    self->has_alarm = false;
    if (nlr_push(&nlr) != 0) {
        mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
        if (vhttp_call_service_is_for_program(&self->calls, exception)) {
            mp_sched_exception(exception);
        } else {
            mp_obj_print_exception(&mp_plat_print, exception);
        }
        return;
    }
    mp_obj_t next = mp_call_function_0(self->turn);
    self->calls.needs_turn = false; // what woke meanwhile has had its turn
    if (next != mp_const_none && self->service.server != NULL) {
        uint32_t after_ms = (uint32_t)mp_obj_get_int(next);
        self->has_alarm = true;
        self->alarm_ms = vhttp_now_ms() + after_ms;
        vhttp_server_set_alarm(self->service.server, after_ms);
    }
    nlr_pop();
}

static void serve(server_obj_t *self) {
    vhttp_file_service_run(&self->service);
    if (self->service.server == NULL) {
        return; // a handler stopped it
    }
    if (self->calls.needs_turn || (self->has_alarm && vhttp_now_ms() >= self->alarm_ms)) {
        take_turn(self);
    }
    if (self->service.server != NULL && vhttp_server_wants_heap(self->service.server)) {
        gc_info_t info;
        gc_info(&info);
        vhttp_server_publish_heap(self->service.server, (uint32_t)info.used, (uint32_t)info.free);
    }
}

// Runs on a thread of Python, between two bytecodes or while it waits.
static void run_service(mp_sched_node_t *node) {
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    if (self == NULL) {
        return; // stopped since it was scheduled
    }
    if (!mp_thread_is_main_thread()) { // where there is a GIL, any thread runs what is scheduled
        mp_sched_schedule_node(node, run_service);
        vhttp_interpreter_kick();
        return;
    }
    // While the REPL reads a line Ctrl-C is a letter: a handler could not be ended by it, and the
    // REPL is not made for an exception.
    int interrupt_char = mp_interrupt_char;
    self->calls.is_at_prompt = interrupt_char == -1;
    mp_hal_set_interrupt_char(CHAR_CTRL_C);
    self->serves = true;
    serve(self);
    self->serves = false;
    mp_hal_set_interrupt_char(interrupt_char);
    if (self->calls.is_at_prompt) {
        MP_STATE_MAIN_THREAD(mp_pending_exception) = MP_OBJ_NULL; // it came at the very end
    }
}

// Runs on the server's thread, which may touch no object and allocate nothing.
static void wake_interpreter(void) {
    mp_sched_schedule_node(&service_node, run_service);
    vhttp_interpreter_kick();
}

// Has the service give Python's tasks their turn. A loop gives it by itself, but to those that wake
// while the service runs: of them it knows nothing.
static void wake_tasks(server_obj_t *self) {
    if (self->serves) {
        self->calls.needs_turn = true;
    } else if (!loop_runs) {
        self->calls.needs_turn = true;
        vhttp_server_ask_again(self->service.server);
    }
}

// ---- Server

static mp_obj_t server_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 3, 3, false);
    server_obj_t *self = mp_obj_malloc_with_finaliser(server_obj_t, type);
    memset(&self->router, 0, sizeof(self->router));
    memset(&self->routes, 0, sizeof(self->routes));
    memset(&self->calls, 0, sizeof(self->calls));
    memset(&self->service, 0, sizeof(self->service));
    self->serves = self->has_alarm = false;
    self->asks_about = 0;
    self->kept = mp_obj_new_list(0, NULL);
    self->calls.handlers = mp_obj_new_list(0, NULL);
    self->calls.finish = args[0];
    self->calls.fail = args[1];
    self->turn = args[2];
    return MP_OBJ_FROM_PTR(self);
}

static void check_thread(void) {
    if (!mp_thread_is_main_thread()) {
        mp_raise_msg(&mp_type_RuntimeError,
                     MP_ERROR_TEXT("viperhttp is for the main thread alone"));
    }
}

static server_obj_t *stopped(mp_obj_t self_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_thread();
    if (self->service.server != NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("stop the server before adding to it"));
    }
    return self;
}

static void mount(mp_obj_t self_in, enum vhttp_mount_kind kind, mp_obj_t path_in,
                  const char *folder, bool html) {
    server_obj_t *self = stopped(self_in);
    const char *path = mp_obj_str_get_str(path_in);
    switch (vhttp_router_mount(&self->router, kind, path, folder, html)) {
    case VHTTP_ROUTER_OK:
        return;
    case VHTTP_ROUTER_FULL:
        mp_raise_msg_varg(&mp_type_RuntimeError,
                          MP_ERROR_TEXT("no more than %d mounts (VHTTP_MAX_MOUNTS)"),
                          VHTTP_MAX_MOUNTS);
    case VHTTP_ROUTER_TAKEN:
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("'%s' is mounted already"), path);
    case VHTTP_ROUTER_BAD_PATH:
        break;
    }
    mp_raise_msg_varg(
        &mp_type_ValueError,
        MP_ERROR_TEXT("'%s': paths start with '/', have under %d bytes and no hidden part"), path,
        VHTTP_PATH_MAX);
}

static void serve_files(mp_obj_t self_in, mp_obj_t fallback, mp_obj_t cache, mp_obj_t immutable) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!vhttp_router_serve(&self->router, mp_obj_str_get_str(fallback), mp_obj_str_get_str(cache),
                            mp_obj_str_get_str(immutable))) {
        self->router.count--;
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("paths have under %d bytes and no hidden part, "
                                        "Cache-Control under %d"),
                          VHTTP_PATH_MAX, VHTTP_CACHE_CONTROL_SIZE);
    }
}

// mount(path, folder, html, fallback, cache_control, immutable): the folder's files appear below
// the path. The last three may be "".
static mp_obj_t server_mount(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mount(args[0], VHTTP_MOUNT_STATIC, args[1], mp_obj_str_get_str(args[2]),
          mp_obj_is_true(args[3]));
    serve_files(args[0], args[4], args[5], args[6]);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(server_mount_obj, 7, 7, server_mount);

// mount_file(path, file, cache_control): the file appears at the path.
static mp_obj_t server_mount_file(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_obj_t none = MP_OBJ_NEW_QSTR(MP_QSTR_);
    mount(args[0], VHTTP_MOUNT_FILE, args[1], mp_obj_str_get_str(args[2]), false);
    serve_files(args[0], none, args[3], none);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(server_mount_file_obj, 4, 4, server_mount_file);

static mp_obj_t server_mount_health(mp_obj_t self, mp_obj_t path) {
    mount(self, VHTTP_MOUNT_HEALTH, path, NULL, false);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(server_mount_health_obj, server_mount_health);

static mp_obj_t server_mount_metrics(mp_obj_t self, mp_obj_t path) {
    mount(self, VHTTP_MOUNT_METRICS, path, NULL, false);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(server_mount_metrics_obj, server_mount_metrics);

// Fills a route's query parameter from (name, kind's name, is required, default).
static void take_parameter(mp_obj_t parameter_in, struct vhttp_query_parameter *parameter,
                           mp_obj_t entry) {
    mp_obj_t *fields;
    mp_obj_get_array_fixed_n(parameter_in, 4, &fields);
    parameter->name.at = mp_obj_str_get_data(fields[0], &parameter->name.length);
    parameter->kind = vhttp_value_kind_of(vhttp_slice_of(mp_obj_str_get_str(fields[1])));
    parameter->required = mp_obj_is_true(fields[2]);
    if (parameter->kind == VHTTP_VALUE_KINDS || parameter->name.length == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("a query parameter is str, int, float or bool"));
    }
    for (size_t i = 0; i < parameter->name.length; i++) {
        char c = parameter->name.at[i];
        if ((unsigned char)c < ' ' || c == '"' || c == '\\') { // the server names it in JSON
            mp_raise_ValueError(MP_ERROR_TEXT("no name for a query parameter"));
        }
    }
    mp_obj_list_append(entry, mp_obj_str_intern_checked(fields[0])); // as a call names arguments
    mp_obj_list_append(entry, fields[3]);
}

// Appends the names of the pattern's parameters, each with a default that is never used.
static void take_pattern_names(struct vhttp_slice pattern, mp_obj_t entry) {
    struct vhttp_pattern_part part;
    while (vhttp_pattern_next(&pattern, &part) > 0) {
        if (part.is_parameter) {
            qstr name = qstr_from_strn(part.text.at, part.text.length);
            mp_obj_list_append(entry, MP_OBJ_NEW_QSTR(name));
            mp_obj_list_append(entry, mp_const_none);
        }
    }
}

// route(methods, pattern, query, status, handler) -> list whose first item is the handler, to be
// replaced at will. It is called with the parameters by name. methods is a set of bits, query a
// tuple of (name, kind, required, default), status that of answers without one of their own.
static mp_obj_t server_route(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    server_obj_t *self = stopped(args[0]);
    mp_int_t methods = mp_obj_get_int(args[1]);
    struct vhttp_slice pattern;
    pattern.at = mp_obj_str_get_data(args[2], &pattern.length);
    mp_obj_t head[] = {args[5], args[4]};
    mp_obj_t entry = mp_obj_new_list(MP_ARRAY_SIZE(head), head);
    take_pattern_names(pattern, entry);
    size_t count;
    mp_obj_t *query;
    mp_obj_get_array(args[3], &count, &query);
    struct vhttp_query_parameter parameters[VHTTP_ROUTE_PARAMETERS_MAX];
    if (count > VHTTP_ROUTE_PARAMETERS_MAX) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("at most %d query parameters"),
                          VHTTP_ROUTE_PARAMETERS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        take_parameter(query[i], &parameters[i], entry);
    }
    mp_obj_list_append(self->kept, args[2]);
    mp_obj_list_append(self->kept, args[3]);
    mp_obj_list_append(self->calls.handlers, entry);
    uint32_t index;
    enum vhttp_route_error error =
        vhttp_routes_add(&self->routes, (unsigned)methods, pattern, parameters, count, &index);
    if (error == VHTTP_ROUTE_OK) {
        return entry;
    }
    mp_obj_t last = MP_OBJ_NEW_SMALL_INT(-1);
    mp_obj_subscr(self->calls.handlers, last, MP_OBJ_NULL);
    switch (error) {
    case VHTTP_ROUTE_NO_MEMORY:
        mp_raise_type(&mp_type_MemoryError);
    case VHTTP_ROUTE_TOO_MANY:
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("too many routes"));
    case VHTTP_ROUTE_TAKEN:
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("'%s' has a handler already"),
                          pattern.at);
    default:
        mp_raise_msg_varg(&mp_type_ValueError,
                          MP_ERROR_TEXT("'%s': a path is made of parts like /name, /{name} and "
                                        "/{name:int}; a path parameter comes last"),
                          pattern.at);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(server_route_obj, 6, 6, server_route);

// unrouted(handler): calls it for each request that no route takes, as handler(status=…, file=…,
// folder_status=…), which are the values of VHTTP_NO_ROUTE. None: the server answers such requests
// alone.
static mp_obj_t server_unrouted(mp_obj_t self_in, mp_obj_t handler) {
    server_obj_t *self = stopped(self_in);
    mp_obj_t entry[] = {handler,
                        MP_OBJ_NEW_SMALL_INT(200),
                        MP_OBJ_NEW_QSTR(MP_QSTR_status),
                        mp_const_none,
                        MP_OBJ_NEW_QSTR(MP_QSTR_file),
                        mp_const_none,
                        MP_OBJ_NEW_QSTR(MP_QSTR_folder_status),
                        mp_const_none};
    self->calls.unrouted =
        handler == mp_const_none ? MP_OBJ_NULL : mp_obj_new_tuple(MP_ARRAY_SIZE(entry), entry);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(server_unrouted_obj, server_unrouted);

// refused(handler, about): calls it for the words of the server's refusals, as handler(status=…,
// allow=…), which are the values of VHTTP_REFUSAL_ROUTE. `about` is a set of VHTTP_ASKS_ABOUT_….
static mp_obj_t server_refused(mp_obj_t self_in, mp_obj_t handler, mp_obj_t about) {
    server_obj_t *self = stopped(self_in);
    mp_obj_t entry[] = {
        handler,       MP_OBJ_NEW_SMALL_INT(200),      MP_OBJ_NEW_QSTR(MP_QSTR_status),
        mp_const_none, MP_OBJ_NEW_QSTR(MP_QSTR_allow), mp_const_none};
    self->calls.refused = mp_obj_new_tuple(MP_ARRAY_SIZE(entry), entry);
    self->asks_about = (unsigned)mp_obj_get_int(about);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(server_refused_obj, server_refused);

// With what the device lacks, where that is why there is no memory.
static NORETURN void raise_start_error(int error) {
    const char *lack = error == MP_ENOMEM ? vhttp_memory_lack() : NULL;
    if (lack == NULL) {
        mp_raise_OSError(error);
    }
    mp_obj_t arguments[] = {MP_OBJ_NEW_SMALL_INT(error), mp_obj_new_str_from_cstr(lack)};
    nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, arguments));
}

// start(port) -> address. OSError when the port is taken, RuntimeError when a server runs.
static mp_obj_t server_start(mp_obj_t self_in, mp_obj_t port_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_thread();
    mp_int_t port = mp_obj_get_int(port_in);
    if (port < 0 || port > UINT16_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("port must be in 0..65535"));
    }
    if (MP_STATE_VM(viperhttp_running) != NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("a server is running already"));
    }
    struct vhttp_server_options options = {
        .router = &self->router,
        .routes = &self->routes,
        .asks_for_all = self->calls.unrouted != MP_OBJ_NULL,
        .asks_about = self->asks_about,
        .port = (uint16_t)port,
        .version = VHTTP_VERSION,
        .build_id = vhttp_build_id,
        .built_s = vhttp_build_time_s(),
        .wake_interpreter = wake_interpreter,
    };
    service_node.callback = NULL; // static memory outlives a soft reset, the scheduler's queue not
    vhttp_interpreter_attach();
    char address[ADDRESS_SIZE];
    int error;
    struct vhttp_server *server = vhttp_server_start(&options, address, sizeof(address), &error);
    if (server == NULL) {
        raise_start_error(error);
    }
    self->service.server = self->calls.server = server;
    self->service.calls = &self->calls;
    vhttp_file_service_open(&self->service);
    MP_STATE_VM(viperhttp_running) = self;
    wake_tasks(self); // those from before the start
    return mp_obj_new_str_from_cstr(address);
}
static MP_DEFINE_CONST_FUN_OBJ_2(server_start_obj, server_start);

static void stop(server_obj_t *self) {
    struct vhttp_server *server = self->service.server;
    self->service.server = self->calls.server = NULL;
    self->has_alarm = false;
    MP_STATE_VM(viperhttp_running) = NULL;
    vhttp_server_stop(server);
}

// stop(): closes every connection; nothing happens when it does not run.
static mp_obj_t server_stop(mp_obj_t self_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    check_thread();
    if (self->service.server != NULL) {
        stop(self);
        vhttp_file_service_close(&self->service);
        vhttp_call_service_close(&self->calls);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(server_stop_obj, server_stop);

// The finaliser, which a soft reset runs. Its files have finalisers of their own, and may be gone.
static mp_obj_t server_del(mp_obj_t self_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->service.server != NULL) {
        stop(self);
    }
    vhttp_routes_free(&self->routes);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(server_del_obj, server_del);

static mp_obj_t server_is_running(mp_obj_t self_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return mp_obj_new_bool(self->service.server != NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(server_is_running_obj, server_is_running);

static const mp_rom_map_elem_t server_locals_table[] = {
    {MP_ROM_QSTR(MP_QSTR_mount), MP_ROM_PTR(&server_mount_obj)},
    {MP_ROM_QSTR(MP_QSTR_mount_file), MP_ROM_PTR(&server_mount_file_obj)},
    {MP_ROM_QSTR(MP_QSTR_mount_health), MP_ROM_PTR(&server_mount_health_obj)},
    {MP_ROM_QSTR(MP_QSTR_mount_metrics), MP_ROM_PTR(&server_mount_metrics_obj)},
    {MP_ROM_QSTR(MP_QSTR_route), MP_ROM_PTR(&server_route_obj)},
    {MP_ROM_QSTR(MP_QSTR_unrouted), MP_ROM_PTR(&server_unrouted_obj)},
    {MP_ROM_QSTR(MP_QSTR_refused), MP_ROM_PTR(&server_refused_obj)},
    {MP_ROM_QSTR(MP_QSTR_start), MP_ROM_PTR(&server_start_obj)},
    {MP_ROM_QSTR(MP_QSTR_stop), MP_ROM_PTR(&server_stop_obj)},
    {MP_ROM_QSTR(MP_QSTR_is_running), MP_ROM_PTR(&server_is_running_obj)},
    {MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&server_del_obj)},
};
static MP_DEFINE_CONST_DICT(server_locals_dict, server_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(server_type, MP_QSTR_Server, MP_TYPE_FLAG_NONE, make_new,
                                server_make_new, locals_dict, &server_locals_dict);

// ---- Module

// version() -> (version, build_id)
static mp_obj_t module_version(void) {
    static const qstr fields[] = {MP_QSTR_version, MP_QSTR_build_id};
    mp_obj_t values[] = {
        mp_obj_new_str_from_cstr(VHTTP_VERSION),
        mp_obj_new_str_from_cstr(vhttp_build_id),
    };
    return mp_obj_new_attrtuple(fields, MP_ARRAY_SIZE(values), values);
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_version_obj, module_version);

static server_obj_t *running(void) {
    check_thread();
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    if (self == NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("no server runs"));
    }
    return self;
}

// server_stats() and ipc_stats() -> dict. RuntimeError when no server runs.
static mp_obj_t module_server_stats(void) {
    return vhttp_server_figures(running()->service.server);
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_server_stats_obj, module_server_stats);

// server_memory() -> (bytes of internal RAM, bytes of PSRAM where there is some).
static mp_obj_t module_server_memory(void) {
    size_t internal, large;
    vhttp_server_memory(&internal, &large);
    mp_obj_t both[] = {mp_obj_new_int_from_uint(internal), mp_obj_new_int_from_uint(large)};
    return mp_obj_new_tuple(MP_ARRAY_SIZE(both), both);
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_server_memory_obj, module_server_memory);

static mp_obj_t module_ipc_stats(void) { return vhttp_ring_figures(running()->service.server); }
static MP_DEFINE_CONST_FUN_OBJ_0(module_ipc_stats_obj, module_ipc_stats);

// pushed(_): asyncio has a task to go on with, now or at its time.
static mp_obj_t module_pushed(mp_obj_t unused) {
    (void)unused;
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    if (self != NULL) {
        wake_tasks(self);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_pushed_obj, module_pushed);

// loop_runs(bool): an asyncio loop begins or ends. What it leaves goes on without it.
static mp_obj_t module_loop_runs(mp_obj_t runs) {
    loop_runs = mp_obj_is_true(runs);
    return module_pushed(mp_const_none);
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_loop_runs_obj, module_loop_runs);

// current_call() -> the call whose handler runs now, or None.
static mp_obj_t module_current_call(void) {
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    return self == NULL ? mp_const_none : vhttp_call_service_current(&self->calls);
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_current_call_obj, module_current_call);

// parse_query(bytes) -> dict of the decoded names and values. ValueError for a bad escape,
// OverflowError for more than VHTTP_NAMES_MAX.
static mp_obj_t module_parse_query(mp_obj_t bytes) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(bytes, &info, MP_BUFFER_READ);
    struct vhttp_slice rest = {info.buf, info.len}, name, value;
    size_t count = 0;
    for (struct vhttp_slice pairs = rest; vhttp_query_next(&pairs, &name, &value); count++) {
    }
    if (count > VHTTP_NAMES_MAX) {
        mp_raise_msg_varg(&mp_type_OverflowError, MP_ERROR_TEXT("more than %d names"),
                          VHTTP_NAMES_MAX);
    }
    char *decoded = m_new(char, info.len + 1);
    mp_obj_t query = vhttp_names_dict_new(count);
    while (vhttp_query_next(&rest, &name, &value)) {
        int name_length = vhttp_query_decode(name, decoded);
        mp_obj_t key = name_length < 0 ? MP_OBJ_NULL : mp_obj_new_str(decoded, (size_t)name_length);
        int value_length = vhttp_query_decode(value, decoded);
        if (name_length < 0 || value_length < 0) {
            mp_raise_ValueError(MP_ERROR_TEXT("bad escape"));
        }
        vhttp_names_dict_store(query, key, mp_obj_new_str(decoded, (size_t)value_length));
    }
    m_del(char, decoded, info.len + 1);
    return query;
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_parse_query_obj, module_parse_query);

// content_type(path) -> the media type that the name's end stands for
static mp_obj_t module_content_type(mp_obj_t path) {
    return mp_obj_new_str_from_cstr(vhttp_content_type(mp_obj_str_get_str(path)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_content_type_obj, module_content_type);

// file_status(path, status, folder_status) -> 200 when there is such a file, folder_status when
// there is such a folder, else status
static mp_obj_t module_file_status(mp_obj_t path, mp_obj_t status, mp_obj_t folder_status) {
    struct vhttp_file_stat stat;
    switch (vhttp_vfs_files.stat(mp_obj_str_get_str(path), &stat)) {
    case 0:
        return MP_OBJ_NEW_SMALL_INT(200);
    case VHTTP_FILE_IS_FOLDER:
        return folder_status;
    default:
        return status;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(module_file_status_obj, module_file_status);

// config() -> dict of the settings that this firmware was built with
static mp_obj_t module_config(void) {
    mp_obj_t config = mp_obj_new_dict(0);
#define STORE(name, value) mp_obj_dict_store(config, mp_obj_new_str_from_cstr(#name), value);
#define STORE_NUMBER(name) STORE(name, mp_obj_new_int(name))
#define STORE_TEXT(name) STORE(name, mp_obj_new_str_from_cstr(name))
    VHTTP_NUMBERS(STORE_NUMBER)
    VHTTP_TEXTS(STORE_TEXT)
    return config;
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_config_obj, module_config);

// invalidate(path): what the running server holds of the file or folder, and of all below it, is
// dropped.
static mp_obj_t module_invalidate(mp_obj_t path_in) {
    check_thread();
    const char *path = mp_obj_str_get_str(path_in);
    if (path[0] != '/' || strlen(path) >= VHTTP_PATH_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("a path starts with '/'"));
    }
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    if (self != NULL) {
        vhttp_file_reader_forget(&self->service.reader);
        vhttp_server_invalidate(self->service.server, path);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(module_invalidate_obj, module_invalidate);

static const mp_rom_map_elem_t module_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__viperhttp)},
    {MP_ROM_QSTR(MP_QSTR_Server), MP_ROM_PTR(&server_type)},
    {MP_ROM_QSTR(MP_QSTR_Signal), MP_ROM_PTR(&vhttp_signal_type)},
    {MP_ROM_QSTR(MP_QSTR_version), MP_ROM_PTR(&module_version_obj)},
    {MP_ROM_QSTR(MP_QSTR_server_stats), MP_ROM_PTR(&module_server_stats_obj)},
    {MP_ROM_QSTR(MP_QSTR_server_memory), MP_ROM_PTR(&module_server_memory_obj)},
    {MP_ROM_QSTR(MP_QSTR_stall), MP_ROM_PTR(&vhttp_stall_obj)},
    {MP_ROM_QSTR(MP_QSTR_system_figures), MP_ROM_PTR(&vhttp_system_figures_obj)},
    {MP_ROM_QSTR(MP_QSTR_memory_lack), MP_ROM_PTR(&vhttp_memory_lack_obj)},
    {MP_ROM_QSTR(MP_QSTR_ipc_stats), MP_ROM_PTR(&module_ipc_stats_obj)},
    {MP_ROM_QSTR(MP_QSTR_pushed), MP_ROM_PTR(&module_pushed_obj)},
    {MP_ROM_QSTR(MP_QSTR_loop_runs), MP_ROM_PTR(&module_loop_runs_obj)},
    {MP_ROM_QSTR(MP_QSTR_current_call), MP_ROM_PTR(&module_current_call_obj)},
    {MP_ROM_QSTR(MP_QSTR_parse_query), MP_ROM_PTR(&module_parse_query_obj)},
    {MP_ROM_QSTR(MP_QSTR_parse_json), MP_ROM_PTR(&vhttp_parse_json_obj)},
    {MP_ROM_QSTR(MP_QSTR_parameters), MP_ROM_PTR(&vhttp_function_parameters_obj)},
    {MP_ROM_QSTR(MP_QSTR_content_type), MP_ROM_PTR(&module_content_type_obj)},
    {MP_ROM_QSTR(MP_QSTR_file_status), MP_ROM_PTR(&module_file_status_obj)},
    {MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&module_config_obj)},
    {MP_ROM_QSTR(MP_QSTR_invalidate), MP_ROM_PTR(&module_invalidate_obj)},
    {MP_ROM_QSTR(MP_QSTR_escape_html), MP_ROM_PTR(&vhttp_escape_html_obj)},
    {MP_ROM_QSTR(MP_QSTR_float_round), MP_ROM_PTR(&vhttp_float_round_obj)},
    {MP_ROM_QSTR(MP_QSTR_float_text), MP_ROM_PTR(&vhttp_float_text_obj)},
    {MP_ROM_QSTR(MP_QSTR_json_text), MP_ROM_PTR(&vhttp_json_text_obj)},
#if VHTTP_GZIP_ENABLED
    {MP_ROM_QSTR(MP_QSTR_gzip_copy), MP_ROM_PTR(&vhttp_gzip_copy_obj)},
#endif
};
static MP_DEFINE_CONST_DICT(module_globals, module_globals_table);

const mp_obj_module_t viperhttp_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&module_globals,
};
MP_REGISTER_MODULE(MP_QSTR__viperhttp, viperhttp_module);
