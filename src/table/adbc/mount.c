/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind of mount `adbc`: a database. Schemas are directories, tables and views are tables.
 * Names are asked for when they are needed, and remembered for as long as metadata_ttl says.
 */
#include <stdio.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/reference.h"
#include "table/adbc/mount.h"
#include "table/adbc/options.h"
#include "table/adbc/write.h"

/* ---- Open ---- */

static void mount_close(void *data) {
    struct wr_adbc_mount *mount = data;
    wr_adbc_memory_reset(&mount->memory);
    wr_adbc_store_close(&mount->store);
    wr_options_erase(&mount->options);
    wr_free(mount->default_schema);
    wr_free(mount->label);
    wr_free(mount);
}

/* The options are resolved by now; a table's are resolved when it is opened. */
static int escape_options(const struct weir_definition *definition, struct wr_options *options,
                          struct weir_error *error) {
    for (size_t i = 0; i < definition->n_options; i++) {
        char *value = wr_reference_escape(definition->options[i].value);
        if (!value) return wr_error_memory(error);
        int code = wr_options_add(options, definition->options[i].key, value, error);
        explicit_bzero(value, strlen(value));
        wr_free(value);
        WR_TRY(code);
    }
    return WEIR_OK;
}

static int fill_mount(struct wr_adbc_mount *mount, const struct weir_definition *definition,
                      struct weir_error *error) {
    char label[300];
    snprintf(label, sizeof label, "mount \"%.240s\"", definition->name);
    mount->label = wr_strdup(label);
    if (!mount->label) return wr_error_memory(error);
    WR_TRY(escape_options(definition, &mount->options, error));
    if (!wr_options_get(mount->options.items, mount->options.n_items, "name"))
        WR_TRY(wr_options_add(&mount->options, "name", definition->name, error));
    WR_TRY(wr_adbc_store_open(definition->name, mount->options.items, mount->options.n_items,
                              &mount->store, error));
    mount->memory.ttl = mount->store.metadata_ttl;
    mount->catalog = wr_options_get(mount->options.items, mount->options.n_items, "catalog");
    if (mount->catalog && !mount->store.backend->has_catalogs) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "%s: option \"catalog\": a connection to %s has one catalog; name the "
                            "database in the URL",
                            mount->label, wr_adbc_database_vendor(mount->store.database));
    }
    return mount->store.backend->default_schema(mount->store.database, &mount->default_schema,
                                                error);
}

static int mount_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    struct wr_adbc_mount *mount = wr_calloc(1, sizeof *mount);
    if (!mount) return wr_error_memory(error);
    wr_adbc_memory_init(&mount->memory);
    int code = fill_mount(mount, definition, error);
    if (code) {
        mount_close(mount);
        return code;
    }
    *ret_mount = mount;
    return WEIR_OK;
}

/* ---- Changes ---- */

/* The table that a path is the name of; its memory is `place`'s and the mount's. */
static int name_at(const struct wr_adbc_mount *mount, const struct wr_adbc_place *place,
                   struct wr_adbc_name *ret_name, struct weir_error *error) {
    if (!place->schema) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s is no table", mount->label);
    }
    *ret_name =
        (struct wr_adbc_name){mount->catalog, place->table ? place->schema : mount->default_schema,
                              place->table ? place->table : place->schema};
    return WEIR_OK;
}

static int create_at(struct wr_adbc_mount *mount, const struct wr_adbc_place *place,
                     const struct ArrowSchema *columns, bool replace, struct ArrowArrayStream *rows,
                     int64_t *ret_n_rows, struct weir_error *error) {
    struct wr_adbc_name name;
    bool found = false;
    WR_TRY(name_at(mount, place, &name, error));
    WR_TRY(wr_adbc_schema_exists(mount, name.schema, &found, error));
    if (!found) return wr_adbc_no_schema(mount, name.schema, error);
    int code = wr_adbc_create(&mount->store, &name, columns, replace, rows, ret_n_rows, error);
    wr_adbc_memory_forget(&mount->memory);
    return code;
}

static int mount_create_table(void *data, const char *path, const struct ArrowSchema *columns,
                              int replace, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                              struct weir_error *error) {
    struct wr_adbc_place place = {0};
    int code = wr_adbc_read_path(data, path, &place, error);
    if (code == WEIR_OK) code = create_at(data, &place, columns, replace, rows, ret_n_rows, error);
    wr_adbc_place_reset(&place);
    if (rows) wr_arrow_release_stream(rows);
    return code;
}

/* Runs "<words> <name><after>". */
static int run(struct wr_adbc_mount *mount, const char *words, const struct wr_adbc_name *name,
               const char *after, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, SIZE_MAX - 1);
    const struct wr_adbc_name own = {
        name->catalog, wr_adbc_own_schema(mount->store.backend, name->schema), name->table};
    wr_buffer_format(&sql, "%s ", words);
    wr_adbc_full_name(&sql, &own, mount->store.backend->quote);
    wr_buffer_text(&sql, after);
    int code = sql.failed ? wr_error_memory(error)
                          : wr_adbc_change(mount->store.database, sql.data, NULL, error);
    wr_buffer_reset(&sql);
    wr_adbc_memory_forget(&mount->memory);
    return code;
}

static int check_schemas(const struct wr_adbc_mount *mount, const char *words,
                         struct weir_error *error) {
    if (mount->store.backend->makes_schemas) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000", "%s: %s does not work in %s",
                        mount->label, words, wr_adbc_database_vendor(mount->store.database));
}

static int make_at(struct wr_adbc_mount *mount, const char *path, const struct wr_adbc_place *place,
                   struct weir_error *error) {
    bool found = false;
    if (!place->schema || place->table) return wr_adbc_no_such_path(mount, path, error);
    WR_TRY(check_schemas(mount, "CREATE SCHEMA", error));
    WR_TRY(wr_adbc_schema_exists(mount, place->schema, &found, error));
    if (found) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P06",
                            "%s: there is a schema \"%s\" already", mount->label, place->schema);
    }
    const struct wr_adbc_name name = {mount->catalog, NULL, place->schema};
    return run(mount, "CREATE SCHEMA", &name, "", error);
}

static int mount_make_directory(void *data, const char *path, struct weir_error *error) {
    struct wr_adbc_place place = {0};
    WR_TRY(wr_adbc_read_path(data, path, &place, error));
    int code = make_at(data, path, &place, error);
    wr_adbc_place_reset(&place);
    return code;
}

/* Asked of what would drop its tables, too. */
static int check_empty(struct wr_adbc_mount *mount, const char *schema, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    WR_TRY(mount->store.backend->tables(mount->store.database, schema, NULL, &items, error));
    size_t n_tables = items.n_items;
    wr_adbc_items_reset(&items);
    if (n_tables == 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, "2BP01",
                        "%s: %zu tables depend on the schema \"%s\"; DROP SCHEMA ... CASCADE drops "
                        "them, too",
                        mount->label, n_tables, schema);
}

static int remove_schema(struct wr_adbc_mount *mount, const char *schema, bool recursive,
                         struct weir_error *error) {
    const struct wr_adbc_name name = {mount->catalog, NULL, schema};
    WR_TRY(check_schemas(mount, "DROP SCHEMA", error));
    if (mount->store.backend->drops_all) {
        if (!recursive) WR_TRY(check_empty(mount, schema, error));
        return run(mount, "DROP SCHEMA", &name, "", error);
    }
    return run(mount, "DROP SCHEMA", &name, recursive ? " CASCADE" : "", error);
}

static int remove_at(struct wr_adbc_mount *mount, const struct wr_adbc_place *place, bool recursive,
                     struct weir_error *error) {
    struct wr_adbc_name name;
    bool found = false;
    int type = 0;
    WR_TRY(name_at(mount, place, &name, error));
    /* What was remembered is not good enough to remove by. */
    wr_adbc_memory_forget(&mount->memory);
    if (!place->table) WR_TRY(wr_adbc_schema_exists(mount, place->schema, &found, error));
    if (found) return remove_schema(mount, place->schema, recursive, error);
    WR_TRY(wr_adbc_table_type(mount, name.schema, name.table, &type, error));
    if (!type) {
        return wr_adbc_no_table(&mount->store, mount->label, name.schema, name.table, error);
    }
    if (type == WR_ADBC_VIEW) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "42809",
                            "%s: \"%s\" is a view of the database; drop it there", mount->label,
                            name.table);
    }
    return run(mount, "DROP TABLE", &name, "", error);
}

static int mount_remove(void *data, const char *path, int recursive, struct weir_error *error) {
    struct wr_adbc_place place = {0};
    WR_TRY(wr_adbc_read_path(data, path, &place, error));
    int code = remove_at(data, &place, recursive, error);
    wr_adbc_place_reset(&place);
    return code;
}

static int mount_refresh(void *data, const char *path, struct weir_error *error) {
    struct wr_adbc_mount *mount = data;
    (void)path;
    (void)error;
    wr_adbc_memory_forget(&mount->memory);
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {WR_ADBC_DATABASE_OPTIONS, WR_ADBC_MORE_OPTIONS};

const struct weir_mount_kind wr_mount_adbc = {
    .size = sizeof wr_mount_adbc,
    .name = "adbc",
    .summary = "a database with an ADBC driver: its schemas and tables",
    .default_schema = ".",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = mount_open,
    .close = mount_close,
    .list = wr_adbc_mount_list,
    .find = wr_adbc_mount_find,
    .make_directory = mount_make_directory,
    .remove = mount_remove,
    .create_table = mount_create_table,
    .refresh = mount_refresh,
};
