// SPDX-License-Identifier: MIT
// The cache: what is found, what goes first, and content across blocks.
#include "cache.h"
#include "check.h"

#define BLOCKS 8

static struct vhttp_cached entries[VHTTP_CACHE_ENTRIES];
static uint8_t blocks[BLOCKS * VHTTP_CACHE_BLOCK_SIZE];
static uint16_t links[BLOCKS];
static struct vhttp_cache cache;

static void begin(void) {
    memset(entries, 0, sizeof(entries));
    vhttp_cache_init(&cache, entries, blocks, links, BLOCKS);
}

static struct vhttp_cached *find(const char *path) {
    return vhttp_cache_find(&cache, path, strlen(path), 0);
}

// Adds a file of `size` bytes, byte n being n % 251. NULL when there is no room.
static struct vhttp_cached *add(const char *path, uint32_t size) {
    struct vhttp_cached *entry = vhttp_cache_add(&cache, path, strlen(path), 0);
    if (entry == NULL) {
        return NULL;
    }
    entry->facts = (struct vhttp_file_facts){.status = 200, .size = size};
    bool has_room = vhttp_cache_take_room(&cache, entry);
    for (uint32_t i = 0; i < size && has_room; i += 7) { // pieces that cross the blocks
        uint8_t piece[7];
        uint32_t length = size - i < 7 ? size - i : 7;
        for (uint32_t j = 0; j < length; j++) {
            piece[j] = (uint8_t)((i + j) % 251);
        }
        vhttp_cache_append(&cache, entry, piece, length);
    }
    entry->state = VHTTP_CACHED_READY;
    return has_room ? entry : NULL;
}

static void test_found_by_path_and_flags(void) {
    begin();
    struct vhttp_cached *entry = add("/www/a", 10);
    CHECK(find("/www/a") == entry, "the entry");
    CHECK(find("/www/") == NULL && find("/www/ab") == NULL, "neither longer nor shorter");
    CHECK(vhttp_cache_find(&cache, "/www/a", 6, 1) == NULL, "not for other flags");
}

static void test_content_at_every_offset(void) {
    begin();
    uint32_t size = 2 * VHTTP_CACHE_BLOCK_SIZE + 100;
    struct vhttp_cached *entry = add("/a", size);
    for (uint32_t offset = 0; offset < size; offset += 61) {
        struct vhttp_cached_place place = vhttp_cache_seek(&cache, entry, offset);
        struct vhttp_slice runs[4];
        size_t count = vhttp_cache_gather(&cache, place, size - offset, runs, 4);
        uint32_t at = offset;
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < runs[i].length; j++, at++) {
                CHECK((uint8_t)runs[i].at[j] == at % 251, "byte %u from %u", at, offset);
            }
        }
        CHECK(at == size, "from %u: up to %u", offset, at);
    }
    struct vhttp_cached_place end = vhttp_cache_seek(&cache, entry, size);
    struct vhttp_slice run;
    CHECK(vhttp_cache_gather(&cache, end, 0, &run, 1) == 0, "nothing behind the end");
}

static void test_whole_blocks_have_an_end(void) {
    begin();
    struct vhttp_cached *entry = add("/a", BLOCKS * VHTTP_CACHE_BLOCK_SIZE);
    struct vhttp_cached_place place = {entry->first_block, 0};
    place = vhttp_cache_advance(&cache, place, BLOCKS * VHTTP_CACHE_BLOCK_SIZE);
    CHECK(place.block == entry->last_block, "the last block's end");
}

static void test_longest_unused_goes_first(void) {
    begin();
    add("/a", 3 * VHTTP_CACHE_BLOCK_SIZE);
    add("/b", 3 * VHTTP_CACHE_BLOCK_SIZE);
    find("/a");
    CHECK(add("/c", 3 * VHTTP_CACHE_BLOCK_SIZE) != NULL, "room is made");
    CHECK(find("/a") != NULL && find("/b") == NULL && find("/c") != NULL, "b has gone");
    CHECK(cache.stats.blocks_used == 6, "%u blocks", cache.stats.blocks_used);
}

static void test_absent_files_go_before_any_other(void) {
    begin();
    char path[16];
    add("/there", 10);
    for (int i = 0; i < 2 * VHTTP_CACHE_ENTRIES; i++) {
        snprintf(path, sizeof(path), "/%d", i);
        struct vhttp_cached *entry = vhttp_cache_add(&cache, path, strlen(path), 0);
        entry->facts.status = 404;
        entry->state = VHTTP_CACHED_READY;
    }
    CHECK(find("/there") != NULL, "the file outlives a flood of 404");
}

static void test_what_is_read_stays(void) {
    begin();
    struct vhttp_cache_reader reader = {0};
    struct vhttp_cached *entry = add("/a", BLOCKS * VHTTP_CACHE_BLOCK_SIZE);
    vhttp_cache_enter(&reader, entry);
    CHECK(add("/b", 1) == NULL, "no room beside it");
    vhttp_cache_invalidate(&cache, "/a");
    CHECK(find("/a") == NULL, "it is not found any more");
    CHECK(cache.stats.blocks_used == BLOCKS, "but read to its end");
    vhttp_cache_leave(&cache, &reader);
    CHECK(cache.stats.blocks_used == 0, "%u blocks", cache.stats.blocks_used);
}

static void test_invalidate_reaches_what_is_below(void) {
    static const char *const paths[] = {"/www/a", "/www/a/b", "/www/ab", "/other"};
    begin();
    for (size_t i = 0; i < 4; i++) {
        add(paths[i], 1);
    }
    vhttp_cache_invalidate(&cache, "/www/a/");
    CHECK(find("/www/a") == NULL && find("/www/a/b") == NULL, "the folder and what is in it");
    CHECK(find("/www/ab") != NULL && find("/other") != NULL, "and nothing else");
    vhttp_cache_invalidate(&cache, "/");
    CHECK(cache.stats.entries == 0, "%u entries", cache.stats.entries);
}

int main(void) {
    test_found_by_path_and_flags();
    test_content_at_every_offset();
    test_whole_blocks_have_an_end();
    test_longest_unused_goes_first();
    test_absent_files_go_before_any_other();
    test_what_is_read_stays();
    test_invalidate_reaches_what_is_below();
    return check_result();
}
