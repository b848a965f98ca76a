/* SPDX-License-Identifier: Apache-2.0 */
/* Between the kind's slots and the caches of a workspace. */
#ifndef WR_CACHED_KIND_H
#define WR_CACHED_KIND_H

#include "table/cached/caches.h"

/* Copied by each workspace, which sets its number of options. */
extern const struct weir_table_kind wr_kind_cached;

void wr_caches_free_all(struct wr_caches *caches);
/* Removes the row and the files of a key. */
int wr_cache_drop(struct wr_caches *caches, const char *key, struct weir_error *error);

/* Has the clock look after a table with refresh interval, and no longer. */
int wr_caches_schedule(struct wr_cached_table *cache, struct weir_error *error);
void wr_caches_unschedule(struct wr_cached_table *cache);

#endif
