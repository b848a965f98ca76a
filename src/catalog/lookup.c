/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to an open table. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "catalog/gate.h"
#include "catalog/names.h"

/* ---- The catalogs' own tables ---- */

int wr_names_open_stored(struct wr_names *names, const struct wr_name *name, int64_t id,
                         struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_stored stored = {0};
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_load(names->store, id, &stored, error);
    pthread_mutex_unlock(&names->mutex);
    WR_TRY(code);
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = stored.kind,
        .options = stored.options.items,
        .n_options = stored.options.n_items,
        .columns = stored.columns.release ? &stored.columns : NULL,
    };
    code = wr_instance_open(names->registry, &definition, ret_instance, error);
    wr_stored_reset(&stored);
    return code;
}

/* What the maps and the store say of a name, with the mutex held. *ret_instance gets a reference if
 * it is open. */
static int find(struct wr_names *names, const struct wr_name *name, int64_t *ret_id,
                struct wr_instance **ret_instance, struct wr_instance **ret_stale,
                struct weir_error *error) {
    struct wr_entry *entry = wr_names_entry(names, name, true);
    if (entry) {
        *ret_instance = wr_instance_retain(entry->instance);
        return WEIR_OK;
    }
    WR_TRY(wr_store_table(names->store, name->catalog, name->schema, name->name, ret_id, error));
    entry = wr_names_entry(names, name, false);
    if (!entry) return WEIR_OK;
    if (entry->id == *ret_id) {
        *ret_instance = wr_instance_retain(entry->instance);
    } else {
        *ret_stale = wr_names_take(names, entry);
    }
    return WEIR_OK;
}

/* Keeps a newly opened table for the next lookup, unless someone else was faster. */
static int keep(struct wr_names *names, const struct wr_name *name, int64_t id,
                struct wr_instance *instance, struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = WEIR_OK;
    if (!wr_names_entry(names, name, false)) {
        code = wr_names_reserve(names, error);
        if (code == WEIR_OK) {
            wr_names_put(names, (struct wr_entry){wr_instance_retain(instance), id, false});
        }
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}

int wr_names_open_own(struct wr_names *names, const struct wr_name *name,
                      struct wr_instance **ret_instance, struct weir_error *error) {
    int64_t id = 0;
    struct wr_instance *stale = NULL;
    struct wr_instance *instance = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = find(names, name, &id, &instance, &stale, error);
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(stale);
    WR_TRY(code);
    if (!instance && id != 0) {
        WR_TRY(wr_names_open_stored(names, name, id, &instance, error));
        code = keep(names, name, id, instance, error);
        if (code) {
            wr_instance_release(instance);
            return code;
        }
    }
    if (instance) *ret_instance = instance;
    return WEIR_OK;
}

int wr_names_has_table(struct wr_names *names, const struct wr_name *name, bool *ret_found,
                       struct weir_error *error) {
    int64_t id = 0;
    pthread_mutex_lock(&names->mutex);
    bool temporary = wr_names_entry(names, name, true) != NULL;
    int code = WEIR_OK;
    if (!temporary) {
        code = wr_store_table(names->store, name->catalog, name->schema, name->name, &id, error);
    }
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) *ret_found = temporary || id != 0;
    return code;
}

bool wr_names_is_registered(struct wr_names *names, const struct wr_name *name) {
    pthread_mutex_lock(&names->mutex);
    const struct wr_entry *entry = wr_names_entry(names, name, true);
    bool registered = entry && entry->registered;
    pthread_mutex_unlock(&names->mutex);
    return registered;
}

/* ---- What is asked for ---- */

/* A name, and the options of a call. */
struct request {
    struct wr_name name;
    const struct weir_option *options; /* NULL: it is no call, not even one without any */
    size_t n_options;
    const struct wr_gate *gate; /* NULL: everything may be seen */
};

/* Whether the table is there, for the one who asks. */
static int is_seen(struct wr_names *names, const struct request *request, bool *ret_seen,
                   struct weir_error *error) {
    const struct wr_gate *gate = request->gate;
    bool found = true;
    if (gate) WR_TRY(wr_names_has_table(names, &request->name, &found, error));
    int code = gate && found ? gate->table(gate->context, &request->name, error) : WEIR_OK;
    if (code && code != WEIR_NOT_FOUND) return code;
    *ret_seen = found && code == WEIR_OK;
    return WEIR_OK;
}

/* wr_names_has_top for the one who asks. */
static int has_top(struct wr_names *names, const struct request *request, const char *name,
                   bool *ret_own, bool *ret_mounted, struct weir_error *error) {
    const struct wr_gate *gate = request->gate;
    WR_TRY(wr_names_has_top(names, name, ret_own, ret_mounted, error));
    if (!gate || gate->sees(gate->context, name, NULL, NULL)) return WEIR_OK;
    *ret_own = *ret_mounted = false;
    return WEIR_OK;
}

static int check_path(const struct request *request, const char *path, struct weir_error *error) {
    const struct wr_gate *gate = request->gate;
    return gate ? gate->path(gate->context, path, error) : WEIR_OK;
}

/* Puts the table with the call's options in the place of *instance. */
static int with_parameters(struct wr_names *names, const struct request *request,
                           struct wr_instance **instance, struct weir_error *error) {
    if (request->n_options == 0 || !*instance) return WEIR_OK;
    struct weir_definition definition = *wr_instance_definition(*instance);
    struct wr_options options = {0};
    struct wr_instance *called = NULL;
    int code = wr_call_options(wr_instance_kind(*instance), definition.name, definition.options,
                               definition.n_options, request->options, request->n_options, &options,
                               error);
    if (code == WEIR_OK) {
        definition.options = options.items;
        definition.n_options = options.n_items;
        code = wr_instance_open(names->registry, &definition, &called, error);
    }
    wr_options_reset(&options);
    wr_instance_release(*instance);
    *instance = called;
    return code;
}

static int open_own(struct wr_names *names, const struct request *request,
                    struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_instance *instance = NULL;
    bool seen = false;
    WR_TRY(is_seen(names, request, &seen, error));
    if (!seen) return WEIR_OK;
    WR_TRY(wr_names_open_own(names, &request->name, &instance, error));
    WR_TRY(with_parameters(names, request, &instance, error));
    *ret_instance = instance;
    return WEIR_OK;
}

/* `FROM kind(key => value)`, when there is such a kind and the name is no table's. */
static int open_kind(struct wr_names *names, const struct request *request,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    const struct wr_name *name = &request->name;
    const struct weir_table_kind *kind = NULL;
    int code = wr_registry_find(names->registry, name->name, &kind, error);
    if (code) {
        return wr_error_prefix(error, code, "\"%s\" is no table of %s.%s", name->name,
                               name->catalog, name->schema);
    }
    const struct wr_gate *gate = request->gate;
    if (gate) WR_TRY(gate->kind(gate->context, kind, request->options, request->n_options, error));
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = kind->name,
        .options = request->options,
        .n_options = request->n_options,
    };
    return wr_instance_open(names->registry, &definition, ret_instance, error);
}

/* ---- Paths ---- */

static bool looks_like_path(const char *name) {
    return strpbrk(name, "/.*?[") != NULL;
}

/* What a path and the options of its call lead to. */
static int check_role(const struct request *request, const struct weir_table_kind *kind,
                      struct weir_error *error) {
    const struct wr_gate *gate = request->gate;
    char *directory = NULL;
    char *path = NULL;
    if (!gate) return WEIR_OK;
    if (request->n_options > 0)
        WR_TRY(gate->kind(gate->context, kind, request->options, request->n_options, error));
    const char *name = request->name.name;
    if (*name == '/' || wr_scheme_length(name) > 0) return gate->path(gate->context, name, error);
    WR_TRY(wr_current_directory(&directory, error));
    int code = wr_path_join(directory, name, "the machine's root", &path, error);
    wr_free(directory);
    WR_TRY(code);
    code = gate->path(gate->context, path, error);
    wr_free(path);
    return code;
}

/* The kind of WEIR_ROLE_PATH, where no mount serves. Not kept: a relative path is another file's in
 * another directory, and it may be a pipe's. */
static int open_by_role(struct wr_names *names, const struct request *request,
                        struct wr_instance **ret_instance, struct weir_error *error) {
    const struct wr_name *name = &request->name;
    const struct weir_table_kind *kind = wr_registry_role(names->registry, WEIR_ROLE_PATH);
    struct wr_options options = {0};
    if (!kind) return WEIR_OK;
    WR_TRY(check_role(request, kind, error));
    struct weir_option path = {"path", name->name};
    WR_TRY(wr_call_options(kind, name->name, &path, 1, request->options, request->n_options,
                           &options, error));
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = name->catalog,
        .schema = name->schema,
        .name = name->name,
        .kind = kind->name,
        .options = options.items,
        .n_options = options.n_items,
    };
    int code = wr_instance_open(names->registry, &definition, ret_instance, error);
    wr_options_reset(&options);
    return code;
}

static int no_such_table(struct wr_names *names, const struct wr_place *place,
                         struct weir_error *error) {
    struct wr_name_list list = {0};
    pthread_mutex_lock(&names->mutex);
    int code = wr_names_collect(names, place->catalog, place->schema, &list, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "\"%s\": there is no table \"%s\" in %s.%s", place->path, place->name,
                            place->catalog, place->schema);
        wr_name_list_suggest(&list, place->name, error);
    }
    wr_name_list_reset(&list);
    return code;
}

static int open_place(struct wr_names *names, const struct wr_place *place,
                      const struct request *request, struct wr_instance **ret_instance,
                      struct weir_error *error) {
    if (place->type == WR_PLACE_MOUNT) {
        if (strcmp(wr_mount_name(place->mount), "/") == 0)
            WR_TRY(check_path(request, place->path, error));
        return wr_mount_open_table(names, request->gate, place->mount, place->within,
                                   request->options, request->n_options, ret_instance, error);
    }
    if (place->type != WR_PLACE_TABLE) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809", "\"%s\" is %s and no table",
                            place->path,
                            place->type == WR_PLACE_TOP       ? "the top of the tree"
                            : place->type == WR_PLACE_CATALOG ? "a catalog"
                                                              : "a schema");
    }
    struct request own = *request;
    struct wr_instance *instance = NULL;
    own.name = (struct wr_name){place->catalog, place->schema, place->name};
    WR_TRY(open_own(names, &own, &instance, error));
    if (!instance) return no_such_table(names, place, error);
    *ret_instance = instance;
    return WEIR_OK;
}

/* A relative path, which stands in the current directory. That there is nothing is left to be said
 * by the kind that reads paths, in the words of who asked. */
static int open_relative(struct wr_names *names, const struct request *request,
                         struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_place place = {0};
    char *directory = NULL;
    WR_TRY(wr_current_directory(&directory, error));
    int code = wr_names_machine(names, directory, request->name.name, &place, error);
    wr_free(directory);
    WR_TRY(code);
    bool mounted = place.type != 0;
    if (mounted) code = open_place(names, &place, request, ret_instance, error);
    wr_place_reset(&place);
    if (mounted && code != WEIR_NOT_FOUND) return code;
    WR_TRY(open_by_role(names, request, ret_instance, error));
    return *ret_instance ? WEIR_OK : code;
}

/* Where an absolute path leads. What is not to be seen of the tree is a path of the machine. */
static int follow(struct wr_names *names, const struct request *request, struct wr_place *place,
                  struct weir_error *error) {
    const struct wr_gate *gate = request->gate;
    WR_TRY(wr_names_follow(names, request->name.name, place, error));
    const char *top = place->type == WR_PLACE_MOUNT ? wr_mount_name(place->mount) : place->catalog;
    if (!gate || !top || strcmp(top, "/") == 0) return WEIR_OK;
    if (gate->sees(gate->context, top, NULL, NULL)) return WEIR_OK;
    wr_place_reset(place);
    *place = (struct wr_place){0};
    return WEIR_OK;
}

/* A relative path of the machine, an absolute one of the tree or the machine, or a URL. */
static int open_path(struct wr_names *names, const struct request *request,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    const char *path = request->name.name;
    struct wr_place place = {0};
    if (wr_scheme_length(path) > 0) return open_by_role(names, request, ret_instance, error);
    if (*path != '/') return open_relative(names, request, ret_instance, error);
    WR_TRY(follow(names, request, &place, error));
    int code = place.type == 0 ? open_by_role(names, request, ret_instance, error)
                               : open_place(names, &place, request, ret_instance, error);
    wr_place_reset(&place);
    return code;
}

/* ---- Full names ---- */

/* A path may stand wherever an unqualified name can lead: in the default schema, and in any that a
 * session may be in. */
static int open_in_catalog(struct wr_names *names, const struct request *request,
                           struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_instance *instance = NULL;
    WR_TRY(open_own(names, request, &instance, error));
    if (!instance && looks_like_path(request->name.name)) {
        WR_TRY(open_path(names, request, &instance, error));
    }
    if (!instance && request->options) WR_TRY(open_kind(names, request, &instance, error));
    *ret_instance = instance;
    return WEIR_OK;
}

static int open_in_mount(struct wr_names *names, struct wr_mount *mount,
                         const struct request *request, struct wr_instance **ret_instance,
                         struct weir_error *error) {
    const struct wr_name *name = &request->name;
    char *within = NULL;
    if (*name->name == '/' || wr_scheme_length(name->name) > 0) {
        return open_path(names, request, ret_instance, error);
    }
    WR_TRY(wr_mount_path(mount, name->schema, name->name, &within, error));
    int code = wr_mount_open_table(names, request->gate, mount, within, request->options,
                                   request->n_options, ret_instance, error);
    wr_free(within);
    return code;
}

int wr_names_has_schema(struct wr_names *names, const char *catalog, const char *schema,
                        bool *ret_found, struct weir_error *error) {
    bool own = false;
    bool mounted = strcmp(catalog, "/") == 0;
    struct wr_mount *mount = NULL;
    char *directory = NULL;
    int64_t id = 0;
    if (!mounted) WR_TRY(wr_names_has_top(names, catalog, &own, &mounted, error));
    if (own) {
        pthread_mutex_lock(&names->mutex);
        int code = wr_store_schema(names->store, catalog, schema, &id, error);
        pthread_mutex_unlock(&names->mutex);
        if (code == WEIR_OK) *ret_found = id != 0;
        return code;
    }
    if (mounted) WR_TRY(wr_names_mount(names, catalog, &mount, error));
    if (!mount) {
        *ret_found = false;
        return WEIR_OK;
    }
    int code = wr_mount_path(mount, schema, "", &directory, error);
    if (code == WEIR_OK) code = wr_mount_is_directory(mount, directory, ret_found, error);
    wr_free(directory);
    wr_mount_release(mount);
    return code;
}

/* When (catalog, schema) is nowhere but the schema's name is a catalog's or a mount's, its default
 * schema is meant. */
static int open_shifted(struct wr_names *names, const struct request *request, bool *ret_shifted,
                        struct wr_instance **ret_instance, struct weir_error *error) {
    struct request shifted = *request;
    struct wr_mount *mount = NULL;
    bool own = false;
    bool mounted = false;
    bool found = false;
    shifted.name.catalog = request->name.schema;
    WR_TRY(has_top(names, request, shifted.name.catalog, &own, &mounted, error));
    *ret_shifted = own || mounted;
    if (own) {
        shifted.name.schema = names->schema;
        WR_TRY(wr_names_has_schema(names, shifted.name.catalog, names->schema, &found, error));
        return found ? open_in_catalog(names, &shifted, ret_instance, error) : WEIR_OK;
    }
    if (mounted) WR_TRY(wr_names_mount(names, shifted.name.catalog, &mount, error));
    if (!mount) return WEIR_OK;
    shifted.name.schema = wr_mount_kind(mount)->default_schema;
    int code = open_in_mount(names, mount, &shifted, ret_instance, error);
    wr_mount_release(mount);
    return code;
}

/* In a mount that is the look-up's catalog. */
static int open_mounted(struct wr_names *names, struct wr_mount *mount,
                        const struct request *request, struct wr_instance **ret_instance,
                        struct weir_error *error) {
    const struct wr_name *name = &request->name;
    const struct weir_table_kind *kind = NULL;
    struct weir_error first = {0};
    bool found = false;
    bool shifted = false;
    int code = open_in_mount(names, mount, request, ret_instance, &first);
    if (code == WEIR_NOT_FOUND) {
        WR_TRY(wr_names_has_schema(names, name->catalog, name->schema, &found, error));
        if (!found) WR_TRY(open_shifted(names, request, &shifted, ret_instance, error));
        if (shifted) return WEIR_OK;
        if (found && request->options) wr_registry_find(names->registry, name->name, &kind, NULL);
        if (kind) return open_kind(names, request, ret_instance, error);
    }
    if (code && error) *error = first;
    return code;
}

static int open_name(struct wr_names *names, const struct request *request,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    const struct wr_name *name = &request->name;
    struct wr_mount *mount = NULL;
    bool own = false;
    bool mounted = strcmp(name->catalog, "/") == 0;
    bool found = false;
    bool shifted = false;
    /* First what is asked for most. */
    WR_TRY(open_own(names, request, ret_instance, error));
    if (*ret_instance) return WEIR_OK;
    if (!mounted) WR_TRY(has_top(names, request, name->catalog, &own, &mounted, error));
    if (mounted) WR_TRY(wr_names_mount(names, name->catalog, &mount, error));
    if (mount) {
        int code = open_mounted(names, mount, request, ret_instance, error);
        wr_mount_release(mount);
        return code;
    }
    if (!own) return WEIR_OK;
    WR_TRY(wr_names_has_schema(names, name->catalog, name->schema, &found, error));
    if (!found) return open_shifted(names, request, &shifted, ret_instance, error);
    return open_in_catalog(names, request, ret_instance, error);
}

int wr_names_open_gated(struct wr_names *names, const struct wr_gate *gate,
                        const struct wr_name *name, const struct weir_option *options,
                        size_t n_options, struct wr_instance **ret_instance,
                        struct weir_error *error) {
    struct request request = {*name, options, n_options, gate};
    struct wr_instance *instance = NULL;
    WR_TRY(open_name(names, &request, &instance, error));
    *ret_instance = instance;
    return WEIR_OK;
}

int wr_names_open_table(struct wr_names *names, const struct wr_name *name,
                        const struct weir_option *options, size_t n_options,
                        struct wr_instance **ret_instance, struct weir_error *error) {
    return wr_names_open_gated(names, NULL, name, options, n_options, ret_instance, error);
}

/* ---- What the engine asks ---- */

/* 1 where it cannot be said, and in mounts: the look-up of the table says where it looked. */
int wr_names_has(void *context, const char *catalog, const char *schema) {
    struct wr_names *names = context;
    bool own = false;
    bool mounted = strcmp(catalog, "/") == 0;
    bool found = false;
    if (!mounted && wr_names_has_top(names, catalog, &own, &mounted, NULL)) return 1;
    if (!own && !mounted) return 0;
    if (!schema || mounted) return 1;
    if (wr_names_has_schema(names, catalog, schema, &found, NULL)) return 1;
    if (found) return 1;
    /* A name of two parts, the first of which is a catalog or a mount. */
    if (wr_names_has_top(names, schema, &own, &mounted, NULL)) return 1;
    return own || mounted;
}

/* A view of a catalog: what it reads was its maker's to read. Not one that a call makes up. */
static int has_own_rights(struct wr_names *names, const struct wr_instance *instance,
                          int32_t *ret_has, struct weir_error *error) {
    const struct weir_definition *view = wr_instance_definition(instance);
    const struct wr_name name = {view->catalog, view->schema, view->name};
    bool found = false;
    if (!(wr_instance_kind(instance)->roles & WEIR_ROLE_VIEW)) return WEIR_OK;
    WR_TRY(wr_names_has_table(names, &name, &found, error));
    *ret_has = found;
    return WEIR_OK;
}

int wr_names_table_gated(struct wr_names *names, const struct wr_gate *gate,
                         const struct wr_name *name, const struct weir_option *options,
                         size_t n_options, struct wr_table *ret_table, struct weir_error *error) {
    struct wr_instance *instance = NULL;
    int found = wr_names_open_gated(names, gate, name, options, n_options, &instance, error);
    if (found && !(found == WEIR_NOT_FOUND && wr_names_is_expected(names, name))) return found;
    if (!instance) return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "%s", "");
    struct wr_table table = {0};
    int code = wr_instance_table(instance, &table, error);
    if (code == WEIR_OK && n_options == 0) {
        code = has_own_rights(names, instance, &table.has_own_rights, error);
        if (code) table.release(&table);
    }
    wr_instance_release(instance);
    if (code == WEIR_OK) *ret_table = table;
    return code;
}

int wr_names_table(void *context, const char *catalog, const char *schema, const char *name,
                   const struct weir_option *options, size_t n_options, struct wr_table *ret_table,
                   struct weir_error *error) {
    const struct wr_name asked = {catalog, schema, name};
    return wr_names_table_gated(context, NULL, &asked, options, n_options, ret_table, error);
}

/* ---- Where DDL leads ---- */

int wr_names_resolve(struct wr_names *names, const char **catalog, const char **schema,
                     struct weir_error *error) {
    bool own = false;
    bool mounted = false;
    bool found = false;
    WR_TRY(wr_names_has_top(names, *catalog, &own, &mounted, error));
    if (!own) return WEIR_OK;
    WR_TRY(wr_names_has_schema(names, *catalog, *schema, &found, error));
    if (found) return WEIR_OK;
    WR_TRY(wr_names_has_top(names, *schema, &own, &mounted, error));
    if (own) WR_TRY(wr_names_has_schema(names, *schema, names->schema, &found, error));
    if (!found) return WEIR_OK;
    *catalog = *schema;
    *schema = names->schema;
    return WEIR_OK;
}

int wr_names_canonical(struct wr_names *names, struct wr_name *name, struct weir_error *error) {
    struct wr_mount *mount = NULL;
    bool own = false;
    bool mounted = false;
    bool found = false;
    WR_TRY(wr_names_has_top(names, name->catalog, &own, &mounted, error));
    if (!own) return WEIR_OK;
    WR_TRY(wr_names_has_schema(names, name->catalog, name->schema, &found, error));
    if (found) return WEIR_OK;
    WR_TRY(wr_names_has_top(names, name->schema, &own, &mounted, error));
    if (mounted) WR_TRY(wr_names_mount(names, name->schema, &mount, error));
    if (!own && !mount) return WEIR_OK;
    name->catalog = name->schema;
    name->schema = mount ? wr_mount_kind(mount)->default_schema : names->schema;
    wr_mount_release(mount);
    return WEIR_OK;
}
