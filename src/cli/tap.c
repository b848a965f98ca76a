/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

int tap_init(struct tap *tap, struct ArrowArrayStream *source, bool keep,
             struct weir_error *error) {
    memset(tap, 0, sizeof *tap);
    WR_TRY(wr_arrow_stream_schema(source, "result", &tap->schema, error));
    wr_arrow_move_stream(source, &tap->source);
    tap->keep = keep;
    return WEIR_OK;
}

static void drop_kept(struct tap *tap) {
    for (size_t i = 0; i < tap->n_kept; i++)
        wr_shared_batch_release(tap->kept[i]);
    wr_free(tap->kept);
    tap->kept = NULL;
    tap->n_kept = 0;
}

void tap_reset(struct tap *tap) {
    drop_kept(tap);
    wr_arrow_release_stream(&tap->source);
    wr_arrow_release_schema(&tap->schema);
}

static int64_t view_bytes(const struct ArrowArrayView *view) {
    int64_t bytes = 0;
    for (int i = 0; i < NANOARROW_MAX_FIXED_BUFFERS; i++) {
        if (view->buffer_views[i].size_bytes > 0) bytes += view->buffer_views[i].size_bytes;
    }
    for (int64_t i = 0; i < view->n_variadic_buffers; i++)
        bytes += view->variadic_buffer_sizes[i];
    for (int64_t i = 0; i < view->n_children; i++)
        bytes += view_bytes(view->children[i]);
    return view->dictionary == NULL ? bytes : bytes + view_bytes(view->dictionary);
}

static int64_t batch_bytes(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    struct ArrowArrayView view;
    int64_t bytes = TAP_KEEP_BYTES; /* of what cannot be measured, only one batch is kept */

    if (ArrowArrayViewInitFromSchema(&view, schema, NULL) != NANOARROW_OK) return bytes;
    if (ArrowArrayViewSetArray(&view, array, NULL) == NANOARROW_OK) bytes = view_bytes(&view);
    ArrowArrayViewReset(&view);
    return bytes;
}

static int keep_batch(struct tap *tap, struct ArrowArray *array, struct weir_error *error) {
    struct wr_shared_batch *batch;

    tap->bytes += batch_bytes(&tap->schema, array);
    if (tap->rows > TAP_KEEP_ROWS || tap->bytes > TAP_KEEP_BYTES) {
        tap->keep = false;
        tap->too_large = true;
        drop_kept(tap);
        return WEIR_OK;
    }
    struct wr_shared_batch **kept =
        wr_reallocarray(tap->kept, tap->n_kept + 1, sizeof(struct wr_shared_batch *));
    if (kept == NULL) return wr_error_memory(error);
    tap->kept = kept;
    WR_TRY(wr_shared_batch_new(array, &batch, error));
    tap->kept[tap->n_kept++] = batch;
    return wr_shared_batch_array(batch, NULL, (size_t)tap->schema.n_children, array, error);
}

int tap_next(struct tap *tap, struct ArrowArray *ret_array, struct weir_error *error) {
    struct ArrowArray array = {0};
    int code = wr_arrow_stream_next(&tap->source, "result", &array, error);

    if (code != WEIR_OK) {
        tap->failed = true;
        const struct weir_error *own = wr_arrow_callback_error(&tap->source); /* a server's */
        if (own != NULL)
            tap->error = *own;
        else if (weir_stream_error(&tap->source, &tap->error) != WEIR_OK && error != NULL)
            tap->error = *error;
        return code;
    }
    tap->ended = array.release == NULL;
    if (!tap->ended) tap->rows += array.length;
    if (tap->keep && !tap->ended && array.length > 0) code = keep_batch(tap, &array, error);
    if (code != WEIR_OK) {
        wr_arrow_release_array(&array);
        return code;
    }
    wr_arrow_move_array(&array, ret_array);
    return WEIR_OK;
}

static int stream_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    ret_array->release = NULL;
    return tap_next(context, ret_array, error);
}

static int kept_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct tap *tap = context;

    ret_array->release = NULL;
    if (tap->next == tap->n_kept) return WEIR_OK;
    return wr_shared_batch_array(tap->kept[tap->next++], NULL, (size_t)tap->schema.n_children,
                                 ret_array, error);
}

static int too_large_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)context;
    ret_array->release = NULL;
    return wr_error_set(
        error, WEIR_INVALID_STATE, "54000",
        "the last result was too large to be kept as \"_\" (more than 1,000,000 rows "
        "or 64 MiB); run it again into a table: CREATE TABLE t AS ...");
}

static void nothing_to_close(void *context) {
    (void)context;
}

static int open_stream(const struct ArrowSchema *from, wr_stream_next_fn next, void *context,
                       struct ArrowArrayStream *ret_stream, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_copy_schema(from, &schema, error));
    int code =
        wr_arrow_callback_stream(&schema, next, nothing_to_close, context, ret_stream, error);
    if (code != WEIR_OK) wr_arrow_release_schema(&schema);
    return code;
}

int tap_stream(struct tap *tap, struct ArrowArrayStream *ret_stream, struct weir_error *error) {
    return open_stream(&tap->schema, stream_next, tap, ret_stream, error);
}

int tap_kept_stream(struct tap *tap, struct ArrowArrayStream *ret_stream,
                    struct weir_error *error) {
    tap->next = 0;
    return open_stream(&tap->schema, kept_next, tap, ret_stream, error);
}

int tap_too_large_stream(const struct ArrowSchema *schema, struct ArrowArrayStream *ret_stream,
                         struct weir_error *error) {
    return open_stream(schema, too_large_next, NULL, ret_stream, error);
}
