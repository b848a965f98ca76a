/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/loader.h"

extern char **environ;

enum {
    CHILD_SOCKET = 3,
    SLICE_MS = 20,  /* how late a cancel is seen */
    GRACE_MS = 500, /* what a cancelled request has to end by itself */
    NICENESS = 10   /* above weir's own: many that start at once must not keep it from answering */
};

/* ---- Starting ---- */

/* What the new process runs: the host's module, out of its file, and in it the loop. */
static const char boot[] =
    "import os, sys, importlib.util, importlib.machinery as m\n"
    "sys.path[:] = [p for p in sys.path if p] + [os.getcwd()]\n"
    "if sys.version_info < (3, 10):\n"
    "    sys.exit('weir: worker processes need Python 3.10 or later; %s is older' % "
    "sys.executable)\n"
    "path, directory, memory = sys.argv[1:4]\n"
    "if int(memory):\n"
    "    import resource\n"
    "    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))\n"
    "loader = m.ExtensionFileLoader('_weir_native', path)\n"
    "spec = importlib.util.spec_from_file_location('_weir_native', path, loader=loader)\n"
    "module = importlib.util.module_from_spec(spec)\n"
    "loader.exec_module(module)\n"
    "sys.modules['_weir_native'] = module\n"
    "sys.argv = ['']\n"
    "module.serve(3, directory)\n";

static int spawn(const char *program, char *const *arguments, int socket, pid_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, CHILD_SOCKET);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, 2, 1); /* what user code prints is no result */
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETPGROUP);
    int number = posix_spawnp(ret_pid, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number;
}

struct spawning {
    const char *program;
    char *const *arguments;
    int socket, number;
    pid_t pid;
};

static void *spawn_low(void *context) {
    struct spawning *spawning = context;
    /* Of this thread, and of what it starts, from the first instruction on. */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICENESS);
    spawning->number =
        spawn(spawning->program, spawning->arguments, spawning->socket, &spawning->pid);
    return NULL;
}

/* By a thread of its own, since none may lower its niceness again, and one process at a time. */
static int spawn_nicely(const char *program, char *const *arguments, int socket, pid_t *ret_pid) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct spawning spawning = {.program = program, .arguments = arguments, .socket = socket};
    pthread_t thread;
    pthread_mutex_lock(&mutex);
    int number = pthread_create(&thread, NULL, spawn_low, &spawning);
    if (number == 0) {
        pthread_join(thread, NULL);
        number = spawning.number;
    }
    pthread_mutex_unlock(&mutex);
    *ret_pid = spawning.pid;
    return number;
}

static int start(const char *program, const struct wp_limits *limits, struct wp_process *process,
                 struct weir_error *error) {
    int ends[2];
    char *host = wp_text("%s/weir_python_host.so", wp_directory());
    char memory[32];
    snprintf(memory, sizeof memory, "%lld", (long long)limits->memory);
    char *const arguments[] = {(char *)program,        "-c",   (char *)boot, host,
                               (char *)wp_directory(), memory, NULL};
    int code = WEIR_OK;
    if (!host) {
        code = wp_error_memory(error);
    } else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        code = wp_error(error, WEIR_IO, "58030", "socketpair: %s", strerror(errno));
    } else {
        int number = spawn_nicely(program, arguments, ends[1], &process->pid);
        close(ends[1]);
        if (number) {
            close(ends[0]);
            code = wp_error(error, WEIR_NOT_FOUND, "58P01",
                            "no Python: '%s' cannot be run (%s); name one with the extension's "
                            "option `python`, with WEIR_PYTHON, or put python3 on PATH",
                            program, strerror(number));
        } else {
            process->socket = ends[0];
        }
    }
    free(host);
    return code;
}

int wp_process_start(const char *program, const struct wp_limits *limits,
                     struct wp_process **ret_process, struct weir_error *error) {
    struct wp_process *process = calloc(1, sizeof *process);
    if (!process) return wp_error_memory(error);
    int code = start(program, limits, process, error);
    if (code) {
        free(process);
        return code;
    }
    pthread_mutex_init(&process->mutex, NULL);
    process->partition = -1;
    *ret_process = process;
    return WEIR_OK;
}

/* ---- The end ---- */

static char *status_text(int status) {
    if (WIFSIGNALED(status))
        return wp_text("the worker process ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    return wp_text("the worker process ended with status %d", WEXITSTATUS(status));
}

/* `why` NULL: what waitpid says, after it had a moment to end by itself. */
static void finish(struct wp_process *process, const char *why) {
    if (atomic_exchange(&process->is_dead, true)) return;
    pid_t ended = 0;
    for (int waited = 0; !why && ended == 0 && waited < 200; waited++) {
        ended = waitpid(process->pid, &process->status, WNOHANG);
        if (ended == 0) usleep(1000);
    }
    kill(-process->pid, SIGKILL);
    while (ended == 0) {
        ended = waitpid(process->pid, &process->status, 0);
        if (ended < 0 && errno == EINTR) ended = 0;
    }
    close(process->socket);
    char *text = why ? strdup(why) : status_text(process->status);
    if (text && process->partition >= 0) {
        process->end = wp_text("partition %d: %s", process->partition, text);
        free(text);
    } else {
        process->end = text;
    }
}

void wp_process_free(struct wp_process *process) {
    if (!process) return;
    finish(process, "the worker process was not needed any more");
    pthread_mutex_destroy(&process->mutex);
    free(process->end);
    free(process);
}

static int is_gone(struct wp_process *process, struct weir_error *error) {
    return wp_error(error, WEIR_IO, "38000", "%s", process->end ? process->end : "out of memory");
}

/* ---- Requests ---- */

int wp_process_send(struct wp_process *process, int type, const struct wp_out *out, int fd,
                    struct weir_error *error) {
    if (process->is_dead) return is_gone(process, error);
    int number = wp_send(process->socket, type, out, fd);
    if (number == ENOMEM) return wp_error_memory(error);
    if (number == 0) return WEIR_OK;
    finish(process, NULL);
    return is_gone(process, error);
}

static int ends_by_time(struct wp_process *process, const struct wp_limits *limits,
                        struct weir_error *error) {
    char why[160];
    snprintf(
        why, sizeof why,
        "the worker process did not answer within %.3g seconds (worker_timeout) and was killed",
        (double)limits->timeout_ms / 1000);
    finish(process, why);
    is_gone(process, error);
    if (error) error->code = WEIR_TIMEOUT;
    return WEIR_TIMEOUT;
}

static int ends_by_cancel(struct wp_process *process, struct weir_error *error) {
    finish(process, "the worker process was killed, since its query was cancelled");
    return wp_error(error, WEIR_CANCELLED, "57014", "cancelled");
}

/* Until there is something to read, or the end. `is_left`: nobody waits for the slot any more. */
static int wait_until(struct wp_process *process, const struct wp_limits *limits,
                      const _Atomic bool *is_cancelled, const _Atomic bool *is_left,
                      struct weir_error *error) {
    int64_t start_ms = wp_now_ns() / 1000000, cancelled_ms = 0;
    for (;;) {
        struct pollfd ready = {.fd = process->socket, .events = POLLIN};
        int n = poll(&ready, 1, SLICE_MS);
        if (n > 0) return WEIR_OK;
        int64_t now_ms = wp_now_ns() / 1000000;
        if (limits->timeout_ms > 0 && now_ms - start_ms >= limits->timeout_ms)
            return ends_by_time(process, limits, error);
        if (!atomic_load(is_left) && !(is_cancelled && atomic_load(is_cancelled))) continue;
        if (!cancelled_ms) cancelled_ms = now_ms;
        if (now_ms - cancelled_ms >= GRACE_MS) return ends_by_cancel(process, error);
    }
}

static void set(void *flag) {
    atomic_store((_Atomic bool *)flag, true);
}

static int wait_for_answer(struct wp_process *process, const struct wp_limits *limits,
                           const _Atomic bool *is_cancelled, struct weir_error *error) {
    _Atomic bool is_left = false;
    struct weir_watch watch;
    wp_watch(&watch, set, (void *)&is_left);
    int code = wait_until(process, limits, is_cancelled, &is_left, error);
    wp_unwatch(&watch);
    return code;
}

int wp_process_wait(struct wp_process *process, const struct wp_limits *limits,
                    const _Atomic bool *is_cancelled, struct wp_frame *ret_answer,
                    struct weir_error *error) {
    WP_TRY(wait_for_answer(process, limits, is_cancelled, error));
    struct wp_frame frame;
    int number = wp_receive(process->socket, &frame);
    if (number) {
        finish(process, number == EBADMSG ? "the worker process wrote what is no answer" : NULL);
        return is_gone(process, error);
    }
    if (frame.type != WP_FAILED) {
        *ret_answer = frame;
        return WEIR_OK;
    }
    struct weir_error failure = {.code = WEIR_UNKNOWN, .message = "a failure without a message"};
    if (frame.bytes.length == sizeof failure) memcpy(&failure, frame.bytes.data, sizeof failure);
    wp_frame_reset(&frame);
    failure.message[sizeof failure.message - 1] = failure.sqlstate[5] = '\0';
    if (failure.code <= 0 || failure.code > WEIR_UNAUTHORIZED) failure.code = WEIR_UNKNOWN;
    if (error) *error = failure;
    return failure.code;
}

int wp_process_ask(struct wp_process *process, const struct wp_question *question,
                   struct wp_frame *ret_answer, struct weir_error *error) {
    struct wp_frame answer = {.fd = -1};
    const _Atomic bool *is_cancelled = question->is_cancelled;
    pthread_mutex_lock(&process->mutex);
    if (!process->is_dead) process->partition = question->partition;
    int code = is_cancelled && atomic_load(is_cancelled)
                   ? wp_error(error, WEIR_CANCELLED, "57014", "cancelled")
                   : wp_process_send(process, question->type, question->out, -1, error);
    if (code == WEIR_OK)
        code = wp_process_wait(process, question->limits, is_cancelled, &answer, error);
    if (code == WEIR_OK && answer.type != question->expected && answer.type != question->other) {
        wp_frame_reset(&answer);
        finish(process, "the worker process answered what was not asked");
        code = is_gone(process, error);
    }
    pthread_mutex_unlock(&process->mutex);
    if (code == WEIR_OK) *ret_answer = answer;
    return code;
}
