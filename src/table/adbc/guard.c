/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/guard.h"

#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

struct guard {
    struct weir_scan inner;
    const struct wr_adbc_backend *backend;
    struct ArrowSchema schema; /* that was asked for */
    atomic_bool *failed;
};

/* One stream of the scan. */
struct rows {
    struct ArrowArrayStream inner;
    struct ArrowSchema given;
    struct guard *guard;
};

/* ---- Rows ---- */

static int pull(struct rows *rows, struct ArrowArray *ret_array, struct weir_error *error) {
    int errnum = rows->inner.get_next(&rows->inner, ret_array);
    if (!errnum) return WEIR_OK;
    atomic_store(rows->guard->failed, true);
    const struct weir_error *own = wr_arrow_callback_error(&rows->inner);
    if (!own) return wr_error_stream(error, &rows->inner, errnum, "the database");
    if (error) *error = *own;
    return own->code;
}

static int next(void *context, struct ArrowArray *ret_array, struct weir_error *error) {
    struct rows *rows = context;
    const struct guard *guard = rows->guard;
    struct ArrowArray array = {0};
    WR_TRY(pull(rows, &array, error));
    int code = WEIR_OK;
    if (array.release && guard->backend->ranges)
        code = wr_adbc_check_ranges(guard->backend->ranges, &rows->given, &array, error);
    if (array.release && !code && guard->backend->check)
        code = guard->backend->check(&guard->schema, &rows->given, &array, error);
    if (code) {
        wr_arrow_release_array(&array);
        return code;
    }
    wr_arrow_move_array(&array, ret_array);
    return WEIR_OK;
}

static void close_rows(void *context) {
    struct rows *rows = context;
    wr_arrow_release_stream(&rows->inner);
    wr_arrow_release_schema(&rows->given);
    wr_free(rows);
}

/* Texts where numbers were expected: the column's type was changed since it was asked for, unless
 * it is a number that the driver has no type for. To ask again next time costs little. */
static bool is_doubtful(const struct ArrowSchema *schema, const struct ArrowSchema *given) {
    for (int64_t i = 0; i < schema->n_children && i < given->n_children; i++) {
        const char *wanted = schema->children[i]->format;
        if (strlen(wanted) == 1 && strchr("bcCsSiIlLfg", *wanted) &&
            strcmp(given->children[i]->format, "u") == 0)
            return true;
    }
    return false;
}

/* What drivers write beside a type would make it another one inside of a list. */
static int strip(struct ArrowSchema *schema) {
    if (schema->metadata && ArrowSchemaSetMetadata(schema, NULL)) return -1;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (strip(schema->children[i])) return -1;
    }
    return 0;
}

static int open_rows(struct rows *rows, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct weir_scan *inner = &rows->guard->inner;
    struct ArrowSchema schema = {0};
    int code = inner->open(inner, partition, &rows->inner, error);
    if (code) {
        atomic_store(rows->guard->failed, true);
        return code;
    }
    WR_TRY(wr_arrow_stream_schema(&rows->inner, "the database", &rows->given, error));
    if (is_doubtful(&rows->guard->schema, &rows->given)) atomic_store(rows->guard->failed, true);
    WR_TRY(wr_arrow_copy_schema(&rows->given, &schema, error));
    code = strip(&schema)
               ? wr_error_memory(error)
               : wr_arrow_callback_stream(&schema, next, close_rows, rows, ret_rows, error);
    wr_arrow_release_schema(&schema);
    return code;
}

/* ---- The scan ---- */

static int guard_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                      struct weir_error *error) {
    struct rows *rows = wr_calloc(1, sizeof *rows);
    if (!rows) return wr_error_memory(error);
    rows->guard = scan->private_data;
    int code = open_rows(rows, partition, ret_rows, error);
    if (code) close_rows(rows);
    return code;
}

static void guard_cancel(struct weir_scan *scan) {
    struct guard *guard = scan->private_data;
    if (guard->inner.cancel) guard->inner.cancel(&guard->inner);
}

static void guard_release(struct weir_scan *scan) {
    struct guard *guard = scan->private_data;
    if (guard->inner.release) guard->inner.release(&guard->inner);
    wr_arrow_release_schema(&guard->schema);
    wr_free(guard);
    *scan = (struct weir_scan){0};
}

/* Takes the scan over, also when this fails. */
static int guard_scan(const struct wr_adbc_store *store, struct weir_scan *inner,
                      const struct ArrowSchema *schema, atomic_bool *failed,
                      struct weir_scan *ret_scan, struct weir_error *error) {
    struct guard *guard = wr_calloc(1, sizeof *guard);
    int code = guard ? wr_arrow_copy_schema(schema, &guard->schema, error) : wr_error_memory(error);
    if (code) {
        inner->release(inner);
        wr_free(guard);
        return code;
    }
    guard->backend = store->backend;
    guard->failed = failed;
    guard->inner = *inner;
    *ret_scan = (struct weir_scan){
        .n_partitions = guard->inner.n_partitions,
        .open = guard_open,
        .cancel = guard_cancel,
        .release = guard_release,
        .private_data = guard,
    };
    return WEIR_OK;
}

int wr_adbc_guarded_scan(const struct wr_adbc_store *store, const char *const *statements,
                         size_t n_statements, const struct ArrowSchema *schema, atomic_bool *failed,
                         struct weir_scan *ret_scan, struct weir_error *error) {
    struct weir_scan inner;
    int code = wr_adbc_scan(store->database, statements, n_statements, schema, &inner, error);
    if (!code) code = guard_scan(store, &inner, schema, failed, ret_scan, error);
    if (code) atomic_store(failed, true);
    return code;
}

int wr_adbc_guarded_parts(const struct wr_adbc_store *store, const char *statement, int32_t n_parts,
                          const struct ArrowSchema *schema, atomic_bool *failed,
                          struct weir_scan *ret_scan, struct weir_error *error) {
    struct weir_scan inner;
    int code = wr_adbc_scan_parts(store->database, statement, n_parts, schema, &inner, error);
    if (!code) code = guard_scan(store, &inner, schema, failed, ret_scan, error);
    if (code) atomic_store(failed, true);
    return code;
}
