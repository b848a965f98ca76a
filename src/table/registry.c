/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"

struct entry {
    struct wr_registration as; /* `table` and `mount` are of this version's size */
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
    struct entries finders;
    const struct wr_stores *stores;
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
    int code = add_builtin(registry, error);
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

const struct wr_stores *wr_registry_stores(const struct wr_registry *registry, const void *kind) {
    for (size_t i = 0; wr_builtin_kinds[i]; i++) {
        if (wr_builtin_kinds[i] == kind) return registry->stores;
    }
    for (size_t i = 0; wr_builtin_mounts[i]; i++) {
        if (wr_builtin_mounts[i] == kind) return registry->stores;
    }
    return NULL;
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
    reset(&registry->finders);
    wr_free(registry);
}

/* ---- Checking a vtable ---- */

/* The slots that the first extensions were compiled with. */
#define FIRST_TABLE_SIZE                                                                           \
    (offsetof(struct weir_table_kind, refresh) + sizeof((struct weir_table_kind *)0)->refresh)
#define FIRST_MOUNT_SIZE                                                                           \
    (offsetof(struct weir_mount_kind, refresh) + sizeof((struct weir_mount_kind *)0)->refresh)

/* What both sorts of kind begin with, by the word that messages call them. */
struct head {
    const char *what; /* "table" */
    const void *kind;
    size_t size;
    size_t full_size; /* of this version */
    const char *name;
    const char *missing; /* the first required slot that is NULL; NULL: none */
    const struct weir_option_spec *options;
    size_t n_options;
};

static bool is_kind_name(const char *name) {
    if (!name || name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int check_size(const char *what, const void *kind, size_t first_size,
                      struct weir_error *error) {
    size_t size = 0;
    if (!kind)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a %s kind is required", what);
    memcpy(&size, kind, sizeof size);
    if (size >= first_size) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "%s kind: its size is %zu, not at least %zu; set it to "
                        "sizeof(struct weir_%s_kind)",
                        what, size, first_size, what);
}

/* A slot that is not known here may be one that the kind cannot do without. */
static int check_rest(const struct head *head, struct weir_error *error) {
    for (size_t i = head->full_size; i < head->size; i++) {
        if (!((const char *)head->kind)[i]) continue;
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "%s kind \"%s\": it has slots that this version of weir does not know",
                            head->what, head->name);
    }
    return WEIR_OK;
}

static int check_head(const struct head *head, struct weir_error *error) {
    const char *what = head->what;
    if (!is_kind_name(head->name)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": a name is a lower case letter, then lower case "
                            "letters, digits and underscores",
                            what, head->name ? head->name : "");
    }
    if (head->missing) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": the required slot `%s` is NULL", what, head->name,
                            head->missing);
    }
    if (head->n_options > 0 && !head->options) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": n_options is %zu but options is NULL", what,
                            head->name, head->n_options);
    }
    return check_rest(head, error);
}

static int check_kind(const struct weir_table_kind *kind, struct weir_error *error) {
    WR_TRY(check_size("table", kind, FIRST_TABLE_SIZE, error));
    const struct head head = {
        .what = "table",
        .kind = kind,
        .size = kind->size,
        .full_size = sizeof *kind,
        .name = kind->name,
        .missing = !kind->open    ? "open"
                   : !kind->close ? "close"
                   : !kind->form  ? "form"
                                  : NULL,
        .options = kind->options,
        .n_options = kind->n_options,
    };
    return check_head(&head, error);
}

static int check_mount(const struct weir_mount_kind *kind, struct weir_error *error) {
    WR_TRY(check_size("mount", kind, FIRST_MOUNT_SIZE, error));
    const struct head head = {
        .what = "mount",
        .kind = kind,
        .size = kind->size,
        .full_size = sizeof *kind,
        .name = kind->name,
        .missing = !kind->open             ? "open"
                   : !kind->close          ? "close"
                   : !kind->list           ? "list"
                   : !kind->find           ? "find"
                   : !kind->default_schema ? "default_schema"
                                           : NULL,
        .options = kind->options,
        .n_options = kind->n_options,
    };
    return check_head(&head, error);
}

static int check_item(const struct wr_registration *item, struct weir_error *error) {
    if (item->find) return WEIR_OK;
    return item->mount ? check_mount(item->mount, error) : check_kind(item->table, error);
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
    return item->find ? &registry->finders : item->mount ? &registry->mounts : &registry->kinds;
}

static int check_free(const struct wr_registry *registry, const struct wr_registration *item,
                      struct weir_error *error) {
    const char *what = item->mount ? "mount" : "table";
    if (item->find) return WEIR_OK;
    const char *name = item->mount ? item->mount->name : item->table->name;
    bool taken =
        item->mount ? find_mount(registry, name) != NULL : find_kind(registry, name) != NULL;
    if (!taken) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710", "%s kind \"%s\" is registered already",
                        what, name);
}

/* Of `size` bytes as one of `full_size`; NULL when it is that large. */
static int copy_kind(const void *kind, size_t size, size_t full_size, void **ret_copy,
                     struct weir_error *error) {
    if (size >= full_size) return WEIR_OK;
    char *copy = wr_calloc(1, full_size);
    if (!copy) return wr_error_memory(error);
    memcpy(copy, kind, size);
    memcpy(copy, &full_size, sizeof full_size);
    *ret_copy = copy;
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
    if (item->table)
        WR_TRY(copy_kind(item->table, item->table->size, sizeof *item->table, &entry.copy, error));
    if (item->mount)
        WR_TRY(copy_kind(item->mount, item->mount->size, sizeof *item->mount, &entry.copy, error));
    if (item->table && entry.copy) entry.as.table = entry.copy;
    if (item->mount && entry.copy) entry.as.mount = entry.copy;
    items[entries->n_items++] = entry;
    return WEIR_OK;
}

static void take_back(struct wr_registry *registry, const struct wr_registration *item) {
    struct entries *entries = entries_for(registry, item);
    wr_free(entries->items[--entries->n_items].copy);
}

static int add_all(struct wr_registry *registry, const char *extension,
                   const struct wr_registration *items, size_t n_items, struct weir_error *error) {
    int code = WEIR_OK;
    size_t n_added = 0;
    while (code == WEIR_OK && n_added < n_items) {
        code = check_free(registry, &items[n_added], error);
        if (code == WEIR_OK) code = append(registry, extension, &items[n_added], error);
        if (code == WEIR_OK) n_added++;
    }
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
    WR_TRY(check_item(item, error));
    pthread_mutex_lock(&registry->mutex);
    int code = check_free(registry, item, error);
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

int wr_registry_add_all(struct wr_registry *registry, const char *extension,
                        const struct wr_registration *items, size_t n_items,
                        struct weir_error *error) {
    for (size_t i = 0; i < n_items; i++)
        WR_TRY(check_item(&items[i], error));
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
    WR_TRY(check_item(&found, error));
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
    if (!is_kind_name(name)) return WEIR_OK;
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

/* ---- Walking: kinds are never taken out, so their number is all that the mutex must guard ---- */

int wr_registry_each(struct wr_registry *registry, wr_kind_info_fn take, void *sink,
                     struct weir_error *error) {
    struct entry entry;
    bool is_built_in = true; /* those come first */
    for (size_t i = 0; entry_at(registry, &registry->kinds, i, &entry); i++) {
        const struct weir_table_kind *kind = entry.as.table;
        is_built_in = is_built_in && kind == wr_builtin_kinds[i];
        struct wr_kind_info info = {"table kind", kind->name, kind->summary, is_built_in,
                                    entry.extension};
        WR_TRY(take(sink, &info, error));
    }
    is_built_in = true;
    for (size_t i = 0; entry_at(registry, &registry->mounts, i, &entry); i++) {
        const struct weir_mount_kind *kind = entry.as.mount;
        is_built_in = is_built_in && kind == wr_builtin_mounts[i];
        struct wr_kind_info info = {"mount kind", kind->name, kind->summary, is_built_in,
                                    entry.extension};
        WR_TRY(take(sink, &info, error));
    }
    return WEIR_OK;
}
