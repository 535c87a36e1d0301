// The interpreter's side of static files: reads MicroPython's file system for the server.
//
// Everything here runs on the interpreter's thread.
#ifndef VHTTP_FILE_SERVICE_H
#define VHTTP_FILE_SERVICE_H

#include "py/obj.h"

#include "server.h"
#include "vhttp_config.h"

// One for each connection.
struct vhttp_open_file {
    mp_obj_t file; // MP_OBJ_NULL: none
    uint32_t generation;
    uint32_t left;   // bytes of it still to be sent
    uint32_t credit; // bytes of it that may be sent now
};

// Lies in an object of the garbage collector, which thereby finds the files.
struct vhttp_file_service {
    struct vhttp_server *server;
    struct vhttp_open_file files[VHTTP_MAX_CONNECTIONS];
};

// Reads the server's requests and answers them, for a while: when it stops early, for Python to go
// on or for want of room, the server has it called again. Raises nothing.
void vhttp_file_service_run(struct vhttp_file_service *service);

// Closes all files.
void vhttp_file_service_close(struct vhttp_file_service *service);

#endif
