/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of copies: KEY/GENERATION/0.parquet, 1.parquet, ... in one directory that processes
 * share. A generation is filled under a name that nobody reads (KEY/staging), synced, then renamed.
 * Who reads one holds its directory locked (flock, shared); it is removed by whoever gets the
 * exclusive lock.
 */
#ifndef WR_CACHED_DIRECTORY_H
#define WR_CACHED_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "table/cached/state.h"

struct wr_copy_directory {
    char *path; /* NULL: not open */
    int fd;
    bool temporary; /* gone at close; locked while the process lives */
};

/* `path` NULL: a temporary one; those that killed processes left are removed. */
int wr_copy_directory_open(const char *path, struct wr_copy_directory *ret_directory,
                           struct weir_error *error);
void wr_copy_directory_close(struct wr_copy_directory *directory);

/* The lock of a key between processes. *ret_lock is -1 when another one holds it. */
int wr_copy_lock(const struct wr_copy_directory *directory, const char *key, int *ret_lock,
                 struct weir_error *error);
void wr_copy_unlock(int lock);
/* Of a key that is no more; with its lock held. */
void wr_copy_remove_lock(const struct wr_copy_directory *directory, const char *key);

/* ---- Filling a generation, with the key's lock held ---- */

struct wr_copy_staging {
    const struct wr_copy_directory *directory;
    const char *key;
    int key_fd;
    int fd;
};

/* Removes what a killed process left. */
int wr_copy_stage(const struct wr_copy_directory *directory, const char *key,
                  struct wr_copy_staging *ret_staging, struct weir_error *error);
/* The n-th file, for writing. */
int wr_copy_stage_file(const struct wr_copy_staging *staging, size_t n, int *ret_fd,
                       struct weir_error *error);
/* Syncs a written file and says what it is. Takes over `fd`. */
int wr_copy_stage_finish(int fd, struct wr_copy_file *ret_file, struct weir_error *error);
/* The n-th file of a generation, shared. */
int wr_copy_stage_link(const struct wr_copy_staging *staging, int64_t generation, size_t n,
                       struct weir_error *error);
void wr_copy_stage_drop(const struct wr_copy_staging *staging, size_t n);
/* Gives it the first free number from `generation` on. */
int wr_copy_stage_publish(struct wr_copy_staging *staging, int64_t generation,
                          int64_t *ret_generation, struct weir_error *error);
/* Removes what was not published. */
void wr_copy_stage_end(struct wr_copy_staging *staging);

/* ---- Reading and removing ---- */

/* Holds a generation; -1 when it is not there. */
int wr_copy_lease(const struct wr_copy_directory *directory, const char *key, int64_t generation);
/* Whether its files are there, as large as they were. */
bool wr_copy_is_whole(int lease, const struct wr_copy *copy);
/* Removes a generation unless someone reads it. */
void wr_copy_remove(const struct wr_copy_directory *directory, const char *key, int64_t generation);
/* Removes all generations of a key but `keep` that nobody reads, and the key's directory if it is
 * empty then. */
void wr_copy_sweep(const struct wr_copy_directory *directory, const char *key, int64_t keep);
/* The same with results; what nobody reads of it. */
void wr_copy_remove_all(const struct wr_copy_directory *directory, const char *key);
/* The bytes of a key's results. */
int64_t wr_copy_result_bytes(const struct wr_copy_directory *directory, const char *key);
/* Every key that has a directory. */
void wr_copy_each_key(const struct wr_copy_directory *directory,
                      void (*take)(void *sink, const char *key), void *sink);

#endif
