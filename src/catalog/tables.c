/* SPDX-License-Identifier: Apache-2.0 */
/* Making and dropping tables. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "catalog/names.h"
#include "catalog/users.h"

static struct wr_name name_of(const struct weir_definition *definition) {
    return (struct wr_name){definition->catalog, definition->schema, definition->name};
}

/* ---- Create ---- */

/* What is at a name that is about to be taken. */
struct place {
    bool proceed;   /* false: IF NOT EXISTS found a table */
    int64_t old_id; /* a stored table to replace; 0: none */
    bool temporary; /* a temporary one to replace */
};

static int schema_exists(struct wr_names *names, const struct wr_name *name,
                         struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_schema(names->store, name->catalog, name->schema, &id, error));
    if (id != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                        "Error during planning: failed to resolve schema: %s; make \"%s\".\"%s\" "
                        "with CREATE SCHEMA",
                        name->schema, name->catalog, name->schema);
}

static int already_exists(const struct wr_name *name, int flags, struct weir_error *error) {
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P07",
                        "Execution error: %s '%s' already exists",
                        flags & WR_CREATE_EXTERNAL ? "External table" : "Table", name->name);
}

/* With the mutex held. An explicitly temporary table may stand before a stored one. */
static int look_at(struct wr_names *names, const struct wr_name *name, int flags,
                   struct place *ret_place, struct weir_error *error) {
    struct place place = {.proceed = true};
    WR_TRY(schema_exists(names, name, error));
    place.temporary = wr_names_entry(names, name, true) != NULL;
    if (!(flags & WR_CREATE_TEMPORARY)) {
        WR_TRY(wr_store_table(names->store, name->catalog, name->schema, name->name, &place.old_id,
                              error));
    }
    if (place.temporary || place.old_id != 0) {
        int both = WR_CREATE_IF_NOT_EXISTS | WR_CREATE_OR_REPLACE;
        if ((flags & both) == both) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                                "Execution error: 'IF NOT EXISTS' cannot coexist with 'REPLACE'");
        }
        if (!(flags & both)) return already_exists(name, flags, error);
        place.proceed = (flags & WR_CREATE_OR_REPLACE) != 0;
    }
    *ret_place = place;
    return WEIR_OK;
}

/* What a table that was replaced leaves behind, dealt with once the mutex is free. */
struct old_tables {
    struct wr_instance *temporary;
    struct wr_instance *stored;
};

static int write_table(struct wr_names *names, struct wr_instance *instance, bool temporary,
                       const struct place *place, int64_t *ret_id, struct weir_error *error) {
    bool dropped = false;
    if (place->old_id != 0) {
        WR_TRY(wr_store_drop_table(names->store, place->old_id, &dropped, error));
    }
    if (temporary) return WEIR_OK;
    return wr_store_add_table(names->store, wr_instance_definition(instance), ret_id, error);
}

/* Looks again and stores, in one transaction, with the mutex held. */
static int store_table(struct wr_names *names, struct wr_instance *instance, int flags,
                       bool temporary, struct place *ret_place, int64_t *ret_id,
                       struct weir_error *error) {
    struct wr_name name = name_of(wr_instance_definition(instance));
    bool writes = !temporary || (flags & WR_CREATE_OR_REPLACE);
    WR_TRY(wr_names_reserve(names, error));
    if (writes) WR_TRY(wr_store_begin(names->store, error));
    int code = look_at(names, &name, flags, ret_place, error);
    bool is_new = !ret_place->temporary && ret_place->old_id == 0 && !(flags & WR_CREATE_TEMPORARY);
    /* One of the name may have gone with its process. */
    if (code == WEIR_OK && ret_place->proceed && is_new)
        code = wr_grants_forget(names, &name, error);
    if (code == WEIR_OK && ret_place->proceed) {
        code = write_table(names, instance, temporary, ret_place, ret_id, error);
    }
    return writes ? wr_store_end(names->store, code, error) : code;
}

static int publish(struct wr_names *names, struct wr_instance *instance, int flags,
                   struct place *ret_place, struct old_tables *ret_old, struct weir_error *error) {
    struct wr_name name = name_of(wr_instance_definition(instance));
    bool temporary = (flags & WR_CREATE_TEMPORARY) || wr_instance_is_temporary(instance);
    int64_t id = 0;
    pthread_mutex_lock(&names->mutex);
    int code = store_table(names, instance, flags, temporary, ret_place, &id, error);
    if (code == WEIR_OK && ret_place->proceed) {
        struct wr_entry *entry = wr_names_entry(names, &name, true);
        if (entry) ret_old->temporary = wr_names_take(names, entry);
        /* An opened stored table is out of date unless a temporary one only stands before it. */
        entry = temporary && !ret_place->old_id ? NULL : wr_names_entry(names, &name, false);
        if (entry) ret_old->stored = wr_names_take(names, entry);
        wr_names_put(names, (struct wr_entry){wr_instance_retain(instance), id, false});
    }
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* Inserts the rows and asks for the form once, so that what is wrong with the table shows now. */
static int fill(struct wr_instance *instance, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                struct weir_error *error) {
    if (rows && rows->release) {
        WR_TRY(wr_instance_insert(instance, WEIR_INSERT_APPEND, rows, ret_n_rows, error));
    }
    struct wr_table table = {0};
    WR_TRY(wr_instance_table(instance, &table, error));
    table.release(&table);
    return WEIR_OK;
}

static int create_table(struct wr_names *names, const struct weir_definition *definition, int flags,
                        struct ArrowArrayStream *rows, bool *ret_created, int64_t *ret_n_rows,
                        struct weir_error *error) {
    struct wr_name name = name_of(definition);
    struct place place = {0};
    bool done = false;
    WR_TRY(wr_mounted_create_table(names, definition, flags, rows, &done, ret_created, ret_n_rows,
                                   error));
    if (done) return WEIR_OK;
    WR_TRY(wr_names_refuse_mount(names, name.catalog, name.schema, "CREATE", error));
    pthread_mutex_lock(&names->mutex);
    int code = look_at(names, &name, flags, &place, error);
    pthread_mutex_unlock(&names->mutex);
    WR_TRY(code);
    if (!place.proceed) {
        *ret_created = false;
        return WEIR_OK;
    }
    struct wr_instance *instance = NULL;
    struct wr_instance *replaced = NULL;
    struct old_tables old = {0};
    if (!(flags & WR_CREATE_TEMPORARY)) {
        WR_TRY(wr_names_check_secrets(names, name.name, definition->options, definition->n_options,
                                      error));
    }
    WR_TRY(wr_instance_open(names->registry, definition, &instance, error));
    code = fill(instance, rows, ret_n_rows, error);
    if (code == WEIR_OK && place.old_id) {
        code = wr_names_for_drop(names, &name, true, &replaced, error);
    }
    if (code == WEIR_OK) code = publish(names, instance, flags, &place, &old, error);
    if (code == WEIR_OK) *ret_created = place.proceed;
    if (code == WEIR_OK && !place.proceed) *ret_n_rows = 0;
    if (code == WEIR_OK && old.temporary) code = wr_instance_drop(old.temporary, error);
    if (code == WEIR_OK && place.proceed && replaced) code = wr_instance_drop(replaced, error);
    wr_instance_release(old.temporary);
    wr_instance_release(old.stored);
    wr_instance_release(replaced);
    wr_instance_release(instance);
    return code;
}

int wr_names_create_table(struct wr_names *names, const struct weir_definition *definition,
                          int flags, struct ArrowArrayStream *rows, bool *ret_created,
                          int64_t *ret_n_rows, struct weir_error *error) {
    bool created = false;
    int64_t n_rows = 0;
    int code = create_table(names, definition, flags, rows, &created, &n_rows, error);
    wr_arrow_release_stream(rows);
    if (code == WEIR_OK && ret_created) *ret_created = created;
    if (code == WEIR_OK && ret_n_rows) *ret_n_rows = n_rows;
    return code;
}

/* ---- Register ---- */

int wr_names_register(struct wr_names *names, struct wr_instance *instance,
                      struct weir_error *error) {
    struct wr_name name = name_of(wr_instance_definition(instance));
    struct wr_instance *old = NULL;
    WR_TRY(wr_names_refuse_mount(names, name.catalog, name.schema, "Registering a table", error));
    pthread_mutex_lock(&names->mutex);
    int64_t id = 0;
    struct wr_entry *entry = wr_names_entry(names, &name, true);
    int code = schema_exists(names, &name, error);
    if (code == WEIR_OK) {
        code = wr_store_table(names->store, name.catalog, name.schema, name.name, &id, error);
    }
    if (code == WEIR_OK && (id != 0 || (entry && !entry->registered))) {
        code = already_exists(&name, 0, error);
    }
    if (code == WEIR_OK) code = entry ? WEIR_OK : wr_names_reserve(names, error);
    if (code == WEIR_OK) {
        if (entry) old = wr_names_take(names, entry);
        wr_names_put(names, (struct wr_entry){wr_instance_retain(instance), 0, true});
    }
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(old);
    return code;
}

/* ---- Drop ---- */

/* The table that a DROP means. */
struct target {
    bool temporary;
    int64_t id;
    struct wr_instance *instance; /* a reference, if it is open */
    const struct weir_table_kind *kind;
    char *kind_name; /* of a kind that is not known by now; NULL */
};

static int stored_kind(struct wr_names *names, int64_t id, struct target *target,
                       struct weir_error *error) {
    struct wr_stored stored = {0};
    WR_TRY(wr_store_load(names->store, id, &stored, error));
    target->kind = wr_registry_known(names->registry, stored.kind);
    if (!target->kind) target->kind_name = wr_strdup(stored.kind);
    int code = target->kind || target->kind_name ? WEIR_OK : wr_error_memory(error);
    wr_stored_reset(&stored);
    return code;
}

static int find_target(struct wr_names *names, const struct wr_name *name, bool stored,
                       struct target *ret_target, struct weir_error *error) {
    struct target target = {0};
    struct wr_entry *entry = stored ? NULL : wr_names_entry(names, name, true);
    target.temporary = entry != NULL;
    if (!entry) {
        WR_TRY(wr_store_table(names->store, name->catalog, name->schema, name->name, &target.id,
                              error));
        entry = target.id ? wr_names_entry(names, name, false) : NULL;
        if (entry && entry->id != target.id) entry = NULL;
    }
    if (entry) {
        target.kind = wr_instance_kind(entry->instance);
        target.instance = wr_instance_retain(entry->instance);
    } else if (target.id) {
        WR_TRY(stored_kind(names, target.id, &target, error));
    }
    *ret_target = target;
    return WEIR_OK;
}

static int locked_find_target(struct wr_names *names, const struct wr_name *name, bool stored,
                              struct target *ret_target, struct weir_error *error) {
    struct target target = {0};
    pthread_mutex_lock(&names->mutex);
    int code = find_target(names, name, stored, &target, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK && target.kind_name) {
        code = wr_registry_find(names->registry, target.kind_name, &target.kind, error);
        if (code) code = wr_error_prefix(error, code, "table \"%s\"", name->name);
        wr_free(target.kind_name);
        target.kind_name = NULL;
    }
    if (code == WEIR_OK) *ret_target = target;
    return code;
}

/* Opens the target if its kind must be told of the drop. */
static int open_target(struct wr_names *names, const struct wr_name *name, struct target *target,
                       struct weir_error *error) {
    if (!target->kind || !target->kind->drop || target->instance) return WEIR_OK;
    int code = wr_names_open_stored(names, name, target->id, &target->instance, error);
    if (code == WEIR_OK) return code;
    return wr_error_prefix(error, code,
                           "table \"%s\" cannot be dropped, because it cannot be opened to free "
                           "what it keeps outside",
                           name->name);
}

int wr_names_for_drop(struct wr_names *names, const struct wr_name *name, bool stored,
                      struct wr_instance **ret_instance, struct weir_error *error) {
    struct target target = {0};
    WR_TRY(locked_find_target(names, name, stored, &target, error));
    int code = open_target(names, name, &target, error);
    if (code == WEIR_OK && target.kind && target.kind->drop) {
        *ret_instance = target.instance;
        return WEIR_OK;
    }
    wr_instance_release(target.instance);
    return code;
}

/* With what was granted on it; ends the transaction that was begun. */
static int drop_stored(struct wr_names *names, const struct wr_name *name, int64_t id,
                       bool *ret_removed, struct weir_error *error) {
    int code = wr_store_drop_table(names->store, id, ret_removed, error);
    if (code == WEIR_OK) code = wr_grants_forget(names, name, error);
    return wr_store_end(names->store, code, error);
}

/* Unless what was granted is on a stored table that comes to light again. */
static int forget_temporary(struct wr_names *names, const struct wr_name *name,
                            struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_table(names->store, name->catalog, name->schema, name->name, &id, error));
    return id == 0 ? wr_grants_forget(names, name, error) : WEIR_OK;
}

/* Takes the target out of maps and store, if it is still there. */
static int remove_target(struct wr_names *names, const struct wr_name *name,
                         const struct target *target, bool *ret_removed, struct weir_error *error) {
    struct wr_instance *taken = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = WEIR_OK;
    struct wr_entry *entry = wr_names_entry(names, name, target->temporary);
    if (target->temporary) {
        if (entry && entry->instance != target->instance) entry = NULL;
        *ret_removed = entry != NULL;
        if (entry) code = forget_temporary(names, name, error);
    } else {
        code = wr_store_begin(names->store, error);
        if (code == WEIR_OK) code = drop_stored(names, name, target->id, ret_removed, error);
        if (entry && entry->id != target->id) entry = NULL;
    }
    if (code == WEIR_OK && entry) taken = wr_names_take(names, entry);
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(taken);
    return code;
}

static int missing(const struct wr_name *name, bool view, const struct target *target,
                   struct weir_error *error) {
    const char *type = view ? "View" : "Table";
    if (!target->kind) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "Execution error: %s '%s' doesn't exist.", type, name->name);
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "Execution error: %s '%s' doesn't exist. It is a %s: use DROP %s", type,
                        name->name, view ? "table" : "view", view ? "TABLE" : "VIEW");
}

static int drop_target(struct wr_names *names, const struct wr_name *name, bool if_exists,
                       struct target *target, bool view, struct weir_error *error) {
    bool removed = false;
    WR_TRY(open_target(names, name, target, error));
    WR_TRY(remove_target(names, name, target, &removed, error));
    if (removed) return target->instance ? wr_instance_drop(target->instance, error) : WEIR_OK;
    return if_exists ? WEIR_OK : missing(name, view, &(struct target){0}, error);
}

int wr_names_drop_table(struct wr_names *names, const struct wr_name *name, bool view,
                        bool if_exists, struct weir_error *error) {
    struct target target = {0};
    bool done = false;
    WR_TRY(wr_mounted_drop_table(names, name, view, if_exists, &done, error));
    if (done) return WEIR_OK;
    WR_TRY(wr_names_refuse_mount(names, name->catalog, name->schema, "DROP", error));
    WR_TRY(locked_find_target(names, name, false, &target, error));
    bool is_view = target.kind && (target.kind->roles & WEIR_ROLE_VIEW);
    int code = WEIR_OK;
    if (target.kind && is_view == view) {
        code = drop_target(names, name, if_exists, &target, view, error);
    } else if (target.kind || !if_exists) {
        code = missing(name, view, &target, error);
    }
    wr_instance_release(target.instance);
    return code;
}

/* ---- Rename ---- */

/* With the mutex held, in a transaction. */
static int rename_stored(struct wr_names *names, const struct wr_name *from,
                         const struct wr_name *to, struct weir_error *error) {
    int64_t id = 0;
    int64_t taken = 0;
    WR_TRY(wr_store_table(names->store, from->catalog, from->schema, from->name, &id, error));
    if (id == 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "there is no table \"%s\" in %s.%s",
                            from->name, from->catalog, from->schema);
    }
    WR_TRY(wr_store_table(names->store, to->catalog, to->schema, to->name, &taken, error));
    if (taken != 0 || wr_names_entry(names, to, true)) return already_exists(to, 0, error);
    WR_TRY(wr_grants_rename(names, from, to->name, error));
    return wr_store_rename_table(names->store, id, to->name, error);
}

static int check_rename(struct wr_names *names, const struct wr_name *from,
                        const struct wr_name *to, struct weir_error *error) {
    if (strcmp(from->catalog, to->catalog) != 0 || strcmp(from->schema, to->schema) != 0) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\" cannot be renamed from %s.%s into %s.%s: a table keeps its "
                            "schema",
                            from->name, from->catalog, from->schema, to->catalog, to->schema);
    }
    if (!wr_names_entry(names, from, true)) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "\"%s\" is a temporary table, which keeps its name; create it anew under "
                        "the other one",
                        from->name);
}

int wr_names_rename_table(struct wr_names *names, const struct wr_name *from,
                          const struct wr_name *to, struct weir_error *error) {
    struct wr_instance *opened = NULL;
    WR_TRY(wr_names_refuse_mount(names, from->catalog, from->schema, "Renaming a table", error));
    pthread_mutex_lock(&names->mutex);
    int code = check_rename(names, from, to, error);
    if (code == WEIR_OK) code = wr_store_begin(names->store, error);
    if (code == WEIR_OK) {
        code = wr_store_end(names->store, rename_stored(names, from, to, error), error);
    }
    struct wr_entry *entry = code == WEIR_OK ? wr_names_entry(names, from, false) : NULL;
    if (entry) opened = wr_names_take(names, entry);
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(opened);
    return code;
}
