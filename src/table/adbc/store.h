/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database of a mount's or table's options. Options are as they were written: a value may be
 * ${env:NAME} or ${file:PATH}, which is put in here and nowhere else.
 */
#ifndef WR_ADBC_STORE_H
#define WR_ADBC_STORE_H

#include "base/options.h"
#include "table/adbc/backend.h"

struct wr_adbc_store {
    struct wr_adbc_database *database;
    const struct wr_adbc_backend *backend;
    int64_t metadata_ttl; /* milliseconds */
};

int wr_adbc_store_open(const char *name, const struct weir_option *options, size_t n_options,
                       struct wr_adbc_store *ret_store, struct weir_error *error);
void wr_adbc_store_close(struct wr_adbc_store *store);

/* WEIR_NOT_FOUND (42P01) of a table that is not there, with the nearest name. */
int wr_adbc_no_table(const struct wr_adbc_store *store, const char *owner, const char *schema,
                     const char *table, struct weir_error *error);

#endif
