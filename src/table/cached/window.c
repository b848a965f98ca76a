/* SPDX-License-Identifier: Apache-2.0 */
/* Mode window: the rows of the last part by time. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/cached/work.h"

/* The type of the time column in SQL, or an error that says which ones do. */
static int time_type(struct wr_work *work, const struct ArrowSchema *schema, struct wr_buffer *type,
                     struct weir_error *error) {
    static const struct {
        char letter;
        const char *name;
    } units[] = {{'s', "Second"}, {'m', "Millisecond"}, {'u', "Microsecond"}, {'n', "Nanosecond"}};
    const char *format = NULL;
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (strcmp(schema->children[i]->name, work->cache->time_column) == 0)
            format = schema->children[i]->format;
    }
    if (!format) {
        return wr_error_set(error, WEIR_NOT_FOUND, "42703", "\"%s\" has no column \"%s\"",
                            work->cache->source_name, work->cache->time_column);
    }
    if (strcmp(format, "tdD") == 0) {
        wr_buffer_text(type, "Date32");
        return WEIR_OK;
    }
    for (size_t i = 0; strncmp(format, "ts", 2) == 0 && i < 4; i++) {
        if (format[2] != units[i].letter) continue;
        wr_buffer_format(type, "Timestamp(%s, ", units[i].name);
        if (format[4])
            wr_buffer_format(type, "Some(\"%s\"))", format + 4);
        else
            wr_buffer_text(type, "None)");
        return WEIR_OK;
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42804",
                        "the time column \"%s\" of \"%s\" has Arrow format \"%s\"; mode window "
                        "needs a timestamp or a date",
                        work->cache->time_column, work->cache->source_name, format);
}

/* A moment as an expression of that type, and for people. */
static int moment(int64_t at, const char *type, char **ret_sql, char **ret_text,
                  struct weir_error *error) {
    char text[64];
    struct tm parts;
    /* Before 1970 the fraction still counts forwards. */
    int64_t fraction = (at % 1000000 + 1000000) % 1000000;
    time_t seconds = (time_t)((at - fraction) / 1000000);
    bool date = strcmp(type, "Date32") == 0;
    bool zoned = strstr(type, "Some(") != NULL;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(text, sizeof text, date ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S", &parts);
    if (!date)
        snprintf(text + length, sizeof text - length, ".%06d%s", (int)fraction, zoned ? "Z" : "");
    struct wr_buffer sql;
    wr_buffer_init(&sql, WR_MAX_SQL);
    wr_buffer_text(&sql, "arrow_cast(");
    wr_buffer_literal(&sql, text);
    wr_buffer_text(&sql, ", ");
    wr_buffer_literal(&sql, type);
    wr_buffer_char(&sql, ')');
    *ret_text = wr_strdup(text);
    WR_TRY(wr_work_sql(&sql, ret_sql, error));
    return *ret_text ? WEIR_OK : wr_error_memory(error);
}

/* The bounds: up to now, as far as the window reaches back. */
static int find_bounds(struct wr_work *work, struct weir_error *error) {
    struct wr_buffer text;
    struct wr_fetched fetched = {0};
    char *sql = NULL;
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_format(&text, "SELECT * FROM %s", work->cache->source);
    WR_TRY(wr_work_sql(&text, &sql, error));
    struct wr_cached_query query = wr_work_query(work, sql);
    struct wr_caches_engine *engine = &work->caches->engine;
    int code = engine->fetch(engine->context, work->flight, &query, NULL, NULL, &fetched, error);
    wr_free(sql);
    wr_buffer_init(&text, 256);
    if (code == WEIR_OK) code = time_type(work, &fetched.schema, &text, error);
    wr_arrow_release_schema(&fetched.schema);
    if (code == WEIR_OK && text.failed) code = wr_error_memory(error);
    struct wr_copy *copy = &work->new;
    int64_t end = copy->started_at;
    int64_t start = end - work->cache->policy.window;
    if (code == WEIR_OK) code = moment(start, text.data, &copy->start, &copy->start_text, error);
    if (code == WEIR_OK) code = moment(end, text.data, &copy->end, &copy->end_text, error);
    wr_buffer_reset(&text);
    return code;
}

int wr_work_window(struct wr_work *work, struct weir_error *error) {
    struct wr_buffer text;
    char *sql = NULL;
    WR_TRY(find_bounds(work, error));
    wr_buffer_init(&text, WR_MAX_SQL);
    wr_buffer_format(&text, "SELECT * FROM %s WHERE ", work->cache->source);
    wr_buffer_identifier(&text, work->cache->time_column);
    wr_buffer_format(&text, " >= %s AND ", work->new.start);
    wr_buffer_identifier(&text, work->cache->time_column);
    wr_buffer_format(&text, " < %s", work->new.end);
    WR_TRY(wr_work_sql(&text, &sql, error));
    int code = wr_work_fetch(work, sql, error);
    wr_free(sql);
    return code;
}
