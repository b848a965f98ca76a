/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into a database, and tables made and dropped there. */
#ifndef WR_ADBC_WRITE_H
#define WR_ADBC_WRITE_H

#include "table/adbc/store.h"

/* Takes over `rows` always. `mode` is one of weir_insert_mode. */
int wr_adbc_insert(const struct wr_adbc_store *store, const struct wr_adbc_name *name,
                   const struct wr_adbc_relation *relation, int mode, struct ArrowArrayStream *rows,
                   int64_t *ret_n_rows, struct weir_error *error);
/* Makes a table of `columns` with `rows` (NULL: none), in one transaction. Takes over `rows`
 * always. */
int wr_adbc_create(const struct wr_adbc_store *store, const struct wr_adbc_name *name,
                   const struct ArrowSchema *columns, bool replace, struct ArrowArrayStream *rows,
                   int64_t *ret_n_rows, struct weir_error *error);

#endif
