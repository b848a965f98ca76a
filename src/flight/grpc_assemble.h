/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages out of the bytes that a client sends, which come in pieces of any size: a byte of flags,
 * four of length, the message. Memory for one grows as its bytes arrive, never by what its prefix
 * promises, and is counted against an allowance of the connection and one of the server.
 */
#ifndef WR_GRPC_ASSEMBLE_H
#define WR_GRPC_ASSEMBLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes of clients' messages may be held at a time. Any thread. */
struct wr_allowance {
    _Atomic int64_t held;
    int64_t most;
    struct wr_allowance *whole; /* of which this is a part; NULL: none */
};

bool wr_allowance_take(struct wr_allowance *allowance, int64_t n_bytes);
void wr_allowance_give(struct wr_allowance *allowance, int64_t n_bytes);

struct wr_incoming {
    struct wr_incoming *next;
    char *data; /* never NULL */
    size_t length;
    size_t capacity;
};

/* NULL is welcome. */
void wr_incoming_free(struct wr_incoming *incoming, struct wr_allowance *allowance);

struct wr_assembler {
    struct wr_allowance *allowance;
    int64_t max_message;
    unsigned char prefix[5];
    size_t n_prefix;
    struct wr_incoming *message; /* begun */
    size_t expected;
};

enum wr_assembled {
    WR_ASSEMBLED_NONE = 0,   /* all bytes taken, no message complete */
    WR_ASSEMBLED_MESSAGE,    /* one is; there may be bytes left */
    WR_ASSEMBLED_COMPRESSED, /* what follows are errors: the stream cannot be read on */
    WR_ASSEMBLED_BAD_FLAGS,
    WR_ASSEMBLED_TOO_LARGE,
    WR_ASSEMBLED_NO_ROOM, /* the allowance is used up */
    WR_ASSEMBLED_NO_MEMORY
};

void wr_assembler_init(struct wr_assembler *assembler, int64_t max_message,
                       struct wr_allowance *allowance);
void wr_assembler_reset(struct wr_assembler *assembler);
/* Takes bytes from *data, which it moves on. *ret_message is the caller's. */
enum wr_assembled wr_assemble(struct wr_assembler *assembler, const unsigned char **data,
                              size_t *length, struct wr_incoming **ret_message);
/* Whether a message was begun and is not complete. */
bool wr_assembler_is_inside(const struct wr_assembler *assembler);

#endif
