/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"

struct entry {
    struct wr_registration as; /* structures are of this version's size */
    const char *extension;     /* NULL: of none */
    void *copy;                /* of one that has fewer slots; NULL: `as` has the given one */
};

struct entries {
    struct entry *items;
    size_t n_items;
};

struct wr_registry {
    pthread_mutex_t mutex;
    struct entries kinds;
    struct entries mounts;
    struct entries additions; /* functions and encodings */
    struct entries finders;
    struct wr_encodings *encodings; /* of the additions */
    const struct wr_stores *stores;
    struct wr_engine *engine;
    wr_add_fn add;
};

static int add_builtin(struct wr_registry *registry, struct weir_error *error) {
    for (size_t i = 0; wr_builtin_kinds[i]; i++) {
        WR_TRY(wr_registry_add(registry, wr_builtin_kinds[i], error));
    }
    for (size_t i = 0; wr_builtin_mounts[i]; i++) {
        WR_TRY(wr_registry_add_mount(registry, wr_builtin_mounts[i], error));
    }
    return WEIR_OK;
}

int wr_registry_new(struct wr_registry **ret_registry, struct weir_error *error) {
    struct wr_registry *registry = wr_calloc(1, sizeof *registry);
    if (!registry) return wr_error_memory(error);
    pthread_mutex_init(&registry->mutex, NULL);
    int code = wr_encodings_new(&registry->encodings, error);
    if (code == WEIR_OK) code = add_builtin(registry, error);
    if (code) {
        wr_registry_free(registry);
        return code;
    }
    *ret_registry = registry;
    return WEIR_OK;
}

void wr_registry_give(struct wr_registry *registry, const struct wr_stores *stores) {
    registry->stores = stores;
}

void wr_registry_engine(struct wr_registry *registry, struct wr_engine *engine, wr_add_fn add) {
    registry->engine = engine;
    registry->add = add;
}

const struct wr_encodings *wr_registry_encodings(const struct wr_registry *registry) {
    return registry ? registry->encodings : NULL;
}

static bool is_built_in(const struct wr_registration *item) {
    for (size_t i = 0; item->table && wr_builtin_kinds[i]; i++) {
        if (wr_builtin_kinds[i] == item->table) return true;
    }
    for (size_t i = 0; item->mount && wr_builtin_mounts[i]; i++) {
        if (wr_builtin_mounts[i] == item->mount) return true;
    }
    return false;
}

const struct wr_stores *wr_registry_stores(const struct wr_registry *registry, const void *kind) {
    const struct wr_registration given = {.table = kind, .mount = kind};
    return is_built_in(&given) ? registry->stores : NULL;
}

static void reset(struct entries *entries) {
    for (size_t i = 0; i < entries->n_items; i++)
        wr_free(entries->items[i].copy);
    wr_free(entries->items);
}

void wr_registry_free(struct wr_registry *registry) {
    if (!registry) return;
    pthread_mutex_destroy(&registry->mutex);
    reset(&registry->kinds);
    reset(&registry->mounts);
    reset(&registry->additions);
    reset(&registry->finders);
    wr_encodings_free(registry->encodings);
    wr_free(registry);
}

/* ---- Adding and finding, with the mutex held ---- */

static const struct weir_table_kind *find_kind(const struct wr_registry *registry,
                                               const char *name) {
    for (size_t i = 0; i < registry->kinds.n_items; i++) {
        const struct weir_table_kind *kind = registry->kinds.items[i].as.table;
        if (strcmp(kind->name, name) == 0) return kind;
    }
    return NULL;
}

static const struct weir_mount_kind *find_mount(const struct wr_registry *registry,
                                                const char *name) {
    for (size_t i = 0; i < registry->mounts.n_items; i++) {
        const struct weir_mount_kind *kind = registry->mounts.items[i].as.mount;
        if (strcmp(kind->name, name) == 0) return kind;
    }
    return NULL;
}

static struct entries *entries_for(struct wr_registry *registry,
                                   const struct wr_registration *item) {
    return item->find    ? &registry->finders
           : item->mount ? &registry->mounts
           : item->table ? &registry->kinds
                         : &registry->additions;
}

static int check_free(struct wr_registry *registry, const struct wr_registration *item,
                      struct weir_error *error) {
    const struct entries *entries = entries_for(registry, item);
    for (size_t i = 0; i < entries->n_items; i++)
        WR_TRY(wr_registration_check_other(item, &entries->items[i].as, error));
    return WEIR_OK;
}

/* The new entry is not counted yet. */
static int append(struct wr_registry *registry, const char *extension,
                  const struct wr_registration *item, struct weir_error *error) {
    struct entries *entries = entries_for(registry, item);
    struct entry entry = {.as = *item, .extension = extension};
    struct entry *items = wr_reallocarray(entries->items, entries->n_items + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    entries->items = items;
    WR_TRY(wr_registration_complete(&entry.as, &entry.copy, error));
    int code = entry.as.encoding ? wr_encodings_add(registry->encodings, entry.as.encoding, error)
                                 : WEIR_OK;
    if (code) {
        wr_free(entry.copy);
        return code;
    }
    items[entries->n_items++] = entry;
    return WEIR_OK;
}

static void take_back(struct wr_registry *registry, const struct wr_registration *item) {
    struct entries *entries = entries_for(registry, item);
    if (item->encoding) wr_encodings_take_back(registry->encodings);
    wr_free(entries->items[--entries->n_items].copy);
}

/* The last `n_items` additions become the engine's. It calls nobody meanwhile. */
static int hand_over(struct wr_registry *registry, size_t n_items, struct weir_error *error) {
    if (n_items == 0) return WEIR_OK;
    if (!registry->add)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "functions and encodings need an engine, and there is none");
    struct wr_addition *additions = wr_calloc(n_items, sizeof *additions);
    if (!additions) return wr_error_memory(error);
    const struct entry *first = registry->additions.items + (registry->additions.n_items - n_items);
    for (size_t i = 0; i < n_items; i++)
        additions[i] =
            (struct wr_addition){first[i].as.scalar, first[i].as.aggregate, first[i].as.encoding};
    int code = registry->add(registry->engine, additions, n_items, error);
    wr_free(additions);
    return code;
}

static int add_all(struct wr_registry *registry, const char *extension,
                   const struct wr_registration *items, size_t n_items, struct weir_error *error) {
    int code = WEIR_OK;
    size_t n_before = registry->additions.n_items;
    size_t n_added = 0;
    while (code == WEIR_OK && n_added < n_items) {
        code = check_free(registry, &items[n_added], error);
        if (code == WEIR_OK) code = append(registry, extension, &items[n_added], error);
        if (code == WEIR_OK) n_added++;
    }
    if (code == WEIR_OK) code = hand_over(registry, registry->additions.n_items - n_before, error);
    while (code && n_added > 0)
        take_back(registry, &items[--n_added]);
    return code;
}

/* Names the nearest and lists all; `names` may be NULL when there was no memory for it. */
static int unknown_kind(const char *what, const char *name, const char *const *names,
                        size_t n_names, struct weir_error *error) {
    const char *nearest = names ? wr_nearest(name, names, n_names) : NULL;
    int code =
        wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no %s kind \"%s\"", what, name);
    if (nearest) wr_error_append(error, "; did you mean \"%s\"?", nearest);
    if (names) wr_error_append(error, "; known kinds: %s", n_names > 0 ? "" : "none");
    for (size_t i = 0; names && i < n_names; i++)
        wr_error_append(error, "%s%s", i > 0 ? ", " : "", names[i]);
    return code;
}

static int unknown(const struct entries *entries, const char *what, const char *name,
                   struct weir_error *error) {
    if (!error) return WEIR_NOT_FOUND;
    const char **names = wr_reallocarray(NULL, entries->n_items, sizeof *names);
    for (size_t i = 0; names && i < entries->n_items; i++) {
        const struct wr_registration *as = &entries->items[i].as;
        names[i] = as->mount ? as->mount->name : as->table->name;
    }
    int code = unknown_kind(what, name, names, entries->n_items, error);
    wr_free(names);
    return code;
}

/* ---- From any thread ---- */

int wr_registry_check(struct wr_registry *registry, const struct wr_registration *item,
                      struct weir_error *error) {
    WR_TRY(wr_registration_check(item, error));
    pthread_mutex_lock(&registry->mutex);
    int code = check_free(registry, item, error);
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

int wr_registry_add_all(struct wr_registry *registry, const char *extension,
                        const struct wr_registration *items, size_t n_items,
                        struct weir_error *error) {
    for (size_t i = 0; i < n_items; i++)
        WR_TRY(wr_registration_check(&items[i], error));
    pthread_mutex_lock(&registry->mutex);
    int code = add_all(registry, extension, items, n_items, error);
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

int wr_registry_add(struct wr_registry *registry, const struct weir_table_kind *kind,
                    struct weir_error *error) {
    return wr_registry_add_all(registry, NULL, &(struct wr_registration){.table = kind}, 1, error);
}

int wr_registry_add_mount(struct wr_registry *registry, const struct weir_mount_kind *kind,
                          struct weir_error *error) {
    if (!kind) return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a mount kind is required");
    return wr_registry_add_all(registry, NULL, &(struct wr_registration){.mount = kind}, 1, error);
}

const struct weir_table_kind *wr_registry_known(struct wr_registry *registry, const char *name) {
    pthread_mutex_lock(&registry->mutex);
    const struct weir_table_kind *kind = find_kind(registry, name);
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}

static bool entry_at(struct wr_registry *registry, const struct entries *entries, size_t i,
                     struct entry *ret_entry) {
    pthread_mutex_lock(&registry->mutex);
    bool found = i < entries->n_items;
    if (found) *ret_entry = entries->items[i];
    pthread_mutex_unlock(&registry->mutex);
    return found;
}

static int ask(struct wr_registry *registry, const struct entry *finder, const char *name,
               struct weir_error *error) {
    struct wr_registration found = {0};
    WR_TRY(finder->as.find(finder->as.finder, name, &found.table, error));
    WR_TRY(wr_registration_check(&found, error));
    if (strcmp(found.table->name, name) != 0)
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "it was asked for the table kind \"%s\" and found \"%s\"", name,
                            found.table->name);
    int code = wr_registry_add_all(registry, finder->extension, &found, 1, error);
    return code == WEIR_ALREADY_EXISTS ? WEIR_OK : code; /* another thread's find */
}

/* *ret_found: it is registered now. */
static int ask_finders(struct wr_registry *registry, const char *name, bool *ret_found,
                       struct weir_error *error) {
    struct entry finder;
    if (!wr_is_kind_name(name)) return WEIR_OK;
    for (size_t i = 0; !*ret_found && entry_at(registry, &registry->finders, i, &finder); i++) {
        struct weir_error reason = {0};
        int code = ask(registry, &finder, name, &reason);
        *ret_found = code == WEIR_OK;
        if (code == WEIR_OK || code == WEIR_NOT_FOUND) continue;
        if (error) *error = reason;
        return wr_error_prefix(error, code, "extension \"%s\"", finder.extension);
    }
    return WEIR_OK;
}

int wr_registry_find(struct wr_registry *registry, const char *name,
                     const struct weir_table_kind **ret_kind, struct weir_error *error) {
    const struct weir_table_kind *kind = wr_registry_known(registry, name);
    bool found = false;
    if (!kind) WR_TRY(ask_finders(registry, name, &found, error));
    pthread_mutex_lock(&registry->mutex);
    if (found) kind = find_kind(registry, name);
    int code = kind ? WEIR_OK : unknown(&registry->kinds, "table", name, error);
    pthread_mutex_unlock(&registry->mutex);
    if (kind) *ret_kind = kind;
    return code;
}

int wr_registry_mount(struct wr_registry *registry, const char *name,
                      const struct weir_mount_kind **ret_kind, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&registry->mutex);
    const struct weir_mount_kind *kind = find_mount(registry, name);
    if (!kind) code = unknown(&registry->mounts, "mount", name, error);
    pthread_mutex_unlock(&registry->mutex);
    if (kind) *ret_kind = kind;
    return code;
}

const struct weir_table_kind *wr_registry_role(struct wr_registry *registry, uint32_t role) {
    const struct weir_table_kind *kind = NULL;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = registry->kinds.n_items; i > 0 && !kind; i--) {
        const struct weir_table_kind *last = registry->kinds.items[i - 1].as.table;
        if (last->roles & role) kind = last;
    }
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}

/* ---- Walking: nothing is ever taken out, so their number is all that the mutex must guard ---- */

static int each(struct wr_registry *registry, const struct entries *entries, wr_kind_info_fn take,
                void *sink, struct weir_error *error) {
    struct entry entry;
    for (size_t i = 0; entry_at(registry, entries, i, &entry); i++) {
        const struct wr_registration *as = &entry.as;
        struct wr_kind_info info = {wr_registration_type(as), wr_registration_name(as),
                                    wr_registration_summary(as), is_built_in(as), entry.extension};
        WR_TRY(take(sink, &info, error));
    }
    return WEIR_OK;
}

int wr_registry_each(struct wr_registry *registry, wr_kind_info_fn take, void *sink,
                     struct weir_error *error) {
    WR_TRY(each(registry, &registry->kinds, take, sink, error));
    WR_TRY(each(registry, &registry->mounts, take, sink, error));
    return each(registry, &registry->additions, take, sink, error);
}
