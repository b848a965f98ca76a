/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mode query: what statements of a database gave is kept, each under its text, in the directory of
 * the table's key. The form is the source's own, REMOTE, with our `execute` in the place of its.
 *
 * A result is a 16-byte head (when its statement was begun) and an Arrow IPC stream. What cannot be
 * written so is read from the database each time.
 */
#ifndef WR_CACHED_RESULTS_H
#define WR_CACHED_RESULTS_H

#include "table/cached/caches.h"

/* The source of an instance, as it was found last. */
struct wr_result_source {
    pthread_mutex_t mutex;
    struct wr_instance *instance; /* NULL: not yet */
    weir_execute_fn execute;
};

void wr_result_source_init(struct wr_result_source *source);
void wr_result_source_reset(struct wr_result_source *source);

/* The source's form with `execute` in it; an error that names the other modes when it is not
 * REMOTE. */
int wr_results_form(struct wr_cached_table *cache, struct wr_result_source *source,
                    weir_execute_fn execute, struct weir_form *ret_form, struct weir_error *error);
/* As weir_execute_fn. */
int wr_results_execute(struct wr_cached_table *cache, struct wr_result_source *source,
                       const char *const *statements, size_t n_statements,
                       const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                       struct weir_error *error);

#endif
