// SPDX-License-Identifier: MIT
// An application for tests of the board: it does what the lines on its terminal say.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;

static void *map(const char *name, size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(getenv(name)), 0);
}

static void list_descriptors(void) {
    DIR *open_files = opendir("/proc/self/fd");
    printf("fds");
    for (struct dirent *entry = readdir(open_files); entry; entry = readdir(open_files)) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(open_files)) {
            printf(" %d", fd);
        }
    }
    closedir(open_files);
    printf("\n");
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("payload up: %d %s\n", argc, argv[0]);
    uint8_t *flash = map("VIRTUAL_FLASH_FD", 16 << 20);
    uint64_t *chip = map("VIRTUAL_CHIP_FD", 4096);
    char line[256];
    for (;;) {
        if (fgets(line, sizeof(line), stdin) == NULL) {
            if (errno == EINTR) {
                continue;
            }
            return 99;
        }
        line[strcspn(line, "\r\n")] = '\0';
        unsigned long number = strtoul(line + 1, NULL, 0);
        switch (line[0]) {
        case 'e': // end with a status
            return (int)number;
        case 'f':
            list_descriptors();
            break;
        case 'h': // hold out against all that can be held out against
            signal(SIGHUP, SIG_IGN);
            printf("holding\n");
            for (;;) {
                pause();
            }
        case 'k': // lose power, as programming beyond the budget does
            chip[2] = 0;
            kill(getpid(), 9);
            break;
        case 'p': // program one zero byte
            flash[number] = 0;
            chip[0]++;
            break;
        case 'r': // what the shared page says
            printf("page %lu %lu %ld %lx %lx\n", chip[0], chip[1], (long)chip[2], chip[3], chip[4]);
            break;
        case 's': // print much
            for (unsigned long i = 0; i < number; i++) {
                putchar('a' + (int)(i % 26));
            }
            printf("\nspewed\n");
            break;
        case 'v':
            for (char **entry = environ; *entry; entry++) {
                printf("env %s\n", *entry);
            }
            printf("session %d %d\n", getpid() == getsid(0), tcgetpgrp(0) == getpgrp());
            break;
        default:
            printf("echo %s\n", line);
        }
    }
}
