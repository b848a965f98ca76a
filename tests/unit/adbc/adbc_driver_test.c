/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "table/adbc/driver.h"
#include "table/adbc/toml.h"

/* ---- TOML ---- */

static const char *value(const struct wr_toml *toml, const char *key) {
    const struct wr_toml_entry *entry = wr_toml_get(toml, key);
    return entry ? entry->value : NULL;
}

static void a_file_is_read_with_tables_keys_and_strings_of_all_sorts(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBF# a comment\r\n"
                               "top = 1_000\n"
                               "[A.\"b c\".d] # more\n"
                               "basic = \"x\\t\\\"\\u00e9\\U0001F600\" # behind\n"
                               "literal = 'C:\\x'\n"
                               "f = -1.5e3\n"
                               "yes = true\n"
                               "a.b . c = ''\n"
                               "list = [ 'x', # first\n \"y\",\n]\n"
                               "[E]";
    struct wr_toml toml;
    struct weir_error error;
    assert_int_equal(wr_toml_parse(text, "x", &toml, &error), WEIR_OK);
    assert_string_equal(value(&toml, "top"), "1000");
    assert_string_equal(value(&toml, "A.b c.d.basic"), "x\t\"\u00e9\U0001F600");
    assert_string_equal(value(&toml, "A.b c.d.literal"), "C:\\x");
    assert_int_equal(wr_toml_get(&toml, "A.b c.d.f")->type, WR_TOML_FLOAT);
    assert_int_equal(wr_toml_get(&toml, "A.b c.d.yes")->type, WR_TOML_BOOLEAN);
    assert_string_equal(value(&toml, "A.b c.d.a.b.c"), "");
    assert_int_equal(wr_toml_get(&toml, "A.b c.d.list")->type, WR_TOML_ARRAY);
    assert_int_equal(wr_toml_get(&toml, "E")->type, WR_TOML_TABLE);
    assert_int_equal(wr_toml_get(&toml, "E")->line, 12);
    assert_null(value(&toml, "nothing"));
    wr_toml_reset(&toml);
}

static void every_toml_error_has_its_line_and_no_value(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a = 'x", "f:1: a string without its end"},
        {"\na = \"\\q\"", "f:2: an unknown escape in a string"},
        {"a = \"\\u12\"", "f:1: an escape needs 4 hexadecimal digits"},
        {"a = \"\\ud800\"", "f:1: an escape that is no character"},
        {"a = \"\"\"x\"\"\"", "f:1: strings of several lines are not read here"},
        {"a = 1\na = 2", "f:2: \"a\" is given already in line 1"},
        {"[a]\n[a]", "f:2: \"a\" is given already in line 1"},
        {"a 1", "f:1: expected = after a key"},
        {"= 1", "f:1: expected a key"},
        {"a =\n", "f:1: expected a value"},
        {"a = word", "f:1: expected a string in quotes, a number, true or false"},
        {"a = 1 2", "f:1: expected the line's end"},
        {"[a", "f:1: expected ] after a table's name"},
        {"[[a]]", "f:1: arrays of tables are not read here"},
        {"a = {b = 1}", "f:1: inline tables are not read here; write a [table]"},
        {"a = ['x' 'y']", "f:1: expected , or ] in an array"},
        {"a = [[1]]", "f:1: arrays of arrays are not read here"},
        {"a = 'x\x01'", "f:1: a control character in a string"},
        {"a = '\xff'", "f: not UTF-8"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_toml toml;
        struct weir_error error;
        assert_int_equal(wr_toml_parse(cases[i].text, "f", &toml, &error), WEIR_INVALID_ARGUMENT);
        assert_string_equal(error.message, cases[i].message);
    }
}

static void every_allocation_of_toml_that_fails_is_an_error(void **state) {
    (void)state;
    for (int64_t n = 1;; n++) {
        struct wr_toml toml = {0};
        struct weir_error error = {0};
        wr_alloc_fail_at(n);
        int code = wr_toml_parse("[t]\na = 'x'\nb.c = [1, 2]\n", "f", &toml, &error);
        wr_alloc_fail_at(0);
        wr_toml_reset(&toml);
        if (code == WEIR_OK) break;
        assert_string_equal(error.sqlstate, "53200");
        assert_true(n < 100);
    }
}

/* ---- Manifests ---- */

static void environment(const char *drivers, const char *virtual_environment, const char *conda,
                        const char *configuration) {
    setenv("ADBC_DRIVER_PATH", drivers, 1);
    setenv("VIRTUAL_ENV", virtual_environment, 1);
    setenv("CONDA_PREFIX", conda, 1);
    setenv("XDG_CONFIG_HOME", configuration, 1);
}

static void assert_library(const char *driver, const char *library) {
    struct wr_adbc_location location = {0};
    struct weir_error error = {0};
    if (wr_adbc_driver_find(driver, &location, &error)) fail_msg("%s", error.message);
    assert_string_equal(location.library, library);
    wr_adbc_location_reset(&location);
}

static void places_are_searched_in_the_order_of_the_specification(void **state) {
    (void)state;
    static const char *const places[] = {"one/x.toml", "two/x.toml", "venv/etc/adbc/drivers/x.toml",
                                         "conda/etc/adbc/drivers/x.toml",
                                         "config/adbc/drivers/x.toml"};
    char roots[5][512];
    static const char *const names[] = {"one", "two", "venv", "conda", "config"};
    for (size_t i = 0; i < 5; i++)
        snprintf(roots[i], sizeof roots[i], "%s/%s", test_directory(), names[i]);
    char list[1100];
    snprintf(list, sizeof list, "%s:%s", roots[0], roots[1]);
    environment(list, roots[2], roots[3], roots[4]);
    for (int i = 4; i >= 0; i--) {
        char text[64], library[32];
        snprintf(library, sizeof library, "/lib/of/%d.so", i);
        snprintf(text, sizeof text, "[Driver]\nshared = '%s'\n", library);
        write_file(places[i], text);
        assert_library("x", library);
    }
    environment("", "", "", "");
}

static void a_manifest_names_a_library_for_this_platform(void **state) {
    (void)state;
    const char *path = write_file("m.toml", "manifest_version = 1\nname = 'n'\nversion = '1'\n"
                                            "[ADBC.features]\nsupported = ['a']\n"
                                            "[Driver]\nentrypoint = 'start'\n[Driver.shared]\n"
                                            "linux_amd64 = 'lib/a.so'\nlinux_arm64 = 'lib/a.so'\n"
                                            "linux_amd64_musl = 'lib/a.so'\n");
    struct wr_adbc_location location = {0};
    assert_int_equal(wr_adbc_driver_find(path, &location, NULL), WEIR_OK);
    char library[512];
    snprintf(library, sizeof library, "%s/lib/a.so", test_directory());
    assert_string_equal(location.library, library);
    assert_string_equal(location.entrypoint, "start");
    wr_adbc_location_reset(&location);
}

static void a_wrong_manifest_is_an_error_that_names_it(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"manifest_version = 2\n[Driver]\nshared='x'", "m.toml:1: manifest_version is not 1"},
        {"[Driver.shared]\nplan9_vax = 'x'", "only for plan9_vax"},
        {"name = 'x'", "names no library: Driver.shared is missing"},
        {"[Driver]\nshared = 5", "m.toml:2: Driver.shared is no text"},
        {"[Driver]\nshared = 'x'\nentrypoint = true", "m.toml:3: Driver.entrypoint is no text"},
        {"[Driver\n", "m.toml:1: expected ]"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_adbc_location location = {0};
        struct weir_error error = {0};
        const char *path = write_file("m.toml", cases[i].text);
        assert_int_not_equal(wr_adbc_driver_find(path, &location, &error), WEIR_OK);
        assert_true(contains(error.message, cases[i].message));
    }
}

static void a_missing_driver_is_one_error_with_all_places(void **state) {
    (void)state;
    environment("/no/one:/no/two", "/no/venv", "/no/conda", "/no/config");
    struct wr_adbc_location location = {0};
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_driver_find("nosuch", &location, &error), WEIR_NOT_FOUND);
    static const char *const places[] = {"/no/one/nosuch.toml",
                                         "/no/two/nosuch.toml",
                                         "/no/venv/etc/adbc/drivers/nosuch.toml",
                                         "/no/conda/etc/adbc/drivers/nosuch.toml",
                                         "/no/config/adbc/drivers/nosuch.toml",
                                         "/etc/adbc/drivers/nosuch.toml",
                                         "libadbc_driver_nosuch.so"};
    for (size_t i = 0; i < N_OF(places); i++)
        assert_true(contains(error.message, places[i]));
    environment("", "", "", "");
    assert_int_equal(wr_adbc_driver_find("/no/such", &location, &error), WEIR_NOT_FOUND);
    assert_true(contains(error.message, "neither /no/such.toml nor /no/such.so is there"));
}

/* ---- Loading ---- */

static void entry_points_are_named_after_the_library(void **state) {
    (void)state;
    static const struct {
        const char *library, *name;
    } cases[] = {
        {"/x/libadbc_driver_sqlite.so", "AdbcDriverSqliteInit"},
        {"libadbc_driver_sqlite.so.2.0.0", "AdbcDriverSqliteInit"},
        {"/x/driver_sqlite.so", "AdbcDriverSqliteInit"},
        {"proprietary_driver.so", "AdbcProprietaryDriverInit"},
        {"libadbc-driver-my-db.so", "AdbcDriverMyDbInit"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_buffer name;
        wr_buffer_init(&name, 1000);
        wr_adbc_entrypoint_name(cases[i].library, &name);
        assert_string_equal(name.data, cases[i].name);
        wr_buffer_reset(&name);
    }
}

static void a_driver_is_asked_for_1_1_and_then_for_1_0(void **state) {
    (void)state;
    struct wr_adbc_driver *driver = NULL, *again = NULL;
    assert_int_equal(wr_adbc_driver_load(FAKE_DRIVER, NULL, &driver, NULL), WEIR_OK);
    assert_int_equal(driver->version, WR_ADBC_VERSION_1_1_0);
    assert_non_null(driver->functions.StatementCancel);
    assert_int_equal(wr_adbc_driver_load(FAKE_DRIVER, NULL, &again, NULL), WEIR_OK);
    assert_ptr_equal(driver, again);
    assert_int_equal(wr_adbc_driver_load(FAKE_DRIVER, "fake_old_init", &driver, NULL), WEIR_OK);
    assert_int_equal(driver->version, WR_ADBC_VERSION_1_0_0);
    assert_null(driver->functions.StatementCancel);
    assert_int_equal(WR_ADBC_CALL(driver, StatementCancel, (struct AdbcStatement *)NULL, NULL),
                     WEIR_NOT_IMPLEMENTED);
}

static void what_is_no_driver_is_refused(void **state) {
    (void)state;
    struct wr_adbc_driver *driver = NULL;
    struct weir_error error = {0};
    assert_int_equal(wr_adbc_driver_load("/no/such.so", NULL, &driver, &error), WEIR_NOT_FOUND);
    assert_int_equal(wr_adbc_driver_load(FAKE_DRIVER, "nothing", &driver, &error), WEIR_NOT_FOUND);
    assert_true(contains(error.message, "no entry point \"nothing\""));
    assert_int_equal(wr_adbc_driver_load(FAKE_DRIVER, "fake_empty_init", &driver, &error),
                     WEIR_INVALID_DATA);
    assert_int_equal(wr_adbc_driver_load(write_file("x.so", "no library"), NULL, &driver, &error),
                     WEIR_IO);
    assert_int_equal(wr_adbc_driver_load("libm.so.6", NULL, &driver, &error), WEIR_NOT_FOUND);
    assert_true(contains(error.message, "\"AdbcMInit\" and \"AdbcDriverInit\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_file_is_read_with_tables_keys_and_strings_of_all_sorts),
        CASE(every_toml_error_has_its_line_and_no_value),
        CASE(every_allocation_of_toml_that_fails_is_an_error),
        CASE(places_are_searched_in_the_order_of_the_specification),
        CASE(a_manifest_names_a_library_for_this_platform),
        CASE(a_wrong_manifest_is_an_error_that_names_it),
        CASE(a_missing_driver_is_one_error_with_all_places),
        CASE(entry_points_are_named_after_the_library),
        CASE(a_driver_is_asked_for_1_1_and_then_for_1_0),
        CASE(what_is_no_driver_is_refused),
    };
    return cmocka_run_group_tests_name("adbc drivers", tests, NULL, NULL);
}
