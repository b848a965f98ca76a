/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE TABLE ... USING kind, weir's own statement. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/session.h"

enum { MAX_STATEMENT = 256 << 20 };

/* Where a part of the statement stands in the text that the engine was given, 0-based. */
struct part {
    const char *text;
    size_t offset;
};

static void add_part(struct wr_buffer *text, const char *sql, struct part *part) {
    part->text = sql;
    part->offset = text->length;
    if (sql) wr_buffer_text(text, sql);
}

/* Moves an error's position from the engine's text to the statement's own. */
static void locate(const char *sql, const struct part *parts, size_t n_parts,
                   struct weir_error *error) {
    if (!error || error->position == 0) return;
    int64_t position = 0;
    for (size_t i = 0; i < n_parts; i++) {
        int64_t within = error->position - 1 - (int64_t)parts[i].offset;
        const char *found = parts[i].text ? strstr(sql, parts[i].text) : NULL;
        if (found && within >= 0 && within <= (int64_t)strlen(parts[i].text)) {
            position = found - sql + within + 1;
        }
    }
    error->position = position;
}

int wr_using_plan(struct weir_session *session, const char *sql, const struct wr_statement *parsed,
                  struct wr_plan **ret_plan, struct weir_error *error) {
    if (!parsed->columns && !parsed->query) return WEIR_OK;
    struct part parts[2] = {0};
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_STATEMENT);
    wr_buffer_text(&text, "CREATE TABLE ");
    wr_buffer_identifier(&text, parsed->parts[2]);
    wr_buffer_char(&text, ' ');
    add_part(&text, parsed->columns, &parts[0]);
    if (parsed->query) wr_buffer_text(&text, " AS ");
    add_part(&text, parsed->query, &parts[1]);
    int code = text.failed ? wr_error_memory(error)
                           : wr_plan_new(session->engine, text.data, ret_plan, error);
    if (code) locate(sql, parts, 2, error);
    wr_buffer_reset(&text);
    return code;
}

/* A query needs a kind that takes rows; said before anything is opened or run. */
static int check_kind(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    const struct weir_table_kind *kind = NULL;
    WR_TRY(wr_registry_find(statement->session->workspace->registry, parsed->kind, &kind, error));
    if (!parsed->query || kind->insert) return WEIR_OK;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "table \"%s\": a table of kind %s is read only and takes no rows from AS; "
                        "leave out the query",
                        parsed->parts[2], kind->name);
}

static int create(struct weir_statement *statement, const char *catalog, const char *schema,
                  const struct ArrowSchema *columns, int64_t *ret_affected,
                  struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    if (parsed->parts[0]) catalog = parsed->parts[0];
    if (parsed->parts[1]) schema = parsed->parts[1];
    WR_TRY(wr_names_resolve(statement->session->workspace->names, &catalog, &schema, error));
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = catalog,
        .schema = schema,
        .name = parsed->parts[2],
        .kind = parsed->kind,
        .options = parsed->options.items,
        .n_options = parsed->options.n_items,
        .columns = columns,
    };
    int flags = (parsed->if_not_exists ? WR_CREATE_IF_NOT_EXISTS : 0) |
                (parsed->or_replace ? WR_CREATE_OR_REPLACE : 0) |
                (parsed->temporary ? WR_CREATE_TEMPORARY : 0);
    return wr_create_table(statement, &definition, flags, parsed->query != NULL, ret_affected,
                           error);
}

int wr_using_execute(struct weir_statement *statement, int64_t *ret_affected,
                     struct weir_error *error) {
    struct ArrowSchema columns = {0};
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(check_kind(statement, error));
    WR_TRY(wr_engine_session_names(statement->session->engine, &catalog, &schema, error));
    int code = WEIR_OK;
    const struct wr_plan *plan = wr_statement_plan(statement);
    if (plan) code = wr_plan_schema(plan, &columns, error);
    if (code == WEIR_OK && plan) code = wr_check_columns(&columns, error);
    if (code == WEIR_OK) {
        wr_caches_making(true);
        code = create(statement, catalog, schema, plan ? &columns : NULL, ret_affected, error);
        wr_caches_making(false);
    }
    wr_arrow_release_schema(&columns);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}
