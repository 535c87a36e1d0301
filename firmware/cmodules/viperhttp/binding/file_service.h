// SPDX-License-Identifier: MIT
// The interpreter's side of the rings: reads what the server asks, of files and of handlers.
//
// Everything here runs on the interpreter's thread.
#ifndef VHTTP_FILE_SERVICE_H
#define VHTTP_FILE_SERVICE_H

#include "call_service.h"
#include "file_reader.h"
#include "server.h"

// Lies in an object of the garbage collector, which thereby finds the files.
struct vhttp_file_service {
    struct vhttp_server *server;
    struct vhttp_call_service *calls;
    struct vhttp_file_reader reader;
};

// To be called once the server has started.
void vhttp_file_service_open(struct vhttp_file_service *service);

// Reads the server's requests and answers them, for a while: when it stops early, for Python to go
// on or for want of room, the server has it called again. Raises nothing.
void vhttp_file_service_run(struct vhttp_file_service *service);

// Closes all files.
void vhttp_file_service_close(struct vhttp_file_service *service);

#endif
