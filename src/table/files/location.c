/* SPDX-License-Identifier: Apache-2.0 */
#include "table/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"

enum { MOST_URL_BYTES = 64 * 1024 };

static int working_directory(char **ret_path, struct weir_error *error) {
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path)) {
        return wr_error_errno(error, errno, "cannot tell the current directory");
    }
    char *copy = wr_strdup(path);
    if (!copy) return wr_error_memory(error);
    *ret_path = copy;
    return WEIR_OK;
}

/* Takes "." and double slashes out, and the component before ".." with it. In place. */
static void normalise(char *path) {
    size_t length = 0; /* of the result, which never ends in '/' */
    const char *from = path;
    while (*from) {
        from += strspn(from, "/");
        size_t component = strcspn(from, "/");
        if (component == 2 && strncmp(from, "..", 2) == 0) {
            while (length > 0 && path[--length] != '/') {
            }
        } else if (component > 0 && !(component == 1 && *from == '.')) {
            path[length++] = '/';
            memmove(path + length, from, component);
            length += component;
        }
        from += component;
    }
    if (length == 0) path[length++] = '/';
    path[length] = '\0';
}

/* Puts directory + "/" + path in the place of *path, which is freed. */
static int join(const char *directory, const char *path, char **path_place,
                struct weir_error *error) {
    size_t length = strlen(directory);
    size_t rest = strlen(path);
    char *joined = wr_malloc(length + 1 + rest + 1);
    if (!joined) return wr_error_memory(error);
    memcpy(joined, directory, length);
    joined[length] = '/';
    memcpy(joined + length + 1, path, rest + 1);
    wr_free(*path_place);
    *path_place = joined;
    return WEIR_OK;
}

/* The end of the last "..", or NULL. */
static char *after_last_parent(char *path) {
    char *after = NULL;
    for (char *p = strstr(path, "/.."); p; p = strstr(p + 1, "/..")) {
        if (p[3] == '/' || p[3] == '\0') after = p + 3;
    }
    return after;
}

/*
 * What ".." means behind a symbolic link only the file system knows: the part up to the last one is
 * replaced by its real path. Where that is unknown the path is not there, and `normalise` does.
 */
static int resolve_parents(char **path, size_t *ret_n_literal, struct weir_error *error) {
    char *after = after_last_parent(*path);
    if (!after) return WEIR_OK;
    char real[PATH_MAX];
    char cut = *after;
    *after = '\0';
    bool known = realpath(*path, real) != NULL;
    *after = cut;
    *ret_n_literal = 0;
    if (!known) return WEIR_OK;
    WR_TRY(join(real, after, path, error));
    *ret_n_literal = strlen(real);
    return WEIR_OK;
}

int wr_files_resolve(const char *text, char **ret_path, size_t *ret_n_literal, char **ret_working,
                     struct weir_error *error) {
    if (!*text) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "the path is empty; give a file, directory or pattern");
    }
    char *path = NULL;
    char *working = NULL;
    size_t n_literal = 0;
    int code = wr_local_path(text, &path, error);
    if (code == 0 && *path == '/') {
        working = wr_strdup("/");
        if (!working) code = wr_error_memory(error);
    } else if (code == 0) {
        code = working_directory(&working, error);
        if (code == 0) code = join(working, path, &path, error);
        if (code == 0) n_literal = strlen(working);
    }
    if (code == 0) code = resolve_parents(&path, &n_literal, error);
    if (code) {
        wr_free(path);
        wr_free(working);
        return code;
    }
    normalise(path);
    *ret_path = path;
    *ret_n_literal = n_literal > 1 ? n_literal : 0;
    *ret_working = working;
    return WEIR_OK;
}

int wr_files_root(const char *text, char **ret_path, struct weir_error *error) {
    char *path = NULL;
    WR_TRY(wr_local_path(text, &path, error));
    bool absolute = *path == '/';
    wr_free(path);
    if (!absolute) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" must be an absolute path or a file:// URL of a directory",
                            text);
    }
    size_t n_literal;
    char *working;
    WR_TRY(wr_files_resolve(text, ret_path, &n_literal, &working, error));
    wr_free(working);
    return WEIR_OK;
}

/* The path that an open file has now; false where that is not told. */
static bool path_of_descriptor(int fd, char real[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, real, PATH_MAX - 1);
    if (length <= 0 || real[0] != '/') return false;
    real[length] = '\0';
    return true;
}

/* As resolve_parents, without ever looking at what lies outside of the root. */
static int resolve_parents_below(const char *root, const char *text, char **path,
                                 size_t *ret_n_literal, struct weir_error *error) {
    char *after = after_last_parent(*path);
    if (!after) return WEIR_OK;
    struct wr_access access;
    WR_TRY(wr_access_open(root, &access, error));
    int fd;
    char cut = *after;
    *after = '\0';
    int reason = wr_access_fd(&access, *path, O_PATH, &fd);
    *after = cut;
    char real_root[PATH_MAX];
    char real[PATH_MAX];
    const char *relative = NULL;
    if (reason == 0) {
        if (path_of_descriptor(fd, real) && path_of_descriptor(access.fd, real_root))
            relative = wr_beneath_relative(real_root, real);
        close(fd);
    }
    wr_access_close(&access);
    if (reason == EXDEV) return wr_beneath_error(error, EXDEV, "", text, root);
    if (!relative) return WEIR_OK;
    size_t n_literal = strlen(root) + (*relative ? 1 + strlen(relative) : 0);
    WR_TRY(join(relative, after, path, error));
    WR_TRY(join(root, *path, path, error));
    *ret_n_literal = n_literal;
    return WEIR_OK;
}

int wr_files_resolve_below(const char *root, const char *text, char **ret_path,
                           size_t *ret_n_literal, struct weir_error *error) {
    char *path = NULL;
    size_t n_literal = strlen(root);
    WR_TRY(wr_local_path(text, &path, error));
    int code = WEIR_OK;
    if (*path != '/')
        code = wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL,
            "\"%s\" is not an absolute path, which one below the root \"%s\" must be", text, root);
    if (code == 0) code = resolve_parents_below(root, text, &path, &n_literal, error);
    if (code == 0) {
        normalise(path);
        if (!wr_beneath_relative(root, path)) code = wr_beneath_error(error, EXDEV, "", text, root);
    }
    if (code) {
        wr_free(path);
        return code;
    }
    *ret_path = path;
    *ret_n_literal = n_literal;
    return WEIR_OK;
}

/* Names that the engine's file access refuses: control characters, and its own mark of unfinished
 * files ("name#1"). */
static bool is_readable_name(const char *path) {
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) return false;
    }
    const char *name = strrchr(path, '/');
    const char *mark = strchr(name ? name : path, '#');
    return !mark || mark[1] == '\0' || mark[1 + strspn(mark + 1, "0123456789")] != '\0';
}

int wr_files_check_name(const char *path, struct weir_error *error) {
    if (wr_is_utf8(path, strlen(path)) && is_readable_name(path)) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "\"%s\" cannot be read under this name: it is not UTF-8, holds control "
                        "characters, or ends in "
                        "# and a number; rename it",
                        path);
}

int wr_files_url(struct wr_arena *arena, const char *root, const char *path, bool directory,
                 const char **ret_url, struct weir_error *error) {
    WR_TRY(wr_files_check_name(path, error));
    struct wr_buffer url;
    wr_buffer_init(&url, MOST_URL_BYTES);
    if (root) {
        wr_beneath_url_add(&url, root, path);
    } else {
        wr_buffer_text(&url, "file://");
        wr_percent_encode(&url, path);
    }
    if (directory && path[strlen(path) - 1] != '/') wr_buffer_char(&url, '/');
    const char *copy = url.failed ? NULL : wr_arena_copy(arena, url.data, url.length);
    wr_buffer_reset(&url);
    if (!copy) return wr_error_memory(error);
    *ret_url = copy;
    return WEIR_OK;
}
