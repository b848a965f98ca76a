/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths and mounts. A path of the tree and an SQL name are the same name: `/lake/logs/x` is
 * lake.logs.x, and `/weir/public/v` is weir.public.v.
 *
 * 1. Mounts come from the configuration, from ATTACH (persisted in the store), and from weir itself:
 * `system`, and one that is never listed, the machine's own files under the catalog "/". They are
 * opened at first use, kept, and counted by reference.
 * 2. In a mount the catalog is the mount's name, the schema the directory ("a/b"), the kind's
 * default schema ("." of directories) the mount's root. `lake.x` alone is /lake/x when the current
 * catalog has no schema `lake`.
 * 3. A local path is a path of the mount "/": relative ones stand in the current directory.
 */
#ifndef WR_TREE_H
#define WR_TREE_H

#include "catalog/catalog.h"

struct wr_mount; /* an open mount, counted by reference */

struct wr_mount *wr_mount_retain(struct wr_mount *mount);
void wr_mount_release(struct wr_mount *mount);
const struct weir_mount_kind *wr_mount_kind(const struct wr_mount *mount);
void *wr_mount_data(const struct wr_mount *mount);
const char *wr_mount_name(const struct wr_mount *mount); /* "lake"; "/" of the machine's files */

/* The mount of that name; *ret_mount stays NULL when there is none. */
int wr_names_mount(struct wr_names *names, const char *name, struct wr_mount **ret_mount,
                   struct weir_error *error);

/* ATTACH and DETACH. `origin`: "sql", or of the configuration its file and line, which SQL cannot
 * detach. Opening is tried first. Codes: WEIR_ALREADY_EXISTS (42P04) for a catalog's or mount's
 * name, WEIR_NOT_FOUND (3D000). */
int wr_names_attach(struct wr_names *names, const struct weir_definition *definition,
                    const char *origin, int flags, struct weir_error *error);
int wr_names_detach(struct wr_names *names, const char *name, bool if_exists,
                    struct weir_error *error);
/* A mount that weir itself makes and that lives as long as the names. */
int wr_names_add_mount(struct wr_names *names, const char *name, const struct weir_mount_kind *kind,
                       void *mount, struct weir_error *error);

struct wr_mount_info {
    const char *name;
    const char *kind;
    const char *url; /* NULL: none */
    const char *origin; /* "weir", "sql", "weir.yaml:7" */
};
typedef int (*wr_mount_info_fn)(void *sink, const struct wr_mount_info *info,
                                struct weir_error *error);
int wr_names_each_mount(struct wr_names *names, wr_mount_info_fn take, void *sink,
                        struct weir_error *error);

enum wr_place_type {
    WR_PLACE_TOP = 1,     /* "/" of the tree */
    WR_PLACE_CATALOG = 2, /* a catalog of the workspace */
    WR_PLACE_SCHEMA = 3,
    WR_PLACE_TABLE = 4, /* a name in such a schema, whether there is such a table or not */
    WR_PLACE_MOUNT = 5  /* somewhere in a mount */
};

/* Where a path leads. All texts are the place's own. */
struct wr_place {
    int type;
    char *path;    /* "/lake/logs/x.parquet"; in the mount "/" the machine's path */
    char *catalog; /* of CATALOG, SCHEMA, TABLE */
    char *schema;
    char *name;
    char *encoding; /* of TABLE: the extension that was taken off the name; NULL: none */
    struct wr_mount *mount;
    char *within; /* the path inside of the mount */
};

/*
 * `text` is a path (absolute or relative; "." and ".." are taken out, but a ".." above the mount or
 * the top is WEIR_INVALID_ARGUMENT), or without any '/' and no such file here the name of a table
 * ("v", "public.v", "lake.logs.x") in `catalog` and `schema`. NUL cannot occur, control characters
 * and what is not UTF-8 are refused. Looks nothing up in mounts.
 */
int wr_names_locate(struct wr_names *names, const char *text, const char *catalog,
                    const char *schema, struct wr_place *ret_place, struct weir_error *error);
void wr_place_reset(struct wr_place *place);

/* Opens the table that was found at a place of a mount. */
int wr_mount_table(struct wr_names *names, struct wr_mount *mount, const struct weir_found *found,
                   const struct weir_option *options, size_t n_options,
                   struct wr_instance **ret_instance, struct weir_error *error);
/* Opens the table of a full name, with the options of a call; *ret_instance stays NULL when there is
 * none. */
int wr_names_open_table(struct wr_names *names, const struct wr_name *name,
                        const struct weir_option *options, size_t n_options,
                        struct wr_instance **ret_instance, struct weir_error *error);

#endif
