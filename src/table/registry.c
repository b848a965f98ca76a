/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"

struct wr_registry {
    pthread_mutex_t mutex;
    const struct weir_table_kind **kinds;
    size_t n_kinds;
    const struct weir_mount_kind **mounts;
    size_t n_mounts;
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

void wr_registry_free(struct wr_registry *registry) {
    if (!registry) return;
    pthread_mutex_destroy(&registry->mutex);
    wr_free(registry->kinds);
    wr_free(registry->mounts);
    wr_free(registry);
}

/* ---- Checking a vtable ---- */

/* What both sorts of kind begin with, by the word that messages call them. */
struct head {
    const char *what; /* "table" */
    size_t size;
    size_t least_size;
    const char *name;
    const char *missing; /* the first required slot that is NULL; NULL: none */
    const struct weir_option_spec *options;
    size_t n_options;
};

static bool is_kind_name(const char *name) {
    if (!name || name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int check_head(const struct head *kind, struct weir_error *error) {
    const char *what = kind->what;
    if (kind->size < kind->least_size) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind: its size is %zu, not at least %zu; set it to "
                            "sizeof(struct weir_%s_kind)",
                            what, kind->size, kind->least_size, what);
    }
    if (!is_kind_name(kind->name)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": a name is a lower case letter, then lower case "
                            "letters, digits and underscores",
                            what, kind->name ? kind->name : "");
    }
    if (kind->missing) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": the required slot `%s` is NULL", what, kind->name,
                            kind->missing);
    }
    if (kind->n_options > 0 && !kind->options) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s kind \"%s\": n_options is %zu but options is NULL", what,
                            kind->name, kind->n_options);
    }
    return WEIR_OK;
}

static int check_kind(const struct weir_table_kind *kind, struct weir_error *error) {
    if (!kind) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a table kind is required");
    }
    struct head head = {"table", kind->size, sizeof *kind, NULL, NULL, NULL, 0};
    if (kind->size >= sizeof *kind) {
        head.name = kind->name;
        head.options = kind->options;
        head.n_options = kind->n_options;
        head.missing = !kind->open ? "open" : !kind->close ? "close" : !kind->form ? "form" : NULL;
    }
    return check_head(&head, error);
}

static int check_mount(const struct weir_mount_kind *kind, struct weir_error *error) {
    if (!kind) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a mount kind is required");
    }
    struct head head = {"mount", kind->size, sizeof *kind, NULL, NULL, NULL, 0};
    if (kind->size >= sizeof *kind) {
        head.name = kind->name;
        head.options = kind->options;
        head.n_options = kind->n_options;
        head.missing = !kind->open             ? "open"
                       : !kind->close          ? "close"
                       : !kind->list           ? "list"
                       : !kind->find           ? "find"
                       : !kind->default_schema ? "default_schema"
                                               : NULL;
    }
    return check_head(&head, error);
}

/* ---- Adding and finding, with the mutex held ---- */

static const struct weir_table_kind *find_kind(const struct wr_registry *registry,
                                               const char *name) {
    for (size_t i = 0; i < registry->n_kinds; i++) {
        if (strcmp(registry->kinds[i]->name, name) == 0) return registry->kinds[i];
    }
    return NULL;
}

static const struct weir_mount_kind *find_mount(const struct wr_registry *registry,
                                                const char *name) {
    for (size_t i = 0; i < registry->n_mounts; i++) {
        if (strcmp(registry->mounts[i]->name, name) == 0) return registry->mounts[i];
    }
    return NULL;
}

static int taken(const char *what, const char *name, struct weir_error *error) {
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710", "%s kind \"%s\" is registered already",
                        what, name);
}

static int add_kind(struct wr_registry *registry, const struct weir_table_kind *kind,
                    struct weir_error *error) {
    if (find_kind(registry, kind->name)) return taken("table", kind->name, error);
    const struct weir_table_kind **kinds =
        wr_reallocarray(registry->kinds, registry->n_kinds + 1, sizeof *kinds);
    if (!kinds) return wr_error_memory(error);
    kinds[registry->n_kinds++] = kind;
    registry->kinds = kinds;
    return WEIR_OK;
}

static int add_mount(struct wr_registry *registry, const struct weir_mount_kind *kind,
                     struct weir_error *error) {
    if (find_mount(registry, kind->name)) return taken("mount", kind->name, error);
    const struct weir_mount_kind **mounts =
        wr_reallocarray(registry->mounts, registry->n_mounts + 1, sizeof *mounts);
    if (!mounts) return wr_error_memory(error);
    mounts[registry->n_mounts++] = kind;
    registry->mounts = mounts;
    return WEIR_OK;
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

static int unknown_table_kind(const struct wr_registry *registry, const char *name,
                              struct weir_error *error) {
    if (!error) return WEIR_NOT_FOUND;
    const char **names = wr_reallocarray(NULL, registry->n_kinds, sizeof *names);
    for (size_t i = 0; names && i < registry->n_kinds; i++)
        names[i] = registry->kinds[i]->name;
    int code = unknown_kind("table", name, names, registry->n_kinds, error);
    wr_free(names);
    return code;
}

static int unknown_mount_kind(const struct wr_registry *registry, const char *name,
                              struct weir_error *error) {
    if (!error) return WEIR_NOT_FOUND;
    const char **names = wr_reallocarray(NULL, registry->n_mounts, sizeof *names);
    for (size_t i = 0; names && i < registry->n_mounts; i++)
        names[i] = registry->mounts[i]->name;
    int code = unknown_kind("mount", name, names, registry->n_mounts, error);
    wr_free(names);
    return code;
}

/* ---- From any thread ---- */

int wr_registry_add(struct wr_registry *registry, const struct weir_table_kind *kind,
                    struct weir_error *error) {
    WR_TRY(check_kind(kind, error));
    pthread_mutex_lock(&registry->mutex);
    int code = add_kind(registry, kind, error);
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

int wr_registry_add_mount(struct wr_registry *registry, const struct weir_mount_kind *kind,
                          struct weir_error *error) {
    WR_TRY(check_mount(kind, error));
    pthread_mutex_lock(&registry->mutex);
    int code = add_mount(registry, kind, error);
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

int wr_registry_find(struct wr_registry *registry, const char *name,
                     const struct weir_table_kind **ret_kind, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&registry->mutex);
    const struct weir_table_kind *kind = find_kind(registry, name);
    if (!kind) code = unknown_table_kind(registry, name, error);
    pthread_mutex_unlock(&registry->mutex);
    if (kind) *ret_kind = kind;
    return code;
}

int wr_registry_mount(struct wr_registry *registry, const char *name,
                      const struct weir_mount_kind **ret_kind, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&registry->mutex);
    const struct weir_mount_kind *kind = find_mount(registry, name);
    if (!kind) code = unknown_mount_kind(registry, name, error);
    pthread_mutex_unlock(&registry->mutex);
    if (kind) *ret_kind = kind;
    return code;
}

const struct weir_table_kind *wr_registry_role(struct wr_registry *registry, uint32_t role) {
    const struct weir_table_kind *kind = NULL;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = registry->n_kinds; i > 0 && !kind; i--) {
        if (registry->kinds[i - 1]->roles & role) kind = registry->kinds[i - 1];
    }
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}

/* ---- Walking: kinds are never taken out, so their number is all that the mutex must guard ---- */

static const struct weir_table_kind *table_kind_at(struct wr_registry *registry, size_t i) {
    pthread_mutex_lock(&registry->mutex);
    const struct weir_table_kind *kind = i < registry->n_kinds ? registry->kinds[i] : NULL;
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}

static const struct weir_mount_kind *mount_kind_at(struct wr_registry *registry, size_t i) {
    pthread_mutex_lock(&registry->mutex);
    const struct weir_mount_kind *kind = i < registry->n_mounts ? registry->mounts[i] : NULL;
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}

int wr_registry_each(struct wr_registry *registry, wr_kind_info_fn take, void *sink,
                     struct weir_error *error) {
    const struct weir_table_kind *table = NULL;
    const struct weir_mount_kind *mount = NULL;
    bool is_built_in = true; /* those come first */
    for (size_t i = 0; (table = table_kind_at(registry, i)); i++) {
        is_built_in = is_built_in && table == wr_builtin_kinds[i];
        struct wr_kind_info info = {"table kind", table->name, table->summary, is_built_in};
        WR_TRY(take(sink, &info, error));
    }
    is_built_in = true;
    for (size_t i = 0; (mount = mount_kind_at(registry, i)); i++) {
        is_built_in = is_built_in && mount == wr_builtin_mounts[i];
        struct wr_kind_info info = {"mount kind", mount->name, mount->summary, is_built_in};
        WR_TRY(take(sink, &info, error));
    }
    return WEIR_OK;
}
