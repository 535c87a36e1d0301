// SPDX-License-Identifier: MIT
// The head of a response, written into a buffer.
#ifndef VHTTP_RESPONSE_H
#define VHTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_range.h"
#include "slice.h"

// The length of content that ends when its source says so.
#define VHTTP_CONTENT_UNKNOWN (UINT64_MAX / 2)

struct vhttp_response {
    int status;
    const char *content_type;                         // NULL: the response has no content
    uint64_t length;                                  // of the content, bytes
    uint64_t whole;                                   // with a range: of the file, bytes
    struct vhttp_range range;                         // what of the file is sent, or could not be
    int64_t modified_s;                               // Last-Modified; 0: none
    struct vhttp_slice fields;                        // further lines, each with its CRLF
    const char *etag;                                 // with its quotes, or NULL
    const char *allow;                                // methods, or NULL
    const char *cache_control;                        // or NULL
    struct vhttp_slice location_path, location_query; // a folder's address; at == NULL: no Location
    bool sized;   // Content-Length, though the type is in `fields`
    bool chunked; // the content comes in chunked coding
    bool accepts_ranges;
    bool gzip;        // the content is compressed
    bool varies;      // it could have been in another encoding
    bool retry_later; // say when to try again
};

// How every head ends.
struct vhttp_response_end {
    const char *date;    // a Date line with its CRLF, or ""
    bool close;          // this is the connection's last response
    bool say_keep_alive; // to an HTTP/1.0 client
};

// The longest end.
#define VHTTP_RESPONSE_END_MAX 80

// Writes the head without its end. Returns the length, or 0 when it does not fit.
size_t vhttp_write_response_head(const struct vhttp_response *response, char *out, size_t size);

// Writes the end to VHTTP_RESPONSE_END_MAX bytes at `out`. Returns the length.
size_t vhttp_write_response_end(const struct vhttp_response_end *end, char *out);

#endif
