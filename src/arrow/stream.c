/* SPDX-License-Identifier: Apache-2.0 */
#include "arrow/arrow.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "base/alloc.h"
#include "base/error.h"

struct callback_stream {
    struct ArrowSchema schema;
    wr_stream_next_fn next;
    void (*close)(void *context);
    void *context;
    bool ended;
    struct weir_error error; /* code 0: none */
};

/* The interface carries an errno value only; the text and the rest stay in the stream. */
static int errno_of(const struct weir_error *error) {
    if (strcmp(error->sqlstate, "53200") == 0) return ENOMEM;
    switch (error->code) {
    case WEIR_NOT_IMPLEMENTED:
        return ENOTSUP;
    case WEIR_NOT_FOUND:
        return ENOENT;
    case WEIR_ALREADY_EXISTS:
        return EEXIST;
    case WEIR_INVALID_ARGUMENT:
    case WEIR_INVALID_STATE:
    case WEIR_INVALID_DATA:
        return EINVAL;
    case WEIR_CANCELLED:
        return ECANCELED;
    case WEIR_TIMEOUT:
        return ETIMEDOUT;
    case WEIR_UNAUTHENTICATED:
    case WEIR_UNAUTHORIZED:
        return EACCES;
    default:
        return EIO;
    }
}

static int callback_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct callback_stream *self = stream->private_data;
    struct weir_error error = {0};
    if (wr_arrow_copy_schema(&self->schema, out, &error) == WEIR_OK) return 0;
    self->error = error;
    return errno_of(&error);
}

static int callback_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct callback_stream *self = stream->private_data;
    if (self->error.code) return errno_of(&self->error);
    struct ArrowArray array = {0};
    if (!self->ended) {
        int code = self->next(self->context, &array, &self->error);
        if (code) {
            if (!self->error.code)
                wr_error_set(&self->error, code, NULL, "the rows cannot be read");
            return errno_of(&self->error);
        }
        wr_error_clear(&self->error);
        self->ended = array.release == NULL;
    }
    *out = array;
    return 0;
}

static const char *callback_last_error(struct ArrowArrayStream *stream) {
    struct callback_stream *self = stream->private_data;
    return self->error.code ? self->error.message : NULL;
}

static void callback_release(struct ArrowArrayStream *stream) {
    struct callback_stream *self = stream->private_data;
    stream->release = NULL;
    if (self->close) self->close(self->context);
    wr_arrow_release_schema(&self->schema);
    wr_free(self);
}

int wr_arrow_callback_stream(struct ArrowSchema *schema, wr_stream_next_fn next,
                             void (*close)(void *context), void *context,
                             struct ArrowArrayStream *ret_stream, struct weir_error *error) {
    struct callback_stream *self = wr_calloc(1, sizeof *self);
    if (!self) return wr_error_memory(error);
    wr_arrow_move_schema(schema, &self->schema);
    self->next = next;
    self->close = close;
    self->context = context;
    *ret_stream = (struct ArrowArrayStream){
        .get_schema = callback_schema,
        .get_next = callback_next,
        .get_last_error = callback_last_error,
        .release = callback_release,
        .private_data = self,
    };
    return WEIR_OK;
}

const struct weir_error *wr_arrow_callback_error(struct ArrowArrayStream *stream) {
    if (!stream || stream->release != callback_release) return NULL;
    struct callback_stream *self = stream->private_data;
    return self->error.code ? &self->error : NULL;
}

static int no_rows(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)context;
    (void)error;
    ret_array->release = NULL;
    return WEIR_OK;
}

int wr_arrow_empty_stream(struct ArrowArrayStream *ret_stream, struct weir_error *error) {
    struct ArrowSchema schema;
    ArrowSchemaInit(&schema);
    int errnum = ArrowSchemaSetTypeStruct(&schema, 0);
    int code = errnum ? wr_error_memory(error)
                      : wr_arrow_callback_stream(&schema, no_rows, NULL, NULL, ret_stream, error);
    wr_arrow_release_schema(&schema);
    return code;
}

static int read_failed(struct ArrowArrayStream *stream, int errnum, const char *what,
                       struct weir_error *error) {
    const struct weir_error *own = wr_arrow_callback_error(stream);
    if (!own) return wr_error_stream(error, stream, errnum, what);
    int code = own->code;
    if (!error) return code;
    *error = *own;
    return wr_error_prefix(error, code, "%s", what);
}

static int check_open(struct ArrowArrayStream *stream, const char *what, struct weir_error *error) {
    if (stream->release) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, NULL, "%s: the stream was already released",
                        what);
}

int wr_arrow_stream_schema(struct ArrowArrayStream *stream, const char *what,
                           struct ArrowSchema *ret_schema, struct weir_error *error) {
    WR_TRY(check_open(stream, what, error));
    struct ArrowSchema schema = {0};
    int errnum = stream->get_schema(stream, &schema);
    if (errnum) return read_failed(stream, errnum, what, error);
    if (!schema.release) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "%s: the stream gave a released schema",
                            what);
    }
    wr_arrow_move_schema(&schema, ret_schema);
    return WEIR_OK;
}

int wr_arrow_stream_next(struct ArrowArrayStream *stream, const char *what,
                         struct ArrowArray *ret_array, struct weir_error *error) {
    WR_TRY(check_open(stream, what, error));
    struct ArrowArray array = {0};
    int errnum = stream->get_next(stream, &array);
    if (errnum) return read_failed(stream, errnum, what, error);
    wr_arrow_move_array(&array, ret_array);
    return WEIR_OK;
}
