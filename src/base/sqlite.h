/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What databases of SQLite that weir makes for itself have in common: a layout whose version stands
 * in user_version, statements that are kept, and files that are thrown away when they are damaged.
 */
#ifndef WR_SQLITE_H
#define WR_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

bool wr_sqlite_execute(sqlite3 *database, const char *sql);
/* 0: a new one; -1: it cannot be read. */
int wr_sqlite_layout(sqlite3 *database);
/* Statements for as long as the database is open; what was prepared before a failure stays. */
bool wr_sqlite_prepare(sqlite3 *database, const char *const *texts, sqlite3_stmt **statements,
                       size_t n_statements);
/* Both are NULL afterwards, as they may be before. */
void wr_sqlite_close(sqlite3 **database, sqlite3_stmt **statements, size_t n_statements);
/* The file of a database that nobody has open, and those beside it. */
void wr_sqlite_remove(const char *path);

#endif
