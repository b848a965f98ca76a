/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "base/error.h"
#include "table/adbc/ingest.h"

/* SQLite takes a number of more digits for a float, which is another number. */
enum { SAFE_DIGITS = 15 };

static void add_type(struct wr_buffer *sql, const struct ArrowSchemaView *view) {
    const char *name = "TEXT";
    switch (view->type) {
    case NANOARROW_TYPE_BOOL:
        name = "BOOLEAN";
        break;
    case NANOARROW_TYPE_INT8:
    case NANOARROW_TYPE_UINT8:
    case NANOARROW_TYPE_INT16:
        name = "SMALLINT";
        break;
    case NANOARROW_TYPE_UINT16:
    case NANOARROW_TYPE_INT32:
        name = "INTEGER";
        break;
    case NANOARROW_TYPE_UINT32:
    case NANOARROW_TYPE_INT64:
    case NANOARROW_TYPE_UINT64:
        name = "BIGINT";
        break;
    case NANOARROW_TYPE_HALF_FLOAT:
    case NANOARROW_TYPE_FLOAT:
        name = "REAL";
        break;
    case NANOARROW_TYPE_DOUBLE:
        name = "DOUBLE";
        break;
    case NANOARROW_TYPE_BINARY:
    case NANOARROW_TYPE_LARGE_BINARY:
    case NANOARROW_TYPE_FIXED_SIZE_BINARY:
    case NANOARROW_TYPE_BINARY_VIEW:
        name = "BLOB";
        break;
    case NANOARROW_TYPE_DATE32:
        name = "DATE";
        break;
    case NANOARROW_TYPE_TIME32:
    case NANOARROW_TYPE_TIME64:
        name = "TIME";
        break;
    case NANOARROW_TYPE_TIMESTAMP:
        name = "TIMESTAMP";
        break;
    case NANOARROW_TYPE_DECIMAL128:
    case NANOARROW_TYPE_DECIMAL256:
        if (view->decimal_precision > SAFE_DIGITS) break;
        wr_buffer_format(sql, "DECIMAL(%d, %d)", (int)view->decimal_precision,
                         (int)view->decimal_scale);
        return;
    default:
        break;
    }
    wr_buffer_text(sql, name);
}

int wr_adbc_sqlite_create(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 24);
    wr_buffer_text(&sql, "CREATE TABLE ");
    wr_adbc_target(ingest, &sql);
    for (int64_t i = 0; i < ingest->columns.n_children; i++) {
        const struct ArrowSchema *column = ingest->columns.children[i];
        struct ArrowSchemaView view;
        if (ArrowSchemaViewInit(&view, column, NULL)) view.type = NANOARROW_TYPE_STRING;
        wr_buffer_text(&sql, i ? ", " : " (");
        wr_buffer_identifier(&sql, column->name ? column->name : "");
        wr_buffer_char(&sql, ' ');
        add_type(&sql, &view);
    }
    wr_buffer_char(&sql, ')');
    int code = sql.failed
                   ? wr_error_memory(error)
                   : wr_adbc_run(ingest->connection, ingest->database->name, sql.data, NULL, error);
    wr_buffer_reset(&sql);
    return code;
}
