/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers that give no SQLSTATE, and what their messages say in words. */
#include <string.h>

#include "table/adbc/core.h"

static const struct {
    enum wr_adbc_family family;
    const char *words;
    int code;
    const char *sqlstate;
} meanings[] = {
    {WR_ADBC_SQLITE, "no such table", WEIR_NOT_FOUND, "42P01"},
    {WR_ADBC_SQLITE, "no such column", WEIR_NOT_FOUND, "42703"},
    {WR_ADBC_SQLITE, "has no column named", WEIR_NOT_FOUND, "42703"},
    {WR_ADBC_SQLITE, "no such function", WEIR_NOT_FOUND, "42883"},
    {WR_ADBC_SQLITE, "syntax error", WEIR_INVALID_ARGUMENT, "42601"},
    {WR_ADBC_SQLITE, "already exists", WEIR_ALREADY_EXISTS, "42P07"},
    {WR_ADBC_SQLITE, "UNIQUE constraint failed", WEIR_INTEGRITY, "23505"},
    {WR_ADBC_SQLITE, "NOT NULL constraint failed", WEIR_INTEGRITY, "23502"},
    {WR_ADBC_SQLITE, "CHECK constraint failed", WEIR_INTEGRITY, "23514"},
    {WR_ADBC_SQLITE, "FOREIGN KEY constraint failed", WEIR_INTEGRITY, "23503"},
    {WR_ADBC_SQLITE, "Type mismatch in column", WEIR_INVALID_DATA, "22000"},
    {WR_ADBC_SQLITE, "integer overflow", WEIR_INVALID_DATA, "22003"},
    {WR_ADBC_SQLITE, "datatype mismatch", WEIR_INVALID_DATA, "42804"},
    {WR_ADBC_SQLITE, "string or blob too big", WEIR_INVALID_DATA, "54000"},
    {WR_ADBC_SQLITE, "is locked", WEIR_INVALID_STATE, "55P03"},
    {WR_ADBC_SQLITE, "readonly database", WEIR_UNAUTHORIZED, "25006"},
    {WR_ADBC_SQLITE, "file is not a database", WEIR_INVALID_DATA, "22000"},
    {WR_ADBC_SQLITE, "disk image is malformed", WEIR_INVALID_DATA, "XX001"},
    {WR_ADBC_SQLITE, "database or disk is full", WEIR_IO, "53100"},
    {WR_ADBC_DUCKDB, "Catalog Error: Table with name", WEIR_NOT_FOUND, "42P01"},
    {WR_ADBC_DUCKDB, "Catalog Error: Schema with name", WEIR_NOT_FOUND, "3F000"},
    {WR_ADBC_DUCKDB, "Catalog Error: Scalar Function with name", WEIR_NOT_FOUND, "42883"},
    {WR_ADBC_DUCKDB, "Binder Error: Referenced column", WEIR_NOT_FOUND, "42703"},
    {WR_ADBC_DUCKDB, "Binder Error", WEIR_INVALID_ARGUMENT, "42000"},
    {WR_ADBC_DUCKDB, "Parser Error", WEIR_INVALID_ARGUMENT, "42601"},
    {WR_ADBC_DUCKDB, "Constraint Error", WEIR_INTEGRITY, "23000"},
    {WR_ADBC_DUCKDB, "Conversion Error", WEIR_INVALID_DATA, "22018"},
    {WR_ADBC_DUCKDB, "Out of Range Error", WEIR_INVALID_DATA, "22003"},
    {WR_ADBC_DUCKDB, "Invalid Input Error", WEIR_INVALID_DATA, "22000"},
    {WR_ADBC_DUCKDB, "Out of Memory Error", WEIR_INTERNAL, "53200"},
    {WR_ADBC_DUCKDB, "INTERRUPT Error", WEIR_CANCELLED, "57014"},
    {WR_ADBC_DUCKDB, "IO Error", WEIR_IO, "58030"},
    /* What libpq says of a connection that was not made. */
    {WR_ADBC_POSTGRESQL, "password authentication failed", WEIR_UNAUTHENTICATED, "28P01"},
    {WR_ADBC_POSTGRESQL, "no password supplied", WEIR_UNAUTHENTICATED, "28P01"},
    {WR_ADBC_POSTGRESQL, "authentication failed for user", WEIR_UNAUTHENTICATED, "28000"},
    {WR_ADBC_POSTGRESQL, "[libpq] Failed to connect", WEIR_IO, "08001"},
};

bool wr_adbc_read_words(enum wr_adbc_family family, const char *message, int *ret_code,
                        const char **ret_sqlstate) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].family != family || !strstr(message, meanings[i].words)) continue;
        bool exists = strstr(message, "already exists") != NULL;
        *ret_code = exists ? WEIR_ALREADY_EXISTS : meanings[i].code;
        *ret_sqlstate = exists ? "42P07" : meanings[i].sqlstate;
        return true;
    }
    return false;
}
