/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that fill the driver's table share. */
#ifndef WR_ADBC_DRIVER_TABLE_H
#define WR_ADBC_DRIVER_TABLE_H

#include "adbc/adbc.h"

/* What a function of the table does: the inner half's error, called `reason`, becomes the caller's
 * `error`. */
#define ANSWER(call)                                                                               \
    do {                                                                                           \
        struct weir_error reason = {0};                                                            \
        int code = (call);                                                                         \
        return wr_driver_answer(code, &reason, error);                                             \
    } while (0)

/* The object behind one of the caller's; WEIR_INVALID_STATE for one that was released. */
int wr_driver_database_of(const struct AdbcDatabase *object,
                          struct wr_driver_database **ret_database, struct weir_error *error);
int wr_driver_connection_of(const struct AdbcConnection *object,
                            struct wr_driver_connection **ret_connection, struct weir_error *error);
/* One that was initialised. */
int wr_driver_open_connection_of(const struct AdbcConnection *object,
                                 struct wr_driver_connection **ret_connection,
                                 struct weir_error *error);
int wr_driver_statement_of(const struct AdbcStatement *object,
                           struct wr_driver_statement **ret_statement, struct weir_error *error);

/* WEIR_INVALID_ARGUMENT for a NULL. */
int wr_driver_need(const void *argument, const char *what, struct weir_error *error);

/* The functions on statements; those since revision 1.1.0. */
void wr_driver_add_statement(struct AdbcDriver *driver);
void wr_driver_add_statement_1_1(struct AdbcDriver *driver);
/* The functions that set and get options. */
void wr_driver_add_options(struct AdbcDriver *driver);
/* Those since revision 1.1.0. */
void wr_driver_add_typed_options(struct AdbcDriver *driver);

#endif
