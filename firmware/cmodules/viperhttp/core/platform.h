// SPDX-License-Identifier: MIT
// What core/ asks of a platform: the contract that a port implements (port/posix.c, port/esp32.c).
#ifndef VHTTP_PLATFORM_H
#define VHTTP_PLATFORM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file_system.h"
#include "slice.h"

// ---- Clock

uint64_t vhttp_now_ms(void); // milliseconds since some time; monotonic
int64_t vhttp_clock_s(void); // seconds since 1970; anything as long as nobody has set the clock

// ---- Memory

enum vhttp_memory {
    VHTTP_MEMORY_INTERNAL, // for indices and counters that both cores touch
    VHTTP_MEMORY_LARGE,    // PSRAM where there is some
};

// Whether VHTTP_MEMORY_LARGE is PSRAM.
bool vhttp_has_psram(void);

// What the firmware was built for and this device lacks, for a person to read; NULL: nothing.
const char *vhttp_memory_lack(void);

// VHTTP_KEPT_SIZE bytes that last over resets until the power goes, aligned to 8; at first they
// hold anything. NULL where there are none.
#define VHTTP_KEPT_SIZE 64
void *vhttp_kept(void);

// Zeroed, or NULL. The caller frees it with vhttp_free.
void *vhttp_alloc(size_t size, enum vhttp_memory kind);
void vhttp_free(void *memory);

// ---- Files that any thread may read

extern const struct vhttp_file_system vhttp_port_files;

// ---- The server's thread (core 0 on the chip)

struct vhttp_thread;

// NULL when it cannot be started. The thread receives no signal.
struct vhttp_thread *vhttp_thread_start(void (*body)(void *), void *argument);

// Waits for the body's end and frees the thread.
void vhttp_thread_join(struct vhttp_thread *thread);

// ---- The watchdog of the server's thread

struct vhttp_watchdog;

// Calls `look` every `period_ms` on another thread than the server's. What keeps all threads from
// running, such as a write to a chip's flash, keeps that one too, and makes no look follow sooner.
// A text that `look` answers is printed, with what the system knows of its threads, and the device
// reset. NULL when it cannot be started.
struct vhttp_watchdog *vhttp_watchdog_start(const char *(*look)(void *), void *argument,
                                            uint32_t period_ms);

// Returns when `look` is not called any more.
void vhttp_watchdog_stop(struct vhttp_watchdog *watchdog);

// ---- The health of the system

const char *vhttp_reset_reason(void); // why the device started: "power-on", "panic", …

// Takes a figure: `name` in the form of Prometheus, and of which `kind` of thing called `of`, such
// as "task" and "viperhttp"; both are NULL where the name is all.
typedef void (*vhttp_take_figure)(void *argument, const char *name, const char *kind,
                                  const char *of, uint64_t value);

// Tells each figure that the system has of its memory, its threads and its network.
void vhttp_system_figures(vhttp_take_figure take, void *argument);

// ---- The interpreter's thread

// Called on it, once before the first kick.
void vhttp_interpreter_attach(void);

// From any thread: makes a sleeping interpreter look for scheduled work.
void vhttp_interpreter_kick(void);

// How soon a kick that has had no effect is to be repeated; 0 where none is ever lost.
extern const uint32_t vhttp_kick_retry_ms;

// ---- A signal that the interpreter's poll can wait for

// A descriptor that is readable while the signal is set, -errno, or VHTTP_SIGNAL_NONE where the
// poll needs none.
#define VHTTP_SIGNAL_NONE INT_MIN
int vhttp_signal_open(void);
void vhttp_signal_set(int signal);
void vhttp_signal_clear(int signal);
void vhttp_signal_close(int signal);

// ---- Sockets: non-blocking, TCP over IPv4

#define VHTTP_SOCKET_NONE (-1)
#define VHTTP_SOCKET_AGAIN (-2)  // nothing now
#define VHTTP_SOCKET_FAILED (-3) // the connection is gone

// Listens on `port`. Returns the socket, or -errno. `where` gets "http://host:port/", the address
// under which this machine reaches it.
int vhttp_listen(uint16_t port, int backlog, char *where, size_t where_size);

// The next connection, whose client TCP asks for a sign of life after VHTTP_KEEPALIVE_S of silence,
// VHTTP_SOCKET_AGAIN, or VHTTP_SOCKET_FAILED when descriptors ran out.
int vhttp_accept(int listener);

// Where the other end of a connection is: four numbers and a port; zeros when it has gone.
struct vhttp_peer {
    uint8_t host[4];
    uint16_t port;
};
struct vhttp_peer vhttp_peer(int socket);

// The number of bytes, 0 at the end of the stream (recv only), AGAIN or FAILED.
ptrdiff_t vhttp_recv(int socket, void *bytes, size_t size);
ptrdiff_t vhttp_send(int socket, const struct vhttp_slice *parts, size_t count);

// Bytes that were sent and that the client's side has not acknowledged. 0 where a socket's buffer
// is so small that room in it is sign enough of a client that reads.
size_t vhttp_unacknowledged(int socket);

// Sends what was sent and then the end of the stream; receiving goes on.
void vhttp_shutdown(int socket);
void vhttp_close(int socket);

// ---- Readiness, level-triggered

#define VHTTP_READABLE 1u
#define VHTTP_WRITABLE 2u

struct vhttp_event {
    uint32_t tag;
    unsigned ready; // VHTTP_READABLE, VHTTP_WRITABLE; both on an error
};

struct vhttp_poller;

// NULL when the system has no more of what it takes.
struct vhttp_poller *vhttp_poller_open(void);
void vhttp_poller_close(struct vhttp_poller *poller);

// Watches `socket` for `interest` from now on and reports it as `tag`. `known` tells whether it is
// watched already. A socket is forgotten when it is closed. False when there is no room for it.
bool vhttp_poller_watch(struct vhttp_poller *poller, int socket, uint32_t tag, unsigned interest,
                        bool known);

// Waits until something is ready, vhttp_poller_wake is called or `timeout_ms` has passed (-1:
// never). Returns the number of events written to `events`; a wake-up alone is 0 events.
size_t vhttp_poller_wait(struct vhttp_poller *poller, struct vhttp_event *events, size_t size,
                         int timeout_ms);

// From any thread. A wake-up before the wait ends the next wait.
void vhttp_poller_wake(struct vhttp_poller *poller);

#endif
