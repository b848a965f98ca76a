/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: attached, kept, opened, detached. */
#include "toy.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"

static int attach(const char *name, const char *url, struct weir_error *error) {
    return toy_attach(names, name, url, "sql", 0, error);
}

/* ---- Attach and detach ---- */

static void an_attached_mount_is_a_catalog_until_it_is_detached(void **state) {
    (void)state;
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 1);
    assert_string_equal(toy_list(names, NULL, NULL), "lake weir ");
    assert_int_equal(wr_names_has(names, "lake", NULL), 1);
    assert_string_equal(toy_mounts(names), "lake toy here sql;");
    assert_int_equal(toy_look_up(names, "lake", "root", "x", NULL), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 1);
    assert_int_equal(wr_names_detach(names, "lake", false, NULL), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 0);
    assert_int_equal(toy_counts.tables, 0);
    assert_int_equal(wr_names_has(names, "lake", NULL), 0);
    assert_string_equal(toy_list(names, NULL, NULL), "weir ");
    assert_int_equal(toy_look_up(names, "lake", "root", "x", NULL), WEIR_NOT_FOUND);
}

static void a_detached_mount_lives_until_its_user_is_done(void **state) {
    (void)state;
    struct wr_mount *mount = NULL;
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    assert_int_equal(wr_names_mount(names, "lake", &mount, NULL), WEIR_OK);
    assert_string_equal(wr_mount_name(mount), "lake");
    assert_ptr_equal(wr_mount_kind(mount), &toy);
    assert_int_equal(wr_names_detach(names, "lake", false, NULL), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 1);
    wr_mount_release(mount);
    assert_int_equal(toy_counts.mounts, 0);
    mount = NULL;
    assert_int_equal(wr_names_mount(names, "lake", &mount, NULL), WEIR_OK);
    assert_null(mount);
}

static void what_cannot_be_attached_is_named_and_leaves_no_trace(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_option options[] = {{"url", "here"}, {"not", "x"}};
    struct weir_definition definition = {.size = sizeof definition,
                                         .name = "lake",
                                         .kind = "toi",
                                         .options = options,
                                         .n_options = 1};
    assert_int_equal(wr_names_attach(names, &definition, "sql", 0, &error), WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "mount \"lake\": there is no mount kind \"toi\"; did you "
                                          "mean \"toy\"?"));
    definition.kind = "toy";
    definition.n_options = 2;
    assert_int_equal(wr_names_attach(names, &definition, "sql", 0, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "mount \"lake\" (kind toy): unknown option \"not\"; did you "
                                       "mean \"note\"?");
    definition.n_options = 0;
    assert_int_equal(wr_names_attach(names, &definition, "sql", 0, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "option \"url\" is required"));
    assert_int_equal(attach("lake", "gone", &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "there is no source \"gone\"");
    const char *const bad[] = {"", ".", "..", "a/b", "/", "a\nb", "a\x7f"};
    for (size_t i = 0; i < N_OF(bad); i++) {
        assert_int_equal(attach(bad[i], "here", &error), WEIR_INVALID_ARGUMENT);
        assert_string_equal(error.sqlstate, "42602");
    }
    assert_string_equal(toy_mounts(names), "");
    assert_string_equal(toy_list(names, NULL, NULL), "weir ");
}

static void a_name_is_a_catalogs_or_a_mounts_and_never_both(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(attach("weir", "here", &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P04");
    assert_string_equal(error.message,
                        "there is a catalog \"weir\" already; give the mount another name");
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    assert_int_equal(attach("lake", "there", &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "there is a mount \"lake\" already; DETACH it first, or "
                                       "choose another name");
    assert_int_equal(toy_attach(names, "lake", "there", "sql", WR_CREATE_IF_NOT_EXISTS, &error),
                     WEIR_OK);
    assert_string_equal(toy_mounts(names), "lake toy here sql;");
    assert_int_equal(toy_attach(names, "weir", "x", "sql", WR_CREATE_IF_NOT_EXISTS, &error),
                     WEIR_ALREADY_EXISTS);
    assert_int_equal(wr_names_create_catalog(names, "lake", 0, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P04");
    assert_int_equal(wr_names_create_catalog(names, "lake", WR_CREATE_IF_NOT_EXISTS, &error),
                     WEIR_ALREADY_EXISTS);
}

static void detach_says_what_it_cannot_do(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    assert_int_equal(wr_names_detach(names, "lage", false, &error), WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "3D000");
    assert_string_equal(error.message, "there is no mount \"lage\"; did you mean \"lake\"?");
    assert_int_equal(wr_names_detach(names, "lage", true, &error), WEIR_OK);
    assert_int_equal(wr_names_detach(names, "weir", true, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.sqlstate, "42809");
}

/* ---- Where mounts come from ---- */

static void a_mount_of_the_configuration_is_opened_at_first_use_and_not_stored(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *one = toy_open_names(toy_directory);
    assert_int_equal(toy_attach(one, "lake", "gone", "weir.yaml:7", 0, &error), WEIR_OK);
    assert_int_equal(toy_attach(one, "pond", "here", "weir.yaml:8", 0, &error), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 0);
    assert_string_equal(toy_mounts(one), "lake toy gone weir.yaml:7;pond toy here weir.yaml:8;");
    assert_string_equal(toy_list(one, NULL, NULL), "lake pond weir ");
    assert_int_equal(toy_look_up(one, "lake", "root", "x", &error), WEIR_NOT_FOUND);
    assert_string_equal(error.message, "weir.yaml:7: there is no source \"gone\"");
    assert_int_equal(toy_look_up(one, "pond", "root", "x", &error), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 1);
    assert_int_equal(wr_names_detach(one, "pond", false, &error), WEIR_INVALID_STATE);
    assert_string_equal(error.message, "the mount \"pond\" comes from weir.yaml:8; take it out "
                                       "there");
    assert_int_equal(toy_attach(one, "pond", "x", "weir.yaml:9", 0, &error), WEIR_ALREADY_EXISTS);
    assert_int_equal(toy_attach(one, "pond", "x", "sql", 0, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message,
                        "there is a mount \"pond\" already, from weir.yaml:8; choose "
                        "another name");
    wr_names_close(one);
    one = toy_open_names(toy_directory);
    assert_string_equal(toy_mounts(one), "");
    wr_names_close(one);
}

static void a_mount_of_the_configuration_stands_before_a_stored_one(void **state) {
    (void)state;
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    assert_int_equal(toy_attach(names, "lake", "there", "weir.yaml:7", 0, NULL), WEIR_OK);
    assert_string_equal(toy_mounts(names), "lake toy there weir.yaml:7;");
}

static void a_mount_of_weirs_own_is_closed_with_the_names(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_definition definition = {
        .size = sizeof definition, .options = &(struct weir_option){"url", "here"}, .n_options = 1};
    void *mount = NULL;
    assert_int_equal(toy.open(&definition, &mount, NULL), WEIR_OK);
    assert_int_equal(wr_names_add_mount(names, "weir", &toy, mount, &error), WEIR_ALREADY_EXISTS);
    assert_int_equal(toy_counts.mounts, 1);
    assert_int_equal(wr_names_add_mount(names, "system", &toy, mount, NULL), WEIR_OK);
    assert_int_equal(wr_names_add_mount(names, "/", &toy, toy_machine, NULL), WEIR_OK);
    assert_string_equal(toy_mounts(names), "system toy - weir;");
    assert_string_equal(toy_list(names, NULL, NULL), "weir ");
    assert_int_equal(wr_names_has(names, "/", NULL), 1);
    assert_int_equal(wr_names_detach(names, "system", false, &error), WEIR_INVALID_STATE);
    assert_int_equal(toy_look_up(names, "system", "logs", "x", NULL), WEIR_OK);
}

static void an_attached_mount_outlives_the_process(void **state) {
    (void)state;
    struct weir_option options[] = {{"Url", "it's \"quoted\"\n"}, {"NOTE", ""}};
    struct weir_definition definition = {.size = sizeof definition,
                                         .name = "my lake",
                                         .kind = "toy",
                                         .options = options,
                                         .n_options = 2};
    struct wr_names *one = toy_open_names(toy_directory);
    assert_int_equal(wr_names_attach(one, &definition, "sql", 0, NULL), WEIR_OK);
    wr_names_close(one);
    assert_int_equal(toy_counts.mounts, 0);
    one = toy_open_names(toy_directory);
    assert_int_equal(toy_counts.mounts, 0);
    assert_string_equal(toy_mounts(one), "my lake toy it's \"quoted\"\n sql;");
    assert_int_equal(toy_look_up(one, "my lake", "logs", "x", NULL), WEIR_OK);
    assert_string_equal(toy_counts.path, "logs/x.csv");
    wr_names_close(one);
}

static void another_process_sees_an_attach_and_a_detach_at_once(void **state) {
    (void)state;
    struct wr_names *one = toy_open_names(toy_directory);
    struct wr_names *two = toy_open_names(toy_directory);
    assert_int_equal(toy_attach(one, "lake", "here", "sql", 0, NULL), WEIR_OK);
    assert_int_equal(toy_look_up(two, "lake", "logs", "x", NULL), WEIR_OK);
    assert_int_equal(toy_counts.mounts, 2);
    assert_int_equal(wr_names_detach(one, "lake", false, NULL), WEIR_OK);
    assert_int_equal(toy_look_up(two, "lake", "logs", "x", NULL), WEIR_NOT_FOUND);
    assert_int_equal(toy_attach(one, "lake", "broken", "sql", 0, NULL), WEIR_OK);
    assert_string_equal(toy_list(two, "lake", NULL), "\"logs\" may not be listed");
    assert_int_equal(toy_attach(two, "lake", "x", "sql", 0, NULL), WEIR_ALREADY_EXISTS);
    wr_names_close(one);
    wr_names_close(two);
}

static void run_in_catalog(const char *sql) {
    char path[128];
    sqlite3 *database = NULL;
    snprintf(path, sizeof path, "%s/.weir/catalog.db", toy_directory);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void a_catalog_of_the_first_version_gets_what_it_lacks(void **state) {
    (void)state;
    struct wr_names *one = toy_open_names(toy_directory);
    assert_int_equal(toy_view(one, "weir", "public", "v", NULL), WEIR_OK);
    wr_names_close(one);
    run_in_catalog("DROP TABLE mount_options; DROP TABLE mounts; DROP TABLE api_keys;"
                   "DROP TABLE grants; DROP TABLE members; DROP TABLE users; DROP TABLE secrets;"
                   "PRAGMA user_version = 1");
    one = toy_open_names(toy_directory);
    assert_int_equal(toy_look_up(one, "weir", "public", "v", NULL), WEIR_OK);
    assert_int_equal(toy_attach(one, "lake", "here", "sql", 0, NULL), WEIR_OK);
    wr_names_close(one);
    one = toy_open_names(toy_directory);
    assert_string_equal(toy_list(one, NULL, NULL), "lake weir ");
    wr_names_close(one);
}

static void a_stored_mount_of_a_kind_that_is_not_here_says_so_when_used(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *one = toy_open_names(toy_directory);
    assert_int_equal(toy_attach(one, "lake", "here", "sql", 0, NULL), WEIR_OK);
    wr_names_close(one);
    run_in_catalog("UPDATE mounts SET kind = 'tape'");
    one = toy_open_names(toy_directory);
    assert_string_equal(toy_mounts(one), "lake tape here sql;");
    assert_int_equal(wr_names_has(one, "lake", NULL), 1);
    assert_int_equal(toy_look_up(one, "lake", "root", "x", &error), WEIR_NOT_FOUND);
    assert_non_null(strstr(error.message, "mount \"lake\": there is no mount kind \"tape\""));
    assert_int_equal(wr_names_detach(one, "lake", false, NULL), WEIR_OK);
    wr_names_close(one);
}

/* ---- Kinds ---- */

static void a_mount_kind_that_breaks_the_contract_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_mount_kind kind = toy;
    assert_int_equal(wr_registry_add_mount(registry, &kind, &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.message, "mount kind \"toy\" is registered already");
    kind.name = "other";
    kind.find = NULL;
    assert_int_equal(wr_registry_add_mount(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    assert_string_equal(error.message, "mount kind \"other\": the required slot `find` is NULL");
    kind = toy;
    kind.name = "Other";
    assert_int_equal(wr_registry_add_mount(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    kind.size = 8;
    assert_int_equal(wr_registry_add_mount(registry, &kind, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "sizeof(struct weir_mount_kind)"));
    assert_int_equal(wr_registry_add_mount(registry, NULL, &error), WEIR_INVALID_ARGUMENT);
}

/* ---- DDL ---- */

static void ddl_in_a_mount_is_refused_with_what_to_do_instead(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(attach("lake", "here", NULL), WEIR_OK);
    const char *const places[][2] = {{"lake", "root"}, {"lake", "logs"}, {"weir", "lake"}};
    for (size_t i = 0; i < N_OF(places); i++) {
        struct wr_name name = {places[i][0], places[i][1], "v"};
        assert_int_equal(toy_view(names, name.catalog, name.schema, "v", &error),
                         WEIR_NOT_IMPLEMENTED);
        assert_string_equal(error.message,
                            "CREATE does not work in \"lake\", which is a mount of kind toy: put a "
                            ".sql file there for a view, a data file for a table");
        assert_int_equal(wr_names_drop_table(names, &name, true, true, &error),
                         WEIR_NOT_IMPLEMENTED);
        assert_string_equal(error.message, "DROP does not work in \"lake\", which is a mount of "
                                           "kind toy: its tables are files, and change with them");
        assert_int_equal(wr_names_rename_table(names, &name, &name, &error), WEIR_NOT_IMPLEMENTED);
    }
    assert_int_equal(wr_names_create_schema(names, "lake", "s", 0, &error), WEIR_NOT_IMPLEMENTED);
    assert_int_equal(wr_names_drop_schema(names, "lake", "logs", true, true, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_int_equal(wr_names_drop_schema(names, "weir", "lake", false, true, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.message, "Execution error: Schema 'lake' doesn't exist. There is a "
                                       "mount of that name: use DETACH");
}

/* ---- Rename ---- */

static int rename_to(struct wr_names *in, const char *from, const char *to,
                     struct weir_error *error) {
    return wr_names_rename_table(in, &(struct wr_name){"weir", "public", from},
                                 &(struct wr_name){"weir", "public", to}, error);
}

static void a_table_is_renamed_within_its_schema_for_every_process(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_names *one = toy_open_names(toy_directory);
    struct wr_names *two = toy_open_names(toy_directory);
    assert_int_equal(toy_view(one, "weir", "public", "v", NULL), WEIR_OK);
    assert_int_equal(toy_view(one, "weir", "public", "taken", NULL), WEIR_OK);
    assert_int_equal(toy_look_up(one, "weir", "public", "v", NULL), WEIR_OK);
    assert_int_equal(toy_look_up(two, "weir", "public", "v", NULL), WEIR_OK);
    assert_int_equal(rename_to(one, "v", "taken", &error), WEIR_ALREADY_EXISTS);
    assert_string_equal(error.sqlstate, "42P07");
    assert_int_equal(rename_to(one, "nothing", "w", &error), WEIR_NOT_FOUND);
    assert_string_equal(error.sqlstate, "42P01");
    assert_int_equal(rename_to(one, "v", "w", NULL), WEIR_OK);
    struct wr_names *both[] = {one, two};
    for (size_t i = 0; i < 2; i++) {
        struct wr_table table = {0};
        assert_int_equal(toy_look_up(both[i], "weir", "public", "v", NULL), WEIR_NOT_FOUND);
        assert_int_equal(wr_names_table(both[i], "weir", "public", "w", NULL, 0, &table, NULL),
                         WEIR_OK);
        assert_string_equal(table.definition, "CREATE VIEW w AS SELECT 1");
        table.release(&table);
        assert_string_equal(toy_list(both[i], "weir", "public"), "taken w ");
    }
    wr_names_close(one);
    wr_names_close(two);
}

static void a_rename_of_a_temporary_table_or_to_another_schema_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct weir_option query = {"query", "SELECT 1"};
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = "public",
                                         .name = "t",
                                         .kind = "derived",
                                         .options = &query,
                                         .n_options = 1};
    assert_int_equal(
        wr_names_create_table(names, &definition, WR_CREATE_TEMPORARY, NULL, NULL, NULL, NULL),
        WEIR_OK);
    assert_int_equal(rename_to(names, "t", "u", &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "\"t\" is a temporary table"));
    assert_int_equal(toy_view(names, "weir", "public", "v", NULL), WEIR_OK);
    assert_int_equal(rename_to(names, "v", "t", &error), WEIR_ALREADY_EXISTS);
    assert_int_equal(wr_names_create_schema(names, "weir", "s", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_rename_table(names, &(struct wr_name){"weir", "public", "v"},
                                           &(struct wr_name){"weir", "s", "v"}, &error),
                     WEIR_NOT_IMPLEMENTED);
    assert_string_equal(toy_list(names, "weir", "public"), "t v ");
}

/* ---- Threads ---- */

static void ignore(void *sink, const char *name) {
    (void)sink;
    (void)name;
}

/* What each call answers depends on the others; that it answers, and frees what it took, does not.
 */
static void *come_and_go(void *context) {
    const char *own = context;
    for (int i = 0; i < 150; i++) {
        struct wr_place place = {0};
        toy_attach(names, "lake", "here", "sql", WR_CREATE_IF_NOT_EXISTS, NULL);
        assert_int_equal(toy_attach(names, own, "here", "sql", 0, NULL), WEIR_OK);
        toy_look_up(names, "lake", "logs", "x", NULL);
        toy_look_up(names, "weir", "lake", "x", NULL);
        assert_int_equal(toy_look_up(names, own, "logs", "daily", NULL), WEIR_OK);
        wr_names_list(names, NULL, NULL, ignore, NULL, NULL);
        wr_names_list(names, "lake", NULL, ignore, NULL, NULL);
        if (wr_names_locate(names, "/lake/logs/x", NULL, NULL, &place, NULL) == WEIR_OK)
            wr_place_reset(&place);
        wr_names_has(names, "lake", "logs");
        wr_names_detach(names, "lake", true, NULL);
        assert_int_equal(wr_names_detach(names, own, false, NULL), WEIR_OK);
    }
    return NULL;
}

static void mounts_come_and_go_in_many_threads(void **state) {
    (void)state;
    static char own[][8] = {"one", "two", "three", "four"};
    pthread_t threads[N_OF(own)];
    for (size_t i = 0; i < N_OF(own); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, own[i]), 0);
    for (size_t i = 0; i < N_OF(own); i++)
        pthread_join(threads[i], NULL);
    assert_string_equal(toy_mounts(names), "");
    assert_int_equal(toy_counts.mounts, 0);
}

/* ---- Allocations ---- */

static void append(void *sink, const char *name) {
    (void)sink;
    (void)name;
}

static int count_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    (void)info;
    (void)error;
    ++*(int *)sink;
    return WEIR_OK;
}

static int look_around(struct wr_names *in, struct weir_error *error) {
    struct weir_option carrier = {"carrier", "'UA'"};
    struct wr_table table = {0};
    struct wr_place place = {0};
    int n_mounts = 0;
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(toy_attach(in, "lake", "here", "sql", 0, error));
    WR_TRY(toy_attach(in, "pond", "here", "weir.yaml:7", 0, error));
    WR_TRY(toy_look_up(in, "lake", "logs", "x", error));
    WR_TRY(toy_look_up(in, "pond", "root", "logs/x.parquet", error));
    WR_TRY(toy_look_up(in, "weir", "lake", "x", error));
    WR_TRY(toy_look_up(in, "weir", "public", "/lake/logs/daily.csv", error));
    WR_TRY(wr_names_table(in, "lake", "logs", "daily", &carrier, 1, &table, error));
    table.release(&table);
    WR_TRY(wr_names_list(in, NULL, NULL, append, NULL, error));
    WR_TRY(wr_names_list(in, "lake", NULL, append, NULL, error));
    WR_TRY(wr_names_list(in, "lake", "logs", append, NULL, error));
    WR_TRY(wr_names_each_mount(in, count_mount, &n_mounts, error));
    WR_TRY(wr_names_namespace(in, "weir", "lake", NULL, &catalog, &schema, error));
    wr_free(catalog);
    wr_free(schema);
    WR_TRY(wr_names_locate(in, "/lake/logs/../x.csv", NULL, NULL, &place, error));
    wr_place_reset(&place);
    WR_TRY(wr_names_locate(in, "lake.logs.x", NULL, NULL, &place, error));
    wr_place_reset(&place);
    WR_TRY(wr_names_locate(in, "/weir/public/v.csv", NULL, NULL, &place, error));
    wr_place_reset(&place);
    WR_TRY(toy_view(in, "weir", "public", "v", error));
    struct wr_name from = {"weir", "public", "v"};
    struct wr_name to = {"weir", "public", "w"};
    WR_TRY(wr_names_rename_table(in, &from, &to, error));
    return wr_names_detach(in, "lake", false, error);
}

static int torture(struct weir_error *error) {
    struct wr_names *in = NULL;
    WR_TRY(wr_names_open(NULL, "weir", "public", registry, &in, error));
    int code = look_around(in, error);
    wr_names_close(in);
    return code;
}

static void every_failed_allocation_is_an_error_without_a_leak(void **state) {
    (void)state;
    for (int64_t n = 1;; n++) {
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = torture(&error);
        bool reached = wr_alloc_fail_at(0) >= n;
        assert_int_equal(toy_counts.mounts, 0);
        assert_int_equal(toy_counts.tables, 0);
        if (!reached) {
            assert_int_equal(code, WEIR_OK);
            assert_true(n > 150);
            return;
        }
        if (code == WEIR_OK) print_error("allocation %d\n", (int)n);
        assert_string_equal(error.sqlstate, "53200");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_attached_mount_is_a_catalog_until_it_is_detached),
        TEST(a_detached_mount_lives_until_its_user_is_done),
        TEST(what_cannot_be_attached_is_named_and_leaves_no_trace),
        TEST(a_name_is_a_catalogs_or_a_mounts_and_never_both),
        TEST(detach_says_what_it_cannot_do),
        DISK_TEST(a_mount_of_the_configuration_is_opened_at_first_use_and_not_stored),
        TEST(a_mount_of_the_configuration_stands_before_a_stored_one),
        TEST(a_mount_of_weirs_own_is_closed_with_the_names),
        DISK_TEST(an_attached_mount_outlives_the_process),
        DISK_TEST(another_process_sees_an_attach_and_a_detach_at_once),
        DISK_TEST(a_catalog_of_the_first_version_gets_what_it_lacks),
        DISK_TEST(a_stored_mount_of_a_kind_that_is_not_here_says_so_when_used),
        TEST(a_mount_kind_that_breaks_the_contract_is_refused),
        TEST(ddl_in_a_mount_is_refused_with_what_to_do_instead),
        DISK_TEST(a_table_is_renamed_within_its_schema_for_every_process),
        TEST(a_rename_of_a_temporary_table_or_to_another_schema_is_refused),
        TEST(mounts_come_and_go_in_many_threads),
        TEST(every_failed_allocation_is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
