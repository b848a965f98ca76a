/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of all copies, in SQLite (state.db beside them), which processes share. Times are
 * microseconds since 1970. A damaged database is thrown away with all copies: they are fetched
 * again. Safe for threads.
 */
#ifndef WR_CACHED_STATE_H
#define WR_CACHED_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

struct wr_copies;

struct wr_copy_file {
    int64_t n_bytes;
    int64_t n_rows;
    int64_t modified_ns;
    char id[40]; /* no other file ever has it */
};

/* One table's copy. */
struct wr_copy {
    bool known;         /* the table has a row */
    int64_t generation; /* its directory; 0: there is none */
    int64_t last_generation;
    int64_t started_at; /* when its fetch began */
    int64_t fetched_at;
    int64_t invalid_at;  /* no copy begun until then counts */
    int64_t bypassed_at; /* when a fetch found that the table cannot be kept; 0: it can */
    int64_t refreshes;
    char *position; /* of refresh append: the greatest value, as an SQL expression; NULL: none */
    char *start;    /* of mode window: the bounds as SQL expressions, and for people; NULL: none */
    char *end;
    char *start_text;
    char *end_text;
    void *schema; /* wr_arrow_schema_encode */
    size_t n_schema;
    struct wr_copy_file *files;
    size_t n_files;
    int64_t n_rows;
    int64_t n_bytes;
};

void wr_copy_reset(struct wr_copy *copy);

/* How a row is called in listings. */
struct wr_copy_names {
    const char *catalog;
    const char *schema;
    const char *name;
    const char *source;
    const char *mode;
};

int wr_copies_open(const char *directory, struct wr_copies **ret_copies, struct weir_error *error);
void wr_copies_close(struct wr_copies *copies);

/* Makes a row without copy when there is none. */
int wr_copies_add(struct wr_copies *copies, const char *key, const struct wr_copy_names *names,
                  struct weir_error *error);
/* All zeros when there is no row. */
int wr_copies_load(struct wr_copies *copies, const char *key, struct wr_copy *ret_copy,
                   struct weir_error *error);
/* Switches to a copy, in one transaction: all of it but `invalid_at` and `refreshes`, which is
 * counted up. The row must be there, else WEIR_NOT_FOUND: the table was dropped meanwhile. */
int wr_copies_switch(struct wr_copies *copies, const char *key, const struct wr_copy *copy,
                     struct weir_error *error);
/* Gives up the copy. `bypassed_at` as in the structure. */
int wr_copies_empty(struct wr_copies *copies, const char *key, int64_t bypassed_at,
                    const char *reason, struct weir_error *error);
int wr_copies_invalidate(struct wr_copies *copies, const char *key, int64_t at,
                         struct weir_error *error);
int wr_copies_drop(struct wr_copies *copies, const char *key, struct weir_error *error);
/* Keeps an error for listings; NULL: none. */
void wr_copies_note_error(struct wr_copies *copies, const char *key, const char *message);
void wr_copies_note_use(struct wr_copies *copies, const char *key, int64_t at);

/* Every row, in order of names. */
struct wr_copy_row {
    const char *key;
    struct wr_copy_names names;
    int64_t generation;
    int64_t started_at;
    int64_t fetched_at;
    int64_t invalid_at;
    int64_t bypassed_at;
    int64_t refreshes;
    int64_t n_rows;
    int64_t n_bytes;
    const char *start_text;
    const char *end_text;
    const char *last_error;
};
typedef int (*wr_copy_row_fn)(void *sink, const struct wr_copy_row *row, struct weir_error *error);
/* With no lock held while `take` runs but the connection's own. */
int wr_copies_each(struct wr_copies *copies, wr_copy_row_fn take, void *sink,
                   struct weir_error *error);
/* The key of the copy that was used longest ago, but `except`, when all together have more than
 * `max_bytes`; NULL: they have not. Free with wr_free. */
int wr_copies_oldest(struct wr_copies *copies, int64_t max_bytes, const char *except,
                     char **ret_key, struct weir_error *error);

#endif
