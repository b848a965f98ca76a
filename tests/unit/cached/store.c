/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "nanoarrow/nanoarrow.h"

struct store *store;
struct weir_workspace *workspace;
struct weir_session *session;
struct weir_error error;
char directory[64];

/* ---- Rows ---- */

static int make_schema(struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, 2) || ArrowSchemaSetName(schema->children[0], "id") ||
        ArrowSchemaSetType(schema->children[0], NANOARROW_TYPE_INT64) ||
        ArrowSchemaSetName(schema->children[1], "ts"))
        return ENOMEM;
    return ArrowSchemaSetTypeDateTime(schema->children[1], NANOARROW_TYPE_TIMESTAMP,
                                      NANOARROW_TIME_UNIT_MICRO, NULL);
}

struct reader {
    struct ArrowSchema schema; /* the columns asked for */
    int skipped;               /* rows before those that are given: a part of a larger batch */
    bool done;
};

static int make_batch(const struct reader *reader, struct ArrowArray *batch) {
    int n_rows = atomic_load(&store->n_rows);
    if (ArrowArrayInitFromSchema(batch, (struct ArrowSchema *)&reader->schema, NULL) ||
        ArrowArrayStartAppending(batch))
        return ENOMEM;
    for (int i = -reader->skipped; i < n_rows; i++) {
        for (int64_t c = 0; c < reader->schema.n_children; c++) {
            bool id = strcmp(reader->schema.children[c]->name, "id") == 0;
            int64_t value = i < 0 ? -77 : id ? store->ids[i] : store->times[i];
            int errnum = value == NO_TIME ? ArrowArrayAppendNull(batch->children[c], 1)
                                          : ArrowArrayAppendInt(batch->children[c], value);
            if (errnum) return ENOMEM;
        }
        if (ArrowArrayFinishElement(batch)) return ENOMEM;
    }
    if (ArrowArrayFinishBuildingDefault(batch, NULL)) return EINVAL;
    batch->length -= reader->skipped;
    if (n_rows % 2) batch->offset = reader->skipped;
    for (int64_t c = 0; n_rows % 2 == 0 && c < batch->n_children; c++) {
        batch->children[c]->offset = reader->skipped;
        batch->children[c]->length -= reader->skipped;
    }
    return 0;
}

static int reader_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    struct reader *reader = stream->private_data;
    return ArrowSchemaDeepCopy(&reader->schema, ret_schema);
}

static int reader_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_batch) {
    struct reader *reader = stream->private_data;
    ret_batch->release = NULL;
    if (reader->done) return atomic_load(&store->fails_after) > 0 ? EIO : 0;
    reader->done = true;
    for (int waited = 0; waited < atomic_load(&store->wait_ms); waited += 2)
        usleep(2000);
    return atomic_load(&store->fails) ? EIO : make_batch(reader, ret_batch);
}

static const char *reader_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the store is away";
}

static void reader_release(struct ArrowArrayStream *stream) {
    struct reader *reader = stream->private_data;
    reader->schema.release(&reader->schema);
    free(reader);
    atomic_fetch_sub(&store->running, 1);
    stream->release = NULL;
}

static int open_reader(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                       struct weir_error *ret_error) {
    (void)partition;
    (void)ret_error;
    struct reader *reader = calloc(1, sizeof *reader);
    if (ArrowSchemaDeepCopy(scan->private_data, &reader->schema)) return WEIR_INTERNAL;
    reader->skipped = scan->cancel ? 3 : 0;
    atomic_fetch_add(&store->reads, 1);
    atomic_fetch_add(&store->running, 1);
    *ret_rows =
        (struct ArrowArrayStream){reader_schema, reader_next, reader_error, reader_release, reader};
    return WEIR_OK;
}

static void release_scan(struct weir_scan *scan) {
    struct ArrowSchema *schema = scan->private_data;
    schema->release(schema);
    free(schema);
    scan->release = NULL;
}

static int scan_of(struct ArrowSchema *schema, struct weir_scan *ret_scan) {
    *ret_scan = (struct weir_scan){
        .n_partitions = 1, .open = open_reader, .release = release_scan, .private_data = schema};
    return WEIR_OK;
}

static int store_scan(void *table, const struct weir_scan_request *request,
                      struct weir_scan *ret_scan, struct weir_error *ret_error) {
    (void)table;
    (void)ret_error;
    struct ArrowSchema all;
    struct ArrowSchema *schema = calloc(1, sizeof *schema);
    size_t n = request->all_columns ? 2 : request->n_columns;
    if (make_schema(&all)) return WEIR_INTERNAL;
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, (int64_t)n)) return WEIR_INTERNAL;
    for (size_t i = 0; i < n; i++) {
        size_t column = request->all_columns ? i : (size_t)request->columns[i];
        schema->children[i]->release(schema->children[i]);
        if (ArrowSchemaDeepCopy(all.children[column], schema->children[i])) return WEIR_INTERNAL;
    }
    all.release(&all);
    return scan_of(schema, ret_scan);
}

static void cancel_nothing(struct weir_scan *scan) {
    (void)scan;
}

static int execute(void *table, const char *const *statements, size_t n_statements,
                   const struct ArrowSchema *asked, struct weir_scan *ret_scan,
                   struct weir_error *ret_error) {
    (void)table;
    (void)statements;
    (void)n_statements;
    (void)ret_error;
    struct ArrowSchema *schema = calloc(1, sizeof *schema);
    if (ArrowSchemaDeepCopy(asked, schema)) return WEIR_INTERNAL;
    int code = scan_of(schema, ret_scan);
    ret_scan->cancel = cancel_nothing; /* by which the reader knows that it is the database's */
    return code;
}

/* ---- The kind ---- */

static int store_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *ret_error) {
    (void)ret_error;
    bool *remote = malloc(sizeof *remote);
    *remote = definition->n_options > 0;
    *ret_table = remote;
    return WEIR_OK;
}

static void release_form(struct weir_form *form) {
    if (form->schema.release) form->schema.release(&form->schema);
    form->release = NULL;
}

static int store_form(void *table, struct weir_form *ret_form, struct weir_error *ret_error) {
    (void)ret_error;
    bool remote = *(bool *)table;
    *ret_form = (struct weir_form){.type = remote ? WEIR_FORM_REMOTE : WEIR_FORM_STREAM,
                                   .remote = {.dialect = "generic",
                                              .backend = "store",
                                              .table = "\"store\"",
                                              .execute = execute},
                                   .release = release_form};
    return make_schema(&ret_form->schema) ? WEIR_INTERNAL : WEIR_OK;
}

static int store_insert(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                        struct weir_error *ret_error) {
    (void)table;
    (void)mode;
    (void)ret_error;
    int64_t n_rows = 0;
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) || !batch.release) break;
        const int64_t *ids = batch.children[0]->buffers[1];
        for (int64_t i = 0; i < batch.length; i++, n_rows++)
            add_row(ids[batch.children[0]->offset + i], NO_TIME);
        batch.release(&batch);
    }
    rows->release(rows);
    *ret_n_rows = n_rows;
    return WEIR_OK;
}

static const struct weir_option_spec store_options[] = {
    {"remote", WEIR_OPTION_TEXT, 0, "its form is REMOTE"}};

static const struct weir_table_kind store_kind = {
    .size = sizeof store_kind,
    .name = "store",
    .options = store_options,
    .n_options = 1,
    .open = store_open,
    .close = free,
    .form = store_form,
    .scan = store_scan,
    .insert = store_insert,
};

void add_row(int64_t id, int64_t time) {
    int n = atomic_load(&store->n_rows);
    store->ids[n] = id;
    store->times[n] = time;
    atomic_store(&store->n_rows, n + 1);
}

int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- The workspace ---- */

void open_workspace(const struct weir_option *settings, size_t n_settings) {
    struct weir_workspace_options options = {.size = sizeof options,
                                             .path = directory,
                                             .threads = 2,
                                             .memory_limit = 256 << 20,
                                             .settings = settings,
                                             .n_settings = n_settings};
    int code = weir_workspace_open(&options, &workspace, &error);
    if (code) print_error("%s\n", error.message);
    assert_int_equal(code, WEIR_OK);
    assert_int_equal(weir_session_open(workspace, NULL, &session, &error), WEIR_OK);
    assert_int_equal(weir_register_kind(workspace, &store_kind, &error), WEIR_OK);
}

void close_workspace(void) {
    weir_session_close(session);
    weir_workspace_close(workspace);
    session = NULL;
    workspace = NULL;
}

int in_store(void **state) {
    (void)state;
    memset(&error, 0, sizeof error);
    strcpy(directory, "/tmp/weir-cached-XXXXXX");
    assert_non_null(mkdtemp(directory));
    store = mmap(NULL, sizeof *store, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(store, MAP_FAILED);
    open_workspace(NULL, 0);
    run("CREATE TABLE s USING store");
    run("CREATE TABLE r USING store OPTIONS (remote 'yes')");
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int leave_store(void **state) {
    (void)state;
    if (workspace) close_workspace();
    munmap(store, sizeof *store);
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- Statements ---- */

void run(const char *sql) {
    struct ArrowArrayStream rows = {0};
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    for (;;) {
        struct ArrowArray batch = {0};
        assert_int_equal(rows.get_next(&rows, &batch), 0);
        if (!batch.release) break;
        batch.release(&batch);
    }
    rows.release(&rows);
}

int refused(const char *sql) {
    struct ArrowArrayStream rows = {0};
    memset(&error, 0, sizeof error);
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code) return code;
    struct ArrowArray batch = {0};
    int errnum = 0;
    while ((errnum = rows.get_next(&rows, &batch)) == 0 && batch.release)
        batch.release(&batch);
    if (errnum) weir_stream_error(&rows, &error);
    rows.release(&rows);
    return error.code;
}

int64_t number_in(struct weir_session *in, const char *sql) {
    struct ArrowArrayStream rows = {0};
    struct weir_error own = {0};
    struct ArrowArray batch = {0};
    int64_t found = -1;
    int code = weir_query(in, sql, &rows, NULL, &own);
    if (code) print_error("%s: %s\n", sql, own.message);
    if (code) return -1;
    while (rows.get_next(&rows, &batch) == 0 && batch.release) {
        const int64_t *values = batch.children[0]->buffers[1];
        if (batch.length > 0) found = values[batch.offset + batch.children[0]->offset];
        batch.release(&batch);
    }
    rows.release(&rows);
    return found;
}

int64_t number(const char *sql) {
    return number_in(session, sql);
}

const char *texts(const char *sql) {
    return column_texts(sql, 0);
}

const char *column_texts(const char *sql, int64_t column) {
    static char all[65536];
    struct ArrowArrayStream rows = {0};
    struct ArrowArrayStream as_text = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    all[0] = '\0';
    memset(&error, 0, sizeof error);
    int code = weir_query(session, sql, &rows, NULL, &error);
    if (code) print_error("%s: %s\n", sql, error.message);
    assert_int_equal(code, WEIR_OK);
    assert_int_equal(weir_text(&rows, &as_text, &error), WEIR_OK);
    assert_int_equal(as_text.get_schema(&as_text, &schema), 0);
    while (as_text.get_next(&as_text, &batch) == 0 && batch.release) {
        struct ArrowArrayView view;
        assert_int_equal(ArrowArrayViewInitFromSchema(&view, &schema, NULL), 0);
        assert_int_equal(ArrowArrayViewSetArray(&view, &batch, NULL), 0);
        for (int64_t i = 0; i < batch.length; i++) {
            struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view.children[column], i);
            bool null = ArrowArrayViewIsNull(view.children[column], i);
            size_t length = strlen(all);
            snprintf(all + length, sizeof all - length, "%.*s ", null ? 4 : (int)text.size_bytes,
                     null ? "NULL" : text.data);
        }
        ArrowArrayViewReset(&view);
        batch.release(&batch);
    }
    schema.release(&schema);
    if (weir_stream_error(&as_text, &error) == WEIR_OK && error.code)
        snprintf(all, sizeof all, "%s", error.message);
    as_text.release(&as_text);
    return all;
}

static int n_found;

static int count_file(const char *path, const struct stat *status, int type, struct FTW *walk) {
    (void)status;
    (void)walk;
    size_t length = strlen(path);
    if (type == FTW_F && length > 8 && strcmp(path + length - 8, ".parquet") == 0) n_found++;
    return 0;
}

int n_files(void) {
    char path[128];
    snprintf(path, sizeof path, "%s/.weir/cache", directory);
    n_found = 0;
    nftw(path, count_file, 16, FTW_PHYS);
    return n_found;
}
