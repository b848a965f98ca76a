/* SPDX-License-Identifier: Apache-2.0 */
/* weir init: a directory becomes a workspace. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli.h"
#include "config/config.h"
#include "watch.h"

/* Makes the directory and those above it. */
static int make_directories(const char *path, struct weir_error *error) {
    char part[PATH_MAX];

    if (path[0] == '\0' || strlen(path) >= sizeof part)
        return wr_error_errno(error, path[0] == '\0' ? ENOENT : ENAMETOOLONG,
                              "cannot make the directory \"%s\"", path);
    for (const char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0') continue;
        snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return wr_error_errno(error, errno, "cannot make the directory \"%s\"", part);
        if (*at == '\0') return WEIR_OK;
    }
}

/* ---- weir.yaml ---- */

/* A key as a comment with its default, which is what taking the sign away leaves it at. */
static int write_key(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    static const char mounts[] =
        "# mounts:\n"
        "#   lake: { kind: files, url: data }  # the directory data beside "
        "this file, as /lake and lake.*\n";
    static const char stores[] = "# stores:\n"
                                 "#   minio: { url: \"s3://bucket/\", endpoint: "
                                 "\"http://127.0.0.1:9000\", allow_http: true }\n";
    static const char extensions[] = "# extensions:\n"
                                     "#   python: {}  # tables that Python classes make\n";
    static const char settings[] = "# settings:\n"
                                   "#   datafusion.execution.batch_size: 8192\n";
    struct wr_buffer *text = sink;
    (void)error;
    wr_buffer_format(text, "\n# %s\n", item->help);
    if (strcmp(item->key, "mounts") == 0)
        wr_buffer_text(text, mounts);
    else if (strcmp(item->key, "stores") == 0)
        wr_buffer_text(text, stores);
    else if (strcmp(item->key, "extensions") == 0)
        wr_buffer_text(text, extensions);
    else if (strcmp(item->key, "settings") == 0)
        wr_buffer_text(text, settings);
    else
        wr_buffer_format(text, "# %s: %s\n", item->key, item->value ? item->value : item->blank);
    return WEIR_OK;
}

static int write_configuration(const char *path, struct weir_error *error) {
    struct sink sink;
    struct wr_buffer text;

    wr_buffer_init(&text, 1 << 20);
    wr_buffer_text(
        &text, "# The configuration of this workspace. All keys are here, with their defaults.\n"
               "# A value may be ${env:NAME} or ${file:PATH}; paths are relative to this "
               "file.\n"
               "# weir config check tells what is wrong, weir config show what holds and why, "
               "man weir the rest.\n");
    (void)wr_config_each(NULL, write_key, &text, NULL);
    int code = sink_open_file(&sink, path, error);
    if (code == WEIR_OK) {
        code = text.failed ? wr_error_memory(error) : sink_put(&sink, &text, error);
        if (code == WEIR_OK)
            code = sink_commit(&sink, error);
        else
            sink_abort(&sink);
    }
    wr_buffer_reset(&text);
    return code;
}

/* ---- The workspace ---- */

/* Opening a workspace makes its state. */
static int make_state(const char *directory, struct weir_error *error) {
    const struct weir_workspace_options options = {
        .size = sizeof options, .path = directory, .threads = 1, .config = ""};
    struct weir_workspace *workspace = NULL;

    watch_block(true); /* the engine's threads leave the signals to us */
    int code = weir_workspace_open(&options, &workspace, error);
    watch_block(false);
    weir_workspace_close(workspace);
    return code;
}

static int make_workspace(const char *directory, struct weir_error *error) {
    char file[PATH_MAX + 16];
    struct stat status;

    WR_TRY(make_directories(directory, error));
    snprintf(file, sizeof file, "%s/weir.yaml", directory);
    if (lstat(file, &status) == 0)
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "",
                            "%s is there already; see weir config show", file);
    WR_TRY(make_state(directory, error));
    return write_configuration(file, error);
}

int command_init(struct cli *cli) {
    const char *directory = cli->arguments->word != NULL ? cli->arguments->word : ".";
    struct weir_error error = {0};
    bool here = strcmp(directory, ".") == 0;

    if (make_workspace(directory, &error) != WEIR_OK) {
        complain(cli, &error, NULL, 0);
        return CLI_FAILED;
    }
    if (here)
        printf("Made weir.yaml, and .weir for the workspace's state. Try:\n");
    else
        printf("Made %s/weir.yaml, and %s/.weir for the workspace's state. Try:\n    cd %s\n",
               directory, directory, directory);
    printf("    weir config show\n"
           "    weir sql \"CREATE VIEW answer AS SELECT 42 AS n\"\n"
           "    weir sql \"SELECT * FROM answer\"\n");
    return CLI_DONE;
}
