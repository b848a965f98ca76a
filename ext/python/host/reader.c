/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One partition as an Arrow stream. What the source gives is any of: an object with
 * __arrow_c_stream__ or __arrow_c_array__, or an iterator of such objects and of rows (tuples,
 * lists, dicts, rows with names). Rows are gathered into batches; batches pass as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "host/counted.h"
#include "host/scan.h"

enum { MOST_BATCH_ROWS = 8192 };
#define BATCH_NS (INT64_C(250) * 1000000) /* a slow source's rows are handed on after this time */

struct reader {
    struct scan *scan;
    int32_t partition;
    bool is_finished;
    PyObject *iterator;            /* NULL: none, or it ended */
    struct ArrowArrayStream inner; /* what is read before the iterator goes on */
    struct ArrowSchema inner_schema;
    struct wp_rows *rows;    /* of the columns that rows have; made when the first row comes */
    struct ArrowArray ready; /* a batch that came while rows were gathered */
    struct wpy_counted counted;
    struct wp_stay stay;
    struct weir_error error;
};

static const struct ArrowSchema *row_schema(const struct reader *reader) {
    return &reader->scan->row;
}

static struct wp_times *times_of(const struct reader *reader) {
    return &reader->scan->times[reader->partition];
}

static struct wp_turn *turn_of(const struct reader *reader) {
    return &reader->scan->turns[reader->partition];
}

static char *place(const struct reader *reader) {
    return wp_text("%s, partition %d", reader->scan->table->name, reader->partition);
}

/* Puts the place in front; the code for the stream. */
static int located(struct reader *reader, int code) {
    char *where = place(reader);
    if (where) wp_error_prefix(&reader->error, where);
    free(where);
    reader->is_finished = true;
    return code == WEIR_CANCELLED ? ECANCELED : code == WEIR_INTERNAL ? ENOMEM : EINVAL;
}

/* The exception that is set. */
static int raised(struct reader *reader) {
    char *where = place(reader);
    wpy_error(&reader->error, where ? where : reader->scan->table->name);
    free(where);
    reader->is_finished = true;
    return EINVAL;
}

static void drop_inner(struct reader *reader) {
    wp_release_stream(&reader->inner);
    wp_release_schema(&reader->inner_schema);
}

/* ---- Batches ---- */

/* The columns that a batch has, in the types of the table: what to ask a batch of others for. */
static int wanted_schema(const struct ArrowSchema *table, const struct ArrowSchema *given,
                         struct ArrowSchema *ret_schema) {
    int32_t *columns = calloc((size_t)given->n_children + 1, sizeof *columns);
    int64_t n_found = 0;
    for (int64_t i = 0; i < given->n_children && columns; i++) {
        for (int64_t j = 0; j < table->n_children && n_found == i; j++) {
            const char *name = given->children[i]->name;
            if (strcmp(table->children[j]->name, name ? name : "") == 0)
                columns[n_found++] = (int32_t)j;
        }
    }
    int result = -1;
    if (columns && n_found == given->n_children)
        result = wp_schema_select(table, columns, (size_t)n_found, ret_schema);
    free(columns);
    return result;
}

/* Asks again for the types of the table, as the Arrow PyCapsule interface lets one. */
static bool ask_again(struct reader *reader, PyObject *object, struct ArrowSchema *schema,
                      struct ArrowArray *array) {
    struct ArrowSchema wanted, new_schema;
    struct ArrowArray new_array;
    if (strcmp(schema->format, "+s") != 0 ||
        wanted_schema(&reader->scan->table->schema, schema, &wanted))
        return false;
    bool is_other = !wp_same_type(&wanted, schema);
    bool got = is_other && wpy_array(object, &wanted, &new_schema, &new_array) == 0;
    PyErr_Clear();
    wp_release_schema(&wanted);
    if (!got) return false;
    wp_release_schema(schema);
    wp_release_array(array);
    *schema = new_schema;
    *array = new_array;
    return true;
}

static int select_asked(struct reader *reader, const struct ArrowSchema *given,
                        struct ArrowArray *array, struct ArrowArray *ret_array) {
    int code = wp_batch_check(&reader->scan->table->schema, given, &reader->error);
    if (code) return code;
    return wp_batch_select(&reader->scan->asked, given, array, ret_array, &reader->error);
}

/* `method`: the object's __arrow_c_array__, which is taken over. */
static int take_array(struct reader *reader, PyObject *object, PyObject *method,
                      struct ArrowArray *ret_array) {
    struct ArrowSchema schema;
    struct ArrowArray array;
    int failed = wpy_array_of(method, &schema, &array);
    Py_DECREF(method);
    if (failed) return raised(reader);
    int code = select_asked(reader, &schema, &array, ret_array);
    if (!code && reader->scan->asked.n_children == 0) wpy_counted_learn(&reader->counted, object);
    if (code == WEIR_INVALID_DATA && ask_again(reader, object, &schema, &array))
        code = select_asked(reader, &schema, &array, ret_array);
    wp_release_schema(&schema);
    wp_release_array(&array);
    return code ? located(reader, code) : 0;
}

static int no_memory(struct reader *reader) {
    return located(reader, wp_error_memory(&reader->error));
}

static int inner_failed(struct reader *reader, int number) {
    const char *text =
        reader->inner.get_last_error ? reader->inner.get_last_error(&reader->inner) : NULL;
    wp_error(&reader->error, WEIR_UNKNOWN, "38000", "%s", text ? text : strerror(number));
    drop_inner(reader);
    return located(reader, WEIR_UNKNOWN);
}

/* From a stream of C, without the GIL: it takes it where it needs it. */
static int take_inner(struct reader *reader, struct ArrowArray *ret_array) {
    struct ArrowArray array = {0};
    int number = 0;
    if (!reader->inner_schema.release)
        number = reader->inner.get_schema(&reader->inner, &reader->inner_schema);
    if (number == 0) number = reader->inner.get_next(&reader->inner, &array);
    if (number) return inner_failed(reader, number);
    if (!array.release) {
        drop_inner(reader);
        return 0;
    }
    int code = select_asked(reader, &reader->inner_schema, &array, ret_array);
    wp_release_array(&array);
    return code ? located(reader, code) : 0;
}

/* The stream's columns in the types of the table, if the object can; else as they were. */
static void ask_stream_again(struct reader *reader, PyObject *object) {
    struct ArrowSchema wanted;
    struct ArrowArrayStream other;
    if (strcmp(reader->inner_schema.format, "+s") != 0 ||
        wanted_schema(&reader->scan->table->schema, &reader->inner_schema, &wanted))
        return;
    if (!wp_same_type(&wanted, &reader->inner_schema) && wpy_stream(object, &wanted, &other) == 0) {
        drop_inner(reader);
        reader->inner = other;
    }
    PyErr_Clear();
    wp_release_schema(&wanted);
}

/* Its schema is asked for here, where the object can still be asked for another one. */
static int start_inner(struct reader *reader, PyObject *object) {
    int number;
    if (wpy_stream(object, NULL, &reader->inner)) return raised(reader);
    Py_BEGIN_ALLOW_THREADS number = reader->inner.get_schema(&reader->inner, &reader->inner_schema);
    Py_END_ALLOW_THREADS if (number) return inner_failed(reader, number);
    ask_stream_again(reader, object);
    return 0;
}

/* ---- Rows ---- */

static int take_rows(struct reader *reader, struct ArrowArray *ret_array) {
    struct ArrowArray array;
    if (wpy_rows_take(reader->rows, &array)) return raised(reader);
    int code = wp_batch_select(&reader->scan->asked, row_schema(reader), &array, ret_array,
                               &reader->error);
    wp_release_array(&array);
    return code ? located(reader, code) : 0;
}

static bool is_row(PyObject *item) {
    return PyTuple_Check(item) || PyList_Check(item) || PyDict_Check(item);
}

/* One item of the iterator; *ret_array stays empty when it was a row, or a stream to read. */
static int take_item(struct reader *reader, PyObject *item, struct ArrowArray *ret_array) {
    if (!is_row(item)) {
        int64_t n_rows = wpy_counted_rows(&reader->counted, item);
        if (n_rows >= 0) return wp_rows_only(n_rows, ret_array) ? no_memory(reader) : 0;
        PyObject *method = wpy_array_method(item);
        if (method) return take_array(reader, item, method, ret_array);
        if (wpy_has(item, "__arrow_c_stream__")) return start_inner(reader, item);
    }
    if (!reader->rows) reader->rows = wpy_rows_new(row_schema(reader));
    return reader->rows && wpy_rows_append(reader->rows, item) == 0 ? 0 : raised(reader);
}

/* Goes on with the iterator until there is something to hand on. It is `start` now. */
static int take_items(struct reader *reader, int64_t start, struct ArrowArray *ret_array) {
    int64_t limit = reader->scan->limit;
    int64_t most = limit > 0 && limit < MOST_BATCH_ROWS ? limit : MOST_BATCH_ROWS;
    while (!atomic_load(&reader->scan->is_cancelled) && !wp_gil_is_closed()) {
        PyObject *item = PyIter_Next(reader->iterator);
        if (!item) {
            if (PyErr_Occurred()) return raised(reader);
            Py_CLEAR(reader->iterator);
            break;
        }
        struct ArrowArray array = {0};
        int number = take_item(reader, item, &array);
        Py_DECREF(item);
        if (number) return number;
        int64_t n_rows = reader->rows ? wp_rows_count(reader->rows) : 0;
        bool is_full = n_rows >= most || (n_rows > 0 && wp_now_ns() - start > BATCH_NS);
        if (array.release && n_rows == 0) {
            *ret_array = array;
            return 0;
        }
        reader->ready = array;
        if (array.release || reader->inner.release || is_full) break;
    }
    return reader->rows && wp_rows_count(reader->rows) > 0 ? take_rows(reader, ret_array) : 0;
}

/* ---- The stream ---- */

/* Goes on with the iterator, when it is this partition's turn. */
static int take_turn(struct reader *reader, struct ArrowArray *ret_array) {
    struct wp_gil gil;
    struct wp_turn *turn = turn_of(reader);
    int64_t asked = wp_now_ns();
    wp_turn_begin(turn, asked);
    if (!wp_gil_take_since(&gil, times_of(reader), asked))
        return wp_error(&reader->error, WEIR_INVALID_STATE, "55000", "Python is going away"),
               EINVAL;
    wpy_stay(&reader->stay);
    int number = take_items(reader, gil.since, ret_array);
    wp_turn_end(turn, wp_gil_give(&gil));
    return number;
}

/* Goes on with what there is to read; *ret_array stays empty when that came to its end. */
static int read_on(struct reader *reader, struct ArrowArray *ret_array) {
    if (atomic_load(&reader->scan->is_cancelled))
        return wp_error(&reader->error, WEIR_CANCELLED, "57014", "cancelled"), ECANCELED;
    if (reader->ready.release) {
        *ret_array = reader->ready;
        reader->ready.release = NULL;
        return 0;
    }
    if (reader->inner.release) {
        wp_turn_give(turn_of(reader));
        return take_inner(reader, ret_array);
    }
    if (reader->iterator) return take_turn(reader, ret_array);
    reader->is_finished = true;
    return 0;
}

static int reader_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct reader *reader = stream->private_data;
    struct ArrowArray array = {0};
    int number = 0;
    while (!array.release && number == 0 && !reader->is_finished)
        number = read_on(reader, &array);
    if (number || !array.release) wp_turn_give(turn_of(reader));
    if (number == 0 && array.release)
        times_of(reader)->n_bytes += (int64_t)wp_flat_size(&reader->scan->asked, &array);
    if (number == 0) *out = array;
    return number;
}

static int reader_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct reader *reader = stream->private_data;
    return wp_schema_copy(&reader->scan->asked, out);
}

static const char *reader_error(struct ArrowArrayStream *stream) {
    struct reader *reader = stream->private_data;
    return reader->error.message;
}

/* A generator's own clean-up runs now, and not when somebody finds it. */
void wpy_reader_drop(PyObject *iterator) {
    PyObject *result =
        wpy_has(iterator, "close") ? PyObject_CallMethod(iterator, "close", NULL) : NULL;
    Py_XDECREF(result);
    PyErr_Clear(); /* nobody is left who could be told */
    Py_DECREF(iterator);
}

static void reader_free(struct reader *reader) {
    struct wp_gil gil;
    wp_turn_give(turn_of(reader));
    drop_inner(reader);
    wp_release_array(&reader->ready);
    if (wp_gil_take(&gil, NULL)) {
        if (reader->iterator) wpy_reader_drop(reader->iterator);
        wpy_rows_free(reader->rows);
        wpy_counted_free(&reader->counted);
        wpy_leave(&reader->stay);
        wp_gil_give(&gil);
    }
    free(reader);
}

static void reader_release(struct ArrowArrayStream *stream) {
    reader_free(stream->private_data);
    stream->release = NULL;
}

/* What `read` of the source gave, as the reader goes through it. */
static int start(struct reader *reader) {
    PyObject *given =
        PyObject_CallMethod(reader->scan->object, "read", "(i)", (int)reader->partition);
    if (!given) return raised(reader);
    int number = 0;
    PyObject *method = NULL;
    if (wpy_has(given, "__arrow_c_stream__"))
        number = start_inner(reader, given);
    else if ((method = wpy_array_method(given)))
        number = take_array(reader, given, method, &reader->ready);
    else if (!(reader->iterator = PyObject_GetIter(given)))
        number = raised(reader);
    Py_DECREF(given);
    return number;
}

int wp_reader_open(struct scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error) {
    struct wp_gil gil;
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) return wp_error_memory(error);
    reader->scan = scan;
    reader->partition = partition;
    int number = EINVAL;
    if (wp_gil_take(&gil, times_of(reader))) {
        wpy_stay(&reader->stay);
        number = start(reader);
        wp_gil_give(&gil);
    } else {
        wp_error(&reader->error, WEIR_INVALID_STATE, "55000", "Python is going away");
    }
    if (number) {
        int code = reader->error.code;
        if (error) *error = reader->error;
        reader_free(reader);
        return code;
    }
    *ret_rows =
        (struct ArrowArrayStream){reader_schema, reader_next, reader_error, reader_release, reader};
    return WEIR_OK;
}
