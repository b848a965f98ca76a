/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slt.h: a runner of sqllogictest files over weir.h, for the files of the crate
 * datafusion-sqllogictest and for our own.
 *
 * It understands the records that those files use: statement ok|count|error, query, include, halt,
 * subtest, skipif, onlyif, hash-threshold and control sortmode. Any other line is an error of the
 * file. How a value is shown and compared follows the crate's own runner (src/engines,
 * src/util.rs), so that its expected results hold as they stand.
 *
 * Memory is taken with xmalloc and its like, which end the process when there is none, and is never
 * given back: each file runs in a process of its own.
 */
#ifndef SLT_H
#define SLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "weir.h"

void *xmalloc(size_t size);
void *xrealloc(void *memory, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- parse.c ---- */

enum slt_expect { SLT_OK, SLT_COUNT, SLT_ERROR, SLT_ROWS };
enum slt_sort { SLT_NOSORT, SLT_ROWSORT, SLT_VALUESORT };

/* One statement or query. Conditions, sort mode and hash threshold are already applied. */
struct slt_record {
    const char *file; /* as it was opened */
    int line;
    bool is_query;
    char *sql;
    enum slt_expect expect;
    uint64_t count;
    const char *pattern;    /* of the error: a regular expression, or NULL */
    const char *error_text; /* of the error: the whole message, or NULL */
    const char *types;
    enum slt_sort sort;
    size_t hash_threshold; /* 0: never */
    char **lines;
    size_t n_lines;
};

struct slt_script {
    struct slt_record *records;
    size_t n_records;
};

/* Reads a file and those it includes. On failure returns false and gives a message. */
bool slt_parse(const char *path, struct slt_script *ret_script, char **ret_message);

/* ---- result.c, format.c ---- */

struct slt_row {
    char **cells;
    size_t n_cells;
};

struct slt_result {
    char *error; /* NULL: it went well */
    char *sqlstate;
    char *types; /* one letter per column; NULL: a statement without rows */
    struct slt_row *rows;
    size_t n_rows;
};

/* Put before every error message, as the crate's runner does. */
extern const char *slt_error_prefix;

/* What is shown as WORKSPACE_ROOT in results, without its first '/', as object stores write paths.
 */
extern const char *slt_workspace_root;

/* Runs `sql` to its end. `spark` selects how floating-point numbers are rounded. */
void slt_run(struct weir_session *session, const char *sql, bool spark,
             struct slt_result *ret_result);

/* Text of a value that the crate's runner does not leave to Arrow's own display. */
struct ArrowSchema;
struct ArrowArrayView;
char slt_type_letter(const struct ArrowSchema *schema);
bool slt_formats(const struct ArrowSchema *schema);
char *slt_format(const struct ArrowSchema *schema, const struct ArrowArrayView *view, int64_t row,
                 bool spark);
/* A decimal number in plain or scientific notation, rounded half to even to `places`, without
 * trailing zeros. */
char *slt_round_decimal(const char *number, int places);

/* ---- match.c ---- */

/* Whether the result is what the record expects; if not, says the difference. */
bool slt_match(const struct slt_record *record, struct slt_result *result, FILE *report);
void slt_md5(const char *data, size_t length, char ret_hex[33]);

/* ---- rules.c ---- */

enum slt_rule {
    SLT_RUN = 0,
    SLT_EXPLAIN = 1, /* the expected rows are the text of a plan */
    SLT_OUTSIDE = 2, /* reads a file that the crate does not contain, or a table made from one */
    SLT_N_RULES = 3
};

extern const char *const slt_rule_reasons[SLT_N_RULES];

/* Called for every record in order, since what a table was made from decides on later ones. */
enum slt_rule slt_rule_of(const struct slt_record *record);

/* A file of lines `key: reason`, with comments from #. */
struct slt_list {
    char **keys;
    char **reasons;
    size_t n;
};

bool slt_list_read(const char *path, struct slt_list *ret_list);
const char *slt_list_reason(const struct slt_list *list, const char *key); /* NULL: not there */

/* ---- context.c ---- */

/* Registers the tables that the crate's test context registers for this file. */
bool slt_prepare(struct weir_session *session, const char *file, char **ret_message);

#endif
