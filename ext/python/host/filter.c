/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which filters a Python source is told of. It compares as Python does, or as a database behind it
 * does, and rows that it drops are gone: so only what drops no row that SQL keeps.
 *
 * - Numbers: Python's integers and Decimals are exact. Floating point values are ordered in SQL
 *   with -0.0 below 0.0 and NaN above all, in Python NaN is above nothing: "greater" is not told,
 *   and "less" and "not equal" not with a zero.
 * - Texts and bytes: equal bytes are equal everywhere, but another order, or another idea of what
 *   is equal, is common: only "=" is told.
 * - Dates and times: where datetime holds the value, to its last digit.
 */
#include <math.h>
#include <string.h>

#include "host/host.h"

static const char *op_name(int32_t op) {
    static const char *const names[] = {
        NULL, "=", "!=", "<", "<=", ">", ">=", "is null", "is not null"};
    return op > 0 && op < (int32_t)(sizeof names / sizeof *names) ? names[op] : NULL;
}

static bool is_order(int32_t op) {
    return op == WEIR_OPERATOR_LT || op == WEIR_OPERATOR_LE || op == WEIR_OPERATOR_GT ||
           op == WEIR_OPERATOR_GE;
}

/* Whether a filter on a floating point value is weaker in Python; *ret_same: or the same. */
static bool float_is_safe(int32_t op, double value, bool *ret_same) {
    if (isnan(value)) return false;
    *ret_same = value != 0;
    switch (op) {
    case WEIR_OPERATOR_EQ:
        return true;
    case WEIR_OPERATOR_LE:
        return true;
    case WEIR_OPERATOR_LT:
    case WEIR_OPERATOR_NE:
        return value != 0;
    default:
        return false;
    }
}

/* Of types that Python has all values of, or of whose values it refuses those that it has not. */
static bool is_safe(const struct weir_filter *filter, PyObject *value, bool *ret_same) {
    const char *format = filter->type->format;
    *ret_same = true;
    if (format[0] == 'f' || format[0] == 'g')
        return float_is_safe(filter->op, PyFloat_AsDouble(value), ret_same);
    if (strcmp(format, "b") == 0) {
        /* The planner may still turn "b = false" into "NOT b", which no source is told of: so that
         * it stays checked. */
        *ret_same = false;
        return !is_order(filter->op);
    }
    if (strlen(format) == 1 && strchr("cCsSiIlL", format[0])) return true;
    if (strcmp(format, "u") == 0 || strcmp(format, "U") == 0 || strcmp(format, "vu") == 0 ||
        strcmp(format, "z") == 0 || strcmp(format, "Z") == 0 || strcmp(format, "vz") == 0)
        return filter->op == WEIR_OPERATOR_EQ;
    if (format[0] == 'd' && format[1] == ':') return true;
    return format[0] == 't' && strcmp(format, "tdm") != 0;
}

PyObject *wpy_filter(const struct weir_filter *filter, bool *ret_same) {
    const char *op = op_name(filter->op);
    if (!op || !filter->column) return NULL;
    if (!filter->value) {
        bool is_null_test =
            filter->op == WEIR_OPERATOR_IS_NULL || filter->op == WEIR_OPERATOR_IS_NOT_NULL;
        *ret_same = true;
        return is_null_test ? Py_BuildValue("(ssO)", filter->column, op, Py_None) : NULL;
    }
    if (!filter->type || filter->value->length < 1 || filter->type->dictionary) return NULL;
    PyObject *value = wpy_value(filter->type, filter->value, 0);
    bool same = true;
    if (!value &&
        (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_TypeError)))
        PyErr_Clear(); /* no such value in Python: the engine filters alone */
    if (!value) return NULL;
    PyObject *tuple = NULL;
    if (value != Py_None && is_safe(filter, value, &same)) {
        tuple = Py_BuildValue("(ssO)", filter->column, op, value);
        *ret_same = same;
    }
    Py_DECREF(value);
    return tuple;
}

/* Those that are safe, of filters that all were. */
PyObject *wpy_filters(const struct weir_filter *filters, size_t n_filters) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < n_filters && list; i++) {
        bool same;
        PyObject *filter = wpy_filter(&filters[i], &same);
        if (PyErr_Occurred() || (filter && PyList_Append(list, filter))) Py_CLEAR(list);
        Py_XDECREF(filter);
    }
    return list;
}
