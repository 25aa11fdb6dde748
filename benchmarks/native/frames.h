/* WebSocket framing (RFC 6455), as far as a load generator and a bare relay need it. */

#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { TEXT = 0x1, BINARY = 0x2, CLOSE = 0x8, PING = 0x9, PONG = 0xA };

enum { MAX_HEADER = 14 };

struct frame {
    int opcode;
    int fin;
    int masked;
    uint8_t mask[4];
    uint64_t length;
};

/* The length of the header at p, or 0 if not all of it is there. */
static inline size_t parse_header(const uint8_t *p, size_t n, struct frame *frame)
{
    if (n < 2)
        return 0;
    frame->fin = p[0] >> 7;
    frame->opcode = p[0] & 0x0F;
    frame->masked = p[1] >> 7;
    uint64_t length = p[1] & 0x7F;
    size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    size_t header = 2 + extra + (frame->masked ? 4 : 0);
    if (n < header)
        return 0;
    if (extra) {
        length = 0;
        for (size_t i = 0; i < extra; i++)
            length = length << 8 | p[2 + i];
    }
    if (frame->masked)
        memcpy(frame->mask, p + 2 + extra, 4);
    frame->length = length;
    return header;
}

/* Writes the header of a final frame; a mask of NULL leaves it unmasked. Returns its length. */
static inline size_t put_header(uint8_t *p, int opcode, uint64_t length, const uint8_t *mask)
{
    size_t at = 2;
    uint8_t flag = mask ? 0x80 : 0;
    p[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        p[1] = (uint8_t)(flag | length);
    } else {
        size_t extra = length < 65536 ? 2 : 8;
        p[1] = (uint8_t)(flag | (extra == 2 ? 126 : 127));
        for (size_t i = 0; i < extra; i++)
            p[at++] = (uint8_t)(length >> 8 * (extra - 1 - i));
    }
    if (mask) {
        memcpy(p + at, mask, 4);
        at += 4;
    }
    return at;
}

/* Masks or unmasks; the two may be the same buffer. */
static inline void apply_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t *mask)
{
    uint64_t wide, word;
    memcpy(&wide, mask, 4);
    memcpy((uint8_t *)&wide + 4, mask, 4);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= wide;
        memcpy(to + i, &word, 8);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ mask[i & 3];
}

#endif
