/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MySQL and MariaDB: names and columns from information_schema. Their schemas are databases. The
 * two differ by the name of the collation that compares all bytes.
 */
#include <string.h>
#include <strings.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "table/adbc/answer.h"
#include "table/adbc/backend.h"
#include "table/adbc/mysql.h"
#include "table/adbc/mysql_types.h"

enum { MOST_SQL = 1 << 20 };

/* ---- Names ---- */

static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    return wr_adbc_ask_name(database, "SELECT DATABASE()", "information_schema", ret_schema, error);
}

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    return wr_adbc_ask_items(database,
                             all ? "SELECT schema_name FROM information_schema.schemata"
                                 : "SELECT schema_name FROM information_schema.schemata "
                                   "WHERE schema_name NOT IN ('information_schema', 'mysql', "
                                   "'performance_schema', 'sys')",
                             WR_ADBC_SCHEMA, ret_items, error);
}

/* The name exactly, whatever the collation is; by the first half the server finds it. As digits it
 * is the same in each sql_mode. */
static void add_condition(struct wr_buffer *sql, const char *column, const char *name) {
    wr_buffer_format(sql, "%s = _utf8mb4 x'", column);
    wr_hex_encode(sql, name);
    wr_buffer_format(sql, "' AND CAST(%s AS BINARY) = x'", column);
    wr_hex_encode(sql, name);
    wr_buffer_char(sql, '\'');
}

static void add_table(struct wr_buffer *sql, const char *schema, const char *table) {
    if (schema)
        add_condition(sql, "table_schema", schema);
    else
        wr_buffer_text(sql, "table_schema = DATABASE()");
    if (!table) return;
    wr_buffer_text(sql, " AND ");
    add_condition(sql, "table_name", table);
}

static int tables(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT table_name, table_type LIKE '%VIEW' "
                         "FROM information_schema.tables WHERE ");
    add_table(&sql, schema, table);
    int code =
        wr_adbc_ask_items(database, sql.failed ? NULL : sql.data, WR_ADBC_TABLE, ret_items, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Columns ---- */

static int ask(struct wr_adbc_database *database, const char *before,
               const struct wr_adbc_name *name, const char *after, size_t n_columns,
               struct wr_adbc_answer *ret_answer, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, before);
    add_table(&sql, name->schema, name->table);
    wr_buffer_text(&sql, after);
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, n_columns, ret_answer, error);
    wr_buffer_reset(&sql);
    return code;
}

static int add_columns(const struct wr_adbc_answer *answer, const char *binary, bool is_view,
                       struct wr_adbc_relation *relation, struct weir_error *error) {
    for (size_t i = 0; i < answer->n_rows; i++) {
        const struct wr_mysql_column column = {.name = wr_adbc_cell(answer, i, 0),
                                               .type = wr_adbc_cell(answer, i, 1),
                                               .declared = wr_adbc_cell(answer, i, 2),
                                               .charset = wr_adbc_cell(answer, i, 4),
                                               .collation = wr_adbc_cell(answer, i, 5),
                                               .precision = wr_adbc_cell_int(answer, i, 6, 0),
                                               .scale = wr_adbc_cell_int(answer, i, 7, 0)};
        const char *nullable = wr_adbc_cell(answer, i, 3);
        struct wr_mysql_type type;
        char *expression = NULL;
        if (!column.name || !column.type || !column.declared) continue;
        WR_TRY(wr_mysql_type(&column, binary, &type, &expression, error));
        bool set = nullable && strcasecmp(nullable, "NO") == 0;
        WR_TRY(wr_adbc_relation_add(relation, column.name, type.format, is_view || !set,
                                    column.declared, expression, error));
    }
    return wr_adbc_relation_finish(relation, error);
}

static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    struct wr_adbc_answer about = {0}, columns = {0};
    relation->n_rows = relation->n_bytes = -1;
    WR_TRY(ask(database,
               "SELECT table_type LIKE '%VIEW', table_type LIKE '%TABLE', table_rows, data_length "
               "FROM information_schema.tables WHERE ",
               name, "", 4, &about, error));
    bool found = about.n_rows > 0, is_view = found && wr_adbc_cell_bool(&about, 0, 0);
    if (found) {
        relation->found = true;
        /* A system-versioned one is called so, and a sequence is none. */
        relation->is_table = !is_view && wr_adbc_cell_bool(&about, 0, 1);
        relation->n_rows = wr_adbc_cell_int(&about, 0, 2, -1);
        relation->n_bytes = wr_adbc_cell_int(&about, 0, 3, -1);
    }
    wr_adbc_answer_reset(&about);
    if (!found) return WEIR_OK;
    WR_TRY(ask(database,
               "SELECT column_name, data_type, column_type, is_nullable, character_set_name, "
               "collation_name, numeric_precision, numeric_scale "
               "FROM information_schema.columns WHERE ",
               name, " ORDER BY ordinal_position", 8, &columns, error));
    int code = add_columns(&columns, wr_mysql_binary_collation(database), is_view, relation, error);
    wr_adbc_answer_reset(&columns);
    return code;
}

/* A query's collations are not to be told: its texts are made those that are equal by bytes. */
static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int code = WEIR_OK;
    WR_TRY(wr_adbc_query_columns(database, query, "LIMIT 0", &schema, error));
    for (int64_t i = 0; code == WEIR_OK && i < schema.n_children; i++) {
        const struct ArrowSchema *given = schema.children[i];
        struct wr_mysql_type type;
        char *expression = NULL;
        const bool is_float = strcmp(given->format, "f") == 0;
        const struct wr_mysql_column column = {
            .name = given->name, .type = is_float ? "float" : "any", .declared = ""};
        if (is_float || strcmp(given->format, "u") == 0)
            code = wr_mysql_type(&column, wr_mysql_binary_collation(database), &type, &expression,
                                 error);
        if (!code)
            code = wr_adbc_relation_add(relation, given->name, given->format, true, "", expression,
                                        error);
    }
    wr_arrow_release_schema(&schema);
    WR_TRY(code);
    relation->found = true;
    return wr_adbc_relation_finish(relation, error);
}

#define COMMON                                                                                     \
    .dialect = "mysql", .quote = '`', .makes_schemas = true, .drops_all = true,                    \
    .default_schema = default_schema, .schemas = schemas, .tables = tables, .describe = describe,  \
    .describe_query = describe_query, .type_name = wr_mysql_type_name

const struct wr_adbc_backend wr_adbc_mysql = {.vendor = "MySQL", COMMON};
const struct wr_adbc_backend wr_adbc_mariadb = {.vendor = "MariaDB", COMMON};
