// SPDX-License-Identifier: MIT
// Compression to the format of RFC 1951, in bounded memory: a window of 32 KiB, chains of equal
// hashes, lazy matching, and dynamic, fixed or stored blocks, whichever is smallest.
//
// The same input gives the same bytes, however it was split. Implemented by deflate.c; a chip that
// has a compressor in its ROM may implement the same functions with it.
#ifndef VHTTP_DEFLATE_H
#define VHTTP_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vhttp_deflate;

// Takes `size` bytes of output. False ends the compression.
typedef bool (*vhttp_deflate_output)(void *argument, const uint8_t *bytes, size_t size);

// Bytes that a compressor needs, its state and all.
size_t vhttp_deflate_size(void);

// Begins a stream in `memory`, vhttp_deflate_size() bytes aligned for a pointer. `level` is from
// 1, the fastest, to 9, the smallest.
struct vhttp_deflate *vhttp_deflate_begin(void *memory, int level, vhttp_deflate_output output,
                                          void *argument);

// False when the output was refused; nothing may follow then.
bool vhttp_deflate_write(struct vhttp_deflate *deflate, const uint8_t *bytes, size_t size);
bool vhttp_deflate_end(struct vhttp_deflate *deflate);

#endif
