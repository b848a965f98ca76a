/* SPDX-License-Identifier: Apache-2.0 */
/* MD5 (RFC 1321), with which sqllogictest files name long results. */
#include <math.h>
#include <string.h>

#include "slt.h"

static uint32_t rotate(uint32_t value, unsigned bits) {
    return value << bits | value >> (32 - bits);
}

static void add_block(uint32_t state[4], const uint8_t block[64]) {
    static const unsigned shifts[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t words[16];
    for (unsigned i = 0; i < 16; i++) {
        const uint8_t *p = block + 4 * i;
        words[i] =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t mix;
        unsigned word;
        if (i < 16)
            mix = (b & c) | (~b & d), word = i;
        else if (i < 32)
            mix = (b & d) | (c & ~d), word = (5 * i + 1) % 16;
        else if (i < 48)
            mix = b ^ c ^ d, word = (3 * i + 5) % 16;
        else
            mix = c ^ (b | ~d), word = 7 * i % 16;
        uint32_t constant = (uint32_t)(fabs(sin(i + 1)) * 4294967296.0);
        uint32_t next = b + rotate(a + mix + constant + words[word], shifts[i / 16][i % 4]);
        a = d, d = c, c = b, b = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

void slt_md5(const char *data, size_t length, char ret_hex[33]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t tail[128] = {0};
    size_t whole = length / 64 * 64;
    for (size_t i = 0; i < whole; i += 64)
        add_block(state, (const uint8_t *)data + i);
    memcpy(tail, data + whole, length - whole);
    tail[length - whole] = 0x80;
    size_t tail_length = length - whole < 56 ? 64 : 128;
    for (unsigned i = 0; i < 8; i++)
        tail[tail_length - 8 + i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
    for (size_t i = 0; i < tail_length; i += 64)
        add_block(state, tail + i);
    for (unsigned i = 0; i < 16; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", (unsigned)(state[i / 4] >> 8 * (i % 4) & 0xff));
}
