/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/store.h"

#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "catalog/store_sql.h"

enum { SCHEMA_VERSION = 3, BUSY_MILLISECONDS = 5000 };

/* From each version of the database to the next. */
static const char *const migrations[SCHEMA_VERSION] = {
    "CREATE TABLE catalogs(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE schemas(id INTEGER PRIMARY KEY,"
    " catalog_id INTEGER NOT NULL REFERENCES catalogs ON DELETE CASCADE, name TEXT NOT NULL,"
    " UNIQUE(catalog_id, name));"
    "CREATE TABLE tables(id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " schema_id INTEGER NOT NULL REFERENCES schemas ON DELETE CASCADE, name TEXT NOT NULL,"
    " kind TEXT NOT NULL, columns BLOB, UNIQUE(schema_id, name));"
    "CREATE TABLE options(table_id INTEGER NOT NULL REFERENCES tables ON DELETE CASCADE,"
    " position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(table_id, position)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;",
    "CREATE TABLE mounts(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL);"
    "CREATE TABLE mount_options(mount_id INTEGER NOT NULL REFERENCES mounts ON DELETE CASCADE,"
    " position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(mount_id, position)) WITHOUT ROWID;"
    "PRAGMA user_version = 2;",
    /* A grant's empty texts are "any". Names of what is granted are kept as names: mounts have no
     * rows of their own. */
    "CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " is_role INTEGER NOT NULL, password TEXT, is_enabled INTEGER NOT NULL DEFAULT 1,"
    " created_at INTEGER NOT NULL);"
    "CREATE TABLE members(role_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
    " member_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
    " PRIMARY KEY(role_id, member_id)) WITHOUT ROWID;"
    "CREATE TABLE grants(grantee_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"
    " catalog TEXT NOT NULL, schema TEXT NOT NULL, name TEXT NOT NULL,"
    " privileges INTEGER NOT NULL,"
    " PRIMARY KEY(grantee_id, catalog, schema, name)) WITHOUT ROWID;"
    "CREATE TABLE api_keys(prefix TEXT PRIMARY KEY,"
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, label TEXT,"
    " hash BLOB NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE secrets(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "INSERT INTO users(name, is_role, created_at) VALUES ('admin', 1, 0), ('public', 1, 0);"
    "PRAGMA user_version = 3;",
};

/* ---- Statements ---- */

int wr_store_error(const struct wr_store *store, struct weir_error *error) {
    const char *text = sqlite3_errmsg(store->database);
    int code = WEIR_IO;
    const char *sqlstate = "58030";
    const char *advice = "";
    switch (sqlite3_errcode(store->database)) {
    case SQLITE_NOMEM:
        return wr_error_memory(error);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        sqlstate = "55P03";
        advice = "; another process keeps it locked, try again when it is done";
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = WEIR_INVALID_DATA;
        sqlstate = "XX001";
        advice = "; the file is damaged or not weir's: restore it from a copy, or move it away";
        break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        advice = "; the directory and the file must be writable";
        break;
    case SQLITE_FULL:
        sqlstate = "53100";
        break;
    }
    return wr_error_set(error, code, sqlstate, "catalog \"%s\": %s%s", store->path, text, advice);
}

int wr_store_execute(struct wr_store *store, const char *sql, struct weir_error *error) {
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK) return WEIR_OK;
    return wr_store_error(store, error);
}

/* Takes a kept statement of this text out. */
static sqlite3_stmt *take_kept(struct wr_store *store, const char *sql) {
    for (size_t i = 0; i < WR_STORE_KEPT && store->kept[i]; i++) {
        sqlite3_stmt *found = store->kept[i];
        if (strcmp(sqlite3_sql(found), sql) != 0) continue;
        size_t n_after = WR_STORE_KEPT - i - 1;
        memmove(store->kept + i, store->kept + i + 1, n_after * sizeof *store->kept);
        store->kept[WR_STORE_KEPT - 1] = NULL;
        return found;
    }
    return NULL;
}

void wr_store_done(struct wr_store *store, sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    sqlite3_finalize(store->kept[WR_STORE_KEPT - 1]);
    memmove(store->kept + 1, store->kept, (WR_STORE_KEPT - 1) * sizeof *store->kept);
    store->kept[0] = statement;
}

int wr_store_prepare(struct wr_store *store, const char *sql, const char *const *texts,
                     size_t n_texts, sqlite3_stmt **ret_statement, struct weir_error *error) {
    sqlite3_stmt *statement = take_kept(store, sql);
    int result = SQLITE_OK;
    if (!statement) result = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
    for (size_t i = 0; result == SQLITE_OK && i < n_texts; i++) {
        result = sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC);
    }
    if (result != SQLITE_OK) {
        int code = wr_store_error(store, error);
        sqlite3_finalize(statement);
        return code;
    }
    *ret_statement = statement;
    return WEIR_OK;
}

int wr_store_step(struct wr_store *store, sqlite3_stmt *statement, bool *ret_row,
                  struct weir_error *error) {
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) return wr_store_error(store, error);
    *ret_row = result == SQLITE_ROW;
    return WEIR_OK;
}

/* Runs to the first row and gives its first column as a number, 0 when there is none. */
static int finish(struct wr_store *store, sqlite3_stmt *statement, int64_t *ret_value,
                  struct weir_error *error) {
    bool row = false;
    int code = wr_store_step(store, statement, &row, error);
    if (code == WEIR_OK) *ret_value = row ? sqlite3_column_int64(statement, 0) : 0;
    wr_store_done(store, statement);
    return code;
}

int wr_store_number(struct wr_store *store, const char *sql, const char *const *texts,
                    size_t n_texts, int64_t *ret_value, struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(wr_store_prepare(store, sql, texts, n_texts, &statement, error));
    return finish(store, statement, ret_value, error);
}

static int prepare_id(struct wr_store *store, const char *sql, int64_t id,
                      sqlite3_stmt **ret_statement, struct weir_error *error) {
    WR_TRY(wr_store_prepare(store, sql, NULL, 0, ret_statement, error));
    sqlite3_bind_int64(*ret_statement, 1, id);
    return WEIR_OK;
}

static int delete_id(struct wr_store *store, const char *sql, int64_t id,
                     struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(prepare_id(store, sql, id, &statement, error));
    return finish(store, statement, &(int64_t){0}, error);
}

/* ---- Opening ---- */

/* An empty database gets its tables and an older one what it lacks; one of a later version, or of
 * another program, is refused. */
static int migrate(struct wr_store *store, struct weir_error *error) {
    int64_t version = 0;
    int64_t n_tables = 0;
    WR_TRY(wr_store_number(store, "PRAGMA user_version", NULL, 0, &version, error));
    WR_TRY(wr_store_number(store, "SELECT count(*) FROM sqlite_schema", NULL, 0, &n_tables, error));
    if (version > SCHEMA_VERSION) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "catalog \"%s\" has version %lld; this weir knows version %d, use a "
                            "newer one",
                            store->path, (long long)version, SCHEMA_VERSION);
    }
    if (version < 0 || (version == 0 && n_tables > 0)) {
        return wr_error_set(error, WEIR_INVALID_DATA, "XX001",
                            "catalog \"%s\" is a SQLite database that weir did not make; move it "
                            "away",
                            store->path);
    }
    for (; version < SCHEMA_VERSION; version++)
        WR_TRY(wr_store_execute(store, migrations[version], error));
    return WEIR_OK;
}

static int open_database(struct wr_store *store, const char *path, struct weir_error *error) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path ? path : ":memory:", &store->database, flags, NULL) != SQLITE_OK) {
        return store->database ? wr_store_error(store, error) : wr_error_memory(error);
    }
    sqlite3_busy_timeout(store->database, BUSY_MILLISECONDS);
    WR_TRY(wr_store_execute(store, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;", error));
    WR_TRY(wr_store_begin(store, error));
    return wr_store_end(store, migrate(store, error), error);
}

int wr_store_open(const char *path, struct wr_store **ret_store, struct weir_error *error) {
    struct wr_store *store = wr_calloc(1, sizeof *store);
    if (!store) return wr_error_memory(error);
    store->path = wr_strdup(path ? path : "in memory");
    int code = store->path ? open_database(store, path, error) : wr_error_memory(error);
    if (code) {
        wr_store_close(store);
        return code;
    }
    *ret_store = store;
    return WEIR_OK;
}

void wr_store_close(struct wr_store *store) {
    if (!store) return;
    for (size_t i = 0; i < WR_STORE_KEPT; i++)
        sqlite3_finalize(store->kept[i]);
    sqlite3_close(store->database);
    wr_free(store->path);
    wr_free(store);
}

int wr_store_begin(struct wr_store *store, struct weir_error *error) {
    return wr_store_execute(store, "BEGIN IMMEDIATE", error);
}

int wr_store_end(struct wr_store *store, int code, struct weir_error *error) {
    if (code == WEIR_OK) code = wr_store_execute(store, "COMMIT", error);
    if (code && !sqlite3_get_autocommit(store->database)) {
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

/* ---- Catalogs and schemas ---- */

int wr_store_catalog(struct wr_store *store, const char *catalog, int64_t *ret_id,
                     struct weir_error *error) {
    return wr_store_number(store, "SELECT id FROM catalogs WHERE name = ?1",
                           (const char *[]){catalog}, 1, ret_id, error);
}

int wr_store_schema(struct wr_store *store, const char *catalog, const char *schema,
                    int64_t *ret_id, struct weir_error *error) {
    return wr_store_number(store,
                           "SELECT s.id FROM schemas s JOIN catalogs c ON c.id = s.catalog_id"
                           " WHERE c.name = ?1 AND s.name = ?2",
                           (const char *[]){catalog, schema}, 2, ret_id, error);
}

int wr_store_add_catalog(struct wr_store *store, const char *catalog, struct weir_error *error) {
    return wr_store_number(store, "INSERT INTO catalogs(name) VALUES (?1)",
                           (const char *[]){catalog}, 1, &(int64_t){0}, error);
}

int wr_store_add_schema(struct wr_store *store, const char *catalog, const char *schema,
                        struct weir_error *error) {
    return wr_store_number(store,
                           "INSERT INTO schemas(catalog_id, name)"
                           " SELECT id, ?2 FROM catalogs WHERE name = ?1",
                           (const char *[]){catalog, schema}, 2, &(int64_t){0}, error);
}

int wr_store_drop_schema(struct wr_store *store, int64_t id, struct weir_error *error) {
    return delete_id(store, "DELETE FROM schemas WHERE id = ?1", id, error);
}

static int take_names(struct wr_store *store, const char *query, const char *const *texts,
                      size_t n_texts, wr_take_fn take, void *sink, struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(wr_store_prepare(store, query, texts, n_texts, &statement, error));
    int code = WEIR_OK;
    bool row = true;
    while (code == WEIR_OK) {
        code = wr_store_step(store, statement, &row, error);
        if (code || !row) break;
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        code = name ? take(sink, name, error) : wr_error_memory(error);
    }
    wr_store_done(store, statement);
    return code;
}

int wr_store_list(struct wr_store *store, const char *catalog, const char *schema, wr_take_fn take,
                  void *sink, struct weir_error *error) {
    static const char *const queries[] = {
        "SELECT name FROM catalogs ORDER BY name",
        "SELECT s.name FROM schemas s JOIN catalogs c ON c.id = s.catalog_id WHERE c.name = ?1"
        " ORDER BY s.name",
        "SELECT t.name FROM tables t JOIN schemas s ON s.id = t.schema_id"
        " JOIN catalogs c ON c.id = s.catalog_id WHERE c.name = ?1 AND s.name = ?2"
        " ORDER BY t.name",
    };
    size_t n_names = !catalog ? 0 : !schema ? 1 : 2;
    return take_names(store, queries[n_names], (const char *[]){catalog, schema}, n_names, take,
                      sink, error);
}

/* ---- Definitions: of tables, and of mounts ---- */

/* The statements on one sort of definition. */
struct sort {
    const char *what;
    const char *load;
    const char *load_options;
    const char *add_option;
    const char *drop;
};

static const struct sort tables = {
    "table",
    "SELECT kind, columns FROM tables WHERE id = ?1",
    "SELECT key, value FROM options WHERE table_id = ?1 ORDER BY position",
    "INSERT INTO options(key, value, table_id, position) VALUES (?1, ?2, ?3, ?4)",
    "DELETE FROM tables WHERE id = ?1",
};

static const struct sort mounts = {
    "mount",
    "SELECT kind, NULL FROM mounts WHERE id = ?1",
    "SELECT key, value FROM mount_options WHERE mount_id = ?1 ORDER BY position",
    "INSERT INTO mount_options(key, value, mount_id, position) VALUES (?1, ?2, ?3, ?4)",
    "DELETE FROM mounts WHERE id = ?1",
};

int wr_store_table(struct wr_store *store, const char *catalog, const char *schema,
                   const char *name, int64_t *ret_id, struct weir_error *error) {
    return wr_store_number(store,
                           "SELECT t.id FROM tables t JOIN schemas s ON s.id = t.schema_id"
                           " JOIN catalogs c ON c.id = s.catalog_id"
                           " WHERE c.name = ?1 AND s.name = ?2 AND t.name = ?3",
                           (const char *[]){catalog, schema, name}, 3, ret_id, error);
}

static int add_options(struct wr_store *store, const struct sort *sort, int64_t id,
                       const struct weir_definition *definition, struct weir_error *error) {
    for (size_t i = 0; i < definition->n_options; i++) {
        const struct weir_option *option = &definition->options[i];
        sqlite3_stmt *statement = NULL;
        WR_TRY(wr_store_prepare(store, sort->add_option,
                                (const char *[]){option->key, option->value}, 2, &statement,
                                error));
        sqlite3_bind_int64(statement, 3, id);
        sqlite3_bind_int64(statement, 4, (int64_t)i);
        WR_TRY(finish(store, statement, &(int64_t){0}, error));
    }
    return WEIR_OK;
}

int wr_store_add_table(struct wr_store *store, const struct weir_definition *definition,
                       int64_t *ret_id, struct weir_error *error) {
    int64_t schema_id = 0;
    WR_TRY(wr_store_schema(store, definition->catalog, definition->schema, &schema_id, error));
    void *columns = NULL;
    size_t length = 0;
    if (definition->columns) {
        WR_TRY(wr_arrow_schema_encode(definition->columns, &columns, &length, error));
    }
    sqlite3_stmt *statement = NULL;
    int code = wr_store_prepare(
        store, "INSERT INTO tables(name, kind, schema_id, columns) VALUES (?1, ?2, ?3, ?4)",
        (const char *[]){definition->name, definition->kind}, 2, &statement, error);
    if (code == WEIR_OK) {
        sqlite3_bind_int64(statement, 3, schema_id);
        if (columns) sqlite3_bind_blob64(statement, 4, columns, length, SQLITE_STATIC);
        code = finish(store, statement, &(int64_t){0}, error);
    }
    wr_free(columns);
    WR_TRY(code);
    int64_t id = sqlite3_last_insert_rowid(store->database);
    WR_TRY(add_options(store, &tables, id, definition, error));
    *ret_id = id;
    return WEIR_OK;
}

int wr_store_rename_table(struct wr_store *store, int64_t id, const char *name,
                          struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(wr_store_prepare(store, "UPDATE tables SET name = ?1 WHERE id = ?2",
                            (const char *[]){name}, 1, &statement, error));
    sqlite3_bind_int64(statement, 2, id);
    return finish(store, statement, &(int64_t){0}, error);
}

int wr_store_drop_table(struct wr_store *store, int64_t id, bool *ret_dropped,
                        struct weir_error *error) {
    WR_TRY(delete_id(store, tables.drop, id, error));
    *ret_dropped = sqlite3_changes(store->database) > 0;
    return WEIR_OK;
}

int wr_store_mount(struct wr_store *store, const char *name, int64_t *ret_id,
                   struct weir_error *error) {
    return wr_store_number(store, "SELECT id FROM mounts WHERE name = ?1", (const char *[]){name},
                           1, ret_id, error);
}

int wr_store_add_mount(struct wr_store *store, const struct weir_definition *definition,
                       int64_t *ret_id, struct weir_error *error) {
    WR_TRY(wr_store_number(store, "INSERT INTO mounts(name, kind) VALUES (?1, ?2)",
                           (const char *[]){definition->name, definition->kind}, 2, &(int64_t){0},
                           error));
    int64_t id = sqlite3_last_insert_rowid(store->database);
    WR_TRY(add_options(store, &mounts, id, definition, error));
    *ret_id = id;
    return WEIR_OK;
}

int wr_store_drop_mount(struct wr_store *store, int64_t id, struct weir_error *error) {
    return delete_id(store, mounts.drop, id, error);
}

int wr_store_list_mounts(struct wr_store *store, wr_take_fn take, void *sink,
                         struct weir_error *error) {
    return take_names(store, "SELECT name FROM mounts ORDER BY name", NULL, 0, take, sink, error);
}

/* ---- Loading ---- */

void wr_stored_reset(struct wr_stored *stored) {
    wr_free(stored->kind);
    stored->kind = NULL;
    wr_options_reset(&stored->options);
    wr_arrow_release_schema(&stored->columns);
}

static int load_head(struct wr_store *store, const struct sort *sort, sqlite3_stmt *statement,
                     int64_t id, struct wr_stored *stored, struct weir_error *error) {
    bool row = false;
    WR_TRY(wr_store_step(store, statement, &row, error));
    if (!row) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "the %s was dropped meanwhile (catalog \"%s\", %s %lld)", sort->what,
                            store->path, sort->what, (long long)id);
    }
    stored->kind = wr_strdup((const char *)sqlite3_column_text(statement, 0));
    if (!stored->kind) return wr_error_memory(error);
    if (sqlite3_column_type(statement, 1) == SQLITE_NULL) return WEIR_OK;
    const void *columns = sqlite3_column_blob(statement, 1);
    return wr_arrow_schema_decode(columns, (size_t)sqlite3_column_bytes(statement, 1),
                                  &stored->columns, error);
}

static int load_options(struct wr_store *store, sqlite3_stmt *statement, struct wr_stored *stored,
                        struct weir_error *error) {
    for (;;) {
        bool row = false;
        WR_TRY(wr_store_step(store, statement, &row, error));
        if (!row) return WEIR_OK;
        const char *key = (const char *)sqlite3_column_text(statement, 0);
        const char *value = (const char *)sqlite3_column_text(statement, 1);
        if (!key || !value) return wr_error_memory(error);
        WR_TRY(wr_options_add(&stored->options, key, value, error));
    }
}

static int load(struct wr_store *store, const struct sort *sort, int64_t id,
                struct wr_stored *stored, struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(prepare_id(store, sort->load, id, &statement, error));
    int code = load_head(store, sort, statement, id, stored, error);
    wr_store_done(store, statement);
    WR_TRY(code);
    WR_TRY(prepare_id(store, sort->load_options, id, &statement, error));
    code = load_options(store, statement, stored, error);
    wr_store_done(store, statement);
    return code;
}

static int load_whole(struct wr_store *store, const struct sort *sort, int64_t id,
                      struct wr_stored *ret_stored, struct weir_error *error) {
    struct wr_stored stored = {0};
    /* One transaction, so that both queries see the same definition. */
    WR_TRY(wr_store_execute(store, "BEGIN", error));
    int code = wr_store_end(store, load(store, sort, id, &stored, error), error);
    if (code) {
        wr_stored_reset(&stored);
        return code;
    }
    *ret_stored = stored;
    return WEIR_OK;
}

int wr_store_load(struct wr_store *store, int64_t id, struct wr_stored *ret_stored,
                  struct weir_error *error) {
    return load_whole(store, &tables, id, ret_stored, error);
}

int wr_store_load_mount(struct wr_store *store, int64_t id, struct wr_stored *ret_stored,
                        struct weir_error *error) {
    return load_whole(store, &mounts, id, ret_stored, error);
}

/* ---- Walking ---- */

static int take_row(sqlite3_stmt *statement, wr_take_table_fn take, void *sink,
                    struct weir_error *error) {
    const char *texts[4];
    for (int i = 0; i < 4; i++) {
        texts[i] = (const char *)sqlite3_column_text(statement, i);
        if (!texts[i]) return wr_error_memory(error);
    }
    struct wr_stored_name table = {texts[0], texts[1], texts[2], texts[3]};
    return take(sink, &table, error);
}

int wr_store_each_table(struct wr_store *store, wr_take_table_fn take, void *sink,
                        struct weir_error *error) {
    sqlite3_stmt *statement = NULL;
    WR_TRY(wr_store_prepare(
        store,
        "SELECT c.name, s.name, t.name, t.kind FROM tables t"
        " JOIN schemas s ON s.id = t.schema_id JOIN catalogs c ON c.id = s.catalog_id"
        " ORDER BY c.name, s.name, t.name",
        NULL, 0, &statement, error));
    int code = WEIR_OK;
    bool row = true;
    while (code == WEIR_OK) {
        code = wr_store_step(store, statement, &row, error);
        if (code || !row) break;
        code = take_row(statement, take, sink, error);
    }
    wr_store_done(store, statement);
    return code;
}
