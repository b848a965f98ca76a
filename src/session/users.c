/* SPDX-License-Identifier: Apache-2.0 */
/* The statements on users, roles, keys and grants, and the system tables of them. */
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "session/session.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

bool wr_is_on_users(const struct wr_statement *parsed) {
    return parsed->type >= WR_STATEMENT_CREATE_USER && parsed->type <= WR_STATEMENT_SHOW_GRANTS;
}

bool wr_on_users_is_query(const struct wr_statement *parsed) {
    return parsed->type == WR_STATEMENT_CREATE_KEY || parsed->type == WR_STATEMENT_SHOW_KEYS ||
           parsed->type == WR_STATEMENT_SHOW_GRANTS;
}

static struct wr_names *names_of(const struct weir_statement *statement) {
    return statement->session->workspace->names;
}

/* An administrator, or the user himself. */
static int need_self(const struct weir_statement *statement, const char *what,
                     struct weir_error *error) {
    struct wr_access *access = statement->session->access;
    const char *own = wr_access_user(access);
    if (own && wr_access_hides(access) && strcmp(own, statement->parsed.user) == 0) return WEIR_OK;
    return wr_access_need_all(access, what, error);
}

/* ---- Users and roles ---- */

/* Names that a path of a certificate's list, a log and a shell can say. */
static int check_name(const char *name, struct weir_error *error) {
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == '=' || *c == ',' || *c == 0x7f) name = "";
    }
    if (*name && strlen(name) <= 256 && strcmp(name, "anonymous") != 0) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42602",
                        "a user's or role's name has 1 to 256 bytes, without control characters, "
                        "'=' and ',', and is not \"anonymous\"");
}

static int hash_of(const struct weir_statement *statement, char **ret_hash,
                   struct weir_error *error) {
    const char *password = statement->parsed.secret;
    if (!password) return WEIR_OK;
    return wr_password_hash(wr_auth_passwords(statement->session->workspace->auth), password,
                            ret_hash, error);
}

static int create(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_user user = {0};
    char *hash = NULL;
    bool is_role = parsed->type == WR_STATEMENT_CREATE_ROLE;
    WR_TRY(check_name(parsed->user, error));
    if (parsed->if_not_exists) {
        WR_TRY(wr_users_find(names_of(statement), parsed->user, &user, error));
        wr_free(user.password);
        if (user.id && user.is_role == is_role) return WEIR_OK;
    }
    WR_TRY(hash_of(statement, &hash, error));
    int code = wr_users_add(names_of(statement), parsed->user, is_role, hash, error);
    wr_free(hash);
    return code;
}

static int alter(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    char *hash = NULL;
    if (parsed->enable) {
        WR_TRY(wr_access_need_all(statement->session->access, "ALTER USER", error));
        return wr_users_set_enabled(names_of(statement), parsed->user, parsed->enable > 0, error);
    }
    WR_TRY(need_self(statement, "another user's password", error));
    WR_TRY(hash_of(statement, &hash, error));
    int code = wr_users_set_password(names_of(statement), parsed->user, hash, error);
    wr_free(hash);
    return code;
}

/* ---- Grants ---- */

static int check_there(struct wr_names *names, const struct wr_name *name, int level,
                       struct weir_error *error) {
    struct wr_instance *instance = NULL;
    if (level == WR_GRANT_CATALOG) {
        if (wr_names_has(names, name->catalog, NULL)) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_FOUND, "3D000", "there is no catalog or mount \"%s\"",
                            name->catalog);
    }
    if (level == WR_GRANT_SCHEMA) {
        if (wr_names_has(names, name->catalog, name->schema)) return WEIR_OK;
        return wr_error_set(error, WEIR_NOT_FOUND, "3F000",
                            "there is no namespace \"%s\" in \"%s\"", name->schema, name->catalog);
    }
    int code = wr_names_open_table(names, name, NULL, 0, &instance, error);
    if (code == WEIR_OK && !instance)
        code = wr_error_set(error, WEIR_NOT_FOUND, "42P01", "there is no table \"%s\" in %s.%s",
                            name->name, name->catalog, name->schema);
    wr_instance_release(instance);
    return code;
}

/* The last part given is of the level's sort. */
static struct wr_name named(const struct wr_statement *parsed, const char *catalog,
                            const char *schema) {
    char *const *parts = parsed->parts;
    if (parsed->level == WR_GRANT_CATALOG) return (struct wr_name){parts[2], "", ""};
    if (parsed->level == WR_GRANT_SCHEMA)
        return (struct wr_name){parts[1] ? parts[1] : catalog, parts[2], ""};
    return (struct wr_name){parts[0] ? parts[0] : catalog, parts[1] ? parts[1] : schema, parts[2]};
}

static int change_grant(const struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_names *names = names_of(statement);
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_engine_session_names(statement->session->engine, &catalog, &schema, error));
    struct wr_grant grant = {parsed->user, named(parsed, catalog, schema), parsed->privileges};
    bool grants = parsed->type == WR_STATEMENT_GRANT;
    int code = WEIR_OK;
    if (parsed->level == WR_GRANT_TABLE) code = wr_names_canonical(names, &grant.on, error);
    if (code == WEIR_OK && grants) code = check_there(names, &grant.on, parsed->level, error);
    if (code == WEIR_OK)
        code =
            grants ? wr_grants_add(names, &grant, error) : wr_grants_remove(names, &grant, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

static int drop_key(const struct weir_statement *statement, struct weir_error *error) {
    const char *prefix = statement->parsed.label;
    struct wr_key key = {0};
    struct wr_access *access = statement->session->access;
    WR_TRY(wr_keys_find(names_of(statement), prefix, &key, error));
    bool own = key.found && wr_access_sees_user(access, key.user);
    wr_free(key.user);
    if (!own && !wr_access_is_all(access))
        return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no API key \"%s\"", prefix);
    return wr_keys_drop(names_of(statement), prefix, error);
}

int wr_on_users_execute(struct weir_statement *statement, struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    struct wr_names *names = names_of(statement);
    if (parsed->type == WR_STATEMENT_ALTER_USER) return alter(statement, error);
    if (parsed->type == WR_STATEMENT_DROP_KEY) return drop_key(statement, error);
    WR_TRY(
        wr_access_need_all(statement->session->access, "managing users, roles and grants", error));
    switch (parsed->type) {
    case WR_STATEMENT_CREATE_USER:
    case WR_STATEMENT_CREATE_ROLE:
        return create(statement, error);
    case WR_STATEMENT_DROP_USER:
    case WR_STATEMENT_DROP_ROLE:
        return wr_users_drop(names, parsed->user, parsed->type == WR_STATEMENT_DROP_ROLE,
                             parsed->if_not_exists, error);
    case WR_STATEMENT_GRANT_ROLE:
        return wr_users_join(names, parsed->role, parsed->user, error);
    case WR_STATEMENT_REVOKE_ROLE:
        return wr_users_leave(names, parsed->role, parsed->user, error);
    default:
        return change_grant(statement, error);
    }
}

/* ---- Those that give rows ---- */

static const struct wr_column new_key_columns[] = {{"user_name", WR_COLUMN_TEXT, true},
                                                   {"api_key", WR_COLUMN_TEXT, true}};

static const struct wr_column key_columns[] = {
    {"prefix", WR_COLUMN_TEXT, true},           {"user_name", WR_COLUMN_TEXT, true},
    {"label", WR_COLUMN_TEXT, false},           {"created_at", WR_COLUMN_TIMESTAMP, true},
    {"expires_at", WR_COLUMN_TIMESTAMP, false},
};

static const struct wr_column grant_columns[] = {
    {"grantee", WR_COLUMN_TEXT, true},    {"catalog", WR_COLUMN_TEXT, false},
    {"namespace", WR_COLUMN_TEXT, false}, {"name", WR_COLUMN_TEXT, false},
    {"privilege", WR_COLUMN_TEXT, true},
};

const struct wr_column *wr_on_users_columns(const struct wr_statement *parsed,
                                            size_t *ret_n_columns) {
    if (parsed->type == WR_STATEMENT_CREATE_KEY) {
        *ret_n_columns = N_OF(new_key_columns);
        return new_key_columns;
    }
    bool keys = parsed->type == WR_STATEMENT_SHOW_KEYS;
    *ret_n_columns = keys ? N_OF(key_columns) : N_OF(grant_columns);
    return keys ? key_columns : grant_columns;
}

static int make_key(struct weir_statement *statement, struct wr_rows *rows,
                    struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    char key[WR_KEY_SIZE];
    WR_TRY(need_self(statement, "another user's API key", error));
    WR_TRY(wr_api_key_make(names_of(statement), parsed->user, parsed->label, parsed->lifetime_ms,
                           key, error));
    wr_rows_text(rows, parsed->user);
    wr_rows_text(rows, key);
    sodium_memzero(key, sizeof key);
    return wr_rows_end(rows, error);
}

static int add_key(void *sink, const struct wr_key_info *info, struct weir_error *error) {
    struct wr_rows *rows = sink;
    if (!wr_rows_see_user(rows, info->user)) return WEIR_OK;
    wr_rows_text(rows, info->prefix);
    wr_rows_text(rows, info->user);
    wr_rows_text(rows, info->label);
    wr_rows_time(rows, info->created_at);
    if (info->expires_at)
        wr_rows_time(rows, info->expires_at);
    else
        wr_rows_null(rows);
    return wr_rows_end(rows, error);
}

static const struct {
    uint32_t bit;
    const char *name;
} privileges[] = {
    {WR_MAY_SELECT, "SELECT"}, {WR_MAY_INSERT, "INSERT"}, {WR_MAY_UPDATE, "UPDATE"},
    {WR_MAY_DELETE, "DELETE"}, {WR_MAY_CREATE, "CREATE"}, {WR_MAY_DROP, "DROP"},
    {WR_MAY_ALTER, "ALTER"},
};

struct grants {
    struct wr_rows *rows;
    const char *only; /* NULL: all that may be seen */
};

static int add_grant(void *sink, const struct wr_grant *grant, struct weir_error *error) {
    const struct grants *grants = sink;
    struct wr_rows *rows = grants->rows;
    if (grants->only && strcmp(grants->only, grant->grantee) != 0) return WEIR_OK;
    if (!wr_rows_see_user(rows, grant->grantee)) return WEIR_OK;
    for (size_t i = 0; i < N_OF(privileges); i++) {
        if (!(grant->privileges & privileges[i].bit)) continue;
        wr_rows_text(rows, grant->grantee);
        wr_rows_text(rows, grant->on.catalog);
        wr_rows_text(rows, *grant->on.schema ? grant->on.schema : NULL);
        wr_rows_text(rows, *grant->on.name ? grant->on.name : NULL);
        wr_rows_text(rows, privileges[i].name);
        WR_TRY(wr_rows_end(rows, error));
    }
    return WEIR_OK;
}

static int add_member(void *sink, const char *role, const char *member, struct weir_error *error) {
    const struct grants *grants = sink;
    struct wr_rows *rows = grants->rows;
    struct wr_buffer text;
    if (grants->only && strcmp(grants->only, member) != 0) return WEIR_OK;
    if (!wr_rows_see_user(rows, member)) return WEIR_OK;
    wr_buffer_init(&text, 1024);
    wr_buffer_format(&text, "ROLE %s", role);
    wr_rows_text(rows, member);
    for (int i = 0; i < 3; i++)
        wr_rows_null(rows);
    wr_rows_text(rows, text.data);
    wr_buffer_reset(&text);
    return wr_rows_end(rows, error);
}

static int fill_grants(struct wr_names *names, struct wr_rows *rows, const char *only,
                       struct weir_error *error) {
    struct grants grants = {rows, only};
    WR_TRY(wr_members_each(names, add_member, &grants, error));
    return wr_grants_each(names, add_grant, &grants, error);
}

int wr_on_users_fill(struct weir_statement *statement, struct wr_rows *rows,
                     struct weir_error *error) {
    const struct wr_statement *parsed = &statement->parsed;
    if (parsed->type == WR_STATEMENT_CREATE_KEY) return make_key(statement, rows, error);
    if (parsed->type == WR_STATEMENT_SHOW_KEYS)
        return wr_keys_each(names_of(statement), add_key, rows, error);
    return fill_grants(names_of(statement), rows, parsed->user, error);
}

/* ---- System tables ---- */

int wr_grants_fill(void *names, struct wr_rows *rows, struct weir_error *error) {
    return fill_grants(names, rows, NULL, error);
}

static int add_user(void *sink, const struct wr_user_info *info, struct weir_error *error) {
    struct wr_rows *rows = sink;
    if (info->is_role || !wr_rows_see_user(rows, info->name)) return WEIR_OK;
    wr_rows_text(rows, info->name);
    wr_rows_text(rows, info->roles);
    wr_rows_time(rows, info->created_at);
    wr_rows_bool(rows, info->is_enabled);
    return wr_rows_end(rows, error);
}

int wr_users_fill(void *names, struct wr_rows *rows, struct weir_error *error) {
    return wr_users_each(names, add_user, rows, error);
}
