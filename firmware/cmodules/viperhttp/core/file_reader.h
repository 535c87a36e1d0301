// SPDX-License-Identifier: MIT
// The reader of static files: answers what the server asks of a file system.
//
// Runs on the thread that the file system belongs to: the interpreter's, for MicroPython's.
#ifndef VHTTP_FILE_READER_H
#define VHTTP_FILE_READER_H

#include "file_system.h"
#include "ipc.h"
#include "ring.h"
#include "vhttp_config.h"

#define VHTTP_FILE_CHUNK 4096 // bytes read from the file system at once

// One for each reader.
struct vhttp_open_file {
    void *file; // NULL: none
    uint32_t generation;
    uint32_t left;   // bytes of it still to be sent
    uint32_t credit; // bytes of it that may be sent now
};

// The digest of a file that is too long for the cache, so that parts of it are had without reading
// all of it each time.
struct vhttp_known_digest {
    uint64_t path_hash, version;
    uint32_t size, crc;
    uint64_t fnv;
};

#define VHTTP_KNOWN_DIGESTS 8 // the oldest gives way

// `open` comes first, where a garbage collector that owns the files finds them.
struct vhttp_file_reader {
    struct vhttp_open_file open[VHTTP_READERS];
    const struct vhttp_file_system *files;
    struct vhttp_ring *answers; // whose writer it is, and which is told when it is at work
    uint32_t spent;             // bytes read since the caller set it to 0
    struct vhttp_known_digest known[VHTTP_KNOWN_DIGESTS];
    uint32_t known_count; // that there ever were
    uint8_t chunk[VHTTP_FILE_CHUNK];
};

// Takes one of the requests OPEN, READ, CREDIT and CLOSE. False when the ring has no room for the
// answer: to be tried again.
bool vhttp_file_reader_take(struct vhttp_file_reader *reader, const struct vhttp_ipc_head *ask);

// Sends every file's next bytes in turn, as long as there is credit and VHTTP_SERVICE_BUDGET is
// not spent. False when there is more to send.
bool vhttp_file_reader_send(struct vhttp_file_reader *reader);

// Takes nothing that it knows of files for granted any more.
void vhttp_file_reader_forget(struct vhttp_file_reader *reader);

// Closes all files.
void vhttp_file_reader_close(struct vhttp_file_reader *reader);

#endif
