/* SPDX-License-Identifier: Apache-2.0 */
/* Which records of the published files cannot be run here, and why. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "slt.h"

const char *const slt_rule_reasons[SLT_N_RULES] = {
    [SLT_RUN] = "",
    [SLT_EXPLAIN] = "compares the text of a plan",
    [SLT_OUTSIDE] = "reads data that is not in the crate",
};

/* Tables, prepared statements and paths that would have other rows if all data were there, and
 * whether they exist at all. */
static char **absent;
static bool *missing;
static size_t n_absent;

/* Those that the crate's test program makes itself from such data. */
static const char *const absent_from_the_start[] = {"alltypes_plain_multi_files"};

static char *lower(char *text) {
    for (char *p = text; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return text;
}

static size_t absent_index(const char *name) {
    size_t i = 0;
    while (i < n_absent && strcmp(absent[i], name) != 0)
        i++;
    return i;
}

static void add_absent(char *name, bool is_missing) {
    if (absent_index(name) < n_absent) return;
    absent = xrealloc(absent, (n_absent + 1) * sizeof *absent);
    missing = xrealloc(missing, (n_absent + 1) * sizeof *missing);
    missing[n_absent] = is_missing;
    absent[n_absent++] = name;
}

static void remove_absent(const char *name) {
    size_t i = absent_index(name);
    if (i >= n_absent) return;
    n_absent--;
    absent[i] = absent[n_absent];
    missing[i] = missing[n_absent];
}

/* The next word (lower case; of a dotted or quoted name its last part), or text in single quotes
 * with its first quote. */
static char *next_token(const char **sql) {
    const char *p = *sql;
    while (true) {
        if (strncmp(p, "--", 2) == 0)
            p += strcspn(p, "\n");
        else if (*p != '\0' && *p != '\'' && !isalnum((unsigned char)*p) && *p != '_')
            p++;
        else
            break;
    }
    if (*p == '\0') return NULL;
    char *token;
    if (*p == '\'') {
        size_t length = 1 + strcspn(p + 1, "'");
        token = xstrndup(p, length);
        p += length + (p[length] == '\'');
    } else {
        const char *start = p;
        while (isalnum((unsigned char)*p) || *p == '_')
            p++;
        token = lower(xstrndup(start, (size_t)(p - start)));
    }
    *sql = p;
    return token;
}

static bool is_missing_path(const char *token) {
    struct stat status;
    return strncmp(token, "'../", 4) == 0 && stat(token + 1, &status) != 0;
}

static bool names_absent(const char *sql) {
    char *token;
    while ((token = next_token(&sql)) != NULL) {
        if (is_missing_path(token)) return true;
        if (*token != '\'' && absent_index(token) < n_absent) return true;
        for (size_t i = 0; *token == '\'' && i < n_absent; i++) {
            if (strcmp(token + 1, absent[i]) == 0) return true;
            if (*absent[i] == '\'' && strncmp(token, absent[i], strlen(absent[i])) == 0)
                return true;
        }
    }
    return false;
}

/* What the statement makes: a table, the target of an INSERT or COPY, a prepared statement. NULL:
 * nothing. */
static char *name_made(const char *sql, bool *ret_drops, bool *ret_inserts) {
    char *verb = next_token(&sql);
    *ret_inserts = verb != NULL && strcmp(verb, "insert") == 0;
    *ret_drops = verb != NULL && (strcmp(verb, "drop") == 0 || strcmp(verb, "deallocate") == 0);
    if (verb == NULL) return NULL;
    char *token;
    if (strcmp(verb, "prepare") == 0 || strcmp(verb, "deallocate") == 0) return next_token(&sql);
    if (strcmp(verb, "copy") == 0) {
        while ((token = next_token(&sql)) != NULL && strcmp(token, "to") != 0)
            continue;
        return next_token(&sql);
    }
    bool creates = strcmp(verb, "create") == 0 || strcmp(verb, "select") == 0 || *ret_drops;
    if (!creates && !*ret_inserts) return NULL;
    while ((token = next_token(&sql)) != NULL) {
        if (strcmp(token, "table") == 0 || strcmp(token, "view") == 0 || strcmp(token, "into") == 0)
            break;
    }
    char *name = next_token(&sql);
    while (name != NULL &&
           (strcmp(name, "if") == 0 || strcmp(name, "not") == 0 || strcmp(name, "exists") == 0))
        name = next_token(&sql);
    /* catalog.schema.name: the last part names it. */
    while (name != NULL && (*sql == '.' || (*sql == '"' && sql[1] == '.')))
        name = next_token(&sql);
    return name;
}

enum slt_rule slt_rule_of(const struct slt_record *record) {
    const char *sql = record->sql;
    char *first = next_token(&sql);
    for (size_t i = 0; i < sizeof absent_from_the_start / sizeof(char *); i++)
        add_absent(xstrdup(absent_from_the_start[i]), true);
    if (first != NULL && strcmp(first, "explain") == 0 && record->expect == SLT_ROWS)
        return SLT_EXPLAIN;
    bool drops, inserts;
    char *name = name_made(record->sql, &drops, &inserts);
    bool outside = names_absent(record->sql);
    size_t i = name != NULL ? absent_index(name) : n_absent;
    if (drops && i < n_absent && !missing[i]) outside = false;
    if (name != NULL && (drops || (!outside && !inserts))) remove_absent(name);
    if (name != NULL && outside && !drops) add_absent(name, !inserts);
    return outside ? SLT_OUTSIDE : SLT_RUN;
}

bool slt_list_read(const char *path, struct slt_list *ret_list) {
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    struct slt_list list = {0};
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        char *between = strstr(line, ": ");
        if (*line == '#' || between == NULL) continue;
        list.keys = xrealloc(list.keys, (list.n + 1) * sizeof(char *));
        list.reasons = xrealloc(list.reasons, (list.n + 1) * sizeof(char *));
        list.keys[list.n] = xstrndup(line, (size_t)(between - line));
        list.reasons[list.n++] = xstrdup(between + 2);
    }
    free(line);
    fclose(file);
    *ret_list = list;
    return true;
}

const char *slt_list_reason(const struct slt_list *list, const char *key) {
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->keys[i], key) == 0) return list->reasons[i];
    }
    return NULL;
}
