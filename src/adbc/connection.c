/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: a session. */
#include <string.h>

#include "adbc/adbc.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "door/list.h"

enum { MAX_STATEMENT = 1 << 20 };

/* ---- Life ---- */

int wr_driver_connection_new(struct wr_driver_connection **ret_connection,
                             struct weir_error *error) {
    struct wr_driver_connection *connection = wr_calloc(1, sizeof *connection);
    if (!connection) return wr_error_memory(error);
    atomic_init(&connection->references, 1);
    pthread_mutex_init(&connection->mutex, NULL);
    *ret_connection = connection;
    return WEIR_OK;
}

struct wr_driver_connection *wr_driver_connection_retain(struct wr_driver_connection *connection) {
    atomic_fetch_add_explicit(&connection->references, 1, memory_order_relaxed);
    return connection;
}

void wr_driver_connection_release(struct wr_driver_connection *connection) {
    if (!connection) return;
    if (atomic_fetch_sub_explicit(&connection->references, 1, memory_order_acq_rel) > 1) return;
    weir_session_close(connection->session);
    wr_driver_database_release(connection->database);
    wr_options_reset(&connection->options);
    pthread_mutex_destroy(&connection->mutex);
    wr_free(connection);
}

/* ---- Opening the session ---- */

/* Engine settings of the database, then of the connection, behind those of every door. Only the
 * array is the caller's. */
static int add_settings(const struct wr_options *from, struct weir_option *settings, size_t *n) {
    for (size_t i = 0; i < from->n_items; i++) {
        const struct weir_option *option = &from->items[i];
        if (!wr_driver_starts_with(option->key, WR_ADBC_WEIR_SETTING)) continue;
        settings[(*n)++] =
            (struct weir_option){option->key + strlen(WR_ADBC_WEIR_SETTING), option->value};
    }
    return WEIR_OK;
}

static int authenticate(struct wr_driver_database *database, struct weir_principal **ret_principal,
                        struct weir_error *error) {
    char *user = NULL;
    char *password = NULL;
    WR_TRY(wr_driver_database_option(database, WR_ADBC_USERNAME, &user, error));
    int code = wr_driver_database_option(database, WR_ADBC_PASSWORD, &password, error);
    const struct weir_credential credential = {
        .size = sizeof credential,
        .type = WEIR_CREDENTIAL_PASSWORD,
        .user = user,
        .secret = password ? password : "",
    };
    if (code == WEIR_OK && user)
        code = weir_authenticate(database->workspace, &credential, ret_principal, error);
    if (password) explicit_bzero(password, strlen(password));
    wr_free(password);
    wr_free(user);
    return code;
}

static int open_session(struct wr_driver_connection *connection,
                        struct wr_driver_database *database, const struct weir_principal *principal,
                        const char *functions, struct weir_error *error) {
    size_t most = wr_door_n_settings + database->options.n_items + connection->options.n_items + 1;
    struct weir_option *settings = wr_calloc(most, sizeof *settings);
    if (!settings) return wr_error_memory(error);
    size_t n = 0;
    for (; n < wr_door_n_settings; n++)
        settings[n] = wr_door_settings[n];
    /* Held for the texts in it: set_option puts other ones in their place. */
    pthread_mutex_lock(&database->mutex);
    add_settings(&database->options, settings, &n);
    add_settings(&connection->options, settings, &n);
    const struct weir_session_options options = {
        .size = sizeof options,
        .settings = settings,
        .n_settings = n,
        .functions = functions,
        .principal = principal,
        .door = "adbc",
    };
    int code = weir_session_open(database->workspace, &options, &connection->session, error);
    pthread_mutex_unlock(&database->mutex);
    wr_free(settings);
    return code;
}

static const char *option(const struct wr_driver_connection *connection, const char *key) {
    return wr_options_get(connection->options.items, connection->options.n_items, key);
}

static int use_place(struct wr_driver_connection *connection, const char *catalog,
                     const char *schema, struct weir_error *error);

static int apply_place(struct wr_driver_connection *connection, struct weir_error *error) {
    const char *catalog = option(connection, WR_ADBC_CURRENT_CATALOG);
    const char *schema = option(connection, WR_ADBC_CURRENT_SCHEMA);
    return catalog || schema ? use_place(connection, catalog, schema, error) : WEIR_OK;
}

int wr_driver_connection_init(struct wr_driver_connection *connection,
                              struct wr_driver_database *database, struct weir_error *error) {
    struct weir_principal *principal = NULL;
    char *functions = NULL;
    if (connection->session)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the connection is initialised already");
    if (!database->workspace)
        return wr_error_set(error, WEIR_INVALID_STATE, NULL, "the database is not initialised yet");
    WR_TRY(wr_driver_database_option(database, WR_ADBC_WEIR_FUNCTIONS, &functions, error));
    int code = authenticate(database, &principal, error);
    if (code == WEIR_OK) code = open_session(connection, database, principal, functions, error);
    if (code == WEIR_OK) code = apply_place(connection, error);
    weir_principal_free(principal);
    wr_free(functions);
    if (code) {
        weir_session_close(connection->session);
        connection->session = NULL;
        return code;
    }
    connection->database = wr_driver_database_retain(database);
    return WEIR_OK;
}

/* ---- The current catalog and schema ---- */

static int run(struct wr_driver_connection *connection, const char *sql, struct weir_error *error) {
    struct ArrowArrayStream none = {0};
    int code = weir_query(connection->session, sql, &none, NULL, error);
    if (none.release) none.release(&none);
    if (code && error) error->position = 0;
    return code;
}

static int write_default_schema(struct wr_driver_connection *connection, const char *catalog,
                                struct wr_buffer *sql, struct weir_error *error) {
    struct wr_door_texts found = {.width = 1};
    struct wr_buffer query;
    wr_buffer_init(&query, MAX_STATEMENT);
    wr_buffer_text(&query, "SELECT namespace FROM system.public.namespaces WHERE catalog = ");
    wr_buffer_literal(&query, catalog);
    wr_buffer_text(&query, " ORDER BY is_default DESC, namespace <> 'public', namespace LIMIT 1");
    int code = query.failed ? wr_error_memory(error)
                            : wr_door_ask(connection->session, query.data, &found, error);
    if (code == WEIR_OK && found.n_rows > 0) {
        wr_buffer_char(sql, '.');
        wr_buffer_identifier(sql, wr_door_texts_get(&found, 0, 0));
    }
    wr_door_texts_reset(&found);
    wr_buffer_reset(&query);
    return code;
}

/* USE with both names: one alone might be a schema's or a catalog's. */
static int use_place(struct wr_driver_connection *connection, const char *catalog,
                     const char *schema, struct weir_error *error) {
    char *here = NULL;
    char *current_schema = NULL;
    struct wr_buffer sql;
    WR_TRY(weir_session_names(connection->session, &here, &current_schema, error));
    wr_buffer_init(&sql, MAX_STATEMENT);
    wr_buffer_text(&sql, "USE ");
    wr_buffer_identifier(&sql, catalog ? catalog : here);
    int code = WEIR_OK;
    if (schema) {
        wr_buffer_char(&sql, '.');
        wr_buffer_identifier(&sql, schema);
    } else {
        code = write_default_schema(connection, catalog, &sql, error);
    }
    weir_free(here);
    weir_free(current_schema);
    if (code == WEIR_OK)
        code = sql.failed ? wr_error_memory(error) : run(connection, sql.data, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Options ---- */

static int keep(struct wr_driver_connection *connection, const char *key, const char *value,
                struct weir_error *error) {
    pthread_mutex_lock(&connection->mutex);
    int code = wr_driver_option_put(&connection->options, key, value, error);
    pthread_mutex_unlock(&connection->mutex);
    return code;
}

static int set_place(struct wr_driver_connection *connection, const char *key, const char *value,
                     struct weir_error *error) {
    bool catalog = strcmp(key, WR_ADBC_CURRENT_CATALOG) == 0;
    if (!value)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "option \"%s\" without a value",
                            key);
    if (!connection->session) return keep(connection, key, value, error);
    return use_place(connection, catalog ? value : NULL, catalog ? NULL : value, error);
}

static int set_setting(struct wr_driver_connection *connection, const char *key, const char *value,
                       struct weir_error *error) {
    if (connection->session)
        WR_TRY(weir_session_set(connection->session, key + strlen(WR_ADBC_WEIR_SETTING),
                                value ? value : "", error));
    return keep(connection, key, value, error);
}

/* What is there to be refused, or to be the default. */
static int set_fixed(const char *key, const char *value, struct weir_error *error) {
    bool flag = false;
    if (strcmp(key, WR_ADBC_AUTOCOMMIT) == 0) {
        WR_TRY(wr_driver_flag(key, value, &flag, error));
        if (flag) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "weir has no transactions: each statement commits by itself");
    }
    if (strcmp(key, WR_ADBC_READ_ONLY) == 0) {
        WR_TRY(wr_driver_flag(key, value, &flag, error));
        if (!flag) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "a connection cannot be made read only");
    }
    if (strcmp(key, WR_ADBC_ISOLATION_LEVEL) == 0) {
        if (value && strcmp(value, WR_ADBC_ISOLATION_DEFAULT) == 0) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "weir has no transactions, and no isolation levels but the default");
    }
    return wr_driver_unknown_option(key, "connection", error);
}

int wr_driver_connection_set(struct wr_driver_connection *connection, const char *key,
                             const char *value, struct weir_error *error) {
    if (strcmp(key, WR_ADBC_CURRENT_CATALOG) == 0 || strcmp(key, WR_ADBC_CURRENT_SCHEMA) == 0)
        return set_place(connection, key, value, error);
    if (wr_driver_starts_with(key, WR_ADBC_WEIR_SETTING))
        return set_setting(connection, key, value, error);
    return set_fixed(key, value, error);
}

static int get_place(struct wr_driver_connection *connection, bool schema, char **ret_value,
                     struct weir_error *error) {
    char *names[2] = {0};
    WR_TRY(weir_session_names(connection->session, &names[0], &names[1], error));
    char *value = wr_strdup(names[schema ? 1 : 0]);
    weir_free(names[0]);
    weir_free(names[1]);
    if (!value) return wr_error_memory(error);
    *ret_value = value;
    return WEIR_OK;
}

static const char *fixed_value(const char *key) {
    if (strcmp(key, WR_ADBC_AUTOCOMMIT) == 0) return "true";
    if (strcmp(key, WR_ADBC_READ_ONLY) == 0) return "false";
    return strcmp(key, WR_ADBC_ISOLATION_LEVEL) == 0 ? WR_ADBC_ISOLATION_DEFAULT : NULL;
}

int wr_driver_connection_get(struct wr_driver_connection *connection, const char *key,
                             char **ret_value, struct weir_error *error) {
    bool schema = strcmp(key, WR_ADBC_CURRENT_SCHEMA) == 0;
    if (connection->session && (schema || strcmp(key, WR_ADBC_CURRENT_CATALOG) == 0))
        return get_place(connection, schema, ret_value, error);
    pthread_mutex_lock(&connection->mutex);
    const char *value = fixed_value(key) ? fixed_value(key) : option(connection, key);
    char *copy = wr_strdup(value);
    pthread_mutex_unlock(&connection->mutex);
    if (!value) return wr_driver_not_found(key, "connection", error);
    if (!copy) return wr_error_memory(error);
    *ret_value = copy;
    return WEIR_OK;
}

/* ---- Cancel ---- */

int wr_driver_connection_cancel(struct wr_driver_connection *connection, struct weir_error *error) {
    (void)error;
    pthread_mutex_lock(&connection->mutex);
    for (struct wr_driver_statement *statement = connection->statements; statement;
         statement = statement->next)
        wr_driver_statement_cancel(statement, NULL);
    pthread_mutex_unlock(&connection->mutex);
    weir_session_interrupt(connection->session);
    return WEIR_OK;
}
