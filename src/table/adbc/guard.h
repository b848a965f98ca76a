/* SPDX-License-Identifier: Apache-2.0 */
/* Scans whose rows are checked on their way. */
#ifndef WR_ADBC_GUARD_H
#define WR_ADBC_GUARD_H

#include <stdatomic.h>

#include "table/adbc/store.h"

/*
 * As wr_adbc_scan, with the backend's checks of each batch. `failed` is set when the database
 * failed: what is remembered of its tables may not be true any more. It must outlive the scan.
 */
int wr_adbc_guarded_scan(const struct wr_adbc_store *store, const char *const *statements,
                         size_t n_statements, const struct ArrowSchema *schema, atomic_bool *failed,
                         struct weir_scan *ret_scan, struct weir_error *error);
/* As wr_adbc_scan_parts. */
int wr_adbc_guarded_parts(const struct wr_adbc_store *store, const char *statement, int32_t n_parts,
                          const struct ArrowSchema *schema, atomic_bool *failed,
                          struct weir_scan *ret_scan, struct weir_error *error);

#endif
