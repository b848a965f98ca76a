/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as texts: nothing is looked up. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/names.h"

static bool is(const char *component, size_t length, const char *text) {
    return length == strlen(text) && strncmp(component, text, length) == 0;
}

int wr_path_join(const char *base, const char *path, const char *top, char **ret_path,
                 struct weir_error *error) {
    size_t length = strlen(base); /* of the result, which has no slash at its ends */
    char *joined = wr_malloc(length + strlen(path) + 2);
    if (!joined) return wr_error_memory(error);
    memcpy(joined, base, length);
    for (const char *from = path; *from;) {
        from += strspn(from, "/");
        size_t component = strcspn(from, "/");
        if (is(from, component, "..")) {
            if (length == 0) {
                wr_free(joined);
                return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "\"%s\" leads out of %s",
                                    path, top);
            }
            while (length > 0 && joined[--length] != '/') {
            }
        } else if (component > 0 && !is(from, component, ".")) {
            if (length > 0) joined[length++] = '/';
            memcpy(joined + length, from, component);
            length += component;
        }
        from += component;
    }
    joined[length] = '\0';
    *ret_path = joined;
    return WEIR_OK;
}

const char *wr_path_encoding(const struct wr_encodings *encodings, const char *path,
                             size_t *ret_stem) {
    static const char *const own[] = {"parquet", "arrow", "csv", "tsv", "json", "jsonl"};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name) return NULL;
    const struct weir_encoding *other =
        wr_encodings_at(encodings, wr_encodings_find(encodings, dot + 1, strlen(dot + 1)));
    const char *found = other ? other->name : NULL;
    for (size_t i = 0; i < sizeof own / sizeof *own && !found; i++) {
        if (strcmp(dot + 1, own[i]) == 0) found = own[i];
    }
    if (found && ret_stem) *ret_stem = (size_t)(dot - path);
    return found;
}

int wr_current_directory(char **ret_path, struct weir_error *error) {
    char path[PATH_MAX];
    if (!getcwd(path, sizeof path)) {
        return wr_error_errno(error, errno, "cannot tell the current directory");
    }
    return wr_path_join("", path, "the machine's root", ret_path, error);
}
