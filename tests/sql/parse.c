/* SPDX-License-Identifier: Apache-2.0 */
/* Reads sqllogictest files into records. */
#include <ctype.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "slt.h"

/* The label that skipif and onlyif are asked about, and the crate's name for its engine. */
static const char *const labels[] = {"Datafusion", "DataFusion"};

struct lines {
    char **text;
    size_t n, next;
};

struct parser {
    struct slt_script *script;
    enum slt_sort sort;
    size_t hash_threshold;
    bool halted;
    char *message;
};

static bool fail(struct parser *parser, const char *file, size_t line, const char *what) {
    parser->message = xprintf("%s:%zu: %s", file, line, what);
    return false;
}

static bool read_lines(const char *path, struct lines *ret_lines) {
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    struct lines lines = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, file)) >= 0) {
        if (length > 0 && line[length - 1] == '\n') line[--length] = '\0';
        if (length > 0 && line[length - 1] == '\r') line[--length] = '\0';
        lines.text = xrealloc(lines.text, (lines.n + 1) * sizeof *lines.text);
        lines.text[lines.n++] = xstrdup(line);
    }
    free(line);
    fclose(file);
    *ret_lines = lines;
    return true;
}

/* Splits at white space. */
static size_t split(const char *line, char ***ret_tokens) {
    char **tokens = NULL;
    size_t n = 0;
    while (true) {
        while (isspace((unsigned char)*line))
            line++;
        if (*line == '\0') break;
        size_t length = strcspn(line, " \t\r\n\v\f");
        tokens = xrealloc(tokens, (n + 1) * sizeof *tokens);
        tokens[n++] = xstrndup(line, length);
        line += length;
    }
    *ret_tokens = tokens;
    return n;
}

static char *join(char **parts, size_t n, const char *between) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i > 0 ? between : "", parts[i]);
    fclose(out);
    return text;
}

/* Up to an empty line, or one of "----", which says that results follow. */
static char *read_sql(struct lines *lines, bool *ret_has_results) {
    size_t start = lines->next++;
    size_t end = lines->next;
    *ret_has_results = false;
    while (lines->next < lines->n) {
        const char *line = lines->text[lines->next++];
        if (*line == '\0') break;
        if (strcmp(line, "----") == 0) {
            *ret_has_results = true;
            break;
        }
        end = lines->next;
    }
    return join(lines->text + start, end - start, "\n");
}

/* Up to two empty lines, without the white space around. */
static char *read_message(struct lines *lines) {
    size_t start = lines->next;
    size_t end = start;
    while (lines->next < lines->n) {
        const char *line = lines->text[lines->next++];
        bool last = lines->next >= lines->n || *lines->text[lines->next] == '\0';
        if (*line == '\0' && last) {
            lines->next++;
            break;
        }
        end = lines->next;
    }
    char *text = join(lines->text + start, end - start, "\n");
    while (isspace((unsigned char)*text))
        text++;
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

static bool parse_sort(const char *token, enum slt_sort *ret_sort) {
    static const char *const names[] = {"nosort", "rowsort", "valuesort"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(token, names[i]) == 0) {
            *ret_sort = (enum slt_sort)i;
            return true;
        }
    }
    return false;
}

/* The tokens after "statement" or "query". */
static bool parse_head(struct slt_record *record, char **tokens, size_t n) {
    if (n > 0 && strcmp(tokens[0], "error") == 0) {
        record->expect = SLT_ERROR;
        if (n > 1) record->pattern = join(tokens + 1, n - 1, " ");
        return true;
    }
    if (record->is_query) {
        record->expect = SLT_ROWS;
        record->types = n > 0 ? tokens[0] : "";
        if (n > 1) parse_sort(tokens[1], &record->sort);
        return true;
    }
    if (n == 1 && strcmp(tokens[0], "ok") == 0) {
        record->expect = SLT_OK;
        return true;
    }
    if (n == 2 && strcmp(tokens[0], "count") == 0) {
        char *end;
        record->expect = SLT_COUNT;
        record->count = strtoull(tokens[1], &end, 10);
        return *end == '\0';
    }
    return false;
}

static bool parse_record(struct parser *parser, const char *file, struct lines *lines,
                         char **tokens, size_t n, bool skipped) {
    struct slt_record record = {.file = file,
                                .line = (int)lines->next,
                                .is_query = strcmp(tokens[0], "query") == 0,
                                .sort = parser->sort,
                                .hash_threshold = parser->hash_threshold};
    if (!parse_head(&record, tokens + 1, n - 1))
        return fail(parser, file, lines->next, "not a statement or query that is understood");
    if (lines->next >= lines->n) return fail(parser, file, lines->next, "no SQL follows");
    bool has_results;
    record.sql = read_sql(lines, &has_results);
    if (has_results && record.expect == SLT_ERROR && record.pattern == NULL) {
        record.error_text = read_message(lines);
    } else if (has_results && record.expect == SLT_ROWS) {
        record.lines = lines->text + lines->next;
        while (lines->next < lines->n && *lines->text[lines->next++] != '\0')
            record.n_lines++;
    } else if (has_results) {
        return fail(parser, file, (size_t)record.line, "this record can have no results");
    }
    if (skipped) return true;
    struct slt_script *script = parser->script;
    script->records = xrealloc(script->records, (script->n_records + 1) * sizeof record);
    script->records[script->n_records++] = record;
    return true;
}

static bool has_label(const char *label) {
    return strcmp(label, labels[0]) == 0 || strcmp(label, labels[1]) == 0;
}

static bool parse_file(struct parser *parser, const char *path);

static bool parse_include(struct parser *parser, const char *file, size_t line,
                          const char *pattern) {
    char *copy = xstrdup(file);
    char *path = xprintf("%s/%s", dirname(copy), pattern);
    glob_t found;
    if (glob(path, 0, NULL, &found) != 0)
        return fail(parser, file, line, "no file matches the include");
    for (size_t i = 0; i < found.gl_pathc && !parser->halted; i++) {
        if (!parse_file(parser, xstrdup(found.gl_pathv[i]))) return false;
    }
    globfree(&found);
    return true;
}

static bool parse_file(struct parser *parser, const char *path) {
    struct lines lines;
    if (!read_lines(path, &lines)) return fail(parser, path, 0, "cannot be read");
    bool skipped = false;
    while (lines.next < lines.n && !parser->halted) {
        const char *line = lines.text[lines.next++];
        if (*line == '#') continue;
        char **tokens;
        size_t n = split(line, &tokens);
        if (n == 0) continue;
        const char *word = tokens[0];
        if (strcmp(word, "statement") == 0 || strcmp(word, "query") == 0) {
            if (!parse_record(parser, path, &lines, tokens, n, skipped)) return false;
            skipped = false;
        } else if (strcmp(word, "skipif") == 0 && n == 2) {
            skipped = skipped || has_label(tokens[1]);
        } else if (strcmp(word, "onlyif") == 0 && n == 2) {
            skipped = skipped || !has_label(tokens[1]);
        } else if (strcmp(word, "include") == 0 && n == 2) {
            if (!parse_include(parser, path, lines.next, tokens[1])) return false;
        } else if (strcmp(word, "hash-threshold") == 0 && n == 2) {
            parser->hash_threshold = strtoull(tokens[1], NULL, 10);
        } else if (strcmp(word, "control") == 0 && n == 3 && strcmp(tokens[1], "sortmode") == 0) {
            if (!parse_sort(tokens[2], &parser->sort))
                return fail(parser, path, lines.next, "no such sort mode");
        } else if (strcmp(word, "halt") == 0 && n == 1) {
            parser->halted = true;
        } else if (!(strcmp(word, "subtest") == 0 && n == 2)) {
            return fail(parser, path, lines.next, "not a record that is understood");
        }
    }
    return true;
}

bool slt_parse(const char *path, struct slt_script *ret_script, char **ret_message) {
    struct slt_script script = {0};
    struct parser parser = {.script = &script, .sort = SLT_NOSORT};
    if (!parse_file(&parser, path)) {
        *ret_message = parser.message;
        return false;
    }
    *ret_script = script;
    return true;
}
