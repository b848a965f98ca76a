/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetStatistics: what is known of tables without running anything, from footers and catalogs. Of a
 * table the number of its rows, of a column that of its NULLs. Smallest and greatest values are
 * known as texts only, which ADBC has no place for.
 */
#include <stdlib.h>
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "adbc/adbc.h"
#include "adbc/nested.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "door/list.h"
#include "door/rows.h"

enum { MAX_QUERY = 1 << 20 };

static const struct wr_field value_fields[] = {
    WR_FIELD("int64", "l"),
    WR_FIELD("uint64", "L"),
    WR_FIELD("float64", "g"),
    WR_FIELD("binary", "z"),
};

static const struct wr_field statistic_fields[] = {
    WR_REQUIRED("table_name", "u"),
    WR_FIELD("column_name", "u"),
    WR_REQUIRED("statistic_key", "s"),
    WR_PARTS("statistic_value", "+ud:0,1,2,3", true, value_fields),
    WR_REQUIRED("statistic_is_approximate", "b"),
};

static const struct wr_field schema_fields[] = {
    WR_FIELD("db_schema_name", "u"),
    {"db_schema_statistics", "+l", true, statistic_fields, WR_N_OF(statistic_fields), NULL},
};

static const struct wr_field fields[] = {
    WR_FIELD("catalog_name", "u"),
    {"catalog_db_schemas", "+l", true, schema_fields, WR_N_OF(schema_fields), NULL},
};

enum { CATALOG, SCHEMA, NAME, PATH, WIDTH };

struct walk {
    struct weir_session *session;
    const struct wr_objects_filter *filter;
    bool approximate;
    struct wr_door_texts tables;
};

struct statistic {
    const char *table;
    const char *column; /* NULL: of the table */
    int16_t key;
    int64_t value;
    bool exact;
};

static void append(const struct walk *walk, struct wr_build *item,
                   const struct statistic *statistic) {
    if (!statistic->exact && !walk->approximate) return;
    int8_t part = statistic->exact ? 0 : 2;
    struct wr_build *value = wr_build_child(item, 3);
    wr_build_text(wr_build_child(item, 0), statistic->table);
    wr_build_text(wr_build_child(item, 1), statistic->column);
    wr_build_int(wr_build_child(item, 2), statistic->key);
    if (statistic->exact)
        wr_build_int(wr_build_child(value, part), statistic->value);
    else
        wr_build_double(wr_build_child(value, part), (double)statistic->value);
    wr_build_end_union(value, part);
    wr_build_int(wr_build_child(item, 4), !statistic->exact);
    wr_build_end(item);
}

/* ---- Of one table ---- */

/* Rows of weir_node_statistics: name, null_count (int64), min, max, exact (bool). */
static int append_column(const struct walk *walk, const char *table, struct ArrowArrayView *view,
                         int64_t row, struct wr_build *item, struct weir_error *error) {
    if (ArrowArrayViewIsNull(view->children[1], row)) return WEIR_OK;
    struct ArrowStringView name = ArrowArrayViewGetStringUnsafe(view->children[0], row);
    char *column = wr_strndup(name.data, (size_t)name.size_bytes);
    if (!column) return wr_error_memory(error);
    const struct statistic statistic = {
        .table = table,
        .column = column,
        .key = WR_ADBC_STATISTIC_NULL_COUNT,
        .value = ArrowArrayViewGetIntUnsafe(view->children[1], row),
        .exact = ArrowArrayViewGetIntUnsafe(view->children[4], row) != 0,
    };
    append(walk, item, &statistic);
    wr_free(column);
    return WEIR_OK;
}

static int append_batches(const struct walk *walk, const char *table, struct ArrowArrayView *view,
                          struct ArrowArrayStream *rows, struct wr_build *item,
                          struct weir_error *error) {
    for (;;) {
        struct ArrowArray batch = {0};
        WR_TRY(wr_arrow_stream_next(rows, "statistics", &batch, error));
        if (!batch.release) return WEIR_OK;
        int code = ArrowArrayViewSetArray(view, &batch, NULL) == NANOARROW_OK
                       ? WEIR_OK
                       : wr_error_memory(error);
        for (int64_t i = 0; i < batch.length && code == WEIR_OK; i++)
            code = append_column(walk, table, view, i, item, error);
        wr_arrow_release_array(&batch);
        WR_TRY(code);
    }
}

static int append_columns(const struct walk *walk, const char *table, struct ArrowArrayStream *rows,
                          struct wr_build *item, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    WR_TRY(wr_arrow_stream_schema(rows, "statistics", &schema, error));
    int code = ArrowArrayViewInitFromSchema(&view, &schema, NULL) == NANOARROW_OK
                   ? WEIR_OK
                   : wr_error_memory(error);
    if (code == WEIR_OK) code = append_batches(walk, table, &view, rows, item, error);
    ArrowArrayViewReset(&view);
    wr_arrow_release_schema(&schema);
    return code;
}

/* A table of which nothing can be learned has no rows here. */
static int append_table(const struct walk *walk, const char *table, const char *path,
                        struct wr_build *item, struct weir_error *error) {
    struct weir_node *node = NULL;
    struct ArrowArrayStream columns = {0};
    struct weir_error reason = {0};
    struct weir_node_statistics known = {.size = sizeof known};
    int code = weir_node_open(walk->session, path, &node, &reason);
    if (code == WEIR_OK) code = weir_node_statistics(node, &known, &columns, &reason);
    weir_node_close(node);
    if (code == WEIR_CANCELLED || strcmp(reason.sqlstate, "53200") == 0) {
        if (error) *error = reason;
        return code;
    }
    if (code) return WEIR_OK;
    if (known.n_rows >= 0) {
        const struct statistic rows = {.table = table,
                                       .key = WR_ADBC_STATISTIC_ROW_COUNT,
                                       .value = known.n_rows,
                                       .exact = known.rows_exact};
        append(walk, item, &rows);
    }
    code = append_columns(walk, table, &columns, item, error);
    wr_arrow_release_stream(&columns);
    return code;
}

/* ---- The walk ---- */

static bool same(const struct wr_door_texts *tables, size_t a, size_t b, size_t column) {
    return strcmp(wr_door_texts_get(tables, a, column), wr_door_texts_get(tables, b, column)) == 0;
}

static int append_schema(const struct walk *walk, size_t first, size_t end, struct wr_build *item,
                         struct weir_error *error) {
    struct wr_build *list = wr_build_child(item, 1);
    wr_build_text(wr_build_child(item, 0), wr_door_texts_get(&walk->tables, first, SCHEMA));
    for (size_t i = first; i < end; i++)
        WR_TRY(append_table(walk, wr_door_texts_get(&walk->tables, i, NAME),
                            wr_door_texts_get(&walk->tables, i, PATH), wr_build_child(list, 0),
                            error));
    wr_build_end(list);
    wr_build_end(item);
    return WEIR_OK;
}

static int append_catalog(const struct walk *walk, size_t first, size_t end, struct wr_build *row,
                          struct weir_error *error) {
    struct wr_build *list = wr_build_child(row, 1);
    wr_build_text(wr_build_child(row, 0), wr_door_texts_get(&walk->tables, first, CATALOG));
    for (size_t i = first, next = i; i < end; i = next) {
        for (next = i + 1; next < end && same(&walk->tables, i, next, SCHEMA); next++)
            ;
        WR_TRY(append_schema(walk, i, next, wr_build_child(list, 0), error));
    }
    wr_build_end(list);
    wr_build_end(row);
    return WEIR_OK;
}

static int append_all(const struct walk *walk, struct wr_build *rows, struct weir_error *error) {
    size_t n = walk->tables.n_rows;
    for (size_t i = 0, next = 0; i < n; i = next) {
        for (next = i + 1; next < n && same(&walk->tables, i, next, CATALOG); next++)
            ;
        WR_TRY(append_catalog(walk, i, next, rows, error));
    }
    return WEIR_OK;
}

static int add_catalog_tables(struct walk *walk, const char *catalog, struct weir_error *error) {
    struct wr_door_texts all = {.width = WIDTH};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MAX_QUERY);
    wr_buffer_text(&sql, "SELECT catalog, namespace, name, path FROM system.public.tables "
                         "WHERE catalog = ");
    wr_buffer_literal(&sql, catalog);
    int code =
        sql.failed ? wr_error_memory(error) : wr_door_ask(walk->session, sql.data, &all, error);
    for (size_t i = 0; i < all.n_rows && code == WEIR_OK; i++) {
        if (wr_door_fits(wr_door_texts_get(&all, i, SCHEMA), walk->filter->schema) &&
            wr_door_fits(wr_door_texts_get(&all, i, NAME), walk->filter->table))
            code =
                wr_door_texts_add(&walk->tables, (const char *const *)all.cells + i * WIDTH, error);
    }
    wr_door_texts_reset(&all);
    wr_buffer_reset(&sql);
    return code;
}

/* A catalog that cannot be asked is left out. */
static int read_tables(struct walk *walk, struct weir_error *error) {
    struct wr_door_texts catalogs = {.width = WR_CATALOG_WIDTH};
    WR_TRY(wr_door_list_catalogs(walk->session, walk->filter->catalog, &catalogs, error));
    int code = WEIR_OK;
    for (size_t i = 0; i < catalogs.n_rows && code == WEIR_OK; i++) {
        struct weir_error reason = {0};
        code = add_catalog_tables(walk, wr_door_texts_get(&catalogs, i, WR_CATALOG_NAME), &reason);
        bool skip = code != WEIR_CANCELLED && strcmp(reason.sqlstate, "53200") != 0;
        if (code && !skip && error) *error = reason;
        if (skip) code = WEIR_OK;
    }
    wr_door_texts_reset(&catalogs);
    wr_door_texts_sort(&walk->tables);
    return code;
}

int wr_driver_connection_statistic_names(struct ArrowArrayStream *ret_rows,
                                         struct weir_error *error) {
    static const struct wr_answer_column columns[] = {{"statistic_name", "u", true},
                                                      {"statistic_key", "s", true}};
    struct wr_answer answer;
    WR_TRY(wr_answer_init(&answer, columns, WR_N_OF(columns), error));
    return wr_answer_finish(&answer, ret_rows, error);
}

int wr_driver_connection_statistics(struct wr_driver_connection *connection,
                                    const struct wr_objects_filter *filter, bool approximate,
                                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct walk walk = {connection->session, filter, approximate, {.width = WIDTH}};
    struct ArrowSchema schema = {0};
    struct wr_build *rows = NULL;
    int code = read_tables(&walk, error);
    if (code == WEIR_OK) code = wr_nested_schema(fields, WR_N_OF(fields), &schema, error);
    if (code == WEIR_OK) {
        rows = wr_build_new(&schema);
        code = append_all(&walk, rows, error);
    }
    wr_door_texts_reset(&walk.tables);
    if (code == WEIR_OK) return wr_nested_finish(&schema, rows, ret_rows, error);
    wr_arrow_release_schema(&schema);
    wr_build_free(rows);
    return code;
}
