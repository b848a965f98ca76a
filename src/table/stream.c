/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `stream`: one Arrow stream, which the first scan reads. Only weir_register_stream makes
 * such a table. */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/form.h"
#include "table/projection.h"
#include "table/registered.h"

extern const struct weir_table_kind wr_kind_memory;
extern const struct weir_table_kind wr_kind_stream;

struct once {
    pthread_mutex_t mutex;        /* guards `rows` */
    struct ArrowArrayStream rows; /* release NULL once a scan took it */
    struct ArrowSchema schema;
    char *name;
};

static void once_close(void *table) {
    struct once *once = table;
    wr_arrow_release_stream(&once->rows);
    wr_arrow_release_schema(&once->schema);
    wr_free(once->name);
    pthread_mutex_destroy(&once->mutex);
    wr_free(once);
}

static int once_new(const char *name, const struct ArrowSchema *columns, struct once **ret_once,
                    struct weir_error *error) {
    struct once *once = wr_calloc(1, sizeof *once);
    if (!once) return wr_error_memory(error);
    pthread_mutex_init(&once->mutex, NULL);
    once->name = wr_strdup(name);
    int code =
        once->name ? wr_arrow_copy_schema(columns, &once->schema, error) : wr_error_memory(error);
    if (code) {
        once_close(once);
        return code;
    }
    *ret_once = once;
    return WEIR_OK;
}

static int once_open(const struct weir_definition *definition, void **ret_table,
                     struct weir_error *error) {
    (void)ret_table;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "table \"%s\": SQL cannot make a table of kind stream; register a stream "
                        "with weir_register_stream",
                        definition->name);
}

static int once_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    const struct once *once = table;
    return wr_form_stream(&once->schema, ret_form, error);
}

/* ---- Scan ---- */

struct once_scan {
    struct once *once;
    int64_t limit;
    struct wr_projection projection;
};

struct reader {
    const struct once_scan *scan;
    struct ArrowArrayStream rows;
    int64_t n_rows;
};

static int already_read(const struct once *once, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                        "table \"%s\" is a stream that was read already; register it again, or "
                        "register its rows",
                        once->name);
}

static int reader_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct reader *reader = context;
    const struct once_scan *scan = reader->scan;
    if (scan->limit >= 0 && reader->n_rows >= scan->limit) return WEIR_OK;
    struct ArrowArray batch = {0};
    WR_TRY(wr_arrow_stream_next(&reader->rows, scan->once->name, &batch, error));
    if (!batch.release) return WEIR_OK;
    reader->n_rows += batch.length;
    if (scan->projection.all) {
        wr_arrow_move_array(&batch, ret_array);
        return WEIR_OK;
    }
    struct wr_shared_batch *shared = NULL;
    int code = wr_shared_batch_new(&batch, &shared, error);
    if (code) {
        wr_arrow_release_array(&batch);
        return code;
    }
    code = wr_projection_apply(&scan->projection, shared, ret_array, error);
    wr_shared_batch_release(shared);
    return code;
}

static void reader_close(void *context) {
    struct reader *reader = context;
    wr_arrow_release_stream(&reader->rows);
    wr_free(reader);
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    (void)partition;
    struct once_scan *once_scan = scan->private_data;
    struct once *once = once_scan->once;
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_copy_schema(&once_scan->projection.schema, &schema, error));
    struct reader *reader = wr_calloc(1, sizeof *reader);
    if (!reader) {
        wr_arrow_release_schema(&schema);
        return wr_error_memory(error);
    }
    reader->scan = once_scan;
    int code =
        wr_arrow_callback_stream(&schema, reader_next, reader_close, reader, ret_rows, error);
    if (code) {
        wr_arrow_release_schema(&schema);
        wr_free(reader);
        return code;
    }
    pthread_mutex_lock(&once->mutex);
    bool there = once->rows.release != NULL;
    if (there) wr_arrow_move_stream(&once->rows, &reader->rows);
    pthread_mutex_unlock(&once->mutex);
    if (there) return WEIR_OK;
    wr_arrow_release_stream(ret_rows);
    return already_read(once, error);
}

static void scan_release(struct weir_scan *scan) {
    struct once_scan *once_scan = scan->private_data;
    wr_projection_reset(&once_scan->projection);
    wr_free(once_scan);
    scan->private_data = NULL;
    scan->release = NULL;
}

/* Opening the partition takes the stream, so that EXPLAIN leaves it alone. */
static int once_plan(void *table, const struct weir_scan_request *request,
                     struct weir_scan *ret_scan, struct weir_error *error) {
    struct once *once = table;
    pthread_mutex_lock(&once->mutex);
    bool there = once->rows.release != NULL;
    pthread_mutex_unlock(&once->mutex);
    if (!there) return already_read(once, error);
    struct once_scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    scan->once = once;
    scan->limit = request->limit;
    int code = wr_projection_init(&once->schema, request, &scan->projection, error);
    if (code) {
        wr_free(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){
        .n_partitions = 1,
        .open = scan_open,
        .release = scan_release,
        .private_data = scan,
    };
    return WEIR_OK;
}

const struct weir_table_kind wr_kind_stream = {
    .size = sizeof wr_kind_stream,
    .name = "stream",
    .summary = "a stream that the program registered, which is read once",
    .open = once_open,
    .close = once_close,
    .form = once_form,
    .scan = once_plan,
};

/* ---- Registered tables ---- */

int wr_registered_new(const char *catalog, const char *schema, const char *name,
                      const struct ArrowSchema *columns, int mode,
                      struct wr_instance **ret_instance, struct weir_error *error) {
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = catalog,
                                         .schema = schema,
                                         .name = name,
                                         .columns = columns};
    const struct weir_table_kind *kind =
        mode == WEIR_REGISTER_ONCE ? &wr_kind_stream : &wr_kind_memory;
    definition.kind = kind->name;
    void *table = NULL;
    if (mode == WEIR_REGISTER_ONCE) {
        struct once *once = NULL;
        WR_TRY(once_new(name, columns, &once, error));
        table = once;
    } else {
        WR_TRY(kind->open(&definition, &table, error));
    }
    int code = wr_instance_adopt(kind, &definition, table, ret_instance, error);
    if (code) kind->close(table);
    return code;
}

void wr_registered_fill(struct wr_instance *instance, struct ArrowArrayStream *rows) {
    struct once *once = wr_instance_data(instance);
    pthread_mutex_lock(&once->mutex);
    wr_arrow_move_stream(rows, &once->rows);
    pthread_mutex_unlock(&once->mutex);
}
