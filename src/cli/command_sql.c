/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "cli.h"

int command_sql(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    int worst = CLI_DONE;

    if (arguments->n_sources == 0) return script_run_file(cli, "-");
    for (size_t i = 0; i < arguments->n_sources && !cli->quit; i++) {
        const char *text = arguments->sources[i].text;
        struct source source = {.text = text, .length = strlen(text)};
        int code =
            arguments->sources[i].is_file ? script_run_file(cli, text) : script_run(cli, &source);
        if (code == CLI_DONE) continue;
        worst = code;
        if (code != CLI_FAILED || !arguments->keep_going) break;
    }
    return worst;
}
