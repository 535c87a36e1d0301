// SPDX-License-Identifier: MIT
// Memory that ends at a page which may not be touched: reading one byte too far ends the test.
#ifndef TESTS_GUARDED_H
#define TESTS_GUARDED_H

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    char *pages;
    size_t room; // bytes before the guard page
};

static inline struct guarded guarded_new(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;
    char *pages =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + room, page, PROT_NONE) != 0) {
        _exit(1);
    }
    return (struct guarded){pages, room};
}

// A copy of `bytes` whose end is the guard page.
static inline char *guarded_copy(struct guarded memory, const void *bytes, size_t size) {
    return memcpy(memory.pages + memory.room - size, bytes, size);
}

#endif
