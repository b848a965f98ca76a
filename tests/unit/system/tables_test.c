/* SPDX-License-Identifier: Apache-2.0 */
/* The system tables as their mount and their kind give them. */
#include "material.h"

#include "base/error.h"

static struct wr_registry *registry;
static struct wr_system *wr_system;

/* ---- A source ---- */

static int n_filled;
static int fill_code;

static int fill_namespaces(void *context, struct wr_rows *rows, struct weir_error *error) {
    (void)context;
    static const char *const catalogs[] = {"lake", "weir"};
    n_filled++;
    if (fill_code) return wr_error_set(error, fill_code, NULL, "the lake is dry");
    for (size_t i = 0; i < N_OF(catalogs); i++) {
        if (!wr_rows_wants(rows, catalogs[i])) continue;
        wr_rows_text(rows, catalogs[i]);
        wr_rows_text(rows, "public");
        wr_rows_bool(rows, i == 1);
        WR_TRY(wr_rows_end(rows, error));
    }
    return WEIR_OK;
}

static int setup(void **state) {
    (void)state;
    static const struct wr_system_source sources[] = {{"namespaces", fill_namespaces, NULL}};
    struct wr_system_state given = {.sources = sources, .n_sources = 1};
    n_filled = fill_code = 0;
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    given.registry = registry;
    assert_int_equal(wr_system_new(&given, &wr_system, NULL), WEIR_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wr_registry_free(registry);
    wr_system_free(wr_system);
    return 0;
}

/* ---- As the names open a table that the mount found ---- */

static int open_found(const char *catalog, const char *path, struct wr_table *ret_table,
                      struct weir_error *error) {
    struct weir_found found = {0};
    WR_TRY(wr_mount_system.find(wr_system, path, &found, error));
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = catalog,
                                         .schema = "public",
                                         .name = path,
                                         .kind = found.kind,
                                         .options = found.options,
                                         .n_options = found.n_options};
    struct wr_instance *instance = NULL;
    int code = wr_instance_open(registry, &definition, &instance, error);
    found.release(&found);
    if (code == WEIR_OK) code = wr_instance_table(instance, ret_table, error);
    wr_instance_release(instance);
    return code;
}

static int scan(const struct wr_table *table, const struct weir_scan_request *request,
                struct ArrowSchema *ret_schema, struct ArrowArray *ret_batch,
                struct weir_error *error) {
    struct weir_scan plan = {0};
    struct ArrowArrayStream rows = {0};
    WR_TRY(table->kind->scan(table->instance, request, &plan, error));
    assert_int_equal(plan.n_partitions, 1);
    int code = plan.open(&plan, 0, &rows, error);
    if (code == WEIR_OK) {
        code = wr_arrow_stream_schema(&rows, "rows", ret_schema, error);
        if (code == WEIR_OK) code = wr_arrow_stream_next(&rows, "rows", ret_batch, error);
        if (code == WEIR_OK) {
            struct ArrowArray end = {0};
            assert_int_equal(rows.get_next(&rows, &end), 0);
            assert_null(end.release);
        } else {
            wr_arrow_release_schema(ret_schema);
        }
        rows.release(&rows);
    }
    plan.release(&plan);
    return code;
}

/* ---- Tables and columns ---- */

struct expected {
    const char *table;
    const char *columns; /* "name:format ..." with '!' after those that are never NULL */
};

#define TIME "tsu:UTC"
static const struct expected streams[] = {
    {"caches", "catalog:u! namespace:u! name:u! source:u! mode:u! hits:l! misses:l! refreshes:l!"
               " rows:l bytes:l age:l fetched_at:" TIME
               " coverage_start:u coverage_end:u state:u! last_error:u"},
    {"constraints", "catalog:u! namespace:u! table_name:u! constraint_name:u! constraint_type:u! "
                    "column_name:u! ordinal_position:l!"},
    {"extensions", "name:u! type:u! summary:u origin:u! extension:u version:u library:u"},
    {"grants", "grantee:u! catalog:u namespace:u name:u privilege:u!"},
    {"jobs", "job_id:u! kind:u! table_name:u state:u! started_at:" TIME " finished_at:" TIME
             " rows:l error_message:u"},
    {"live_queries", "query_id:u! session_id:u! sql:u! state:u! started_at:" TIME "! rows_sent:l!"},
    {"metrics", "name:u! value:l! help:u store:u"},
    {"mounts", "name:u! kind:u! url:u origin:u!"},
    {"namespaces", "catalog:u! namespace:u! is_default:b!"},
    {"queries", "query_id:u! session_id:u! user_name:u door:u! state:u! sql:u! started_at:" TIME
                "! finished_at:" TIME " rows_returned:l bytes_read:l peak_memory:l "
                "error_sqlstate:u error_message:u store_gets:l store_heads:l store_lists:l "
                "store_puts:l store_posts:l store_deletes:l store_retries:l "
                "store_bytes_received:l store_bytes_sent:l cache_hits:l"},
    {"secrets", "name:u! type:u! scope:u options:u!"},
    {"sessions", "session_id:u! user_name:u door:u! peer:u opened_at:" TIME "! last_used_at:" TIME
                 "! catalog:u! namespace:u! statements:l!"},
    {"settings", "name:u! value:u origin:u! description:u"},
    {"storage_locations", "name:u! url:u! scheme:u! options:u origin:u!"},
    {"tables", "catalog:u! namespace:u! name:u! kind:u! type:u! is_temporary:b! path:u!"},
    {"users", "name:u! roles:u created_at:" TIME "! is_enabled:b!"},
};

static void describe(const struct ArrowSchema *schema, char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < schema->n_children; i++) {
        const struct ArrowSchema *column = schema->children[i];
        length += (size_t)snprintf(text + length, size - length, "%s%s:%s%s", i > 0 ? " " : "",
                                   column->name, column->format,
                                   column->flags & ARROW_FLAG_NULLABLE ? "" : "!");
    }
}

static void every_table_with_rows_of_its_own_has_its_final_columns(void **state) {
    (void)state;
    for (size_t i = 0; i < N_OF(streams); i++) {
        struct wr_table table = {0};
        char text[1024];
        assert_int_equal(open_found("system", streams[i].table, &table, NULL), WEIR_OK);
        const struct weir_form *form = &table.form;
        bool is_union = form->type == WEIR_FORM_UNION;
        assert_int_equal(is_union, strcmp(streams[i].table, "settings") == 0);
        if (is_union) form = form->parts[0];
        assert_int_equal(form->type, WEIR_FORM_STREAM);
        describe(&form->schema, text, sizeof text);
        assert_string_equal(text, streams[i].columns);
        assert_false(table.is_view);
        table.release(&table);
    }
}

static void tables_that_the_engine_knows_are_queries(void **state) {
    (void)state;
    static const char *const queries[][2] = {
        {"columns", "FROM information_schema.columns"},
        {"views", "FROM information_schema.views"},
    };
    for (size_t i = 0; i < N_OF(queries); i++) {
        struct wr_table table = {0};
        assert_int_equal(open_found("system", queries[i][0], &table, NULL), WEIR_OK);
        assert_int_equal(table.form.type, WEIR_FORM_SQL);
        assert_non_null(strstr(table.form.sql.query, queries[i][1]));
        assert_string_equal(table.form.sql.catalog, "system");
        assert_string_equal(table.form.sql.schema, "public");
        table.release(&table);
    }
}

static void settings_are_those_of_weir_and_then_the_engines(void **state) {
    (void)state;
    struct wr_table table = {0};
    assert_int_equal(open_found("system", "settings", &table, NULL), WEIR_OK);
    assert_int_equal(table.form.n_parts, 2);
    assert_int_equal(table.form.parts[1]->type, WEIR_FORM_SQL);
    assert_non_null(strstr(table.form.parts[1]->sql.query, "'engine' AS origin"));
    table.release(&table);
}

static void a_table_without_a_source_is_empty(void **state) {
    (void)state;
    for (size_t i = 0; i < N_OF(streams); i++) {
        if (strcmp(streams[i].table, "namespaces") == 0) continue;
        if (strcmp(streams[i].table, "extensions") == 0) continue;
        struct wr_table table = {0};
        struct ArrowSchema schema = {0};
        struct ArrowArray batch = {0};
        struct weir_scan_request all = {.size = sizeof all, .all_columns = 1, .limit = -1};
        assert_int_equal(open_found("system", streams[i].table, &table, NULL), WEIR_OK);
        assert_int_equal(scan(&table, &all, &schema, &batch, NULL), WEIR_OK);
        assert_int_equal(batch.length, 0);
        assert_int_equal(batch.n_children, schema.n_children);
        batch.release(&batch);
        schema.release(&schema);
        table.release(&table);
    }
}

/* ---- Scans ---- */

static void each_scan_reads_what_is_there_when_it_begins(void **state) {
    (void)state;
    struct wr_table table = {0};
    struct weir_scan_request all = {.size = sizeof all, .all_columns = 1, .limit = -1};
    struct weir_scan plan = {0};
    assert_int_equal(open_found("system", "namespaces", &table, NULL), WEIR_OK);
    assert_int_equal(table.kind->scan(table.instance, &all, &plan, NULL), WEIR_OK);
    assert_int_equal(n_filled, 0);
    plan.release(&plan);
    for (int i = 1; i <= 2; i++) {
        struct ArrowSchema schema = {0};
        struct ArrowArray batch = {0};
        struct ArrowArrayView view;
        assert_int_equal(scan(&table, &all, &schema, &batch, NULL), WEIR_OK);
        assert_int_equal(n_filled, i);
        view_batch(&view, &schema, &batch);
        assert_int_equal(batch.length, 2);
        assert_text(&view, 0, 0, "lake");
        assert_text(&view, 0, 1, "weir");
        assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[2], 0), 0);
        assert_int_equal(ArrowArrayViewGetIntUnsafe(view.children[2], 1), 1);
        ArrowArrayViewReset(&view);
        batch.release(&batch);
        schema.release(&schema);
    }
    table.release(&table);
}

static void the_columns_come_in_the_order_that_is_asked_for(void **state) {
    (void)state;
    struct wr_table table = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct ArrowArrayView view;
    const int32_t columns[] = {2, 0};
    struct weir_scan_request request = {
        .size = sizeof request, .columns = columns, .n_columns = 2, .limit = -1};
    assert_int_equal(open_found("system", "namespaces", &table, NULL), WEIR_OK);
    assert_int_equal(scan(&table, &request, &schema, &batch, NULL), WEIR_OK);
    char text[64];
    describe(&schema, text, sizeof text);
    assert_string_equal(text, "is_default:b! catalog:u!");
    view_batch(&view, &schema, &batch);
    assert_text(&view, 1, 1, "weir");
    ArrowArrayViewReset(&view);
    batch.release(&batch);
    schema.release(&schema);
    request.n_columns = 0;
    assert_int_equal(scan(&table, &request, &schema, &batch, NULL), WEIR_OK);
    assert_int_equal(schema.n_children, 0);
    assert_int_equal(batch.length, 2);
    batch.release(&batch);
    schema.release(&schema);
    table.release(&table);
}

/* Scans the namespaces where `catalog` compares by `op` to a text in an Arrow type. */
static int64_t count_where(int32_t op, enum ArrowType type, const char *text,
                           int32_t *ret_support) {
    struct wr_table table = {0};
    struct ArrowSchema value_type = {0};
    struct ArrowArray value = {0};
    assert_int_equal(ArrowSchemaInitFromType(&value_type, type), 0);
    assert_int_equal(ArrowArrayInitFromType(&value, type), 0);
    assert_int_equal(ArrowArrayStartAppending(&value), 0);
    if (text) {
        assert_int_equal(ArrowArrayAppendString(&value, ArrowCharView(text)), 0);
    } else {
        assert_int_equal(ArrowArrayAppendNull(&value, 1), 0);
    }
    assert_int_equal(ArrowArrayFinishBuildingDefault(&value, NULL), 0);
    struct weir_filter filter = {"catalog", op, &value_type, &value, "catalog ..."};
    struct weir_scan_request request = {
        .size = sizeof request, .all_columns = 1, .filters = &filter, .n_filters = 1, .limit = -1};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    assert_int_equal(open_found("system", "namespaces", &table, NULL), WEIR_OK);
    assert_int_equal(table.kind->classify(table.instance, &filter, 1, ret_support, NULL), WEIR_OK);
    assert_int_equal(scan(&table, &request, &schema, &batch, NULL), WEIR_OK);
    int64_t n_rows = batch.length;
    batch.release(&batch);
    schema.release(&schema);
    table.release(&table);
    value.release(&value);
    value_type.release(&value_type);
    return n_rows;
}

static void a_filter_on_the_catalog_spares_the_others(void **state) {
    (void)state;
    int32_t support = -1;
    static const enum ArrowType types[] = {NANOARROW_TYPE_STRING, NANOARROW_TYPE_LARGE_STRING,
                                           NANOARROW_TYPE_STRING_VIEW};
    for (size_t i = 0; i < N_OF(types); i++) {
        assert_int_equal(count_where(WEIR_OPERATOR_EQ, types[i], "lake", &support), 1);
        assert_int_equal(support, WEIR_FILTER_INEXACT);
        assert_int_equal(count_where(WEIR_OPERATOR_EQ, types[i], "sea", &support), 0);
    }
    assert_int_equal(count_where(WEIR_OPERATOR_EQ, NANOARROW_TYPE_STRING, NULL, &support), 2);
    assert_int_equal(count_where(WEIR_OPERATOR_NE, NANOARROW_TYPE_STRING, "lake", &support), 2);
    assert_int_equal(support, WEIR_FILTER_NO);
}

static void a_source_that_fails_fails_the_scan_and_names_the_table(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_table table = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct weir_scan_request all = {.size = sizeof all, .all_columns = 1, .limit = -1};
    assert_int_equal(open_found("system", "namespaces", &table, NULL), WEIR_OK);
    fill_code = WEIR_IO;
    assert_int_equal(scan(&table, &all, &schema, &batch, &error), WEIR_IO);
    assert_string_equal(error.message, "system.namespaces: the lake is dry");
    assert_null(batch.release);
    table.release(&table);
}

/* ---- Extensions ---- */

static int probe_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    (void)definition;
    (void)ret_table;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "not for tests");
}

static int probe_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table;
    (void)ret_form;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL, "not for tests");
}

static void probe_close(void *table) {
    (void)table;
}

static const struct weir_table_kind probe = {
    .size = sizeof probe,
    .name = "probe",
    .open = probe_open,
    .close = probe_close,
    .form = probe_form,
};

/* The row of an extension; -1 when there is none. */
static int64_t find_extension(const struct ArrowArrayView *view, const char *name,
                              const char *type) {
    for (int64_t i = 0; i < view->length; i++) {
        struct ArrowStringView a = ArrowArrayViewGetStringUnsafe(view->children[0], i);
        struct ArrowStringView b = ArrowArrayViewGetStringUnsafe(view->children[1], i);
        if ((size_t)a.size_bytes == strlen(name) && memcmp(a.data, name, strlen(name)) == 0 &&
            (size_t)b.size_bytes == strlen(type) && memcmp(b.data, type, strlen(type)) == 0)
            return i;
    }
    return -1;
}

static void extensions_tell_built_in_kinds_from_registered_ones(void **state) {
    (void)state;
    struct wr_table table = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct ArrowArrayView view;
    struct weir_scan_request all = {.size = sizeof all, .all_columns = 1, .limit = -1};
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_equal(open_found("system", "extensions", &table, NULL), WEIR_OK);
    assert_int_equal(scan(&table, &all, &schema, &batch, NULL), WEIR_OK);
    view_batch(&view, &schema, &batch);
    int64_t files = find_extension(&view, "files", "table kind");
    int64_t ours = find_extension(&view, "system", "table kind");
    int64_t theirs = find_extension(&view, "probe", "table kind");
    assert_true(files >= 0 && ours >= 0 && theirs >= 0);
    assert_text(&view, 3, files, "built-in");
    assert_text(&view, 3, ours, "built-in");
    assert_text(&view, 3, theirs, "registered");
    assert_text(&view, 2, ours, "what weir knows of itself");
    assert_text(&view, 2, theirs, NULL);
    ArrowArrayViewReset(&view);
    batch.release(&batch);
    schema.release(&schema);
    table.release(&table);
}

/* ---- The mount ---- */

static int count_entry(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    int *count = sink;
    assert_int_equal(entry->type, WEIR_ENTRY_TABLE);
    assert_string_equal(entry->name, entry->table);
    assert_int_equal(entry->n_bytes, -1);
    if (++*count == 20) return wr_error_set(error, WEIR_CANCELLED, NULL, "enough");
    return WEIR_OK;
}

static void the_mount_lists_its_tables_at_its_root_only(void **state) {
    (void)state;
    struct weir_error error = {0};
    int count = 0;
    assert_int_equal(wr_mount_system.list(wr_system, "", count_entry, &count, NULL), WEIR_OK);
    assert_int_equal(count, N_OF(streams) + 2);
    count = 19;
    assert_int_equal(wr_mount_system.list(wr_system, "", count_entry, &count, NULL),
                     WEIR_CANCELLED);
    assert_int_equal(wr_mount_system.list(wr_system, "mounts", count_entry, &count, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.message, "\"mounts\" is a table, not a directory");
}

static void the_mount_finds_its_root_and_its_tables(void **state) {
    (void)state;
    struct weir_found found = {0};
    assert_int_equal(wr_mount_system.find(wr_system, "", &found, NULL), WEIR_OK);
    assert_int_equal(found.entry.type, WEIR_ENTRY_DIRECTORY);
    assert_null(found.kind);
    found.release(&found);
    assert_int_equal(wr_mount_system.find(wr_system, "mounts", &found, NULL), WEIR_OK);
    assert_int_equal(found.entry.type, WEIR_ENTRY_TABLE);
    assert_string_equal(found.path, "mounts");
    assert_string_equal(found.kind, "system");
    assert_int_equal(found.n_options, 1);
    assert_string_equal(found.options[0].key, "table");
    assert_string_equal(found.options[0].value, "mounts");
    found.release(&found);
}

static void a_name_that_is_no_table_is_answered_with_the_nearest(void **state) {
    (void)state;
    static const char *const paths[] = {"mount", "mounts.parquet", "public/mounts"};
    for (size_t i = 0; i < N_OF(paths); i++) {
        struct weir_error error = {0};
        struct weir_found found = {0};
        assert_int_equal(wr_mount_system.find(wr_system, paths[i], &found, &error), WEIR_NOT_FOUND);
        assert_null(found.release);
        assert_string_equal(error.sqlstate, "42P01");
        if (i == 0) assert_non_null(strstr(error.message, "did you mean \"mounts\"?"));
        assert_non_null(
            strstr(error.message, "its tables are caches, columns, constraints, extensions"));
    }
}

/* ---- Whose the tables are ---- */

static void nobody_else_makes_tables_or_mounts_of_this_kind(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_table table = {0};
    void *mount = NULL;
    assert_int_equal(open_found("weir", "mounts", &table, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "table \"mounts\": weir itself makes"));
    struct weir_definition definition = {.size = sizeof definition, .name = "s"};
    assert_int_equal(wr_mount_system.open(&definition, &mount, &error), WEIR_NOT_IMPLEMENTED);
    assert_null(mount);
}

static void two_workspaces_have_their_own_tables(void **state) {
    (void)state;
    struct wr_registry *other_registry = NULL;
    struct wr_system *other = NULL;
    struct wr_table table = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct weir_scan_request all = {.size = sizeof all, .all_columns = 1, .limit = -1};
    assert_int_equal(wr_registry_new(&other_registry, NULL), WEIR_OK);
    struct wr_system_state given = {.registry = other_registry};
    assert_int_equal(wr_system_new(&given, &other, NULL), WEIR_OK);
    struct wr_registry *first_registry = registry;
    struct wr_system *first = wr_system;
    const int64_t n_rows[] = {0, 2};
    for (size_t i = 0; i < 2; i++) {
        registry = i == 0 ? other_registry : first_registry;
        wr_system = i == 0 ? other : first;
        assert_int_equal(open_found("system", "namespaces", &table, NULL), WEIR_OK);
        assert_int_equal(scan(&table, &all, &schema, &batch, NULL), WEIR_OK);
        assert_int_equal(batch.length, n_rows[i]);
        batch.release(&batch);
        schema.release(&schema);
        table.release(&table);
    }
    wr_registry_free(other_registry);
    wr_system_free(other);
}

static void a_source_must_be_of_a_table_that_takes_one(void **state) {
    (void)state;
    static const char *const names[] = {"mount", "views", "extensions"};
    for (size_t i = 0; i < N_OF(names); i++) {
        struct weir_error error = {0};
        struct wr_registry *other_registry = NULL;
        struct wr_system *other = NULL;
        struct wr_system_source source = {names[i], fill_namespaces, NULL};
        assert_int_equal(wr_registry_new(&other_registry, NULL), WEIR_OK);
        struct wr_system_state given = {
            .registry = other_registry, .sources = &source, .n_sources = 1};
        assert_int_not_equal(wr_system_new(&given, &other, &error), WEIR_OK);
        assert_non_null(strstr(error.message, names[i]));
        assert_null(other);
        wr_registry_free(other_registry);
    }
}

static int read_all(const char *name, struct weir_error *error) {
    struct wr_table table = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    const int32_t columns[] = {1, 0};
    struct weir_scan_request request = {
        .size = sizeof request, .columns = columns, .n_columns = 2, .limit = -1};
    WR_TRY(open_found("system", name, &table, error));
    int code = scan(&table, &request, &schema, &batch, error);
    wr_arrow_release_array(&batch);
    wr_arrow_release_schema(&schema);
    table.release(&table);
    return code;
}

static void every_failed_allocation_of_a_scan_is_an_error_without_a_leak(void **state) {
    (void)state;
    static const char *const names[] = {"namespaces", "settings", "extensions"};
    for (size_t i = 0; i < N_OF(names); i++) {
        for (int64_t n = 1;; n++) {
            struct weir_error error = {0};
            wr_alloc_fail_at(n);
            int code = read_all(names[i], &error);
            wr_alloc_fail_at(0);
            if (code == WEIR_OK) {
                assert_true(n > 40);
                break;
            }
            if (strcmp(error.sqlstate, "53200") != 0) fail_msg("%s", error.message);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(every_table_with_rows_of_its_own_has_its_final_columns),
        TEST(tables_that_the_engine_knows_are_queries),
        TEST(settings_are_those_of_weir_and_then_the_engines),
        TEST(a_table_without_a_source_is_empty),
        TEST(each_scan_reads_what_is_there_when_it_begins),
        TEST(the_columns_come_in_the_order_that_is_asked_for),
        TEST(a_filter_on_the_catalog_spares_the_others),
        TEST(a_source_that_fails_fails_the_scan_and_names_the_table),
        TEST(extensions_tell_built_in_kinds_from_registered_ones),
        TEST(the_mount_lists_its_tables_at_its_root_only),
        TEST(the_mount_finds_its_root_and_its_tables),
        TEST(a_name_that_is_no_table_is_answered_with_the_nearest),
        TEST(nobody_else_makes_tables_or_mounts_of_this_kind),
        TEST(two_workspaces_have_their_own_tables),
        TEST(a_source_must_be_of_a_table_that_takes_one),
        TEST(every_failed_allocation_of_a_scan_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
