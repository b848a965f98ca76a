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
#include "table/adbc/memory.h"
#include "table/adbc/options.h"
#include "table/adbc/store.h"
#include "table/adbc/write.h"

struct mount {
    char *label; /* mount "pg" */
    struct wr_adbc_store store;
    struct wr_options options; /* of a table's definition: references escaped */
    char *default_schema;      /* NULL: there are no schemas */
    struct wr_adbc_memory memory;
};

/* ---- Open ---- */

static void mount_close(void *data) {
    struct mount *mount = data;
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

static int fill_mount(struct mount *mount, const struct weir_definition *definition,
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
    return mount->store.backend->default_schema(mount->store.database, &mount->default_schema,
                                                error);
}

static int mount_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    struct mount *mount = wr_calloc(1, sizeof *mount);
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

/* ---- Paths ---- */

/* A path as schema and table; NULL where it has none. */
struct place {
    char *schema;
    const char *table; /* in `schema`'s memory */
};

static void place_reset(struct place *place) {
    wr_free(place->schema);
}

static int no_such_path(const struct mount *mount, const char *path, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                        "%s: there is nothing at \"%s\": a path there is a schema, or a schema "
                        "and a table",
                        mount->label, path);
}

/* "" has neither, "a" a schema alone. */
static int read_path(const struct mount *mount, const char *path, struct place *ret_place,
                     struct weir_error *error) {
    struct place place = {0};
    if (*path) {
        place.schema = wr_strdup(path);
        if (!place.schema) return wr_error_memory(error);
        char *slash = strchr(place.schema, '/');
        if (slash) {
            *slash = '\0';
            place.table = slash + 1;
        }
        if (slash && strchr(slash + 1, '/')) {
            place_reset(&place);
            return no_such_path(mount, path, error);
        }
    }
    *ret_place = place;
    return WEIR_OK;
}

/* ---- Names ---- */

static int ask_schemas(const struct mount *mount, bool all, struct wr_adbc_items *ret_items,
                       struct weir_error *error) {
    const struct wr_adbc_store *store = &mount->store;
    int code = store->backend->schemas(store->database, all, ret_items, error);
    return code ? wr_error_prefix(error, code, "%s", mount->label) : WEIR_OK;
}

static int ask_tables(const struct mount *mount, const char *schema, const char *table,
                      struct wr_adbc_items *ret_items, struct weir_error *error) {
    const struct wr_adbc_store *store = &mount->store;
    int code = store->backend->tables(store->database, schema, table, ret_items, error);
    return code ? wr_error_prefix(error, code, "%s", mount->label) : WEIR_OK;
}

static int schema_exists(struct mount *mount, const char *schema, bool *ret_found,
                         struct weir_error *error) {
    struct wr_adbc_items items = {0};
    if (wr_adbc_memory_has(&mount->memory, schema, NULL, NULL)) {
        *ret_found = true;
        return WEIR_OK;
    }
    WR_TRY(ask_schemas(mount, true, &items, error));
    *ret_found = wr_adbc_items_find(&items, schema) != NULL;
    if (*ret_found) wr_adbc_memory_put(&mount->memory, schema, NULL, WR_ADBC_SCHEMA);
    wr_adbc_items_reset(&items);
    return WEIR_OK;
}

/* *ret_type is 0 for one that is not there. */
static int table_type(struct mount *mount, const char *schema, const char *table, int *ret_type,
                      struct weir_error *error) {
    struct wr_adbc_items items = {0};
    if (wr_adbc_memory_has(&mount->memory, schema, table, ret_type)) return WEIR_OK;
    WR_TRY(ask_tables(mount, schema, table, &items, error));
    const struct wr_adbc_item *item = wr_adbc_items_find(&items, table);
    *ret_type = item ? (int)item->type : 0;
    if (item) wr_adbc_memory_put(&mount->memory, schema, table, item->type);
    wr_adbc_items_reset(&items);
    return WEIR_OK;
}

static int no_schema(const struct mount *mount, const char *schema, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    int code = wr_error_set(error, WEIR_NOT_FOUND, "3F000", "%s: there is no schema \"%s\"",
                            mount->label, schema);
    if (ask_schemas(mount, true, &items, NULL)) return code;
    const char *nearest = wr_adbc_items_nearest(&items, schema);
    if (nearest) wr_error_append(error, "; did you mean \"%s\"?", nearest);
    wr_adbc_items_reset(&items);
    return code;
}

/* ---- List ---- */

/* What a path's component cannot be; such a table is read by the option `table`. */
static bool is_component(const char *name) {
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return false;
    for (const char *c = name; *c; c++) {
        if (*c == '/' || (unsigned char)*c < ' ' || *c == 0x7F) return false;
    }
    return true;
}

static int list_items(const struct wr_adbc_items *items, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    for (size_t i = 0; i < items->n_items; i++) {
        const struct wr_adbc_item *item = &items->items[i];
        bool schema = item->type == WR_ADBC_SCHEMA;
        if (!is_component(item->name)) continue;
        const struct weir_entry entry = {
            .size = sizeof entry,
            .type = schema ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_TABLE,
            .name = item->name,
            .table = schema ? NULL : item->name,
            .n_bytes = -1,
        };
        WR_TRY(take(sink, &entry, error));
    }
    return WEIR_OK;
}

static int list_place(struct mount *mount, const struct place *place, weir_entry_fn take,
                      void *sink, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    bool found = true;
    int type = 0;
    if (place->table) {
        WR_TRY(table_type(mount, place->schema, place->table, &type, error));
        return type ? wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                   "%s: \"%s/%s\" is a table and has no names in it", mount->label,
                                   place->schema, place->table)
                    : wr_adbc_no_table(&mount->store, mount->label, place->schema, place->table,
                                       error);
    }
    if (place->schema) {
        WR_TRY(schema_exists(mount, place->schema, &found, error));
        if (!found) return no_schema(mount, place->schema, error);
        WR_TRY(ask_tables(mount, place->schema, NULL, &items, error));
    } else {
        WR_TRY(ask_schemas(mount, false, &items, error));
    }
    int code = list_items(&items, take, sink, error);
    bool top = !place->schema && wr_adbc_items_find(&items, ".") != NULL;
    wr_adbc_items_reset(&items);
    if (code || !top || !mount->store.backend->may_lack_schemas) return code;
    WR_TRY(ask_tables(mount, ".", NULL, &items, error));
    code = list_items(&items, take, sink, error);
    wr_adbc_items_reset(&items);
    return code;
}

static int mount_list(void *data, const char *path, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    struct place place = {0};
    WR_TRY(read_path(data, path, &place, error));
    int code = list_place(data, &place, take, sink, error);
    place_reset(&place);
    return code;
}

/* ---- Find ---- */

/* What an answer points to. */
struct answer {
    char *path;
    char *name;
    struct wr_options options;
};

static void found_release(struct weir_found *found) {
    struct answer *answer = found->private_data;
    wr_free(answer->path);
    wr_free(answer->name);
    wr_options_erase(&answer->options);
    wr_free(answer);
    *found = (struct weir_found){0};
}

/* What is in no schema stands at the top. */
static char *join(const char *schema, const char *table) {
    struct wr_buffer text;
    if (table && strcmp(schema, ".") == 0) return wr_strdup(table);
    wr_buffer_init(&text, SIZE_MAX - 1);
    wr_buffer_format(&text, "%s%s%s", schema ? schema : "", table ? "/" : "", table ? table : "");
    char *path = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return path;
}

static int fill_answer(const struct mount *mount, const char *schema, const char *table,
                       struct answer *answer, struct weir_error *error) {
    answer->path = join(schema, table);
    answer->name = wr_strdup(table ? table : schema ? schema : "");
    if (!answer->path || !answer->name) return wr_error_memory(error);
    if (!table) return WEIR_OK;
    WR_TRY(wr_options_copy(mount->options.items, mount->options.n_items, &answer->options, error));
    WR_TRY(wr_options_add(&answer->options, "schema", schema, error));
    return wr_options_add(&answer->options, "table", table, error);
}

static int found_at(const struct mount *mount, const char *asked, const char *schema,
                    const char *table, struct weir_found *ret_found, struct weir_error *error) {
    struct answer *answer = wr_calloc(1, sizeof *answer);
    struct weir_found found = {.private_data = answer};
    if (!answer) return wr_error_memory(error);
    int code = fill_answer(mount, schema, table, answer, error);
    if (code) {
        found_release(&found);
        return code;
    }
    found = (struct weir_found){
        .size = sizeof found,
        .entry = {.size = sizeof found.entry,
                  .type = table ? WEIR_ENTRY_TABLE : WEIR_ENTRY_DIRECTORY,
                  .name = answer->name,
                  .table = table ? answer->name : NULL,
                  .n_bytes = -1},
        .path = answer->path,
        .is_exact = strcmp(asked, answer->path) == 0,
        .kind = table ? "adbc" : NULL,
        .options = answer->options.items,
        .n_options = answer->options.n_items,
        .release = found_release,
        .private_data = answer,
    };
    *ret_found = found;
    return WEIR_OK;
}

/* A schema of that name, else a table of the default one. */
static int find_one(struct mount *mount, const char *path, const char *name,
                    struct weir_found *ret_found, struct weir_error *error) {
    bool found = false;
    int type = 0;
    WR_TRY(schema_exists(mount, name, &found, error));
    if (found) return found_at(mount, path, name, NULL, ret_found, error);
    WR_TRY(table_type(mount, mount->default_schema, name, &type, error));
    if (type) return found_at(mount, path, mount->default_schema, name, ret_found, error);
    int code = wr_adbc_no_table(&mount->store, mount->label, mount->default_schema, name, error);
    wr_error_append(error, "; nor is there a schema of that name");
    return code;
}

static int find_place(struct mount *mount, const char *path, const struct place *place,
                      struct weir_found *ret_found, struct weir_error *error) {
    bool found = false;
    int type = 0;
    if (!place->schema) return found_at(mount, path, NULL, NULL, ret_found, error);
    if (!place->table) return find_one(mount, path, place->schema, ret_found, error);
    /* SQLite has no answer for a schema that is not there but an error. */
    if (!wr_adbc_memory_has(&mount->memory, place->schema, place->table, NULL)) {
        WR_TRY(schema_exists(mount, place->schema, &found, error));
        if (!found) return no_schema(mount, place->schema, error);
    }
    WR_TRY(table_type(mount, place->schema, place->table, &type, error));
    if (type) return found_at(mount, path, place->schema, place->table, ret_found, error);
    return wr_adbc_no_table(&mount->store, mount->label, place->schema, place->table, error);
}

static int mount_find(void *data, const char *path, struct weir_found *ret_found,
                      struct weir_error *error) {
    struct place place = {0};
    WR_TRY(read_path(data, path, &place, error));
    int code = find_place(data, path, &place, ret_found, error);
    place_reset(&place);
    return code;
}

/* ---- Changes ---- */

/* The table that a path is the name of; its memory is `place`'s and the mount's. */
static int name_at(const struct mount *mount, const struct place *place,
                   struct wr_adbc_name *ret_name, struct weir_error *error) {
    if (!place->schema) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s is no table", mount->label);
    }
    *ret_name = (struct wr_adbc_name){NULL, place->table ? place->schema : mount->default_schema,
                                      place->table ? place->table : place->schema};
    return WEIR_OK;
}

static int create_at(struct mount *mount, const struct place *place,
                     const struct ArrowSchema *columns, bool replace, struct ArrowArrayStream *rows,
                     int64_t *ret_n_rows, struct weir_error *error) {
    struct wr_adbc_name name;
    bool found = false;
    WR_TRY(name_at(mount, place, &name, error));
    WR_TRY(schema_exists(mount, name.schema, &found, error));
    if (!found) return no_schema(mount, name.schema, error);
    int code = wr_adbc_create(&mount->store, &name, columns, replace, rows, ret_n_rows, error);
    wr_adbc_memory_forget(&mount->memory);
    return code;
}

static int mount_create_table(void *data, const char *path, const struct ArrowSchema *columns,
                              int replace, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                              struct weir_error *error) {
    struct place place = {0};
    int code = read_path(data, path, &place, error);
    if (code == WEIR_OK) code = create_at(data, &place, columns, replace, rows, ret_n_rows, error);
    place_reset(&place);
    if (rows) wr_arrow_release_stream(rows);
    return code;
}

/* Runs "<words> <name><after>". */
static int run(struct mount *mount, const char *words, const struct wr_adbc_name *name,
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

static int check_schemas(const struct mount *mount, const char *words, struct weir_error *error) {
    if (mount->store.backend->makes_schemas) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000", "%s: %s does not work in %s",
                        mount->label, words, wr_adbc_database_vendor(mount->store.database));
}

static int make_at(struct mount *mount, const char *path, const struct place *place,
                   struct weir_error *error) {
    bool found = false;
    if (!place->schema || place->table) return no_such_path(mount, path, error);
    WR_TRY(check_schemas(mount, "CREATE SCHEMA", error));
    WR_TRY(schema_exists(mount, place->schema, &found, error));
    if (found) {
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P06",
                            "%s: there is a schema \"%s\" already", mount->label, place->schema);
    }
    const struct wr_adbc_name name = {NULL, NULL, place->schema};
    return run(mount, "CREATE SCHEMA", &name, "", error);
}

static int mount_make_directory(void *data, const char *path, struct weir_error *error) {
    struct place place = {0};
    WR_TRY(read_path(data, path, &place, error));
    int code = make_at(data, path, &place, error);
    place_reset(&place);
    return code;
}

static int remove_schema(struct mount *mount, const char *schema, bool recursive,
                         struct weir_error *error) {
    const struct wr_adbc_name name = {NULL, NULL, schema};
    WR_TRY(check_schemas(mount, "DROP SCHEMA", error));
    return run(mount, "DROP SCHEMA", &name, recursive ? " CASCADE" : "", error);
}

static int remove_at(struct mount *mount, const struct place *place, bool recursive,
                     struct weir_error *error) {
    struct wr_adbc_name name;
    bool found = false;
    int type = 0;
    WR_TRY(name_at(mount, place, &name, error));
    /* What was remembered is not good enough to remove by. */
    wr_adbc_memory_forget(&mount->memory);
    if (!place->table) WR_TRY(schema_exists(mount, place->schema, &found, error));
    if (found) return remove_schema(mount, place->schema, recursive, error);
    WR_TRY(table_type(mount, name.schema, name.table, &type, error));
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
    struct place place = {0};
    WR_TRY(read_path(data, path, &place, error));
    int code = remove_at(data, &place, recursive, error);
    place_reset(&place);
    return code;
}

static int mount_refresh(void *data, const char *path, struct weir_error *error) {
    struct mount *mount = data;
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
    .list = mount_list,
    .find = mount_find,
    .make_directory = mount_make_directory,
    .remove = mount_remove,
    .create_table = mount_create_table,
    .refresh = mount_refresh,
};
