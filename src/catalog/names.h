/* SPDX-License-Identifier: Apache-2.0 */
/* The state behind wr_names, shared by the files of this folder. */
#ifndef WR_NAMES_H
#define WR_NAMES_H

#include <pthread.h>

#include "catalog/catalog.h"
#include "catalog/store.h"

/* An open table under its definition's name. */
struct wr_entry {
    struct wr_instance *instance;
    int64_t id; /* in the store; 0: temporary */
    bool registered;
};

struct wr_names {
    pthread_mutex_t mutex; /* guards the store and the entries */
    struct wr_store *store;
    struct wr_registry *registry;
    char *catalog; /* the defaults */
    char *schema;
    struct wr_entry *entries;
    size_t n_entries;
    size_t capacity;
};

/* All of these are called with the mutex held. */

bool wr_entry_matches(const struct wr_entry *entry, const struct wr_name *name);
/* The temporary (or the opened stored) table of that name, or NULL. */
struct wr_entry *wr_names_entry(struct wr_names *names, const struct wr_name *name, bool temporary);
/* Makes room for one entry, so that wr_names_put cannot fail. */
int wr_names_reserve(struct wr_names *names, struct weir_error *error);
/* Takes over the reference. */
void wr_names_put(struct wr_names *names, struct wr_entry entry);
/* Takes the entry out; the caller releases the instance after unlocking. */
struct wr_instance *wr_names_take(struct wr_names *names, struct wr_entry *entry);

/* Called without the mutex. Opens a stored table by its definition. */
int wr_names_open_stored(struct wr_names *names, const struct wr_name *name, int64_t id,
                         struct wr_instance **ret_instance, struct weir_error *error);

/*
 * Called without the mutex. Opens the table of that name if its kind must be told when it is
 * dropped (a `drop` slot); else *ret_instance stays as it is. `stored`: not the temporary one that
 * stands before it.
 */
int wr_names_for_drop(struct wr_names *names, const struct wr_name *name, bool stored,
                      struct wr_instance **ret_instance, struct weir_error *error);

/* A list of copied names. */
struct wr_name_list {
    char **items;
    size_t n_items;
    size_t capacity;
};

int wr_name_list_add(void *list, const char *name, struct weir_error *error);
void wr_name_list_reset(struct wr_name_list *list);
/* Lists as wr_names_list, ordered and each name once. With the mutex held. */
int wr_names_collect(struct wr_names *names, const char *catalog, const char *schema,
                     struct wr_name_list *list, struct weir_error *error);

#endif
