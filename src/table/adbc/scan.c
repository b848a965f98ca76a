/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/reader.h"
#include "table/adbc/snapshot.h"
#include "table/adbc/sqlite.h"

struct scan {
    struct wr_adbc_database *database;
    struct wr_adbc_snapshot *snapshot;       /* of several statements; else NULL */
    struct wr_adbc_descriptors *descriptors; /* of one statement in several partitions; else NULL */
    char **statements;
    size_t n_statements;
    int32_t n_columns;
    char **types; /* SQLite's */
    int32_t n_partitions;
    pthread_mutex_t mutex; /* guards the rest */
    struct wr_adbc_reader **readers;
    bool cancelled;
};

static void free_scan(struct scan *scan) {
    for (int32_t i = 0; scan->readers && i < scan->n_partitions; i++)
        wr_adbc_reader_release(scan->readers[i]);
    for (size_t i = 0; scan->statements && i < scan->n_statements; i++)
        wr_free(scan->statements[i]);
    for (int32_t i = 0; scan->types && i < scan->n_columns; i++)
        wr_free(scan->types[i]);
    wr_free(scan->types);
    wr_free(scan->statements);
    wr_free(scan->readers);
    wr_adbc_snapshot_release(scan->snapshot);
    wr_adbc_descriptors_release(scan->descriptors);
    wr_adbc_database_release(scan->database);
    pthread_mutex_destroy(&scan->mutex);
    wr_free(scan);
}

static int new_reader(const struct scan *scan, int32_t partition,
                      struct wr_adbc_reader **ret_reader, struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .sql = scan->statements[scan->descriptors ? 0 : partition],
        .n_columns = scan->n_columns,
        .types = (const char *const *)scan->types,
        .skip_first_row = scan->types != NULL,
        .descriptors = scan->descriptors,
    };
    if (scan->snapshot) plan.around = wr_adbc_snapshot_around(scan->snapshot);
    int code = wr_adbc_reader_new(scan->database, &plan, ret_reader, error);
    if (code && plan.around.free) plan.around.free(plan.around.context);
    return code;
}

static int open_partition(struct weir_scan *outer, int32_t partition,
                          struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    struct scan *scan = outer->private_data;
    struct wr_adbc_reader *reader = NULL;
    WR_TRY(new_reader(scan, partition, &reader, error));
    pthread_mutex_lock(&scan->mutex);
    scan->readers[partition] = reader;
    bool cancelled = scan->cancelled;
    pthread_mutex_unlock(&scan->mutex);
    if (cancelled) wr_adbc_reader_cancel(reader);
    return wr_adbc_reader_start(reader, ret_rows, error);
}

static void cancel_scan(struct weir_scan *outer) {
    struct scan *scan = outer->private_data;
    pthread_mutex_lock(&scan->mutex);
    scan->cancelled = true;
    if (scan->descriptors) wr_adbc_descriptors_cancel(scan->descriptors);
    for (int32_t i = 0; i < scan->n_partitions; i++) {
        if (scan->readers[i]) wr_adbc_reader_cancel(scan->readers[i]);
    }
    pthread_mutex_unlock(&scan->mutex);
}

static void release_scan(struct weir_scan *outer) {
    free_scan(outer->private_data);
    outer->release = NULL;
}

static int copy_statements(struct scan *scan, const char *const *statements, size_t n_statements,
                           const struct ArrowSchema *schema, struct weir_error *error) {
    bool is_sqlite = scan->database->core->family == WR_ADBC_SQLITE && scan->n_columns > 0;
    scan->statements = wr_calloc(n_statements, sizeof(char *));
    if (!scan->statements) return wr_error_memory(error);
    for (size_t i = 0; i < n_statements; i++) {
        if (is_sqlite) {
            WR_TRY(wr_adbc_sqlite_statement(statements[i], schema, &scan->statements[i], error));
        } else {
            scan->statements[i] = wr_strdup(statements[i]);
        }
        if (!scan->statements[i]) return wr_error_memory(error);
        scan->n_statements = i + 1;
    }
    return is_sqlite ? wr_adbc_sqlite_types(schema, &scan->types, error) : WEIR_OK;
}

/* `n_partitions` are those of one statement, or one for each of them. */
static int fill_scan(struct scan *scan, const char *const *statements, size_t n_statements,
                     int32_t n_partitions, const struct ArrowSchema *schema,
                     struct weir_error *error) {
    WR_TRY(copy_statements(scan, statements, n_statements, schema, error));
    scan->readers = wr_calloc((size_t)n_partitions, sizeof(void *));
    if (!scan->readers) return wr_error_memory(error);
    scan->n_partitions = n_partitions;
    if (n_partitions > (int32_t)n_statements)
        return wr_adbc_descriptors_new(schema, &scan->descriptors, error);
    if (n_statements < 2) return WEIR_OK;
    return wr_adbc_snapshot_new(scan->database, n_partitions, &scan->snapshot, error);
}

static int new_scan(struct wr_adbc_database *database, const char *const *statements,
                    size_t n_statements, int32_t n_partitions, const struct ArrowSchema *schema,
                    struct weir_scan *ret_scan, struct weir_error *error) {
    struct scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    pthread_mutex_init(&scan->mutex, NULL);
    scan->database = wr_adbc_database_retain(database);
    scan->n_columns = (int32_t)schema->n_children;
    int code = fill_scan(scan, statements, n_statements, n_partitions, schema, error);
    if (code) {
        free_scan(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){
        .n_partitions = scan->n_partitions,
        .open = open_partition,
        .cancel = cancel_scan,
        .release = release_scan,
        .private_data = scan,
    };
    return WEIR_OK;
}

int wr_adbc_scan(struct wr_adbc_database *database, const char *const *statements,
                 size_t n_statements, const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                 struct weir_error *error) {
    return new_scan(database, statements, n_statements, (int32_t)n_statements, schema, ret_scan,
                    error);
}

int wr_adbc_scan_parts(struct wr_adbc_database *database, const char *statement, int32_t n_parts,
                       const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                       struct weir_error *error) {
    return new_scan(database, &statement, 1, n_parts, schema, ret_scan, error);
}
