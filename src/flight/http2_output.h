/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits to be written to a socket, in order: bytes that were copied (frame headers, control
 * frames) and pieces of messages where they lie. The owner of a piece is told when the last byte of
 * it was taken by the kernel, or will never be.
 *
 * Threads: one.
 */
#ifndef WR_HTTP2_OUTPUT_H
#define WR_HTTP2_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct wr_outgoing;

struct wr_slice {
    const unsigned char *data; /* NULL: the next bytes of `copied` */
    size_t length;
    struct wr_outgoing *owner; /* NULL: nobody */
};

struct wr_output {
    struct wr_slice *slices; /* those from `first` on */
    size_t first, n_slices, capacity;
    unsigned char *copied; /* bytes from `copied_start` on are of slices without data */
    size_t copied_start, copied_end, copied_capacity;
    size_t n_bytes; /* in all */
    void (*done)(struct wr_outgoing *owner);
};

void wr_output_init(struct wr_output *output, void (*done)(struct wr_outgoing *owner));
/* Forgets all of it; owners are told. Usable again. */
void wr_output_reset(struct wr_output *output);
/* False, and nothing changed: no memory. */
bool wr_output_copy(struct wr_output *output, const void *data, size_t length);
bool wr_output_refer(struct wr_output *output, const void *data, size_t length,
                     struct wr_outgoing *owner);
/* The first pieces, at most `most` of them; returns how many. They lie still until the output is
 * changed. */
size_t wr_output_pieces(const struct wr_output *output, struct iovec *ret_pieces, size_t most);
/* The first so many bytes are gone. */
void wr_output_advance(struct wr_output *output, size_t n_bytes);

#endif
