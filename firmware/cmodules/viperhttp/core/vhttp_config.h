// Every setting of viperhttp. A board overrides them in viperhttp_board.h, which the build makes
// from its board.toml. Sizes are bytes, times milliseconds unless the name says otherwise.
#ifndef VHTTP_CONFIG_H
#define VHTTP_CONFIG_H

#include <stdint.h>

#include "viperhttp_board.h"

// Connections that can be open at once; more wait in the backlog.
#ifndef VHTTP_MAX_CONNECTIONS
#define VHTTP_MAX_CONNECTIONS 16
#endif
#ifndef VHTTP_LISTEN_BACKLOG
#define VHTTP_LISTEN_BACKLOG 64
#endif

// The server's task on a chip. The interpreter's is on the other core, with priority 1; lwIP's has
// 18. What was never used of the stack is logged when the server stops.
#ifndef VHTTP_SERVER_CORE
#define VHTTP_SERVER_CORE 0
#endif
#ifndef VHTTP_SERVER_PRIORITY
#define VHTTP_SERVER_PRIORITY 5
#endif
#ifndef VHTTP_SERVER_STACK_SIZE
#define VHTTP_SERVER_STACK_SIZE 12288
#endif
// What the server may take of internal RAM, its task's stack included: more does not compile.
#ifndef VHTTP_INTERNAL_MEMORY_MAX
#define VHTTP_INTERNAL_MEMORY_MAX SIZE_MAX
#endif

// A request's line and header fields together; a longer head gets 431 (414 for a long target).
#ifndef VHTTP_REQUEST_HEAD_MAX
#define VHTTP_REQUEST_HEAD_MAX 4096
#endif
#ifndef VHTTP_MAX_HEADERS
#define VHTTP_MAX_HEADERS 48
#endif
// A request body that is longer gets 413.
#ifndef VHTTP_REQUEST_BODY_MAX
#define VHTTP_REQUEST_BODY_MAX 65536
#endif
// Names in a query, in a form, and in an object of a JSON body; with more a handler that asks for
// them answers 413. Names can be chosen so that a dict looks at all of them for each.
#ifndef VHTTP_NAMES_MAX
#define VHTTP_NAMES_MAX 1000
#endif
// JSON: containers within each other, in a body and in what a handler returns, and the characters
// of a number in a body.
#ifndef VHTTP_JSON_DEPTH_MAX
#define VHTTP_JSON_DEPTH_MAX 24
#endif
#ifndef VHTTP_JSON_NUMBER_MAX
#define VHTTP_JSON_NUMBER_MAX 1000
#endif
// Chunk extensions and trailers of one body, which mean nothing here; then 431.
#ifndef VHTTP_BODY_IGNORED_MAX
#define VHTTP_BODY_IGNORED_MAX 1024
#endif
#ifndef VHTTP_RESPONSE_HEAD_MAX
#define VHTTP_RESPONSE_HEAD_MAX 1536
#endif

// A decoded path below a mount, and the file it stands for.
#ifndef VHTTP_PATH_MAX
#define VHTTP_PATH_MAX 256
#endif
#ifndef VHTTP_MAX_MOUNTS
#define VHTTP_MAX_MOUNTS 8
#endif

// Routes: the parts of a pattern, and the parameters of its path; as many of its query.
#ifndef VHTTP_ROUTE_SEGMENTS_MAX
#define VHTTP_ROUTE_SEGMENTS_MAX 16
#endif
#ifndef VHTTP_ROUTE_PARAMETERS_MAX
#define VHTTP_ROUTE_PARAMETERS_MAX 8
#endif

// Bytes of a body that may be under way to one connection: its window of the response ring.
#ifndef VHTTP_WINDOW_SIZE
#define VHTTP_WINDOW_SIZE 16384
#endif
// The response ring, where PSRAM is there and where it is not, and the request ring.
#ifndef VHTTP_IPC_RINGBUF_SIZE_PSRAM
#define VHTTP_IPC_RINGBUF_SIZE_PSRAM 262144
#endif
#ifndef VHTTP_IPC_RINGBUF_SIZE
#define VHTTP_IPC_RINGBUF_SIZE 16384
#endif
#ifndef VHTTP_IPC_REQUEST_RINGBUF_SIZE
#define VHTTP_IPC_REQUEST_RINGBUF_SIZE 32768
#endif

// Time from a request's first byte to its last header byte; then 408.
#ifndef VHTTP_HEADER_TIMEOUT_MS
#define VHTTP_HEADER_TIMEOUT_MS 10000
#endif
// Time in which the next byte of a request's body must come; then 408.
#ifndef VHTTP_BODY_TIMEOUT_MS
#define VHTTP_BODY_TIMEOUT_MS 10000
#endif
// Time between two requests of one connection.
#ifndef VHTTP_IDLE_TIMEOUT_MS
#define VHTTP_IDLE_TIMEOUT_MS 30000
#endif
// Time in which a client must take at least one byte of its answer.
#ifndef VHTTP_SEND_TIMEOUT_MS
#define VHTTP_SEND_TIMEOUT_MS 15000
#endif
// How long a request waits for a busy interpreter; then 503 with Retry-After.
#ifndef VHTTP_COLD_WAIT_MS
#define VHTTP_COLD_WAIT_MS 500
#endif
// How long a handler that was called may take to start its response; then 503.
#ifndef VHTTP_HANDLER_TIMEOUT_MS
#define VHTTP_HANDLER_TIMEOUT_MS 60000
#endif
#ifndef VHTTP_RETRY_AFTER_S
#define VHTTP_RETRY_AFTER_S 1
#endif
// How long the rest of a refused request is read, so that its answer arrives before the reset.
#ifndef VHTTP_LINGER_MS
#define VHTTP_LINGER_MS 1000
#endif

// The folder of the file system under which every mounted folder lies.
#ifndef VHTTP_STATIC_FS_BASE
#define VHTTP_STATIC_FS_BASE "/"
#endif
// 1: the interpreter reads the files, and sends them through the ring. 0: the server's thread reads
// them by itself, from a file system that the port can read on any thread.
#ifndef VHTTP_STATIC_SERVE_VIA_IPC
#define VHTTP_STATIC_SERVE_VIA_IPC 1
#endif
// The cache of files: its memory where PSRAM is there and where it is not (0: no content, only what
// there is), its entries, and the longest file that goes into it.
#ifndef VHTTP_CACHE_SIZE_PSRAM
#define VHTTP_CACHE_SIZE_PSRAM 2097152
#endif
#ifndef VHTTP_CACHE_SIZE
#define VHTTP_CACHE_SIZE 0
#endif
#ifndef VHTTP_CACHE_BLOCK_SIZE
#define VHTTP_CACHE_BLOCK_SIZE 4096
#endif
#ifndef VHTTP_CACHE_ENTRIES
#define VHTTP_CACHE_ENTRIES 64
#endif
#ifndef VHTTP_CACHE_FILE_MAX
#define VHTTP_CACHE_FILE_MAX 262144
#endif
// How old knowledge of a file may get. The interpreter is asked whether it has changed by the first
// request in the last quarter of this time, which does not wait for the answer; later ones do, for
// VHTTP_COLD_WAIT_MS at most.
#ifndef VHTTP_STATIC_REVALIDATE_MS
#define VHTTP_STATIC_REVALIDATE_MS 1000
#endif
// A larger file is served without an ETag and without its .gz sibling: both need a pass over it.
#ifndef VHTTP_STATIC_DIGEST_MAX
#define VHTTP_STATIC_DIGEST_MAX 2097152
#endif
// Bytes of files that the interpreter's side handles before it lets Python go on.
#ifndef VHTTP_SERVICE_BUDGET
#define VHTTP_SERVICE_BUDGET 262144
#endif

// .gz siblings: served at all, and what gzip_static() makes.
#ifndef VHTTP_GZIP_ENABLED
#define VHTTP_GZIP_ENABLED 1
#endif
#ifndef VHTTP_GZIP_MIN_SIZE
#define VHTTP_GZIP_MIN_SIZE 1024
#endif
#ifndef VHTTP_GZIP_LEVEL
#define VHTTP_GZIP_LEVEL 6
#endif

_Static_assert(VHTTP_MAX_CONNECTIONS >= 1 && VHTTP_MAX_CONNECTIONS <= 4096, "connection pool");
_Static_assert(VHTTP_WINDOW_SIZE >= 8192, "a window holds the text of /metrics");
_Static_assert(VHTTP_REQUEST_HEAD_MAX >= 1024, "request head");
_Static_assert(VHTTP_CACHE_ENTRIES >= 1 && VHTTP_CACHE_ENTRIES <= 4096, "cache entries");
_Static_assert(VHTTP_IPC_REQUEST_RINGBUF_SIZE >= 4 * VHTTP_REQUEST_HEAD_MAX, "a call holds a head");
_Static_assert(VHTTP_NAMES_MAX >= 1 && VHTTP_NAMES_MAX < 65535, "names are counted in 16 bits");
_Static_assert(VHTTP_JSON_DEPTH_MAX >= 1 && VHTTP_JSON_DEPTH_MAX <= 64, "JSON's depth");
_Static_assert(VHTTP_PATH_MAX >= 64 && VHTTP_PATH_MAX <= 4096, "path");

#endif
