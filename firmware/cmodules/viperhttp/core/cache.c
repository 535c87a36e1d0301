// SPDX-License-Identifier: MIT
#include "cache.h"

#define NO_ENTRY UINT16_MAX

_Static_assert(VHTTP_CACHE_BLOCK_SIZE <= UINT16_MAX, "an offset within a block has 16 bits");

void vhttp_cache_init(struct vhttp_cache *cache, struct vhttp_cached *entries, uint8_t *blocks,
                      uint16_t *next_block, uint16_t block_count) {
    *cache = (struct vhttp_cache){
        .entries = entries, .blocks = blocks, .next_block = next_block, .block_count = block_count};
    for (size_t i = 0; i < VHTTP_CACHE_ENTRIES; i++) {
        cache->buckets[i] = NO_ENTRY;
    }
    for (uint16_t i = 0; i < block_count; i++) {
        next_block[i] = i + 1 < block_count ? (uint16_t)(i + 1) : VHTTP_NO_BLOCK;
    }
    cache->first_free_block = block_count > 0 ? 0 : VHTTP_NO_BLOCK;
}

// FNV-1a, 32 bits.
static uint32_t hash_of(const char *path, size_t length, uint32_t flags) {
    uint32_t hash = 0x811c9dc5u ^ flags;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)path[i]) * 0x01000193u;
    }
    return hash;
}

static uint16_t *bucket_of(struct vhttp_cache *cache, uint32_t hash) {
    return &cache->buckets[hash % VHTTP_CACHE_ENTRIES];
}

struct vhttp_cached *vhttp_cache_find(struct vhttp_cache *cache, const char *path, size_t length,
                                      uint32_t flags) {
    uint32_t hash = hash_of(path, length, flags);
    uint16_t index = *bucket_of(cache, hash);
    while (index != NO_ENTRY) {
        struct vhttp_cached *entry = &cache->entries[index];
        if (entry->hash == hash && entry->flags == flags &&
            memcmp(entry->path, path, length) == 0 && entry->path[length] == '\0') {
            entry->used_at = ++cache->uses;
            return entry;
        }
        index = entry->next;
    }
    return NULL;
}

// ---- Taking and giving back

static void free_blocks(struct vhttp_cache *cache, struct vhttp_cached *entry) {
    uint16_t block = entry->first_block;
    while (block != VHTTP_NO_BLOCK) {
        uint16_t next = cache->next_block[block];
        cache->next_block[block] = cache->first_free_block;
        cache->first_free_block = block;
        cache->stats.blocks_used--;
        block = next;
    }
    entry->first_block = entry->last_block = VHTTP_NO_BLOCK;
}

void vhttp_cache_tidy(struct vhttp_cache *cache, struct vhttp_cached *entry) {
    bool is_quiet = entry->state == VHTTP_CACHED_READY && entry->readers == NULL;
    if (!entry->is_listed && is_quiet && !entry->is_checked_now) {
        free_blocks(cache, entry);
        entry->state = VHTTP_CACHED_UNUSED;
        cache->stats.entries--;
    }
}

void vhttp_cache_enter(struct vhttp_cache_reader *reader, struct vhttp_cached *entry) {
    reader->entry = entry;
    reader->previous = NULL;
    reader->next = entry->readers;
    if (entry->readers != NULL) {
        entry->readers->previous = reader;
    }
    entry->readers = reader;
}

void vhttp_cache_leave(struct vhttp_cache *cache, struct vhttp_cache_reader *reader) {
    struct vhttp_cached *entry = reader->entry;
    if (entry == NULL) {
        return;
    }
    reader->entry = NULL;
    if (reader->next != NULL) {
        reader->next->previous = reader->previous;
    }
    if (reader->previous != NULL) {
        reader->previous->next = reader->next;
    } else {
        entry->readers = reader->next;
    }
    vhttp_cache_tidy(cache, entry);
}

void vhttp_cache_drop(struct vhttp_cache *cache, struct vhttp_cached *entry) {
    if (entry->is_listed) {
        entry->is_listed = false;
        uint16_t *link = bucket_of(cache, entry->hash);
        while (&cache->entries[*link] != entry) {
            link = &cache->entries[*link].next;
        }
        *link = entry->next;
    }
    vhttp_cache_tidy(cache, entry);
}

// The entry that can best be spared: one that says what is not there before any other, and the
// one that was not used for longest. NULL when all are in use.
static struct vhttp_cached *find_spare(struct vhttp_cache *cache, bool with_blocks) {
    struct vhttp_cached *best = NULL;
    for (size_t i = 0; i < VHTTP_CACHE_ENTRIES; i++) {
        struct vhttp_cached *entry = &cache->entries[i];
        if (entry->state != VHTTP_CACHED_READY || entry->readers != NULL || entry->is_checked_now ||
            (with_blocks && entry->first_block == VHTTP_NO_BLOCK)) {
            continue;
        }
        bool is_absent = entry->facts.status != 200;
        bool best_is_absent = best != NULL && best->facts.status != 200;
        if (best == NULL || (is_absent && !best_is_absent) ||
            (is_absent == best_is_absent &&
             cache->uses - entry->used_at > cache->uses - best->used_at)) {
            best = entry;
        }
    }
    return best;
}

static bool evict(struct vhttp_cache *cache, bool with_blocks) {
    struct vhttp_cached *spare = find_spare(cache, with_blocks);
    if (spare == NULL) {
        return false;
    }
    vhttp_cache_drop(cache, spare);
    cache->stats.evictions++;
    return true;
}

static struct vhttp_cached *find_unused(struct vhttp_cache *cache) {
    for (size_t i = 0; i < VHTTP_CACHE_ENTRIES; i++) {
        if (cache->entries[i].state == VHTTP_CACHED_UNUSED) {
            return &cache->entries[i];
        }
    }
    return NULL;
}

struct vhttp_cached *vhttp_cache_add(struct vhttp_cache *cache, const char *path, size_t length,
                                     uint32_t flags) {
    if (length >= VHTTP_FILE_PATH_MAX) {
        return NULL;
    }
    struct vhttp_cached *entry = find_unused(cache);
    if (entry == NULL) {
        entry = evict(cache, false) ? find_unused(cache) : NULL;
    }
    if (entry == NULL) {
        return NULL;
    }
    uint32_t hash = hash_of(path, length, flags);
    uint16_t *bucket = bucket_of(cache, hash);
    uint32_t generation = entry->generation; // goes on, so that old answers are told apart
    memset(entry, 0, offsetof(struct vhttp_cached, head));
    entry->state = VHTTP_CACHED_ASKED;
    entry->is_listed = true;
    entry->next = *bucket;
    entry->first_block = entry->last_block = VHTTP_NO_BLOCK;
    entry->hash = hash;
    entry->flags = flags;
    entry->generation = generation;
    entry->used_at = ++cache->uses;
    memcpy(entry->path, path, length);
    entry->path[length] = '\0';
    *bucket = (uint16_t)(entry - cache->entries);
    cache->stats.entries++;
    return entry;
}

bool vhttp_cache_take_room(struct vhttp_cache *cache, struct vhttp_cached *entry) {
    uint32_t wanted = (entry->facts.size + VHTTP_CACHE_BLOCK_SIZE - 1) / VHTTP_CACHE_BLOCK_SIZE;
    if (entry->facts.size > VHTTP_CACHE_FILE_MAX || wanted > cache->block_count) {
        return false;
    }
    while (cache->block_count - cache->stats.blocks_used < wanted) {
        if (!evict(cache, true)) {
            return false;
        }
    }
    uint16_t *link = &entry->first_block;
    for (uint32_t i = 0; i < wanted; i++) {
        *link = cache->first_free_block;
        link = &cache->next_block[*link];
        cache->first_free_block = *link;
    }
    *link = VHTTP_NO_BLOCK;
    cache->stats.blocks_used += wanted;
    entry->last_block = entry->first_block; // the one that is filled now
    entry->holds_content = true;
    return true;
}

// ---- Content

static uint8_t *block_at(const struct vhttp_cache *cache, uint16_t block) {
    return cache->blocks + (size_t)block * VHTTP_CACHE_BLOCK_SIZE;
}

void vhttp_cache_append(struct vhttp_cache *cache, struct vhttp_cached *entry, const uint8_t *bytes,
                        uint32_t length) {
    while (length > 0) {
        uint32_t offset = entry->loaded % VHTTP_CACHE_BLOCK_SIZE;
        if (offset == 0 && entry->loaded > 0) {
            entry->last_block = cache->next_block[entry->last_block];
        }
        uint32_t room = VHTTP_CACHE_BLOCK_SIZE - offset;
        uint32_t run = length < room ? length : room;
        memcpy(block_at(cache, entry->last_block) + offset, bytes, run);
        entry->loaded += run;
        bytes += run;
        length -= run;
    }
}

struct vhttp_cached_place vhttp_cache_advance(const struct vhttp_cache *cache,
                                              struct vhttp_cached_place place, uint32_t length) {
    uint32_t offset = place.offset + length;
    // A place at a block's end stays there: the block behind it may not exist.
    while (offset > VHTTP_CACHE_BLOCK_SIZE) {
        place.block = cache->next_block[place.block];
        offset -= VHTTP_CACHE_BLOCK_SIZE;
    }
    place.offset = (uint16_t)offset;
    return place;
}

struct vhttp_cached_place vhttp_cache_seek(const struct vhttp_cache *cache,
                                           const struct vhttp_cached *entry, uint32_t offset) {
    struct vhttp_cached_place start = {entry->first_block, 0};
    return vhttp_cache_advance(cache, start, offset);
}

size_t vhttp_cache_gather(const struct vhttp_cache *cache, struct vhttp_cached_place place,
                          uint64_t length, struct vhttp_slice *runs, size_t count) {
    size_t used = 0;
    while (length > 0 && used < count) {
        if (place.offset == VHTTP_CACHE_BLOCK_SIZE) {
            place = (struct vhttp_cached_place){cache->next_block[place.block], 0};
        }
        uint32_t room = VHTTP_CACHE_BLOCK_SIZE - (uint32_t)place.offset;
        size_t run = length < room ? (size_t)length : room;
        const char *at = (const char *)block_at(cache, place.block) + place.offset;
        if (used > 0 && runs[used - 1].at + runs[used - 1].length == at) {
            runs[used - 1].length += run; // blocks side by side make one run
        } else {
            runs[used++] = (struct vhttp_slice){at, run};
        }
        place.offset = VHTTP_CACHE_BLOCK_SIZE;
        length -= run;
    }
    return used;
}

void vhttp_cache_invalidate(struct vhttp_cache *cache, const char *path) {
    size_t length = strlen(path);
    if (length > 0 && path[length - 1] == '/') {
        length--;
    }
    for (size_t i = 0; i < VHTTP_CACHE_ENTRIES; i++) {
        struct vhttp_cached *entry = &cache->entries[i];
        char next =
            entry->is_listed && strncmp(entry->path, path, length) == 0 ? entry->path[length] : 'x';
        if (next == '\0' || next == '/') {
            vhttp_cache_drop(cache, entry);
        }
    }
}
