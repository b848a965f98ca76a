/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sqlite.h"

#include <unistd.h>

#include "base/buffer.h"

bool wr_sqlite_execute(sqlite3 *database, const char *sql) {
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

int wr_sqlite_layout(sqlite3 *database) {
    sqlite3_stmt *statement = NULL;
    int version = -1;
    if (sqlite3_prepare_v2(database, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return version;
}

bool wr_sqlite_prepare(sqlite3 *database, const char *const *texts, sqlite3_stmt **statements,
                       size_t n_statements) {
    for (size_t i = 0; i < n_statements; i++) {
        if (sqlite3_prepare_v3(database, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i],
                               NULL) != SQLITE_OK)
            return false;
    }
    return true;
}

void wr_sqlite_close(sqlite3 **database, sqlite3_stmt **statements, size_t n_statements) {
    for (size_t i = 0; i < n_statements; i++) {
        sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
    sqlite3_close(*database);
    *database = NULL;
}

void wr_sqlite_remove(const char *path) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct wr_buffer name;
        wr_buffer_init(&name, 64 << 10);
        wr_buffer_format(&name, "%s%s", path, suffixes[i]);
        if (!name.failed) unlink(name.data);
        wr_buffer_reset(&name);
    }
}
