/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a look-up asks about the one on whose behalf it is made. The catalog knows no users: it asks
 * before anything is opened, with the name or path that the request turned out to mean, and goes on
 * as if what is not to be seen were not there.
 */
#ifndef WR_GATE_H
#define WR_GATE_H

#include <stdbool.h>

#include "catalog/catalog.h"

struct wr_gate {
    void *context;
    /* Whether there is such a catalog or mount (`schema` NULL), schema (`name` NULL) or table. */
    bool (*sees)(void *context, const char *catalog, const char *schema, const char *name);
    /* A table of a catalog or mount that is there, or a path in a mount under the name that it
     * would have. WEIR_NOT_FOUND: it is not to be seen; anything else is an error with a message.
     */
    int (*table)(void *context, const struct wr_name *name, struct weir_error *error);
    /* A path of the machine (absolute) or a URL, to be read. */
    int (*path)(void *context, const char *path, struct weir_error *error);
    /* A table that is made of a kind and options by a call. */
    int (*kind)(void *context, const struct weir_table_kind *kind,
                const struct weir_option *options, size_t n_options, struct weir_error *error);
};

/* wr_names_open_table and wr_names_table for someone; `gate` NULL: for the program itself. */
int wr_names_open_gated(struct wr_names *names, const struct wr_gate *gate,
                        const struct wr_name *name, const struct weir_option *options,
                        size_t n_options, struct wr_instance **ret_instance,
                        struct weir_error *error);
int wr_names_table_gated(struct wr_names *names, const struct wr_gate *gate,
                         const struct wr_name *name, const struct weir_option *options,
                         size_t n_options, struct wr_table *ret_table, struct weir_error *error);

#endif
