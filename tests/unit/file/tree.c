/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "nanoarrow/nanoarrow.h"

struct weir_workspace *workspace;
struct weir_session *session;
struct weir_error error;
struct counted *counted;

/* ---- The kind that counts ---- */

enum { N_ROWS = 1000 };

static int counted_schema(struct ArrowSchema *schema) {
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, 1) || ArrowSchemaSetName(schema->children[0], "a"))
        return ENOMEM;
    return ArrowSchemaSetType(schema->children[0], NANOARROW_TYPE_INT64);
}

static int counted_batch(struct ArrowArray *batch) {
    struct ArrowSchema schema;
    NANOARROW_RETURN_NOT_OK(counted_schema(&schema));
    int errnum = ArrowArrayInitFromSchema(batch, &schema, NULL);
    schema.release(&schema);
    if (errnum || ArrowArrayStartAppending(batch)) return ENOMEM;
    for (int i = 0; i < N_ROWS; i++) {
        if (ArrowArrayAppendInt(batch->children[0], i + atomic_load(&counted->revision)) ||
            ArrowArrayFinishElement(batch))
            return ENOMEM;
    }
    return ArrowArrayFinishBuildingDefault(batch, NULL);
}

static int rows_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    (void)stream;
    return counted_schema(ret_schema);
}

static int rows_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_batch) {
    bool *done = stream->private_data;
    ret_batch->release = NULL;
    if (*done) {
        if (atomic_load(&counted->change) > 0) {
            atomic_fetch_sub(&counted->change, 1);
            atomic_fetch_add(&counted->revision, 1);
        }
        return 0;
    }
    *done = true;
    for (int waited = 0; waited < atomic_load(&counted->wait_ms); waited += 5)
        usleep(5000);
    return counted_batch(ret_batch);
}

static const char *rows_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

static void rows_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

static int scan_open(struct weir_scan *scan, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *ret_error) {
    (void)scan;
    (void)partition;
    (void)ret_error;
    atomic_fetch_add(&counted->reads, 1);
    *ret_rows = (struct ArrowArrayStream){rows_schema, rows_next, rows_error, rows_release,
                                          calloc(1, sizeof(bool))};
    return WEIR_OK;
}

static void scan_release(struct weir_scan *scan) {
    scan->release = NULL;
}

static int counted_scan(void *table, const struct weir_scan_request *request,
                        struct weir_scan *ret_scan, struct weir_error *ret_error) {
    (void)table;
    (void)request;
    (void)ret_error;
    *ret_scan = (struct weir_scan){.n_partitions = 1, .open = scan_open, .release = scan_release};
    return WEIR_OK;
}

static int counted_open(const struct weir_definition *definition, void **ret_table,
                        struct weir_error *ret_error) {
    (void)ret_error;
    bool *versioned = malloc(sizeof *versioned);
    *versioned = definition->n_options > 0;
    *ret_table = versioned;
    return WEIR_OK;
}

static void form_release(struct weir_form *form) {
    if (form->schema.release) form->schema.release(&form->schema);
    form->release = NULL;
}

static int counted_form(void *table, struct weir_form *ret_form, struct weir_error *ret_error) {
    (void)table;
    (void)ret_error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM, .release = form_release};
    return counted_schema(&ret_form->schema) ? WEIR_INTERNAL : WEIR_OK;
}

static int counted_version(void *table, char ret_version[WEIR_VERSION_SIZE],
                           struct weir_error *ret_error) {
    (void)ret_error;
    ret_version[0] = '\0';
    if (*(bool *)table) {
        snprintf(ret_version, WEIR_VERSION_SIZE, "revision %d", atomic_load(&counted->revision));
    }
    return WEIR_OK;
}

static const struct weir_option_spec counted_options[] = {
    {"version", WEIR_OPTION_TEXT, 0, "the table has one"}};

static const struct weir_table_kind counted_kind = {
    .size = sizeof counted_kind,
    .name = "counted",
    .options = counted_options,
    .n_options = 1,
    .open = counted_open,
    .close = free,
    .form = counted_form,
    .scan = counted_scan,
    .version = counted_version,
};

/* ---- The tree ---- */

void open_workspace(void) {
    open_workspace_with(NULL, 0);
}

void open_workspace_with(const struct weir_option *settings, size_t n_settings) {
    struct weir_workspace_options options = {.size = sizeof options,
                                             .path = at("workspace"),
                                             .threads = 2,
                                             .memory_limit = 256 << 20,
                                             .settings = settings,
                                             .n_settings = n_settings};
    assert_ok(weir_workspace_open(&options, &workspace, &error));
    assert_ok(weir_session_open(workspace, NULL, &session, &error));
    assert_ok(weir_register_kind(workspace, &counted_kind, &error));
}

void close_workspace(void) {
    weir_session_close(session);
    weir_workspace_close(workspace);
    session = NULL;
    workspace = NULL;
}

static void runf(const char *format, const char *text) {
    char sql[1000];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sql, sizeof sql, format, text);
#pragma GCC diagnostic pop
    run(sql);
}

int in_tree(void **state) {
    if (in_new_directory(state)) return -1;
    memset(&error, 0, sizeof error);
    counted =
        mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mkdir(at("workspace"), 0777);
    mkdir(at("lake"), 0777);
    mkdir(at("lake/logs"), 0777);
    mkdir(at("lake/empty"), 0777);
    put_text(at("lake/numbers.csv"), "a,b\n1,x\n2,y\n3,z\n");
    put_text(at("lake/notes.txt"), "twelve bytes");
    put_text(at("lake/doubled.sql"), "SELECT a * 2 AS a FROM numbers\n");
    open_workspace();
    runf("COPY (SELECT x AS a FROM generate_series(1, 10) AS s(x)) TO '%s' (FORMAT parquet)",
         at("lake/logs/1.parquet"));
    runf("COPY (SELECT x AS a FROM generate_series(11, 20) AS s(x)) TO '%s' (FORMAT parquet)",
         at("lake/logs/2.parquet"));
    runf("ATTACH '%s' AS lake", at("lake"));
    run("CREATE VIEW v AS SELECT a, b FROM \"/lake/numbers.csv\"");
    run("CREATE TABLE c USING counted OPTIONS (version 'yes')");
    run("CREATE TABLE u USING counted");
    return 0;
}

int leave_tree(void **state) {
    close_workspace();
    munmap(counted, sizeof *counted);
    return remove_directory(state);
}

void run(const char *sql) {
    struct ArrowArrayStream rows = {0};
    if (weir_query(session, sql, &rows, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
    rows.release(&rows);
}

int64_t number(const char *sql) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    if (weir_query(session, sql, &rows, NULL, &error) != WEIR_OK)
        fail_msg("%s: %s", sql, error.message);
    if (rows.get_next(&rows, &batch) || !batch.release || batch.length < 1)
        fail_msg("%s: %s", sql, rows.get_last_error(&rows));
    const struct ArrowArray *column = batch.children[0];
    int64_t value = ((const int64_t *)column->buffers[1])[column->offset];
    batch.release(&batch);
    rows.release(&rows);
    return value;
}

struct weir_node *node_at(const char *path) {
    struct weir_node *node = NULL;
    if (weir_node_open(session, path, &node, &error) != WEIR_OK)
        fail_msg("%s: %s", path, error.message);
    return node;
}

struct weir_node_info info_of(const struct weir_node *node) {
    struct weir_node_info info = {.size = sizeof info};
    weir_node_describe(node, &info);
    return info;
}

int open_refused(const char *path) {
    struct weir_node *node = NULL;
    memset(&error, 0, sizeof error);
    int code = weir_node_open(session, path, &node, &error);
    if (code == WEIR_OK) fail_msg("\"%s\" is there", path);
    assert_null(node);
    return code;
}

struct weir_file *file_of(const char *path, const char *encoding) {
    struct weir_node *node = node_at(path);
    struct weir_file *file = NULL;
    if (weir_file_open(node, encoding, &file, &error) != WEIR_OK)
        fail_msg("%s as %s: %s", path, encoding ? encoding : "it is", error.message);
    weir_node_close(node);
    return file;
}

char *bytes_of(struct weir_file *file, size_t *ret_length) {
    struct weir_file_info info = {.size = sizeof info};
    weir_file_describe(file, &info);
    char *data = malloc((size_t)info.n_bytes + 100);
    size_t length = 0;
    assert_ok(weir_file_read(file, 0, data, (size_t)info.n_bytes + 99, &length, &error));
    assert_int_equal(length, info.n_bytes);
    data[length] = '\0';
    if (ret_length) *ret_length = length;
    return data;
}

void save(struct weir_file *file, const char *name) {
    size_t length = 0;
    char *data = bytes_of(file, &length);
    FILE *to = fopen(at(name), "we");
    assert_non_null(to);
    assert_int_equal(fwrite(data, 1, length, to), length);
    fclose(to);
    free(data);
}

static char listing[4000];

static int add_entry(void *context, const struct weir_node_entry *entry) {
    (void)context;
    size_t length = strlen(listing);
    const char *mark = entry->type == WEIR_NODE_DIRECTORY ? "/"
                       : entry->type == WEIR_NODE_SERIES  ? "/#"
                       : entry->type == WEIR_NODE_DERIVED ? "!"
                       : entry->table                     ? "#"
                                                          : "";
    snprintf(listing + length, sizeof listing - length, "%s%s%s", length > 0 ? " " : "",
             entry->name, mark);
    return 0;
}

const char *listing_of(const char *path) {
    struct weir_node *node = node_at(path);
    listing[0] = '\0';
    assert_ok(weir_node_list(node, add_entry, NULL, &error));
    weir_node_close(node);
    return listing;
}

int n_spooled(void) {
    return count_names(at("workspace/.weir/spool"));
}
