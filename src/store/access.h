/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How kinds of table and of mount, which know no engine, get at objects: a definition has the
 * functions of its workspace (wr_definition_stores), and its encodings of files.
 *
 *     WR_TRY(stores->open(stores->context, &location, &store, error));
 *     WR_TRY(stores->head(store, location.key, take, sink, error));
 *     stores->release(store);
 *
 * The functions on a store are those of engine.h, with their contracts. A store is counted by
 * reference, and the same for all who ask for a location with the same options. Any thread.
 */
#ifndef WR_STORE_ACCESS_H
#define WR_STORE_ACCESS_H

#include "engine/engine.h"
#include "store/store.h"

struct wr_encodings;
struct wr_opened;

struct wr_stores {
    void *context;
    struct wr_scopes *scopes; /* that options are looked up in */
    int (*open)(void *context, const struct wr_location *location, struct wr_opened **ret_store,
                struct weir_error *error);
    struct wr_opened *(*retain)(struct wr_opened *store);
    void (*release)(struct wr_opened *store); /* NULL is welcome */
    /* What stands before a key, percent-encoded, in the URL of a struct weir_file. */
    const char *(*url)(const struct wr_opened *store);
    int (*head)(struct wr_opened *store, const char *key, wr_object_fn take, void *sink,
                struct weir_error *error);
    int (*get)(struct wr_opened *store, const char *key, int64_t offset, size_t length,
               const char *if_match, void *data, size_t *ret_length, wr_object_fn take, void *sink,
               struct weir_error *error);
    int (*list)(struct wr_opened *store, const char *prefix, int32_t recursive,
                const char *start_after, int (*take)(void *sink, const struct wr_object *object),
                void *sink, struct weir_error *error);
    int (*put)(struct wr_opened *store, const char *key, const void *data, size_t length, int mode,
               const char *if_match, char **ret_etag, struct weir_error *error);
    int (*copy)(struct wr_opened *store, const char *from, const char *to, int32_t overwrite,
                struct weir_error *error);
    int (*remove)(struct wr_opened *store, const char *const *keys, size_t n_keys,
                  struct weir_error *error);
    int (*upload)(struct wr_opened *store, const char *key, int mode, const char *if_match,
                  struct wr_upload **ret_upload, struct weir_error *error);
    int (*write)(struct wr_upload *upload, const void *data, size_t length,
                 struct weir_error *error);
    int (*commit)(struct wr_upload *upload, char **ret_etag, struct weir_error *error);
    void (*abort)(struct wr_upload *upload); /* after a commit too; NULL is welcome */
    void (*forget)(struct wr_opened *store); /* what was listed: after a commit */
    void (*free_text)(char *text);           /* an etag */
};

/* What weir's own kinds get as a definition: `as.size` tells it. */
struct wr_definition {
    struct weir_definition as;
    const struct wr_stores *stores;
    const struct wr_encodings *encodings; /* of extensions */
};

/* NULL: there are none. */
const struct wr_stores *wr_definition_stores(const struct weir_definition *definition);
const struct wr_encodings *wr_definition_encodings(const struct weir_definition *definition);

/* Opens the store of a URL, a pattern too; `stores` NULL is
 * WEIR_NOT_IMPLEMENTED. Free root and key with wr_free. */
int wr_stores_open_url(const struct wr_stores *stores, const char *url,
                       struct wr_opened **ret_store, char **ret_root, char **ret_key,
                       struct weir_error *error);

/* ---- An object that is kept ---- */

struct wr_object_facts {
    bool found;
    int64_t n_bytes;
    int64_t modified_ns;
    char *etag; /* NULL: the store has none */
    bool failed;
};

/* A wr_object_fn over a struct wr_object_facts; reset it afterwards. */
void wr_object_take(void *facts, const struct wr_object *object);
void wr_object_facts_reset(struct wr_object_facts *facts);
/* Writes a version of a file from its etag and size; empty when the store has no etag. */
void wr_object_version(const char *etag, int64_t n_bytes, char ret_version[WEIR_VERSION_SIZE]);

#endif
