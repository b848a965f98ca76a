/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/units.h"
#include "config/config.h"
#include "text.h"

static const struct {
    const char *name;
    enum command command; /* 0: not in this version */
    const char *argument;
    const char *help;
} commands[] = {
    {"sql", COMMAND_SQL, "[SQL]", "run SQL: the argument, -c, -f, or standard input"},
    {"cat", COMMAND_CAT, "PATH", "print a table's rows, or a plain file's bytes"},
    {"describe", COMMAND_DESCRIBE, "PATH|TABLE", "say what a node is, as a file and as a table"},
    {"ls", COMMAND_LS, "[PATH...]", "list directories, mounts, schemas or single nodes"},
    {"cp", COMMAND_CP, "FROM... TO", "copy files and tables, as what TO's extension says"},
    {"mv", COMMAND_MV, "FROM... TO", "rename or move files and tables"},
    {"rm", COMMAND_RM, "PATH...", "remove files and directories, drop tables"},
    {"mkdir", COMMAND_MKDIR, "PATH...", "make directories and schemas"},
    {"presign", COMMAND_PRESIGN, "URL",
     "a URL by which anybody may GET or PUT an object for a while"},
    {"init", COMMAND_INIT, "[DIR]", "make a workspace: DIR/weir.yaml, and DIR/.weir"},
    {"config check", COMMAND_CONFIG_CHECK, "[FILE]", "tell all that is wrong in a configuration"},
    {"config show", COMMAND_CONFIG_SHOW, "", "list every key with its value and its origin"},
    {"mount", COMMAND_MOUNT, "DIR [PATH]", "show the tree as a read-only file system at DIR"},
    {"user", COMMAND_USER, "WORD...", "add, list, remove users; their passwords and API keys"},
    {"version", COMMAND_VERSION, "", "print the versions of weir, engine and compiler"},
    {"serve", COMMAND_SERVE, "", "answer over HTTP and Flight SQL until it is told to end"},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

enum {
    TREE = COMMAND_CP | COMMAND_MV | COMMAND_RM | COMMAND_MKDIR, /* changes it */
    CONFIGURES = COMMAND_CONFIG_CHECK | COMMAND_CONFIG_SHOW,
    ALL = CONFIGURES | COMMAND_CONFIG | COMMAND_INIT | COMMAND_SHELL | COMMAND_SQL | COMMAND_CAT |
        COMMAND_DESCRIBE | COMMAND_LS | COMMAND_VERSION | COMMAND_MOUNT | COMMAND_SERVE |
        COMMAND_USER | COMMAND_PRESIGN | TREE,
    RUNS = COMMAND_SHELL | COMMAND_SQL | COMMAND_CAT, /* runs statements of the user's */
    ROWS = RUNS | COMMAND_DESCRIBE | COMMAND_LS | COMMAND_CONFIG_SHOW |
        COMMAND_USER,                                /* prints rows */
    LISTS = RUNS | COMMAND_LS | COMMAND_CONFIG_SHOW, /* of any length, with NULLs */
    CONNECTS = RUNS | COMMAND_DESCRIBE | COMMAND_LS | COMMAND_CP | COMMAND_RM | COMMAND_MKDIR |
        COMMAND_USER, /* SQL does what they do */
    SCRIPTS = COMMAND_SHELL | COMMAND_SQL,
    OPENS = RUNS | COMMAND_DESCRIBE | COMMAND_LS | TREE | COMMAND_MOUNT | COMMAND_SERVE |
        COMMAND_USER | COMMAND_PRESIGN,
    MANY = COMMAND_LS | TREE | COMMAND_USER /* takes any number of words */
};

enum flag_id {
    FLAG_CONNECT,
    FLAG_PASSWORD_FILE,
    FLAG_TOKEN_FILE,
    FLAG_TLS_CA,
    FLAG_TLS_CERTIFICATE,
    FLAG_TLS_KEY,
    FLAG_COMMAND,
    FLAG_FILE,
    FLAG_PARAM,
    FLAG_TABLE,
    FLAG_WORKSPACE,
    FLAG_CONFIG,
    FLAG_SET,
    FLAG_FORMAT,
    FLAG_OUTPUT,
    FLAG_NULL,
    FLAG_NO_HEADER,
    FLAG_MAX_ROWS,
    FLAG_TIMING,
    FLAG_MEMORY_LIMIT,
    FLAG_THREADS,
    FLAG_TIMEOUT,
    FLAG_KEEP_GOING,
    FLAG_NO_RC,
    FLAG_SQL,
    FLAG_BYTES,
    FLAG_LONG,
    FLAG_RECURSIVE,
    FLAG_FORCE,
    FLAG_PARENTS,
    FLAG_ENCODING,
    FLAG_DAEMON,
    FLAG_HTTP_LISTEN,
    FLAG_FLIGHT_LISTEN,
    FLAG_LABEL,
    FLAG_EXPIRES,
    FLAG_METHOD,
    FLAG_HELP,
    FLAG_VERSION
};

struct flag {
    const char *name;
    char letter;
    const char *argument; /* NULL: takes none */
    int commands;
    enum flag_id id;
    const char *help;
};

/* The same name or letter may mean different things to different commands. */
static const struct flag flags[] = {
    {"command", 'c', "SQL", SCRIPTS, FLAG_COMMAND, "run this SQL (repeatable, in order with -f)"},
    {"file", 'f', "FILE", SCRIPTS, FLAG_FILE, "run a script; - is standard input"},
    {"param", 0, "NAME=VALUE", RUNS, FLAG_PARAM, "value of the parameter $NAME (repeatable)"},
    {"table", 0, "NAME=PATH", OPENS, FLAG_TABLE, "name a path or URL as a table (repeatable)"},
    {"sql", 0, "SQL", COMMAND_CAT, FLAG_SQL, "query the path, as the table `data`"},
    {"bytes", 0, NULL, COMMAND_CAT, FLAG_BYTES, "print the bytes of the file, not the rows"},
    {"long", 'l', NULL, COMMAND_LS, FLAG_LONG, "with kind, rows, size, time, version, schema"},
    {"recursive", 'R', NULL, COMMAND_LS, FLAG_RECURSIVE, "what is in the directories too"},
    {"recursive", 'r', NULL, COMMAND_RM, FLAG_RECURSIVE, "directories and all that is in them"},
    {"force", 'f', NULL, COMMAND_CP | COMMAND_MV, FLAG_FORCE, "replace what is there"},
    {"force", 'f', NULL, COMMAND_RM, FLAG_FORCE, "what is not there is no error"},
    {"parents", 'p', NULL, COMMAND_MKDIR, FLAG_PARENTS, "those above it too; one there is fine"},
    {"encoding", 0, "LIST", COMMAND_MOUNT, FLAG_ENCODING, "every table as these: parquet,csv"},
    {"daemon", 0, NULL, COMMAND_MOUNT, FLAG_DAEMON, "go to the background once it is mounted"},
    {"http-listen", 0, "ADDRESS", COMMAND_SERVE, FLAG_HTTP_LISTEN,
     "where HTTP is served: 127.0.0.1:8080; off: nowhere"},
    {"flight-listen", 0, "ADDRESS", COMMAND_SERVE, FLAG_FLIGHT_LISTEN,
     "where Flight SQL is served: 127.0.0.1:31337; off: nowhere"},
    {"label", 0, "TEXT", COMMAND_USER, FLAG_LABEL, "of a new key: what it is for"},
    {"expires", 0, "TIME", COMMAND_USER | COMMAND_PRESIGN, FLAG_EXPIRES,
     "of a new key: 12h, 90d, without it never; of a URL: up to 7d, without it 1h"},
    {"method", 0, "GET|PUT", COMMAND_PRESIGN, FLAG_METHOD, "what the URL is for; without it GET"},
    {"connect", 0, "URI", CONNECTS, FLAG_CONNECT,
     "a server to run it on: grpc://[USER@]HOST[:PORT], grpc+tls://..."},
    {"password-file", 0, "FILE", CONNECTS, FLAG_PASSWORD_FILE, "the USER's, for WEIR_PASSWORD"},
    {"token-file", 0, "FILE", CONNECTS, FLAG_TOKEN_FILE, "an API key or JWT, for WEIR_TOKEN"},
    {"tls-ca", 0, "FILE", CONNECTS, FLAG_TLS_CA, "who certifies the server, for the system's"},
    {"tls-certificate", 0, "FILE", CONNECTS, FLAG_TLS_CERTIFICATE, "the client's own"},
    {"tls-key", 0, "FILE", CONNECTS, FLAG_TLS_KEY, "of that certificate"},
    {"workspace", 0, "DIR", OPENS | CONFIGURES, FLAG_WORKSPACE,
     "directory whose state is kept in DIR/.weir"},
    {"config", 0, "FILE", OPENS | CONFIGURES, FLAG_CONFIG, "configuration, for DIR/weir.yaml"},
    {"set", 0, "KEY=VALUE", OPENS | CONFIGURES, FLAG_SET,
     "a key of the configuration, or of SQL's SET (repeatable)"},
    {"format", 0, "FORMAT", ROWS, FLAG_FORMAT, "one of those below"},
    {"output", 'o', "FILE", ROWS, FLAG_OUTPUT, "write results to FILE, whole or not at all"},
    {"null", 0, "TEXT", LISTS, FLAG_NULL, "how NULL is written (csv and tsv: empty by default)"},
    {"no-header", 0, NULL, ROWS, FLAG_NO_HEADER, "without the line of column names"},
    {"max-rows", 0, "N", LISTS, FLAG_MAX_ROWS, "rows that table, box and markdown show; 0: all"},
    {"timing", 0, NULL, RUNS, FLAG_TIMING, "print each statement's time to standard error"},
    {"memory-limit", 0, "SIZE", OPENS, FLAG_MEMORY_LIMIT, "memory for queries: 512MiB, 2GB"},
    {"threads", 0, "N", OPENS, FLAG_THREADS, "worker threads; 0: one per core"},
    {"timeout", 0, "TIME", OPENS, FLAG_TIMEOUT, "cancel what runs longer: 500ms, 10s"},
    {"keep-going", 0, NULL, SCRIPTS, FLAG_KEEP_GOING,
     "go on after a failed statement; still exits 1"},
    {"no-rc", 0, NULL, SCRIPTS, FLAG_NO_RC, "do not read ~/.weirrc"},
    {"help", 'h', NULL, ALL, FLAG_HELP, "print this"},
    {"version", 'V', NULL, ALL, FLAG_VERSION, "print the version"},
};

enum { N_FLAGS = sizeof flags / sizeof *flags };

const char *arguments_command_name(enum command command) {
    switch (command) {
    case COMMAND_SHELL:
        return "weir";
    case COMMAND_SQL:
        return "weir sql";
    case COMMAND_CAT:
        return "weir cat";
    case COMMAND_DESCRIBE:
        return "weir describe";
    case COMMAND_LS:
        return "weir ls";
    case COMMAND_VERSION:
        return "weir version";
    case COMMAND_CP:
        return "weir cp";
    case COMMAND_MV:
        return "weir mv";
    case COMMAND_RM:
        return "weir rm";
    case COMMAND_MKDIR:
        return "weir mkdir";
    case COMMAND_CONFIG:
        return "weir config";
    case COMMAND_CONFIG_CHECK:
        return "weir config check";
    case COMMAND_CONFIG_SHOW:
        return "weir config show";
    case COMMAND_INIT:
        return "weir init";
    case COMMAND_MOUNT:
        return "weir mount";
    case COMMAND_SERVE:
        return "weir serve";
    case COMMAND_USER:
        return "weir user";
    case COMMAND_PRESIGN:
        return "weir presign";
    }
    return "weir";
}

void arguments_help(enum command command) {
    printf("Usage: %s", arguments_command_name(command));
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (commands[i].command == command && commands[i].argument[0] != '\0')
            printf(" %s", commands[i].argument);
    }
    if (command == COMMAND_CONFIG) printf(" check|show");
    printf(command == COMMAND_SHELL ? " [COMMAND] [FLAGS]\n\n" : " [FLAGS]\n\n");
    if (command == COMMAND_SHELL) {
        printf("SQL over files and tables. Without a command: the shell, or the script on standard "
               "input.\n\nCommands:\n");
        for (size_t i = 0; i < N_COMMANDS; i++) {
            if (commands[i].command != 0)
                printf("  %-12s %-11s %s\n", commands[i].name, commands[i].argument,
                       commands[i].help);
        }
        printf("\nFlags of the shell:\n");
    } else {
        printf("Flags:\n");
    }
    for (size_t i = 0; i < N_FLAGS; i++) {
        char name[64], letter[8] = "    ";
        if ((flags[i].commands & command) == 0) continue;
        if (flags[i].letter != 0) snprintf(letter, sizeof letter, "-%c, ", flags[i].letter);
        snprintf(name, sizeof name, "--%s %s", flags[i].name,
                 flags[i].argument ? flags[i].argument : "");
        printf("  %s%-22s %s\n", letter, name, flags[i].help);
    }
    if (command & ROWS) printf("\nFormats: %s.\n", output_format_names());
    printf("\nThe manual: man weir.\n");
}

#define usage(error, ...) wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, __VA_ARGS__)

static int add_source(struct arguments *arguments, bool is_file, const char *text,
                      struct weir_error *error) {
    struct arguments_source *sources =
        wr_reallocarray(arguments->sources, arguments->n_sources + 1, sizeof *sources);
    if (sources == NULL) return wr_error_memory(error);
    sources[arguments->n_sources++] = (struct arguments_source){is_file, text};
    arguments->sources = sources;
    return WEIR_OK;
}

/* NAME=VALUE into a list. */
static int add_pair(const struct flag *flag, const char *text, struct wr_options *options,
                    struct weir_error *error) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return usage(error, "--%s takes %s, not \"%s\"", flag->name, flag->argument, text);
    char *key = wr_strndup(text, (size_t)(equals - text));
    if (key == NULL) return wr_error_memory(error);
    int code = wr_options_add(options, key, equals + 1, error);
    if (code != WEIR_OK) wr_error_prefix(error, code, "--%s", flag->name);
    wr_free(key);
    return code;
}

/* A flag that is short for --set. */
static int add_setting(struct arguments *arguments, const char *key, const char *value,
                       struct weir_error *error) {
    int code = wr_options_add(&arguments->settings, key, value, error);
    return code == WEIR_OK ? code : wr_error_prefix(error, code, "%s", key);
}

static int set_format(struct arguments *arguments, const char *value, struct weir_error *error) {
    const char *names[16];
    size_t n = output_format_list(names, 16);

    arguments->format = output_format_named(value);
    if (arguments->format != NULL) return WEIR_OK;
    const char *nearest = wr_nearest(value, names, n);
    if (nearest != NULL)
        return usage(error, "unknown format \"%s\"; did you mean \"%s\"?", value, nearest);
    return usage(error, "unknown format \"%s\"; there are: %s", value, output_format_names());
}

static int set_flag(struct arguments *arguments, const struct flag *flag, const char *value,
                    struct weir_error *error) {
    bool good = true;

    switch (flag->id) {
    case FLAG_COMMAND:
        return add_source(arguments, false, value, error);
    case FLAG_FILE:
        return add_source(arguments, true, value, error);
    case FLAG_PARAM:
        return add_pair(flag, value, &arguments->parameters, error);
    case FLAG_TABLE:
        return add_pair(flag, value, &arguments->tables, error);
    case FLAG_SET:
        return add_pair(flag, value, &arguments->settings, error);
    case FLAG_FORMAT:
        return set_format(arguments, value, error);
    case FLAG_SQL:
        arguments->query = value;
        break;
    case FLAG_CONNECT:
        arguments->connect = value;
        break;
    case FLAG_PASSWORD_FILE:
        arguments->password_file = value;
        break;
    case FLAG_TOKEN_FILE:
        arguments->token_file = value;
        break;
    case FLAG_TLS_CA:
        arguments->tls_ca = value;
        break;
    case FLAG_TLS_CERTIFICATE:
        arguments->tls_certificate = value;
        break;
    case FLAG_TLS_KEY:
        arguments->tls_key = value;
        break;
    case FLAG_WORKSPACE:
        arguments->workspace = value;
        break;
    case FLAG_CONFIG:
        arguments->config = value;
        break;
    case FLAG_OUTPUT:
        arguments->output = value;
        break;
    case FLAG_NULL:
        arguments->null_text = value;
        break;
    case FLAG_MAX_ROWS:
        good = text_parse_int(value, 0, INT32_MAX, &arguments->max_rows);
        break;
    case FLAG_THREADS:
        good = text_parse_int(value, 0, 4096, &arguments->threads);
        break;
    case FLAG_MEMORY_LIMIT:
        good = wr_parse_bytes(value, &arguments->memory_limit);
        break;
    case FLAG_TIMEOUT:
        good = wr_parse_duration(value, &arguments->timeout_ms) && arguments->timeout_ms > 0;
        break;
    case FLAG_NO_HEADER:
        arguments->no_header = true;
        break;
    case FLAG_TIMING:
        arguments->timing = true;
        break;
    case FLAG_KEEP_GOING:
        arguments->keep_going = true;
        break;
    case FLAG_NO_RC:
        arguments->no_rc = true;
        break;
    case FLAG_BYTES:
        arguments->bytes = true;
        break;
    case FLAG_LONG:
        arguments->long_list = true;
        break;
    case FLAG_RECURSIVE:
        arguments->recursive = true;
        break;
    case FLAG_FORCE:
        arguments->force = true;
        break;
    case FLAG_PARENTS:
        arguments->parents = true;
        break;
    case FLAG_ENCODING:
        arguments->encodings = value;
        break;
    case FLAG_DAEMON:
        arguments->daemon = true;
        break;
    case FLAG_HTTP_LISTEN:
        return add_setting(arguments, "http.listen", value, error);
    case FLAG_FLIGHT_LISTEN:
        return add_setting(arguments, "flight.listen", value, error);
    case FLAG_LABEL:
        arguments->label = value;
        break;
    case FLAG_EXPIRES:
        arguments->expires = value;
        break;
    case FLAG_METHOD:
        arguments->method = value;
        break;
    case FLAG_HELP:
        arguments->help = true;
        break;
    case FLAG_VERSION:
        arguments->version = true;
        break;
    }
    if (good) return WEIR_OK;
    return usage(error, "--%s takes %s, not \"%s\"", flag->name, flag->argument, value);
}

static int unknown_flag(const char *name, size_t length, struct weir_error *error) {
    const char *names[N_FLAGS];
    char word[64];

    for (size_t i = 0; i < N_FLAGS; i++)
        names[i] = flags[i].name;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *nearest = wr_nearest(word, names, N_FLAGS);
    if (nearest != NULL)
        return usage(error, "unknown flag \"--%s\"; did you mean \"--%s\"?", word, nearest);
    return usage(error, "unknown flag \"--%s\"", word);
}

/* By its name, or by its letter; one of the command's own first. NULL: there is none. */
static const struct flag *find_flag(const char *name, size_t length, char letter, int command) {
    const struct flag *found = NULL;

    for (size_t i = 0; i < N_FLAGS; i++) {
        if (letter != 0 ? flags[i].letter != letter
                        : strlen(flags[i].name) != length || memcmp(flags[i].name, name, length))
            continue;
        if ((flags[i].commands & command) != 0) return &flags[i];
        if (found == NULL) found = &flags[i];
    }
    return found;
}

/* A flag whose value, if it takes one, is `value`, or else the next of argv. */
static int take_flag(struct arguments *arguments, const struct flag *flag, const char *value,
                     char **argv, int argc, int *at, bool *seen, struct weir_error *error) {
    seen[flag - flags] = true;
    if (flag->argument == NULL) {
        if (value != NULL) return usage(error, "--%s takes no value", flag->name);
    } else if (value == NULL) {
        if (*at + 1 >= argc) return usage(error, "--%s takes %s", flag->name, flag->argument);
        value = argv[++*at];
    }
    return set_flag(arguments, flag, value, error);
}

/* Reads argv[*at] and what belongs to it. `seen` collects the flags, to be held against the
 * command, which may come later. */
static int parse_flag(struct arguments *arguments, char **argv, int argc, int *at, bool *seen,
                      struct weir_error *error) {
    const char *word = argv[*at];

    if (word[1] == '-') {
        const char *name = word + 2, *equals = strchr(name, '=');
        size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
        const struct flag *flag = find_flag(name, length, 0, arguments->command);
        if (flag == NULL) return unknown_flag(name, length, error);
        const char *value = equals != NULL ? equals + 1 : NULL;
        return take_flag(arguments, flag, value, argv, argc, at, seen, error);
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) { /* -lR, -cSQL */
        const struct flag *flag = find_flag(NULL, 0, *letter, arguments->command);
        if (flag == NULL) return usage(error, "unknown flag \"%s\"", word);
        bool takes = flag->argument != NULL;
        const char *value = takes && letter[1] != '\0' ? letter + 1 : NULL;
        WR_TRY(take_flag(arguments, flag, value, argv, argc, at, seen, error));
        if (takes) break;
    }
    return WEIR_OK;
}

/* The word that follows "config". */
static int parse_config(struct arguments *arguments, const char *word, struct weir_error *error) {
    static const char *const words[] = {"check", "show"};
    static const enum command meant[] = {COMMAND_CONFIG_CHECK, COMMAND_CONFIG_SHOW};

    for (size_t i = 0; i < 2; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        arguments->command = meant[i];
        return WEIR_OK;
    }
    const char *nearest = wr_nearest(word, words, 2);
    if (nearest != NULL)
        return usage(error, "unknown command \"config %s\"; did you mean \"config %s\"?", word,
                     nearest);
    return usage(error, "unknown command \"config %s\"; there are: config check, config show",
                 word);
}

static int parse_command(struct arguments *arguments, const char *word, struct weir_error *error) {
    const char *names[N_COMMANDS];

    if (strcmp(word, "config") == 0) {
        arguments->command = COMMAND_CONFIG;
        return WEIR_OK;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(word, names[i]) != 0) continue;
        if (commands[i].command == 0)
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "\"weir %s\" is not available in this version", word);
        arguments->command = commands[i].command;
        return WEIR_OK;
    }
    const char *nearest = wr_nearest(word, names, N_COMMANDS);
    if (nearest != NULL)
        return usage(error, "unknown command \"%s\"; did you mean \"%s\"?", word, nearest);
    if (strchr(word, ' ') != NULL)
        return usage(error, "unknown command; to run SQL: weir sql \"...\"");
    return usage(error, "unknown command \"%s\"", word);
}

static int parse_word(struct arguments *arguments, const char *word, bool *has_command,
                      struct weir_error *error) {
    if (!*has_command) {
        *has_command = true;
        return parse_command(arguments, word, error);
    }
    if (arguments->command == COMMAND_SQL && arguments->n_sources == 0)
        return add_source(arguments, false, word, error);
    if (arguments->command == COMMAND_CONFIG) return parse_config(arguments, word, error);
    bool takes_word = arguments->command & (COMMAND_CONFIG_CHECK | COMMAND_INIT);
    if (takes_word && arguments->word == NULL) {
        arguments->word = word;
        return WEIR_OK;
    }
    size_t most = arguments->command & MANY            ? SIZE_MAX
                  : arguments->command & COMMAND_MOUNT ? 2
                  : arguments->command & (COMMAND_CAT | COMMAND_DESCRIBE | COMMAND_PRESIGN) ? 1
                                                                                            : 0;
    if (arguments->n_paths < most) {
        const char **paths =
            wr_reallocarray(arguments->paths, arguments->n_paths + 1, sizeof *paths);
        if (paths == NULL) return wr_error_memory(error);
        paths[arguments->n_paths++] = word;
        arguments->paths = paths;
        return WEIR_OK;
    }
    return usage(error, "one argument too many for %s: \"%s\"",
                 arguments_command_name(arguments->command), word);
}

/* What is a server's own to say, and what is of no use without a server. */
static int check_connection(const struct arguments *arguments, const bool *seen,
                            struct weir_error *error) {
    static const enum flag_id here[] = {FLAG_WORKSPACE,    FLAG_CONFIG,  FLAG_TABLE,
                                        FLAG_MEMORY_LIMIT, FLAG_THREADS, FLAG_BYTES};
    static const enum flag_id there[] = {FLAG_PASSWORD_FILE, FLAG_TOKEN_FILE, FLAG_TLS_CA,
                                         FLAG_TLS_CERTIFICATE, FLAG_TLS_KEY};
    bool connects = arguments->connect != NULL;
    const enum flag_id *wrong = connects ? here : there;
    size_t n_wrong = connects ? sizeof here / sizeof *here : sizeof there / sizeof *there;

    for (size_t i = 0; i < N_FLAGS; i++) {
        for (size_t k = 0; seen[i] && k < n_wrong; k++) {
            if (flags[i].id == wrong[k])
                return usage(error,
                             connects ? "--connect and --%s exclude each other"
                                      : "--%s is of no use without --connect",
                             flags[i].name);
        }
    }
    if (connects && arguments->long_list)
        return usage(error, "with --connect there is no -l: for each table weir describe "
                            "--connect, or GET /v1/tables/CATALOG/SCHEMA/TABLE over HTTP");
    for (size_t i = 0; connects && i < arguments->settings.n_items; i++) {
        const char *key = arguments->settings.items[i].key;
        if (wr_config_is_key(key))
            return usage(error,
                         "%s is a key of the server's configuration, which --connect does "
                         "not change",
                         key);
    }
    return WEIR_OK;
}

/* What no flag or argument tells alone. */
static int check(const struct arguments *arguments, struct weir_error *error) {
    const char *command = arguments_command_name(arguments->command);

    if (arguments->command & (COMMAND_CP | COMMAND_MV)) {
        if (arguments->n_paths == 0) return usage(error, "%s needs FROM and TO", command);
        if (arguments->n_paths == 1)
            return usage(error, "%s needs TO after \"%s\"", command, arguments->paths[0]);
    }
    if ((arguments->command & (COMMAND_CAT | COMMAND_DESCRIBE | COMMAND_RM | COMMAND_MKDIR)) &&
        arguments->n_paths == 0)
        return usage(error, "%s needs a path", command);
    if (arguments->command == COMMAND_PRESIGN && arguments->n_paths != 1)
        return usage(error, "%s takes one URL, such as s3://bucket/key", command);
    if (arguments->command == COMMAND_MOUNT && arguments->n_paths == 0)
        return usage(error, "%s needs the directory to mount at", command);
    for (size_t i = 0; i < arguments->n_paths; i++) {
        if (arguments->paths[i][0] == '\0') return usage(error, "a path is empty");
    }
    if (arguments->bytes && arguments->query != NULL)
        return usage(error, "--bytes and --sql exclude each other");
    if (arguments->bytes && arguments->format != NULL && arguments->format->style != STYLE_ENCODED)
        return usage(error, "--bytes takes the format of a file, and %s is for reading",
                     arguments->format->name);
    return WEIR_OK;
}

static int parse(int argc, char **argv, struct arguments *arguments, struct weir_error *error) {
    bool seen[N_FLAGS] = {false};
    bool has_command = false, only_words = false;

    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0')
            WR_TRY(parse_flag(arguments, argv, argc, &i, seen, error));
        else
            WR_TRY(parse_word(arguments, argv[i], &has_command, error));
    }
    for (size_t i = 0; i < N_FLAGS; i++) {
        if (seen[i] && flags[i].id == FLAG_CONNECT && arguments->command == COMMAND_MV)
            return usage(error, "weir mv works on this machine and takes no --connect: SQL renames "
                                "nothing; on a server use weir cp --connect, then weir rm "
                                "--connect");
        if (seen[i] && flags[i].id == FLAG_CONNECT && (CONNECTS & arguments->command) == 0)
            return usage(error,
                         "%s works on this machine and takes no --connect; SQL on a server: "
                         "weir sql --connect",
                         arguments_command_name(arguments->command));
        if (seen[i] && (flags[i].commands & arguments->command) == 0)
            return usage(error, "%s has no flag --%s", arguments_command_name(arguments->command),
                         flags[i].name);
    }
    if (arguments->help || arguments->version) return WEIR_OK;
    WR_TRY(check_connection(arguments, seen, error));
    if (arguments->command == COMMAND_CONFIG_CHECK && arguments->word && arguments->config)
        return usage(error, "FILE and --config exclude each other");
    if (arguments->command == COMMAND_CONFIG)
        return usage(error, "weir config needs a command: config check, config show");
    return check(arguments, error);
}

int arguments_parse(int argc, char **argv, struct arguments *ret_arguments,
                    struct weir_error *error) {
    struct arguments arguments = {.command = COMMAND_SHELL, .max_rows = -1};
    int code = parse(argc, argv, &arguments, error);
    *ret_arguments = arguments; /* also on failure: the command, for the hint at its help */
    return code;
}

void arguments_reset(struct arguments *arguments) {
    wr_free(arguments->sources);
    wr_free(arguments->paths);
    wr_options_reset(&arguments->parameters);
    wr_options_reset(&arguments->settings);
    wr_options_reset(&arguments->tables);
}
