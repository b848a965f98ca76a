/* SPDX-License-Identifier: Apache-2.0 */
#include "session/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "sql/statement.h"

enum { MOST_LINE = 16 << 20, MOST_KEPT = 1 << 20 };

struct wr_audit {
    char *path;
    pthread_mutex_t mutex; /* guards what follows */
    int fd;
    struct wr_buffer kept; /* whole lines that could not be written, or the rest of one */
    int64_t n_lost;        /* for which there was no room either */
};

/* ---- Lines ---- */

static void add_member(struct wr_buffer *line, const char *key, const char *text) {
    wr_buffer_format(line, ",\"%s\":", key);
    wr_json_write(line, text);
}

static void add_time(struct wr_buffer *line, int64_t us) {
    time_t seconds = (time_t)(us / 1000000);
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    wr_buffer_format(line, "{\"time\":\"%s.%06dZ\"", text, (int)(us % 1000000));
}

static void add_tables(struct wr_buffer *line, const char *const *tables) {
    wr_buffer_text(line, ",\"tables\":[");
    for (size_t i = 0; tables[i]; i++) {
        if (i > 0) wr_buffer_char(line, ',');
        wr_json_write(line, tables[i]);
    }
    wr_buffer_char(line, ']');
}

static int write_line(struct wr_buffer *line, const struct wr_audit_record *record,
                      struct weir_error *error) {
    char *sql = NULL;
    const char *outcome = record->code == WEIR_OK          ? "ok"
                          : record->code == WEIR_CANCELLED ? "cancelled"
                          : record->code == WEIR_TIMEOUT   ? "timeout"
                                                           : "error";
    WR_TRY(wr_sql_without_literals(record->sql, &sql, error));
    add_time(line, record->started_us);
    add_member(line, "session", record->session);
    add_member(line, "query", record->query);
    add_member(line, "user", record->user);
    add_member(line, "door", record->door);
    add_member(line, "peer", record->peer);
    add_member(line, "statement", sql);
    if (record->tables) add_tables(line, record->tables);
    if (record->target) add_member(line, "target", record->target);
    if (record->rows >= 0) wr_buffer_format(line, ",\"rows\":%" PRId64, record->rows);
    add_member(line, "outcome", outcome);
    if (record->code && record->sqlstate) add_member(line, "sqlstate", record->sqlstate);
    wr_buffer_format(line, ",\"duration_us\":%" PRId64 "}\n", record->duration_us);
    wr_free(sql);
    return line->failed ? wr_error_memory(error) : WEIR_OK;
}

/* ---- The file, with the mutex held ---- */

static int open_file(struct wr_audit *audit, struct weir_error *error) {
    int fd = open(audit->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return wr_error_errno(error, errno, "cannot open the audit log \"%s\"", audit->path);
    if (audit->fd >= 0) close(audit->fd);
    audit->fd = fd;
    return WEIR_OK;
}

static bool is_same_file(const struct wr_audit *audit) {
    struct stat own;
    struct stat there;
    return fstat(audit->fd, &own) == 0 && stat(audit->path, &there) == 0 &&
           own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

/* How much of it was written; less than all after a failure, which errno tells. */
static size_t append(struct wr_audit *audit, const char *data, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(audit->fd, data + done, length - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
    return done;
}

static int cannot_write(const struct wr_audit *audit, int errnum, struct weir_error *error) {
    return wr_error_set(error, WEIR_IO, "58030",
                        "the audit log \"%s\" cannot be written (%s): no statement begins until it "
                        "can",
                        audit->path, strerror(errnum));
}

/* Writes what was kept, first the rest of a line that was cut. */
static int catch_up(struct wr_audit *audit, struct weir_error *error) {
    char note[96];
    if (!is_same_file(audit)) WR_TRY(open_file(audit, error));
    if (audit->kept.length > 0) {
        size_t done = append(audit, audit->kept.data, audit->kept.length);
        int errnum = errno;
        if (done < audit->kept.length) {
            memmove(audit->kept.data, audit->kept.data + done, audit->kept.length - done);
            audit->kept.length -= done;
            return cannot_write(audit, errnum, error);
        }
        wr_buffer_clear(&audit->kept);
    }
    if (audit->n_lost == 0) return WEIR_OK;
    int n = snprintf(note, sizeof note, "{\"lost\":%" PRId64 "}\n", audit->n_lost);
    if (append(audit, note, (size_t)n) < (size_t)n) return cannot_write(audit, errno, error);
    audit->n_lost = 0;
    return WEIR_OK;
}

static void keep(struct wr_audit *audit, const char *data, size_t length) {
    bool fits = audit->kept.length + length <= MOST_KEPT;
    if (fits) wr_buffer_add(&audit->kept, data, length);
    if (!fits || audit->kept.failed) audit->n_lost++;
    audit->kept.failed = false;
}

/* ---- What others call ---- */

int wr_audit_open(const struct wr_config *config, struct wr_audit **ret_audit,
                  struct weir_error *error) {
    const char *path = wr_config_text(config, "audit.log");
    if (!path) return WEIR_OK;
    struct wr_audit *audit = wr_calloc(1, sizeof *audit);
    if (!audit) return wr_error_memory(error);
    pthread_mutex_init(&audit->mutex, NULL);
    wr_buffer_init(&audit->kept, MOST_KEPT);
    audit->fd = -1;
    audit->path = wr_strdup(path);
    int code = audit->path ? open_file(audit, error) : wr_error_memory(error);
    if (code) {
        wr_audit_close(audit);
        return code;
    }
    *ret_audit = audit;
    return WEIR_OK;
}

void wr_audit_close(struct wr_audit *audit) {
    if (!audit) return;
    if (audit->fd >= 0) {
        catch_up(audit, NULL);
        close(audit->fd);
    }
    wr_buffer_reset(&audit->kept);
    pthread_mutex_destroy(&audit->mutex);
    wr_free(audit->path);
    wr_free(audit);
}

int wr_audit_ready(struct wr_audit *audit, struct weir_error *error) {
    if (!audit) return WEIR_OK;
    pthread_mutex_lock(&audit->mutex);
    int code = audit->kept.length > 0 || audit->n_lost > 0 ? catch_up(audit, error) : WEIR_OK;
    pthread_mutex_unlock(&audit->mutex);
    return code;
}

int wr_audit_write(struct wr_audit *audit, const struct wr_audit_record *record,
                   struct weir_error *error) {
    struct wr_buffer line;
    if (!audit) return WEIR_OK;
    wr_buffer_init(&line, MOST_LINE);
    int code = write_line(&line, record, error);
    pthread_mutex_lock(&audit->mutex);
    if (code) {
        audit->n_lost++;
    } else {
        code = catch_up(audit, error);
        size_t done = code ? 0 : append(audit, line.data, line.length);
        if (code == WEIR_OK && done < line.length) code = cannot_write(audit, errno, error);
        if (code) keep(audit, line.data + done, line.length - done);
    }
    pthread_mutex_unlock(&audit->mutex);
    wr_buffer_reset(&line);
    return code;
}
