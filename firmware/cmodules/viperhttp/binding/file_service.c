// SPDX-License-Identifier: MIT
#include "file_service.h"

#include "vfs_files.h"

// Handles the oldest request. False when there is none or it has to wait.
static bool take_request(struct vhttp_file_service *service) {
    if (service->server == NULL) {
        return false; // a handler stopped it
    }
    struct vhttp_ring *requests = vhttp_server_requests(service->server);
    uint32_t length;
    const struct vhttp_ipc_head *ask = vhttp_ring_peek(requests, &length);
    if (ask == NULL) {
        return false;
    }
    bool is_call = false;
    if (ask->connection < VHTTP_CACHE_READER &&
        !vhttp_call_service_take(service->calls, ask, length, &is_call)) {
        return false;
    }
    if (is_call) {
        return true; // and released
    }
    if (!vhttp_file_reader_take(&service->reader, ask)) {
        return false;
    }
    vhttp_ring_release(requests);
    return true;
}

void vhttp_file_service_open(struct vhttp_file_service *service) {
    service->reader.files = &vhttp_vfs_files;
    service->reader.answers = vhttp_server_responses(service->server);
}

void vhttp_file_service_run(struct vhttp_file_service *service) {
    struct vhttp_file_reader *reader = &service->reader;
    struct vhttp_call_service *calls = service->calls;
    reader->spent = 0;
    vhttp_server_acknowledge(service->server);
    calls->is_running = true;
    calls->wants_room = false;
    while (reader->spent < VHTTP_SERVICE_BUDGET && take_request(service)) {
    }
    calls->is_running = false;
    if (service->server == NULL) {
        return;
    }
    bool is_done =
        vhttp_file_reader_send(reader) && vhttp_call_service_send(calls) && !calls->wants_room;
    uint32_t unused;
    bool has_requests = vhttp_ring_peek(vhttp_server_requests(service->server), &unused) != NULL;
    if (!is_done || has_requests) {
        vhttp_server_ask_again(service->server);
    } else {
        vhttp_server_notify(service->server);
    }
}

void vhttp_file_service_close(struct vhttp_file_service *service) {
    vhttp_file_reader_close(&service->reader);
}
