/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe can be read once and only from its beginning, but a query looks at a file's end, its size, and reads it from
 * several threads. So it is copied, when the table is opened.
 */
#include "table/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { COPY_BYTES = 128 * 1024 };

/* The descriptor that /dev/stdin, /dev/fd/N or /proc/self/fd/N stands for; -1: the path is none of them. */
static int descriptor_of(const char *path) {
    static const char *const prefixes[] = {"/dev/fd/", "/proc/self/fd/"};
    if (strcmp(path, "/dev/stdin") == 0) return STDIN_FILENO;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        const char *digits = path + length;
        if (strncmp(path, prefixes[i], length) == 0 && *digits && !digits[strspn(digits, "0123456789")]) return atoi(digits);
    }
    return -1;
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
                                      "cannot keep the data of \"%s\" in \"%s\" (set TMPDIR to a directory with more space)",
                                      text, target);
        }
    }
    wr_free(buffer);
    if (code == 0 && !any)
        code = wr_error_set(error, WEIR_INVALID_DATA, NULL, "\"%s\" gave no data: it ended at once", text);
    return code;
}

/* On Linux an open file has a path even without a name, so that nothing is left behind however the process ends. */
static void take_name_away(struct wr_spool *spool) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", spool->fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0) return;
    close(again);
    char *copy_of_path = wr_strdup(path);
    if (!copy_of_path) return;
    if (unlink(spool->path) == 0) {
        wr_free(spool->path);
        spool->path = copy_of_path;
        spool->named = false;
    } else {
        wr_free(copy_of_path);
    }
}

static int make_file(struct wr_spool *spool, struct weir_error *error) {
    const char *directory = getenv("TMPDIR");
    if (!directory || !*directory) directory = "/tmp";
    struct wr_buffer path;
    wr_buffer_init(&path, 64 * 1024);
    wr_buffer_format(&path, "%s/weir-pipe-XXXXXX", directory);
    if (path.failed) {
        wr_buffer_reset(&path);
        return wr_error_memory(error);
    }
    spool->fd = mkostemp(path.data, O_CLOEXEC);
    if (spool->fd < 0) {
        int reason = errno;
        wr_buffer_reset(&path);
        return wr_error_errno(error, reason, "cannot make a temporary file in \"%s\" (TMPDIR)", directory);
    }
    spool->path = wr_buffer_take(&path);
    spool->named = true;
    return WEIR_OK;
}

int wr_spool_open(const char *text, const char *path, struct wr_spool *ret_spool, struct weir_error *error) {
    struct wr_spool spool = {.fd = -1};
    struct stat status;
    int descriptor = descriptor_of(path);
    if ((descriptor >= 0 ? fstat(descriptor, &status) : stat(path, &status)) != 0) {
        /* A missing file is for the listing to tell, which knows what else is there. */
        if (descriptor >= 0) return wr_error_errno(error, errno, "cannot read \"%s\"", text);
        *ret_spool = spool;
        return WEIR_OK;
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
        *ret_spool = spool;
        return WEIR_OK;
    }
    if (!S_ISFIFO(status.st_mode) && !(S_ISSOCK(status.st_mode) && descriptor >= 0)) {
        const char *what = S_ISSOCK(status.st_mode)                     ? "a socket"
                           : descriptor >= 0 && isatty(descriptor) == 1 ? "a terminal"
                                                                        : "a device";
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" is %s; only files, directories and pipes can be read",
                            text, what);
    }
    int from = descriptor >= 0 ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return wr_error_errno(error, errno, "cannot open \"%s\"", text);
    int code = make_file(&spool, error);
    if (code == 0) {
        code = copy(text, from, spool.fd, spool.path, error);
        if (code == 0) take_name_away(&spool);
    }
    close(from);
    if (code) {
        wr_spool_close(&spool);
        return code;
    }
    *ret_spool = spool;
    return WEIR_OK;
}

void wr_spool_close(struct wr_spool *spool) {
    if (!spool->path) return;
    if (spool->named) unlink(spool->path);
    close(spool->fd);
    wr_free(spool->path);
    *spool = (struct wr_spool){.fd = -1};
}
