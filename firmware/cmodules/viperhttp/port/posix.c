// SPDX-License-Identifier: MIT
// Linux: epoll, eventfd, POSIX threads. Used by the virtual board and by the tests.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE // accept4
#endif

#include "platform.h"
#include "vhttp_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// ---- Clock

uint64_t vhttp_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int64_t vhttp_clock_s(void) { return time(NULL); }

// ---- Memory: the host's, as plentiful as PSRAM

bool vhttp_has_psram(void) { return true; }

void *vhttp_alloc(size_t size, enum vhttp_memory kind) {
    (void)kind;
    return calloc(1, size);
}

void vhttp_free(void *memory) { free(memory); }

const char *vhttp_memory_lack(void) { return NULL; }

// The board's page, behind VIRTUAL_CHIP_FD, has them at this offset.
#define KEPT_OFFSET 2048

static void *kept;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;

static void map_kept(void) {
    const char *number = getenv("VIRTUAL_CHIP_FD");
    int fd = number == NULL ? -1 : (int)strtol(number, NULL, 10);
    uint8_t *page =
        mmap(NULL, KEPT_OFFSET + VHTTP_KEPT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    kept = page == MAP_FAILED ? NULL : page + KEPT_OFFSET;
}

void *vhttp_kept(void) {
    pthread_once(&kept_once, map_kept);
    return kept;
}

// ---- The server's thread

struct vhttp_thread {
    pthread_t id;
    void (*body)(void *);
    void *argument;
};

static void *run_thread(void *argument) {
    struct vhttp_thread *thread = argument;
    thread->body(thread->argument);
    return NULL;
}

// The interpreter's signals are not for such a thread, which inherits a full mask.
static bool start_thread(pthread_t *id, void *(*body)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(id, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

struct vhttp_thread *vhttp_thread_start(void (*body)(void *), void *argument) {
    struct vhttp_thread *thread = malloc(sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    *thread = (struct vhttp_thread){.body = body, .argument = argument};
    if (!start_thread(&thread->id, run_thread, thread)) {
        free(thread);
        return NULL;
    }
    return thread;
}

void vhttp_thread_join(struct vhttp_thread *thread) {
    pthread_join(thread->id, NULL);
    free(thread);
}

// ---- The watchdog: its exit resets the board

#define EXIT_WATCHDOG 4

struct vhttp_watchdog {
    pthread_t id;
    const char *(*look)(void *);
    void *argument;
    uint32_t period_ms;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stop;
};

// True when it is to stop, false a period later.
static bool is_stopped(struct vhttp_watchdog *watchdog) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + (uint64_t)watchdog->period_ms * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stop &&
           pthread_cond_timedwait(&watchdog->stopped, &watchdog->lock, &until) == 0) {
    }
    bool stop = watchdog->stop;
    pthread_mutex_unlock(&watchdog->lock);
    return stop;
}

static void *run_watchdog(void *argument) {
    struct vhttp_watchdog *watchdog = argument;
    while (!is_stopped(watchdog)) {
        const char *text = watchdog->look(watchdog->argument);
        if (text != NULL) {
            dprintf(STDERR_FILENO, "%s\n", text);
            _exit(EXIT_WATCHDOG);
        }
    }
    return NULL;
}

struct vhttp_watchdog *vhttp_watchdog_start(const char *(*look)(void *), void *argument,
                                            uint32_t period_ms) {
    struct vhttp_watchdog *watchdog = calloc(1, sizeof(*watchdog));
    if (watchdog == NULL) {
        return NULL;
    }
    watchdog->look = look;
    watchdog->argument = argument;
    watchdog->period_ms = period_ms;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->stopped, &attributes);
    pthread_mutex_init(&watchdog->lock, NULL);
    if (!start_thread(&watchdog->id, run_watchdog, watchdog)) {
        free(watchdog);
        return NULL;
    }
    return watchdog;
}

void vhttp_watchdog_stop(struct vhttp_watchdog *watchdog) {
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stop = true;
    pthread_cond_signal(&watchdog->stopped);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->id, NULL);
    free(watchdog);
}

// ---- The health of the system

// The board says why it started the firmware.
const char *vhttp_reset_reason(void) {
    const char *reason = getenv("VIRTUAL_RESET");
    return reason == NULL ? "unknown" : reason;
}

// This computer's memory and sockets say nothing of a device's.
void vhttp_system_figures(vhttp_take_figure take, void *argument) {
    const char *resets = getenv("VIRTUAL_RESETS");
    if (resets != NULL) {
        take(argument, "resets_total", NULL, NULL, strtoull(resets, NULL, 10));
    }
}

// ---- The interpreter's thread: a signal ends the system call that it sleeps in

#define WAKE_SIGNAL (SIGRTMIN + 7)

// A signal that comes just before the system call has no effect on it.
const uint32_t vhttp_kick_retry_ms = 5;

static pthread_t interpreter;

static void on_wake_signal(int signal_number) { (void)signal_number; }

void vhttp_interpreter_attach(void) {
    interpreter = pthread_self();
    struct sigaction action = {.sa_handler = on_wake_signal}; // without SA_RESTART
    sigaction(WAKE_SIGNAL, &action, NULL);
}

void vhttp_interpreter_kick(void) { pthread_kill(interpreter, WAKE_SIGNAL); }

// ---- Signals

int vhttp_signal_open(void) {
    int signal = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return signal < 0 ? -errno : signal;
}

void vhttp_signal_set(int signal) {
    uint64_t one = 1;
    (void)!write(signal, &one, sizeof(one));
}

void vhttp_signal_clear(int signal) {
    uint64_t count;
    (void)!read(signal, &count, sizeof(count));
}

void vhttp_signal_close(int signal) { close(signal); }

// ---- Sockets

// The board's ports on the host: VIRTUAL_FORWARD is "guest:host,guest:host,…". A port that is not
// there cannot be reached from outside, so any free one will do.
static uint16_t host_port(uint16_t guest) {
    const char *entry = getenv("VIRTUAL_FORWARD");
    while (entry != NULL && *entry != '\0') {
        unsigned from, to;
        // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion): the board wrote them
        if (sscanf(entry, "%u:%u", &from, &to) == 2 && from == guest && to <= UINT16_MAX) {
            return (uint16_t)to;
        }
        entry = strchr(entry, ',');
        entry = entry == NULL ? NULL : entry + 1;
    }
    return 0;
}

// Of a board without ports, whoever starts it listens for it: VIRTUAL_LISTENER is the descriptor of
// a socket of any family, which stays open for the next server.
static int given_listener(void) {
    const char *text = getenv("VIRTUAL_LISTENER");
    if (text == NULL) {
        return -1;
    }
    // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion): the starter wrote it
    int listener = fcntl(atoi(text), F_DUPFD_CLOEXEC, 0);
    if (listener >= 0 && fcntl(listener, F_SETFL, O_NONBLOCK) != 0) {
        close(listener);
        return -1;
    }
    return listener;
}

int vhttp_listen(uint16_t port, int backlog, char *where, size_t where_size) {
    int given = given_listener();
    if (given >= 0) {
        snprintf(where, where_size, "http://localhost/");
        return given;
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) {
        return -errno;
    }
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(host_port(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, backlog) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        int error = errno;
        close(listener);
        return -error;
    }
    snprintf(where, where_size, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    return listener;
}

int vhttp_accept(int listener) {
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
        return errno == EMFILE || errno == ENFILE ? VHTTP_SOCKET_FAILED : VHTTP_SOCKET_AGAIN;
    }
    int on = 1; // responses are written whole: waiting to fill a segment only delays them
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    int idle_s = VHTTP_KEEPALIVE_S, interval_s = 10, count = 3;
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    return socket;
}

struct vhttp_peer vhttp_peer(int socket) {
    struct vhttp_peer peer = {{0}, 0};
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    if (getpeername(socket, (struct sockaddr *)&address, &size) == 0) {
        memcpy(peer.host, &address.sin_addr.s_addr, sizeof(peer.host));
        peer.port = ntohs(address.sin_port);
    }
    return peer;
}

static ptrdiff_t socket_result(ssize_t result) {
    if (result >= 0) {
        return result;
    }
    return errno == EAGAIN || errno == EINTR ? VHTTP_SOCKET_AGAIN : VHTTP_SOCKET_FAILED;
}

ptrdiff_t vhttp_recv(int socket, void *bytes, size_t size) {
    return socket_result(recv(socket, bytes, size, 0));
}

// Small parts are sent in one piece: copying them costs less than a list of them does.
#define COPIED_MAX 4096

ptrdiff_t vhttp_send(int socket, const struct vhttp_slice *parts, size_t count) {
    if (count == 2 && parts[0].length + parts[1].length <= COPIED_MAX) {
        char whole[COPIED_MAX];
        memcpy(whole, parts[0].at, parts[0].length);
        memcpy(whole + parts[0].length, parts[1].at, parts[1].length);
        size_t length = parts[0].length + parts[1].length;
        return socket_result(send(socket, whole, length, MSG_NOSIGNAL));
    }
    struct iovec vectors[32];
    if (count > sizeof(vectors) / sizeof(vectors[0])) {
        count = sizeof(vectors) / sizeof(vectors[0]);
    }
    for (size_t i = 0; i < count; i++) {
        vectors[i] = (struct iovec){(void *)(uintptr_t)parts[i].at, parts[i].length};
    }
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    return socket_result(sendmsg(socket, &message, MSG_NOSIGNAL));
}

size_t vhttp_unacknowledged(int socket) {
    int bytes;
    return ioctl(socket, SIOCOUTQ, &bytes) == 0 ? (size_t)bytes : 0;
}

void vhttp_shutdown(int socket) { shutdown(socket, SHUT_WR); }

void vhttp_close(int socket) { close(socket); }

// ---- Readiness

#define TAG_WAKE UINT64_MAX
#define EVENTS_MAX 64

struct vhttp_poller {
    int epoll;
    int wake;
};

struct vhttp_poller *vhttp_poller_open(void) {
    struct vhttp_poller *poller = malloc(sizeof(*poller));
    if (poller == NULL) {
        return NULL;
    }
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = TAG_WAKE};
    if (poller->epoll < 0 || poller->wake < 0 ||
        epoll_ctl(poller->epoll, EPOLL_CTL_ADD, poller->wake, &event) != 0) {
        vhttp_poller_close(poller);
        return NULL;
    }
    return poller;
}

void vhttp_poller_close(struct vhttp_poller *poller) {
    if (poller->epoll >= 0) {
        close(poller->epoll);
    }
    if (poller->wake >= 0) {
        close(poller->wake);
    }
    free(poller);
}

bool vhttp_poller_watch(struct vhttp_poller *poller, int socket, uint32_t tag, unsigned interest,
                        bool known) {
    struct epoll_event event = {.data.u64 = tag};
    event.events = (interest & VHTTP_READABLE ? (uint32_t)EPOLLIN : 0) |
                   (interest & VHTTP_WRITABLE ? (uint32_t)EPOLLOUT : 0);
    return epoll_ctl(poller->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) == 0;
}

size_t vhttp_poller_wait(struct vhttp_poller *poller, struct vhttp_event *events, size_t size,
                         int timeout_ms) {
    struct epoll_event ready[EVENTS_MAX];
    int room = size < EVENTS_MAX ? (int)size : EVENTS_MAX;
    int count = epoll_wait(poller->epoll, ready, room, timeout_ms);
    size_t reported = 0;
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u64 == TAG_WAKE) {
            uint64_t wakes;
            (void)!read(poller->wake, &wakes, sizeof(wakes));
            continue;
        }
        uint32_t bits = ready[i].events;
        bool is_broken = bits & (EPOLLERR | EPOLLHUP);
        events[reported].tag = (uint32_t)ready[i].data.u64;
        events[reported].ready = (bits & EPOLLIN || is_broken ? VHTTP_READABLE : 0) |
                                 (bits & EPOLLOUT || is_broken ? VHTTP_WRITABLE : 0);
        reported++;
    }
    return reported;
}

void vhttp_poller_wake(struct vhttp_poller *poller) {
    uint64_t one = 1;
    (void)!write(poller->wake, &one, sizeof(one));
}
