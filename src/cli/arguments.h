/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: which commands and flags there are, and what was given. */
#ifndef WR_CLI_ARGUMENTS_H
#define WR_CLI_ARGUMENTS_H

#include <stdbool.h>

#include "base/options.h"
#include "output.h"

enum command {
    COMMAND_SHELL = 1 << 0, /* `weir` alone */
    COMMAND_SQL = 1 << 1,
    COMMAND_CAT = 1 << 2,
    COMMAND_DESCRIBE = 1 << 3,
    COMMAND_LS = 1 << 4,
    COMMAND_VERSION = 1 << 5,
    COMMAND_CP = 1 << 6,
    COMMAND_MV = 1 << 7,
    COMMAND_RM = 1 << 8,
    COMMAND_MKDIR = 1 << 9,
    COMMAND_MOUNT = 1 << 10,
    COMMAND_SERVE = 1 << 11,
    COMMAND_CONFIG = 1 << 16, /* without the word that follows */
    COMMAND_CONFIG_CHECK = 1 << 17,
    COMMAND_CONFIG_SHOW = 1 << 18,
    COMMAND_INIT = 1 << 19,
    COMMAND_USER = 1 << 20,
    COMMAND_PRESIGN = 1 << 21
};

struct arguments_source {
    bool is_file;
    const char *text; /* SQL, or a path; "-" is standard input */
};

/* Texts are those of argv. */
struct arguments {
    enum command command;
    struct arguments_source *sources; /* in the order given */
    size_t n_sources;
    const char *
        *paths; /* of cat, describe, ls, cp, mv, rm, mkdir, mount, user: in the order given */
    size_t n_paths;
    const char *query;     /* cat --sql */
    const char *word;      /* of config check (a file) and init (a directory) */
    const char *encodings; /* mount --encoding; NULL: not given */
    const char *label;     /* user key add --label; NULL: none */
    const char *expires;   /* user key add --expires, presign --expires; NULL: not given */
    const char *method;    /* presign --method; NULL: GET */
    const char *connect;   /* NULL: here */
    const char *password_file, *token_file; /* of --connect; NULL: not given */
    const char *tls_ca, *tls_certificate, *tls_key;
    const char *workspace;
    const char *config;
    const char *output;
    const char *null_text;
    const struct output_format *format;
    struct wr_options parameters, settings, tables;
    int64_t max_rows; /* -1: not given */
    int64_t memory_limit;
    int64_t threads;
    int64_t timeout_ms;
    bool no_header, timing, keep_going, no_rc, bytes, long_list, recursive, force, parents, daemon,
        help, version;
};

/* On failure the command is still set, as far as it was read. Reset in any case. */
int arguments_parse(int argc, char **argv, struct arguments *ret_arguments,
                    struct weir_error *error);
void arguments_reset(struct arguments *arguments);
/* The command's name, for messages: "weir sql". */
const char *arguments_command_name(enum command command);
/* What --help prints: of the program, or of one command. */
void arguments_help(enum command command);

#endif
