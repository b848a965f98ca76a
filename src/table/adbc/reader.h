/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reader of rows: a connection, the statement it runs, and the thread that calls the driver.
 * Whoever reads waits for that thread, and can stop waiting.
 *
 * 1. The thread alone calls the driver, save for cancel. It takes the connection, runs, fetches,
 *    and at the end gives the connection back or closes it, also when nobody waits any more.
 * 2. Cancel sets a flag and has another thread call the driver's cancel. A driver without one is
 *    left to finish by itself, and what it changed is taken back; a driver that has one is given
 * two seconds.
 * 3. Starting fetches the first batch as well, and its end where that is known to be near. When
 * that fails because a connection that had been used before is gone, it is tried once more on a new
 * one.
 */
#ifndef WR_ADBC_READER_H
#define WR_ADBC_READER_H

#include "table/adbc/core.h"
#include "table/adbc/descriptors.h"

struct wr_adbc_reader;

enum wr_adbc_source {
    WR_ADBC_SQL = 0,
    WR_ADBC_OBJECTS,    /* names: catalog, schema, table */
    WR_ADBC_STATISTICS, /* the same */
    WR_ADBC_CHANGE      /* one statement without rows */
};

/*
 * What is done around the rows, on the reader's thread; NULL members: nothing. `take` may give a
 * connection instead of the pool, else NULL. `begin` comes after each connection is taken. `end`
 * comes last, with the connection in whatever state; it answers
 * true when it has taken the connection over, else it may say that the connection cannot be used
 * again.
 */
struct wr_adbc_around {
    int (*take)(void *context, struct wr_adbc_connection **ret_connection,
                struct weir_error *error);
    int (*begin)(void *context, struct wr_adbc_connection *connection, struct weir_error *error);
    bool (*end)(void *context, struct wr_adbc_connection *connection, bool *usable);
    void (*free)(void *context);
    void *context;
};

struct wr_adbc_plan {
    enum wr_adbc_source source;
    const char *sql; /* of WR_ADBC_SQL and WR_ADBC_CHANGE */
    const char *names[3];
    int32_t n_columns;        /* that the rows must have; -1: any */
    const char *const *types; /* Arrow formats that SQLite's columns must have; NULL: any */
    bool skip_first_row;
    /* Of WR_ADBC_SQL: the rows are of those of its partitions that this reader takes; NULL: all. */
    struct wr_adbc_descriptors *descriptors;
    struct wr_adbc_around around; /* taken over, on success */
};

/* Copies the plan; nothing runs yet. */
int wr_adbc_reader_new(struct wr_adbc_database *database, const struct wr_adbc_plan *plan,
                       struct wr_adbc_reader **ret_reader, struct weir_error *error);
struct wr_adbc_reader *wr_adbc_reader_retain(struct wr_adbc_reader *reader);
void wr_adbc_reader_release(struct wr_adbc_reader *reader);

/* Runs it; the stream holds a reference of its own, and its release ends the thread. */
int wr_adbc_reader_start(struct wr_adbc_reader *reader, struct ArrowArrayStream *ret_rows,
                         struct weir_error *error);
/* Runs a plan of WR_ADBC_CHANGE. `ret_n_rows` (may be NULL) is -1 when the driver gives no count.
 */
int wr_adbc_reader_change(struct wr_adbc_reader *reader, int64_t *ret_n_rows,
                          struct weir_error *error);
/* From any thread, at any time. */
void wr_adbc_reader_cancel(struct wr_adbc_reader *reader);

/* ---- The thread's part (fetch.c) ---- */

struct wr_adbc_fetch {
    struct wr_adbc_database *database;
    enum wr_adbc_source source;
    char *sql;
    char *names[3];
    int32_t n_columns;
    char **types;
    bool skip_first_row;
    bool skip_now; /* the next row is to be left out */
    struct wr_adbc_around around;
    struct wr_adbc_descriptors *descriptors;
    bool makes_descriptors;         /* the others wait for this one */
    struct wr_adbc_descriptor part; /* that is being read */

    struct wr_adbc_connection *connection;
    bool was_taken; /* the connection, from `around` */
    bool usable;    /* afterwards */
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    int64_t n_rows;          /* changed */
    struct ArrowArray first; /* fetched by the start */
    bool has_first;
    struct ArrowArray second; /* so was this one, in looking for the end */
    bool has_ended; /* nothing comes after the first batch, if there is one: the thread goes */
};

/* The statement, if there is one, and the connection are shown to whoever cancels: */
void wr_adbc_reader_show(struct wr_adbc_reader *reader, struct AdbcStatement *statement);
/* and hidden; waits for a cancel that is under way. */
void wr_adbc_reader_hide(struct wr_adbc_reader *reader);
bool wr_adbc_reader_is_cancelled(struct wr_adbc_reader *reader);
/* Whether a change is to be committed: it was not cancelled, and from now on that comes too late.
 */
bool wr_adbc_reader_commits(struct wr_adbc_reader *reader);
struct AdbcStatement *wr_adbc_reader_statement(struct wr_adbc_reader *reader);

/* WEIR_INVALID_DATA (22021) for a text that is not UTF-8 (texts.c). */
int wr_adbc_check_texts(const struct wr_adbc_database *database, const struct ArrowSchema *schema,
                        const struct ArrowArray *array, struct weir_error *error);

/* A change that is committed by itself: nothing else could end it (SQLite). */
bool wr_adbc_in_transaction(const struct wr_adbc_fetch *fetch);
int wr_adbc_fetch_start(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                        struct weir_error *error);
/* `ret_array` without release: the end. */
int wr_adbc_fetch_next(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                       struct ArrowArray *ret_array, struct weir_error *error);
void wr_adbc_fetch_end(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch);

#endif
