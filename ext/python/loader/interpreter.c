/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "loader/loader.h"

extern char **environ;

const char *wp_directory(void) {
    static char directory[4096];
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    Dl_info info;
    if (!directory[0] && dladdr((void *)wp_directory, &info) && info.dli_fname) {
        char *path = realpath(info.dli_fname, NULL);
        char *slash = path ? strrchr(path, '/') : NULL;
        if (slash && (size_t)(slash - path) < sizeof directory)
            memcpy(directory, path, (size_t)(slash - path));
        free(path);
    }
    pthread_mutex_unlock(&mutex);
    return directory;
}

/* ---- Which Python ---- */

static bool is_set(const char *text) {
    return text && *text;
}

static void *symbol(const char *name) {
    return dlsym(RTLD_DEFAULT, name);
}

static bool is_running(void) {
    int (*ask)(void) = (int (*)(void))symbol("Py_IsInitialized");
    return ask && ask();
}

/* Of the interpreter in whose process this is; NULL: there is none. */
static char *own_program(void) {
    const wchar_t *(*ask)(void) = (const wchar_t *(*)(void))symbol("Py_GetProgramFullPath");
    const wchar_t *wide = is_running() && ask ? ask() : NULL;
    char path[4096];
    size_t length = wide ? wcstombs(path, wide, sizeof path) : 0;
    return length > 0 && length < sizeof path ? strdup(path) : NULL;
}

char *wp_python_program(const char *python) {
    const char *environment;
    char *own = own_program();
    if (own) return own;
    if (is_set(python)) return strdup(python);
    if (is_set(environment = getenv("WEIR_PYTHON"))) return strdup(environment);
    if (is_set(environment = getenv("VIRTUAL_ENV"))) return wp_text("%s/bin/python", environment);
    return strdup("python3");
}

/* What a Python tells of itself: lines of text. */
static int ask_python(const char *program, const char *script, char *answer, size_t size,
                      struct weir_error *error) {
    char *const arguments[] = {(char *)program, "-c", (char *)script, NULL};
    int ends[2], status = 0, number;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC))
        return wp_error(error, WEIR_IO, "58030", "pipe: %s", strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    number = posix_spawnp(&pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (number) {
        close(ends[0]);
        return wp_error(error, WEIR_NOT_FOUND, "58P01",
                        "no Python: '%s' cannot be run (%s); name one with the option `python`, "
                        "with WEIR_PYTHON, or put python3 on PATH",
                        program, strerror(number));
    }
    size_t length = 0;
    ssize_t n;
    while (length + 1 < size) {
        n = read(ends[0], answer + length, size - 1 - length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        length += (size_t)n;
    }
    answer[length] = '\0';
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return wp_error(error, WEIR_NOT_FOUND, "58P01",
                        "'%s' is no usable Python: it ended with status %d", program,
                        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return WEIR_OK;
}

/* Version, sys.executable, and where its shared library is: empty when it has none. */
static const char script[] =
    "import os, sys, sysconfig\n"
    "v = sysconfig.get_config_var\n"
    "names = [n for n in (v('INSTSONAME'), v('LDLIBRARY')) if n and '.so' in n]\n"
    "places = [v('LIBDIR'), v('LIBPL'), os.path.join(sys.base_prefix, 'lib')]\n"
    "if v('MULTIARCH'): places.insert(1, os.path.join(sys.base_prefix, 'lib', v('MULTIARCH')))\n"
    "found = [p for n in names for d in places if d for p in [os.path.join(d, n)] "
    "if os.path.exists(p)]\n"
    "print('%d.%d' % sys.version_info[:2], sys.executable, found[0] if found else '', '', "
    "sep='\\n', end='')\n";

struct answer {
    char text[8192];
    char *version, *executable, *library;
};

static int read_answer(const char *program, struct answer *answer, struct weir_error *error) {
    WP_TRY(ask_python(program, script, answer->text, sizeof answer->text, error));
    char **lines[] = {&answer->version, &answer->executable, &answer->library};
    char *at = answer->text;
    for (size_t i = 0; i < 3; i++) {
        char *end = strchr(at, '\n');
        if (!end)
            return wp_error(error, WEIR_NOT_FOUND, "58P01",
                            "'%s' is no usable Python: it did not say what it is", program);
        *lines[i] = at;
        *end = '\0';
        at = end + 1;
    }
    int major = 0, minor = 0;
    if (sscanf(answer->version, "%d.%d", &major, &minor) != 2 || major != 3 || minor < 10)
        return wp_error(error, WEIR_NOT_IMPLEMENTED, "0A000",
                        "'%s' is Python %s; 3.10 or later is needed", program, answer->version);
    if (!answer->library[0])
        return wp_error(error, WEIR_NOT_FOUND, "58P01",
                        "'%s' (Python %s) was built without a shared library, libpython%s.so, so "
                        "that it cannot run inside weir; name another with the option `python` or "
                        "with WEIR_PYTHON, or give the table the option workers, whose processes "
                        "need none",
                        answer->executable, answer->version, answer->version);
    return WEIR_OK;
}

/* ---- Starting it ---- */

/* Python 3.14 and later: the interface that replaces the names below. */
static int start_new(const char *executable, struct weir_error *error) {
    void *(*create)(void) = (void *(*)(void))symbol("PyInitConfig_Create");
    void (*free_config)(void *) = (void (*)(void *))symbol("PyInitConfig_Free");
    int (*set_text)(void *, const char *, const char *) =
        (int (*)(void *, const char *, const char *))symbol("PyInitConfig_SetStr");
    int (*set_number)(void *, const char *, int64_t) =
        (int (*)(void *, const char *, int64_t))symbol("PyInitConfig_SetInt");
    int (*initialize)(void *) = (int (*)(void *))symbol("Py_InitializeFromInitConfig");
    int (*get_error)(void *, const char **) =
        (int (*)(void *, const char **))symbol("PyInitConfig_GetError");
    void *config = create();
    const char *text = NULL;
    if (!config) return wp_error_memory(error);
    int code = WEIR_OK;
    if (set_text(config, "program_name", executable) || set_number(config, "isolated", 0) ||
        set_number(config, "use_environment", 1) || set_number(config, "user_site_directory", 1) ||
        set_number(config, "install_signal_handlers", 0) || initialize(config)) {
        get_error(config, &text);
        code = wp_error(error, WEIR_INTERNAL, "XX000", "Python did not start: %s",
                        text ? text : executable);
    }
    free_config(config);
    return code;
}

static int start_old(const char *executable, struct weir_error *error) {
    void (*set_name)(const wchar_t *) = (void (*)(const wchar_t *))symbol("Py_SetProgramName");
    void (*initialize)(int) = (void (*)(int))symbol("Py_InitializeEx");
    static wchar_t name[4096]; /* must stay */
    if (!set_name || !initialize || mbstowcs(name, executable, 4096) >= 4096)
        return wp_error(error, WEIR_INTERNAL, "XX000", "'%s' cannot be started in this process",
                        executable);
    set_name(name);
    initialize(0); /* signals stay weir's */
    return WEIR_OK;
}

/* The library of a Python program, initialized in this process, and left without the GIL. */
static int start_python(const char *program, struct weir_error *error) {
    struct answer answer;
    WP_TRY(read_answer(program, &answer, error));
    /* Global: Python's own modules find its symbols there. */
    if (!dlopen(answer.library, RTLD_NOW | RTLD_GLOBAL))
        return wp_error(error, WEIR_NOT_FOUND, "58P01", "%s cannot be loaded: %s", answer.library,
                        dlerror());
    WP_TRY(symbol("PyInitConfig_Create") ? start_new(answer.executable, error)
                                         : start_old(answer.executable, error));
    void *(*save)(void) = (void *(*)(void))symbol("PyEval_SaveThread");
    save();
    return WEIR_OK;
}

/* ---- The host's other half ---- */

static int load_host(bool is_embedded, const struct wp_runtime **ret_runtime,
                     struct weir_error *error) {
    char *path = wp_text("%s/weir_python_host.so", wp_directory());
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    wp_host_init_fn init = library ? (wp_host_init_fn)dlsym(library, WP_HOST_INIT) : NULL;
    int code;
    if (init)
        code = init(wp_directory(), is_embedded, &wp_watches, ret_runtime, error);
    else
        code = wp_error(error, WEIR_NOT_FOUND, "58P01", "weir's Python host cannot be loaded: %s",
                        path ? dlerror() : "out of memory");
    free(path);
    return code;
}

int wp_interpreter(const char *python, const struct wp_runtime **ret_runtime,
                   struct weir_error *error) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static const struct wp_runtime *_Atomic known;
    static bool is_ours;
    if (known) {
        *ret_runtime = known;
        return WEIR_OK;
    }
    pthread_mutex_lock(&mutex);
    const struct wp_runtime *runtime = known;
    int code = WEIR_OK;
    if (!runtime && !is_running()) {
        char *program = wp_python_program(python);
        code = program ? start_python(program, error) : wp_error_memory(error);
        is_ours = code == WEIR_OK;
        free(program);
    }
    if (!runtime && code == WEIR_OK) code = load_host(is_ours, &runtime, error);
    if (code == WEIR_OK) {
        known = runtime;
        *ret_runtime = runtime;
    }
    pthread_mutex_unlock(&mutex);
    return code;
}
