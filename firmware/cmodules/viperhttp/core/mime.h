// SPDX-License-Identifier: MIT
// Content types by file name.
#ifndef VHTTP_MIME_H
#define VHTTP_MIME_H

// The Content-Type of a file called `path`; application/octet-stream when its ending says nothing.
const char *vhttp_content_type(const char *path);

#endif
