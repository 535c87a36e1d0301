// The head of a response, written into a buffer.
#ifndef VHTTP_RESPONSE_H
#define VHTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

struct vhttp_response {
    int status;
    const char *content_type;                         // NULL: the response has no content
    uint64_t length;                                  // of the content, bytes
    const char *etag;                                 // with its quotes, or NULL
    const char *allow;                                // methods, or NULL
    const char *cache_control;                        // or NULL
    struct vhttp_slice location_path, location_query; // a folder's address; at == NULL: no Location
    bool gzip;                                        // the content is compressed
    bool varies;                                      // it could have been in another encoding
    bool retry_later;                                 // say when to try again
    bool close;                                       // this is the connection's last response
    bool say_keep_alive;                              // to an HTTP/1.0 client
};

// Returns the length, or 0 when it does not fit.
size_t vhttp_write_response_head(const struct vhttp_response *response, char *out, size_t size);

#endif
