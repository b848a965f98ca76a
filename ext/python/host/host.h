/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half of the Python host that stands on the CPython API: weir_python_host.so. It is opened
 * once an interpreter is in the process, compiled against the limited API of Python 3.10, and so
 * the same file serves every CPython from 3.10 on.
 *
 * What it gives the other half (loader/) is one table of functions, struct wp_host. In a worker
 * process it is a Python module as well, _weir_native, whose `serve` reads requests.
 *
 * The GIL: a function whose name begins with wpy_ is called with it held. All others take it where
 * they need it, and never hold it while they wait for anything else.
 */
#ifndef WP_HOST_H
#define WP_HOST_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030A0000
#endif
#include <Python.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <weir_extension.h>

#include "common/common.h"

/* ---- The GIL (gil.c) ---- */

/* What Python cost, summed up from several threads. */
struct wp_times {
    _Atomic int64_t n_bytes;   /* of the batches that came of it */
    _Atomic int64_t python_ns; /* with the GIL held */
    _Atomic int64_t wait_ns;   /* waiting for it */
};

struct wp_gil {
    PyGILState_STATE state;
    struct wp_times *times; /* NULL: nobody asks */
    int64_t since;
};

/* False when the interpreter is going away: nothing of Python may be touched any more. */
bool wp_gil_take(struct wp_gil *gil, struct wp_times *times);
/* The same; the caller waits since `asked`. For each batch: reading the clock takes a part of it.
 */
bool wp_gil_take_since(struct wp_gil *gil, struct wp_times *times, int64_t asked);
/* The time of it (wp_now_ns), where times are kept. */
int64_t wp_gil_give(struct wp_gil *gil);
/* Nobody gets it any more; returns when nobody has it. Called without it, as the process ends. */
void wp_gil_close(void);
bool wp_gil_is_closed(void);

/*
 * What makes a thread that takes the GIL for each batch known to Python in between. Without it each
 * turn makes a thread's state, maps memory for its frames and unmaps it: more than a batch costs.
 */
struct wp_stay {
    pthread_t thread;
    bool is_known;
};

/* On each turn: another thread may go on with a stream. One that was left stays known until Python
 * ends. */
void wpy_stay(struct wp_stay *stay);
void wpy_leave(struct wp_stay *stay);

/* ---- Errors (error.c) ---- */

/*
 * Takes the exception that is set into `error`: "WHERE: ValueError: text", and the traceback of the
 * user's own lines. SQLSTATE 38000, an error of a routine outside SQL; 53200 for MemoryError.
 */
int wpy_error(struct weir_error *error, const char *where);

/* ---- Calls that may take long (call.c) ---- */

/*
 * PyObject_CallObject, which ends with the exception _weir_python.glue.Left when nobody waits any
 * more for the slot that runs on this thread. Lets go of the GIL while it waits.
 */
PyObject *wpy_call(PyObject *function, PyObject *arguments);
/* The same of a method. Takes over `arguments`, a tuple; NULL: an exception is set. */
PyObject *wpy_call_method(PyObject *object, const char *name, PyObject *arguments);

/* ---- Python modules of ours (glue.c) ---- */

/* Imports _weir_python from its directory, and makes the module _weir_native. Once. */
int wp_glue_load(const char *directory, bool embedded, struct weir_error *error);
/* In a worker process, once its table is open: what the first batches would import. */
void wp_glue_warm_up(void);
/* A function of _weir_python.glue, a new reference; NULL with an exception set. */
PyObject *wpy_glue(const char *name);
PyObject *PyInit__weir_native(void);

/* ---- Arrow in and out of Python (capsule.c) ---- */

/* Moves the structure out of what `object.METHOD()` gives. `requested`: the types that are wished
 * for; NULL: any. -1 with an exception set. */
int wpy_schema(PyObject *object, struct ArrowSchema *ret_schema);
int wpy_array(PyObject *object, const struct ArrowSchema *requested, struct ArrowSchema *ret_schema,
              struct ArrowArray *ret_array);
int wpy_stream(PyObject *object, const struct ArrowSchema *requested,
               struct ArrowArrayStream *ret_stream);
/* Take over. */
PyObject *wpy_schema_capsule(struct ArrowSchema *schema);
PyObject *wpy_stream_capsule(struct ArrowArrayStream *stream);
bool wpy_has(PyObject *object, const char *method);
/* What is asked of each batch: `name` is made of the text once, and kept by the caller. NULL
 * without an exception: there is none. */
PyObject *wpy_attribute(PyObject *object, PyObject **name, const char *text);
/* The bound `__arrow_c_array__` of an object; NULL without an exception when it has none. */
PyObject *wpy_array_method(PyObject *object);
/* As wpy_array of any types, by that method. */
int wpy_array_of(PyObject *method, struct ArrowSchema *ret_schema, struct ArrowArray *ret_array);

/* A schema out of (format, name, nullable, [children]), and back. */
int wpy_schema_of_tuple(PyObject *tuple, struct ArrowSchema *ret_schema);
PyObject *wpy_schema_tuple(const struct ArrowSchema *schema);

/* ---- Values (value.c, rows.c) ---- */

/* One value as Python has it: int, float, str, bytes, bool, Decimal, date, datetime, time,
 * timedelta, list, dict, None. */
PyObject *wpy_value(const struct ArrowSchema *type, const struct ArrowArray *array, int64_t row);
/* `op` and the operand of a filter that holds in Python wherever it holds in SQL, NULL without an
 * exception when that is not sure. *ret_same: where it holds in Python, it holds in SQL too. */
PyObject *wpy_filter(const struct weir_filter *filter, bool *ret_same);

/* Rows of Python objects on their way into a batch. */
struct wp_rows;
struct wp_rows *wpy_rows_new(const struct ArrowSchema *schema); /* borrowed; NULL with exception */
void wpy_rows_free(struct wp_rows *rows);
int wpy_rows_append(struct wp_rows *rows, PyObject *row);
int64_t wp_rows_count(const struct wp_rows *rows);
/* What was appended since, as one struct array. */
int wpy_rows_take(struct wp_rows *rows, struct ArrowArray *ret_array);

/* ---- Tables (table.c, scan.c, insert.c) ---- */

struct wp_table {
    char *name;                /* as errors call it: table "t" (kind python) */
    PyObject *source;          /* _weir_python.glue.Source */
    struct ArrowSchema schema; /* of the whole table */
    bool takes_filters, is_exact;
};

int wp_table_open(const struct wp_definition *definition, void **ret_table,
                  struct weir_error *error);
void wp_table_close(void *table);
int wp_table_schema(void *table, struct ArrowSchema *ret_schema, struct weir_error *error);
int wp_table_statistics(void *table, struct wp_known *ret_known, struct weir_error *error);
int wp_table_classify(void *table, const struct weir_filter *filters, size_t n_filters,
                      int32_t *ret_support, struct weir_error *error);
int wp_table_scan(void *table, const struct weir_scan_request *request, const struct wp_bytes *plan,
                  struct weir_scan *ret_scan, struct weir_error *error);
int wp_scan_plan(struct weir_scan *scan, struct wp_bytes *ret_plan, struct weir_error *error);
void wp_scan_metrics(void *table, struct weir_scan *scan, int32_t partition, weir_figure_fn take,
                     void *sink);
void wp_scan_hold(void *table, struct weir_scan *scan, int32_t partition, int is_held);
int wp_table_insert(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                    struct weir_error *error);
PyObject *wpy_filters(const struct weir_filter *filters, size_t n_filters);

/* Closes what a scan's partition reads from, and drops it. */
void wpy_reader_drop(PyObject *reader);

#endif
