/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogs, schemas and tables, as lists and as answers. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "door/list.h"
#include "door/rows.h"
#include "door/schema.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

enum { MAX_QUERY = 1 << 20 };

#define SYSTEM "system"
#define INFORMATION_SCHEMA "information_schema"

/* Of each of the workspace's own catalogs: the engine makes them, and nobody lists them. */
static const char *const information_schema_tables[] = {
    "columns", "df_settings", "parameters", "routines", "schemata", "tables", "views",
};

/* ---- Queries ---- */

/* `query` with a catalog's name as the literal at its end. */
static int ask_of(struct weir_session *session, const char *query, const char *catalog,
                  struct wr_door_texts *texts, struct weir_error *error) {
    struct wr_buffer sql;
    wr_buffer_init(&sql, MAX_QUERY);
    wr_buffer_text(&sql, query);
    wr_buffer_literal(&sql, catalog);
    int code = sql.failed ? wr_error_memory(error) : wr_door_ask(session, sql.data, texts, error);
    wr_buffer_reset(&sql);
    return code;
}

/* Whether a catalog that failed with this is left out, and the others are told all the same. */
static bool may_skip(int code, const struct weir_error *reason) {
    return code != WEIR_CANCELLED && code != WEIR_TIMEOUT && code != WEIR_INVALID_STATE &&
           strcmp(reason->sqlstate, "53200") != 0;
}

static int give(const struct weir_error *reason, struct weir_error *error) {
    if (error) *error = *reason;
    return reason->code;
}

/* ---- Catalogs ---- */

int wr_door_list_catalogs(struct weir_session *session, const char *pattern,
                          struct wr_door_texts *ret_list, struct weir_error *error) {
    struct wr_door_texts all = {.width = WR_CATALOG_WIDTH};
    struct wr_door_texts list = {.width = WR_CATALOG_WIDTH};
    int code = wr_door_ask(session, "SELECT name, kind FROM system.public.mounts", &all, error);
    for (size_t i = 0; i < all.n_rows && code == WEIR_OK; i++) {
        if (!wr_door_fits(wr_door_texts_get(&all, i, WR_CATALOG_NAME), pattern)) continue;
        code = wr_door_texts_add(&list, (const char *const *)all.cells + i * all.width, error);
    }
    wr_door_texts_reset(&all);
    if (code) {
        wr_door_texts_reset(&list);
        return code;
    }
    wr_door_texts_sort(&list);
    *ret_list = list;
    return WEIR_OK;
}

/* Those that a request may be about: all, those of a pattern, or one, there or not. */
static int asked_catalogs(struct weir_session *session, const char *catalog, bool exact,
                          struct wr_door_texts *ret_list, struct weir_error *error) {
    struct wr_door_texts all = {.width = WR_CATALOG_WIDTH};
    if (!exact || !catalog) return wr_door_list_catalogs(session, catalog, ret_list, error);
    WR_TRY(wr_door_list_catalogs(session, NULL, &all, error));
    struct wr_door_texts list = {.width = WR_CATALOG_WIDTH};
    int code = WEIR_OK;
    for (size_t i = 0; i < all.n_rows && code == WEIR_OK; i++) {
        if (strcmp(wr_door_texts_get(&all, i, WR_CATALOG_NAME), catalog) != 0) continue;
        code = wr_door_texts_add(&list, (const char *const *)all.cells + i * all.width, error);
    }
    wr_door_texts_reset(&all);
    if (code) {
        wr_door_texts_reset(&list);
        return code;
    }
    *ret_list = list;
    return WEIR_OK;
}

static bool is_own(const struct wr_door_texts *catalogs, size_t i) {
    return strcmp(wr_door_texts_get(catalogs, i, WR_CATALOG_KIND), "catalog") == 0;
}

/* ---- Each catalog in turn ---- */

/* Adds what one catalog has. */
typedef int (*add_fn)(struct weir_session *session, const char *catalog, bool own,
                      const void *filter, struct wr_door_texts *list, struct weir_error *error);

static int each_catalog(struct weir_session *session, const char *catalog, bool exact, add_fn add,
                        const void *filter, struct wr_door_texts *list, struct weir_error *error) {
    struct wr_door_texts catalogs = {.width = WR_CATALOG_WIDTH};
    WR_TRY(asked_catalogs(session, catalog, exact, &catalogs, error));
    bool one = exact && catalog;
    int code = WEIR_OK;
    for (size_t i = 0; i < catalogs.n_rows && code == WEIR_OK; i++) {
        struct weir_error reason = {0};
        code = add(session, wr_door_texts_get(&catalogs, i, WR_CATALOG_NAME), is_own(&catalogs, i),
                   filter, list, &reason);
        if (code && !one && may_skip(code, &reason)) code = WEIR_OK;
        if (code) give(&reason, error);
    }
    wr_door_texts_reset(&catalogs);
    if (code) {
        wr_door_texts_reset(list);
    } else {
        wr_door_texts_sort(list);
    }
    return code;
}

static int add_schemas(struct weir_session *session, const char *catalog, bool own,
                       const void *filter, struct wr_door_texts *list, struct weir_error *error) {
    const char *pattern = filter;
    struct wr_door_texts all = {.width = WR_SCHEMA_WIDTH};
    int code =
        ask_of(session,
               "SELECT catalog, namespace FROM system.public.namespaces WHERE catalog = ", catalog,
               &all, error);
    const char *const own_schema[] = {catalog, INFORMATION_SCHEMA};
    if (code == WEIR_OK && own) code = wr_door_texts_add(&all, own_schema, error);
    for (size_t i = 0; i < all.n_rows && code == WEIR_OK; i++) {
        if (!wr_door_fits(wr_door_texts_get(&all, i, WR_SCHEMA_NAME), pattern)) continue;
        code = wr_door_texts_add(list, (const char *const *)all.cells + i * all.width, error);
    }
    wr_door_texts_reset(&all);
    return code;
}

int wr_door_list_schemas(struct weir_session *session, const char *catalog, bool exact,
                         const char *schema_pattern, struct wr_door_texts *ret_list,
                         struct weir_error *error) {
    struct wr_door_texts list = {.width = WR_SCHEMA_WIDTH};
    WR_TRY(each_catalog(session, catalog, exact, add_schemas, schema_pattern, &list, error));
    *ret_list = list;
    return WEIR_OK;
}

/* ---- Tables ---- */

/* What the types of system.tables are called here. */
static const char *type_of(const char *catalog, const char *type) {
    if (strcmp(catalog, SYSTEM) == 0) return "SYSTEM TABLE";
    if (strcmp(type, "view") == 0 || strcmp(type, "derived") == 0) return "VIEW";
    return "TABLE";
}

static bool wants_type(const struct wr_door_tables *filter, const char *type) {
    for (size_t i = 0; i < filter->n_types; i++) {
        if (strcmp(filter->types[i], type) == 0) return true;
    }
    return filter->n_types == 0;
}

static int add_if_wanted(const struct wr_door_tables *filter, const char *const *row,
                         struct wr_door_texts *list, struct weir_error *error) {
    if (!wants_type(filter, row[WR_TABLE_TYPE]) ||
        !wr_door_fits(row[WR_TABLE_SCHEMA], filter->schema_pattern) ||
        !wr_door_fits(row[WR_TABLE_NAME], filter->table_pattern))
        return WEIR_OK;
    return wr_door_texts_add(list, row, error);
}

static int add_information_schema(const char *catalog, const struct wr_door_tables *filter,
                                  struct wr_door_texts *list, struct weir_error *error) {
    for (size_t i = 0; i < N_OF(information_schema_tables); i++) {
        const char *const row[] = {"SYSTEM TABLE", catalog, INFORMATION_SCHEMA,
                                   information_schema_tables[i]};
        WR_TRY(add_if_wanted(filter, row, list, error));
    }
    return WEIR_OK;
}

static int add_tables(struct weir_session *session, const char *catalog, bool own, const void *data,
                      struct wr_door_texts *list, struct weir_error *error) {
    const struct wr_door_tables *filter = data;
    struct wr_door_texts all = {.width = WR_TABLE_WIDTH};
    if (own) WR_TRY(add_information_schema(catalog, filter, list, error));
    int code = ask_of(session,
                      "SELECT type, catalog, namespace, name FROM system.public.tables "
                      "WHERE catalog = ",
                      catalog, &all, error);
    for (size_t i = 0; i < all.n_rows && code == WEIR_OK; i++) {
        const char *const row[] = {type_of(catalog, wr_door_texts_get(&all, i, WR_TABLE_TYPE)),
                                   catalog, wr_door_texts_get(&all, i, WR_TABLE_SCHEMA),
                                   wr_door_texts_get(&all, i, WR_TABLE_NAME)};
        code = add_if_wanted(filter, row, list, error);
    }
    wr_door_texts_reset(&all);
    return code;
}

int wr_door_list_tables(struct weir_session *session, const struct wr_door_tables *filter,
                        bool exact, struct wr_door_texts *ret_list, struct weir_error *error) {
    struct wr_door_texts list = {.width = WR_TABLE_WIDTH};
    WR_TRY(each_catalog(session, filter->catalog, exact, add_tables, filter, &list, error));
    *ret_list = list;
    return WEIR_OK;
}

/* ---- Answers ---- */

int wr_door_catalogs(struct weir_session *session, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    static const struct wr_answer_column columns[] = {{"catalog_name", "u", true}};
    struct wr_door_texts list = {.width = WR_CATALOG_WIDTH};
    struct wr_answer answer;
    WR_TRY(wr_door_list_catalogs(session, NULL, &list, error));
    int code = wr_answer_init(&answer, columns, N_OF(columns), error);
    for (size_t i = 0; i < list.n_rows && code == WEIR_OK; i++) {
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_CATALOG_NAME));
        wr_answer_end_row(&answer);
    }
    wr_door_texts_reset(&list);
    return code ? code : wr_answer_finish(&answer, ret_rows, error);
}

int wr_door_schemas(struct weir_session *session, const char *catalog, const char *schema_pattern,
                    struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    static const struct wr_answer_column columns[] = {{"catalog_name", "u", false},
                                                      {"db_schema_name", "u", true}};
    struct wr_door_texts list = {.width = WR_SCHEMA_WIDTH};
    struct wr_answer answer;
    WR_TRY(wr_door_list_schemas(session, catalog, true, schema_pattern, &list, error));
    int code = wr_answer_init(&answer, columns, N_OF(columns), error);
    for (size_t i = 0; i < list.n_rows && code == WEIR_OK; i++) {
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_SCHEMA_CATALOG));
        wr_answer_text(&answer, wr_door_texts_get(&list, i, WR_SCHEMA_NAME));
        wr_answer_end_row(&answer);
    }
    wr_door_texts_reset(&list);
    return code ? code : wr_answer_finish(&answer, ret_rows, error);
}

/* The columns of a table as an IPC message, or a message without any. */
static int add_schema(struct weir_session *session, const struct wr_door_table *table,
                      struct wr_answer *answer, struct weir_error *error) {
    struct weir_error reason = {0};
    void *data = NULL;
    size_t length = 0;
    int code = wr_door_schema_bytes(session, table, &data, &length, &reason);
    if (code && !may_skip(code, &reason)) return give(&reason, error);
    if (code) WR_TRY(wr_door_no_schema_bytes(&data, &length, error));
    wr_answer_bytes(answer, data, length);
    wr_free(data);
    return WEIR_OK;
}

static int add_table(struct weir_session *session, const char *const *row, bool with_schema,
                     struct wr_answer *answer, struct weir_error *error) {
    const struct wr_door_table table = {row[WR_TABLE_CATALOG], row[WR_TABLE_SCHEMA],
                                        row[WR_TABLE_NAME]};
    wr_answer_text(answer, table.catalog);
    wr_answer_text(answer, table.schema);
    wr_answer_text(answer, table.name);
    wr_answer_text(answer, row[WR_TABLE_TYPE]);
    if (with_schema) WR_TRY(add_schema(session, &table, answer, error));
    wr_answer_end_row(answer);
    return WEIR_OK;
}

int wr_door_tables(struct weir_session *session, const struct wr_door_tables *filter,
                   struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    static const struct wr_answer_column columns[] = {{"catalog_name", "u", false},
                                                      {"db_schema_name", "u", false},
                                                      {"table_name", "u", true},
                                                      {"table_type", "u", true},
                                                      {"table_schema", "z", true}};
    struct wr_door_texts list = {.width = WR_TABLE_WIDTH};
    struct wr_answer answer;
    WR_TRY(wr_door_list_tables(session, filter, true, &list, error));
    int code = wr_answer_init(&answer, columns, filter->with_schemas ? 5 : 4, error);
    bool begun = code == WEIR_OK;
    for (size_t i = 0; i < list.n_rows && code == WEIR_OK; i++)
        code = add_table(session, (const char *const *)list.cells + i * list.width,
                         filter->with_schemas, &answer, error);
    wr_door_texts_reset(&list);
    if (code == WEIR_OK) return wr_answer_finish(&answer, ret_rows, error);
    if (begun) wr_answer_reset(&answer);
    return code;
}

int wr_door_table_types(struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    static const struct wr_answer_column columns[] = {{"table_type", "u", true}};
    static const char *const types[] = {"SYSTEM TABLE", "TABLE", "VIEW"};
    struct wr_answer answer;
    WR_TRY(wr_answer_init(&answer, columns, N_OF(columns), error));
    for (size_t i = 0; i < N_OF(types); i++) {
        wr_answer_text(&answer, types[i]);
        wr_answer_end_row(&answer);
    }
    return wr_answer_finish(&answer, ret_rows, error);
}
