// SPDX-License-Identifier: MIT
// The ring: alone for its corners, then with a writer and a reader thread.
#include "ring.h"

#include <pthread.h>
#include <sched.h>

#include "check.h"

#define RECORDS 400000u

static _Alignas(8) uint8_t bytes[1024];
static struct vhttp_ring ring;

static void test_sizes(void) {
    CHECK(!vhttp_ring_init(&ring, bytes, 1000), "not a power of two");
    CHECK(!vhttp_ring_init(&ring, bytes, 63), "neither, and too small");
    CHECK(!vhttp_ring_init(&ring, bytes, 32), "too small");
    CHECK(vhttp_ring_init(&ring, bytes, 64), "the smallest");
    CHECK(!vhttp_ring_init(&ring, bytes, 1u << 31), "too large");
    CHECK(vhttp_ring_init(&ring, bytes, 1u << 30), "the largest");
    CHECK(!vhttp_ring_init(&ring, NULL, 1024), "no memory");
    CHECK(vhttp_ring_init(&ring, bytes, 1024), "a good size");
    CHECK(vhttp_ring_record_max(&ring) == 504, "%u", vhttp_ring_record_max(&ring));
    uint32_t length;
    CHECK(vhttp_ring_peek(&ring, &length) == NULL, "a new ring is empty");
    CHECK(vhttp_ring_reserve(&ring, vhttp_ring_record_max(&ring) + 1) == NULL, "longer than ever");
}

static void test_longest_record_fits_at_every_position(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    uint32_t longest = vhttp_ring_record_max(&ring);
    for (uint32_t step = 0; step < 300; step++) {
        void *room = vhttp_ring_reserve(&ring, longest);
        CHECK(room != NULL, "step %u", step);
        memset(room, 0xAA, longest);
        vhttp_ring_commit(&ring, longest);
        uint32_t length = 0;
        CHECK(vhttp_ring_peek(&ring, &length) != NULL && length == longest, "length %u", length);
        vhttp_ring_release(&ring);
        vhttp_ring_reserve(&ring, 8); // moves on by one header and one word
        vhttp_ring_commit(&ring, 8);
        vhttp_ring_peek(&ring, &length);
        vhttp_ring_release(&ring);
    }
    CHECK(vhttp_ring_depth(&ring) == 0, "empty again");
}

// Records of one byte, as many as are read until the ring says that it is empty.
static uint32_t read_all(void) {
    uint32_t count = 0;
    for (uint32_t length; vhttp_ring_peek(&ring, &length) != NULL; count++) {
        vhttp_ring_release(&ring);
    }
    return count;
}

static void write_one(uint32_t length) {
    CHECK(vhttp_ring_reserve(&ring, length) != NULL, "no room for %u", length);
    vhttp_ring_commit(&ring, length);
}

// What is in use is the records, each with 8 bytes before it and rounded up to 8.
static void test_what_is_in_use(void) {
    static const struct {
        uint32_t length, in_use;
    } records[] = {{0, 8}, {1, 16}, {8, 16}, {9, 24}, {504, 512}};
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        vhttp_ring_init(&ring, bytes, 1024);
        write_one(records[i].length);
        CHECK(vhttp_ring_depth(&ring) == records[i].in_use, "%u", records[i].length);
        CHECK(vhttp_ring_written(&ring) == records[i].in_use, "%u", records[i].length);
        CHECK(vhttp_ring_released(&ring) == 0, "%u", records[i].length);
        CHECK(read_all() == 1, "%u", records[i].length);
        CHECK(vhttp_ring_depth(&ring) == 0, "%u", records[i].length);
        CHECK(vhttp_ring_released(&ring) == records[i].in_use, "%u", records[i].length);
    }
}

// A record that does not fit before the end goes to the beginning, and what it skips is in use.
static void test_around_the_end(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    write_one(496);
    write_one(496);
    CHECK(read_all() == 2, "both");
    write_one(8); // 16 bytes before the end: exactly
    CHECK(vhttp_ring_written(&ring) == 1024, "%u", vhttp_ring_written(&ring));
    CHECK(read_all() == 1, "at the very end");

    vhttp_ring_init(&ring, bytes, 1024);
    write_one(496);
    write_one(496);
    CHECK(read_all() == 2, "both");
    write_one(9); // 24 bytes: 16 are skipped
    CHECK(vhttp_ring_written(&ring) == 1024 + 24, "%u", vhttp_ring_written(&ring));
    CHECK(vhttp_ring_depth(&ring) == 40, "what was skipped counts");
    CHECK(atomic_load(&ring.high_water) == 2 * 504, "%u", atomic_load(&ring.high_water));
    CHECK(read_all() == 1, "at the beginning");
}

// With the record at the end still unread, what is skipped must not let the writer overtake.
static void test_a_skip_needs_room_too(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    write_one(504);
    write_one(488); // to 16 bytes before the end
    uint32_t length;
    vhttp_ring_peek(&ring, &length);
    vhttp_ring_release(&ring); // the first half is free
    write_one(504);            // behind 16 skipped bytes, to the very record that is unread
    CHECK(vhttp_ring_depth(&ring) == 1024, "full to the last byte");
    CHECK(vhttp_ring_reserve(&ring, 0) == NULL, "not even for a header");
    CHECK(atomic_load(&ring.full_count) == 1, "counted once");
    CHECK(read_all() == 2, "the two");
}

static void test_full(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    int count = 0;
    while (vhttp_ring_reserve(&ring, 24) != NULL) {
        vhttp_ring_commit(&ring, 24);
        count++;
    }
    CHECK(count == 1024 / 32, "%d records", count);
    CHECK(atomic_load(&ring.full_count) == 1, "the refusal is counted");
    CHECK(atomic_load(&ring.high_water) == 1024, "high water %u", atomic_load(&ring.high_water));
    uint32_t length;
    vhttp_ring_peek(&ring, &length);
    vhttp_ring_release(&ring);
    CHECK(vhttp_ring_reserve(&ring, 24) != NULL, "room again after a release");
}

static void test_reservation_can_shrink_or_lapse(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    vhttp_ring_reserve(&ring, 200);
    char *room = vhttp_ring_reserve(&ring, 100);
    room[0] = 'x';
    vhttp_ring_commit(&ring, 1);
    uint32_t length = 0;
    const char *record = vhttp_ring_peek(&ring, &length);
    CHECK(length == 1 && record[0] == 'x', "length %u", length);
    vhttp_ring_release(&ring);
    CHECK(vhttp_ring_depth(&ring) == 0, "no more than one record");
}

// Record n is n, repeated; its length varies between 4 and 252 bytes.
static uint32_t words_of(uint32_t n) { return 1 + n * 2654435761u % 63; }

static void *write_records(void *unused) {
    (void)unused;
    for (uint32_t n = 0; n < RECORDS; n++) {
        uint32_t words = words_of(n);
        uint32_t *room;
        while ((room = vhttp_ring_reserve(&ring, words * 4)) == NULL) {
            sched_yield();
        }
        for (uint32_t i = 0; i < words; i++) {
            room[i] = n;
        }
        vhttp_ring_commit(&ring, words * 4);
    }
    return NULL;
}

static void test_two_threads(void) {
    vhttp_ring_init(&ring, bytes, 1024);
    pthread_t writer;
    pthread_create(&writer, NULL, write_records, NULL);
    for (uint32_t n = 0; n < RECORDS && check_failures == 0; n++) {
        uint32_t length;
        const uint32_t *record;
        while ((record = vhttp_ring_peek(&ring, &length)) == NULL) {
            sched_yield();
        }
        CHECK(length == words_of(n) * 4, "record %u has %u bytes", n, length);
        for (uint32_t i = 0; i < length / 4; i++) {
            CHECK(record[i] == n, "record %u holds %u", n, record[i]);
        }
        vhttp_ring_release(&ring);
    }
    if (check_failures != 0) {
        exit(check_result()); // the writer would wait for ever
    }
    pthread_join(writer, NULL);
    CHECK(vhttp_ring_depth(&ring) == 0, "all were read");
}

int main(void) {
    test_sizes();
    test_longest_record_fits_at_every_position();
    test_what_is_in_use();
    test_around_the_end();
    test_a_skip_needs_room_too();
    test_full();
    test_reservation_can_shrink_or_lapse();
    test_two_threads();
    return check_result();
}
