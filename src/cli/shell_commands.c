/* SPDX-License-Identifier: Apache-2.0 */
/* Dot commands, after DuckDB's and SQLite's shells, and their psql aliases. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "shell.h"
#include "text.h"

enum { DEEPEST_READ = 16 };

/* A command gets its one argument, "" when there is none. */
struct shell_command {
    const char *name;
    const char *alias; /* NULL: none */
    const char *argument;
    const char *help;
    int (*run)(struct cli *cli, const char *argument);
};

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    fputs("error: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return CLI_FAILED;
}

static int report_error(struct cli *cli, int code, const struct weir_error *error) {
    if (code == WEIR_OK) return CLI_DONE;
    complain(cli, error, NULL, 0);
    return CLI_FAILED;
}

static int run_help(struct cli *cli, const char *argument);

/* A query with what it is for, built of `head`, a literal if there is an argument, and `tail`. */
static int run_filtered(struct cli *cli, const char *head, const char *condition,
                        const char *argument, const char *tail) {
    struct wr_buffer sql;

    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, head);
    if (argument[0] != '\0') {
        wr_buffer_text(&sql, condition);
        wr_buffer_literal(&sql, argument);
    }
    wr_buffer_text(&sql, tail);
    bool interactive = cli->interactive;
    cli->interactive = false; /* a list of tables is not what `_` is for */
    int code = sql.failed ? wrong("out of memory") : run_sql(cli, sql.data);
    cli->interactive = interactive;
    wr_buffer_reset(&sql);
    return code;
}

/* What the user made or mounted, as a condition on information_schema. */
#define OWN_TABLES "table_catalog <> 'system' AND table_schema <> 'information_schema'"

static int run_tables(struct cli *cli, const char *argument) {
    return run_filtered(
        cli,
        "SELECT table_catalog AS catalog, table_schema AS schema, table_name AS name, "
        "table_type AS type FROM information_schema.tables "
        "WHERE " OWN_TABLES,
        " AND table_name LIKE ", argument, " ORDER BY 1, 2, 3");
}

static int run_base_tables(struct cli *cli, const char *argument) {
    return run_filtered(
        cli,
        "SELECT table_catalog AS catalog, table_schema AS schema, table_name AS name "
        "FROM information_schema.tables WHERE table_type <> 'VIEW' AND " OWN_TABLES,
        " AND table_name LIKE ", argument, " ORDER BY 1, 2, 3");
}

static int run_catalogs(struct cli *cli, const char *argument) {
    return run_filtered(cli,
                        "SELECT DISTINCT catalog_name AS catalog FROM information_schema.schemata",
                        " WHERE catalog_name LIKE ", argument, " ORDER BY 1");
}

static int run_schema(struct cli *cli, const char *argument) {
    if (argument[0] != '\0') return describe_node(cli, argument);
    return run_filtered(
        cli,
        "SELECT table_schema AS schema, table_name AS name, column_name AS column, "
        "data_type AS type, is_nullable AS nullable FROM information_schema.columns "
        "WHERE " OWN_TABLES,
        "", "", " ORDER BY table_catalog, 1, 2, ordinal_position");
}

static int run_describe(struct cli *cli, const char *argument) {
    return argument[0] == '\0' ? run_tables(cli, "") : describe_node(cli, argument);
}

static int run_mode(struct cli *cli, const char *argument) {
    const char *names[16];

    if (argument[0] == '\0') {
        printf("%s\n", cli->output.format == NULL ? "box" : cli->output.format->name);
        return CLI_DONE;
    }
    const struct output_format *format = output_format_named(argument);
    if (format == NULL) {
        const char *nearest = wr_nearest(argument, names, output_format_list(names, 16));
        if (nearest != NULL)
            return wrong("unknown mode \"%s\"; did you mean \"%s\"?", argument, nearest);
        return wrong("unknown mode \"%s\"; there are: %s", argument, output_format_names());
    }
    cli->output.format = format;
    return CLI_DONE;
}

static int run_expanded(struct cli *cli, const char *argument) {
    (void)argument;
    bool line = cli->output.format != NULL && cli->output.format->style == STYLE_LINE;
    cli->output.format = line ? NULL : output_format_named("line");
    fprintf(stderr, "Expanded display is %s.\n", line ? "off" : "on");
    return CLI_DONE;
}

static int run_timer(struct cli *cli, const char *argument) {
    if (strcasecmp(argument, "on") == 0)
        cli->timing = true;
    else if (strcasecmp(argument, "off") == 0)
        cli->timing = false;
    else if (argument[0] == '\0')
        cli->timing = !cli->timing;
    else
        return wrong(".timer takes on or off, not \"%s\"", argument);
    fprintf(stderr, "Timing is %s.\n", cli->timing ? "on" : "off");
    return CLI_DONE;
}

static int run_maxrows(struct cli *cli, const char *argument) {
    if (argument[0] == '\0') {
        printf("%lld\n", (long long)cli->output.max_rows);
        return CLI_DONE;
    }
    if (text_parse_int(argument, 0, INT32_MAX, &cli->output.max_rows)) return CLI_DONE;
    return wrong(".maxrows takes a number (0: all rows), not \"%s\"", argument);
}

static int run_pager(struct cli *cli, const char *argument) {
    if (argument[0] == '\0') {
        printf("%s\n", cli->pager == NULL ? "off" : cli->pager);
        return CLI_DONE;
    }
    char *pager = NULL;
    if (strcasecmp(argument, "on") == 0) {
        if ((pager = pager_choose()) == NULL) return wrong("there is no pager: set PAGER");
    } else if (strcasecmp(argument, "off") != 0 && (pager = wr_strdup(argument)) == NULL) {
        return wrong("out of memory");
    }
    wr_free(cli->pager);
    cli->pager = pager;
    return CLI_DONE;
}

static int run_output(struct cli *cli, const char *argument) {
    struct weir_error error = {0};
    const char *path = argument[0] == '\0' ? NULL : argument;
    return report_error(cli, place_change(cli, path, false, &error), &error);
}

static int run_once(struct cli *cli, const char *argument) {
    struct weir_error error = {0};
    if (argument[0] == '\0') return wrong(".once takes a file");
    return report_error(cli, place_change(cli, argument, true, &error), &error);
}

static int run_read(struct cli *cli, const char *argument) {
    if (argument[0] == '\0') return wrong(".read takes a file");
    if (cli->read_depth == DEEPEST_READ)
        return wrong("%s reads itself, or reads too deep", argument);
    cli->read_depth++;
    int code = script_run_file(cli, argument);
    cli->read_depth--;
    return code;
}

static int run_nullvalue(struct cli *cli, const char *argument) {
    char *copy = wr_strdup(argument);
    if (copy == NULL) return wrong("out of memory");
    wr_free(cli->null_text);
    cli->output.null_text = cli->null_text = copy;
    return CLI_DONE;
}

static size_t without_blanks(const char *text, size_t length) {
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length;
}

/* DIRECTORY NAME, or DIRECTORY AS NAME; the directory may be in quotes. */
static int run_mount(struct cli *cli, const char *argument) {
    struct wr_buffer sql;

    if (argument[0] == '\0')
        return run_filtered(cli, "SELECT name, kind, url, origin FROM system.mounts ORDER BY name",
                            "", "", "");
    const char *name = strrchr(argument, ' ');
    if (name == NULL) return wrong(".mount takes a directory and a name for it");
    size_t length = (size_t)(name - argument);
    length = without_blanks(argument, length);
    if (length > 3 && strncasecmp(argument + length - 3, " as", 3) == 0)
        length = without_blanks(argument, length - 3);
    if (length >= 2 && argument[0] == argument[length - 1] &&
        (argument[0] == '\'' || argument[0] == '"')) {
        argument++;
        length -= 2;
    }
    char *directory = wr_strndup(argument, length);
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "ATTACH ");
    wr_buffer_literal(&sql, directory == NULL ? "" : directory);
    wr_buffer_text(&sql, " AS ");
    wr_buffer_identifier(&sql, name + 1);
    int code = sql.failed || directory == NULL ? wrong("out of memory") : run_sql(cli, sql.data);
    wr_buffer_reset(&sql);
    wr_free(directory);
    return code;
}

static int run_quit(struct cli *cli, const char *argument) {
    (void)argument;
    cli->quit = true;
    return CLI_DONE;
}

static const struct shell_command commands[] = {
    {".help", "\\?", "[COMMAND]", "this list", run_help},
    {".tables", NULL, "[PATTERN]", "the tables and views, by a LIKE pattern", run_tables},
    {".schema", NULL, "[NAME]", "the columns of a table or path, or of all tables", run_schema},
    {"\\d", NULL, "[NAME]", "the tables, or what one table or path is", run_describe},
    {"\\dt", NULL, "[PATTERN]", "the tables without the views", run_base_tables},
    {"\\l", NULL, "", "the catalogs", run_catalogs},
    {".mode", NULL, "[FORMAT]", "how results are printed", run_mode},
    {"\\x", NULL, "", "one value a line, on and off", run_expanded},
    {".timer", "\\timing", "[on|off]", "print each statement's time", run_timer},
    {".maxrows", NULL, "[N]", "rows of a table to show; 0: all", run_maxrows},
    {".pager", NULL, "[on|off|COMMAND]", "what long results are shown with", run_pager},
    {".nullvalue", NULL, "TEXT", "how NULL is printed", run_nullvalue},
    {".output", NULL, "[FILE]", "write results to FILE; without it, to the screen again",
     run_output},
    {".once", NULL, "FILE", "write the next result to FILE", run_once},
    {".read", "\\i", "FILE", "run a script", run_read},
    {".mount", NULL, "[DIR NAME]", "put a directory under a name; without it, the mounts",
     run_mount},
    {".quit", "\\q", "", "leave", run_quit},
    {".exit", NULL, "", "leave", run_quit},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(const struct shell_command *command) {
    char name[64];

    snprintf(name, sizeof name, "%s %s", command->name, command->argument);
    bool alias = command->alias != NULL;
    printf("  %-24s %s%s%s%s\n", name, command->help, alias ? " (also " : "",
           alias ? command->alias : "", alias ? ")" : "");
}

static int run_help(struct cli *cli, const char *argument) {
    bool found = false;

    for (size_t i = 0; i < N_COMMANDS; i++) {
        const char *name = commands[i].name;
        if (argument[0] != '\0' && strcmp(argument, name) != 0 && strcmp(argument, name + 1) != 0)
            continue;
        print_help(&commands[i]);
        found = true;
    }
    if (!found) return wrong("there is no command \"%s\"; .help lists them", argument);
    if (argument[0] == '\0')
        printf("\nStatements end with a semicolon. %sTab completes; Ctrl-C\ncancels a statement; "
               "Ctrl-D leaves.\n",
               cli_is_local(cli) ? "`_` is the last result as a table. " : "");
    fflush(stdout);
    return CLI_DONE;
}

size_t shell_command_names(const char **ret_names, size_t most) {
    size_t n = 0;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (n < most) ret_names[n++] = commands[i].name;
        if (n < most && commands[i].alias != NULL) ret_names[n++] = commands[i].alias;
    }
    return n;
}

/* The rest of the line is the argument, without the blanks around it and one pair of quotes. */
static char *argument_of(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    if (n > 0 && text[n - 1] == ';') n--;
    if (n >= 2 && (text[0] == '\'' || text[0] == '"') && text[n - 1] == text[0]) {
        text++;
        n -= 2;
    }
    text[n] = '\0';
    return text;
}

int shell_command(struct cli *cli, char *line) {
    const char *names[2 * N_COMMANDS];
    char *end = line + strcspn(line, " \t\r\n;");
    char *argument = *end == '\0' ? end : end + 1;

    bool ended = *end == ';';
    *end = '\0';
    argument = ended ? end : argument_of(argument);
    for (size_t i = 0; i < N_COMMANDS; i++) {
        bool found = strcmp(line, commands[i].name) == 0 ||
                     (commands[i].alias != NULL && strcmp(line, commands[i].alias) == 0);
        if (!found) continue;
        int code = commands[i].run(cli, argument);
        fflush(stdout);
        return code;
    }
    const char *nearest = wr_nearest(line, names, shell_command_names(names, 2 * N_COMMANDS));
    if (nearest != NULL)
        return wrong("unknown command \"%s\"; did you mean \"%s\"?", line, nearest);
    return wrong("unknown command \"%s\"; .help lists them", line);
}
