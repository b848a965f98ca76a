/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/core.h"
#include "table/adbc/mysql.h"

struct AdbcError wr_adbc_error_new(const struct wr_adbc_driver *driver) {
    return (struct AdbcError){
        .vendor_code = WR_ADBC_ERROR_IS_1_1,
        .private_driver = (struct AdbcDriver *)&driver->functions,
    };
}

/* "\0\0\0\0\0" when there is none. */
static bool has_sqlstate(const struct AdbcError *reason) {
    for (size_t i = 0; i < sizeof reason->sqlstate; i++) {
        if (!isalnum((unsigned char)reason->sqlstate[i])) return false;
    }
    return memcmp(reason->sqlstate, "00000", 5) != 0;
}

static int code_of(int status, const char *sqlstate, const char *message) {
    if (sqlstate && strcmp(sqlstate, "57014") == 0)
        return strstr(message, "timeout") ? WEIR_TIMEOUT : WEIR_CANCELLED;
    return status > WEIR_OK && status <= WEIR_UNAUTHORIZED ? status : WEIR_UNKNOWN;
}

/* Drivers repeat the statement, which may be long and is not the user's. */
static void trim(char *text) {
    static const char *const repeats[] = {"\nQuery was:", "\nquery was:", "\nquery:"};
    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++) {
        char *at = strstr(text, repeats[i]);
        if (at) *at = '\0';
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

/* A weir says "... (SQLSTATE 42P01, position 8)" at the end of its message, which its drivers hand
 * on in words of their own. The position is one in a statement that the user has not seen. */
static bool cut_sqlstate(char *message, char ret_state[6]) {
    static const char words[] = " (SQLSTATE ";
    char *at = NULL;
    for (char *found = strstr(message, words); found; found = strstr(found + 1, words))
        at = found;
    if (!at) return false;
    const char *state = at + sizeof words - 1;
    for (size_t i = 0; i < 5; i++) {
        if (!isalnum((unsigned char)state[i])) return false;
    }
    memcpy(ret_state, state, 5);
    ret_state[5] = '\0';
    *at = '\0';
    return true;
}

/* One that has not connected yet is known by the URL alone. */
static bool is_mysql(const struct wr_adbc_core *core) {
    const char *url = core->settings.url;
    return core->family == WR_ADBC_MYSQL ||
           (!core->vendor && url && (strstr(url, "mysql:") || strstr(url, "mariadb:")));
}

static int fill(const struct wr_adbc_core *core, const char *name, int status,
                const struct AdbcError *reason, const char *text, struct weir_error *error) {
    char state[6] = "";
    if (has_sqlstate(reason)) memcpy(state, reason->sqlstate, 5);
    char *message = wr_adbc_redact(&core->secrets, text);
    if (!message) return wr_error_memory(error);
    trim(message);
    if (core->family == WR_ADBC_WEIR && !state[0]) cut_sqlstate(message, state);
    const char *sqlstate = state[0] ? state : NULL;
    int code = code_of(status, sqlstate, message);
    if (!sqlstate) wr_adbc_read_words(core->family, message, &code, &sqlstate);
    wr_mysql_meaning(is_mysql(core) ? reason->vendor_code : 0, &code, &sqlstate);
    code = wr_error_set(error, code, sqlstate, "database \"%s\": %s", name, message);
    if (error && reason->vendor_code != WR_ADBC_ERROR_IS_1_1)
        error->vendor_code = reason->vendor_code;
    wr_free(message);
    return code;
}

int wr_adbc_error(const struct wr_adbc_core *core, const char *name, AdbcStatusCode status,
                  struct AdbcError *reason, const char *what, struct weir_error *error) {
    const char *text = reason->message && reason->message[0] ? reason->message
                       : status == WEIR_NOT_IMPLEMENTED      ? "the driver cannot do this"
                                                             : "the driver gives no reason";
    int code = fill(core, name, status, reason, text, error);
    if (!(reason->message && reason->message[0])) wr_error_append(error, " (%s)", what);
    if (reason->release) reason->release(reason);
    return code;
}

int wr_adbc_stream_error(const struct wr_adbc_core *core, const char *name,
                         struct ArrowArrayStream *stream, int errnum, struct weir_error *error) {
    const struct wr_adbc_driver *driver = core->driver;
    AdbcStatusCode status = WEIR_OK;
    const struct AdbcError *reason =
        driver->version >= WR_ADBC_VERSION_1_1_0 && driver->functions.ErrorFromArrayStream
            ? driver->functions.ErrorFromArrayStream(stream, &status)
            : NULL;
    /* The driver's stream owns that error. */
    if (reason && reason->message && reason->message[0])
        return fill(core, name, status ? status : WEIR_IO, reason, reason->message, error);
    struct weir_error plain;
    struct AdbcError nothing = {.vendor_code = WR_ADBC_ERROR_IS_1_1};
    int code = wr_error_errno(&plain, errnum, "x");
    const char *text = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return fill(core, name, code, &nothing, text && text[0] ? text : strerror(errnum), error);
}

bool wr_adbc_is_connection_error(const struct weir_error *error) {
    if (strncmp(error->sqlstate, "08", 2) == 0 || strncmp(error->sqlstate, "57P", 3) == 0)
        return true;
    /* 58030 is what weir gives an I/O error without a SQLSTATE. */
    return error->code == WEIR_IO && strcmp(error->sqlstate, "58030") == 0;
}
