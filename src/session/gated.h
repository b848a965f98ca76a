/* SPDX-License-Identifier: Apache-2.0 */
/* The names as one principal sees them: what the engine and the session ask in the place of the
 * catalog's own functions. */
#ifndef WR_GATED_H
#define WR_GATED_H

#include <pthread.h>

#include "catalog/tree.h"
#include "session/policy.h"

struct wr_gated {
    struct wr_names *names;
    struct wr_access *access;
    pthread_mutex_t mutex; /* guards what follows: streams may ask while the session plans */
    struct wr_gated_target *target;
    bool met_view; /* the planning met a view whose text its reader may not see */
};

/* Keeps a reference to the access. */
void wr_gated_init(struct wr_gated *gated, struct wr_names *names, struct wr_access *access);
void wr_gated_reset(struct wr_gated *gated);

/* While a statement is planned: the table that it changes or makes, which may be named without
 * SELECT; NULL: none. */
int wr_gated_target(struct wr_gated *gated, const struct wr_access_target *target,
                    struct weir_error *error);
/* Since it was last asked. */
bool wr_gated_met_view(struct wr_gated *gated);

/* As struct wr_catalog has them. */
int wr_gated_list(struct wr_gated *gated, const char *catalog, const char *schema, wr_emit_fn emit,
                  void *sink, struct weir_error *error);
int wr_gated_has(struct wr_gated *gated, const char *catalog, const char *schema);
int wr_gated_table(struct wr_gated *gated, const struct wr_name *name,
                   const struct weir_option *options, size_t n_options, bool in_view,
                   struct wr_table *ret_table, struct weir_error *error);
/* wr_names_open_gated. */
int wr_gated_open(struct wr_gated *gated, const struct wr_name *name,
                  const struct weir_option *options, size_t n_options,
                  struct wr_instance **ret_instance, struct weir_error *error);

/* For rows that are made on behalf of an access; NULL for one that may see everything. The viewer
 * is written to `storage`. */
const struct wr_viewer *wr_access_viewer(struct wr_access *access, struct wr_viewer *storage);

#endif
