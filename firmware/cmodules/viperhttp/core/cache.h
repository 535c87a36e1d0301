// SPDX-License-Identifier: MIT
// Files that the server holds in memory, so that it answers for them alone.
//
// Memory is taken once: a table of entries, and blocks that any of them may take. An entry stands
// for what one request finds: a path as a client that takes gzip, or does not, sees it. It is
// known by its path as long as it is `listed`; one that was dropped lives on until nothing reads
// from it any more. Belongs to the server's thread.
#ifndef VHTTP_CACHE_H
#define VHTTP_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "vhttp_config.h"

#define VHTTP_FILE_PATH_MAX (2 * VHTTP_PATH_MAX) // a folder, the path below it, and index.html
#define VHTTP_NO_BLOCK UINT16_MAX

// What a file's representation is, whether or not its content is at hand.
struct vhttp_file_facts {
    int32_t status;     // 200: it is there; else 404, 500, 503, or 301 for a folder
    uint32_t flags;     // VHTTP_FOUND_…
    uint32_t size;      // bytes
    uint64_t digest;    // with VHTTP_FOUND_DIGEST
    int64_t modified_s; // since 1970; 0: not known for sure
};

enum vhttp_cached_state {
    VHTTP_CACHED_UNUSED,
    VHTTP_CACHED_ASKED,   // nothing is known yet
    VHTTP_CACHED_LOADING, // the facts are known, the content comes
    VHTTP_CACHED_READY,   // with the content, if `holds_content`
};

// Who waits for an entry or reads from it: a member of the entry's list.
struct vhttp_cache_reader {
    uint16_t connection;        // index in the pool; the caller's
    struct vhttp_cached *entry; // NULL: none; the rest is cache.c's
    struct vhttp_cache_reader *next, *previous;
};

struct vhttp_cached {
    enum vhttp_cached_state state;
    bool is_listed;
    bool is_outdated;    // the file was found to have changed: who still waits has to ask anew
    bool is_broken;      // the file could not be read to its end
    bool holds_content;  // from LOADING on: `loaded` bytes of it are here
    bool is_checked_now; // the interpreter was asked whether it has changed
    uint16_t next;       // in its bucket's list
    uint16_t first_block, last_block;
    uint32_t hash, flags;
    uint32_t loaded;                    // bytes
    uint32_t generation;                // of what was asked of the interpreter
    uint32_t used_at;                   // the cache's count of uses, at the last one
    uint64_t checked_ms;                // when the facts were true
    uint64_t asked_ms;                  // when the interpreter was asked last
    struct vhttp_cache_reader *readers; // a list
    struct vhttp_file_facts facts;
    uint16_t head_length; // of the start of a 200 response's head, written once; 0: not yet
    const char *head_cache_control; // what it says of caches, as whoever had it written keeps it
    char head[VHTTP_RESPONSE_HEAD_MAX / 2];
    char path[VHTTP_FILE_PATH_MAX];
};

struct vhttp_cache_stats {
    uint64_t hits, misses, evictions;
    uint32_t entries, blocks_used;
};

struct vhttp_cache {
    struct vhttp_cached *entries; // VHTTP_CACHE_ENTRIES
    uint8_t *blocks;              // block_count times VHTTP_CACHE_BLOCK_SIZE bytes
    uint16_t *next_block;         // of each block, the following one of its entry
    uint16_t block_count, first_free_block;
    uint32_t uses;
    uint16_t buckets[VHTTP_CACHE_ENTRIES]; // heads of lists, by hash
    struct vhttp_cache_stats stats;
};

// `entries`, `blocks` and `next_block` are zeroed memory for VHTTP_CACHE_ENTRIES entries and
// `block_count` blocks; the caller keeps it as long as the cache.
void vhttp_cache_init(struct vhttp_cache *cache, struct vhttp_cached *entries, uint8_t *blocks,
                      uint16_t *next_block, uint16_t block_count);

// The listed entry for a path and the flags of a request, or NULL.
struct vhttp_cached *vhttp_cache_find(struct vhttp_cache *cache, const char *path, size_t length,
                                      uint32_t flags);

// A new entry in state ASKED, listed; another may go for it. NULL when every entry is in use.
struct vhttp_cached *vhttp_cache_add(struct vhttp_cache *cache, const char *path, size_t length,
                                     uint32_t flags);

// Room for the entry's content of facts.size bytes; others may go for it. False when there is not
// enough.
bool vhttp_cache_take_room(struct vhttp_cache *cache, struct vhttp_cached *entry);

// Appends to the content; at most facts.size bytes in all.
void vhttp_cache_append(struct vhttp_cache *cache, struct vhttp_cached *entry, const uint8_t *bytes,
                        uint32_t length);

// A place in an entry's content, from which it is read on.
struct vhttp_cached_place {
    uint16_t block;
    uint16_t offset; // within the block
};

// The place `offset` bytes from the content's start, at most its length.
struct vhttp_cached_place vhttp_cache_seek(const struct vhttp_cache *cache,
                                           const struct vhttp_cached *entry, uint32_t offset);

// Up to `count` runs of at most `length` bytes from `place` on. Returns how many.
size_t vhttp_cache_gather(const struct vhttp_cache *cache, struct vhttp_cached_place place,
                          uint64_t length, struct vhttp_slice *runs, size_t count);

// The place `length` bytes further on, which the content holds.
struct vhttp_cached_place vhttp_cache_advance(const struct vhttp_cache *cache,
                                              struct vhttp_cached_place place, uint32_t length);

// The reader joins the entry's list, and leaves the list that it is in, if any.
void vhttp_cache_enter(struct vhttp_cache_reader *reader, struct vhttp_cached *entry);
void vhttp_cache_leave(struct vhttp_cache *cache, struct vhttp_cache_reader *reader);

// The entry is not found any more, and goes as soon as nothing reads or loads it.
void vhttp_cache_drop(struct vhttp_cache *cache, struct vhttp_cached *entry);

// Frees a dropped entry if nothing reads or loads it. To be called when it was loaded or checked.
void vhttp_cache_tidy(struct vhttp_cache *cache, struct vhttp_cached *entry);

// Drops every entry at or below `path`; all for "/" or "".
void vhttp_cache_invalidate(struct vhttp_cache *cache, const char *path);

#endif
