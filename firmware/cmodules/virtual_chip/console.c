// SPDX-License-Identifier: MIT
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <termios.h>
#include <unistd.h>

#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "py/stream.h"

#define RX_SIZE 4096u        // bytes; a power of two
#define TX_PATIENCE_MS 1000  // how long output waits for a terminal that does not read
#define INTERRUPT_RETRY_MS 5 // a signal that comes just before a system call does not end it
#define WAKE_SIGNAL (SIGRTMIN + 6)

static struct {
    pthread_t interpreter;
    pthread_t listener;
    int stop_pipe[2];
    atomic_int interrupt_char; // -1: none
    uint8_t rx[RX_SIZE];
    atomic_uint rx_head; // written by the listener
    atomic_uint rx_tail; // written by the interpreter
} console = {.interrupt_char = -1};

static void on_wake_signal(int signal_number) {
    (void)signal_number; // its only effect is to end a system call with EINTR
}

static int rx_get(void) {
    unsigned tail = atomic_load_explicit(&console.rx_tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&console.rx_head, memory_order_acquire)) {
        return -1;
    }
    int byte = console.rx[tail % RX_SIZE];
    atomic_store_explicit(&console.rx_tail, tail + 1, memory_order_release);
    return byte;
}

static bool rx_is_empty(void) {
    return atomic_load_explicit(&console.rx_head, memory_order_acquire) ==
           atomic_load_explicit(&console.rx_tail, memory_order_relaxed);
}

static void rx_put(uint8_t byte) {
    unsigned head = atomic_load_explicit(&console.rx_head, memory_order_relaxed);
    if (head - atomic_load_explicit(&console.rx_tail, memory_order_acquire) < RX_SIZE) {
        console.rx[head % RX_SIZE] = byte;
        atomic_store_explicit(&console.rx_head, head + 1, memory_order_release);
    }
}

static void receive(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == atomic_load(&console.interrupt_char)) {
            mp_sched_keyboard_interrupt();
        } else {
            rx_put(bytes[i]);
        }
    }
    pthread_kill(console.interpreter, WAKE_SIGNAL);
}

static bool interrupt_is_pending(void) {
    return MP_STATE_MAIN_THREAD(mp_pending_exception) != MP_OBJ_NULL;
}

static void *listen_to_terminal(void *unused) {
    (void)unused;
    struct pollfd fds[2] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = console.stop_pipe[0], .events = POLLIN},
    };
    for (;;) {
        int ready = poll(fds, 2, interrupt_is_pending() ? INTERRUPT_RETRY_MS : -1);
        if (ready == 0) {
            pthread_kill(console.interpreter, WAKE_SIGNAL);
            continue;
        }
        if (fds[1].revents != 0) {
            return NULL;
        }
        uint8_t bytes[256];
        ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (count > 0) {
            receive(bytes, (size_t)count);
        } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
            fds[0].fd = -1; // the terminal is gone: no more input will come
        }
    }
}

static void make_terminal_raw(void) {
    struct termios terminal;
    if (tcgetattr(STDIN_FILENO, &terminal) == 0) {
        cfmakeraw(&terminal);
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    }
    fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

bool console_start(void) {
    make_terminal_raw();
    console.interpreter = pthread_self();
    struct sigaction action = {.sa_handler = on_wake_signal};
    sigaction(WAKE_SIGNAL, &action, NULL);
    if (pipe(console.stop_pipe) != 0) {
        return false;
    }
    // The listener inherits a full mask: the garbage collector's signal is for Python's threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&console.listener, NULL, listen_to_terminal, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

int console_stop(void) {
    close(console.stop_pipe[1]);
    pthread_join(console.listener, NULL);
    int rest[2];
    if (rx_is_empty() || pipe(rest) != 0) {
        return -1;
    }
    for (int c = rx_get(); c >= 0; c = rx_get()) {
        uint8_t byte = (uint8_t)c;
        if (write(rest[1], &byte, 1) != 1) {
            break;
        }
    }
    close(rest[1]);
    return rest[0];
}

void console_resume(int fd) {
    uint8_t byte;
    while (read(fd, &byte, 1) == 1) {
        rx_put(byte);
    }
    close(fd);
}

static bool interpreter_has_work(void) {
    return interrupt_is_pending() || MP_STATE_VM(sched_state) == MP_SCHED_PENDING;
}

// Sleeps until a byte comes or any thread signals the interpreter.
static void wait_for_event(void) {
    if (!mp_thread_is_main_thread()) {
        mp_hal_delay_ms(1); // signals go to the main thread only
        return;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rx_is_empty() && !interpreter_has_work()) {
        sigsuspend(&before); // opens the mask and sleeps in one step, so that no signal is lost
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// As shared/runtime has it for other ports: what is set now.
int mp_interrupt_char = -1;

void mp_hal_set_interrupt_char(char c) {
    mp_interrupt_char = c == (char)-1 ? -1 : (uint8_t)c;
    atomic_store(&console.interrupt_char, mp_interrupt_char);
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = rx_get();
        if (c >= 0) {
            return c;
        }
        mp_handle_pending(true);
        wait_for_event();
    }
}

uintptr_t virtual_chip_stdio_poll(uintptr_t poll_flags);
uintptr_t virtual_chip_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && !rx_is_empty()) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t sent = 0;
    while (sent < len) {
        ssize_t count = write(STDOUT_FILENO, str + sent, len - sent);
        if (count > 0) {
            sent += (size_t)count;
        } else if (errno == EAGAIN) {
            struct pollfd terminal = {.fd = STDOUT_FILENO, .events = POLLOUT};
            if (poll(&terminal, 1, TX_PATIENCE_MS) == 0) {
                break;
            }
        } else if (errno != EINTR) {
            break;
        }
    }
    return sent;
}
