/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as bytes and as text, and what the library handed out. */
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "session/session.h"

int weir_encode(struct ArrowArrayStream *rows, const char *format,
                const struct weir_option *options, size_t n_options, weir_write_fn write,
                void *context, struct weir_error *error) {
    /* The engine reads a stream's error as a text; the tap keeps all of it. */
    struct wr_tap tap = {.inner = rows, .engine = true};
    struct ArrowArrayStream tapped = {0};
    wr_tap_open(&tap, &tapped);
    int code = wr_stream_encode(&tapped, format, options, n_options, write, context, error);
    code = wr_tap_result(&tap, code, error);
    wr_arrow_release_stream(rows);
    return code;
}

int weir_text(struct ArrowArrayStream *rows, struct ArrowArrayStream *ret_text,
              struct weir_error *error) {
    return wr_stream_text(rows, ret_text, error);
}

/* A stream is the engine's, or one over a callback of our own. */
int weir_stream_error(struct ArrowArrayStream *stream, struct weir_error *ret_error) {
    const struct weir_error *own = wr_arrow_callback_error(stream);
    if (!own) return wr_stream_error(stream, ret_error);
    if (ret_error) *ret_error = *own;
    return WEIR_OK;
}

void weir_free(void *memory) {
    wr_free(memory);
}

int weir_script_next(const char *script, size_t length, size_t *offset, const char **ret_statement,
                     size_t *ret_length, int *ret_complete) {
    return wr_script_next(script, length, offset, ret_statement, ret_length, ret_complete);
}
