// SPDX-License-Identifier: MIT
// serve.c over a port that stalls: whoever sends "STALL" has the server's thread receive for ever.
// Linked with --wrap=vhttp_recv.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "served.h"

// NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name
ptrdiff_t __real_vhttp_recv(int socket, void *bytes, size_t size);

// NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name
ptrdiff_t __wrap_vhttp_recv(int socket, void *bytes, size_t size) {
    ptrdiff_t received = __real_vhttp_recv(socket, bytes, size);
    while (received >= 5 && memcmp(bytes, "STALL", 5) == 0) {
        pause();
    }
    return received;
}

int main(int argc, char **argv) {
    static struct served served;
    if (argc != 2) {
        fprintf(stderr, "usage: stall FOLDER\n");
        return 2;
    }
    served_start(&served, argv[1], 0);
    printf("%s\n", served.address);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    served_stop(&served);
    return 0;
}
