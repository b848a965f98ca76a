/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a .sql file, and what its leading comment lines say of it:
 *
 *     -- name: daily
 *     -- description: flights by day
 *     -- format: parquet
 *     -- input flights: ../raw/flights.parquet
 *     -- param carrier: 'UA'
 *     SELECT day, count(*) FROM flights WHERE carrier = $carrier GROUP BY day
 *
 * 1. The block ends at the first line that is neither blank nor a comment of "--".
 * 2. A line counts when it has the shape "key: value" or "key NAME: value" with one of these keys,
 * in any case. A key that is nearly one of them is an error with file and line; every other comment
 * is only a comment.
 * 3. `name`, `description` and `format` are given at most once, inputs and parameters once each. An
 * input's value may be quoted as in SQL; a parameter's default is a literal: a number, 'text',
 * true, false, null, or a typed one such as DATE '2024-01-01'.
 */
#ifndef WR_FRONT_MATTER_H
#define WR_FRONT_MATTER_H

#include <stdbool.h>

#include "base/options.h"

/* All zero: nothing was said. */
struct wr_sql_front_matter {
    char *name; /* NULL: none, as of the next two */
    char *description;
    char *format; /* "parquet", "arrow", "csv", "tsv", "json" or "jsonl" */
    struct wr_options inputs;
    struct wr_options parameters; /* with their defaults, literals of SQL */
};

/* `shown` is how messages call the file. */
int wr_sql_front_matter_parse(const char *shown, const char *text,
                              struct wr_sql_front_matter *ret_front_matter,
                              struct weir_error *error);
/* Of the file at an absolute path; `root` is the directory that it must not lead out of, or NULL.
 */
int wr_sql_front_matter_read(const char *root, const char *path, const char *shown,
                             struct wr_sql_front_matter *ret_front_matter,
                             struct weir_error *error);
void wr_sql_front_matter_reset(struct wr_sql_front_matter *front_matter);

/* The whole text of an open file: a regular one of at most 1 MiB, in UTF-8. Free with wr_free. */
int wr_sql_text_of(int fd, const char *shown, char **ret_text, struct weir_error *error);
int wr_sql_text_read(const char *root, const char *path, const char *shown, char **ret_text,
                     struct weir_error *error);

bool wr_sql_is_literal(const char *text);
/* Whether a file's name ends in ".sql", in any case. */
bool wr_sql_is_name(const char *name);

#endif
