// What requests mean, and what the interpreter's answers mean for them.
#include "connection.h"
#include "path.h"
#include "port.h"

#define STATIC_METHODS "GET, HEAD, OPTIONS"

// ---- Asking the interpreter

static bool ask(struct vhttp_server *server, const struct vhttp_connection *connection,
                const void *record, uint32_t length) {
    struct vhttp_ring *ring = connection->is_call ? &server->requests : server->file_requests;
    void *room = vhttp_ring_reserve(ring, length);
    if (room == NULL) {
        return false;
    }
    memcpy(room, record, length);
    vhttp_ring_commit(ring, length);
    server->asked_now = true;
    return true;
}

static struct vhttp_ipc_head head_for(const struct vhttp_server *server,
                                      const struct vhttp_connection *connection,
                                      enum vhttp_ask kind) {
    return (struct vhttp_ipc_head){(uint16_t)kind, vhttp_index(server, connection),
                                   connection->generation};
}

bool vhttp_settle(struct vhttp_server *server, struct vhttp_connection *connection) {
    if (connection->owes_close) {
        struct vhttp_ipc_head record = head_for(server, connection, VHTTP_ASK_CLOSE);
        connection->owes_close = !ask(server, connection, &record, sizeof(record));
        connection->owes_credit = 0;
    } else if (connection->owes_read) {
        struct vhttp_ask_read record = {head_for(server, connection, VHTTP_ASK_READ),
                                        connection->read_offset,
                                        (uint32_t)connection->content_expected, VHTTP_WINDOW_SIZE};
        connection->owes_read = !ask(server, connection, &record, sizeof(record));
    } else if (connection->owes_credit > 0) {
        struct vhttp_ask_credit record = {head_for(server, connection, VHTTP_ASK_CREDIT),
                                          connection->owes_credit};
        if (ask(server, connection, &record, sizeof(record))) {
            connection->owes_credit = 0;
        }
    }
    bool settled =
        !connection->owes_close && !connection->owes_read && connection->owes_credit == 0;
    server->owes |= !settled;
    return settled;
}

// ---- Requests

static void respond_text(struct vhttp_server *server, struct vhttp_connection *connection,
                         const char *type, size_t length) {
    struct vhttp_response response = {
        .status = 200, .content_type = type, .length = length, .cache_control = "no-store"};
    connection->written = (uint32_t)length;
    connection->taken = 0;
    connection->content_expected = 0;
    vhttp_connection_respond(server, connection, &response);
}

static void respond_health(struct vhttp_server *server, struct vhttp_connection *connection) {
    static const char text[] = "{\"status\":\"ok\"}\n";
    memcpy(connection->window, text, sizeof(text) - 1);
    respond_text(server, connection, "application/json", sizeof(text) - 1);
}

static void respond_metrics(struct vhttp_server *server, struct vhttp_connection *connection) {
    struct vhttp_metrics metrics = {
        .stats = &server->stats,
        .heap = &server->heap,
        .cache = &server->cache,
        .requests = &server->requests,
        .responses = &server->responses,
        .version = server->options.version,
        .build_id = server->options.build_id,
        .psram = vhttp_has_psram(),
        .now_ms = server->now_ms,
    };
    size_t length = vhttp_write_metrics(&metrics, (char *)connection->window, VHTTP_WINDOW_SIZE);
    respond_text(server, connection, "text/plain; version=0.0.4; charset=utf-8", length);
    // The interpreter is asked for fresh figures, for the next reader: this one does not wait.
    atomic_store_explicit(&server->heap_wanted, true, memory_order_release);
    server->asked_now = true;
}

static void respond_methods(struct vhttp_server *server, struct vhttp_connection *connection,
                            int status) {
    struct vhttp_response response = {.status = status, .allow = STATIC_METHODS};
    if (status != 204) {
        response.content_type = "text/plain; charset=utf-8";
    }
    vhttp_connection_respond(server, connection, &response);
}

static void request_below(struct vhttp_server *server, struct vhttp_connection *connection,
                          const struct vhttp_mount *mount, const char *below) {
    char path[VHTTP_FILE_PATH_MAX]; // both are shorter than VHTTP_PATH_MAX
    size_t folder_length = strlen(mount->folder);
    memcpy(path, mount->folder, folder_length);
    memcpy(path + folder_length, below, strlen(below) + 1);
    static const struct vhttp_chosen_file not_chosen = {200, {NULL, 0}};
    vhttp_request_file(server, connection, path, mount->html, not_chosen);
}

void vhttp_dispatch(struct vhttp_server *server, struct vhttp_connection *connection) {
    const struct vhttp_request *request = &server->request;
    if (request->method == VHTTP_OPTIONS && vhttp_slice_equals(request->path, "*")) {
        respond_methods(server, connection, 204);
        return;
    }
    int length = vhttp_decode_path(request->path, server->decoded_path, VHTTP_PATH_MAX);
    if (length < 0) {
        vhttp_connection_refuse(server, connection, -length);
        return;
    }
    const char *path = server->decoded_path;
    if (vhttp_call_dispatch(server, connection)) {
        return;
    }
    const struct vhttp_mount *mount = vhttp_router_find(server->router, path);
    if (mount == NULL || (mount->kind == VHTTP_MOUNT_STATIC && vhttp_path_is_hidden(path))) {
        vhttp_connection_respond_status(server, connection, 404);
    } else if (request->method == VHTTP_OPTIONS) {
        respond_methods(server, connection, 204);
    } else if (request->method != VHTTP_GET && request->method != VHTTP_HEAD) {
        respond_methods(server, connection, 405);
    } else if (mount->kind == VHTTP_MOUNT_HEALTH) {
        respond_health(server, connection);
    } else if (mount->kind == VHTTP_MOUNT_METRICS) {
        respond_metrics(server, connection);
    } else {
        bool is_file = mount->kind == VHTTP_MOUNT_FILE;
        request_below(server, connection, mount, is_file ? "" : path + mount->prefix_length);
    }
}

// ---- Answers

void vhttp_take_content(struct vhttp_server *server, struct vhttp_connection *connection,
                        const uint8_t *bytes, uint32_t length) {
    if (connection->written - connection->taken == 0) { // a stream may have paused
        vhttp_deadlines_set(&server->deadlines, vhttp_index(server, connection),
                            VHTTP_DEADLINE_SEND, server->now_ms);
    }
    uint32_t at = connection->written % VHTTP_WINDOW_SIZE;
    uint32_t run = VHTTP_WINDOW_SIZE - at;
    uint32_t first = length < run ? length : run;
    memcpy(connection->window + at, bytes, first);
    memcpy(connection->window, bytes + first, length - first);
    connection->written += length;
    connection->content_expected -= length;
    if (connection->content_expected == 0) {
        connection->has_errand = false; // the interpreter closes a file at its end
        connection->owes_credit = 0;
    }
}

static void take_for_connection(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                                uint32_t length) {
    struct vhttp_connection *connection = &server->connections[answer->connection];
    if (!connection->has_errand || answer->generation != connection->generation) {
        server->stats.answers_dropped++;
        return; // it was for a request that is over
    }
    switch ((enum vhttp_answer)answer->kind) {
    case VHTTP_ANSWER_FOUND:
    case VHTTP_ANSWER_NONE:
        vhttp_take_found(server, connection, answer);
        break;
    case VHTTP_ANSWER_DATA:
    case VHTTP_ANSWER_END:
        vhttp_take_content(server, connection, (const uint8_t *)(answer + 1),
                           length - (uint32_t)sizeof(*answer));
        if (answer->kind == VHTTP_ANSWER_END) {
            vhttp_call_ends(connection);
        }
        break;
    case VHTTP_ANSWER_BEGIN:
        vhttp_call_begins(server, connection, (const struct vhttp_answer_begin *)answer, length);
        break;
    case VHTTP_ANSWER_FILE:
        vhttp_call_chooses(server, connection, (const struct vhttp_answer_file *)answer);
        break;
    case VHTTP_ANSWER_BROKEN:
        connection->has_errand = false;
        vhttp_connection_close(server, connection); // the length was promised: cut it short
        return;
    case VHTTP_ANSWER_CHANGED:
        return;
    }
    vhttp_connection_advance(server, connection);
}

void vhttp_take_answer(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                       uint32_t length) {
    if (answer->kind == VHTTP_ANSWER_CHANGED) {
        vhttp_cache_invalidate(&server->cache, ((const struct vhttp_answer_changed *)answer)->path);
    } else if (answer->connection >= VHTTP_CACHE_READER) {
        vhttp_take_cached_answer(server, answer, length);
    } else {
        take_for_connection(server, answer, length);
    }
}
