/* SPDX-License-Identifier: Apache-2.0 */
/* What was granted to whom, and who is a member of which role. */
#include "base/error.h"
#include "catalog/store_sql.h"
#include "catalog/users.h"
#include "catalog/users_sql.h"

#define N_TEXTS 4

static int run(struct wr_store *store, const char *sql, const struct wr_grant *grant,
               struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    WR_TRY(wr_store_prepare(
        store, sql,
        (const char *[]){grant->grantee, grant->on.catalog, grant->on.schema, grant->on.name},
        N_TEXTS, &statement, error));
    sqlite3_bind_int64(statement, N_TEXTS + 1, grant->privileges);
    int code = wr_store_step(store, statement, &row, error);
    wr_store_done(store, statement);
    return code;
}

static int add(struct wr_store *store, void *context, struct weir_error *error) {
    const struct wr_grant *grant = context;
    int64_t id = 0;
    WR_TRY(wr_store_need_user(store, grant->grantee, &id, error));
    return run(store,
               "INSERT INTO grants(grantee_id, catalog, schema, name, privileges)"
               " SELECT id, ?2, ?3, ?4, ?5 FROM users WHERE name = ?1"
               " ON CONFLICT DO UPDATE SET privileges = privileges | excluded.privileges",
               grant, error);
}

int wr_grants_add(struct wr_names *names, const struct wr_grant *grant, struct weir_error *error) {
    struct wr_grant copy = *grant;
    return wr_names_transact(names, add, &copy, error);
}

static int take_away(struct wr_store *store, void *context, struct weir_error *error) {
    const struct wr_grant *grant = context;
    int64_t id = 0;
    WR_TRY(wr_store_need_user(store, grant->grantee, &id, error));
    return run(store,
               "UPDATE grants SET privileges = privileges & ~?5 WHERE"
               " grantee_id = (SELECT id FROM users WHERE name = ?1)"
               " AND catalog = ?2 AND schema = ?3 AND name = ?4",
               grant, error);
}

static int remove_empty(struct wr_store *store, void *context, struct weir_error *error) {
    WR_TRY(take_away(store, context, error));
    return wr_store_execute(store, "DELETE FROM grants WHERE privileges = 0", error);
}

int wr_grants_remove(struct wr_names *names, const struct wr_grant *grant,
                     struct weir_error *error) {
    struct wr_grant copy = *grant;
    return wr_names_transact(names, remove_empty, &copy, error);
}

#define BELOW "WHERE catalog = ?1 AND (schema = ?2 OR ?2 = '') AND (name = ?3 OR ?3 = '')"

int wr_grants_forget(struct wr_names *names, const struct wr_name *name, struct weir_error *error) {
    const char *texts[] = {name->catalog, name->schema, name->name};
    int64_t any = 0;
    /* Mostly there is none, and the file need not be written. */
    WR_TRY(wr_store_number(names->store, "SELECT EXISTS(SELECT 1 FROM grants " BELOW ")", texts, 3,
                           &any, error));
    if (!any) return WEIR_OK;
    return wr_store_number(names->store, "DELETE FROM grants " BELOW, texts, 3, &any, error);
}

int wr_grants_rename(struct wr_names *names, const struct wr_name *from, const char *to,
                     struct weir_error *error) {
    return wr_store_number(names->store,
                           "UPDATE OR REPLACE grants SET name = ?4"
                           " WHERE catalog = ?1 AND schema = ?2 AND name = ?3",
                           (const char *[]){from->catalog, from->schema, from->name, to}, 4,
                           &(int64_t){0}, error);
}

/* ---- Walking ---- */

static int take_grant(sqlite3_stmt *statement, wr_grant_fn take, void *sink,
                      struct weir_error *error) {
    const char *texts[N_TEXTS];
    for (int i = 0; i < N_TEXTS; i++) {
        texts[i] = (const char *)sqlite3_column_text(statement, i);
        if (!texts[i]) return wr_error_memory(error);
    }
    const struct wr_grant grant = {
        texts[0], {texts[1], texts[2], texts[3]}, (uint32_t)sqlite3_column_int64(statement, 4)};
    return take(sink, &grant, error);
}

int wr_grants_each(struct wr_names *names, wr_grant_fn take, void *sink, struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_prepare(names->store,
                                "SELECT u.name, g.catalog, g.schema, g.name, g.privileges"
                                " FROM grants g JOIN users u ON u.id = g.grantee_id"
                                " ORDER BY u.name, g.catalog, g.schema, g.name",
                                NULL, 0, &statement, error);
    bool row = code == WEIR_OK;
    while (code == WEIR_OK && row) {
        code = wr_store_step(names->store, statement, &row, error);
        if (code == WEIR_OK && row) code = take_grant(statement, take, sink, error);
    }
    wr_store_done(names->store, statement);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

int wr_members_each(struct wr_names *names, wr_member_fn take, void *sink,
                    struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_prepare(names->store,
                                "SELECT r.name, u.name FROM members m"
                                " JOIN users r ON r.id = m.role_id"
                                " JOIN users u ON u.id = m.member_id ORDER BY r.name, u.name",
                                NULL, 0, &statement, error);
    bool row = code == WEIR_OK;
    while (code == WEIR_OK && row) {
        code = wr_store_step(names->store, statement, &row, error);
        if (code || !row) break;
        const char *role = (const char *)sqlite3_column_text(statement, 0);
        const char *member = (const char *)sqlite3_column_text(statement, 1);
        code = role && member ? take(sink, role, member, error) : wr_error_memory(error);
    }
    wr_store_done(names->store, statement);
    pthread_mutex_unlock(&names->mutex);
    return code;
}
