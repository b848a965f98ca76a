/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, of FIPS 180-4: names for what is kept under its content's or version's text. */
#ifndef WR_HASH_H
#define WR_HASH_H

#include <stddef.h>
#include <stdint.h>

struct wr_hash {
    uint32_t state[8];
    uint64_t n_bytes;
    unsigned char block[64];
};

enum { WR_HASH_SIZE = 32, WR_HASH_TEXT_SIZE = 2 * WR_HASH_SIZE + 1 };

void wr_hash_init(struct wr_hash *hash);
void wr_hash_add(struct wr_hash *hash, const void *data, size_t length);
/* A text with its NUL, so that {"ab", "c"} is not {"a", "bc"}. NULL is another one than "". */
void wr_hash_text(struct wr_hash *hash, const char *text);
/* The hash in lower-case hexadecimal; `hash` is used up. */
void wr_hash_finish(struct wr_hash *hash, char ret_text[WR_HASH_TEXT_SIZE]);

#endif
