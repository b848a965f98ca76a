/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that are made in MySQL, whose CREATE, DROP and RENAME end a transaction: what was made
 * before a failure is dropped after it, and a new table takes its name by one RENAME.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/call.h"
#include "base/clock.h"
#include "base/error.h"
#include "table/adbc/backend.h"
#include "table/adbc/ingest.h"
#include "table/adbc/stop.h"

enum { MOST_SQL = 16 << 20 };

static void add_name(const struct wr_adbc_ingest *ingest, const char *table,
                     struct wr_buffer *sql) {
    const struct wr_adbc_name name = {NULL, ingest->schema, table};
    wr_adbc_full_name(sql, &name, '`');
}

/* "<before><table><after><second><end>" */
static int run(const struct wr_adbc_ingest *ingest, const char *before, const char *table,
               const char *after, const char *second, const char *end, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MOST_SQL);
    wr_buffer_text(&sql, before);
    add_name(ingest, table, &sql);
    wr_buffer_text(&sql, after);
    if (second) add_name(ingest, second, &sql);
    wr_buffer_text(&sql, end);
    int code = sql.failed
                   ? wr_error_memory(error)
                   : wr_adbc_run(ingest->connection, ingest->database->name, sql.data, NULL, error);
    wr_buffer_reset(&sql);
    return code;
}

static int make(struct wr_adbc_ingest *ingest, const char *table, struct weir_error *error) {
    char *copy = wr_strdup(table);
    if (!copy) return wr_error_memory(error);
    int code = run(ingest, "CREATE TABLE ", table, ingest->definition, NULL, "", error);
    if (code)
        wr_free(copy);
    else
        ingest->made = copy;
    WR_TRY(code);
    WR_TRY(wr_adbc_ingest_into(ingest, ingest->schema, table, false, false, error));
    if (wr_adbc_is_stopped(ingest->connection->stop))
        return wr_adbc_stopped(ingest->database->name, error);
    return WEIR_OK;
}

/* It stays. */
static void keep(struct wr_adbc_ingest *ingest) {
    wr_free(ingest->made);
    ingest->made = NULL;
}

int wr_adbc_mysql_create(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    WR_TRY(make(ingest, ingest->table, error));
    keep(ingest);
    return WEIR_OK;
}

int wr_adbc_mysql_replace(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    char made[64], old[64];
    struct weir_error own = {0};
    const int process = (int)getpid();
    const long long now = (long long)wr_clock_ms();
    snprintf(made, sizeof made, "weir_new_%d_%lld", process, now);
    snprintf(old, sizeof old, "weir_old_%d_%lld", process, now);
    WR_TRY(make(ingest, made, error));
    struct wr_buffer rest;
    wr_buffer_init(&rest, MOST_SQL);
    wr_buffer_text(&rest, ", ");
    add_name(ingest, made, &rest);
    wr_buffer_text(&rest, " TO ");
    add_name(ingest, ingest->table, &rest);
    int code = rest.failed
                   ? wr_error_memory(&own)
                   : run(ingest, "RENAME TABLE ", ingest->table, " TO ", old, rest.data, &own);
    wr_buffer_reset(&rest);
    bool was_there = code == WEIR_OK;
    if (code && strcmp(own.sqlstate, "42P01") == 0)
        code = run(ingest, "RENAME TABLE ", made, " TO ", ingest->table, "", &own);
    if (code) {
        if (error) *error = own;
        return code;
    }
    keep(ingest);
    return was_there ? run(ingest, "DROP TABLE ", old, "", NULL, "", error) : WEIR_OK;
}

/* By a connection of its own: that of the ingest may have been cancelled, or be lost. */
void wr_adbc_mysql_drop_made(struct wr_adbc_ingest *ingest) {
    if (!ingest->made) return;
    /* Also where nobody waits for it any more. */
    struct wr_call_service service;
    wr_call_serve(&service, NULL);
    if (wr_adbc_acquire(ingest->database, WR_ADBC_CHECKED, &ingest->connection, NULL) == WEIR_OK) {
        int code = run(ingest, "DROP TABLE IF EXISTS ", ingest->made, "", NULL, "", NULL);
        wr_adbc_give_back(ingest->connection, code == WEIR_OK);
    }
    wr_call_unserve(&service);
    keep(ingest);
}
