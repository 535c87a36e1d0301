// SPDX-License-Identifier: MIT
// The whole server under load: clients that read slowly, leave early and ask for everything at
// once, while files are dropped from the cache. Every complete answer must be right.
//
//     test_serving FOLDER SECONDS
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "served.h"

#define CLIENTS 8
#define FILES 4

static const size_t sizes[FILES] = {0, 1000, 50000, 600000}; // the last one is never cached
static struct served served;
static struct sockaddr_in address;
static atomic_bool is_over;
static atomic_uint answered;

static uint8_t byte_of(size_t file, size_t at) { return (uint8_t)(at * (file + 3) % 253); }

static void write_files(const char *folder) {
    for (size_t file = 0; file < FILES; file++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/%zu", folder, file);
        FILE *out = fopen(path, "wb");
        for (size_t i = 0; i < sizes[file]; i++) {
            fputc(byte_of(file, i), out);
        }
        fclose(out);
    }
}

static int connect_to_server(void) {
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {.tv_sec = 10};
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(peer, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(peer);
        return -1;
    }
    return peer;
}

// Reads a head. Returns its Content-Length, -1 at the end of the stream.
static long read_head(FILE *stream, int *status) {
    char line[512];
    long length = 0;
    *status = 0;
    while (fgets(line, sizeof(line), stream) != NULL && strcmp(line, "\r\n") != 0) {
        if (*status == 0) {
            *status = atoi(line + 9);
        }
        sscanf(line, "Content-Length: %ld", &length);
    }
    return *status == 0 ? -1 : length;
}

// Asks for some files in one go and reads the answers, or some of them.
static void visit(unsigned *random) {
    int peer = connect_to_server();
    if (peer < 0) {
        return; // the backlog is full
    }
    size_t files[6];
    size_t count = 1 + rand_r(random) % 6;
    size_t left_at = rand_r(random) % 8; // of these answers, the first that is not read
    for (size_t i = 0; i < count; i++) {
        files[i] = rand_r(random) % FILES;
        char request[128];
        int length = snprintf(request, sizeof(request), "GET /%zu HTTP/1.1\r\nHost: a\r\n%s\r\n",
                              files[i], i + 1 == count ? "Connection: close\r\n" : "");
        if (send(peer, request, (size_t)length, MSG_NOSIGNAL) != length) {
            break;
        }
    }
    FILE *stream = fdopen(peer, "rb");
    for (size_t i = 0; i < count && i < left_at; i++) {
        int status;
        long length = read_head(stream, &status);
        if (length < 0) {
            break; // evicted
        }
        CHECK(status == 200 || status == 503, "status %d", status);
        CHECK(status != 200 || (size_t)length == sizes[files[i]], "%ld bytes", length);
        for (long at = 0; at < length; at++) {
            int byte = fgetc(stream);
            if (status == 200 && byte != byte_of(files[i], (size_t)at)) {
                CHECK(byte == EOF, "file %zu, byte %ld is %d", files[i], at, byte);
                break;
            }
        }
        answered++;
    }
    fclose(stream);
}

static void *be_client(void *number) {
    unsigned random = (unsigned)(uintptr_t)number + 1;
    while (!is_over) {
        visit(&random);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        return EXIT_FAILURE;
    }
    const char *folder = argv[1];
    write_files(folder);
    served_start(&served, folder, 0);
    unsigned port;
    sscanf(served.address, "http://127.0.0.1:%u/", &port);
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pthread_t clients[CLIENTS];
    for (uintptr_t i = 0; i < CLIENTS; i++) {
        pthread_create(&clients[i], NULL, be_client, (void *)i);
    }
    time_t until = time(NULL) + atoi(argv[2]);
    while (time(NULL) < until) {
        served_invalidate(&served, folder);
    }
    is_over = true;
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
    }
    served_stop(&served);
    CHECK(answered > 0, "%u answers", answered);
    return check_result();
}
