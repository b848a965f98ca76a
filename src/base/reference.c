/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reference.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

enum { MOST_SECRET = 64 << 10, MOST_VALUE = 1 << 20, MOST_NAME = 4096 };

/* ---- Files ---- */

static int read_all(int fd, const char *path, struct wr_buffer *text, struct weir_error *error) {
    for (;;) {
        char part[4096];
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return wr_error_errno(error, errno, "cannot read \"%s\"", path);
        if (n == 0) return WEIR_OK;
        if (text->length + (size_t)n > text->ceiling)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "\"%s\" is larger than %zu bytes; is it the file that was meant?",
                                path, text->ceiling);
        wr_buffer_add(text, part, (size_t)n);
        if (text->failed) return wr_error_memory(error);
    }
}

int wr_read_text_file(const char *path, size_t most, char **ret_text, size_t *ret_length,
                      struct weir_error *error) {
    struct wr_buffer text;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wr_error_errno(error, errno, "cannot read \"%s\"", path);
    wr_buffer_init(&text, most);
    int code = read_all(fd, path, &text, error);
    close(fd);
    size_t length = text.length;
    char *data = code ? NULL : wr_buffer_take(&text);
    wr_buffer_reset(&text);
    if (code) return code;
    if (!data) return wr_error_memory(error);
    *ret_text = data;
    *ret_length = length;
    return WEIR_OK;
}

int wr_reference_path(const char *base, const char *path, char **ret_path,
                      struct weir_error *error) {
    struct wr_buffer joined;
    wr_buffer_init(&joined, MOST_VALUE);
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    if (base && path[0] != '/') {
        wr_buffer_text(&joined, base);
        if (strcmp(path, ".") != 0 && *path)
            wr_buffer_format(&joined, "%s%s", strcmp(base, "/") == 0 ? "" : "/", path);
    } else {
        wr_buffer_text(&joined, *path ? path : ".");
    }
    char *text = wr_buffer_take(&joined);
    if (!text) return wr_error_memory(error);
    *ret_path = text;
    return WEIR_OK;
}

/* ---- References ---- */

static int add_variable(const char *name, struct wr_buffer *value, struct weir_error *error) {
    const char *text = getenv(name);
    if (!text)
        return wr_error_set(error, WEIR_NOT_FOUND, NULL,
                            "the environment variable %s is not set; ${env:%s} needs it", name,
                            name);
    wr_buffer_text(value, text);
    return WEIR_OK;
}

static int add_file(const char *name, const char *base, struct wr_buffer *value,
                    struct weir_error *error) {
    char *path = NULL, *text = NULL;
    size_t length = 0;
    WR_TRY(wr_reference_path(base, name, &path, error));
    int code = wr_read_text_file(path, MOST_SECRET, &text, &length, error);
    if (code == WEIR_OK && strlen(text) != length)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" has a NUL in it; ${file:...} is for text", path);
    wr_free(path);
    if (code == WEIR_OK) {
        if (length > 0 && text[length - 1] == '\n') length--;
        if (length > 0 && text[length - 1] == '\r') length--;
        wr_buffer_add(value, text, length);
    }
    wr_free(text);
    return code;
}

/* `text` begins behind "${"; *ret_end is set behind "}". */
static int add_reference(const char *text, const char *base, struct wr_buffer *value,
                         const char **ret_end, struct weir_error *error) {
    size_t length = strcspn(text, "}"), head = strcspn(text, ":}");
    bool is_env = head == 3 && memcmp(text, "env", 3) == 0;
    bool is_file = head == 4 && memcmp(text, "file", 4) == 0;
    char name[MOST_NAME];
    if (!text[length])
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "a reference ${ has no }; write $${ where ${ itself is meant");
    if ((!is_env && !is_file) || head + 1 >= length || length - head > sizeof name)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "${%.*s} is no reference; there are ${env:NAME} and ${file:PATH}, and "
                            "$${ where ${ itself is meant",
                            length < 80 ? (int)length : 80, text);
    memcpy(name, text + head + 1, length - head - 1);
    name[length - head - 1] = '\0';
    *ret_end = text + length + 1;
    return is_env ? add_variable(name, value, error) : add_file(name, base, value, error);
}

static int resolve(const char *written, const char *base, struct wr_buffer *value,
                   struct weir_error *error) {
    for (const char *at = written; *at;) {
        const char *dollar = strstr(at, "${");
        if (!dollar) {
            wr_buffer_text(value, at);
            break;
        }
        bool escaped = dollar > at && dollar[-1] == '$';
        wr_buffer_add(value, at, (size_t)(dollar - at) - escaped);
        at = dollar + 2;
        if (escaped)
            wr_buffer_text(value, "${");
        else
            WR_TRY(add_reference(at, base, value, &at, error));
    }
    return WEIR_OK;
}

int wr_reference_resolve(const char *written, const char *base, char **ret_value,
                         struct weir_error *error) {
    struct wr_buffer value;
    wr_buffer_init(&value, MOST_VALUE);
    int code = resolve(written, base, &value, error);
    char *text = code ? NULL : wr_buffer_take(&value);
    wr_buffer_reset(&value);
    if (code) return code;
    if (!text) return wr_error_memory(error);
    *ret_value = text;
    return WEIR_OK;
}

char *wr_reference_escape(const char *value) {
    struct wr_buffer text;
    wr_buffer_init(&text, SIZE_MAX - 1);
    for (const char *at = value; *at; at++) {
        if (at[0] == '$' && at[1] == '{') wr_buffer_char(&text, '$');
        wr_buffer_char(&text, *at);
    }
    char *taken = wr_buffer_take(&text);
    wr_buffer_reset(&text);
    return taken;
}
