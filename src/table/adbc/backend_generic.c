/* SPDX-License-Identifier: Apache-2.0 */
/* A database that has no file of its own here: asked by ADBC's own means, its types as its driver
 * gives them. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/backend.h"

/* ---- GetObjects: a list of catalogs, each with a list of schemas, each with one of tables ---- */

struct walk {
    const char *schema; /* NULL: schemas are wanted */
    struct wr_adbc_items *items;
};

/* A field of a struct by its name, or NULL. */
static const struct ArrowArrayView *field(const struct ArrowSchema *schema,
                                          const struct ArrowArrayView *view, const char *name,
                                          const struct ArrowSchema **ret_schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (strcmp(schema->children[i]->name, name) != 0) continue;
        *ret_schema = schema->children[i];
        return view->children[i];
    }
    return NULL;
}

/* The text of a field in a row; "" for NULL. Free with wr_free. */
static char *text_of(const struct ArrowSchema *schema, const struct ArrowArrayView *view,
                     const char *name, int64_t row) {
    const struct ArrowSchema *unused = NULL;
    const struct ArrowArrayView *column = field(schema, view, name, &unused);
    if (!column || ArrowArrayViewIsNull(column, row)) return wr_strdup("");
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(column, row);
    return wr_strndup(text.data, (size_t)text.size_bytes);
}

static int add_table(const struct walk *walk, const struct ArrowSchema *schema,
                     const struct ArrowArrayView *view, int64_t row, struct weir_error *error) {
    char *name = text_of(schema, view, "table_name", row);
    char *type = text_of(schema, view, "table_type", row);
    int code = name && type ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK && *name) {
        code = wr_adbc_items_add(walk->items, name,
                                 strcasestr(type, "view") ? WR_ADBC_VIEW : WR_ADBC_TABLE, error);
    }
    wr_free(name);
    wr_free(type);
    return code;
}

static int add_tables(const struct walk *walk, const struct ArrowSchema *schema,
                      const struct ArrowArrayView *view, int64_t row, struct weir_error *error) {
    const struct ArrowSchema *list = NULL;
    const struct ArrowArrayView *tables = field(schema, view, "db_schema_tables", &list);
    if (!tables || ArrowArrayViewIsNull(tables, row)) return WEIR_OK;
    int64_t end = ArrowArrayViewListChildOffset(tables, row + 1);
    for (int64_t i = ArrowArrayViewListChildOffset(tables, row); i < end; i++)
        WR_TRY(add_table(walk, list->children[0], tables->children[0], i, error));
    return WEIR_OK;
}

static int add_schema(const struct walk *walk, const struct ArrowSchema *schema,
                      const struct ArrowArrayView *view, int64_t row, struct weir_error *error) {
    char *name = text_of(schema, view, "db_schema_name", row);
    if (!name) return wr_error_memory(error);
    int code = WEIR_OK;
    if (walk->schema) {
        if (strcmp(walk->schema, name) == 0) code = add_tables(walk, schema, view, row, error);
    } else if (!wr_adbc_items_find(walk->items, *name ? name : ".")) {
        /* A database without schemas has one all the same. */
        code = wr_adbc_items_add(walk->items, *name ? name : ".", WR_ADBC_SCHEMA, error);
    }
    wr_free(name);
    return code;
}

static int walk_batch(const struct walk *walk, const struct ArrowSchema *schema,
                      const struct ArrowArrayView *view, struct weir_error *error) {
    const struct ArrowSchema *list = NULL;
    const struct ArrowArrayView *schemas = field(schema, view, "catalog_db_schemas", &list);
    for (int64_t i = 0; schemas && i < view->length; i++) {
        if (ArrowArrayViewIsNull(schemas, i)) continue;
        int64_t end = ArrowArrayViewListChildOffset(schemas, i + 1);
        for (int64_t j = ArrowArrayViewListChildOffset(schemas, i); j < end; j++)
            WR_TRY(add_schema(walk, list->children[0], schemas->children[0], j, error));
    }
    return WEIR_OK;
}

static int read_batch(const struct walk *walk, const struct ArrowSchema *schema,
                      struct ArrowArray *array, struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError arrow = {0};
    int failed = ArrowArrayViewInitFromSchema(&view, schema, &arrow);
    if (!failed) failed = ArrowArrayViewSetArray(&view, array, &arrow);
    int code = failed ? wr_error_set(error, WEIR_INTERNAL, NULL,
                                     "the list of names cannot be "
                                     "read: %s",
                                     arrow.message)
                      : walk_batch(walk, schema, &view, error);
    ArrowArrayViewReset(&view);
    return code;
}

static int read_objects(struct wr_adbc_database *database, const char *schema, const char *table,
                        const struct walk *walk, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema columns = {0};
    WR_TRY(wr_adbc_objects(database, NULL, schema, table, &rows, error));
    int code = wr_arrow_stream_schema(&rows, "the database", &columns, error);
    while (code == WEIR_OK) {
        struct ArrowArray array = {0};
        code = wr_arrow_stream_next(&rows, "the database", &array, error);
        if (code || !array.release) break;
        code = read_batch(walk, &columns, &array, error);
        wr_arrow_release_array(&array);
    }
    wr_arrow_release_schema(&columns);
    wr_arrow_release_stream(&rows);
    return code;
}

/* ---- Names ---- */

static int schemas(struct wr_adbc_database *database, bool all, struct wr_adbc_items *ret_items,
                   struct weir_error *error) {
    struct wr_adbc_items items = {0};
    struct walk walk = {NULL, &items};
    (void)all;
    int code = read_objects(database, NULL, NULL, &walk, error);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}

static int tables(struct wr_adbc_database *database, const char *schema, const char *table,
                  struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    bool none = strcmp(schema, ".") == 0;
    struct walk walk = {none ? "" : schema, &items};
    /* The driver takes both for patterns, which find the name itself at least. */
    int code = read_objects(database, none ? NULL : schema, table, &walk, error);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}

/* Nothing tells which one it is: the usual names, else the first. */
static int default_schema(struct wr_adbc_database *database, char **ret_schema,
                          struct weir_error *error) {
    static const char *const usual[] = {"public", "main", "dbo"};
    struct wr_adbc_items items = {0};
    /* A driver may not tell names, and know the tables all the same. */
    int code = schemas(database, false, &items, error);
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

static int add_columns(const struct ArrowSchema *schema, struct wr_adbc_relation *relation,
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
    code = add_columns(&schema, relation, error);
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
    int code = add_columns(&schema, relation, error);
    wr_arrow_release_schema(&schema);
    return code;
}

#define COMMON                                                                                     \
    .may_lack_schemas = true, .makes_schemas = true, .default_schema = default_schema,             \
    .schemas = schemas, .tables = tables, .describe = describe, .describe_query = describe_query

const struct wr_adbc_backend wr_adbc_mysql = {
    .vendor = "MySQL", .dialect = "mysql", .quote = '`', COMMON};

const struct wr_adbc_backend wr_adbc_generic = {.dialect = "generic", .quote = '"', COMMON};
