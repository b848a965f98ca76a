/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "watch.h"

enum { PENDING_SIZE = 64 * 1024, HOLD_LIMIT = 1024 * 1024 };

static void init(struct sink *sink, int fd) {
    memset(sink, 0, sizeof *sink);
    sink->fd = fd;
    sink->terminal = isatty(fd) == 1;
    wr_buffer_init(&sink->pending, (size_t)1 << 40);
}

void sink_open_standard(struct sink *sink) {
    init(sink, STDOUT_FILENO);
}

/* The directory is part of the name, so that the rename stays inside one file system. */
static char *staged_name(const char *path) {
    struct wr_buffer name;
    const char *slash = strrchr(path, '/');
    size_t directory = slash == NULL ? 0 : (size_t)(slash - path) + 1;

    wr_buffer_init(&name, 1 << 16);
    wr_buffer_add(&name, path, directory);
    wr_buffer_format(&name, ".%s.XXXXXX", path + directory);
    return wr_buffer_take(&name);
}

static int open_staged(struct sink *sink, const char *path, mode_t mode, struct weir_error *error) {
    char *staged = staged_name(path);
    if (staged == NULL) return wr_error_memory(error);
    int fd = mkostemp(staged, O_CLOEXEC);
    if (fd < 0) {
        int code = wr_error_errno(error, errno, "cannot write a file beside %s", path);
        wr_free(staged);
        return code;
    }
    (void)fchmod(fd, mode);
    init(sink, fd);
    sink->staged = staged;
    watch_staged_file(staged);
    return WEIR_OK;
}

int sink_open_file(struct sink *sink, const char *path, struct weir_error *error) {
    struct stat status;
    char *real = NULL;
    int code;

    mode_t mask = umask(0);
    umask(mask);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) return wr_error_errno(error, errno, "cannot write %s", path);
        init(sink, fd);
    } else {
        bool exists = (real = realpath(path, NULL)) != NULL; /* a link stays a link */
        mode_t mode = exists ? status.st_mode & 07777 : 0666 & ~mask;
        code = open_staged(sink, exists ? real : path, mode, error);
        if (code != WEIR_OK) {
            free(real);
            return code;
        }
    }
    sink->path = wr_strdup(real != NULL ? real : path);
    free(real);
    if (sink->path == NULL) {
        sink_abort(sink);
        return wr_error_memory(error);
    }
    return WEIR_OK;
}

void sink_use_pager(struct sink *sink, const char *command, int screen_lines) {
    sink->pager = sink->terminal ? command : NULL;
    sink->screen_lines = screen_lines;
}

static int write_all(struct sink *sink) {
    size_t done = 0;

    if (sink->pending.failed) return ENOMEM;
    int fd = sink->pager_stream != NULL ? fileno(sink->pager_stream) : sink->fd;
    while (done < sink->pending.length) {
        ssize_t n = write(fd, sink->pending.data + done, sink->pending.length - done);
        if (n < 0 && errno == EINTR && !watch_interrupted()) continue;
        if (n < 0) {
            int errnum = errno;
            sink->broken = errnum == EPIPE;
            wr_buffer_clear(&sink->pending);
            return errnum;
        }
        done += (size_t)n;
    }
    wr_buffer_clear(&sink->pending);
    return 0;
}

static void start_pager(struct sink *sink) {
    setenv("LESS", "SRFX",
           0); /* what a PAGER of plain "less" needs to show colours and wide rows */
    sink->pager_stream = popen(sink->pager, "we");
    sink->pager = NULL;
}

int sink_write(void *context, const void *data, size_t length) {
    struct sink *sink = context;

    if (sink->broken) return EPIPE;
    wr_buffer_add(&sink->pending, data, length);
    if (sink->pager != NULL) {
        for (size_t i = 0; i < length; i++)
            sink->lines += ((const char *)data)[i] == '\n';
        if (sink->lines < sink->screen_lines && sink->pending.length < HOLD_LIMIT) return 0;
        watch_hide_progress();
        start_pager(sink);
    }
    if (sink->pending.length < PENDING_SIZE && !sink->pending.failed) return 0;
    if (sink->terminal) watch_hide_progress();
    return write_all(sink);
}

static int failure(const struct sink *sink, int errnum, struct weir_error *error) {
    return wr_error_errno(error, errnum, "cannot write %s",
                          sink->path == NULL ? "standard output" : sink->path);
}

int sink_put(struct sink *sink, const struct wr_buffer *text, struct weir_error *error) {
    if (text->failed) return wr_error_memory(error);
    int errnum = text->length == 0 ? 0 : sink_write(sink, text->data, text->length);
    return errnum == 0 ? WEIR_OK : failure(sink, errnum, error);
}

void sink_text(struct sink *sink, const char *text) {
    (void)sink_write(sink, text, strlen(text));
}

int sink_flush(struct sink *sink) {
    if (sink->terminal) watch_hide_progress();
    int errnum = sink->broken ? EPIPE : write_all(sink);
    if (sink->pager_stream != NULL) {
        pclose(sink->pager_stream);
        sink->pager_stream = NULL;
    }
    sink->lines = 0;
    sink->pager = NULL;
    return errnum;
}

int sink_commit(struct sink *sink, struct weir_error *error) {
    int errnum = sink_flush(sink);

    if (errnum == 0 && sink->staged != NULL) {
        if (fsync(sink->fd) != 0 || rename(sink->staged, sink->path) != 0) {
            errnum = errno;
        } else {
            wr_free(sink->staged);
            sink->staged = NULL;
            watch_staged_file(NULL);
        }
    }
    int code = errnum == 0 ? WEIR_OK : failure(sink, errnum, error);
    sink_abort(sink);
    return code;
}

void sink_abort(struct sink *sink) {
    if (sink->pager_stream != NULL) pclose(sink->pager_stream);
    sink->pager_stream = NULL;
    if (sink->fd > STDERR_FILENO) close(sink->fd);
    sink->fd = -1;
    if (sink->staged != NULL) {
        unlink(sink->staged);
        watch_staged_file(NULL);
    }
    wr_free(sink->staged);
    wr_free(sink->path);
    sink->staged = sink->path = NULL;
    wr_buffer_reset(&sink->pending);
}
