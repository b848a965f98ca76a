/* SPDX-License-Identifier: Apache-2.0 */
/* Values of Arrow arrays as Python objects. */
#include <stdio.h>
#include <string.h>

#include "host/host.h"

static bool is_valid(const struct ArrowArray *array, int64_t at) {
    const uint8_t *valid = array->n_buffers > 0 ? array->buffers[0] : NULL;
    return array->null_count == 0 || !valid || ((valid[at >> 3] >> (at & 7)) & 1);
}

static PyObject *call_glue(const char *name, const char *format, int64_t a, PyObject *b) {
    PyObject *function = wpy_glue(name);
    PyObject *result = function ? PyObject_CallFunction(function, format, (long long)a, b) : NULL;
    Py_XDECREF(function);
    return result;
}

/* Nanoseconds of one unit of "s", "m", "u", "n". */
static int64_t unit_ns(char unit) {
    return unit == 's' ? 1000000000 : unit == 'm' ? 1000000 : unit == 'u' ? 1000 : 1;
}

static int64_t integer_at(const struct ArrowArray *array, int width, int64_t at) {
    if (width == 8) return ((const int64_t *)array->buffers[1])[at];
    return width == 4 ? ((const int32_t *)array->buffers[1])[at]
                      : ((const int16_t *)array->buffers[1])[at];
}

/*
 * Dates, times and spans: glue functions take a count of a unit, in nanoseconds, and make the
 * object of datetime, or raise OverflowError where that has none.
 */
static PyObject *temporal(const struct ArrowSchema *type, const struct ArrowArray *array,
                          int64_t at) {
    const char *format = type->format;
    bool is_narrow =
        strcmp(format, "tdD") == 0 || strcmp(format, "tts") == 0 || strcmp(format, "ttm") == 0;
    int64_t value = integer_at(array, is_narrow ? 4 : 8, at);
    if (format[1] == 'd')
        return call_glue("date_of", "(LO)", format[2] == 'D' ? value : value / 86400000, Py_None);
    char unit[2] = {format[2], '\0'};
    PyObject *scale = PyLong_FromLongLong(unit_ns(unit[0])), *result = NULL;
    if (!scale) return NULL;
    if (format[1] == 't') result = call_glue("time_of", "(LO)", value, scale);
    if (format[1] == 'D') result = call_glue("span_of", "(LO)", value, scale);
    if (format[1] == 's')
        result =
            call_glue(format[3] && format[4] ? "instant_of" : "datetime_of", "(LO)", value, scale);
    Py_DECREF(scale);
    return result;
}

static PyObject *decimal(const struct ArrowSchema *type, const struct ArrowArray *array,
                         int64_t at) {
    int precision = 0, scale = 0, bits = 128;
    if (sscanf(type->format, "d:%d,%d,%d", &precision, &scale, &bits) < 2 || bits % 8) {
        PyErr_Format(PyExc_TypeError, "unknown type %s", type->format);
        return NULL;
    }
    PyObject *bytes =
        PyBytes_FromStringAndSize((const char *)array->buffers[1] + at * bits / 8, bits / 8);
    PyObject *result = bytes ? call_glue("decimal_of", "(LO)", scale, bytes) : NULL;
    Py_XDECREF(bytes);
    return result;
}

static PyObject *text_or_bytes(bool is_text, const char *data, int64_t length) {
    if (!data) data = "";
    return is_text ? PyUnicode_FromStringAndSize(data, (Py_ssize_t)length)
                   : PyBytes_FromStringAndSize(data, (Py_ssize_t)length);
}

/* One 16-byte view: a length, then up to 12 bytes, or 4 bytes, a buffer's number and an offset. */
static PyObject *view(bool is_text, const struct ArrowArray *array, int64_t at) {
    const uint8_t *entry = (const uint8_t *)array->buffers[1] + at * 16;
    int32_t length, buffer, offset;
    memcpy(&length, entry, 4);
    if (length <= 12) return text_or_bytes(is_text, (const char *)entry + 4, length);
    memcpy(&buffer, entry + 8, 4);
    memcpy(&offset, entry + 12, 4);
    return text_or_bytes(is_text, (const char *)array->buffers[2 + buffer] + offset, length);
}

static PyObject *list(const struct ArrowSchema *item, const struct ArrowArray *items, int64_t from,
                      int64_t to) {
    PyObject *list = PyList_New(0);
    for (int64_t i = from; i < to && list; i++) {
        PyObject *value = wpy_value(item, items, i);
        if (!value || PyList_Append(list, value)) Py_CLEAR(list);
        Py_XDECREF(value);
    }
    return list;
}

static PyObject *structure(const struct ArrowSchema *type, const struct ArrowArray *array,
                           int64_t at) {
    PyObject *dict = PyDict_New();
    for (int64_t i = 0; i < type->n_children && dict; i++) {
        PyObject *value = wpy_value(type->children[i], array->children[i], at);
        if (!value || PyDict_SetItemString(dict, type->children[i]->name, value)) Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *map(const struct ArrowSchema *entries_type, const struct ArrowArray *entries,
                     int64_t from, int64_t to) {
    PyObject *dict = PyDict_New();
    for (int64_t i = from; i < to && dict; i++) {
        int64_t at = i + entries->offset;
        PyObject *key = wpy_value(entries_type->children[0], entries->children[0], at);
        PyObject *value =
            key ? wpy_value(entries_type->children[1], entries->children[1], at) : NULL;
        if (!value || PyDict_SetItem(dict, key, value)) Py_CLEAR(dict);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *nested(const struct ArrowSchema *type, const struct ArrowArray *array,
                        int64_t at) {
    const char *format = type->format + 1;
    if (format[0] == 's') return structure(type, array, at);
    if (format[0] == 'w') {
        int size = 0;
        sscanf(format, "w:%d", &size);
        return list(type->children[0], array->children[0], at * size, (at + 1) * size);
    }
    int64_t from, to;
    if (format[0] == 'L') {
        const int64_t *offsets = array->buffers[1];
        from = offsets[at], to = offsets[at + 1];
    } else {
        const int32_t *offsets = array->buffers[1];
        from = offsets[at], to = offsets[at + 1];
    }
    if (format[0] == 'm') return map(type->children[0], array->children[0], from, to);
    return list(type->children[0], array->children[0], from, to);
}

static PyObject *number(char format, const void *data, int64_t at) {
    switch (format) {
    case 'b':
        return PyBool_FromLong((((const uint8_t *)data)[at >> 3] >> (at & 7)) & 1);
    case 'c':
        return PyLong_FromLong(((const int8_t *)data)[at]);
    case 'C':
        return PyLong_FromLong(((const uint8_t *)data)[at]);
    case 's':
        return PyLong_FromLong(((const int16_t *)data)[at]);
    case 'S':
        return PyLong_FromLong(((const uint16_t *)data)[at]);
    case 'i':
        return PyLong_FromLong(((const int32_t *)data)[at]);
    case 'I':
        return PyLong_FromUnsignedLong(((const uint32_t *)data)[at]);
    case 'l':
        return PyLong_FromLongLong(((const int64_t *)data)[at]);
    case 'L':
        return PyLong_FromUnsignedLongLong(((const uint64_t *)data)[at]);
    case 'f':
        return PyFloat_FromDouble((double)((const float *)data)[at]);
    default:
        return PyFloat_FromDouble(((const double *)data)[at]);
    }
}

PyObject *wpy_value(const struct ArrowSchema *type, const struct ArrowArray *array, int64_t row) {
    const char *format = type->format;
    int64_t at = row + array->offset;
    bool is_view = strcmp(format, "vu") == 0 || strcmp(format, "vz") == 0;
    if (type->dictionary && format[0] != 'n') {
        if (!is_valid(array, at)) Py_RETURN_NONE;
        PyObject *key = strlen(format) == 1 ? number(format[0], array->buffers[1], at) : NULL;
        long long index = key ? PyLong_AsLongLong(key) : -1;
        Py_XDECREF(key);
        return index < 0 ? NULL : wpy_value(type->dictionary, array->dictionary, index);
    }
    if (strcmp(format, "n") == 0 || !is_valid(array, at)) Py_RETURN_NONE;
    if (is_view) return view(format[1] == 'u', array, at);
    if (format[0] == 't') return temporal(type, array, at);
    if (format[0] == 'd') return decimal(type, array, at);
    if (format[0] == '+' && format[1] != 'u' && format[1] != 'v' && format[1] != 'r')
        return nested(type, array, at);
    if (format[0] == 'w' && format[1] == ':') {
        int size = 0;
        sscanf(format, "w:%d", &size);
        return text_or_bytes(false, (const char *)array->buffers[1] + at * size, size);
    }
    if (strcmp(format, "u") == 0 || strcmp(format, "z") == 0) {
        const int32_t *offsets = array->buffers[1];
        const char *data = array->buffers[2];
        return text_or_bytes(format[0] == 'u', data ? data + offsets[at] : NULL,
                             offsets[at + 1] - offsets[at]);
    }
    if (strcmp(format, "U") == 0 || strcmp(format, "Z") == 0) {
        const int64_t *offsets = array->buffers[1];
        const char *data = array->buffers[2];
        return text_or_bytes(format[0] == 'U', data ? data + offsets[at] : NULL,
                             offsets[at + 1] - offsets[at]);
    }
    if (strlen(format) == 1 && strchr("bcCsSiIlLfg", format[0]))
        return number(format[0], array->buffers[1], at);
    char text[96];
    PyErr_Format(PyExc_TypeError, "values of type %s have no form in Python",
                 wp_type_name(type, text, sizeof text));
    return NULL;
}
