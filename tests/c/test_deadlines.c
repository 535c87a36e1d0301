// Deadlines: order within and between kinds, and what is left of the wait.
#include "deadlines.h"

#include "check.h"

int main(void) {
    static struct vhttp_deadlines deadlines;
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
    return check_result();
}
