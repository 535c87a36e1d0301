// SPDX-License-Identifier: MIT
// Serves a folder until its input ends: `serve FOLDER PORT`. Prints its address.
#include <stdio.h>
#include <stdlib.h>

#include "served.h"

int main(int argc, char **argv) {
    static struct served served;
    if (argc != 3) {
        fprintf(stderr, "usage: serve FOLDER PORT\n");
        return 2;
    }
    served_start(&served, argv[1], (uint16_t)atoi(argv[2]));
    printf("%s\n", served.address);
    fflush(stdout);
    while (getchar() != EOF) {
    }
    served_stop(&served);
    return 0;
}
