/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/mysql.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"

/* ---- Connections ---- */

static bool is_mariadb(const struct wr_adbc_core *core) {
    return strcasecmp(core->vendor, "MariaDB") == 0;
}

static const char *binary_collation(const struct wr_adbc_core *core) {
    return is_mariadb(core) ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
}

const char *wr_mysql_binary_collation(const struct wr_adbc_database *database) {
    return binary_collation(database->core);
}

/*
 * Strict, so that what a column cannot hold is an error and no other value. MariaDB's subquery
 * cache takes the answer of one row for that of another whose texts are equal by their columns'
 * collation, whatever collation the query compares them with.
 */
static void add_settings(const struct wr_adbc_core *core, struct wr_buffer *sql) {
    static const char mode[] = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,"
                               "NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION";
    long long timeout = core->settings.statement_timeout;
    wr_buffer_format(sql,
                     "SET SESSION sql_mode = '%s', time_zone = '+00:00', collation_connection = %s",
                     mode, binary_collation(core));
    if (is_mariadb(core)) {
        wr_buffer_text(sql, ", optimizer_switch = 'subquery_cache=off'");
        if (timeout > 0)
            wr_buffer_format(sql, ", max_statement_time = %lld.%03lld", timeout / 1000,
                             timeout % 1000);
    } else if (timeout > 0) {
        wr_buffer_format(sql, ", max_execution_time = %lld", timeout);
    }
}

int wr_mysql_prepare(struct wr_adbc_connection *connection, const char *name,
                     struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 12);
    add_settings(connection->core, &sql);
    int code =
        sql.failed ? wr_error_memory(error) : wr_adbc_run(connection, name, sql.data, NULL, error);
    wr_buffer_reset(&sql);
    return code;
}

/* ---- Errors ---- */

/* Their SQLSTATEs say little ("HY000", "42000"), the numbers tell: the manual's list of errors. */
bool wr_mysql_meaning(int number, int *ret_code, const char **ret_sqlstate) {
    static const struct {
        int number, code;
        const char *sqlstate;
    } meanings[] = {
        {1040, WEIR_IO, "53300"},               /* too many connections */
        {1044, WEIR_UNAUTHORIZED, "42501"},     /* no such database for this user */
        {1045, WEIR_UNAUTHENTICATED, "28P01"},  /* wrong password */
        {1049, WEIR_NOT_FOUND, "3D000"},        /* no such database */
        {1050, WEIR_ALREADY_EXISTS, "42P07"},   /* the table is there */
        {1051, WEIR_NOT_FOUND, "42P01"},        /* no table to drop */
        {1054, WEIR_NOT_FOUND, "42703"},        /* no such column */
        {1062, WEIR_INTEGRITY, "23505"},        /* a key twice */
        {1048, WEIR_INTEGRITY, "23502"},        /* NULL */
        {1064, WEIR_INVALID_ARGUMENT, "42601"}, /* syntax */
        {1142, WEIR_UNAUTHORIZED, "42501"},     /* not this table */
        {1143, WEIR_UNAUTHORIZED, "42501"},     /* not this column */
        {1146, WEIR_NOT_FOUND, "42P01"},        /* no such table */
        {1205, WEIR_TIMEOUT, "55P03"},          /* a lock */
        {1213, WEIR_INVALID_STATE, "40P01"},    /* a deadlock */
        {1264, WEIR_INVALID_DATA, "22003"},     /* out of a column's range */
        {1265, WEIR_INVALID_DATA, "22001"},     /* would be cut */
        {1292, WEIR_INVALID_DATA, "22007"},     /* no such value */
        {1305, WEIR_NOT_FOUND, "42883"},        /* no such function */
        {1317, WEIR_CANCELLED, "57014"},        /* KILL QUERY */
        {1365, WEIR_INVALID_DATA, "22012"},     /* a division by zero */
        {1366, WEIR_INVALID_DATA, "22018"},     /* no such value */
        {1406, WEIR_INVALID_DATA, "22001"},     /* too long for a column */
        {1451, WEIR_INTEGRITY, "23503"},        /* a foreign key */
        {1452, WEIR_INTEGRITY, "23503"},        /* a foreign key */
        {1690, WEIR_INVALID_DATA, "22003"},     /* out of range */
        {1698, WEIR_UNAUTHENTICATED, "28000"},  /* not by a password */
        {1927, WEIR_IO, "08006"},               /* KILL CONNECTION */
        {1969, WEIR_TIMEOUT, "57014"},          /* max_statement_time */
        {2002, WEIR_IO, "08001"},               /* no server */
        {2003, WEIR_IO, "08001"},               /* no server */
        {2005, WEIR_IO, "08001"},               /* no such host */
        {2006, WEIR_IO, "08006"},               /* it is gone */
        {2013, WEIR_IO, "08006"},               /* it went */
        {2026, WEIR_IO, "08001"},               /* TLS */
        {3024, WEIR_TIMEOUT, "57014"},          /* max_execution_time */
        {4025, WEIR_INTEGRITY, "23514"},        /* CHECK */
        {5013, WEIR_IO, "08006"},               /* it went while it was read from */
        {5014, WEIR_IO, "08006"},               /* and while it was written to */
        {3819, WEIR_INTEGRITY, "23514"},        /* CHECK */
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].number != number) continue;
        *ret_code = meanings[i].code;
        *ret_sqlstate = meanings[i].sqlstate;
        return true;
    }
    return false;
}

/* ---- URLs for ODBC ---- */

/* One attribute; the value in braces, in which a closing one is doubled (ODBC, SQLDriverConnect).
 */
static int add_attribute(struct wr_buffer *text, const char *key, const char *value, size_t length,
                         struct weir_error *error) {
    char *decoded = wr_strndup(value, length);
    if (!decoded) return wr_error_memory(error);
    bool good = wr_percent_decode(decoded);
    if (good && *decoded) {
        wr_buffer_format(text, "%s={", key);
        for (const char *c = decoded; *c; c++) {
            if (*c == '}') wr_buffer_char(text, '}');
            wr_buffer_char(text, *c);
        }
        wr_buffer_text(text, "};");
    }
    explicit_bzero(decoded, strlen(decoded));
    wr_free(decoded);
    if (good) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "the URL's %s has a %% without two hexadecimal digits", key);
}

/* "user:password@host:port" */
static int add_authority(struct wr_buffer *text, const char *start, size_t length,
                         struct weir_error *error) {
    const char *end = start + length, *host = start;
    for (const char *c = start; c < end; c++) {
        if (*c == '@') host = c + 1;
    }
    if (host > start) {
        size_t user = (size_t)(host - 1 - start);
        const char *colon = memchr(start, ':', user);
        WR_TRY(add_attribute(text, "UID", start, colon ? (size_t)(colon - start) : user, error));
        if (colon) WR_TRY(add_attribute(text, "PWD", colon + 1, (size_t)(host - colon) - 2, error));
    }
    const char *colon = host < end && *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
    colon = colon ? memchr(colon, ':', (size_t)(end - colon)) : NULL;
    WR_TRY(add_attribute(text, "Server", host, (size_t)((colon ? colon : end) - host), error));
    return colon ? add_attribute(text, "Port", colon + 1, (size_t)(end - colon) - 1, error)
                 : WEIR_OK;
}

/* "key=value&key=value" */
static int add_query(struct wr_buffer *text, const char *query, struct weir_error *error) {
    while (*query) {
        size_t length = strcspn(query, "&"), key = strcspn(query, "=&");
        char name[64];
        if (key == length || key == 0 || key >= sizeof name || strpbrk(query, ";{}"))
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "what follows ? in the URL is not key=value&key=value");
        snprintf(name, sizeof name, "%.*s", (int)key, query);
        WR_TRY(add_attribute(text, name, query + key + 1, length - key - 1, error));
        query += length + (query[length] == '&');
    }
    return WEIR_OK;
}

static int add_url(struct wr_buffer *text, const char *url, struct weir_error *error) {
    const char *start = strstr(url, "://") + 3;
    size_t authority = strcspn(start, "/?");
    const char *path = start + authority, *query = strchr(path, '?');
    /* The count of rows that a change found, as other databases have it, and not of those that it
     * made different; and texts of all of Unicode. */
    if (!query || !strcasestr(query, "driver=")) wr_buffer_text(text, "Driver={MariaDB Unicode};");
    wr_buffer_text(text, "Option=2;Charset=utf8mb4;");
    WR_TRY(add_authority(text, start, authority, error));
    if (*path == '/') {
        const char *end = query ? query : path + strlen(path);
        WR_TRY(add_attribute(text, "Database", path + 1, (size_t)(end - path) - 1, error));
    }
    if (query) WR_TRY(add_query(text, query + 1, error));
    return text->failed ? wr_error_memory(error) : WEIR_OK;
}

int wr_mysql_odbc_string(const char *url, char **ret_text, struct weir_error *error) {
    *ret_text = NULL;
    if (strncmp(url, "mysql://", 8) != 0 && strncmp(url, "mariadb://", 10) != 0) return WEIR_OK;
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 20);
    int code = add_url(&text, url, error);
    if (code == WEIR_OK) *ret_text = wr_strdup(text.data);
    if (code == WEIR_OK && !*ret_text) code = wr_error_memory(error);
    if (text.data) explicit_bzero(text.data, text.length);
    wr_buffer_reset(&text);
    return code;
}
