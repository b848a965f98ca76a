/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker processes of one table. A process belongs to one scan at a time, so that its death
 * ends that scan alone, and is kept for the next one when it answered to the end.
 */
#ifndef WP_POOL_H
#define WP_POOL_H

#include "loader/process.h"

struct wp_pool {
    pthread_mutex_t mutex;
    char *name;               /* as errors call the table */
    char *program;            /* of the interpreter */
    struct wp_out definition; /* as WP_OPEN takes it, without the columns */
    struct ArrowSchema schema;
    bool is_known; /* schema */
    bool is_plain; /* without dictionaries: it can be declared to the next process */
    struct wp_limits limits;
    int64_t n_workers;
    struct wp_process **idle;
    size_t n_idle;
};

/* One that waits, or a new one that has opened the table. */
int wp_pool_take(struct wp_pool *pool, struct wp_process **ret_process, struct weir_error *error);
/* Takes it back. */
void wp_pool_give(struct wp_pool *pool, struct wp_process *process);
int wp_pool_new(const struct wp_definition *definition, const struct wp_workers_options *options,
                struct wp_pool **ret_pool, struct weir_error *error);
void wp_pool_free(struct wp_pool *pool);

/* A planned scan over the pool's processes (worker_scan.c). */
int wp_worker_scan(void *table, const struct weir_scan_request *request,
                   const struct wp_bytes *plan, struct weir_scan *ret_scan,
                   struct weir_error *error);
void wp_worker_metrics(void *table, struct weir_scan *scan, int32_t partition, weir_figure_fn take,
                       void *sink);

#endif
