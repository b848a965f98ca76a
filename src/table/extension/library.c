/* SPDX-License-Identifier: Apache-2.0 */
/* Where the libraries of extensions are, and getting one into the process. */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/extension/extension.h"

bool wr_extension_is_path(const char *library) {
    return strchr(library, '/') != NULL;
}

static int take_path(const char *path, char **ret_path, struct weir_error *error) {
    *ret_path = wr_strdup(path);
    return *ret_path ? WEIR_OK : wr_error_memory(error);
}

/* The directory of the file that this code is in: libweir.so's. */
static bool own_directory(char ret_directory[PATH_MAX]) {
    static const char here;
    Dl_info info;
    char *slash;
    if (!dladdr(&here, &info) || !info.dli_fname || !realpath(info.dli_fname, ret_directory))
        return false;
    slash = strrchr(ret_directory, '/');
    if (slash) *slash = '\0';
    return slash != NULL;
}

/* Those that come with weir: below its own library where it is installed, beside it where it was
 * built. */
static bool bundled_path(const char *own, const char *name, bool built, char ret_path[PATH_MAX]) {
    char path[PATH_MAX];
    int n = built ? snprintf(path, sizeof path, "%s/../ext/%s/%s.so", own, name, name)
                  : snprintf(path, sizeof path, "%s/weir/extensions/%s.so", own, name);
    return n > 0 && (size_t)n < sizeof path && realpath(path, ret_path);
}

static int find_bundled(const char *name, char **ret_path, struct weir_error *error) {
    char own[PATH_MAX], path[PATH_MAX];
    if (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is neither the name of an extension (lower case letters, "
                            "digits, underscores) nor a path (./%s)",
                            name, name);
    if (!own_directory(own))
        return wr_error_set(error, WEIR_INTERNAL, NULL, "weir's own library cannot be found");
    const char *leaf = strrchr(own, '/');
    bool is_build = leaf && strcmp(leaf, "/src") == 0;
    if (bundled_path(own, name, false, path) || (is_build && bundled_path(own, name, true, path)))
        return take_path(path, ret_path, error);
    return wr_error_set(error, WEIR_NOT_FOUND, NULL,
                        "no extension \"%s\" comes with this weir: there is no %s.so in "
                        "\"%s/weir/extensions\"; of any other one give the path of its library",
                        name, name, own);
}

int wr_extension_find(const char *library, char **ret_path, struct weir_error *error) {
    char real[PATH_MAX];
    struct stat status;
    if (!wr_extension_is_path(library)) return find_bundled(library, ret_path, error);
    if (!realpath(library, real) || stat(real, &status) != 0)
        return wr_error_errno(error, errno, "cannot load the extension \"%s\"", library);
    if (!S_ISREG(status.st_mode))
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "cannot load the extension \"%s\": it is not a file", library);
    return take_path(real, ret_path, error);
}

int wr_extension_open(const char *path, wr_extension_init_fn *ret_init, struct weir_error *error) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *reason = dlerror();
        size_t length = strlen(path);
        /* Most reasons begin with the path. */
        if (reason && strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
            reason += length + 2;
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "cannot load the extension \"%s\": %s",
                            path, reason ? reason : "no reason is given");
    }
    union {
        void *symbol;
        wr_extension_init_fn init;
    } found = {.symbol = dlsym(library, "weir_extension_init")};
    if (!found.symbol)
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\" is no extension of weir: it exports no weir_extension_init",
                            path);
    *ret_init = found.init;
    return WEIR_OK;
}
