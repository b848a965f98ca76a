/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stores of a workspace: opened at their first use, kept, and counted by reference.
 *
 * 1. A location's store is found by its root and the scope whose options hold for it, so that what
 * has other options is another store, also where URLs are equal.
 * 2. Who comes after a scope was replaced or dropped gets another store. The old one is read on,
 * and closed with the workspace.
 * 3. Nothing is asked of a store when it is opened.
 */
#ifndef WR_SESSION_STORES_H
#define WR_SESSION_STORES_H

#include "store/access.h"
#include "table/system/rows.h"

struct wr_policy;
struct wr_store_pool;

/* `engine` may come later; without one nothing is opened. */
int wr_store_pool_new(int64_t max_listing_age_ms, struct wr_store_pool **ret_pool,
                      struct weir_error *error);
void wr_store_pool_engine(struct wr_store_pool *pool, struct wr_engine *engine);
/* What web requests may reach; before the first store is opened. */
void wr_store_pool_policy(struct wr_store_pool *pool, struct wr_policy *policy);
/* Opens the store of a URL, unless several are open already, while whoever calls goes on: the first
 * statement that reads it need not. */
void wr_store_pool_open_beforehand(struct wr_store_pool *pool, const char *url);
/* Before the engine is closed: closes all, what comes later is refused. */
void wr_store_pool_stop(struct wr_store_pool *pool);
void wr_store_pool_free(struct wr_store_pool *pool);

const struct wr_stores *wr_store_pool_stores(struct wr_store_pool *pool);
struct wr_scopes *wr_store_pool_scopes(struct wr_store_pool *pool);
/* The engine's handle, as long as the reference. */
struct wr_objects *wr_opened_objects(struct wr_opened *store);
/* What was listed, since something was written: of one store, of all. */
void wr_opened_forget(struct wr_opened *store);
void wr_store_pool_forget(struct wr_store_pool *pool);

/* Each open store, with its URL and, where several have that, the scope's number behind a '#'.
 * `take` must not use the pool; a code other than 0 ends the walk with it. */
int wr_store_pool_each(struct wr_store_pool *pool,
                       int (*take)(void *sink, const char *url, const struct wr_objects *objects,
                                   struct weir_error *error),
                       void *sink, struct weir_error *error);

/* A struct wr_locate's call, of a struct wr_store_pool. */
int wr_store_pool_locate(void *pool, const char *url,
                         void (*take)(void *sink, const char *object_url), void *sink,
                         struct weir_error *error);

/* The rows of system.secrets and system.storage_locations; a wr_system_fill_fn of a struct
 * wr_store_pool. */
int wr_store_pool_fill_secrets(void *pool, struct wr_rows *rows, struct weir_error *error);
int wr_store_pool_fill_stores(void *pool, struct wr_rows *rows, struct weir_error *error);

#endif
