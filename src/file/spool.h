/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spool: bytes that tables were encoded into, each file under the version of what it holds, in
 * one directory that processes share.
 *
 * 1. A file is filled once, however many readers ask for it at the same time: in this process they
 * wait for the one that fills, between processes for its lock (flock on "KEY.lock"), which the
 * kernel drops when the process dies.
 * 2. It is filled under a name that nobody reads (".KEY.part"), synced, then renamed. What a killed
 * process left is removed by the next one that fills that key, and at wr_spool_open.
 * 3. When filling fails, every waiting reader of this process gets that error, and the next one
 * tries again. A fill that was cancelled is its own reader's end only: the next that waits fills.
 * 4. Files that were used longest ago are removed when all together hold more than `max_bytes`. A
 * reader's descriptor goes on reading a removed file. One file larger than all is kept for its
 * readers only.
 * 5. Nothing is held in memory besides what the encoder writes at once.
 *
 * Threads: wr_spool_get and wr_spool_has from any, at the same time. Linux only.
 */
#ifndef WR_SPOOL_H
#define WR_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

struct wr_spool;

/* `path` is made when it is not there. `max_bytes` 0: no limit. */
int wr_spool_open(const char *path, int64_t max_bytes, struct wr_spool **ret_spool,
                  struct weir_error *error);
void wr_spool_close(struct wr_spool *spool);

/* How a file is filled. */
struct wr_spool_fill {
    /* Encodes everything into `write`. Called without any mutex of the spool's. */
    int (*run)(void *context, weir_write_fn write, void *sink, struct weir_error *error);
    /* Whether the reader no longer wants it, asked every few milliseconds while it waits for
     * another one's fill. NULL: never. */
    bool (*is_cancelled)(void *context);
    void *context;
};

/*
 * A descriptor of the bytes under `key`, filled if they are not there or older than `max_age_ms`
 * (-1: any age will do). `key` is letters, digits and dots, and does not begin with a dot or end in
 * ".lock". NULL: nobody else's, gone with the descriptor. `ret_filled` (may be NULL): whether this
 * call filled it. The descriptor's offset is shared with other readers: read with pread.
 */
int wr_spool_get(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                 const struct wr_spool_fill *fill, int *ret_fd, int64_t *ret_n_bytes,
                 bool *ret_filled, struct weir_error *error);
/* 1 when it is there, with its size (`ret_n_bytes` may be NULL). */
int wr_spool_has(struct wr_spool *spool, const char *key, int64_t max_age_ms, int64_t *ret_n_bytes);

#endif
