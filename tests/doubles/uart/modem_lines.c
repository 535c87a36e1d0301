/* A double of a UART's DTR and RTS on a pseudo terminal, which has none. Preloaded into every
   program, it tells tests/docs/cable.py what ioctl() is asked to do to them.

   TIOCMBIS, TIOCMBIC and TIOCMSET return once the cable has passed the lines on, as a UART's do. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int lines = TIOCM_DTR | TIOCM_RTS; /* as they are after open() */

static void tell(const char *tty) {
    struct sockaddr_un cable = {.sun_family = AF_UNIX, .sun_path = "\0modem lines"};
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + sizeof "\0modem lines" - 1;
    int link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (link >= 0 && connect(link, (struct sockaddr *)&cable, size) == 0) {
        char message[128];
        snprintf(message, sizeof message, "%s %d %d", tty, !!(lines & TIOCM_DTR),
                 !!(lines & TIOCM_RTS));
        if (send(link, message, strlen(message), MSG_NOSIGNAL) > 0) {
            (void)!read(link, message, 1);
        }
    }
    if (link >= 0) {
        close(link);
    }
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int (*next)(int, unsigned long, ...) =
        (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    int result = next(descriptor, request, argument);
    char tty[64];
    if (result == 0 || (errno != ENOTTY && errno != EINVAL) ||
        ttyname_r(descriptor, tty, sizeof tty) != 0) {
        return result;
    }
    switch (request) {
    case TIOCMGET:
        *(int *)argument = lines;
        return 0;
    case TIOCMSET:
        lines = *(int *)argument;
        break;
    case TIOCMBIS:
        lines |= *(int *)argument;
        break;
    case TIOCMBIC:
        lines &= ~*(int *)argument;
        break;
    default:
        errno = ENOTTY;
        return result;
    }
    tell(tty);
    return 0;
}
