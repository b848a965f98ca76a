/* SPDX-License-Identifier: Apache-2.0 */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nanoarrow/nanoarrow.h"

#include "conformance.h"

struct weir_workspace *workspace;
struct weir_session *session;
char directory[64];

int suite_open(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_workspace_options options = {.size = sizeof options, .threads = 4};
    strcpy(directory, "/tmp/weir-conformance-XXXXXX");
    if (mkdtemp(directory) == NULL) return -1;
    if (weir_workspace_open(&options, &workspace, &error) != WEIR_OK ||
        weir_session_open(workspace, NULL, &session, &error) != WEIR_OK ||
        weir_register_kind(workspace, &probe_kind, &error) != WEIR_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    run("LOAD '" EXTENSIONS "/abi_1.so'");
    return 0;
}

void empty_directory(void) {
    char *paths[] = {directory, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DP && entry->fts_level > 0)
            rmdir(entry->fts_accpath);
        else if (entry->fts_info != FTS_D && entry->fts_info != FTS_DP)
            unlink(entry->fts_accpath);
    }
    fts_close(walk);
}

int suite_close(void **state) {
    (void)state;
    weir_session_close(session);
    weir_workspace_close(workspace);
    empty_directory();
    return rmdir(directory);
}

/* Lines of cells of one batch of texts. */
static void print_batch(FILE *out, const struct ArrowSchema *schema,
                        const struct ArrowArray *batch) {
    struct ArrowArrayView view;
    struct ArrowError error;
    assert_int_equal(ArrowArrayViewInitFromSchema(&view, schema, &error), 0);
    assert_int_equal(ArrowArrayViewSetArray(&view, batch, &error), 0);
    for (int64_t row = 0; row < batch->length; row++) {
        for (int64_t column = 0; column < schema->n_children; column++) {
            const struct ArrowArrayView *cells = view.children[column];
            int64_t at = batch->offset + row;
            struct ArrowStringView cell = ArrowArrayViewIsNull(cells, at)
                                              ? ArrowCharView("NULL")
                                              : ArrowArrayViewGetStringUnsafe(cells, at);
            fprintf(out, "%s%.*s", column > 0 ? "|" : "", (int)cell.size_bytes, cell.data);
        }
        fputc('\n', out);
    }
    ArrowArrayViewReset(&view);
}

static char *stream_text(struct ArrowArrayStream *rows, const char *sql) {
    struct ArrowArrayStream text;
    struct ArrowSchema schema;
    struct weir_error error = {0};
    char *lines = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&lines, &length);
    if (weir_text(rows, &text, &error) != WEIR_OK) fail_msg("%s\n%s", sql, error.message);
    assert_int_equal(text.get_schema(&text, &schema), 0);
    while (true) {
        struct ArrowArray batch = {0};
        if (text.get_next(&text, &batch) != 0) fail_msg("%s\n%s", sql, text.get_last_error(&text));
        if (batch.release == NULL) break;
        print_batch(out, &schema, &batch);
        batch.release(&batch);
    }
    schema.release(&schema);
    text.release(&text);
    fclose(out);
    return lines;
}

static char *format_sql(const char *format, va_list args) {
    char *sql = NULL;
    assert_true(vasprintf(&sql, format, args) >= 0);
    return sql;
}

static char *ask_sql(const char *sql) {
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    if (weir_query(session, sql, &rows, NULL, &error) != WEIR_OK)
        fail_msg("%s\n%s (%s)", sql, error.message, error.sqlstate);
    return stream_text(&rows, sql);
}

char *ask(const char *sql, ...) {
    va_list args;
    va_start(args, sql);
    char *statement = format_sql(sql, args);
    va_end(args);
    char *text = ask_sql(statement);
    free(statement);
    return text;
}

void run(const char *sql, ...) {
    va_list args;
    va_start(args, sql);
    char *statement = format_sql(sql, args);
    va_end(args);
    free(ask_sql(statement));
    free(statement);
}

void expect_rows(const char *expected, const char *sql, ...) {
    va_list args;
    va_start(args, sql);
    char *statement = format_sql(sql, args);
    va_end(args);
    char *text = ask_sql(statement);
    if (strcmp(text, expected) != 0)
        fail_msg("%s\nexpected:\n%sgot:\n%s", statement, expected, text);
    free(text);
    free(statement);
}

void expect_number(int64_t expected, const char *sql, ...) {
    va_list args;
    va_start(args, sql);
    char *statement = format_sql(sql, args);
    va_end(args);
    char *text = ask_sql(statement);
    if (strtoll(text, NULL, 10) != expected)
        fail_msg("%s\nexpected %lld, got %s", statement, (long long)expected, text);
    free(text);
    free(statement);
}

struct weir_error expect_error(const char *sqlstate, const char *part, const char *sql, ...) {
    va_list args;
    va_start(args, sql);
    char *statement = format_sql(sql, args);
    va_end(args);
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    int64_t n_rows = 0;
    if (weir_query(session, statement, &rows, NULL, &error) == WEIR_OK &&
        drain(&rows, &n_rows, &error) == 0)
        fail_msg("%s\ngave %lld rows and no error", statement, (long long)n_rows);
    if (sqlstate != NULL && strcmp(error.sqlstate, sqlstate) != 0)
        fail_msg("%s\nexpected SQLSTATE %s, got %s: %s", statement, sqlstate, error.sqlstate,
                 error.message);
    if (part != NULL && strstr(error.message, part) == NULL)
        fail_msg("%s\nexpected \"%s\" in: %s", statement, part, error.message);
    free(statement);
    return error;
}

int drain(struct ArrowArrayStream *stream, int64_t *ret_rows, struct weir_error *ret_error) {
    int64_t n = 0;
    int code;
    while (true) {
        struct ArrowArray batch = {0};
        code = stream->get_next(stream, &batch);
        if (code != 0 || batch.release == NULL) break;
        n += batch.length;
        batch.release(&batch);
    }
    if (code != 0) assert_int_equal(weir_stream_error(stream, ret_error), WEIR_OK);
    stream->release(stream);
    *ret_rows = n;
    return code;
}

int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int64_t milliseconds) {
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

void wait_for(const _Atomic int64_t *value, int64_t least) {
    int64_t end = now_ms() + 10000;
    while (*value < least && now_ms() < end)
        sleep_ms(1);
    assert_true(*value >= least);
}
