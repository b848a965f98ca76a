/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the doors for Arrow clients have in common: the catalog as tables in the columns that Flight
 * SQL prescribes (ADBC's GetObjects is made of the same), and bulk ingest. All of it is asked of a
 * session by SQL, so a user sees here what SQL would show.
 *
 * Names in filters: NULL is "any"; "" is a name that is empty, which none is here. Patterns are
 * those of LIKE, `%` and `_`, with `\` before one that is meant itself.
 */
#ifndef WR_DOOR_H
#define WR_DOOR_H

#include <stdbool.h>

#include "weir.h"

/* catalog_name: utf8 not null; ordered. */
int wr_door_catalogs(struct weir_session *session, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error);

/* catalog_name: utf8, db_schema_name: utf8 not null; ordered by both. */
int wr_door_schemas(struct weir_session *session, const char *catalog, const char *schema_pattern,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error);

struct wr_door_tables {
    const char *catalog;
    const char *schema_pattern;
    const char *table_pattern;
    const char *const *types; /* "TABLE", "VIEW", "SYSTEM TABLE" (information_schema and system) */
    size_t n_types;           /* 0: any */
    bool with_schemas;        /* the column table_schema, a serialized schema (IPC message) */
};
/*
 * catalog_name, db_schema_name: utf8, table_name, table_type: utf8 not null[, table_schema: binary
 * not null]; ordered by table_type, catalog, schema, table, as JDBC has it. A table whose columns
 * cannot be had (its file is gone) has a schema without columns.
 */
int wr_door_tables(struct weir_session *session, const struct wr_door_tables *filter,
                   struct ArrowArrayStream *ret_rows, struct weir_error *error);

/* table_type: utf8 not null. */
int wr_door_table_types(struct ArrowArrayStream *ret_rows, struct weir_error *error);

struct wr_door_table {
    const char *catalog; /* NULL: the session's current one */
    const char *schema;
    const char *name;
};

/* As Flight SQL's CommandGetPrimaryKeys: catalog_name, db_schema_name: utf8, table_name,
 * column_name: utf8 not null, key_name: utf8, key_sequence: int32 not null (from 1). */
int wr_door_primary_keys(struct weir_session *session, const struct wr_door_table *table,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error);
/* As CommandGetExportedKeys, GetImportedKeys, GetCrossReference: `referenced` and `referencing`,
 * one of which may be NULL. */
int wr_door_foreign_keys(struct weir_session *session, const struct wr_door_table *referenced,
                         const struct wr_door_table *referencing, struct ArrowArrayStream *ret_rows,
                         struct weir_error *error);

/* The columns of one table; WEIR_NOT_FOUND without it. */
int wr_door_table_schema(struct weir_session *session, const struct wr_door_table *table,
                         struct ArrowSchema *ret_schema, struct weir_error *error);

/* As CommandGetXdbcTypeInfo (JDBC's and ODBC's type information), with all its nineteen columns; of
 * one type, or of all. */
int wr_door_type_info(const int32_t *data_type, struct ArrowArrayStream *ret_rows,
                      struct weir_error *error);
/* What ARROW:FLIGHT:SQL:* metadata of a column say: the SQL name of a type ("BIGINT"). Static. */
const char *wr_door_type_name(const struct ArrowSchema *type);

/* A copy of a schema whose columns carry the ARROW:FLIGHT:SQL:* metadata: those of a table, or of a
 * query (NULL). */
int wr_door_describe_columns(const struct ArrowSchema *schema, const struct wr_door_table *table,
                             struct ArrowSchema *ret_schema, struct weir_error *error);
/* A schema as an encapsulated IPC message. Free with wr_free. WEIR_NOT_IMPLEMENTED for a type that
 * IPC cannot say. */
int wr_door_encode_schema(const struct ArrowSchema *schema, void **ret_data, size_t *ret_length,
                          struct weir_error *error);

/* Settings for sessions whose results go to Arrow clients: no view types, dictionaries or run-ends,
 * which many a client cannot read. */
extern const struct weir_option wr_door_settings[];
extern const size_t wr_door_n_settings;

/* ---- Ingest ---- */

enum wr_door_ingest_mode {
    WR_DOOR_CREATE = 1,       /* WEIR_ALREADY_EXISTS when it is there */
    WR_DOOR_APPEND = 2,       /* WEIR_NOT_FOUND when it is not */
    WR_DOOR_REPLACE = 3,      /* made anew */
    WR_DOOR_CREATE_APPEND = 4 /* made if it is not there */
};

/* Writes rows into a table, by name of column; as one statement of the session's policy and
 * history. Takes over `rows` always: when this returns they are released, and no thread asks them
 * any more. */
int wr_door_ingest(struct weir_session *session, const struct wr_door_table *table, int mode,
                   bool temporary, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                   struct weir_error *error);

/* ---- Texts ---- */

/* "name" quoted as an identifier, 'text' as a literal. Free with wr_free; NULL: no memory. */
char *wr_door_identifier(const char *name);
char *wr_door_literal(const char *text);

#endif
