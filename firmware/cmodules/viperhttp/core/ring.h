// SPDX-License-Identifier: MIT
// A ring of variable-length records between one writer thread and one reader thread.
//
// Lock-free with loads and stores only, so that it works where the chip has no atomic exchange:
// the indices live in struct vhttp_ring (internal RAM), the payload may lie in PSRAM. A record is
// contiguous and 8-byte aligned. The caller owns the payload memory and keeps it until both
// threads are done.
#ifndef VHTTP_RING_H
#define VHTTP_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhttp_ring {
    uint8_t *bytes;
    uint32_t size;          // a power of two
    atomic_uint head;       // bytes written since the start, modulo 2^32; the writer's
    atomic_uint tail;       // bytes released since the start; the reader's
    uint32_t reserved_at;   // the writer's: where the open reservation starts
    atomic_uint high_water; // most bytes ever in use; the writer's
    atomic_uint full_count; // reservations that found no room; the writer's
    atomic_uint work;       // times that the writer began or ended with some; the writer's
};

// `size` must be a power of two from 64 to 2^30. False otherwise.
bool vhttp_ring_init(struct vhttp_ring *ring, void *bytes, uint32_t size);

// The longest record that always fits an empty ring.
uint32_t vhttp_ring_record_max(const struct vhttp_ring *ring);

// Writer: room for a record of `length` bytes, or NULL when there is none now. A reservation that
// is not committed has no effect.
void *vhttp_ring_reserve(struct vhttp_ring *ring, uint32_t length);

// Writer: publishes the first `length` bytes of the last reservation (at most what it asked for).
void vhttp_ring_commit(struct vhttp_ring *ring, uint32_t length);

// Writer: it begins, or ends, with what may take it long before the next record is there.
void vhttp_ring_begin_work(struct vhttp_ring *ring);
void vhttp_ring_end_work(struct vhttp_ring *ring);

// Reader: the oldest record and its length, or NULL when the ring is empty. It stays valid and
// the oldest until it is released.
const void *vhttp_ring_peek(struct vhttp_ring *ring, uint32_t *length);
void vhttp_ring_release(struct vhttp_ring *ring);

// Any thread: bytes written and bytes released since the start, modulo 2^32. A record has been
// read once the latter has reached what the former was behind it.
uint32_t vhttp_ring_written(const struct vhttp_ring *ring);
uint32_t vhttp_ring_released(const struct vhttp_ring *ring);

// Any thread: how often the writer began or ended with some work; odd while it is at it.
uint32_t vhttp_ring_work(const struct vhttp_ring *ring);

// Any thread: bytes in use now, record headers and padding included.
uint32_t vhttp_ring_depth(const struct vhttp_ring *ring);

#endif
