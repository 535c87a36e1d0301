// SPDX-License-Identifier: MIT
#include "exchange.h"

#include <string.h>

#include "call.h"
#include "path.h"
#include "state.h"

// ---- Requests

static enum vhttp_step respond_status(struct vhttp_exchange *exchange, int status) {
    vhttp_reply_start_status(&exchange->reply, status);
    return VHTTP_STEP_REPLY;
}

static enum vhttp_step respond_text(struct vhttp_exchange *exchange, const char *type,
                                    size_t length) {
    struct vhttp_response response = {
        .status = 200, .content_type = type, .length = length, .cache_control = "no-store"};
    vhttp_reply_start_text(&exchange->reply, &response);
    return VHTTP_STEP_REPLY;
}

static enum vhttp_step respond_health(struct vhttp_exchange *exchange) {
    static const char text[] = "{\"status\":\"ok\"}\n";
    memcpy(vhttp_reply_room(&exchange->reply), text, sizeof(text) - 1);
    return respond_text(exchange, "application/json", sizeof(text) - 1);
}

static enum vhttp_step respond_metrics(struct vhttp_shared *shared,
                                       struct vhttp_exchange *exchange) {
    struct vhttp_metrics metrics = {
        .stats = &shared->stats,
        .heap = &shared->heap,
        .cache = &shared->cache,
        .requests = &shared->requests,
        .responses = &shared->responses,
        .version = shared->options.version,
        .build_id = shared->options.build_id,
        .psram = vhttp_has_psram(),
        .now_ms = shared->now_ms,
    };
    size_t length =
        vhttp_write_metrics(&metrics, vhttp_reply_room(&exchange->reply), VHTTP_WINDOW_SIZE);
    // The interpreter is asked for fresh figures, for the next reader: this one does not wait.
    atomic_store_explicit(&shared->heap_wanted, true, memory_order_release);
    shared->desk.asked = true;
    return respond_text(exchange, "text/plain; version=0.0.4; charset=utf-8", length);
}

// The methods that a path is for, for OPTIONS or any other than these.
static enum vhttp_step respond_methods(struct vhttp_exchange *exchange, unsigned methods,
                                       enum vhttp_method requested) {
    vhttp_reply_start_methods(&exchange->reply, requested == VHTTP_OPTIONS ? 204 : 405, methods);
    return VHTTP_STEP_REPLY;
}

static enum vhttp_step start_file_below(struct vhttp_shared *shared,
                                        struct vhttp_exchange *exchange,
                                        const struct vhttp_request *request,
                                        const struct vhttp_mount *mount, const char *below,
                                        unsigned route_methods) {
    char path[VHTTP_FILE_PATH_MAX]; // both are shorter than VHTTP_PATH_MAX
    size_t folder_length = strlen(mount->folder);
    memcpy(path, mount->folder, folder_length);
    memcpy(path + folder_length, below, strlen(below) + 1);
    static const struct vhttp_chosen_file not_chosen = {200, {NULL, 0}};
    return vhttp_static_start(shared, exchange, request, path, mount->html, not_chosen,
                              route_methods);
}

// Answers from what is mounted at a path that is no route's for this method.
static enum vhttp_step start_mount(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_request *request, const char *path,
                                   unsigned route_methods) {
    const struct vhttp_mount *mount = vhttp_router_find(shared->options.router, path);
    bool is_mounted =
        mount != NULL && !(mount->kind == VHTTP_MOUNT_STATIC && vhttp_path_is_hidden(path));
    if (!is_mounted && route_methods == 0) {
        return respond_status(exchange, 404);
    }
    bool reads = request->method == VHTTP_GET || request->method == VHTTP_HEAD;
    if (!is_mounted || !reads) {
        return respond_methods(exchange, route_methods | (is_mounted ? 1u << VHTTP_GET : 0),
                               request->method);
    }
    switch (mount->kind) {
    case VHTTP_MOUNT_HEALTH:
        return respond_health(exchange);
    case VHTTP_MOUNT_METRICS:
        return respond_metrics(shared, exchange);
    case VHTTP_MOUNT_FILE:
        return start_file_below(shared, exchange, request, mount, "", route_methods);
    case VHTTP_MOUNT_STATIC:
        break;
    }
    return start_file_below(shared, exchange, request, mount, path + mount->prefix_length,
                            route_methods);
}

enum vhttp_step vhttp_exchange_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                     const struct vhttp_request *request) {
    vhttp_reply_prepare(&exchange->reply, request->method == VHTTP_HEAD,
                        request->minor_version == 0);
    if (request->method == VHTTP_OPTIONS && vhttp_slice_equals(request->path, "*")) {
        return respond_methods(exchange, 1u << VHTTP_GET, request->method);
    }
    char path[VHTTP_PATH_MAX];
    int length = vhttp_decode_path(request->path, path, sizeof(path));
    if (length < 0) {
        vhttp_reply_refuse(&exchange->reply, -length);
        return VHTTP_STEP_REPLY;
    }
    struct vhttp_match match;
    if (vhttp_routes_find(shared->options.routes, request->method, path, &match)) {
        return vhttp_call_start(shared, exchange, request, path, &match);
    }
    return start_mount(shared, exchange, request, path, match.methods);
}

// ---- Answers

static enum vhttp_step take_content(struct vhttp_exchange *exchange,
                                    const struct vhttp_ipc_head *answer, uint32_t length) {
    uint32_t count = length - (uint32_t)sizeof(*answer);
    vhttp_reply_add(&exchange->reply, (const uint8_t *)(answer + 1), count);
    vhttp_errand_got(&exchange->errand, count);
    if (answer->kind == VHTTP_ANSWER_END) {
        vhttp_errand_is_done(&exchange->errand);
        vhttp_reply_end(&exchange->reply);
    }
    return VHTTP_STEP_STAY;
}

// The handler's response is a file.
static enum vhttp_step take_chosen(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_request *request,
                                   const struct vhttp_answer_file *file) {
    vhttp_errand_is_done(&exchange->errand);
    char *fields = vhttp_reply_room(&exchange->reply);
    memcpy(fields, file->text + strlen(file->text) + 1, file->fields_length);
    struct vhttp_chosen_file chosen = {(int)file->status, {fields, file->fields_length}};
    return vhttp_static_start(shared, exchange, request, file->text, false, chosen, 0);
}

enum vhttp_step vhttp_exchange_take(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                    const struct vhttp_request *request,
                                    const struct vhttp_ipc_head *answer, uint32_t length) {
    switch ((enum vhttp_answer)answer->kind) {
    case VHTTP_ANSWER_FOUND:
    case VHTTP_ANSWER_NONE:
        return vhttp_static_found(shared, exchange, answer);
    case VHTTP_ANSWER_DATA:
    case VHTTP_ANSWER_END:
        return take_content(exchange, answer, length);
    case VHTTP_ANSWER_BEGIN:
        return vhttp_call_begins(exchange, (const struct vhttp_answer_begin *)answer, length);
    case VHTTP_ANSWER_FILE:
        return take_chosen(shared, exchange, request, (const struct vhttp_answer_file *)answer);
    case VHTTP_ANSWER_BROKEN:
        vhttp_errand_is_done(&exchange->errand);
        return VHTTP_STEP_BREAK; // the length was promised: cut it short
    case VHTTP_ANSWER_CHANGED:
        break; // is for the cache
    }
    return VHTTP_STEP_STAY;
}

enum vhttp_step vhttp_exchange_overdue(struct vhttp_shared *shared,
                                       struct vhttp_exchange *exchange) {
    vhttp_errand_drop(&shared->desk, &exchange->errand);
    return vhttp_static_overdue(shared, exchange);
}

void vhttp_exchange_end(struct vhttp_shared *shared, struct vhttp_exchange *exchange) {
    vhttp_errand_drop(&shared->desk, &exchange->errand);
    vhttp_cache_leave(&shared->cache, &exchange->reader);
}
