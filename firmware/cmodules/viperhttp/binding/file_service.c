#include "file_service.h"

#include <stdbool.h>
#include <string.h>

#include "extmod/vfs.h"
#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/objexcept.h"
#include "py/runtime.h"
#include "py/stream.h"

#include "ipc.h"

#define CHUNK_SIZE 4096u     // bytes read from the file system at once
#define GZIP_TRAILER_SIZE 8u // CRC-32 and size of the source, little endian (RFC 1952)

static uint8_t chunk[CHUNK_SIZE];

// ---- Calls into MicroPython, none of which raises

typedef mp_obj_t (*protected_fun)(void *argument);

// Calls `fun`; on an exception answers MP_OBJ_NULL and sets *error to its errno value (EIO for
// one that has none). A KeyboardInterrupt is not for us: it is raised again in the program.
static mp_obj_t call_protected(protected_fun fun, void *argument, int *error) {
    nlr_buf_t nlr;
    *error = 0;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t result = fun(argument);
        nlr_pop();
        return result;
    }
    mp_obj_t exception = MP_OBJ_FROM_PTR(nlr.ret_val);
    *error = MP_EIO;
    if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_KeyboardInterrupt))) {
        mp_sched_keyboard_interrupt();
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_MemoryError))) {
        *error = MP_ENOMEM;
    } else if (mp_obj_exception_match(exception, MP_OBJ_FROM_PTR(&mp_type_OSError))) {
        mp_obj_t value = mp_obj_exception_get_value(exception);
        if (mp_obj_is_small_int(value)) {
            *error = (int)MP_OBJ_SMALL_INT_VALUE(value);
        }
    }
    return MP_OBJ_NULL;
}

static mp_obj_t stat_unprotected(void *path) { return mp_vfs_stat(mp_obj_new_str_from_cstr(path)); }

static mp_obj_t open_unprotected(void *path) {
    mp_obj_t args[] = {mp_obj_new_str_from_cstr(path), MP_OBJ_NEW_QSTR(MP_QSTR_rb)};
    return mp_vfs_open(MP_ARRAY_SIZE(args), args, (mp_map_t *)&mp_const_empty_map);
}

static mp_obj_t close_unprotected(void *file) { return mp_stream_close(MP_OBJ_FROM_PTR(file)); }

struct reading {
    mp_obj_t file;
    void *out;
    size_t size;
    size_t done;
};

static mp_obj_t read_unprotected(void *argument) {
    struct reading *reading = argument;
    int error = 0;
    reading->done =
        mp_stream_rw(reading->file, reading->out, reading->size, &error, MP_STREAM_RW_READ);
    if (error != 0) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

struct seeking {
    mp_obj_t file;
    mp_off_t offset;
};

static mp_obj_t seek_unprotected(void *argument) {
    struct seeking *seeking = argument;
    int error = 0;
    if (mp_stream_seek(seeking->file, seeking->offset, MP_SEEK_SET, &error) == (mp_off_t)-1) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

// The entry's size, or -errno. A folder is -EISDIR.
static int64_t file_size(const char *path) {
    int error;
    mp_obj_t stat = call_protected(stat_unprotected, (void *)(uintptr_t)path, &error);
    if (stat == MP_OBJ_NULL) {
        return -error;
    }
    mp_obj_t *fields;
    mp_obj_get_array_fixed_n(stat, 10, &fields);
    if (mp_obj_get_int(fields[0]) & MP_S_IFDIR) {
        return -MP_EISDIR;
    }
    return mp_obj_get_int(fields[6]);
}

static mp_obj_t open_file(const char *path, int *error) {
    return call_protected(open_unprotected, (void *)(uintptr_t)path, error);
}

static void close_file(mp_obj_t file) {
    int error;
    call_protected(close_unprotected, MP_OBJ_TO_PTR(file), &error);
}

static bool seek_file(mp_obj_t file, uint32_t offset) {
    struct seeking seeking = {file, (mp_off_t)offset};
    int error;
    return call_protected(seek_unprotected, &seeking, &error) != MP_OBJ_NULL;
}

// True when all of `size` bytes were read.
static bool read_file(mp_obj_t file, void *out, size_t size) {
    struct reading reading = {file, out, size, 0};
    int error;
    return call_protected(read_unprotected, &reading, &error) != MP_OBJ_NULL &&
           reading.done == size;
}

// ---- Digests

// CRC-32 of RFC 1952, four bits at a time.
static uint32_t crc32_of(uint32_t crc, const uint8_t *bytes, size_t size) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc = (crc >> 4) ^ table[(crc ^ bytes[i]) & 15];
        crc = (crc >> 4) ^ table[(crc ^ (uint32_t)(bytes[i] >> 4)) & 15];
    }
    return ~crc;
}

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
static bool digest_file(mp_obj_t file, uint32_t size, struct digest *digest) {
    *digest = (struct digest){0, FNV_START};
    for (uint32_t left = size; left > 0;) {
        uint32_t length = left < CHUNK_SIZE ? left : CHUNK_SIZE;
        if (!read_file(file, chunk, length)) {
            return false;
        }
        digest->crc = crc32_of(digest->crc, chunk, length);
        digest->fnv = fnv_of(digest->fnv, chunk, length);
        left -= length;
    }
    return seek_file(file, 0);
}

// ---- Finding what to send

struct found_file {
    mp_obj_t file;
    uint32_t flags; // VHTTP_FOUND_…
    uint32_t size;
    uint64_t digest;
};

#if VHTTP_GZIP_ENABLED
static uint32_t get_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// Opens the .gz sibling of `path` if it is that of a source with this size and CRC-32.
static mp_obj_t open_sibling(const char *path, uint32_t source_size, uint32_t source_crc,
                             uint32_t *size) {
    char name[2 * VHTTP_PATH_MAX + sizeof(".gz")];
    size_t length = strlen(path);
    if (length + sizeof(".gz") > sizeof(name)) {
        return MP_OBJ_NULL;
    }
    memcpy(name, path, length);
    memcpy(name + length, ".gz", sizeof(".gz"));
    int64_t sibling_size = file_size(name);
    if (sibling_size <= (int64_t)GZIP_TRAILER_SIZE || sibling_size >= (int64_t)source_size) {
        return MP_OBJ_NULL;
    }
    int error;
    mp_obj_t file = open_file(name, &error);
    if (file == MP_OBJ_NULL) {
        return MP_OBJ_NULL;
    }
    uint8_t trailer[GZIP_TRAILER_SIZE];
    if (seek_file(file, (uint32_t)sibling_size - GZIP_TRAILER_SIZE) &&
        read_file(file, trailer, sizeof(trailer)) && get_u32(trailer) == source_crc &&
        get_u32(trailer + 4) == source_size && seek_file(file, 0)) {
        *size = (uint32_t)sibling_size;
        return file;
    }
    close_file(file);
    return MP_OBJ_NULL;
}

// Takes the .gz sibling in place of the plain file when there is one and the client takes it.
static void choose_encoding(const char *path, bool takes_gzip, uint32_t source_crc,
                            struct found_file *found) {
    uint32_t size;
    mp_obj_t sibling = open_sibling(path, found->size, source_crc, &size);
    if (sibling == MP_OBJ_NULL) {
        return;
    }
    found->flags |= VHTTP_FOUND_VARIES;
    struct digest digest;
    if (!takes_gzip || !digest_file(sibling, size, &digest)) {
        close_file(sibling);
        return;
    }
    close_file(found->file);
    found->file = sibling;
    found->flags |= VHTTP_FOUND_GZIP;
    found->size = size;
    found->digest = digest.fnv;
}
#endif

// Answers 0 with `found` filled, or the status to respond with.
static int find_file(const struct vhttp_ask_open *ask, struct found_file *found) {
    const char *path = ask->path;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/') {
        return 404; // a folder, whose index.html is not wanted
    }
    int64_t size = file_size(path);
    if (size == -MP_EISDIR) {
        return ask->flags & VHTTP_OPEN_HTML ? 301 : 404;
    }
    if (size < 0) {
        return size == -MP_ENOMEM ? 503 : size == -MP_EIO ? 500 : 404;
    }
    if (size > INT32_MAX) {
        return 500;
    }
    int error;
    *found = (struct found_file){.file = open_file(path, &error), .size = (uint32_t)size};
    if (found->file == MP_OBJ_NULL) {
        return error == MP_ENOMEM ? 503 : error == MP_ENOENT ? 404 : 500;
    }
    if (found->size > VHTTP_STATIC_DIGEST_MAX) {
        return 0;
    }
    struct digest digest;
    if (!digest_file(found->file, found->size, &digest)) {
        close_file(found->file);
        return 500;
    }
    found->flags = VHTTP_FOUND_DIGEST;
    found->digest = digest.fnv;
#if VHTTP_GZIP_ENABLED
    choose_encoding(path, ask->flags & VHTTP_OPEN_GZIP, digest.crc, found);
#endif
    return 0;
}

// ---- Answers

static struct vhttp_ipc_head answer_head(enum vhttp_answer kind, uint16_t connection,
                                         uint32_t generation) {
    return (struct vhttp_ipc_head){(uint16_t)kind, connection, generation};
}

static void drop_file(struct vhttp_open_file *entry) {
    if (entry->file != MP_OBJ_NULL) {
        close_file(entry->file);
        entry->file = MP_OBJ_NULL;
    }
}

// The caller has made sure that there is room for every one of these.
static void *reserve_answer(struct vhttp_file_service *service, uint32_t length) {
    return vhttp_ring_reserve(vhttp_server_responses(service->server), length);
}

static void commit_answer(struct vhttp_file_service *service, uint32_t length) {
    vhttp_ring_commit(vhttp_server_responses(service->server), length);
}

// Opens what `ask` wants. False when the ring has no room for the answer: to be tried again.
static bool take_open(struct vhttp_file_service *service, const struct vhttp_ask_open *ask,
                      uint32_t *spent) {
    struct vhttp_open_file *entry = &service->files[ask->head.connection];
    uint32_t room = sizeof(struct vhttp_answer_found);
    void *answer = reserve_answer(service, room);
    if (answer == NULL) {
        return false;
    }
    drop_file(entry);
    struct found_file found;
    int status = find_file(ask, &found);
    if (status != 0) {
        struct vhttp_answer_none *none = answer;
        none->head = answer_head(VHTTP_ANSWER_NONE, ask->head.connection, ask->head.generation);
        none->status = status;
        commit_answer(service, sizeof(*none));
        return true;
    }
    struct vhttp_answer_found *out = answer;
    out->head = answer_head(VHTTP_ANSWER_FOUND, ask->head.connection, ask->head.generation);
    out->flags = found.flags;
    out->size = found.size;
    out->digest = found.digest;
    commit_answer(service, sizeof(*out));
    entry->file = found.file;
    entry->generation = ask->head.generation;
    entry->left = found.size;
    entry->credit = ask->credit;
    if (entry->left == 0) {
        drop_file(entry);
    }
    *spent += found.size;
    return true;
}

// Handles the oldest request. False when there is none or it has to wait.
static bool take_request(struct vhttp_file_service *service, uint32_t *spent) {
    struct vhttp_ring *requests = vhttp_server_requests(service->server);
    uint32_t length;
    const struct vhttp_ipc_head *ask = vhttp_ring_peek(requests, &length);
    if (ask == NULL) {
        return false;
    }
    struct vhttp_open_file *entry = &service->files[ask->connection];
    bool is_current = entry->file != MP_OBJ_NULL && entry->generation == ask->generation;
    switch ((enum vhttp_ask)ask->kind) {
    case VHTTP_ASK_OPEN:
        if (!take_open(service, (const struct vhttp_ask_open *)ask, spent)) {
            return false;
        }
        break;
    case VHTTP_ASK_CREDIT:
        if (is_current) {
            entry->credit += ((const struct vhttp_ask_credit *)ask)->credit;
        }
        break;
    case VHTTP_ASK_CLOSE:
        if (is_current) {
            drop_file(entry);
        }
        break;
    }
    vhttp_ring_release(requests);
    return true;
}

// Sends one file's next bytes. False when the ring has no room.
static bool send_some(struct vhttp_file_service *service, uint16_t connection, uint32_t *spent) {
    struct vhttp_open_file *entry = &service->files[connection];
    uint32_t length = entry->left < entry->credit ? entry->left : entry->credit;
    length = length < CHUNK_SIZE ? length : CHUNK_SIZE;
    struct vhttp_ipc_head *answer = reserve_answer(service, (uint32_t)sizeof(*answer) + length);
    if (answer == NULL) {
        return false;
    }
    bool is_read = read_file(entry->file, answer + 1, length);
    *answer = answer_head(is_read ? VHTTP_ANSWER_DATA : VHTTP_ANSWER_BROKEN, connection,
                          entry->generation);
    commit_answer(service, (uint32_t)sizeof(*answer) + (is_read ? length : 0));
    entry->left -= length;
    entry->credit -= length;
    *spent += length;
    if (entry->left == 0 || !is_read) {
        drop_file(entry);
    }
    return true;
}

// Sends every file's next bytes in turn, as long as there is credit. False when it has to wait.
static bool send_files(struct vhttp_file_service *service, uint32_t *spent) {
    bool sent = true;
    while (sent && *spent < VHTTP_SERVICE_BUDGET) {
        sent = false;
        for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
            if (service->files[i].file != MP_OBJ_NULL && service->files[i].credit > 0) {
                if (!send_some(service, (uint16_t)i, spent)) {
                    return false;
                }
                sent = true;
            }
        }
    }
    return true;
}

void vhttp_file_service_run(struct vhttp_file_service *service) {
    uint32_t spent = 0;
    vhttp_server_acknowledge(service->server);
    while (spent < VHTTP_SERVICE_BUDGET && take_request(service, &spent)) {
    }
    bool has_room = send_files(service, &spent);
    uint32_t unused;
    bool has_requests = vhttp_ring_peek(vhttp_server_requests(service->server), &unused) != NULL;
    if (spent >= VHTTP_SERVICE_BUDGET || !has_room || has_requests) {
        vhttp_server_ask_again(service->server);
    } else {
        vhttp_server_notify(service->server);
    }
}

void vhttp_file_service_close(struct vhttp_file_service *service) {
    for (size_t i = 0; i < VHTTP_MAX_CONNECTIONS; i++) {
        drop_file(&service->files[i]);
    }
}
