/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "output.h"

void connection_close(struct connection *connection) {
    if (connection != NULL) connection->type->close(connection);
}

void prepared_close(struct prepared *prepared) {
    if (prepared != NULL) prepared->type->close_prepared(prepared);
}

/* False: no more are wanted. */
static bool take_batch(const struct ArrowArray *batch,
                       bool (*take)(void *context, const char *value, size_t length),
                       void *context) {
    for (int64_t row = 0; row < batch->length; row++) {
        size_t length;
        const char *value = output_cell(batch, 0, row, &length);
        if (value != NULL && !take(context, value, length)) return false;
    }
    return true;
}

static int take_rows(struct ArrowArrayStream *rows,
                     bool (*take)(void *context, const char *value, size_t length), void *context,
                     struct weir_error *error) {
    struct ArrowArrayStream text = {0};
    bool more = true;
    int code = weir_text(rows, &text, error);
    while (code == WEIR_OK && more) {
        struct ArrowArray batch = {0};
        code = wr_arrow_stream_next(&text, "names", &batch, error);
        more = code == WEIR_OK && batch.release != NULL && take_batch(&batch, take, context);
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_stream(&text);
    return code;
}

int connection_run(struct connection *connection, const char *sql, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct prepared *prepared = NULL;
    int64_t affected;
    WR_TRY(connection->type->prepare(connection, sql, &prepared, error));
    int code = prepared->type->execute(prepared, &rows, &affected, error);
    wr_arrow_release_stream(&rows);
    prepared_close(prepared);
    return code;
}

int connection_list(struct connection *connection, const char *sql,
                    bool (*take)(void *context, const char *value, size_t length), void *context,
                    struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct prepared *prepared = NULL;
    int64_t affected;
    WR_TRY(connection->type->prepare(connection, sql, &prepared, error));
    int code = prepared->type->execute(prepared, &rows, &affected, error);
    if (code == WEIR_OK) code = take_rows(&rows, take, context, error);
    wr_arrow_release_stream(&rows);
    prepared_close(prepared);
    return code;
}
