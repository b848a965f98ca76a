/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/reader.h"
#include "table/adbc/snapshot.h"
#include "table/adbc/sqlite.h"

struct scan {
    struct wr_adbc_database *database;
    struct wr_adbc_snapshot *snapshot; /* of several statements; else NULL */
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
    wr_adbc_database_release(scan->database);
    pthread_mutex_destroy(&scan->mutex);
    wr_free(scan);
}

static int new_reader(const struct scan *scan, int32_t partition,
                      struct wr_adbc_reader **ret_reader, struct weir_error *error) {
    struct wr_adbc_plan plan = {
        .sql = scan->statements[partition],
        .n_columns = scan->n_columns,
        .types = (const char *const *)scan->types,
        .skip_first_row = scan->types != NULL,
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
    for (int32_t i = 0; i < scan->n_partitions; i++) {
        if (scan->readers[i]) wr_adbc_reader_cancel(scan->readers[i]);
    }
    pthread_mutex_unlock(&scan->mutex);
}

static void release_scan(struct weir_scan *outer) {
    free_scan(outer->private_data);
    outer->release = NULL;
}

static int fill_scan(struct scan *scan, const char *const *statements, size_t n_statements,
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
    if (is_sqlite) WR_TRY(wr_adbc_sqlite_types(schema, &scan->types, error));
    scan->readers = wr_calloc(n_statements, sizeof(void *));
    if (!scan->readers) return wr_error_memory(error);
    scan->n_partitions = (int32_t)n_statements;
    if (n_statements < 2) return WEIR_OK;
    return wr_adbc_snapshot_new(scan->database, scan->n_partitions, &scan->snapshot, error);
}

int wr_adbc_scan(struct wr_adbc_database *database, const char *const *statements,
                 size_t n_statements, const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                 struct weir_error *error) {
    struct scan *scan = wr_calloc(1, sizeof *scan);
    if (!scan) return wr_error_memory(error);
    pthread_mutex_init(&scan->mutex, NULL);
    scan->database = wr_adbc_database_retain(database);
    scan->n_columns = (int32_t)schema->n_children;
    int code = fill_scan(scan, statements, n_statements, schema, error);
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
