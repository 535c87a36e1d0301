// SPDX-License-Identifier: MIT
#include "static.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mime.h"
#include "negotiation.h"
#include "state.h"

#define ETAG_SIZE (2 + 16 + 1)

// ---- Asking the interpreter

// For a file that does not go through the cache.
static enum vhttp_step ask_for_exchange(struct vhttp_shared *shared,
                                        struct vhttp_exchange *exchange, const char *path,
                                        uint32_t flags) {
    if (!vhttp_errand_ask_file(&shared->desk, &exchange->errand, path, flags)) {
        vhttp_reply_start_status(&exchange->reply, 503);
        return VHTTP_STEP_REPLY;
    }
    exchange->file.content_type = vhttp_content_type(path);
    return VHTTP_STEP_WAIT;
}

static bool ask_for_cache(struct vhttp_shared *shared, struct vhttp_cached *entry, uint32_t limit) {
    uint16_t reader = (uint16_t)(VHTTP_CACHE_READER + (entry - shared->cache.entries));
    struct vhttp_ipc_head head = {VHTTP_ASK_OPEN, reader, entry->generation + 1};
    if (!vhttp_desk_ask_file(&shared->desk, head, entry->path, entry->flags, limit)) {
        return false;
    }
    entry->generation++;
    entry->asked_ms = shared->now_ms;
    return true;
}

// ---- Responses

static const char *etag_of(const struct vhttp_file_facts *facts, char out[ETAG_SIZE]) {
    if (!(facts->flags & VHTTP_FOUND_DIGEST)) {
        return NULL;
    }
    snprintf(out, ETAG_SIZE, "\"%016" PRIx64 "\"", facts->digest);
    return out;
}

// Whether some of the header lines are called `name`, and *matches when one of their lists of ETags
// does, by the strong comparison or the weak one. The lists are one (RFC 9110, section 5.3).
static bool compare_etags(struct vhttp_slice lines, const char *name, const char *etag,
                          bool (*compare)(struct vhttp_slice, const char *), bool *matches) {
    struct vhttp_slice list;
    bool is_there = false;
    *matches = false;
    while (vhttp_next_value(&lines, name, &list)) {
        is_there = true;
        *matches |= compare(list, etag == NULL ? "" : etag);
    }
    return is_there;
}

// RFC 9110, section 13.2.2: If-Unmodified-Since counts only without If-Match. What is not known of
// a file does not match.
static bool is_refused(struct vhttp_slice conditions, const struct vhttp_file_facts *facts,
                       const char *etag) {
    bool matches;
    if (compare_etags(conditions, "if-match", etag, vhttp_etag_is_listed, &matches)) {
        return !matches;
    }
    struct vhttp_slice date;
    if (!vhttp_next_value(&conditions, "if-unmodified-since", &date)) {
        return false;
    }
    int64_t since_s = vhttp_parse_date(date);
    return since_s >= 0 && (facts->modified_s == 0 || facts->modified_s > since_s);
}

// RFC 9110, section 13.2.2: If-Modified-Since counts only without If-None-Match.
static bool is_known(struct vhttp_slice conditions, const struct vhttp_file_facts *facts,
                     const char *etag) {
    bool matches;
    if (compare_etags(conditions, "if-none-match", etag, vhttp_etag_matches, &matches)) {
        return matches;
    }
    struct vhttp_slice date;
    return vhttp_next_value(&conditions, "if-modified-since", &date) && facts->modified_s != 0 &&
           facts->modified_s <= vhttp_parse_date(date);
}

// RFC 9110, section 13.1.5: by a strong ETag or the very date.
static bool range_is_wanted(struct vhttp_slice conditions, const struct vhttp_file_facts *facts,
                            const char *etag) {
    struct vhttp_slice condition;
    if (!vhttp_next_value(&conditions, "if-range", &condition)) {
        return true;
    }
    if (condition.length > 0 && condition.at[0] == '"') {
        return etag != NULL && vhttp_slice_equals(condition, etag);
    }
    return facts->modified_s != 0 && facts->modified_s == vhttp_parse_date(condition);
}

// A mount has no such file, and the interpreter has its own words for that.
static bool is_asked_about(const struct vhttp_shared *shared, const struct vhttp_exchange *exchange,
                           int status) {
    bool is_chosen = exchange->file.chosen.fields.at != NULL;
    return status == 404 && !is_chosen &&
           (shared->options.asks_about &
            (exchange->file.route_methods != 0 ? VHTTP_ASKS_ABOUT_METHODS
                                               : VHTTP_ASKS_ABOUT_PATHS));
}

static enum vhttp_step respond_without(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                       int status) {
    vhttp_cache_leave(&shared->cache, &exchange->reader);
    if (is_asked_about(shared, exchange, status)) {
        return VHTTP_STEP_ASK;
    }
    struct vhttp_response response = {.status = 301,
                                      .content_type = "text/plain; charset=utf-8",
                                      .location_path = exchange->file.path,
                                      .location_query = exchange->file.query};
    if (status == 301) {
        vhttp_reply_start(&exchange->reply, &response);
    } else if (status == 404 && exchange->file.route_methods != 0) {
        vhttp_reply_start_methods(&exchange->reply, 405, exchange->file.route_methods);
    } else {
        vhttp_reply_start_status(&exchange->reply, status);
    }
    return VHTTP_STEP_REPLY;
}

// What to send of the file is settled: `response` has it, but for its content's place.
static struct vhttp_range choose(const struct vhttp_exchange *exchange,
                                 const struct vhttp_file_facts *facts,
                                 struct vhttp_response *response) {
    struct vhttp_slice conditions = exchange->file.conditions, ranges = conditions, wanted;
    struct vhttp_range all = {VHTTP_RANGE_NONE, 0, facts->size};
    if (is_known(conditions, facts, response->etag)) {
        response->status = 304;
        response->content_type = NULL;
        response->sized = response->gzip = false;
        return (struct vhttp_range){VHTTP_RANGE_NONE, 0, 0};
    }
    if (vhttp_reply_is_head(&exchange->reply) || !vhttp_next_value(&ranges, "range", &wanted) ||
        !range_is_wanted(conditions, facts, response->etag)) {
        return all;
    }
    struct vhttp_range range = vhttp_read_range(wanted, facts->size);
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

// True when the exchange gets the whole file from the cache, with the head that the entry keeps.
static bool is_plain(const struct vhttp_exchange *exchange) {
    const struct vhttp_file_wish *file = &exchange->file;
    const struct vhttp_cached *entry = exchange->reader.entry;
    return entry != NULL && entry->head_length > 0 && entry->loaded > 0 &&
           !vhttp_reply_is_head(&exchange->reply) && file->chosen.fields.at == NULL &&
           file->chosen.cache_control == entry->head_cache_control && file->conditions.at == NULL;
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

static enum vhttp_step start_file(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                  const char *path, uint32_t flags);

// In place of a file that there is not. It is looked at anew each time, as what it stands for.
static enum vhttp_step start_fallback(struct vhttp_shared *shared,
                                      struct vhttp_exchange *exchange) {
    const char *path = exchange->file.chosen.fallback;
    exchange->file.chosen.fallback = exchange->file.chosen.cache_control = NULL;
    vhttp_cache_leave(&shared->cache, &exchange->reader);
    return start_file(shared, exchange, path, exchange->file.flags & ~VHTTP_OPEN_HTML);
}

// Responds with what there is, from the cache if the exchange reads there, else from the file that
// the interpreter holds for it.
static enum vhttp_step respond_file(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                    const struct vhttp_file_facts *facts) {
    struct vhttp_cached *entry = exchange->reader.entry;
    struct vhttp_reply *reply = &exchange->reply;
    if (facts->status == 404 && exchange->file.chosen.fallback != NULL) {
        return start_fallback(shared, exchange);
    }
    if (facts->status != 200) {
        return respond_without(shared, exchange, facts->status);
    }
    if (is_plain(exchange)) {
        vhttp_reply_start_plain(reply, &shared->cache, entry);
        return VHTTP_STEP_REPLY;
    }
    char etag[ETAG_SIZE];
    const struct vhttp_chosen_file *chosen = &exchange->file.chosen;
    bool is_chosen = chosen->fields.at != NULL;
    struct vhttp_response response = {
        .status = chosen->status,
        .content_type = is_chosen       ? NULL
                        : entry != NULL ? vhttp_content_type(entry->path)
                                        : exchange->file.content_type,
        .fields = chosen->fields,
        .sized = is_chosen,
        .length = facts->size,
        .whole = facts->size,
        .modified_s = facts->modified_s,
        .etag = etag_of(facts, etag),
        .accepts_ranges = true,
        .gzip = facts->flags & VHTTP_FOUND_GZIP,
        .varies = facts->flags & VHTTP_FOUND_VARIES,
        .cache_control = names_cache_control(chosen->fields) ? NULL
                         : chosen->cache_control != NULL     ? chosen->cache_control
                                                             : "no-cache",
    };
    if (is_refused(exchange->file.conditions, facts, response.etag)) {
        return respond_without(shared, exchange, 412);
    }
    struct vhttp_range part = choose(exchange, facts, &response);
    bool has_content = part.length > 0 && !vhttp_reply_is_head(reply);
    if (entry == NULL || !has_content) {
        vhttp_cache_leave(&shared->cache, &exchange->reader);
        vhttp_reply_start(reply, &response);
        if (has_content) {
            vhttp_errand_read(&shared->desk, &exchange->errand, (uint32_t)part.first,
                              (uint32_t)part.length);
        }
        return VHTTP_STEP_REPLY;
    }
    if (!entry->holds_content) {
        uint32_t flags = entry->flags;
        char path[VHTTP_FILE_PATH_MAX];
        memcpy(path, entry->path, strlen(entry->path) + 1);
        vhttp_cache_leave(&shared->cache, &exchange->reader);
        return ask_for_exchange(shared, exchange, path, flags);
    }
    if (response.status == 200 && !is_chosen && entry->head_length == 0) {
        entry->head_cache_control = chosen->cache_control;
        entry->head_length =
            (uint16_t)vhttp_write_response_head(&response, entry->head, sizeof(entry->head));
    }
    vhttp_reply_start_cached(reply, &response, &shared->cache, entry, (uint32_t)part.first);
    return VHTTP_STEP_REPLY;
}

// ---- Requests

static uint32_t cache_limit(const struct vhttp_shared *shared) {
    uint32_t room = (uint32_t)shared->cache.block_count * VHTTP_CACHE_BLOCK_SIZE;
    return room <= VHTTP_CACHE_FILE_MAX ? room : VHTTP_CACHE_FILE_MAX;
}

// The entry for a path, newly asked for if there is none. NULL when that cannot be.
static struct vhttp_cached *find_entry(struct vhttp_shared *shared, const char *path,
                                       uint32_t flags) {
    size_t length = strlen(path);
    struct vhttp_cached *entry = vhttp_cache_find(&shared->cache, path, length, flags);
    if (entry != NULL) {
        return entry;
    }
    shared->cache.stats.misses++;
    entry = vhttp_cache_add(&shared->cache, path, length, flags);
    if (entry != NULL && !ask_for_cache(shared, entry, cache_limit(shared))) {
        entry->state = VHTTP_CACHED_READY; // so that it goes
        vhttp_cache_drop(&shared->cache, entry);
        return NULL;
    }
    return entry;
}

// Asks whether a file has changed, if that was not done for some time. True when its response has
// to wait for that: a file that is asked for all the time is checked before it comes to this.
static bool check(struct vhttp_shared *shared, struct vhttp_cached *entry) {
    uint64_t age = shared->now_ms - entry->checked_ms, oldest = VHTTP_STATIC_REVALIDATE_MS;
    if (age < oldest / 4 * 3 || entry->state != VHTTP_CACHED_READY) {
        return false;
    }
    if (!entry->is_checked_now) {
        entry->is_checked_now = ask_for_cache(shared, entry, 0);
    }
    // An interpreter that has not answered for so long will not do so for this one either.
    return entry->is_checked_now && age >= oldest &&
           shared->now_ms - entry->asked_ms < VHTTP_COLD_WAIT_MS;
}

static enum vhttp_step respond_from(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                    struct vhttp_cached *entry) {
    vhttp_cache_enter(&exchange->reader, entry);
    if (entry->state == VHTTP_CACHED_ASKED || check(shared, entry)) {
        return VHTTP_STEP_WAIT;
    }
    shared->cache.stats.hits++;
    return respond_file(shared, exchange, &entry->facts);
}

// Whether a header makes a request conditional, or one for a part.
static bool is_condition(struct vhttp_slice name) {
    char first = vhttp_lower(name.at[0]);
    if (first != 'i' && first != 'r') {
        return false; // as most are
    }
    static const char start[] = "if-";
    return vhttp_slice_equals_nocase(name, "range") ||
           (name.length > sizeof(start) - 1 &&
            vhttp_slice_equals_nocase((struct vhttp_slice){name.at, sizeof(start) - 1}, start));
}

// RFC 9110, sections 13.2.1 and 14.2: conditions count for what reads and would succeed.
static struct vhttp_slice conditions_of(const struct vhttp_request *request, int status) {
    bool is_read = request->method == VHTTP_GET || request->method == VHTTP_HEAD;
    for (size_t i = 0; is_read && status == 200 && i < request->header_count; i++) {
        if (is_condition(request->headers[i].name)) {
            return request->fields;
        }
    }
    return (struct vhttp_slice){NULL, 0};
}

enum vhttp_step vhttp_static_start(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_request *request, const char *path, bool html,
                                   struct vhttp_chosen_file chosen, unsigned route_methods) {
    exchange->file = (struct vhttp_file_wish){
        .path = request->path,
        .query = request->query,
        .chosen = chosen,
        .conditions = conditions_of(request, chosen.status),
        .route_methods = route_methods,
    };
    uint32_t flags = html ? VHTTP_OPEN_HTML : 0;
    if (VHTTP_GZIP_ENABLED && vhttp_accepts_gzip(request)) {
        flags |= VHTTP_OPEN_GZIP;
    }
    exchange->file.flags = flags;
    return start_file(shared, exchange, path, flags);
}

static enum vhttp_step start_file(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                  const char *path, uint32_t flags) {
    struct vhttp_cached *entry = find_entry(shared, path, flags);
    return entry != NULL ? respond_from(shared, exchange, entry)
                         : ask_for_exchange(shared, exchange, path, flags);
}

bool vhttp_static_is_known(const struct vhttp_exchange *exchange) {
    const struct vhttp_cached *entry = exchange->reader.entry;
    return entry != NULL && entry->state == VHTTP_CACHED_READY;
}

enum vhttp_step vhttp_static_overdue(struct vhttp_shared *shared, struct vhttp_exchange *exchange) {
    if (vhttp_static_is_known(exchange)) {
        return respond_file(shared, exchange, &exchange->reader.entry->facts);
    }
    return respond_without(shared, exchange, 503);
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

enum vhttp_step vhttp_static_found(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                   const struct vhttp_ipc_head *answer) {
    struct vhttp_file_facts facts = facts_of(answer);
    if (facts.status == 200) {
        shared->stats.files_opened++;
    } else {
        vhttp_errand_is_done(&exchange->errand);
    }
    return respond_file(shared, exchange, &facts);
}

// The file has changed: waits for what it is now.
static enum vhttp_step wait_anew(struct vhttp_shared *shared, struct vhttp_exchange *exchange,
                                 const struct vhttp_cached *outdated) {
    struct vhttp_cached *entry = find_entry(shared, outdated->path, outdated->flags);
    if (entry == NULL) {
        return respond_without(shared, exchange, 503);
    }
    vhttp_cache_leave(&shared->cache, &exchange->reader);
    vhttp_cache_enter(&exchange->reader, entry);
    return VHTTP_STEP_STAY;
}

enum vhttp_step vhttp_static_go_on(struct vhttp_shared *shared, struct vhttp_exchange *exchange) {
    const struct vhttp_cached *entry = exchange->reader.entry;
    if (entry->is_outdated) {
        return wait_anew(shared, exchange, entry);
    }
    if (entry->state == VHTTP_CACHED_ASKED || entry->is_checked_now) {
        return VHTTP_STEP_STAY;
    }
    return respond_file(shared, exchange, &entry->facts);
}

static bool is_same(const struct vhttp_file_facts *a, const struct vhttp_file_facts *b) {
    return a->status == b->status && a->flags == b->flags && a->size == b->size &&
           a->digest == b->digest && a->modified_s == b->modified_s &&
           (a->status != 200 || (a->flags & VHTTP_FOUND_DIGEST));
}

// The answer to check().
static void take_checked(struct vhttp_shared *shared, struct vhttp_cached *entry,
                         const struct vhttp_file_facts *facts) {
    entry->is_checked_now = false;
    if (is_same(&entry->facts, facts)) {
        entry->checked_ms = shared->now_ms;
    } else {
        entry->is_outdated = true;
        vhttp_cache_drop(&shared->cache, entry);
    }
}

static void take_facts(struct vhttp_shared *shared, struct vhttp_cached *entry,
                       const struct vhttp_file_facts *facts) {
    entry->facts = *facts;
    entry->checked_ms = shared->now_ms;
    entry->state = VHTTP_CACHED_READY;
    if (facts->status == 200) {
        shared->stats.files_opened++;
        if (facts->size <= cache_limit(shared) && vhttp_cache_take_room(&shared->cache, entry) &&
            facts->size > 0) {
            entry->state = VHTTP_CACHED_LOADING;
        }
    } else if (facts->status >= 500) {
        vhttp_cache_drop(&shared->cache, entry); // the next one may find better luck
    }
}

static void take_content(struct vhttp_shared *shared, struct vhttp_cached *entry,
                         const uint8_t *bytes, uint32_t length) {
    if (length > entry->facts.size - entry->loaded) {
        return;
    }
    vhttp_cache_append(&shared->cache, entry, bytes, length);
    if (entry->loaded == entry->facts.size) {
        entry->state = VHTTP_CACHED_READY;
    }
}

struct vhttp_cached *vhttp_static_take(struct vhttp_shared *shared,
                                       const struct vhttp_ipc_head *answer, uint32_t length) {
    struct vhttp_cached *entry = &shared->cache.entries[answer->connection - VHTTP_CACHE_READER];
    if (entry->state == VHTTP_CACHED_UNUSED || answer->generation != entry->generation) {
        return NULL;
    }
    if (answer->kind == VHTTP_ANSWER_DATA || answer->kind == VHTTP_ANSWER_BROKEN) {
        if (entry->state != VHTTP_CACHED_LOADING) {
            return NULL; // there was no room for it
        }
        if (answer->kind == VHTTP_ANSWER_DATA) {
            take_content(shared, entry, (const uint8_t *)(answer + 1),
                         length - (uint32_t)sizeof(*answer));
        } else {
            entry->state = VHTTP_CACHED_READY;
            entry->is_broken = true;
            vhttp_cache_drop(&shared->cache, entry);
        }
        return entry;
    }
    struct vhttp_file_facts facts = facts_of(answer);
    if (entry->state == VHTTP_CACHED_ASKED) {
        take_facts(shared, entry, &facts);
    } else if (entry->is_checked_now) {
        take_checked(shared, entry, &facts);
    }
    return entry;
}
