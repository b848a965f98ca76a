/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe can be read once and only from its beginning, but a query looks at a file's end, its size,
 * and reads it from several threads, and the next statement may name it again. So it is copied when
 * a table over it is first opened.
 *
 * The copy of a descriptor's pipe (standard input) is kept after its last table, because the
 * process cannot read that pipe again; a named pipe is read anew by each table.
 */
#include "table/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { COPY_BYTES = 128 * 1024, MOST_UNUSED = 8 };

struct wr_pipe {
    struct wr_pipe *next;
    dev_t device; /* of the pipe */
    ino_t inode;
    size_t references;
    char *path;
    int fd;
    bool named; /* the file still has its name */
};

static pthread_mutex_t lock =
    PTHREAD_MUTEX_INITIALIZER; /* of what follows, and held while a pipe is copied */
static struct wr_pipe *kept;   /* newest first */

/* The descriptor that /dev/stdin, /dev/fd/N or /proc/self/fd/N stands for; -1: the path is none of
 * them. */
static int descriptor_of(const char *path) {
    static const char *const prefixes[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "/dev/stdin") == 0) return STDIN_FILENO;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        const char *digits = path + length;
        if (strncmp(path, prefixes[i], length) == 0 && *digits &&
            !digits[strspn(digits, "0123456789")])
            return atoi(digits);
    }
    return -1;
}

bool wr_pipe_is_descriptor(const char *path) {
    return descriptor_of(path) >= 0;
}

static int write_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int copy(const char *text, int from, int to, const char *target, struct weir_error *error) {
    char *buffer = wr_malloc(COPY_BYTES);
    if (!buffer) return wr_error_memory(error);
    int code = WEIR_OK;
    bool any = false;
    while (code == 0) {
        ssize_t length = read(from, buffer, COPY_BYTES);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) {
            code = wr_error_errno(error, errno, "cannot read \"%s\"", text);
        } else if (length == 0) {
            break;
        } else {
            any = true;
            int reason = write_all(to, buffer, (size_t)length);
            if (reason)
                code = wr_error_errno(error, reason,
                                      "cannot keep the data of \"%s\" in \"%s\" (set TMPDIR to a "
                                      "directory with more space)",
                                      text, target);
        }
    }
    wr_free(buffer);
    if (code == 0 && !any)
        code = wr_error_set(error, WEIR_INVALID_DATA, NULL, "\"%s\" gave no data: it ended at once",
                            text);
    return code;
}

/* On Linux an open file has a path even without a name, so that nothing is left behind however the
 * process ends. */
static void take_name_away(struct wr_pipe *pipe) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", pipe->fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0) return;
    close(again);
    char *copy_of_path = wr_strdup(path);
    if (!copy_of_path) return;
    if (unlink(pipe->path) == 0) {
        wr_free(pipe->path);
        pipe->path = copy_of_path;
        pipe->named = false;
    } else {
        wr_free(copy_of_path);
    }
}

static int make_file(struct wr_pipe *pipe, struct weir_error *error) {
    const char *directory = getenv("TMPDIR");
    if (!directory || !*directory) directory = "/tmp";
    struct wr_buffer path;
    wr_buffer_init(&path, 64 * 1024);
    wr_buffer_format(&path, "%s/weir-pipe-XXXXXX", directory);
    if (path.failed) {
        wr_buffer_reset(&path);
        return wr_error_memory(error);
    }
    pipe->fd = mkostemp(path.data, O_CLOEXEC);
    if (pipe->fd < 0) {
        int reason = errno;
        wr_buffer_reset(&path);
        return wr_error_errno(error, reason, "cannot make a temporary file in \"%s\" (TMPDIR)",
                              directory);
    }
    pipe->path = wr_buffer_take(&path);
    pipe->named = true;
    return WEIR_OK;
}

static void destroy(struct wr_pipe *pipe) {
    if (pipe->named) unlink(pipe->path);
    if (pipe->fd >= 0) close(pipe->fd);
    wr_free(pipe->path);
    wr_free(pipe);
}

static int pipe_new(const char *text, const char *path, int descriptor, struct wr_pipe **ret_pipe,
                    struct weir_error *error) {
    int from =
        descriptor >= 0 ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return wr_error_errno(error, errno, "cannot open \"%s\"", text);
    struct wr_pipe *pipe = wr_calloc(1, sizeof *pipe);
    if (!pipe) {
        close(from);
        return wr_error_memory(error);
    }
    pipe->fd = -1;
    pipe->references = 1;
    int code = make_file(pipe, error);
    if (code == 0) code = copy(text, from, pipe->fd, pipe->path, error);
    close(from);
    if (code) {
        destroy(pipe);
        return code;
    }
    take_name_away(pipe);
    *ret_pipe = pipe;
    return WEIR_OK;
}

static int open_descriptor(const char *text, int descriptor, const struct stat *status,
                           struct wr_pipe **ret_pipe, struct weir_error *error) {
    for (struct wr_pipe *pipe = kept; pipe; pipe = pipe->next) {
        if (pipe->device == status->st_dev && pipe->inode == status->st_ino) {
            pipe->references++;
            *ret_pipe = pipe;
            return WEIR_OK;
        }
    }
    struct wr_pipe *pipe = NULL;
    WR_TRY(pipe_new(text, NULL, descriptor, &pipe, error));
    /* What still has a name must not outlive its table: nothing would take the name away. */
    if (!pipe->named) {
        pipe->device = status->st_dev;
        pipe->inode = status->st_ino;
        pipe->next = kept;
        kept = pipe;
    }
    *ret_pipe = pipe;
    return WEIR_OK;
}

int wr_pipe_open(const char *text, const char *path, struct wr_pipe **ret_pipe,
                 struct weir_error *error) {
    struct stat status;
    *ret_pipe = NULL;
    int descriptor = descriptor_of(path);
    if ((descriptor >= 0 ? fstat(descriptor, &status) : stat(path, &status)) != 0) {
        /* A missing file is for the listing to tell, which knows what else is there. */
        return descriptor >= 0 ? wr_error_errno(error, errno, "cannot read \"%s\"", text) : WEIR_OK;
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) return WEIR_OK;
    if (!S_ISFIFO(status.st_mode) && !(S_ISSOCK(status.st_mode) && descriptor >= 0)) {
        const char *what = S_ISSOCK(status.st_mode)                     ? "a socket"
                           : descriptor >= 0 && isatty(descriptor) == 1 ? "a terminal"
                                                                        : "a device";
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is %s; only files, directories and pipes can be read", text,
                            what);
    }
    if (descriptor < 0) return pipe_new(text, path, -1, ret_pipe, error);
    pthread_mutex_lock(&lock);
    int code = open_descriptor(text, descriptor, &status, ret_pipe, error);
    pthread_mutex_unlock(&lock);
    return code;
}

const char *wr_pipe_path(const struct wr_pipe *pipe) {
    return pipe->path;
}

void wr_pipe_close(struct wr_pipe *pipe) {
    if (!pipe) return;
    pthread_mutex_lock(&lock);
    pipe->references--;
    bool is_kept = false;
    size_t n_unused = 0;
    for (struct wr_pipe **place = &kept; *place;) {
        struct wr_pipe *one = *place;
        is_kept = is_kept || one == pipe;
        if (one->references == 0 && ++n_unused > MOST_UNUSED) {
            *place = one->next;
            if (one != pipe)
                destroy(one);
            else
                is_kept = false;
        } else {
            place = &one->next;
        }
    }
    if (!is_kept && pipe->references == 0) destroy(pipe);
    pthread_mutex_unlock(&lock);
}
