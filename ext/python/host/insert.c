/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"

/* The number of rows that `write` reports; -1: it does not. */
static int read_count(PyObject *result, int64_t *ret_n_rows) {
    *ret_n_rows = -1;
    if (result == Py_None) return 0;
    *ret_n_rows = PyLong_AsLongLong(result);
    return *ret_n_rows == -1 && PyErr_Occurred() ? -1 : 0;
}

int wp_table_insert(void *instance, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                    struct weir_error *error) {
    struct wp_table *table = instance;
    struct wp_gil gil;
    if (!wp_gil_take(&gil, NULL)) {
        wp_release_stream(rows);
        return wp_error(error, WEIR_INVALID_STATE, "55000", "Python is going away");
    }
    int code = WEIR_OK;
    int64_t n_rows = -1;
    PyObject *capsule = wpy_stream_capsule(rows); /* releases what is left of it */
    rows->release = NULL;
    PyObject *result = capsule ? PyObject_CallMethod(table->source, "write", "(Oi)", capsule,
                                                     mode == WEIR_INSERT_OVERWRITE)
                               : NULL;
    if (!result || read_count(result, &n_rows)) code = wpy_error(error, table->name);
    Py_XDECREF(result);
    Py_XDECREF(capsule);
    wp_gil_give(&gil);
    if (code == WEIR_OK) *ret_n_rows = n_rows;
    return code;
}
