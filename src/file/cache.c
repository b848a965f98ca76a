/* SPDX-License-Identifier: Apache-2.0 */
#include "file/cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/condition.h"
#include "base/error.h"
#include "base/sqlite.h"

enum {
    MOST_WAITING = 256,
    MOST_WAITING_BYTES = 16 << 20,
    FLUSH_AFTER_MS = 100,
    NOTE_USE_AFTER_S = 60,
    COUNT_EVERY = 32, /* flushes after which other processes' bytes are counted too */
    EVICT_AT_ONCE = 64,
    BUSY_MS = 1000,
    LAYOUT = 1
};

enum { GET, PUT, USE, COUNT, EVICT, N_STATEMENTS };

static const char *const texts[N_STATEMENTS] = {
    [GET] = "SELECT value, checksum, used FROM kept WHERE key = ?1",
    [PUT] = "INSERT INTO kept(key, value, checksum, used, n_bytes) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT(key) DO UPDATE SET value = excluded.value, checksum = excluded.checksum,"
            " used = excluded.used, n_bytes = excluded.n_bytes",
    [USE] = "UPDATE kept SET used = ?2 WHERE key = ?1",
    [COUNT] = "SELECT coalesce(sum(n_bytes), 0) FROM kept",
    [EVICT] = "DELETE FROM kept WHERE id IN (SELECT id FROM kept ORDER BY used LIMIT ?1)",
};

static const char layout[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " value BLOB NOT NULL, checksum INTEGER NOT NULL, used INTEGER NOT NULL,"
    " n_bytes INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS kept_by_use ON kept(used, n_bytes);"
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* What waits to be written. */
struct waiting {
    char *key;
    void *value; /* NULL: only used again */
    size_t length;
    uint32_t hash; /* of the key */
};

struct wr_kept {
    char *path;
    int64_t max_bytes;
    pthread_mutex_t mutex; /* of all that follows */
    pthread_cond_t changed;
    sqlite3 *database; /* NULL: cannot be used */
    sqlite3_stmt *statements[N_STATEMENTS];
    struct waiting waiting[MOST_WAITING];
    size_t n_waiting;
    size_t n_waiting_bytes;
    int64_t n_bytes; /* in the database, about */
    int n_flushes;
    struct timespec flush_at;
    bool opened; /* tried to, at the first use */
    bool has_writer;
    bool closing;
    pthread_t writer;
};

/* With the key in it: a value that got under another one's key is wrong too. */
static uint32_t checksum_of(const char *key, const void *value, size_t length) {
    uLong sum = crc32_z(0, (const Bytef *)key, strlen(key));
    /* Of no bytes crc32_z would answer with its initial value. */
    if (length > 0) sum = crc32_z(sum, value, length);
    return (uint32_t)sum;
}

/* ---- The database ---- */

static void close_database(struct wr_kept *kept) {
    wr_sqlite_close(&kept->database, kept->statements, N_STATEMENTS);
}

/* Empties a damaged database under its locks, so that other processes see it. */
static bool reset_database(sqlite3 *database) {
    if (sqlite3_db_config(database, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL) != SQLITE_OK)
        return false;
    bool done = wr_sqlite_execute(database, "VACUUM");
    sqlite3_db_config(database, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    return done;
}

/* Gives the number in the one row of a statement; `fallback` when there is none. */
static int64_t number_of(sqlite3_stmt *statement, int64_t fallback) {
    if (sqlite3_step(statement) == SQLITE_ROW) fallback = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return fallback;
}

static bool set_up(struct wr_kept *kept) {
    /* An operating system that dies may damage it: it is a cache. In this order, since the change
     * of the journal waits for the disk otherwise. */
    return wr_sqlite_execute(kept->database,
                             "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;") &&
           (wr_sqlite_layout(kept->database) == LAYOUT ||
            (wr_sqlite_layout(kept->database) == 0 && wr_sqlite_execute(kept->database, layout))) &&
           wr_sqlite_prepare(kept->database, texts, kept->statements, N_STATEMENTS);
}

static bool is_damage(int result) {
    int primary = result & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT;
}

enum opened { OPENED, DAMAGED, UNUSABLE };

/* Unusable is also one that others keep locked, or that may not be written. */
static enum opened try_open(struct wr_kept *kept, bool reset) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bool done = sqlite3_open_v2(kept->path, &kept->database, flags, NULL) == SQLITE_OK;
    if (done) sqlite3_busy_timeout(kept->database, BUSY_MS);
    if (done && reset) done = reset_database(kept->database);
    if (done) done = set_up(kept);
    if (done) {
        kept->n_bytes = number_of(kept->statements[COUNT], -1);
        done = kept->n_bytes >= 0;
    }
    if (done) return OPENED;
    int result = kept->database ? sqlite3_errcode(kept->database) : SQLITE_NOMEM;
    /* A database that answers and has not our tables is as good as a damaged one. */
    bool foreign = result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ERROR;
    close_database(kept);
    return foreign || is_damage(result) ? DAMAGED : UNUSABLE;
}

static void open_database(struct wr_kept *kept) {
    if (try_open(kept, false) != DAMAGED || try_open(kept, true) != DAMAGED) return;
    wr_sqlite_remove(kept->path);
    (void)try_open(kept, false);
}

/* After a failure: a damaged database is given up and made anew. */
static void look_after(struct wr_kept *kept) {
    if (!is_damage(sqlite3_errcode(kept->database))) return;
    close_database(kept);
    open_database(kept);
}

/* ---- Writing ---- */

static int64_t now_s(void) {
    return (int64_t)time(NULL);
}

static void drop_waiting(struct wr_kept *kept) {
    for (size_t i = 0; i < kept->n_waiting; i++) {
        wr_free(kept->waiting[i].key);
        wr_free(kept->waiting[i].value);
    }
    kept->n_waiting = 0;
    kept->n_waiting_bytes = 0;
}

static bool write_one(struct wr_kept *kept, const struct waiting *one) {
    sqlite3_stmt *statement = kept->statements[one->value ? PUT : USE];
    sqlite3_bind_text(statement, 1, one->key, -1, SQLITE_STATIC);
    if (one->value) {
        int64_t n_bytes = (int64_t)(strlen(one->key) + one->length);
        sqlite3_bind_blob64(statement, 2, one->value, one->length, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, checksum_of(one->key, one->value, one->length));
        sqlite3_bind_int64(statement, 4, now_s());
        sqlite3_bind_int64(statement, 5, n_bytes);
        kept->n_bytes += n_bytes;
    } else {
        sqlite3_bind_int64(statement, 2, now_s());
    }
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done;
}

/* Down to nine tenths, so that not every flush does it. */
static bool evict(struct wr_kept *kept) {
    int64_t goal = kept->max_bytes / 10 * 9;
    if (kept->max_bytes <= 0) return true;
    if (kept->n_bytes <= kept->max_bytes && kept->n_flushes % COUNT_EVERY != 0) return true;
    kept->n_bytes = number_of(kept->statements[COUNT], 0);
    if (kept->n_bytes <= kept->max_bytes) return true;
    while (kept->n_bytes > goal) {
        sqlite3_bind_int(kept->statements[EVICT], 1, EVICT_AT_ONCE);
        bool done = sqlite3_step(kept->statements[EVICT]) == SQLITE_DONE;
        sqlite3_reset(kept->statements[EVICT]);
        if (!done) return false;
        int64_t n_bytes = number_of(kept->statements[COUNT], 0);
        if (n_bytes >= kept->n_bytes) return true;
        kept->n_bytes = n_bytes;
    }
    return true;
}

static bool write_waiting(struct wr_kept *kept) {
    for (size_t i = 0; i < kept->n_waiting; i++) {
        if (!write_one(kept, &kept->waiting[i])) return false;
    }
    return evict(kept);
}

/* A program that reads no footer does not pay for the database. */
static bool is_open(struct wr_kept *kept) {
    if (!kept->opened) open_database(kept);
    kept->opened = true;
    return kept->database != NULL;
}

/* With the mutex held. */
static void flush(struct wr_kept *kept) {
    if (kept->n_waiting > 0 && is_open(kept)) {
        kept->n_flushes++;
        if (!wr_sqlite_execute(kept->database, "BEGIN IMMEDIATE") || !write_waiting(kept) ||
            !wr_sqlite_execute(kept->database, "COMMIT")) {
            int result = sqlite3_errcode(kept->database);
            if (!sqlite3_get_autocommit(kept->database))
                wr_sqlite_execute(kept->database, "ROLLBACK");
            if (is_damage(result)) {
                close_database(kept);
                open_database(kept);
            }
        }
    }
    drop_waiting(kept);
}

static void *write_by_and_by(void *context) {
    struct wr_kept *kept = context;
    pthread_mutex_lock(&kept->mutex);
    while (!kept->closing) {
        if (kept->n_waiting == 0) {
            pthread_cond_wait(&kept->changed, &kept->mutex);
        } else if (pthread_cond_timedwait(&kept->changed, &kept->mutex, &kept->flush_at) != 0) {
            flush(kept);
        }
    }
    pthread_mutex_unlock(&kept->mutex);
    return NULL;
}

/* ---- Get and put ---- */

static uint32_t hash_of(const char *key) {
    uint32_t hash = 2166136261u;
    for (const char *byte = key; *byte; byte++)
        hash = (hash ^ (unsigned char)*byte) * 16777619u;
    return hash;
}

static struct waiting *find_waiting(struct wr_kept *kept, const char *key, uint32_t hash) {
    for (size_t i = 0; i < kept->n_waiting; i++) {
        struct waiting *one = &kept->waiting[i];
        if (one->hash == hash && strcmp(one->key, key) == 0) return one;
    }
    return NULL;
}

/* Takes over key and value; with `value` NULL a note that the key was used. */
static void wait_for_flush(struct wr_kept *kept, char *key, void *value, size_t length,
                           uint32_t hash) {
    if (!kept->has_writer) {
        kept->has_writer = pthread_create(&kept->writer, NULL, write_by_and_by, kept) == 0;
    }
    if (kept->n_waiting == 0) {
        kept->flush_at = wr_condition_deadline(FLUSH_AFTER_MS);
        pthread_cond_signal(&kept->changed);
    }
    kept->waiting[kept->n_waiting++] = (struct waiting){key, value, length, hash};
    kept->n_waiting_bytes += length;
    if (kept->n_waiting == MOST_WAITING || kept->n_waiting_bytes > MOST_WAITING_BYTES) flush(kept);
}

static void note_use(struct wr_kept *kept, const char *key, uint32_t hash, int64_t used) {
    int64_t since = now_s() - used;
    if (since >= 0 && since < NOTE_USE_AFTER_S) return;
    char *copy = wr_strdup(key);
    if (copy) wait_for_flush(kept, copy, NULL, 0, hash);
}

/* A copy of what is in the database, and when it was used last. */
static bool look_up(struct wr_kept *kept, const char *key, void **ret_value, size_t *ret_length,
                    int64_t *ret_used) {
    /* One that is still to be made has nothing: that is left to the thread that writes. */
    if (!kept->opened && access(kept->path, F_OK) != 0) return false;
    if (!is_open(kept)) return false;
    sqlite3_stmt *statement = kept->statements[GET];
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    void *copy = NULL;
    if (result == SQLITE_ROW) {
        const void *value = sqlite3_column_blob(statement, 0);
        size_t length = (size_t)sqlite3_column_bytes(statement, 0);
        bool right = (value || length == 0) && checksum_of(key, value, length) ==
                                                   (uint32_t)sqlite3_column_int64(statement, 1);
        copy = right ? wr_malloc(length) : NULL;
        if (copy && length > 0) memcpy(copy, value, length);
        *ret_length = length;
        *ret_used = sqlite3_column_int64(statement, 2);
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) look_after(kept);
    if (copy) *ret_value = copy;
    return copy != NULL;
}

static bool find(struct wr_kept *kept, const char *key, void **ret_value, size_t *ret_length) {
    uint32_t hash = hash_of(key);
    const struct waiting *one = find_waiting(kept, key, hash);
    if (one && one->value) {
        void *copy = wr_malloc(one->length);
        if (!copy) return false;
        memcpy(copy, one->value, one->length);
        *ret_value = copy;
        *ret_length = one->length;
        return true;
    }
    int64_t used = 0;
    if (!look_up(kept, key, ret_value, ret_length, &used)) return false;
    if (!one) note_use(kept, key, hash, used);
    return true;
}

/* The value is copied, so that `take` may be slow without keeping others waiting. */
static void get(void *context, const char *key,
                void (*take)(void *sink, const void *data, size_t length), void *sink) {
    struct wr_kept *kept = context;
    void *value = NULL;
    size_t length = 0;
    pthread_mutex_lock(&kept->mutex);
    bool found = find(kept, key, &value, &length);
    pthread_mutex_unlock(&kept->mutex);
    if (!found) return;
    take(sink, value, length);
    wr_free(value);
}

static void put(void *context, const char *key, const void *data, size_t length) {
    struct wr_kept *kept = context;
    if (kept->max_bytes > 0 && length > (size_t)kept->max_bytes / 4) return;
    char *key_copy = wr_strdup(key);
    void *copy = wr_malloc(length);
    if (!key_copy || !copy) {
        wr_free(key_copy);
        wr_free(copy);
        return;
    }
    if (length > 0) memcpy(copy, data, length);
    uint32_t hash = hash_of(key);
    pthread_mutex_lock(&kept->mutex);
    struct waiting *one = find_waiting(kept, key, hash);
    if (one) {
        kept->n_waiting_bytes += length - one->length;
        wr_free(one->value);
        one->value = copy;
        one->length = length;
    } else {
        wait_for_flush(kept, key_copy, copy, length, hash);
        key_copy = NULL;
    }
    pthread_mutex_unlock(&kept->mutex);
    wr_free(key_copy);
}

struct wr_cache wr_kept_cache(struct wr_kept *kept) {
    return (struct wr_cache){
        .size = sizeof(struct wr_cache), .context = kept, .get = get, .put = put};
}

/* ---- Life ---- */

int wr_kept_open(const char *path, int64_t max_bytes, struct wr_kept **ret_kept,
                 struct weir_error *error) {
    struct wr_kept *kept = wr_calloc(1, sizeof *kept);
    if (!kept) return wr_error_memory(error);
    kept->max_bytes = max_bytes;
    pthread_mutex_init(&kept->mutex, NULL);
    wr_condition_init(&kept->changed);
    kept->path = wr_strdup(path);
    if (!kept->path) {
        wr_kept_close(kept);
        return wr_error_memory(error);
    }
    *ret_kept = kept;
    return WEIR_OK;
}

void wr_kept_close(struct wr_kept *kept) {
    if (!kept) return;
    pthread_mutex_lock(&kept->mutex);
    kept->closing = true;
    pthread_cond_signal(&kept->changed);
    pthread_mutex_unlock(&kept->mutex);
    if (kept->has_writer) pthread_join(kept->writer, NULL);
    flush(kept);
    close_database(kept);
    pthread_cond_destroy(&kept->changed);
    pthread_mutex_destroy(&kept->mutex);
    wr_free(kept->path);
    wr_free(kept);
}
