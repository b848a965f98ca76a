/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libweir as a driver of ADBC 1.1: what its files share.
 *
 * 1. A database is a workspace, a connection a session. Both count references: each holds what it
 * stands on, and a result the database, so that the order of releases does not matter.
 * 2. A statement's text is planned as a `struct wr_driver_plan`, which results that run it again
 * for further parameters hold too.
 * 3. As ADBC has it, an object is used by one thread at a time, but Cancel and GetOption come from
 * any: their state is behind the object's mutex.
 * 4. Inner functions answer with a struct weir_error; only the functions of the table (driver.c)
 * make an AdbcError of it.
 */
#ifndef WR_ADBC_DRIVER_H
#define WR_ADBC_DRIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "arrow/adbc_abi.h"
#include "base/handles.h"
#include "base/options.h"

/* Before the key of the configuration, and before a setting of the engine. */
#define WR_ADBC_WEIR_CONFIG_FILE "adbc.weir.config"
#define WR_ADBC_WEIR_CONFIG "adbc.weir.config."
#define WR_ADBC_WEIR_SETTING "adbc.weir.setting."
#define WR_ADBC_WEIR_WORKSPACE "adbc.weir.workspace"
#define WR_ADBC_WEIR_FUNCTIONS "adbc.weir.functions"
#define WR_ADBC_WEIR_MAX_PARTITIONS "adbc.weir.max_partitions"
#define WR_ADBC_WEIR_QUERY_ID "adbc.weir.query_id"

/* ---- Database ---- */

struct wr_driver_database {
    atomic_int references;
    pthread_mutex_t mutex; /* guards `options` */
    struct wr_options options;
    struct weir_workspace *workspace; /* NULL: not initialised */
    struct wr_handles *partitions;    /* streams that ReadPartition is to find */
};

int wr_driver_database_new(struct wr_driver_database **ret_database, struct weir_error *error);
void wr_driver_database_release(struct wr_driver_database *database);
struct wr_driver_database *wr_driver_database_retain(struct wr_driver_database *database);
int wr_driver_database_init(struct wr_driver_database *database, struct weir_error *error);
int wr_driver_database_set(struct wr_driver_database *database, const char *key, const char *value,
                           struct weir_error *error);
/* Free *ret_value with wr_free. */
int wr_driver_database_get(struct wr_driver_database *database, const char *key, char **ret_value,
                           struct weir_error *error);
/* A copy of one option; NULL: it was not set. */
int wr_driver_database_option(struct wr_driver_database *database, const char *key,
                              char **ret_value, struct weir_error *error);

/* ---- Connection ---- */

struct wr_driver_connection {
    atomic_int references;
    struct wr_driver_database *database; /* NULL: not initialised */
    struct weir_session *session;
    pthread_mutex_t mutex; /* guards what follows */
    struct wr_options options;
    struct wr_driver_statement *statements;
};

int wr_driver_connection_new(struct wr_driver_connection **ret_connection,
                             struct weir_error *error);
void wr_driver_connection_release(struct wr_driver_connection *connection);
struct wr_driver_connection *wr_driver_connection_retain(struct wr_driver_connection *connection);
int wr_driver_connection_init(struct wr_driver_connection *connection,
                              struct wr_driver_database *database, struct weir_error *error);
int wr_driver_connection_set(struct wr_driver_connection *connection, const char *key,
                             const char *value, struct weir_error *error);
int wr_driver_connection_get(struct wr_driver_connection *connection, const char *key,
                             char **ret_value, struct weir_error *error);
int wr_driver_connection_cancel(struct wr_driver_connection *connection, struct weir_error *error);

int wr_driver_connection_info(struct wr_driver_connection *connection, const uint32_t *codes,
                              size_t n_codes, struct ArrowArrayStream *ret_rows,
                              struct weir_error *error);

struct wr_objects_filter {
    int depth;
    const char *catalog; /* patterns; NULL: any */
    const char *schema;
    const char *table;
    const char *column;
    const char **types; /* ended by NULL; NULL: any */
};
int wr_driver_connection_objects(struct wr_driver_connection *connection,
                                 const struct wr_objects_filter *filter,
                                 struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* Of tables whose names fit the patterns; `approximate`: estimates too. */
int wr_driver_connection_statistics(struct wr_driver_connection *connection,
                                    const struct wr_objects_filter *filter, bool approximate,
                                    struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* The driver's own, of which there are none. */
int wr_driver_connection_statistic_names(struct ArrowArrayStream *ret_rows,
                                         struct weir_error *error);
int wr_driver_connection_read_partition(struct wr_driver_connection *connection,
                                        const uint8_t *partition, size_t length,
                                        struct ArrowArrayStream *ret_rows,
                                        struct weir_error *error);

/* ---- Plans ---- */

/* A planned statement, held by the ADBC statement and by results that still run it. */
struct wr_driver_plan {
    atomic_int references;
    atomic_bool cancelled; /* of the execution that began last */
    bool was_bound;        /* to values that were used up */
    struct wr_driver_connection *connection;
    struct weir_statement *statement;
};

int wr_driver_plan_new(struct wr_driver_connection *connection, const char *sql,
                       struct wr_driver_plan **ret_plan, struct weir_error *error);
struct wr_driver_plan *wr_driver_plan_retain(struct wr_driver_plan *plan);
void wr_driver_plan_release(struct wr_driver_plan *plan);
/* WEIR_CANCELLED after a cancel. */
int wr_driver_cancelled(struct weir_error *error);

/* ---- Statement ---- */

struct wr_driver_statement {
    struct wr_driver_statement *next; /* of the connection's */
    struct wr_driver_connection *connection;
    char *sql;                     /* NULL: none was set */
    struct ArrowArrayStream bound; /* release NULL: nothing was bound */
    pthread_mutex_t mutex;         /* guards what follows */
    struct wr_options options;
    struct wr_driver_plan *plan; /* NULL: not planned yet */
    bool busy;                   /* a function of it runs */
    bool cancelled;              /* while it was busy */
    bool executed;
};

int wr_driver_statement_new(struct wr_driver_connection *connection,
                            struct wr_driver_statement **ret_statement, struct weir_error *error);
void wr_driver_statement_free(struct wr_driver_statement *statement);
int wr_driver_statement_set(struct wr_driver_statement *statement, const char *key,
                            const char *value, struct weir_error *error);
int wr_driver_statement_get(struct wr_driver_statement *statement, const char *key,
                            char **ret_value, struct weir_error *error);
int wr_driver_statement_sql(struct wr_driver_statement *statement, const char *sql,
                            struct weir_error *error);
int wr_driver_statement_prepare(struct wr_driver_statement *statement, struct weir_error *error);
/* Take over what they are given on success. */
int wr_driver_statement_bind(struct wr_driver_statement *statement, struct ArrowArray *values,
                             struct ArrowSchema *schema, struct weir_error *error);
int wr_driver_statement_bind_stream(struct wr_driver_statement *statement,
                                    struct ArrowArrayStream *values, struct weir_error *error);
/* `ret_rows` may be NULL: then the rows are read and forgotten. */
int wr_driver_statement_execute(struct wr_driver_statement *statement,
                                struct ArrowArrayStream *ret_rows, int64_t *ret_affected,
                                struct weir_error *error);
int wr_driver_statement_schema(struct wr_driver_statement *statement,
                               struct ArrowSchema *ret_schema, struct weir_error *error);
int wr_driver_statement_parameters(struct wr_driver_statement *statement,
                                   struct ArrowSchema *ret_schema, struct weir_error *error);
int wr_driver_statement_partitions(struct wr_driver_statement *statement,
                                   struct ArrowSchema *ret_schema,
                                   struct AdbcPartitions *ret_partitions, struct weir_error *error);
int wr_driver_statement_cancel(struct wr_driver_statement *statement, struct weir_error *error);

struct wr_driver_binding;

/* For the statement's own files (execute.c, ingest.c, partitions.c). */
/* Around what may be cancelled; `code` of the work, or WEIR_CANCELLED in its place. */
void wr_driver_statement_begin(struct wr_driver_statement *statement);
int wr_driver_statement_end(struct wr_driver_statement *statement, int code,
                            struct weir_error *error);
bool wr_driver_statement_is_ingest(struct wr_driver_statement *statement);
int wr_driver_statement_ingest(struct wr_driver_statement *statement, int64_t *ret_affected,
                               struct weir_error *error);
/* Plans the text, or says that there is none. */
int wr_driver_statement_plan(struct wr_driver_statement *statement, struct weir_error *error);
/* WEIR_CANCELLED after a cancel since wr_driver_statement_begin. */
int wr_driver_statement_check(struct wr_driver_statement *statement, struct weir_error *error);
/* Takes the bound values out as rows to bind; NULL: there are none. */
int wr_driver_statement_take_binding(struct wr_driver_statement *statement,
                                     struct wr_driver_binding **ret_binding,
                                     struct weir_error *error);
/* A copy of one option; NULL: it was not set. */
int wr_driver_statement_option(struct wr_driver_statement *statement, const char *key,
                               char **ret_value, struct weir_error *error);

/* ---- Bound values, row by row (bind.c) ---- */

/* Takes over `values` on success. By position, or by name. */
int wr_driver_binding_open(struct ArrowArrayStream *values, struct weir_statement *statement,
                           bool by_name, struct wr_driver_binding **ret_binding,
                           struct weir_error *error);
void wr_driver_binding_close(struct wr_driver_binding *binding);
/* Binds the next row to the plan; *ret_bound is false when there is none. */
int wr_driver_binding_next(struct wr_driver_binding *binding, struct wr_driver_plan *plan,
                           bool *ret_bound, struct weir_error *error);

/* ---- Results (result.c) ---- */

/*
 * What is handed out: a stream that holds the database and keeps the error of a failed get_next,
 * which ErrorFromArrayStream finds. Takes over `rows` always. With a binding, the plan is run for
 * each of its further rows when the rows before are at their end; both may be NULL.
 */
int wr_driver_result_new(struct wr_driver_database *database, struct ArrowArrayStream *rows,
                         struct wr_driver_plan *plan, struct wr_driver_binding *binding,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* NULL: not one of those, or it did not fail. */
const struct AdbcError *wr_driver_result_error(struct ArrowArrayStream *stream,
                                               AdbcStatusCode *ret_code);
/* Reads to the end and releases; the error in full. */
int wr_driver_result_drain(struct ArrowArrayStream *rows, struct weir_error *error);

/* ---- Errors (error.c) ---- */

/* `code` itself; an error of the caller's is filled. */
AdbcStatusCode wr_driver_answer(int code, const struct weir_error *reason, struct AdbcError *error);
int wr_driver_error_detail_count(const struct AdbcError *error);
struct AdbcErrorDetail wr_driver_error_detail(const struct AdbcError *error, int index);
int wr_driver_not_found(const char *key, const char *of, struct weir_error *error);
int wr_driver_unknown_option(const char *key, const char *of, struct weir_error *error);

/* ---- Options (options.c) ---- */

/* Puts an option in the place of one of that key; NULL takes it out. */
int wr_driver_option_put(struct wr_options *options, const char *key, const char *value,
                         struct weir_error *error);
bool wr_driver_starts_with(const char *text, const char *prefix);
/* "true" or "false", else WEIR_INVALID_ARGUMENT. */
int wr_driver_flag(const char *key, const char *value, bool *ret_flag, struct weir_error *error);

#endif
