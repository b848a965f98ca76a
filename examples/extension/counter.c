/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extension in C: the numbers 0, 1, 2, ... as a table.
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o counter.so counter.c
 *     weir sql "LOAD './counter.so'; SELECT sum(n) FROM counter(rows => 1000)"
 */
#include <errno.h>
#include <stdlib.h>
#include <weir_extension.h>

enum { BATCH_ROWS = 8192 };

/* ---- The rows: an Arrow stream of one int64 column, "n" ---- */
struct cursor {
    int64_t next, end;
    int n_columns; /* 0 for SELECT count(*): rows are counted, no column is read */
};
struct batch { /* and all that it points to */
    struct ArrowArray column, *columns[1];
    const void *buffers[2]; /* the validity, which stays NULL: no row is NULL; the values */
    int64_t numbers[BATCH_ROWS];
};

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}
static void release_array(struct ArrowArray *array) {
    free(array->private_data), array->release = NULL; /* of the column NULL */
}
static int cursor_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    static struct ArrowSchema n = {.format = "l", .name = "n", .release = release_schema};
    static struct ArrowSchema *columns[] = {&n};
    *out = (struct ArrowSchema){.format = "+s", .children = columns, .release = release_schema};
    out->n_children = ((struct cursor *)stream->private_data)->n_columns;
    return 0;
}
static int cursor_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct cursor *cursor = stream->private_data;
    int64_t left = cursor->end - cursor->next, length = left < BATCH_ROWS ? left : BATCH_ROWS;
    *out = (struct ArrowArray){0}; /* the end, unless filled below */
    if (left <= 0) return 0;
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return ENOMEM;
    for (int64_t row = 0; row < length; row++)
        batch->numbers[row] = cursor->next++;
    batch->buffers[1] = batch->numbers, batch->columns[0] = &batch->column;
    batch->column =
        (struct ArrowArray){length, 0, 0, 2, 0, batch->buffers, NULL, NULL, release_array, NULL};
    *out = batch->column;
    out->n_buffers = 1, out->n_children = cursor->n_columns, out->children = batch->columns;
    out->release = release_array, out->private_data = batch;
    return 0;
}
static const char *cursor_error(struct ArrowArrayStream *stream) {
    return (void)stream, "out of memory";
}
static void cursor_release(struct ArrowArrayStream *stream) {
    free(stream->private_data), stream->release = NULL;
}

static int out_of_memory(struct weir_error *error) {
    if (error) *error = (struct weir_error){WEIR_INTERNAL, 0, 0, "53200", "out of memory"};
    return WEIR_INTERNAL;
}
static int counter_open(const struct weir_definition *definition, void **ret_table,
                        struct weir_error *error) {
    struct cursor *table = calloc(1, sizeof *table);
    if (!table) return out_of_memory(error);
    table->end = strtoll(definition->options[0].value, NULL, 10); /* it was checked */
    table->n_columns = 1;
    *ret_table = table;
    return WEIR_OK;
}
static int counter_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct ArrowArrayStream rows = {.private_data = table};
    (void)error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM}; /* nothing is to be freed */
    return cursor_schema(&rows, &ret_form->schema);
}
static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    (void)partition, (void)error; /* there is one: its stream takes over the cursor */
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
    *cursor = *(const struct cursor *)table;
    cursor->n_columns = request->all_columns || request->n_columns > 0;
    *ret_scan = (struct weir_scan){1, scan_open, NULL, scan_release, cursor};
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {{"rows", WEIR_OPTION_INTEGER, 1, "how many"}};
static const struct weir_table_kind counter = {.size = sizeof counter,
                                               .name = "counter",
                                               .options = options,
                                               .n_options = 1,
                                               .open = counter_open,
                                               .close = free,
                                               .form = counter_form,
                                               .scan = counter_scan};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    ret_extension->size = sizeof *ret_extension;
    ret_extension->abi = WEIR_EXTENSION_ABI;
    ret_extension->name = "counter";
    ret_extension->version = "1.0";
    return host->register_kind(host->context, &counter, error);
}
