/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a workspace keeps of files: the spool, the cache of footers, the blocks of objects.
 *
 * 1. With a path they are PATH/.weir/spool, PATH/.weir/cache.db and PATH/.weir/blocks, which stay.
 * Without one the spool and the blocks are directories of the system's temporary one that go at
 * close (or, when the process was killed, at the next such close), and there is no cache of
 * footers.
 * 2. All are opened at their first use.
 */
#ifndef WR_FILE_STATE_H
#define WR_FILE_STATE_H

#include "engine/engine.h"
#include "file/spool.h"

struct wr_file_settings {
    const char *spool_path;   /* NULL: as above */
    int64_t spool_max_bytes;  /* 0: no limit */
    int64_t spool_max_age_ms; /* for bytes of a table without version; 0: they are not kept */
    int64_t cache_max_bytes;  /* 0: no limit */
    int64_t blocks_max_bytes; /* 0: none are kept */
    const char *parquet_compression; /* as weir_encode has it */
};

struct wr_file_state;

/* `path`: the workspace's, or NULL. Settings are copied. */
int wr_file_state_open(const char *path, const struct wr_file_settings *settings,
                       struct wr_file_state **ret_state, struct weir_error *error);
/* After the engine: it uses the cache. */
void wr_file_state_close(struct wr_file_state *state);

/* NULL: none. Lives as long as the state. */
const struct wr_cache *wr_file_state_cache(const struct wr_file_state *state);
const struct wr_blocks *wr_file_state_blocks(const struct wr_file_state *state);
int wr_file_state_spool(struct wr_file_state *state, struct wr_spool **ret_spool,
                        struct weir_error *error);
int64_t wr_file_state_max_age_ms(const struct wr_file_state *state);
const char *wr_file_state_parquet_compression(const struct wr_file_state *state);
/* A text that tells this workspace's names from those of others that share its spool. */
const char *wr_file_state_identity(const struct wr_file_state *state);

#endif
