/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object stores as texts: which store a URL is of, which options each type of store has, and which
 * of them hold for a URL. Nothing here talks to a store.
 *
 *     struct wr_location location;
 *     struct wr_options options = {0};
 *     WR_TRY(wr_location_parse("s3://bucket/logs/x.parquet", &location, error));
 *     WR_TRY(wr_scopes_options(scopes, &location, &options, &id, error));
 *
 * 1. A location is a type, the root of the store ("s3://bucket/") and a key behind it. Spellings of
 * one store have one root: s3a:// is s3://, schemes and hosts are in lower case.
 * 2. A scope is a beginning of URLs with options: one of `stores:` or a mount of the configuration,
 * or a secret that SQL made. A URL has the options of the longest scope that it lies in, by whole
 * components; of two equal ones, those of the secret, then of `stores:`, then of the mount.
 * 3. Two stores with different scopes are different stores, whatever their names are.
 * 4. Options are kept under the names that the engine has, once, after they were checked.
 * 5. A value never comes out again: what lists scopes gives the names of the options only.
 */
#ifndef WR_STORE_URL_H
#define WR_STORE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"

/* ---- Locations ---- */

enum wr_store_type {
    WR_STORE_NONE = 0,
    WR_STORE_S3,
    WR_STORE_AZURE,
    WR_STORE_GCS,
    WR_STORE_HTTP,
    WR_STORE_MEMORY,
    WR_STORE_FILE
};

/* "s3", "azure", "gcs", "http", "memory", "file", as the engine has them. */
const char *wr_store_type_name(enum wr_store_type type);
/* Of a name, or of a scheme: "s3a", "abfss", "gs". WR_STORE_NONE for another text. */
enum wr_store_type wr_store_type_parse(const char *text, size_t length);

struct wr_location {
    enum wr_store_type type;
    char *root;      /* ends in a slash */
    char *container; /* of Azure: its account too, where the URL names it; else NULL */
    char *account;
    char *key; /* no slash at its start; a pattern may stand in it */
};

/* Whether a text is the URL of a store, which "file" is not. */
bool wr_is_store_url(const char *text);
/*
 * A path or file:// URL is a location of the type WR_STORE_FILE, with the root "file:///". Keys of
 * http and https are decoded, those of all other schemes are as they stand. Refused, without a word
 * of it in the message, is what holds a user or password. "." and ".." and empty components are no
 * part of keys.
 */
int wr_location_parse(const char *text, struct wr_location *ret_location, struct weir_error *error);
void wr_location_reset(struct wr_location *location);
/* The URL again; of http encoded. Free with wr_free; NULL: no memory. */
char *wr_location_url(const struct wr_location *location);

/* ---- Options ---- */

struct wr_store_option {
    const char *name;     /* as the engine has it */
    uint32_t types;       /* bits 1 << enum wr_store_type */
    int secrecy;          /* 0: none of a credential, 1: part of one, 3: a secret */
    const char *variable; /* of the environment, that it has its value from; NULL: none */
    const char *fallback; /* what it is where nothing is said; NULL: nothing, or the client's own */
    const char *help;
};

extern const struct wr_store_option wr_store_options[];
extern const size_t wr_store_n_options;

/* The option of a name as users write it: in any case, with the prefix of its cloud or without, or
 * by another name that it is known under. NULL: there is none of that name for the type. */
const struct wr_store_option *wr_store_option(enum wr_store_type type, const char *name);
/*
 * Adds the options under their own names. The error of one that is not known names `owner`, the
 * option and the nearest one; of one that is given twice, under two names, both.
 */
int wr_store_check(const char *owner, enum wr_store_type type, const struct weir_option *items,
                   size_t n_items, struct wr_options *ret_options, struct weir_error *error);
/* Adds what the environment has for options that are not given, and else what they are where
 * nothing is said. Credentials come from one place: a single one that is given keeps all of them
 * out. */
int wr_store_complete(enum wr_store_type type, struct wr_options *options,
                      struct weir_error *error);

/* ---- Scopes ---- */

enum wr_scope_origin { WR_SCOPE_MOUNT = 1, WR_SCOPE_CONFIG = 2, WR_SCOPE_SECRET = 3 };

struct wr_scopes;

struct wr_scope_info {
    const char *name;
    enum wr_scope_origin origin;
    const char *from; /* "weir.yaml:3"; NULL: nothing to tell */
    enum wr_store_type type;
    const char *scope; /* "s3://bucket/prefix" */
    const struct weir_option *options;
    size_t n_options;
};

int wr_scopes_new(struct wr_scopes **ret_scopes, struct weir_error *error);
void wr_scopes_free(struct wr_scopes *scopes);
/*
 * Copies it; the options are checked. `scope` NULL: all URLs of the type. WEIR_ALREADY_EXISTS for a
 * name of the same origin, unless `replace`. A name is one of its origin.
 */
int wr_scopes_add(struct wr_scopes *scopes, const struct wr_scope_info *info, bool replace,
                  struct weir_error *error);
/* WEIR_NOT_FOUND. */
int wr_scopes_remove(struct wr_scopes *scopes, enum wr_scope_origin origin, const char *name,
                     struct weir_error *error);
/* Adds the options that hold for a location. *ret_id is another one for another scope, and for one
 * that was replaced; 0: there is none. */
int wr_scopes_options(struct wr_scopes *scopes, const struct wr_location *location,
                      struct wr_options *ret_options, int64_t *ret_id, struct weir_error *error);
/* Counts up with every change, so that what was resolved before is looked at again. */
int64_t wr_scopes_generation(struct wr_scopes *scopes);
/* The options that `take` gets have no values. It must not use the scopes; a code other than 0 ends
 * the walk with it. */
typedef int (*wr_scope_fn)(void *sink, const struct wr_scope_info *info, struct weir_error *error);
int wr_scopes_each(struct wr_scopes *scopes, wr_scope_fn take, void *sink,
                   struct weir_error *error);

#endif
