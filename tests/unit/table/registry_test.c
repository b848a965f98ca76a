/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "table/registry.h"

/* ---- A kind that counts what is asked of it ---- */

static int n_opened;
static int n_closed;
static char opened_key[32];

static int probe_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    (void)error;
    static char table;
    n_opened++;
    if (definition->n_options > 0) {
        strncpy(opened_key, definition->options[0].key, sizeof opened_key - 1);
    }
    *ret_table = &table;
    return WEIR_OK;
}

static void probe_close(void *table) {
    (void)table;
    n_closed++;
}

static void probe_form_release(struct weir_form *form) {
    wr_arrow_release_schema(&form->schema);
    form->release = NULL;
}

static int probe_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table;
    (void)error;
    *ret_form = (struct weir_form){.type = WEIR_FORM_STREAM, .release = probe_form_release};
    rows_schema(&ret_form->schema);
    return WEIR_OK;
}

static int32_t probe_parts(void *table) {
    (void)table;
    return 2;
}

static const struct weir_option_spec probe_options[] = {
    {"rows", WEIR_OPTION_INTEGER, 0, "how many"},
    {"format.", WEIR_OPTION_PREFIX, 0, "how it is written"},
};

static const struct weir_table_kind probe = {
    .size = sizeof probe,
    .name = "probe",
    .roles = WEIR_ROLE_PATH,
    .options = probe_options,
    .n_options = N_OF(probe_options),
    .open = probe_open,
    .close = probe_close,
    .form = probe_form,
};

static struct wr_registry *registry;

static int setup(void **state) {
    (void)state;
    n_opened = n_closed = 0;
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wr_registry_free(registry);
    return 0;
}

/* ---- Kinds ---- */

static void every_built_in_kind_is_found_by_name_and_by_role(void **state) {
    (void)state;
    const char *const names[] = {"files", "derived", "memory", "stream", "values"};
    for (size_t i = 0; i < N_OF(names); i++) {
        const struct weir_table_kind *kind = NULL;
        assert_int_equal(wr_registry_find(registry, names[i], &kind, NULL), WEIR_OK);
        assert_string_equal(kind->name, names[i]);
    }
    assert_string_equal(wr_registry_role(registry, WEIR_ROLE_VIEW)->name, "derived");
    assert_string_equal(wr_registry_role(registry, WEIR_ROLE_TABLE)->name, "memory");
    assert_string_equal(wr_registry_role(registry, WEIR_ROLE_PATH)->name, "files");
    assert_string_equal(wr_registry_role(registry, WEIR_ROLE_EXTERNAL)->name, "files");
    assert_null(wr_registry_role(registry, UINT32_C(1) << 30));
}

static void an_unknown_kind_is_refused_with_the_nearest_and_all_names(void **state) {
    (void)state;
    struct weir_error error = {0};
    const struct weir_table_kind *kind = NULL;
    assert_int_equal(wr_registry_find(registry, "memroy", &kind, &error), WEIR_NOT_FOUND);
    assert_null(kind);
    assert_non_null(strstr(error.message, "did you mean \"memory\"?"));
    assert_non_null(
        strstr(error.message, "known kinds: files, derived, memory, sql, stream, values"));
}

static void a_kind_that_breaks_the_contract_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_table_kind kind = probe;
    kind.size = 8;
    assert_int_equal(wr_registry_add(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "size is 8"));
    kind = probe;
    kind.form = NULL;
    assert_int_equal(wr_registry_add(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "`form` is NULL"));
    kind = probe;
    kind.parts = probe_parts;
    assert_int_equal(wr_registry_add(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "`execute_parts` is NULL"));
    kind = probe;
    kind.options = NULL;
    assert_int_equal(wr_registry_add(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    const char *const names[] = {NULL, "", "Probe", "a-b", "1a"};
    for (size_t i = 0; i < N_OF(names); i++) {
        kind = probe;
        kind.name = names[i];
        assert_int_equal(wr_registry_add(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    }
    assert_int_equal(wr_registry_add(registry, NULL, &error), WEIR_INVALID_ARGUMENT);
}

static void a_name_is_taken_once_and_the_last_kind_of_a_role_serves_it(void **state) {
    (void)state;
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_ALREADY_EXISTS);
    assert_ptr_equal(wr_registry_role(registry, WEIR_ROLE_PATH), &probe);
    assert_string_equal(wr_registry_role(registry, WEIR_ROLE_EXTERNAL)->name, "files");
}

/* ---- Instances ---- */

static int open_probe(const char *key, const char *value, struct wr_instance **ret_instance,
                      struct weir_error *error) {
    struct weir_option option = {key, value};
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = "public",
                                         .name = "t",
                                         .kind = "probe",
                                         .options = &option,
                                         .n_options = 1};
    return wr_instance_open(registry, &definition, ret_instance, error);
}

static void options_are_checked_before_the_kind_sees_them(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_instance *instance = NULL;
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_not_equal(open_probe("rwos", "1", &instance, &error), WEIR_OK);
    assert_non_null(strstr(error.message, "table \"t\" (kind probe)"));
    assert_int_not_equal(open_probe("rows", "many", &instance, &error), WEIR_OK);
    assert_int_equal(n_opened, 0);
    assert_null(instance);
}

static void option_keys_get_the_spelling_of_the_kind(void **state) {
    (void)state;
    struct wr_instance *instance = NULL;
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_equal(open_probe("ROWS", "1", &instance, NULL), WEIR_OK);
    assert_string_equal(opened_key, "rows");
    wr_instance_release(instance);
    assert_int_equal(open_probe("Format.Delimiter", ";", &instance, NULL), WEIR_OK);
    assert_string_equal(opened_key, "format.Delimiter");
    wr_instance_release(instance);
}

static void a_table_is_closed_when_its_last_user_is_gone(void **state) {
    (void)state;
    struct wr_instance *instance = NULL;
    struct wr_table table = {0};
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_equal(open_probe("rows", "1", &instance, NULL), WEIR_OK);
    assert_int_equal(wr_instance_table(instance, &table, NULL), WEIR_OK);
    assert_ptr_equal(table.kind, &probe);
    assert_int_equal(table.is_view, 0);
    wr_instance_release(instance);
    assert_int_equal(n_closed, 0);
    table.release(&table);
    assert_int_equal(n_closed, 1);
}

static void inserting_into_a_read_only_kind_is_an_error_that_frees_the_rows(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_instance *instance = NULL;
    struct ArrowArrayStream rows;
    int64_t n_rows = 0;
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    assert_int_equal(open_probe("rows", "1", &instance, NULL), WEIR_OK);
    rows_stream((struct rows_plan){1, 1, 0, 0, 0}, &rows);
    assert_int_equal(wr_instance_insert(instance, WEIR_INSERT_APPEND, &rows, &n_rows, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_null(rows.release);
    assert_non_null(strstr(error.message, "read only"));
    wr_instance_release(instance);
}

static void every_failed_allocation_of_opening_is_an_error_without_a_leak(void **state) {
    (void)state;
    assert_int_equal(wr_registry_add(registry, &probe, NULL), WEIR_OK);
    for (int64_t n = 1;; n++) {
        struct weir_error error = {0};
        struct wr_instance *instance = NULL;
        wr_alloc_fail_at(n);
        int code = open_probe("rows", "1", &instance, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) {
            wr_instance_release(instance);
            assert_true(n > 4);
            return;
        }
        assert_string_equal(error.sqlstate, "53200");
        assert_null(instance);
    }
}

/* ---- Queries as tables ---- */

/* Opens a table of a kind with up to three options and gives its form. */
static int open_query(const char *kind, const struct weir_option *options, size_t n_options,
                      const struct ArrowSchema *columns, struct wr_table *ret_table,
                      struct weir_error *error) {
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = "sales",
                                         .name = "Top 10",
                                         .kind = kind,
                                         .options = options,
                                         .n_options = n_options,
                                         .columns = columns};
    struct wr_instance *instance = NULL;
    WR_TRY(wr_instance_open(registry, &definition, &instance, error));
    int code = wr_instance_table(instance, ret_table, error);
    wr_instance_release(instance);
    return code;
}

static void a_derived_table_is_its_query_in_its_own_schema(void **state) {
    (void)state;
    struct wr_table table = {0};
    const struct weir_option query = {"query", "SELECT 1"};
    assert_int_equal(open_query("derived", &query, 1, NULL, &table, NULL), WEIR_OK);
    assert_int_equal(table.form.type, WEIR_FORM_SQL);
    assert_string_equal(table.form.sql.query, "SELECT 1");
    assert_string_equal(table.form.sql.catalog, "weir");
    assert_string_equal(table.form.sql.schema, "sales");
    assert_int_equal(table.is_view, 1);
    assert_string_equal(table.definition, "CREATE VIEW \"Top 10\" AS SELECT 1");
    table.release(&table);
}

static void a_view_made_from_elsewhere_looks_names_up_there(void **state) {
    (void)state;
    struct wr_table table = {0};
    const struct weir_option options[] = {{"query", "SELECT 1"}, {"lookup_schema", "public"}};
    assert_int_equal(open_query("derived", options, 2, NULL, &table, NULL), WEIR_OK);
    assert_string_equal(table.form.sql.schema, "public");
    assert_string_equal(table.definition, "CREATE VIEW sales.\"Top 10\" AS SELECT 1");
    table.release(&table);
    const struct weir_option catalog[] = {{"query", "SELECT 1"}, {"lookup_catalog", "other"}};
    assert_int_equal(open_query("derived", catalog, 2, NULL, &table, NULL), WEIR_OK);
    assert_string_equal(table.definition, "CREATE VIEW weir.sales.\"Top 10\" AS SELECT 1");
    table.release(&table);
}

static void a_values_table_is_its_rows_as_a_query(void **state) {
    (void)state;
    struct wr_table table = {0};
    const struct weir_option options[] = {{"rows", "(1, 'a'), (2, 'b')"}, {"columns", "id, name"}};
    assert_int_equal(open_query("values", options, 2, NULL, &table, NULL), WEIR_OK);
    assert_string_equal(table.form.sql.query, "SELECT * FROM (VALUES (1, 'a'), (2, 'b')\n) AS "
                                              "\"Top 10\"(id, name\n)");
    assert_int_equal(table.is_view, 0);
    assert_null(table.definition);
    table.release(&table);
    assert_int_equal(open_query("values", options, 1, NULL, &table, NULL), WEIR_OK);
    assert_string_equal(table.form.sql.query, "SELECT * FROM (VALUES (1, 'a'), (2, 'b')\n)");
    table.release(&table);
}

static void queries_as_tables_refuse_columns_and_empty_texts(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_table table = {0};
    struct ArrowSchema columns;
    rows_schema(&columns);
    const struct weir_option query = {"query", "SELECT 1"};
    const struct weir_option no_query = {"query", " \n"};
    const struct weir_option rows = {"rows", "(1)"};
    const struct weir_option no_rows = {"rows", ""};
    assert_int_equal(open_query("derived", &query, 1, &columns, &table, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(open_query("values", &rows, 1, &columns, &table, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "leave out the column list"));
    assert_int_equal(open_query("derived", &no_query, 1, NULL, &table, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(open_query("values", &no_rows, 1, NULL, &table, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_null(table.release);
    columns.release(&columns);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_built_in_kind_is_found_by_name_and_by_role),
        TEST(an_unknown_kind_is_refused_with_the_nearest_and_all_names),
        TEST(a_kind_that_breaks_the_contract_is_refused),
        TEST(a_name_is_taken_once_and_the_last_kind_of_a_role_serves_it),
        TEST(options_are_checked_before_the_kind_sees_them),
        TEST(option_keys_get_the_spelling_of_the_kind),
        TEST(a_table_is_closed_when_its_last_user_is_gone),
        TEST(inserting_into_a_read_only_kind_is_an_error_that_frees_the_rows),
        TEST(every_failed_allocation_of_opening_is_an_error_without_a_leak),
        TEST(a_derived_table_is_its_query_in_its_own_schema),
        TEST(a_view_made_from_elsewhere_looks_names_up_there),
        TEST(a_values_table_is_its_rows_as_a_query),
        TEST(queries_as_tables_refuse_columns_and_empty_texts),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
