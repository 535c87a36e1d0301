// What requests mean, and what the interpreter's answers mean for them.
#include <inttypes.h>
#include <stdio.h>

#include "connection.h"
#include "mime.h"
#include "negotiation.h"
#include "path.h"
#include "port.h"

#define STATIC_METHODS "GET, HEAD, OPTIONS"

// Room for a file's path: a mounted folder, the path below it, and index.html.
#define FILE_PATH_MAX (2 * VHTTP_PATH_MAX)

// ---- Asking the interpreter

static bool ask(struct vhttp_server *server, const void *record, uint32_t length) {
    void *room = vhttp_ring_reserve(&server->requests, length);
    if (room == NULL) {
        return false;
    }
    memcpy(room, record, length);
    vhttp_ring_commit(&server->requests, length);
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
        connection->owes_close = !ask(server, &record, sizeof(record));
        connection->owes_credit = 0;
    } else if (connection->owes_credit > 0) {
        struct vhttp_ask_credit record = {head_for(server, connection, VHTTP_ASK_CREDIT),
                                          connection->owes_credit};
        if (ask(server, &record, sizeof(record))) {
            connection->owes_credit = 0;
        }
    }
    bool settled = !connection->owes_close && connection->owes_credit == 0;
    server->owes |= !settled;
    return settled;
}

static bool ask_for_file(struct vhttp_server *server, struct vhttp_connection *connection,
                         const char *path, uint32_t flags, uint32_t credit) {
    uint32_t path_size = (uint32_t)strlen(path) + 1;
    uint32_t length = (uint32_t)sizeof(struct vhttp_ask_open) + path_size;
    struct vhttp_ask_open *record = vhttp_ring_reserve(&server->requests, length);
    if (record == NULL) {
        return false;
    }
    connection->generation++;
    record->head = head_for(server, connection, VHTTP_ASK_OPEN);
    record->flags = flags;
    record->credit = credit;
    memcpy(record->path, path, path_size);
    vhttp_ring_commit(&server->requests, length);
    server->asked_now = true;
    connection->has_file = true;
    connection->owes_close = false; // opening a file closes the one before
    connection->owes_credit = 0;
    return true;
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

static void request_file(struct vhttp_server *server, struct vhttp_connection *connection,
                         const struct vhttp_mount *mount, const char *below) {
    char path[FILE_PATH_MAX];
    bool is_folder = below[0] == '\0' || below[strlen(below) - 1] == '/';
    const char *index = is_folder && below[0] != '\0' && mount->html ? "index.html" : "";
    snprintf(path, sizeof(path), "%s%s%s", mount->folder, below, index);
    connection->path = server->request.path;
    connection->query = server->request.query;
    connection->content_type = vhttp_content_type(path);
    const struct vhttp_slice *condition = vhttp_find_header(&server->request, "if-none-match");
    connection->if_none_match = condition == NULL ? (struct vhttp_slice){NULL, 0} : *condition;

    uint32_t flags = mount->html ? VHTTP_OPEN_HTML : 0;
    if (VHTTP_GZIP_ENABLED && vhttp_accepts_gzip(&server->request)) {
        flags |= VHTTP_OPEN_GZIP;
    }
    // Without credit the content does not come unless it is needed.
    uint32_t credit = connection->is_head || condition != NULL ? 0 : VHTTP_WINDOW_SIZE;
    if (!ask_for_file(server, connection, path, flags, credit)) {
        vhttp_connection_respond_status(server, connection, 503);
        return;
    }
    connection->state = VHTTP_WAITING;
    vhttp_deadlines_set(&server->deadlines, vhttp_index(server, connection), VHTTP_DEADLINE_PYTHON,
                        server->now_ms);
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
        request_file(server, connection, mount, path + mount->prefix_length);
    }
}

// ---- Answers

static void take_found(struct vhttp_server *server, struct vhttp_connection *connection,
                       const struct vhttp_answer_found *found) {
    char etag[2 + 16 + 1];
    struct vhttp_response response = {
        .status = 200,
        .content_type = connection->content_type,
        .length = found->size,
        .gzip = found->flags & VHTTP_FOUND_GZIP,
        .varies = found->flags & VHTTP_FOUND_VARIES,
        .cache_control = "no-cache",
    };
    if (found->flags & VHTTP_FOUND_DIGEST) {
        snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", found->digest);
        response.etag = etag;
    }
    bool is_known = connection->if_none_match.at != NULL &&
                    (response.etag != NULL || vhttp_slice_equals(connection->if_none_match, "*")) &&
                    vhttp_etag_matches(connection->if_none_match, response.etag ? etag : "");
    if (is_known) {
        response.status = 304;
        response.content_type = NULL;
        response.gzip = false;
    }
    connection->written = connection->taken = 0;
    bool wants_content = !is_known && !connection->is_head;
    connection->content_expected = wants_content ? found->size : 0;
    if (found->size == 0) {
        connection->has_file = false; // the interpreter closes a file at its end
    } else if (wants_content && connection->if_none_match.at != NULL) {
        connection->owes_credit = VHTTP_WINDOW_SIZE;
        vhttp_settle(server, connection);
    }
    server->stats.files_opened++;
    vhttp_connection_respond(server, connection, &response);
}

static void take_none(struct vhttp_server *server, struct vhttp_connection *connection,
                      const struct vhttp_answer_none *none) {
    connection->has_file = false;
    if (none->status == 301) {
        struct vhttp_response response = {.status = 301,
                                          .content_type = "text/plain; charset=utf-8",
                                          .location_path = connection->path,
                                          .location_query = connection->query};
        vhttp_connection_respond(server, connection, &response);
    } else {
        vhttp_connection_respond_status(server, connection, none->status);
    }
}

static void take_data(struct vhttp_connection *connection, const uint8_t *bytes, uint32_t length) {
    uint32_t at = connection->written % VHTTP_WINDOW_SIZE;
    uint32_t run = VHTTP_WINDOW_SIZE - at;
    uint32_t first = length < run ? length : run;
    memcpy(connection->window + at, bytes, first);
    memcpy(connection->window, bytes + first, length - first);
    connection->written += length;
    connection->content_expected -= length;
    if (connection->content_expected == 0) {
        connection->has_file = false; // the interpreter closes a file at its end
        connection->owes_credit = 0;
    }
}

void vhttp_take_answer(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                       uint32_t length) {
    struct vhttp_connection *connection = &server->connections[answer->connection];
    if (!connection->has_file || answer->generation != connection->generation) {
        return; // it was for a request that is over
    }
    switch ((enum vhttp_answer)answer->kind) {
    case VHTTP_ANSWER_FOUND:
        take_found(server, connection, (const struct vhttp_answer_found *)answer);
        break;
    case VHTTP_ANSWER_NONE:
        take_none(server, connection, (const struct vhttp_answer_none *)answer);
        break;
    case VHTTP_ANSWER_DATA:
        take_data(connection, (const uint8_t *)(answer + 1), length - (uint32_t)sizeof(*answer));
        break;
    case VHTTP_ANSWER_BROKEN:
        connection->has_file = false;
        vhttp_connection_close(server, connection); // the length was promised: cut it short
        return;
    }
    vhttp_connection_advance(server, connection);
}
