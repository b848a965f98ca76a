/* SPDX-License-Identifier: Apache-2.0 */
/* A URL that anybody may use for a while. */
#include <string.h>

#include "base/error.h"
#include "base/units.h"
#include "cli.h"

static int presign(struct cli *cli, char **ret_url, struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    const char *method = arguments->method == NULL ? "GET" : arguments->method;
    int64_t lifetime = INT64_C(3600) * 1000;

    if (arguments->expires != NULL && !wr_parse_duration(arguments->expires, &lifetime))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "--expires %s: give a time such as 15min, 12h or 7d",
                            arguments->expires);
    return weir_store_presign(cli->session, method, arguments->paths[0], lifetime / 1000, ret_url,
                              error);
}

int command_presign(struct cli *cli) {
    struct weir_error error = {0};
    struct wr_buffer text;
    char *url = NULL;

    int code = work_begin(cli, &error);
    if (code == WEIR_OK) code = presign(cli, &url, &error);
    if (code == WEIR_OK) {
        wr_buffer_init(&text, strlen(url) + 2);
        wr_buffer_format(&text, "%s\n", url);
        code = text.failed ? wr_error_memory(&error) : sink_put(&cli->standard, &text, &error);
        wr_buffer_reset(&text);
        if (code == WEIR_OK) code = place_done(cli, &error);
    }
    weir_free(url);
    return work_end(cli, code, &error);
}
