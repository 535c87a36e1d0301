// SPDX-License-Identifier: MIT
#include "file_reader.h"

#include <string.h>

#include "crc32.h"
#include "ipc.h"

#define GZIP_TRAILER_SIZE 8u // CRC-32 and size of the source, little endian (RFC 1952)

// ---- Digests

// FNV-1a, 64 bits: not against an adversary, who could not choose both contents anyway.
#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint64_t fnv_of(uint64_t hash, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    }
    return hash;
}

struct digest {
    uint32_t crc;
    uint64_t fnv;
};

// Reads the whole file and leaves it at its start. False when it cannot be read.
static bool digest_file(struct vhttp_file_reader *reader, void *file, uint32_t size,
                        struct digest *digest) {
    *digest = (struct digest){0, FNV_START};
    for (uint32_t left = size; left > 0;) {
        uint32_t length = left < VHTTP_FILE_CHUNK ? left : VHTTP_FILE_CHUNK;
        if (!reader->files->read(file, reader->chunk, length)) {
            return false;
        }
        digest->crc = vhttp_crc32(digest->crc, reader->chunk, length);
        digest->fnv = fnv_of(digest->fnv, reader->chunk, length);
        left -= length;
    }
    return reader->files->seek(file, 0);
}

static bool is_kept(const struct vhttp_file_stat *stat) {
    return stat->version != 0 && stat->size > VHTTP_CACHE_FILE_MAX;
}

// The digest of an open file, read anew unless that of this very version is known.
static bool find_digest(struct vhttp_file_reader *reader, const char *path,
                        const struct vhttp_file_stat *stat, void *file, struct digest *digest) {
    uint64_t path_hash = fnv_of(FNV_START, (const uint8_t *)path, strlen(path));
    uint32_t size = (uint32_t)stat->size;
    for (size_t i = 0; is_kept(stat) && i < VHTTP_KNOWN_DIGESTS; i++) {
        const struct vhttp_known_digest *known = &reader->known[i];
        if (known->version == stat->version && known->path_hash == path_hash &&
            known->size == size) {
            *digest = (struct digest){known->crc, known->fnv};
            return true;
        }
    }
    if (!digest_file(reader, file, size, digest)) {
        return false;
    }
    if (is_kept(stat)) {
        reader->known[reader->known_count++ % VHTTP_KNOWN_DIGESTS] =
            (struct vhttp_known_digest){path_hash, stat->version, size, digest->crc, digest->fnv};
    }
    return true;
}

void vhttp_file_reader_forget(struct vhttp_file_reader *reader) {
    memset(reader->known, 0, sizeof(reader->known));
}

// ---- Finding what to send

struct found_file {
    void *file;
    uint32_t flags; // VHTTP_FOUND_…
    uint32_t size;
    uint64_t digest;
    int64_t modified_s;
};

#if VHTTP_GZIP_ENABLED
static uint32_t get_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// Opens the file `name` if it is the .gz sibling of a source with this size and CRC-32.
static void *open_sibling(struct vhttp_file_reader *reader, const char *name, uint32_t source_size,
                          uint32_t source_crc, struct vhttp_file_stat *stat) {
    const struct vhttp_file_system *files = reader->files;
    if (files->stat(name, stat) != 0 || stat->size <= (int64_t)GZIP_TRAILER_SIZE ||
        stat->size >= (int64_t)source_size) {
        return NULL;
    }
    int error;
    void *file = files->open(name, &error);
    if (file == NULL) {
        return NULL;
    }
    uint8_t trailer[GZIP_TRAILER_SIZE];
    if (files->seek(file, (uint32_t)stat->size - GZIP_TRAILER_SIZE) &&
        files->read(file, trailer, sizeof(trailer)) && get_u32(trailer) == source_crc &&
        get_u32(trailer + 4) == source_size && files->seek(file, 0)) {
        return file;
    }
    files->close(file);
    return NULL;
}

// Takes the .gz sibling in place of the plain file when there is one and the client takes it.
static void choose_encoding(struct vhttp_file_reader *reader, const char *path, bool takes_gzip,
                            uint32_t source_crc, struct found_file *found) {
    char name[2 * VHTTP_PATH_MAX + sizeof(".gz")];
    size_t length = strlen(path);
    if (length + sizeof(".gz") > sizeof(name)) {
        return;
    }
    memcpy(name, path, length);
    memcpy(name + length, ".gz", sizeof(".gz"));
    struct vhttp_file_stat stat;
    void *sibling = open_sibling(reader, name, found->size, source_crc, &stat);
    if (sibling == NULL) {
        return;
    }
    found->flags |= VHTTP_FOUND_VARIES;
    struct digest digest;
    if (!takes_gzip || !find_digest(reader, name, &stat, sibling, &digest)) {
        reader->files->close(sibling);
        return;
    }
    reader->files->close(found->file);
    found->file = sibling;
    found->flags |= VHTTP_FOUND_GZIP;
    found->size = (uint32_t)stat.size;
    found->digest = digest.fnv;
}
#endif

static int status_of(int error, const struct vhttp_ask_open *ask) {
    switch (error) {
    case VHTTP_FILE_ABSENT:
        return 404;
    case VHTTP_FILE_IS_FOLDER:
        return ask->flags & VHTTP_OPEN_HTML ? 301 : 404;
    case VHTTP_FILE_NO_MEMORY:
        return 503;
    default:
        return 500;
    }
}

// Answers 0 with `found` filled, or the status to respond with.
static int find_file(struct vhttp_file_reader *reader, const struct vhttp_ask_open *ask,
                     struct found_file *found) {
    const char *path = ask->path;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/') {
        return 404; // a folder, whose index.html is not wanted
    }
    struct vhttp_file_stat stat;
    int error = reader->files->stat(path, &stat);
    if (error != 0) {
        return status_of(error, ask);
    }
    if (stat.size > INT32_MAX) {
        return 500;
    }
    *found = (struct found_file){.file = reader->files->open(path, &error),
                                 .size = (uint32_t)stat.size,
                                 .modified_s = stat.modified_s};
    if (found->file == NULL) {
        return status_of(error, ask);
    }
    if (found->size > VHTTP_STATIC_DIGEST_MAX) {
        return 0;
    }
    struct digest digest;
    if (!find_digest(reader, path, &stat, found->file, &digest)) {
        reader->files->close(found->file);
        return 500;
    }
    found->flags = VHTTP_FOUND_DIGEST;
    found->digest = digest.fnv;
#if VHTTP_GZIP_ENABLED
    choose_encoding(reader, path, ask->flags & VHTTP_OPEN_GZIP, digest.crc, found);
#endif
    return 0;
}

// ---- Answers

static struct vhttp_ipc_head answer_head(enum vhttp_answer kind, uint16_t id, uint32_t generation) {
    return (struct vhttp_ipc_head){(uint16_t)kind, id, generation};
}

static void drop_file(struct vhttp_file_reader *reader, struct vhttp_open_file *entry) {
    if (entry->file != NULL) {
        reader->files->close(entry->file);
        entry->file = NULL;
    }
}

static void commit_none(struct vhttp_file_reader *reader, const struct vhttp_ipc_head *ask,
                        int status, struct vhttp_answer_none *none) {
    none->head = answer_head(VHTTP_ANSWER_NONE, ask->connection, ask->generation);
    none->status = status;
    vhttp_ring_commit(reader->answers, sizeof(*none));
}

// Opens what `ask` wants. False when the ring has no room for the answer: to be tried again.
static bool take_open(struct vhttp_file_reader *reader, const struct vhttp_ask_open *ask) {
    struct vhttp_open_file *entry = &reader->open[ask->head.connection];
    struct vhttp_answer_found *answer = vhttp_ring_reserve(reader->answers, sizeof(*answer));
    if (answer == NULL) {
        return false;
    }
    drop_file(reader, entry);
    struct found_file found;
    int status = find_file(reader, ask, &found);
    if (status != 0) {
        commit_none(reader, &ask->head, status, (struct vhttp_answer_none *)answer);
        return true;
    }
    answer->head = answer_head(VHTTP_ANSWER_FOUND, ask->head.connection, ask->head.generation);
    answer->flags = found.flags;
    answer->size = found.size;
    answer->digest = found.digest;
    answer->modified_s = found.modified_s;
    vhttp_ring_commit(reader->answers, sizeof(*answer));
    reader->spent += found.size;
    *entry = (struct vhttp_open_file){.file = found.file, .generation = ask->head.generation};
    if (ask->flags & VHTTP_OPEN_KEEP) {
        return true;
    }
    if (found.size > ask->limit || found.size == 0) {
        drop_file(reader, entry);
    } else {
        entry->left = entry->credit = found.size;
    }
    return true;
}

static void commit_broken(struct vhttp_file_reader *reader, struct vhttp_ipc_head *answer,
                          uint16_t id, uint32_t generation) {
    *answer = answer_head(VHTTP_ANSWER_BROKEN, id, generation);
    vhttp_ring_commit(reader->answers, sizeof(*answer));
}

// False when the ring has no room for the answer that may be needed.
static bool take_read(struct vhttp_file_reader *reader, const struct vhttp_ask_read *ask) {
    struct vhttp_open_file *entry = &reader->open[ask->head.connection];
    struct vhttp_ipc_head *answer = vhttp_ring_reserve(reader->answers, sizeof(*answer));
    if (answer == NULL) {
        return false;
    }
    entry->left = ask->length;
    entry->credit = ask->credit;
    if (!reader->files->seek(entry->file, ask->offset)) {
        commit_broken(reader, answer, ask->head.connection, ask->head.generation);
        drop_file(reader, entry);
    }
    return true;
}

static bool take(struct vhttp_file_reader *reader, const struct vhttp_ipc_head *ask) {
    struct vhttp_open_file *entry = &reader->open[ask->connection];
    if (ask->kind == VHTTP_ASK_OPEN) {
        return take_open(reader, (const struct vhttp_ask_open *)ask);
    }
    if (entry->file == NULL || entry->generation != ask->generation) {
        return true; // it was for a file that is closed
    }
    if (ask->kind == VHTTP_ASK_READ) {
        return take_read(reader, (const struct vhttp_ask_read *)ask);
    }
    if (ask->kind == VHTTP_ASK_CREDIT) {
        entry->credit += ((const struct vhttp_ask_credit *)ask)->credit;
    } else if (ask->kind == VHTTP_ASK_CLOSE) {
        drop_file(reader, entry);
    }
    return true;
}

bool vhttp_file_reader_take(struct vhttp_file_reader *reader, const struct vhttp_ipc_head *ask) {
    vhttp_ring_begin_work(reader->answers);
    bool is_taken = take(reader, ask);
    vhttp_ring_end_work(reader->answers);
    return is_taken;
}

// Sends one file's next bytes. False when the ring has no room.
static bool send_some(struct vhttp_file_reader *reader, uint16_t id) {
    struct vhttp_open_file *entry = &reader->open[id];
    uint32_t length = entry->left < entry->credit ? entry->left : entry->credit;
    length = length < VHTTP_FILE_CHUNK ? length : VHTTP_FILE_CHUNK;
    struct vhttp_ipc_head *answer =
        vhttp_ring_reserve(reader->answers, (uint32_t)sizeof(*answer) + length);
    if (answer == NULL) {
        return false;
    }
    if (!reader->files->read(entry->file, answer + 1, length)) {
        commit_broken(reader, answer, id, entry->generation);
        drop_file(reader, entry);
        return true;
    }
    *answer = answer_head(VHTTP_ANSWER_DATA, id, entry->generation);
    vhttp_ring_commit(reader->answers, (uint32_t)sizeof(*answer) + length);
    entry->left -= length;
    entry->credit -= length;
    reader->spent += length;
    if (entry->left == 0) {
        drop_file(reader, entry);
    }
    return true;
}

static bool send_all(struct vhttp_file_reader *reader) {
    bool sent = true;
    while (sent && reader->spent < VHTTP_SERVICE_BUDGET) {
        sent = false;
        for (size_t i = 0; i < VHTTP_READERS; i++) {
            if (reader->open[i].file != NULL && reader->open[i].credit > 0) {
                if (!send_some(reader, (uint16_t)i)) {
                    return false;
                }
                sent = true;
            }
        }
    }
    return !sent;
}

bool vhttp_file_reader_send(struct vhttp_file_reader *reader) {
    vhttp_ring_begin_work(reader->answers);
    bool is_all = send_all(reader);
    vhttp_ring_end_work(reader->answers);
    return is_all;
}

void vhttp_file_reader_close(struct vhttp_file_reader *reader) {
    for (size_t i = 0; i < VHTTP_READERS; i++) {
        drop_file(reader, &reader->open[i]);
    }
}
