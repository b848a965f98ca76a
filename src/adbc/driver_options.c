/* SPDX-License-Identifier: Apache-2.0 */
/* Setting and reading options of databases, connections and statements, which differ in nothing but
 * the object. */
#include "adbc/driver_table.h"

#include "adbc/typed.h"
#include "base/error.h"

/* ---- Any object ---- */

struct accessors {
    int (*find)(const void *object, void **ret_object, struct weir_error *error);
    wr_set_option_fn set;
    wr_get_option_fn get;
};

static int find_database(const void *object, void **ret_object, struct weir_error *error) {
    struct wr_driver_database *found = NULL;
    WR_TRY(wr_driver_database_of(object, &found, error));
    *ret_object = found;
    return WEIR_OK;
}

static int set_database(void *object, const char *key, const char *value,
                        struct weir_error *error) {
    return wr_driver_database_set(object, key, value, error);
}

static int get_database(void *object, const char *key, char **ret_value, struct weir_error *error) {
    return wr_driver_database_get(object, key, ret_value, error);
}

static int find_connection(const void *object, void **ret_object, struct weir_error *error) {
    struct wr_driver_connection *found = NULL;
    WR_TRY(wr_driver_connection_of(object, &found, error));
    *ret_object = found;
    return WEIR_OK;
}

static int set_connection(void *object, const char *key, const char *value,
                          struct weir_error *error) {
    return wr_driver_connection_set(object, key, value, error);
}

static int get_connection(void *object, const char *key, char **ret_value,
                          struct weir_error *error) {
    return wr_driver_connection_get(object, key, ret_value, error);
}

static int find_statement(const void *object, void **ret_object, struct weir_error *error) {
    struct wr_driver_statement *found = NULL;
    WR_TRY(wr_driver_statement_of(object, &found, error));
    *ret_object = found;
    return WEIR_OK;
}

static int set_statement(void *object, const char *key, const char *value,
                         struct weir_error *error) {
    return wr_driver_statement_set(object, key, value, error);
}

static int get_statement(void *object, const char *key, char **ret_value,
                         struct weir_error *error) {
    return wr_driver_statement_get(object, key, ret_value, error);
}

static const struct accessors database = {find_database, set_database, get_database};
static const struct accessors connection = {find_connection, set_connection, get_connection};
static const struct accessors statement = {find_statement, set_statement, get_statement};

static int find(const struct accessors *of, const void *object, const char *key, void **ret_object,
                struct weir_error *error) {
    WR_TRY(of->find(object, ret_object, error));
    return wr_driver_need(key, "the option's key", error);
}

static AdbcStatusCode set(const struct accessors *of, const void *object, const char *key,
                          const char *value, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = of->set(found, key, value, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode set_bytes(const struct accessors *of, const void *object, const char *key,
                                const uint8_t *value, size_t length, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_set_bytes(of->set, found, key, value, length, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode set_int(const struct accessors *of, const void *object, const char *key,
                              int64_t value, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_set_int(of->set, found, key, value, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode set_double(const struct accessors *of, const void *object, const char *key,
                                 double value, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_set_double(of->set, found, key, value, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode get(const struct accessors *of, const void *object, const char *key,
                          char *value, size_t *length, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_get(of->get, found, key, value, length, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode get_bytes(const struct accessors *of, const void *object, const char *key,
                                uint8_t *value, size_t *length, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_get_bytes(of->get, found, key, value, length, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode get_int(const struct accessors *of, const void *object, const char *key,
                              int64_t *ret_value, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_get_int(of->get, found, key, ret_value, &reason);
    return wr_driver_answer(code, &reason, error);
}

static AdbcStatusCode get_double(const struct accessors *of, const void *object, const char *key,
                                 double *ret_value, struct AdbcError *error) {
    struct weir_error reason = {0};
    void *found = NULL;
    int code = find(of, object, key, &found, &reason);
    if (code == WEIR_OK) code = wr_typed_get_double(of->get, found, key, ret_value, &reason);
    return wr_driver_answer(code, &reason, error);
}

/* ---- The functions of the table ---- */

#define FUNCTIONS(type, of)                                                                        \
    static AdbcStatusCode of##_set(struct type *object, const char *key, const char *value,        \
                                   struct AdbcError *error) {                                      \
        return set(&of, object, key, value, error);                                                \
    }                                                                                              \
    static AdbcStatusCode of##_set_bytes(struct type *object, const char *key,                     \
                                         const uint8_t *value, size_t length,                      \
                                         struct AdbcError *error) {                                \
        return set_bytes(&of, object, key, value, length, error);                                  \
    }                                                                                              \
    static AdbcStatusCode of##_set_int(struct type *object, const char *key, int64_t value,        \
                                       struct AdbcError *error) {                                  \
        return set_int(&of, object, key, value, error);                                            \
    }                                                                                              \
    static AdbcStatusCode of##_set_double(struct type *object, const char *key, double value,      \
                                          struct AdbcError *error) {                               \
        return set_double(&of, object, key, value, error);                                         \
    }                                                                                              \
    static AdbcStatusCode of##_get(struct type *object, const char *key, char *value,              \
                                   size_t *length, struct AdbcError *error) {                      \
        return get(&of, object, key, value, length, error);                                        \
    }                                                                                              \
    static AdbcStatusCode of##_get_bytes(struct type *object, const char *key, uint8_t *value,     \
                                         size_t *length, struct AdbcError *error) {                \
        return get_bytes(&of, object, key, value, length, error);                                  \
    }                                                                                              \
    static AdbcStatusCode of##_get_int(struct type *object, const char *key, int64_t *ret_value,   \
                                       struct AdbcError *error) {                                  \
        return get_int(&of, object, key, ret_value, error);                                        \
    }                                                                                              \
    static AdbcStatusCode of##_get_double(struct type *object, const char *key, double *ret_value, \
                                          struct AdbcError *error) {                               \
        return get_double(&of, object, key, ret_value, error);                                     \
    }

FUNCTIONS(AdbcDatabase, database)
FUNCTIONS(AdbcConnection, connection)
FUNCTIONS(AdbcStatement, statement)

void wr_driver_add_options(struct AdbcDriver *driver) {
    driver->DatabaseSetOption = database_set;
    driver->ConnectionSetOption = connection_set;
    driver->StatementSetOption = statement_set;
}

#define ADD_TYPED(prefix, of)                                                                      \
    driver->prefix##GetOption = of##_get;                                                          \
    driver->prefix##GetOptionBytes = of##_get_bytes;                                               \
    driver->prefix##GetOptionDouble = of##_get_double;                                             \
    driver->prefix##GetOptionInt = of##_get_int;                                                   \
    driver->prefix##SetOptionBytes = of##_set_bytes;                                               \
    driver->prefix##SetOptionDouble = of##_set_double;                                             \
    driver->prefix##SetOptionInt = of##_set_int

void wr_driver_add_typed_options(struct AdbcDriver *driver) {
    ADD_TYPED(Database, database);
    ADD_TYPED(Connection, connection);
    ADD_TYPED(Statement, statement);
}
