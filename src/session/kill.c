/* SPDX-License-Identifier: Apache-2.0 */
/* KILL QUERY and KILL SESSION. */
#include "base/error.h"
#include "session/session.h"

bool wr_is_kill(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_KILL_QUERY || parsed->type == WR_STATEMENT_KILL_SESSION;
}

int wr_kill_execute(struct weir_statement *statement, struct weir_error *error) {
    struct wr_queries *queries = statement->session->workspace->queries;
    struct wr_access *access = statement->session->access;
    const char *id = statement->parsed.parts[2];
    /* Who may not do everything ends his own only. */
    const char *user = wr_access_is_all(access) ? NULL : wr_access_user(access);
    WR_TRY(wr_execution_check(statement, error));
    if (statement->parsed.type == WR_STATEMENT_KILL_QUERY)
        return wr_queries_kill(queries, id, user, error);
    return wr_queries_kill_session(queries, id, user, error);
}
