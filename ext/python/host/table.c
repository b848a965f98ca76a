/* SPDX-License-Identifier: Apache-2.0 */
/* A source as a table: what it is asked before rows are read. */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

static PyObject *options_dict(const struct weir_option *options, size_t n_options) {
    PyObject *dict = PyDict_New();
    for (size_t i = 0; i < n_options && dict; i++) {
        PyObject *value = PyUnicode_FromString(options[i].value);
        if (!value || PyDict_SetItemString(dict, options[i].key, value)) Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

/* The declared columns as a tuple, or None. */
static PyObject *columns_tuple(const struct ArrowSchema *columns) {
    if (columns) return wpy_schema_tuple(columns);
    Py_RETURN_NONE;
}

static PyObject *open_source(const struct wp_definition *definition) {
    PyObject *function = wpy_glue("open_source"), *source = NULL;
    PyObject *options = options_dict(definition->options, definition->n_options);
    PyObject *columns = columns_tuple(definition->columns);
    PyObject *arguments =
        function && options && columns
            ? Py_BuildValue("(szzzOO)", definition->kind, definition->module,
                            definition->class_name, definition->path, options, columns)
            : NULL;
    if (arguments) source = wpy_call(function, arguments);
    Py_XDECREF(arguments);
    Py_XDECREF(columns);
    Py_XDECREF(options);
    Py_XDECREF(function);
    return source;
}

static int read_flag(PyObject *object, const char *name, bool *ret_flag) {
    PyObject *value = PyObject_GetAttrString(object, name);
    int truth = value ? PyObject_IsTrue(value) : -1;
    Py_XDECREF(value);
    if (truth < 0) return -1;
    *ret_flag = truth;
    return 0;
}

static int read_source(struct wp_table *table) {
    PyObject *schema = PyObject_GetAttrString(table->source, "schema");
    int result = schema ? wpy_schema(schema, &table->schema) : -1;
    Py_XDECREF(schema);
    if (result) return -1;
    if (strcmp(table->schema.format, "+s") != 0 || table->schema.n_children == 0) {
        PyErr_SetString(PyExc_TypeError, "the schema must have columns: a struct, not one type");
        return -1;
    }
    if (read_flag(table->source, "takes_filters", &table->takes_filters)) return -1;
    return read_flag(table->source, "is_exact", &table->is_exact);
}

int wp_table_open(const struct wp_definition *definition, void **ret_table,
                  struct weir_error *error) {
    struct wp_gil gil;
    struct wp_table *table = calloc(1, sizeof *table);
    if (table) table->name = wp_text("%s", definition->table);
    if (!table || !table->name) {
        free(table);
        return wp_error_memory(error);
    }
    if (!wp_gil_take(&gil, NULL)) {
        free(table->name);
        free(table);
        return wp_error(error, WEIR_INVALID_STATE, "55000", "Python is going away");
    }
    table->source = open_source(definition);
    int code = WEIR_OK;
    if (!table->source || read_source(table)) code = wpy_error(error, table->name);
    wp_gil_give(&gil);
    if (code) {
        wp_table_close(table);
        return code;
    }
    *ret_table = table;
    return WEIR_OK;
}

void wp_table_close(void *instance) {
    struct wp_table *table = instance;
    struct wp_gil gil;
    if (!table) return;
    if (wp_gil_take(&gil, NULL)) {
        Py_XDECREF(table->source);
        wp_gil_give(&gil);
    }
    wp_release_schema(&table->schema);
    free(table->name);
    free(table);
}

int wp_table_schema(void *instance, struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct wp_table *table = instance;
    return wp_schema_copy(&table->schema, ret_schema) ? wp_error_memory(error) : WEIR_OK;
}

/* ---- Statistics ---- */

static int64_t whole(PyObject *tuple, Py_ssize_t at) {
    PyObject *item = PyTuple_GetItem(tuple, at);
    return item ? PyLong_AsLongLong(item) : -1;
}

int wp_table_statistics(void *instance, struct wp_known *ret_known, struct weir_error *error) {
    struct wp_table *table = instance;
    struct wp_gil gil;
    struct wp_known known = {-1, -1, 0};
    if (!wp_gil_take(&gil, NULL)) return WEIR_OK;
    int code = WEIR_OK;
    PyObject *tuple = wpy_call_method(table->source, "statistics", PyTuple_New(0));
    if (tuple && tuple != Py_None) {
        known.n_rows = whole(tuple, 0);
        known.n_bytes = whole(tuple, 1);
        known.exact = (int32_t)whole(tuple, 2);
    }
    Py_XDECREF(tuple);
    if (PyErr_Occurred()) code = wpy_error(error, table->name);
    wp_gil_give(&gil);
    if (code == WEIR_OK) *ret_known = known;
    return code;
}

/* ---- Filters ---- */

int wp_table_classify(void *instance, const struct weir_filter *filters, size_t n_filters,
                      int32_t *ret_support, struct weir_error *error) {
    struct wp_table *table = instance;
    struct wp_gil gil;
    for (size_t i = 0; i < n_filters; i++)
        ret_support[i] = WEIR_FILTER_NO;
    if (!table->takes_filters || !wp_gil_take(&gil, NULL)) return WEIR_OK;
    int code = WEIR_OK;
    for (size_t i = 0; i < n_filters && code == WEIR_OK; i++) {
        bool is_same = false;
        PyObject *filter = wpy_filter(&filters[i], &is_same);
        if (filter)
            ret_support[i] = table->is_exact && is_same ? WEIR_FILTER_EXACT : WEIR_FILTER_INEXACT;
        else if (PyErr_Occurred())
            code = wpy_error(error, table->name);
        Py_XDECREF(filter);
    }
    wp_gil_give(&gil);
    return code;
}
