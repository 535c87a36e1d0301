// SPDX-License-Identifier: MIT
// The head of a request: any bytes, any split. The answer must not depend on the split, and every
// slice must lie within the head.
#include "../c/guarded.h"
#include "fuzz.h"
#include "parser.h"

static void check_slice(struct vhttp_slice slice, const char *buffer, size_t length) {
    FUZZ_CHECK(slice.length == 0 ||
               (slice.at >= buffer && slice.at + slice.length <= buffer + length));
}

static void check_request(const struct vhttp_request *request, const char *buffer, size_t length) {
    check_slice(request->path, buffer, length);
    check_slice(request->query, buffer, length);
    FUZZ_CHECK(request->header_count <= VHTTP_MAX_HEADERS);
    for (size_t i = 0; i < request->header_count; i++) {
        check_slice(request->headers[i].name, buffer, length);
        check_slice(request->headers[i].value, buffer, length);
        FUZZ_CHECK(request->headers[i].name.length > 0);
    }
    FUZZ_CHECK(!(request->chunked && request->has_length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct guarded memory;
    if (memory.pages == NULL) {
        memory = guarded_new(VHTTP_REQUEST_HEAD_MAX);
    }
    if (size == 0 || size > VHTTP_REQUEST_HEAD_MAX) {
        return 0;
    }
    static struct vhttp_request whole, split;
    const char *bytes = guarded_copy(memory, data, size);
    int result = vhttp_parse_request(bytes, size, 0, &whole);
    FUZZ_CHECK(result <= (int)size && result != 0);
    if (result > 0) {
        check_request(&whole, bytes, (size_t)result);
    } else if (result == VHTTP_PARSE_PARTIAL) {
        int status = vhttp_parse_overflow(bytes, size);
        FUZZ_CHECK(status == 414 || status == 431);
    }
    size_t checked = 0;
    int later = VHTTP_PARSE_PARTIAL;
    for (size_t length = 1; length <= size && later == VHTTP_PARSE_PARTIAL; length++) {
        bytes = guarded_copy(memory, data, length);
        later = vhttp_parse_request(bytes, length, checked, &split);
        checked = length;
    }
    FUZZ_CHECK(later == result);
    FUZZ_CHECK(result <= 0 || (split.content_length == whole.content_length &&
                               split.header_count == whole.header_count &&
                               split.path.length == whole.path.length));
    return 0;
}
