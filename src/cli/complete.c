/* SPDX-License-Identifier: Apache-2.0 */
/* What Tab offers: commands at the start of a line, paths inside quotes, else keywords, functions
 * and the names of the catalog. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "shell.h"

enum { MOST_NAMES = 20000 };

static const char *const keywords[] = {
    "ALL",      "ALTER",    "ANALYZE", "AND",    "ANY",    "AS",        "ASC",          "BETWEEN",
    "BY",       "CASE",     "CAST",    "COPY",   "CREATE", "CROSS",     "DELETE",       "DESC",
    "DESCRIBE", "DISTINCT", "DROP",    "ELSE",   "END",    "EXCEPT",    "EXISTS",       "EXPLAIN",
    "EXTERNAL", "EXTRACT",  "FALSE",   "FILTER", "FIRST",  "FORMAT",    "FROM",         "FULL",
    "GROUP",    "HAVING",   "IF",      "ILIKE",  "IN",     "INNER",     "INSERT",       "INTERSECT",
    "INTERVAL", "INTO",     "IS",      "JOIN",   "LAST",   "LATERAL",   "LEFT",         "LIKE",
    "LIMIT",    "LOCATION", "NATURAL", "NOT",    "NULL",   "NULLS",     "OFFSET",       "ON",
    "OPTIONS",  "OR",       "ORDER",   "OUTER",  "OVER",   "PARTITION", "PARTITION_BY", "QUALIFY",
    "REPLACE",  "RIGHT",    "ROLLUP",  "ROWS",   "SCHEMA", "SELECT",    "SET",          "SHOW",
    "TABLE",    "TABLES",   "THEN",    "TO",     "TRUE",   "UNION",     "UNNEST",       "UPDATE",
    "USING",    "VALUES",   "VIEW",    "WHEN",   "WHERE",  "WINDOW",    "WITH"};

struct words {
    char **items;
    size_t n_items;
};

struct completer {
    struct cli *cli;
    struct words names; /* of the catalog, sorted */
    struct words found; /* by the last call */
};

static void clear(struct words *words) {
    for (size_t i = 0; i < words->n_items; i++)
        wr_free(words->items[i]);
    wr_free(words->items);
    *words = (struct words){0};
}

/* Without memory a word is left out: completion is a help, not a promise. */
static void add(struct words *words, const char *text, size_t length, const char *end) {
    char **items = wr_reallocarray(words->items, words->n_items + 1, sizeof *items);
    if (items == NULL) return;
    words->items = items;
    size_t n_end = strlen(end);
    char *word = wr_malloc(length + n_end + 1);
    if (word == NULL) return;
    memcpy(word, text, length);
    memcpy(word + length, end, n_end + 1);
    items[words->n_items++] = word;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct words *words) {
    size_t kept = 0;

    if (words->n_items == 0) return;
    qsort(words->items, words->n_items, sizeof *words->items, compare);
    for (size_t i = 1; i < words->n_items; i++) {
        if (strcmp(words->items[kept], words->items[i]) == 0)
            wr_free(words->items[i]);
        else
            words->items[++kept] = words->items[i];
    }
    words->n_items = kept + 1;
}

struct completer *completer_new(struct cli *cli) {
    struct completer *completer = wr_calloc(1, sizeof *completer);
    if (completer == NULL) return NULL;
    completer->cli = cli;
    cli->names_changed = true;
    return completer;
}

void completer_free(struct completer *completer) {
    if (completer == NULL) return;
    clear(&completer->names);
    clear(&completer->found);
    wr_free(completer);
}

/* ---- The catalog's names ---- */

struct loading {
    struct words *names;
    const char *end; /* goes after each */
};

static bool add_name(void *context, const char *value, size_t length) {
    const struct loading *loading = context;
    if (length > 0) add(loading->names, value, length, loading->end);
    return loading->names->n_items < MOST_NAMES;
}

/* Adds the first column of a query, `end` after each value. */
static void load(struct completer *completer, const char *sql, const char *end) {
    struct loading loading = {&completer->names, end};
    if (completer->names.n_items >= MOST_NAMES) return;
    (void)connection_list(completer->cli->connection, sql, add_name, &loading, NULL);
}

static void refresh(struct completer *completer) {
    if (!completer->cli->names_changed) return;
    completer->cli->names_changed = false;
    clear(&completer->names);
    load(completer, "SELECT DISTINCT catalog_name FROM information_schema.schemata", "");
    load(completer, "SELECT DISTINCT schema_name FROM information_schema.schemata", "");
    load(completer, "SELECT table_name FROM information_schema.tables", "");
    load(completer, "SELECT table_schema || '.' || table_name FROM information_schema.tables", "");
    load(completer, "SELECT DISTINCT column_name FROM information_schema.columns", "");
    load(completer,
         "SELECT table_name || '.' || column_name FROM information_schema.columns "
         "WHERE table_schema <> 'information_schema'",
         "");
    load(completer, "SELECT DISTINCT routine_name FROM information_schema.routines", "(");
    sort(&completer->names);
}

/* ---- Finding ---- */

static bool begins(const char *word, const char *typed, size_t length) {
    return strncasecmp(word, typed, length) == 0;
}

static void find_names(struct completer *completer, const char *typed, size_t length) {
    bool lower = length > 0 && islower((unsigned char)typed[0]);

    refresh(completer);
    for (size_t i = 0; i < completer->names.n_items; i++) {
        const char *name = completer->names.items[i];
        if (begins(name, typed, length)) add(&completer->found, name, strlen(name), "");
    }
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        char word[32];
        if (!begins(keywords[i], typed, length)) continue;
        snprintf(word, sizeof word, "%s", keywords[i]);
        for (char *c = word; lower && *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        add(&completer->found, word, strlen(word), " ");
    }
}

struct path_search {
    struct completer *completer;
    const char *typed;
    size_t length, head; /* of the typed text; up to and with the last slash */
    const char *end;     /* goes after what is no directory */
};

static void offer_path(const struct path_search *search, const char *name, bool is_directory) {
    struct wr_buffer full;
    size_t rest = search->length - search->head;

    if (strncmp(name, search->typed + search->head, rest) != 0) return;
    if (name[0] == '.' && rest == 0) return;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return;
    wr_buffer_init(&full, 1 << 16);
    wr_buffer_add(&full, search->typed, search->head);
    wr_buffer_text(&full, name);
    if (!full.failed)
        add(&search->completer->found, full.data, full.length, is_directory ? "/" : search->end);
    wr_buffer_reset(&full);
}

static int offer_entry(void *context, const struct weir_node_entry *entry) {
    offer_path(context, entry->name, node_is_listed(entry->type));
    return 0;
}

/* What a directory of this machine holds. */
static void offer_directory(const struct path_search *search, const char *path) {
    DIR *list = opendir(path);
    struct dirent *item;

    while (list != NULL && (item = readdir(list)) != NULL) {
        struct stat status;
        bool found = fstatat(dirfd(list), item->d_name, &status, 0) == 0;
        offer_path(search, item->d_name, found && S_ISDIR(status.st_mode));
    }
    if (list != NULL) closedir(list);
}

static void find_paths(struct completer *completer, const char *typed, size_t length,
                       const char *end) {
    struct path_search search = {completer, typed, length, length, end};
    struct weir_node *node = NULL;

    while (search.head > 0 && typed[search.head - 1] != '/')
        search.head--;
    char *directory = wr_strndup(search.head == 0 ? "." : typed, search.head + (search.head == 0));
    if (directory == NULL) return;
    bool is_local = cli_is_local(completer->cli);
    if (is_local && weir_node_open(completer->cli->session, directory, &node, NULL) == WEIR_OK)
        (void)weir_node_list(node, offer_entry, &search, NULL);
    weir_node_close(node);
    /* "/" is the top of the tree, but an absolute path may also be one of this machine. */
    if (!is_local || strcmp(directory, "/") == 0) offer_directory(&search, directory);
    wr_free(directory);
}

static void find_commands(struct completer *completer, const char *typed, size_t length) {
    const char *names[64];
    size_t n = shell_command_names(names, 64);

    for (size_t i = 0; i < n; i++) {
        if (strncmp(names[i], typed, length) == 0)
            add(&completer->found, names[i], strlen(names[i]), " ");
    }
}

/* The start of the text after a single quote that is still open; NULL when none is. */
static const char *open_quote(const char *line, size_t cursor) {
    const char *open = NULL;
    for (size_t i = 0; i < cursor; i++) {
        if (line[i] == '\'') open = open == NULL ? line + i + 1 : NULL;
    }
    return open;
}

size_t completer_find(struct completer *completer, const char *line, size_t cursor,
                      char *const **ret_words, size_t *ret_typed) {
    const char *end = line + cursor, *word = end;
    const char *quoted = open_quote(line, cursor);

    clear(&completer->found);
    while (word > line && (isalnum((unsigned char)word[-1]) || (unsigned char)word[-1] >= 0x80 ||
                           word[-1] == '_' || word[-1] == '.'))
        word--;
    if (line[0] == '.' || line[0] == '\\') {
        const char *space = memchr(line, ' ', cursor);
        word = space == NULL ? line : end;
        while (space != NULL && word > space + 1 && word[-1] != ' ' && word[-1] != '\'')
            word--;
        if (space == NULL)
            find_commands(completer, line, cursor);
        else if (strncmp(line, ".mode ", 6) == 0) {
            const char *names[16];
            size_t n = output_format_list(names, 16);
            for (size_t i = 0; i < n; i++) {
                if (begins(names[i], word, (size_t)(end - word)))
                    add(&completer->found, names[i], strlen(names[i]), "");
            }
        } else if ((strncmp(line, "\\d", 2) == 0 || strncmp(line, ".schema", 7) == 0) &&
                   (!cli_is_local(completer->cli) ||
                    memchr(word, '/', (size_t)(end - word)) == NULL)) {
            find_names(completer, word, (size_t)(end - word));
        } else {
            find_paths(completer, word, (size_t)(end - word), "");
        }
    } else if (quoted != NULL) {
        word = quoted;
        /* A server's files are not known here, and this machine's are not there. */
        if (cli_is_local(completer->cli)) find_paths(completer, word, (size_t)(end - word), "'");
    } else {
        find_names(completer, word, (size_t)(end - word));
    }
    sort(&completer->found);
    *ret_words = completer->found.items;
    *ret_typed = (size_t)(end - word);
    return completer->found.n_items;
}
