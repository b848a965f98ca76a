/* SPDX-License-Identifier: Apache-2.0 */
/* Tables by their names in mounts, by paths, and by calls. */
#include "toy.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "catalog/names.h"

static struct weir_error error;

static int setup(void **state) {
    toy_setup(state);
    memset(&error, 0, sizeof error);
    assert_int_equal(toy_attach(names, "lake", "here", "sql", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_catalog(names, "other", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "other", "public", 0, NULL), WEIR_OK);
    return 0;
}

static int setup_machine(void **state) {
    setup(state);
    assert_int_equal(wr_names_add_mount(names, "/", &toy, toy_machine, NULL), WEIR_OK);
    assert_int_equal(chdir("/tmp"), 0);
    return 0;
}

/* The path of the table that is opened; else the code and message. */
static const char *open_call(const char *catalog, const char *schema, const char *name,
                             const struct weir_option *options, size_t n_options) {
    static char text[4200];
    struct wr_table table = {0};
    toy_counts.path[0] = '\0';
    wr_recent_forget(names, NULL);
    int code = wr_names_table(names, catalog, schema, name, options, n_options, &table, &error);
    if (code) {
        snprintf(text, sizeof text, "%d %s", code, error.message);
    } else {
        table.release(&table);
        snprintf(text, sizeof text, "%s", toy_counts.path);
    }
    return text;
}

static const char *open_table(const char *catalog, const char *schema, const char *name) {
    return open_call(catalog, schema, name, NULL, 0);
}

/* ---- Names ---- */

static void a_table_of_a_mount_is_found_by_schema_and_name(void **state) {
    (void)state;
    assert_string_equal(open_table("lake", "root", "x"), "x.csv");
    assert_string_equal(open_table("lake", "root", "x.csv"), "x.csv");
    assert_string_equal(open_table("lake", "logs", "x"), "logs/x.csv");
    assert_string_equal(toy_counts.catalog, "lake");
    assert_string_equal(toy_counts.schema, "logs");
    assert_string_equal(toy_counts.name, "x");
    assert_string_equal(open_table("lake", "logs/deep/er", "y"), "logs/deep/er/y.csv");
    assert_string_equal(toy_counts.schema, "logs/deep/er");
    assert_string_equal(open_table("lake", "logs/link", "x"), "logs/link/x.csv");
    assert_string_equal(open_table("lake", "root", "logs/deep/er/y"), "logs/deep/er/y.csv");
    assert_string_equal(open_table("lake", "logs", "deep/er/y.csv"), "logs/deep/er/y.csv");
    assert_string_equal(toy_counts.schema, "logs/deep/er");
    assert_string_equal(open_table("lake", "logs", "../x"), "x.csv");
    assert_string_equal(toy_counts.schema, "root");
    assert_string_equal(open_table("lake", "logs", "../logs/./daily"), "logs/daily.sql");
}

static void a_name_that_leads_out_of_its_mount_is_refused(void **state) {
    (void)state;
    const char *const out = "5 \"../../x.csv\" leads out of the mount \"lake\"";
    assert_string_equal(open_table("lake", "logs", "../../x.csv"), out);
    assert_string_equal(open_table("lake", "root", "../x.csv"),
                        "5 \"../x.csv\" leads out of the mount \"lake\"");
    assert_string_equal(open_table("lake", "..", "x"), "5 \"..\" leads out of the mount \"lake\"");
    assert_string_equal(open_table("weir", "public", "/lake/../weir/public/v"),
                        "5 \"/lake/../weir/public/v\" leads out of the mount \"lake\"");
}

static void an_encodings_extension_gives_the_rows_of_the_table(void **state) {
    (void)state;
    assert_string_equal(open_table("lake", "logs", "x.parquet"), "logs/x.csv");
    assert_string_equal(open_table("lake", "logs", "daily.csv"), "logs/daily.sql");
    assert_string_equal(open_table("weir", "public", "/lake/logs/daily.jsonl"), "logs/daily.sql");
    assert_string_equal(open_table("lake", "logs", "x.tar"), "3 there is no \"logs/x.tar\"");
    assert_string_equal(open_table("lake", "logs", "z.csv"), "3 there is no \"logs/z.csv\"");
    assert_int_equal(toy_view(names, "weir", "public", "v", NULL), WEIR_OK);
    assert_string_equal(open_table("weir", "public", "/weir/public/v.parquet"), "");
    assert_string_equal(open_table("weir", "public", "/weir/public/v"), "");
    assert_string_equal(open_table("lake", "root", "two.parquet"),
                        "5 \"two\" could be \"two.csv\" or \"two.json\"");
}

static void what_is_no_table_is_called_what_it_is(void **state) {
    (void)state;
    assert_string_equal(open_table("lake", "root", "notes.txt"),
                        "5 \"/lake/notes.txt\" is a plain file and no table: it has no rows");
    assert_string_equal(error.sqlstate, "42809");
    assert_string_equal(
        open_table("lake", "root", "logs"),
        "5 \"/lake/logs\" is a directory without tables of its own and no table: it has no rows");
    assert_string_equal(
        open_table("weir", "public", "/lake"),
        "5 \"/lake\" is a directory without tables of its own and no table: it has no rows");
    assert_string_equal(open_table("lake", "root", "two"),
                        "5 \"two\" could be \"two.csv\" or \"two.json\"");
    assert_string_equal(open_table("weir", "public", "/weir"),
                        "5 \"/weir\" is a catalog and no table");
    assert_string_equal(open_table("weir", "public", "/weir/s"),
                        "5 \"/weir/s\" is a schema and no table");
    assert_string_equal(open_table("weir", "public", "/"),
                        "5 \"/\" is the top of the tree and no table");
    assert_int_equal(toy_view(names, "weir", "public", "flights", NULL), WEIR_OK);
    assert_string_equal(open_table("weir", "public", "/weir/public/flihgts.csv"),
                        "3 \"/weir/public/flihgts.csv\": there is no table \"flihgts\" in "
                        "weir.public; did you mean \"flights\"?");
    assert_string_equal(error.sqlstate, "42P01");
}

static void the_first_of_two_parts_may_be_a_catalog_or_a_mount(void **state) {
    (void)state;
    assert_int_equal(toy_view(names, "other", "public", "v", NULL), WEIR_OK);
    assert_string_equal(open_table("weir", "lake", "x"), "x.csv");
    assert_string_equal(open_table("weir", "lake", "logs/x"), "logs/x.csv");
    assert_string_equal(open_table("weir", "lake", "z"), "3 there is no \"z\"");
    assert_string_equal(open_table("weir", "other", "v"), "");
    assert_string_equal(open_table("weir", "other", "w"), "3 ");
    assert_string_equal(open_table("lake", "other", "v"), "");
    assert_string_equal(open_table("lake", "lake", "x"), "x.csv");
    assert_string_equal(open_table("weir", "nothing", "x"), "3 ");
    assert_string_equal(open_table("nothing", "lake", "x"), "3 ");
    /* A schema of the catalog comes first. */
    assert_int_equal(wr_names_create_schema(names, "weir", "lake", 0, NULL), WEIR_OK);
    assert_string_equal(open_table("weir", "lake", "x"), "3 ");
    assert_string_equal(open_table("lake", "root", "x"), "x.csv");
    assert_int_equal(wr_names_create_catalog(names, "logs", 0, NULL), WEIR_OK);
    assert_int_equal(wr_names_create_schema(names, "logs", "public", 0, NULL), WEIR_OK);
    assert_int_equal(toy_view(names, "logs", "public", "v", NULL), WEIR_OK);
    assert_string_equal(open_table("lake", "logs", "v"), "3 there is no \"logs/v\"");
}

static void ddl_finds_a_schema_as_a_lookup_does(void **state) {
    (void)state;
    const char *const cases[][4] = {
        {"weir", "public", "weir", "public"},   {"weir", "other", "other", "public"},
        {"weir", "lake", "weir", "lake"},       {"weir", "nothing", "weir", "nothing"},
        {"lake", "other", "lake", "other"},     {"nothing", "other", "nothing", "other"},
        {"other", "public", "other", "public"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        const char *catalog = cases[i][0];
        const char *schema = cases[i][1];
        assert_int_equal(wr_names_resolve(names, &catalog, &schema, NULL), WEIR_OK);
        assert_string_equal(catalog, cases[i][2]);
        assert_string_equal(schema, cases[i][3]);
    }
}

/* ---- Listings ---- */

static void schemas_are_the_directories_that_hold_tables(void **state) {
    (void)state;
    assert_string_equal(toy_list(names, "lake", NULL), "logs logs/deep/er logs/public root ");
    assert_string_equal(toy_list(names, "lake", "root"), "two.csv two.json x ");
    assert_string_equal(toy_list(names, "lake", "logs"), "daily x ");
    assert_string_equal(toy_list(names, "lake", "logs/deep"), "");
    assert_string_equal(toy_list(names, "lake", "nothing"), "");
    assert_string_equal(toy_list(names, "nothing", NULL), "");
}

static void a_directory_is_left_out_of_a_listing_only_when_it_is_gone(void **state) {
    (void)state;
    assert_int_equal(toy_attach(names, "racing", "racing", "sql", 0, NULL), WEIR_OK);
    assert_string_equal(toy_list(names, "racing", NULL), "root ");
    assert_int_equal(toy_attach(names, "broken", "broken", "sql", 0, NULL), WEIR_OK);
    assert_string_equal(toy_list(names, "broken", NULL), "\"logs\" may not be listed");
    assert_int_equal(toy_attach(names, "endless", "endless", "sql", 0, NULL), WEIR_OK);
    assert_string_equal(toy_list(names, "endless", NULL),
                        "the mount \"endless\" has more than 10000 directories, too many to list "
                        "its schemas; its tables can be named all the same");
}

static void has_answers_without_listing(void **state) {
    (void)state;
    const char *const there[][2] = {
        {"weir", NULL},
        {"lake", NULL},
        {"lake", "root"},
        {"lake", "logs/deep"},
        {"lake", "empty"},
        {"weir", "public"},
        {"weir", "lake"},
        {"lake", "weir"},
        {"weir", "other"},
        {"other", "weir"},
        /* Of a mount the look-up of the table says where it looked. */
        {"lake", "nothing"},
        {"lake", "notes.txt"},
        {"lake", "logs/x"},
    };
    const char *const absent[][2] = {
        {"nothing", NULL},
        {"weir", "nothing"},
        {"nothing", "weir"},
    };
    for (size_t i = 0; i < N_OF(there); i++)
        assert_int_equal(wr_names_has(names, there[i][0], there[i][1]), 1);
    for (size_t i = 0; i < N_OF(absent); i++)
        assert_int_equal(wr_names_has(names, absent[i][0], absent[i][1]), 0);
    assert_int_equal(toy_counts.lists, 0);
}

/* ---- Paths ---- */

static void a_path_of_the_tree_is_a_table(void **state) {
    (void)state;
    assert_string_equal(open_table("weir", "public", "/lake/logs/x.csv"), "logs/x.csv");
    assert_string_equal(open_table("weir", "public", "/lake/./logs//x"), "logs/x.csv");
    assert_string_equal(open_table("lake", "logs", "/lake/x"), "x.csv");
    assert_int_equal(toy_view(names, "other", "public", "v", NULL), WEIR_OK);
    assert_string_equal(open_table("lake", "logs", "/other/public/v"), "");
    assert_string_equal(open_table("weir", "public", "/lake/z.csv"), "3 there is no \"z.csv\"");
    assert_string_equal(open_table("weir", "nothing", "/lake/x.csv"), "3 ");
}

static void a_path_of_the_machine_is_a_table_of_its_mount(void **state) {
    (void)state;
    assert_string_equal(open_table("weir", "public", "/data/x.csv"), "data/x.csv");
    assert_string_equal(toy_counts.catalog, "/");
    assert_string_equal(toy_counts.schema, "data");
    assert_string_equal(toy_counts.name, "x.csv");
    assert_string_equal(open_table("weir", "public", "x.csv"), "tmp/x.csv");
    assert_string_equal(open_table("weir", "public", "../data/./x.csv"), "data/x.csv");
    assert_string_equal(open_table("lake", "logs", "/data/x.csv"), "data/x.csv");
    assert_string_equal(open_table("/", "data", "x.csv"), "data/x.csv");
    assert_string_equal(open_table("/", "data", "../x.csv"), "x.csv");
    assert_string_equal(open_table("weir", "public", "../../x.csv"),
                        "5 \"../../x.csv\" leads out of the machine's root");
    assert_string_equal(open_table("weir", "public", "/data/nowhere"),
                        "3 there is no \"data/nowhere\"");
    assert_string_equal(open_table("weir", "public", "nowhere"), "3 ");
    assert_string_equal(open_table("weir", "public", "../tmp/./nowhere"), "../tmp/./nowhere");
    /* A file whose name says nothing is looked into. */
    assert_string_equal(open_table("weir", "public", "/data/plain"), "/data/plain");
    assert_string_equal(toy_list(names, "/", NULL), "root ");
    /* Relative names of a mount stay in it. */
    assert_string_equal(open_table("lake", "logs", "z.csv"), "3 there is no \"logs/z.csv\"");
}

static void without_a_mount_a_path_goes_to_the_kind_that_reads_paths(void **state) {
    (void)state;
    const struct weir_mount_kind *kind = NULL;
    assert_string_equal(open_table("weir", "public", "file:///data/x.csv"), "file:///data/x.csv");
    assert_string_equal(open_table("lake", "logs", "s3://b/x.csv"), "s3://b/x.csv");
    if (wr_registry_mount(registry, wr_default_mount, &kind, NULL) == WEIR_OK) return;
    assert_string_equal(open_table("weir", "public", "/data/x.csv"), "/data/x.csv");
    assert_string_equal(open_table("weir", "public", "data/x.csv"), "data/x.csv");
}

/* ---- Calls ---- */

static void a_call_gives_parameters_to_a_table_that_takes_them(void **state) {
    (void)state;
    struct weir_option carrier = {"carrier", "'UA'"};
    assert_string_equal(open_call("lake", "logs", "daily", &carrier, 1), "logs/daily.sql");
    assert_string_equal(toy_counts.carrier, "'UA'");
    assert_string_equal(open_call("weir", "public", "/lake/logs/daily.sql", &carrier, 1),
                        "logs/daily.sql");
    assert_string_equal(toy_counts.carrier, "'UA'");
    assert_string_equal(open_table("lake", "logs", "daily"), "logs/daily.sql");
    assert_string_equal(toy_counts.carrier, "");
    assert_string_equal(open_call("lake", "logs", "x", &carrier, 1),
                        "5 table \"x\" (kind toy_file) has no parameters: \"carrier\" cannot be "
                        "given to it");
    assert_int_equal(toy_view(names, "weir", "public", "v", NULL), WEIR_OK);
    assert_string_equal(open_call("weir", "public", "v", &carrier, 1),
                        "5 table \"v\" (kind derived) has no parameters: \"carrier\" cannot be "
                        "given to it");
    struct weir_option path = {"path", "stored"};
    struct weir_definition definition = {.size = sizeof definition,
                                         .catalog = "weir",
                                         .schema = "public",
                                         .name = "q",
                                         .kind = "toy_query",
                                         .options = &path,
                                         .n_options = 1};
    assert_int_equal(wr_names_create_table(names, &definition, 0, NULL, NULL, NULL, NULL), WEIR_OK);
    assert_string_equal(open_call("weir", "public", "q", &carrier, 1), "stored");
    assert_string_equal(toy_counts.carrier, "'UA'");
}

static void a_call_of_a_kind_is_a_table_of_it(void **state) {
    (void)state;
    struct weir_option path = {"path", "called"};
    assert_string_equal(open_call("weir", "public", "toy_file", &path, 1), "called");
    assert_string_equal(open_call("lake", "logs", "toy_file", &path, 1), "called");
    assert_string_equal(open_table("weir", "public", "toy_file"), "3 ");
    struct weir_option wrong = {"pat", "called"};
    assert_string_equal(
        open_call("weir", "public", "toy_file", &wrong, 1),
        "5 table \"toy_file\" (kind toy_file): unknown option \"pat\"; did you mean "
        "\"path\"?");
    const char *message = open_call("weir", "public", "toy_fiel", &path, 1);
    assert_non_null(strstr(message, "3 \"toy_fiel\" is no table of weir.public: there is no table "
                                    "kind \"toy_fiel\"; did you mean \"toy_file\"?"));
    /* A table of the name comes first. */
    assert_int_equal(toy_view(names, "weir", "public", "toy_file", NULL), WEIR_OK);
    assert_non_null(strstr(open_call("weir", "public", "toy_file", &path, 1), "has no parameters"));
}

/* ---- What is kept ---- */

static int look_up(const char *catalog, const char *schema, const char *name) {
    return toy_look_up(names, catalog, schema, name, &error);
}

static void a_second_lookup_opens_nothing(void **state) {
    (void)state;
    assert_int_equal(look_up("lake", "logs", "x"), WEIR_OK);
    assert_int_equal(look_up("lake", "logs", "x.csv"), WEIR_OK);
    assert_int_equal(look_up("weir", "public", "/lake/logs/x.parquet"), WEIR_OK);
    assert_int_equal(toy_counts.opens, 1);
    assert_int_equal(look_up("weir", "public", "x.csv"), WEIR_OK);
    assert_int_equal(look_up("weir", "public", "/tmp/x.csv"), WEIR_OK);
    assert_int_equal(toy_counts.opens, 2);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(look_up("weir", "public", "x.csv"), WEIR_OK);
    assert_int_equal(toy_counts.opens, 3);
    assert_string_equal(toy_counts.path, "x.csv");
}

static void pipes_and_names_of_the_process_are_opened_each_time(void **state) {
    (void)state;
    const char *const names_of[] = {"/tmp/a.fifo", "/dev/fd/a.csv", "/proc/self/fd/a.csv"};
    for (size_t i = 0; i < N_OF(names_of); i++) {
        assert_int_equal(look_up("weir", "public", names_of[i]), WEIR_OK);
        assert_int_equal(look_up("weir", "public", names_of[i]), WEIR_OK);
        assert_int_equal(toy_counts.opens, 2 * (int)(i + 1));
        assert_int_equal(toy_counts.tables, 0);
    }
}

static void the_last_64_tables_are_kept(void **state) {
    (void)state;
    char name[64];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "/data/%d.csv", i);
        assert_int_equal(look_up("weir", "public", name), WEIR_OK);
        /* One that is used again stays. */
        assert_int_equal(look_up("weir", "public", "/data/0.csv"), WEIR_OK);
    }
    assert_int_equal(toy_counts.tables, 64);
    assert_int_equal(toy_counts.opens, 100);
    assert_int_equal(look_up("weir", "public", "/data/1.csv"), WEIR_OK);
    assert_int_equal(toy_counts.opens, 101);
    assert_int_equal(toy_counts.tables, 64);
}

/* ---- USE ---- */

static const char *use(const char *current, const char *first, const char *second) {
    static char text[4200];
    char *catalog = NULL;
    char *schema = NULL;
    if (wr_names_namespace(names, current, first, second, &catalog, &schema, &error)) {
        snprintf(text, sizeof text, "%s %s", error.sqlstate, error.message);
    } else {
        snprintf(text, sizeof text, "%s|%s", catalog, schema);
    }
    wr_free(catalog);
    wr_free(schema);
    return text;
}

static void use_means_a_schema_here_else_a_catalog_or_mount(void **state) {
    (void)state;
    assert_int_equal(wr_names_create_schema(names, "weir", "s", 0, NULL), WEIR_OK);
    assert_string_equal(use("weir", "s", NULL), "weir|s");
    assert_string_equal(use("weir", "other", NULL), "other|public");
    assert_string_equal(use("weir", "weir", NULL), "weir|public");
    assert_string_equal(use("weir", "lake", NULL), "lake|root");
    assert_string_equal(use("weir", "lake", "logs"), "lake|logs");
    assert_string_equal(use("weir", "lake", "logs/deep"), "lake|logs/deep");
    assert_string_equal(use("lake", "logs", NULL), "lake|logs");
    assert_string_equal(use("lake", "weir", NULL), "weir|public");
    assert_string_equal(use("lake", "weir", "s"), "weir|s");
    assert_string_equal(
        use("weir", "pubilc", NULL),
        "3F000 there is no namespace \"pubilc\" in \"weir\", nor a catalog or mount "
        "of that name; did you mean \"public\"?; there are: lake, other, public, s, "
        "weir");
    assert_string_equal(use("weir", "lake", "logz"),
                        "3F000 there is no namespace \"logz\" in \"lake\"; did you mean \"logs\"?; "
                        "there are: logs, logs/deep/er, logs/public, root");
    assert_string_equal(use("weir", "/", NULL),
                        "3F000 there is no namespace \"/\" in \"weir\", nor a catalog or mount of "
                        "that name; there are: lake, other, public, s, weir");
    assert_int_equal(wr_names_create_catalog(names, "bare", 0, NULL), WEIR_OK);
    assert_string_equal(use("weir", "bare", NULL),
                        "3F000 the catalog \"bare\" has no namespace yet; make one with CREATE "
                        "NAMESPACE \"bare\".name");
    assert_int_equal(wr_names_create_schema(names, "bare", "only", 0, NULL), WEIR_OK);
    assert_string_equal(use("weir", "bare", NULL), "bare|only");
}

#define LAKE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, toy_teardown)
#define MACHINE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_machine, toy_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        LAKE_TEST(a_table_of_a_mount_is_found_by_schema_and_name),
        LAKE_TEST(a_name_that_leads_out_of_its_mount_is_refused),
        LAKE_TEST(an_encodings_extension_gives_the_rows_of_the_table),
        LAKE_TEST(what_is_no_table_is_called_what_it_is),
        LAKE_TEST(the_first_of_two_parts_may_be_a_catalog_or_a_mount),
        LAKE_TEST(ddl_finds_a_schema_as_a_lookup_does),
        LAKE_TEST(schemas_are_the_directories_that_hold_tables),
        LAKE_TEST(a_directory_is_left_out_of_a_listing_only_when_it_is_gone),
        LAKE_TEST(has_answers_without_listing),
        LAKE_TEST(a_path_of_the_tree_is_a_table),
        MACHINE_TEST(a_path_of_the_machine_is_a_table_of_its_mount),
        LAKE_TEST(without_a_mount_a_path_goes_to_the_kind_that_reads_paths),
        LAKE_TEST(a_call_gives_parameters_to_a_table_that_takes_them),
        LAKE_TEST(a_call_of_a_kind_is_a_table_of_it),
        MACHINE_TEST(a_second_lookup_opens_nothing),
        MACHINE_TEST(pipes_and_names_of_the_process_are_opened_each_time),
        MACHINE_TEST(the_last_64_tables_are_kept),
        LAKE_TEST(use_means_a_schema_here_else_a_catalog_or_mount),
    };
    return cmocka_run_group_tests_name("look-ups", tests, NULL, NULL);
}
