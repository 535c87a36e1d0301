// SPDX-License-Identifier: MIT
#include "deflate.h"

#include <string.h>

#include "huffman.h"

#define WINDOW_SIZE 32768u // how far back a match may lie
#define BUFFER_SIZE (2 * WINDOW_SIZE)
#define HASH_BITS 13
#define HASH_SIZE (1u << HASH_BITS)
#define MIN_MATCH 3u
#define MAX_MATCH 258u
#define LOOKAHEAD (MAX_MATCH + MIN_MATCH) // bytes that must be there for a full decision
#define SYMBOLS_MAX 8192u                 // of one block
#define OUTPUT_SIZE 2048u
#define STORED_MAX 65535u

#define LITERALS 286
#define DISTANCES 30
#define END_OF_BLOCK 256
#define CODE_LENGTHS 19

// How hard a level tries.
struct effort {
    uint16_t chain; // candidates that are looked at
    uint16_t good;  // a match this long is looked for no further
    uint16_t lazy;  // nor is one behind a match this long; 0: never
};

static const struct effort efforts[10] = {
    {0},          {4, 8, 0},     {8, 16, 0},     {16, 32, 0},     {16, 32, 4},
    {32, 64, 16}, {64, 128, 16}, {128, 128, 32}, {512, 258, 128}, {2048, 258, 258},
};

struct vhttp_deflate {
    vhttp_deflate_output output;
    void *argument;
    bool failed;
    struct effort effort;

    uint32_t start, end;                       // of the buffer's bytes that are not compressed yet
    uint32_t block;                            // where the current block's bytes start
    bool has_pending;                          // the byte before `start` waits for what follows it
    uint16_t pending_length, pending_distance; // the match there; 0: none
    uint16_t head[HASH_SIZE];                  // latest position + 1 of each hash; 0: none
    uint16_t chain[WINDOW_SIZE];               // by position modulo its size: the one before
    uint8_t buffer[BUFFER_SIZE];

    uint32_t symbol_count;
    uint16_t distances[SYMBOLS_MAX]; // 0: a literal
    uint8_t lengths[SYMBOLS_MAX];    // match length - MIN_MATCH, or the literal
    uint32_t literal_counts[LITERALS], distance_counts[DISTANCES];
    struct vhttp_huffman literal_code, distance_code;

    uint64_t bits;
    unsigned bit_count;
    uint32_t output_length;
    uint8_t output_bytes[OUTPUT_SIZE];
};

size_t vhttp_deflate_size(void) { return sizeof(struct vhttp_deflate); }

// ---- Bits

static void flush_output(struct vhttp_deflate *d) {
    if (!d->failed && d->output_length > 0) {
        d->failed = !d->output(d->argument, d->output_bytes, d->output_length);
    }
    d->output_length = 0;
}

static void put_byte(struct vhttp_deflate *d, uint8_t byte) {
    if (d->output_length == OUTPUT_SIZE) {
        flush_output(d);
    }
    d->output_bytes[d->output_length++] = byte;
}

static void put_bits(struct vhttp_deflate *d, uint32_t value, unsigned count) {
    d->bits |= (uint64_t)value << d->bit_count;
    d->bit_count += count;
    while (d->bit_count >= 8) {
        put_byte(d, (uint8_t)d->bits);
        d->bits >>= 8;
        d->bit_count -= 8;
    }
}

static void align(struct vhttp_deflate *d) {
    if (d->bit_count > 0) {
        put_bits(d, 0, 8 - d->bit_count);
    }
}

// ---- Symbols of lengths and distances (RFC 1951, section 3.2.5)

// The symbol whose range holds `value` (from 0), with its extra bits, where each range of 2^n
// values comes `1 << step` times in a row.
struct range {
    unsigned symbol, extra_count, extra;
};

static struct range range_of(unsigned value, unsigned step) {
    unsigned first = 1u << step;
    if (value < 2 * first) {
        return (struct range){value, 0, 0};
    }
    unsigned top = 0;
    while (value >> (top + 1) != 0) {
        top++;
    }
    unsigned bits = top - step;
    return (struct range){(bits << step) + (value >> bits), bits, value & ((1u << bits) - 1)};
}

static struct range length_range(unsigned length) {
    if (length == MAX_MATCH) {
        return (struct range){285, 0, 0};
    }
    struct range range = range_of(length - MIN_MATCH, 2);
    range.symbol += 257;
    return range;
}

static struct range distance_range(unsigned distance) { return range_of(distance - 1, 1); }

// ---- Blocks

static void write_symbols(struct vhttp_deflate *d, const struct vhttp_huffman *literal_code,
                          const struct vhttp_huffman *distance_code) {
    for (uint32_t i = 0; i < d->symbol_count; i++) {
        if (d->distances[i] == 0) {
            unsigned literal = d->lengths[i];
            put_bits(d, literal_code->codes[literal], literal_code->lengths[literal]);
            continue;
        }
        struct range length = length_range(d->lengths[i] + MIN_MATCH);
        put_bits(d, literal_code->codes[length.symbol], literal_code->lengths[length.symbol]);
        put_bits(d, length.extra, length.extra_count);
        struct range distance = distance_range(d->distances[i]);
        put_bits(d, distance_code->codes[distance.symbol], distance_code->lengths[distance.symbol]);
        put_bits(d, distance.extra, distance.extra_count);
    }
    put_bits(d, literal_code->codes[END_OF_BLOCK], literal_code->lengths[END_OF_BLOCK]);
}

// Bits of the block's symbols in a code.
static uint64_t cost_of(const struct vhttp_deflate *d, const uint8_t *literal_lengths,
                        const uint8_t *distance_lengths) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < LITERALS; i++) {
        unsigned extra = i < 265 || i == 285 ? 0 : (i - 261) / 4;
        bits += (uint64_t)d->literal_counts[i] * (literal_lengths[i] + extra);
    }
    for (unsigned i = 0; i < DISTANCES; i++) {
        unsigned extra = i < 4 ? 0 : i / 2 - 1;
        bits += (uint64_t)d->distance_counts[i] * (distance_lengths[i] + extra);
    }
    return bits;
}

// The description of the two codes: their lengths, run-length coded (RFC 1951, section 3.2.7).
struct description {
    unsigned literals, distances; // lengths that are described
    unsigned count;
    uint8_t symbols[LITERALS + DISTANCES];
    uint8_t extras[LITERALS + DISTANCES];
    struct vhttp_huffman code;
    unsigned code_lengths; // that are written of it
    uint64_t cost;         // bits
};

static const uint8_t code_length_order[CODE_LENGTHS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                        11, 4,  12, 3, 13, 2, 14, 1, 15};

static unsigned used(const uint8_t *lengths, unsigned count, unsigned least) {
    while (count > least && lengths[count - 1] == 0) {
        count--;
    }
    return count;
}

static void add_run(struct description *about, uint8_t symbol, uint8_t extra) {
    about->symbols[about->count] = symbol;
    about->extras[about->count++] = extra;
}

static void add_lengths(struct description *about, const uint8_t *lengths, unsigned count) {
    for (unsigned i = 0; i < count;) {
        uint8_t length = lengths[i];
        unsigned run = 1;
        while (i + run < count && lengths[i + run] == length) {
            run++;
        }
        i += run;
        if (length != 0) {
            add_run(about, length, 0);
            run--;
        }
        while (run >= 3) {
            unsigned most = length != 0 ? 6 : 138;
            unsigned part = run < most ? run : most;
            if (length != 0) {
                add_run(about, 16, (uint8_t)(part - 3));
            } else if (part <= 10) {
                add_run(about, 17, (uint8_t)(part - 3));
            } else {
                add_run(about, 18, (uint8_t)(part - 11));
            }
            run -= part;
        }
        for (; run > 0; run--) {
            add_run(about, length, 0);
        }
    }
}

static unsigned run_extra_bits(unsigned symbol) {
    return symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
}

static void describe(const struct vhttp_deflate *d, struct description *about) {
    about->literals = used(d->literal_code.lengths, LITERALS, 257);
    about->distances = used(d->distance_code.lengths, DISTANCES, 1);
    about->count = 0;
    add_lengths(about, d->literal_code.lengths, about->literals);
    add_lengths(about, d->distance_code.lengths, about->distances);
    uint32_t counts[CODE_LENGTHS] = {0};
    for (unsigned i = 0; i < about->count; i++) {
        counts[about->symbols[i]]++;
    }
    vhttp_huffman_build(&about->code, counts, CODE_LENGTHS, 7);
    about->code_lengths = CODE_LENGTHS;
    while (about->code_lengths > 4 &&
           about->code.lengths[code_length_order[about->code_lengths - 1]] == 0) {
        about->code_lengths--;
    }
    about->cost = 14 + 3 * (uint64_t)about->code_lengths;
    for (unsigned i = 0; i < CODE_LENGTHS; i++) {
        about->cost += (uint64_t)counts[i] * (about->code.lengths[i] + run_extra_bits(i));
    }
}

static void write_description(struct vhttp_deflate *d, const struct description *about) {
    put_bits(d, about->literals - 257, 5);
    put_bits(d, about->distances - 1, 5);
    put_bits(d, about->code_lengths - 4, 4);
    for (unsigned i = 0; i < about->code_lengths; i++) {
        put_bits(d, about->code.lengths[code_length_order[i]], 3);
    }
    for (unsigned i = 0; i < about->count; i++) {
        unsigned symbol = about->symbols[i];
        put_bits(d, about->code.codes[symbol], about->code.lengths[symbol]);
        put_bits(d, about->extras[i], run_extra_bits(symbol));
    }
}

static void write_stored(struct vhttp_deflate *d, uint32_t length, bool is_last) {
    put_bits(d, is_last, 3);
    align(d);
    put_bits(d, length, 16);
    put_bits(d, ~length & 0xFFFF, 16);
    for (uint32_t i = 0; i < length; i++) {
        put_byte(d, d->buffer[d->block + i]);
    }
}

// Writes the symbols gathered so far, which stand for the bytes from `block` to `until`.
static void end_block(struct vhttp_deflate *d, uint32_t until, bool is_last) {
    d->literal_counts[END_OF_BLOCK] = 1;
    vhttp_huffman_build(&d->literal_code, d->literal_counts, LITERALS, 15);
    vhttp_huffman_build(&d->distance_code, d->distance_counts, DISTANCES, 15);
    struct description about;
    describe(d, &about);
    uint64_t dynamic = about.cost + cost_of(d, d->literal_code.lengths, d->distance_code.lengths);
    struct vhttp_huffman fixed_literals, fixed_distances;
    vhttp_huffman_fixed(&fixed_literals, &fixed_distances);
    uint64_t fixed = cost_of(d, fixed_literals.lengths, fixed_distances.lengths);
    uint32_t length = until - d->block;
    uint64_t stored = 8 * (uint64_t)length + 32 + 7;
    if (stored < dynamic && stored < fixed && length <= STORED_MAX) {
        write_stored(d, length, is_last);
    } else if (fixed <= dynamic) {
        put_bits(d, is_last | 1 << 1, 3);
        write_symbols(d, &fixed_literals, &fixed_distances);
    } else {
        put_bits(d, is_last | 2 << 1, 3);
        write_description(d, &about);
        write_symbols(d, &d->literal_code, &d->distance_code);
    }
    d->block = until;
    d->symbol_count = 0;
    memset(d->literal_counts, 0, sizeof(d->literal_counts));
    memset(d->distance_counts, 0, sizeof(d->distance_counts));
}

// ---- Matching

static uint32_t hash_at(const uint8_t *bytes) {
    uint32_t three = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    return three * 2654435761u >> (32 - HASH_BITS);
}

// Makes the bytes at `at` known to later matches. Three of them must be there.
static void enter(struct vhttp_deflate *d, uint32_t at) {
    uint32_t hash = hash_at(d->buffer + at);
    d->chain[at % WINDOW_SIZE] = d->head[hash];
    d->head[hash] = (uint16_t)(at + 1);
}

static unsigned match_length(const uint8_t *a, const uint8_t *b, unsigned most) {
    unsigned length = 0;
    while (length < most && a[length] == b[length]) {
        length++;
    }
    return length;
}

// The longest match for the bytes at `at` that is longer than `least`; 0 when there is none.
static unsigned find_match(const struct vhttp_deflate *d, uint32_t at, unsigned least,
                           uint16_t *distance) {
    unsigned most = d->end - at < MAX_MATCH ? d->end - at : MAX_MATCH;
    unsigned best = least;
    if (most < MIN_MATCH || best >= most) {
        return 0;
    }
    const uint8_t *here = d->buffer + at;
    uint32_t candidate = d->head[hash_at(here)];
    unsigned found = 0;
    for (unsigned tries = d->effort.chain; candidate != 0 && tries > 0; tries--) {
        uint32_t back = at - (candidate - 1);
        if (candidate - 1 >= at || back > WINDOW_SIZE - LOOKAHEAD) {
            break;
        }
        const uint8_t *there = d->buffer + candidate - 1;
        if (there[best] == here[best]) {
            unsigned length = match_length(here, there, most);
            if (length > best) {
                best = found = length;
                *distance = (uint16_t)back;
                if (length >= d->effort.good || length == most) {
                    break;
                }
            }
        }
        candidate = d->chain[(candidate - 1) % WINDOW_SIZE];
    }
    return found;
}

static void count_symbol(struct vhttp_deflate *d, unsigned length, unsigned distance,
                         uint8_t literal) {
    d->distances[d->symbol_count] = (uint16_t)distance;
    if (distance == 0) {
        d->lengths[d->symbol_count++] = literal;
        d->literal_counts[literal]++;
    } else {
        d->lengths[d->symbol_count++] = (uint8_t)(length - MIN_MATCH);
        d->literal_counts[length_range(length).symbol]++;
        d->distance_counts[distance_range(distance).symbol]++;
    }
}

// Moves on by a byte that is not looked at any more.
static void pass(struct vhttp_deflate *d) {
    if (d->end - d->start >= MIN_MATCH) {
        enter(d, d->start);
    }
    d->start++;
}

// A match that ends the decision on the byte before: takes it, and all that it covers.
static void take_match(struct vhttp_deflate *d, uint32_t from, unsigned length, unsigned distance) {
    count_symbol(d, length, distance, 0);
    while (d->start < from + length) {
        pass(d);
    }
    d->has_pending = false;
}

// Decides on one byte.
static void step(struct vhttp_deflate *d) {
    uint16_t distance = 0;
    unsigned least = d->has_pending && d->pending_length > 0 ? d->pending_length : MIN_MATCH - 1;
    bool looks = !d->has_pending || d->pending_length < d->effort.lazy || d->pending_length == 0;
    unsigned length = looks ? find_match(d, d->start, least, &distance) : 0;
    uint32_t at = d->start;
    if (d->has_pending) {
        if (d->pending_length > 0 && length == 0) {
            take_match(d, at - 1, d->pending_length, d->pending_distance);
            return;
        }
        count_symbol(d, 0, 0, d->buffer[at - 1]);
    }
    pass(d);
    d->has_pending = true;
    d->pending_length = (uint16_t)length;
    d->pending_distance = distance;
    if (length > 0 && length >= d->effort.lazy) {
        take_match(d, at, length, distance);
    }
}

// Compresses what is there, but for the lookahead that more bytes may follow.
static void compress(struct vhttp_deflate *d, uint32_t lookahead) {
    while (d->end - d->start > lookahead) {
        step(d);
        if (d->symbol_count > SYMBOLS_MAX - 2) {
            end_block(d, d->start - d->has_pending, false);
        }
    }
}

// Makes room for a window of new bytes: the older half of the buffer goes.
static void slide(struct vhttp_deflate *d) {
    // A block may reach back beyond what stays, and must be stored from here if at all.
    if (d->block < WINDOW_SIZE) {
        end_block(d, d->start - d->has_pending, false);
    }
    memmove(d->buffer, d->buffer + WINDOW_SIZE, BUFFER_SIZE - WINDOW_SIZE);
    for (uint32_t i = 0; i < HASH_SIZE; i++) {
        d->head[i] = d->head[i] > WINDOW_SIZE ? (uint16_t)(d->head[i] - WINDOW_SIZE) : 0;
    }
    for (uint32_t i = 0; i < WINDOW_SIZE; i++) {
        d->chain[i] = d->chain[i] > WINDOW_SIZE ? (uint16_t)(d->chain[i] - WINDOW_SIZE) : 0;
    }
    d->start -= WINDOW_SIZE;
    d->end -= WINDOW_SIZE;
    d->block -= WINDOW_SIZE;
}

// ---- The stream

struct vhttp_deflate *vhttp_deflate_begin(void *memory, int level, vhttp_deflate_output output,
                                          void *argument) {
    struct vhttp_deflate *d = memory;
    memset(d, 0, sizeof(*d));
    d->output = output;
    d->argument = argument;
    d->effort = efforts[level < 1 ? 1 : level > 9 ? 9 : level];
    return d;
}

bool vhttp_deflate_write(struct vhttp_deflate *d, const uint8_t *bytes, size_t size) {
    while (size > 0 && !d->failed) {
        // One byte of the buffer stays free: a position + 1 has to fit 16 bits.
        uint32_t room = BUFFER_SIZE - 1 - d->end;
        if (room == 0) {
            slide(d);
            continue;
        }
        uint32_t part = size < room ? (uint32_t)size : room;
        memcpy(d->buffer + d->end, bytes, part);
        d->end += part;
        bytes += part;
        size -= part;
        compress(d, LOOKAHEAD);
    }
    return !d->failed;
}

bool vhttp_deflate_end(struct vhttp_deflate *d) {
    compress(d, 0);
    if (d->has_pending) { // the last byte, which can be no match
        count_symbol(d, 0, 0, d->buffer[d->start - 1]);
        d->has_pending = false;
    }
    end_block(d, d->start, true);
    align(d);
    flush_output(d);
    return !d->failed;
}
