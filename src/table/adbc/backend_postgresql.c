/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: names and columns from pg_catalog. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/answer.h"
#include "table/adbc/backend.h"
#include "table/adbc/postgresql_types.h"

enum { MOST_SQL = 1 << 20 };

/* ---- Names ---- */

static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    return wr_adbc_ask_name(database, "SELECT current_schema()::text", "public", ret_schema, error);
}

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    return wr_adbc_ask_items(database,
                             all ? "SELECT nspname::text FROM pg_catalog.pg_namespace"
                                 : "SELECT nspname::text FROM pg_catalog.pg_namespace "
                                   "WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' "
                                   "AND pg_catalog.has_schema_privilege(oid, 'USAGE')",
                             WR_ADBC_SCHEMA, ret_items, error);
}

static int tables(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, "SELECT c.relname::text, c.relkind IN ('v', 'm') "
                         "FROM pg_catalog.pg_class c "
                         "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                         "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname = ");
    wr_buffer_literal(&sql, schema);
    if (table) {
        wr_buffer_text(&sql, " AND c.relname = ");
        wr_buffer_literal(&sql, table);
    }
    int code =
        wr_adbc_ask_items(database, sql.failed ? NULL : sql.data, WR_ADBC_TABLE, ret_items, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Columns ---- */

/*
 * One row per column, and one without a column for a table that has none. A domain's type is that
 * under it, three deep. A NOT NULL holds for what the table stores itself: a table of another
 * server, and one that others inherit from, can have NULLs all the same.
 */
static const char columns_query[] =
    "SELECT a.attname::text,"
    " (CASE WHEN t3.oid IS NOT NULL THEN t3.typname WHEN t2.oid IS NOT NULL THEN t2.typname"
    "  ELSE t.typname END)::text,"
    " (CASE WHEN t2.oid IS NULL THEN a.atttypmod WHEN t3.oid IS NULL THEN t.typtypmod"
    "  ELSE t2.typtypmod END)::int4,"
    " a.attnotnull AND c.relkind IN ('r', 'p', 'm') AND NOT (c.relkind = 'r' AND "
    "c.relhassubclass),"
    " coalesce(NOT l.collisdeterministic, false),"
    " pg_catalog.format_type(a.atttypid, a.atttypmod),"
    " s.null_frac::float8,"
    " c.relkind::text, c.reltuples::float8,"
    " CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) END,"
    " CASE WHEN c.relkind IN ('r', 'm') AND m.amname = 'heap' AND"
    "  pg_catalog.current_setting('server_version_num')::int4 >= 140000 THEN"
    "  pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8 END "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam "
    "LEFT JOIN pg_catalog.pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "LEFT JOIN pg_catalog.pg_type t2 ON t.typtype = 'd' AND t2.oid = t.typbasetype "
    "LEFT JOIN pg_catalog.pg_type t3 ON t2.typtype = 'd' AND t3.oid = t2.typbasetype "
    "LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "
    "LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname"
    " AND s.attname = a.attname AND s.inherited = (c.relkind = 'p') "
    "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname = ";

static int add_column(const struct wr_adbc_answer *answer, size_t row,
                      struct wr_adbc_relation *relation, struct weir_error *error) {
    const char *name = wr_adbc_cell(answer, row, 0);
    const char *share = wr_adbc_cell(answer, row, 6);
    struct wr_postgresql_type type;
    if (!name) return WEIR_OK;
    wr_postgresql_type(wr_adbc_cell(answer, row, 1), wr_adbc_cell_int(answer, row, 2, -1),
                       wr_adbc_cell_bool(answer, row, 4), &type);
    char *expression = NULL;
    if (type.before) {
        expression = wr_adbc_expression(type.before, name, '"', type.after);
        if (expression && type.again) WR_TRY(wr_postgresql_guard(name, &type, &expression, error));
        if (!expression) return wr_error_memory(error);
    }
    WR_TRY(wr_adbc_relation_add(relation, name, type.format, !wr_adbc_cell_bool(answer, row, 3),
                                wr_adbc_cell(answer, row, 5), expression, error));
    if (share) relation->columns[relation->n_columns - 1].null_share = strtod(share, NULL);
    return WEIR_OK;
}

static int fill(const struct wr_adbc_answer *answer, struct wr_adbc_relation *relation,
                struct weir_error *error) {
    if (answer->n_rows == 0) return WEIR_OK;
    const char *kind = wr_adbc_cell(answer, 0, 7);
    for (size_t i = 0; i < answer->n_rows; i++)
        WR_TRY(add_column(answer, i, relation, error));
    relation->found = true;
    relation->is_table = kind && strchr("rpf", *kind) != NULL;
    relation->n_rows = kind && *kind == 'v' ? -1 : wr_adbc_cell_int(answer, 0, 8, -1);
    relation->n_bytes = wr_adbc_cell_int(answer, 0, 9, -1);
    relation->n_blocks = wr_adbc_cell_int(answer, 0, 10, 0);
    return wr_adbc_relation_finish(relation, error);
}

static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, columns_query);
    if (name->schema)
        wr_buffer_literal(&sql, name->schema);
    else
        wr_buffer_text(&sql, "current_schema()");
    wr_buffer_text(&sql, " AND c.relname = ");
    wr_buffer_literal(&sql, name->table);
    wr_buffer_text(&sql, " ORDER BY a.attnum");
    int code = wr_adbc_ask(database, sql.failed ? NULL : sql.data, 11, &answer, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = fill(&answer, relation, error);
    wr_adbc_answer_reset(&answer);
    return code;
}

/* ---- Columns of a query ---- */

/* What the driver says of a column's type, which is that under a domain. */
static int metadata(const struct ArrowSchema *column, const char *key, char *ret_text,
                    size_t size) {
    struct ArrowStringView value = {0};
    *ret_text = '\0';
    if (ArrowMetadataGetValue(column->metadata, ArrowCharView(key), &value)) return -1;
    if (!value.data || value.size_bytes <= 0 || (size_t)value.size_bytes >= size) return -1;
    memcpy(ret_text, value.data, (size_t)value.size_bytes);
    ret_text[value.size_bytes] = '\0';
    return 0;
}

/* A query's collations are not to be told: all are made the one that compares bytes. */
static int add_described(const struct ArrowSchema *column, struct wr_adbc_relation *relation,
                         struct weir_error *error) {
    char name[128], modifier[32];
    struct wr_postgresql_type type;
    char *expression = NULL;
    if (metadata(column, "POSTGRESQL:type", name, sizeof name)) *name = '\0';
    metadata(column, "POSTGRESQL:typmod", modifier, sizeof modifier);
    wr_postgresql_type(name, *modifier ? strtoll(modifier, NULL, 10) : -1, true, &type);
    if (type.before) {
        expression = wr_adbc_expression(type.before, column->name, '"', type.after);
        if (expression && type.again)
            WR_TRY(wr_postgresql_guard(column->name, &type, &expression, error));
        if (!expression) return wr_error_memory(error);
    }
    return wr_adbc_relation_add(relation, column->name, type.format, true, name, expression, error);
}

static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int code = WEIR_OK;
    WR_TRY(wr_adbc_query_columns(database, query, "LIMIT 0", &schema, error));
    for (int64_t i = 0; code == WEIR_OK && i < schema.n_children; i++)
        code = add_described(schema.children[i], relation, error);
    wr_arrow_release_schema(&schema);
    WR_TRY(code);
    relation->found = true;
    return wr_adbc_relation_finish(relation, error);
}

/* ---- Values ---- */

/* The first day and instant are those of 4714 BC, PostgreSQL's first. Infinity, and what lies past
 * 64 bits of microseconds, the driver gives as something long before. */
static const struct wr_adbc_ranges ranges = {
    .first_day = -2440588,
    .last_day = 2145042905,
    .first_microsecond = INT64_C(-210866803200000000),
    .last_microsecond = INT64_MAX,
};

const struct wr_adbc_backend wr_adbc_postgresql = {
    .vendor = "PostgreSQL",
    .dialect = "postgresql",
    .quote = '"',
    .makes_schemas = true,
    .default_schema = default_schema,
    .schemas = schemas,
    .tables = tables,
    .describe = describe,
    .describe_query = describe_query,
    .ranges = &ranges,
    .type_name = wr_postgresql_type_name,
};
