// The MicroPython module _viperhttp: the server as an object, and what it is built with.
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/objtuple.h"
#include "py/runtime.h"

#include "build_info.h"
#include "file_service.h"
#include "port.h"
#include "router.h"
#include "server.h"
#include "vhttp_config.h"

#define ADDRESS_SIZE 64 // "http://host:port/"

typedef struct {
    mp_obj_base_t base;
    struct vhttp_router router;
    struct vhttp_file_service service; // service.server is NULL while stopped
} server_obj_t;

// The server that runs: there is one set of pools. It keeps itself alive.
MP_REGISTER_ROOT_POINTER(void *viperhttp_running);

static mp_sched_node_t service_node;

// Runs on the interpreter's thread, between two bytecodes or while it waits.
static void run_service(mp_sched_node_t *node) {
    (void)node;
    server_obj_t *self = MP_STATE_VM(viperhttp_running);
    if (self == NULL) {
        return; // stopped since it was scheduled
    }
    vhttp_file_service_run(&self->service);
    if (vhttp_server_wants_heap(self->service.server)) {
        gc_info_t info;
        gc_info(&info);
        vhttp_server_publish_heap(self->service.server, (uint32_t)info.used, (uint32_t)info.free);
    }
}

// Runs on the server's thread, which may touch no object and allocate nothing.
static void wake_interpreter(void) {
    mp_sched_schedule_node(&service_node, run_service);
    vhttp_interpreter_kick();
}

// ---- Server

static mp_obj_t server_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw,
                                const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    (void)args;
    server_obj_t *self = mp_obj_malloc_with_finaliser(server_obj_t, type);
    memset(&self->router, 0, sizeof(self->router));
    memset(&self->service, 0, sizeof(self->service));
    return MP_OBJ_FROM_PTR(self);
}

static void mount(mp_obj_t self_in, enum vhttp_mount_kind kind, mp_obj_t path_in,
                  const char *folder, bool html) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->service.server != NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("stop the server before mounting"));
    }
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

// mount(path, folder, html): the folder's files appear below the path.
static mp_obj_t server_mount(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mount(args[0], VHTTP_MOUNT_STATIC, args[1], mp_obj_str_get_str(args[2]),
          mp_obj_is_true(args[3]));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(server_mount_obj, 4, 4, server_mount);

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

// start(port) -> address. OSError when the port is taken, RuntimeError when a server runs.
static mp_obj_t server_start(mp_obj_t self_in, mp_obj_t port_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_int_t port = mp_obj_get_int(port_in);
    if (port < 0 || port > UINT16_MAX) {
        mp_raise_ValueError(MP_ERROR_TEXT("port must be in 0..65535"));
    }
    if (MP_STATE_VM(viperhttp_running) != NULL) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("a server is running already"));
    }
    struct vhttp_server_options options = {
        .router = &self->router,
        .port = (uint16_t)port,
        .version = VHTTP_VERSION,
        .build_id = vhttp_build_id,
        .wake_interpreter = wake_interpreter,
    };
    service_node.callback = NULL; // static memory outlives a soft reset, the scheduler's queue not
    vhttp_interpreter_attach();
    char address[ADDRESS_SIZE];
    int error;
    struct vhttp_server *server = vhttp_server_start(&options, address, sizeof(address), &error);
    if (server == NULL) {
        mp_raise_OSError(error);
    }
    self->service.server = server;
    MP_STATE_VM(viperhttp_running) = self;
    return mp_obj_new_str_from_cstr(address);
}
static MP_DEFINE_CONST_FUN_OBJ_2(server_start_obj, server_start);

static void stop(server_obj_t *self) {
    struct vhttp_server *server = self->service.server;
    self->service.server = NULL;
    MP_STATE_VM(viperhttp_running) = NULL;
    vhttp_server_stop(server);
}

// stop(): closes every connection; nothing happens when it does not run.
static mp_obj_t server_stop(mp_obj_t self_in) {
    server_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->service.server != NULL) {
        stop(self);
        vhttp_file_service_close(&self->service);
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
    {MP_ROM_QSTR(MP_QSTR_mount_health), MP_ROM_PTR(&server_mount_health_obj)},
    {MP_ROM_QSTR(MP_QSTR_mount_metrics), MP_ROM_PTR(&server_mount_metrics_obj)},
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

// config() -> dict of the settings that this firmware was built with
static mp_obj_t module_config(void) {
#define SETTING(name)                                                                              \
    { #name, name }
    static const struct {
        const char *name;
        mp_int_t value;
    } settings[] = {
        SETTING(VHTTP_MAX_CONNECTIONS),   SETTING(VHTTP_LISTEN_BACKLOG),
        SETTING(VHTTP_REQUEST_HEAD_MAX),  SETTING(VHTTP_MAX_HEADERS),
        SETTING(VHTTP_REQUEST_BODY_MAX),  SETTING(VHTTP_RESPONSE_HEAD_MAX),
        SETTING(VHTTP_PATH_MAX),          SETTING(VHTTP_MAX_MOUNTS),
        SETTING(VHTTP_WINDOW_SIZE),       SETTING(VHTTP_IPC_RINGBUF_SIZE_PSRAM),
        SETTING(VHTTP_IPC_RINGBUF_SIZE),  SETTING(VHTTP_IPC_REQUEST_RINGBUF_SIZE),
        SETTING(VHTTP_HEADER_TIMEOUT_MS), SETTING(VHTTP_BODY_TIMEOUT_MS),
        SETTING(VHTTP_IDLE_TIMEOUT_MS),   SETTING(VHTTP_SEND_TIMEOUT_MS),
        SETTING(VHTTP_COLD_WAIT_MS),      SETTING(VHTTP_RETRY_AFTER_S),
        SETTING(VHTTP_LINGER_MS),         SETTING(VHTTP_STATIC_DIGEST_MAX),
        SETTING(VHTTP_SERVICE_BUDGET),    SETTING(VHTTP_GZIP_ENABLED),
        SETTING(VHTTP_GZIP_MIN_SIZE),     SETTING(VHTTP_GZIP_LEVEL),
    };
    mp_obj_t config = mp_obj_new_dict(MP_ARRAY_SIZE(settings) + 1);
    for (size_t i = 0; i < MP_ARRAY_SIZE(settings); i++) {
        mp_obj_dict_store(config, mp_obj_new_str_from_cstr(settings[i].name),
                          mp_obj_new_int(settings[i].value));
    }
    mp_obj_dict_store(config, mp_obj_new_str_from_cstr("VHTTP_STATIC_FS_BASE"),
                      mp_obj_new_str_from_cstr(VHTTP_STATIC_FS_BASE));
    return config;
}
static MP_DEFINE_CONST_FUN_OBJ_0(module_config_obj, module_config);

static const mp_rom_map_elem_t module_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__viperhttp)},
    {MP_ROM_QSTR(MP_QSTR_Server), MP_ROM_PTR(&server_type)},
    {MP_ROM_QSTR(MP_QSTR_version), MP_ROM_PTR(&module_version_obj)},
    {MP_ROM_QSTR(MP_QSTR_config), MP_ROM_PTR(&module_config_obj)},
};
static MP_DEFINE_CONST_DICT(module_globals, module_globals_table);

const mp_obj_module_t viperhttp_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&module_globals,
};
MP_REGISTER_MODULE(MP_QSTR__viperhttp, viperhttp_module);
