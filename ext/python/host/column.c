/* SPDX-License-Identifier: Apache-2.0 */
#include "host/column.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Buffers ---- */

int wp_buffer_reserve(struct wp_buffer *buffer, int64_t n_bytes) {
    int64_t wanted = buffer->length + n_bytes;
    if (wanted <= buffer->capacity) return 0;
    int64_t capacity = buffer->capacity < 512 ? 1024 : buffer->capacity * 2;
    if (capacity < wanted) capacity = wanted;
    capacity = (capacity + 63) & ~INT64_C(63);
    uint8_t *data = aligned_alloc(64, (size_t)capacity);
    if (!data) return ENOMEM;
    if (buffer->length) memcpy(data, buffer->data, (size_t)buffer->length);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int wp_buffer_append(struct wp_buffer *buffer, const void *data, int64_t n_bytes) {
    if (wp_buffer_reserve(buffer, n_bytes)) return ENOMEM;
    if (n_bytes) memcpy(buffer->data + buffer->length, data, (size_t)n_bytes);
    buffer->length += n_bytes;
    return 0;
}

static int append_bit(struct wp_buffer *buffer, int64_t at, bool bit) {
    if ((at & 7) == 0) {
        static const uint8_t zero;
        if (wp_buffer_append(buffer, &zero, 1)) return ENOMEM;
    }
    if (bit) buffer->data[at >> 3] |= (uint8_t)(1u << (at & 7));
    return 0;
}

/* ---- Types ---- */

static const struct {
    const char *format;
    enum wp_sort sort;
    int width;
} plain_types[] = {
    {"n", WP_NULL, 0},   {"b", WP_BOOL, 0},    {"c", WP_INT, 1},    {"s", WP_INT, 2},
    {"i", WP_INT, 4},    {"l", WP_INT, 8},     {"C", WP_UINT, 1},   {"S", WP_UINT, 2},
    {"I", WP_UINT, 4},   {"L", WP_UINT, 8},    {"f", WP_FLOAT, 4},  {"g", WP_FLOAT, 8},
    {"u", WP_TEXT, 4},   {"U", WP_TEXT, 8},    {"z", WP_BYTES, 4},  {"Z", WP_BYTES, 8},
    {"tdD", WP_DATE, 4}, {"tts", WP_TIME, 4},  {"ttm", WP_TIME, 4}, {"ttu", WP_TIME, 8},
    {"ttn", WP_TIME, 8}, {"tDs", WP_SPAN, 8},  {"tDm", WP_SPAN, 8}, {"tDu", WP_SPAN, 8},
    {"tDn", WP_SPAN, 8}, {"+s", WP_STRUCT, 0}, {"+l", WP_LIST, 4},  {"+L", WP_LIST, 8},
    {"+m", WP_MAP, 4},
};

static int64_t unit_ns(char unit) {
    return unit == 's' ? 1000000000 : unit == 'm' ? 1000000 : unit == 'u' ? 1000 : 1;
}

static bool read_type(struct wp_column *column, const struct ArrowSchema *type) {
    const char *format = type->format;
    int bits = 128;
    if (type->dictionary) return false;
    if (format[0] == 'v' && format[1] && !format[2]) {
        column->is_view = true;
        format++;
    }
    if (format[0] == 't' && format[1] && format[2]) column->unit_ns = unit_ns(format[2]);
    for (size_t i = 0; i < sizeof plain_types / sizeof *plain_types; i++) {
        if (strcmp(plain_types[i].format, format) != 0) continue;
        column->sort = plain_types[i].sort;
        column->width = plain_types[i].width;
        return true;
    }
    if (strncmp(format, "ts", 2) == 0 && format[2]) {
        column->sort = WP_STAMP;
        column->width = 8;
        column->has_zone = format[3] && format[4];
        return true;
    }
    if (sscanf(format, "d:%d,%d,%d", &column->precision, &column->scale, &bits) >= 2) {
        column->sort = WP_DECIMAL;
        column->width = bits / 8;
        return bits == 32 || bits == 64 || bits == 128 || bits == 256;
    }
    column->sort = WP_FIXED_BYTES;
    return sscanf(format, "w:%d", &column->width) == 1 && column->width >= 0;
}

static int init_children(struct wp_column *column) {
    const struct ArrowSchema *type = column->type;
    if (type->n_children == 0) return 0;
    column->children = calloc((size_t)type->n_children, sizeof *column->children);
    if (!column->children) return PyErr_NoMemory(), -1;
    column->n_children = type->n_children;
    for (int64_t i = 0; i < type->n_children; i++) {
        if (wpy_column_init(&column->children[i], type->children[i])) return -1;
    }
    return 0;
}

int wpy_column_init(struct wp_column *column, const struct ArrowSchema *type) {
    *column = (struct wp_column){.type = type};
    if (!read_type(column, type)) {
        char text[96];
        PyErr_Format(PyExc_TypeError,
                     "column \"%s\": rows cannot hold values of type %s; give Arrow batches",
                     type->name, wp_type_name(type, text, sizeof text));
        return -1;
    }
    return init_children(column);
}

void wp_column_reset(struct wp_column *column) {
    for (int64_t i = 0; i < column->n_children; i++)
        wp_column_reset(&column->children[i]);
    free(column->children);
    free(column->valid.data);
    free(column->values.data);
    free(column->offsets.data);
    *column = (struct wp_column){0};
}

/* ---- Values ---- */

static int no_memory(void) {
    return PyErr_NoMemory(), -1;
}

static int append_fixed(struct wp_column *column, const void *value) {
    return wp_buffer_append(&column->values, value, column->width) ? no_memory() : 0;
}

static int append_integer(struct wp_column *column, int64_t value) {
    if (column->width < 8) {
        int64_t most = (INT64_C(1) << (8 * column->width - 1)) - 1;
        if (value > most || value < -most - 1) {
            PyErr_Format(PyExc_OverflowError, "%lld does not fit into %d bits", (long long)value,
                         8 * column->width);
            return -1;
        }
    }
    return append_fixed(column, &value); /* the low bytes: little-endian, as Arrow is */
}

static int append_int(struct wp_column *column, PyObject *value) {
    PyObject *index = PyNumber_Index(value);
    if (!index) return -1;
    int result = -1;
    if (column->sort == WP_INT) {
        int64_t integer = PyLong_AsLongLong(index);
        if (integer != -1 || !PyErr_Occurred()) result = append_integer(column, integer);
    } else {
        uint64_t integer = PyLong_AsUnsignedLongLong(index);
        if (integer == UINT64_MAX && PyErr_Occurred()) {
            result = -1;
        } else if (column->width < 8 && integer >> (8 * column->width)) {
            PyErr_Format(PyExc_OverflowError, "%S does not fit into %d bits", index,
                         8 * column->width);
        } else {
            result = append_fixed(column, &integer);
        }
    }
    Py_DECREF(index);
    return result;
}

static int append_float(struct wp_column *column, PyObject *value) {
    double number = PyFloat_AsDouble(value);
    if (number == -1 && PyErr_Occurred()) return -1;
    float narrow = (float)number;
    return column->width == 8 ? append_fixed(column, &number) : append_fixed(column, &narrow);
}

/* The end of what was appended so far to the values, or to the items. */
static int append_offset(struct wp_column *column, int64_t end) {
    if (column->width == 4 && end > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "more than 2 GiB in one batch of a column");
        return -1;
    }
    static const uint64_t zero;
    if (column->offsets.length == 0 && wp_buffer_append(&column->offsets, &zero, column->width))
        return no_memory();
    return wp_buffer_append(&column->offsets, &end, column->width) ? no_memory() : 0;
}

static int append_data(struct wp_column *column, const void *data, Py_ssize_t length) {
    if (wp_buffer_append(&column->values, data, length)) return no_memory();
    return append_offset(column, column->values.length);
}

/* What is no text is written as one, as Spark does it: True as "true". */
static int append_text(struct wp_column *column, PyObject *value) {
    Py_ssize_t length;
    PyObject *made = NULL;
    if (PyBool_Check(value)) {
        return value == Py_True ? append_data(column, "true", 4) : append_data(column, "false", 5);
    }
    if (!PyUnicode_Check(value)) {
        if (!(made = PyObject_Str(value))) return -1;
        value = made;
    }
    const char *utf8 = PyUnicode_AsUTF8AndSize(value, &length);
    int result = utf8 ? append_data(column, utf8, length) : -1;
    Py_XDECREF(made);
    return result;
}

static int append_bytes(struct wp_column *column, PyObject *value) {
    char *data;
    Py_ssize_t length;
    if (PyUnicode_Check(value) || PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
        return -1;
    }
    PyObject *bytes = PyBytes_FromObject(value);
    if (!bytes) return -1;
    int result = PyBytes_AsStringAndSize(bytes, &data, &length);
    if (result == 0 && column->sort == WP_BYTES) {
        result = append_data(column, data, length);
    } else if (result == 0 && length != column->width) {
        PyErr_Format(PyExc_ValueError, "%zd bytes instead of %d", length, column->width);
        result = -1;
    } else if (result == 0) {
        result = append_fixed(column, data);
    }
    Py_DECREF(bytes);
    return result;
}

/* Through a function of the glue, which gives an int for days, or for nanoseconds. */
static int append_time(struct wp_column *column, PyObject *value, const char *name) {
    PyObject *function = wpy_glue(name);
    PyObject *count =
        function ? PyObject_CallFunction(function, "(OL)", value, (long long)(column->unit_ns))
                 : NULL;
    int64_t integer = count ? PyLong_AsLongLong(count) : -1;
    Py_XDECREF(count);
    Py_XDECREF(function);
    if (integer == -1 && PyErr_Occurred()) return -1;
    return append_integer(column, integer);
}

static int append_decimal(struct wp_column *column, PyObject *value) {
    PyObject *function = wpy_glue("decimal_bytes");
    PyObject *bytes = function ? PyObject_CallFunction(function, "(Oiii)", value, column->precision,
                                                       column->scale, column->width)
                               : NULL;
    char *data;
    Py_ssize_t length;
    int result =
        bytes && PyBytes_AsStringAndSize(bytes, &data, &length) == 0 && length == column->width
            ? append_fixed(column, data)
            : -1;
    Py_XDECREF(bytes);
    Py_XDECREF(function);
    return result;
}

static int append_list(struct wp_column *column, PyObject *value) {
    PyObject *items =
        PyUnicode_Check(value) || PyBytes_Check(value) ? NULL : PyObject_GetIter(value);
    if (!items) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "a list is required, not a text or bytes");
        return -1;
    }
    PyObject *item = NULL;
    int result = 0;
    while (result == 0 && (item = PyIter_Next(items))) {
        result = wpy_column_append(&column->children[0], item);
        Py_DECREF(item);
    }
    Py_DECREF(items);
    if (result || PyErr_Occurred()) return -1;
    return append_offset(column, column->children[0].length);
}

static int append_map(struct wp_column *column, PyObject *value) {
    struct wp_column *entries = &column->children[0];
    PyObject *items = PyMapping_Items(value);
    if (!items) return -1;
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_Size(items) && result == 0; i++) {
        PyObject *pair = PyList_GetItem(items, i); /* borrowed */
        result = wpy_column_append(&entries->children[0], PyTuple_GetItem(pair, 0)) ||
                         wpy_column_append(&entries->children[1], PyTuple_GetItem(pair, 1))
                     ? -1
                     : 0;
        entries->length++;
    }
    Py_DECREF(items);
    return result ? -1 : append_offset(column, entries->length);
}

PyObject *wpy_fields(PyObject *row) {
    static const char *const names[] = {"__fields__", "_fields"};
    if (PyTuple_CheckExact(row)) return NULL;
    for (size_t i = 0; i < 2; i++) {
        if (PyObject_HasAttrString(row, names[i])) return PyObject_GetAttrString(row, names[i]);
    }
    return NULL;
}

/* The value of a child: by name from a dict or where there are `fields`, else by position. A new
 * reference; None for a name that a dict lacks. */
static PyObject *child_value(const struct wp_column *column, PyObject *value, PyObject *fields,
                             int64_t index) {
    const char *name = column->children[index].type->name;
    if (PyDict_Check(value)) {
        PyObject *item = PyDict_GetItemString(value, name);
        return Py_NewRef(item ? item : Py_None);
    }
    Py_ssize_t place = (Py_ssize_t)index;
    if (fields) {
        PyObject *key = PyUnicode_FromString(name);
        place = key ? PySequence_Index(fields, key) : -1;
        Py_XDECREF(key);
        if (place < 0) {
            PyErr_Format(PyExc_KeyError, "a row has no field \"%s\"", name);
            return NULL;
        }
    }
    return PySequence_GetItem(value, place);
}

static int append_struct(struct wp_column *column, PyObject *value) {
    bool by_name = PyDict_Check(value);
    bool by_place = PyTuple_Check(value) || PyList_Check(value);
    if (!by_name && !by_place) {
        PyErr_SetString(PyExc_TypeError, "a tuple, list or dict is required");
        return -1;
    }
    if (by_place && PySequence_Size(value) != column->n_children) {
        PyErr_Format(PyExc_ValueError, "%zd values instead of %lld", PySequence_Size(value),
                     (long long)column->n_children);
        return -1;
    }
    PyObject *fields = by_place ? wpy_fields(value) : NULL;
    int result = PyErr_Occurred() ? -1 : 0;
    for (int64_t i = 0; i < column->n_children && result == 0; i++) {
        PyObject *item = child_value(column, value, fields, i);
        result = item ? wpy_column_append(&column->children[i], item) : -1;
        Py_XDECREF(item);
    }
    Py_XDECREF(fields);
    return result;
}

static int append_value(struct wp_column *column, PyObject *value) {
    int truth;
    switch (column->sort) {
    case WP_NULL:
        PyErr_SetString(PyExc_TypeError, "a column of type null holds None only");
        return -1;
    case WP_BOOL:
        if ((truth = PyObject_IsTrue(value)) < 0) return -1;
        return append_bit(&column->values, column->length, truth) ? no_memory() : 0;
    case WP_INT:
    case WP_UINT:
        return append_int(column, value);
    case WP_FLOAT:
        return append_float(column, value);
    case WP_TEXT:
        return append_text(column, value);
    case WP_BYTES:
    case WP_FIXED_BYTES:
        return append_bytes(column, value);
    case WP_DATE:
        return append_time(column, value, "days_of");
    case WP_TIME:
        return append_time(column, value, "time_count");
    case WP_SPAN:
        return append_time(column, value, "span_count");
    case WP_STAMP:
        return append_time(column, value, column->has_zone ? "instant_count" : "datetime_count");
    case WP_DECIMAL:
        return append_decimal(column, value);
    case WP_STRUCT:
        return append_struct(column, value);
    case WP_LIST:
        return append_list(column, value);
    default:
        return append_map(column, value);
    }
}

/* The room of a value that is NULL. */
static int append_room(struct wp_column *column) {
    switch (column->sort) {
    case WP_NULL:
        return 0;
    case WP_BOOL:
        return append_bit(&column->values, column->length, false) ? no_memory() : 0;
    case WP_TEXT:
    case WP_BYTES:
        return append_offset(column, column->values.length);
    case WP_LIST:
    case WP_MAP:
        return append_offset(column, column->children[0].length);
    case WP_STRUCT:
        for (int64_t i = 0; i < column->n_children; i++) {
            if (wpy_column_append(&column->children[i], Py_None)) return -1;
        }
        return 0;
    default:
        if (wp_buffer_reserve(&column->values, column->width)) return no_memory();
        memset(column->values.data + column->values.length, 0, (size_t)column->width);
        column->values.length += column->width;
        return 0;
    }
}

int wpy_column_append(struct wp_column *column, PyObject *value) {
    bool is_null = value == Py_None;
    if (is_null ? append_room(column) : append_value(column, value)) return -1;
    if (append_bit(&column->valid, column->length, !is_null)) return no_memory();
    column->n_nulls += is_null;
    column->length++;
    return 0;
}

/* ---- Arrays ---- */

/* What an array of ours points to. */
struct holder {
    const void *buffers[3];
    struct wp_buffer owned[3];
    struct ArrowArray **children;
};

static void release(struct ArrowArray *array) {
    struct holder *holder = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (!holder->children[i]) continue;
        wp_release_array(holder->children[i]);
        free(holder->children[i]);
    }
    for (int i = 0; i < 3; i++)
        free(holder->owned[i].data);
    free(holder->children);
    free(holder);
    array->release = NULL;
}

static struct wp_buffer moved(struct wp_buffer *buffer) {
    struct wp_buffer result = *buffer;
    *buffer = (struct wp_buffer){0};
    return result;
}

static int take_children(struct wp_column *column, struct ArrowArray *array,
                         struct holder *holder) {
    if (column->n_children == 0) return 0;
    holder->children = calloc((size_t)column->n_children, sizeof *holder->children);
    if (!holder->children) return ENOMEM;
    array->children = holder->children;
    array->n_children = column->n_children;
    for (int64_t i = 0; i < column->n_children; i++) {
        holder->children[i] = calloc(1, sizeof **holder->children);
        if (!holder->children[i]) return ENOMEM;
        if (wp_column_take(&column->children[i], holder->children[i])) return ENOMEM;
    }
    return 0;
}

/* Texts as views, in place of `array`. */
static int make_views(const struct wp_column *column, struct ArrowArray *array) {
    struct ArrowSchema plain = {.format = column->sort == WP_TEXT ? "u" : "z"};
    struct ArrowArray views;
    int code = wp_text_convert(column->type, &plain, array, 0, array->length, &views, NULL);
    release(array);
    if (code) return ENOMEM;
    *array = views;
    return 0;
}

/* Arrow wants offsets even of an array without values. */
static int complete(struct wp_column *column) {
    bool has_offsets = column->sort == WP_TEXT || column->sort == WP_BYTES ||
                       column->sort == WP_LIST || column->sort == WP_MAP;
    static const uint64_t zero;
    if (has_offsets && column->offsets.length == 0 &&
        wp_buffer_append(&column->offsets, &zero, column->width))
        return ENOMEM;
    return wp_buffer_reserve(&column->values, 1);
}

int wp_column_take(struct wp_column *column, struct ArrowArray *ret_array) {
    struct holder *holder = calloc(1, sizeof *holder);
    if (!holder || complete(column)) {
        free(holder);
        return ENOMEM;
    }
    struct ArrowArray array = {
        .length = column->length,
        .null_count = column->n_nulls,
        .buffers = holder->buffers,
        .release = release,
        .private_data = holder,
    };
    bool is_nested = column->sort == WP_STRUCT || column->sort == WP_LIST || column->sort == WP_MAP;
    if (column->sort != WP_NULL) {
        holder->owned[array.n_buffers++] = moved(&column->valid);
        if (column->n_nulls == 0) {
            free(holder->owned[0].data);
            holder->owned[0] = (struct wp_buffer){0};
        }
        if (column->offsets.data) holder->owned[array.n_buffers++] = moved(&column->offsets);
        if (!is_nested) holder->owned[array.n_buffers++] = moved(&column->values);
    }
    for (int64_t i = 0; i < array.n_buffers; i++)
        holder->buffers[i] = holder->owned[i].data;
    column->length = column->n_nulls = 0;
    if (take_children(column, &array, holder)) {
        release(&array);
        return ENOMEM;
    }
    if (column->is_view && make_views(column, &array)) return ENOMEM;
    *ret_array = array;
    return 0;
}
