/* SPDX-License-Identifier: Apache-2.0 */
/* A column of an Arrow array that grows value by value, out of Python objects. */
#ifndef WP_COLUMN_H
#define WP_COLUMN_H

#include "host/host.h"

enum wp_sort {
    WP_NULL,
    WP_BOOL,
    WP_INT,
    WP_UINT,
    WP_FLOAT,
    WP_TEXT,
    WP_BYTES,
    WP_FIXED_BYTES,
    WP_DATE,
    WP_TIME,
    WP_STAMP,
    WP_SPAN,
    WP_DECIMAL,
    WP_STRUCT,
    WP_LIST,
    WP_MAP
};

struct wp_buffer {
    uint8_t *data;
    int64_t length, capacity; /* bytes */
};

struct wp_column {
    const struct ArrowSchema *type; /* borrowed */
    enum wp_sort sort;
    int width;       /* bytes of a value, or of an offset */
    int64_t unit_ns; /* of a time */
    bool has_zone;   /* of a timestamp */
    bool is_view;    /* text or bytes that become views at the end */
    int precision, scale;
    int64_t length, n_nulls;
    struct wp_buffer valid, values, offsets;
    struct wp_column *children;
    int64_t n_children;
};

/* -1 with a TypeError for a type that Python's objects are not made into. */
int wpy_column_init(struct wp_column *column, const struct ArrowSchema *type);
void wp_column_reset(struct wp_column *column);
/* -1 with an exception set; the column is of no use after that. */
int wpy_column_append(struct wp_column *column, PyObject *value);
/* Moves the values into an array, and is empty. ENOMEM. */
int wp_column_take(struct wp_column *column, struct ArrowArray *ret_array);

/* The names of a tuple's values: __fields__ of PySpark's Row, _fields of a named tuple. NULL
 * without an exception: it has none. */
PyObject *wpy_fields(PyObject *row);

int wp_buffer_reserve(struct wp_buffer *buffer, int64_t n_bytes);
int wp_buffer_append(struct wp_buffer *buffer, const void *data, int64_t n_bytes);

#endif
