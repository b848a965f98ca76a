/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results as bytes, a batch at a time, so that no thread waits for a slow client. Each batch goes
 * through weir_encode as a stream of its own, and what belongs to the stream's beginning and end is
 * taken off it. Parquet's parts cannot be had so: a file is made first, which has no name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "http/sql.h"
#include "nanoarrow/nanoarrow.h"

const char *const http_format_types[HTTP_N_FORMATS] = {
    [HTTP_JSON] = "application/json",
    [HTTP_NDJSON] = "application/x-ndjson",
    [HTTP_CSV] = "text/csv",
    [HTTP_ARROW] = "application/vnd.apache.arrow.stream",
    [HTTP_PARQUET] = "application/vnd.apache.parquet",
};

struct result {
    struct ArrowArrayStream rows;
    struct ArrowSchema schema;
    enum http_format format;
    bool has_begun;
    int64_t n_rows;
    struct wr_buffer lines; /* JSON: of one batch */
    size_t n_head;          /* Arrow: bytes of the schema's message */
    int fd;                 /* Parquet */
    int64_t offset;
    void (*close)(void *context);
    void *context;
};

static void release_result(void *context) {
    struct result *result = context;
    wr_arrow_release_stream(&result->rows);
    wr_arrow_release_schema(&result->schema);
    wr_buffer_reset(&result->lines);
    if (result->fd >= 0) close(result->fd);
    if (result->close) result->close(result->context);
    wr_free(result);
}

/* ---- One batch ---- */

struct one {
    struct ArrowArray batch; /* given out once */
};

static int give_one(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct one *one = context;
    (void)error;
    *ret_array = one->batch;
    one->batch.release = NULL;
    return WEIR_OK;
}

static void close_one(void *context) {
    struct one *one = context;
    wr_arrow_release_array(&one->batch);
    wr_free(one);
}

/* A stream of this batch, which is taken over, or of none. */
static int stream_of(const struct result *result, struct ArrowArray *batch,
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct one *one = wr_calloc(1, sizeof *one);
    if (!one) return wr_error_memory(error);
    int code = wr_arrow_copy_schema(&result->schema, &schema, error);
    if (!code) code = wr_arrow_callback_stream(&schema, give_one, close_one, one, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        wr_free(one);
        return code;
    }
    if (batch) wr_arrow_move_array(batch, &one->batch);
    return WEIR_OK;
}

static int append(void *context, const void *data, size_t length) {
    struct wr_buffer *buffer = context;
    wr_buffer_add(buffer, data, length);
    return buffer->failed ? ENOMEM : 0;
}

static int encode_one(const struct result *result, struct ArrowArray *batch, const char *format,
                      bool header, struct wr_buffer *buffer, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    const struct weir_option options[] = {{"header", header ? "true" : "false"}};
    bool is_csv = result->format == HTTP_CSV;
    WR_TRY(stream_of(result, batch, &rows, error));
    return weir_encode(&rows, format, is_csv ? options : NULL, is_csv, append, buffer, error);
}

/* ---- Each format ---- */

int http_add_type(struct wr_buffer *buffer, const struct ArrowSchema *schema,
                  struct weir_error *error) {
    int64_t length = ArrowSchemaToString(schema, NULL, 0, 1);
    char *text = wr_malloc((size_t)length + 1);
    if (!text) return wr_error_memory(error);
    ArrowSchemaToString(schema, text, length + 1, 1);
    json_add_text(buffer, text);
    wr_free(text);
    return WEIR_OK;
}

static int add_columns(const struct result *result, struct wr_buffer *buffer,
                       struct weir_error *error) {
    wr_buffer_text(buffer, "{\"columns\":[");
    for (int64_t i = 0; i < result->schema.n_children; i++) {
        const struct ArrowSchema *column = result->schema.children[i];
        wr_buffer_text(buffer, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_add_text(buffer, column->name);
        wr_buffer_text(buffer, ",\"type\":");
        WR_TRY(http_add_type(buffer, column, error));
        wr_buffer_format(buffer, ",\"nullable\":%s}",
                         column->flags & ARROW_FLAG_NULLABLE ? "true" : "false");
    }
    wr_buffer_text(buffer, "],\"rows\":[");
    return WEIR_OK;
}

/* Lines become members of an array, a line each. */
static int add_json(struct result *result, struct ArrowArray *batch, struct wr_buffer *buffer,
                    struct weir_error *error) {
    struct wr_buffer *lines = &result->lines;
    wr_buffer_clear(lines);
    WR_TRY(encode_one(result, batch, "jsonl", false, lines, error));
    if (lines->failed) return wr_error_memory(error);
    for (size_t at = 0; at < lines->length;) {
        const char *line = lines->data + at;
        size_t length = (size_t)((char *)memchr(line, '\n', lines->length - at) - line);
        wr_buffer_text(buffer, result->n_rows++ > 0 ? ",\n" : "\n");
        wr_buffer_add(buffer, line, length);
        at += length + 1;
    }
    return WEIR_OK;
}

/* The end of a stream of messages: a mark, and the length 0. */
enum { END_LENGTH = 8 };

static int add_arrow(struct result *result, struct ArrowArray *batch, struct wr_buffer *buffer,
                     struct weir_error *error) {
    size_t start = buffer->length;
    WR_TRY(encode_one(result, batch, "arrows", false, buffer, error));
    if (buffer->failed) return wr_error_memory(error);
    size_t length = buffer->length - start;
    if (!batch) { /* the schema */
        result->n_head = length - END_LENGTH;
        buffer->length -= END_LENGTH;
        return WEIR_OK;
    }
    memmove(buffer->data + start, buffer->data + start + result->n_head, length - result->n_head);
    buffer->length -= result->n_head + END_LENGTH;
    return WEIR_OK;
}

static int begin(struct result *result, struct wr_buffer *buffer, struct weir_error *error) {
    result->has_begun = true;
    switch (result->format) {
    case HTTP_JSON:
        return add_columns(result, buffer, error);
    case HTTP_CSV:
        return encode_one(result, NULL, "csv", true, buffer, error);
    case HTTP_ARROW:
        return add_arrow(result, NULL, buffer, error);
    default:
        return WEIR_OK;
    }
}

static int add_batch(struct result *result, struct ArrowArray *batch, struct wr_buffer *buffer,
                     struct weir_error *error) {
    switch (result->format) {
    case HTTP_JSON:
        return add_json(result, batch, buffer, error);
    case HTTP_ARROW:
        return add_arrow(result, batch, buffer, error);
    case HTTP_CSV:
        return encode_one(result, batch, "csv", false, buffer, error);
    default:
        return encode_one(result, batch, "jsonl", false, buffer, error);
    }
}

static void end(const struct result *result, struct wr_buffer *buffer) {
    static const char mark[END_LENGTH] = {'\xff', '\xff', '\xff', '\xff', 0, 0, 0, 0};
    if (result->format == HTTP_JSON)
        wr_buffer_format(buffer, "\n],\"row_count\":%lld}\n", (long long)result->n_rows);
    if (result->format == HTTP_ARROW) wr_buffer_add(buffer, mark, sizeof mark);
}

/* The stream's own error has the code and the position, which Arrow's interface has not. */
static int next_batch(struct result *result, struct ArrowArray *ret_batch,
                      struct weir_error *error) {
    int errnum = result->rows.get_next(&result->rows, ret_batch);
    if (errnum == 0) return WEIR_OK;
    struct weir_error own = {0};
    if (weir_stream_error(&result->rows, &own) == WEIR_OK && own.code) {
        if (error) *error = own;
        return own.code;
    }
    return wr_error_stream(error, &result->rows, errnum, "the query failed");
}

static int next_piece(void *context, struct wr_buffer *buffer, bool *ret_end,
                      struct weir_error *error) {
    struct result *result = context;
    struct ArrowArray batch = {0};
    if (!result->has_begun) WR_TRY(begin(result, buffer, error));
    WR_TRY(next_batch(result, &batch, error));
    if (!batch.release) {
        end(result, buffer);
        *ret_end = true;
        return WEIR_OK;
    }
    int code = batch.length > 0 ? add_batch(result, &batch, buffer, error) : WEIR_OK;
    wr_arrow_release_array(&batch);
    return code;
}

/* ---- Parquet ---- */

static int write_file(void *context, const void *data, size_t length) {
    const int *fd = context;
    const char *at = data;
    while (length > 0) {
        ssize_t n = write(*fd, at, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

static int open_nameless(int *ret_fd, struct weir_error *error) {
    const char *directory = getenv("TMPDIR");
    char path[4096];
    if (!directory || !*directory) directory = "/tmp";
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) { /* a file system without */
        snprintf(path, sizeof path, "%s/weir-result-XXXXXX", directory);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) unlink(path);
    }
    if (fd < 0) return wr_error_errno(error, errno, "cannot make a file in %s", directory);
    *ret_fd = fd;
    return WEIR_OK;
}

static int make_parquet(struct result *result, int64_t *ret_n_bytes, struct weir_error *error) {
    struct stat status;
    WR_TRY(open_nameless(&result->fd, error));
    WR_TRY(weir_encode(&result->rows, "parquet", NULL, 0, write_file, &result->fd, error));
    if (fstat(result->fd, &status) != 0)
        return wr_error_errno(error, errno, "cannot look at the result");
    *ret_n_bytes = status.st_size;
    return WEIR_OK;
}

static int next_of_file(void *context, struct wr_buffer *buffer, bool *ret_end,
                        struct weir_error *error) {
    struct result *result = context;
    char piece[64 * 1024];
    ssize_t n = pread(result->fd, piece, sizeof piece, result->offset);
    if (n < 0) return wr_error_errno(error, errno, "cannot read the result");
    result->offset += n;
    wr_buffer_add(buffer, piece, (size_t)n);
    *ret_end = n == 0;
    return WEIR_OK;
}

/* ---- Making one ---- */

int http_result_body(struct ArrowArrayStream *rows, enum http_format format,
                     void (*close_context)(void *context), void *context,
                     struct http_body *ret_body, struct weir_error *error) {
    struct http_body body = {.next = next_piece, .release = release_result, .n_bytes = -1};
    struct result *result = wr_calloc(1, sizeof *result);
    if (!result) return wr_error_memory(error);
    result->format = format;
    result->fd = -1;
    wr_buffer_init(&result->lines, (size_t)1 << 31);
    wr_arrow_move_stream(rows, &result->rows);
    int code = wr_arrow_stream_schema(&result->rows, "the query failed", &result->schema, error);
    if (!code && format == HTTP_PARQUET) {
        body.next = next_of_file;
        code = make_parquet(result, &body.n_bytes, error);
    }
    if (code) {
        release_result(result);
        return code;
    }
    result->close = close_context;
    result->context = context;
    body.context = result;
    *ret_body = body;
    return WEIR_OK;
}

int http_count_rows(int64_t n_rows, struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct one *one = wr_calloc(1, sizeof *one);
    if (!one) return wr_error_memory(error);
    ArrowSchemaInit(&schema);
    int errnum = ArrowSchemaSetTypeStruct(&schema, 1);
    if (!errnum) errnum = ArrowSchemaSetType(schema.children[0], NANOARROW_TYPE_INT64);
    if (!errnum) errnum = ArrowSchemaSetName(schema.children[0], "affected");
    if (!errnum) errnum = ArrowArrayInitFromSchema(&one->batch, &schema, NULL);
    if (!errnum) errnum = ArrowArrayStartAppending(&one->batch);
    if (!errnum) errnum = ArrowArrayAppendInt(one->batch.children[0], n_rows);
    if (!errnum) errnum = ArrowArrayFinishElement(&one->batch);
    if (!errnum) errnum = ArrowArrayFinishBuildingDefault(&one->batch, NULL);
    int code = errnum ? wr_error_errno(error, errnum, "cannot make a result") : WEIR_OK;
    if (!code) code = wr_arrow_callback_stream(&schema, give_one, close_one, one, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        close_one(one);
    }
    return code;
}
