/* SPDX-License-Identifier: Apache-2.0 */
/* A refresh as it goes on, on its flight's thread: what refresh.c shares with append.c and
 * window.c. */
#ifndef WR_CACHED_WORK_H
#define WR_CACHED_WORK_H

#include "base/buffer.h"
#include "table/cached/caches.h"

enum { WR_MAX_SQL = 1 << 20 };

struct wr_work {
    struct wr_flight *flight;
    struct wr_cached_table *cache;
    struct wr_caches *caches;
    struct wr_copy old;
    struct wr_copy new;
    struct wr_copy_staging staging;
    int64_t n_most; /* bytes that the next file may have; -1: any number */
    bool whole;     /* nothing of the old copy is taken over */
    char why[512];  /* why the table cannot be kept; empty: it can */
};

/* Fetches a query's rows into the next file; of the first file of a copy, its columns too. With
 * `why` set there is none. */
int wr_work_fetch(struct wr_work *work, const char *sql, struct weir_error *error);
/* Puts a staged file into the new copy. */
int wr_work_add(struct wr_work *work, const struct wr_copy_file *file, struct weir_error *error);
struct wr_cached_query wr_work_query(const struct wr_work *work, const char *sql);
/* Gives the text away. */
int wr_work_sql(struct wr_buffer *sql, char **ret_sql, struct weir_error *error);

/* Each fills the staged generation. */
int wr_work_all(struct wr_work *work, struct weir_error *error);
int wr_work_append(struct wr_work *work, struct weir_error *error);
/* The copy in one file again, from its own files. */
int wr_work_compact(struct wr_work *work, struct weir_error *error);
int wr_work_window(struct wr_work *work, struct weir_error *error);

#endif
