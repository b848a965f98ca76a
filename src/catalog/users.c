/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/users.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/names.h"
#include "catalog/store_sql.h"
#include "catalog/users_sql.h"

int64_t wr_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int wr_no_such_user(const char *what, const char *name, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no %s \"%s\"", what, name);
}

int wr_store_user(struct wr_store *store, const char *name, int64_t *ret_id,
                  struct weir_error *error) {
    return wr_store_number(store, "SELECT id FROM users WHERE name = ?1", (const char *[]){name}, 1,
                           ret_id, error);
}

int wr_store_need_user(struct wr_store *store, const char *name, int64_t *ret_id,
                       struct weir_error *error) {
    WR_TRY(wr_store_user(store, name, ret_id, error));
    return *ret_id ? WEIR_OK : wr_no_such_user("user or role", name, error);
}

/* Nobody else's business, now that there are hashes in it. */
void wr_store_close_to_others(const struct wr_store *store) {
    struct stat status;
    if (stat(store->path, &status) == 0 && (status.st_mode & S_IRWXO))
        (void)!chmod(store->path, status.st_mode & 07770);
}

int wr_names_transact(struct wr_names *names, wr_transaction_fn run, void *context,
                      struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_begin(names->store, error);
    if (code == WEIR_OK)
        code = wr_store_end(names->store, run(names->store, context, error), error);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* ---- Changes of users ---- */

struct change {
    const char *name;
    const char *other; /* a hash, or a role */
    bool flag;
    bool if_exists;
};

static int add(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    int64_t id = 0;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    WR_TRY(wr_store_user(store, change->name, &id, error));
    if (id)
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                            "there is a user or role \"%s\" already", change->name);
    WR_TRY(wr_store_prepare(
        store, "INSERT INTO users(name, password, is_role, created_at) VALUES (?1, ?2, ?3, ?4)",
        (const char *[]){change->name, change->other}, 2, &statement, error));
    sqlite3_bind_int(statement, 3, change->flag);
    sqlite3_bind_int64(statement, 4, change->flag ? 0 : wr_now_us());
    int code = wr_store_step(store, statement, &row, error);
    wr_store_done(store, statement);
    if (code == WEIR_OK) wr_store_close_to_others(store);
    return code;
}

int wr_users_add(struct wr_names *names, const char *name, bool is_role, const char *password,
                 struct weir_error *error) {
    struct change change = {name, password, is_role, false};
    return wr_names_transact(names, add, &change, error);
}

static int need_login(struct wr_store *store, const char *name, struct weir_error *error) {
    int64_t id = 0;
    WR_TRY(wr_store_number(store, "SELECT id FROM users WHERE name = ?1 AND NOT is_role",
                           (const char *[]){name}, 1, &id, error));
    return id ? WEIR_OK : wr_no_such_user("user", name, error);
}

static int set_password(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    WR_TRY(need_login(store, change->name, error));
    return wr_store_number(store, "UPDATE users SET password = ?2 WHERE name = ?1",
                           (const char *[]){change->name, change->other}, 2, &(int64_t){0}, error);
}

int wr_users_set_password(struct wr_names *names, const char *name, const char *password,
                          struct weir_error *error) {
    struct change change = {name, password, false, false};
    return wr_names_transact(names, set_password, &change, error);
}

static int set_enabled(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    WR_TRY(need_login(store, change->name, error));
    return wr_store_number(store, "UPDATE users SET is_enabled = (?2 = '1') WHERE name = ?1",
                           (const char *[]){change->name, change->flag ? "1" : "0"}, 2,
                           &(int64_t){0}, error);
}

int wr_users_set_enabled(struct wr_names *names, const char *name, bool is_enabled,
                         struct weir_error *error) {
    struct change change = {name, NULL, is_enabled, false};
    return wr_names_transact(names, set_enabled, &change, error);
}

static int drop(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    int64_t id = 0;
    if (strcmp(change->name, WR_ROLE_ADMIN) == 0 || strcmp(change->name, WR_ROLE_PUBLIC) == 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42501",
                            "the role \"%s\" is weir's own and stays", change->name);
    WR_TRY(wr_store_number(store, "SELECT id FROM users WHERE name = ?1 AND is_role = (?2 = '1')",
                           (const char *[]){change->name, change->flag ? "1" : "0"}, 2, &id,
                           error));
    if (!id && change->if_exists) return WEIR_OK;
    if (!id) return wr_no_such_user(change->flag ? "role" : "user", change->name, error);
    return wr_store_number(store, "DELETE FROM users WHERE name = ?1",
                           (const char *[]){change->name}, 1, &(int64_t){0}, error);
}

int wr_users_drop(struct wr_names *names, const char *name, bool is_role, bool if_exists,
                  struct weir_error *error) {
    struct change change = {name, NULL, is_role, if_exists};
    return wr_names_transact(names, drop, &change, error);
}

/* ---- Members ---- */

static int join(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    int64_t role = 0;
    int64_t member = 0;
    int64_t circle = 0;
    WR_TRY(wr_store_number(store, "SELECT id FROM users WHERE name = ?1 AND is_role",
                           (const char *[]){change->other}, 1, &role, error));
    if (!role) return wr_no_such_user("role", change->other, error);
    if (strcmp(change->other, WR_ROLE_PUBLIC) == 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "0LP01",
                            "everybody is a member of \"%s\" already", change->other);
    WR_TRY(wr_store_need_user(store, change->name, &member, error));
    WR_TRY(wr_store_number(
        store,
        "WITH RECURSIVE above(id) AS (SELECT id FROM users WHERE name = ?2 UNION"
        " SELECT m.role_id FROM members m JOIN above a ON m.member_id = a.id)"
        " SELECT count(*) FROM above a JOIN users u ON u.id = a.id WHERE u.name = ?1",
        (const char *[]){change->name, change->other}, 2, &circle, error));
    if (circle)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "0LP01",
                            "\"%s\" is a member of \"%s\": the roles would form a circle",
                            change->other, change->name);
    return wr_store_number(store,
                           "INSERT OR IGNORE INTO members(role_id, member_id)"
                           " SELECT r.id, m.id FROM users r, users m"
                           " WHERE r.name = ?1 AND m.name = ?2",
                           (const char *[]){change->other, change->name}, 2, &(int64_t){0}, error);
}

int wr_users_join(struct wr_names *names, const char *role, const char *member,
                  struct weir_error *error) {
    struct change change = {member, role, false, false};
    return wr_names_transact(names, join, &change, error);
}

static int leave(struct wr_store *store, void *context, struct weir_error *error) {
    const struct change *change = context;
    int64_t id = 0;
    WR_TRY(wr_store_need_user(store, change->other, &id, error));
    WR_TRY(wr_store_need_user(store, change->name, &id, error));
    return wr_store_number(store,
                           "DELETE FROM members WHERE"
                           " role_id = (SELECT id FROM users WHERE name = ?1) AND"
                           " member_id = (SELECT id FROM users WHERE name = ?2)",
                           (const char *[]){change->other, change->name}, 2, &(int64_t){0}, error);
}

int wr_users_leave(struct wr_names *names, const char *role, const char *member,
                   struct weir_error *error) {
    struct change change = {member, role, false, false};
    return wr_names_transact(names, leave, &change, error);
}

/* ---- Questions ---- */

static int find(struct wr_store *store, const char *name, struct wr_user *ret_user,
                struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    struct wr_user user = {0};
    bool row = false;
    WR_TRY(wr_store_prepare(store,
                            "SELECT id, is_role, is_enabled, password FROM users WHERE name = ?1",
                            (const char *[]){name}, 1, &statement, error));
    int code = wr_store_step(store, statement, &row, error);
    if (code == WEIR_OK && row) {
        const char *password = (const char *)sqlite3_column_text(statement, 3);
        user.id = sqlite3_column_int64(statement, 0);
        user.is_role = sqlite3_column_int(statement, 1) != 0;
        user.is_enabled = sqlite3_column_int(statement, 2) != 0;
        user.password = wr_strdup(password);
        if (password && !user.password) code = wr_error_memory(error);
    }
    wr_store_done(store, statement);
    if (code == WEIR_OK) *ret_user = user;
    return code;
}

int wr_users_find(struct wr_names *names, const char *name, struct wr_user *ret_user,
                  struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = find(names->store, name, ret_user, error);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

int wr_users_any(struct wr_names *names, bool *ret_any, struct weir_error *error) {
    int64_t any = 0;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_number(names->store, "SELECT EXISTS(SELECT 1 FROM users WHERE NOT is_role)",
                               NULL, 0, &any, error);
    pthread_mutex_unlock(&names->mutex);
    if (code == WEIR_OK) *ret_any = any != 0;
    return code;
}

int wr_users_generation(struct wr_names *names, int64_t *ret_generation, struct weir_error *error) {
    int64_t version = 0;
    pthread_mutex_lock(&names->mutex);
    /* The first moves with the commits of other connections, the second with our own. */
    int code = wr_store_number(names->store, "PRAGMA data_version", NULL, 0, &version, error);
    if (code == WEIR_OK)
        *ret_generation =
            version * INT64_C(1000000007) + sqlite3_total_changes64(names->store->database);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

static int take_user(sqlite3_stmt *statement, wr_user_info_fn take, void *sink,
                     struct weir_error *error) {
    const struct wr_user_info info = {
        .name = (const char *)sqlite3_column_text(statement, 0),
        .is_role = sqlite3_column_int(statement, 1) != 0,
        .is_enabled = sqlite3_column_int(statement, 2) != 0,
        .created_at = sqlite3_column_int64(statement, 3),
        .roles = (const char *)sqlite3_column_text(statement, 4),
    };
    return info.name ? take(sink, &info, error) : wr_error_memory(error);
}

int wr_users_each(struct wr_names *names, wr_user_info_fn take, void *sink,
                  struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_prepare(
        names->store,
        "SELECT u.name, u.is_role, u.is_enabled, u.created_at,"
        " (SELECT group_concat(name, ',') FROM (SELECT r.name FROM members m JOIN users r"
        " ON r.id = m.role_id WHERE m.member_id = u.id ORDER BY r.name))"
        " FROM users u ORDER BY u.name",
        NULL, 0, &statement, error);
    bool row = code == WEIR_OK;
    while (code == WEIR_OK && row) {
        code = wr_store_step(names->store, statement, &row, error);
        if (code == WEIR_OK && row) code = take_user(statement, take, sink, error);
    }
    wr_store_done(names->store, statement);
    pthread_mutex_unlock(&names->mutex);
    return code;
}
