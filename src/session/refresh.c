/* SPDX-License-Identifier: Apache-2.0 */
/* REFRESH, and changes of cached tables. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/session.h"

/* The table of a name in the session; *ret_instance stays NULL when there is none. */
static int open_named(struct weir_session *session, char *const parts[3],
                      const struct weir_option *options, size_t n_options,
                      struct wr_instance **ret_instance, struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    struct wr_name name = {parts[0] ? parts[0] : catalog, parts[1] ? parts[1] : schema, parts[2]};
    int code =
        wr_gated_open(&session->names->gated, &name, options, n_options, ret_instance, error);
    if (code == WEIR_NOT_FOUND && wr_access_hides(session->access)) code = WEIR_OK;
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

/* ---- REFRESH ---- */

bool wr_is_refresh(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_REFRESH || parsed->type == WR_STATEMENT_REFRESH_MOUNT;
}

static bool is_cancelled(void *context) {
    return wr_execution_check(context, NULL) != WEIR_OK;
}

static int refresh_instance(struct wr_instance *instance, struct weir_error *error) {
    const struct weir_table_kind *kind = wr_instance_kind(instance);
    if (wr_is_cached(instance) || !kind->refresh) return WEIR_OK;
    return kind->refresh(wr_instance_data(instance), error);
}

/* What the table itself remembers of its columns comes first. */
static int refresh_source(struct weir_statement *statement, struct weir_error *error) {
    const struct weir_option off = {WR_CACHED_SWITCH, "off"};
    struct wr_instance *source = NULL;
    WR_TRY(open_named(statement->session, statement->parsed.parts, &off, 1, &source, error));
    int code = source ? refresh_instance(source, error) : WEIR_OK;
    wr_instance_release(source);
    return code;
}

static int refresh_table(struct weir_statement *statement, struct weir_error *error) {
    const char *name = statement->parsed.parts[2];
    struct wr_instance *instance = NULL;
    WR_TRY(open_named(statement->session, statement->parsed.parts, NULL, 0, &instance, error));
    if (!instance) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "there is no table \"%s\" to refresh",
                            name);
    }
    int code;
    if (wr_is_cached(instance)) {
        code = refresh_source(statement, error);
        if (code == WEIR_OK) code = wr_cached_refresh(instance, is_cancelled, statement, error);
    } else {
        code = refresh_instance(instance, error);
    }
    wr_instance_release(instance);
    return code;
}

static int refresh_mount(struct weir_statement *statement, struct weir_error *error) {
    struct weir_workspace *workspace = statement->session->workspace;
    const char *name = statement->parsed.parts[2];
    WR_TRY(wr_names_refresh_mount(workspace->names, name, error));
    return wr_caches_forget(workspace->caches, name, NULL, NULL, error);
}

int wr_refresh_execute(struct weir_statement *statement, struct weir_error *error) {
    WR_TRY(wr_execution_check(statement, error));
    return statement->parsed.type == WR_STATEMENT_REFRESH ? refresh_table(statement, error)
                                                          : refresh_mount(statement, error);
}

/* ---- Changes ---- */

enum { MAX_STATEMENT = 256 << 20 };

static int rewrite(const struct wr_statement *parsed, const char *source, char **ret_text,
                   struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_STATEMENT);
    wr_buffer_add(&text, parsed->text, parsed->target_start);
    wr_buffer_text(&text, source);
    wr_buffer_text(&text, parsed->text + parsed->target_start + parsed->target_length);
    *ret_text = wr_buffer_take(&text);
    return *ret_text ? WEIR_OK : wr_error_memory(error);
}

int wr_write_through(struct weir_statement *statement, char **ret_text, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_instance *instance = NULL;
    if (parsed->change == WR_CHANGE_NONE) return WEIR_OK;
    struct weir_error own = {0};
    int opened = open_named(statement->session, parsed->target, NULL, 0, &instance, &own);
    if (opened && strcmp(own.sqlstate, "53200") == 0) return wr_error_memory(error);
    /* A name that is none is the engine's to complain of. */
    if (opened || !instance) return WEIR_OK;
    int code = WEIR_OK;
    if (wr_is_cached(instance)) {
        statement->through = wr_instance_retain(instance);
        if (parsed->change == WR_CHANGE_INSERT) {
            code = rewrite(parsed, wr_cached_source(instance), ret_text, error);
        } else {
            code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "\"%s\" is a cached table: only INSERT goes through it; change "
                                "its source \"%s\", then REFRESH TABLE",
                                parsed->target[2], wr_cached_source_name(instance));
        }
    }
    wr_instance_release(instance);
    return code;
}

void wr_write_through_locate(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    if (!error || error->position == 0) return;
    int64_t start = (int64_t)parsed->target_start;
    int64_t added =
        (int64_t)strlen(wr_cached_source(statement->through)) - (int64_t)parsed->target_length;
    if (error->position <= start) return;
    error->position = error->position - 1 - added >= start ? error->position - added : start + 1;
}
