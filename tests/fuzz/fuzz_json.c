// SPDX-License-Identifier: MIT
// JSON: any bytes. Every token lies within the text, none is read behind it, and no string grows
// when it is unescaped.
#include "../c/guarded.h"
#include "fuzz.h"
#include "json_text.h"

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct guarded memory;
    static char unescaped[TEXT_MAX];
    if (memory.pages == NULL) {
        memory = guarded_new(TEXT_MAX);
    }
    if (size > TEXT_MAX) {
        return 0;
    }
    const char *bytes = guarded_copy(memory, data, size);
    struct vhttp_json_text json;
    struct vhttp_slice text;
    vhttp_json_start(&json, (struct vhttp_slice){bytes, size});
    enum vhttp_json_token token;
    size_t depth = 0;
    while ((token = vhttp_json_next(&json, &text)) < VHTTP_JSON_END) {
        depth += token == VHTTP_JSON_OBJECT || token == VHTTP_JSON_ARRAY;
        FUZZ_CHECK(token != VHTTP_JSON_CLOSE || depth-- > 0);
        if (token == VHTTP_JSON_KEY || token == VHTTP_JSON_STRING) {
            FUZZ_CHECK(text.at >= bytes && text.at + text.length < bytes + size);
            FUZZ_CHECK(vhttp_json_unescape(text, unescaped) <= (ptrdiff_t)text.length);
        }
    }
    FUZZ_CHECK(token != VHTTP_JSON_END || depth == 0);
    return 0;
}
