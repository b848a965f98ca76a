/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: catalogs, schemas, tables, and their persisted definitions in SQLite
 * (PATH/.weir/catalog.db, or in memory).
 *
 * 1. A definition (kind, options, declared columns as Arrow IPC bytes) is all that is stored;
 * instances are opened at first use and kept until the definition changes, in this process or
 * another.
 * 2. Each change is one SQLite transaction. Names compare exactly (the engine has folded unquoted
 * ones already).
 * 3. A name that is no table but looks like a path (has '/', '.', '*', '?', '[' or "://") is one of
 * the tree or of this machine (tree.h). Without a mount for the machine's files, and for URLs, it
 * is offered to the kind of WEIR_ROLE_PATH. The last such instances are kept open, so that a second
 * query does not find out anew what the first one did; pipes are not.
 * 4. Temporary tables are kept in memory only and win over stored ones: registered streams, those
 * made with WR_CREATE_TEMPORARY, and those whose kind keeps its rows in the process
 * (wr_instance_is_temporary), which a definition could not bring back.
 * 5. One mutex guards the maps; it is never held while a kind's slot or the engine runs.
 */
#ifndef WR_CATALOG_H
#define WR_CATALOG_H

#include <stdbool.h>

#include "engine/engine.h"
#include "table/registry.h"

struct wr_names; /* the catalog's state */

struct wr_name {
    const char *catalog;
    const char *schema;
    const char *name;
};

enum wr_create_flags {
    WR_CREATE_IF_NOT_EXISTS = 1,
    WR_CREATE_OR_REPLACE = 2,
    WR_CREATE_TEMPORARY = 4,
    WR_CREATE_EXTERNAL = 8 /* how messages call the table */
};

/* `path` NULL: in memory. `catalog` and `schema` are made when they are not there. */
int wr_names_open(const char *path, const char *catalog, const char *schema,
                  struct wr_registry *registry, struct wr_names **ret_names,
                  struct weir_error *error);
void wr_names_close(struct wr_names *names);
/* Those of files that extensions brought. */
const struct wr_encodings *wr_names_encodings(const struct wr_names *names);

int wr_names_create_catalog(struct wr_names *names, const char *catalog, int flags,
                            struct weir_error *error);
int wr_names_create_schema(struct wr_names *names, const char *catalog, const char *schema,
                           int flags, struct weir_error *error);
/* Without `cascade` a schema with tables is refused (2BP01). */
int wr_names_drop_schema(struct wr_names *names, const char *catalog, const char *schema,
                         bool if_exists, bool cascade, struct weir_error *error);

/*
 * Opens and stores a table. With `rows` (may be NULL) they are inserted first: when that fails
 * there is no table. `ret_created` (may be NULL) is false when WR_CREATE_IF_NOT_EXISTS found one.
 * Always takes over `rows`. Errors: 42P07 exists, 3F000 no such schema.
 */
int wr_names_create_table(struct wr_names *names, const struct weir_definition *definition,
                          int flags, struct ArrowArrayStream *rows, bool *ret_created,
                          int64_t *ret_n_rows, struct weir_error *error);
/* `view`: the kind must (true) or must not (false) be that of WEIR_ROLE_VIEW: DROP VIEW of a table
 * is refused (42809), and the reverse. */
int wr_names_drop_table(struct wr_names *names, const struct wr_name *name, bool view,
                        bool if_exists, struct weir_error *error);

/* Within a schema, in one transaction; stored tables and views only. Codes: WEIR_NOT_FOUND (42P01),
 * WEIR_ALREADY_EXISTS (42P07), WEIR_NOT_IMPLEMENTED for a temporary one and for another schema. */
int wr_names_rename_table(struct wr_names *names, const struct wr_name *from,
                          const struct wr_name *to, struct weir_error *error);

/*
 * Makes an instance a temporary table under its definition's name, in place of one that was
 * registered before. Keeps a reference of its own. WEIR_ALREADY_EXISTS when the name is any other
 * table's.
 */
int wr_names_register(struct wr_names *names, struct wr_instance *instance,
                      struct weir_error *error);
/* Whether there is a table of that name, temporary or stored. A path is not one. */
int wr_names_has_table(struct wr_names *names, const struct wr_name *name, bool *ret_found,
                       struct weir_error *error);

/* Whether a table was put there by wr_names_register. */
bool wr_names_is_registered(struct wr_names *names, const struct wr_name *name);

/* What the engine calls; `names` is the context. */
int wr_names_list(void *names, const char *catalog, const char *schema, wr_emit_fn emit, void *sink,
                  struct weir_error *error);
int wr_names_has(void *names, const char *catalog, const char *schema);
int wr_names_table(void *names, const char *catalog, const char *schema, const char *name,
                   const struct weir_option *options, size_t n_options, struct wr_table *ret_table,
                   struct weir_error *error);

#endif
