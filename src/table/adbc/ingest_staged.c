/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "table/adbc/ingest.h"

static const char stage[] = "weir_ingest";

static void add_names(const struct wr_adbc_ingest *ingest, struct wr_buffer *sql) {
    for (int64_t i = 0; i < ingest->columns.n_children; i++) {
        if (i) wr_buffer_text(sql, ", ");
        wr_buffer_identifier(sql, ingest->columns.children[i]->name);
    }
}

static void add_values(const struct wr_adbc_ingest *ingest, struct wr_buffer *sql,
                       const char *(*cast)(const void *context, const char *column),
                       const void *context) {
    for (int64_t i = 0; i < ingest->columns.n_children; i++) {
        const char *name = ingest->columns.children[i]->name;
        if (i) wr_buffer_text(sql, ", ");
        wr_buffer_identifier(sql, name);
        if (cast) wr_buffer_format(sql, "::%s", cast(context, name));
    }
}

int wr_adbc_append_staged(struct wr_adbc_ingest *ingest, const char *schema,
                          const char *(*cast)(const void *context, const char *column),
                          const void *context, struct weir_error *error) {
    const char *name = ingest->database->name;
    WR_TRY(wr_adbc_ingest_into(ingest, NULL, stage, true, true, error));
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 24);
    wr_buffer_text(&sql, "INSERT INTO ");
    wr_adbc_target(ingest, &sql);
    wr_buffer_text(&sql, " (");
    add_names(ingest, &sql);
    wr_buffer_text(&sql, ") SELECT ");
    add_values(ingest, &sql, cast, context);
    wr_buffer_format(&sql, " FROM %s.%s", schema, stage);
    int code = sql.failed ? wr_error_memory(error)
                          : wr_adbc_run(ingest->connection, name, sql.data, NULL, error);
    if (!code) {
        wr_buffer_clear(&sql);
        wr_buffer_format(&sql, "DROP TABLE %s.%s", schema, stage);
        code = sql.failed ? wr_error_memory(error)
                          : wr_adbc_run(ingest->connection, name, sql.data, NULL, error);
    }
    wr_buffer_reset(&sql);
    return code;
}

int wr_adbc_duckdb_append(struct wr_adbc_ingest *ingest, struct weir_error *error) {
    const struct wr_adbc_core *core = ingest->connection->core;
    struct AdbcError reason = wr_adbc_error_new(core->driver);
    struct ArrowSchema table = {0};
    AdbcStatusCode status =
        WR_ADBC_CALL(core->driver, ConnectionGetTableSchema, &ingest->connection->adbc, NULL,
                     ingest->schema, ingest->table, &table, &reason);
    if (status)
        return wr_adbc_error(core, ingest->database->name, status, &reason, "ingest", error);
    bool same = table.n_children == ingest->columns.n_children;
    for (int64_t i = 0; same && i < table.n_children; i++) {
        const struct ArrowSchema *from = ingest->columns.children[i], *into = table.children[i];
        /* A type with parts is compared by the server. */
        same = strcmp(from->name, into->name) == 0 && strcmp(from->format, into->format) == 0 &&
               from->n_children == 0 && !from->dictionary;
    }
    wr_arrow_release_schema(&table);
    if (same)
        return wr_adbc_ingest_into(ingest, ingest->schema, ingest->table, false, false, error);
    return wr_adbc_append_staged(ingest, "temp", NULL, NULL, error);
}
