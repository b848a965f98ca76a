/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "nanoarrow/nanoarrow.h"

void rows_schema(struct ArrowSchema *ret_schema) {
    ArrowSchemaInit(ret_schema);
    assert_int_equal(ArrowSchemaSetTypeStruct(ret_schema, 2), NANOARROW_OK);
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[0], "id"), 0);
    ret_schema->children[0]->flags &= ~ARROW_FLAG_NULLABLE;
    assert_int_equal(ArrowSchemaSetType(ret_schema->children[1], NANOARROW_TYPE_STRING), 0);
    assert_int_equal(ArrowSchemaSetName(ret_schema->children[1], "name"), 0);
}

struct source {
    struct rows_plan plan;
    int next;
};

static int source_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    (void)stream;
    rows_schema(out);
    return 0;
}

static int source_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct source *source = stream->private_data;
    const struct rows_plan *plan = &source->plan;
    if (plan->fail_after && source->next == plan->fail_after) return EIO;
    out->release = NULL;
    if (source->next == plan->n_batches) return 0;
    struct ArrowSchema schema;
    rows_schema(&schema);
    assert_int_equal(ArrowArrayInitFromSchema(out, &schema, NULL), 0);
    schema.release(&schema);
    assert_int_equal(ArrowArrayStartAppending(out), 0);
    int64_t id = plan->first_id + (int64_t)source->next * plan->batch_length;
    source->next++;
    for (int i = 0; i < plan->batch_length; i++, id++) {
        char name[32];
        snprintf(name, sizeof name, "n%lld", (long long)id);
        int null = i == 0 && source->next == plan->null_id_batch;
        assert_int_equal(null ? ArrowArrayAppendNull(out->children[0], 1)
                              : ArrowArrayAppendInt(out->children[0], id),
                         0);
        assert_int_equal(ArrowArrayAppendString(out->children[1], ArrowCharView(name)), 0);
        assert_int_equal(ArrowArrayFinishElement(out), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(out, NULL), 0);
    /* As many producers leave it. */
    out->children[0]->null_count = -1;
    return 0;
}

static const char *source_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the disk is gone";
}

static void source_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

void rows_stream(struct rows_plan plan, struct ArrowArrayStream *ret_stream) {
    struct source *source = calloc(1, sizeof *source);
    assert_non_null(source);
    source->plan = plan;
    *ret_stream = (struct ArrowArrayStream){
        .get_schema = source_schema,
        .get_next = source_next,
        .get_last_error = source_error,
        .release = source_release,
        .private_data = source,
    };
}

int64_t rows_sum(struct ArrowArrayStream *stream, int column, int64_t *ret_n_rows) {
    int64_t sum = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        if (stream->get_next(stream, &batch) != 0) return -1;
        if (!batch.release) return sum;
        *ret_n_rows += batch.length;
        if (column >= 0) {
            assert_true(column < batch.n_children);
            const struct ArrowArray *ids = batch.children[column];
            const int64_t *values = ids->buffers[1];
            for (int64_t i = 0; i < batch.length; i++) sum += values[ids->offset + i];
        }
        batch.release(&batch);
    }
}

int rows_scan(const struct weir_table_kind *kind, void *table,
              const struct weir_scan_request *request, int column, int64_t *ret_sum,
              int64_t *ret_n_rows, struct weir_error *error) {
    struct weir_scan scan = {0};
    int code = kind->scan(table, request, &scan, error);
    if (code) return code;
    *ret_sum = 0;
    *ret_n_rows = 0;
    for (int32_t i = 0; i < scan.n_partitions && code == 0; i++) {
        struct ArrowArrayStream stream = {0};
        code = scan.open(&scan, i, &stream, error);
        if (code) break;
        int64_t sum = rows_sum(&stream, column, ret_n_rows);
        if (sum < 0) code = WEIR_IO;
        *ret_sum += sum;
        stream.release(&stream);
    }
    scan.release(&scan);
    return code;
}
