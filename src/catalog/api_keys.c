/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes of users' API keys. */
#include <string.h>
#include <sys/random.h>
#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/store_sql.h"
#include "catalog/users.h"
#include "catalog/users_sql.h"

struct addition {
    const char *user;
    const char *prefix;
    const char *label;
    const unsigned char *hash;
    int64_t expires_at;
};

static int add(struct wr_store *store, void *context, struct weir_error *error) {
    const struct addition *key = context;
    sqlite3_stmt *statement = NULL;
    int64_t user = 0;
    bool row = false;
    WR_TRY(wr_store_number(store, "SELECT id FROM users WHERE name = ?1 AND NOT is_role",
                           (const char *[]){key->user}, 1, &user, error));
    if (!user) return wr_no_such_user("user", key->user, error);
    WR_TRY(wr_store_prepare(store,
                            "INSERT INTO api_keys(prefix, label, user_id, hash, created_at,"
                            " expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                            (const char *[]){key->prefix, key->label}, 2, &statement, error));
    sqlite3_bind_int64(statement, 3, user);
    sqlite3_bind_blob(statement, 4, key->hash, WR_KEY_HASH_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, wr_now_us());
    sqlite3_bind_int64(statement, 6, key->expires_at);
    int code = wr_store_step(store, statement, &row, error);
    wr_store_done(store, statement);
    if (code == WEIR_OK) wr_store_close_to_others(store);
    return code;
}

int wr_keys_add(struct wr_names *names, const char *user, const char *prefix, const char *label,
                const unsigned char hash[WR_KEY_HASH_SIZE], int64_t expires_at,
                struct weir_error *error) {
    struct addition key = {user, prefix, label, hash, expires_at};
    return wr_names_transact(names, add, &key, error);
}

static int find(struct wr_store *store, const char *prefix, struct wr_key *ret_key,
                struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    struct wr_key key = {0};
    bool row = false;
    WR_TRY(wr_store_prepare(store,
                            "SELECT k.hash, k.expires_at, u.name FROM api_keys k"
                            " JOIN users u ON u.id = k.user_id WHERE k.prefix = ?1",
                            (const char *[]){prefix}, 1, &statement, error));
    int code = wr_store_step(store, statement, &row, error);
    if (code == WEIR_OK && row && sqlite3_column_bytes(statement, 0) == WR_KEY_HASH_SIZE) {
        memcpy(key.hash, sqlite3_column_blob(statement, 0), WR_KEY_HASH_SIZE);
        key.expires_at = sqlite3_column_int64(statement, 1);
        key.user = wr_strdup((const char *)sqlite3_column_text(statement, 2));
        key.found = key.user != NULL;
        if (!key.user) code = wr_error_memory(error);
    }
    wr_store_done(store, statement);
    if (code == WEIR_OK) *ret_key = key;
    return code;
}

int wr_keys_find(struct wr_names *names, const char *prefix, struct wr_key *ret_key,
                 struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    int code = find(names->store, prefix, ret_key, error);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

static int drop(struct wr_store *store, void *context, struct weir_error *error) {
    const char *prefix = context;
    int64_t n = 0;
    WR_TRY(wr_store_number(store, "SELECT count(*) FROM api_keys WHERE prefix = ?1",
                           (const char *[]){prefix}, 1, &n, error));
    if (n == 0) return wr_no_such_user("API key", prefix, error);
    return wr_store_number(store, "DELETE FROM api_keys WHERE prefix = ?1",
                           (const char *[]){prefix}, 1, &n, error);
}

int wr_keys_drop(struct wr_names *names, const char *prefix, struct weir_error *error) {
    return wr_names_transact(names, drop, (void *)prefix, error);
}

static int take_key(sqlite3_stmt *statement, wr_key_info_fn take, void *sink,
                    struct weir_error *error) {
    const struct wr_key_info info = {
        .prefix = (const char *)sqlite3_column_text(statement, 0),
        .user = (const char *)sqlite3_column_text(statement, 1),
        .label = (const char *)sqlite3_column_text(statement, 2),
        .created_at = sqlite3_column_int64(statement, 3),
        .expires_at = sqlite3_column_int64(statement, 4),
    };
    return info.prefix && info.user ? take(sink, &info, error) : wr_error_memory(error);
}

int wr_keys_each(struct wr_names *names, wr_key_info_fn take, void *sink,
                 struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&names->mutex);
    int code = wr_store_prepare(names->store,
                                "SELECT k.prefix, u.name, k.label, k.created_at, k.expires_at"
                                " FROM api_keys k JOIN users u ON u.id = k.user_id"
                                " ORDER BY u.name, k.created_at, k.prefix",
                                NULL, 0, &statement, error);
    bool row = code == WEIR_OK;
    while (code == WEIR_OK && row) {
        code = wr_store_step(names->store, statement, &row, error);
        if (code == WEIR_OK && row) code = take_key(statement, take, sink, error);
    }
    wr_store_done(names->store, statement);
    pthread_mutex_unlock(&names->mutex);
    return code;
}

/* ---- The secret ---- */

static int read_secret(struct wr_store *store, unsigned char *ret_secret, bool *ret_found,
                       struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    bool row = false;
    WR_TRY(wr_store_prepare(store, "SELECT value FROM secrets WHERE name = 'api_keys'", NULL, 0,
                            &statement, error));
    int code = wr_store_step(store, statement, &row, error);
    *ret_found = code == WEIR_OK && row && sqlite3_column_bytes(statement, 0) == WR_KEY_HASH_SIZE;
    if (*ret_found) memcpy(ret_secret, sqlite3_column_blob(statement, 0), WR_KEY_HASH_SIZE);
    wr_store_done(store, statement);
    return code;
}

static int make_secret(struct wr_store *store, void *context, struct weir_error *error) {
    unsigned char *secret = context;
    sqlite3_stmt *statement = NULL;
    bool row = false;
    WR_TRY(read_secret(store, secret, &row, error));
    if (row) return WEIR_OK;
    if (getrandom(secret, WR_KEY_HASH_SIZE, 0) != WR_KEY_HASH_SIZE)
        return wr_error_errno(error, errno, "cannot get random bytes");
    WR_TRY(wr_store_prepare(store, "INSERT INTO secrets(name, value) VALUES ('api_keys', ?1)", NULL,
                            0, &statement, error));
    sqlite3_bind_blob(statement, 1, secret, WR_KEY_HASH_SIZE, SQLITE_STATIC);
    int code = wr_store_step(store, statement, &row, error);
    wr_store_done(store, statement);
    if (code == WEIR_OK) wr_store_close_to_others(store);
    return code;
}

int wr_keys_secret(struct wr_names *names, unsigned char ret_secret[WR_KEY_HASH_SIZE],
                   struct weir_error *error) {
    bool found = false;
    pthread_mutex_lock(&names->mutex);
    int code = read_secret(names->store, ret_secret, &found, error);
    pthread_mutex_unlock(&names->mutex);
    if (code || found) return code;
    return wr_names_transact(names, make_secret, ret_secret, error);
}
