// SPDX-License-Identifier: MIT
// The ESP32 family's network: lwIP's sockets, and ESP-IDF's select() over them and an eventfd.
//
// lwIP's own functions are called by their lwip_ names, as MicroPython's modsocket.c calls them.
// select() is that of ESP-IDF's VFS, the only one that knows eventfds: a write to one from the
// other core ends it at once, where a time-out would be rounded up to FreeRTOS's ticks.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "esp_log.h"
#include "esp_netif.h"
#include "esp_vfs_eventfd.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "lwip/sockets.h"
#include "platform.h"
#include "sdkconfig.h"
#include "vhttp_config.h"

#ifndef CONFIG_VFS_SUPPORT_SELECT
#error "CONFIG_VFS_SUPPORT_SELECT: the server is woken through an eventfd"
#endif
_Static_assert(VHTTP_MAX_CONNECTIONS + 1 <= CONFIG_LWIP_MAX_SOCKETS,
               "CONFIG_LWIP_MAX_SOCKETS: the connections and the listener");

static const char TAG[] = "viperhttp";

// ---- What is watched

struct watch {
    bool is_watched;
    unsigned interest;
    uint32_t tag;
};

// By descriptor. lwIP's are the last ones below FD_SETSIZE. Belongs to the server's task while
// that runs, else to the interpreter's.
static struct watch watches[CONFIG_LWIP_MAX_SOCKETS];

static struct watch *watch_of(int socket) { return &watches[socket - LWIP_SOCKET_OFFSET]; }

// ---- Sockets

// lwip_fcntl refuses any other flag with ENOSYS.
static bool make_nonblocking(int socket) { return lwip_fcntl(socket, F_SETFL, O_NONBLOCK) == 0; }

static void write_address(uint16_t port, char *where, size_t where_size) {
    esp_netif_ip_info_t network = {0};
    esp_netif_t *netif = esp_netif_get_default_netif();
    if (netif != NULL) {
        esp_netif_get_ip_info(netif, &network);
    }
    snprintf(where, where_size, "http://" IPSTR ":%u/", IP2STR(&network.ip), (unsigned)port);
}

// lwIP keeps the connections that wait in a mailbox, and resets those that it has no room for.
// Those beyond the backlog it leaves unanswered, and they come again.
static int held_backlog(int backlog) {
    return backlog < CONFIG_LWIP_TCP_ACCEPTMBOX_SIZE ? backlog : CONFIG_LWIP_TCP_ACCEPTMBOX_SIZE;
}

int vhttp_listen(uint16_t port, int backlog, char *where, size_t where_size) {
    if (esp_netif_init() != ESP_OK) { // starts lwIP, unless it runs
        return -ENOMEM;
    }
    int listener = lwip_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (listener < 0) {
        return -errno;
    }
    int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = lwip_htons(port),
                                  .sin_addr.s_addr = lwip_htonl(INADDR_ANY)};
    socklen_t size = sizeof(address);
    if (lwip_setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        !make_nonblocking(listener) ||
        lwip_bind(listener, (struct sockaddr *)&address, size) != 0 ||
        lwip_listen(listener, held_backlog(backlog)) != 0 ||
        lwip_getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        int error = errno;
        lwip_close(listener);
        return -error;
    }
    write_address(lwip_ntohs(address.sin_port), where, where_size);
    return listener;
}

int vhttp_accept(int listener) {
    int socket = lwip_accept(listener, NULL, NULL);
    if (socket < 0) {
        return errno == ENFILE ? VHTTP_SOCKET_FAILED : VHTTP_SOCKET_AGAIN;
    }
    int on = 1; // responses are written whole: waiting to fill a segment only delays them
    int idle_s = VHTTP_KEEPALIVE_S, interval_s = 10, count = 3;
    if (!make_nonblocking(socket) ||
        lwip_setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        lwip_setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) != 0 ||
        lwip_setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) != 0 ||
        lwip_setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s)) != 0 ||
        lwip_setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) != 0) {
        lwip_close(socket);
        return VHTTP_SOCKET_AGAIN;
    }
    return socket;
}

struct vhttp_peer vhttp_peer(int socket) {
    struct vhttp_peer peer = {{0}, 0};
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    if (lwip_getpeername(socket, (struct sockaddr *)&address, &size) == 0) {
        memcpy(peer.host, &address.sin_addr.s_addr, sizeof(peer.host));
        peer.port = lwip_ntohs(address.sin_port);
    }
    return peer;
}

static ptrdiff_t socket_result(ssize_t result) {
    if (result >= 0) {
        return result;
    }
    return errno == EWOULDBLOCK ? VHTTP_SOCKET_AGAIN : VHTTP_SOCKET_FAILED;
}

ptrdiff_t vhttp_recv(int socket, void *bytes, size_t size) {
    return socket_result(lwip_recv(socket, bytes, size, 0));
}

ptrdiff_t vhttp_send(int socket, const struct vhttp_slice *parts, size_t count) {
    struct iovec vectors[16];
    if (count > sizeof(vectors) / sizeof(vectors[0])) {
        count = sizeof(vectors) / sizeof(vectors[0]);
    }
    for (size_t i = 0; i < count; i++) {
        vectors[i] = (struct iovec){(void *)(uintptr_t)parts[i].at, parts[i].length};
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (int)count};
    return socket_result(lwip_sendmsg(socket, &message, 0));
}

// lwIP does not tell; its send buffer is some segments long.
size_t vhttp_unacknowledged(int socket) {
    (void)socket;
    return 0;
}

void vhttp_shutdown(int socket) { lwip_shutdown(socket, SHUT_WR); }

void vhttp_close(int socket) {
    *watch_of(socket) = (struct watch){0};
    lwip_close(socket);
}

// ---- Readiness

struct vhttp_poller {
    int wake; // an eventfd
};

struct vhttp_poller *vhttp_poller_open(void) {
    struct vhttp_poller *poller = vhttp_alloc(sizeof(*poller), VHTTP_MEMORY_INTERNAL);
    if (poller == NULL) {
        return NULL;
    }
    const esp_vfs_eventfd_config_t config = ESP_VFS_EVENTD_CONFIG_DEFAULT();
    esp_err_t error = esp_vfs_eventfd_register(&config);
    bool is_registered = error == ESP_OK || error == ESP_ERR_INVALID_STATE; // now, or before
    poller->wake = is_registered ? eventfd(0, 0) : -1;
    if (poller->wake < 0) {
        ESP_LOGE(TAG, "no eventfd (%d, %d)", (int)error, errno);
        vhttp_free(poller);
        return NULL;
    }
    return poller;
}

void vhttp_poller_close(struct vhttp_poller *poller) {
    close(poller->wake);
    vhttp_free(poller);
}

bool vhttp_poller_watch(struct vhttp_poller *poller, int socket, uint32_t tag, unsigned interest,
                        bool known) {
    (void)poller;
    (void)known;
    *watch_of(socket) = (struct watch){true, interest, tag};
    return true;
}

struct sets {
    fd_set readable, writable, broken;
    int end; // behind the last descriptor
};

static void add(struct sets *sets, int descriptor, fd_set *set) {
    FD_SET(descriptor, set);
    sets->end = descriptor >= sets->end ? descriptor + 1 : sets->end;
}

static void fill_sets(const struct vhttp_poller *poller, struct sets *sets) {
    FD_ZERO(&sets->readable);
    FD_ZERO(&sets->writable);
    FD_ZERO(&sets->broken);
    sets->end = 0;
    add(sets, poller->wake, &sets->readable);
    for (int i = 0; i < CONFIG_LWIP_MAX_SOCKETS; i++) {
        if (!watches[i].is_watched) {
            continue;
        }
        int socket = LWIP_SOCKET_OFFSET + i;
        add(sets, socket, &sets->broken);
        if (watches[i].interest & VHTTP_READABLE) {
            add(sets, socket, &sets->readable);
        }
        if (watches[i].interest & VHTTP_WRITABLE) {
            add(sets, socket, &sets->writable);
        }
    }
}

static unsigned readiness(const struct sets *sets, int socket) {
    bool is_broken = FD_ISSET(socket, &sets->broken);
    return (FD_ISSET(socket, &sets->readable) || is_broken ? VHTTP_READABLE : 0) |
           (FD_ISSET(socket, &sets->writable) || is_broken ? VHTTP_WRITABLE : 0);
}

size_t vhttp_poller_wait(struct vhttp_poller *poller, struct vhttp_event *events, size_t size,
                         int timeout_ms) {
    struct sets sets;
    fill_sets(poller, &sets);
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int count = select(sets.end, &sets.readable, &sets.writable, &sets.broken,
                       timeout_ms < 0 ? NULL : &timeout);
    if (count < 0) {
        ESP_LOGE(TAG, "select: %d", errno); // it takes a little memory of the system
        vTaskDelay(1);                      // which others may give back
        return 0;
    }
    if (FD_ISSET(poller->wake, &sets.readable)) {
        uint64_t wakes;
        (void)!read(poller->wake, &wakes, sizeof(wakes));
    }
    size_t reported = 0;
    for (int i = 0; i < CONFIG_LWIP_MAX_SOCKETS && reported < size; i++) {
        unsigned ready = watches[i].is_watched ? readiness(&sets, LWIP_SOCKET_OFFSET + i) : 0;
        if (ready != 0) {
            events[reported++] = (struct vhttp_event){watches[i].tag, ready};
        }
    }
    return reported;
}

void vhttp_poller_wake(struct vhttp_poller *poller) {
    uint64_t one = 1;
    (void)!write(poller->wake, &one, sizeof(one));
}
