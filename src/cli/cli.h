/* SPDX-License-Identifier: Apache-2.0 */
/* The program's state and the functions that its commands and its shell share. */
#ifndef WR_CLI_H
#define WR_CLI_H

#include <limits.h>

#include "arguments.h"
#include "config/config.h"
#include "connection.h"
#include "output.h"

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* the statement or its data */
    CLI_USAGE = 2,
    CLI_NO_CONNECTION = 3, /* --connect */
    CLI_INTERRUPTED = 130, /* 128 and the signal's number */
    CLI_CLOSED = -1        /* the reader of the output went away: stop, and exit with 0 */
};

/* Text that statements come from, for messages. */
struct source {
    const char *name; /* a file's name; NULL: the text was typed or given as an argument */
    bool ours;        /* nobody typed it: errors point at no place in it */
    const char *text;
    size_t length;
};

struct cli {
    const struct arguments *arguments;
    struct weir_workspace *workspace; /* NULL with --connect */
    struct weir_session *session;     /* the same */
    struct connection *connection;    /* where statements run */
    struct output_settings output;    /* format NULL: by the place it goes to */
    struct wr_options parameters;
    bool *parameter_used; /* one for each */
    bool in_workspace;    /* one with a directory of its own */
    bool timing;
    bool colour_errors;
    /* where results go */
    struct sink standard;
    struct sink file; /* path NULL: none is open */
    char *file_path;  /* -o, .output, .once; NULL: standard output */
    bool once;
    int64_t results; /* written to the present place */
    /* the shell */
    bool interactive;
    bool names_changed;           /* completion has to read the catalog again */
    struct ArrowSchema too_large; /* the schema of a last result that `_` could not keep */
    char *null_text;              /* .nullvalue */
    char *pager;                  /* NULL: none */
    bool quit;
    int read_depth; /* of .read */
};

/* ---- cli.c ---- */

/* For commands that need no workspace. */
void cli_begin(struct cli *cli, const struct arguments *arguments);
/* Opens workspace and session as the arguments say; what no flag gave and the configuration has is
 * filled in there. Prints its own error; returns an exit code. */
int cli_open(struct cli *cli, struct arguments *arguments);
/* Makes a file given with -o visible if all went well so far, closes everything, and returns the
 * final exit code. */
int cli_close(struct cli *cli, int exit_code);
/* Whether the tree of this machine is at hand, and not a server's SQL alone. */
bool cli_is_local(const struct cli *cli);
/* Widths and heights as they are now. */
void cli_measure_terminal(struct cli *cli, int *ret_lines);

/* ---- find.c ---- */

/* "" where there is none. */
struct found_workspace {
    char directory[PATH_MAX]; /* the workspace */
    char file[PATH_MAX + 16]; /* its configuration */
};
/* By --workspace and --config, WEIR_WORKSPACE and WEIR_CONFIG, or a weir.yaml from here upwards. */
int find_workspace(const struct arguments *arguments, struct found_workspace *ret_found,
                   struct weir_error *error);

/* ---- settings.c: --set ---- */

/* Those that are keys of the configuration; the texts stay the arguments'. Free with wr_free. */
int settings_of_workspace(const struct arguments *arguments, struct weir_option **ret_settings,
                          size_t *ret_n, struct weir_error *error);
/* Those that are not, for sessions of the command's own. */
int settings_of_sessions(const struct arguments *arguments, struct weir_option **ret_settings,
                         size_t *ret_n, struct weir_error *error);
/* Sets the others, which are the engine's. */
int settings_apply(struct cli *cli, struct weir_error *error);

/* ---- complain.c: messages on standard error ---- */

void complain(const struct cli *cli, const struct weir_error *error, const struct source *source,
              size_t from);
void complain_usage(const char *hint, const struct weir_error *error);

/* ---- run.c ---- */

/* Runs source->text[from .. from + length) and prints what comes of it. Returns an exit code. */
int run_statement(struct cli *cli, const struct source *source, size_t from, size_t length);
/* The same for a statement of our own making, of which a message shows no place. */
int run_sql(struct cli *cli, const char *sql);
/* Prints a stream that is no statement's. Takes over `rows`. */
int run_rows(struct cli *cli, struct ArrowArrayStream *rows);
/* The exit code of a failure, after saying what it was; `reason` is the watch's. */
int run_failed(struct cli *cli, int reason, struct weir_error *error, const struct source *source,
               size_t from);

/* ---- place.c: where the next result goes ---- */

int place_open(struct cli *cli, struct sink **ret_sink, struct output_settings *ret_settings,
               struct weir_error *error);
/* After a result: flushes, and ends a .once. */
int place_done(struct cli *cli, struct weir_error *error);
/* Sends results to a path from now on (NULL: standard output), after committing the present file.
 */
int place_change(struct cli *cli, const char *path, bool once, struct weir_error *error);

/* ---- script.c ---- */

/* Runs statements and dot commands up to the first failure, or all with --keep-going. Returns an
 * exit code. */
int script_run(struct cli *cli, const struct source *source);
/* "-" is standard input. */
int script_run_file(struct cli *cli, const char *path);
/* The whole of a file as text. Free with wr_free. */
int script_read(const char *path, char **ret_text, size_t *ret_length, struct weir_error *error);

/* ---- parameters.c ---- */

/* Gives the statement the values of --param that it asks for. */
int parameters_bind(struct cli *cli, struct prepared *prepared, struct weir_error *error);
void parameters_warn_unused(const struct cli *cli);
/* All of --param as the arguments of a call, "(day => '2026-01-01', n => 3)"; nothing without any.
 * They count as used. */
void parameters_call(struct cli *cli, struct wr_buffer *sql);

/* ---- rows.c: small results of our own ---- */

struct rows_column {
    const char *name;
    char type; /* u: text, l: int64 */
};
struct rows;
int rows_new(const struct rows_column *columns, size_t n_columns, struct rows **ret_rows,
             struct weir_error *error);
void rows_free(struct rows *rows);
/* The next value of the row, left to right; NULL for NULL. The first failure is kept for
 * rows_finish. */
void rows_text(struct rows *rows, const char *value);
void rows_int(struct rows *rows, int64_t value);
void rows_null(struct rows *rows);
/* Takes over `rows` always. */
int rows_finish(struct rows *rows, struct ArrowArrayStream *ret_stream, struct weir_error *error);

/* ---- node.c: the tree ---- */

/* Around work that is no statement: Ctrl-C and --timeout interrupt the session. work_end complains
 * about a failure and returns an exit code. */
int work_begin(struct cli *cli, struct weir_error *error);
int work_end(struct cli *cli, int code, struct weir_error *error);
/* Whether all of the work has to end, rather than go on with the next node. */
bool work_stopped(int code);

/* A name that was taken for a table's could have been meant as a file's: the error says so. */
int node_missed(const char *path, int code, struct weir_error *error);
int node_open(struct cli *cli, const char *path, struct weir_node **ret_node,
              struct weir_node_info *ret_info, struct weir_error *error);
/* Of an entry: a directory. A node of that type may also be a pattern. */
bool node_is_listed(int type);
/* What it is, in a word: "directory", "file", an encoding, "series", "view", "table". Borrowed. */
const char *node_kind(const struct weir_node_info *info);
/* A name or path that only a server can look up, as the FROM clause has it: a path is one name. */
void node_from_text(struct wr_buffer *buffer, const char *text);
/* The node that `path` opened, as the FROM clause has it. */
void node_from(struct wr_buffer *buffer, const char *path, const struct weir_node_info *info);

/*
 * Eight hexadecimal digits over the columns' names, types and nullability, as describe shows them:
 * equal schemas have equal ones, whatever they are read from.
 */
enum { NODE_DIGEST_SIZE = 9 };
int node_schema_digest(const struct ArrowSchema *schema, char *ret_digest,
                       struct weir_error *error);

/* ---- tree_there.c: what SQL does on a server ---- */

int tree_copy_there(struct cli *cli, const char *from, const char *to, struct weir_error *error);
int tree_remove_there(struct cli *cli, const char *path, struct weir_error *error);
int tree_make_there(struct cli *cli, const char *path, struct weir_error *error);

/* ---- commands ---- */

int command_shell(struct cli *cli);
int command_sql(struct cli *cli);
int command_cat(struct cli *cli);
int command_describe(struct cli *cli);
int command_ls(struct cli *cli);
int command_cp(struct cli *cli);
int command_mv(struct cli *cli);
int command_rm(struct cli *cli);
int command_mkdir(struct cli *cli);
int command_presign(struct cli *cli);
/* What has to come before cli_open: looks whether there can be a mount, and goes to the background
 * if asked to. Prints its own error; returns an exit code, CLI_DONE to go on. */
int command_mount_prepare(const struct arguments *arguments);
int command_mount(struct cli *cli);
int command_serve(struct cli *cli);
int command_user(struct cli *cli);
int command_version(void);
int command_config_check(struct cli *cli);
int command_config_show(struct cli *cli);
int command_init(struct cli *cli);
/* The configuration as the workspace will have it. */
int config_load(const struct arguments *arguments, const struct found_workspace *found,
                struct wr_config **ret_config, struct weir_error *error);
/* Warns of variables that look like misspelt keys. */
void config_warn_strays(void);
/* describe for a path or a table. */
int describe_node(struct cli *cli, const char *text);

#endif
