/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kind of table of one's own: the numbers 0, 1, 2, ... as
 * CREATE TABLE t USING counter OPTIONS (rows 10).
 *
 *     cc own_kind.c -o own_kind $(pkg-config --cflags --libs weir)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir_extension.h>

enum { BATCH_ROWS = 4096 };

/* ---- The rows, as an Arrow stream of one int64 column, "n" ---- */

struct cursor {
    int64_t next, end;
    int n_columns; /* 0 for SELECT count(*): rows are counted, no column is read */
};

/* A batch and all that it points to, in one piece of memory. */
struct batch {
    struct ArrowArray column, *columns[1];
    const void *buffers[2];
    int64_t numbers[BATCH_ROWS];
};

static void release_static(struct ArrowSchema *schema) {
    schema->release = NULL;
}
static void release_column(struct ArrowArray *array) {
    array->release = NULL;
}
static void release_batch(struct ArrowArray *array) {
    free(array->private_data), array->release = NULL;
}

static void counter_schema(int n_columns, struct ArrowSchema *out) {
    static struct ArrowSchema column = {.format = "l", .name = "n", .release = release_static};
    static struct ArrowSchema *columns[] = {&column};
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = n_columns,
                                .children = columns,
                                .release = release_static};
}

static int cursor_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    return counter_schema(((struct cursor *)stream->private_data)->n_columns, out), 0;
}

static int cursor_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct cursor *cursor = stream->private_data;
    *out = (struct ArrowArray){0}; /* the end, unless filled below */
    if (cursor->next >= cursor->end) return 0;
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return ENOMEM;
    int64_t left = cursor->end - cursor->next, length = left < BATCH_ROWS ? left : BATCH_ROWS;
    for (int64_t row = 0; row < length; row++)
        batch->numbers[row] = cursor->next++;
    batch->buffers[1] = batch->numbers; /* buffers[0], the validity, stays NULL: no row is NULL */
    batch->columns[0] = &batch->column;
    batch->column = (struct ArrowArray){
        .length = length, .n_buffers = 2, .buffers = batch->buffers, .release = release_column};
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = 1,
                               .buffers = batch->buffers,
                               .n_children = cursor->n_columns,
                               .children = batch->columns,
                               .release = release_batch,
                               .private_data = batch};
    return 0;
}

static const char *cursor_error(struct ArrowArrayStream *stream) {
    return (void)stream, "out of memory";
}
static void cursor_release(struct ArrowArrayStream *stream) {
    free(stream->private_data), stream->release = NULL;
}

/* ---- The kind ---- */

static int out_of_memory(struct weir_error *error) {
    if (error)
        *error = (struct weir_error){
            .code = WEIR_INTERNAL, .sqlstate = "53200", .message = "out of memory"};
    return WEIR_INTERNAL;
}

static int counter_open(const struct weir_definition *definition, void **ret_table,
                        struct weir_error *error) {
    int64_t *rows = malloc(sizeof *rows);
    if (!rows) return out_of_memory(error);
    *rows = strtoll(definition->options[0].value, NULL, 10); /* checked against counter_options */
    *ret_table = rows;
    return WEIR_OK;
}

static void form_release(struct weir_form *form) {
    form->release = NULL;
}

static int counter_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table, (void)error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM, .release = form_release};
    return counter_schema(1, &ret_form->schema), WEIR_OK;
}

/* There is one partition: its stream takes over the scan's cursor. */
static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    (void)partition, (void)error;
    *ret_rows = (struct ArrowArrayStream){cursor_schema, cursor_next, cursor_error, cursor_release,
                                          scan->private_data};
    scan->private_data = NULL;
    return WEIR_OK;
}

static void scan_release(struct weir_scan *scan) {
    free(scan->private_data), scan->release = NULL;
}

static int counter_scan(void *table, const struct weir_scan_request *request,
                        struct weir_scan *ret_scan, struct weir_error *error) {
    struct cursor *cursor = malloc(sizeof *cursor);
    if (!cursor) return out_of_memory(error);
    int64_t rows = *(const int64_t *)table;
    *cursor =
        (struct cursor){.end = request->limit >= 0 && request->limit < rows ? request->limit : rows,
                        .n_columns = request->all_columns || request->n_columns > 0};
    *ret_scan = (struct weir_scan){
        .n_partitions = 1, .open = scan_open, .release = scan_release, .private_data = cursor};
    return WEIR_OK;
}

static const struct weir_option_spec counter_options[] = {
    {"rows", WEIR_OPTION_INTEGER, 1, "how many numbers"},
};

static const struct weir_table_kind counter = {
    .size = sizeof counter,
    .name = "counter",
    .summary = "the numbers from 0 on",
    .options = counter_options,
    .n_options = 1,
    .open = counter_open,
    .close = free,
    .form = counter_form,
    .scan = counter_scan,
};

/* ---- A program that uses it ---- */

int main(void) {
    struct weir_error error = {0};
    struct weir_workspace *workspace = NULL;
    struct weir_session *session = NULL;
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};

    int code = weir_workspace_open(NULL, &workspace, &error);
    if (code == WEIR_OK) code = weir_register_kind(workspace, &counter, &error);
    if (code == WEIR_OK) code = weir_session_open(workspace, NULL, &session, &error);
    if (code == WEIR_OK) {
        code = weir_query(session, "CREATE TABLE t USING counter OPTIONS (rows 100000)", &rows,
                          NULL, &error);
    }
    if (code == WEIR_OK) {
        rows.release(&rows);
        code = weir_query(session, "SELECT sum(n) FROM t WHERE n % 2 = 1", &rows, NULL, &error);
    }
    if (code == WEIR_OK) {
        if (rows.get_next(&rows, &batch)) {
            weir_stream_error(&rows, &error);
            code = error.code;
        } else {
            const struct ArrowArray *sum = batch.children[0];
            printf("the odd numbers below 100000 add up to %lld\n",
                   (long long)((const int64_t *)sum->buffers[1])[sum->offset]);
            batch.release(&batch);
        }
        rows.release(&rows);
    }
    if (code != WEIR_OK) fprintf(stderr, "%s (SQLSTATE %s)\n", error.message, error.sqlstate);
    weir_session_close(session);
    weir_workspace_close(workspace);
    return code == WEIR_OK ? 0 : 1;
}
