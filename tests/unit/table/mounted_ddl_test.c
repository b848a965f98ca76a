/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE and DROP in a mount whose kind makes tables, and secrets in what is stored. */
#include "toy.h"

#include <stdio.h>
#include <stdlib.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"

/* ---- A kind that makes tables, which it only counts ---- */

enum { MOST = 8 };
static char made[MOST][64]; /* paths; '/' at the end: a schema. Empty: none */
static int n_replaced;
static int fails; /* the next create_table fails */

static char *find_made(const char *path, bool schema) {
    char name[64];
    snprintf(name, sizeof name, "%s%s", path, schema ? "/" : "");
    for (size_t i = 0; i < MOST; i++) {
        if (strcmp(made[i], name) == 0) return made[i];
    }
    return NULL;
}

static void put(const char *path, bool schema) {
    for (size_t i = 0; i < MOST; i++) {
        if (*made[i]) continue;
        snprintf(made[i], sizeof made[i], "%s%s", path, schema ? "/" : "");
        return;
    }
    fail_msg("too many tables");
}

static char opened_url[128];

static int maker_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    (void)error;
    snprintf(opened_url, sizeof opened_url, "%s",
             wr_options_get(definition->options, definition->n_options, "url"));
    *ret_mount = made;
    return WEIR_OK;
}

static void maker_close(void *mount) {
    (void)mount;
}

static int maker_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    (void)mount;
    (void)path;
    (void)take;
    (void)sink;
    (void)error;
    return WEIR_OK;
}

static int maker_find(void *mount, const char *path, struct weir_found *ret_found,
                      struct weir_error *error) {
    static const struct weir_option option = {"path", "x"};
    (void)mount;
    bool schema = find_made(path, true) != NULL;
    if (!schema && !find_made(path, false))
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "no %s", path);
    *ret_found = (struct weir_found){
        .size = sizeof *ret_found,
        .entry = {.size = sizeof ret_found->entry,
                  .type = schema ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_TABLE,
                  .name = path,
                  .n_bytes = -1},
        .path = path,
        .is_exact = 1,
        .kind = schema ? NULL : "toy_file",
        .options = &option,
        .n_options = 1,
    };
    return WEIR_OK;
}

static int maker_make_directory(void *mount, const char *path, struct weir_error *error) {
    (void)mount;
    if (find_made(path, true))
        return wr_error_set(error, WEIR_ALREADY_EXISTS, "42P06", "%s is there", path);
    put(path, true);
    return WEIR_OK;
}

static int maker_remove(void *mount, const char *path, int recursive, struct weir_error *error) {
    (void)mount;
    char *schema = find_made(path, true);
    if (schema && !recursive)
        return wr_error_set(error, WEIR_INVALID_STATE, "2BP01", "%s is not empty", path);
    *(schema ? schema : find_made(path, false)) = '\0';
    return WEIR_OK;
}

static int maker_create(void *mount, const char *path, const struct ArrowSchema *columns,
                        int replace, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                        struct weir_error *error) {
    (void)mount;
    assert_non_null(columns);
    int64_t n = 0;
    int code = WEIR_OK;
    while (rows && code == WEIR_OK) {
        struct ArrowArray array = {0};
        code = wr_arrow_stream_next(rows, "rows", &array, error);
        if (code || !array.release) break;
        n += array.length;
        wr_arrow_release_array(&array);
    }
    wr_arrow_release_stream(rows);
    if (code == WEIR_OK && fails)
        code = wr_error_set(error, WEIR_IO, "58030", "the source is away");
    if (code) return code;
    if (!find_made(path, false)) put(path, false);
    n_replaced += replace;
    *ret_n_rows = n;
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    {"url", WEIR_OPTION_TEXT, 1, "where"},
    {"password", WEIR_OPTION_TEXT, 0, "a secret"},
};

static const struct weir_mount_kind maker = {
    .size = sizeof maker,
    .name = "maker",
    .summary = "makes tables",
    .default_schema = "root",
    .options = options,
    .n_options = N_OF(options),
    .open = maker_open,
    .close = maker_close,
    .list = maker_list,
    .find = maker_find,
    .make_directory = maker_make_directory,
    .remove = maker_remove,
    .create_table = maker_create,
};

static int attach(struct wr_names *in, const char *name, const char *url, const char *password,
                  struct weir_error *error) {
    struct weir_option given[] = {{"url", url}, {"password", password}};
    struct weir_definition definition = {.size = sizeof definition,
                                         .name = name,
                                         .kind = "maker",
                                         .options = given,
                                         .n_options = password ? 2 : 1};
    return wr_names_attach(in, &definition, "sql", 0, error);
}

static int setup(void **state) {
    memset(made, 0, sizeof made);
    n_replaced = fails = 0;
    put("s", true);
    toy_setup_directory(state);
    assert_int_equal(wr_registry_add_mount(registry, &maker, NULL), WEIR_OK);
    assert_int_equal(attach(names, "m", "here", NULL, NULL), WEIR_OK);
    return 0;
}

/* ---- Tables ---- */

static int create(const char *catalog, const char *schema, const char *name, int flags,
                  bool *ret_created, struct weir_error *error) {
    struct ArrowSchema columns = {0};
    struct ArrowArrayStream rows = {0};
    int64_t n_rows = -1;
    assert_int_equal(wr_arrow_empty_stream(&rows, NULL), WEIR_OK);
    assert_int_equal(rows.get_schema(&rows, &columns), 0);
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = catalog,
                                         .schema = schema,
                                         .name = name,
                                         .kind = "memory",
                                         .columns = &columns};
    int code = wr_names_create_table(names, &definition, flags, &rows, ret_created, &n_rows, error);
    assert_null(rows.release);
    if (code == WEIR_OK) assert_int_equal(n_rows, 0);
    wr_arrow_release_schema(&columns);
    return code;
}

static void a_table_is_made_where_its_name_leads(void **state) {
    (void)state;
    bool created = false;
    assert_int_equal(create("m", "s", "a", 0, &created, NULL), WEIR_OK);
    assert_true(created);
    assert_non_null(find_made("s/a", false));
    assert_int_equal(create("m", "root", "b", 0, &created, NULL), WEIR_OK);
    assert_non_null(find_made("b", false));
    /* As from `weir`, where m.c is (weir, m, c). */
    assert_int_equal(create("weir", "m", "c", 0, &created, NULL), WEIR_OK);
    assert_non_null(find_made("c", false));
    /* A schema of the catalog's own comes first. */
    assert_int_equal(wr_names_create_schema(names, "weir", "m", 0, NULL), WEIR_OK);
    assert_int_equal(create("weir", "m", "d", 0, &created, NULL), WEIR_OK);
    assert_null(find_made("d", false));
}

static void a_table_that_is_there_is_kept_replaced_or_an_error(void **state) {
    (void)state;
    struct weir_error error = {0};
    bool created = true;
    assert_int_equal(create("m", "s", "a", 0, &created, NULL), WEIR_OK);
    assert_int_equal(create("m", "s", "a", 0, &created, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P07");
    assert_int_equal(n_replaced, 0);
    assert_int_equal(create("m", "s", "a", WR_CREATE_IF_NOT_EXISTS, &created, NULL), WEIR_OK);
    assert_false(created);
    assert_int_equal(create("m", "s", "a", WR_CREATE_OR_REPLACE, &created, NULL), WEIR_OK);
    assert_true(created);
    assert_int_equal(n_replaced, 1);
    int both = WR_CREATE_IF_NOT_EXISTS | WR_CREATE_OR_REPLACE;
    assert_int_equal(create("m", "s", "a", both, &created, &error), WEIR_INVALID_ARGUMENT);
}

static void what_a_mount_does_not_make_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    bool created = false;
    assert_int_equal(create("m", "s", "a", WR_CREATE_TEMPORARY, &created, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_int_equal(toy_view(names, "m", "s", "v", &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "\"m\", which is a mount"));
    fails = 1;
    assert_int_equal(create("m", "s", "a", 0, &created, &error), WEIR_IO);
    assert_string_equal(error.message, "the source is away");
    assert_null(find_made("s/a", false));
}

static void a_table_is_dropped_and_its_instance_forgotten(void **state) {
    (void)state;
    struct weir_error error = {0};
    const struct wr_name name = {"m", "s", "a"};
    bool created = false;
    assert_int_equal(create("m", "s", "a", 0, &created, NULL), WEIR_OK);
    assert_int_equal(toy_look_up(names, "m", "s", "a", NULL), WEIR_OK);
    assert_int_equal(toy_counts.tables, 1); /* kept for the next query */
    assert_int_equal(wr_names_drop_table(names, &name, true, false, &error), WEIR_NOT_IMPLEMENTED);
    assert_int_equal(wr_names_drop_table(names, &name, false, false, NULL), WEIR_OK);
    assert_int_equal(toy_counts.tables, 0);
    assert_null(find_made("s/a", false));
    assert_int_equal(wr_names_drop_table(names, &name, false, false, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "42P01");
    assert_int_equal(wr_names_drop_table(names, &name, false, true, NULL), WEIR_OK);
}

static void an_expected_name_is_looked_up_without_an_error(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_table table = {0};
    const struct wr_name name = {"m", "s", "a"}, other = {"weir", "public", "a"};
    bool expected = true;
    assert_int_equal(wr_names_table(names, "m", "s", "a", NULL, 0, &table, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "no s/a");
    assert_int_equal(wr_names_expect(names, &other, &expected, NULL), WEIR_OK);
    assert_false(expected);
    assert_int_equal(wr_names_expect(names, &name, &expected, NULL), WEIR_OK);
    assert_true(expected);
    assert_int_equal(wr_names_table(names, "m", "s", "a", NULL, 0, &table, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "");
    assert_int_equal(wr_names_table(names, "m", "s", "b", NULL, 0, &table, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "no s/b");
    wr_names_unexpect(names, &name);
    assert_int_equal(wr_names_table(names, "m", "s", "a", NULL, 0, &table, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "no s/a");
}

/* ---- Schemas ---- */

static void schemas_are_made_and_dropped(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(wr_names_create_schema(names, "m", "t", 0, NULL), WEIR_OK);
    assert_non_null(find_made("t", true));
    assert_int_equal(wr_names_create_schema(names, "m", "t", 0, &error), WEIR_ALREADY_EXISTS);
    assert_int_equal(wr_names_create_schema(names, "m", "t", WR_CREATE_IF_NOT_EXISTS, NULL),
                     WEIR_OK);
    assert_int_equal(wr_names_drop_schema(names, "m", "t", false, false, &error),
                     WEIR_INVALID_STATE);
    assert_int_equal(wr_names_drop_schema(names, "m", "t", false, true, NULL), WEIR_OK);
    assert_null(find_made("t", true));
    assert_int_equal(wr_names_drop_schema(names, "m", "t", false, true, &error), WEIR_NOT_FOUND);
    assert_int_equal(wr_names_drop_schema(names, "m", "t", true, true, NULL), WEIR_OK);
}

/* ---- Secrets ---- */

static void a_password_is_stored_in_no_file(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *kept = toy_open_names(toy_directory);
    assert_int_equal(attach(kept, "p", "db://me:hunter2@host/x", NULL, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "28000");
    assert_non_null(strstr(error.message, "${env:NAME}"));
    assert_null(strstr(error.message, "hunter2"));
    assert_int_equal(attach(kept, "p", "db://host/x", "hunter2", &error), WEIR_INVALID_ARGUMENT);
    struct weir_option query = {"query", "SELECT 1"}, given[] = {query, {"password", "hunter2"}};
    struct weir_definition table = {.size = sizeof table,
                                    .catalog = "weir",
                                    .schema = "public",
                                    .name = "t",
                                    .kind = "derived",
                                    .options = given,
                                    .n_options = 2};
    assert_int_equal(wr_names_create_table(kept, &table, 0, NULL, NULL, NULL, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "28000");
    wr_names_close(kept);
}

static void a_reference_is_stored_and_put_in_when_the_mount_is_opened(void **state) {
    (void)state;
    struct weir_error error = {0};
    setenv("WEIR_TEST_URL", "db://me:hunter2@host/x", 1);
    struct wr_names *kept = toy_open_names(toy_directory);
    assert_int_equal(attach(kept, "p", "${env:WEIR_TEST_URL}", NULL, NULL), WEIR_OK);
    assert_string_equal(opened_url, "db://me:hunter2@host/x");
    assert_string_equal(toy_mounts(kept), "p maker ${env:WEIR_TEST_URL} sql;");
    wr_names_close(kept);
    unsetenv("WEIR_TEST_URL");
    kept = toy_open_names(toy_directory);
    assert_int_equal(toy_look_up(kept, "p", "s", "a", &error), WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "WEIR_TEST_URL is not set"));
    setenv("WEIR_TEST_URL", "db://other", 1);
    assert_int_equal(toy_look_up(kept, "p", "s", "a", &error), WEIR_NOT_FOUND);
    assert_string_equal(opened_url, "db://other");
    wr_names_close(kept);
    unsetenv("WEIR_TEST_URL");
}

static void a_password_in_memory_is_shown_nowhere(void **state) {
    (void)state;
    assert_int_equal(attach(names, "p", "db://me:hunter2@host/x", NULL, NULL), WEIR_OK);
    assert_string_equal(opened_url, "db://me:hunter2@host/x");
    assert_string_equal(toy_mounts(names), "m maker here sql;p maker db://me:***@host/x sql;");
}

#define MAKER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, toy_teardown_directory)

int main(void) {
    const struct CMUnitTest tests[] = {
        MAKER_TEST(a_table_is_made_where_its_name_leads),
        MAKER_TEST(a_table_that_is_there_is_kept_replaced_or_an_error),
        MAKER_TEST(what_a_mount_does_not_make_is_refused),
        MAKER_TEST(a_table_is_dropped_and_its_instance_forgotten),
        MAKER_TEST(an_expected_name_is_looked_up_without_an_error),
        MAKER_TEST(schemas_are_made_and_dropped),
        MAKER_TEST(a_password_is_stored_in_no_file),
        MAKER_TEST(a_reference_is_stored_and_put_in_when_the_mount_is_opened),
        MAKER_TEST(a_password_in_memory_is_shown_nowhere),
    };
    return cmocka_run_group_tests_name("mounted_ddl", tests, NULL, NULL);
}
