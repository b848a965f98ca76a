/* SPDX-License-Identifier: Apache-2.0 */
#include "table/cached/state.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/sqlite.h"

enum { LAYOUT = 1, BUSY_MS = 5000 };

enum {
    ADD,
    LOAD,
    FILES,
    SWITCH,
    REMOVE_FILES,
    ADD_FILE,
    EMPTY,
    INVALIDATE,
    DROP,
    NOTE_ERROR,
    NOTE_USE,
    EACH,
    TOTAL,
    OLDEST,
    N_STATEMENTS
};

static const char *const texts[N_STATEMENTS] = {
    [ADD] = "INSERT OR IGNORE INTO copies(key, catalog, schema_name, name, source, mode)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [LOAD] = "SELECT generation, last_generation, started_at, fetched_at, invalid_at, bypassed_at,"
             " refreshes, n_rows, n_bytes, position, start, \"end\", start_text, end_text, columns"
             " FROM copies WHERE key = ?1",
    [FILES] = "SELECT n_bytes, n_rows, modified_ns, id FROM files WHERE key = ?1 ORDER BY ordinal",
    [SWITCH] = "UPDATE copies SET generation = ?2, last_generation = ?2, started_at = ?3,"
               " fetched_at = ?4, bypassed_at = 0, refreshes = refreshes + 1, n_rows = ?5,"
               " n_bytes = ?6, position = ?7, start = ?8, \"end\" = ?9, start_text = ?10,"
               " end_text = ?11, columns = ?12, used_at = ?4, last_error = NULL WHERE key = ?1",
    [REMOVE_FILES] = "DELETE FROM files WHERE key = ?1",
    [ADD_FILE] = "INSERT INTO files(key, ordinal, n_bytes, n_rows, modified_ns, id)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [EMPTY] = "UPDATE copies SET generation = 0, n_rows = 0, n_bytes = 0, position = NULL,"
              " start = NULL, \"end\" = NULL, start_text = NULL, end_text = NULL, bypassed_at = ?2,"
              " last_error = coalesce(?3, last_error) WHERE key = ?1",
    [INVALIDATE] = "UPDATE copies SET invalid_at = max(invalid_at, ?2) WHERE key = ?1",
    [DROP] = "DELETE FROM copies WHERE key = ?1",
    [NOTE_ERROR] = "UPDATE copies SET last_error = ?2 WHERE key = ?1 AND last_error IS NOT ?2",
    [NOTE_USE] = "UPDATE copies SET used_at = ?2 WHERE key = ?1",
    [EACH] = "SELECT key, catalog, schema_name, name, source, mode, generation, started_at,"
             " fetched_at, invalid_at, bypassed_at, refreshes, n_rows, n_bytes, start_text,"
             " end_text, last_error FROM copies ORDER BY catalog, schema_name, name, key",
    [TOTAL] = "SELECT coalesce(sum(n_bytes), 0) FROM copies",
    [OLDEST] = "SELECT key FROM copies WHERE generation > 0 AND n_bytes > 0 AND key <> ?1"
               " ORDER BY used_at, key LIMIT 1",
};

static const char layout[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS copies(key TEXT PRIMARY KEY, catalog TEXT NOT NULL,"
    " schema_name TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, mode TEXT NOT NULL,"
    " generation INTEGER NOT NULL DEFAULT 0, last_generation INTEGER NOT NULL DEFAULT 0,"
    " started_at INTEGER NOT NULL DEFAULT 0, fetched_at INTEGER NOT NULL DEFAULT 0,"
    " invalid_at INTEGER NOT NULL DEFAULT 0, bypassed_at INTEGER NOT NULL DEFAULT 0,"
    " used_at INTEGER NOT NULL DEFAULT 0, refreshes INTEGER NOT NULL DEFAULT 0,"
    " n_rows INTEGER NOT NULL DEFAULT 0, n_bytes INTEGER NOT NULL DEFAULT 0, position TEXT,"
    " start TEXT, \"end\" TEXT, start_text TEXT, end_text TEXT, columns BLOB, last_error TEXT);"
    "CREATE TABLE IF NOT EXISTS files(key TEXT NOT NULL, ordinal INTEGER NOT NULL,"
    " n_bytes INTEGER NOT NULL, n_rows INTEGER NOT NULL, modified_ns INTEGER NOT NULL,"
    " id TEXT NOT NULL, PRIMARY KEY(key, ordinal)) WITHOUT ROWID;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

struct wr_copies {
    pthread_mutex_t mutex; /* of the connection */
    char *path;
    sqlite3 *database;
    sqlite3_stmt *statements[N_STATEMENTS];
};

void wr_copy_reset(struct wr_copy *copy) {
    wr_free(copy->position);
    wr_free(copy->start);
    wr_free(copy->end);
    wr_free(copy->start_text);
    wr_free(copy->end_text);
    wr_free(copy->schema);
    wr_free(copy->files);
    *copy = (struct wr_copy){0};
}

/* ---- Opening ---- */

static void close_database(struct wr_copies *copies) {
    wr_sqlite_close(&copies->database, copies->statements, N_STATEMENTS);
}

static int failed(struct wr_copies *copies, struct weir_error *error) {
    int result = copies->database ? sqlite3_errcode(copies->database) : SQLITE_NOMEM;
    if (result == SQLITE_NOMEM) return wr_error_memory(error);
    return wr_error_set(error, WEIR_IO, result == SQLITE_FULL ? "53100" : "58030",
                        "the state of cached tables \"%s\": %s", copies->path,
                        sqlite3_errmsg(copies->database));
}

static bool set_up(struct wr_copies *copies) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(copies->path, &copies->database, flags, NULL) != SQLITE_OK) return false;
    sqlite3_busy_timeout(copies->database, BUSY_MS);
    if (!wr_sqlite_execute(copies->database,
                           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"))
        return false;
    if (wr_sqlite_layout(copies->database) == 0 && !wr_sqlite_execute(copies->database, layout))
        return false;
    return wr_sqlite_prepare(copies->database, texts, copies->statements, N_STATEMENTS);
}

/* Not a lock of another process, nor a full disk. */
static bool is_damaged(const struct wr_copies *copies) {
    int result = copies->database ? sqlite3_errcode(copies->database) & 0xff : SQLITE_OK;
    return result == SQLITE_CORRUPT || result == SQLITE_NOTADB || result == SQLITE_ERROR;
}

static int open_database(struct wr_copies *copies, struct weir_error *error) {
    if (set_up(copies)) return WEIR_OK;
    if (is_damaged(copies)) {
        close_database(copies);
        wr_sqlite_remove(copies->path);
        if (set_up(copies)) return WEIR_OK;
    }
    return failed(copies, error);
}

int wr_copies_open(const char *directory, struct wr_copies **ret_copies, struct weir_error *error) {
    struct wr_copies *copies = wr_calloc(1, sizeof *copies);
    if (!copies) return wr_error_memory(error);
    struct wr_buffer path;
    wr_buffer_init(&path, 64 << 10);
    wr_buffer_format(&path, "%s/state.db", directory);
    copies->path = wr_buffer_take(&path);
    pthread_mutex_init(&copies->mutex, NULL);
    int code = copies->path ? open_database(copies, error) : wr_error_memory(error);
    if (code) {
        wr_copies_close(copies);
        return code;
    }
    *ret_copies = copies;
    return WEIR_OK;
}

void wr_copies_close(struct wr_copies *copies) {
    if (!copies) return;
    close_database(copies);
    pthread_mutex_destroy(&copies->mutex);
    wr_free(copies->path);
    wr_free(copies);
}

/* ---- Statements, with the mutex held ---- */

static void bind_texts(sqlite3_stmt *statement, const char *const *values, int n_values) {
    for (int i = 0; i < n_values; i++)
        sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
}

static void reset(sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static int step(struct wr_copies *copies, sqlite3_stmt *statement, bool *ret_row,
                struct weir_error *error) {
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        int code = failed(copies, error);
        reset(statement);
        return code;
    }
    *ret_row = result == SQLITE_ROW;
    return WEIR_OK;
}

static int run(struct wr_copies *copies, sqlite3_stmt *statement, struct weir_error *error) {
    bool row = false;
    WR_TRY(step(copies, statement, &row, error));
    reset(statement);
    return WEIR_OK;
}

static int begin(struct wr_copies *copies, struct weir_error *error) {
    return wr_sqlite_execute(copies->database, "BEGIN IMMEDIATE") ? WEIR_OK : failed(copies, error);
}

static int end(struct wr_copies *copies, int code, struct weir_error *error) {
    if (code == WEIR_OK && !wr_sqlite_execute(copies->database, "COMMIT"))
        code = failed(copies, error);
    if (code) wr_sqlite_execute(copies->database, "ROLLBACK");
    return code;
}

/* ---- Rows ---- */

static int simple(struct wr_copies *copies, int which, const char *const *values, int n_values,
                  struct weir_error *error) {
    pthread_mutex_lock(&copies->mutex);
    sqlite3_stmt *statement = copies->statements[which];
    bind_texts(statement, values, n_values);
    int code = run(copies, statement, error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

int wr_copies_add(struct wr_copies *copies, const char *key, const struct wr_copy_names *names,
                  struct weir_error *error) {
    struct wr_copy copy = {0};
    const char *values[] = {key,         names->catalog, names->schema,
                            names->name, names->source,  names->mode};
    WR_TRY(wr_copies_load(copies, key, &copy, error));
    bool known = copy.known;
    wr_copy_reset(&copy);
    return known ? WEIR_OK : simple(copies, ADD, values, 6, error);
}

static bool take_text(sqlite3_stmt *statement, int column, char **ret_text) {
    *ret_text = wr_strdup((const char *)sqlite3_column_text(statement, column));
    return *ret_text || sqlite3_column_type(statement, column) == SQLITE_NULL;
}

static bool take_row(sqlite3_stmt *statement, struct wr_copy *copy) {
    copy->known = true;
    copy->generation = sqlite3_column_int64(statement, 0);
    copy->last_generation = sqlite3_column_int64(statement, 1);
    copy->started_at = sqlite3_column_int64(statement, 2);
    copy->fetched_at = sqlite3_column_int64(statement, 3);
    copy->invalid_at = sqlite3_column_int64(statement, 4);
    copy->bypassed_at = sqlite3_column_int64(statement, 5);
    copy->refreshes = sqlite3_column_int64(statement, 6);
    copy->n_rows = sqlite3_column_int64(statement, 7);
    copy->n_bytes = sqlite3_column_int64(statement, 8);
    bool good = take_text(statement, 9, &copy->position) &&
                take_text(statement, 10, &copy->start) && take_text(statement, 11, &copy->end) &&
                take_text(statement, 12, &copy->start_text) &&
                take_text(statement, 13, &copy->end_text);
    copy->n_schema = (size_t)sqlite3_column_bytes(statement, 14);
    if (!good || copy->n_schema == 0) return good;
    copy->schema = wr_malloc(copy->n_schema);
    if (!copy->schema) return false;
    memcpy(copy->schema, sqlite3_column_blob(statement, 14), copy->n_schema);
    return true;
}

static bool take_file(sqlite3_stmt *statement, struct wr_copy *copy) {
    struct wr_copy_file *files =
        wr_reallocarray(copy->files, copy->n_files + 1, sizeof *copy->files);
    if (!files) return false;
    copy->files = files;
    struct wr_copy_file *file = &files[copy->n_files++];
    file->n_bytes = sqlite3_column_int64(statement, 0);
    file->n_rows = sqlite3_column_int64(statement, 1);
    file->modified_ns = sqlite3_column_int64(statement, 2);
    snprintf(file->id, sizeof file->id, "%s", (const char *)sqlite3_column_text(statement, 3));
    return true;
}

/* With the mutex held. */
static int load(struct wr_copies *copies, const char *key, struct wr_copy *copy,
                struct weir_error *error) {
    bool row = false;
    sqlite3_stmt *statement = copies->statements[LOAD];
    bind_texts(statement, &key, 1);
    WR_TRY(step(copies, statement, &row, error));
    bool good = !row || take_row(statement, copy);
    reset(statement);
    if (!good) return wr_error_memory(error);
    if (!row || copy->generation == 0) return WEIR_OK;
    statement = copies->statements[FILES];
    bind_texts(statement, &key, 1);
    while (good) {
        WR_TRY(step(copies, statement, &row, error));
        if (!row) break;
        good = take_file(statement, copy);
    }
    reset(statement);
    return good ? WEIR_OK : wr_error_memory(error);
}

int wr_copies_load(struct wr_copies *copies, const char *key, struct wr_copy *ret_copy,
                   struct weir_error *error) {
    struct wr_copy copy = {0};
    pthread_mutex_lock(&copies->mutex);
    /* The row and its files as of one moment. */
    int code = wr_sqlite_execute(copies->database, "BEGIN") ? WEIR_OK : failed(copies, error);
    if (code == WEIR_OK) {
        code = load(copies, key, &copy, error);
        wr_sqlite_execute(copies->database, "COMMIT");
    }
    pthread_mutex_unlock(&copies->mutex);
    if (code) {
        wr_copy_reset(&copy);
        return code;
    }
    *ret_copy = copy;
    return WEIR_OK;
}

/* With the mutex held, in a transaction. */
static int write_copy(struct wr_copies *copies, const char *key, const struct wr_copy *copy,
                      struct weir_error *error) {
    sqlite3_stmt *statement = copies->statements[SWITCH];
    const int64_t numbers[] = {copy->generation, copy->started_at, copy->fetched_at, copy->n_rows,
                               copy->n_bytes};
    const char *values[] = {copy->position, copy->start, copy->end, copy->start_text,
                            copy->end_text};
    bind_texts(statement, &key, 1);
    for (int i = 0; i < 5; i++) {
        sqlite3_bind_int64(statement, i + 2, numbers[i]);
        sqlite3_bind_text(statement, i + 7, values[i], -1, SQLITE_STATIC);
    }
    sqlite3_bind_blob(statement, 12, copy->schema, (int)copy->n_schema, SQLITE_STATIC);
    WR_TRY(run(copies, statement, error));
    if (sqlite3_changes(copies->database) == 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "the table was dropped");
    }
    statement = copies->statements[REMOVE_FILES];
    bind_texts(statement, &key, 1);
    WR_TRY(run(copies, statement, error));
    statement = copies->statements[ADD_FILE];
    for (size_t i = 0; i < copy->n_files; i++) {
        const struct wr_copy_file *file = &copy->files[i];
        bind_texts(statement, &key, 1);
        sqlite3_bind_int64(statement, 2, (int64_t)i);
        sqlite3_bind_int64(statement, 3, file->n_bytes);
        sqlite3_bind_int64(statement, 4, file->n_rows);
        sqlite3_bind_int64(statement, 5, file->modified_ns);
        sqlite3_bind_text(statement, 6, file->id, -1, SQLITE_STATIC);
        WR_TRY(run(copies, statement, error));
    }
    return WEIR_OK;
}

int wr_copies_switch(struct wr_copies *copies, const char *key, const struct wr_copy *copy,
                     struct weir_error *error) {
    pthread_mutex_lock(&copies->mutex);
    int code = begin(copies, error);
    if (code == WEIR_OK) code = end(copies, write_copy(copies, key, copy, error), error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

/* Two statements on one key, the second without further values, in one transaction. */
static int both(struct wr_copies *copies, const char *key, sqlite3_stmt *first, int second,
                struct weir_error *error) {
    int code = begin(copies, error);
    if (code) {
        reset(first);
        return code;
    }
    bind_texts(first, &key, 1);
    code = run(copies, first, error);
    bind_texts(copies->statements[second], &key, 1);
    if (code == WEIR_OK) code = run(copies, copies->statements[second], error);
    return end(copies, code, error);
}

int wr_copies_empty(struct wr_copies *copies, const char *key, int64_t bypassed_at,
                    const char *reason, struct weir_error *error) {
    pthread_mutex_lock(&copies->mutex);
    sqlite3_stmt *statement = copies->statements[EMPTY];
    sqlite3_bind_int64(statement, 2, bypassed_at);
    sqlite3_bind_text(statement, 3, reason, -1, SQLITE_STATIC);
    int code = both(copies, key, statement, REMOVE_FILES, error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

int wr_copies_drop(struct wr_copies *copies, const char *key, struct weir_error *error) {
    pthread_mutex_lock(&copies->mutex);
    int code = both(copies, key, copies->statements[DROP], REMOVE_FILES, error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

static int set_time(struct wr_copies *copies, int which, const char *key, int64_t at,
                    struct weir_error *error) {
    pthread_mutex_lock(&copies->mutex);
    bind_texts(copies->statements[which], &key, 1);
    sqlite3_bind_int64(copies->statements[which], 2, at);
    int code = run(copies, copies->statements[which], error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

int wr_copies_invalidate(struct wr_copies *copies, const char *key, int64_t at,
                         struct weir_error *error) {
    return set_time(copies, INVALIDATE, key, at, error);
}

void wr_copies_note_use(struct wr_copies *copies, const char *key, int64_t at) {
    set_time(copies, NOTE_USE, key, at, NULL);
}

void wr_copies_note_error(struct wr_copies *copies, const char *key, const char *message) {
    const char *values[] = {key, message};
    simple(copies, NOTE_ERROR, values, 2, NULL);
}

/* ---- All of them ---- */

static const char *text_of(sqlite3_stmt *statement, int column) {
    return (const char *)sqlite3_column_text(statement, column);
}

static struct wr_copy_row row_of(sqlite3_stmt *statement) {
    return (struct wr_copy_row){
        .key = text_of(statement, 0),
        .names = {text_of(statement, 1), text_of(statement, 2), text_of(statement, 3),
                  text_of(statement, 4), text_of(statement, 5)},
        .generation = sqlite3_column_int64(statement, 6),
        .started_at = sqlite3_column_int64(statement, 7),
        .fetched_at = sqlite3_column_int64(statement, 8),
        .invalid_at = sqlite3_column_int64(statement, 9),
        .bypassed_at = sqlite3_column_int64(statement, 10),
        .refreshes = sqlite3_column_int64(statement, 11),
        .n_rows = sqlite3_column_int64(statement, 12),
        .n_bytes = sqlite3_column_int64(statement, 13),
        .start_text = text_of(statement, 14),
        .end_text = text_of(statement, 15),
        .last_error = text_of(statement, 16),
    };
}

int wr_copies_each(struct wr_copies *copies, wr_copy_row_fn take, void *sink,
                   struct weir_error *error) {
    int code = WEIR_OK;
    bool row = true;
    pthread_mutex_lock(&copies->mutex);
    sqlite3_stmt *statement = copies->statements[EACH];
    while (code == WEIR_OK && row) {
        code = step(copies, statement, &row, error);
        if (code || !row) break;
        struct wr_copy_row one = row_of(statement);
        code = take(sink, &one, error);
    }
    reset(statement);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}

/* With the mutex held. */
static int find_oldest(struct wr_copies *copies, int64_t max_bytes, const char *except,
                       char **ret_key, struct weir_error *error) {
    bool row = false;
    sqlite3_stmt *statement = copies->statements[TOTAL];
    WR_TRY(step(copies, statement, &row, error));
    int64_t total = row ? sqlite3_column_int64(statement, 0) : 0;
    reset(statement);
    if (total <= max_bytes) return WEIR_OK;
    statement = copies->statements[OLDEST];
    bind_texts(statement, &except, 1);
    WR_TRY(step(copies, statement, &row, error));
    char *key = row ? wr_strdup(text_of(statement, 0)) : NULL;
    reset(statement);
    if (row && !key) return wr_error_memory(error);
    *ret_key = key;
    return WEIR_OK;
}

int wr_copies_oldest(struct wr_copies *copies, int64_t max_bytes, const char *except,
                     char **ret_key, struct weir_error *error) {
    *ret_key = NULL;
    pthread_mutex_lock(&copies->mutex);
    int code = find_oldest(copies, max_bytes, except, ret_key, error);
    pthread_mutex_unlock(&copies->mutex);
    return code;
}
