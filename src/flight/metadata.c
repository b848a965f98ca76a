/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that ask for the catalog. Each is its own ticket, so it may be got any number of
 * times. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "door/door.h"
#include "door/rows.h"
#include "flight/service.h"

/* ---- Schemas ---- */

static const struct wr_answer_column catalogs[] = {{"catalog_name", "u", true}};

static const struct wr_answer_column schemas[] = {
    {"catalog_name", "u", false},
    {"db_schema_name", "u", true},
};

static const struct wr_answer_column tables[] = {
    {"catalog_name", "u", false}, {"db_schema_name", "u", false}, {"table_name", "u", true},
    {"table_type", "u", true},    {"table_schema", "z", true},
};

static const struct wr_answer_column primary_keys[] = {
    {"catalog_name", "u", false}, {"db_schema_name", "u", false}, {"table_name", "u", true},
    {"column_name", "u", true},   {"key_name", "u", false},       {"key_sequence", "i", true},
};

static const struct wr_answer_column foreign_keys[] = {
    {"pk_catalog_name", "u", false}, {"pk_db_schema_name", "u", false},
    {"pk_table_name", "u", true},    {"pk_column_name", "u", true},
    {"fk_catalog_name", "u", false}, {"fk_db_schema_name", "u", false},
    {"fk_table_name", "u", true},    {"fk_column_name", "u", true},
    {"key_sequence", "i", true},     {"fk_key_name", "u", false},
    {"pk_key_name", "u", false},     {"update_rule", "C", true},
    {"delete_rule", "C", true},
};

static int make_schema(const struct wr_answer_column *columns, size_t n_columns,
                       struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct wr_answer answer;
    WR_TRY(wr_answer_init(&answer, columns, n_columns, error));
    wr_arrow_move_schema(&answer.schema, ret_schema);
    wr_answer_reset(&answer);
    return WEIR_OK;
}

static int schema_of(int (*open)(struct ArrowArrayStream *, struct weir_error *),
                     struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowArrayStream rows;
    WR_TRY(open(&rows, error));
    int code = wr_arrow_stream_schema(&rows, "metadata", ret_schema, error);
    wr_arrow_release_stream(&rows);
    return code;
}

/* ---- Rows ---- */

static int catalogs_rows(struct weir_session *session, struct wr_bytes value,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)value;
    return wr_door_catalogs(session, ret_rows, error);
}

static int schemas_rows(struct weir_session *session, struct wr_bytes value,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetDbSchemas *command;
    WR_TRY(WR_UNPACK(flight__command_get_db_schemas, value, &command, error));
    int code = wr_door_schemas(session, command->catalog, command->db_schema_filter_pattern,
                               ret_rows, error);
    wr_message_free(command);
    return code;
}

static int tables_rows(struct weir_session *session, struct wr_bytes value,
                       struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetTables *command;
    WR_TRY(WR_UNPACK(flight__command_get_tables, value, &command, error));
    struct wr_door_tables filter = {
        .catalog = command->catalog,
        .schema_pattern = command->db_schema_filter_pattern,
        .table_pattern = command->table_name_filter_pattern,
        .types = (const char *const *)command->table_types,
        .n_types = command->n_table_types,
        .with_schemas = command->include_schema,
    };
    int code = wr_door_tables(session, &filter, ret_rows, error);
    wr_message_free(command);
    return code;
}

static int table_types_rows(struct weir_session *session, struct wr_bytes value,
                            struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)session;
    (void)value;
    return wr_door_table_types(ret_rows, error);
}

static int type_info_rows(struct weir_session *session, struct wr_bytes value,
                          struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetXdbcTypeInfo *command;
    (void)session;
    WR_TRY(WR_UNPACK(flight__command_get_xdbc_type_info, value, &command, error));
    int code =
        wr_door_type_info(command->has_data_type ? &command->data_type : NULL, ret_rows, error);
    wr_message_free(command);
    return code;
}

static int sql_info_rows(struct weir_session *session, struct wr_bytes value,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetSqlInfo *command;
    (void)session;
    WR_TRY(WR_UNPACK(flight__command_get_sql_info, value, &command, error));
    int code = wr_flight_sql_info(command->info, command->n_info, ret_rows, error);
    wr_message_free(command);
    return code;
}

static int keys_rows(struct weir_session *session, struct wr_bytes value,
                     int (*ask)(struct weir_session *, const struct wr_door_table *,
                                struct ArrowArrayStream *, struct weir_error *),
                     struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetKeys *command;
    WR_TRY(WR_UNPACK(flight__command_get_keys, value, &command, error));
    struct wr_door_table table = {command->catalog, command->db_schema,
                                  command->table ? command->table : ""};
    int code = ask(session, &table, ret_rows, error);
    wr_message_free(command);
    return code;
}

static int exported(struct weir_session *session, const struct wr_door_table *table,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return wr_door_foreign_keys(session, table, NULL, ret_rows, error);
}

static int imported(struct weir_session *session, const struct wr_door_table *table,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return wr_door_foreign_keys(session, NULL, table, ret_rows, error);
}

static int primary_rows(struct weir_session *session, struct wr_bytes value,
                        struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return keys_rows(session, value, wr_door_primary_keys, ret_rows, error);
}

static int exported_rows(struct weir_session *session, struct wr_bytes value,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return keys_rows(session, value, exported, ret_rows, error);
}

static int imported_rows(struct weir_session *session, struct wr_bytes value,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return keys_rows(session, value, imported, ret_rows, error);
}

static int cross_rows(struct weir_session *session, struct wr_bytes value,
                      struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    Flight__CommandGetCrossReference *command;
    WR_TRY(WR_UNPACK(flight__command_get_cross_reference, value, &command, error));
    struct wr_door_table referenced = {command->pk_catalog, command->pk_db_schema,
                                       command->pk_table ? command->pk_table : ""};
    struct wr_door_table referencing = {command->fk_catalog, command->fk_db_schema,
                                        command->fk_table ? command->fk_table : ""};
    int code = wr_door_foreign_keys(session, &referenced, &referencing, ret_rows, error);
    wr_message_free(command);
    return code;
}

/* ---- The table ---- */

static int all_types(struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return wr_door_type_info(NULL, ret_rows, error);
}

static int no_info(struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    static const uint32_t none = UINT32_MAX;
    return wr_flight_sql_info(&none, 1, ret_rows, error);
}

#define COLUMNS(list) list, sizeof list / sizeof *list

static const struct command {
    const char *name;
    const struct wr_answer_column *columns; /* NULL: those of `open` */
    size_t n_columns;
    int (*rows)(struct weir_session *session, struct wr_bytes value,
                struct ArrowArrayStream *ret_rows, struct weir_error *error);
    int (*open)(struct ArrowArrayStream *ret_rows, struct weir_error *error);
} commands[] = {
    {"CommandGetCatalogs", COLUMNS(catalogs), catalogs_rows, NULL},
    {"CommandGetDbSchemas", COLUMNS(schemas), schemas_rows, NULL},
    {"CommandGetTables", COLUMNS(tables), tables_rows, NULL},
    {"CommandGetTableTypes", NULL, 0, table_types_rows, wr_door_table_types},
    {"CommandGetSqlInfo", NULL, 0, sql_info_rows, no_info},
    {"CommandGetXdbcTypeInfo", NULL, 0, type_info_rows, all_types},
    {"CommandGetPrimaryKeys", COLUMNS(primary_keys), primary_rows, NULL},
    {"CommandGetExportedKeys", COLUMNS(foreign_keys), exported_rows, NULL},
    {"CommandGetImportedKeys", COLUMNS(foreign_keys), imported_rows, NULL},
    {"CommandGetCrossReference", COLUMNS(foreign_keys), cross_rows, NULL},
};

static const struct command *find(const struct wr_any *any) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, any->name) == 0) return &commands[i];
    }
    return NULL;
}

bool wr_flight_is_metadata(const struct wr_any *any) {
    return find(any) != NULL;
}

int wr_flight_metadata_schema(const struct wr_any *any, struct ArrowSchema *ret_schema,
                              struct weir_error *error) {
    const struct command *command = find(any);
    if (command->open) return schema_of(command->open, ret_schema, error);
    size_t n_columns = command->n_columns;
    if (command->columns == tables) {
        Flight__CommandGetTables *message;
        WR_TRY(WR_UNPACK(flight__command_get_tables, any->value, &message, error));
        if (!message->include_schema) n_columns--;
        wr_message_free(message);
    }
    return make_schema(command->columns, n_columns, ret_schema, error);
}

int wr_flight_metadata_rows(struct wr_flight_session *session, const struct wr_any *any,
                            struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    return find(any)->rows(session->session, any->value, ret_rows, error);
}
