/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small results that outlive the process, under their keys, in the SQLite database PATH: the
 * engine's struct wr_cache.
 *
 * 1. Nothing here is an error: what cannot be kept is not there. Each value is kept with a
 * checksum, so that a wrong one is never handed out.
 * 2. A database that is damaged is emptied, and when that cannot be done, removed and made anew.
 * 3. What is put waits in memory, where it is found, and is written many at once: after 256 of
 * them, after a tenth of a second, and at close. A process that is killed loses no more than that.
 * 4. When keys and values hold more than `max_bytes`, those used longest ago go. A use is noted
 * once a minute.
 * 5. Several processes use one database at the same time. One mutex guards all of a process's use.
 */
#ifndef WR_FILE_CACHE_H
#define WR_FILE_CACHE_H

#include "engine/engine.h"

struct wr_kept;

/* Opens the database at the first use. `max_bytes` 0: no limit. A directory that cannot be written
 * gives a cache that keeps nothing. */
int wr_kept_open(const char *path, int64_t max_bytes, struct wr_kept **ret_kept,
                 struct weir_error *error);
void wr_kept_close(struct wr_kept *kept);
/* What the engine gets; `kept` must outlive it. */
struct wr_cache wr_kept_cache(struct wr_kept *kept);

#endif
