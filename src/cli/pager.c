/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "shell.h"

static bool is_installed(const char *program) {
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        char file[4096];
        size_t n = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)n, path, program);
        if (access(file, X_OK) == 0) return true;
        path += n + (path[n] == ':');
    }
    return false;
}

char *pager_choose(void) {
    const char *chosen = getenv("PAGER");
    if (chosen != NULL) return chosen[strspn(chosen, " ")] == '\0' ? NULL : wr_strdup(chosen);
    return is_installed("less") ? wr_strdup("less -SRFX") : NULL;
}
