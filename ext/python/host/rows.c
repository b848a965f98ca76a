/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "host/column.h"

struct wp_rows {
    struct wp_column row; /* the struct of all columns */
    PyObject *fields;     /* of the row seen last with names, */
    int64_t *places;      /* and where in it each column is; -1: nowhere */
    int64_t n_total;
};

struct wp_rows *wpy_rows_new(const struct ArrowSchema *schema) {
    struct wp_rows *rows = calloc(1, sizeof *rows);
    if (!rows) return (struct wp_rows *)PyErr_NoMemory();
    rows->places = calloc((size_t)schema->n_children + 1, sizeof *rows->places);
    if (!rows->places) PyErr_NoMemory();
    if (!rows->places || wpy_column_init(&rows->row, schema)) {
        wpy_rows_free(rows);
        return NULL;
    }
    return rows;
}

void wpy_rows_free(struct wp_rows *rows) {
    if (!rows) return;
    wp_column_reset(&rows->row);
    Py_XDECREF(rows->fields);
    free(rows->places);
    free(rows);
}

int64_t wp_rows_count(const struct wp_rows *rows) {
    return rows->row.length;
}

/* The exception that is set, with the row and column in front. */
static int located(const struct wp_rows *rows, const char *column) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyErr_Format(type, "row %lld, column \"%s\": %S", (long long)rows->n_total, column, value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    return -1;
}

static int append_at(struct wp_rows *rows, int64_t column, PyObject *value) {
    struct wp_column *child = &rows->row.children[column];
    if (value == Py_None && !(child->type->flags & ARROW_FLAG_NULLABLE)) {
        PyErr_SetString(PyExc_ValueError, "None, and the schema says that the column has none");
        return located(rows, child->type->name);
    }
    return wpy_column_append(child, value) ? located(rows, child->type->name) : 0;
}

static int wrong_length(const struct wp_rows *rows, Py_ssize_t n_values) {
    PyErr_Format(PyExc_ValueError, "row %lld has %zd values, and the schema %lld columns",
                 (long long)rows->n_total, n_values, (long long)rows->row.n_children);
    return -1;
}

static int append_sequence(struct wp_rows *rows, PyObject *row) {
    bool is_tuple = PyTuple_Check(row);
    Py_ssize_t n_values = is_tuple ? PyTuple_Size(row) : PyList_Size(row);
    if (n_values != rows->row.n_children) return wrong_length(rows, n_values);
    for (Py_ssize_t i = 0; i < n_values; i++) {
        PyObject *value = is_tuple ? PyTuple_GetItem(row, i) : PyList_GetItem(row, i);
        if (append_at(rows, i, value)) return -1;
    }
    return 0;
}

static int missing(const struct wp_rows *rows, int64_t column) {
    PyErr_Format(PyExc_KeyError, "row %lld has no field \"%s\"", (long long)rows->n_total,
                 rows->row.children[column].type->name);
    return -1;
}

static int append_dict(struct wp_rows *rows, PyObject *row) {
    for (int64_t i = 0; i < rows->row.n_children; i++) {
        PyObject *value = PyDict_GetItemString(row, rows->row.children[i].type->name);
        if (!value) return missing(rows, i);
        if (append_at(rows, i, value)) return -1;
    }
    return 0;
}

/* Where the columns are among the fields of rows with names. */
static int find_places(struct wp_rows *rows, PyObject *fields) {
    if (rows->fields) {
        int same = PyObject_RichCompareBool(rows->fields, fields, Py_EQ);
        if (same) return same < 0 ? -1 : 0;
    }
    for (int64_t i = 0; i < rows->row.n_children; i++) {
        PyObject *name = PyUnicode_FromString(rows->row.children[i].type->name);
        rows->places[i] = name ? PySequence_Index(fields, name) : -1;
        Py_XDECREF(name);
        if (rows->places[i] < 0) {
            PyErr_Clear();
            return missing(rows, i);
        }
    }
    Py_XDECREF(rows->fields);
    rows->fields = Py_NewRef(fields);
    return 0;
}

/* A Row of PySpark: a tuple with __fields__, the names of its values; a named tuple has _fields. */
static int append_named(struct wp_rows *rows, PyObject *row, PyObject *fields) {
    if (find_places(rows, fields)) return -1;
    for (int64_t i = 0; i < rows->row.n_children; i++) {
        PyObject *value = PyTuple_GetItem(row, (Py_ssize_t)rows->places[i]);
        if (!value || append_at(rows, i, value)) return -1;
    }
    return 0;
}

static int append_row(struct wp_rows *rows, PyObject *row) {
    if (PyTuple_CheckExact(row) || PyList_Check(row)) return append_sequence(rows, row);
    if (PyDict_Check(row)) return append_dict(rows, row);
    if (PyTuple_Check(row)) {
        PyObject *fields = wpy_fields(row);
        if (!fields) return PyErr_Occurred() ? -1 : append_sequence(rows, row);
        int result = append_named(rows, row, fields);
        Py_DECREF(fields);
        return result;
    }
    PyErr_Format(PyExc_TypeError,
                 "a source gives Arrow batches (objects with __arrow_c_array__ or "
                 "__arrow_c_stream__) or rows (tuples, lists, dicts), not %R",
                 (PyObject *)Py_TYPE(row));
    return -1;
}

int wpy_rows_append(struct wp_rows *rows, PyObject *row) {
    if (append_row(rows, row)) return -1;
    rows->row.length++;
    rows->n_total++;
    return 0;
}

int wpy_rows_take(struct wp_rows *rows, struct ArrowArray *ret_array) {
    if (wp_column_take(&rows->row, ret_array)) return PyErr_NoMemory(), -1;
    return 0;
}
