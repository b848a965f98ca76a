/* SPDX-License-Identifier: Apache-2.0 */
#include "session/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

/* The names of objects are bounded; a line that is longer is cut. */
enum { MOST_LINE = 4096 };

struct wr_log_file {
    int fd;
    bool is_own;
};

int wr_log_open(const struct wr_config *config, struct wr_log_file **ret_log,
                struct weir_error *error) {
    const char *path = wr_config_text(config, "log.file");
    if (strcmp(wr_config_text(config, "log.level"), "debug") != 0) {
        *ret_log = NULL;
        return WEIR_OK;
    }
    struct wr_log_file *log = wr_calloc(1, sizeof *log);
    if (!log) return wr_error_memory(error);
    log->fd = STDERR_FILENO;
    if (path) {
        log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        log->is_own = true;
    }
    if (log->fd < 0) {
        int code = wr_error_errno(error, errno, "cannot open the log \"%s\" (log.file)", path);
        wr_free(log);
        return code;
    }
    *ret_log = log;
    return WEIR_OK;
}

void wr_log_close(struct wr_log_file *log) {
    if (!log) return;
    if (log->is_own) close(log->fd);
    wr_free(log);
}

void wr_log_line(void *context, const char *text) {
    const struct wr_log_file *log = context;
    struct timespec now;
    struct tm parts;
    char line[MOST_LINE];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t n = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &parts);
    int added =
        snprintf(line + n, sizeof line - n - 1, ".%03dZ %s", (int)(now.tv_nsec / 1000000), text);
    if (added < 0) return;
    n += (size_t)added < sizeof line - n - 1 ? (size_t)added : sizeof line - n - 2;
    line[n++] = '\n';
    ssize_t written = write(log->fd, line, n);
    (void)written;
}
