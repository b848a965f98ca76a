/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One state of a database for the readers of several statements. PostgreSQL's readers share the
 * snapshot that the first one exports, whose transaction stays open until all of them have begun.
 * Elsewhere, and where the pool has one connection only, they read one after another in one
 * transaction: each takes the connection over that the one before it has parked.
 */
#ifndef WR_ADBC_SNAPSHOT_H
#define WR_ADBC_SNAPSHOT_H

#include "table/adbc/reader.h"

struct wr_adbc_snapshot;

int wr_adbc_snapshot_new(struct wr_adbc_database *database, int32_t n_readers,
                         struct wr_adbc_snapshot **ret_snapshot, struct weir_error *error);
/* NULL is welcome. What was exported is closed with the last reference, the readers' included. */
void wr_adbc_snapshot_release(struct wr_adbc_snapshot *snapshot);
/* For one reader; holds a reference. */
struct wr_adbc_around wr_adbc_snapshot_around(struct wr_adbc_snapshot *snapshot);

#endif
