/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "mount/mount.h"
#include "watch.h"

enum { MAX_ENCODINGS = 16 };

struct encodings {
    const char *names[MAX_ENCODINGS];
    size_t n_names;
};

/* In a process of the background: where the one in the foreground waits to hear that all is well.
 */
static int standing_fd = -1;

/* ---- --encoding ---- */

/* One name, which need not end there, as one of our own. */
static int add_encoding(struct encodings *encodings, const char *name, size_t length,
                        struct weir_error *error) {
    const char *const *known;
    size_t n_known = mount_encodings(&known);
    char word[32];

    for (size_t i = 0; i < n_known; i++) {
        if (strlen(known[i]) != length || memcmp(known[i], name, length) != 0) continue;
        for (size_t k = 0; k < encodings->n_names; k++) {
            if (encodings->names[k] == known[i]) return WEIR_OK;
        }
        encodings->names[encodings->n_names++] = known[i];
        return WEIR_OK;
    }
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *nearest = wr_nearest(word, known, n_known);
    if (nearest != NULL)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "unknown encoding \"%s\"; did you mean \"%s\"?", word, nearest);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "unknown encoding \"%s\"; there are: parquet, arrow, csv, tsv, json, jsonl",
                        word);
}

/* "parquet,csv". */
static int parse_encodings(const char *text, struct encodings *ret_encodings,
                           struct weir_error *error) {
    struct encodings encodings = {0};

    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        WR_TRY(add_encoding(&encodings, at, length, error));
        at += length;
        if (*at == '\0') break;
    }
    *ret_encodings = encodings;
    return WEIR_OK;
}

/* What the configuration says. */
static int default_encoding(struct weir_session *session, struct encodings *ret_encodings,
                            struct weir_error *error) {
    struct ArrowArrayStream rows = {0}, text = {0};
    struct ArrowArray batch = {0};
    struct encodings encodings = {0};
    size_t length;

    int code =
        weir_query(session, "SELECT value FROM system.settings WHERE name = 'encoding.default'",
                   &rows, NULL, error);
    if (code == WEIR_OK) code = weir_text(&rows, &text, error);
    while (code == WEIR_OK) {
        code = wr_arrow_stream_next(&text, "settings", &batch, error);
        if (code != WEIR_OK || batch.release == NULL) break;
        const char *value = batch.length > 0 ? output_cell(&batch, 0, 0, &length) : NULL;
        if (value != NULL && encodings.n_names == 0)
            code = add_encoding(&encodings, value, length, error);
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_stream(&text);
    wr_arrow_release_stream(&rows);
    if (code != WEIR_OK) return wr_error_prefix(error, code, "encoding.default");
    if (encodings.n_names == 0) encodings.names[encodings.n_names++] = "parquet";
    *ret_encodings = encodings;
    return WEIR_OK;
}

/* ---- --daemon ---- */

/* The first process: ends as the second one does, or when that one's mount stands. */
static int wait_for(pid_t child, int fd) {
    char byte;
    int status;
    ssize_t length;

    while ((length = read(fd, &byte, 1)) < 0 && errno == EINTR)
        continue;
    if (length == 1) return CLI_DONE;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return CLI_FAILED;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_FAILED;
}

/* Before anything has threads. Returns in the second process only, or on failure. */
static int go_to_background(struct weir_error *error) {
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return wr_error_errno(error, errno, "cannot make a pipe for the background");
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        int errnum = errno;
        close(ends[0]);
        close(ends[1]);
        return wr_error_errno(error, errnum, "cannot go to the background");
    }
    if (child > 0) {
        close(ends[1]);
        _exit(wait_for(child, ends[0]));
    }
    close(ends[0]);
    standing_fd = ends[1];
    return WEIR_OK;
}

/* Nobody's terminal, and no pipe whose reader would wait for our end. Lines about single files go
 * on to a file or a service's log, if standard error is one. */
static void leave_terminal(void) {
    struct stat status;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)setsid();
    if (fd < 0) return;
    dup2(fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    if (fstat(STDERR_FILENO, &status) != 0 ||
        !(S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode)))
        dup2(fd, STDERR_FILENO);
    close(fd);
}

static void standing(void *context) {
    const struct mount_options *options = context;

    fprintf(stderr, "weir mount: %s is mounted at %s, read-only; %sfusermount3 -u %s unmounts it\n",
            options->path, options->directory, standing_fd < 0 ? "Ctrl-C or " : "",
            options->directory);
    if (standing_fd < 0) return;
    leave_terminal();
    ssize_t ignored = write(standing_fd, "", 1);
    (void)ignored;
    close(standing_fd);
}

/* ---- The command ---- */

int command_mount_prepare(const struct arguments *arguments) {
    struct weir_error error = {0};
    struct encodings encodings;

    if (arguments->encodings != NULL &&
        parse_encodings(arguments->encodings, &encodings, &error) != WEIR_OK) {
        complain_usage(arguments_command_name(arguments->command), &error);
        return CLI_USAGE;
    }
    int code = mount_check(arguments->paths[0], &error);
    if (code == WEIR_OK && arguments->daemon) code = go_to_background(&error);
    if (code == WEIR_OK) return CLI_DONE;
    complain(NULL, &error, NULL, 0);
    return CLI_FAILED;
}

static int run(struct cli *cli, const struct encodings *encodings, struct weir_error *error) {
    const struct arguments *arguments = cli->arguments;
    struct weir_option *settings = NULL;
    struct mount_options options = {
        .directory = arguments->paths[0],
        .path = arguments->n_paths > 1 ? arguments->paths[1] : "/",
        .encodings = encodings->names,
        .n_encodings = encodings->n_names,
        .every_table = arguments->encodings != NULL,
        .standing = standing,
        .context = &options,
    };

    WR_TRY(settings_of_sessions(arguments, &settings, &options.n_settings, error));
    options.settings = settings;
    watch_block(true); /* mount_run waits for signals itself */
    int code = watch_interrupted() ? WEIR_OK : mount_run(cli->workspace, &options, error);
    watch_block(false);
    wr_free(settings);
    return code;
}

int command_mount(struct cli *cli) {
    const struct arguments *arguments = cli->arguments;
    struct weir_error error = {0};
    struct encodings encodings;

    int code = arguments->encodings != NULL
                   ? parse_encodings(arguments->encodings, &encodings, &error)
                   : default_encoding(cli->session, &encodings, &error);
    if (code == WEIR_OK) code = run(cli, &encodings, &error);
    if (code == WEIR_OK) return watch_interrupted() ? 128 + watch_interrupted() : CLI_DONE;
    complain(cli, &error, NULL, 0);
    return CLI_FAILED;
}
