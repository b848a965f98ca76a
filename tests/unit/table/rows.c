/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * All is made with malloc, by hand: the library's own allocations are made to fail while such rows
 * are read.
 */

/* ---- Schema ---- */

struct schema_memory {
    struct ArrowSchema fields[2];
    struct ArrowSchema *pointers[2];
};

static void field_release(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static void schema_release(struct ArrowSchema *schema) {
    for (int i = 0; i < 2; i++) {
        if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    }
    free(schema->private_data);
    schema->release = NULL;
}

void rows_schema(struct ArrowSchema *ret_schema) {
    struct schema_memory *memory = calloc(1, sizeof *memory);
    assert_non_null(memory);
    memory->fields[0] = (struct ArrowSchema){.format = "l", .name = "id", .release = field_release};
    memory->fields[1] = (struct ArrowSchema){
        .format = "u", .name = "name", .flags = ARROW_FLAG_NULLABLE, .release = field_release};
    for (int i = 0; i < 2; i++)
        memory->pointers[i] = &memory->fields[i];
    *ret_schema = (struct ArrowSchema){.format = "+s",
                                       .name = "",
                                       .n_children = 2,
                                       .children = memory->pointers,
                                       .release = schema_release,
                                       .private_data = memory};
}

/* ---- Batches ---- */

enum { MAX_LENGTH = 4096, NAME_LENGTH = 24 };

struct batch_memory {
    struct ArrowArray columns[2];
    struct ArrowArray *pointers[2];
    const void *struct_buffers[1];
    const void *id_buffers[2];
    const void *name_buffers[3];
    int64_t ids[MAX_LENGTH];
    uint8_t valid[MAX_LENGTH / 8];
    int32_t ends[MAX_LENGTH + 1];
    char names[MAX_LENGTH * NAME_LENGTH];
};

static void column_release(struct ArrowArray *array) {
    array->release = NULL;
}

static void batch_release(struct ArrowArray *array) {
    for (int i = 0; i < 2; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    free(array->private_data);
    array->release = NULL;
}

static void make_batch(int64_t first_id, int length, int first_is_null, struct ArrowArray *out) {
    struct batch_memory *memory = calloc(1, sizeof *memory);
    assert_non_null(memory);
    assert_in_range(length, 0, MAX_LENGTH);
    memset(memory->valid, 0xFF, sizeof memory->valid);
    if (first_is_null) memory->valid[0] = 0xFE;
    for (int i = 0; i < length; i++) {
        memory->ids[i] = first_id + i;
        memory->ends[i + 1] =
            memory->ends[i] + snprintf(memory->names + memory->ends[i], NAME_LENGTH, "n%lld",
                                       (long long)(first_id + i));
    }
    memory->id_buffers[0] = memory->valid;
    memory->id_buffers[1] = memory->ids;
    memory->name_buffers[1] = memory->ends;
    memory->name_buffers[2] = memory->names;
    /* Not counted, as many producers leave it. */
    memory->columns[0] = (struct ArrowArray){.length = length,
                                             .null_count = -1,
                                             .n_buffers = 2,
                                             .buffers = memory->id_buffers,
                                             .release = column_release};
    memory->columns[1] = (struct ArrowArray){.length = length,
                                             .n_buffers = 3,
                                             .buffers = memory->name_buffers,
                                             .release = column_release};
    for (int i = 0; i < 2; i++)
        memory->pointers[i] = &memory->columns[i];
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = 1,
                               .n_children = 2,
                               .buffers = memory->struct_buffers,
                               .children = memory->pointers,
                               .release = batch_release,
                               .private_data = memory};
}

/* ---- Streams ---- */

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
    int64_t id = plan->first_id + (int64_t)source->next * plan->batch_length;
    source->next++;
    make_batch(id, plan->batch_length, source->next == plan->null_id_batch, out);
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
            for (int64_t i = 0; i < batch.length; i++)
                sum += values[ids->offset + i];
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
