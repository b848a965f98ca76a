/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at the paths of a database's mount. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/mount.h"

/* ---- Paths ---- */

void wr_adbc_place_reset(struct wr_adbc_place *place) {
    wr_free(place->schema);
}

int wr_adbc_no_such_path(const struct wr_adbc_mount *mount, const char *path,
                         struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                        "%s: there is nothing at \"%s\": a path there is a schema, or a schema "
                        "and a table",
                        mount->label, path);
}

int wr_adbc_read_path(const struct wr_adbc_mount *mount, const char *path,
                      struct wr_adbc_place *ret_place, struct weir_error *error) {
    struct wr_adbc_place place = {0};
    if (*path) {
        place.schema = wr_strdup(path);
        if (!place.schema) return wr_error_memory(error);
        char *slash = strchr(place.schema, '/');
        if (slash) {
            *slash = '\0';
            place.table = slash + 1;
        }
        if (slash && strchr(slash + 1, '/')) {
            wr_adbc_place_reset(&place);
            return wr_adbc_no_such_path(mount, path, error);
        }
    }
    *ret_place = place;
    return WEIR_OK;
}

/* ---- Names ---- */

static int ask_schemas(const struct wr_adbc_mount *mount, bool all, struct wr_adbc_items *ret_items,
                       struct weir_error *error) {
    const struct wr_adbc_store *store = &mount->store;
    int code = store->backend->schemas(store->database, all, ret_items, error);
    return code ? wr_error_prefix(error, code, "%s", mount->label) : WEIR_OK;
}

static int ask_tables(const struct wr_adbc_mount *mount, const char *schema, const char *table,
                      struct wr_adbc_items *ret_items, struct weir_error *error) {
    const struct wr_adbc_store *store = &mount->store;
    int code = store->backend->tables(store->database, schema, table, ret_items, error);
    return code ? wr_error_prefix(error, code, "%s", mount->label) : WEIR_OK;
}

int wr_adbc_schema_exists(struct wr_adbc_mount *mount, const char *schema, bool *ret_found,
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

int wr_adbc_table_type(struct wr_adbc_mount *mount, const char *schema, const char *table,
                       int *ret_type, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    if (wr_adbc_memory_has(&mount->memory, schema, table, ret_type)) return WEIR_OK;
    WR_TRY(ask_tables(mount, schema, table, &items, error));
    const struct wr_adbc_item *item = wr_adbc_items_find(&items, table);
    *ret_type = item ? (int)item->type : 0;
    if (item) wr_adbc_memory_put(&mount->memory, schema, table, item->type);
    wr_adbc_items_reset(&items);
    return WEIR_OK;
}

int wr_adbc_no_schema(const struct wr_adbc_mount *mount, const char *schema,
                      struct weir_error *error) {
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

/* `others` (NULL: none) stand at the same place. A schema may be a table too, and is listed once.
 */
static int list_items(const struct wr_adbc_items *items, const struct wr_adbc_items *others,
                      weir_entry_fn take, void *sink, struct weir_error *error) {
    for (size_t i = 0; i < items->n_items; i++) {
        const struct wr_adbc_item *item = &items->items[i];
        bool schema = item->type == WR_ADBC_SCHEMA;
        bool is_both = others && wr_adbc_items_find(others, item->name);
        if (!is_component(item->name) || (is_both && !schema)) continue;
        const struct weir_entry entry = {
            .size = sizeof entry,
            .type = schema ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_TABLE,
            .name = item->name,
            .table = schema && !is_both ? NULL : item->name,
            .n_bytes = -1,
        };
        WR_TRY(take(sink, &entry, error));
    }
    return WEIR_OK;
}

/* The schemas, and beside them the tables that are in none. */
static int list_top(struct wr_adbc_mount *mount, weir_entry_fn take, void *sink,
                    struct weir_error *error) {
    struct wr_adbc_items schemas = {0}, tables = {0};
    WR_TRY(ask_schemas(mount, false, &schemas, error));
    int code = WEIR_OK;
    if (mount->store.backend->may_lack_schemas && wr_adbc_items_find(&schemas, "."))
        code = ask_tables(mount, ".", NULL, &tables, error);
    if (code == WEIR_OK) code = list_items(&schemas, &tables, take, sink, error);
    if (code == WEIR_OK) code = list_items(&tables, &schemas, take, sink, error);
    wr_adbc_items_reset(&schemas);
    wr_adbc_items_reset(&tables);
    return code;
}

static int list_place(struct wr_adbc_mount *mount, const struct wr_adbc_place *place,
                      weir_entry_fn take, void *sink, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    bool found = true;
    int type = 0;
    if (place->table) {
        WR_TRY(wr_adbc_table_type(mount, place->schema, place->table, &type, error));
        return type ? wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                   "%s: \"%s/%s\" is a table and has no names in it", mount->label,
                                   place->schema, place->table)
                    : wr_adbc_no_table(&mount->store, mount->label, place->schema, place->table,
                                       error);
    }
    if (!place->schema) return list_top(mount, take, sink, error);
    WR_TRY(wr_adbc_schema_exists(mount, place->schema, &found, error));
    if (!found) return wr_adbc_no_schema(mount, place->schema, error);
    WR_TRY(ask_tables(mount, place->schema, NULL, &items, error));
    int code = list_items(&items, NULL, take, sink, error);
    wr_adbc_items_reset(&items);
    return code;
}

int wr_adbc_mount_list(void *data, const char *path, weir_entry_fn take, void *sink,
                       struct weir_error *error) {
    struct wr_adbc_place place = {0};
    WR_TRY(wr_adbc_read_path(data, path, &place, error));
    int code = list_place(data, &place, take, sink, error);
    wr_adbc_place_reset(&place);
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

static int fill_answer(const struct wr_adbc_mount *mount, const char *schema, const char *table,
                       struct answer *answer, struct weir_error *error) {
    answer->path = join(schema, table);
    answer->name = wr_strdup(table ? table : schema ? schema : "");
    if (!answer->path || !answer->name) return wr_error_memory(error);
    if (!table) return WEIR_OK;
    WR_TRY(wr_options_copy(mount->options.items, mount->options.n_items, &answer->options, error));
    WR_TRY(wr_options_add(&answer->options, "schema", schema, error));
    return wr_options_add(&answer->options, "table", table, error);
}

/* `type`: of the entry, which may be a directory and a table. */
static int found_as(const struct wr_adbc_mount *mount, const char *asked, const char *schema,
                    const char *table, enum weir_entry_type type, struct weir_found *ret_found,
                    struct weir_error *error) {
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
                  .type = type,
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

static int found_at(const struct wr_adbc_mount *mount, const char *asked, const char *schema,
                    const char *table, struct weir_found *ret_found, struct weir_error *error) {
    return found_as(mount, asked, schema, table, table ? WEIR_ENTRY_TABLE : WEIR_ENTRY_DIRECTORY,
                    ret_found, error);
}

/* A schema of that name, which may be a table of those in no schema too; else a table of the
 * default one. */
static int find_one(struct wr_adbc_mount *mount, const char *path, const char *name,
                    struct weir_found *ret_found, struct weir_error *error) {
    bool found = false;
    int type = 0;
    WR_TRY(wr_adbc_schema_exists(mount, name, &found, error));
    if (found && mount->store.backend->dot_is_a_schema && strcmp(mount->default_schema, ".") == 0) {
        WR_TRY(wr_adbc_table_type(mount, ".", name, &type, error));
        if (type) return found_as(mount, path, ".", name, WEIR_ENTRY_DIRECTORY, ret_found, error);
    }
    if (found) return found_at(mount, path, name, NULL, ret_found, error);
    WR_TRY(wr_adbc_table_type(mount, mount->default_schema, name, &type, error));
    if (type) return found_at(mount, path, mount->default_schema, name, ret_found, error);
    int code = wr_adbc_no_table(&mount->store, mount->label, mount->default_schema, name, error);
    wr_error_append(error, "; nor is there a schema of that name");
    return code;
}

static int find_place(struct wr_adbc_mount *mount, const char *path,
                      const struct wr_adbc_place *place, struct weir_found *ret_found,
                      struct weir_error *error) {
    bool found = false;
    int type = 0;
    if (!place->schema) return found_at(mount, path, NULL, NULL, ret_found, error);
    if (!place->table) return find_one(mount, path, place->schema, ret_found, error);
    /* SQLite has no answer for a schema that is not there but an error. */
    if (!wr_adbc_memory_has(&mount->memory, place->schema, place->table, NULL)) {
        WR_TRY(wr_adbc_schema_exists(mount, place->schema, &found, error));
        if (!found) return wr_adbc_no_schema(mount, place->schema, error);
    }
    WR_TRY(wr_adbc_table_type(mount, place->schema, place->table, &type, error));
    if (type) return found_at(mount, path, place->schema, place->table, ret_found, error);
    return wr_adbc_no_table(&mount->store, mount->label, place->schema, place->table, error);
}

int wr_adbc_mount_find(void *data, const char *path, struct weir_found *ret_found,
                       struct weir_error *error) {
    struct wr_adbc_place place = {0};
    WR_TRY(wr_adbc_read_path(data, path, &place, error));
    int code = find_place(data, path, &place, ret_found, error);
    wr_adbc_place_reset(&place);
    return code;
}
