/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"

/* Without Python code, for when that fails too. */
static int plain_error(struct weir_error *error, const char *where, PyObject *value) {
    PyObject *text = value ? PyObject_Str(value) : NULL;
    const char *utf8 = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    wp_error(error, WEIR_UNKNOWN, "38000", "%s: %s", where, utf8 ? utf8 : "a Python error");
    Py_XDECREF(text);
    PyErr_Clear();
    return WEIR_UNKNOWN;
}

/* Nobody waits for the answer any more (call.c). */
static bool is_left(PyObject *value) {
    PyObject *left = wpy_glue("Left");
    bool answer = left && PyErr_GivenExceptionMatches(value, left);
    if (!left) PyErr_Clear();
    Py_XDECREF(left);
    return answer;
}

int wpy_error(struct weir_error *error, const char *where) {
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback && value) PyException_SetTraceback(value, traceback);
    int code = WEIR_UNKNOWN;
    if (!type) {
        code = wp_error(error, WEIR_INTERNAL, "XX000", "%s: failed without an exception", where);
    } else if (is_left(value)) {
        code = wp_error(error, WEIR_CANCELLED, "57014", "%s: cancelled", where);
    } else if (PyErr_GivenExceptionMatches(value, PyExc_MemoryError)) {
        code = wp_error(error, WEIR_INTERNAL, "53200", "%s: MemoryError: out of memory", where);
    } else {
        PyObject *describe = wpy_glue("describe_error");
        PyObject *text = describe ? PyObject_CallFunctionObjArgs(describe, value, NULL) : NULL;
        const char *utf8 = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
        code = utf8 ? wp_error(error, WEIR_UNKNOWN, "38000", "%s: %s", where, utf8)
                    : plain_error(error, where, value);
        Py_XDECREF(text);
        Py_XDECREF(describe);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Clear();
    return code;
}
