/* SPDX-License-Identifier: Apache-2.0 */
/* The spool's directory as all processes see it: names, locks, what is swept and what is evicted.
 */
#ifndef WR_SPOOL_DIRECTORY_H
#define WR_SPOOL_DIRECTORY_H

#include <limits.h>

#include "file/spool.h"

struct wr_spool_directory {
    char *path; /* for messages */
    int fd;
    int64_t max_bytes; /* 0: no limit */
};

/* A name in the directory: "", ".lock" or ".part" around a key. */
struct wr_spool_name {
    char text[NAME_MAX + 1];
};

bool wr_spool_key_is_valid(const char *key);
struct wr_spool_name wr_spool_lock_name(const char *key);
struct wr_spool_name wr_spool_part_name(const char *key);

/*
 * The lock of a key, held until wr_spool_unlock. Waits for the process that holds it, and answers
 * WEIR_CANCELLED when `fill` is cancelled meanwhile. `fill` NULL: does not wait, *ret_lock is -1
 * when another one holds it.
 */
int wr_spool_lock(const struct wr_spool_directory *directory, const char *key,
                  const struct wr_spool_fill *fill, int *ret_lock, struct weir_error *error);
/* Removes the lock's file too. */
void wr_spool_unlock(const struct wr_spool_directory *directory, const char *key, int lock);

/* Removes what killed processes left: whatever is half-written and no living process holds. */
void wr_spool_sweep(const struct wr_spool_directory *directory);
/* Removes the files that were used longest ago until the rest keeps the limit; never `except`. */
void wr_spool_evict(const struct wr_spool_directory *directory, const char *except);

#endif
