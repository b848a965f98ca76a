/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance.h: one suite for every kind of table, over weir.h and weir_extension.h alone.
 *
 * Every kind is asked to make a table of the same rows (rows.c); struct kind says how, and in what
 * it differs. The row with number i has id = i, grp = i % 7, name = "n<i>" or NULL where i % 5 ==
 * 4, value = i / 2.0, flag = i % 2 == 0.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "weir.h"
#include "weir_extension.h"

/* ---- support.c: one workspace, session and scratch directory per test program ---- */

extern struct weir_workspace *workspace;
extern struct weir_session *session;
extern char directory[64];

/* Group set-up and tear-down of cmocka. The set-up also registers the probe kind. */
int suite_open(void **state);
int suite_close(void **state);
void empty_directory(void);

/* Runs a statement that must succeed; its rows as lines of cells between '|', NULL as "NULL". Free
 * the text. */
char *ask(const char *sql, ...) __attribute__((format(printf, 1, 2)));
void run(const char *sql, ...) __attribute__((format(printf, 1, 2)));
/* Runs a query that must give exactly these lines. */
void expect_rows(const char *expected, const char *sql, ...) __attribute__((format(printf, 2, 3)));
void expect_number(int64_t expected, const char *sql, ...) __attribute__((format(printf, 2, 3)));
/* Runs a statement that must fail; the message must contain `part` (may be NULL). Gives the error
 * for more checks. */
struct weir_error expect_error(const char *sqlstate, const char *part, const char *sql, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads a stream to its end or first error, releases it, and gives the rows read; a failure fills
 * `ret_error`. */
int drain(struct ArrowArrayStream *stream, int64_t *ret_rows, struct weir_error *ret_error);

int64_t now_ms(void);
void sleep_ms(int64_t milliseconds);
/* Waits until `*value` is at least `least`, ten seconds at most; fails the test otherwise. */
void wait_for(const _Atomic int64_t *value, int64_t least);

/* ---- rows.c ---- */

enum { ID, GRP, NAME, VALUE, FLAG, N_COLUMNS };

struct expectation {
    const char *predicate;
    bool (*holds)(int64_t i);
};

/* Predicates over the columns, ended by a NULL predicate. */
extern const struct expectation predicates[];

void rows_schema(struct ArrowSchema *ret_schema);
/* Rows first, ..., first + n - 1 of those for which `keep` (NULL: all) holds, as a struct array of
 * the chosen columns (NULL: all). */
void rows_array(int64_t first, int64_t n, bool (*keep)(void *, int64_t), void *context,
                const int32_t *columns, size_t n_columns, struct ArrowArray *ret_array);
void rows_project(const int32_t *columns, size_t n_columns, struct ArrowSchema *ret_schema);
/* A stream of n rows in batches of at most 100. */
void rows_stream(int64_t first, int64_t n, struct ArrowArrayStream *ret_stream);
/* The lines that expect_rows wants for one row. */
char *rows_text(int64_t first, int64_t n);
/* The rows as SQL's VALUES. */
char *rows_values(int64_t first, int64_t n);
void rows_write(const char *path, const char *format, int64_t first, int64_t n);

/* ---- kinds.c ---- */

struct kind {
    const char *name;
    /* Makes `table` of rows 0 to n - 1, in `parts` parts where the kind knows parts. */
    void (*make)(const struct kind *kind, const char *table, int64_t n, int parts);
    const char *argument; /* of make: a format, or options */
    const char *formats;  /* of the columns, as Arrow writes them, between spaces */
    bool has_parts;
    bool exact_count; /* knows how many rows there are without reading them */
    bool can_insert;
    bool below_root;       /* the directory is the root that nothing leads out of */
    bool is_view;          /* DROP VIEW drops it */
    bool no_empty;         /* an empty one would have no columns, and is refused */
    const char *bad_using; /* USING clause with an unknown option */
};

extern const struct kind kinds[];
extern const size_t n_kinds;

/* ---- probe.c: a kind of table as an extension would write it, which shows what it was asked ----
 */

/*
 * OPTIONS: rows, partitions, filters (none, inexact or exact), statistics (true or false), delay
 * (milliseconds before each batch), fail_after (rows of a partition; its stream fails there),
 * fail_in (open, form, statistics, classify, scan or partition; that slot fails with
 * WEIR_UNAUTHORIZED and SQLSTATE 28000).
 */
extern const struct weir_table_kind probe_kind;

/* What happened since probe_reset. */
extern struct probe_log {
    _Atomic int64_t forms, scans, scans_released, partitions_opened, streams_released, cancels;
    _Atomic int64_t held, holds; /* partitions that are held now; how often one was */
    _Atomic int64_t rows, columns, filters,
        limit; /* rows: handed out; the others: of the last scan */
} probe_log;

void probe_reset(void);

#endif
