/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: weir.yaml, then WEIR_* variables, then what the caller gives, each key with
 * the origin of its value.
 *
 * One table (keys.c) lists every key with its type, default, unit and a line of help; loading,
 * checking, `weir config`, the manual's list and system.settings all read it. A value may be
 * ${env:NAME} or ${file:PATH} as a whole or in parts; it is shown as it was written, so that what
 * it stands for never comes out again. A key that is not known is an error with file, line and the
 * nearest one that is.
 */
#ifndef WR_CONFIG_H
#define WR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "weir.h"

struct wr_config;

/*
 * `path` NULL: no file. Environment: WEIR_SPOOL_MAX_BYTES is `spool.max_bytes`, an empty variable
 * is none, and WEIR_ variables that are no key's are left alone (wr_config_strays). `settings` win
 * over both: keys, "mounts.NAME.OPTION", "stores.NAME.OPTION", "extensions.NAME.OPTION" and
 * "settings.NAME". The error is that of the first problem.
 */
int wr_config_load(const char *path, const struct weir_option *settings, size_t n_settings,
                   struct wr_config **ret_config, struct weir_error *error);
/* As wr_config_load, but goes on after a problem: `take` gets each, and the configuration is what
 * remains. Fails only where reading cannot go on at all. */
typedef void (*wr_config_problem_fn)(void *sink, const struct weir_error *problem);
int wr_config_check(const char *path, const struct weir_option *settings, size_t n_settings,
                    wr_config_problem_fn take, void *sink, struct wr_config **ret_config,
                    struct weir_error *error);
void wr_config_free(struct wr_config *config);

/* The value, or the key's default; units are resolved (bytes, milliseconds). The key must be in the
 * table and of that type. A text is NULL when it has neither value nor default. */
int64_t wr_config_int(const struct wr_config *config, const char *key);
bool wr_config_bool(const struct wr_config *config, const char *key);
const char *wr_config_text(const struct wr_config *config, const char *key);
/* The next item of a list's text, from *offset on, and its length; 0 at the end. A text of one line
 * has commas between its items. */
size_t wr_config_item(const char *list, size_t *offset, const char **ret_item);
/* Whether it was given rather than left at its default. */
bool wr_config_is_set(const struct wr_config *config, const char *key);

/* The entries of `mounts:`, in the order of the file. Options without `kind`, references resolved;
 * those of inner mappings have dotted keys, "cache.max_age". A `url` without "://" is absolute. */
struct wr_config_mount {
    const char *name;
    const char *kind; /* "files" when none is given */
    const struct weir_option *options;
    size_t n_options;
    const char *url;    /* as written, when it has references; NULL: it has none */
    const char *origin; /* "weir.yaml:7" */
};
size_t wr_config_mounts(const struct wr_config *config, const struct wr_config_mount **ret_mounts);
/* The entries of `extensions:` in the same way. */
struct wr_config_extension {
    const char *name;
    const char *library; /* an absolute path; NULL: none is given */
    const struct weir_option *options;
    size_t n_options;
    const char *origin;
};
size_t wr_config_extensions(const struct wr_config *config,
                            const struct wr_config_extension **ret_extensions);
/* The entries of `stores:` in the same way: what stores are reached by. */
struct wr_config_store {
    const char *name;
    const char *url;  /* the beginning of the URLs that it is for; NULL: all of its type */
    const char *type; /* NULL: that of the URL */
    const struct weir_option *options;
    size_t n_options;
    const char *origin;
};
size_t wr_config_stores(const struct wr_config *config, const struct wr_config_store **ret_stores);
/* The entries of `settings:`: the engine's own, for every session. */
size_t wr_config_settings(const struct wr_config *config, const struct weir_option **ret_settings);
/* Where the n-th of them comes from: "weir.yaml:9". */
const char *wr_config_setting_origin(const struct wr_config *config, size_t n);

/* Every key with its value as written, passwords in it as ***, and origin: "default",
 * "weir.yaml:3", "WEIR_THREADS", "option". The parts of mounts, stores, extensions and settings in
 * place of these
 * ("mounts.lake.url"). NULL: the defaults. */
struct wr_config_item {
    const char *key;
    const char *value; /* NULL: none */
    const char *origin;
    const char *help;
    const char *blank; /* what may stand in the place of a value: "DIRECTORY", "TEXT", "[]" */
};
typedef int (*wr_config_item_fn)(void *sink, const struct wr_config_item *item,
                                 struct weir_error *error);
int wr_config_each(const struct wr_config *config, wr_config_item_fn take, void *sink,
                   struct weir_error *error);

/* Whether it belongs to the configuration, right or wrong: its first part is one of the table's. */
bool wr_config_is_key(const char *key);
/* The key that one that is none was meant for; NULL when none is near. */
const char *wr_config_nearest_key(const char *key);
/* Tells of each WEIR_ variable that looks like a misspelt key, or is one of a later version. */
typedef void (*wr_config_stray_fn)(void *sink, const char *message);
void wr_config_strays(wr_config_stray_fn take, void *sink);

#endif
