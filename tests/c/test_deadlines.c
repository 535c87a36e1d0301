// SPDX-License-Identifier: MIT
// Deadlines: order within and between kinds, and what is left of the wait.
#include "deadlines.h"

#include <limits.h>

#include "check.h"

static struct vhttp_deadlines deadlines;

// Each kind lasts as long as its setting says, to the millisecond.
static void test_how_long_each_lasts(void) {
    static const int lasts_ms[VHTTP_DEADLINE_KINDS] = {
        [VHTTP_DEADLINE_FIRST] = VHTTP_IDLE_TIMEOUT_MS,
        [VHTTP_DEADLINE_IDLE] = VHTTP_IDLE_TIMEOUT_MS,
        [VHTTP_DEADLINE_HEADER] = VHTTP_HEADER_TIMEOUT_MS,
        [VHTTP_DEADLINE_BODY] = VHTTP_BODY_TIMEOUT_MS,
        [VHTTP_DEADLINE_PYTHON] = VHTTP_COLD_WAIT_MS,
        [VHTTP_DEADLINE_HANDLER] = VHTTP_HANDLER_TIMEOUT_MS,
        [VHTTP_DEADLINE_SEND] = VHTTP_SEND_TIMEOUT_MS,
        [VHTTP_DEADLINE_QUIET] = VHTTP_STREAM_QUIET_MS,
        [VHTTP_DEADLINE_LINGER] = VHTTP_LINGER_MS,
    };
    for (int kind = 0; kind < VHTTP_DEADLINE_KINDS; kind++) {
        uint64_t due = 5000 + (uint64_t)lasts_ms[kind];
        vhttp_deadlines_init(&deadlines);
        vhttp_deadlines_set(&deadlines, 4, (enum vhttp_deadline)kind, 5000);
        CHECK(vhttp_deadlines_wait_ms(&deadlines, 5000) == lasts_ms[kind], "kind %d", kind);
        CHECK(vhttp_deadlines_wait_ms(&deadlines, due - 1) == 1, "kind %d", kind);
        CHECK(vhttp_deadlines_wait_ms(&deadlines, due) == 0, "kind %d", kind);
        CHECK(vhttp_deadlines_overdue(&deadlines, due - 1) == VHTTP_NO_MEMBER, "kind %d", kind);
        CHECK(vhttp_deadlines_overdue(&deadlines, due) == 4, "kind %d", kind);
    }
}

// Whoever leaves a queue, from its front, its middle or its end, leaves the others in order.
static void test_leaving_a_queue(void) {
    for (uint16_t leaver = 0; leaver < 3; leaver++) {
        vhttp_deadlines_init(&deadlines);
        for (uint16_t member = 0; member < 3; member++) {
            vhttp_deadlines_set(&deadlines, member, VHTTP_DEADLINE_IDLE, member);
        }
        vhttp_deadlines_set(&deadlines, leaver, VHTTP_DEADLINE_NONE, 0);
        vhttp_deadlines_set(&deadlines, 3, VHTTP_DEADLINE_IDLE, 3); // behind those that stayed
        for (uint16_t member = 0; member < 4; member++) {
            if (member != leaver) {
                uint16_t oldest = vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_IDLE);
                CHECK(oldest == member, "%u left, %u is the oldest", leaver, oldest);
                vhttp_deadlines_set(&deadlines, member, VHTTP_DEADLINE_NONE, 0);
            }
        }
        CHECK(vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_IDLE) == VHTTP_NO_MEMBER, "all");
    }
}

// The soonest of all kinds counts, whichever kind it is of.
static void test_the_soonest_of_two_kinds(void) {
    vhttp_deadlines_init(&deadlines);
    vhttp_deadlines_set(&deadlines, 0, VHTTP_DEADLINE_HANDLER, 0);
    vhttp_deadlines_set(&deadlines, 1, VHTTP_DEADLINE_LINGER, 0);
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 0) == VHTTP_LINGER_MS, "the later kind is sooner");
    vhttp_deadlines_set(&deadlines, 1, VHTTP_DEADLINE_LINGER, VHTTP_HANDLER_TIMEOUT_MS);
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 0) == VHTTP_HANDLER_TIMEOUT_MS, "the earlier kind");
    vhttp_deadlines_set(&deadlines, 0, VHTTP_DEADLINE_HANDLER, UINT64_MAX / 2);
    vhttp_deadlines_set(&deadlines, 1, VHTTP_DEADLINE_NONE, 0);
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 0) == INT_MAX, "as long as a wait can be");
}

static void test_order_and_kinds(void) {
    vhttp_deadlines_init(&deadlines);
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 0) == -1, "nothing to wait for");
    CHECK(vhttp_deadlines_overdue(&deadlines, UINT64_MAX) == VHTTP_NO_MEMBER, "nothing overdue");

    vhttp_deadlines_set(&deadlines, 1, VHTTP_DEADLINE_IDLE, 100);
    vhttp_deadlines_set(&deadlines, 2, VHTTP_DEADLINE_IDLE, 200);
    vhttp_deadlines_set(&deadlines, 3, VHTTP_DEADLINE_PYTHON, 300);
    CHECK(vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_IDLE) == 1, "oldest idle");
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 310) == VHTTP_COLD_WAIT_MS - 10, "the soonest");
    CHECK(vhttp_deadlines_overdue(&deadlines, 299 + VHTTP_COLD_WAIT_MS) == VHTTP_NO_MEMBER,
          "early");
    CHECK(vhttp_deadlines_overdue(&deadlines, 300 + VHTTP_COLD_WAIT_MS) == 3, "on time");
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 10000000) == 0, "overdue is no time");

    vhttp_deadlines_set(&deadlines, 1, VHTTP_DEADLINE_IDLE, 300); // renewed: now the youngest
    CHECK(vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_IDLE) == 2, "2 is older now");
    vhttp_deadlines_set(&deadlines, 2, VHTTP_DEADLINE_SEND, 300); // from one kind to another
    CHECK(vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_IDLE) == 1, "1 alone is idle");
    CHECK(vhttp_deadlines_oldest(&deadlines, VHTTP_DEADLINE_SEND) == 2, "2 is sending");

    for (uint16_t member = 1; member <= 3; member++) {
        vhttp_deadlines_set(&deadlines, member, VHTTP_DEADLINE_NONE, 0);
    }
    CHECK(vhttp_deadlines_wait_ms(&deadlines, 0) == -1, "all are taken away");
}

int main(void) {
    test_how_long_each_lasts();
    test_leaving_a_queue();
    test_the_soonest_of_two_kinds();
    test_order_and_kinds();
    return check_result();
}
