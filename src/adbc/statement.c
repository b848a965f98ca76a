/* SPDX-License-Identifier: Apache-2.0 */
/* A statement: its text, options and bound values. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "door/rows.h"

/* ---- Life ---- */

int wr_driver_statement_new(struct wr_driver_connection *connection,
                            struct wr_driver_statement **ret_statement, struct weir_error *error) {
    if (!connection->session)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the connection is not initialised yet");
    struct wr_driver_statement *statement = wr_calloc(1, sizeof *statement);
    if (!statement) return wr_error_memory(error);
    pthread_mutex_init(&statement->mutex, NULL);
    statement->connection = wr_driver_connection_retain(connection);
    pthread_mutex_lock(&connection->mutex);
    statement->next = connection->statements;
    connection->statements = statement;
    pthread_mutex_unlock(&connection->mutex);
    *ret_statement = statement;
    return WEIR_OK;
}

static void unlink_statement(struct wr_driver_statement *statement) {
    struct wr_driver_connection *connection = statement->connection;
    pthread_mutex_lock(&connection->mutex);
    struct wr_driver_statement **place = &connection->statements;
    while (*place != statement)
        place = &(*place)->next;
    *place = statement->next;
    pthread_mutex_unlock(&connection->mutex);
}

void wr_driver_statement_free(struct wr_driver_statement *statement) {
    unlink_statement(statement);
    wr_driver_plan_release(statement->plan);
    wr_arrow_release_stream(&statement->bound);
    wr_options_reset(&statement->options);
    wr_free(statement->sql);
    pthread_mutex_destroy(&statement->mutex);
    wr_driver_connection_release(statement->connection);
    wr_free(statement);
}

/* ---- Text and plan ---- */

static void put_plan(struct wr_driver_statement *statement, struct wr_driver_plan *plan) {
    pthread_mutex_lock(&statement->mutex);
    struct wr_driver_plan *old = statement->plan;
    statement->plan = plan;
    pthread_mutex_unlock(&statement->mutex);
    wr_driver_plan_release(old);
}

static int put_option(struct wr_driver_statement *statement, const char *key, const char *value,
                      struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    int code = wr_driver_option_put(&statement->options, key, value, error);
    pthread_mutex_unlock(&statement->mutex);
    return code;
}

int wr_driver_statement_sql(struct wr_driver_statement *statement, const char *sql,
                            struct weir_error *error) {
    char *copy = wr_strdup(sql);
    if (!copy) return wr_error_memory(error);
    wr_free(statement->sql);
    statement->sql = copy;
    put_plan(statement, NULL);
    /* The text is what is executed now, and no ingest. */
    return put_option(statement, WR_ADBC_INGEST_TABLE, NULL, error);
}

/* A plan that an open result still runs is left to it. */
static bool is_shared(const struct wr_driver_plan *plan) {
    return atomic_load_explicit(&plan->references, memory_order_acquire) > 1;
}

int wr_driver_statement_plan(struct wr_driver_statement *statement, struct weir_error *error) {
    struct wr_driver_plan *plan = NULL;
    if (!statement->sql)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the statement has no query yet; set one first");
    if (statement->plan && !is_shared(statement->plan)) return WEIR_OK;
    WR_TRY(wr_driver_plan_new(statement->connection, statement->sql, &plan, error));
    put_plan(statement, plan);
    return WEIR_OK;
}

int wr_driver_statement_prepare(struct wr_driver_statement *statement, struct weir_error *error) {
    if (wr_driver_statement_is_ingest(statement))
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the statement is an ingest, which is not prepared");
    wr_driver_statement_begin(statement);
    return wr_driver_statement_end(statement, wr_driver_statement_plan(statement, error), error);
}

static int refuse_ingest(struct wr_driver_statement *statement, struct weir_error *error) {
    if (!wr_driver_statement_is_ingest(statement)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                        "the statement is an ingest, which gives no rows and has no parameters");
}

int wr_driver_statement_schema(struct wr_driver_statement *statement,
                               struct ArrowSchema *ret_schema, struct weir_error *error) {
    WR_TRY(refuse_ingest(statement, error));
    wr_driver_statement_begin(statement);
    int code = wr_driver_statement_plan(statement, error);
    if (code == WEIR_OK)
        code = weir_statement_schema(statement->plan->statement, ret_schema, error);
    return wr_driver_statement_end(statement, code, error);
}

int wr_driver_statement_parameters(struct wr_driver_statement *statement,
                                   struct ArrowSchema *ret_schema, struct weir_error *error) {
    WR_TRY(refuse_ingest(statement, error));
    if (!statement->plan)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the statement is not prepared yet");
    return weir_statement_parameters(statement->plan->statement, ret_schema, error);
}

/* ---- Values ---- */

int wr_driver_statement_bind_stream(struct wr_driver_statement *statement,
                                    struct ArrowArrayStream *values, struct weir_error *error) {
    if (!values || !values->release)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "the stream of values was released already");
    wr_arrow_release_stream(&statement->bound);
    wr_arrow_move_stream(values, &statement->bound);
    return WEIR_OK;
}

int wr_driver_statement_bind(struct wr_driver_statement *statement, struct ArrowArray *values,
                             struct ArrowSchema *schema, struct weir_error *error) {
    struct ArrowArrayStream stream = {0};
    if (!values || !values->release || !schema || !schema->release)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "the values were released already");
    /* Taken over by what follows, also when that fails. */
    struct ArrowArray taken = {0};
    struct ArrowSchema columns = {0};
    WR_TRY(wr_arrow_copy_schema(schema, &columns, error));
    wr_arrow_move_array(values, &taken);
    wr_arrow_release_schema(schema);
    WR_TRY(wr_answer_stream(&columns, &taken, &stream, error));
    return wr_driver_statement_bind_stream(statement, &stream, error);
}

int wr_driver_statement_take_binding(struct wr_driver_statement *statement,
                                     struct wr_driver_binding **ret_binding,
                                     struct weir_error *error) {
    if (!statement->bound.release) {
        if (!statement->plan->was_bound) return WEIR_OK;
        return wr_error_set(error, WEIR_INVALID_STATE, "07001",
                            "the values of the parameters were used; bind them again");
    }
    char *by_name = NULL;
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_BIND_BY_NAME, &by_name, error));
    bool is_by_name = by_name && strcmp(by_name, "true") == 0;
    wr_free(by_name);
    WR_TRY(wr_driver_binding_open(&statement->bound, statement->plan->statement, is_by_name,
                                  ret_binding, error));
    statement->plan->was_bound = true;
    return WEIR_OK;
}

/* ---- Options ---- */

static bool is_flag(const char *key) {
    return strcmp(key, WR_ADBC_INGEST_TEMPORARY) == 0 || strcmp(key, WR_ADBC_INCREMENTAL) == 0 ||
           strcmp(key, WR_ADBC_BIND_BY_NAME) == 0;
}

static int check_flag(const char *key, const char *value, struct weir_error *error) {
    bool flag = false;
    WR_TRY(wr_driver_flag(key, value, &flag, error));
    if (!flag || strcmp(key, WR_ADBC_INCREMENTAL) != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "partitions are given all at once, not incrementally");
}

static int check_count(const char *key, const char *value, struct weir_error *error) {
    size_t n_digits = value ? strspn(value, "0123456789") : 0;
    if (n_digits > 0 && n_digits < 6 && !value[n_digits] && strcmp(value, "0") != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s=\"%s\": not a number from 1 on",
                        key, value ? value : "");
}

static int check_mode(const char *key, const char *value, struct weir_error *error) {
    static const char *const modes[] = {WR_ADBC_INGEST_MODE_CREATE, WR_ADBC_INGEST_MODE_APPEND,
                                        WR_ADBC_INGEST_MODE_REPLACE,
                                        WR_ADBC_INGEST_MODE_CREATE_APPEND};
    for (size_t i = 0; value && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(value, modes[i]) == 0) return WEIR_OK;
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "%s=\"%s\": no mode of an ingest", key,
                        value ? value : "");
}

static bool is_name(const char *key) {
    return strcmp(key, WR_ADBC_INGEST_TABLE) == 0 || strcmp(key, WR_ADBC_INGEST_CATALOG) == 0 ||
           strcmp(key, WR_ADBC_INGEST_SCHEMA) == 0;
}

int wr_driver_statement_set(struct wr_driver_statement *statement, const char *key,
                            const char *value, struct weir_error *error) {
    if (is_flag(key)) {
        WR_TRY(check_flag(key, value, error));
    } else if (strcmp(key, WR_ADBC_INGEST_MODE) == 0) {
        WR_TRY(check_mode(key, value, error));
    } else if (strcmp(key, WR_ADBC_WEIR_MAX_PARTITIONS) == 0) {
        WR_TRY(check_count(key, value, error));
    } else if (!is_name(key)) {
        return wr_driver_unknown_option(key, "statement", error);
    }
    return put_option(statement, key, value, error);
}

int wr_driver_statement_option(struct wr_driver_statement *statement, const char *key,
                               char **ret_value, struct weir_error *error) {
    pthread_mutex_lock(&statement->mutex);
    const char *value = wr_options_get(statement->options.items, statement->options.n_items, key);
    char *copy = wr_strdup(value);
    pthread_mutex_unlock(&statement->mutex);
    if (value && !copy) return wr_error_memory(error);
    *ret_value = copy;
    return WEIR_OK;
}

bool wr_driver_statement_is_ingest(struct wr_driver_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    bool ingest = wr_options_get(statement->options.items, statement->options.n_items,
                                 WR_ADBC_INGEST_TABLE) != NULL;
    pthread_mutex_unlock(&statement->mutex);
    return ingest;
}

/* The plan of the last execution, with a reference; NULL: there is none. */
static struct wr_driver_plan *executed_plan(struct wr_driver_statement *statement) {
    pthread_mutex_lock(&statement->mutex);
    struct wr_driver_plan *plan = statement->plan ? wr_driver_plan_retain(statement->plan) : NULL;
    pthread_mutex_unlock(&statement->mutex);
    return plan;
}

static int get_progress(struct wr_driver_plan *plan, bool most, char *text, size_t size,
                        struct weir_error *error) {
    struct weir_progress progress = {.size = sizeof progress};
    int code = weir_statement_progress(plan->statement, &progress, error);
    int64_t bytes = most ? progress.bytes_total : progress.bytes_read;
    if (code == WEIR_OK) snprintf(text, size, "%" PRId64, bytes);
    return code;
}

/* What is asked of the execution; *ret_value stays NULL for another key. */
static int get_of_execution(struct wr_driver_statement *statement, const char *key,
                            char **ret_value, struct weir_error *error) {
    char text[WEIR_ID_SIZE] = "";
    bool most = strcmp(key, WR_ADBC_MAX_PROGRESS) == 0;
    bool id = strcmp(key, WR_ADBC_WEIR_QUERY_ID) == 0;
    if (!most && !id && strcmp(key, WR_ADBC_PROGRESS) != 0) return WEIR_OK;
    struct wr_driver_plan *plan = executed_plan(statement);
    int code = WEIR_OK;
    if (!plan) {
        code = wr_error_set(error, WEIR_INVALID_STATE, NULL, "the statement was not executed yet");
    } else if (id) {
        weir_statement_id(plan->statement, text);
    } else {
        code = get_progress(plan, most, text, sizeof text, error);
    }
    wr_driver_plan_release(plan);
    WR_TRY(code);
    *ret_value = wr_strdup(text);
    return *ret_value ? WEIR_OK : wr_error_memory(error);
}

int wr_driver_statement_get(struct wr_driver_statement *statement, const char *key,
                            char **ret_value, struct weir_error *error) {
    char *value = NULL;
    WR_TRY(get_of_execution(statement, key, &value, error));
    if (!value) WR_TRY(wr_driver_statement_option(statement, key, &value, error));
    if (!value) return wr_driver_not_found(key, "statement", error);
    *ret_value = value;
    return WEIR_OK;
}
