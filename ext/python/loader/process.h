/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker process: the interpreter's own program, which runs a source's code and answers requests
 * over a socket, one at a time, in their order. It leads a group of its own, which is killed with
 * it, and ends by itself when the socket closes.
 */
#ifndef WP_PROCESS_H
#define WP_PROCESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "common/wire.h"

struct wp_process {
    pthread_mutex_t mutex; /* held from a request to its answer */
    pid_t pid;
    int socket;
    _Atomic bool is_dead; /* nothing more can be asked of it */
    int status;           /* of waitpid, once it is dead */
    int32_t partition;    /* of the request under way; -1: of none */
    char *end;            /* why it is dead, for whoever asks later; NULL: it is not */
};

struct wp_limits {
    int64_t memory;     /* bytes of each process; 0: none */
    int64_t timeout_ms; /* of each answer; 0: none */
};

int wp_process_start(const char *program, const struct wp_limits *limits,
                     struct wp_process **ret_process, struct weir_error *error);
/* Kills it if it lives. */
void wp_process_free(struct wp_process *process);

/* A request. */
struct wp_question {
    int type; /* enum wp_message */
    const struct wp_out *out;
    int expected, other; /* types of the answer; 0: none */
    const struct wp_limits *limits;
    const _Atomic bool *is_cancelled; /* NULL: never */
    int32_t partition;                /* which it is about; -1: none */
};

/*
 * One request and its answer; WP_FAILED and all that was not expected become errors. When the
 * question comes to be cancelled, the process has a moment to answer and is killed then.
 */
int wp_process_ask(struct wp_process *process, const struct wp_question *question,
                   struct wp_frame *ret_answer, struct weir_error *error);
/* The two halves, for who holds the mutex. */
int wp_process_send(struct wp_process *process, int type, const struct wp_out *out, int fd,
                    struct weir_error *error);
int wp_process_wait(struct wp_process *process, const struct wp_limits *limits,
                    const _Atomic bool *is_cancelled, struct wp_frame *ret_answer,
                    struct weir_error *error);

/* The runtime whose code runs in such processes (workers.c). */
struct wp_workers_options {
    int64_t n_workers;
    struct wp_limits limits;
    const char *python; /* as wp_python_program takes it */
};
int wp_workers_open(const struct wp_definition *definition,
                    const struct wp_workers_options *options, void **ret_table,
                    struct weir_error *error);
extern const struct wp_runtime wp_workers_runtime; /* all but its `open` and `find` */

#endif
