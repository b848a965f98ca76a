/* SPDX-License-Identifier: Apache-2.0 */
/* Another weir: its names by ADBC's own means, its columns as its planner gives them. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/backend.h"

enum { MOST_SQL = 1 << 20 };

static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    const char *current = wr_adbc_database_schema(database);
    struct wr_adbc_items items = {0};
    if (!current) {
        WR_TRY(wr_adbc_list_schemas(database, &items, error));
        /* That of a mount is in no path. */
        current = wr_adbc_items_find(&items, ".") ? "." : "public";
        wr_adbc_items_reset(&items);
    }
    *ret_schema = wr_strdup(current);
    return *ret_schema ? WEIR_OK : wr_error_memory(error);
}

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    struct wr_adbc_items found = {0}, items = {0};
    WR_TRY(wr_adbc_list_schemas(database, &found, error));
    int code = WEIR_OK;
    for (size_t i = 0; i < found.n_items && !code; i++) {
        const char *name = found.items[i].name;
        if (all || strcmp(name, "information_schema") != 0)
            code = wr_adbc_items_add(&items, name, WR_ADBC_SCHEMA, error);
    }
    wr_adbc_items_reset(&found);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}

/*
 * The columns of SELECT *, which are of the types that its rows have. AdbcConnectionGetTableSchema
 * takes a name for a pattern, and would tell of another table.
 */
static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct weir_error own = {0};
    struct wr_buffer from;
    wr_buffer_init(&from, MOST_SQL);
    wr_adbc_full_name(&from, name, '"');
    int code = from.failed ? wr_error_memory(&own)
                           : wr_adbc_query_columns(database, from.data, "LIMIT 0", &schema, &own);
    wr_buffer_reset(&from);
    if (code && strcmp(own.sqlstate, "42P01") == 0) return WEIR_OK;
    if (code) {
        if (error) *error = own;
        return code;
    }
    relation->is_table = true; /* what takes no rows says so itself */
    code = wr_adbc_take_columns(&schema, relation, error);
    wr_arrow_release_schema(&schema);
    if (code == WEIR_OK) wr_adbc_read_statistics(database, name, relation, NULL);
    return code;
}

static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_adbc_query_columns(database, query, "LIMIT 0", &schema, error));
    int code = wr_adbc_take_columns(&schema, relation, error);
    wr_arrow_release_schema(&schema);
    return code;
}

const struct wr_adbc_backend wr_adbc_weir = {
    .vendor = "weir",
    .dialect = "weir",
    .quote = '"',
    .may_lack_schemas = true,
    .dot_is_a_schema = true,
    .makes_schemas = true,
    .has_catalogs = true,
    .default_schema = default_schema,
    .schemas = schemas,
    .tables = wr_adbc_list_tables,
    .describe = describe,
    .describe_query = describe_query,
};
