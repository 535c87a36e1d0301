// SPDX-License-Identifier: MIT
// How often a file is read to find out what it is: a digest of a long one is kept by its version.
#include "file_reader.h"

#include "check.h"

#define LONG (VHTTP_CACHE_FILE_MAX + 1u)

// One file, whose bytes are all the same.
static struct {
    uint32_t size, at;
    uint64_t version, bytes_read;
    uint8_t byte;
} file;

static int stat_file(const char *path, struct vhttp_file_stat *stat) {
    if (strcmp(path, "/file") != 0) {
        return VHTTP_FILE_ABSENT;
    }
    *stat = (struct vhttp_file_stat){file.size, 0, file.version};
    return 0;
}

static void *open_file(const char *path, int *error) {
    (void)path, (void)error;
    file.at = 0;
    return &file;
}

static void close_file(void *unused) { (void)unused; }

static bool read_file(void *unused, void *out, size_t size) {
    (void)unused;
    memset(out, file.byte, size);
    file.at += (uint32_t)size;
    file.bytes_read += size;
    return file.at <= file.size;
}

static bool seek_file(void *unused, uint32_t offset) {
    (void)unused;
    file.at = offset;
    return true;
}

static const struct vhttp_file_system files = {stat_file, open_file, close_file, read_file,
                                               seek_file};
static struct vhttp_file_reader reader;
static struct vhttp_ring answers;
static _Alignas(8) uint8_t bytes[16384];

// The digest that the reader answers with.
static uint64_t find(void) {
    struct {
        struct vhttp_ask_open ask;
        char path[8];
    } record = {.ask.head = {VHTTP_ASK_OPEN, 0, 1}, .ask.flags = VHTTP_OPEN_KEEP};
    memcpy(record.ask.path, "/file", sizeof("/file"));
    CHECK(vhttp_file_reader_take(&reader, &record.ask.head), "room");
    uint32_t length;
    const struct vhttp_answer_found *found = vhttp_ring_peek(&answers, &length);
    CHECK(found->head.kind == VHTTP_ANSWER_FOUND && (found->flags & VHTTP_FOUND_DIGEST), "found");
    uint64_t digest = found->digest;
    vhttp_ring_release(&answers);
    return digest;
}

// The bytes that are read for it, when it is looked for once more.
static uint64_t cost(void) {
    uint64_t before = file.bytes_read;
    find();
    return file.bytes_read - before;
}

int main(void) {
    vhttp_ring_init(&answers, bytes, sizeof(bytes));
    reader.files = &files;
    reader.answers = &answers;
    file.size = LONG;
    file.version = 1;
    file.byte = 'a';

    CHECK(cost() == LONG, "the first time");
    uint64_t digest = find();
    CHECK(cost() == 0, "known");
    CHECK(find() == digest, "the same");

    file.byte = 'b';
    file.version = 2;
    CHECK(find() != digest, "another version");
    CHECK(cost() == 0, "known too");

    file.size = LONG + 1;
    CHECK(cost() == LONG + 1, "another size");
    vhttp_file_reader_forget(&reader);
    CHECK(cost() == LONG + 1, "forgotten");

    file.version = 0;
    CHECK(cost() == LONG + 1 && cost() == LONG + 1, "nobody can tell the version");
    file.version = 3;
    file.size = VHTTP_CACHE_FILE_MAX;
    CHECK(cost() == file.size && cost() == file.size, "the cache has it");

    for (uint64_t version = 10; version < 10 + 2 * VHTTP_KNOWN_DIGESTS; version++) {
        file.size = LONG;
        file.version = version;
        CHECK(cost() == LONG && cost() == 0, "version %u", (unsigned)version);
    }
    file.version = 1;
    CHECK(cost() == LONG, "the oldest gave way");
    vhttp_file_reader_close(&reader);
    return check_result();
}
