/* SPDX-License-Identifier: Apache-2.0 */
/* A workspace in the test's directory, with a mount `lake`, and a kind of table that counts. */
#ifndef TREE_H
#define TREE_H

#include "file_test.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "weir.h"
#include "weir_extension.h"

extern struct weir_workspace *workspace;
extern struct weir_session *session;
extern struct weir_error error;

/* The workspace is DIRECTORY/workspace, the mount DIRECTORY/lake, with
 *   numbers.csv   a, b: 3 rows
 *   notes.txt     "twelve bytes"
 *   doubled.sql   SELECT a * 2 AS a FROM numbers
 *   logs/         two Parquet files, 1.parquet with a = 1..10, 2.parquet with a = 11..20
 * and a view weir.public.v of the numbers. */
int in_tree(void **state);
int leave_tree(void **state);
void open_workspace(void);
void open_workspace_with(const struct weir_option *settings, size_t n_settings);
void close_workspace(void);

/* The kind `counted`: one column a of 1000 rows; option "version". */
struct counted {
    atomic_int reads;   /* scans that were begun */
    atomic_int wait_ms; /* before the first batch of a scan */
    atomic_int revision;
    atomic_int change; /* so many scans raise the revision at their end */
};
extern struct counted *counted;

void run(const char *sql);
/* The first column of the first row, a BIGINT. */
int64_t number(const char *sql);
struct weir_node *node_at(const char *path);
struct weir_node_info info_of(const struct weir_node *node);
/* The code of opening a path, which must fail. */
int open_refused(const char *path);
struct weir_file *file_of(const char *path, const char *encoding);
/* All bytes, in a buffer to free. */
char *bytes_of(struct weir_file *file, size_t *ret_length);
/* Puts them into a file of the test's directory. */
void save(struct weir_file *file, const char *name);
/* "a b c": the names of a directory; with '/' behind directories, '#' behind tables. */
const char *listing_of(const char *path);
int n_spooled(void);

#endif
