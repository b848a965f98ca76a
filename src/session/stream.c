/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the engine's streams to the end, with errors in full. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "session/session.h"

static int engine_failure(struct ArrowArrayStream *rows, int errnum, struct weir_error *error) {
    struct weir_error full = {0};
    if (weir_stream_error(rows, &full) == WEIR_OK && full.code != WEIR_OK) {
        if (error) *error = full;
        return full.code;
    }
    return wr_error_stream(error, rows, errnum, "reading the rows");
}

/* ---- Drain ---- */

static int64_t sum_first(const struct ArrowArray *batch) {
    const struct ArrowArray *column = batch->children[0];
    const int64_t *values = column->buffers[1];
    int64_t sum = 0;
    for (int64_t i = 0; i < batch->length; i++)
        sum += values[batch->offset + column->offset + i];
    return sum;
}

static int check_count(struct ArrowArrayStream *rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_stream_schema(rows, "reading the rows", &schema, error));
    const char *format = schema.n_children > 0 ? schema.children[0]->format : "no column";
    /* int64, uint64 */
    bool counts = strcmp(format, "l") == 0 || strcmp(format, "L") == 0;
    int code = counts ? WEIR_OK
                      : wr_error_set(error, WEIR_INTERNAL, NULL,
                                     "the engine's count has Arrow format \"%s\", not a 64-bit "
                                     "integer's",
                                     format);
    wr_arrow_release_schema(&schema);
    return code;
}

int wr_drain(struct ArrowArrayStream *rows, int64_t *ret_count, struct weir_error *error) {
    int64_t count = 0;
    int code = ret_count ? check_count(rows, error) : WEIR_OK;
    while (code == WEIR_OK) {
        struct ArrowArray batch = {0};
        int errnum = rows->get_next(rows, &batch);
        if (errnum) {
            code = engine_failure(rows, errnum, error);
            break;
        }
        if (!batch.release) break;
        if (ret_count) count += sum_first(&batch);
        batch.release(&batch);
    }
    wr_arrow_release_stream(rows);
    if (code == WEIR_OK && ret_count) *ret_count = count;
    return code;
}

/* ---- Tap ---- */

static int tap_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    struct wr_tap *tap = stream->private_data;
    return tap->inner->get_schema(tap->inner, ret_schema);
}

static int tap_get_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct wr_tap *tap = stream->private_data;
    int errnum = tap->inner->get_next(tap->inner, ret_array);
    if (errnum && tap->engine) tap->code = engine_failure(tap->inner, errnum, &tap->error);
    return errnum;
}

static const char *tap_get_last_error(struct ArrowArrayStream *stream) {
    struct wr_tap *tap = stream->private_data;
    return tap->inner->get_last_error(tap->inner);
}

static void tap_release(struct ArrowArrayStream *stream) {
    stream->private_data = NULL;
    stream->release = NULL;
}

void wr_tap_open(struct wr_tap *tap, struct ArrowArrayStream *ret_stream) {
    *ret_stream = (struct ArrowArrayStream){
        .get_schema = tap_get_schema,
        .get_next = tap_get_next,
        .get_last_error = tap_get_last_error,
        .release = tap_release,
        .private_data = tap,
    };
}

int wr_tap_result(const struct wr_tap *tap, int code, struct weir_error *error) {
    if (code == WEIR_OK || tap->code == WEIR_OK) return code;
    if (error) *error = tap->error;
    return tap->code;
}
