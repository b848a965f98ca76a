/* SPDX-License-Identifier: Apache-2.0 */
/* cp, mv, rm and mkdir. As with the tools of those names, what fails does not keep the others from
 * being done, and the exit code is 1 at the end. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"

/* Says what went wrong with one path; the code when all has to end, else WEIR_OK. */
static int pass(struct cli *cli, int code, struct weir_error *error, bool *failed) {
    if (code == WEIR_OK || work_stopped(code)) return code;
    complain(cli, error, NULL, 0);
    wr_error_clear(error);
    *failed = true;
    return WEIR_OK;
}

static int end(struct cli *cli, int code, bool failed, struct weir_error *error) {
    int exit_code = work_end(cli, code, error);
    return exit_code == CLI_DONE && failed ? CLI_FAILED : exit_code;
}

/* ---- cp and mv ---- */

typedef int (*transfer_fn)(struct weir_session *session, const char *from, const char *to,
                           int overwrite, struct weir_error *error);

/* A name alone is a path of this machine. Free with wr_free. */
static int target_path(const char *text, char **ret_path, struct weir_error *error) {
    struct wr_buffer path;

    wr_buffer_init(&path, 1 << 20);
    wr_buffer_format(&path, "%s%s", strchr(text, '/') == NULL ? "./" : "", text);
    *ret_path = wr_buffer_take(&path);
    return *ret_path == NULL ? wr_error_memory(error) : WEIR_OK;
}

/* Several go only into a directory. */
static int check_target(struct cli *cli, const char *to, struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_node_info info;

    if (cli->arguments->n_paths == 2) return WEIR_OK;
    int code = node_open(cli, to, &node, &info, error);
    if (code == WEIR_OK && !node_is_listed(info.type))
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s is not a directory, and several nodes go only into one", to);
    weir_node_close(node);
    return code;
}

static int transfer_all(struct cli *cli, transfer_fn run, const char *to, bool *failed,
                        struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    bool here = cli_is_local(cli);
    int code = here ? check_target(cli, to, error) : WEIR_OK;

    if (!here && arguments->n_paths > 2)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "on a server weir cp copies one table at a time");
    for (size_t i = 0; i + 1 < arguments->n_paths && code == WEIR_OK; i++) {
        const char *from = arguments->paths[i];
        code = here ? run(cli->session, from, to, arguments->force, error)
                    : tree_copy_there(cli, from, to, error);
        if (here) code = node_missed(from, code, error);
        if (code == WEIR_ALREADY_EXISTS && !arguments->force)
            wr_error_append(error, "; -f replaces it");
        code = pass(cli, code, error, failed);
    }
    return code;
}

static int transfer(struct cli *cli, transfer_fn run, bool to_name) {
    const char *to = cli->arguments->paths[cli->arguments->n_paths - 1];
    struct weir_error error = {0};
    char *path = NULL;
    bool failed = false;

    int code = work_begin(cli, &error);
    if (code == WEIR_OK && !to_name && cli_is_local(cli)) code = target_path(to, &path, &error);
    if (code == WEIR_OK) code = transfer_all(cli, run, path == NULL ? to : path, &failed, &error);
    wr_free(path);
    return end(cli, code, failed, &error);
}

int command_cp(struct cli *cli) {
    return transfer(cli, weir_copy, false);
}

/* A table called by its SQL name gets another SQL name, not that of a file. */
static bool renames_table(struct cli *cli) {
    const char *const *paths = cli->arguments->paths;
    struct weir_node *node = NULL;
    struct weir_node_info info;
    struct weir_error error = {0};

    if (cli->arguments->n_paths != 2 || strchr(paths[0], '/') != NULL) return false;
    if (node_open(cli, paths[0], &node, &info, &error) != WEIR_OK) return false;
    bool is_table = info.catalog != NULL;
    weir_node_close(node);
    return is_table;
}

int command_mv(struct cli *cli) {
    return transfer(cli, weir_move, renames_table(cli));
}

/* ---- rm and mkdir ---- */

int command_rm(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    struct weir_error error = {0};
    bool failed = false;

    int code = work_begin(cli, &error);
    for (size_t i = 0; i < arguments->n_paths && code == WEIR_OK; i++) {
        code = cli_is_local(cli)
                   ? weir_remove(cli->session, arguments->paths[i], arguments->recursive, &error)
                   : tree_remove_there(cli, arguments->paths[i], &error);
        if (code == WEIR_NOT_FOUND && arguments->force)
            code = WEIR_OK;
        else
            code = pass(cli, node_missed(arguments->paths[i], code, &error), &error, &failed);
    }
    return end(cli, code, failed, &error);
}

int command_mkdir(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    struct weir_error error = {0};
    bool failed = false;

    int code = work_begin(cli, &error);
    for (size_t i = 0; i < arguments->n_paths && code == WEIR_OK; i++) {
        char *path = NULL;
        code = cli_is_local(cli) ? target_path(arguments->paths[i], &path, &error)
                                 : tree_make_there(cli, arguments->paths[i], &error);
        if (code == WEIR_OK && path != NULL)
            code = weir_make_directory(cli->session, path, arguments->parents, &error);
        wr_free(path);
        code = pass(cli, code, &error, &failed);
    }
    return end(cli, code, failed, &error);
}
