/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "nanoarrow/nanoarrow.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/core.h"
#include "table/adbc/mysql.h"

enum { MOST_NAME = 1024 };

/* The text of a row of AdbcConnectionGetInfo: a code, and a union whose first member is a text. */
static char *text_of(const struct ArrowArrayView *view) {
    if (view->n_children != 2 || view->length < 1) return NULL;
    const struct ArrowArrayView *value = view->children[1];
    if (value->storage_type != NANOARROW_TYPE_DENSE_UNION || value->n_children < 1) return NULL;
    if (ArrowArrayViewUnionChildIndex(value, 0) != 0) return NULL;
    const struct ArrowArrayView *texts = value->children[0];
    int64_t at = ArrowArrayViewUnionChildOffset(value, 0);
    if (texts->storage_type != NANOARROW_TYPE_STRING || ArrowArrayViewIsNull(texts, at))
        return NULL;
    struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(texts, at);
    return wr_strndup(text.data, (size_t)text.size_bytes);
}

static char *first_text(struct ArrowArrayStream *rows) {
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct ArrowArrayView view;
    char *text = NULL;
    ArrowArrayViewInitFromType(&view, NANOARROW_TYPE_UNINITIALIZED);
    if (rows->get_schema(rows, &schema) == 0 && rows->get_next(rows, &array) == 0 &&
        array.release && ArrowArrayViewInitFromSchema(&view, &schema, NULL) == 0 &&
        ArrowArrayViewSetArray(&view, &array, NULL) == 0)
        text = text_of(&view);
    ArrowArrayViewReset(&view);
    wr_arrow_release_array(&array);
    wr_arrow_release_schema(&schema);
    return text;
}

/* "DuckDB" for "duckdb": the spelling of those whose ways are known. */
static const struct {
    const char *vendor;
    enum wr_adbc_family family;
} vendors[] = {
    {"PostgreSQL", WR_ADBC_POSTGRESQL}, {"SQLite", WR_ADBC_SQLITE},
    {"DuckDB", WR_ADBC_DUCKDB},         {"weir", WR_ADBC_WEIR},
    {"MySQL", WR_ADBC_MYSQL},           {"MariaDB", WR_ADBC_MYSQL},
};

/* A bridge says it of its server, "MariaDB (via ODBC)". The other families' ways are those of their
 * own drivers. */
static bool is_called(const char *said, const char *vendor, enum wr_adbc_family family) {
    size_t length = strlen(vendor);
    if (strcasecmp(said, vendor) == 0) return true;
    return family == WR_ADBC_MYSQL && strncasecmp(said, vendor, length) == 0 &&
           strcmp(said + length, " (via ODBC)") == 0;
}

static char *ask_vendor(struct wr_adbc_connection *connection) {
    const struct wr_adbc_driver *driver = connection->core->driver;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct ArrowArrayStream rows = {0};
    uint32_t code = WR_ADBC_INFO_VENDOR_NAME;
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, ConnectionGetInfo, &connection->adbc, &code, 1, &rows, &reason);
    char *vendor = status ? NULL : first_text(&rows);
    wr_arrow_release_stream(&rows);
    if (reason.release) reason.release(&reason);
    return vendor;
}

static int learn_vendor(struct wr_adbc_core *core, struct wr_adbc_connection *connection,
                        struct weir_error *error) {
    char *said = ask_vendor(connection);
    const char *vendor = said && said[0] ? said : core->settings.driver;
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
        bool named = said && is_called(said, vendors[i].vendor, vendors[i].family);
        if (named && core->family == WR_ADBC_OTHER) core->family = vendors[i].family;
        if (named || (!said && core->family == vendors[i].family)) vendor = vendors[i].vendor;
    }
    core->vendor = wr_strdup(vendor);
    wr_free(said);
    return core->vendor ? WEIR_OK : wr_error_memory(error);
}

/* PostgreSQL's is not tried: it is sent to the server, where it could hit what comes next. */
static bool find_cancel(struct wr_adbc_core *core, struct wr_adbc_connection *connection) {
    const struct wr_adbc_driver *driver = core->driver;
    if (driver->version < WR_ADBC_VERSION_1_1_0 || core->family == WR_ADBC_SQLITE) return false;
    if (core->family == WR_ADBC_POSTGRESQL) return true;
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    if (WR_ADBC_CALL(driver, StatementNew, &connection->adbc, &statement, &reason)) {
        if (reason.release) reason.release(&reason);
        return false;
    }
    bool has_cancel =
        WR_ADBC_CALL(driver, StatementCancel, &statement, &reason) != WEIR_NOT_IMPLEMENTED;
    if (reason.release) reason.release(&reason);
    reason = wr_adbc_error_new(driver);
    if (!has_cancel) {
        has_cancel = WR_ADBC_CALL(driver, ConnectionCancel, &connection->adbc, &reason) !=
                     WEIR_NOT_IMPLEMENTED;
        if (reason.release) reason.release(&reason);
        reason = wr_adbc_error_new(driver);
    }
    WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    return has_cancel;
}

/* Without a query it has nothing to execute; a driver that has no partitions says so all the same.
 */
static bool find_partitions(const struct wr_adbc_driver *driver,
                            struct wr_adbc_connection *connection) {
    struct AdbcError reason = wr_adbc_error_new(driver);
    struct AdbcStatement statement = {.private_driver = (struct AdbcDriver *)&driver->functions};
    struct ArrowSchema schema = {0};
    struct AdbcPartitions partitions = {0};
    int64_t n_rows = -1;
    if (!driver->functions.StatementExecutePartitions ||
        WR_ADBC_CALL(driver, StatementNew, &connection->adbc, &statement, &reason)) {
        if (reason.release) reason.release(&reason);
        return false;
    }
    bool has = WR_ADBC_CALL(driver, StatementExecutePartitions, &statement, &schema, &partitions,
                            &n_rows, &reason) != WEIR_NOT_IMPLEMENTED;
    if (partitions.release) partitions.release(&partitions);
    wr_arrow_release_schema(&schema);
    if (reason.release) reason.release(&reason);
    reason = wr_adbc_error_new(driver);
    WR_ADBC_CALL(driver, StatementRelease, &statement, &reason);
    if (reason.release) reason.release(&reason);
    return has;
}

/* A name, or NULL where the driver does not tell it. */
static char *ask_option(struct wr_adbc_connection *connection, const char *key) {
    const struct wr_adbc_driver *driver = connection->core->driver;
    if (driver->version < WR_ADBC_VERSION_1_1_0) return NULL;
    struct AdbcError reason = wr_adbc_error_new(driver);
    char value[MOST_NAME] = "";
    size_t length = sizeof value; /* with the zero at the end, also in the answer */
    AdbcStatusCode status =
        WR_ADBC_CALL(driver, ConnectionGetOption, &connection->adbc, key, value, &length, &reason);
    if (reason.release) reason.release(&reason);
    if (status || length > sizeof value || !value[0]) return NULL;
    return wr_strndup(value, sizeof value - 1);
}

int wr_adbc_learn(struct wr_adbc_core *core, const char *name, struct weir_error *error) {
    /* Nobody else knows the core yet. */
    WR_TRY(learn_vendor(core, core->idle, error));
    if (core->family == WR_ADBC_OTHER || core->family == WR_ADBC_WEIR) {
        core->catalog = ask_option(core->idle, WR_ADBC_CURRENT_CATALOG);
        core->schema = ask_option(core->idle, WR_ADBC_CURRENT_SCHEMA);
    }
    core->has_cancel = find_cancel(core, core->idle);
    /* These were made when the vendor was not known. */
    for (struct wr_adbc_connection *made = core->idle; made; made = made->next) {
        if (core->family == WR_ADBC_MYSQL) WR_TRY(wr_mysql_prepare(made, name, error));
    }
    bool may_have = core->family == WR_ADBC_OTHER || core->family == WR_ADBC_WEIR;
    core->has_partitions = may_have && find_partitions(core->driver, core->idle);
    return WEIR_OK;
}
