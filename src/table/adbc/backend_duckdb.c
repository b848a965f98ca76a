/* SPDX-License-Identifier: Apache-2.0 */
/* DuckDB: names from its catalog functions, types as it gives them to Arrow. */
#include <string.h>
#include <strings.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/answer.h"
#include "table/adbc/backend.h"

enum { MOST_SQL = 16 << 20 };

/* ---- Names ---- */

static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    return wr_adbc_ask_name(database, "SELECT current_schema()", "main", ret_schema, error);
}

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    return wr_adbc_ask_items(
        database,
        all ? "SELECT schema_name FROM duckdb_schemas() WHERE database_name IN "
              "(current_database(), 'system') GROUP BY ALL"
            : "SELECT schema_name FROM duckdb_schemas() "
              "WHERE database_name = current_database()",
        WR_ADBC_SCHEMA, ret_items, error);
}

static void add_names(struct wr_buffer *sql, const char *type, const char *column,
                      const char *schema, const char *table) {
    wr_buffer_format(sql, "SELECT %s_name, %s FROM duckdb_%ss() WHERE schema_name = ", type, column,
                     type);
    wr_buffer_literal(sql, schema);
    wr_buffer_text(sql, " AND database_name IN (current_database(), 'system')");
    if (!table) return;
    wr_buffer_format(sql, " AND %s_name = ", type);
    wr_buffer_literal(sql, table);
}

static int tables(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    add_names(&sql, "table", "0", schema, table);
    wr_buffer_text(&sql, " UNION ALL ");
    add_names(&sql, "view", "1", schema, table);
    /* Of its own views only those that were asked for by name. */
    if (!table) wr_buffer_text(&sql, " AND NOT internal");
    int code =
        wr_adbc_ask_items(database, sql.failed ? NULL : sql.data, WR_ADBC_TABLE, ret_items, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Columns ---- */

static bool begins(const char *text, const char *with) {
    return strncasecmp(text, with, strlen(with)) == 0;
}

/* Types inside of which something has no type of Arrow's, or one that is not told apart. */
static bool needs_text(const char *type) {
    static const char *const parts[] = {"ENUM(",    "UNION(", "TIME WITH TIME ZONE",
                                        "UHUGEINT", "BIT",    "GEOMETRY",
                                        "VARIANT",  "BIGNUM", "VARINT"};
    static const char *const whole[] = {"UUID", "JSON"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (begins(type, parts[i])) return true;
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (strcasecmp(type, whole[i]) == 0) return true;
    }
    return false;
}

/* DuckDB wraps the nanoseconds of an interval that has too many. */
static char *interval_expression(const char *name) {
    struct wr_buffer text;
    wr_buffer_init(&text, MOST_SQL);
    wr_buffer_text(&text, "CASE WHEN abs(date_part('hour', ");
    wr_adbc_quote(&text, name, '"');
    wr_buffer_text(&text,
                   ")) >= 2562047 THEN CAST(error('an interval has more hours than Arrow can "
                   "hold in nanoseconds') AS INTERVAL) ELSE ");
    wr_adbc_quote(&text, name, '"');
    wr_buffer_text(&text, " END");
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}

/* A name that the catalog does not have is a type made by CREATE TYPE; it is shown by what it
 * stands for. */
static int expression_of(const char *name, const char *type, bool collated, char **ret_expression,
                         struct weir_error *error) {
    size_t length = strlen(type);
    bool nested =
        length > 0 && (type[length - 1] == ']' || begins(type, "STRUCT(") || begins(type, "MAP("));
    const char *after = NULL;
    if (!nested && needs_text(type))
        after = "::VARCHAR";
    else if (!nested && strcasecmp(type, "HUGEINT") == 0)
        after = "::DECIMAL(38,0)"; /* which a number of 39 digits is not */
    else if (!nested && begins(type, "VARCHAR") && collated)
        after = " COLLATE \"binary\"";
    bool interval = !nested && strcasecmp(type, "INTERVAL") == 0;
    if (!after && !interval) return WEIR_OK;
    *ret_expression =
        interval ? interval_expression(name) : wr_adbc_expression("", name, '"', after);
    return *ret_expression ? WEIR_OK : wr_error_memory(error);
}

/* Asks for no row of the columns as they will be read. */
static int read_types(struct wr_adbc_database *database, const char *from,
                      struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT ");
    for (size_t i = 0; i < relation->n_columns; i++) {
        const struct wr_adbc_column *column = &relation->columns[i];
        if (i > 0) wr_buffer_text(&sql, ", ");
        if (column->expression)
            wr_buffer_text(&sql, column->expression);
        else
            wr_adbc_quote(&sql, column->name, '"');
    }
    wr_buffer_format(&sql, " FROM %s LIMIT 0", from);
    int code =
        sql.failed ? wr_error_memory(error) : wr_adbc_query(database, sql.data, &rows, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = wr_arrow_stream_schema(&rows, "the database", &schema, error);
    if (code == WEIR_OK) code = wr_adbc_relation_adopt(relation, &schema, error);
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    return code;
}

static int add_columns(const struct wr_adbc_answer *answer, struct wr_adbc_relation *relation,
                       struct weir_error *error) {
    for (size_t i = 0; i < answer->n_rows; i++) {
        const char *name = wr_adbc_cell(answer, i, 0);
        const char *type = wr_adbc_cell(answer, i, 1);
        char *expression = NULL;
        WR_TRY(expression_of(name, type, wr_adbc_cell_bool(answer, i, 4), &expression, error));
        WR_TRY(wr_adbc_relation_add(relation, name, "n", wr_adbc_cell_bool(answer, i, 2), type,
                                    expression, error));
    }
    return WEIR_OK;
}

/* The catalog does not say a column's collation, but the text of the table does. */
static int ask_columns(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                       struct wr_adbc_answer *ret_answer, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql,
                   "SELECT c.column_name, c.data_type, c.is_nullable, t.estimated_size, "
                   "t.table_oid IS NULL OR t.sql ILIKE '%COLLATE%' OR "
                   "current_setting('default_collation') <> '', t.table_oid IS NOT NULL "
                   "FROM duckdb_columns() c LEFT JOIN duckdb_tables() t ON "
                   "t.database_oid = c.database_oid AND t.schema_oid = c.schema_oid AND "
                   "t.table_oid = c.table_oid "
                   "WHERE c.database_name IN (current_database(), 'system') AND c.schema_name = ");
    if (name->schema)
        wr_buffer_literal(&sql, name->schema);
    else
        wr_buffer_text(&sql, "current_schema()");
    wr_buffer_text(&sql, " AND c.table_name = ");
    wr_buffer_literal(&sql, name->table);
    wr_buffer_text(&sql, " ORDER BY c.database_name = 'system', c.column_index");
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 6, ret_answer, error);
    wr_buffer_reset(&sql);
    return code;
}

static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_buffer from;
    relation->n_rows = relation->n_bytes = -1;
    WR_TRY(ask_columns(database, name, &answer, error));
    int code = add_columns(&answer, relation, error);
    if (code == WEIR_OK && answer.n_rows > 0) {
        relation->found = true;
        relation->is_table = wr_adbc_cell_bool(&answer, 0, 5);
        relation->n_rows = wr_adbc_cell_int(&answer, 0, 3, -1);
    }
    wr_adbc_answer_reset(&answer);
    if (code || !relation->found) return code;
    wr_buffer_init(&from, MOST_SQL);
    wr_adbc_full_name(&from, name, '"');
    code = from.failed ? wr_error_memory(error) : read_types(database, from.data, relation, error);
    wr_buffer_reset(&from);
    return code;
}

static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_buffer sql;
    relation->n_rows = relation->n_bytes = -1;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_format(&sql,
                     "SELECT column_name, column_type, true, NULL, true FROM "
                     "(DESCRIBE SELECT * FROM %s AS q)",
                     query);
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 5, &answer, error);
    if (code == WEIR_OK) code = add_columns(&answer, relation, error);
    wr_adbc_answer_reset(&answer);
    wr_buffer_clear(&sql);
    wr_buffer_format(&sql, "%s AS q", query);
    if (code == WEIR_OK) {
        code =
            sql.failed ? wr_error_memory(error) : read_types(database, sql.data, relation, error);
    }
    wr_buffer_reset(&sql);
    if (code == WEIR_OK) relation->found = true;
    return code;
}

/* ---- Values ---- */

/* Its infinities are the ends of the numbers. */
static const struct wr_adbc_ranges ranges = {
    .first_day = -INT32_MAX + 1,
    .last_day = INT32_MAX - 1,
    .first_microsecond = -INT64_MAX + 1,
    .last_microsecond = INT64_MAX - 1,
};

const struct wr_adbc_backend wr_adbc_duckdb = {
    .vendor = "duckdb",
    .dialect = "duckdb",
    .quote = '"',
    .makes_schemas = true,
    .default_schema = default_schema,
    .schemas = schemas,
    .tables = tables,
    .describe = describe,
    .describe_query = describe_query,
    .ranges = &ranges,
};
