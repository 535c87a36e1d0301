// SPDX-License-Identifier: MIT
#include "negotiation.h"

// The weight of an element's parameters in thousandths: ";q=0.5" is 500. A malformed one is 0.
static int weight_of(struct vhttp_slice parameters) {
    struct vhttp_slice parameter;
    while (vhttp_slice_next(&parameters, ';', &parameter)) {
        if (parameter.length < 3 || vhttp_lower(parameter.at[0]) != 'q' || parameter.at[1] != '=') {
            continue;
        }
        const char *digits = parameter.at + 2;
        size_t count = parameter.length - 2;
        if (count > 5 || (digits[0] != '0' && digits[0] != '1') ||
            (count > 1 && digits[1] != '.')) {
            return 0;
        }
        int weight = (digits[0] - '0') * 1000;
        int place = 100;
        for (size_t i = 2; i < count; i++, place /= 10) {
            if (digits[i] < '0' || digits[i] > '9') {
                return 0;
            }
            weight += (digits[i] - '0') * place;
        }
        return weight <= 1000 ? weight : 0;
    }
    return 1000;
}

bool vhttp_accepts_gzip(const struct vhttp_request *request) {
    int gzip = -1, identity = -1, any = -1; // -1: not named
    for (size_t i = 0; i < request->header_count; i++) {
        if (!vhttp_slice_equals_nocase(request->headers[i].name, "accept-encoding")) {
            continue;
        }
        struct vhttp_slice list = request->headers[i].value, element;
        while (vhttp_slice_next(&list, ',', &element)) {
            struct vhttp_slice rest = element, coding;
            vhttp_slice_next(&rest, ';', &coding);
            int weight = weight_of(rest);
            if (vhttp_slice_equals_nocase(coding, "gzip") ||
                vhttp_slice_equals_nocase(coding, "x-gzip")) {
                gzip = weight;
            } else if (vhttp_slice_equals_nocase(coding, "identity")) {
                identity = weight;
            } else if (vhttp_slice_equals(coding, "*")) {
                any = weight;
            }
        }
    }
    if (gzip < 0) {
        gzip = any;
    }
    if (identity < 0) {
        identity = any < 0 ? 0 : any; // acceptable, but anything named is preferred
    }
    return gzip > 0 && gzip >= identity;
}

static bool is_in_list(struct vhttp_slice list, const char *etag, bool weak_counts) {
    if (vhttp_slice_equals(list, "*")) {
        return true;
    }
    size_t length = strlen(etag);
    const char *at = list.at;
    const char *end = list.at + list.length;
    while (at < end) {
        const char *open = memchr(at, '"', (size_t)(end - at));
        const char *close = open == NULL ? NULL : memchr(open + 1, '"', (size_t)(end - open - 1));
        if (close == NULL) {
            return false;
        }
        bool is_weak = open - list.at >= 2 && memcmp(open - 2, "W/", 2) == 0;
        if ((weak_counts || !is_weak) && (size_t)(close + 1 - open) == length &&
            memcmp(open, etag, length) == 0) {
            return true;
        }
        at = close + 1;
    }
    return false;
}

bool vhttp_etag_matches(struct vhttp_slice list, const char *etag) {
    return is_in_list(list, etag, true);
}

bool vhttp_etag_is_listed(struct vhttp_slice list, const char *etag) {
    return is_in_list(list, etag, false);
}

bool vhttp_accepts_page(const struct vhttp_request *request) {
    bool is_there = false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!vhttp_slice_equals_nocase(request->headers[i].name, "accept")) {
            continue;
        }
        is_there = true;
        struct vhttp_slice list = request->headers[i].value, range, type;
        while (vhttp_slice_next(&list, ',', &range)) {
            vhttp_slice_next(&range, ';', &type);
            if (vhttp_slice_equals_nocase(type, "text/html") ||
                vhttp_slice_equals_nocase(type, "text/*") ||
                vhttp_slice_equals_nocase(type, "*/*")) {
                return true;
            }
        }
    }
    return !is_there;
}
