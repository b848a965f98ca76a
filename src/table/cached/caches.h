/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef WR_CACHED_CACHES_H
#define WR_CACHED_CACHES_H

#include <pthread.h>
#include <stdatomic.h>

#include "table/cached/cached.h"
#include "table/cached/directory.h"
#include "table/cached/policy.h"
#include "table/cached/state.h"

/* One cached table, however many instances of it are open; kept until the caches are freed. */
struct wr_cached_table {
    struct wr_cached_table *next;
    struct wr_caches *caches;
    char *key;
    char *catalog; /* of the table: where its source's name is looked up */
    char *schema;
    char *name;
    char *source;      /* what follows FROM */
    char *source_name; /* for people */
    char *time_column;
    struct wr_cache_policy policy;
    atomic_llong hits;
    atomic_llong misses;
    atomic_bool listed; /* it has its row in the state */
    /* These with the mutex held. */
    struct wr_spool *results; /* of mode query; NULL: not opened yet */
    uint64_t results_inode;   /* the directory that it is in */
    struct wr_flight *flight; /* under way */
    int64_t retry_at; /* after a failure no fetch is begun before, where the old copy serves */
    int64_t noted_use_at;
    bool scheduled;  /* refresh interval: the clock looks after it */
    int64_t look_at; /* when it does so next */
};

struct wr_caches {
    struct weir_table_kind kind;
    char kind_name[sizeof WR_CACHED_KIND]; /* what `kind.name` points to */
    struct wr_registry *registry;
    struct wr_caches_engine engine;
    char *path; /* NULL: temporary */
    int64_t max_bytes;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct wr_cached_table *first;
    struct wr_copy_directory directory;
    struct wr_copies *copies; /* NULL: not opened yet */
    size_t n_flights;         /* threads that have not ended */
    bool stopping;
    struct wr_spool **retired; /* spools whose directories are gone: a scan may still use one */
    size_t n_retired;
    bool has_clock;
    pthread_t clock;
};

struct wr_flight {
    struct wr_cached_table *cache;
    size_t references;
    size_t n_waiting;            /* who wants the result; without any it is cancelled */
    bool background;             /* nobody needs to want it */
    bool whole;                  /* also with refresh append */
    int64_t not_before;          /* a copy that was begun then or later will do */
    int64_t started_at;          /* 0: not yet */
    struct wr_flight *waits_for; /* another table that it reads */
    struct wr_flight *asking;    /* who waits for it from inside a fetch */
    bool done;
    bool cancelled;
    int code;
    struct weir_error error;
    void (*cancel)(void *run);
    void *run;
};

int64_t wr_cached_now(void); /* microseconds since 1970 */

/* Opens the directory and the state at the first use, without the mutex. `make` false: only when
 * they are there already; *ret_open says whether. */
int wr_caches_open(struct wr_caches *caches, bool make, bool *ret_open, struct weir_error *error);

/* ---- flight.c ---- */

/* Who asks for a copy, and what will do. */
struct wr_demand {
    int64_t not_before;
    bool whole;
    bool (*is_cancelled)(void *context); /* NULL: never */
    void *context;
};

/* Waits for a fetch, another one's or its own. */
int wr_flight_wait(struct wr_cached_table *cache, const struct wr_demand *demand,
                   struct weir_error *error);
/* Begins one that nobody waits for, if none is under way. */
void wr_flight_begin(struct wr_cached_table *cache, int64_t not_before);

/* ---- refresh.c: runs on the flight's thread ---- */

int wr_cache_refresh(struct wr_flight *flight, struct weir_error *error);
void wr_cache_evict(struct wr_caches *caches, const char *except);

/* ---- use.c ---- */

struct wr_lease {
    struct wr_copy copy;
    int fd; /* holds the files; -1: the source is to be read */
};

/* Whether a copy may be served to who asks at `now`. */
bool wr_copy_is_fresh(const struct wr_cached_table *cache, const struct wr_copy *copy, int64_t now);
/* The copy, fetched if need be and if one may wait for it; or the source. */
int wr_cache_use(struct wr_cached_table *cache, bool may_wait, struct wr_lease *ret_lease,
                 struct weir_error *error);
void wr_lease_end(struct wr_cached_table *cache, struct wr_lease *lease);

/* ---- form.c ---- */

int wr_cached_form_source(struct wr_cached_table *cache, struct weir_form *ret_form,
                          struct weir_error *error);
/* Takes over the lease on success. */
int wr_cached_form_copy(struct wr_cached_table *cache, struct wr_lease *lease,
                        struct weir_form *ret_form, struct weir_error *error);

/* The fetch that this thread looks names up for, and whether it makes a table. */
struct wr_flight *wr_caches_asking(void);
bool wr_caches_is_making(void);
/* Puts who waits into a demand. */
struct wr_demand;
void wr_caches_add_waiter(struct wr_demand *demand);
/* Whether this is the engine's thread for planning a statement, which may wait. */
bool wr_caches_is_planning(void);

#endif
