/* SPDX-License-Identifier: Apache-2.0 */
/* An extension as they were when encodings had come: never edited, and loaded by each later weir.
 * Of a file *.abi4 each byte is a row; written is each number's last byte. */
#include <stdlib.h>

#include "abi_4.h"

enum { MOST_ROWS = 4096 };

static void schema_release(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static struct ArrowSchema column = {.format = "l", .name = "byte", .release = schema_release};
static struct ArrowSchema *columns[] = {&column};

struct batch {
    const void *buffers[2], *none[1];
    struct ArrowArray child, *children[1];
    int64_t numbers[MOST_ROWS];
};

static void child_release(struct ArrowArray *array) {
    array->release = NULL;
}

static void batch_release(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

static int rows_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    (void)stream;
    column.release = schema_release;
    *ret_schema = (struct ArrowSchema){.format = "+s",
                                       .name = "",
                                       .n_children = 1,
                                       .children = columns,
                                       .release = schema_release};
    return 0;
}

struct reading {
    struct weir_reader *file;
    int64_t at;
};

static int rows_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct reading *reading = stream->private_data;
    unsigned char bytes[MOST_ROWS];
    size_t n = 0;
    *ret_array = (struct ArrowArray){0};
    if (reading->file->read_at(reading->file, reading->at, bytes, sizeof bytes, &n, NULL)) return 5;
    if (n == 0) return 0;
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return 12;
    for (size_t i = 0; i < n; i++)
        batch->numbers[i] = bytes[i];
    batch->buffers[1] = batch->numbers;
    batch->children[0] = &batch->child;
    batch->child = (struct ArrowArray){
        .length = (int64_t)n, .n_buffers = 2, .buffers = batch->buffers, .release = child_release};
    *ret_array = (struct ArrowArray){.length = (int64_t)n,
                                     .n_buffers = 1,
                                     .buffers = batch->none,
                                     .n_children = 1,
                                     .children = batch->children,
                                     .release = batch_release,
                                     .private_data = batch};
    reading->at += (int64_t)n;
    return 0;
}

static const char *rows_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void rows_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

static int bytes_read(void *private_data, struct weir_reader *file,
                      const struct weir_option *options, size_t n_options,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)private_data, (void)options, (void)n_options, (void)error;
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading) return WEIR_INTERNAL;
    reading->file = file;
    *ret_rows =
        (struct ArrowArrayStream){rows_schema, rows_next, rows_error, rows_release, reading};
    return 0;
}

static int bytes_write(void *private_data, struct ArrowArrayStream *rows,
                       const struct weir_option *options, size_t n_options, weir_write_fn write,
                       void *sink, struct weir_error *error) {
    (void)private_data, (void)options, (void)n_options, (void)error;
    struct ArrowArray batch;
    int code = 0;
    while (!code && !(code = rows->get_next(rows, &batch)) && batch.release) {
        const struct ArrowArray *child = batch.children[0];
        const int64_t *numbers = (const int64_t *)child->buffers[1] + child->offset + batch.offset;
        for (int64_t i = 0; i < batch.length && !code; i++)
            code = write(sink, &(unsigned char){(unsigned char)numbers[i]}, 1);
        batch.release(&batch);
    }
    rows->release(rows);
    return code ? WEIR_IO : 0;
}

static const struct weir_encoding encoding = {.size = sizeof encoding,
                                              .name = "abi4",
                                              .summary = "bytes",
                                              .read = bytes_read,
                                              .write = bytes_write};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    const struct weir_host_of_abi_4 *given = (const struct weir_host_of_abi_4 *)host;
    if (host->size < sizeof *given) return WEIR_NOT_IMPLEMENTED;
    *ret_extension = (struct weir_extension){
        .size = sizeof *ret_extension, .abi = 1, .name = "abi4", .version = "1.0"};
    return given->register_encoding(host->context, &encoding, error);
}
