/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of mount in memory, kinds of table for what is in it, and names to try them with. */
#ifndef WR_TEST_TOY_H
#define WR_TEST_TOY_H

#include "rows.h"

#include <stdatomic.h>

#include "catalog/tree.h"
#include "table/registry.h"

/*
 * A mount of the kind `toy` holds, where "path" is the option of each table:
 *
 *     x.csv                table x          kind toy_file
 *     two.csv, two.json    by these names   kind toy_file
 *     notes.txt            no table
 *     logs/x.csv           table x          kind toy_file
 *     logs/daily.sql       table daily      kind toy_query, with parameters
 *     logs/deep/er/y.csv   table y          kind toy_file
 *     logs/public/p.csv    table p          kind toy_file
 *     logs/link/x.csv      table x          kind toy_file, in a directory that is a link
 *     empty/none           no table
 *
 * Its option `url`: "gone" cannot be opened, "broken" has a directory `logs` that cannot be listed,
 * "racing" one that is gone when it is listed, "endless" a directory in each directory.
 *
 * Around `toy_machine` a mount has every path as a file: a table (kind toy_file) when it ends in
 * .csv, a pipe when it ends in .fifo, else plain; nothing when it ends in "nowhere".
 */
extern const struct weir_mount_kind toy;
extern void *const toy_machine;

extern struct toy_counts {
    atomic_int mounts; /* open now */
    atomic_int tables;
    atomic_int opens; /* since the test began */
    atomic_int lists;
    atomic_int finds;
    char path[256];   /* of the table that was opened last */
    char carrier[64]; /* its parameter */
    char catalog[64]; /* its definition's names */
    char schema[64];
    char name[64];
} toy_counts;

/* A registry with the toys' kinds, and names in memory. Teardown checks that nothing is open. */
extern struct wr_registry *registry;
extern struct wr_names *names;
int toy_setup(void **state);
int toy_teardown(void **state);
/* The same with a directory for names that are kept. */
extern char toy_directory[64];
int toy_setup_directory(void **state);
int toy_teardown_directory(void **state);
struct wr_names *toy_open_names(const char *path);

int toy_attach(struct wr_names *in, const char *name, const char *url, const char *origin,
               int flags, struct weir_error *error);
int toy_view(struct wr_names *in, const char *catalog, const char *schema, const char *name,
             struct weir_error *error);
/* Looks a table up and lets it go. */
int toy_look_up(struct wr_names *in, const char *catalog, const char *schema, const char *name,
                struct weir_error *error);
/* Names with a blank behind each; or the message of the failure. */
const char *toy_list(struct wr_names *in, const char *catalog, const char *schema);
/* "name kind url origin;" of each. */
const char *toy_mounts(struct wr_names *in);

#define TEST(name) cmocka_unit_test_setup_teardown(name, toy_setup, toy_teardown)
#define DISK_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, toy_setup_directory, toy_teardown_directory)

#endif
