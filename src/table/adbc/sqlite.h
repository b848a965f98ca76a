/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's driver has no types of columns: it looks at the values of the first batch, takes a
 * column of NULLs for integers, prints numbers of a column of texts with six digits, and fails at
 * what comes later and does not fit. So a row is put before all others that has a value of each
 * column's type, and is left out again; the columns are the types that the schema asks for.
 */
#ifndef WR_ADBC_SQLITE_H
#define WR_ADBC_SQLITE_H

#include "weir.h"

/* The statement with that row. */
int wr_adbc_sqlite_statement(const char *sql, const struct ArrowSchema *schema, char **ret_sql,
                             struct weir_error *error);
/* The Arrow formats in which the rows come then, one per column. */
int wr_adbc_sqlite_types(const struct ArrowSchema *schema, char ***ret_types,
                         struct weir_error *error);

#endif
