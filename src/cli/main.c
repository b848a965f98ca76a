/* SPDX-License-Identifier: Apache-2.0 */
/* weir: SQL over tables wherever they live. Chooses the command; everything is in cli.h's files. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli.h"
#include "watch.h"

static int run(struct arguments *arguments) {
    struct weir_error error = {0};
    struct cli cli;
    enum command command = arguments->command;

    /* SQL given with flags is a program to run, and so is one that comes through a pipe. */
    if (command == COMMAND_SHELL && (arguments->n_sources > 0 || !isatty(STDIN_FILENO)))
        command = COMMAND_SQL;
    if (command == COMMAND_SQL && arguments->n_sources == 0 && isatty(STDIN_FILENO))
        command = COMMAND_SHELL;
    if (command == COMMAND_MOUNT) {
        int code = command_mount_prepare(arguments);
        if (code != CLI_DONE) return code;
    }
    if (watch_install(command != COMMAND_SHELL, &error) != WEIR_OK) {
        complain(NULL, &error, NULL, 0);
        return CLI_FAILED;
    }
    int code = CLI_DONE;
    if (command & (COMMAND_CONFIG_CHECK | COMMAND_CONFIG_SHOW | COMMAND_INIT))
        cli_begin(&cli, arguments);
    else
        code = cli_open(&cli, arguments);
    if (code == CLI_DONE) {
        switch (command) {
        case COMMAND_SHELL:
            code = command_shell(&cli);
            break;
        case COMMAND_SQL:
            code = command_sql(&cli);
            break;
        case COMMAND_CAT:
            code = command_cat(&cli);
            break;
        case COMMAND_DESCRIBE:
            code = command_describe(&cli);
            break;
        case COMMAND_LS:
            code = command_ls(&cli);
            break;
        case COMMAND_CP:
            code = command_cp(&cli);
            break;
        case COMMAND_MV:
            code = command_mv(&cli);
            break;
        case COMMAND_RM:
            code = command_rm(&cli);
            break;
        case COMMAND_MKDIR:
            code = command_mkdir(&cli);
            break;
        case COMMAND_PRESIGN:
            code = command_presign(&cli);
            break;
        case COMMAND_CONFIG_CHECK:
            code = command_config_check(&cli);
            break;
        case COMMAND_CONFIG_SHOW:
            code = command_config_show(&cli);
            break;
        case COMMAND_INIT:
            code = command_init(&cli);
            break;
        case COMMAND_MOUNT:
            code = command_mount(&cli);
            break;
        case COMMAND_SERVE:
            code = command_serve(&cli);
            break;
        case COMMAND_USER:
            code = command_user(&cli);
            break;
        case COMMAND_CONFIG:
        case COMMAND_VERSION:
            break; /* needs nothing opened */
        }
    }
    return cli_close(&cli, code);
}

/* Memory holds credentials: no core file is written, and of 1 the kernel makes none for a program
 * that takes them either (core(5)). */
static void keep_out_of_core_files(void) {
    const struct rlimit limit = {1, 1};
    (void)setrlimit(RLIMIT_CORE, &limit);
}

int main(int argc, char **argv) {
    struct weir_error error = {0};
    struct arguments arguments;
    int code = CLI_DONE;

    keep_out_of_core_files();
    if (arguments_parse(argc, argv, &arguments, &error) != WEIR_OK) {
        complain_usage(arguments_command_name(arguments.command), &error);
        code = CLI_USAGE;
    } else if (arguments.help) {
        arguments_help(arguments.command);
    } else if (arguments.version || arguments.command == COMMAND_VERSION) {
        code = command_version();
    } else {
        code = run(&arguments);
    }
    arguments_reset(&arguments);
    if (fflush(stdout) != 0 && code == CLI_DONE) code = CLI_FAILED;
    return code;
}
