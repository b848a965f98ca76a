/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of system.constraints. The engine declares constraints in the metadata of a table's
 * schema, "P0,1;U2" for PRIMARY KEY (columns 0 and 1) and UNIQUE (column 2), without names: they
 * get those that PostgreSQL gives. Tables of mounts declare none.
 */
#include <stdlib.h>
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/names.h"
#include "catalog/system_tables.h"

#define METADATA_KEY "weir:constraints"

enum { MAX_NAME = 1 << 20 };

struct walk {
    struct wr_names *names;
    struct wr_rows *rows;
};

/* One constraint: its columns as "0,1". */
struct constraint {
    const struct wr_name *table;
    const struct ArrowSchema *columns;
    bool primary;
    const char *list;
    const char *end;
};

/* The next column of the list, stepping over it; -1 at its end, and for a number that is none's. */
static int64_t next_column(const struct constraint *constraint, const char **at) {
    if (*at >= constraint->end) return -1;
    char *after = NULL;
    int64_t column = strtol(*at, &after, 10);
    if (after == *at) return -1;
    *at = after < constraint->end && *after == ',' ? after + 1 : after;
    return column >= 0 && column < constraint->columns->n_children ? column : -1;
}

static void write_name(const struct constraint *constraint, struct wr_buffer *name) {
    wr_buffer_text(name, constraint->table->name);
    const char *at = constraint->list;
    int64_t column = -1;
    while (!constraint->primary && (column = next_column(constraint, &at)) >= 0)
        wr_buffer_format(name, "_%s", constraint->columns->children[column]->name);
    wr_buffer_text(name, constraint->primary ? "_pkey" : "_key");
}

static int add_columns(struct wr_rows *rows, const struct constraint *constraint, const char *name,
                       struct weir_error *error) {
    const char *at = constraint->list;
    int64_t column = -1;
    for (int64_t position = 1; (column = next_column(constraint, &at)) >= 0; position++) {
        wr_rows_text(rows, constraint->table->catalog);
        wr_rows_text(rows, constraint->table->schema);
        wr_rows_text(rows, constraint->table->name);
        wr_rows_text(rows, name);
        wr_rows_text(rows, constraint->primary ? "PRIMARY KEY" : "UNIQUE");
        wr_rows_text(rows, constraint->columns->children[column]->name);
        wr_rows_int(rows, position);
        WR_TRY(wr_rows_end(rows, error));
    }
    return WEIR_OK;
}

static int add_constraint(struct wr_rows *rows, const struct constraint *constraint,
                          struct weir_error *error) {
    struct wr_buffer name;
    wr_buffer_init(&name, MAX_NAME);
    write_name(constraint, &name);
    int code =
        name.failed ? wr_error_memory(error) : add_columns(rows, constraint, name.data, error);
    wr_buffer_reset(&name);
    return code;
}

static int add_declared(struct wr_rows *rows, const struct wr_name *table,
                        const struct ArrowSchema *columns, const char *text,
                        struct weir_error *error) {
    while (*text) {
        const char *end = text + strcspn(text, ";");
        struct constraint constraint = {table, columns, *text == 'P', text + 1, end};
        WR_TRY(add_constraint(rows, &constraint, error));
        text = *end ? end + 1 : end;
    }
    return WEIR_OK;
}

static int add_constraints(struct wr_rows *rows, const struct wr_name *table,
                           const struct ArrowSchema *columns, struct weir_error *error) {
    struct ArrowStringView value = {0};
    if (!wr_rows_see(rows, table->catalog, table->schema, table->name)) return WEIR_OK;
    if (!columns || !columns->release || !columns->metadata ||
        ArrowMetadataGetValue(columns->metadata, ArrowCharView(METADATA_KEY), &value) != 0 ||
        !value.data)
        return WEIR_OK;
    char *text = wr_strndup(value.data, (size_t)value.size_bytes);
    if (!text) return wr_error_memory(error);
    int code = add_declared(rows, table, columns, text, error);
    wr_free(text);
    return code;
}

/* With the mutex held, as its caller. */
static int add_stored(void *sink, const struct wr_stored_name *stored, struct weir_error *error) {
    const struct walk *walk = sink;
    const struct wr_name name = {stored->catalog, stored->schema, stored->name};
    struct wr_stored table = {0};
    int64_t id = 0;
    if (!wr_rows_wants(walk->rows, name.catalog)) return WEIR_OK;
    if (wr_names_entry(walk->names, &name, true)) return WEIR_OK; /* a temporary one hides it */
    WR_TRY(wr_store_table(walk->names->store, name.catalog, name.schema, name.name, &id, error));
    WR_TRY(wr_store_load(walk->names->store, id, &table, error));
    int code = add_constraints(walk->rows, &name, &table.columns, error);
    wr_stored_reset(&table);
    return code;
}

static int add_temporary(const struct walk *walk, struct weir_error *error) {
    for (size_t i = 0; i < walk->names->n_entries; i++) {
        const struct wr_entry *entry = &walk->names->entries[i];
        if (entry->id != 0) continue;
        const struct weir_definition *table = wr_instance_definition(entry->instance);
        const struct wr_name name = {table->catalog, table->schema, table->name};
        if (!wr_rows_wants(walk->rows, name.catalog)) continue;
        WR_TRY(add_constraints(walk->rows, &name, table->columns, error));
    }
    return WEIR_OK;
}

int wr_names_fill_constraints(void *context, struct wr_rows *rows, struct weir_error *error) {
    struct walk walk = {context, rows};
    pthread_mutex_lock(&walk.names->mutex);
    int code = wr_store_each_table(walk.names->store, add_stored, &walk, error);
    if (code == WEIR_OK) code = add_temporary(&walk, error);
    pthread_mutex_unlock(&walk.names->mutex);
    return code;
}
