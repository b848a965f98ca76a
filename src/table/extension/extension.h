/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extensions of a workspace: shared libraries that add kinds and functions (weir_extension.h).
 *
 * 1. A library is loaded once for a process and never unloaded; weir_extension_init is called once
 * for each workspace that loads it.
 * 2. What is registered while weir_extension_init runs is kept aside and comes into the registry
 * all at once when it has succeeded, so that nobody sees a part of an extension that failed.
 * 3. No mutex is held while code of an extension runs.
 * 4. Who may load is not asked here.
 */
#ifndef WR_EXTENSION_H
#define WR_EXTENSION_H

#include "table/registry.h"

struct wr_extensions;

/* `path` as in the workspace's options. The registry must outlive it. */
int wr_extensions_new(struct wr_registry *registry, const char *path,
                      struct wr_extensions **ret_extensions, struct weir_error *error);
/* Closes them, the last loaded first. No table, mount or scan of theirs may be left. */
void wr_extensions_free(struct wr_extensions *extensions);

struct wr_extension_request {
    const char *name;    /* that the extension must have; NULL: any */
    const char *library; /* a path, or the name of one that comes with weir */
    const struct weir_option *options;
    size_t n_options;
    const char *origin; /* "weir.yaml:7", "sql" */
};

/*
 * Loads a library and its kinds. One that is there already is left as it is; with options that is
 * WEIR_ALREADY_EXISTS. Codes: WEIR_NOT_FOUND, with the places where it was looked for,
 * WEIR_INVALID_DATA for what is no extension, WEIR_NOT_IMPLEMENTED for one that needs a later
 * version, else what weir_extension_init answered.
 */
int wr_extensions_load(struct wr_extensions *extensions, const struct wr_extension_request *request,
                       struct weir_error *error);

struct wr_extension_info {
    const char *name;
    const char *version;
    const char *summary; /* NULL: none */
    const char *library; /* its path */
    const char *origin;
};
typedef int (*wr_extension_info_fn)(void *sink, const struct wr_extension_info *info,
                                    struct weir_error *error);
/* In the order in which they came. */
int wr_extensions_each(struct wr_extensions *extensions, wr_extension_info_fn take, void *sink,
                       struct weir_error *error);

/* ---- Libraries (library.c) ---- */

typedef int (*wr_extension_init_fn)(const struct weir_host *host,
                                    struct weir_extension *ret_extension, struct weir_error *error);

/* The absolute path of a library that is there, links followed. Free with wr_free. */
int wr_extension_find(const char *library, char **ret_path, struct weir_error *error);
/* Whether the text is a path, and not the name of an extension that comes with weir. */
bool wr_extension_is_path(const char *library);
int wr_extension_open(const char *path, wr_extension_init_fn *ret_init, struct weir_error *error);

#endif
