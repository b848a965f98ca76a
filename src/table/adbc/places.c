/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/adbc/driver.h"

struct search {
    const char *file;
    struct wr_buffer path;
    struct wr_buffer *looked;
    bool found;
};

/* `parts` are joined with slashes; the file comes last. */
static void look_in(struct search *search, const char *directory, size_t length,
                    const char *below) {
    if (search->found || length == 0) return;
    wr_buffer_clear(&search->path);
    wr_buffer_add(&search->path, directory, length);
    if (below[0]) wr_buffer_format(&search->path, "/%s", below);
    wr_buffer_format(&search->path, "/%s", search->file);
    if (search->path.failed) return;
    if (access(search->path.data, F_OK) == 0) {
        search->found = true;
    } else {
        wr_buffer_format(search->looked, "\n  %s", search->path.data);
    }
}

static void look_in_list(struct search *search, const char *list) {
    while (list && *list) {
        size_t length = strcspn(list, ":");
        look_in(search, list, length, "");
        list += length + (list[length] == ':');
    }
}

static void look_below(struct search *search, const char *variable, const char *prefix,
                       const char *leaf) {
    const char *root = getenv(variable);
    if (!root || !root[0]) return;
    struct wr_buffer below;
    wr_buffer_init(&below, 4096);
    wr_buffer_format(&below, "%sadbc/%s", prefix, leaf);
    if (below.failed) {
        search->path.failed = true;
    } else {
        look_in(search, root, strlen(root), below.data);
    }
    wr_buffer_reset(&below);
}

int wr_adbc_search(const char *variable, const char *leaf, const char *file, char **ret_path,
                   struct wr_buffer *looked, struct weir_error *error) {
    struct search search = {.file = file, .looked = looked};
    wr_buffer_init(&search.path, 1 << 16);
    look_in_list(&search, getenv(variable));
    look_below(&search, "VIRTUAL_ENV", "etc/", leaf);
    look_below(&search, "CONDA_PREFIX", "etc/", leaf);
    const char *configuration = getenv("XDG_CONFIG_HOME");
    if (configuration && configuration[0]) {
        look_below(&search, "XDG_CONFIG_HOME", "", leaf);
    } else {
        look_below(&search, "HOME", ".config/", leaf);
    }
    if (strcmp(leaf, "drivers") == 0) {
        look_in(&search, "/etc", 4, "adbc/drivers");
    } else {
        look_in(&search, "/etc", 4, "adbc/profiles");
    }
    int code = search.path.failed || looked->failed ? wr_error_memory(error) : WEIR_OK;
    if (!code) *ret_path = search.found ? wr_buffer_take(&search.path) : NULL;
    wr_buffer_reset(&search.path);
    return code;
}
