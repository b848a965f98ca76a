/* SPDX-License-Identifier: Apache-2.0 */
/* A table kind as an extension would write it, whose behaviour its options choose and whose calls
 * can be looked at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nanoarrow/nanoarrow.h"

#include "conformance.h"

#define BATCH_ROWS 50
#define MAX_FILTERS 16

struct probe {
    int64_t rows, partitions, delay, fail_after;
    enum weir_filter_support filters;
    bool statistics;
    char fail_in[16];
};

struct condition {
    bool on_name;
    int32_t op;
    int64_t value;
};

struct probe_scan {
    struct probe *probe;
    _Atomic int64_t references; /* the scan's own and one per stream */
    _Atomic bool cancelled;
    int32_t columns[N_COLUMNS];
    size_t n_columns;
    struct condition conditions[MAX_FILTERS];
    size_t n_conditions;
};

struct probe_stream {
    struct probe_scan *scan;
    int64_t next, end, given;
    char error[64];
};

struct probe_log probe_log;

void probe_reset(void) {
    memset(&probe_log, 0, sizeof probe_log);
}

static int maybe_fail(const struct probe *probe, const char *slot, struct weir_error *error) {
    if (strcmp(probe->fail_in, slot) != 0) return WEIR_OK;
    if (error != NULL) {
        *error = (struct weir_error){
            .code = WEIR_UNAUTHORIZED, .vendor_code = 4711, .sqlstate = "28000"};
        snprintf(error->message, sizeof error->message, "the probe refuses its %s", slot);
    }
    return WEIR_UNAUTHORIZED;
}

static int probe_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    struct probe *probe = calloc(1, sizeof *probe);
    *probe = (struct probe){.partitions = 1, .fail_after = -1};
    for (size_t i = 0; i < definition->n_options; i++) {
        const char *key = definition->options[i].key, *value = definition->options[i].value;
        if (strcmp(key, "rows") == 0) probe->rows = atoll(value);
        if (strcmp(key, "partitions") == 0) probe->partitions = atoll(value);
        if (strcmp(key, "delay") == 0) probe->delay = atoll(value);
        if (strcmp(key, "fail_after") == 0) probe->fail_after = atoll(value);
        if (strcmp(key, "statistics") == 0) probe->statistics = strcmp(value, "true") == 0;
        if (strcmp(key, "fail_in") == 0)
            snprintf(probe->fail_in, sizeof probe->fail_in, "%s", value);
        if (strcmp(key, "filters") == 0)
            probe->filters = *value == 'e'   ? WEIR_FILTER_EXACT
                             : *value == 'i' ? WEIR_FILTER_INEXACT
                                             : WEIR_FILTER_NO;
    }
    int code = maybe_fail(probe, "open", error);
    if (code == WEIR_OK)
        *ret_table = probe;
    else
        free(probe);
    return code;
}

static void release_form(struct weir_form *form) {
    form->schema.release(&form->schema);
}

static int probe_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    probe_log.forms++;
    int code = maybe_fail(table, "form", error);
    if (code != WEIR_OK) return code;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM, .release = release_form};
    rows_schema(&ret_form->schema);
    return WEIR_OK;
}

static int probe_statistics(void *table, struct weir_statistics *ret_statistics,
                            struct weir_error *error) {
    const struct probe *probe = table;
    int code = maybe_fail(table, "statistics", error);
    if (code != WEIR_OK) return code;
    *ret_statistics = (struct weir_statistics){.size = sizeof *ret_statistics,
                                               .n_rows = probe->statistics ? probe->rows : -1,
                                               .n_bytes = -1,
                                               .exact = probe->statistics};
    return WEIR_OK;
}

/* The filters that this kind understands: comparisons of id with a number, and NULL in name. */
static bool understand(const struct weir_filter *filter, struct condition *ret_condition) {
    if (filter->column == NULL || filter->op == WEIR_OPERATOR_NONE) return false;
    bool null_test = filter->op == WEIR_OPERATOR_IS_NULL || filter->op == WEIR_OPERATOR_IS_NOT_NULL;
    *ret_condition =
        (struct condition){.on_name = strcmp(filter->column, "name") == 0, .op = filter->op};
    if (null_test) return ret_condition->on_name;
    if (strcmp(filter->column, "id") != 0 || strcmp(filter->type->format, "l") != 0) return false;
    struct ArrowArrayView view;
    if (ArrowArrayViewInitFromSchema(&view, filter->type, NULL) != NANOARROW_OK) return false;
    bool known = ArrowArrayViewSetArray(&view, filter->value, NULL) == NANOARROW_OK &&
                 !ArrowArrayViewIsNull(&view, 0);
    if (known) ret_condition->value = ArrowArrayViewGetIntUnsafe(&view, 0);
    ArrowArrayViewReset(&view);
    return known;
}

static int probe_classify(void *table, const struct weir_filter *filters, size_t n_filters,
                          int32_t *ret_support, struct weir_error *error) {
    const struct probe *probe = table;
    int code = maybe_fail(table, "classify", error);
    if (code != WEIR_OK) return code;
    for (size_t i = 0; i < n_filters; i++) {
        struct condition condition;
        ret_support[i] = i < MAX_FILTERS && understand(&filters[i], &condition)
                             ? (int32_t)probe->filters
                             : WEIR_FILTER_NO;
    }
    return WEIR_OK;
}

static bool condition_holds(const struct condition *condition, int64_t i) {
    if (condition->on_name) return (i % 5 == 4) == (condition->op == WEIR_OPERATOR_IS_NULL);
    switch (condition->op) {
    case WEIR_OPERATOR_EQ:
        return i == condition->value;
    case WEIR_OPERATOR_NE:
        return i != condition->value;
    case WEIR_OPERATOR_LT:
        return i < condition->value;
    case WEIR_OPERATOR_LE:
        return i <= condition->value;
    case WEIR_OPERATOR_GT:
        return i > condition->value;
    default:
        return i >= condition->value;
    }
}

/* An inexact scan leaves some rows in that fail: every third one. */
static bool keep(void *context, int64_t i) {
    const struct probe_scan *scan = context;
    if (scan->probe->filters == WEIR_FILTER_INEXACT && i % 3 == 0) return true;
    for (size_t c = 0; c < scan->n_conditions; c++) {
        if (!condition_holds(&scan->conditions[c], i)) return false;
    }
    return true;
}

static void drop_scan(struct probe_scan *scan) {
    if (--scan->references == 0) free(scan);
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    const struct probe_stream *state = stream->private_data;
    rows_project(state->scan->columns, state->scan->n_columns, out);
    return 0;
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct probe_stream *state = stream->private_data;
    struct probe_scan *scan = state->scan;
    for (int64_t waited = 0; waited < scan->probe->delay && !scan->cancelled; waited++)
        sleep_ms(1);
    if (scan->cancelled) {
        strcpy(state->error, "the probe was cancelled");
        return ECANCELED;
    }
    if (scan->probe->fail_after >= 0 && state->given >= scan->probe->fail_after) {
        snprintf(state->error, sizeof state->error, "the probe fails after %lld rows",
                 (long long)state->given);
        return EIO;
    }
    int64_t n = state->end - state->next < BATCH_ROWS ? state->end - state->next : BATCH_ROWS;
    if (n <= 0) {
        out->release = NULL;
        return 0;
    }
    rows_array(state->next, n, keep, scan, scan->columns, scan->n_columns, out);
    state->next += n;
    state->given += out->length;
    probe_log.rows += out->length;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream) {
    return ((struct probe_stream *)stream->private_data)->error;
}

static void stream_release(struct ArrowArrayStream *stream) {
    struct probe_stream *state = stream->private_data;
    drop_scan(state->scan);
    free(state);
    probe_log.streams_released++;
    stream->release = NULL;
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct probe_scan *state = scan->private_data;
    const struct probe *probe = state->probe;
    probe_log.partitions_opened++;
    int code = maybe_fail(probe, "partition", error);
    if (code != WEIR_OK) return code;
    struct probe_stream *stream = calloc(1, sizeof *stream);
    stream->scan = state;
    stream->next = probe->rows * partition / probe->partitions;
    stream->end = probe->rows * (partition + 1) / probe->partitions;
    state->references++;
    *ret_rows = (struct ArrowArrayStream){.get_schema = stream_schema,
                                          .get_next = stream_next,
                                          .get_last_error = stream_error,
                                          .release = stream_release,
                                          .private_data = stream};
    return WEIR_OK;
}

static void scan_cancel(struct weir_scan *scan) {
    probe_log.cancels++;
    ((struct probe_scan *)scan->private_data)->cancelled = true;
}

static void scan_release(struct weir_scan *scan) {
    drop_scan(scan->private_data);
    probe_log.scans_released++;
}

static int probe_scan(void *table, const struct weir_scan_request *request,
                      struct weir_scan *ret_scan, struct weir_error *error) {
    struct probe *probe = table;
    int code = maybe_fail(probe, "scan", error);
    if (code != WEIR_OK) return code;
    struct probe_scan *scan = calloc(1, sizeof *scan);
    scan->probe = probe;
    scan->references = 1;
    scan->n_columns = request->all_columns ? N_COLUMNS : request->n_columns;
    for (size_t i = 0; i < scan->n_columns; i++)
        scan->columns[i] = request->all_columns ? (int32_t)i : request->columns[i];
    for (size_t i = 0; i < request->n_filters; i++) {
        /* Only what classify took comes here. */
        if (!understand(&request->filters[i], &scan->conditions[scan->n_conditions++])) abort();
    }
    probe_log.scans++;
    probe_log.columns = (int64_t)scan->n_columns;
    probe_log.filters = (int64_t)request->n_filters;
    probe_log.limit = request->limit;
    *ret_scan = (struct weir_scan){.n_partitions = (int32_t)probe->partitions,
                                   .open = scan_open,
                                   .cancel = scan_cancel,
                                   .release = scan_release,
                                   .private_data = scan};
    return WEIR_OK;
}

static void probe_hold(void *table, struct weir_scan *scan, int32_t partition, int is_held) {
    (void)table, (void)scan, (void)partition;
    probe_log.held += is_held ? 1 : -1;
    probe_log.holds += is_held != 0;
}

static const struct weir_option_spec options[] = {
    {"rows", WEIR_OPTION_INTEGER, 1, "how many rows"},
    {"partitions", WEIR_OPTION_INTEGER, 0, "in how many partitions; 1 by default"},
    {"filters", WEIR_OPTION_TEXT, 0, "none, inexact or exact"},
    {"statistics", WEIR_OPTION_BOOLEAN, 0, "whether the number of rows is told"},
    {"delay", WEIR_OPTION_INTEGER, 0, "milliseconds before each batch"},
    {"fail_after", WEIR_OPTION_INTEGER, 0, "rows of a partition after which its stream fails"},
    {"fail_in", WEIR_OPTION_TEXT, 0, "the slot that fails"},
};

const struct weir_table_kind probe_kind = {
    .size = sizeof probe_kind,
    .name = "probe",
    .summary = "numbered rows, for tests",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = probe_open,
    .close = free,
    .form = probe_form,
    .statistics = probe_statistics,
    .classify = probe_classify,
    .scan = probe_scan,
    .hold = probe_hold,
};
