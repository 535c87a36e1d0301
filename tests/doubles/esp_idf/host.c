// SPDX-License-Identifier: MIT
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int moved(int descriptor, int first, int last) {
    if (descriptor < 0) {
        return -1;
    }
    int wanted = fcntl(descriptor, F_DUPFD, first);
    close(descriptor);
    if (wanted > last) {
        close(wanted);
        errno = ENFILE;
        return -1;
    }
    return wanted;
}

int host_socket(int first, int last) { return moved(socket(AF_INET, SOCK_STREAM, 0), first, last); }

int host_accept(int listener, int first, int last) {
    return moved(accept(listener, NULL, NULL), first, last);
}

static int set(int socket, int level, int option) {
    int on = 1;
    return setsockopt(socket, level, option, &on, sizeof(on));
}

int host_reuse_address(int socket) { return set(socket, SOL_SOCKET, SO_REUSEADDR); }

int host_no_delay(int socket) { return set(socket, IPPROTO_TCP, TCP_NODELAY); }

int host_keep_alive(int socket) { return set(socket, SOL_SOCKET, SO_KEEPALIVE); }

int host_keep_alive_idle(int socket, int seconds) {
    return setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
}

int host_keep_alive_interval(int socket, int seconds) {
    return setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
}

int host_keep_alive_count(int socket, int count) {
    return setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

int host_nonblocking(int socket) { return fcntl(socket, F_SETFL, O_NONBLOCK); }

int host_bind(int socket, uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return bind(socket, (struct sockaddr *)&address, sizeof(address));
}

int host_listen(int socket, int backlog) { return listen(socket, backlog); }

static int port_by(int (*name)(int, struct sockaddr *, socklen_t *), int socket) {
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int result = name(socket, (struct sockaddr *)&address, &size);
    return result == 0 ? ntohs(address.sin_port) : -1;
}

int host_port(int socket) { return port_by(getsockname, socket); }

int host_peer_port(int socket) { return port_by(getpeername, socket); }

ssize_t host_recv(int socket, void *bytes, size_t size) { return recv(socket, bytes, size, 0); }

ssize_t host_send(int socket, const void *const *parts, const size_t *lengths, size_t count) {
    struct iovec vectors[64];
    for (size_t i = 0; i < count; i++) {
        vectors[i] = (struct iovec){(void *)(uintptr_t)parts[i], lengths[i]};
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

int host_end(int socket) { return shutdown(socket, SHUT_WR); }

int host_close(int socket) { return close(socket); }
