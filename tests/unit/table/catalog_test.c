/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/catalog.h"

/* ---- A kind that is kept in the catalog, hears of drops, and reads paths ---- */

static int n_open; /* opened and not closed */
static int n_dropped;
static char last_place[64];

static int kept_open(const struct weir_definition *definition, void **ret_table,
                     struct weir_error *error) {
    const char *place = definition->n_options > 0 ? definition->options[0].value : "";
    if (strcmp(place, "kept://nowhere.csv") == 0) {
        return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no file \"nowhere.csv\"");
    }
    strncpy(last_place, place, sizeof last_place - 1);
    n_open++;
    *ret_table = &n_open;
    return WEIR_OK;
}

static void kept_close(void *table) {
    (void)table;
    n_open--;
}

static void kept_form_release(struct weir_form *form) {
    form->release = NULL;
}

static int kept_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)table;
    if (strcmp(last_place, "formless") == 0) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "the footer is cut off");
    }
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL, .sql = {.query = "SELECT 1"}, .release = kept_form_release};
    return WEIR_OK;
}

static int kept_drop(void *table, struct weir_error *error) {
    (void)table;
    (void)error;
    n_dropped++;
    return WEIR_OK;
}

static const struct weir_option_spec kept_options[] = {
    {"path", WEIR_OPTION_TEXT, 0, "where"},
    {"note", WEIR_OPTION_TEXT, 0, "why"},
};

static const struct weir_table_kind kept = {
    .size = sizeof kept,
    .name = "kept",
    .roles = WEIR_ROLE_PATH,
    .options = kept_options,
    .n_options = N_OF(kept_options),
    .open = kept_open,
    .close = kept_close,
    .form = kept_form,
    .drop = kept_drop,
};

/* ---- Set-up ---- */

static struct wr_registry *registry;
static struct wr_names *names;
static char directory[] = "/tmp/weir-catalog-XXXXXX";

static struct wr_names *open_names(const char *path) {
    struct weir_error error = {0};
    struct wr_names *opened = NULL;
    int code = wr_names_open(path, "weir", "public", registry, &opened, &error);
    if (code) print_error("%s\n", error.message);
    assert_int_equal(code, WEIR_OK);
    return opened;
}

static int setup(void **state) {
    (void)state;
    n_open = n_dropped = 0;
    last_place[0] = '\0';
    assert_int_equal(wr_registry_new(&registry, NULL), WEIR_OK);
    assert_int_equal(wr_registry_add(registry, &kept, NULL), WEIR_OK);
    names = open_names(NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wr_names_close(names);
    wr_registry_free(registry);
    assert_int_equal(n_open, 0);
    return 0;
}

static int setup_directory(void **state) {
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    assert_non_null(mkdtemp(directory));
    return setup(state);
}

static int teardown_directory(void **state) {
    teardown(state);
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command);
}

static struct weir_definition define(const char *name, const char *kind) {
    return (struct weir_definition){.size = sizeof(struct weir_definition),
                                    .catalog = "weir",
                                    .schema = "public",
                                    .name = name,
                                    .kind = kind};
}

static int create_kept(struct wr_names *in, const char *name, const char *place, int flags,
                       struct weir_error *error) {
    struct weir_definition definition = define(name, "kept");
    struct weir_option option = {"path", place};
    definition.options = &option;
    definition.n_options = 1;
    return wr_names_create_table(in, &definition, flags, NULL, NULL, NULL, error);
}

static int create_memory(const char *name, int flags, struct rows_plan *plan, bool *ret_created,
                         int64_t *ret_n_rows, struct weir_error *error) {
    struct weir_definition definition = define(name, "memory");
    struct ArrowSchema columns;
    struct ArrowArrayStream rows = {0};
    rows_schema(&columns);
    definition.columns = &columns;
    if (plan) rows_stream(*plan, &rows);
    int code = wr_names_create_table(names, &definition, flags, plan ? &rows : NULL, ret_created,
                                     ret_n_rows, error);
    assert_null(rows.release);
    columns.release(&columns);
    return code;
}

static int create_view(const char *name, const char *query, int flags, struct weir_error *error) {
    struct weir_definition definition = define(name, "derived");
    struct weir_option option = {"query", query};
    definition.options = &option;
    definition.n_options = 1;
    return wr_names_create_table(names, &definition, flags, NULL, NULL, NULL, error);
}

/* Looks a table of weir.public up and lets it go. */
static int look_up(struct wr_names *in, const char *name, struct weir_error *error) {
    struct wr_table table = {0};
    int code = wr_names_table(in, "weir", "public", name, NULL, 0, &table, error);
    if (code == WEIR_OK) table.release(&table);
    return code;
}

static int drop(const char *name, bool view, bool if_exists, struct weir_error *error) {
    return wr_names_drop_table(names, &(struct wr_name){"weir", "public", name}, view, if_exists,
                               error);
}

static void append(void *sink, const char *name) {
    char *text = sink;
    strcat(strcat(text, name), " ");
}

static const char *list(struct wr_names *in, const char *catalog, const char *schema) {
    static char text[256];
    text[0] = '\0';
    assert_int_equal(wr_names_list(in, catalog, schema, append, text, NULL), WEIR_OK);
    return text;
}

/* ---- Catalogs and schemas ---- */

static void a_new_catalog_has_the_default_names_and_nothing_else(void **state) {
    (void)state;
    assert_string_equal(list(names, NULL, NULL), "weir ");
    assert_string_equal(list(names, "weir", NULL), "public ");
    assert_string_equal(list(names, "weir", "public"), "");
    assert_string_equal(list(names, "nowhere", "public"), "");
}

static void catalogs_and_schemas_are_made_once(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(wr_names_create_catalog(names, "other", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_catalog(names, "other", 0, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "Execution error: Catalog 'other' already exists");
    assert_int_equal(wr_names_create_catalog(names, "other", WR_CREATE_IF_NOT_EXISTS, NULL), 0);
    assert_int_equal(wr_names_create_schema(names, "other", "s", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "other", "s", 0, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "Execution error: Schema 's' already exists");
    assert_int_equal(wr_names_create_schema(names, "other", "s", WR_CREATE_IF_NOT_EXISTS, NULL),
                     WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "third", "s", 0, &error), WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "Missing catalog 'third'"));
    assert_string_equal(list(names, NULL, NULL), "other weir ");
    assert_string_equal(list(names, "other", NULL), "s ");
}

static void a_schema_with_tables_is_dropped_with_cascade_only(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(create_kept(names, "b", "x", 0, NULL), WEIR_OK);
    assert_int_equal(create_kept(names, "c", "x", 0, NULL), WEIR_OK);
    assert_int_equal(create_memory("a", 0, NULL, NULL, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_names_drop_schema(names, "weir", "public", false, false, &error),
                     WEIR_INVALID_STATE);
    assert_string_equal(error.sqlstate, "2BP01");
    assert_non_null(strstr(error.message, "Execution error: Cannot drop schema public because "
                                          "other tables depend on it: a, b, c"));
    assert_int_equal(n_dropped, 0);
    assert_int_equal(wr_names_drop_schema(names, "weir", "public", false, true, NULL), WEIR_OK);
    assert_int_equal(n_dropped, 2);
    assert_int_equal(n_open, 0);
    assert_string_equal(list(names, "weir", NULL), "");
    assert_int_equal(look_up(names, "a", NULL), WEIR_NOT_FOUND);
    assert_int_equal(look_up(names, "b", NULL), WEIR_NOT_FOUND);
    assert_int_equal(wr_names_drop_schema(names, "weir", "public", false, false, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.message, "Execution error: Schema 'public' doesn't exist.");
    assert_int_equal(wr_names_drop_schema(names, "weir", "public", true, false, NULL), WEIR_OK);
    assert_int_equal(create_kept(names, "b", "x", 0, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "3F000");
}

/* ---- Tables ---- */

static void a_table_is_found_by_its_exact_name(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(create_kept(names, "t", "x", 0, NULL), WEIR_OK);
    assert_int_equal(look_up(names, "t", NULL), WEIR_OK);
    assert_int_equal(look_up(names, "T", &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "");
    assert_int_equal(n_open, 1);
}

static void a_taken_name_is_refused_skipped_or_replaced_as_asked(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(create_kept(names, "t", "one", 0, NULL), WEIR_OK);
    assert_int_equal(create_kept(names, "t", "two", 0, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P07");
    assert_string_equal(error.message, "Execution error: Table 't' already exists");
    assert_int_equal(create_kept(names, "t", "two", WR_CREATE_EXTERNAL, &error),
                     WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "Execution error: External table 't' already exists");
    int both = WR_CREATE_IF_NOT_EXISTS | WR_CREATE_OR_REPLACE;
    assert_int_equal(create_kept(names, "t", "two", both, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message,
                        "Execution error: 'IF NOT EXISTS' cannot coexist with 'REPLACE'");
    bool created = true;
    int64_t n_rows = -7;
    struct rows_plan plan = {2, 3, 0, 0, 0};
    assert_int_equal(create_memory("t", WR_CREATE_IF_NOT_EXISTS, &plan, &created, &n_rows, NULL),
                     WEIR_OK);
    assert_false(created);
    assert_int_equal(n_rows, 0);
    assert_string_equal(last_place, "one");
    assert_int_equal(create_kept(names, "t", "two", WR_CREATE_OR_REPLACE, NULL), WEIR_OK);
    assert_string_equal(last_place, "two");
    assert_int_equal(n_dropped, 1);
    assert_int_equal(n_open, 1);
    assert_int_equal(create_memory("t", WR_CREATE_OR_REPLACE, &plan, &created, &n_rows, NULL), 0);
    assert_true(created);
    assert_int_equal(n_rows, 6);
    assert_int_equal(n_open, 0);
    assert_string_equal(list(names, "weir", "public"), "t ");
    assert_int_equal(create_kept(names, "t", "three", WR_CREATE_OR_REPLACE, NULL), WEIR_OK);
    assert_int_equal(look_up(names, "t", NULL), WEIR_OK);
    assert_int_equal(n_open, 1);
}

static void a_table_whose_rows_fail_is_not_made(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct rows_plan plan = {3, 4, 0, 0, 2};
    assert_int_not_equal(create_memory("t", 0, &plan, NULL, NULL, &error), WEIR_OK);
    assert_non_null(strstr(error.message, "the disk is gone"));
    assert_int_equal(look_up(names, "t", NULL), WEIR_NOT_FOUND);
    assert_string_equal(list(names, "weir", "public"), "");
}

static void a_table_without_a_form_is_not_made(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(create_kept(names, "t", "formless", 0, &error), WEIR_INVALID_DATA);
    assert_string_equal(error.message, "the footer is cut off");
    assert_string_equal(list(names, "weir", "public"), "");
    assert_int_equal(n_open, 0);
}

static void drop_takes_tables_and_views_by_their_own_statement(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(create_view("v", "SELECT 1", 0, NULL), WEIR_OK);
    assert_int_equal(create_memory("t", 0, NULL, NULL, NULL, NULL), WEIR_OK);
    assert_int_equal(drop("v", false, false, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "42809");
    assert_non_null(strstr(error.message, "Execution error: Table 'v' doesn't exist."));
    assert_int_equal(drop("t", true, false, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "View 't' doesn't exist. It is a table: use DROP TABLE"));
    assert_int_equal(drop("v", true, false, NULL), WEIR_OK);
    assert_int_equal(drop("t", false, false, NULL), WEIR_OK);
    assert_int_equal(drop("v", true, false, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "Execution error: View 'v' doesn't exist.");
    assert_int_equal(drop("t", false, false, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "Execution error: Table 't' doesn't exist.");
    assert_int_equal(drop("t", false, true, NULL), WEIR_OK);
}

static void a_dropped_table_lives_until_its_reader_is_done(void **state) {
    (void)state;
    struct wr_table table = {0};
    assert_int_equal(create_kept(names, "t", "x", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_table(names, "weir", "public", "t", NULL, 0, &table, NULL), WEIR_OK);
    assert_int_equal(drop("t", false, false, NULL), WEIR_OK);
    assert_int_equal(n_dropped, 1);
    assert_int_equal(n_open, 1);
    table.release(&table);
    assert_int_equal(n_open, 0);
}

static void a_temporary_table_stands_before_a_stored_one(void **state) {
    (void)state;
    assert_int_equal(create_kept(names, "t", "stored", 0, NULL), WEIR_OK);
    assert_int_equal(create_view("t", "SELECT 2", WR_CREATE_TEMPORARY, NULL), WEIR_OK);
    struct wr_table table = {0};
    assert_int_equal(wr_names_table(names, "weir", "public", "t", NULL, 0, &table, NULL), WEIR_OK);
    assert_int_equal(table.is_view, 1);
    table.release(&table);
    assert_string_equal(list(names, "weir", "public"), "t ");
    assert_int_equal(drop("t", true, false, NULL), WEIR_OK);
    assert_int_equal(wr_names_table(names, "weir", "public", "t", NULL, 0, &table, NULL), WEIR_OK);
    assert_int_equal(table.is_view, 0);
    table.release(&table);
    assert_int_equal(create_view("t", "SELECT 2", WR_CREATE_TEMPORARY, NULL), WEIR_OK);
    assert_int_equal(create_kept(names, "t", "new", WR_CREATE_OR_REPLACE, NULL), WEIR_OK);
    assert_int_equal(n_dropped, 1);
    assert_int_equal(look_up(names, "t", NULL), WEIR_OK);
    assert_string_equal(last_place, "new");
}

static void a_registered_table_replaces_a_registered_one_only(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_definition definition = define("t", "derived");
    struct weir_option option = {"query", "SELECT 1"};
    struct wr_instance *instance = NULL;
    definition.options = &option;
    definition.n_options = 1;
    assert_int_equal(wr_instance_open(registry, &definition, &instance, NULL), WEIR_OK);
    assert_int_equal(wr_names_register(names, instance, NULL), WEIR_OK);
    assert_int_equal(wr_names_register(names, instance, NULL), WEIR_OK);
    assert_int_equal(drop("t", true, false, NULL), WEIR_OK);
    assert_int_equal(create_memory("t", 0, NULL, NULL, NULL, NULL), WEIR_OK);
    assert_int_equal(wr_names_register(names, instance, &error), WEIR_ALREADY_EXISTS);
    assert_int_equal(drop("t", false, false, NULL), WEIR_OK);
    assert_int_equal(create_kept(names, "t", "x", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_register(names, instance, &error), WEIR_ALREADY_EXISTS);
    wr_instance_release(instance);
}

/* ---- Paths ---- */

static void a_name_that_looks_like_a_path_is_opened_for_the_asker_only(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_table table = {0};
    assert_int_equal(
        wr_names_table(names, "weir", "public", "kept://data/x.csv", NULL, 0, &table, NULL),
        WEIR_OK);
    assert_string_equal(last_place, "kept://data/x.csv");
    assert_int_equal(n_open, 1);
    table.release(&table);
    assert_int_equal(n_open, 0);
    assert_int_equal(look_up(names, "kept://nowhere.csv", &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "there is no file \"nowhere.csv\"");
    assert_int_equal(
        wr_names_table(names, "weir", "nowhere", "kept://data/x.csv", NULL, 0, &table, &error),
        WEIR_NOT_FOUND);
    assert_string_equal(error.message, "");
    assert_string_equal(list(names, "weir", "public"), "");
}

static void a_table_named_like_a_path_wins_over_the_path(void **state) {
    (void)state;
    assert_int_equal(create_view("x.csv", "SELECT 1", 0, NULL), WEIR_OK);
    struct wr_table table = {0};
    assert_int_equal(wr_names_table(names, "weir", "public", "x.csv", NULL, 0, &table, NULL),
                     WEIR_OK);
    assert_int_equal(table.is_view, 1);
    table.release(&table);
}

/* ---- Kept on disk ---- */

static void definitions_outlive_the_process_and_rows_in_memory_do_not(void **state) {
    (void)state;
    struct wr_names *stored = open_names(directory);
    struct weir_definition definition = define("t", "kept");
    struct weir_option options[] = {{"note", "it's \"quoted\"\n"}, {"path", "here"}};
    struct ArrowSchema columns;
    rows_schema(&columns);
    definition.options = options;
    definition.n_options = 2;
    definition.columns = &columns;
    assert_int_equal(wr_names_create_table(stored, &definition, 0, NULL, NULL, NULL, NULL), 0);
    definition = define("m", "memory");
    definition.columns = &columns;
    assert_int_equal(wr_names_create_table(stored, &definition, 0, NULL, NULL, NULL, NULL), 0);
    columns.release(&columns);
    assert_string_equal(list(stored, "weir", "public"), "m t ");
    wr_names_close(stored);
    assert_int_equal(n_open, 0);
    stored = open_names(directory);
    assert_string_equal(list(stored, "weir", "public"), "t ");
    struct wr_table table = {0};
    assert_int_equal(wr_names_table(stored, "weir", "public", "t", NULL, 0, &table, NULL), WEIR_OK);
    const struct weir_definition *found = wr_instance_definition(table.private_data);
    assert_string_equal(found->options[0].key, "note");
    assert_string_equal(found->options[0].value, "it's \"quoted\"\n");
    assert_string_equal(found->options[1].value, "here");
    assert_int_equal(found->columns->n_children, 2);
    assert_string_equal(found->columns->children[0]->name, "id");
    assert_int_equal(found->columns->children[0]->flags & ARROW_FLAG_NULLABLE, 0);
    table.release(&table);
    wr_names_close(stored);
}

static void another_process_sees_each_change_at_once(void **state) {
    (void)state;
    struct wr_names *one = open_names(directory);
    struct wr_names *two = open_names(directory);
    assert_int_equal(create_kept(one, "t", "one", 0, NULL), WEIR_OK);
    assert_int_equal(look_up(two, "t", NULL), WEIR_OK);
    assert_string_equal(last_place, "one");
    assert_int_equal(create_kept(one, "t", "two", WR_CREATE_OR_REPLACE, NULL), WEIR_OK);
    last_place[0] = '\0';
    assert_int_equal(look_up(two, "t", NULL), WEIR_OK);
    assert_string_equal(last_place, "two");
    struct wr_name name = {"weir", "public", "t"};
    assert_int_equal(wr_names_drop_table(one, &name, false, false, NULL), WEIR_OK);
    assert_int_equal(look_up(two, "t", NULL), WEIR_NOT_FOUND);
    wr_names_close(one);
    wr_names_close(two);
}

static int open_broken(struct weir_error *error) {
    struct wr_names *none = NULL;
    int code = wr_names_open(directory, "weir", "public", registry, &none, error);
    assert_null(none);
    assert_non_null(strstr(error->message, directory));
    return code;
}

static sqlite3 *open_catalog(void) {
    char path[64];
    sqlite3 *database = NULL;
    snprintf(path, sizeof path, "%s/.weir/catalog.db", directory);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    return database;
}

static void run_in_catalog(const char *sql) {
    sqlite3 *database = open_catalog();
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void write_catalog(const char *text) {
    char path[64];
    snprintf(path, sizeof path, "%s/.weir/catalog.db", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_damaged_foreign_or_newer_catalog_is_refused_by_name(void **state) {
    (void)state;
    struct weir_error error = {0};
    wr_names_close(open_names(directory));
    run_in_catalog("PRAGMA user_version = 99");
    assert_int_equal(open_broken(&error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "has version 99"));
    run_in_catalog("PRAGMA user_version = 0");
    assert_int_equal(open_broken(&error), WEIR_INVALID_DATA);
    assert_non_null(strstr(error.message, "that weir did not make"));
    write_catalog("this is a text and no database, long enough to have a first page of its own, "
                  "which a database would begin with its own words");
    assert_int_equal(open_broken(&error), WEIR_INVALID_DATA);
    assert_string_equal(error.sqlstate, "XX001");
    assert_non_null(strstr(error.message, "catalog.db"));
}

static void a_catalog_that_stays_locked_is_an_error_and_nothing_changes(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *stored = open_names(directory);
    sqlite3 *other = open_catalog();
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(create_kept(stored, "t", "x", 0, &error), WEIR_IO);
    assert_string_equal(error.sqlstate, "55P03");
    assert_non_null(strstr(error.message, "another process keeps it locked"));
    sqlite3_close(other);
    assert_string_equal(list(stored, "weir", "public"), "");
    assert_int_equal(create_kept(stored, "t", "x", 0, NULL), WEIR_OK);
    wr_names_close(stored);
}

static void a_missing_directory_is_an_error_that_names_it(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *none = NULL;
    assert_int_equal(wr_names_open("/nowhere/at/all", "weir", "public", registry, &none, &error),
                     WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nowhere/at/all"));
}

/* ---- Allocations ---- */

static int torture(struct weir_error *error) {
    struct wr_names *in = NULL;
    WR_TRY(wr_names_open(NULL, "weir", "public", registry, &in, error));
    int code = create_kept(in, "t", "x", 0, error);
    if (code == WEIR_OK) code = create_kept(in, "t", "y", WR_CREATE_OR_REPLACE, error);
    if (code == WEIR_OK) code = look_up(in, "t", error);
    if (code == WEIR_OK) code = look_up(in, "kept://a/b.csv", error);
    char text[64] = "";
    if (code == WEIR_OK) code = wr_names_list(in, "weir", "public", append, text, error);
    if (code == WEIR_OK) {
        code =
            wr_names_drop_table(in, &(struct wr_name){"weir", "public", "t"}, false, false, error);
    }
    if (code == WEIR_OK) code = wr_names_create_schema(in, "weir", "s", 0, error);
    if (code == WEIR_OK) code = wr_names_drop_schema(in, "weir", "s", false, true, error);
    wr_names_close(in);
    return code;
}

static void every_failed_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    for (int64_t n = 1;; n++) {
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = torture(&error);
        wr_alloc_fail_at(0);
        assert_int_equal(n_open, 0);
        if (code == WEIR_OK) {
            assert_true(n > 30);
            return;
        }
        assert_string_equal(error.sqlstate, "53200");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define DISK_TEST(name) cmocka_unit_test_setup_teardown(name, setup_directory, teardown_directory)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_catalog_has_the_default_names_and_nothing_else),
        TEST(catalogs_and_schemas_are_made_once),
        TEST(a_schema_with_tables_is_dropped_with_cascade_only),
        TEST(a_table_is_found_by_its_exact_name),
        TEST(a_taken_name_is_refused_skipped_or_replaced_as_asked),
        TEST(a_table_whose_rows_fail_is_not_made),
        TEST(a_table_without_a_form_is_not_made),
        TEST(drop_takes_tables_and_views_by_their_own_statement),
        TEST(a_dropped_table_lives_until_its_reader_is_done),
        TEST(a_temporary_table_stands_before_a_stored_one),
        TEST(a_registered_table_replaces_a_registered_one_only),
        TEST(a_name_that_looks_like_a_path_is_opened_for_the_asker_only),
        TEST(a_table_named_like_a_path_wins_over_the_path),
        DISK_TEST(definitions_outlive_the_process_and_rows_in_memory_do_not),
        DISK_TEST(another_process_sees_each_change_at_once),
        DISK_TEST(a_damaged_foreign_or_newer_catalog_is_refused_by_name),
        DISK_TEST(a_catalog_that_stays_locked_is_an_error_and_nothing_changes),
        TEST(a_missing_directory_is_an_error_that_names_it),
        TEST(every_failed_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
