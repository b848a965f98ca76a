/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas and tables by AdbcConnectionGetObjects. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/backend.h"

/* A list of catalogs, each with a list of schemas, each with one of tables. */

struct walk {
    const char *catalog; /* NULL: any */
    const char *schema;  /* NULL: schemas are wanted */
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
    char *text = text_of(schema, view, "db_schema_name", row);
    if (!text) return wr_error_memory(error);
    /* A database without schemas has one all the same. */
    const char *name = *text ? text : ".";
    int code = WEIR_OK;
    if (walk->schema) {
        if (strcmp(walk->schema, name) == 0) code = add_tables(walk, schema, view, row, error);
    } else if (!wr_adbc_items_find(walk->items, name)) {
        code = wr_adbc_items_add(walk->items, name, WR_ADBC_SCHEMA, error);
    }
    wr_free(text);
    return code;
}

/* The filter that the driver got may be a pattern to it. */
static int is_meant(const struct walk *walk, const struct ArrowSchema *schema,
                    const struct ArrowArrayView *view, int64_t row, bool *ret_meant,
                    struct weir_error *error) {
    *ret_meant = true;
    if (!walk->catalog) return WEIR_OK;
    char *name = text_of(schema, view, "catalog_name", row);
    if (!name) return wr_error_memory(error);
    *ret_meant = strcmp(name, walk->catalog) == 0;
    wr_free(name);
    return WEIR_OK;
}

static int walk_batch(const struct walk *walk, const struct ArrowSchema *schema,
                      const struct ArrowArrayView *view, struct weir_error *error) {
    const struct ArrowSchema *list = NULL;
    const struct ArrowArrayView *schemas = field(schema, view, "catalog_db_schemas", &list);
    for (int64_t i = 0; schemas && i < view->length; i++) {
        bool is_asked = false;
        WR_TRY(is_meant(walk, schema, view, i, &is_asked, error));
        if (!is_asked || ArrowArrayViewIsNull(schemas, i)) continue;
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
    WR_TRY(wr_adbc_objects(database, walk->catalog, schema, table, &rows, error));
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

/* What the driver takes for a pattern finds the name itself at least, but for one with a backslash.
 */
static const char *as_pattern(const char *name) {
    return name && strchr(name, '\\') ? NULL : name;
}

int wr_adbc_list_schemas(struct wr_adbc_database *database, struct wr_adbc_items *ret_items,
                         struct weir_error *error) {
    struct wr_adbc_items items = {0};
    const struct walk walk = {wr_adbc_database_catalog(database), NULL, &items};
    int code = read_objects(database, NULL, NULL, &walk, error);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}

int wr_adbc_list_tables(struct wr_adbc_database *database, const char *schema, const char *table,
                        struct wr_adbc_items *ret_items, struct weir_error *error) {
    struct wr_adbc_items items = {0};
    const struct walk walk = {wr_adbc_database_catalog(database), schema, &items};
    const char *pattern = strcmp(schema, ".") == 0 ? NULL : as_pattern(schema);
    int code = read_objects(database, pattern, as_pattern(table), &walk, error);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}
