/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths and mounts. A path of the tree and an SQL name are the same name: `/lake/logs/x` is
 * lake.logs.x, and `/weir/public/v` is weir.public.v.
 *
 * 1. Mounts come from the configuration, from ATTACH (persisted in the store), and from weir
 * itself: `system`, and one that is never listed, the machine's own files under the catalog "/".
 * They are opened at first use, kept, and counted by reference. One of the configuration stands
 * before one of the store of its name.
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
/* "lake"; "/" of the machine's files; of a store that is reached by its URL that, "s3://bucket/" */
const char *wr_mount_name(const struct wr_mount *mount);
/* Whether it is one of the latter two: it is no catalog, and its paths are asked of the policy. */
bool wr_mount_is_outside(const struct wr_mount *mount);
/* The options of the cache that its tables are read through; without items there is none. */
const struct wr_options *wr_mount_cache(const struct wr_mount *mount);

/* The mount of that name; *ret_mount stays NULL when there is none. */
int wr_names_mount(struct wr_names *names, const char *name, struct wr_mount **ret_mount,
                   struct weir_error *error);

/* Below a root "s3://bucket/", which needs no name; opened anew each time, which asks nobody. */
int wr_names_store_mount(struct wr_names *names, const char *root, struct wr_mount **ret_mount,
                         struct weir_error *error);

/*
 * ATTACH and DETACH. `origin`: "sql", or of the configuration its file and line: such a mount is
 * kept in memory and SQL cannot detach it. Kind and options are checked; with "sql" the mount is
 * opened before it is stored, another one at its first use, so that a source that is away does not
 * keep the workspace closed. A value of ATTACH may be ${env:NAME} or ${file:PATH}, which is stored
 * as it is and put in when the mount is opened; a password as such is not stored (28000, but in
 * memory). Codes: WEIR_ALREADY_EXISTS (42P04) for a catalog's or mount's name,
 * WEIR_NOT_FOUND (3D000).
 */
int wr_names_attach(struct wr_names *names, const struct weir_definition *definition,
                    const char *origin, int flags, struct weir_error *error);
/* One of the configuration. `url` (may be NULL) is what listings show in place of the option: as it
 * was written, with references. */
int wr_names_attach_configured(struct wr_names *names, const struct weir_definition *definition,
                               const char *origin, const char *url, struct weir_error *error);
int wr_names_detach(struct wr_names *names, const char *name, bool if_exists,
                    struct weir_error *error);
/* REFRESH MOUNT: what is remembered of its names and tables is forgotten. WEIR_NOT_FOUND (3D000).
 */
int wr_names_refresh_mount(struct wr_names *names, const char *name, struct weir_error *error);
/* A mount that weir itself makes and that lives as long as the names. Takes over `mount` on
 * success: the kind's `close` gets it at the end. */
int wr_names_add_mount(struct wr_names *names, const char *name, const struct weir_mount_kind *kind,
                       void *mount, struct weir_error *error);

struct wr_mount_info {
    const char *name;
    const char *kind;
    const char *url;    /* NULL: none */
    const char *origin; /* "weir", "sql", "weir.yaml:7" */
};
typedef int (*wr_mount_info_fn)(void *sink, const struct wr_mount_info *info,
                                struct weir_error *error);
/* In order of their names, "/" left out. */
int wr_names_each_mount(struct wr_names *names, wr_mount_info_fn take, void *sink,
                        struct weir_error *error);

/* ---- Paths ---- */

/*
 * `path` below `base`, which is normal: components with one slash between them, "." and ".." taken
 * out, no slash at either end. WEIR_INVALID_ARGUMENT, 22023, when ".." leads above the top, which
 * the message calls `top`: `the mount "lake"`. Free with wr_free.
 */
int wr_path_join(const char *base, const char *path, const char *top, char **ret_path,
                 struct weir_error *error);
/* The current directory as such a path. Free with wr_free. */
int wr_current_directory(char **ret_path, struct weir_error *error);
/* The encoding that a path's extension names ("parquet", "arrow", "csv", "tsv", "json", "jsonl", or
 * one of `encodings`), or NULL. `ret_stem` (may be NULL) gets the length of the path without it. */
const char *wr_path_encoding(const struct wr_encodings *encodings, const char *path,
                             size_t *ret_stem);

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
 * `text` is a path, or without any '/' and no such file here the name of a table ("v", "public.v",
 * "lake.logs.x") in `catalog` and `schema`.
 *
 * A path is absolute or relative; "." and ".." are taken out, but a ".." above the mount, the
 * catalog or the top is WEIR_INVALID_ARGUMENT. An absolute one whose first component is a catalog
 * or a mount is the tree's; every other one, and file:// URLs, are the machine's. Another scheme is
 * WEIR_NOT_IMPLEMENTED. Control characters and what is not UTF-8 are refused.
 *
 * A name of several parts that lead nowhere is a path of the machine when its end is a file's
 * ("x.csv"): the error to come is then that of a file. Looks nothing up in mounts, except whether
 * the first of two parts is a directory when `catalog` is one.
 */
int wr_names_locate(struct wr_names *names, const char *text, const char *catalog,
                    const char *schema, struct wr_place *ret_place, struct weir_error *error);
void wr_place_reset(struct wr_place *place);

/* Opens the table that was found at a place of a mount. */
int wr_mount_table(struct wr_names *names, struct wr_mount *mount, const struct weir_found *found,
                   const struct weir_option *options, size_t n_options,
                   struct wr_instance **ret_instance, struct weir_error *error);
/*
 * Opens the table of a full name, as wr_names_table does, with the options of a call: those of an
 * existing table are its parameters ("carrier" is the option "param.carrier"), else those of the
 * table kind of that name. *ret_instance stays NULL when there is none and no more to say of it.
 */
int wr_names_open_table(struct wr_names *names, const struct wr_name *name,
                        const struct weir_option *options, size_t n_options,
                        struct wr_instance **ret_instance, struct weir_error *error);

/* Forgets what is known of a mount's tables, which were changed without DDL. */
void wr_names_forget(struct wr_names *names, const struct wr_mount *mount);

/* ---- Namespaces ---- */

/*
 * What USE means: (`first`, NULL) a schema of the catalog `current`, else a catalog or mount with
 * its default schema; (`first`, `second`) that schema of that catalog or mount. Free both with
 * wr_free. WEIR_NOT_FOUND (3F000) names what there is.
 */
int wr_names_namespace(struct wr_names *names, const char *current, const char *first,
                       const char *second, char **ret_catalog, char **ret_schema,
                       struct weir_error *error);
/*
 * The engine looks up even the table that a statement is to make. While its name is expected, one
 * in a mount that makes tables is there or not, as in a catalog, and no error. *ret_expected is
 * false for any other name, which has not to be forgotten.
 */
int wr_names_expect(struct wr_names *names, const struct wr_name *name, bool *ret_expected,
                    struct weir_error *error);
void wr_names_unexpect(struct wr_names *names, const struct wr_name *name);
/* Of DDL in (catalog, schema; NULL: none): WEIR_OK when no mount is there, else the error that says
 * so. */
int wr_names_refuse_mount(struct wr_names *names, const char *catalog, const char *schema,
                          const char *statement, struct weir_error *error);
/*
 * Where CREATE and DROP of a table find (catalog, schema): as a look-up does, (weir, other) is
 * (other, public) when weir has no schema `other` but there is such a catalog. The answers are the
 * arguments themselves or the names' own, and live as long as both.
 */
int wr_names_resolve(struct wr_names *names, const char **catalog, const char **schema,
                     struct weir_error *error);
/* The same with mounts: (weir, lake, x) is (lake, ., x). What is granted is kept under these names.
 */
int wr_names_canonical(struct wr_names *names, struct wr_name *name, struct weir_error *error);

#endif
