// SPDX-License-Identifier: MIT
// The ring: any order of writing and reading, against a plain queue.
#include <string.h>

#include "fuzz.h"
#include "ring.h"

#define SIZE 256u
#define QUEUE 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) uint8_t bytes[SIZE + 8];
    struct vhttp_ring ring;
    uint8_t lengths[QUEUE], fills[QUEUE];
    unsigned first = 0, count = 0;
    memset(bytes + SIZE, 0xEE, 8);
    vhttp_ring_init(&ring, bytes, SIZE);
    for (size_t i = 0; i + 1 < size; i += 2) {
        uint8_t length = data[i + 1], fill = (uint8_t)i;
        uint32_t got;
        if (data[i] & 1) {
            const uint8_t *record = vhttp_ring_peek(&ring, &got);
            FUZZ_CHECK((record == NULL) == (count == 0));
            if (record == NULL) {
                continue;
            }
            FUZZ_CHECK(got == lengths[first % QUEUE]);
            for (uint32_t at = 0; at < got; at++) {
                FUZZ_CHECK(record[at] == fills[first % QUEUE]);
            }
            vhttp_ring_release(&ring);
            first++;
            count--;
        } else {
            uint8_t *room = vhttp_ring_reserve(&ring, length);
            FUZZ_CHECK(room != NULL || count > 0 || length > vhttp_ring_record_max(&ring));
            if (room == NULL || (data[i] & 2)) {
                continue; // no room, or a reservation that lapses
            }
            uint8_t used = data[i] & 4 ? length / 2 : length;
            memset(room, fill, used);
            vhttp_ring_commit(&ring, used);
            lengths[(first + count) % QUEUE] = used;
            fills[(first + count++) % QUEUE] = fill;
        }
        FUZZ_CHECK(vhttp_ring_depth(&ring) <= SIZE);
    }
    for (int i = 0; i < 8; i++) {
        FUZZ_CHECK(bytes[SIZE + i] == 0xEE);
    }
    return 0;
}
