/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: opened at first use and kept, attached and detached. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "catalog/names.h"
#include "catalog/users.h"
#include "store/access.h"
#include "table/cached/cached.h"

struct wr_mount {
    atomic_int references;
    const struct weir_mount_kind *kind;
    void *data;
    char *name;
    int64_t id;              /* in the store; 0: it is not there */
    struct wr_options cache; /* of its tables; no items: none */
};

/* ---- One mount ---- */

struct wr_mount *wr_mount_retain(struct wr_mount *mount) {
    atomic_fetch_add_explicit(&mount->references, 1, memory_order_relaxed);
    return mount;
}

void wr_mount_release(struct wr_mount *mount) {
    if (!mount) return;
    if (atomic_fetch_sub_explicit(&mount->references, 1, memory_order_acq_rel) > 1) return;
    mount->kind->close(mount->data);
    wr_options_reset(&mount->cache);
    wr_free(mount->name);
    wr_free(mount);
}

const struct weir_mount_kind *wr_mount_kind(const struct wr_mount *mount) {
    return mount->kind;
}

void *wr_mount_data(const struct wr_mount *mount) {
    return mount->data;
}

const struct wr_options *wr_mount_cache(const struct wr_mount *mount) {
    return &mount->cache;
}

const char *wr_mount_name(const struct wr_mount *mount) {
    return mount->name;
}

bool wr_mount_is_outside(const struct wr_mount *mount) {
    return strcmp(mount->name, "/") == 0 || wr_is_store_url(mount->name);
}

/* Around `data`, which stays the caller's on failure. */
static int mount_new(const struct weir_mount_kind *kind, const char *name, void *data, int64_t id,
                     struct wr_mount **ret_mount, struct weir_error *error) {
    struct wr_mount *mount = wr_calloc(1, sizeof *mount);
    char *copy = wr_strdup(name);
    if (!mount || !copy) {
        wr_free(mount);
        wr_free(copy);
        return wr_error_memory(error);
    }
    atomic_init(&mount->references, 1);
    mount->kind = kind;
    mount->data = data;
    mount->name = copy;
    mount->id = id;
    *ret_mount = mount;
    return WEIR_OK;
}

static int open_kind(const struct wr_registry *registry, const struct weir_mount_kind *kind,
                     const char *name, const struct wr_options *own, int64_t id,
                     struct wr_mount **ret_mount, struct weir_error *error) {
    const struct wr_stores *stores = wr_registry_stores(registry, kind);
    struct wr_definition definition = {
        .as =
            {
                .size = stores ? sizeof definition : sizeof definition.as,
                .catalog = name,
                .schema = kind->default_schema,
                .name = name,
                .kind = kind->name,
                .options = own->items,
                .n_options = own->n_items,
            },
        .stores = stores,
        .encodings = wr_registry_encodings(registry),
    };
    void *data = NULL;
    WR_TRY(kind->open(&definition.as, &data, error));
    int code = mount_new(kind, name, data, id, ret_mount, error);
    if (code) kind->close(data);
    return code;
}

static int open_resolved(const struct wr_registry *registry, const struct weir_mount_kind *kind,
                         const char *name, const struct wr_options *options, int64_t id,
                         struct wr_mount **ret_mount, struct weir_error *error) {
    struct wr_options own = {0};
    struct wr_options cache = {0};
    WR_TRY(wr_mount_options(options->items, options->n_items, &own, &cache, error));
    int code = wr_mount_identify(kind, &own, &cache, error);
    if (code == WEIR_OK) code = open_kind(registry, kind, name, &own, id, ret_mount, error);
    wr_options_erase(&own);
    if (code == WEIR_OK)
        (*ret_mount)->cache = cache;
    else
        wr_options_reset(&cache);
    return code;
}

/* With what ${env:NAME} and ${file:PATH} stand for. */
static int mount_open(const struct wr_registry *registry, const struct weir_mount_kind *kind,
                      const char *name, const struct wr_options *options, int64_t id,
                      struct wr_mount **ret_mount, struct weir_error *error) {
    struct wr_options resolved = {0};
    int code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < options->n_items; i++) {
        const struct weir_option *option = &options->items[i];
        char *value = NULL;
        code = wr_reference_resolve(option->value, NULL, &value, error);
        if (code) {
            code = wr_error_prefix(error, code, "mount \"%s\": option \"%s\"", name, option->key);
        } else {
            code = wr_options_add(&resolved, option->key, value, error);
            explicit_bzero(value, strlen(value));
        }
        wr_free(value);
    }
    if (code == WEIR_OK)
        code = open_resolved(registry, kind, name, &resolved, id, ret_mount, error);
    wr_options_erase(&resolved);
    return code;
}

int wr_mount_path(const struct wr_mount *mount, const char *schema, const char *name,
                  char **ret_path, struct weir_error *error) {
    char top[300];
    char *directory = NULL;
    snprintf(top, sizeof top, "the mount \"%s\"", mount->name);
    bool root = strcmp(schema, mount->kind->default_schema) == 0;
    WR_TRY(wr_path_join("", root ? "" : schema, top, &directory, error));
    int code = wr_path_join(directory, name, top, ret_path, error);
    wr_free(directory);
    return code;
}

int wr_mount_is_directory(const struct wr_mount *mount, const char *path, bool *ret_found,
                          struct weir_error *error) {
    struct weir_found found = {.size = sizeof found};
    int code = *path ? mount->kind->find(mount->data, path, &found, error) : WEIR_OK;
    if (code && code != WEIR_NOT_FOUND) return code;
    *ret_found = code == WEIR_OK && (!*path || found.entry.type == WEIR_ENTRY_DIRECTORY);
    if (found.release) found.release(&found);
    return WEIR_OK;
}

/* ---- Those that are not in the store ---- */

static void attached_free(struct wr_attached *attached) {
    if (!attached) return;
    wr_mount_release(attached->open);
    wr_options_reset(&attached->options);
    wr_free(attached->name);
    wr_free(attached->origin);
    wr_free(attached->url);
    wr_free(attached);
}

static int attached_new(const char *name, const char *origin, const struct weir_mount_kind *kind,
                        const struct weir_option *options, size_t n_options,
                        struct wr_attached **ret_attached, struct weir_error *error) {
    struct wr_attached *attached = wr_calloc(1, sizeof *attached);
    if (!attached) return wr_error_memory(error);
    attached->kind = kind;
    attached->name = wr_strdup(name);
    attached->origin = wr_strdup(origin);
    int code = attached->name && attached->origin ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK) code = wr_options_copy(options, n_options, &attached->options, error);
    if (code) {
        attached_free(attached);
        return code;
    }
    wr_options_spell(kind->options, kind->n_options, &attached->options);
    *ret_attached = attached;
    return WEIR_OK;
}

/* With the mutex held. */
static struct wr_attached *find_attached(struct wr_names *names, const char *name) {
    for (size_t i = 0; i < names->n_attached; i++) {
        if (strcmp(names->attached[i]->name, name) == 0) return names->attached[i];
    }
    return NULL;
}

/* With the mutex held. Takes it over on success. */
static int add_attached(struct wr_names *names, struct wr_attached *attached,
                        struct weir_error *error) {
    struct wr_attached **items =
        wr_reallocarray(names->attached, names->n_attached + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    items[names->n_attached++] = attached;
    names->attached = items;
    return WEIR_OK;
}

/* ---- Opened ones of the store, with the mutex held ---- */

static struct wr_mount **find_opened(struct wr_names *names, const char *name) {
    for (size_t i = 0; i < names->n_opened; i++) {
        if (strcmp(names->opened[i]->name, name) == 0) return &names->opened[i];
    }
    return NULL;
}

static struct wr_mount *take_opened(struct wr_names *names, struct wr_mount **place) {
    struct wr_mount *mount = *place;
    *place = names->opened[--names->n_opened];
    return mount;
}

static int reserve_opened(struct wr_names *names, struct weir_error *error) {
    struct wr_mount **items = wr_reallocarray(names->opened, names->n_opened + 1, sizeof *items);
    if (!items) return wr_error_memory(error);
    names->opened = items;
    return WEIR_OK;
}

/* ---- By name ---- */

static const struct weir_mount_kind *machine_kind(struct wr_names *names) {
    const struct weir_mount_kind *kind = NULL;
    wr_registry_mount(names->registry, wr_default_mount, &kind, NULL);
    return kind;
}

int wr_names_has_mount(struct wr_names *names, const char *name, bool *ret_found,
                       struct weir_error *error) {
    int64_t id = 0;
    bool found = find_attached(names, name) != NULL;
    if (!found && strcmp(name, "/") == 0) found = machine_kind(names) != NULL;
    if (!found) WR_TRY(wr_store_mount(names->store, name, &id, error));
    *ret_found = found || id != 0;
    return WEIR_OK;
}

int wr_names_has_top(struct wr_names *names, const char *name, bool *ret_own, bool *ret_mount,
                     struct weir_error *error) {
    int64_t id = 0;
    bool mount = false;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_catalog(names->store, name, &id, error);
    if (code == WEIR_OK && id == 0 && strcmp(name, "/") != 0) {
        code = wr_names_has_mount(names, name, &mount, error);
    }
    pthread_mutex_unlock(&names->mutex);
    WR_TRY(code);
    *ret_own = id != 0;
    *ret_mount = mount;
    return WEIR_OK;
}

/* What is known of a name: one of the first three at most. */
struct known {
    struct wr_mount *open; /* a reference */
    struct wr_attached *attached;
    int64_t id;
    struct wr_stored stored;
    struct wr_mount *stale; /* taken out, to be released without the mutex */
};

/* With the mutex held. */
static int look(struct wr_names *names, const char *name, struct known *known,
                struct weir_error *error) {
    known->attached = find_attached(names, name);
    if (known->attached) {
        if (known->attached->open) known->open = wr_mount_retain(known->attached->open);
        return WEIR_OK;
    }
    WR_TRY(wr_store_mount(names->store, name, &known->id, error));
    struct wr_mount **opened = find_opened(names, name);
    if (opened && (*opened)->id == known->id) {
        known->open = wr_mount_retain(*opened);
        return WEIR_OK;
    }
    if (opened) known->stale = take_opened(names, opened);
    if (known->id == 0) return WEIR_OK;
    return wr_store_load_mount(names->store, known->id, &known->stored, error);
}

static int open_attached(struct wr_names *names, struct wr_attached *attached,
                         struct wr_mount **ret_mount, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    int code = open_resolved(names->registry, attached->kind, attached->name, &attached->options, 0,
                             &mount, error);
    bool own = strcmp(attached->origin, "weir") == 0;
    if (code) return own ? code : wr_error_prefix(error, code, "%s", attached->origin);
    struct wr_mount *unused = NULL;
    pthread_mutex_lock(&names->mutex);
    if (attached->open) {
        /* Someone else was faster. */
        unused = mount;
    } else {
        attached->open = mount;
    }
    *ret_mount = wr_mount_retain(attached->open);
    pthread_mutex_unlock(&names->mutex);
    wr_mount_release(unused);
    return WEIR_OK;
}

static int open_stored(struct wr_names *names, const char *name, const struct known *known,
                       struct wr_mount **ret_mount, struct weir_error *error) {
    const struct weir_mount_kind *kind = NULL;
    struct wr_mount *mount = NULL;
    int code = wr_registry_mount(names->registry, known->stored.kind, &kind, error);
    if (code) return wr_error_prefix(error, code, "mount \"%s\"", name);
    WR_TRY(
        mount_open(names->registry, kind, name, &known->stored.options, known->id, &mount, error));
    pthread_mutex_lock(&names->mutex);
    /* Someone else may have been faster. */
    if (!find_opened(names, name)) {
        code = reserve_opened(names, error);
        if (code == WEIR_OK) names->opened[names->n_opened++] = wr_mount_retain(mount);
    }
    pthread_mutex_unlock(&names->mutex);
    if (code) {
        wr_mount_release(mount);
        return code;
    }
    *ret_mount = mount;
    return WEIR_OK;
}

int wr_names_store_mount(struct wr_names *names, const char *root, struct wr_mount **ret_mount,
                         struct weir_error *error) {
    const struct weir_mount_kind *kind = machine_kind(names);
    struct weir_option url = {"url", root};
    const struct wr_options options = {&url, 1};
    if (!kind)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\": no kind of mount serves stores", root);
    return open_kind(names->registry, kind, root, &options, 0, ret_mount, error);
}

/* The machine's own files, once something asks for them. */
static int open_machine(struct wr_names *names, struct wr_mount **ret_mount,
                        struct weir_error *error) {
    const struct weir_mount_kind *kind = machine_kind(names);
    if (!kind) return WEIR_OK;
    struct wr_attached *attached = NULL;
    struct wr_attached *unused = NULL;
    WR_TRY(attached_new("/", "weir", kind, &(struct weir_option){"url", "/"}, 1, &attached, error));
    pthread_mutex_lock(&names->mutex);
    struct wr_attached *faster = find_attached(names, "/");
    int code = faster ? WEIR_OK : add_attached(names, attached, error);
    if (faster || code) unused = attached;
    pthread_mutex_unlock(&names->mutex);
    attached_free(unused);
    WR_TRY(code);
    return open_attached(names, faster ? faster : attached, ret_mount, error);
}

int wr_names_mount(struct wr_names *names, const char *name, struct wr_mount **ret_mount,
                   struct weir_error *error) {
    struct known known = {0};
    pthread_mutex_lock(&names->mutex);
    int code = look(names, name, &known, error);
    pthread_mutex_unlock(&names->mutex);
    if (known.stale) wr_recent_forget(names, name);
    wr_mount_release(known.stale);
    struct wr_mount *mount = known.open;
    if (code == WEIR_OK && !mount) {
        if (known.attached) {
            code = open_attached(names, known.attached, &mount, error);
        } else if (known.id) {
            code = open_stored(names, name, &known, &mount, error);
        } else if (strcmp(name, "/") == 0) {
            code = open_machine(names, &mount, error);
        }
    }
    wr_stored_reset(&known.stored);
    if (code == WEIR_OK) *ret_mount = mount;
    return code;
}

void wr_names_close_mounts(struct wr_names *names) {
    for (size_t i = 0; i < names->n_attached; i++)
        attached_free(names->attached[i]);
    for (size_t i = 0; i < names->n_opened; i++)
        wr_mount_release(names->opened[i]);
    wr_free(names->attached);
    wr_free(names->opened);
    names->attached = NULL;
    names->opened = NULL;
    names->n_attached = names->n_opened = 0;
}

/* ---- Attach ---- */

static int check_name(const char *name, struct weir_error *error) {
    bool good = name && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (const char *c = name; good && *c; c++)
        good = *c != '/' && (unsigned char)*c >= ' ' && *c != 0x7F;
    if (good) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42602",
                        "\"%s\" cannot be a mount's name: it is a path's first component, which is "
                        "not empty, \".\" or \"..\" and holds neither '/' nor control characters",
                        name ? name : "");
}

/* With the mutex held. Whether the name is taken: by a catalog, or by a mount (`ret_mount`). */
static int check_free(struct wr_names *names, const char *name, bool stored, bool *ret_mount,
                      struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_catalog(names->store, name, &id, error));
    if (id != 0) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P04",
                            "there is a catalog \"%s\" already; give the mount another name", name);
    }
    const struct wr_attached *attached = find_attached(names, name);
    if (!attached && stored) WR_TRY(wr_store_mount(names->store, name, &id, error));
    *ret_mount = attached || id != 0;
    return WEIR_OK;
}

static int mount_exists(struct wr_names *names, const char *name, struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    const struct wr_attached *attached = find_attached(names, name);
    int code =
        wr_error_set(error, WEIR_ALREADY_EXISTS, "42P04",
                     attached ? "there is a mount \"%s\" already, from %s; choose another name"
                              : "there is a mount \"%s\" already; DETACH it first, or choose "
                                "another name",
                     name, attached ? attached->origin : "");
    pthread_mutex_unlock(&names->mutex);
    return code;
}

static int attach_in_memory(struct wr_names *names, const struct weir_definition *definition,
                            const struct weir_mount_kind *kind, const char *origin, const char *url,
                            bool *ret_taken, struct weir_error *error) {
    struct wr_attached *attached = NULL;
    WR_TRY(attached_new(definition->name, origin, kind, definition->options, definition->n_options,
                        &attached, error));
    bool taken = false;
    attached->url = wr_strdup(url);
    pthread_mutex_lock(&names->mutex);
    int code = url && !attached->url ? wr_error_memory(error)
                                     : check_free(names, definition->name, false, &taken, error);
    if (code == WEIR_OK && !taken) code = add_attached(names, attached, error);
    pthread_mutex_unlock(&names->mutex);
    if (code || taken) attached_free(attached);
    if (code == WEIR_OK) *ret_taken = taken;
    return code;
}

/* Looks again and stores, in one transaction, with the mutex held. */
static int store_mount(struct wr_names *names, const struct weir_definition *definition,
                       struct wr_mount *mount, bool *ret_taken, struct weir_error *error) {
    WR_TRY(reserve_opened(names, error));
    WR_TRY(wr_store_begin(names->store, error));
    int code = check_free(names, definition->name, true, ret_taken, error);
    if (code == WEIR_OK && !*ret_taken) {
        code = wr_store_add_mount(names->store, definition, &mount->id, error);
    }
    return wr_store_end(names->store, code, error);
}

static int attach_stored(struct wr_names *names, const struct weir_definition *definition,
                         const struct weir_mount_kind *kind, bool *ret_taken,
                         struct weir_error *error) {
    struct wr_options options = {0};
    struct wr_mount *mount = NULL;
    struct wr_mount *stale = NULL;
    bool taken = false;
    char owner[300];
    snprintf(owner, sizeof owner, "ATTACH ... AS \"%s\"", definition->name);
    WR_TRY(wr_names_check_secrets(names, owner, definition->options, definition->n_options, error));
    WR_TRY(wr_options_copy(definition->options, definition->n_options, &options, error));
    wr_options_spell(kind->options, kind->n_options, &options);
    int code = mount_open(names->registry, kind, definition->name, &options, 0, &mount, error);
    if (code == WEIR_OK) {
        struct weir_definition spelled = *definition;
        spelled.options = options.items;
        pthread_mutex_lock(&names->mutex);
        code = store_mount(names, &spelled, mount, &taken, error);
        if (code == WEIR_OK && !taken) {
            struct wr_mount **opened = find_opened(names, definition->name);
            if (opened) stale = take_opened(names, opened);
            names->opened[names->n_opened++] = wr_mount_retain(mount);
        }
        pthread_mutex_unlock(&names->mutex);
        if (stale) wr_recent_forget(names, definition->name);
    }
    wr_mount_release(stale);
    wr_mount_release(mount);
    wr_options_reset(&options);
    if (code == WEIR_OK) *ret_taken = taken;
    return code;
}

static int check_options(const char *owner, const struct weir_mount_kind *kind,
                         const struct weir_definition *definition, struct weir_error *error) {
    struct wr_options own = {0};
    struct wr_options cache = {0};
    char of_cache[340];
    snprintf(of_cache, sizeof of_cache, "%s, its cache", owner);
    WR_TRY(wr_mount_options(definition->options, definition->n_options, &own, &cache, error));
    int code =
        wr_options_check(owner, kind->options, kind->n_options, own.items, own.n_items, error);
    if (code == WEIR_OK && cache.n_items > 0)
        code = wr_cached_check(of_cache, cache.items, cache.n_items, error);
    wr_options_reset(&own);
    wr_options_reset(&cache);
    return code;
}

static int attach(struct wr_names *names, const struct weir_definition *definition,
                  const char *origin, const char *url, int flags, struct weir_error *error) {
    const char *name = definition->name;
    const struct weir_mount_kind *kind = NULL;
    bool stored = strcmp(origin, "sql") == 0;
    bool taken = false;
    WR_TRY(check_name(name, error));
    pthread_mutex_lock(&names->mutex);
    int code = check_free(names, name, stored, &taken, error);
    pthread_mutex_unlock(&names->mutex);
    WR_TRY(code);
    if (!taken) {
        code = wr_registry_mount(names->registry, definition->kind, &kind, error);
        if (code) return wr_error_prefix(error, code, "mount \"%s\"", name);
        char owner[300];
        snprintf(owner, sizeof owner, "mount \"%s\" (kind %s)", name, kind->name);
        WR_TRY(check_options(owner, kind, definition, error));
        WR_TRY(stored ? attach_stored(names, definition, kind, &taken, error)
                      : attach_in_memory(names, definition, kind, origin, url, &taken, error));
    }
    if (!taken || (flags & WR_CREATE_IF_NOT_EXISTS)) return WEIR_OK;
    return mount_exists(names, name, error);
}

int wr_names_attach(struct wr_names *names, const struct weir_definition *definition,
                    const char *origin, int flags, struct weir_error *error) {
    return attach(names, definition, origin, NULL, flags, error);
}

int wr_names_attach_configured(struct wr_names *names, const struct weir_definition *definition,
                               const char *origin, const char *url, struct weir_error *error) {
    return attach(names, definition, origin, url, 0, error);
}

int wr_names_add_mount(struct wr_names *names, const char *name, const struct weir_mount_kind *kind,
                       void *mount, struct weir_error *error) {
    struct wr_attached *attached = NULL;
    bool taken = false;
    WR_TRY(attached_new(name, "weir", kind, NULL, 0, &attached, error));
    int code = mount_new(kind, name, mount, 0, &attached->open, error);
    if (code == WEIR_OK) {
        pthread_mutex_lock(&names->mutex);
        code = check_free(names, name, false, &taken, error);
        if (code == WEIR_OK && !taken) code = add_attached(names, attached, error);
        pthread_mutex_unlock(&names->mutex);
    }
    if (code == WEIR_OK && taken) code = mount_exists(names, name, error);
    if (code == WEIR_OK) return code;
    if (attached->open) {
        /* The mount stays the caller's. */
        wr_free(attached->open->name);
        wr_free(attached->open);
        attached->open = NULL;
    }
    attached_free(attached);
    return code;
}

/* ---- Detach ---- */

/* With the mutex held. */
static int unknown_mount(struct wr_names *names, const char *name, struct weir_error *error) {
    struct wr_name_list list = {0};
    int code = wr_store_list_mounts(names->store, wr_name_list_add, &list, error);
    if (code == WEIR_OK) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "3D000", "there is no mount \"%s\"", name);
        wr_name_list_suggest(&list, name, error);
    }
    wr_name_list_reset(&list);
    return code;
}

/* With the mutex held. */
static int no_mount(struct wr_names *names, const char *name, bool if_exists,
                    struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_catalog(names->store, name, &id, error));
    if (id != 0) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            "\"%s\" is a catalog of the workspace and no mount", name);
    }
    if (if_exists) return WEIR_OK;
    return unknown_mount(names, name, error);
}

/* With the mutex held. */
static int detach(struct wr_names *names, const char *name, bool if_exists,
                  struct wr_mount **ret_old, struct weir_error *error) {
    int64_t id = 0;
    const struct wr_attached *attached = find_attached(names, name);
    if (attached) {
        bool own = strcmp(attached->origin, "weir") == 0;
        return wr_error_set(error, WEIR_INVALID_STATE, "55006",
                            own ? "\"%s\" is a mount of weir itself: it cannot be detached"
                                : "the mount \"%s\" comes from %s; take it out there",
                            name, attached->origin);
    }
    WR_TRY(wr_store_begin(names->store, error));
    int code = wr_store_mount(names->store, name, &id, error);
    if (code == WEIR_OK && id != 0)
        code = wr_grants_forget(names, &(struct wr_name){name, "", ""}, error);
    if (code == WEIR_OK && id != 0) code = wr_store_drop_mount(names->store, id, error);
    if (code == WEIR_OK && id == 0) code = no_mount(names, name, if_exists, error);
    WR_TRY(wr_store_end(names->store, code, error));
    struct wr_mount **opened = find_opened(names, name);
    if (opened) *ret_old = take_opened(names, opened);
    return WEIR_OK;
}

int wr_names_detach(struct wr_names *names, const char *name, bool if_exists,
                    struct weir_error *error) {
    struct wr_mount *old = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = detach(names, name, if_exists, &old, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) wr_recent_forget(names, name);
    wr_mount_release(old);
    return code;
}

/* ---- Refresh ---- */

int wr_names_refresh_mount(struct wr_names *names, const char *name, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    WR_TRY(wr_names_mount(names, name, &mount, error));
    if (!mount) {
        pthread_mutex_lock(&names->mutex);
        int code = no_mount(names, name, false, error);
        pthread_mutex_unlock(&names->mutex);
        return code;
    }
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    int code = kind->refresh ? kind->refresh(wr_mount_data(mount), "", error) : WEIR_OK;
    wr_recent_forget(names, name);
    wr_mount_release(mount);
    return code;
}
