/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite: columns have declared types, but any value may stand in any of them. So each batch is
 * checked (sqlite_check.c).
 */
#include <string.h>
#include <strings.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/answer.h"
#include "table/adbc/backend.h"
#include "table/adbc/sqlite_types.h"

enum { MOST_SQL = 16 << 20 };

/* ---- Names ---- */

/* The file is read for the first time, which tells whether it is a database. */
static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    WR_TRY(wr_adbc_ask(database, "SELECT count(*) FROM sqlite_schema", 1, &answer, error));
    wr_adbc_answer_reset(&answer);
    char *copy = wr_strdup("main");
    if (!copy) return wr_error_memory(error);
    *ret_schema = copy;
    return WEIR_OK;
}

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    (void)all;
    return wr_adbc_ask_items(database, "SELECT name FROM pragma_database_list", WR_ADBC_SCHEMA,
                             ret_items, error);
}

static int tables(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT name, type = 'view' FROM ");
    wr_adbc_quote(&sql, schema, '"');
    wr_buffer_text(&sql, ".sqlite_schema WHERE type IN ('table', 'view')");
    if (table) {
        wr_buffer_text(&sql, " AND name = ");
        wr_buffer_literal(&sql, table);
    } else {
        wr_buffer_text(&sql, " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
    }
    int code =
        wr_adbc_ask_items(database, sql.failed ? NULL : sql.data, WR_ADBC_TABLE, ret_items, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Columns ---- */

/* What sqlite_schema says of one table: whether it is a view, and whether COLLATE is in its text:
 * no pragma tells the collation of a column. */
struct source {
    bool found, view, collated, keyed;
};

static int look(struct wr_adbc_database *database, const char *schema, const char *table,
                struct source *ret_source, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT type = 'view', coalesce(type = 'view' OR upper(sql) LIKE "
                         "'%COLLATE%', 0), coalesce(upper(sql) LIKE '%WITHOUT%ROWID%', 0) OR "
                         "rootpage = 0 FROM ");
    wr_adbc_quote(&sql, schema, '"');
    wr_buffer_text(&sql, ".sqlite_schema WHERE type IN ('table', 'view') AND name = ");
    wr_buffer_literal(&sql, table);
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 3, &answer, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    *ret_source = (struct source){.found = answer.n_rows > 0};
    if (answer.n_rows > 0) {
        ret_source->view = wr_adbc_cell_bool(&answer, 0, 0);
        ret_source->collated = wr_adbc_cell_bool(&answer, 0, 1);
        ret_source->keyed = wr_adbc_cell_bool(&answer, 0, 2);
    }
    wr_adbc_answer_reset(&answer);
    return WEIR_OK;
}

static int add_columns(const struct wr_adbc_answer *answer, const struct source *source,
                       struct wr_adbc_relation *relation, struct weir_error *error) {
    int64_t n_keys = 0;
    for (size_t i = 0; i < answer->n_rows; i++)
        n_keys += wr_adbc_cell_int(answer, i, 3, 0) > 0;
    for (size_t i = 0; i < answer->n_rows; i++) {
        const char *name = wr_adbc_cell(answer, i, 0);
        const char *declared = wr_adbc_cell(answer, i, 1);
        struct wr_sqlite_type type;
        char *expression = NULL;
        WR_TRY(wr_sqlite_type(name, declared, source->collated, &type, &expression, error));
        /* Of the keys only the row's number, and those of tables without one, are never NULL. */
        bool key = wr_adbc_cell_int(answer, i, 3, 0) > 0;
        bool number = key && n_keys == 1 && !source->keyed && strcasecmp(declared, "INTEGER") == 0;
        bool set = wr_adbc_cell_bool(answer, i, 2) || number || (key && source->keyed);
        WR_TRY(wr_adbc_relation_add(relation, name, type.format, !set || source->view, declared,
                                    expression, error));
    }
    return WEIR_OK;
}

/* The number of rows is about the greatest rowid: found without reading the table. */
static int count(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                 int64_t *ret_n_rows, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT coalesce(max(_rowid_), 0) FROM ");
    wr_adbc_full_name(&sql, name, '"');
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 1, &answer, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    *ret_n_rows = wr_adbc_cell_int(&answer, 0, 0, -1);
    wr_adbc_answer_reset(&answer);
    return WEIR_OK;
}

static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    const char *schema = name->schema ? name->schema : "main";
    struct wr_adbc_answer answer = {0};
    struct wr_buffer sql;
    struct source source;
    relation->n_rows = relation->n_bytes = -1;
    WR_TRY(look(database, schema, name->table, &source, error));
    if (!source.found) return WEIR_OK;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT name, CAST(coalesce(type, '') AS TEXT), \"notnull\", pk "
                         "FROM pragma_table_xinfo(");
    wr_buffer_literal(&sql, name->table);
    wr_buffer_text(&sql, ", ");
    wr_buffer_literal(&sql, schema);
    wr_buffer_text(&sql, ") WHERE hidden <> 1 ORDER BY cid");
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 4, &answer, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = add_columns(&answer, &source, relation, error);
    wr_adbc_answer_reset(&answer);
    WR_TRY(code);
    relation->found = true;
    relation->is_table = !source.view;
    struct wr_adbc_name full = {NULL, schema, name->table};
    if (!source.view && !source.keyed) count(database, &full, &relation->n_rows, NULL);
    return wr_adbc_relation_finish(relation, error);
}

/* A query's columns have the types that the driver finds in its first rows. */
static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct wr_buffer sql;
    relation->n_rows = relation->n_bytes = -1;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_format(&sql, "SELECT * FROM %s", query);
    int code =
        sql.failed ? wr_error_memory(error) : wr_adbc_query(database, sql.data, &rows, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = wr_arrow_stream_schema(&rows, "the database", &schema, error);
    for (int64_t i = 0; code == WEIR_OK && i < schema.n_children; i++) {
        const struct ArrowSchema *column = schema.children[i];
        char *expression = wr_adbc_expression("", column->name, '"', " COLLATE BINARY");
        code = expression ? wr_adbc_relation_add(relation, column->name, column->format, true, "",
                                                 expression, error)
                          : wr_error_memory(error);
    }
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    WR_TRY(code);
    relation->found = true;
    return wr_adbc_relation_finish(relation, error);
}

const struct wr_adbc_backend wr_adbc_sqlite = {
    .vendor = "SQLite",
    .dialect = "sqlite",
    .quote = '"',
    .default_schema = default_schema,
    .schemas = schemas,
    .tables = tables,
    .describe = describe,
    .describe_query = describe_query,
    .check = wr_sqlite_check,
};
