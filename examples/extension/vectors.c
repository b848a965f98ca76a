/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encoding of files: *.fvecs, in which collections of vectors for nearest neighbour search are
 * passed around. A file is its vectors one after another, each as an int32, the number of its
 * dimensions, and so many float32, little endian. All vectors of a file have as many.
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o vectors.so vectors.c
 *     weir sql "LOAD './vectors.so'; SELECT count(*) FROM 'sift.fvecs'"
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir_extension.h"

enum { ROWS_AT_ONCE = 4096, MOST_DIMENSIONS = 1 << 20 };

static int fail(struct weir_error *error, int code, const char *format, int64_t a, int64_t b) {
    snprintf(error->message, sizeof error->message, format, a, b);
    return error->code = code;
}

/* ---- Arrow ---- */

static void array_release(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++)
        array->children[i]->release(array->children[i]);
    free(array->children);
    free(array->private_data); /* the values, or the array that is the one child */
    free(array->buffers);
    array->release = NULL;
}

/* Takes over `own`, values or the one child. NULL when there is no memory. */
static struct ArrowArray *array_new(int64_t length, int64_t n_buffers, void *own,
                                    struct ArrowArray *child) {
    struct ArrowArray *array = calloc(1, sizeof *array);
    struct ArrowArray **children = malloc(sizeof *children);
    const void **buffers = calloc((size_t)n_buffers, sizeof *buffers);
    if (!array || !children || !buffers) {
        if (child) child->release(child);
        free(own), free(array), free(children), free(buffers);
        return NULL;
    }
    children[0] = child;
    *array = (struct ArrowArray){.length = length,
                                 .n_buffers = n_buffers,
                                 .n_children = child != NULL,
                                 .buffers = buffers,
                                 .children = children,
                                 .release = array_release,
                                 .private_data = own};
    return array;
}

static void schema_release(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    free(schema->private_data); /* the format, where it was made */
    schema->release = NULL;
}

static int schema_init(struct ArrowSchema *schema, const char *format, const char *name,
                       struct ArrowSchema **ret_child) {
    *schema = (struct ArrowSchema){.name = name, .release = schema_release};
    schema->format = schema->private_data = strdup(format);
    if (!schema->format) return ENOMEM;
    if (!ret_child) return 0;
    schema->children = malloc(sizeof *schema->children);
    struct ArrowSchema *child = calloc(1, sizeof *child);
    if (!schema->children || !child) {
        free(child);
        return ENOMEM;
    }
    child->release = schema_release;
    schema->children[schema->n_children++] = *ret_child = child;
    return 0;
}

/* ---- Reading ---- */

struct reading {
    struct weir_reader *file;
    int32_t n_dimensions;
    int64_t n_rows, row;
    struct weir_error error;
};

/* A struct of one column, "vector", that is never NULL. */
static int reading_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    const struct reading *reading = stream->private_data;
    struct ArrowSchema *vector, *value;
    char format[32];
    snprintf(format, sizeof format, "+w:%" PRId32, reading->n_dimensions);
    int number = schema_init(ret_schema, "+s", "", &vector);
    if (!number) number = schema_init(vector, format, "vector", &value);
    if (!number) number = schema_init(value, "f", "item", NULL);
    if (number && ret_schema->release) ret_schema->release(ret_schema);
    return number;
}

/* The next `n_rows` vectors without their heads, which must all say the same. */
static float *read_values(struct reading *reading, int64_t n_rows) {
    size_t width = (size_t)reading->n_dimensions * sizeof(float), step = width + sizeof(int32_t);
    size_t length = (size_t)n_rows * step, n_read = 0;
    char *values = malloc(length);
    struct weir_error *error = &reading->error;
    if (!values) return NULL;
    int code = reading->file->read_at(reading->file, reading->row * (int64_t)step, values, length,
                                      &n_read, error);
    if (!code && n_read < length)
        code = fail(error, WEIR_INVALID_DATA, "it ends in vector %" PRId64, reading->row, 0);
    for (int64_t i = 0; !code && i < n_rows; i++) {
        int32_t n_dimensions;
        memcpy(&n_dimensions, values + (size_t)i * step, sizeof n_dimensions);
        if (n_dimensions != reading->n_dimensions)
            code = fail(error, WEIR_INVALID_DATA,
                        "vector %" PRId64 " has %" PRId64 " dimensions, unlike the first one",
                        reading->row + i, n_dimensions);
        memmove(values + (size_t)i * width, values + (size_t)i * step + sizeof(int32_t), width);
    }
    if (!code) return (float *)(void *)values;
    free(values);
    return NULL;
}

static int reading_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct reading *reading = stream->private_data;
    int64_t n_rows = reading->n_rows - reading->row;
    if (n_rows > ROWS_AT_ONCE) n_rows = ROWS_AT_ONCE;
    *ret_array = (struct ArrowArray){0};
    if (n_rows == 0) return 0;
    float *values = read_values(reading, n_rows);
    if (!values) return reading->error.code ? EINVAL : ENOMEM;
    struct ArrowArray *value = array_new(n_rows * reading->n_dimensions, 2, values, NULL);
    if (value) value->buffers[1] = values;
    struct ArrowArray *vector = value ? array_new(n_rows, 1, value, value) : NULL;
    struct ArrowArray *batch = vector ? array_new(n_rows, 1, vector, vector) : NULL;
    if (!batch) return ENOMEM;
    *ret_array = *batch;
    free(batch);
    reading->row += n_rows;
    return 0;
}

static const char *reading_error(struct ArrowArrayStream *stream) {
    const struct reading *reading = stream->private_data;
    return reading->error.code ? reading->error.message : NULL;
}

static void reading_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

static int vectors_read(void *private_data, struct weir_reader *file,
                        const struct weir_option *options, size_t n_options,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)private_data, (void)options, (void)n_options;
    int32_t n_dimensions = 0;
    size_t n_read = 0;
    int code = file->read_at(file, 0, &n_dimensions, sizeof n_dimensions, &n_read, error);
    if (code) return code;
    if (n_read < sizeof n_dimensions || n_dimensions <= 0 || n_dimensions > MOST_DIMENSIONS)
        return fail(error, WEIR_INVALID_DATA, "it does not begin with a vector", 0, 0);
    int64_t step = 4 + 4 * (int64_t)n_dimensions;
    if (file->n_bytes % step)
        return fail(error, WEIR_INVALID_DATA,
                    "its %" PRId64 " bytes are not vectors of %" PRId64 " dimensions",
                    file->n_bytes, n_dimensions);
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading) return fail(error, WEIR_INTERNAL, "out of memory", 0, 0);
    reading->file = file;
    reading->n_dimensions = n_dimensions;
    reading->n_rows = file->n_bytes / step;
    *ret_rows = (struct ArrowArrayStream){reading_schema, reading_next, reading_error,
                                          reading_release, reading};
    return WEIR_OK;
}

/* ---- Writing ---- */

struct writing {
    weir_write_fn write;
    void *sink;
    int64_t n_dimensions; /* -1 before the first vector */
};

static int is_null(const struct ArrowArray *array, int64_t i) {
    const uint8_t *bitmap = array->buffers[0];
    return bitmap && !(bitmap[i / 8] >> i % 8 & 1);
}

/* `lists` is of the format "+l". */
static int write_batch(struct writing *writing, const struct ArrowArray *batch,
                       struct weir_error *error) {
    const struct ArrowArray *lists = batch->children[0], *value = lists->children[0];
    const int32_t *offsets = lists->buffers[1];
    const float *values = value->buffers[1];
    for (int64_t row = 0; row < batch->length; row++) {
        int64_t i = row + batch->offset + lists->offset, start = offsets[i] + value->offset;
        int64_t n = offsets[i + 1] - offsets[i];
        if (is_null(lists, i)) return fail(error, WEIR_INVALID_DATA, "a vector is NULL", 0, 0);
        if (writing->n_dimensions < 0) writing->n_dimensions = n;
        if (n == 0 || n != writing->n_dimensions)
            return fail(error, WEIR_INVALID_DATA,
                        "a vector has %" PRId64 " dimensions, the first one %" PRId64, n,
                        writing->n_dimensions);
        for (int64_t j = 0; j < n; j++) {
            if (is_null(value, start + j))
                return fail(error, WEIR_INVALID_DATA, "a vector holds NULL", 0, 0);
        }
        int32_t head = (int32_t)n;
        if (writing->write(writing->sink, &head, sizeof head) ||
            writing->write(writing->sink, values + start, (size_t)n * sizeof *values))
            return fail(error, WEIR_IO, "it cannot be written", 0, 0);
    }
    return WEIR_OK;
}

static int check_schema(struct ArrowArrayStream *rows, struct weir_error *error) {
    struct ArrowSchema schema;
    if (rows->get_schema(rows, &schema))
        return fail(error, WEIR_INTERNAL, "the rows have no schema", 0, 0);
    int is_good = schema.n_children == 1 && strcmp(schema.children[0]->format, "+l") == 0 &&
                  strcmp(schema.children[0]->children[0]->format, "f") == 0;
    schema.release(&schema);
    if (is_good) return WEIR_OK;
    return fail(error, WEIR_INVALID_ARGUMENT,
                "it holds one column of lists of float32: arrow_cast(v, 'List(Float32)')", 0, 0);
}

static int vectors_write(void *private_data, struct ArrowArrayStream *rows,
                         const struct weir_option *options, size_t n_options, weir_write_fn write,
                         void *sink, struct weir_error *error) {
    (void)private_data, (void)options, (void)n_options;
    struct writing writing = {write, sink, -1};
    int code = check_schema(rows, error);
    while (!code) {
        struct ArrowArray batch;
        if (rows->get_next(rows, &batch)) {
            const char *text = rows->get_last_error(rows);
            snprintf(error->message, sizeof error->message, "%s", text ? text : "no rows");
            code = WEIR_IO;
            break;
        }
        if (!batch.release) break;
        code = write_batch(&writing, &batch, error);
        batch.release(&batch);
    }
    rows->release(rows);
    return code;
}

/* ---- The extension ---- */

static const struct weir_encoding vectors = {
    .size = sizeof vectors,
    .name = "fvecs",
    .summary = "vectors of float32, as collections for nearest neighbour search have them",
    .read = vectors_read,
    .write = vectors_write,
};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = WEIR_EXTENSION_ABI,
                                             .name = "vectors",
                                             .version = "1.0",
                                             .summary = "files of vectors"};
    if (!WEIR_HOST_HAS(host, register_encoding))
        return fail(error, WEIR_NOT_IMPLEMENTED, "this weir knows no encodings", 0, 0);
    return host->register_encoding(host->context, &vectors, error);
}
