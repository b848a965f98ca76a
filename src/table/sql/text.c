/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "table/files/files.h"
#include "table/sql/front_matter.h"

enum { MOST_BYTES = 1 << 20 };

/* Up to `length` bytes from the file's beginning. */
static int read_all(int fd, char *data, size_t length, size_t *ret_length) {
    size_t n = 0;
    while (n < length) {
        ssize_t some = pread(fd, data + n, length - n, (off_t)n);
        if (some < 0 && errno == EINTR) continue;
        if (some < 0) return errno;
        if (some == 0) break;
        n += (size_t)some;
    }
    *ret_length = n;
    return 0;
}

static size_t line_of_bad_byte(const char *data, size_t length) {
    size_t line = 1;
    for (const char *start = data; start < data + length;) {
        const char *end = memchr(start, '\n', (size_t)(data + length - start));
        if (!end) end = data + length;
        if (!wr_is_utf8(start, (size_t)(end - start))) break;
        line++;
        start = end + 1;
    }
    return line;
}

static int check_text(const char *shown, const char *data, size_t length,
                      struct weir_error *error) {
    if (length > MOST_BYTES) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is larger than 1 MiB, which a table's SQL may not be", shown);
    }
    if (memchr(data, '\0', length)) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\" is not SQL text: it holds NUL bytes", shown);
    }
    if (!wr_is_utf8(data, length)) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\", line %zu: the text is not UTF-8", shown,
                            line_of_bad_byte(data, length));
    }
    return WEIR_OK;
}

int wr_sql_text_of(int fd, const char *shown, char **ret_text, struct weir_error *error) {
    struct stat status;
    if (fstat(fd, &status) != 0) return wr_error_errno(error, errno, "cannot read \"%s\"", shown);
    if (!S_ISREG(status.st_mode)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" is not a file", shown);
    }
    size_t capacity =
        status.st_size < MOST_BYTES ? (size_t)status.st_size + 4096 : (size_t)MOST_BYTES + 1;
    char *text = wr_malloc(capacity + 1);
    if (!text) return wr_error_memory(error);
    size_t length = 0;
    int reason = read_all(fd, text, capacity, &length);
    text[length] = '\0';
    int code = reason ? wr_error_errno(error, reason, "cannot read \"%s\"", shown)
                      : check_text(shown, text, length, error);
    if (code) {
        wr_free(text);
        return code;
    }
    *ret_text = text;
    return WEIR_OK;
}

int wr_sql_text_read(const char *root, const char *path, const char *shown, char **ret_text,
                     struct weir_error *error) {
    struct wr_access access;
    WR_TRY(wr_access_open(root, &access, error));
    int fd = -1;
    int reason = wr_access_fd(&access, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
    int code = WEIR_OK;
    if (reason == ENOENT || reason == ENOTDIR) {
        code = wr_error_set(error, WEIR_NOT_FOUND, "58P01", "no such file: \"%s\" (looked for %s)",
                            shown, path);
    } else if (reason) {
        code = wr_access_error(error, &access, reason, "cannot open", shown);
    }
    wr_access_close(&access);
    if (code) return code;
    code = wr_sql_text_of(fd, shown, ret_text, error);
    close(fd);
    return code;
}
