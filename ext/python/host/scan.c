/* SPDX-License-Identifier: Apache-2.0 */
/* A planned scan: partitions, and the stream that reads each of them (reader.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/scan.h"

void wp_scan_hold(void *table, struct weir_scan *opened, int32_t partition, int is_held) {
    struct scan *scan = opened->private_data;
    (void)table;
    if (partition < 0 || partition >= scan->n_partitions) return;
    struct wp_turn *turn = &scan->turns[partition];
    turn->is_wanted = is_held != 0;
    if (!is_held) wp_turn_give(turn);
}

static PyObject *names_list(const struct ArrowSchema *schema) {
    PyObject *list = PyList_New(0);
    for (int64_t i = 0; i < schema->n_children && list; i++) {
        PyObject *name = PyUnicode_FromString(schema->children[i]->name);
        if (!name || PyList_Append(list, name)) Py_CLEAR(list);
        Py_XDECREF(name);
    }
    return list;
}

/* _weir_python.glue.Scan: asks the source for its partitions, unless they are in `plan`. */
static PyObject *plan_scan(struct scan *scan, const struct weir_scan_request *request,
                           const struct wp_bytes *plan) {
    PyObject *names = names_list(&scan->asked), *result = NULL;
    PyObject *filters = wpy_filters(request->filters, request->n_filters);
    if (names && filters) {
        PyObject *arguments =
            plan ? Py_BuildValue("(OiOLy#)", names, (int)request->all_columns, filters,
                                 (long long)request->limit, (const char *)plan->data,
                                 (Py_ssize_t)plan->length)
                 : Py_BuildValue("(OiOL)", names, (int)request->all_columns, filters,
                                 (long long)request->limit);
        result = wpy_call_method(scan->table->source, "scan", arguments);
    }
    Py_XDECREF(filters);
    Py_XDECREF(names);
    return result;
}

static int count_partitions(struct scan *scan) {
    PyObject *partitions = PyObject_GetAttrString(scan->object, "partitions");
    Py_ssize_t n = partitions ? PyObject_Size(partitions) : -1;
    Py_XDECREF(partitions);
    if (n < 0) return -1;
    if (n > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many partitions");
        return -1;
    }
    scan->times = calloc((size_t)n + 1, sizeof *scan->times);
    scan->turns = calloc((size_t)n + 1, sizeof *scan->turns);
    if (!scan->times || !scan->turns) return PyErr_NoMemory(), -1;
    scan->n_partitions = (int32_t)n;
    return 0;
}

/* For a query without columns the source is told one, since rows of none have no number: glue.py.
 */
static int choose_row(struct scan *scan) {
    PyObject *answer = PyObject_GetAttrString(scan->object, "is_projected");
    int is_projected = answer ? PyObject_IsTrue(answer) : -1;
    static const int32_t first[] = {0};
    Py_XDECREF(answer);
    if (is_projected < 0) return -1;
    int failed = !is_projected ? wp_schema_copy(&scan->table->schema, &scan->row)
                 : scan->asked.n_children > 0
                     ? wp_schema_copy(&scan->asked, &scan->row)
                     : wp_schema_select(&scan->table->schema, first, 1, &scan->row);
    if (failed) PyErr_NoMemory();
    return failed ? -1 : 0;
}

static void scan_free(struct scan *scan) {
    struct wp_gil gil;
    if (wp_gil_take(&gil, NULL)) {
        Py_XDECREF(scan->object);
        wp_gil_give(&gil);
    }
    wp_release_schema(&scan->row);
    wp_release_schema(&scan->asked);
    free(scan->times);
    free(scan->turns);
    free(scan);
}

static void scan_release(struct weir_scan *scan) {
    scan_free(scan->private_data);
    scan->release = NULL;
}

static void scan_cancel(struct weir_scan *scan) {
    atomic_store(&((struct scan *)scan->private_data)->is_cancelled, true);
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    return wp_reader_open(scan->private_data, partition, ret_rows, error);
}

static int select_columns(struct scan *scan, const struct weir_scan_request *request) {
    const struct ArrowSchema *all = &scan->table->schema;
    return request->all_columns
               ? wp_schema_copy(all, &scan->asked)
               : wp_schema_select(all, request->columns, request->n_columns, &scan->asked);
}

int wp_table_scan(void *instance, const struct weir_scan_request *request,
                  const struct wp_bytes *plan, struct weir_scan *ret_scan,
                  struct weir_error *error) {
    struct wp_gil gil;
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan) return wp_error_memory(error);
    scan->table = instance;
    scan->limit = request->limit;
    if (select_columns(scan, request)) {
        free(scan);
        return wp_error_memory(error);
    }
    int code = WEIR_OK;
    if (wp_gil_take(&gil, &scan->planning)) {
        scan->object = plan_scan(scan, request, plan);
        if (!scan->object || count_partitions(scan) || choose_row(scan))
            code = wpy_error(error, scan->table->name);
        wp_gil_give(&gil);
    } else {
        code = wp_error(error, WEIR_INVALID_STATE, "55000", "Python is going away");
    }
    if (code) {
        scan_free(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){
        .n_partitions = scan->n_partitions,
        .open = scan_open,
        .cancel = scan_cancel,
        .release = scan_release,
        .private_data = scan,
    };
    return WEIR_OK;
}

/* What planning cost is told with the first partition. */
void wp_scan_metrics(void *table, struct weir_scan *opened, int32_t partition, weir_figure_fn take,
                     void *sink) {
    struct scan *scan = opened->private_data;
    (void)table;
    if (partition < 0 || partition >= scan->n_partitions) return;
    struct wp_times *times = &scan->times[partition];
    int64_t python_ns = times->python_ns + (partition ? 0 : scan->planning.python_ns);
    int64_t wait_ns = times->wait_ns + (partition ? 0 : scan->planning.wait_ns);
    take(sink, "bytes", WEIR_UNIT_BYTES, times->n_bytes);
    take(sink, "python_time", WEIR_UNIT_NANOSECONDS, python_ns);
    take(sink, "gil_wait_time", WEIR_UNIT_NANOSECONDS, wait_ns);
}

int wp_scan_plan(struct weir_scan *planned, struct wp_bytes *ret_plan, struct weir_error *error) {
    struct scan *scan = planned->private_data;
    struct wp_gil gil;
    if (!wp_gil_take(&gil, NULL))
        return wp_error(error, WEIR_INVALID_STATE, "55000", "Python is going away");
    int code = WEIR_OK;
    char *data = NULL;
    Py_ssize_t length = 0;
    PyObject *bytes = PyObject_CallMethod(scan->object, "plan", NULL);
    if (!bytes || PyBytes_AsStringAndSize(bytes, &data, &length))
        code = wpy_error(error, scan->table->name);
    uint8_t *copy = code ? NULL : malloc((size_t)length + 1);
    if (copy) {
        memcpy(copy, data, (size_t)length);
        *ret_plan = (struct wp_bytes){copy, (size_t)length};
    } else if (!code) {
        code = wp_error_memory(error);
    }
    Py_XDECREF(bytes);
    wp_gil_give(&gil);
    return code;
}
