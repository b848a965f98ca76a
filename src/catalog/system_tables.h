/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the names know of themselves, as rows of system tables (wr_system_fill_fn): the context is a
 * struct wr_names. Own tables come from the store without being opened, those of mounts from
 * listings. A mount that cannot be listed is an error that names it; a directory that went away
 * meanwhile, or may not be read, has no rows.
 */
#ifndef WR_SYSTEM_TABLES_OF_NAMES_H
#define WR_SYSTEM_TABLES_OF_NAMES_H

#include "table/system/rows.h"

int wr_names_fill_mounts(void *names, struct wr_rows *rows, struct weir_error *error);
int wr_names_fill_namespaces(void *names, struct wr_rows *rows, struct weir_error *error);
int wr_names_fill_tables(void *names, struct wr_rows *rows, struct weir_error *error);
int wr_names_fill_constraints(void *names, struct wr_rows *rows, struct weir_error *error);

#endif
