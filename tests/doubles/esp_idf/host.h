// SPDX-License-Identifier: MIT
// This machine's sockets in plain types, for lwip.c, which sees lwIP's structures alone. Each
// returns what the system call of its name returns, and leaves errno.
#ifndef DOUBLES_ESP_IDF_HOST_H
#define DOUBLES_ESP_IDF_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Of IPv4 and TCP, with a descriptor from `first` to `last`; -1 with ENFILE when none is free.
int host_socket(int first, int last);
int host_accept(int socket, int first, int last);

int host_reuse_address(int socket);
int host_no_delay(int socket);
int host_keep_alive(int socket);
int host_keep_alive_idle(int socket, int seconds);
int host_keep_alive_interval(int socket, int seconds);
int host_keep_alive_count(int socket, int count);
int host_nonblocking(int socket);
int host_bind(int socket, uint16_t port); // of 127.0.0.1
int host_listen(int socket, int backlog);
int host_port(int socket);      // where it is bound
int host_peer_port(int socket); // where the other end is
ssize_t host_recv(int socket, void *bytes, size_t size);
ssize_t host_send(int socket, const void *const *parts, const size_t *lengths, size_t count);
int host_end(int socket);
int host_close(int socket);

#endif
