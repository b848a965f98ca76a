/* SPDX-License-Identifier: Apache-2.0 */
/* The kind "python", and one for each data source that is registered by a name. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "loader/loader.h"
#include "loader/process.h"

struct named_kind {
    struct weir_table_kind kind;
    struct named_kind *next;
    char name[];
};

/* What a workspace has of the extension. */
struct wp_workspace {
    pthread_mutex_t mutex;
    struct named_kind *kinds; /* that the finder gave */
};

/* The interpreter's program, for the whole process: the first workspace that says one decides. */
static char *python_program;

struct table {
    const struct wp_runtime *runtime;
    void *inner;
};

/* ---- Options ---- */

/* What the host takes for itself; all other options are the source's. */
#define COMMON_OPTIONS                                                                             \
    {"python_path", WEIR_OPTION_TEXT, 0, "directories to import from, separated by ':'"},          \
        {"workers", WEIR_OPTION_INTEGER, 0, "processes for each scan; 0: none, threads"},          \
        {"worker_memory", WEIR_OPTION_TEXT, 0, "limit of each process: 512MiB; 0: none"},          \
        {"worker_timeout", WEIR_OPTION_TEXT, 0, "limit of each answer: 30s; 0: none"},             \
        {"", WEIR_OPTION_PREFIX, 0, "any other: the source's own, as it spells it"}

static const struct weir_option_spec class_options[] = {
    {"python_module", WEIR_OPTION_TEXT, 1, "the module that has the class"},
    {"python_class", WEIR_OPTION_TEXT, 1, "the class: a source of three methods, or PySpark's"},
    COMMON_OPTIONS,
};

static const struct weir_option_spec named_options[] = {COMMON_OPTIONS};

struct own {
    const char *module, *class_name, *path, *workers, *memory, *timeout;
};

static bool take_own(const struct weir_option *option, bool has_class, struct own *own) {
    const char **slot = NULL;
    if (strcasecmp(option->key, "python_path") == 0) slot = &own->path;
    if (strcasecmp(option->key, "workers") == 0) slot = &own->workers;
    if (strcasecmp(option->key, "worker_memory") == 0) slot = &own->memory;
    if (strcasecmp(option->key, "worker_timeout") == 0) slot = &own->timeout;
    if (has_class && strcasecmp(option->key, "python_module") == 0) slot = &own->module;
    if (has_class && strcasecmp(option->key, "python_class") == 0) slot = &own->class_name;
    if (slot) *slot = option->value;
    return slot;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A number and one of these units; without text 0. */
static int read_amount(const char *key, const char *text, const struct unit *units,
                       const char *wanted, int64_t *ret_amount, struct weir_error *error) {
    char *end;
    errno = 0;
    long long number = text ? strtoll(text, &end, 10) : 0;
    if (!text) {
        *ret_amount = 0;
        return WEIR_OK;
    }
    for (const struct unit *unit = units; errno == 0 && end > text && unit->name; unit++) {
        if (strcmp(end, unit->name) != 0 || number < 0 || number > INT64_MAX / unit->factor)
            continue;
        *ret_amount = number * unit->factor;
        return WEIR_OK;
    }
    return wp_error(error, WEIR_INVALID_ARGUMENT, "22023", "option \"%s\" must be %s, not '%s'",
                    key, wanted, text);
}

static int read_workers(const struct own *own, struct wp_workers_options *ret_options,
                        struct weir_error *error) {
    static const struct unit counts[] = {{"", 1}, {NULL, 0}};
    static const struct unit sizes[] = {{"", 1},
                                        {"KiB", INT64_C(1) << 10},
                                        {"MiB", INT64_C(1) << 20},
                                        {"GiB", INT64_C(1) << 30},
                                        {"KB", 1000},
                                        {"MB", 1000000},
                                        {"GB", 1000000000},
                                        {NULL, 0}};
    static const struct unit times[] = {
        {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {NULL, 0}};
    struct wp_workers_options options = {.python = python_program};
    WP_TRY(
        read_amount("workers", own->workers, counts, "a whole number", &options.n_workers, error));
    WP_TRY(read_amount("worker_memory", own->memory, sizes, "a size like 512MiB",
                       &options.limits.memory, error));
    WP_TRY(read_amount("worker_timeout", own->timeout, times, "a time like 30s",
                       &options.limits.timeout_ms, error));
    if (options.n_workers > 1024)
        return wp_error(error, WEIR_INVALID_ARGUMENT, "22023",
                        "option \"workers\" must be at most 1024");
    if (options.n_workers == 0 && (own->memory || own->timeout))
        return wp_error(error, WEIR_INVALID_ARGUMENT, "22023",
                        "the options worker_memory and worker_timeout need workers");
    *ret_options = options;
    return WEIR_OK;
}

/* ---- Slots ---- */

/* In threads of this process, or in processes of its own. */
static int open_inner(const struct wp_definition *definition, const struct own *own,
                      struct table *table, struct weir_error *error) {
    struct wp_workers_options workers;
    int code = read_workers(own, &workers, error);
    if (code == WEIR_OK && workers.n_workers > 0) {
        table->runtime = &wp_workers_runtime;
        return wp_workers_open(definition, &workers, &table->inner, error);
    }
    if (code == WEIR_OK) code = wp_interpreter(python_program, &table->runtime, error);
    if (code) return wp_error_prefix(error, definition->table);
    return table->runtime->open(definition, &table->inner, error);
}

static int table_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    struct table *table = calloc(1, sizeof *table);
    struct weir_option *options = calloc(definition->n_options + 1, sizeof *options);
    char *name = wp_text("table \"%s\" (kind %s)", definition->name, definition->kind);
    struct own own = {0};
    struct wp_definition inner = {.table = name,
                                  .kind = definition->kind,
                                  .options = options,
                                  .columns = definition->columns};
    bool has_class = strcmp(definition->kind, "python") == 0;
    int code = table && options && name ? WEIR_OK : wp_error_memory(error);
    for (size_t i = 0; i < definition->n_options && code == WEIR_OK; i++) {
        if (!take_own(&definition->options[i], has_class, &own))
            options[inner.n_options++] = definition->options[i];
    }
    inner.module = own.module;
    inner.class_name = own.class_name;
    inner.path = own.path;
    if (code == WEIR_OK) code = open_inner(&inner, &own, table, error);
    if (code == WEIR_OK)
        *ret_table = table;
    else
        free(table);
    free(name);
    free(options);
    return code;
}

static void table_close(void *instance) {
    struct table *table = instance;
    table->runtime->close(table->inner);
    free(table);
}

static void form_release(struct weir_form *form) {
    wp_release_schema(&form->schema);
    form->release = NULL;
}

static int table_form(void *instance, struct weir_form *ret_form, struct weir_error *error) {
    struct table *table = instance;
    struct ArrowSchema schema;
    WP_TRY(table->runtime->schema(table->inner, &schema, error));
    *ret_form =
        (struct weir_form){.type = WEIR_FORM_STREAM, .schema = schema, .release = form_release};
    return WEIR_OK;
}

static void statistics_release(struct weir_statistics *statistics) {
    statistics->release = NULL;
}

static int table_statistics(void *instance, struct weir_statistics *ret_statistics,
                            struct weir_error *error) {
    struct table *table = instance;
    struct wp_known known;
    WP_TRY(table->runtime->statistics(table->inner, &known, error));
    *ret_statistics = (struct weir_statistics){.size = sizeof *ret_statistics,
                                               .n_rows = known.n_rows,
                                               .n_bytes = known.n_bytes,
                                               .exact = known.exact,
                                               .release = statistics_release};
    return WEIR_OK;
}

static int table_classify(void *instance, const struct weir_filter *filters, size_t n_filters,
                          int32_t *ret_support, struct weir_error *error) {
    struct table *table = instance;
    return table->runtime->classify(table->inner, filters, n_filters, ret_support, error);
}

static int table_scan(void *instance, const struct weir_scan_request *request,
                      struct weir_scan *ret_scan, struct weir_error *error) {
    struct table *table = instance;
    return table->runtime->scan(table->inner, request, NULL, ret_scan, error);
}

static int table_insert(void *instance, int mode, struct ArrowArrayStream *rows,
                        int64_t *ret_n_rows, struct weir_error *error) {
    struct table *table = instance;
    return table->runtime->insert(table->inner, mode, rows, ret_n_rows, error);
}

static void table_metrics(void *instance, struct weir_scan *scan, int32_t partition,
                          weir_figure_fn take, void *sink) {
    struct table *table = instance;
    table->runtime->metrics(table->inner, scan, partition, take, sink);
}

static void table_hold(void *instance, struct weir_scan *scan, int32_t partition, int is_held) {
    struct table *table = instance;
    if (table->runtime->hold) table->runtime->hold(table->inner, scan, partition, is_held);
}

#define SLOTS                                                                                      \
    .open = table_open, .close = table_close, .form = table_form, .statistics = table_statistics,  \
    .classify = table_classify, .scan = table_scan, .insert = table_insert,                        \
    .metrics = table_metrics, .hold = table_hold

static const struct weir_table_kind python_kind = {
    .size = sizeof python_kind,
    .name = "python",
    .summary = "rows of a Python class",
    .options = class_options,
    .n_options = sizeof class_options / sizeof *class_options,
    SLOTS,
};

/* ---- Kinds by name ---- */

static int add_kind(struct wp_workspace *workspace, const char *name,
                    const struct weir_table_kind **ret_kind, struct weir_error *error) {
    struct named_kind *added = calloc(1, sizeof *added + strlen(name) + 1);
    if (!added) return wp_error_memory(error);
    memcpy(added->name, name, strlen(name) + 1);
    added->kind = (struct weir_table_kind){
        .size = sizeof added->kind,
        .name = added->name,
        .summary = "rows of a registered Python data source",
        .options = named_options,
        .n_options = sizeof named_options / sizeof *named_options,
        SLOTS,
    };
    pthread_mutex_lock(&workspace->mutex);
    added->next = workspace->kinds;
    workspace->kinds = added;
    pthread_mutex_unlock(&workspace->mutex);
    *ret_kind = &added->kind;
    return WEIR_OK;
}

static int find_kind(void *finder, const char *name, const struct weir_table_kind **ret_kind,
                     struct weir_error *error) {
    const struct wp_runtime *runtime;
    /* Without a Python there is no source of any name. */
    if (wp_interpreter(python_program, &runtime, NULL))
        return wp_error(error, WEIR_NOT_FOUND, "42704", "there is no Python");
    WP_TRY(runtime->find(name, error));
    return add_kind(finder, name, ret_kind, error);
}

void wp_workspace_close(void *closed) {
    struct wp_workspace *workspace = closed;
    while (workspace->kinds) {
        struct named_kind *kind = workspace->kinds;
        workspace->kinds = kind->next;
        free(kind);
    }
    pthread_mutex_destroy(&workspace->mutex);
    free(workspace);
}

int wp_kinds_register(const struct weir_host *host, const char *python,
                      struct wp_workspace **ret_workspace, struct weir_error *error) {
    struct wp_workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace) return wp_error_memory(error);
    pthread_mutex_init(&workspace->mutex, NULL);
    if (python && !python_program) python_program = strdup(python);
    if (WEIR_HOST_HAS(host, unwatch))
        wp_watches = (struct wp_watches){.watch = host->watch, .unwatch = host->unwatch};
    int code = host->register_kind(host->context, &python_kind, error);
    if (code == WEIR_OK) code = host->register_finder(host->context, find_kind, workspace, error);
    if (code)
        wp_workspace_close(workspace);
    else
        *ret_workspace = workspace;
    return code;
}
