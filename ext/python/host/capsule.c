/* SPDX-License-Identifier: Apache-2.0 */
/* The Arrow PyCapsule interface: structures inside capsules, which free what nobody moved out. */
#include <stdlib.h>
#include <string.h>

#include "host/host.h"

bool wpy_has(PyObject *object, const char *method) {
    return PyObject_HasAttrString(object, method);
}

static void *open_capsule(PyObject *capsule, const char *name) {
    void *content = PyCapsule_GetPointer(capsule, name);
    if (!content && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Format(PyExc_TypeError, "expected a PyCapsule named \"%s\"", name);
    }
    return content;
}

static PyObject *released(void) {
    PyErr_SetString(PyExc_ValueError, "the Arrow structure was taken already");
    return NULL;
}

static int move_schema(PyObject *capsule, struct ArrowSchema *ret_schema) {
    struct ArrowSchema *schema = open_capsule(capsule, "arrow_schema");
    if (!schema) return -1;
    if (!schema->release) return released(), -1;
    *ret_schema = *schema;
    schema->release = NULL;
    return 0;
}

int wpy_schema(PyObject *object, struct ArrowSchema *ret_schema) {
    PyObject *capsule = PyObject_CallMethod(object, "__arrow_c_schema__", NULL);
    if (!capsule) return -1;
    int result = move_schema(capsule, ret_schema);
    Py_DECREF(capsule);
    return result;
}

static int move_pair(PyObject *pair, struct ArrowSchema *ret_schema, struct ArrowArray *ret_array) {
    if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
        PyErr_SetString(PyExc_TypeError, "__arrow_c_array__ must give two capsules");
        return -1;
    }
    struct ArrowArray *array = open_capsule(PyTuple_GetItem(pair, 1), "arrow_array");
    struct ArrowSchema schema;
    if (!array) return -1;
    if (!array->release) return released(), -1;
    if (move_schema(PyTuple_GetItem(pair, 0), &schema)) return -1;
    *ret_schema = schema;
    *ret_array = *array;
    array->release = NULL;
    return 0;
}

static PyObject *call(PyObject *object, const char *method, const struct ArrowSchema *requested) {
    if (!requested) return PyObject_CallMethod(object, method, NULL);
    struct ArrowSchema copy;
    if (wp_schema_copy(requested, &copy)) return PyErr_NoMemory();
    PyObject *wish = wpy_schema_capsule(&copy);
    PyObject *result = wish ? PyObject_CallMethod(object, method, "(O)", wish) : NULL;
    Py_XDECREF(wish);
    return result;
}

int wpy_array(PyObject *object, const struct ArrowSchema *requested, struct ArrowSchema *ret_schema,
              struct ArrowArray *ret_array) {
    PyObject *pair = call(object, "__arrow_c_array__", requested);
    if (!pair) return -1;
    int result = move_pair(pair, ret_schema, ret_array);
    Py_DECREF(pair);
    return result;
}

PyObject *wpy_attribute(PyObject *object, PyObject **name, const char *text) {
    if (!*name) *name = PyUnicode_InternFromString(text);
    PyObject *value = *name ? PyObject_GetAttr(object, *name) : NULL;
    if (!value) PyErr_Clear();
    return value;
}

PyObject *wpy_array_method(PyObject *object) {
    static PyObject *name;
    return wpy_attribute(object, &name, "__arrow_c_array__");
}

int wpy_array_of(PyObject *method, struct ArrowSchema *ret_schema, struct ArrowArray *ret_array) {
    PyObject *pair = PyObject_CallNoArgs(method);
    if (!pair) return -1;
    int result = move_pair(pair, ret_schema, ret_array);
    Py_DECREF(pair);
    return result;
}

int wpy_stream(PyObject *object, const struct ArrowSchema *requested,
               struct ArrowArrayStream *ret_stream) {
    PyObject *capsule = call(object, "__arrow_c_stream__", requested);
    if (!capsule) return -1;
    struct ArrowArrayStream *stream = open_capsule(capsule, "arrow_array_stream");
    int result = -1;
    if (stream && !stream->release) released();
    if (stream && stream->release) {
        *ret_stream = *stream;
        stream->release = NULL;
        result = 0;
    }
    Py_DECREF(capsule);
    return result;
}

/* ---- Ours ---- */

static void free_schema(PyObject *capsule) {
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    wp_release_schema(schema);
    free(schema);
}

static void free_stream(PyObject *capsule) {
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    Py_BEGIN_ALLOW_THREADS wp_release_stream(stream);
    Py_END_ALLOW_THREADS free(stream);
}

PyObject *wpy_schema_capsule(struct ArrowSchema *schema) {
    struct ArrowSchema *content = malloc(sizeof *content);
    PyObject *capsule = NULL;
    if (content) {
        *content = *schema;
        capsule = PyCapsule_New(content, "arrow_schema", free_schema);
    } else {
        PyErr_NoMemory();
    }
    if (!capsule) {
        wp_release_schema(schema);
        free(content);
    }
    return capsule;
}

PyObject *wpy_stream_capsule(struct ArrowArrayStream *stream) {
    struct ArrowArrayStream *content = malloc(sizeof *content);
    PyObject *capsule = NULL;
    if (content) {
        *content = *stream;
        capsule = PyCapsule_New(content, "arrow_array_stream", free_stream);
    } else {
        PyErr_NoMemory();
    }
    if (!capsule) {
        wp_release_stream(stream);
        free(content);
    }
    return capsule;
}

/* ---- Schemas as tuples, for the Python half ---- */

static int fill_node(PyObject *tuple, struct ArrowSchema *node, PyObject **ret_children) {
    const char *format, *name;
    int is_nullable;
    PyObject *children;
    if (!PyArg_ParseTuple(tuple, "ssiO!:schema", &format, &name, &is_nullable, &PyList_Type,
                          &children))
        return -1;
    *node = (struct ArrowSchema){
        .format = format,
        .name = name,
        .flags = is_nullable ? ARROW_FLAG_NULLABLE : 0,
        .n_children = PyList_Size(children),
    };
    *ret_children = children;
    return 0;
}

/* Borrows the texts of the tuples: only to be copied. `children` are freed by free_borrowed. */
static int borrow(PyObject *tuple, struct ArrowSchema *node) {
    PyObject *children;
    if (fill_node(tuple, node, &children)) return -1;
    if (node->n_children == 0) return 0;
    node->children = calloc((size_t)node->n_children, sizeof *node->children);
    if (!node->children) return PyErr_NoMemory(), -1;
    for (int64_t i = 0; i < node->n_children; i++) {
        node->children[i] = calloc(1, sizeof *node->children[i]);
        if (!node->children[i]) return PyErr_NoMemory(), -1;
        if (borrow(PyList_GetItem(children, i), node->children[i])) return -1;
    }
    return 0;
}

static void free_borrowed(struct ArrowSchema *node) {
    for (int64_t i = 0; i < node->n_children && node->children; i++) {
        if (!node->children[i]) continue;
        free_borrowed(node->children[i]);
        free(node->children[i]);
    }
    free(node->children);
}

int wpy_schema_of_tuple(PyObject *tuple, struct ArrowSchema *ret_schema) {
    struct ArrowSchema node = {0};
    int result = borrow(tuple, &node);
    if (result == 0 && wp_schema_copy(&node, ret_schema)) {
        PyErr_NoMemory();
        result = -1;
    }
    free_borrowed(&node);
    return result;
}

PyObject *wpy_schema_tuple(const struct ArrowSchema *schema) {
    PyObject *children = PyList_New(0);
    for (int64_t i = 0; i < schema->n_children && children; i++) {
        PyObject *child = wpy_schema_tuple(schema->children[i]);
        if (!child || PyList_Append(children, child)) Py_CLEAR(children);
        Py_XDECREF(child);
    }
    if (!children) return NULL;
    int is_nullable = (schema->flags & ARROW_FLAG_NULLABLE) != 0;
    PyObject *tuple = Py_BuildValue("(ssiO)", schema->format, schema->name ? schema->name : "",
                                    is_nullable, children);
    Py_DECREF(children);
    return tuple;
}
