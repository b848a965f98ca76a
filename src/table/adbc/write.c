/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/write.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

enum { MOST_DEFINITION = 16 << 20 };

int wr_adbc_insert(const struct wr_adbc_store *store, const struct wr_adbc_name *name,
                   const struct wr_adbc_relation *relation, int mode, struct ArrowArrayStream *rows,
                   int64_t *ret_n_rows, struct weir_error *error) {
    (void)relation;
    return wr_adbc_ingest(store->database, name->schema, name->table,
                          mode == WEIR_INSERT_OVERWRITE ? WR_ADBC_OVERWRITE : WR_ADBC_APPEND, rows,
                          ret_n_rows, error);
}

static int no_rows(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)context;
    (void)error;
    ret_array->release = NULL;
    return WEIR_OK;
}

static int empty_stream(const struct ArrowSchema *columns, struct ArrowArrayStream *ret_rows,
                        struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_copy_schema(columns, &schema, error));
    int code = wr_arrow_callback_stream(&schema, no_rows, NULL, NULL, ret_rows, error);
    wr_arrow_release_schema(&schema);
    return code;
}

/* "(name type NOT NULL, ...)". */
static int add_definition(const struct wr_adbc_backend *backend, const struct ArrowSchema *columns,
                          struct wr_buffer *text, struct weir_error *error) {
    wr_buffer_text(text, " (");
    for (int64_t i = 0; i < columns->n_children; i++) {
        const struct ArrowSchema *column = columns->children[i];
        if (i > 0) wr_buffer_text(text, ", ");
        wr_adbc_quote(text, column->name, backend->quote);
        wr_buffer_char(text, ' ');
        WR_TRY(backend->type_name(column, text, error));
        if (!(column->flags & ARROW_FLAG_NULLABLE)) wr_buffer_text(text, " NOT NULL");
    }
    wr_buffer_char(text, ')');
    return text->failed ? wr_error_memory(error) : WEIR_OK;
}

static int create_as(const struct wr_adbc_store *store, const struct wr_adbc_name *name,
                     const struct ArrowSchema *columns, bool replace, struct ArrowArrayStream *rows,
                     int64_t *ret_n_rows, struct weir_error *error) {
    struct wr_buffer definition;
    wr_buffer_init(&definition, MOST_DEFINITION);
    int code = store->backend->type_name
                   ? add_definition(store->backend, columns, &definition, error)
                   : WEIR_OK;
    if (code == WEIR_OK) {
        code = wr_adbc_ingest_made(
            store->database, wr_adbc_own_schema(store->backend, name->schema), name->table,
            replace ? WR_ADBC_REPLACE : WR_ADBC_CREATE, definition.data, rows, ret_n_rows, error);
    }
    wr_buffer_reset(&definition);
    return code;
}

int wr_adbc_create(const struct wr_adbc_store *store, const struct wr_adbc_name *name,
                   const struct ArrowSchema *columns, bool replace, struct ArrowArrayStream *rows,
                   int64_t *ret_n_rows, struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    if (!rows) WR_TRY(empty_stream(columns, &none, error));
    struct ArrowArrayStream *given = rows ? rows : &none;
    int code = create_as(store, name, columns, replace, given, ret_n_rows, error);
    wr_arrow_release_stream(given);
    return code;
}
