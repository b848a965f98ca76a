/* SPDX-License-Identifier: Apache-2.0 */
/* The Python half, _weir_python, and what it is given of this one, the module _weir_native. */
#include <stdlib.h>

#include "host/serve.h"

static PyObject *glue_module; /* lives as long as the process */

PyObject *wpy_glue(const char *name) {
    if (!glue_module) {
        PyErr_SetString(PyExc_RuntimeError, "the module _weir_python.glue is not loaded");
        return NULL;
    }
    return PyObject_GetAttrString(glue_module, name);
}

/* ---- _weir_native ---- */

static PyObject *schema_capsule(PyObject *module, PyObject *tuple) {
    (void)module;
    struct ArrowSchema schema;
    return wpy_schema_of_tuple(tuple, &schema) ? NULL : wpy_schema_capsule(&schema);
}

static PyObject *schema_tuple(PyObject *module, PyObject *object) {
    (void)module;
    struct ArrowSchema schema;
    if (wpy_schema(object, &schema)) return NULL;
    PyObject *tuple = wpy_schema_tuple(&schema);
    wp_release_schema(&schema);
    return tuple;
}

static PyObject *row_of(const struct ArrowSchema *schema, const struct ArrowArray *array,
                        int64_t row) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)schema->n_children);
    for (int64_t i = 0; i < schema->n_children && tuple; i++) {
        PyObject *value = wpy_value(schema->children[i], array->children[i], row + array->offset);
        if (!value || PyTuple_SetItem(tuple, (Py_ssize_t)i, value)) Py_CLEAR(tuple);
    }
    return tuple;
}

/* The next batch's rows of a stream in a capsule, as a list of tuples; None at the end. */
static PyObject *next_rows(PyObject *module, PyObject *capsule) {
    (void)module;
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    int number = 0;
    if (!stream) return NULL;
    if (!stream->release) {
        PyErr_SetString(PyExc_ValueError, "the stream was taken already");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS number = stream->get_schema(stream, &schema);
    if (number == 0) number = stream->get_next(stream, &array);
    Py_END_ALLOW_THREADS PyObject *rows = NULL;
    if (number) {
        const char *text = stream->get_last_error(stream);
        PyErr_SetString(PyExc_OSError, text ? text : "reading the rows failed");
    } else if (!array.release) {
        rows = Py_NewRef(Py_None);
    } else {
        rows = PyList_New(0);
    }
    for (int64_t i = 0; rows && array.release && i < array.length; i++) {
        PyObject *row = row_of(&schema, &array, i);
        if (!row || PyList_Append(rows, row)) Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    wp_release_schema(&schema);
    wp_release_array(&array);
    return rows;
}

static PyObject *shutdown(PyObject *module, PyObject *nothing) {
    (void)module, (void)nothing;
    Py_BEGIN_ALLOW_THREADS wp_gil_close();
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

/* Does not come back. */
static PyObject *serve(PyObject *module, PyObject *arguments) {
    (void)module;
    int socket;
    const char *directory;
    if (!PyArg_ParseTuple(arguments, "is:serve", &socket, &directory)) return NULL;
    Py_BEGIN_ALLOW_THREADS wp_serve(socket, directory);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"shutdown", shutdown, METH_NOARGS, "shutdown(): no thread of weir's comes in any more"},
    {"serve", serve, METH_VARARGS, "serve(socket, directory): the loop of a worker process"},
    {"schema_capsule", schema_capsule, METH_O, "schema_capsule((format, name, nullable, [...]))"},
    {"schema_tuple", schema_tuple, METH_O, "the tuple of an object with __arrow_c_schema__"},
    {"next_rows", next_rows, METH_O, "the next batch of a stream's capsule as tuples, or None"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef native = {
    PyModuleDef_HEAD_INIT, .m_name = "_weir_native", .m_doc = "Arrow structures for _weir_python.",
    .m_size = -1,          .m_methods = functions,
};

PyMODINIT_FUNC PyInit__weir_native(void) {
    return PyModule_Create(&native);
}

/* ---- Loading ---- */

static int add_native(void) {
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed */
    if (PyDict_GetItemString(modules, "_weir_native")) return 0;
    PyObject *module = PyInit__weir_native();
    int result = module ? PyDict_SetItemString(modules, "_weir_native", module) : -1;
    Py_XDECREF(module);
    return result;
}

/* At the end of sys.path, so that nothing of ours hides anything of the user's. */
static int add_directory(const char *directory) {
    PyObject *path = PySys_GetObject("path"); /* borrowed */
    PyObject *entry = PyUnicode_DecodeFSDefault(directory);
    int result = -1;
    if (path && entry) {
        int known = PySequence_Contains(path, entry);
        result = known < 0 ? -1 : known ? 0 : PyList_Append(path, entry);
    }
    Py_XDECREF(entry);
    return result;
}

static int load(const char *directory, bool is_embedded) {
    if (add_native() || add_directory(directory)) return -1;
    PyObject *module = PyImport_ImportModule("_weir_python.glue");
    if (!module) return -1;
    PyObject *done = PyObject_CallMethod(module, "start", "(i)", (int)is_embedded);
    Py_XDECREF(done);
    if (!done) {
        Py_DECREF(module);
        return -1;
    }
    glue_module = module;
    return 0;
}

void wp_glue_warm_up(void) {
    struct wp_gil gil;
    if (!wp_gil_take(&gil, NULL)) return;
    PyObject *function = wpy_glue("warm_up");
    PyObject *done = function ? PyObject_CallNoArgs(function) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(function);
    PyErr_Clear(); /* what is wrong is told by whoever needs it */
    wp_gil_give(&gil);
}

int wp_glue_load(const char *directory, bool is_embedded, struct weir_error *error) {
    struct wp_gil gil;
    if (!wp_gil_take(&gil, NULL))
        return wp_error(error, WEIR_INVALID_STATE, "55000", "there is no Python in this process");
    int code = WEIR_OK;
    if (!glue_module && load(directory, is_embedded))
        code = wpy_error(error, "the Python half of weir's host");
    wp_gil_give(&gil);
    return code;
}
