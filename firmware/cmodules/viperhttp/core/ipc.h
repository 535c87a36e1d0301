// What the server thread and the interpreter say to each other: the records of the two rings.
//
// A connection asks for one file at a time. Its generation grows with every request, so that what
// is still under way for an earlier one is told apart and dropped.
#ifndef VHTTP_IPC_H
#define VHTTP_IPC_H

#include <stdint.h>

struct vhttp_ipc_head {
    uint16_t kind;       // enum vhttp_ask or enum vhttp_answer
    uint16_t connection; // index in the pool
    uint32_t generation;
};

// Requests, server to interpreter.
enum vhttp_ask {
    VHTTP_ASK_OPEN,   // struct vhttp_ask_open: find a file and send its body as credit allows
    VHTTP_ASK_CREDIT, // struct vhttp_ask_credit: that many more bytes may be sent
    VHTTP_ASK_CLOSE,  // struct vhttp_ipc_head: no more of it
};

#define VHTTP_OPEN_GZIP 1u // the client takes gzip
#define VHTTP_OPEN_HTML 2u // a folder stands for its index.html

struct vhttp_ask_open {
    struct vhttp_ipc_head head;
    uint32_t flags;
    uint32_t credit; // bytes
    char path[];     // in the file system, ends with NUL; with a final slash it names a folder
};

struct vhttp_ask_credit {
    struct vhttp_ipc_head head;
    uint32_t credit; // bytes
};

// Responses, interpreter to server.
enum vhttp_answer {
    VHTTP_ANSWER_FOUND,  // struct vhttp_answer_found: the body follows
    VHTTP_ANSWER_DATA,   // struct vhttp_ipc_head and the next bytes of the body
    VHTTP_ANSWER_NONE,   // struct vhttp_answer_none: no body follows
    VHTTP_ANSWER_BROKEN, // struct vhttp_ipc_head: the file cannot be read any further
};

#define VHTTP_FOUND_GZIP 1u   // the bytes are those of the .gz sibling
#define VHTTP_FOUND_VARIES 2u // there is a .gz sibling, taken or not
#define VHTTP_FOUND_DIGEST 4u // `digest` is set

struct vhttp_answer_found {
    struct vhttp_ipc_head head;
    uint32_t flags;
    uint32_t size;   // of the body, bytes
    uint64_t digest; // of the body's bytes
};

struct vhttp_answer_none {
    struct vhttp_ipc_head head;
    int32_t status; // 404, 500 or 503; 301: the path is a folder's and wants its slash
};

#endif
