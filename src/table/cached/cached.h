/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `cached`, one of its own for each workspace: copies of tables of any kind, kept as
 * Parquet files in the workspace's directory.
 *
 *     wr_caches_new(&state, &caches, error);       -- registers the kind
 *     CREATE TABLE c USING cached OPTIONS (source 'pg.public.orders', max_age '60s')
 *     wr_caches_stop(caches);                      -- before the engine is closed
 *     wr_caches_free(caches);                      -- after names and registry
 *
 * 1. A copy is used while it is younger than `max_age`, counted from the moment at which its fetch
 * began; what is older is fetched again by the next statement that mentions the table, which waits.
 * 2. Fetches run on threads of their own, one for each table at a time: in this process who comes
 * later waits for the one under way, between processes for its lock (flock on KEY.lock), which the
 * kernel drops when the process dies.
 * 3. A form of a copy holds its directory locked (flock, shared), so that nobody removes files that
 * a plan reads. A refresh makes a new directory and switches to it in one transaction.
 * 4. No mutex is held while the engine or another kind runs.
 * 5. All functions may be called from any thread.
 */
#ifndef WR_CACHED_H
#define WR_CACHED_H

#include <stdbool.h>

#include "table/registry.h"
#include "table/system/rows.h"

struct wr_caches;
struct wr_flight; /* one fetch under way */
struct wr_spool;

/* How a result is written, as struct wr_spool_fill. */
struct wr_result_fill {
    int (*run)(void *context, weir_write_fn write, void *sink, struct weir_error *error);
    bool (*is_cancelled)(void *context);
    void *context;
};

/* A query for the engine. */
struct wr_cached_query {
    const char *sql;
    const char *catalog; /* where unqualified names are looked up */
    const char *schema;
};

/* What a fetch gave besides its rows. */
struct wr_fetched {
    struct ArrowSchema schema; /* of the rows; the caller's to release, also after a failure */
    int64_t n_rows;
    bool unfit; /* the rows came, but could not be written as Parquet */
};

/*
 * Who runs queries: the session. Looking up names for one of them is done between
 * wr_caches_enter(flight) and wr_caches_leave, so that a table that is fetched in turn knows what
 * waits for it. A run under way is handed to wr_flight_run.
 */
struct wr_caches_engine {
    void *context;
    /* Runs a query and writes its rows as one Parquet file. `write` NULL: the schema only, nothing
     * is run. */
    int (*fetch)(void *context, struct wr_flight *flight, const struct wr_cached_query *query,
                 weir_write_fn write, void *sink, struct wr_fetched *ret_fetched,
                 struct weir_error *error);
    /* The first row of a query whose columns are all Utf8; NULL is NULL. Free with wr_free. */
    int (*texts)(void *context, struct wr_flight *flight, const struct wr_cached_query *query,
                 char **ret_texts, size_t n_texts, struct weir_error *error);
    /* The table that `source` (see wr_cached_source) names; *ret_source stays NULL when there is
     * none. Does not ask the engine. */
    int (*open)(void *context, struct wr_flight *flight, const char *source, const char *catalog,
                const char *schema, struct wr_instance **ret_source, struct weir_error *error);
    /* A spool of results, as file/spool.h has it. */
    int (*spool_open)(const char *path, int64_t max_bytes, struct wr_spool **ret_spool,
                      struct weir_error *error);
    void (*spool_close)(struct wr_spool *spool);
    int (*spool_get)(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                     const struct wr_result_fill *fill, int *ret_fd, bool *ret_filled,
                     struct weir_error *error);
};

struct wr_caches_state {
    struct wr_registry *registry;
    const char *path;  /* of the workspace; NULL: a temporary directory */
    int64_t max_bytes; /* of all copies; 0: no limit */
    struct wr_caches_engine engine;
};

/* Adds the kind to the registry, which is not freed before. Nothing is opened yet. */
int wr_caches_new(const struct wr_caches_state *state, struct wr_caches **ret_caches,
                  struct weir_error *error);
/* Cancels what runs and waits for it; later fetches are refused. */
void wr_caches_stop(struct wr_caches *caches);
void wr_caches_free(struct wr_caches *caches);

/* ---- For who looks up names ---- */

/* The fetch on whose behalf this thread looks up names until `leave` gets the answer back. */
struct wr_flight *wr_caches_enter(struct wr_flight *flight);
void wr_caches_leave(struct wr_flight *before);
/* Who waits on this thread: whether it no longer wants to. NULL: nobody who can tell. */
void wr_caches_waiter(bool (*is_cancelled)(void *context), void *context);
/* Between true and false this thread makes a table: its source is tried. */
void wr_caches_making(bool making);

/* The run of a fetch, NULL when it is over; `cancel` must not wait. */
void wr_flight_run(struct wr_flight *flight, void (*cancel)(void *run), void *run);
bool wr_flight_is_cancelled(struct wr_flight *flight);

/* ---- Statements ---- */

bool wr_is_cached(const struct wr_instance *instance);
/* What follows FROM or INTO for the source of a cached table. */
const char *wr_cached_source(const struct wr_instance *instance);
/* How messages call it. */
const char *wr_cached_source_name(const struct wr_instance *instance);
/* The rows of the source are others: no copy that was begun before is used. */
int wr_cached_invalidate(struct wr_instance *instance, struct weir_error *error);
/* Fetches now. `is_cancelled` (may be NULL) is asked while it waits. */
int wr_cached_refresh(struct wr_instance *instance, bool (*is_cancelled)(void *context),
                      void *context, struct weir_error *error);
/* Forgets the copies of the tables of a mount, or of one of them (`name` not NULL). */
int wr_caches_forget(struct wr_caches *caches, const char *catalog, const char *schema,
                     const char *name, struct weir_error *error);

/* ---- Mounts with a cache ---- */

/* The prefix of a mount's options for the cache of its tables, and the name of the kind. */
#define WR_CACHED_PREFIX "cache."
#define WR_CACHED_KIND "cached"
/* Of a call: `FROM t(cache => 'off')` reads the source; 'ready' reads a copy that is young enough,
 * else the source, and never fetches. */
#define WR_CACHED_SWITCH "cache"
/* Behind a quoted name, as the engine has calls. */
#define WR_CACHED_READY                                                                            \
    "\x1f" WR_CACHED_SWITCH "\x1f"                                                                 \
    "ready"
/* Checks the options of a mount, without their prefix. */
int wr_cached_check(const char *owner, const struct weir_option *options, size_t n_options,
                    struct weir_error *error);

/* The rows of system.caches; a wr_system_fill_fn whose context is a struct wr_caches. */
int wr_caches_fill(void *caches, struct wr_rows *rows, struct weir_error *error);

#endif
