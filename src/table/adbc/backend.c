/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/backend.h"

#include <string.h>
#include <strings.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "table/adbc/answer.h"

const struct wr_adbc_backend *wr_adbc_backend_of(const struct wr_adbc_database *database) {
    static const struct wr_adbc_backend *const known[] = {&wr_adbc_postgresql, &wr_adbc_sqlite,
                                                          &wr_adbc_duckdb,     &wr_adbc_mysql,
                                                          &wr_adbc_mariadb,    &wr_adbc_weir};
    const char *vendor = wr_adbc_database_vendor(database);
    for (size_t i = 0; vendor && i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(known[i]->vendor, vendor) == 0) return known[i];
    }
    return &wr_adbc_generic;
}

/* ---- Items ---- */

int wr_adbc_items_add(struct wr_adbc_items *items, const char *name, enum wr_adbc_item_type type,
                      struct weir_error *error) {
    struct wr_adbc_item *grown = wr_reallocarray(items->items, items->n_items + 1, sizeof *grown);
    if (!grown) return wr_error_memory(error);
    items->items = grown;
    char *copy = wr_strdup(name);
    if (!copy) return wr_error_memory(error);
    grown[items->n_items++] = (struct wr_adbc_item){copy, type};
    return WEIR_OK;
}

const struct wr_adbc_item *wr_adbc_items_find(const struct wr_adbc_items *items, const char *name) {
    for (size_t i = 0; i < items->n_items; i++) {
        if (strcmp(items->items[i].name, name) == 0) return &items->items[i];
    }
    return NULL;
}

const char *wr_adbc_items_nearest(const struct wr_adbc_items *items, const char *name) {
    const char **names = wr_reallocarray(NULL, items->n_items + 1, sizeof *names);
    if (!names) return NULL;
    for (size_t i = 0; i < items->n_items; i++)
        names[i] = items->items[i].name;
    const char *nearest = wr_nearest(name, names, items->n_items);
    /* Names that differ in case only are what is most often meant. */
    for (size_t i = 0; i < items->n_items; i++) {
        if (strcasecmp(names[i], name) == 0) nearest = names[i];
    }
    wr_free(names);
    return nearest;
}

void wr_adbc_items_reset(struct wr_adbc_items *items) {
    for (size_t i = 0; i < items->n_items; i++)
        wr_free(items->items[i].name);
    wr_free(items->items);
    *items = (struct wr_adbc_items){0};
}

int wr_adbc_ask_items(struct wr_adbc_database *database, const char *sql,
                      enum wr_adbc_item_type type, struct wr_adbc_items *ret_items,
                      struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    struct wr_adbc_items items = {0};
    WR_TRY(wr_adbc_ask(database, sql, type == WR_ADBC_SCHEMA ? 1 : 2, &answer, error));
    int code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < answer.n_rows; i++) {
        bool is_view = type != WR_ADBC_SCHEMA && wr_adbc_cell_bool(&answer, i, 1);
        code = wr_adbc_items_add(&items, wr_adbc_cell(&answer, i, 0), is_view ? WR_ADBC_VIEW : type,
                                 error);
    }
    wr_adbc_answer_reset(&answer);
    if (code) wr_adbc_items_reset(&items);
    if (code == WEIR_OK) *ret_items = items;
    return code;
}

int wr_adbc_ask_name(struct wr_adbc_database *database, const char *sql, const char *fallback,
                     char **ret_name, struct weir_error *error) {
    struct wr_adbc_answer answer = {0};
    WR_TRY(wr_adbc_ask(database, sql, 1, &answer, error));
    const char *name = answer.n_rows > 0 ? wr_adbc_cell(&answer, 0, 0) : NULL;
    char *copy = wr_strdup(name ? name : fallback);
    wr_adbc_answer_reset(&answer);
    if (!copy) return wr_error_memory(error);
    *ret_name = copy;
    return WEIR_OK;
}

int wr_adbc_query_columns(struct wr_adbc_database *database, const char *query, const char *limit,
                          struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, SIZE_MAX - 1);
    wr_buffer_format(&sql, "SELECT * FROM %s AS q %s", query, limit);
    int code =
        sql.failed ? wr_error_memory(error) : wr_adbc_query(database, sql.data, &rows, error);
    wr_buffer_reset(&sql);
    WR_TRY(code);
    code = wr_arrow_stream_schema(&rows, "the database", ret_schema, error);
    wr_arrow_release_stream(&rows);
    return code;
}

/* ---- Names ---- */

const char *wr_adbc_own_schema(const struct wr_adbc_backend *backend, const char *schema) {
    bool is_none = schema && backend->may_lack_schemas && !backend->dot_is_a_schema;
    return is_none && strcmp(schema, ".") == 0 ? NULL : schema;
}

void wr_adbc_full_name(struct wr_buffer *text, const struct wr_adbc_name *name, char quote) {
    const char *parts[] = {name->catalog, name->schema, name->table};
    bool first = true;
    for (size_t i = 0; i < 3; i++) {
        if (!parts[i]) continue;
        if (!first) wr_buffer_char(text, '.');
        wr_adbc_quote(text, parts[i], quote);
        first = false;
    }
}
