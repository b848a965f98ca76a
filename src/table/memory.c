/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `memory`: rows kept as Arrow batches in this process. It serves CREATE TABLE without
 * USING.
 *
 * 1. The rows are an immutable, reference-counted list of shared batches. A scan keeps the list it
 * began with.
 * 2. An insert reads its whole stream into a list of its own, then publishes a new list under the
 * mutex: all rows or none.
 * 3. The rows end with the process, so a definition of this kind is not kept in a workspace's
 * catalog.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/form.h"
#include "table/projection.h"

extern const struct weir_table_kind wr_kind_memory;

/* A partition is not worth its thread with fewer rows. */
enum { MAX_PARTITIONS = 8, PARTITION_ROWS = 65536 };

struct rows {
    atomic_int references;
    uint64_t id; /* of no other list of this process */
    int64_t n_rows;
    size_t n_batches;
    size_t capacity;
    struct wr_shared_batch **batches;
};

struct memory {
    pthread_mutex_t mutex; /* guards `rows` */
    struct rows *rows;
    struct ArrowSchema schema;
    char *name;
};

/* ---- Lists of batches ---- */

static struct rows *rows_new(void) {
    static atomic_uint_least64_t last_id;
    struct rows *rows = wr_calloc(1, sizeof *rows);
    if (!rows) return NULL;
    atomic_init(&rows->references, 1);
    rows->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    return rows;
}

static void rows_release(struct rows *rows) {
    if (!rows) return;
    if (atomic_fetch_sub_explicit(&rows->references, 1, memory_order_acq_rel) > 1) return;
    for (size_t i = 0; i < rows->n_batches; i++)
        wr_shared_batch_release(rows->batches[i]);
    wr_free(rows->batches);
    wr_free(rows);
}

/* Takes over one reference of `batch` on success. */
static int rows_add(struct rows *rows, struct wr_shared_batch *batch, struct weir_error *error) {
    if (rows->n_batches == rows->capacity) {
        size_t capacity = rows->capacity ? rows->capacity * 2 : 8;
        struct wr_shared_batch **batches =
            wr_reallocarray(rows->batches, capacity, sizeof *batches);
        if (!batches) return wr_error_memory(error);
        rows->batches = batches;
        rows->capacity = capacity;
    }
    rows->batches[rows->n_batches++] = batch;
    rows->n_rows += wr_shared_batch_length(batch);
    return WEIR_OK;
}

static int rows_add_all(struct rows *rows, const struct rows *from, struct weir_error *error) {
    for (size_t i = 0; i < from->n_batches; i++) {
        WR_TRY(rows_add(rows, from->batches[i], error));
        wr_shared_batch_retain(from->batches[i]);
    }
    return WEIR_OK;
}

static struct rows *snapshot(struct memory *memory) {
    pthread_mutex_lock(&memory->mutex);
    struct rows *rows = memory->rows;
    atomic_fetch_add_explicit(&rows->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&memory->mutex);
    return rows;
}

/* ---- Life ---- */

static void memory_close(void *table) {
    struct memory *memory = table;
    rows_release(memory->rows);
    wr_arrow_release_schema(&memory->schema);
    wr_free(memory->name);
    pthread_mutex_destroy(&memory->mutex);
    wr_free(memory);
}

static int memory_open(const struct weir_definition *definition, void **ret_table,
                       struct weir_error *error) {
    if (!definition->columns) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                            "table \"%s\" (kind memory): no columns; declare them, or give rows "
                            "with AS SELECT",
                            definition->name);
    }
    struct memory *memory = wr_calloc(1, sizeof *memory);
    if (!memory) return wr_error_memory(error);
    pthread_mutex_init(&memory->mutex, NULL);
    memory->rows = rows_new();
    memory->name = wr_strdup(definition->name);
    int code = memory->rows && memory->name ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK) code = wr_arrow_copy_schema(definition->columns, &memory->schema, error);
    if (code) {
        memory_close(memory);
        return code;
    }
    *ret_table = memory;
    return WEIR_OK;
}

static int memory_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    const struct memory *memory = table;
    return wr_form_stream(&memory->schema, ret_form, error);
}

static void statistics_release(struct weir_statistics *statistics) {
    statistics->release = NULL;
}

static int memory_statistics(void *table, struct weir_statistics *ret_statistics,
                             struct weir_error *error) {
    (void)error;
    struct rows *rows = snapshot(table);
    *ret_statistics = (struct weir_statistics){
        .size = sizeof *ret_statistics,
        .n_rows = rows->n_rows,
        .n_bytes = -1,
        .exact = 1,
        .release = statistics_release,
    };
    rows_release(rows);
    return WEIR_OK;
}

/* ---- Version ---- */

static uint64_t process_id;

/* Not the system's number of the process, which comes again. */
static void make_process_id(void) {
    if (getrandom(&process_id, sizeof process_id, 0) != sizeof process_id) process_id = 0;
}

/* The rows of one list never change. Without randomness they are not worth keeping. */
static int memory_version(void *table, char ret_version[WEIR_VERSION_SIZE],
                          struct weir_error *error) {
    (void)error;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_process_id);
    struct rows *rows = snapshot(table);
    ret_version[0] = '\0';
    if (process_id != 0) {
        snprintf(ret_version, WEIR_VERSION_SIZE, "%016" PRIx64 "-%" PRIx64, process_id, rows->id);
    }
    rows_release(rows);
    return WEIR_OK;
}

/* ---- Scan ---- */

struct memory_scan {
    struct rows *rows;
    size_t n_batches; /* the first ones, as many as the limit needs */
    int32_t n_partitions;
    struct wr_projection projection;
};

struct reader {
    struct memory_scan *scan;
    size_t next;
    size_t end;
};

static int reader_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct reader *reader = context;
    if (reader->next == reader->end) return WEIR_OK;
    const struct memory_scan *scan = reader->scan;
    WR_TRY(wr_projection_apply(&scan->projection, scan->rows->batches[reader->next], ret_array,
                               error));
    reader->next++;
    return WEIR_OK;
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct memory_scan *memory_scan = scan->private_data;
    struct reader *reader = wr_malloc(sizeof *reader);
    if (!reader) return wr_error_memory(error);
    size_t n = memory_scan->n_batches;
    size_t n_partitions = (size_t)memory_scan->n_partitions;
    *reader = (struct reader){
        .scan = memory_scan,
        .next = n * (size_t)partition / n_partitions,
        .end = n * ((size_t)partition + 1) / n_partitions,
    };
    struct ArrowSchema schema = {0};
    int code = wr_arrow_copy_schema(&memory_scan->projection.schema, &schema, error);
    if (code == WEIR_OK) {
        code = wr_arrow_callback_stream(&schema, reader_next, wr_free, reader, ret_rows, error);
    }
    if (code) {
        wr_arrow_release_schema(&schema);
        wr_free(reader);
    }
    return code;
}

static void scan_release(struct weir_scan *scan) {
    struct memory_scan *memory_scan = scan->private_data;
    rows_release(memory_scan->rows);
    wr_projection_reset(&memory_scan->projection);
    wr_free(memory_scan);
    scan->private_data = NULL;
    scan->release = NULL;
}

/* Small tables stay in one partition, and so in the order in which their rows came. */
static int32_t partitions_for(int64_t n_rows, size_t n_batches) {
    int64_t n = 1 + n_rows / PARTITION_ROWS;
    if (n > (int64_t)n_batches) n = (int64_t)n_batches;
    if (n > MAX_PARTITIONS) n = MAX_PARTITIONS;
    return n > 0 ? (int32_t)n : 1;
}

static int memory_plan(void *table, const struct weir_scan_request *request,
                       struct weir_scan *ret_scan, struct weir_error *error) {
    struct memory *memory = table;
    struct memory_scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    int code = wr_projection_init(&memory->schema, request, &scan->projection, error);
    if (code) {
        wr_free(scan);
        return code;
    }
    scan->rows = snapshot(memory);
    int64_t wanted = request->limit < 0 ? INT64_MAX : request->limit;
    int64_t n_rows = 0;
    for (; scan->n_batches < scan->rows->n_batches && n_rows < wanted; scan->n_batches++) {
        n_rows += wr_shared_batch_length(scan->rows->batches[scan->n_batches]);
    }
    scan->n_partitions = partitions_for(n_rows, scan->n_batches);
    *ret_scan = (struct weir_scan){
        .n_partitions = scan->n_partitions,
        .open = scan_open,
        .release = scan_release,
        .private_data = scan,
    };
    return WEIR_OK;
}

/* ---- Insert ---- */

static bool same_type(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (strcmp(a->format, b->format) != 0 || a->n_children != b->n_children) return false;
    if (!a->dictionary != !b->dictionary) return false;
    if (a->dictionary && !same_type(a->dictionary, b->dictionary)) return false;
    for (int64_t i = 0; i < a->n_children; i++) {
        if (!same_type(a->children[i], b->children[i])) return false;
    }
    return true;
}

static int check_schema(const struct memory *memory, const struct ArrowSchema *schema,
                        struct weir_error *error) {
    if (schema->n_children != memory->schema.n_children) {
        return wr_error_set(error, WEIR_INVALID_DATA, "42804",
                            "table \"%s\" has %lld columns but the rows have %lld", memory->name,
                            (long long)memory->schema.n_children, (long long)schema->n_children);
    }
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = memory->schema.children[i];
        if (!same_type(column, schema->children[i])) {
            return wr_error_set(error, WEIR_INVALID_DATA, "42804",
                                "column \"%s\" of table \"%s\" has Arrow format \"%s\" but the "
                                "rows have \"%s\"; cast them",
                                column->name ? column->name : "", memory->name, column->format,
                                schema->children[i]->format);
        }
    }
    return WEIR_OK;
}

/* NULLs of a top-level column within the rows of its batch. */
static int64_t count_nulls(const struct ArrowSchema *type, const struct ArrowArray *batch,
                           const struct ArrowArray *column) {
    if (strcmp(type->format, "n") == 0) return batch->length;
    bool has_bitmap = strncmp(type->format, "+u", 2) != 0 && strcmp(type->format, "+r") != 0;
    if (!has_bitmap || column->null_count == 0 || column->n_buffers < 1 || !column->buffers[0]) {
        return 0;
    }
    int64_t start = column->offset + batch->offset;
    return batch->length - ArrowBitCountSet(column->buffers[0], start, batch->length);
}

static int check_nulls(const struct memory *memory, const struct ArrowArray *batch,
                       struct weir_error *error) {
    for (int64_t i = 0; i < batch->n_children; i++) {
        const struct ArrowSchema *column = memory->schema.children[i];
        if (column->flags & ARROW_FLAG_NULLABLE) continue;
        if (count_nulls(column, batch, batch->children[i]) > 0) {
            return wr_error_set(error, WEIR_INTEGRITY, "23502",
                                "null value in column \"%s\" of table \"%s\", which is NOT NULL",
                                column->name ? column->name : "", memory->name);
        }
    }
    return WEIR_OK;
}

/* Reads one batch into `rows`. */
static int take_batch(const struct memory *memory, struct ArrowArray *batch, struct rows *rows,
                      struct weir_error *error) {
    if (batch->length == 0) {
        wr_arrow_release_array(batch);
        return WEIR_OK;
    }
    struct wr_shared_batch *shared = NULL;
    int code = check_nulls(memory, batch, error);
    if (code == WEIR_OK) code = wr_shared_batch_new(batch, &shared, error);
    if (code) {
        wr_arrow_release_array(batch);
        return code;
    }
    code = rows_add(rows, shared, error);
    if (code) wr_shared_batch_release(shared);
    return code;
}

static int read_all(const struct memory *memory, struct ArrowArrayStream *stream, struct rows *rows,
                    struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_stream_schema(stream, memory->name, &schema, error));
    int code = check_schema(memory, &schema, error);
    wr_arrow_release_schema(&schema);
    while (code == WEIR_OK) {
        struct ArrowArray batch = {0};
        code = wr_arrow_stream_next(stream, memory->name, &batch, error);
        if (code || !batch.release) break;
        code = take_batch(memory, &batch, rows, error);
    }
    return code;
}

/* Puts `added` in place of the rows, or after them. */
static int publish(struct memory *memory, int mode, struct rows *added, struct weir_error *error) {
    struct rows *rows = rows_new();
    if (!rows) return wr_error_memory(error);
    pthread_mutex_lock(&memory->mutex);
    int code = WEIR_OK;
    if (mode == WEIR_INSERT_APPEND) code = rows_add_all(rows, memory->rows, error);
    if (code == WEIR_OK) code = rows_add_all(rows, added, error);
    struct rows *old = rows;
    if (code == WEIR_OK) {
        old = memory->rows;
        memory->rows = rows;
    }
    pthread_mutex_unlock(&memory->mutex);
    rows_release(old);
    return code;
}

static int memory_insert(void *table, int mode, struct ArrowArrayStream *stream,
                         int64_t *ret_n_rows, struct weir_error *error) {
    struct memory *memory = table;
    struct rows *added = rows_new();
    int code = added ? read_all(memory, stream, added, error) : wr_error_memory(error);
    wr_arrow_release_stream(stream);
    if (code == WEIR_OK) code = publish(memory, mode, added, error);
    if (code == WEIR_OK) *ret_n_rows = added->n_rows;
    rows_release(added);
    return code;
}

const struct weir_table_kind wr_kind_memory = {
    .size = sizeof wr_kind_memory,
    .name = "memory",
    .summary = "rows kept in this process until it ends",
    .roles = WEIR_ROLE_TABLE | WEIR_READS_AT_ONCE,
    .open = memory_open,
    .close = memory_close,
    .form = memory_form,
    .statistics = memory_statistics,
    .scan = memory_plan,
    .insert = memory_insert,
    .version = memory_version,
};
