/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialect of a CSV text from its beginning.
 *
 * 1. Delimiter: of , ; tab and | the one whose rows agree best in their number of columns, quotes
 * respected; more columns win a tie.
 * 2. Quote: " unless no value begins with it and some are wholly enclosed in '.
 * 3. Header: some column holds only numbers, dates or truth values below a first cell that is none
 * of them; or, where no column tells, all cells of the first row are distinct texts.
 */
#include "table/files/files.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"

enum { MOST_ROWS = 2000, MOST_WIDTHS = 64, MOST_COMPARED = 1000 };

static const char delimiters[] = ",;\t|";

struct reader {
    const char *at;
    const char *end;
    bool complete; /* `end` is the end of the file too */
    char delimiter;
    char quote;
    char escape;
    char comment;
};

struct field {
    const char *text; /* without the quotes */
    size_t length;
    bool quoted;
    bool newline;  /* holds a line's end */
    bool enclosed; /* the closing quote is followed by a delimiter or a line's end */
    bool last;     /* of its row */
    bool cut;      /* the text ends within it */
};

static const char *skip_line(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? newline + 1 : end;
}

/* Moves to the next row, past blank lines and comments; false at the end. */
static bool next_row(struct reader *reader) {
    while (reader->at < reader->end) {
        if (*reader->at == '\n' || *reader->at == '\r') {
            reader->at++;
        } else if (reader->comment && *reader->at == reader->comment) {
            reader->at = skip_line(reader->at, reader->end);
        } else {
            return true;
        }
    }
    return false;
}

static void read_quoted(struct reader *reader, struct field *field) {
    const char *p = reader->at + 1;
    field->quoted = true;
    field->text = p;
    for (; p < reader->end; p++) {
        if (reader->escape && *p == reader->escape && p + 1 < reader->end) {
            p++;
        } else if (*p == reader->quote) {
            if (p + 1 < reader->end && p[1] == reader->quote) {
                p++;
                continue;
            }
            break;
        }
        if (*p == '\n') field->newline = true;
    }
    field->length = (size_t)((p < reader->end ? p : reader->end) - field->text);
    reader->at = p < reader->end ? p + 1 : reader->end;
    field->cut = p >= reader->end;
    field->enclosed =
        !field->cut && (reader->at == reader->end || *reader->at == reader->delimiter ||
                        *reader->at == '\n' || *reader->at == '\r');
}

static struct field read_field(struct reader *reader) {
    struct field field = {.text = reader->at};
    bool quoted = reader->at < reader->end && *reader->at == reader->quote;
    if (quoted) read_quoted(reader, &field);
    while (reader->at < reader->end && *reader->at != reader->delimiter && *reader->at != '\n' &&
           *reader->at != '\r')
        reader->at++;
    if (!quoted) field.length = (size_t)(reader->at - field.text);
    field.last = true;
    if (reader->at == reader->end) {
        field.cut = field.cut || !reader->complete;
    } else if (*reader->at == reader->delimiter) {
        reader->at++;
        field.last = false;
    } else {
        if (*reader->at == '\r' && reader->at + 1 < reader->end && reader->at[1] == '\n')
            reader->at++;
        reader->at++;
    }
    return field;
}

/* ---- Rows of one width ---- */

struct survey {
    size_t n_rows;
    size_t width; /* the commonest */
    size_t agree; /* rows that have it */
    bool first;   /* the first row has it */
    bool newlines;
    size_t n_quoted;
    size_t n_enclosed;
};

static struct survey survey_rows(struct reader reader) {
    struct {
        size_t width;
        size_t n_rows;
    } widths[MOST_WIDTHS];
    size_t n_widths = 0;
    size_t first_width = 0;
    struct survey survey = {0};
    while (survey.n_rows < MOST_ROWS && next_row(&reader)) {
        size_t width = 0;
        struct field field;
        do {
            field = read_field(&reader);
            width++;
            if (field.quoted) survey.n_quoted++;
            if (field.enclosed) survey.n_enclosed++;
            if (field.newline && field.enclosed) survey.newlines = true;
        } while (!field.last);
        if (field.cut && survey.n_rows > 0) break;
        survey.n_rows++;
        if (survey.n_rows == 1) first_width = width;
        size_t i = 0;
        while (i < n_widths && widths[i].width != width)
            i++;
        if (i == MOST_WIDTHS) continue;
        if (i == n_widths) {
            widths[n_widths].width = width;
            widths[n_widths++].n_rows = 0;
        }
        if (++widths[i].n_rows > survey.agree) {
            survey.agree = widths[i].n_rows;
            survey.width = width;
        }
    }
    survey.first = first_width == survey.width;
    return survey;
}

/* Whether a explains the text better than b. */
static bool is_better(const struct survey *a, const struct survey *b) {
    if ((a->width > 1) != (b->width > 1)) return a->width > 1;
    if (a->first != b->first) return a->first;
    /* The shares of rows that agree, without division. */
    size_t share_a = a->agree * (b->n_rows ? b->n_rows : 1);
    size_t share_b = b->agree * (a->n_rows ? a->n_rows : 1);
    return share_a != share_b ? share_a > share_b : a->width > b->width;
}

static struct survey best_delimiter(struct reader *reader, char given) {
    struct survey best = {0};
    char delimiter = given ? given : delimiters[0];
    for (const char *candidate = delimiters; given ? candidate == delimiters : *candidate;
         candidate++) {
        reader->delimiter = given ? given : *candidate;
        struct survey survey = survey_rows(*reader);
        if (candidate == delimiters || is_better(&survey, &best)) {
            best = survey;
            delimiter = reader->delimiter;
        }
    }
    reader->delimiter = delimiter;
    return best;
}

/* ---- Header ---- */

static bool is_digits(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
    }
    return length > 0;
}

static size_t count_digits(const char *text, size_t length) {
    size_t n = 0;
    while (n < length && text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

static bool is_number(const char *text, size_t length) {
    if (length > 0 && (*text == '-' || *text == '+')) text++, length--;
    size_t whole = count_digits(text, length);
    text += whole, length -= whole;
    size_t fraction = 0;
    if (length > 0 && *text == '.') {
        fraction = count_digits(text + 1, length - 1);
        text += fraction + 1, length -= fraction + 1;
    }
    if (whole + fraction == 0) return false;
    if (length > 1 && (*text == 'e' || *text == 'E')) {
        text++, length--;
        if (*text == '-' || *text == '+') text++, length--;
        return is_digits(text, length);
    }
    return length == 0;
}

/* "2024-05-01", and what may follow it; "12:30:00". */
static bool is_time(const char *text, size_t length) {
    if (length >= 10 && is_digits(text, 4) && text[4] == '-' && is_digits(text + 5, 2) &&
        text[7] == '-' && is_digits(text + 8, 2))
        return length == 10 || text[10] == ' ' || text[10] == 'T';
    return length >= 5 && is_digits(text, 2) && text[2] == ':' && is_digits(text + 3, 2) &&
           (length == 5 || text[5] == ':');
}

static bool is_word(const struct field *field, const char *const *words) {
    for (; *words; words++) {
        if (strlen(*words) == field->length && strncasecmp(*words, field->text, field->length) == 0)
            return true;
    }
    return false;
}

static bool is_typed(const struct field *field) {
    static const char *const truth[] = {"true", "false", NULL};
    return is_number(field->text, field->length) || is_time(field->text, field->length) ||
           is_word(field, truth);
}

static bool is_missing(const struct field *field) {
    static const char *const missing[] = {"",    "na", "n/a", "null", "nan", "none",
                                          "nil", "-",  "?",   "\\n",  NULL};
    return is_word(field, missing);
}

struct column {
    struct field first;
    bool values; /* some were seen below */
    bool typed;  /* all of them were */
};

/* Every cell of the first row has a text of its own, that is no value of another type. */
static bool are_names(const struct column *columns, size_t n_columns) {
    for (size_t i = 0; i < n_columns; i++) {
        const struct field *cell = &columns[i].first;
        if (is_missing(cell) || is_typed(cell)) return false;
        for (size_t j = 0; j < i && i < MOST_COMPARED; j++) {
            const struct field *other = &columns[j].first;
            if (cell->length == other->length && memcmp(cell->text, other->text, cell->length) == 0)
                return false;
        }
    }
    return true;
}

/* 0 or 1; -1 when there is no memory. */
static int find_header(struct reader reader) {
    struct reader counter = reader;
    if (!next_row(&counter)) return 1;
    size_t n_columns = 1;
    while (!read_field(&counter).last)
        n_columns++;
    struct column *columns = wr_calloc(n_columns, sizeof *columns);
    if (!columns) return -1;
    for (size_t n_rows = 0; n_rows < MOST_ROWS && next_row(&reader); n_rows++) {
        struct field field = {0};
        for (size_t i = 0; !field.last; i++) {
            field = read_field(&reader);
            if (i >= n_columns) continue;
            struct column *column = &columns[i];
            if (n_rows == 0) {
                column->first = field;
                column->typed = true;
            } else if (!is_missing(&field) && !field.cut) {
                column->values = true;
                column->typed = column->typed && is_typed(&field);
            }
        }
    }
    bool header = false;
    for (size_t i = 0; i < n_columns && !header; i++) {
        const struct column *column = &columns[i];
        header = column->values && column->typed && !is_missing(&column->first) &&
                 !is_typed(&column->first);
    }
    /* Nothing tells a row of names from a row of texts; that files have names in their first row is
     * the usual case. */
    header = header || are_names(columns, n_columns);
    wr_free(columns);
    return header;
}

bool wr_csv_sniff(const char *data, size_t length, bool complete, struct wr_csv_dialect *dialect) {
    struct reader reader = {data, data + length,   complete,        0,
                            '"',  dialect->escape, dialect->comment};
    if (length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) reader.at += 3;
    if (dialect->quote) reader.quote = dialect->quote;
    struct survey survey = best_delimiter(&reader, dialect->delimiter);
    if (!dialect->quote && survey.n_quoted == 0) {
        struct reader single = reader;
        single.quote = '\'';
        struct survey with_single = best_delimiter(&single, dialect->delimiter);
        if (with_single.n_quoted > 0 && with_single.n_enclosed == with_single.n_quoted) {
            reader = single;
            survey = with_single;
        }
    }
    if (dialect->header < 0) {
        int header = find_header(reader);
        if (header < 0) return false;
        dialect->header = header;
    }
    dialect->delimiter = reader.delimiter;
    dialect->quote = reader.quote;
    dialect->newlines = survey.newlines;
    /* Nine rows of ten: prose with its commas does not get there. */
    dialect->steady = survey.width > 1 && survey.agree * 10 >= survey.n_rows * 9;
    return true;
}

void wr_csv_first_row(const char *data, size_t length, const struct wr_csv_dialect *dialect,
                      struct wr_buffer *row) {
    struct reader reader = {data,
                            data + length,
                            true,
                            dialect->delimiter,
                            dialect->quote,
                            dialect->escape,
                            dialect->comment};
    if (length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) reader.at += 3;
    if (!next_row(&reader)) return;
    struct field field;
    do {
        field = read_field(&reader);
        wr_buffer_add(row, field.text, field.length);
        wr_buffer_char(row, '\x1F');
    } while (!field.last);
}
