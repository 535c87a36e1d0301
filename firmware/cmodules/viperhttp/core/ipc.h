// SPDX-License-Identifier: MIT
// What the server thread and the interpreter say to each other: the records of the two rings.
//
// A reader asks for one thing at a time: a connection for a file or a call, an entry of the cache
// for a file. Its generation grows with every request, so that what is still under way for an
// earlier one is told apart and dropped.
#ifndef VHTTP_IPC_H
#define VHTTP_IPC_H

#include <stdint.h>

#include "platform.h"
#include "vhttp_config.h"

struct vhttp_ipc_head {
    uint16_t kind;       // enum vhttp_ask or enum vhttp_answer
    uint16_t connection; // index in the pool; for files also VHTTP_CACHE_READER + that of an entry
    uint32_t generation;
};

#define VHTTP_CACHE_READER VHTTP_MAX_CONNECTIONS
#define VHTTP_READERS (VHTTP_MAX_CONNECTIONS + VHTTP_CACHE_ENTRIES)

// Requests, server to interpreter.
enum vhttp_ask {
    VHTTP_ASK_OPEN,     // struct vhttp_ask_open: find a file
    VHTTP_ASK_READ,     // struct vhttp_ask_read: send a part of it, as credit allows
    VHTTP_ASK_CREDIT,   // struct vhttp_ask_credit: that many more bytes may be sent
    VHTTP_ASK_CLOSE,    // struct vhttp_ipc_head: no more of it
    VHTTP_ASK_CALL,     // struct vhttp_ask_call: call a route's handler
    VHTTP_ASK_BODY,     // struct vhttp_ipc_head and the next bytes of the call's request body
    VHTTP_ASK_BODY_END, // struct vhttp_ipc_head: the handler can start
};

#define VHTTP_OPEN_GZIP 1u // the client takes gzip
#define VHTTP_OPEN_HTML 2u // a folder stands for its index.html
#define VHTTP_OPEN_KEEP 4u // VHTTP_ASK_READ or VHTTP_ASK_CLOSE follows

struct vhttp_ask_open {
    struct vhttp_ipc_head head;
    uint32_t flags;
    uint32_t limit; // bytes: without KEEP, the content is sent at once if it is no longer
    char path[];    // in the file system, ends with NUL; with a final slash it names a folder
};

struct vhttp_ask_read {
    struct vhttp_ipc_head head;
    uint32_t offset, length; // bytes: what is wanted of the content; it is closed behind that
    uint32_t credit;         // bytes
};

struct vhttp_ask_credit {
    struct vhttp_ipc_head head;
    uint32_t credit; // bytes
};

#define VHTTP_CALL_BODY 1u     // ASK_BODY follows, any number of times, then ASK_BODY_END
#define VHTTP_CALL_HTTP_1_0 2u // the client knows no chunked coding

// A value that the router converted: of the path, or of the query.
struct vhttp_call_value {
    uint32_t kind;   // enum vhttp_value_kind
    uint32_t length; // of a text, bytes
    union {
        int64_t integer; // also a bool's 0 or 1
        double number;
        uint64_t at; // where in the record's text a text starts
    } as;
};

// Not a route's: for a request that the server could answer by itself. Its body is not read. It has
// three values: the status of that answer, and, when the answer is a file, the file and the status
// of a folder there; the first is then for a file that is not there.
#define VHTTP_NO_ROUTE UINT32_MAX

// Not a route's: the interpreter has its own words for a refusal. It has two values: the status,
// and the methods that the path is for, as Allow names them. The request's body is not read.
#define VHTTP_REFUSAL_ROUTE (UINT32_MAX - 1)

struct vhttp_ask_call {
    struct vhttp_ipc_head head;
    uint32_t route;  // as vhttp_routes_add numbered it, or one of these
    uint32_t credit; // bytes of content that may be sent
    uint16_t flags;
    uint8_t method; // enum vhttp_method
    uint8_t value_count;
    uint32_t content_length;            // of the request body; 0 when it is not known
    uint32_t path_length, query_length; // the decoded path, the query as it came
    uint32_t fields_length;             // the header lines as they came, with their CRLF
    struct vhttp_peer client;
    struct vhttp_call_value values[]; // the path's, then the query's
    // then the text: path, query, fields, and the texts of the values
};

// Responses, interpreter to server.
enum vhttp_answer {
    VHTTP_ANSWER_FOUND,   // struct vhttp_answer_found
    VHTTP_ANSWER_DATA,    // struct vhttp_ipc_head and the next bytes of the content
    VHTTP_ANSWER_NONE,    // struct vhttp_answer_none: there is no such file
    VHTTP_ANSWER_BROKEN,  // struct vhttp_ipc_head: what was promised cannot be sent to its end
    VHTTP_ANSWER_BEGIN,   // struct vhttp_answer_begin: a call's response starts
    VHTTP_ANSWER_END,     // struct vhttp_ipc_head: content of VHTTP_LENGTH_UNKNOWN is complete
    VHTTP_ANSWER_FILE,    // struct vhttp_answer_file: a call's response is a file
    VHTTP_ANSWER_PASS,    // struct vhttp_answer_pass: the server is to answer what had no route
    VHTTP_ANSWER_CHANGED, // struct vhttp_answer_changed: for the cache
};

#define VHTTP_FOUND_GZIP 1u   // the bytes are those of the .gz sibling
#define VHTTP_FOUND_VARIES 2u // there is a .gz sibling, taken or not
#define VHTTP_FOUND_DIGEST 4u // `digest` is set

struct vhttp_answer_found {
    struct vhttp_ipc_head head;
    uint32_t flags;
    uint32_t size;      // of the content, bytes
    uint64_t digest;    // of the content's bytes
    int64_t modified_s; // since 1970; 0 when it is not known for sure
};

#define VHTTP_LENGTH_UNKNOWN UINT32_MAX // until ANSWER_END
#define VHTTP_BEGIN_CHUNKED 1u          // the content comes in chunked coding

struct vhttp_answer_begin {
    struct vhttp_ipc_head head;
    uint16_t status;
    uint16_t flags;
    uint32_t length;        // of the content, bytes, or VHTTP_LENGTH_UNKNOWN
    uint32_t fields_length; // bytes of header lines, each with its CRLF
    char text[];            // the header lines, then the content's first bytes
};

struct vhttp_answer_file {
    struct vhttp_ipc_head head;
    uint32_t status;        // of the response, if the file is there
    uint32_t fields_length; // bytes of header lines, each with its CRLF; its type is among them
    char text[];            // the path in the file system, ends with NUL; then the header lines
};

struct vhttp_answer_pass {
    struct vhttp_ipc_head head;
    uint32_t fields_length; // bytes of header lines, each with its CRLF
    char text[];            // the header lines, which go before the server's own of their names
};

struct vhttp_answer_none {
    struct vhttp_ipc_head head;
    int32_t status; // 404, 500 or 503; 301: the path is a folder's and wants its slash
};

struct vhttp_answer_changed {
    struct vhttp_ipc_head head; // its kind alone counts
    char path[];                // in the file system, ends with NUL: it and all below it
};

#endif
