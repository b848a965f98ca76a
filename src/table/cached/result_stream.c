/* SPDX-License-Identifier: Apache-2.0 */
#include "table/cached/result_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nanoarrow/nanoarrow_ipc.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/cached/result_offset.h"

static const char what[] = "the database's rows";

/* ---- Partitions one after another ---- */

struct concatenation {
    struct weir_scan *scan;
    int32_t next;
    struct ArrowArrayStream current;
};

static int next_batch(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct concatenation *all = context;
    ret_array->release = NULL;
    for (;;) {
        if (!all->current.release) {
            if (all->next >= all->scan->n_partitions) return WEIR_OK;
            WR_TRY(all->scan->open(all->scan, all->next++, &all->current, error));
        }
        WR_TRY(wr_arrow_stream_next(&all->current, what, ret_array, error));
        if (ret_array->release) return WEIR_OK;
        wr_arrow_release_stream(&all->current);
    }
}

static void close_all(void *context) {
    struct concatenation *all = context;
    wr_arrow_release_stream(&all->current);
    wr_free(all);
}

int wr_result_concatenate(struct weir_scan *scan, struct ArrowArrayStream *ret_rows,
                          struct weir_error *error) {
    struct ArrowSchema schema = {0};
    struct concatenation *all = wr_calloc(1, sizeof *all);
    if (!all) return wr_error_memory(error);
    all->scan = scan;
    int code = WEIR_OK;
    if (scan->n_partitions > 0) {
        code = scan->open(scan, all->next++, &all->current, error);
        if (code == WEIR_OK) code = wr_arrow_stream_schema(&all->current, what, &schema, error);
    } else {
        code = wr_error_set(error, WEIR_INTERNAL, NULL, "a statement without a partition");
    }
    if (code == WEIR_OK)
        code = wr_arrow_callback_stream(&schema, next_batch, close_all, all, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        close_all(all);
    }
    return code;
}

/* ---- Writing ---- */

struct output {
    weir_write_fn write;
    void *sink;
    int errnum;
};

static ArrowErrorCode write_output(struct ArrowIpcOutputStream *stream, const void *data,
                                   int64_t length, int64_t *ret_written, struct ArrowError *error) {
    struct output *output = stream->private_data;
    (void)error;
    output->errnum = output->write(output->sink, data, (size_t)length);
    if (output->errnum) return EIO;
    *ret_written = length;
    return NANOARROW_OK;
}

static void release_output(struct ArrowIpcOutputStream *stream) {
    stream->release = NULL;
}

static bool write_batch(const struct ArrowArray *batch, const struct ArrowSchema *schema,
                        struct ArrowIpcWriter *writer, struct ArrowError *problem) {
    struct ArrowArrayView view;
    struct wr_moved moved = {0};
    bool good = ArrowArrayViewInitFromSchema(&view, schema, problem) == NANOARROW_OK &&
                ArrowArrayViewSetArray(&view, batch, problem) == NANOARROW_OK;
    if (good && wr_result_move(&view, &moved) != NANOARROW_OK) {
        ArrowErrorSet(problem, "a part of a larger batch cannot be written");
        good = false;
    }
    if (good) good = ArrowIpcWriterWriteArrayView(writer, &view, problem) == NANOARROW_OK;
    ArrowArrayViewReset(&view);
    wr_moved_reset(&moved);
    return good;
}

static int write_batches(struct ArrowArrayStream *rows, const struct ArrowSchema *schema,
                         struct ArrowIpcWriter *writer, bool *ret_unfit, struct weir_error *error) {
    struct ArrowError problem = {{0}};
    bool good = ArrowIpcWriterWriteSchema(writer, schema, &problem) == NANOARROW_OK;
    int code = WEIR_OK;
    while (good && code == WEIR_OK) {
        struct ArrowArray batch = {0};
        code = wr_arrow_stream_next(rows, what, &batch, error);
        if (code || !batch.release) break;
        good = write_batch(&batch, schema, writer, &problem);
        batch.release(&batch);
    }
    if (good && code == WEIR_OK)
        good = ArrowIpcWriterWriteArrayView(writer, NULL, &problem) == NANOARROW_OK;
    WR_TRY(code);
    if (good) return WEIR_OK;
    *ret_unfit = true;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "a result cannot be kept, so that the database is asked each time: %s",
                        problem.message);
}

int wr_result_write(struct weir_scan *scan, weir_write_fn write, void *sink, bool *ret_unfit,
                    struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct output output = {write, sink, 0};
    struct ArrowIpcOutputStream stream = {write_output, release_output, &output};
    struct ArrowIpcWriter writer = {0};
    WR_TRY(wr_result_concatenate(scan, &rows, error));
    int code = wr_arrow_stream_schema(&rows, what, &schema, error);
    if (code == WEIR_OK && ArrowIpcWriterInit(&writer, &stream) != NANOARROW_OK)
        code = wr_error_memory(error);
    if (code == WEIR_OK) {
        code = write_batches(&rows, &schema, &writer, ret_unfit, error);
        ArrowIpcWriterReset(&writer);
    }
    /* A full disk is no fault of the rows. */
    if (output.errnum) *ret_unfit = false;
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    return code;
}

/* ---- Reading ---- */

struct input {
    int fd;
    int64_t offset;
};

static ArrowErrorCode read_input(struct ArrowIpcInputStream *stream, uint8_t *data, int64_t length,
                                 int64_t *ret_read, struct ArrowError *error) {
    struct input *input = stream->private_data;
    int64_t total = 0;
    while (total < length) {
        ssize_t n = pread(input->fd, data + total, (size_t)(length - total), input->offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            ArrowErrorSet(error, "reading a kept result: %s", strerror(errno));
            return EIO;
        }
        if (n == 0) break;
        total += n;
        input->offset += n;
    }
    *ret_read = total;
    return NANOARROW_OK;
}

static void release_input(struct ArrowIpcInputStream *stream) {
    struct input *input = stream->private_data;
    close(input->fd);
    wr_free(input);
    stream->release = NULL;
}

int wr_result_read(int fd, struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct input *input = wr_malloc(sizeof *input);
    if (!input) {
        close(fd);
        return wr_error_memory(error);
    }
    *input = (struct input){fd, sizeof(struct wr_result_head)};
    struct ArrowIpcInputStream stream = {read_input, release_input, input};
    if (ArrowIpcArrayStreamReaderInit(ret_rows, &stream, NULL) == NANOARROW_OK) return WEIR_OK;
    release_input(&stream);
    return wr_error_memory(error);
}

bool wr_result_old(struct wr_cached_table *cache, const char *key, int64_t oldest, int *ret_fd) {
    struct wr_result_head head = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", cache->key, key);
    int fd = openat(cache->caches->directory.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool good = pread(fd, &head, sizeof head, 0) == sizeof head && head.magic == WR_RESULT_MAGIC &&
                head.started_at >= oldest;
    if (good)
        *ret_fd = fd;
    else
        close(fd);
    return good;
}
