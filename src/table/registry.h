/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of kinds of table and of mount, of functions and encodings, and instances of tables
 * counted by reference.
 *
 * 1. The registry knows the built-in kinds (builtin.c) and those registered later. It is the only
 * place that finds a kind by name or role. A kind is never taken out. Functions are found by the
 * engine, to which they and encodings are passed on.
 * 2. An instance is one opened table. Its definition is kept with it. It is closed when the last
 * reference goes.
 * 3. wr_instance_table asks the kind for its form and gives the engine a reference of its own.
 */
#ifndef WR_REGISTRY_H
#define WR_REGISTRY_H

#include <stdbool.h>

#include "engine/engine.h"
#include "table/encodings.h"

struct wr_registry;
struct wr_instance;

/* Every built-in kind, ended by NULL: the list that a new kind is added to (builtin.c). */
extern const struct weir_table_kind *const wr_builtin_kinds[];
/* Those of them whose rows end with the process, ended by NULL. */
extern const struct weir_table_kind *const wr_temporary_kinds[];
/* The same list for kinds of mount. */
extern const struct weir_mount_kind *const wr_builtin_mounts[];
/* The name of the one that ATTACH means without TYPE, and that shows the machine's own files. */
extern const char wr_default_mount[];

int wr_registry_new(struct wr_registry **ret_registry, struct weir_error *error);
void wr_registry_free(struct wr_registry *registry);
/* What weir's own kinds reach objects by (store/access.h), which must outlive their tables and
 * mounts. Given before anything is opened. */
struct wr_stores;
void wr_registry_give(struct wr_registry *registry, const struct wr_stores *stores);
/* What functions and encodings are passed on to, wr_engine_add; given before any is added. The
 * engine is closed before the registry. */
typedef int (*wr_add_fn)(struct wr_engine *engine, const struct wr_addition *additions,
                         size_t n_additions, struct weir_error *error);
void wr_registry_engine(struct wr_registry *registry, struct wr_engine *engine, wr_add_fn add);
/* Those of extensions; NULL where there is no registry. */
const struct wr_encodings *wr_registry_encodings(const struct wr_registry *registry);
/* For a kind of the program itself; NULL for those of extensions. */
const struct wr_stores *wr_registry_stores(const struct wr_registry *registry, const void *kind);
/* Checks the vtable: size, name, required slots. One that was compiled with fewer slots is known by
 * a copy that has all. WEIR_ALREADY_EXISTS for a name that is taken. */
int wr_registry_add(struct wr_registry *registry, const struct weir_table_kind *kind,
                    struct weir_error *error);
/* The error of an unknown kind names the nearest one and lists all. Finders are asked for what
 * nobody registered, with no mutex held, and what they find is registered. */
int wr_registry_find(struct wr_registry *registry, const char *name,
                     const struct weir_table_kind **ret_kind, struct weir_error *error);
/* The same without asking anybody; NULL: not known by now. */
const struct weir_table_kind *wr_registry_known(struct wr_registry *registry, const char *name);
/* NULL when no kind serves the role. */
const struct weir_table_kind *wr_registry_role(struct wr_registry *registry, uint32_t role);

int wr_registry_add_mount(struct wr_registry *registry, const struct weir_mount_kind *kind,
                          struct weir_error *error);
/* As wr_registry_find. */
int wr_registry_mount(struct wr_registry *registry, const char *name,
                      const struct weir_mount_kind **ret_kind, struct weir_error *error);

/* What an extension brings: one of the six (registration.c). */
struct wr_registration {
    const struct weir_table_kind *table;
    const struct weir_mount_kind *mount;
    weir_find_kind_fn find;
    void *finder;
    const struct weir_scalar_function *scalar;
    const struct weir_aggregate_function *aggregate;
    const struct weir_encoding *encoding;
};

/* "table kind", "mount kind", "scalar function", "aggregate function", "encoding"; "finder", which
 * has no name and no summary. */
const char *wr_registration_type(const struct wr_registration *item);
const char *wr_registration_name(const struct wr_registration *item);
const char *wr_registration_summary(const struct wr_registration *item);
bool wr_is_kind_name(const char *name);
/* The structure alone: size, name, required slots. */
int wr_registration_check(const struct wr_registration *item, struct weir_error *error);
/* WEIR_ALREADY_EXISTS when the other one has its name. */
int wr_registration_check_other(const struct wr_registration *item,
                                const struct wr_registration *other, struct weir_error *error);
/* In place of a structure that was compiled with fewer slots a copy that has all, for wr_free. */
int wr_registration_complete(struct wr_registration *item, void **ret_copy,
                             struct weir_error *error);

/* Whether wr_registry_add_all would take it now. */
int wr_registry_check(struct wr_registry *registry, const struct wr_registration *item,
                      struct weir_error *error);
/* All or none. `extension` is the name that wr_registry_each tells; it lives as long as kinds are
 * asked for. */
int wr_registry_add_all(struct wr_registry *registry, const char *extension,
                        const struct wr_registration *items, size_t n_items,
                        struct weir_error *error);

struct wr_kind_info {
    const char *type; /* wr_registration_type */
    const char *name;
    const char *summary; /* NULL: none */
    bool is_built_in;
    const char *extension; /* whose it is; NULL: of none */
};
typedef int (*wr_kind_info_fn)(void *sink, const struct wr_kind_info *info,
                               struct weir_error *error);
/* Every kind, function and encoding, those of tables first, in the order in which they came. `take`
 * may use the registry; a code other than 0 ends the walk with it. */
int wr_registry_each(struct wr_registry *registry, wr_kind_info_fn take, void *sink,
                     struct weir_error *error);

/* Checks the options and opens. The definition is copied; option keys get the spelling of the
 * kind's list. */
int wr_instance_open(struct wr_registry *registry, const struct weir_definition *definition,
                     struct wr_instance **ret_instance, struct weir_error *error);
/*
 * An instance around a table that was made without the kind's `open`: rows that are not in any
 * definition. Takes over `table` on success.
 */
int wr_instance_adopt(const struct weir_table_kind *kind, const struct weir_definition *definition,
                      void *table, struct wr_instance **ret_instance, struct weir_error *error);
struct wr_instance *wr_instance_retain(struct wr_instance *instance);
void wr_instance_release(struct wr_instance *instance);
const struct weir_definition *wr_instance_definition(const struct wr_instance *instance);
const struct weir_table_kind *wr_instance_kind(const struct wr_instance *instance);
/* The opened table, for the kind itself. */
void *wr_instance_data(const struct wr_instance *instance);
/* True when the rows live in this process only, so that the definition is not worth keeping. */
bool wr_instance_is_temporary(const struct wr_instance *instance);
/* Passes rows to the kind's insert; a clear error when the kind is read only. Always takes over
 * `rows`. */
int wr_instance_insert(struct wr_instance *instance, int mode, struct ArrowArrayStream *rows,
                       int64_t *ret_n_rows, struct weir_error *error);
int wr_instance_drop(struct wr_instance *instance, struct weir_error *error);
/* The functions of base/call.h, as the engine takes them. */
extern const struct wr_calls wr_engine_calls;
/* The form and a reference for the engine. The slots of the kind get the instance's table. */
int wr_instance_table(struct wr_instance *instance, struct wr_table *ret_table,
                      struct weir_error *error);

#endif
