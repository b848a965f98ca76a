/* SPDX-License-Identifier: Apache-2.0 */
#include "host/counted.h"

static PyObject *schema_of(PyObject *batch) {
    static PyObject *name;
    return wpy_attribute(batch, &name, "schema");
}

static PyObject *n_rows_of(PyObject *batch) {
    static PyObject *name;
    return wpy_attribute(batch, &name, "num_rows");
}

/* Only of a pyarrow that the source has imported itself. */
static PyObject *record_batch_type(void) {
    PyObject *name = PyUnicode_FromString("pyarrow.lib");
    PyObject *module = name ? PyImport_GetModule(name) : NULL;
    PyObject *type = module ? PyObject_GetAttrString(module, "RecordBatch") : NULL;
    Py_XDECREF(module);
    Py_XDECREF(name);
    PyErr_Clear();
    return type;
}

void wpy_counted_learn(struct wpy_counted *counted, PyObject *batch) {
    if (!counted->type) counted->type = record_batch_type();
    if ((PyObject *)Py_TYPE(batch) != counted->type) return;
    PyObject *before = counted->schema;
    counted->schema = schema_of(batch);
    Py_XDECREF(before);
}

int64_t wpy_counted_rows(const struct wpy_counted *counted, PyObject *batch) {
    if (!counted->schema || (PyObject *)Py_TYPE(batch) != counted->type) return -1;
    PyObject *schema = schema_of(batch), *n_rows = NULL;
    int is_known = schema ? PyObject_RichCompareBool(schema, counted->schema, Py_EQ) : -1;
    Py_XDECREF(schema);
    if (is_known == 1) n_rows = n_rows_of(batch);
    int64_t result = n_rows ? PyLong_AsLongLong(n_rows) : -1;
    Py_XDECREF(n_rows);
    PyErr_Clear();
    return result;
}

void wpy_counted_free(struct wpy_counted *counted) {
    Py_CLEAR(counted->type);
    Py_CLEAR(counted->schema);
}
