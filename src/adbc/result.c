/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

struct result {
    struct ArrowArrayStream rows; /* of the row that is bound now */
    struct wr_driver_plan *plan;
    struct wr_driver_binding *binding; /* NULL: there are no further rows */
    struct wr_driver_database *database;
    struct ArrowSchema schema; /* with a binding: of all the results */
    bool ended;
    int errnum; /* of the failure, which is answered again */
    AdbcStatusCode code;
    struct AdbcError error;
};

/* ---- Errors ---- */

static int fail(struct result *result, int errnum, const struct weir_error *reason) {
    result->error.vendor_code = WR_ADBC_ERROR_IS_1_1;
    result->code = wr_driver_answer(reason->code, reason, &result->error);
    result->errnum = reason->code == WEIR_CANCELLED ? ECANCELED : errnum ? errnum : EIO;
    return result->errnum;
}

/* The error that the rows' get_next left behind. */
static int fail_rows(struct result *result, int errnum) {
    struct weir_error reason = {0};
    if (weir_stream_error(&result->rows, &reason) != WEIR_OK || !reason.code)
        wr_error_stream(&reason, &result->rows, errnum, "reading the rows");
    return fail(result, errnum, &reason);
}

/* ---- Further rows of parameters ---- */

static bool same_columns(const struct ArrowSchema *a, const struct ArrowSchema *b) {
    if (strcmp(a->format, b->format) != 0 || a->n_children != b->n_children) return false;
    for (int64_t i = 0; i < a->n_children; i++) {
        if (!same_columns(a->children[i], b->children[i])) return false;
    }
    return true;
}

static int check_columns(struct result *result, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(wr_arrow_stream_schema(&result->rows, "reading the rows", &schema, error));
    bool same = same_columns(&result->schema, &schema);
    wr_arrow_release_schema(&schema);
    if (same) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                        "a further row of parameters gives columns of other types than the first; "
                        "cast the parameters in the query");
}

static int run_next(struct result *result, bool *ret_more, struct weir_error *error) {
    WR_TRY(wr_driver_binding_next(result->binding, result->plan, ret_more, error));
    if (!*ret_more) return WEIR_OK;
    if (atomic_load(&result->plan->cancelled)) return wr_driver_cancelled(error);
    WR_TRY(weir_statement_execute(result->plan->statement, &result->rows, NULL, error));
    return check_columns(result, error);
}

/* ---- The stream ---- */

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    struct result *result = stream->private_data;
    struct weir_error reason = {0};
    if (!result->binding) {
        int errnum = result->rows.get_schema(&result->rows, ret_schema);
        return errnum ? fail_rows(result, errnum) : 0;
    }
    return wr_arrow_copy_schema(&result->schema, ret_schema, &reason)
               ? fail(result, ENOMEM, &reason)
               : 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct result *result = stream->private_data;
    if (result->errnum) return result->errnum;
    memset(ret_array, 0, sizeof *ret_array);
    while (!result->ended) {
        int errnum = result->rows.get_next(&result->rows, ret_array);
        if (errnum) return fail_rows(result, errnum);
        if (ret_array->release) return 0;
        struct weir_error reason = {0};
        bool more = false;
        wr_arrow_release_stream(&result->rows);
        if (result->binding && run_next(result, &more, &reason)) return fail(result, EIO, &reason);
        result->ended = !more;
    }
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    const struct result *result = stream->private_data;
    return result->errnum ? result->error.message : NULL;
}

static void result_free(struct result *result) {
    wr_arrow_release_stream(&result->rows);
    wr_arrow_release_schema(&result->schema);
    wr_driver_binding_close(result->binding);
    wr_driver_plan_release(result->plan);
    wr_driver_database_release(result->database);
    if (result->error.release) result->error.release(&result->error);
    wr_free(result);
}

static void release(struct ArrowArrayStream *stream) {
    result_free(stream->private_data);
    stream->private_data = NULL;
    stream->release = NULL;
}

int wr_driver_result_new(struct wr_driver_database *database, struct ArrowArrayStream *rows,
                         struct wr_driver_plan *plan, struct wr_driver_binding *binding,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int code = binding ? wr_arrow_stream_schema(rows, "reading the rows", &schema, error) : WEIR_OK;
    struct result *result = code ? NULL : wr_calloc(1, sizeof *result);
    if (!result) {
        wr_arrow_release_stream(rows);
        wr_arrow_release_schema(&schema);
        wr_driver_binding_close(binding);
        return code ? code : wr_error_memory(error);
    }
    wr_arrow_move_stream(rows, &result->rows);
    wr_arrow_move_schema(&schema, &result->schema);
    result->plan = plan ? wr_driver_plan_retain(plan) : NULL;
    result->binding = binding;
    result->database = wr_driver_database_retain(database);
    *ret_rows = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, result};
    return WEIR_OK;
}

const struct AdbcError *wr_driver_result_error(struct ArrowArrayStream *stream,
                                               AdbcStatusCode *ret_code) {
    if (!stream || stream->release != release) return NULL;
    struct result *result = stream->private_data;
    if (!result->errnum) return NULL;
    if (ret_code) *ret_code = result->code;
    return &result->error;
}

int wr_driver_result_drain(struct ArrowArrayStream *rows, struct weir_error *error) {
    for (;;) {
        struct ArrowArray batch = {0};
        int code = wr_arrow_stream_next(rows, "reading the rows", &batch, error);
        struct weir_error full = {0};
        if (code && weir_stream_error(rows, &full) == WEIR_OK && full.code) {
            if (error) *error = full;
            code = full.code;
        }
        if (code || !batch.release) {
            wr_arrow_release_stream(rows);
            return code;
        }
        batch.release(&batch);
    }
}
