/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetObjects: catalogs with their schemas with their tables with their columns and constraints.
 * The lists are in order, so those of one catalog stand together, and its schemas' tables too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adbc/adbc.h"
#include "adbc/nested.h"
#include "arrow/arrow.h"
#include "base/error.h"
#include "door/list.h"
#include "door/types.h"

/* ---- The schema ---- */

static const struct wr_field usage_fields[] = {
    WR_FIELD("fk_catalog", "u"),
    WR_FIELD("fk_db_schema", "u"),
    WR_REQUIRED("fk_table", "u"),
    WR_REQUIRED("fk_column_name", "u"),
};

static const struct wr_field constraint_fields[] = {
    WR_FIELD("constraint_name", "u"),
    WR_REQUIRED("constraint_type", "u"),
    WR_TEXTS("constraint_column_names", true),
    WR_LIST_OF("constraint_column_usage", usage_fields),
};

static const struct wr_field column_fields[] = {
    WR_REQUIRED("column_name", "u"),
    WR_FIELD("ordinal_position", "i"),
    WR_FIELD("remarks", "u"),
    WR_FIELD("xdbc_data_type", "s"),
    WR_FIELD("xdbc_type_name", "u"),
    WR_FIELD("xdbc_column_size", "i"),
    WR_FIELD("xdbc_decimal_digits", "s"),
    WR_FIELD("xdbc_num_prec_radix", "s"),
    WR_FIELD("xdbc_nullable", "s"),
    WR_FIELD("xdbc_column_def", "u"),
    WR_FIELD("xdbc_sql_data_type", "s"),
    WR_FIELD("xdbc_datetime_sub", "s"),
    WR_FIELD("xdbc_char_octet_length", "i"),
    WR_FIELD("xdbc_is_nullable", "u"),
    WR_FIELD("xdbc_scope_catalog", "u"),
    WR_FIELD("xdbc_scope_schema", "u"),
    WR_FIELD("xdbc_scope_table", "u"),
    WR_FIELD("xdbc_is_autoincrement", "b"),
    WR_FIELD("xdbc_is_generatedcolumn", "b"),
};

static const struct wr_field table_fields[] = {
    WR_REQUIRED("table_name", "u"),
    WR_REQUIRED("table_type", "u"),
    WR_LIST_OF("table_columns", column_fields),
    WR_LIST_OF("table_constraints", constraint_fields),
};

static const struct wr_field schema_fields[] = {
    WR_FIELD("db_schema_name", "u"),
    WR_LIST_OF("db_schema_tables", table_fields),
};

static const struct wr_field fields[] = {
    WR_FIELD("catalog_name", "u"),
    WR_LIST_OF("catalog_db_schemas", schema_fields),
};

/* ---- The walk ---- */

struct walk {
    struct weir_session *session;
    const struct wr_objects_filter *filter;
    struct wr_door_texts catalogs;
    struct wr_door_texts schemas;
    struct wr_door_texts tables;
    struct wr_door_texts constraints;
    struct weir_error *error;
};

/* ---- Columns ---- */

/* Places of column_fields that are written otherwise than as a number. */
enum { COLUMN_NAME = 0, COLUMN_TYPE_NAME = 4, COLUMN_IS_NULLABLE = 13 };

static void append_column(const struct ArrowSchema *column, int64_t position,
                          struct wr_build *item) {
    const struct wr_sql_type *type = wr_sql_type(column);
    bool nullable = column->flags & ARROW_FLAG_NULLABLE;
    int32_t size = wr_sql_precision(column);
    int32_t scale = wr_sql_scale(column);
    int32_t numbers[WR_N_OF(column_fields)];
    for (size_t i = 0; i < WR_N_OF(numbers); i++)
        numbers[i] = WR_XDBC_NONE;
    numbers[1] = (int32_t)position;
    numbers[3] = type->data_type;
    if (size >= 0) numbers[5] = size;
    if (scale >= 0) numbers[6] = scale;
    if (type->unsigned_attribute >= 0) numbers[7] = 10;
    numbers[8] = nullable;
    numbers[10] = type->subcode == WR_XDBC_NONE ? type->data_type : WR_XDBC_DATETIME;
    numbers[11] = type->subcode;
    if (type->data_type == WR_XDBC_VARCHAR) numbers[12] = size;
    numbers[17] = 0; /* no column increments itself, nor is generated */
    numbers[18] = 0;
    for (size_t i = 0; i < WR_N_OF(column_fields); i++) {
        struct wr_build *cell = wr_build_child(item, (int64_t)i);
        if (i == COLUMN_NAME)
            wr_build_text(cell, column->name);
        else if (i == COLUMN_TYPE_NAME)
            wr_build_text(cell, type->name);
        else if (i == COLUMN_IS_NULLABLE)
            wr_build_text(cell, nullable ? "YES" : "NO");
        else
            wr_build_number(cell, numbers[i]);
    }
    wr_build_end(item);
}

/* Those of a table that cannot be read are not known: an empty list. */
static int append_columns(struct walk *walk, const struct wr_door_table *table,
                          struct wr_build *list) {
    struct ArrowSchema schema = {0};
    struct weir_error reason = {0};
    int code = wr_door_table_schema(walk->session, table, &schema, &reason);
    if (code == WEIR_CANCELLED || strcmp(reason.sqlstate, "53200") == 0) {
        if (walk->error) *walk->error = reason;
        return code;
    }
    for (int64_t i = 0; code == WEIR_OK && i < schema.n_children; i++) {
        if (wr_door_fits(schema.children[i]->name, walk->filter->column))
            append_column(schema.children[i], i + 1, wr_build_child(list, 0));
    }
    wr_arrow_release_schema(&schema);
    wr_build_end(list);
    return WEIR_OK;
}

/* ---- Constraints ---- */

/* One constraint, whose columns are the list's rows from `first` to before `end`. */
static void append_constraint(const struct wr_door_texts *list, size_t first, size_t end,
                              struct wr_build *item) {
    struct wr_build *columns = wr_build_child(item, 2);
    wr_build_text(wr_build_child(item, 0), wr_door_texts_get(list, first, WR_CONSTRAINT_NAME));
    wr_build_text(wr_build_child(item, 1), wr_door_texts_get(list, first, WR_CONSTRAINT_TYPE));
    for (size_t i = first; i < end; i++)
        wr_build_text(wr_build_child(columns, 0), wr_door_texts_get(list, i, WR_CONSTRAINT_COLUMN));
    wr_build_end(columns);
    wr_build_null(wr_build_child(item, 3));
    wr_build_end(item);
}

static bool same_constraint(const struct wr_door_texts *list, size_t a, size_t b) {
    for (size_t i = 0; i < WR_CONSTRAINT_POSITION; i++) {
        if (strcmp(wr_door_texts_get(list, a, i), wr_door_texts_get(list, b, i)) != 0) return false;
    }
    return true;
}

static bool is_of(const struct wr_door_texts *list, size_t row, const struct wr_door_table *table) {
    return strcmp(wr_door_texts_get(list, row, WR_CONSTRAINT_TABLE), table->name) == 0 &&
           strcmp(wr_door_texts_get(list, row, WR_CONSTRAINT_SCHEMA), table->schema) == 0 &&
           strcmp(wr_door_texts_get(list, row, WR_CONSTRAINT_CATALOG), table->catalog) == 0;
}

static void append_constraints(const struct walk *walk, const struct wr_door_table *table,
                               struct wr_build *list) {
    const struct wr_door_texts *all = &walk->constraints;
    for (size_t i = 0, end = 0; i < all->n_rows; i = end) {
        for (end = i + 1; end < all->n_rows && same_constraint(all, i, end); end++)
            ;
        if (is_of(all, i, table)) append_constraint(all, i, end, wr_build_child(list, 0));
    }
    wr_build_end(list);
}

/* ---- Tables, schemas, catalogs ---- */

static int append_table(struct walk *walk, size_t row, struct wr_build *item) {
    const struct wr_door_table table = {wr_door_texts_get(&walk->tables, row, WR_TABLE_CATALOG),
                                        wr_door_texts_get(&walk->tables, row, WR_TABLE_SCHEMA),
                                        wr_door_texts_get(&walk->tables, row, WR_TABLE_NAME)};
    struct wr_build *columns = wr_build_child(item, 2);
    struct wr_build *constraints = wr_build_child(item, 3);
    wr_build_text(wr_build_child(item, 0), table.name);
    wr_build_text(wr_build_child(item, 1), wr_door_texts_get(&walk->tables, row, WR_TABLE_TYPE));
    if (walk->filter->depth == WR_ADBC_OBJECT_DEPTH_TABLES) {
        wr_build_null(columns);
        wr_build_null(constraints);
    } else {
        WR_TRY(append_columns(walk, &table, columns));
        append_constraints(walk, &table, constraints);
    }
    wr_build_end(item);
    return WEIR_OK;
}

static int append_schema(struct walk *walk, size_t row, struct wr_build *item) {
    const char *catalog = wr_door_texts_get(&walk->schemas, row, WR_SCHEMA_CATALOG);
    const char *schema = wr_door_texts_get(&walk->schemas, row, WR_SCHEMA_NAME);
    struct wr_build *tables = wr_build_child(item, 1);
    wr_build_text(wr_build_child(item, 0), schema);
    bool listed = walk->filter->depth != WR_ADBC_OBJECT_DEPTH_SCHEMAS;
    for (size_t i = 0; listed && i < walk->tables.n_rows; i++) {
        if (strcmp(wr_door_texts_get(&walk->tables, i, WR_TABLE_CATALOG), catalog) == 0 &&
            strcmp(wr_door_texts_get(&walk->tables, i, WR_TABLE_SCHEMA), schema) == 0)
            WR_TRY(append_table(walk, i, wr_build_child(tables, 0)));
    }
    if (listed)
        wr_build_end(tables);
    else
        wr_build_null(tables);
    wr_build_end(item);
    return WEIR_OK;
}

static int append_catalog(struct walk *walk, const char *catalog, struct wr_build *row) {
    struct wr_build *schemas = wr_build_child(row, 1);
    wr_build_text(wr_build_child(row, 0), catalog);
    bool listed = walk->filter->depth != WR_ADBC_OBJECT_DEPTH_CATALOGS;
    for (size_t i = 0; listed && i < walk->schemas.n_rows; i++) {
        if (strcmp(wr_door_texts_get(&walk->schemas, i, WR_SCHEMA_CATALOG), catalog) == 0)
            WR_TRY(append_schema(walk, i, wr_build_child(schemas, 0)));
    }
    if (listed)
        wr_build_end(schemas);
    else
        wr_build_null(schemas);
    wr_build_end(row);
    return WEIR_OK;
}

static size_t count_types(const char **types) {
    size_t n = 0;
    while (types && types[n])
        n++;
    return n;
}

/* Whether a pattern is a name: then a catalog that cannot be asked is an error. */
static bool is_name(const char *pattern) {
    return pattern && !strpbrk(pattern, "%_\\");
}

static int read_lists(struct walk *walk) {
    const struct wr_objects_filter *filter = walk->filter;
    bool exact = is_name(filter->catalog);
    WR_TRY(wr_door_list_catalogs(walk->session, filter->catalog, &walk->catalogs, walk->error));
    if (filter->depth == WR_ADBC_OBJECT_DEPTH_CATALOGS) return WEIR_OK;
    WR_TRY(wr_door_list_schemas(walk->session, filter->catalog, exact, filter->schema,
                                &walk->schemas, walk->error));
    if (filter->depth == WR_ADBC_OBJECT_DEPTH_SCHEMAS) return WEIR_OK;
    const struct wr_door_tables tables = {
        .catalog = filter->catalog,
        .schema_pattern = filter->schema,
        .table_pattern = filter->table,
        .types = filter->types,
        .n_types = count_types(filter->types),
    };
    WR_TRY(wr_door_list_tables(walk->session, &tables, exact, &walk->tables, walk->error));
    if (filter->depth == WR_ADBC_OBJECT_DEPTH_TABLES) return WEIR_OK;
    return wr_door_list_constraints(walk->session, NULL, &walk->constraints, walk->error);
}

static int walk_all(struct walk *walk, struct ArrowArrayStream *ret_rows) {
    struct ArrowSchema schema = {0};
    WR_TRY(read_lists(walk));
    WR_TRY(wr_nested_schema(fields, WR_N_OF(fields), &schema, walk->error));
    struct wr_build *rows = wr_build_new(&schema);
    int code = WEIR_OK;
    for (size_t i = 0; i < walk->catalogs.n_rows && code == WEIR_OK; i++)
        code = append_catalog(walk, wr_door_texts_get(&walk->catalogs, i, WR_CATALOG_NAME), rows);
    if (code == WEIR_OK) return wr_nested_finish(&schema, rows, ret_rows, walk->error);
    wr_arrow_release_schema(&schema);
    wr_build_free(rows);
    return code;
}

int wr_driver_connection_objects(struct wr_driver_connection *connection,
                                 const struct wr_objects_filter *filter,
                                 struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    if (filter->depth < WR_ADBC_OBJECT_DEPTH_ALL || filter->depth > WR_ADBC_OBJECT_DEPTH_TABLES)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%d is no depth of objects",
                            filter->depth);
    struct walk walk = {.session = connection->session, .filter = filter, .error = error};
    int code = walk_all(&walk, ret_rows);
    wr_door_texts_reset(&walk.catalogs);
    wr_door_texts_reset(&walk.schemas);
    wr_door_texts_reset(&walk.tables);
    wr_door_texts_reset(&walk.constraints);
    return code;
}
