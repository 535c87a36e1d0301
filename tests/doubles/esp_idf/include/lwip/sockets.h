// SPDX-License-Identifier: MIT
// Double of lwIP as ESP-IDF v5.5.1 has it: components/lwip/lwip/src/include/lwip/sockets.h and
// components/lwip/port/include/lwipopts.h, what viperhttp uses of them. Its structures and its
// constants are not those of the host.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/types.h>

#include "sdkconfig.h"

#define LWIP_SOCKET_OFFSET (64 - CONFIG_LWIP_MAX_SOCKETS)

#define AF_INET 2
#define SOCK_STREAM 1
#define IPPROTO_TCP 6
#define SOL_SOCKET 0xfff
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define TCP_NODELAY 0x01
#define TCP_KEEPIDLE 0x03 // seconds, as the next
#define TCP_KEEPINTVL 0x04
#define TCP_KEEPCNT 0x05
#define SHUT_WR 1
#define INADDR_ANY ((uint32_t)0x00000000UL)
#define INADDR_LOOPBACK ((uint32_t)0x7f000001UL)

typedef uint32_t socklen_t;
typedef uint8_t sa_family_t;
typedef uint16_t in_port_t;

struct in_addr {
    uint32_t s_addr;
};

struct sockaddr {
    uint8_t sa_len;
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_in {
    uint8_t sin_len;
    sa_family_t sin_family;
    in_port_t sin_port;
    struct in_addr sin_addr;
    char sin_zero[8];
};

struct iovec {
    void *iov_base;
    size_t iov_len;
};

struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    int msg_iovlen;
    void *msg_control;
    socklen_t msg_controllen;
    int msg_flags;
};

uint16_t lwip_htons(uint16_t x);
uint32_t lwip_htonl(uint32_t x);
#define lwip_ntohs(x) lwip_htons(x)

int lwip_socket(int domain, int type, int protocol);
int lwip_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen);
int lwip_fcntl(int s, int cmd, int val);
int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen);
int lwip_listen(int s, int backlog);
int lwip_getsockname(int s, struct sockaddr *name, socklen_t *namelen);
int lwip_getpeername(int s, struct sockaddr *name, socklen_t *namelen);
int lwip_accept(int s, struct sockaddr *addr, socklen_t *addrlen);
ssize_t lwip_recv(int s, void *mem, size_t len, int flags);
ssize_t lwip_sendmsg(int s, const struct msghdr *message, int flags);
int lwip_shutdown(int s, int how);
int lwip_close(int s);
