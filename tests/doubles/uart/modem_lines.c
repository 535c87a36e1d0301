// SPDX-License-Identifier: MIT
/* A double of a UART's DTR and RTS on a pseudo terminal, which has none. Preloaded into every
   program, it tells tests/cable.py what ioctl() is asked to do to them. A pseudo terminal that is
   no end of a cable stays without.

   open() asserts both, as the kernel does. It, TIOCMBIS, TIOCMBIC and TIOCMSET return once the
   cable has passed the lines on, as a UART's do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int lines;

/* A connection to the cable that a descriptor is an end of; -1 if it is of none. */
static int cable_of(int descriptor) {
    char tty[64];
    if (ttyname_r(descriptor, tty, sizeof tty) != 0) {
        return -1;
    }
    struct sockaddr_un cable = {.sun_family = AF_UNIX};
    /* In the abstract namespace: the name begins with a zero, and has no other. */
    int length = snprintf(cable.sun_path + 1, sizeof cable.sun_path - 1, "modem lines of %s", tty);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
    int link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (link >= 0 && connect(link, (struct sockaddr *)&cable, size) != 0) {
        close(link);
        link = -1;
    }
    return link;
}

static void tell(int link) {
    char message[16];
    snprintf(message, sizeof message, "%d %d", !!(lines & TIOCM_DTR), !!(lines & TIOCM_RTS));
    if (send(link, message, strlen(message), MSG_NOSIGNAL) > 0) {
        (void)!read(link, message, 1);
    }
}

/* Whether the request is one for modem lines, which is then done. */
static int done(int link, unsigned long request, int *argument) {
    switch (request) {
    case TIOCMGET:
        *argument = lines;
        return 1;
    case TIOCMSET:
        lines = *argument;
        break;
    case TIOCMBIS:
        lines |= *argument;
        break;
    case TIOCMBIC:
        lines &= ~*argument;
        break;
    default:
        return 0;
    }
    tell(link);
    return 1;
}

static int opened(int descriptor) {
    int problem = errno;
    int link = descriptor < 0 ? -1 : cable_of(descriptor);
    if (link >= 0) {
        lines = TIOCM_DTR | TIOCM_RTS;
        tell(link);
        close(link);
    }
    errno = problem;
    return descriptor;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        int (*next)(const char *, int, ...) =                                                      \
            (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                              \
        return opened(next(path, flags, mode));                                                    \
    }

OPEN(open)
OPEN(open64)

int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int (*next)(int, unsigned long, ...) =
        (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    int result = next(descriptor, request, argument);
    int problem = errno;
    if (result != 0 && (problem == ENOTTY || problem == EINVAL)) {
        int link = cable_of(descriptor);
        if (link >= 0) {
            result = done(link, request, argument) ? 0 : result;
            close(link);
        }
    }
    errno = problem;
    return result;
}
