// SPDX-License-Identifier: MIT
#include "ring.h"

// Every record starts with its length; SKIP in its place sends the reader to the ring's start.
#define HEADER_SIZE 8u
#define SKIP UINT32_MAX

static uint32_t padded(uint32_t length) { return (length + 7u) & ~7u; }

static uint32_t *header_at(const struct vhttp_ring *ring, uint32_t position) {
    return (uint32_t *)(void *)(ring->bytes + (position & (ring->size - 1)));
}

bool vhttp_ring_init(struct vhttp_ring *ring, void *bytes, uint32_t size) {
    if (bytes == NULL || size < 64 || size > (1u << 30) || (size & (size - 1)) != 0) {
        return false;
    }
    ring->bytes = bytes;
    ring->size = size;
    ring->reserved_at = 0;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->high_water, 0);
    atomic_init(&ring->full_count, 0);
    atomic_init(&ring->work, 0);
    return true;
}

uint32_t vhttp_ring_record_max(const struct vhttp_ring *ring) {
    // Wherever the indices stand, one of the two sides of an empty ring is this long.
    return ring->size / 2 - HEADER_SIZE;
}

void *vhttp_ring_reserve(struct vhttp_ring *ring, uint32_t length) {
    if (length > vhttp_ring_record_max(ring)) {
        return NULL;
    }
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint32_t to_end = ring->size - (head & (ring->size - 1));
    uint32_t needed = HEADER_SIZE + padded(length);
    uint32_t skipped = needed > to_end ? to_end : 0;
    if (skipped + needed > ring->size - (head - tail)) {
        uint32_t full = atomic_load_explicit(&ring->full_count, memory_order_relaxed);
        atomic_store_explicit(&ring->full_count, full + 1, memory_order_relaxed);
        return NULL;
    }
    if (skipped != 0) {
        *header_at(ring, head) = SKIP; // not seen by the reader before the commit
    }
    ring->reserved_at = head + skipped;
    return (uint8_t *)header_at(ring, ring->reserved_at) + HEADER_SIZE;
}

void vhttp_ring_commit(struct vhttp_ring *ring, uint32_t length) {
    *header_at(ring, ring->reserved_at) = length;
    uint32_t head = ring->reserved_at + HEADER_SIZE + padded(length);
    atomic_store_explicit(&ring->head, head, memory_order_release);
    uint32_t used = head - atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (used > atomic_load_explicit(&ring->high_water, memory_order_relaxed)) {
        atomic_store_explicit(&ring->high_water, used, memory_order_relaxed);
    }
}

static void count_work(struct vhttp_ring *ring) {
    uint32_t work = atomic_load_explicit(&ring->work, memory_order_relaxed);
    atomic_store_explicit(&ring->work, work + 1, memory_order_release);
}

void vhttp_ring_begin_work(struct vhttp_ring *ring) { count_work(ring); }

void vhttp_ring_end_work(struct vhttp_ring *ring) { count_work(ring); }

const void *vhttp_ring_peek(struct vhttp_ring *ring, uint32_t *length) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire)) {
        return NULL;
    }
    if (*header_at(ring, tail) == SKIP) {
        tail += ring->size - (tail & (ring->size - 1));
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    *length = *header_at(ring, tail);
    return (const uint8_t *)header_at(ring, tail) + HEADER_SIZE;
}

void vhttp_ring_release(struct vhttp_ring *ring) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint32_t length = *header_at(ring, tail);
    atomic_store_explicit(&ring->tail, tail + HEADER_SIZE + padded(length), memory_order_release);
}

uint32_t vhttp_ring_written(const struct vhttp_ring *ring) {
    return atomic_load_explicit(&ring->head, memory_order_acquire);
}

uint32_t vhttp_ring_released(const struct vhttp_ring *ring) {
    return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

uint32_t vhttp_ring_work(const struct vhttp_ring *ring) {
    return atomic_load_explicit(&ring->work, memory_order_acquire);
}

uint32_t vhttp_ring_depth(const struct vhttp_ring *ring) {
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    return atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
}
