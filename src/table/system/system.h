/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog `system`: what weir knows of itself, as tables.
 *
 *     struct wr_system_source sources[] = {{"mounts", wr_names_fill_mounts, names}};
 *     struct wr_system_state state = {.registry = registry, .sources = sources, .n_sources = 1};
 *     wr_system_new(&state, &system, error);
 *     wr_names_add_mount(names, WR_SYSTEM_CATALOG, &wr_mount_system, system, error);
 *
 * 1. tables.c lists every table with its final columns. Who knows the rows of one gives them
 * through a source; a table without a source is empty.
 * 2. Rows are made when a scan begins to read: each scan is a picture of its own moment, and the
 * statement sees one for each mention of the table.
 * 3. A wr_system is of one workspace. Its table kind is, too: the definition that `open` gets names
 * the kind by the text inside of the wr_system, which is how a table finds its way back.
 * 4. It must outlive the names, the registry and every plan over its tables. Sources are called
 * from any thread, several at the same time, with no mutex held.
 */
#ifndef WR_SYSTEM_H
#define WR_SYSTEM_H

#include "table/registry.h"
#include "table/system/rows.h"

#define WR_SYSTEM_CATALOG "system"

/* Appends the rows of one table as they are now. */
typedef int (*wr_system_fill_fn)(void *context, struct wr_rows *rows, struct weir_error *error);

struct wr_system_source {
    const char *table;
    wr_system_fill_fn fill;
    void *context;
};

struct wr_system_state {
    struct wr_registry *registry;
    struct wr_extensions *extensions;       /* NULL: there are none */
    const struct wr_system_source *sources; /* copied; the names of tables are not */
    size_t n_sources;
};

struct wr_system;

/* Adds the table kind to the registry, which is not freed before. A source of a table that is not
 * in the list is WEIR_INTERNAL. */
int wr_system_new(const struct wr_system_state *state, struct wr_system **ret_system,
                  struct weir_error *error);
void wr_system_free(struct wr_system *system);

/* Makes a system table, as the engine is given it, show what one viewer may see; any other table
 * stays as it is. On failure the table is still to be released. */
int wr_system_bind(struct wr_table *table, const struct wr_viewer *viewer,
                   struct weir_error *error);

/* Its mount is a struct wr_system, which stays the caller's: `close` does nothing. */
extern const struct weir_mount_kind wr_mount_system;

#endif
