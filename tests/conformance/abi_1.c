/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extension as it was compiled against the first interface of extensions, on frozen copies of
 * the headers alone: it must be loaded and work for ever. Do not touch it when the headers grow.
 *
 * Table kinds: abi1_rows (STREAM: the rows of conformance.h), abi1_files, abi1_query, abi1_remote,
 * abi1_union, found ones (abi1_found_...), abi1_later. A kind of mount: abi1_mount.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi_1.h"

enum { BATCH_ROWS = 64, N_COLUMNS = 5 };

static struct weir_host host; /* of the last workspace that loaded it */

static int fail(struct weir_error *error, int code, const char *message) {
    if (error) {
        *error = (struct weir_error){.code = code, .vendor_code = 11, .sqlstate = "XX000"};
        snprintf(error->message, sizeof error->message, "%s", message);
    }
    return code;
}

static const char *option(const struct weir_option *options, size_t n_options, const char *key) {
    for (size_t i = 0; i < n_options; i++) {
        if (strcmp(options[i].key, key) == 0) return options[i].value;
    }
    return NULL;
}

static int64_t number(const struct weir_definition *definition, const char *key, int64_t fallback) {
    const char *text = option(definition->options, definition->n_options, key);
    return text ? strtoll(text, NULL, 10) : fallback;
}

/* ---- Schemas ---- */

static void schema_release(struct ArrowSchema *schema) {
    schema->release = NULL;
}

#define COLUMN(format_, name_)                                                                     \
    {.format = format_, .name = name_, .flags = 2, .release = schema_release}

static struct ArrowSchema columns[N_COLUMNS] = {COLUMN("l", "id"), COLUMN("i", "grp"),
                                                COLUMN("u", "name"), COLUMN("g", "value"),
                                                COLUMN("b", "flag")};
static struct ArrowSchema *column_pointers[N_COLUMNS] = {&columns[0], &columns[1], &columns[2],
                                                         &columns[3], &columns[4]};

static struct ArrowSchema schema_of(struct ArrowSchema **children, int64_t n_children) {
    return (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = n_children,
                                .children = children,
                                .release = schema_release};
}

/* ---- Rows ---- */

struct cursor {
    int64_t next, end;
    int32_t columns[N_COLUMNS];
    size_t n_columns;
    struct ArrowSchema *schemas[N_COLUMNS];
};

struct batch {
    struct ArrowArray arrays[N_COLUMNS], *children[N_COLUMNS];
    const void *buffers[N_COLUMNS][3], *none[1];
    int64_t id[BATCH_ROWS];
    int32_t grp[BATCH_ROWS], offsets[BATCH_ROWS + 1];
    double value[BATCH_ROWS];
    uint8_t flag[BATCH_ROWS / 8], named[BATCH_ROWS / 8];
    char names[BATCH_ROWS * 24];
};

static void column_release(struct ArrowArray *array) {
    array->release = NULL;
}

static void batch_release(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

static void fill_row(struct batch *batch, int64_t row, int64_t i) {
    bool is_named = i % 5 != 4;
    batch->id[row] = i;
    batch->grp[row] = (int32_t)(i % 7);
    batch->value[row] = (double)i / 2.0;
    if (i % 2 == 0) batch->flag[row / 8] |= (uint8_t)(1 << row % 8);
    if (is_named) batch->named[row / 8] |= (uint8_t)(1 << row % 8);
    int length = is_named ? sprintf(batch->names + batch->offsets[row], "n%lld", (long long)i) : 0;
    batch->offsets[row + 1] = batch->offsets[row] + length;
}

static void set_column(struct batch *batch, int32_t column, int64_t length) {
    const void *data[N_COLUMNS] = {batch->id, batch->grp, batch->offsets, batch->value,
                                   batch->flag};
    batch->buffers[column][0] = column == 2 ? batch->named : NULL;
    batch->buffers[column][1] = data[column];
    batch->buffers[column][2] = batch->names;
    batch->arrays[column] = (struct ArrowArray){.length = length,
                                                .null_count = column == 2 ? -1 : 0,
                                                .n_buffers = column == 2 ? 3 : 2,
                                                .buffers = batch->buffers[column],
                                                .release = column_release};
}

static int cursor_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct cursor *cursor = stream->private_data;
    for (size_t i = 0; i < cursor->n_columns; i++)
        cursor->schemas[i] = &columns[cursor->columns[i]];
    *out = schema_of(cursor->schemas, (int64_t)cursor->n_columns);
    return 0;
}

static int cursor_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct cursor *cursor = stream->private_data;
    int64_t left = cursor->end - cursor->next, length = left < BATCH_ROWS ? left : BATCH_ROWS;
    *out = (struct ArrowArray){0};
    if (length <= 0) return 0;
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch) return ENOMEM;
    for (int64_t row = 0; row < length; row++)
        fill_row(batch, row, cursor->next++);
    for (size_t i = 0; i < cursor->n_columns; i++) {
        set_column(batch, cursor->columns[i], length);
        batch->children[i] = &batch->arrays[cursor->columns[i]];
    }
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = 1,
                               .n_children = (int64_t)cursor->n_columns,
                               .buffers = batch->none,
                               .children = batch->children,
                               .release = batch_release,
                               .private_data = batch};
    return 0;
}

static const char *cursor_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "out of memory";
}

static void cursor_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

/* Of all columns. */
static int open_rows(int64_t first, int64_t end, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor) return fail(error, WEIR_INTERNAL, "out of memory");
    cursor->next = first;
    cursor->end = end;
    cursor->n_columns = N_COLUMNS;
    for (int32_t i = 0; i < N_COLUMNS; i++)
        cursor->columns[i] = i;
    *ret_rows =
        (struct ArrowArrayStream){cursor_schema, cursor_next, cursor_error, cursor_release, cursor};
    return WEIR_OK;
}

/* ---- abi1_rows, STREAM ---- */

struct table {
    int64_t rows, partitions;
    char text[512]; /* of the other kinds: a path, a query */
    struct weir_file file;
    struct weir_form parts[2], *part_pointers[2];
};

static int table_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    struct table *table = calloc(1, sizeof *table);
    if (!table) return fail(error, WEIR_INTERNAL, "out of memory");
    const char *text = option(definition->options, definition->n_options, "text");
    table->rows = number(definition, "rows", 3);
    table->partitions = number(definition, "partitions", 1);
    snprintf(table->text, sizeof table->text, "%s", text ? text : "");
    *ret_table = table;
    return WEIR_OK;
}

static int rows_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table, (void)error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM,
                                   .schema = schema_of(column_pointers, N_COLUMNS)};
    return WEIR_OK;
}

static int rows_statistics(void *table, struct weir_statistics *ret_statistics,
                           struct weir_error *error) {
    (void)error;
    *ret_statistics = (struct weir_statistics){.size = sizeof *ret_statistics,
                                               .n_rows = ((struct table *)table)->rows,
                                               .n_bytes = -1,
                                               .exact = 1};
    return WEIR_OK;
}

static int rows_version(void *table, char ret_version[WEIR_VERSION_SIZE],
                        struct weir_error *error) {
    (void)error;
    snprintf(ret_version, WEIR_VERSION_SIZE, "abi1-%lld", (long long)((struct table *)table)->rows);
    return WEIR_OK;
}

struct scan {
    struct table table;
    struct weir_scan_request request;
    int32_t columns[N_COLUMNS];
};

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    const struct scan *planned = scan->private_data;
    int64_t rows = planned->table.rows, n = planned->table.partitions;
    struct ArrowArrayStream stream = {0};
    int code = open_rows(rows * partition / n, rows * (partition + 1) / n, &stream, error);
    if (code) return code;
    struct cursor *cursor = stream.private_data;
    if (!planned->request.all_columns) {
        cursor->n_columns = planned->request.n_columns;
        memcpy(cursor->columns, planned->columns, sizeof cursor->columns);
    }
    *ret_rows = stream;
    return WEIR_OK;
}

static void scan_release(struct weir_scan *scan) {
    free(scan->private_data);
    scan->release = NULL;
}

static int rows_scan(void *table, const struct weir_scan_request *request,
                     struct weir_scan *ret_scan, struct weir_error *error) {
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan) return fail(error, WEIR_INTERNAL, "out of memory");
    if (request->size < sizeof scan->request || request->n_filters > 0) {
        free(scan);
        return fail(error, WEIR_INTERNAL, "a request that was not agreed on");
    }
    scan->table = *(struct table *)table;
    memcpy(&scan->request, request, sizeof scan->request);
    for (size_t i = 0; i < request->n_columns && !request->all_columns; i++)
        scan->columns[i] = request->columns[i];
    *ret_scan = (struct weir_scan){.n_partitions = (int32_t)scan->table.partitions,
                                   .open = scan_open,
                                   .release = scan_release,
                                   .private_data = scan};
    return WEIR_OK;
}

/* ---- The other forms ---- */

/* One CSV file. */
static int files_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct table *self = table;
    (void)error;
    self->file = (struct weir_file){.url = self->text, .n_bytes = -1};
    *ret_form = (struct weir_form){.type = WEIR_FORM_FILES,
                                   .files = {.format = "csv", .files = &self->file, .n_files = 1}};
    return WEIR_OK;
}

static int query_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)error;
    *ret_form =
        (struct weir_form){.type = WEIR_FORM_SQL, .sql = {.query = ((struct table *)table)->text}};
    return WEIR_OK;
}

static int union_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct table *self = table;
    (void)error;
    self->parts[0] =
        (struct weir_form){.type = WEIR_FORM_SQL, .sql = {.query = "SELECT 1 AS a, 'x' AS b"}};
    self->parts[1] =
        (struct weir_form){.type = WEIR_FORM_SQL, .sql = {.query = "SELECT 'y' AS b, 2 AS a"}};
    self->part_pointers[0] = &self->parts[0];
    self->part_pointers[1] = &self->parts[1];
    *ret_form =
        (struct weir_form){.type = WEIR_FORM_UNION, .parts = self->part_pointers, .n_parts = 2};
    return WEIR_OK;
}

static int remote_partition(struct weir_scan *scan, int32_t partition,
                            struct ArrowArrayStream *ret_rows, struct weir_error *error) {
    (void)partition;
    return open_rows(0, ((struct scan *)scan->private_data)->table.rows, ret_rows, error);
}

/* A database that knows one statement. */
static int remote_execute(void *table, const char *const *statements, size_t n_statements,
                          const struct ArrowSchema *schema, struct weir_scan *ret_scan,
                          struct weir_error *error) {
    if (n_statements != 1 || schema->n_children != N_COLUMNS)
        return fail(error, WEIR_NOT_IMPLEMENTED, "this database reads whole tables only");
    if (!strstr(statements[0], "all_of_it")) return fail(error, WEIR_INVALID_DATA, statements[0]);
    struct scan *scan = calloc(1, sizeof *scan);
    if (!scan) return fail(error, WEIR_INTERNAL, "out of memory");
    scan->table = *(struct table *)table;
    *ret_scan = (struct weir_scan){
        .n_partitions = 1, .open = remote_partition, .release = scan_release, .private_data = scan};
    return WEIR_OK;
}

static int remote_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table, (void)error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_REMOTE,
                                   .schema = schema_of(column_pointers, N_COLUMNS),
                                   .remote = {.dialect = "postgresql",
                                              .backend = "abi1",
                                              .table = "all_of_it",
                                              .execute = remote_execute}};
    return WEIR_OK;
}

/* ---- Kinds ---- */

static const struct weir_option_spec specs[] = {
    {"rows", WEIR_OPTION_INTEGER, 0, "how many rows"},
    {"partitions", WEIR_OPTION_INTEGER, 0, "in how many partitions"},
    {"text", WEIR_OPTION_TEXT, 0, "a file's URL, or a query"},
    {"free.", WEIR_OPTION_PREFIX, 0, "anything"},
};

#define KIND(name_, form_)                                                                         \
    {.size = sizeof(struct weir_table_kind),                                                       \
     .name = name_,                                                                                \
     .options = specs,                                                                             \
     .n_options = sizeof specs / sizeof *specs,                                                    \
     .open = table_open,                                                                           \
     .close = free,                                                                                \
     .form = form_,                                                                                \
     .statistics = form_ == rows_form ? rows_statistics : NULL,                                    \
     .scan = form_ == rows_form ? rows_scan : NULL,                                                \
     .version = form_ == rows_form ? rows_version : NULL}

static const struct weir_table_kind kinds[] = {
    KIND("abi1_rows", rows_form), KIND("abi1_files", files_form), KIND("abi1_query", query_form),
    KIND("abi1_union", union_form), KIND("abi1_remote", remote_form)};
static const struct weir_table_kind later = KIND("abi1_later", rows_form);

/* Knows one name, and registers another kind when it is asked for a third. */
static int find(void *finder, const char *name, const struct weir_table_kind **ret_kind,
                struct weir_error *error) {
    static struct weir_table_kind found = KIND("abi1_found", rows_form);
    if (finder != &host) return fail(error, WEIR_INTERNAL, "another finder's context");
    if (strcmp(name, "abi1_broken") == 0) return fail(error, WEIR_IO, "the list of kinds is away");
    if (strcmp(name, "abi1_register") == 0) {
        int code = host.register_kind(host.context, &later, error);
        if (code) return code;
    }
    if (strcmp(name, "abi1_found") != 0) return fail(error, WEIR_NOT_FOUND, "no such kind");
    *ret_kind = &found;
    return WEIR_OK;
}

/* ---- A mount: "t", three rows, and the file "hello.txt" ---- */

static const char greeting[] = "hello\n";
static const struct weir_entry entries[] = {
    {.size = sizeof entries[0], .type = WEIR_ENTRY_TABLE, .name = "t", .table = "t", .n_bytes = -1},
    {.size = sizeof entries[0],
     .type = WEIR_ENTRY_FILE,
     .name = "hello.txt",
     .n_bytes = sizeof greeting - 1},
};

static int mount_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    static char mount;
    (void)definition, (void)error;
    *ret_mount = &mount;
    return WEIR_OK;
}

static void mount_close(void *mount) {
    (void)mount;
}

static int mount_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    (void)mount;
    if (*path) return fail(error, WEIR_NOT_FOUND, "no such directory");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        int code = take(sink, &entries[i], error);
        if (code) return code;
    }
    return WEIR_OK;
}

static void found_release(struct weir_found *found) {
    found->release = NULL;
}

static int mount_find(void *mount, const char *path, struct weir_found *ret_found,
                      struct weir_error *error) {
    static const struct weir_option rows = {"rows", "3"};
    (void)mount;
    *ret_found = (struct weir_found){
        .size = sizeof *ret_found, .path = "", .is_exact = 1, .release = found_release};
    ret_found->entry = (struct weir_entry){
        .size = sizeof ret_found->entry, .type = WEIR_ENTRY_DIRECTORY, .name = "", .n_bytes = -1};
    if (!*path) return WEIR_OK;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (strcmp(path, entries[i].name) != 0) continue;
        ret_found->entry = entries[i];
        ret_found->path = entries[i].name;
        if (!entries[i].table) return WEIR_OK;
        ret_found->kind = "abi1_rows";
        ret_found->options = &rows;
        ret_found->n_options = 1;
        return WEIR_OK;
    }
    return fail(error, WEIR_NOT_FOUND, "there is nothing of that name in the mount");
}

static int read_at(struct weir_reader *reader, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error) {
    (void)error;
    size_t left = offset < reader->n_bytes ? (size_t)(reader->n_bytes - offset) : 0;
    size_t n = length < left ? length : left;
    if (n > 0) memcpy(data, greeting + offset, n);
    *ret_length = n;
    return WEIR_OK;
}

static void reader_release(struct weir_reader *reader) {
    reader->release = NULL;
}

static int mount_read(void *mount, const char *path, struct weir_reader *ret_reader,
                      struct weir_error *error) {
    (void)mount;
    if (strcmp(path, "hello.txt") != 0) return fail(error, WEIR_NOT_FOUND, "no such file");
    *ret_reader = (struct weir_reader){.n_bytes = sizeof greeting - 1,
                                       .version = "1",
                                       .read_at = read_at,
                                       .release = reader_release};
    return WEIR_OK;
}

static const struct weir_option_spec mount_specs[] = {
    {"url", WEIR_OPTION_TEXT, 0, "what is not read"}};
static const struct weir_mount_kind mount_kind = {.size = sizeof mount_kind,
                                                  .name = "abi1_mount",
                                                  .default_schema = "main",
                                                  .options = mount_specs,
                                                  .n_options = 1,
                                                  .open = mount_open,
                                                  .close = mount_close,
                                                  .list = mount_list,
                                                  .find = mount_find,
                                                  .read = mount_read};

/* ---- The extension ---- */

static int n_closed;

static void extension_close(void *private_data) {
    ++*(int *)private_data;
}

int weir_extension_init(const struct weir_host *given, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    if (given->size < sizeof host || given->abi < 1)
        return fail(error, WEIR_INTERNAL, "an older host than there ever was");
    memcpy(&host, given, sizeof host);
    const char *refuse = option(host.options, host.n_options, "refuse");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int code = host.register_kind(host.context, &kinds[i], error);
        if (code) return code;
    }
    if (refuse) return fail(error, WEIR_UNAUTHORIZED, refuse);
    int code = host.register_mount_kind(host.context, &mount_kind, error);
    if (code == WEIR_OK) code = host.register_finder(host.context, find, &host, error);
    if (code) return code;
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = 1,
                                             .name = "abi1",
                                             .version = "1.0",
                                             .summary = "the first interface",
                                             .close = extension_close,
                                             .private_data = &n_closed};
    return WEIR_OK;
}
