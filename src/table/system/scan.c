/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a system table: one partition of one batch, made when it is opened. */
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/call.h"
#include "base/error.h"
#include "table/projection.h"
#include "table/system/tables.h"

struct system_scan {
    const struct wr_system_table *table;
    const struct wr_system_source *source; /* NULL: no rows */
    char *catalog;                         /* NULL: all */
    struct wr_viewer viewer;               /* context NULL: none */
    struct wr_call *call;                  /* of the source, which may wait for a mount */
    struct wr_projection projection;
};

/* The one batch of a stream. */
struct batch {
    struct ArrowArray array;
};

static int batch_next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    (void)error;
    struct batch *batch = context;
    wr_arrow_move_array(&batch->array, ret_array);
    return WEIR_OK;
}

static void batch_close(void *context) {
    struct batch *batch = context;
    wr_arrow_release_array(&batch->array);
    wr_free(batch);
}

/* All rows of now, in the columns that are wanted. */
static int fill(const struct system_scan *scan, struct ArrowArray *ret_rows,
                struct weir_error *error) {
    struct wr_rows rows;
    struct wr_shared_batch *all = NULL;
    WR_TRY(wr_rows_init(&rows, scan->table->columns, scan->table->n_columns, error));
    rows.catalog = scan->catalog;
    rows.viewer = scan->viewer.context ? &scan->viewer : NULL;
    int code = WEIR_OK;
    struct wr_call_service service;
    wr_call_serve(&service, scan->call);
    if (scan->source) code = scan->source->fill(scan->source->context, &rows, error);
    wr_call_unserve(&service);
    if (code) code = wr_error_prefix(error, code, WR_SYSTEM_CATALOG ".%s", scan->table->name);
    if (code == WEIR_OK) code = wr_rows_finish(&rows, &all, error);
    if (code == WEIR_OK) code = wr_projection_apply(&scan->projection, all, ret_rows, error);
    wr_shared_batch_release(all);
    wr_rows_reset(&rows);
    return code;
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    (void)partition;
    const struct system_scan *system_scan = scan->private_data;
    struct batch *batch = wr_calloc(1, sizeof *batch);
    if (!batch) return wr_error_memory(error);
    struct ArrowSchema schema = {0};
    int code = fill(system_scan, &batch->array, error);
    if (code == WEIR_OK) {
        code = wr_arrow_copy_schema(&system_scan->projection.schema, &schema, error);
    }
    if (code == WEIR_OK) {
        code = wr_arrow_callback_stream(&schema, batch_next, batch_close, batch, ret_rows, error);
    }
    if (code) {
        wr_arrow_release_schema(&schema);
        batch_close(batch);
    }
    return code;
}

static void scan_cancel(struct weir_scan *scan) {
    const struct system_scan *system_scan = scan->private_data;
    wr_call_cancel(system_scan->call);
}

static void scan_free(struct system_scan *scan) {
    wr_projection_reset(&scan->projection);
    wr_free(scan->catalog);
    wr_call_release(scan->call);
    if (scan->viewer.context) scan->viewer.release(scan->viewer.context);
    wr_free(scan);
}

static void scan_release(struct weir_scan *scan) {
    scan_free(scan->private_data);
    scan->private_data = NULL;
    scan->release = NULL;
}

/* ---- Planning ---- */

/* The text of a one-row value; *ret_text stays NULL for a NULL, or what is no text. */
static int read_text(const struct ArrowSchema *type, const struct ArrowArray *value,
                     char **ret_text, struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError reason;
    if (ArrowArrayViewInitFromSchema(&view, type, &reason) != 0) return wr_error_memory(error);
    int code = WEIR_OK;
    enum ArrowType storage = view.storage_type;
    bool is_text = storage == NANOARROW_TYPE_STRING || storage == NANOARROW_TYPE_LARGE_STRING ||
                   storage == NANOARROW_TYPE_STRING_VIEW;
    if (is_text && ArrowArrayViewSetArray(&view, value, &reason) == 0 &&
        !ArrowArrayViewIsNull(&view, 0)) {
        struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(&view, 0);
        *ret_text = wr_strndup(text.data, (size_t)text.size_bytes);
        if (!*ret_text) code = wr_error_memory(error);
    }
    ArrowArrayViewReset(&view);
    return code;
}

/* The first catalog that the filters name: a walk may leave out all others. */
static int find_catalog(const struct weir_scan_request *request, char **ret_catalog,
                        struct weir_error *error) {
    for (size_t i = 0; i < request->n_filters && !*ret_catalog; i++) {
        const struct weir_filter *filter = &request->filters[i];
        if (!filter->column || strcmp(filter->column, "catalog") != 0) continue;
        if (filter->op != WEIR_OPERATOR_EQ || !filter->value) continue;
        WR_TRY(read_text(filter->type, filter->value, ret_catalog, error));
    }
    return WEIR_OK;
}

static int init_projection(const struct wr_system_table *table,
                           const struct weir_scan_request *request,
                           struct wr_projection *ret_projection, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_columns_schema(table->columns, table->n_columns, &schema, error));
    int code = wr_projection_init(&schema, request, ret_projection, error);
    wr_arrow_release_schema(&schema);
    return code;
}

int wr_system_scan(const struct wr_system_table *table, const struct wr_system_source *source,
                   const struct wr_viewer *viewer, const struct weir_scan_request *request,
                   struct weir_scan *ret_scan, struct weir_error *error) {
    struct system_scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    scan->table = table;
    scan->source = source;
    if (viewer->context) {
        viewer->retain(viewer->context);
        scan->viewer = *viewer;
    }
    scan->call = wr_call_new();
    int code = scan->call ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK) code = init_projection(table, request, &scan->projection, error);
    if (code == WEIR_OK) code = find_catalog(request, &scan->catalog, error);
    if (code) {
        scan_free(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){
        .n_partitions = 1,
        .open = scan_open,
        .cancel = scan_cancel,
        .release = scan_release,
        .private_data = scan,
    };
    return WEIR_OK;
}
