/* SPDX-License-Identifier: Apache-2.0 */
/* An ADBC driver whose database is made up (fake.h). */
#include "fake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/adbc_abi.h"

#define EXPORT __attribute__((visibility("default")))

static struct fake the_fake;

EXPORT struct fake *fake(void) {
    return &the_fake;
}

struct database {
    char options[4096];
};

struct connection;

struct statement {
    struct connection *connection;
    char sql[256];
    char table[64];
    struct ArrowArrayStream bound;
    atomic_bool cancelled;
};

struct connection {
    int generation;
    bool in_transaction;
    const struct database *database;
    struct statement partitions; /* what ends the reading of them */
};

struct rows {
    struct statement *statement;
    long next, end;
    bool fails, hangs, gives_texts;
    struct AdbcError error;
    AdbcStatusCode status;
};

static void release_error(struct AdbcError *error) {
    free(error->message);
    error->message = NULL;
    error->release = NULL;
}

static AdbcStatusCode fail(struct AdbcError *error, int code, const char *sqlstate,
                           const char *message) {
    if (error->release) error->release(error);
    error->message = strdup(message);
    memcpy(error->sqlstate, sqlstate[0] == '-' ? "\0\0\0\0\0" : sqlstate, 5);
    error->release = release_error;
    return (AdbcStatusCode)code;
}

/* Until cancelled (statement may be NULL), or let go. */
static void hang(const struct statement *statement) {
    while (!the_fake.let_go && !(statement && statement->cancelled))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- Database and connection ---- */

static AdbcStatusCode database_new(struct AdbcDatabase *database, struct AdbcError *error) {
    (void)error;
    database->private_data = calloc(1, sizeof(struct database));
    the_fake.databases++;
    return WEIR_OK;
}

static AdbcStatusCode database_set(struct AdbcDatabase *database, const char *key,
                                   const char *value, struct AdbcError *error) {
    struct database *self = database->private_data;
    if (strncmp(key, "adbc.unknown", 12) == 0)
        return fail(error, WEIR_NOT_IMPLEMENTED, "-", "unknown option");
    size_t length = strlen(self->options);
    snprintf(self->options + length, sizeof self->options - length, "%s=%s ", key, value);
    return WEIR_OK;
}

static AdbcStatusCode database_init(struct AdbcDatabase *database, struct AdbcError *error) {
    (void)database;
    (void)error;
    return WEIR_OK;
}

static AdbcStatusCode database_release(struct AdbcDatabase *database, struct AdbcError *error) {
    (void)error;
    free(database->private_data);
    database->private_data = NULL;
    the_fake.databases--;
    return WEIR_OK;
}

static AdbcStatusCode connection_new(struct AdbcConnection *connection, struct AdbcError *error) {
    (void)error;
    connection->private_data = calloc(1, sizeof(struct connection));
    the_fake.connections++;
    return WEIR_OK;
}

static AdbcStatusCode connection_init(struct AdbcConnection *connection,
                                      struct AdbcDatabase *database, struct AdbcError *error) {
    struct connection *self = connection->private_data;
    self->database = database->private_data;
    self->generation = the_fake.generation;
    the_fake.connects++;
    if (the_fake.connect_hangs) hang(NULL);
    if (the_fake.leaks_options) return fail(error, WEIR_IO, "-", self->database->options);
    if (the_fake.failing_opens > 0) {
        the_fake.failing_opens--;
        return fail(error, WEIR_IO, "08001", "nobody is there");
    }
    return WEIR_OK;
}

static AdbcStatusCode connection_release(struct AdbcConnection *connection,
                                         struct AdbcError *error) {
    (void)error;
    free(connection->private_data);
    connection->private_data = NULL;
    the_fake.connections--;
    return WEIR_OK;
}

static AdbcStatusCode connection_set(struct AdbcConnection *connection, const char *key,
                                     const char *value, struct AdbcError *error) {
    struct connection *self = connection->private_data;
    if (strcmp(key, WR_ADBC_AUTOCOMMIT) != 0)
        return fail(error, WEIR_NOT_IMPLEMENTED, "-", "unknown option");
    self->in_transaction = strcmp(value, "false") == 0;
    return WEIR_OK;
}

static AdbcStatusCode commit(struct AdbcConnection *connection, struct AdbcError *error) {
    struct connection *self = connection->private_data;
    if (!self->in_transaction) return fail(error, WEIR_INVALID_STATE, "-", "no transaction");
    the_fake.commits++;
    return WEIR_OK;
}

static AdbcStatusCode rollback(struct AdbcConnection *connection, struct AdbcError *error) {
    struct connection *self = connection->private_data;
    if (!self->in_transaction) return fail(error, WEIR_INVALID_STATE, "-", "no transaction");
    the_fake.rollbacks++;
    return WEIR_OK;
}

static AdbcStatusCode table_schema(struct AdbcConnection *connection, const char *catalog,
                                   const char *schema, const char *table,
                                   struct ArrowSchema *ret_schema, struct AdbcError *error) {
    (void)connection;
    (void)catalog;
    (void)schema;
    if (strcmp(table, "t") != 0) return fail(error, WEIR_NOT_FOUND, "42P01", "no such table");
    ArrowSchemaInit(ret_schema);
    ArrowSchemaSetTypeStruct(ret_schema, 1);
    ArrowSchemaSetType(ret_schema->children[0], NANOARROW_TYPE_INT64);
    ArrowSchemaSetName(ret_schema->children[0], "a");
    return WEIR_OK;
}

/* ---- Rows ---- */

static int rows_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    const struct rows *self = stream->private_data;
    ArrowSchemaInit(out);
    ArrowSchemaSetTypeStruct(out, 1);
    ArrowSchemaSetType(out->children[0],
                       self->gives_texts ? NANOARROW_TYPE_STRING : NANOARROW_TYPE_INT64);
    return ArrowSchemaSetName(out->children[0], "a");
}

static int rows_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct rows *self = stream->private_data;
    out->release = NULL;
    if (self->next == self->end) {
        if (self->hangs) hang(self->statement);
        if (self->statement->cancelled) {
            self->status = fail(&self->error, WEIR_CANCELLED, "57014", "cancelled on request");
            return ECANCELED;
        }
        if (!self->fails) return 0;
        self->status = fail(&self->error, WEIR_INVALID_DATA, "22012", "division by zero");
        return EINVAL;
    }
    struct ArrowSchema schema;
    rows_schema(stream, &schema);
    int code = ArrowArrayInitFromSchema(out, &schema, NULL);
    ArrowSchemaRelease(&schema);
    if (!code) code = ArrowArrayStartAppending(out);
    for (int i = 0; i < 10 && self->next < self->end && !code; i++) {
        code = ArrowArrayAppendInt(out->children[0], self->next++);
        if (!code) code = ArrowArrayFinishElement(out);
    }
    return code ? code : ArrowArrayFinishBuildingDefault(out, NULL);
}

static const char *rows_error(struct ArrowArrayStream *stream) {
    struct rows *self = stream->private_data;
    return self->error.message;
}

static void rows_release(struct ArrowArrayStream *stream) {
    struct rows *self = stream->private_data;
    if (self->error.release) self->error.release(&self->error);
    free(self);
    stream->private_data = NULL; /* and not its release: Flight SQL's driver does so */
    the_fake.streams--;
}

static const struct AdbcError *error_of_stream(struct ArrowArrayStream *stream,
                                               AdbcStatusCode *status) {
    struct rows *self = stream->private_data;
    if (stream->release != rows_release) return NULL;
    *status = self->status;
    return &self->error;
}

static void make_rows(const struct rows *what, struct ArrowArrayStream *out) {
    struct rows *self = calloc(1, sizeof *self);
    *self = *what;
    *out = (struct ArrowArrayStream){rows_schema, rows_next, rows_error, rows_release, self};
    the_fake.streams++;
}

/* ---- Statements ---- */

static AdbcStatusCode statement_new(struct AdbcConnection *connection,
                                    struct AdbcStatement *statement, struct AdbcError *error) {
    (void)error;
    struct statement *self = calloc(1, sizeof *self);
    self->connection = connection->private_data;
    statement->private_data = self;
    the_fake.statements++;
    return WEIR_OK;
}

static AdbcStatusCode statement_release(struct AdbcStatement *statement, struct AdbcError *error) {
    (void)error;
    struct statement *self = statement->private_data;
    if (self->bound.release) self->bound.release(&self->bound);
    free(self);
    statement->private_data = NULL;
    the_fake.statements--;
    return WEIR_OK;
}

static AdbcStatusCode set_sql(struct AdbcStatement *statement, const char *sql,
                              struct AdbcError *error) {
    (void)error;
    struct statement *self = statement->private_data;
    snprintf(self->sql, sizeof self->sql, "%s", sql);
    return WEIR_OK;
}

static AdbcStatusCode statement_set(struct AdbcStatement *statement, const char *key,
                                    const char *value, struct AdbcError *error) {
    (void)error;
    struct statement *self = statement->private_data;
    if (strcmp(key, WR_ADBC_INGEST_TABLE) == 0)
        snprintf(self->table, sizeof self->table, "%s", value);
    return WEIR_OK;
}

static AdbcStatusCode bind_stream(struct AdbcStatement *statement, struct ArrowArrayStream *stream,
                                  struct AdbcError *error) {
    (void)error;
    struct statement *self = statement->private_data;
    self->bound = *stream;
    stream->release = NULL;
    return WEIR_OK;
}

static AdbcStatusCode ingest(struct statement *self, struct AdbcError *error) {
    if (strcmp(self->table, "taken") == 0)
        return fail(error, WEIR_ALREADY_EXISTS, "-", "table taken already exists");
    for (;;) {
        struct ArrowArray array = {0};
        /* As careless as drivers are: what the rows fail in is not told. */
        if (self->bound.get_next(&self->bound, &array)) return WEIR_OK;
        if (!array.release) break;
        the_fake.ingested += array.length;
        array.release(&array);
    }
    if (strcmp(self->table, "hangs") != 0) return WEIR_OK;
    hang(self);
    return self->cancelled ? fail(error, WEIR_CANCELLED, "57014", "cancelled on request") : WEIR_OK;
}

static AdbcStatusCode scripted_failure(const char *sql, struct AdbcError *error) {
    int code = 0, at = 0;
    char sqlstate[6] = "-";
    if (sscanf(sql, "fail %d %5s %n", &code, sqlstate, &at) < 2) return WEIR_INTERNAL;
    return fail(error, code, sqlstate, sql + at);
}

static AdbcStatusCode execute(struct AdbcStatement *statement, struct ArrowArrayStream *out,
                              int64_t *n_rows, struct AdbcError *error) {
    struct statement *self = statement->private_data;
    long n = 1;
    the_fake.executions++;
    if (strcmp(self->sql, "SELECT 1") == 0) the_fake.pings++;
    if (self->connection->generation != the_fake.generation)
        return fail(error, WEIR_IO, "08006", "the server closed the connection");
    if (self->table[0]) return ingest(self, error);
    if (strncmp(self->sql, "fail ", 5) == 0) return scripted_failure(self->sql, error);
    if (strcmp(self->sql, "hang") == 0) {
        hang(self);
        if (self->cancelled) return fail(error, WEIR_CANCELLED, "57014", "cancelled on request");
    }
    bool fails = sscanf(self->sql, "fail_after %ld", &n) == 1;
    bool hangs = sscanf(self->sql, "hang_after %ld", &n) == 1;
    if (sscanf(self->sql, "change %ld", &n) == 1 && n_rows) *n_rows = n;
    sscanf(self->sql, "rows %ld", &n);
    struct rows rows = {.statement = self, .end = n, .fails = fails, .hangs = hangs};
    if (out) make_rows(&rows, out);
    return WEIR_OK;
}

static AdbcStatusCode cancel(struct AdbcStatement *statement, struct AdbcError *error) {
    struct statement *self = statement->private_data;
    if (the_fake.no_cancel) return fail(error, WEIR_NOT_IMPLEMENTED, "-", "no cancel");
    the_fake.cancels++;
    self->cancelled = true;
    return WEIR_OK;
}

/* ---- Partitions ---- */

struct descriptor {
    long first, end;
    bool fails, hangs, gives_texts;
};

static void release_partitions(struct AdbcPartitions *partitions) {
    for (size_t i = 0; i < partitions->num_partitions; i++)
        free((void *)partitions->partitions[i]);
    free(partitions->partitions);
    free((void *)partitions->partition_lengths);
    partitions->release = NULL;
    the_fake.streams--;
}

static AdbcStatusCode execute_partitions(struct AdbcStatement *statement,
                                         struct ArrowSchema *schema,
                                         struct AdbcPartitions *partitions, int64_t *n_rows,
                                         struct AdbcError *error) {
    const struct statement *self = statement->private_data;
    long n = 0, n_each = 0;
    char how[16] = "";
    (void)schema;
    (void)n_rows;
    if (!the_fake.has_partitions) return fail(error, WEIR_NOT_IMPLEMENTED, "-", "no partitions");
    if (!self->sql[0]) return fail(error, WEIR_INVALID_STATE, "-", "no query");
    the_fake.executions++;
    if (self->connection->generation != the_fake.generation)
        return fail(error, WEIR_IO, "08006", "the server closed the connection");
    if (strncmp(self->sql, "fail ", 5) == 0) return scripted_failure(self->sql, error);
    if (strcmp(self->sql, "hang") == 0) {
        hang(self);
        return fail(error, WEIR_CANCELLED, "57014", "cancelled on request");
    }
    if (sscanf(self->sql, "%15s %ld %ld", how, &n, &n_each) != 3) return WEIR_INTERNAL;
    const uint8_t **items = calloc((size_t)n + 1, sizeof *items);
    size_t *lengths = calloc((size_t)n + 1, sizeof *lengths);
    for (long i = 0; i < n; i++) {
        struct descriptor *item = calloc(1, sizeof *item);
        item->first = i * n_each;
        item->end = item->first + n_each;
        item->fails = strcmp(how, "parts_fail") == 0 && i == n - 1;
        item->hangs = strcmp(how, "parts_hang") == 0;
        item->gives_texts = strcmp(how, "parts_differ") == 0 && i > 0;
        items[i] = (const uint8_t *)item;
        lengths[i] = sizeof *item;
    }
    *partitions = (struct AdbcPartitions){(size_t)n, items, lengths, NULL, release_partitions};
    the_fake.streams++;
    return WEIR_OK;
}

static AdbcStatusCode read_partition(struct AdbcConnection *connection, const uint8_t *bytes,
                                     size_t length, struct ArrowArrayStream *out,
                                     struct AdbcError *error) {
    struct connection *self = connection->private_data;
    struct descriptor item;
    if (length != sizeof item) return fail(error, WEIR_NOT_FOUND, "-", "no such partition");
    if (self->generation != the_fake.generation)
        return fail(error, WEIR_IO, "08006", "the server closed the connection");
    memcpy(&item, bytes, sizeof item);
    the_fake.partitions++;
    make_rows(&(struct rows){.statement = &self->partitions,
                             .next = item.first,
                             .end = item.end,
                             .fails = item.fails,
                             .hangs = item.hangs,
                             .gives_texts = item.gives_texts},
              out);
    return WEIR_OK;
}

static AdbcStatusCode connection_cancel(struct AdbcConnection *connection,
                                        struct AdbcError *error) {
    struct connection *self = connection->private_data;
    if (the_fake.no_cancel) return fail(error, WEIR_NOT_IMPLEMENTED, "-", "no cancel");
    self->partitions.cancelled = true;
    return WEIR_OK;
}

/* ---- Entry points ---- */

static AdbcStatusCode fill(int version, void *raw, struct AdbcError *error) {
    struct AdbcDriver *driver = raw;
    the_fake.version = version;
    if (version != WR_ADBC_VERSION_1_0_0 &&
        (version != WR_ADBC_VERSION_1_1_0 || the_fake.refuse_1_1))
        return fail(error, WEIR_NOT_IMPLEMENTED, "-", "only 1.0.0");
    driver->DatabaseNew = database_new;
    driver->DatabaseSetOption = database_set;
    driver->DatabaseInit = database_init;
    driver->DatabaseRelease = database_release;
    driver->ConnectionNew = connection_new;
    driver->ConnectionSetOption = connection_set;
    driver->ConnectionInit = connection_init;
    driver->ConnectionRelease = connection_release;
    driver->ConnectionCommit = commit;
    driver->ConnectionRollback = rollback;
    driver->ConnectionGetTableSchema = table_schema;
    driver->StatementNew = statement_new;
    driver->StatementRelease = statement_release;
    driver->StatementSetSqlQuery = set_sql;
    driver->StatementSetOption = statement_set;
    driver->StatementBindStream = bind_stream;
    driver->StatementExecuteQuery = execute;
    driver->StatementExecutePartitions = execute_partitions;
    driver->ConnectionReadPartition = read_partition;
    if (version == WR_ADBC_VERSION_1_0_0) return WEIR_OK;
    driver->StatementCancel = cancel;
    driver->ConnectionCancel = connection_cancel;
    driver->ErrorFromArrayStream = error_of_stream;
    return WEIR_OK;
}

EXPORT AdbcStatusCode AdbcDriverFakeInit(int version, void *driver, struct AdbcError *error);
EXPORT AdbcStatusCode AdbcDriverFakeInit(int version, void *driver, struct AdbcError *error) {
    return fill(version, driver, error);
}

/* Another name for the same, and one of an old driver. */
EXPORT AdbcStatusCode fake_other_init(int version, void *driver, struct AdbcError *error);
EXPORT AdbcStatusCode fake_other_init(int version, void *driver, struct AdbcError *error) {
    return fill(version, driver, error);
}

EXPORT AdbcStatusCode fake_old_init(int version, void *driver, struct AdbcError *error);
EXPORT AdbcStatusCode fake_old_init(int version, void *driver, struct AdbcError *error) {
    if (version != WR_ADBC_VERSION_1_0_0)
        return fail(error, WEIR_NOT_IMPLEMENTED, "-", "only 1.0.0");
    return fill(version, driver, error);
}

EXPORT AdbcStatusCode fake_empty_init(int version, void *driver, struct AdbcError *error);
EXPORT AdbcStatusCode fake_empty_init(int version, void *driver, struct AdbcError *error) {
    (void)version;
    (void)driver;
    (void)error;
    return WEIR_OK;
}
