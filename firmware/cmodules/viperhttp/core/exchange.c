// SPDX-License-Identifier: MIT
#include "exchange.h"

#include <string.h>

#include "call.h"
#include "negotiation.h"
#include "path.h"
#include "state.h"

// ---- Requests

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
        vhttp_write_metrics(&metrics, vhttp_reply_room(&exchange->reply), VHTTP_REPLY_ROOM);
    // The interpreter is asked for fresh figures, for the next reader: this one does not wait.
    atomic_store_explicit(&shared->heap_wanted, true, memory_order_release);
    shared->desk.asked = true;
    return respond_text(exchange, "text/plain; version=0.0.4; charset=utf-8", length);
}

// What the server has for a path that is no route's for this method.
struct offer {
    int status;                      // of the answer; of a file's, if it is there
    unsigned methods;                // that the path is for, where the status is about these
    const struct vhttp_mount *mount; // NULL where the status is all
};

static struct offer find_offer(const struct vhttp_shared *shared, enum vhttp_method method,
                               const char *path, unsigned route_methods) {
    const struct vhttp_mount *mount = vhttp_router_find(shared->options.router, path);
    bool is_mounted =
        mount != NULL && !(mount->kind == VHTTP_MOUNT_STATIC && vhttp_path_is_hidden(path));
    if (!is_mounted && route_methods == 0) {
        return (struct offer){404, 0, NULL};
    }
    if (!is_mounted || (method != VHTTP_GET && method != VHTTP_HEAD)) {
        unsigned methods = route_methods | (is_mounted ? 1u << VHTTP_GET : 0);
        return (struct offer){method == VHTTP_OPTIONS ? 204 : 405, methods, NULL};
    }
    return (struct offer){200, route_methods, mount};
}

static bool is_file(const struct offer *offer) {
    return offer->mount != NULL &&
           (offer->mount->kind == VHTTP_MOUNT_STATIC || offer->mount->kind == VHTTP_MOUNT_FILE);
}

// The file behind an offer, or the folder's index.html that `path` stands for.
static void write_file_path(const struct vhttp_mount *mount, const char *path,
                            char out[VHTTP_FILE_PATH_MAX]) {
    static const char index[] = "index.html";
    const char *below = mount->kind == VHTTP_MOUNT_FILE ? "" : path + mount->prefix_length;
    size_t length = strlen(mount->folder); // both are shorter than VHTTP_PATH_MAX
    memcpy(out, mount->folder, length);
    memcpy(out + length, below, strlen(below) + 1);
    length += strlen(below);
    if (mount->html && below[0] != '\0' && out[length - 1] == '/' &&
        length + sizeof(index) <= VHTTP_FILE_PATH_MAX) {
        memcpy(out + length, index, sizeof(index));
    }
}

// Whether the client wants a page at a path whose last part is no file's name: it has no dot.
static bool falls_back(const struct offer *offer, const struct vhttp_request *request,
                       const char *path) {
    if (offer->mount->fallback[0] == '\0' || offer->methods != 0 ||
        strchr(strrchr(path, '/'), '.') != NULL) {
        return false;
    }
    return vhttp_accepts_page(request);
}

static enum vhttp_step start_offer(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_request *request, const char *path,
                                   const struct offer *offer) {
    unsigned about = offer->status == 404   ? VHTTP_ASKS_ABOUT_PATHS
                     : offer->status == 405 ? VHTTP_ASKS_ABOUT_METHODS
                                            : 0;
    if (shared->options.asks_about & about) {
        return vhttp_call_for_refusal(shared, exchange, request, path, offer->status,
                                      offer->methods);
    }
    if (offer->status == 404) {
        vhttp_reply_start_status(&exchange->reply, 404);
        return VHTTP_STEP_REPLY;
    }
    if (offer->mount == NULL) {
        vhttp_reply_start_methods(&exchange->reply, offer->status, offer->methods);
        return VHTTP_STEP_REPLY;
    }
    if (offer->mount->kind == VHTTP_MOUNT_HEALTH) {
        return respond_health(exchange);
    }
    if (offer->mount->kind == VHTTP_MOUNT_METRICS) {
        return respond_metrics(shared, exchange);
    }
    char file[VHTTP_FILE_PATH_MAX];
    write_file_path(offer->mount, path, file);
    struct vhttp_chosen_file by_mount = {
        .status = 200,
        .cache_control = vhttp_mount_cache_control(offer->mount, path),
        .fallback = falls_back(offer, request, path) ? offer->mount->fallback : NULL,
    };
    return vhttp_static_start(shared, exchange, request, file, offer->mount->html, by_mount,
                              offer->methods);
}

// Has the interpreter say whether the client is to have the offer.
static enum vhttp_step ask_first(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_request *request, const char *path,
                                 const struct offer *offer) {
    char file[VHTTP_FILE_PATH_MAX] = "";
    struct vhttp_offered offered = {offer->status, file, 0};
    if (is_file(offer)) {
        write_file_path(offer->mount, path, file);
        offered.status = offer->methods != 0 ? 405 : falls_back(offer, request, path) ? 200 : 404;
        offered.folder_status = offer->mount->html ? 301 : offered.status;
    }
    return vhttp_call_for_unrouted(shared, exchange, request, path, &offered);
}

enum vhttp_step vhttp_exchange_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                     const struct vhttp_request *request) {
    vhttp_reply_prepare(&exchange->reply, request->method == VHTTP_HEAD,
                        request->minor_version == 0);
    if (request->method == VHTTP_OPTIONS && vhttp_slice_equals(request->path, "*")) {
        vhttp_reply_start_methods(&exchange->reply, 204, 1u << VHTTP_GET);
        return VHTTP_STEP_REPLY;
    }
    char path[VHTTP_PATH_MAX];
    int length = vhttp_decode_path(request->path, path, sizeof(path));
    if (length < 0) {
        vhttp_reply_refuse(&exchange->reply, -length, request->method == VHTTP_HEAD);
        return VHTTP_STEP_REPLY;
    }
    struct vhttp_match match;
    if (vhttp_routes_find(shared->options.routes, request->method, path, &match)) {
        return vhttp_call_start(shared, exchange, request, path, &match);
    }
    struct offer offer = find_offer(shared, request->method, path, match.methods);
    return shared->options.asks_for_all ? ask_first(shared, exchange, request, path, &offer)
                                        : start_offer(shared, exchange, request, path, &offer);
}

enum vhttp_step vhttp_exchange_refuse(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                      const struct vhttp_request *request, int status) {
    char path[VHTTP_PATH_MAX];
    if (request->path.at == NULL || vhttp_decode_path(request->path, path, sizeof(path)) < 0) {
        path[0] = '\0';
    }
    struct vhttp_match match = {0};
    if (status == 0) {
        vhttp_routes_find(shared->options.routes, request->method, path, &match);
        status = match.methods != 0 ? 405 : 404;
    }
    return vhttp_call_for_refusal(shared, exchange, request, path, status, match.methods);
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
    struct vhttp_chosen_file chosen = {.status = (int)file->status,
                                       .fields = {fields, file->fields_length}};
    return vhttp_static_start(shared, exchange, request, file->text, false, chosen, 0);
}

// The client is to have what the server offered: found anew, for nothing has been kept of it.
static enum vhttp_step take_pass(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_request *request,
                                 const struct vhttp_answer_pass *pass) {
    vhttp_errand_is_done(&exchange->errand);
    vhttp_reply_keep_fields(&exchange->reply,
                            (struct vhttp_slice){pass->text, pass->fields_length});
    char path[VHTTP_PATH_MAX];
    vhttp_decode_path(request->path, path, sizeof(path)); // as it could be before
    struct vhttp_match match;
    vhttp_routes_find(shared->options.routes, request->method, path, &match);
    struct offer offer = find_offer(shared, request->method, path, match.methods);
    return start_offer(shared, exchange, request, path, &offer);
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
    case VHTTP_ANSWER_PASS:
        return take_pass(shared, exchange, request, (const struct vhttp_answer_pass *)answer);
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
