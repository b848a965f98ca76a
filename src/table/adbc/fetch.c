/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "table/adbc/reader.h"

static const struct wr_adbc_driver *driver_of(const struct wr_adbc_fetch *fetch) {
    return fetch->database->core->driver;
}

/* ---- Statements ---- */

enum { SQLITE_BATCH_ROWS = 8192 };
#define SQLITE_BATCH_TEXT "8192"

static void close_statement(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch) {
    struct AdbcStatement *statement = wr_adbc_reader_statement(reader);
    wr_adbc_reader_hide(reader);
    wr_arrow_release_stream(&fetch->rows);
    if (!statement->private_data) return;
    struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
    WR_ADBC_CALL(driver_of(fetch), StatementRelease, statement, &reason);
    if (reason.release) reason.release(&reason);
    statement->private_data = NULL;
}

/* What makes batches larger than the driver's own, where that is too small. */
static void set_batch_size(struct wr_adbc_fetch *fetch, struct AdbcStatement *statement) {
    if (fetch->database->core->family != WR_ADBC_SQLITE) return;
    struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
    WR_ADBC_CALL(driver_of(fetch), StatementSetOption, statement, "adbc.sqlite.query.batch_rows",
                 SQLITE_BATCH_TEXT, &reason);
    if (reason.release) reason.release(&reason);
}

/* DuckDB answers a change with a row that has its count. */
static bool counts_by_row(const struct wr_adbc_fetch *fetch) {
    return fetch->database->core->family == WR_ADBC_DUCKDB;
}

/* The statement that runs, shown to whoever cancels. */
static AdbcStatusCode open_statement(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                                     struct AdbcError *reason) {
    const struct wr_adbc_driver *driver = driver_of(fetch);
    struct AdbcStatement *statement = wr_adbc_reader_statement(reader);
    *statement = (struct AdbcStatement){.private_driver = (struct AdbcDriver *)&driver->functions};
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, StatementNew, &fetch->connection->adbc, statement, reason);
    if (status) return status;
    set_batch_size(fetch, statement);
    status = WR_ADBC_CALL(driver, StatementSetSqlQuery, statement, fetch->sql, reason);
    if (!status) wr_adbc_reader_show(reader, statement);
    return status;
}

static AdbcStatusCode execute_sql(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                                  struct AdbcError *reason) {
    AdbcStatusCode status = open_statement(reader, fetch, reason);
    if (status) return status;
    bool changes = fetch->source == WR_ADBC_CHANGE;
    bool gives_rows = !changes || counts_by_row(fetch);
    fetch->n_rows = -1;
    return WR_ADBC_CALL(driver_of(fetch), StatementExecuteQuery, wr_adbc_reader_statement(reader),
                        gives_rows ? &fetch->rows : NULL, changes ? &fetch->n_rows : NULL, reason);
}

/* Of all readers of its partitions this one executes the statement. */
static AdbcStatusCode execute_partitions(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                                         struct AdbcError *reason) {
    struct ArrowSchema schema = {0};
    struct AdbcPartitions partitions = {0};
    int64_t n_rows = -1;
    AdbcStatusCode status = open_statement(reader, fetch, reason);
    if (!status)
        status =
            WR_ADBC_CALL(driver_of(fetch), StatementExecutePartitions,
                         wr_adbc_reader_statement(reader), &schema, &partitions, &n_rows, reason);
    wr_arrow_release_schema(&schema);
    if (!status) wr_adbc_descriptors_set(fetch->descriptors, &partitions);
    return status;
}

static AdbcStatusCode execute(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                              struct AdbcError *reason) {
    struct AdbcConnection *adbc = &fetch->connection->adbc;
    switch (fetch->source) {
    case WR_ADBC_OBJECTS:
        return WR_ADBC_CALL(driver_of(fetch), ConnectionGetObjects, adbc,
                            WR_ADBC_OBJECT_DEPTH_TABLES, fetch->names[0], fetch->names[1],
                            fetch->names[2], NULL, NULL, &fetch->rows, reason);
    case WR_ADBC_STATISTICS:
        return WR_ADBC_CALL(driver_of(fetch), ConnectionGetStatistics, adbc, fetch->names[0],
                            fetch->names[1], fetch->names[2], 1, &fetch->rows, reason);
    default:
        return execute_sql(reader, fetch, reason);
    }
}

/* ---- Schemas ---- */

static int check_columns(const struct wr_adbc_fetch *fetch, const struct ArrowSchema *schema,
                         struct weir_error *error) {
    const char *name = fetch->database->name;
    if (fetch->n_columns >= 0 && schema->n_children != fetch->n_columns) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "database \"%s\": the rows have %lld columns instead of %d", name,
                            (long long)schema->n_children, (int)fetch->n_columns);
    }
    for (int64_t i = 0; fetch->types && i < schema->n_children; i++) {
        if (strcmp(schema->children[i]->format, fetch->types[i]) == 0) continue;
        return wr_error_set(error, WEIR_INVALID_DATA, "22000",
                            "database \"%s\": column %lld of the rows holds values of another sort "
                            "than its type says",
                            name, (long long)i + 1);
    }
    return WEIR_OK;
}

/* MariaDB says NOT NULL of a constant on the far side of an outer join, too. The engine checks the
 * columns that are. */
static void allow_nulls(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++)
        schema->children[i]->flags |= ARROW_FLAG_NULLABLE;
}

static int take_schema(struct wr_adbc_fetch *fetch, struct weir_error *error) {
    struct ArrowSchema schema = {0};
    int errnum = fetch->rows.get_schema(&fetch->rows, &schema);
    if (errnum) {
        return wr_adbc_stream_error(fetch->database->core, fetch->database->name, &fetch->rows,
                                    errnum, error);
    }
    int code = check_columns(fetch, &schema, error);
    if (code) {
        wr_arrow_release_schema(&schema);
    } else {
        if (fetch->database->core->family == WR_ADBC_MYSQL) allow_nulls(&schema);
        fetch->schema = schema;
    }
    return code;
}

/* ---- Rows ---- */

/* The row that only told the driver the types is cut off. */
static bool skip_row(struct wr_adbc_fetch *fetch, struct ArrowArray *array) {
    if (!fetch->skip_now || array->length == 0) return array->length > 0;
    fetch->skip_now = false;
    array->length--;
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *column = array->children[i];
        column->offset++;
        column->length--;
        column->null_count = column->null_count == 0 ? 0 : -1;
    }
    return array->length > 0;
}

/* The next batch of what is open. */
static int pull_batch(struct wr_adbc_fetch *fetch, struct ArrowArray *ret_array,
                      struct weir_error *error) {
    for (;;) {
        struct ArrowArray array = {0};
        int errnum = fetch->rows.get_next(&fetch->rows, &array);
        if (errnum) {
            fetch->usable = false;
            return wr_adbc_stream_error(fetch->database->core, fetch->database->name, &fetch->rows,
                                        errnum, error);
        }
        int code = WEIR_OK;
        bool found = !array.release || skip_row(fetch, &array);
        if (array.release && found)
            code = wr_adbc_check_texts(fetch->database, &fetch->schema, &array, error);
        if (found && !code) {
            *ret_array = array;
            return WEIR_OK;
        }
        array.release(&array);
        if (code) return code;
    }
}

/* ---- Partitions ---- */

/* The one that was taken before, or another one. */
static bool has_partition(struct wr_adbc_fetch *fetch) {
    return fetch->part.number || wr_adbc_descriptors_take(fetch->descriptors, &fetch->part);
}

static int in_partition(const struct wr_adbc_fetch *fetch, int code, struct weir_error *error) {
    if (!code || !fetch->part.number) return code;
    return wr_error_prefix(error, code, "partition %zu of %zu", fetch->part.number, fetch->part.n);
}

static int open_partition(struct wr_adbc_fetch *fetch, struct weir_error *error) {
    struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
    AdbcStatusCode status =
        WR_ADBC_CALL(driver_of(fetch), ConnectionReadPartition, &fetch->connection->adbc,
                     fetch->part.bytes, fetch->part.length, &fetch->rows, &reason);
    if (status) {
        return wr_adbc_error(fetch->database->core, fetch->database->name, status, &reason,
                             "read partition", error);
    }
    if (reason.release) reason.release(&reason);
    struct ArrowSchema before = fetch->schema;
    fetch->schema.release = NULL;
    int code = take_schema(fetch, error);
    if (!code && before.release && !wr_arrow_same_types(&before, &fetch->schema)) {
        code = wr_error_set(error, WEIR_INVALID_DATA, "22000",
                            "database \"%s\": its columns are of other types than those before",
                            fetch->database->name);
    }
    wr_arrow_release_schema(&before);
    return code;
}

/* Opens the next partition, if there is one; else `rows` stays empty. */
static int next_partition(struct wr_adbc_fetch *fetch, struct weir_error *error) {
    wr_arrow_release_stream(&fetch->rows);
    fetch->part.number = 0;
    return has_partition(fetch) ? open_partition(fetch, error) : WEIR_OK;
}

/* The next batch. */
static int pull(struct wr_adbc_fetch *fetch, struct ArrowArray *ret_array,
                struct weir_error *error) {
    if (!fetch->descriptors) return pull_batch(fetch, ret_array, error);
    struct ArrowArray array = {0};
    while (fetch->rows.release && !array.release) {
        int code = pull_batch(fetch, &array, error);
        if (!code && !array.release) code = next_partition(fetch, error);
        if (code) return in_partition(fetch, code, error);
    }
    *ret_array = array;
    return WEIR_OK;
}

/* To the end, so that all of the change is done. What gives another row is no change of rows. */
static int read_count(struct wr_adbc_fetch *fetch, struct weir_error *error) {
    WR_TRY(take_schema(fetch, error));
    bool is_count =
        fetch->schema.n_children == 1 && strcmp(fetch->schema.children[0]->format, "l") == 0;
    for (;;) {
        struct ArrowArray array = {0};
        WR_TRY(pull(fetch, &array, error));
        if (!array.release) return WEIR_OK;
        const struct ArrowArray *column = is_count ? array.children[0] : NULL;
        if (column && column->n_buffers == 2 && column->length > 0)
            fetch->n_rows = ((const int64_t *)column->buffers[1])[column->offset];
        array.release(&array);
    }
}

/* Without any partition the rows are none, of the columns that were asked for. */
static int lack_partitions(struct wr_adbc_fetch *fetch, struct weir_error *error) {
    return wr_arrow_copy_schema(wr_adbc_descriptors_schema(fetch->descriptors), &fetch->schema,
                                error);
}

static int run_partitions(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                          struct weir_error *error) {
    if (!has_partition(fetch)) return lack_partitions(fetch, error);
    /* Of the statement's own reader, it and the connection are shown already. */
    if (!wr_adbc_reader_statement(reader)->private_data) wr_adbc_reader_show(reader, NULL);
    return in_partition(fetch, open_partition(fetch, error), error);
}

/* Runs the statement, up to its schema. */
static int run(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
               struct weir_error *error) {
    if (fetch->descriptors && !fetch->makes_descriptors)
        return run_partitions(reader, fetch, error);
    struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
    AdbcStatusCode status = fetch->descriptors ? execute_partitions(reader, fetch, &reason)
                                               : execute(reader, fetch, &reason);
    if (status) {
        return wr_adbc_error(fetch->database->core, fetch->database->name, status, &reason,
                             "execute", error);
    }
    if (reason.release) reason.release(&reason);
    if (fetch->descriptors) {
        fetch->makes_descriptors = false;
        return run_partitions(reader, fetch, error);
    }
    if (fetch->source == WR_ADBC_CHANGE)
        return fetch->rows.release ? read_count(fetch, error) : WEIR_OK;
    fetch->skip_now = fetch->skip_first_row;
    return take_schema(fetch, error);
}

/* ---- The end ---- */

/* Before the caller learns of it, so that its next statement finds the connection. */
static void leave_connection(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch) {
    close_statement(reader, fetch);
    if (!fetch->connection) return;
    bool usable = fetch->usable && !wr_adbc_reader_is_cancelled(reader);
    struct wr_adbc_connection *connection = fetch->connection;
    fetch->connection = NULL;
    if (fetch->around.end && fetch->around.end(fetch->around.context, connection, &usable)) return;
    wr_adbc_give_back(connection, usable);
}

static void let_go(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch) {
    leave_connection(reader, fetch);
    wr_arrow_release_array(&fetch->first);
    wr_arrow_release_array(&fetch->second);
    wr_arrow_release_schema(&fetch->schema);
    fetch->has_first = false;
}

int wr_adbc_fetch_next(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                       struct ArrowArray *ret_array, struct weir_error *error) {
    if (!fetch->connection && !fetch->has_first) return WEIR_OK; /* the end again */
    if (fetch->has_first) {
        fetch->has_first = false;
        wr_arrow_move_array(&fetch->first, ret_array);
    } else if (fetch->second.release) {
        wr_arrow_move_array(&fetch->second, ret_array);
    } else {
        WR_TRY(pull(fetch, ret_array, error));
    }
    wr_adbc_progress(fetch->database->core);
    if (ret_array->release) return WEIR_OK;
    fetch->usable = true;
    leave_connection(reader, fetch);
    return WEIR_OK;
}

/* ---- The start ---- */

/* After what the statement itself is wrong in, the connection is as before. */
static bool is_harmless(const struct weir_error *error) {
    switch (error->code) {
    case WEIR_NOT_FOUND:
    case WEIR_NOT_IMPLEMENTED:
    case WEIR_INVALID_ARGUMENT:
    case WEIR_UNAUTHORIZED:
        return true;
    default:
        return false;
    }
}

/* The least rows of a batch after which another one may come; 0: there is no knowing. */
static int64_t rows_of_full_batch(enum wr_adbc_family family) {
    switch (family) {
    case WR_ADBC_SQLITE:
        return SQLITE_BATCH_ROWS - 1; /* the first row may have been left out */
    case WR_ADBC_POSTGRESQL:
        return 64; /* of 16 MiB, unless rows are very large */
    case WR_ADBC_DUCKDB:
        return 2048; /* its vectors */
    default:
        return 0;
    }
}

/*
 * A short result is at its end: with that fetched now, its reader waits for the thread once only.
 * What comes instead, a batch or a failure, is what the next fetch would have come to.
 */
static int look_for_end(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                        struct weir_error *error) {
    if (fetch->first.length >= rows_of_full_batch(fetch->database->core->family)) return WEIR_OK;
    struct ArrowArray next = {0};
    WR_TRY(pull(fetch, &next, error));
    if (next.release) {
        fetch->second = next;
        return WEIR_OK;
    }
    fetch->usable = true;
    fetch->has_ended = true;
    leave_connection(reader, fetch);
    return WEIR_OK;
}

bool wr_adbc_in_transaction(const struct wr_adbc_fetch *fetch) {
    return fetch->source == WR_ADBC_CHANGE && fetch->database->core->family == WR_ADBC_SQLITE;
}

static AdbcStatusCode set_autocommit(struct wr_adbc_fetch *fetch, const char *value,
                                     struct AdbcError *reason) {
    return WR_ADBC_CALL(driver_of(fetch), ConnectionSetOption, &fetch->connection->adbc,
                        WR_ADBC_AUTOCOMMIT, value, reason);
}

static AdbcStatusCode end_transaction(struct wr_adbc_fetch *fetch, bool commits,
                                      struct AdbcError *reason) {
    struct AdbcConnection *adbc = &fetch->connection->adbc;
    AdbcStatusCode status = commits
                                ? WR_ADBC_CALL(driver_of(fetch), ConnectionCommit, adbc, reason)
                                : WR_ADBC_CALL(driver_of(fetch), ConnectionRollback, adbc, reason);
    return status ? status : set_autocommit(fetch, "true", reason);
}

/* `usable` tells afterwards whether the connection is as it was before. */
static int run_in_transaction(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                              struct weir_error *error) {
    const struct wr_adbc_core *core = fetch->database->core;
    const char *name = fetch->database->name;
    struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
    AdbcStatusCode status = set_autocommit(fetch, "false", &reason);
    if (status) return wr_adbc_error(core, name, status, &reason, "transaction", error);
    int code = run(reader, fetch, error);
    close_statement(reader, fetch);
    bool commits = !code && wr_adbc_reader_commits(reader);
    status = end_transaction(fetch, commits, &reason);
    fetch->usable = !status;
    if (status && !code) return wr_adbc_error(core, name, status, &reason, "commit", error);
    if (reason.release) reason.release(&reason);
    if (code || commits) return code;
    return wr_error_set(error, WEIR_CANCELLED, NULL, "database \"%s\": cancelled", name);
}

/* Whether there is nothing to read, so that no connection is needed. */
static int look_for_partitions(struct wr_adbc_fetch *fetch, bool *ret_lacks,
                               struct weir_error *error) {
    if (!fetch->descriptors || fetch->makes_descriptors) return WEIR_OK;
    WR_TRY(wr_adbc_descriptors_await(fetch->descriptors, &fetch->makes_descriptors, error));
    if (fetch->makes_descriptors || has_partition(fetch)) return WEIR_OK;
    *ret_lacks = true;
    fetch->has_ended = true;
    return lack_partitions(fetch, error);
}

static int try_start(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                     enum wr_adbc_trust trust, struct weir_error *error) {
    bool lacks = false;
    WR_TRY(look_for_partitions(fetch, &lacks, error));
    if (lacks) return WEIR_OK;
    fetch->usable = false;
    if (fetch->around.take)
        WR_TRY(fetch->around.take(fetch->around.context, &fetch->connection, error));
    fetch->was_taken = fetch->connection != NULL;
    if (!fetch->connection)
        WR_TRY(wr_adbc_acquire(fetch->database, trust, &fetch->connection, error));
    if (fetch->around.begin)
        WR_TRY(fetch->around.begin(fetch->around.context, fetch->connection, error));
    if (wr_adbc_in_transaction(fetch)) {
        WR_TRY(run_in_transaction(reader, fetch, error));
        leave_connection(reader, fetch);
        return WEIR_OK;
    }
    int code = run(reader, fetch, error);
    if (code) {
        fetch->usable = is_harmless(error);
        return code;
    }
    if (fetch->source != WR_ADBC_CHANGE) WR_TRY(pull(fetch, &fetch->first, error));
    fetch->has_first = fetch->first.release != NULL;
    if (fetch->has_first) return look_for_end(reader, fetch, error);
    fetch->usable = true;
    fetch->has_ended = true;
    leave_connection(reader, fetch);
    return WEIR_OK;
}

static int start(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                 struct weir_error *error) {
    bool changes = fetch->source == WR_ADBC_CHANGE;
    int code = try_start(reader, fetch, changes ? WR_ADBC_CHECKED : WR_ADBC_ANY, error);
    if (!code) return WEIR_OK;
    bool was_used = fetch->connection && fetch->connection->was_used;
    bool is_gone = fetch->connection && wr_adbc_is_connection_error(error);
    if (is_gone) wr_adbc_doubt(fetch->database->core);
    let_go(reader, fetch);
    /* A change may have been done before the connection went. */
    if (changes || fetch->was_taken) return code;
    if (!is_gone || !was_used || wr_adbc_reader_is_cancelled(reader)) return code;
    code = try_start(reader, fetch, WR_ADBC_FRESH, error);
    if (code) let_go(reader, fetch);
    return code;
}

int wr_adbc_fetch_start(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch,
                        struct weir_error *error) {
    int code = start(reader, fetch, error);
    if (code && fetch->makes_descriptors) wr_adbc_descriptors_fail(fetch->descriptors, error);
    return code;
}

void wr_adbc_fetch_end(struct wr_adbc_reader *reader, struct wr_adbc_fetch *fetch) {
    if (fetch->connection && !fetch->usable && fetch->rows.release) {
        /* The backend would go on for nobody. */
        struct AdbcError reason = wr_adbc_error_new(driver_of(fetch));
        struct AdbcStatement *statement = wr_adbc_reader_statement(reader);
        if (statement->private_data && fetch->database->core->has_cancel)
            WR_ADBC_CALL(driver_of(fetch), StatementCancel, statement, &reason);
        if (reason.release) reason.release(&reason);
    }
    let_go(reader, fetch);
}
