// SPDX-License-Identifier: MIT
// Double of lwIP's sockets and of what of ESP-IDF stands around them, on this machine's sockets.
//
// It refuses what lwIP refuses: flags of sendmsg and fcntl that it does not know
// (src/api/sockets.c), options that viperhttp has no use for, a socket before esp_netif_init, and
// eventfds before they are registered. Descriptors are where lwIP has them, the last ones below 64.
// select(), read(), write(), close() and eventfd() are the system's own, over the same descriptors.
#include "lwip/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_netif.h"
#include "esp_vfs_eventfd.h"
#include "host.h"
#include "lwip/stats.h"

#define LAST (LWIP_SOCKET_OFFSET + CONFIG_LWIP_MAX_SOCKETS - 1)

static bool is_initialised, has_eventfds;

// ---- Around

esp_err_t esp_netif_init(void) {
    is_initialised = true;
    return ESP_OK;
}

esp_netif_t *esp_netif_get_default_netif(void) { return (esp_netif_t *)&is_initialised; }

esp_err_t esp_netif_get_ip_info(esp_netif_t *esp_netif, esp_netif_ip_info_t *ip_info) {
    (void)esp_netif;
    ip_info->ip.addr = lwip_htonl(0x7f000001);
    return ESP_OK;
}

esp_err_t esp_vfs_eventfd_register(const esp_vfs_eventfd_config_t *config) {
    if (has_eventfds || config->max_fds == 0) {
        return ESP_ERR_INVALID_STATE;
    }
    has_eventfds = true;
    return ESP_OK;
}

// ---- Sockets

static int refuse(int error) {
    errno = error;
    return -1;
}

uint16_t lwip_htons(uint16_t x) { return __builtin_bswap16(x); }

uint32_t lwip_htonl(uint32_t x) { return __builtin_bswap32(x); }

int lwip_socket(int domain, int type, int protocol) {
    if (!is_initialised) {
        abort(); // lwIP's mailboxes do not exist yet
    }
    if (domain != AF_INET || type != SOCK_STREAM || protocol != IPPROTO_TCP) {
        return refuse(EINVAL);
    }
    return host_socket(LWIP_SOCKET_OFFSET, LAST);
}

int lwip_setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen) {
    if (optlen != sizeof(int) || *(const int *)optval == 0) {
        return refuse(EINVAL);
    }
    int value = *(const int *)optval;
    if (level == SOL_SOCKET && optname == SO_REUSEADDR) {
        return host_reuse_address(s);
    }
    if (level == SOL_SOCKET && optname == SO_KEEPALIVE) {
        return host_keep_alive(s);
    }
    if (level != IPPROTO_TCP) {
        return refuse(ENOPROTOOPT);
    }
    switch (optname) {
    case TCP_NODELAY:
        return host_no_delay(s);
    case TCP_KEEPIDLE:
        return host_keep_alive_idle(s, value);
    case TCP_KEEPINTVL:
        return host_keep_alive_interval(s, value);
    case TCP_KEEPCNT:
        return host_keep_alive_count(s, value);
    default:
        return refuse(ENOPROTOOPT);
    }
}

struct stats_ lwip_stats = {.tcp = {.xmit = 70, .drop = 3}};

int lwip_fcntl(int s, int cmd, int val) {
    if (cmd == F_GETFL) {
        return fcntl(s, F_GETFL) < 0 ? -1 : O_NONBLOCK; // EBADF where there is no socket
    }
    if (getenv("LWIP_FCNTL_REFUSES") != NULL || cmd != F_SETFL || val != O_NONBLOCK) {
        return refuse(ENOSYS);
    }
    return host_nonblocking(s);
}

int lwip_bind(int s, const struct sockaddr *name, socklen_t namelen) {
    const struct sockaddr_in *address = (const struct sockaddr_in *)name;
    if (namelen != sizeof(*address) || address->sin_family != AF_INET) {
        return refuse(EINVAL);
    }
    return host_bind(s, lwip_ntohs(address->sin_port));
}

int lwip_listen(int s, int backlog) {
    if (backlog > CONFIG_LWIP_TCP_ACCEPTMBOX_SIZE) {
        abort(); // clients beyond the mailbox would be reset
    }
    return host_listen(s, backlog);
}

int lwip_getsockname(int s, struct sockaddr *name, socklen_t *namelen) {
    struct sockaddr_in *address = (struct sockaddr_in *)name;
    int port = host_port(s);
    if (port < 0 || *namelen != sizeof(*address)) {
        return refuse(EINVAL);
    }
    address->sin_port = lwip_htons((uint16_t)port);
    return 0;
}

int lwip_getpeername(int s, struct sockaddr *name, socklen_t *namelen) {
    struct sockaddr_in *address = (struct sockaddr_in *)name;
    int port = host_peer_port(s);
    if (port < 0 || *namelen != sizeof(*address)) {
        return refuse(EINVAL);
    }
    address->sin_addr.s_addr = lwip_htonl(INADDR_LOOPBACK);
    address->sin_port = lwip_htons((uint16_t)port);
    return 0;
}

int lwip_accept(int s, struct sockaddr *addr, socklen_t *addrlen) {
    if (addr != NULL || addrlen != NULL) {
        return refuse(EINVAL);
    }
    return host_accept(s, LWIP_SOCKET_OFFSET, LAST);
}

ssize_t lwip_recv(int s, void *mem, size_t len, int flags) {
    return flags != 0 ? refuse(EOPNOTSUPP) : host_recv(s, mem, len);
}

ssize_t lwip_sendmsg(int s, const struct msghdr *message, int flags) {
    const void *parts[64];
    size_t lengths[64];
    if (flags != 0) {
        return refuse(EOPNOTSUPP);
    }
    if (message->msg_iovlen <= 0 || message->msg_iovlen > 64) {
        return refuse(EMSGSIZE);
    }
    for (int i = 0; i < message->msg_iovlen; i++) {
        parts[i] = message->msg_iov[i].iov_base;
        lengths[i] = message->msg_iov[i].iov_len;
    }
    return host_send(s, parts, lengths, (size_t)message->msg_iovlen);
}

int lwip_shutdown(int s, int how) { return how == SHUT_WR ? host_end(s) : refuse(EINVAL); }

int lwip_close(int s) { return host_close(s); }
