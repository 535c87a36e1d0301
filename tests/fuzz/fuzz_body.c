// SPDX-License-Identifier: MIT
// A request's body: the first byte says how it is framed and split. The content and the verdict
// must not depend on the split.
#include <string.h>

#include "../c/guarded.h"
#include "body.h"
#include "fuzz.h"

#define SIZE_MAX_HERE 4096

struct outcome {
    int status;
    bool is_over;
    size_t used, length;
    uint8_t content[SIZE_MAX_HERE];
};

static void receive(struct guarded memory, const uint8_t *data, size_t size, size_t step,
                    bool is_chunked, uint64_t length, struct outcome *out) {
    struct vhttp_body body;
    vhttp_body_start(&body, is_chunked, length);
    out->status = 0;
    out->used = out->length = 0;
    while (out->used < size && !vhttp_body_is_over(&body)) {
        size_t piece = size - out->used < step ? size - out->used : step;
        const char *bytes = guarded_copy(memory, data + out->used, piece);
        int framed = vhttp_body_frame(&body, bytes, piece);
        if (framed < 0) {
            out->status = framed;
            break;
        }
        FUZZ_CHECK((size_t)framed <= piece);
        size_t content = piece - (size_t)framed;
        if (body.state != VHTTP_BODY_CONTENT) {
            FUZZ_CHECK(content == 0 || vhttp_body_is_over(&body));
            content = 0;
        } else if (content > body.left) {
            content = (size_t)body.left;
        }
        memcpy(out->content + out->length, bytes + framed, content);
        out->length += content;
        out->used += (size_t)framed + content;
        if (content > 0) {
            vhttp_body_take(&body, content);
        }
    }
    out->is_over = vhttp_body_is_over(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct guarded memory;
    static struct outcome whole, split;
    if (memory.pages == NULL) {
        memory = guarded_new(SIZE_MAX_HERE);
    }
    if (size < 2 || size > SIZE_MAX_HERE) {
        return 0;
    }
    bool is_chunked = data[0] & 1;
    uint64_t length = data[0] >> 1;
    size_t step = 1 + data[1] % 16;
    receive(memory, data + 2, size - 2, size, is_chunked, length, &whole);
    receive(memory, data + 2, size - 2, step, is_chunked, length, &split);
    FUZZ_CHECK(whole.status == split.status && whole.is_over == split.is_over);
    FUZZ_CHECK(whole.status != 0 || (whole.used == split.used && whole.length == split.length &&
                                     memcmp(whole.content, split.content, whole.length) == 0));
    return 0;
}
