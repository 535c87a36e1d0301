// SPDX-License-Identifier: MIT
#include "memory_use.h"

#include "server_state.h"

#define INTERNAL (sizeof(struct vhttp_server) + VHTTP_SERVER_STACK_SIZE)
#define CACHE(size)                                                                                \
    (VHTTP_CACHE_ENTRIES * sizeof(struct vhttp_cached) + (size) +                                  \
     (size) / VHTTP_CACHE_BLOCK_SIZE * sizeof(uint16_t))

_Static_assert(INTERNAL <= VHTTP_INTERNAL_MEMORY_MAX, "the server takes too much internal RAM");

// Alone in its file, so that the compiler reads it where it stands, and the linker keeps it.
const struct vhttp_memory_use vhttp_memory_use = {
    .name = {'V', 'H', 'T', 'T', 'P', '_', 'M', 'E', 'M', 'O', 'R', 'Y', '_', 'U', 'S', 'E'},
    .internal = (uint32_t)INTERNAL,
    .psram = (uint32_t)(VHTTP_POOL_BUFFERS + VHTTP_IPC_REQUEST_RINGBUF_SIZE +
                        VHTTP_IPC_RINGBUF_SIZE_PSRAM + CACHE(VHTTP_CACHE_SIZE_PSRAM)),
    .sram = (uint32_t)(VHTTP_POOL_BUFFERS + VHTTP_IPC_REQUEST_RINGBUF_SIZE +
                       VHTTP_IPC_RINGBUF_SIZE + CACHE(VHTTP_CACHE_SIZE)),
};
