/* SPDX-License-Identifier: Apache-2.0 */
/* Which workspace and which configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli.h"

/* The nearest directory from here upwards that has a weir.yaml; "" when there is none. */
static int find_upwards(char *directory, size_t size, struct weir_error *error) {
    char file[PATH_MAX + 16];

    if (getcwd(directory, size) == NULL)
        return wr_error_errno(error, errno, "cannot tell the current directory");
    for (;;) {
        snprintf(file, sizeof file, "%s/weir.yaml", directory);
        if (access(file, F_OK) == 0) return WEIR_OK;
        char *slash = strrchr(directory, '/');
        if (slash == NULL || directory[1] == '\0') break;
        slash[slash == directory] = '\0';
    }
    directory[0] = '\0';
    return WEIR_OK;
}

/* A flag, else its variable if that is not empty. */
static const char *given(const char *flag, const char *flag_name, const char *variable,
                         const char **ret_name) {
    const char *value = flag != NULL ? flag : getenv(variable);
    *ret_name = flag != NULL ? flag_name : variable;
    return flag == NULL && value != NULL && value[0] == '\0' ? NULL : value;
}

int find_workspace(const struct arguments *arguments, struct found_workspace *ret_found,
                   struct weir_error *error) {
    const char *name;
    const char *workspace = given(arguments->workspace, "--workspace", "WEIR_WORKSPACE", &name);
    struct stat status;

    *ret_found = (struct found_workspace){0};
    if (workspace != NULL) {
        if (stat(workspace, &status) != 0)
            return wr_error_errno(error, errno, "%s %s", name, workspace);
        if (!S_ISDIR(status.st_mode))
            return wr_error_errno(error, ENOTDIR, "%s %s", name, workspace);
        snprintf(ret_found->directory, sizeof ret_found->directory, "%s", workspace);
    } else {
        WR_TRY(find_upwards(ret_found->directory, sizeof ret_found->directory, error));
    }
    const char *file = given(arguments->config, "--config", "WEIR_CONFIG", &name);
    if (file != NULL) {
        snprintf(ret_found->file, sizeof ret_found->file, "%s", file);
    } else if (ret_found->directory[0] != '\0') {
        snprintf(ret_found->file, sizeof ret_found->file, "%s/weir.yaml", ret_found->directory);
        if (access(ret_found->file, F_OK) != 0) ret_found->file[0] = '\0';
    }
    return WEIR_OK;
}
