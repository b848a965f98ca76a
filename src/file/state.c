/* SPDX-License-Identifier: Apache-2.0 */
#include "file/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "file/blocks.h"
#include "file/cache.h"
#include "file/temporary.h"

struct wr_file_state {
    struct wr_file_settings settings;
    char *spool_path; /* NULL: a temporary one */
    char *identity;
    char *parquet_compression;
    struct wr_kept *kept;
    struct wr_cache cache;
    struct wr_block_store *block_store;
    struct wr_blocks blocks;
    pthread_mutex_t mutex; /* guards what follows, which is made at its first use */
    struct wr_temporary temporary;
    struct wr_spool *spool;
};

static int below_state(const char *path, const char *name, char **ret_path,
                       struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, 64 << 10);
    wr_buffer_format(&text, "%s/.weir/%s", path, name);
    char *made = wr_buffer_take(&text);
    if (!made) return wr_error_memory(error);
    *ret_path = made;
    return WEIR_OK;
}

/* The absolute path, or for a workspace in memory something that no other process has. */
static int set_identity(struct wr_file_state *state, const char *path, struct weir_error *error) {
    char unique[64];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(unique, sizeof unique, "%ld %lld %ld %p", (long)getpid(), (long long)now.tv_sec,
             now.tv_nsec, (void *)state);
    char *absolute = path ? realpath(path, NULL) : NULL;
    state->identity = wr_strdup(absolute ? absolute : unique);
    free(absolute);
    return state->identity ? WEIR_OK : wr_error_memory(error);
}

static int set_up_blocks(struct wr_file_state *state, const char *path, struct weir_error *error) {
    if (state->settings.blocks_max_bytes == 0) return WEIR_OK;
    char *blocks = NULL;
    if (path) WR_TRY(below_state(path, "blocks", &blocks, error));
    int code =
        wr_block_store_open(blocks, state->settings.blocks_max_bytes, &state->block_store, error);
    wr_free(blocks);
    if (code == WEIR_OK) state->blocks = wr_block_store_blocks(state->block_store);
    return code;
}

static int set_up(struct wr_file_state *state, const char *path, struct weir_error *error) {
    const char *spool = state->settings.spool_path;
    WR_TRY(set_identity(state, path, error));
    state->parquet_compression = wr_strdup(state->settings.parquet_compression);
    if (!state->parquet_compression) return wr_error_memory(error);
    if (spool) {
        state->spool_path = wr_strdup(spool);
        if (!state->spool_path) return wr_error_memory(error);
    } else if (path) {
        WR_TRY(below_state(path, "spool", &state->spool_path, error));
    }
    WR_TRY(set_up_blocks(state, path, error));
    if (!path || state->settings.cache_max_bytes == 0) return WEIR_OK;
    char *cache = NULL;
    WR_TRY(below_state(path, "cache.db", &cache, error));
    int code = wr_kept_open(cache, state->settings.cache_max_bytes, &state->kept, error);
    wr_free(cache);
    if (code == WEIR_OK) state->cache = wr_kept_cache(state->kept);
    return code;
}

int wr_file_state_open(const char *path, const struct wr_file_settings *settings,
                       struct wr_file_state **ret_state, struct weir_error *error) {
    struct wr_file_state *state = wr_calloc(1, sizeof *state);
    if (!state) return wr_error_memory(error);
    pthread_mutex_init(&state->mutex, NULL);
    state->settings = *settings;
    int code = set_up(state, path, error);
    state->settings.spool_path = NULL;
    state->settings.parquet_compression = NULL;
    if (code) {
        wr_file_state_close(state);
        return code;
    }
    *ret_state = state;
    return WEIR_OK;
}

void wr_file_state_close(struct wr_file_state *state) {
    if (!state) return;
    wr_spool_close(state->spool);
    wr_temporary_remove(&state->temporary);
    wr_kept_close(state->kept);
    wr_block_store_close(state->block_store);
    pthread_mutex_destroy(&state->mutex);
    wr_free(state->spool_path);
    wr_free(state->identity);
    wr_free(state->parquet_compression);
    wr_free(state);
}

const struct wr_cache *wr_file_state_cache(const struct wr_file_state *state) {
    return state->kept ? &state->cache : NULL;
}

const struct wr_blocks *wr_file_state_blocks(const struct wr_file_state *state) {
    return state->block_store ? &state->blocks : NULL;
}

int64_t wr_file_state_max_age_ms(const struct wr_file_state *state) {
    return state->settings.spool_max_age_ms;
}

const char *wr_file_state_identity(const struct wr_file_state *state) {
    return state->identity;
}

const char *wr_file_state_parquet_compression(const struct wr_file_state *state) {
    return state->parquet_compression;
}

/* With the mutex held. */
static int open_spool(struct wr_file_state *state, struct weir_error *error) {
    if (!state->spool_path && !state->temporary.path) {
        WR_TRY(wr_temporary_make(&state->temporary, error));
    }
    return wr_spool_open(state->spool_path ? state->spool_path : state->temporary.path,
                         state->settings.spool_max_bytes, &state->spool, error);
}

int wr_file_state_spool(struct wr_file_state *state, struct wr_spool **ret_spool,
                        struct weir_error *error) {
    pthread_mutex_lock(&state->mutex);
    int code = state->spool ? WEIR_OK : open_spool(state, error);
    struct wr_spool *spool = state->spool;
    pthread_mutex_unlock(&state->mutex);
    if (code == WEIR_OK) *ret_spool = spool;
    return code;
}
