// Files: from the cache or from the interpreter, whole, in part, or only when they have changed.
#include <inttypes.h>
#include <stdio.h>

#include "connection.h"
#include "mime.h"
#include "negotiation.h"

#define ETAG_SIZE (2 + 16 + 1)

// ---- Asking the interpreter

static bool ask_open(struct vhttp_server *server, uint16_t reader, uint32_t generation,
                     const char *path, uint32_t flags, uint32_t limit) {
    uint32_t path_size = (uint32_t)strlen(path) + 1;
    uint32_t length = (uint32_t)sizeof(struct vhttp_ask_open) + path_size;
    struct vhttp_ask_open *record = vhttp_ring_reserve(server->file_requests, length);
    if (record == NULL) {
        return false;
    }
    record->head = (struct vhttp_ipc_head){VHTTP_ASK_OPEN, reader, generation};
    record->flags = flags;
    record->limit = limit;
    memcpy(record->path, path, path_size);
    vhttp_ring_commit(server->file_requests, length);
    server->asked_now = true;
    return true;
}

static uint16_t reader_of(const struct vhttp_server *server, const struct vhttp_cached *entry) {
    return (uint16_t)(VHTTP_CACHE_READER + (entry - server->cache.entries));
}

// For a file that does not go through the cache.
static void ask_for_connection(struct vhttp_server *server, struct vhttp_connection *connection,
                               const char *path, uint32_t flags) {
    if (!ask_open(server, vhttp_index(server, connection), connection->generation + 1, path,
                  flags | VHTTP_OPEN_KEEP, 0)) {
        vhttp_connection_respond_status(server, connection, 503);
        return;
    }
    connection->content_type = vhttp_content_type(path);
    connection->generation++;
    connection->has_errand = true;
    connection->owes_close = connection->owes_read = false; // opening closes the one before
    connection->owes_credit = 0;
    vhttp_connection_wait(server, connection);
}

static bool ask_for_cache(struct vhttp_server *server, struct vhttp_cached *entry, uint32_t limit) {
    if (!ask_open(server, reader_of(server, entry), entry->generation + 1, entry->path,
                  entry->flags, limit)) {
        return false;
    }
    entry->generation++;
    entry->asked_ms = server->now_ms;
    return true;
}

// ---- Readers of the cache

static void enter_cache(struct vhttp_connection *connection, struct vhttp_cached *entry) {
    connection->cached = entry;
    connection->previous_reader = NULL;
    connection->next_reader = entry->readers;
    if (entry->readers != NULL) {
        entry->readers->previous_reader = connection;
    }
    entry->readers = connection;
}

void vhttp_leave_cache(struct vhttp_server *server, struct vhttp_connection *connection) {
    struct vhttp_cached *entry = connection->cached;
    if (entry == NULL) {
        return;
    }
    connection->cached = NULL;
    if (connection->next_reader != NULL) {
        connection->next_reader->previous_reader = connection->previous_reader;
    }
    if (connection->previous_reader != NULL) {
        connection->previous_reader->next_reader = connection->next_reader;
    } else {
        entry->readers = connection->next_reader;
    }
    vhttp_cache_tidy(&server->cache, entry);
}

// ---- Responses

static const char *etag_of(const struct vhttp_file_facts *facts, char out[ETAG_SIZE]) {
    if (!(facts->flags & VHTTP_FOUND_DIGEST)) {
        return NULL;
    }
    snprintf(out, ETAG_SIZE, "\"%016" PRIx64 "\"", facts->digest);
    return out;
}

// RFC 9110, section 13.2.2: If-Modified-Since counts only without If-None-Match.
static bool is_known(const struct vhttp_conditions *conditions,
                     const struct vhttp_file_facts *facts, const char *etag) {
    if (conditions->if_none_match.at != NULL) {
        return vhttp_etag_matches(conditions->if_none_match, etag == NULL ? "" : etag);
    }
    return conditions->if_modified_since.at != NULL && facts->modified_s != 0 &&
           facts->modified_s <= vhttp_parse_date(conditions->if_modified_since);
}

// RFC 9110, section 13.1.5: by a strong ETag or the very date.
static bool range_is_wanted(const struct vhttp_conditions *conditions,
                            const struct vhttp_file_facts *facts, const char *etag) {
    struct vhttp_slice condition = conditions->if_range;
    if (condition.at == NULL) {
        return true;
    }
    if (condition.length > 0 && condition.at[0] == '"') {
        return etag != NULL && vhttp_slice_equals(condition, etag);
    }
    return facts->modified_s != 0 && facts->modified_s == vhttp_parse_date(condition);
}

static void respond_absent(struct vhttp_server *server, struct vhttp_connection *connection,
                           int status) {
    vhttp_leave_cache(server, connection);
    if (status != 301) {
        vhttp_connection_respond_status(server, connection, status);
        return;
    }
    struct vhttp_response response = {.status = 301,
                                      .content_type = "text/plain; charset=utf-8",
                                      .location_path = connection->path,
                                      .location_query = connection->query};
    vhttp_connection_respond(server, connection, &response);
}

// What to send of the file is settled: `response` has it, but for its content's place.
static struct vhttp_range choose(const struct vhttp_connection *connection,
                                 const struct vhttp_file_facts *facts,
                                 struct vhttp_response *response) {
    const struct vhttp_conditions *conditions = &connection->conditions;
    struct vhttp_range all = {VHTTP_RANGE_NONE, 0, facts->size};
    if (is_known(conditions, facts, response->etag)) {
        response->status = 304;
        response->content_type = NULL;
        response->sized = response->gzip = false;
        return (struct vhttp_range){VHTTP_RANGE_NONE, 0, 0};
    }
    if (conditions->range.at == NULL || connection->is_head ||
        !range_is_wanted(conditions, facts, response->etag)) {
        return all;
    }
    struct vhttp_range range = vhttp_read_range(conditions->range, facts->size);
    if (range.kind == VHTTP_RANGE_NONE) {
        return all;
    }
    response->range = range;
    response->length = range.length; // none when it is unsatisfiable
    response->status = range.kind == VHTTP_RANGE_SATISFIABLE ? 206 : 416;
    if (response->status == 416) {
        response->gzip = response->sized = false;
        response->fields = (struct vhttp_slice){NULL, 0};
        response->content_type = "text/plain; charset=utf-8";
    }
    return range;
}

// True when the connection gets the whole file from the cache, with the head that the entry keeps.
static bool is_plain(const struct vhttp_connection *connection) {
    const struct vhttp_conditions *conditions = &connection->conditions;
    const struct vhttp_cached *entry = connection->cached;
    return entry != NULL && entry->head_length > 0 && entry->loaded > 0 && !connection->is_head &&
           connection->chosen.fields.at == NULL && conditions->range.at == NULL &&
           conditions->if_none_match.at == NULL && conditions->if_modified_since.at == NULL;
}

static void respond_plain(struct vhttp_server *server, struct vhttp_connection *connection) {
    const struct vhttp_cached *entry = connection->cached;
    connection->content_at = 0;
    connection->place = vhttp_cache_seek(&server->cache, entry, 0);
    vhttp_connection_respond_ready(server, connection, entry->head, entry->head_length, 200,
                                   entry->facts.size);
}

static bool names_cache_control(struct vhttp_slice fields) {
    static const char name[] = "cache-control";
    struct vhttp_slice line;
    while (vhttp_slice_next(&fields, '\n', &line)) {
        line.length = line.length < sizeof(name) ? 0 : sizeof(name) - 1;
        if (vhttp_slice_equals_nocase(line, name)) {
            return true;
        }
    }
    return false;
}

// Responds with what there is, from the cache if the connection is in it, else from the file that
// the interpreter holds for it.
static void respond_file(struct vhttp_server *server, struct vhttp_connection *connection,
                         const struct vhttp_file_facts *facts) {
    struct vhttp_cached *entry = connection->cached;
    if (facts->status != 200) {
        respond_absent(server, connection, facts->status);
        return;
    }
    if (is_plain(connection)) {
        respond_plain(server, connection);
        return;
    }
    char etag[ETAG_SIZE];
    const struct vhttp_chosen_file *chosen = &connection->chosen;
    bool is_chosen = chosen->fields.at != NULL;
    struct vhttp_response response = {
        .status = chosen->status,
        .content_type = is_chosen       ? NULL
                        : entry != NULL ? vhttp_content_type(entry->path)
                                        : connection->content_type,
        .fields = chosen->fields,
        .sized = is_chosen,
        .length = facts->size,
        .whole = facts->size,
        .modified_s = facts->modified_s,
        .etag = etag_of(facts, etag),
        .accepts_ranges = true,
        .gzip = facts->flags & VHTTP_FOUND_GZIP,
        .varies = facts->flags & VHTTP_FOUND_VARIES,
        .cache_control = names_cache_control(chosen->fields) ? NULL : "no-cache",
    };
    struct vhttp_range part = choose(connection, facts, &response);
    bool has_content = part.length > 0 && !connection->is_head;
    connection->written = connection->taken = 0;
    connection->content_expected = 0;
    if (entry == NULL) {
        if (has_content) {
            connection->content_expected = part.length;
            connection->read_offset = (uint32_t)part.first;
            connection->owes_read = true;
            vhttp_settle(server, connection);
        }
        vhttp_connection_respond(server, connection, &response);
        return;
    }
    if (!has_content) {
        vhttp_leave_cache(server, connection);
        vhttp_connection_respond(server, connection, &response);
        return;
    }
    if (!entry->holds_content) {
        uint32_t flags = entry->flags;
        char path[VHTTP_FILE_PATH_MAX];
        memcpy(path, entry->path, strlen(entry->path) + 1);
        vhttp_leave_cache(server, connection);
        ask_for_connection(server, connection, path, flags);
        return;
    }
    connection->content_at = (uint32_t)part.first;
    connection->place = vhttp_cache_seek(&server->cache, entry, connection->content_at);
    if (response.status == 200 && !is_chosen && entry->head_length == 0) {
        entry->head_length =
            (uint16_t)vhttp_write_response_head(&response, entry->head, sizeof(entry->head));
    }
    vhttp_connection_respond(server, connection, &response);
}

// ---- Requests

static struct vhttp_slice field(const struct vhttp_request *request, const char *name) {
    const struct vhttp_slice *value = vhttp_find_header(request, name);
    return value == NULL ? (struct vhttp_slice){NULL, 0} : *value;
}

static uint32_t cache_limit(const struct vhttp_server *server) {
    uint32_t room = (uint32_t)server->cache.block_count * VHTTP_CACHE_BLOCK_SIZE;
    return room < VHTTP_CACHE_FILE_MAX ? room : VHTTP_CACHE_FILE_MAX;
}

// The entry for a path, newly asked for if there is none. NULL when that cannot be.
static struct vhttp_cached *find_entry(struct vhttp_server *server, const char *path,
                                       uint32_t flags) {
    size_t length = strlen(path);
    struct vhttp_cached *entry = vhttp_cache_find(&server->cache, path, length, flags);
    if (entry != NULL) {
        return entry;
    }
    server->cache.stats.misses++;
    entry = vhttp_cache_add(&server->cache, path, length, flags);
    if (entry != NULL && !ask_for_cache(server, entry, cache_limit(server))) {
        entry->state = VHTTP_CACHED_READY; // so that it goes
        vhttp_cache_drop(&server->cache, entry);
        return NULL;
    }
    return entry;
}

// Asks whether a file has changed, if that was not done for some time. True when its response has
// to wait for that: a file that is asked for all the time is checked before it comes to this.
static bool check(struct vhttp_server *server, struct vhttp_cached *entry) {
    uint64_t age = server->now_ms - entry->checked_ms;
    if (age < VHTTP_STATIC_REVALIDATE_MS / 4 * 3 || entry->state != VHTTP_CACHED_READY) {
        return false;
    }
    if (!entry->is_checked_now) {
        entry->is_checked_now = ask_for_cache(server, entry, 0);
    }
    // An interpreter that has not answered for so long will not do so for this one either.
    return entry->is_checked_now && age >= VHTTP_STATIC_REVALIDATE_MS &&
           server->now_ms - entry->asked_ms < VHTTP_COLD_WAIT_MS;
}

static void respond_from(struct vhttp_server *server, struct vhttp_connection *connection,
                         struct vhttp_cached *entry) {
    enter_cache(connection, entry);
    if (entry->state == VHTTP_CACHED_ASKED || check(server, entry)) {
        vhttp_connection_wait(server, connection);
        return;
    }
    server->cache.stats.hits++;
    respond_file(server, connection, &entry->facts);
}

// RFC 9110, sections 13.2.1 and 14.2: conditions count for what reads and would succeed.
static struct vhttp_conditions conditions_of(const struct vhttp_request *request, int status) {
    bool is_read = request->method == VHTTP_GET || request->method == VHTTP_HEAD;
    if (!is_read || status != 200) {
        return (struct vhttp_conditions){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    }
    return (struct vhttp_conditions){field(request, "if-none-match"),
                                     field(request, "if-modified-since"), field(request, "range"),
                                     field(request, "if-range")};
}

void vhttp_request_file(struct vhttp_server *server, struct vhttp_connection *connection,
                        const char *path, bool html, struct vhttp_chosen_file chosen) {
    const struct vhttp_request *request = &server->request;
    size_t length = strlen(path);
    char index[VHTTP_FILE_PATH_MAX];
    if (html && length > 0 && path[length - 1] == '/') {
        snprintf(index, sizeof(index), "%.*sindex.html", VHTTP_FILE_PATH_MAX - 11, path);
        path = index;
    }
    connection->path = request->path;
    connection->query = request->query;
    connection->chosen = chosen;
    connection->conditions = conditions_of(request, chosen.status);
    uint32_t flags = html ? VHTTP_OPEN_HTML : 0;
    if (VHTTP_GZIP_ENABLED && vhttp_accepts_gzip(request)) {
        flags |= VHTTP_OPEN_GZIP;
    }
    struct vhttp_cached *entry = find_entry(server, path, flags);
    if (entry != NULL) {
        respond_from(server, connection, entry);
    } else {
        ask_for_connection(server, connection, path, flags);
    }
}

void vhttp_file_overdue(struct vhttp_server *server, struct vhttp_connection *connection) {
    struct vhttp_cached *entry = connection->cached;
    if (entry != NULL && entry->state == VHTTP_CACHED_READY) {
        respond_file(server, connection, &entry->facts);
    } else {
        vhttp_leave_cache(server, connection);
        vhttp_connection_respond_status(server, connection, 503);
    }
}

// ---- Answers

static struct vhttp_file_facts facts_of(const struct vhttp_ipc_head *answer) {
    if (answer->kind == VHTTP_ANSWER_NONE) {
        return (struct vhttp_file_facts){.status =
                                             ((const struct vhttp_answer_none *)answer)->status};
    }
    const struct vhttp_answer_found *found = (const struct vhttp_answer_found *)answer;
    return (struct vhttp_file_facts){200, found->flags, found->size, found->digest,
                                     found->modified_s};
}

void vhttp_take_found(struct vhttp_server *server, struct vhttp_connection *connection,
                      const struct vhttp_ipc_head *answer) {
    struct vhttp_file_facts facts = facts_of(answer);
    connection->has_errand = facts.status == 200;
    server->stats.files_opened += facts.status == 200;
    respond_file(server, connection, &facts);
}

// Answers those who wait for the entry's facts.
static void respond_to_waiting(struct vhttp_server *server, struct vhttp_cached *entry) {
    struct vhttp_connection *connection = entry->readers;
    while (connection != NULL) {
        struct vhttp_connection *next = connection->next_reader;
        if (connection->state == VHTTP_WAITING) {
            respond_file(server, connection, &entry->facts);
            vhttp_connection_advance(server, connection);
        }
        connection = next;
    }
}

static bool is_same(const struct vhttp_file_facts *a, const struct vhttp_file_facts *b) {
    return a->status == b->status && a->flags == b->flags && a->size == b->size &&
           a->digest == b->digest && a->modified_s == b->modified_s &&
           (a->status != 200 || (a->flags & VHTTP_FOUND_DIGEST));
}

// The answer to check().
static void take_checked(struct vhttp_server *server, struct vhttp_cached *entry,
                         const struct vhttp_file_facts *facts) {
    entry->is_checked_now = false;
    if (is_same(&entry->facts, facts)) {
        entry->checked_ms = server->now_ms;
        respond_to_waiting(server, entry);
        vhttp_cache_tidy(&server->cache, entry);
        return;
    }
    struct vhttp_cached *changed = NULL;
    struct vhttp_connection *connection = entry->readers;
    if (entry->is_listed) {
        vhttp_cache_drop(&server->cache, entry);
    }
    while (connection != NULL) {
        struct vhttp_connection *next = connection->next_reader;
        if (connection->state == VHTTP_WAITING) {
            changed = find_entry(server, entry->path, entry->flags);
            vhttp_leave_cache(server, connection);
            if (changed == NULL) {
                vhttp_connection_respond_status(server, connection, 503);
                vhttp_connection_advance(server, connection);
            } else {
                enter_cache(connection, changed);
            }
        }
        connection = next;
    }
}

static void take_loaded_facts(struct vhttp_server *server, struct vhttp_cached *entry,
                              const struct vhttp_file_facts *facts) {
    entry->facts = *facts;
    entry->checked_ms = server->now_ms;
    entry->state = VHTTP_CACHED_READY;
    if (facts->status == 200) {
        server->stats.files_opened++;
        if (facts->size <= cache_limit(server) && vhttp_cache_take_room(&server->cache, entry) &&
            facts->size > 0) {
            entry->state = VHTTP_CACHED_LOADING;
        }
    } else if (facts->status >= 500) {
        vhttp_cache_drop(&server->cache, entry); // the next one may find better luck
    }
    respond_to_waiting(server, entry);
    vhttp_cache_tidy(&server->cache, entry);
}

static void take_content(struct vhttp_server *server, struct vhttp_cached *entry,
                         const uint8_t *bytes, uint32_t length) {
    if (entry->state != VHTTP_CACHED_LOADING || length > entry->facts.size - entry->loaded) {
        return; // there was no room for it
    }
    vhttp_cache_append(&server->cache, entry, bytes, length);
    if (entry->loaded == entry->facts.size) {
        entry->state = VHTTP_CACHED_READY;
    }
    struct vhttp_connection *connection = entry->readers;
    while (connection != NULL) {
        struct vhttp_connection *next = connection->next_reader;
        vhttp_connection_advance(server, connection);
        connection = next;
    }
    vhttp_cache_tidy(&server->cache, entry);
}

// The file cannot be read: cut short what was promised.
static void take_broken(struct vhttp_server *server, struct vhttp_cached *entry) {
    if (entry->state != VHTTP_CACHED_LOADING) {
        return;
    }
    entry->state = VHTTP_CACHED_READY;
    struct vhttp_connection *connection = entry->readers;
    vhttp_cache_drop(&server->cache, entry);
    while (connection != NULL) {
        struct vhttp_connection *next = connection->next_reader;
        vhttp_connection_close(server, connection);
        connection = next;
    }
}

void vhttp_take_cached_answer(struct vhttp_server *server, const struct vhttp_ipc_head *answer,
                              uint32_t length) {
    struct vhttp_cached *entry = &server->cache.entries[answer->connection - VHTTP_CACHE_READER];
    if (entry->state == VHTTP_CACHED_UNUSED || answer->generation != entry->generation) {
        return;
    }
    if (answer->kind == VHTTP_ANSWER_DATA) {
        take_content(server, entry, (const uint8_t *)(answer + 1),
                     length - (uint32_t)sizeof(*answer));
    } else if (answer->kind == VHTTP_ANSWER_BROKEN) {
        take_broken(server, entry);
    } else {
        struct vhttp_file_facts facts = facts_of(answer);
        if (entry->state == VHTTP_CACHED_ASKED) {
            take_loaded_facts(server, entry, &facts);
        } else if (entry->is_checked_now) {
            take_checked(server, entry, &facts);
        }
    }
}
