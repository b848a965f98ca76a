/* SPDX-License-Identifier: Apache-2.0 */
/* What MySQL's and MariaDB's connections need, and what their errors mean (mysql.c). */
#ifndef WR_ADBC_MYSQL_H
#define WR_ADBC_MYSQL_H

#include "table/adbc/core.h"

/* The server's collation of utf8mb4 that compares all bytes, blanks at the end too. */
const char *wr_mysql_binary_collation(const struct wr_adbc_database *database);
/* So that a statement means the same whatever the server's settings are. The vendor is known. */
int wr_mysql_prepare(struct wr_adbc_connection *connection, const char *name,
                     struct weir_error *error);
/* Code and SQLSTATE of a server's error number; false: nothing is known of it. */
bool wr_mysql_meaning(int number, int *ret_code, const char **ret_sqlstate);
/* A mysql:// URL as the connection string of an ODBC driver; NULL when it is none. Free it. */
int wr_mysql_odbc_string(const char *url, char **ret_text, struct weir_error *error);

#endif
