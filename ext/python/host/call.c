/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of a source that may take long before there is a stream: its schema, its partitions. Where
 * a statement waits for one that can be cancelled, the call has a thread of its own, which is left
 * behind then: nothing else ends what sleeps or reads in it. It gets an exception too, by which it
 * ends when it next runs Python code.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "host/host.h"

struct job {
    pthread_mutex_t mutex; /* guards what follows, but for the objects, which the GIL does */
    pthread_cond_t changed;
    int n_references; /* who waits, and the thread */
    bool is_done, is_left;
    PyObject *function, *arguments;
    PyObject *result, *type, *value, *traceback; /* of the call, once it is done */
    unsigned long thread;                        /* as Python names it; 0: it has not begun */
};

/* With the GIL. */
static void job_drop(struct job *job) {
    pthread_mutex_lock(&job->mutex);
    bool is_last = --job->n_references == 0;
    pthread_mutex_unlock(&job->mutex);
    if (!is_last) return;
    Py_XDECREF(job->function);
    Py_XDECREF(job->arguments);
    Py_XDECREF(job->result);
    Py_XDECREF(job->type);
    Py_XDECREF(job->value);
    Py_XDECREF(job->traceback);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->mutex);
    free(job);
}

static void tell(struct job *job, bool *what) {
    pthread_mutex_lock(&job->mutex);
    *what = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->mutex);
}

static void stop(void *job) {
    tell(job, &((struct job *)job)->is_left);
}

/* Whoever waits is counted as being inside (gil.c), and this thread is not: the process need not
 * wait for one that was left behind, and Python may end it on the spot, since all its frames are C.
 */
static void *work(void *given) {
    struct job *job = given;
    if (wp_gil_is_closed()) return tell(job, &job->is_done), NULL;
    PyGILState_STATE state = PyGILState_Ensure();
    job->thread = (unsigned long)pthread_self();
    job->result = PyObject_CallObject(job->function, job->arguments);
    if (!job->result) PyErr_Fetch(&job->type, &job->value, &job->traceback);
    /* With the GIL: whoever has it finds the thread still there, or the job done. */
    tell(job, &job->is_done);
    job_drop(job);
    PyGILState_Release(state);
    return NULL;
}

/* Signals stay with the threads that are there for them. */
static int start(struct job *job) {
    pthread_t thread;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&thread, NULL, work, job);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!failed) pthread_detach(thread);
    return failed;
}

static struct job *job_new(PyObject *function, PyObject *arguments) {
    struct job *job = calloc(1, sizeof *job);
    if (!job) return NULL;
    pthread_mutex_init(&job->mutex, NULL);
    pthread_cond_init(&job->changed, NULL);
    job->n_references = 2;
    job->function = Py_NewRef(function);
    job->arguments = Py_NewRef(arguments);
    return job;
}

static void wait_for(struct job *job) {
    pthread_mutex_lock(&job->mutex);
    while (!job->is_done && !job->is_left)
        pthread_cond_wait(&job->changed, &job->mutex);
    pthread_mutex_unlock(&job->mutex);
}

static PyObject *raise_left(const struct job *job) {
    PyObject *left = wpy_glue("Left");
    if (left && job->thread) PyThreadState_SetAsyncExc(job->thread, left);
    if (left) PyErr_SetNone(left);
    Py_XDECREF(left);
    return NULL;
}

static PyObject *take_result(struct job *job) {
    PyObject *result = job->result;
    if (result || job->type)
        PyErr_Restore(job->type, job->value, job->traceback);
    else
        PyErr_SetString(PyExc_RuntimeError, "Python is going away");
    job->result = job->type = job->value = job->traceback = NULL;
    return result;
}

PyObject *wpy_call(PyObject *function, PyObject *arguments) {
    struct weir_watch watch;
    struct job *job = job_new(function, arguments);
    if (!job) return PyErr_NoMemory();
    if (!wp_watch(&watch, stop, job) || start(job)) {
        wp_unwatch(&watch);
        job->n_references = 1;
        job_drop(job);
        return PyObject_CallObject(function, arguments);
    }
    Py_BEGIN_ALLOW_THREADS wait_for(job);
    wp_unwatch(&watch);
    Py_END_ALLOW_THREADS PyObject *result = job->is_done ? take_result(job) : raise_left(job);
    job_drop(job);
    return result;
}

PyObject *wpy_call_method(PyObject *object, const char *name, PyObject *arguments) {
    PyObject *method = arguments ? PyObject_GetAttrString(object, name) : NULL;
    PyObject *result = method ? wpy_call(method, arguments) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    return result;
}
