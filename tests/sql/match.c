/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a result with what a record expects, as df_value_validator of the crate and its runner
 * do. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "slt.h"

static const char ignore_marker[] = "<slt:ignore>";

static bool pattern_matches(const char *pattern, const char *text, FILE *report) {
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &code, &offset, NULL);
    if (compiled == NULL) {
        fprintf(report, "  bad pattern at %zu: %s\n", (size_t)offset, pattern);
        return false;
    }
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(compiled, NULL);
    int found = pcre2_match(compiled, (PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, 0, data, NULL);
    pcre2_match_data_free(data);
    pcre2_code_free(compiled);
    return found >= 0;
}

static bool match_error(const struct slt_record *record, const struct slt_result *result,
                        FILE *report) {
    const char *expected = record->pattern != NULL ? record->pattern : record->error_text;
    if (result->error == NULL) {
        fprintf(report, "  expected an error: %s\n  got none\n",
                expected != NULL ? expected : "any");
        return false;
    }
    bool same = true;
    size_t length = record->pattern != NULL ? strlen(record->pattern) : 0;
    if (length == 7 && record->pattern[0] == '(' && record->pattern[6] == ')' &&
        strspn(record->pattern + 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5) {
        same = strncmp(record->pattern + 1, result->sqlstate, 5) == 0;
    } else if (record->pattern != NULL) {
        same = pattern_matches(record->pattern, result->error, report);
    } else if (record->error_text != NULL) {
        size_t end = strlen(result->error);
        while (end > 0 && isspace((unsigned char)result->error[end - 1]))
            end--;
        same = strlen(record->error_text) == end &&
               strncmp(record->error_text, result->error, end) == 0;
    }
    if (!same)
        fprintf(report, "  expected the error: %s\n  got: %s (%s)\n", expected, result->error,
                result->sqlstate);
    return same;
}

static int compare_rows(const void *a, const void *b) {
    const struct slt_row *left = a, *right = b;
    for (size_t i = 0; i < left->n_cells && i < right->n_cells; i++) {
        int order = strcmp(left->cells[i], right->cells[i]);
        if (order != 0) return order;
    }
    return (left->n_cells > right->n_cells) - (left->n_cells < right->n_cells);
}

static void split_values(struct slt_result *result) {
    struct slt_row *values = NULL;
    size_t n = 0;
    for (size_t r = 0; r < result->n_rows; r++) {
        for (size_t c = 0; c < result->rows[r].n_cells; c++) {
            values = xrealloc(values, (n + 1) * sizeof *values);
            values[n++] = (struct slt_row){.cells = &result->rows[r].cells[c], .n_cells = 1};
        }
    }
    result->rows = values;
    result->n_rows = n;
}

static void hash_rows(struct slt_result *result) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t r = 0; r < result->n_rows; r++) {
        for (size_t c = 0; c < result->rows[r].n_cells; c++)
            fprintf(out, "%s\n", result->rows[r].cells[c]);
    }
    fclose(out);
    char hex[33];
    slt_md5(text, length, hex);
    free(text);
    char **cells = xmalloc(sizeof *cells);
    cells[0] = xprintf("%zu values hashing to %s", result->n_rows * result->rows[0].n_cells, hex);
    result->rows[0] = (struct slt_row){.cells = cells, .n_cells = 1};
    result->n_rows = 1;
}

static void trim_end(char *line) {
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
}

static char *row_text(const struct slt_row *row) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < row->n_cells; i++)
        fprintf(out, "%s%s", i > 0 ? " " : "", row->cells[i]);
    fclose(out);
    trim_end(text);
    return text;
}

static char *join(char **lines, size_t n) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i > 0 ? "\n" : "", lines[i]);
    fclose(out);
    return text;
}

/* The pieces between markers must follow one another; the first must begin the text. */
static bool pieces_match(const char *expected, const char *actual) {
    for (bool first = true; expected != NULL; first = false) {
        const char *end = strstr(expected, ignore_marker);
        char *piece =
            end != NULL ? xstrndup(expected, (size_t)(end - expected)) : xstrdup(expected);
        const char *found = strstr(actual, piece);
        if (found == NULL || (first && *piece != '\0' && found != actual)) return false;
        actual = found + strlen(piece);
        expected = end != NULL ? end + strlen(ignore_marker) : NULL;
    }
    return true;
}

static bool match_rows(const struct slt_record *record, struct slt_result *result, FILE *report) {
    if (result->types != NULL && strcmp(result->types, record->types) != 0) {
        fprintf(report, "  expected the types: %s\n  got: %s\n", record->types, result->types);
        return false;
    }
    size_t n_values = result->n_rows * (result->types != NULL ? strlen(result->types) : 0);
    if (record->sort == SLT_VALUESORT) {
        split_values(result);
        n_values = result->n_rows;
    }
    if (record->sort != SLT_NOSORT && result->n_rows > 0)
        qsort(result->rows, result->n_rows, sizeof *result->rows, compare_rows);
    if (record->hash_threshold > 0 && n_values > record->hash_threshold) hash_rows(result);

    char **actual = xmalloc(result->n_rows * sizeof *actual);
    for (size_t i = 0; i < result->n_rows; i++)
        actual[i] = row_text(&result->rows[i]);
    for (size_t i = 0; i < record->n_lines; i++)
        trim_end(record->lines[i]);
    char *expected_text = join(record->lines, record->n_lines);
    char *actual_text = join(actual, result->n_rows);
    bool same;
    if (strstr(expected_text, ignore_marker) != NULL) {
        same = pieces_match(expected_text, actual_text);
    } else {
        same = record->n_lines == result->n_rows;
        for (size_t i = 0; same && i < result->n_rows; i++)
            same = strcmp(record->lines[i], actual[i]) == 0;
    }
    if (!same) fprintf(report, "  expected:\n%s\n  got:\n%s\n", expected_text, actual_text);
    return same;
}

bool slt_match(const struct slt_record *record, struct slt_result *result, FILE *report) {
    if (record->expect == SLT_ERROR) return match_error(record, result, report);
    if (result->error != NULL) {
        fprintf(report, "  failed: %s (%s)\n", result->error, result->sqlstate);
        return false;
    }
    if (record->expect == SLT_ROWS) return match_rows(record, result, report);
    if (record->expect == SLT_COUNT && result->n_rows != record->count) {
        fprintf(report, "  expected %llu rows, got %zu\n", (unsigned long long)record->count,
                result->n_rows);
        return false;
    }
    return true;
}
