// SPDX-License-Identifier: MIT
// What a client says it can take and already has (RFC 9110, sections 12.5.3 and 13.1).
#ifndef VHTTP_NEGOTIATION_H
#define VHTTP_NEGOTIATION_H

#include <stdbool.h>

#include "parser.h"

// True when every Accept-Encoding field together prefers gzip to the plain bytes, or likes them
// equally; false when there is none.
bool vhttp_accepts_gzip(const struct vhttp_request *request);

// Whether a client takes HTML: Accept names text/html, text/* or */* (RFC 9110, section 12.5.1), or
// is not there.
bool vhttp_accepts_page(const struct vhttp_request *request);

// True when the list of an If-None-Match field holds `etag` (with its quotes), by the weak
// comparison, or is "*".
bool vhttp_etag_matches(struct vhttp_slice list, const char *etag);

// Likewise for an If-Match field, by the strong comparison: a weak one is no match.
bool vhttp_etag_is_listed(struct vhttp_slice list, const char *etag);

#endif
