/* SPDX-License-Identifier: Apache-2.0 */
/* SQL on the store's database, for the files that keep something in it. */
#ifndef WR_STORE_SQL_H
#define WR_STORE_SQL_H

#include <sqlite3.h>

#include "catalog/store.h"

/* More than there are different statements in one lookup. */
enum { WR_STORE_KEPT = 16 };

struct wr_store {
    sqlite3 *database;
    char *path;                        /* for messages */
    sqlite3_stmt *kept[WR_STORE_KEPT]; /* prepared and idle, the last used first */
};

/* What SQLite's last failure means. */
int wr_store_error(const struct wr_store *store, struct weir_error *error);
/* Statements without parameters and rows. */
int wr_store_execute(struct wr_store *store, const char *sql, struct weir_error *error);
/* A statement with its first parameters bound to texts, which must outlive it; given back with
 * wr_store_done, which keeps it for the next time. */
int wr_store_prepare(struct wr_store *store, const char *sql, const char *const *texts,
                     size_t n_texts, sqlite3_stmt **ret_statement, struct weir_error *error);
void wr_store_done(struct wr_store *store, sqlite3_stmt *statement);
int wr_store_step(struct wr_store *store, sqlite3_stmt *statement, bool *ret_row,
                  struct weir_error *error);
/* Runs to the first row and gives its first column as a number, 0 when there is none. */
int wr_store_number(struct wr_store *store, const char *sql, const char *const *texts,
                    size_t n_texts, int64_t *ret_value, struct weir_error *error);

#endif
