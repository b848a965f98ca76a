/* SPDX-License-Identifier: Apache-2.0 */
/* What the names tell of themselves: system.mounts, namespaces and tables. */
#include "material.h"

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/system_tables.h"
#include "catalog/tree.h"

/* ---- A kind of mount: two directories and what lies in them ---- */

static int list_code; /* what listing the mount's root answers */
static int old_code;  /* and its directory "logs/old" */

struct item {
    const char *directory;
    struct weir_entry entry;
};

#define ENTRY(kind, text, as)                                                                      \
    {.size = sizeof(struct weir_entry), .type = WEIR_ENTRY_##kind, .name = text, .table = as}
static const struct item items[] = {
    {"", ENTRY(DIRECTORY, "logs", "logs")},     {"", ENTRY(FILE, "people.csv", "people")},
    {"", ENTRY(FILE, "notes.txt", NULL)},       {"", ENTRY(FILE, "adults.sql", "adults")},
    {"logs", ENTRY(DIRECTORY, "old", NULL)},    {"logs", ENTRY(FILE, "caf\xe9.csv", "caf\xe9")},
    {"logs/old", ENTRY(TABLE, "rows", "rows")},
};

static int lake_open(const struct weir_definition *definition, void **ret_mount,
                     struct weir_error *error) {
    (void)definition;
    (void)error;
    static char mount;
    *ret_mount = &mount;
    return WEIR_OK;
}

static void lake_close(void *mount) {
    (void)mount;
}

static int lake_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                     struct weir_error *error) {
    (void)mount;
    int code = !*path ? list_code : strcmp(path, "logs/old") == 0 ? old_code : WEIR_OK;
    if (code) return wr_error_set(error, code, NULL, "the lake is dry");
    for (size_t i = 0; i < N_OF(items); i++) {
        if (strcmp(items[i].directory, path) == 0) WR_TRY(take(sink, &items[i].entry, error));
    }
    return WEIR_OK;
}

static void found_release(struct weir_found *found) {
    found->release = NULL;
}

static int lake_find(void *mount, const char *path, struct weir_found *ret_found,
                     struct weir_error *error) {
    (void)mount;
    bool is_directory = !*path || strcmp(path, "logs") == 0 || strcmp(path, "logs/old") == 0;
    if (!is_directory) return wr_error_set(error, WEIR_NOT_FOUND, NULL, "not there");
    *ret_found = (struct weir_found){
        .size = sizeof *ret_found,
        .entry = {.size = sizeof(struct weir_entry), .type = WEIR_ENTRY_DIRECTORY},
        .path = path,
        .is_exact = 1,
        .release = found_release,
    };
    return WEIR_OK;
}

static const struct weir_option_spec lake_options[] = {{"url", WEIR_OPTION_TEXT, 1, "where"}};

static const struct weir_mount_kind lake_kind = {
    .size = sizeof lake_kind,
    .name = "lake",
    .default_schema = ".",
    .options = lake_options,
    .n_options = 1,
    .open = lake_open,
    .close = lake_close,
    .list = lake_list,
    .find = lake_find,
};

/* ---- The names ---- */

static struct wr_registry *registry;
static struct wr_names *names;

static void create(const char *schema, const char *name, const char *kind, const char *key,
                   const char *value, int flags) {
    struct weir_option option = {key, value};
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = schema,
                                         .name = name,
                                         .kind = kind,
                                         .options = &option,
                                         .n_options = 1};
    struct weir_error error = {0};
    if (wr_names_create_table(names, &definition, flags, NULL, NULL, NULL, &error))
        fail_msg("%s", error.message);
}

static void attach(const char *name, const char *origin) {
    struct weir_option option = {"url", "s3://dry/lake"};
    struct weir_definition definition = {.size = sizeof definition,
                                         .name = name,
                                         .kind = "lake",
                                         .options = &option,
                                         .n_options = 1};
    struct weir_error error = {0};
    if (wr_names_attach(names, &definition, origin, 0, &error)) fail_msg("%s", error.message);
}

static int setup(void **state) {
    (void)state;
    list_code = old_code = WEIR_OK;
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add_mount(registry, &lake_kind, NULL), WEIR_OK);
    assert_int_equal(wr_names_open(NULL, "weir", "public", registry, &names, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_catalog(names, "other", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "weir", "sales", 0, NULL), WEIR_OK);
    create("public", "v", "derived", "query", "SELECT 1", 0);
    create("sales", "x", "values", "rows", "(1)", 0);
    create("sales", "x", "values", "rows", "(2)", WR_CREATE_TEMPORARY);
    attach("lake", "sql");
    attach("pond", "weir.yaml:7");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wr_names_close(names);
    wr_registry_free(registry);
    return 0;
}

/* ---- Reading ---- */

static const struct wr_column mount_columns[] = {{"name", WR_COLUMN_TEXT, true},
                                                 {"kind", WR_COLUMN_TEXT, true},
                                                 {"url", WR_COLUMN_TEXT, false},
                                                 {"origin", WR_COLUMN_TEXT, true}};
static const struct wr_column namespace_columns[] = {{"catalog", WR_COLUMN_TEXT, true},
                                                     {"namespace", WR_COLUMN_TEXT, true},
                                                     {"is_default", WR_COLUMN_BOOLEAN, true}};
static const struct wr_column table_columns[] = {
    {"catalog", WR_COLUMN_TEXT, true}, {"namespace", WR_COLUMN_TEXT, true},
    {"name", WR_COLUMN_TEXT, true},    {"kind", WR_COLUMN_TEXT, true},
    {"type", WR_COLUMN_TEXT, true},    {"is_temporary", WR_COLUMN_BOOLEAN, true},
    {"path", WR_COLUMN_TEXT, true},
};

static int read_batch(wr_system_fill_fn fill, const struct wr_column *columns, size_t n_columns,
                      const char *catalog, struct wr_shared_batch **ret_batch,
                      struct weir_error *error) {
    struct wr_rows rows;
    WR_TRY(wr_rows_init(&rows, columns, n_columns, error));
    rows.catalog = catalog;
    int code = fill(names, &rows, error);
    if (code == WEIR_OK) code = wr_rows_finish(&rows, ret_batch, error);
    wr_rows_reset(&rows);
    return code;
}

static void write_cell(const struct ArrowArrayView *column, int64_t row, char *text, size_t size) {
    if (ArrowArrayViewIsNull(column, row)) {
        snprintf(text, size, "NULL");
    } else if (column->storage_type == NANOARROW_TYPE_BOOL) {
        snprintf(text, size, "%s", ArrowArrayViewGetIntUnsafe(column, row) ? "yes" : "no");
    } else {
        struct ArrowStringView view = ArrowArrayViewGetStringUnsafe(column, row);
        snprintf(text, size, "%.*s", (int)view.size_bytes, view.data);
    }
}

/* All rows, a line each, cells parted by '|'. */
static void expect(wr_system_fill_fn fill, const struct wr_column *columns, size_t n_columns,
                   const char *catalog, const char *expected) {
    struct wr_shared_batch *batch = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    struct ArrowArrayView view;
    struct weir_error error = {0};
    if (read_batch(fill, columns, n_columns, catalog, &batch, &error))
        fail_msg("%s", error.message);
    assert_int_equal(wr_columns_schema(columns, n_columns, &schema, NULL), WEIR_OK);
    assert_int_equal(wr_shared_batch_array(batch, NULL, 0, &array, NULL), WEIR_OK);
    wr_shared_batch_release(batch);
    view_batch(&view, &schema, &array);
    char text[4096] = "";
    for (int64_t row = 0; row < array.length; row++) {
        for (size_t i = 0; i < n_columns; i++) {
            size_t length = strlen(text);
            write_cell(view.children[i], row, text + length, sizeof text - length);
            strcat(text, i + 1 < n_columns ? "|" : "\n");
        }
    }
    ArrowArrayViewReset(&view);
    array.release(&array);
    schema.release(&schema);
    assert_string_equal(text, expected);
}

#define EXPECT(what, catalog, text)                                                                \
    expect(wr_names_fill_##what##s, what##_columns, N_OF(what##_columns), catalog, text)

/* ---- Tests ---- */

static void mounts_are_catalogs_and_what_was_attached(void **state) {
    (void)state;
    EXPECT(mount, NULL,
           "other|catalog|NULL|sql\n"
           "weir|catalog|NULL|weir\n"
           "lake|lake|s3://dry/lake|sql\n"
           "pond|lake|s3://dry/lake|weir.yaml:7\n");
}

static void namespaces_are_schemas_and_directories(void **state) {
    (void)state;
    assert_int_equal(wr_names_create_schema(names, "other", "public", 0, NULL), WEIR_OK);
    EXPECT(namespace, "weir", "weir|public|yes\nweir|sales|no\n");
    EXPECT(namespace, "other", "other|public|no\n");
    EXPECT(namespace, "lake", "lake|.|yes\nlake|logs|no\nlake|logs/old|no\n");
    EXPECT(namespace, "none", "");
}

static void own_tables_are_told_without_being_opened(void **state) {
    (void)state;
    EXPECT(table, "weir",
           "weir|public|v|derived|view|no|/weir/public/v\n"
           "weir|sales|x|values|table|yes|/weir/sales/x\n");
}

static void tables_of_mounts_are_told_from_listings(void **state) {
    (void)state;
    EXPECT(table, "pond",
           "pond|.|logs|lake|series|no|/pond/logs\n"
           "pond|.|people|lake|file|no|/pond/people.csv\n"
           "pond|.|adults|lake|derived|no|/pond/adults.sql\n"
           "pond|logs|caf\xef\xbf\xbd|lake|file|no|/pond/logs/caf\xef\xbf\xbd.csv\n"
           "pond|logs/old|rows|lake|table|no|/pond/logs/old/rows\n");
}

static void a_mount_that_cannot_be_listed_is_named_unless_another_is_meant(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_shared_batch *batch = NULL;
    list_code = WEIR_IO;
    assert_int_equal(
        read_batch(wr_names_fill_tables, table_columns, N_OF(table_columns), NULL, &batch, &error),
        WEIR_IO);
    assert_null(batch);
    assert_non_null(strstr(error.message, "mount \"lake\" cannot be listed: "));
    assert_non_null(strstr(error.message, "the lake is dry"));
    assert_non_null(strstr(error.message, "WHERE catalog = "));
    EXPECT(table, "weir",
           "weir|public|v|derived|view|no|/weir/public/v\n"
           "weir|sales|x|values|table|yes|/weir/sales/x\n");
    EXPECT(mount, NULL,
           "other|catalog|NULL|sql\n"
           "weir|catalog|NULL|weir\n"
           "lake|lake|s3://dry/lake|sql\n"
           "pond|lake|s3://dry/lake|weir.yaml:7\n");
}

static void every_failed_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    static const struct {
        wr_system_fill_fn fill;
        const struct wr_column *columns;
        size_t n_columns;
    } tables[] = {
        {wr_names_fill_mounts, mount_columns, N_OF(mount_columns)},
        {wr_names_fill_namespaces, namespace_columns, N_OF(namespace_columns)},
        {wr_names_fill_tables, table_columns, N_OF(table_columns)},
    };
    for (size_t i = 0; i < N_OF(tables); i++) {
        for (int64_t n = 1;; n++) {
            struct weir_error error = {0};
            struct wr_shared_batch *batch = NULL;
            wr_alloc_fail_at(n);
            int code = read_batch(tables[i].fill, tables[i].columns, tables[i].n_columns, NULL,
                                  &batch, &error);
            wr_alloc_fail_at(0);
            wr_shared_batch_release(batch);
            if (code == WEIR_OK) {
                assert_true(n > 20);
                break;
            }
            if (strcmp(error.sqlstate, "53200") != 0) fail_msg("%s", error.message);
            assert_null(batch);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(mounts_are_catalogs_and_what_was_attached),
        TEST(namespaces_are_schemas_and_directories),
        TEST(own_tables_are_told_without_being_opened),
        TEST(tables_of_mounts_are_told_from_listings),
        TEST(a_mount_that_cannot_be_listed_is_named_unless_another_is_meant),
        TEST(every_failed_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
