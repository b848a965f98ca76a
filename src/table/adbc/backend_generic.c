/* SPDX-License-Identifier: Apache-2.0 */
/* A database that has no file of its own here: asked by ADBC's own means, its types as its driver
 * gives them. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/backend.h"

/* ---- Names ---- */

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    (void)all;
    return wr_adbc_list_schemas(database, ret_items, error);
}

/* As the driver tells it; else one of the usual names, else the first. */
static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    static const char *const usual[] = {"public", "main", "dbo"};
    const char *current = wr_adbc_database_schema(database);
    struct wr_adbc_items items = {0};
    if (current) {
        *ret_schema = wr_strdup(current);
        return *ret_schema ? WEIR_OK : wr_error_memory(error);
    }
    /* A driver may not tell names, and know the tables all the same. */
    int code = wr_adbc_list_schemas(database, &items, error);
    if (code && code != WEIR_NOT_IMPLEMENTED) return code;
    const char *name = items.n_items > 0 ? items.items[0].name : ".";
    for (size_t i = sizeof usual / sizeof *usual; i-- > 0;) {
        if (wr_adbc_items_find(&items, usual[i])) name = usual[i];
    }
    char *copy = wr_strdup(name);
    wr_adbc_items_reset(&items);
    if (!copy) return wr_error_memory(error);
    *ret_schema = copy;
    return WEIR_OK;
}

/* ---- Columns ---- */

int wr_adbc_take_columns(const struct ArrowSchema *schema, struct wr_adbc_relation *relation,
                         struct weir_error *error) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        bool nullable = (column->flags & ARROW_FLAG_NULLABLE) != 0;
        WR_TRY(wr_adbc_relation_add(relation, column->name, column->format, nullable, "", NULL,
                                    error));
    }
    relation->found = true;
    return wr_adbc_relation_adopt(relation, schema, error);
}

static int describe(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                    struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    const char *own = wr_adbc_own_schema(&wr_adbc_generic, name->schema);
    int code = wr_adbc_table_schema(database, name->catalog, own, name->table, &schema, error);
    if (code == WEIR_NOT_FOUND) return WEIR_OK;
    WR_TRY(code);
    code = wr_adbc_take_columns(&schema, relation, error);
    wr_arrow_release_schema(&schema);
    relation->is_table = true;
    /* It is the planner's affair only: a table without statistics is as good. */
    const struct wr_adbc_name own_name = {name->catalog, own, name->table};
    if (code == WEIR_OK) wr_adbc_read_statistics(database, &own_name, relation, NULL);
    return code;
}

static int describe_query(struct wr_adbc_database *database, const char *query,
                          struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_adbc_query_columns(database, query, "WHERE 1 = 0", &schema, error));
    int code = wr_adbc_take_columns(&schema, relation, error);
    wr_arrow_release_schema(&schema);
    return code;
}

const struct wr_adbc_backend wr_adbc_generic = {
    .dialect = "generic",
    .quote = '"',
    .may_lack_schemas = true,
    .makes_schemas = true,
    .has_catalogs = true,
    .default_schema = default_schema,
    .schemas = schemas,
    .tables = wr_adbc_list_tables,
    .describe = describe,
    .describe_query = describe_query,
};
