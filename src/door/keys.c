/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, of which weir knows those that are declared: system.constraints. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "door/list.h"
#include "door/rows.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { MAX_QUERY = 1 << 20 };

#define QUERY                                                                                      \
    "SELECT catalog, namespace, table_name, constraint_name, constraint_type, "                    \
    "CAST(ordinal_position AS VARCHAR) AS place, column_name FROM system.public.constraints"
#define ORDER                                                                                      \
    " ORDER BY catalog, namespace, table_name, constraint_type, constraint_name, ordinal_position"

static void add_condition(struct wr_buffer *sql, const char *word, const char *column,
                          const char *value) {
    wr_buffer_format(sql, " %s %s = ", word, column);
    wr_buffer_literal(sql, value);
}

static int ask(struct weir_session *session, const struct wr_door_table *table,
               struct wr_door_texts *texts, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MAX_QUERY);
    wr_buffer_text(&sql, QUERY);
    if (table) {
        add_condition(&sql, "WHERE", "catalog", table->catalog);
        add_condition(&sql, "AND", "namespace", table->schema);
        add_condition(&sql, "AND", "table_name", table->name);
    }
    wr_buffer_text(&sql, ORDER);
    int code = sql.failed ? wr_error_memory(error) : wr_door_ask(session, sql.data, texts, error);
    wr_buffer_reset(&sql);
    if (code) wr_door_texts_reset(texts);
    return code;
}

/* The table with the session's current names in the place of those that are missing. */
static int ask_of_table(struct weir_session *session, const struct wr_door_table *table,
                        struct wr_door_texts *texts, struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(weir_session_names(session, &catalog, &schema, error));
    const struct wr_door_table full = {table->catalog ? table->catalog : catalog,
                                       table->schema ? table->schema : schema, table->name};
    int code = ask(session, &full, texts, error);
    weir_free(catalog);
    weir_free(schema);
    return code;
}

int wr_door_list_constraints(struct weir_session *session, const struct wr_door_table *table,
                             struct wr_door_texts *ret_list, struct weir_error *error) {
    struct wr_door_texts list = {.width = WR_CONSTRAINT_WIDTH};
    WR_TRY(table ? ask_of_table(session, table, &list, error) : ask(session, NULL, &list, error));
    *ret_list = list;
    return WEIR_OK;
}

int wr_door_primary_keys(struct weir_session *session, const struct wr_door_table *table,
                         struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    static const struct wr_answer_column columns[] = {
        {"catalog_name", "u", false}, {"db_schema_name", "u", false}, {"table_name", "u", true},
        {"column_name", "u", true},   {"key_name", "u", false},       {"key_sequence", "i", true},
    };
    struct wr_door_texts list = {.width = WR_CONSTRAINT_WIDTH};
    struct wr_answer answer;
    WR_TRY(wr_door_list_constraints(session, table, &list, error));
    int code = wr_answer_init(&answer, columns, N_OF(columns), error);
    for (size_t i = 0; i < list.n_rows && code == WEIR_OK; i++) {
        if (strcmp(wr_door_texts_get(&list, i, WR_CONSTRAINT_TYPE), "PRIMARY KEY") != 0) continue;
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CONSTRAINT_CATALOG));
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CONSTRAINT_SCHEMA));
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CONSTRAINT_TABLE));
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CONSTRAINT_COLUMN));
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CONSTRAINT_NAME));
        wr_answer_int(&answer,
                      strtol(wr_door_texts_get(&list, i, WR_CONSTRAINT_POSITION), NULL, 10));
        wr_answer_end_row(&answer);
    }
    wr_door_texts_reset(&list);
    return code ? code : wr_answer_finish(&answer, ret_rows, error);
}

/* The engine has no FOREIGN KEY: CREATE TABLE refuses one. */
int wr_door_foreign_keys(struct weir_session *session, const struct wr_door_table *referenced,
                         const struct wr_door_table *referencing, struct ArrowArrayStream *ret_rows,
                         struct weir_error *error) {
    (void)session;
    static const struct wr_answer_column columns[] = {
        {"pk_catalog_name", "u", false}, {"pk_db_schema_name", "u", false},
        {"pk_table_name", "u", true},    {"pk_column_name", "u", true},
        {"fk_catalog_name", "u", false}, {"fk_db_schema_name", "u", false},
        {"fk_table_name", "u", true},    {"fk_column_name", "u", true},
        {"key_sequence", "i", true},     {"fk_key_name", "u", false},
        {"pk_key_name", "u", false},     {"update_rule", "C", true},
        {"delete_rule", "C", true},
    };
    struct wr_answer answer;
    if (!referenced && !referencing)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "keys of no table are asked for");
    WR_TRY(wr_answer_init(&answer, columns, N_OF(columns), error));
    return wr_answer_finish(&answer, ret_rows, error);
}
