/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AdbcConnectionGetStatistics: a list of catalogs, each with a list of schemas, each with one of
 * statistics. These are (table, column or NULL, key, value in a union of types, is approximate).
 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/backend.h"

/* Keys of the ADBC specification. */
enum { KEY_AVERAGE_BYTE_WIDTH = 0, KEY_NULL_COUNT = 5, KEY_ROW_COUNT = 6 };

enum { TABLE_NAME, COLUMN_NAME, KEY, VALUE, N_FIELDS = 5 };

struct found {
    const char *table;
    struct wr_adbc_relation *relation;
    double n_rows, row_bytes; /* negative: unknown */
};

static bool is_text(const struct ArrowArrayView *column, int64_t row, const char *text) {
    if (ArrowArrayViewIsNull(column, row)) return false;
    struct ArrowStringView value = ArrowArrayViewGetStringUnsafe(column, row);
    return value.size_bytes == (int64_t)strlen(text) &&
           memcmp(value.data, text, (size_t)value.size_bytes) == 0;
}

/* Negative for what is no number. */
static double number_at(const struct ArrowArrayView *values, int64_t row) {
    int8_t child = ArrowArrayViewUnionChildIndex(values, row);
    if (child < 0 || child >= values->n_children) return -1;
    const struct ArrowArrayView *column = values->children[child];
    int64_t at = ArrowArrayViewUnionChildOffset(values, row);
    bool number = column->storage_type == NANOARROW_TYPE_INT64 ||
                  column->storage_type == NANOARROW_TYPE_UINT64 ||
                  column->storage_type == NANOARROW_TYPE_DOUBLE;
    if (!number || at < 0 || at >= column->length || ArrowArrayViewIsNull(column, at)) return -1;
    double value = ArrowArrayViewGetDoubleUnsafe(column, at);
    return value >= 0 && value < 9e18 ? value : -1;
}

static void take_statistic(struct found *found, const struct ArrowArrayView *view, int64_t row) {
    if (!is_text(view->children[TABLE_NAME], row, found->table)) return;
    const struct ArrowArrayView *column = view->children[COLUMN_NAME];
    int64_t key = ArrowArrayViewGetIntUnsafe(view->children[KEY], row);
    double value = number_at(view->children[VALUE], row);
    if (value < 0) return;
    if (ArrowArrayViewIsNull(column, row)) {
        if (key == KEY_ROW_COUNT) found->n_rows = value;
        return;
    }
    for (size_t i = 0; i < found->relation->n_columns; i++) {
        struct wr_adbc_column *own = &found->relation->columns[i];
        if (!is_text(column, row, own->name)) continue;
        /* A count until the number of rows is known. */
        if (key == KEY_NULL_COUNT) own->null_share = value;
        if (key == KEY_AVERAGE_BYTE_WIDTH)
            found->row_bytes = (found->row_bytes < 0 ? 0 : found->row_bytes) + value;
    }
}

/* The list in a struct's field `index`, in that row. */
static const struct ArrowArrayView *list_at(const struct ArrowArrayView *view, int64_t index,
                                            int64_t row, int64_t *ret_start, int64_t *ret_end) {
    const struct ArrowArrayView *list = view->children[index];
    bool null = ArrowArrayViewIsNull(list, row);
    *ret_start = null ? 0 : ArrowArrayViewListChildOffset(list, row);
    *ret_end = null ? 0 : ArrowArrayViewListChildOffset(list, row + 1);
    return list->children[0];
}

static void walk(struct found *found, const struct ArrowArrayView *catalogs) {
    for (int64_t i = 0; i < catalogs->length; i++) {
        int64_t schema, schemas_end, statistic, end;
        const struct ArrowArrayView *schemas = list_at(catalogs, 1, i, &schema, &schemas_end);
        for (; schema < schemas_end; schema++) {
            const struct ArrowArrayView *all = list_at(schemas, 1, schema, &statistic, &end);
            for (; statistic < end; statistic++)
                take_statistic(found, all, statistic);
        }
    }
}

/* Whether the answer looks as the specification says. */
static bool is_expected(const struct ArrowSchema *schema) {
    const struct ArrowSchema *level = schema;
    for (int i = 0; i < 2; i++) {
        if (level->n_children != 2 || level->children[1]->n_children != 1) return false;
        level = level->children[1]->children[0];
    }
    return level->n_children == N_FIELDS && strncmp(level->children[VALUE]->format, "+ud:", 4) == 0;
}

static int read_batch(const struct ArrowSchema *schema, struct ArrowArray *array,
                      struct found *found, struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError arrow = {0};
    int failed = ArrowArrayViewInitFromSchema(&view, schema, &arrow);
    if (!failed) failed = ArrowArrayViewSetArray(&view, array, &arrow);
    if (!failed) walk(found, &view);
    ArrowArrayViewReset(&view);
    return failed ? wr_error_set(error, WEIR_INTERNAL, NULL, "statistics cannot be read: %s",
                                 arrow.message)
                  : WEIR_OK;
}

static void finish(struct found *found) {
    struct wr_adbc_relation *relation = found->relation;
    for (size_t i = 0; i < relation->n_columns; i++) {
        double nulls = relation->columns[i].null_share;
        relation->columns[i].null_share =
            nulls >= 0 && found->n_rows > 0 ? nulls / found->n_rows : -1;
    }
    if (found->n_rows < 0) return;
    relation->n_rows = (int64_t)found->n_rows;
    if (found->row_bytes >= 0 && found->n_rows * found->row_bytes < 9e18)
        relation->n_bytes = (int64_t)(found->n_rows * found->row_bytes);
}

int wr_adbc_read_statistics(struct wr_adbc_database *database, const struct wr_adbc_name *name,
                            struct wr_adbc_relation *relation, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct found found = {name->table, relation, -1, -1};
    WR_TRY(wr_adbc_statistics(database, name->catalog, name->schema, name->table, &rows, error));
    int code = wr_arrow_stream_schema(&rows, "statistics", &schema, error);
    bool expected = code == WEIR_OK && is_expected(&schema);
    while (code == WEIR_OK && expected) {
        struct ArrowArray array = {0};
        code = wr_arrow_stream_next(&rows, "statistics", &array, error);
        if (code || !array.release) break;
        code = read_batch(&schema, &array, &found, error);
        wr_arrow_release_array(&array);
    }
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    finish(&found);
    return code;
}
