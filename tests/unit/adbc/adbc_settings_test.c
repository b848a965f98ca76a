/* SPDX-License-Identifier: Apache-2.0 */
#include "material.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "table/adbc/core.h"

static const char *option(const struct wr_adbc_settings *settings, const char *key) {
    return wr_options_get(settings->options.items, settings->options.n_items, key);
}

static void the_url_says_which_driver(void **state) {
    (void)state;
    static const struct {
        const char *url, *driver;
    } cases[] = {
        {"postgresql://h/d", "postgresql"},
        {"postgres://h/d", "postgresql"},
        {"sqlite:x", "sqlite"},
        {"sqlite:///x", "sqlite"},
        {"dir/x.db", "sqlite"},
        {"x.sqlite3", "sqlite"},
        {"duckdb:x", "duckdb"},
        {"x.duckdb", "duckdb"},
        {"grpc+tls://h:1", "flightsql"},
        {"mysql://h/d", "mysql"},
        {"mysql+tls://h/d", "mysql"},
        {"file:x?mode=memory", "sqlite"},
        {"x.txt", NULL},
        {":memory:", NULL},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char *driver = NULL;
        assert_int_equal(wr_adbc_url_driver(cases[i].url, &driver, NULL), WEIR_OK);
        if (cases[i].driver) {
            assert_non_null(driver);
            assert_string_equal(driver, cases[i].driver);
        } else {
            assert_null(driver);
        }
        wr_free(driver);
    }
}

static void wrong_options_are_errors_without_their_values(void **state) {
    (void)state;
    static const struct {
        struct weir_option option;
        const char *message;
    } cases[] = {
        {{"pool.max", "0"}, "option \"pool.max\" is not between 1 and 10000"},
        {{"pool.min", "9"}, "option \"pool.min\" is not between 0 and pool.max"},
        {{"connect_timeout", "soon"}, "option \"connect_timeout\" is no duration"},
        {{"connect_timeout", "0"}, "option \"connect_timeout\" is zero"},
        {{"pool.lifetime", "x"}, "option \"pool.lifetime\" is no duration"},
        {{"password", PASSWORD}, "neither the option driver nor the URL says"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct weir_option options[] = {cases[i].option, {"url", "x"}};
        struct wr_adbc_settings settings;
        struct weir_error error = {0};
        assert_int_equal(wr_adbc_settings_read(options, 2, &settings, &error),
                         WEIR_INVALID_ARGUMENT);
        assert_true(contains(error.message, cases[i].message));
        assert_null(strstr(error.message, PASSWORD));
    }
}

static void fit(const struct weir_option *options, size_t n, enum wr_adbc_family family,
                struct wr_adbc_settings *settings) {
    struct weir_error error = {0};
    if (wr_adbc_settings_read(options, n, settings, &error) ||
        wr_adbc_settings_fit(settings, family, 7, "x.so", &error))
        fail_msg("%s", error.message);
}

static void postgresql_gets_one_uri(void **state) {
    (void)state;
    struct weir_option options[] = {{"url", "postgresql://h/d"},
                                    {"username", "o'b"},
                                    {"password", "a b&c=%"},
                                    {"connect_timeout", "1500ms"}};
    struct wr_adbc_settings settings;
    fit(options, 4, WR_ADBC_POSTGRESQL, &settings);
    assert_string_equal(option(&settings, "uri"),
                        "postgresql://h/d?user=o%27b&password=a%20b%26c%3D%25&connect_timeout=2"
                        "&fallback_application_name=weir");
    assert_null(option(&settings, "password"));
    wr_adbc_settings_reset(&settings);
    options[0].value = "host=h connect_timeout=9";
    struct weir_option words[] = {
        options[0], options[1], {"password", "a'\\"}, {"driver", "postgresql"}};
    fit(words, 4, WR_ADBC_POSTGRESQL, &settings);
    assert_string_equal(option(&settings, "uri"),
                        "host=h connect_timeout=9 user='o\\'b' password='a\\'\\\\' "
                        "fallback_application_name='weir'");
    wr_adbc_settings_reset(&settings);
}

static void files_must_be_there_unless_they_are_to_be_made(void **state) {
    (void)state;
    const char *path = write_file("there.db", "");
    struct weir_option options[] = {{"url", path}, {"driver", "sqlite"}, {"create", "false"}};
    struct wr_adbc_settings settings;
    struct weir_error error = {0};
    fit(options, 3, WR_ADBC_SQLITE, &settings);
    assert_string_equal(option(&settings, "uri"), path);
    wr_adbc_settings_reset(&settings);
    options[0].value = "sqlite:/no/such.db";
    assert_int_equal(wr_adbc_settings_read(options, 3, &settings, NULL), WEIR_OK);
    assert_int_equal(wr_adbc_settings_fit(&settings, WR_ADBC_SQLITE, 1, "x.so", &error),
                     WEIR_NOT_FOUND);
    assert_true(contains(error.message, "no file \"/no/such.db\""));
    assert_int_equal(wr_adbc_settings_fit(&settings, WR_ADBC_DUCKDB, 1, "x.so", &error),
                     WEIR_NOT_FOUND);
    wr_adbc_settings_reset(&settings);
    options[2].value = "true";
    fit(options, 3, WR_ADBC_SQLITE, &settings);
    assert_string_equal(option(&settings, "uri"), "/no/such.db");
    wr_adbc_settings_reset(&settings);
    options[0].value = ":memory:";
    fit(options, 3, WR_ADBC_SQLITE, &settings);
    assert_true(contains(option(&settings, "uri"), "-7?vfs=memdb"));
    wr_adbc_settings_reset(&settings);
    fit(options, 3, WR_ADBC_DUCKDB, &settings);
    assert_int_equal(settings.options.n_items, 0);
    wr_adbc_settings_reset(&settings);
}

/* ---- Profiles ---- */

static void a_profile_is_under_what_was_given(void **state) {
    (void)state;
    write_file("profiles/prod.toml",
               "profile_version = 1\ndriver = 'postgresql'\n[Options]\n"
               "uri = 'postgresql://u:{{ env_var(WEIR_T_PW) }}@h/d'\n"
               "adbc.x = '{{env_var(WEIR_T_UNSET)}}-{{ env_var( WEIR_T_PW ) }}'\n"
               "'adbc.y' = 5\nadbc.z = true\n");
    char place[600];
    snprintf(place, sizeof place, "%s/profiles", test_directory());
    setenv("ADBC_PROFILE_PATH", place, 1);
    setenv("WEIR_T_PW", PASSWORD, 1);
    unsetenv("WEIR_T_UNSET");
    struct weir_option options[] = {{"url", "profile://prod"}, {"adbc.y", "6"}};
    struct wr_adbc_settings settings;
    assert_int_equal(wr_adbc_settings_read(options, 2, &settings, NULL), WEIR_OK);
    assert_string_equal(settings.driver, "postgresql");
    assert_string_equal(settings.url, "postgresql://u:" PASSWORD "@h/d");
    assert_string_equal(option(&settings, "adbc.x"), "-" PASSWORD);
    assert_string_equal(option(&settings, "adbc.y"), "6");
    assert_string_equal(option(&settings, "adbc.z"), "true");
    wr_adbc_settings_reset(&settings);

    struct weir_error error = {0};
    struct weir_option other[] = {{"url", "profile://prod"}, {"driver", "sqlite"}};
    assert_int_equal(wr_adbc_settings_read(other, 2, &settings, &error), WEIR_INVALID_ARGUMENT);
    other[0].value = "profile://none";
    assert_int_equal(wr_adbc_settings_read(other, 2, &settings, &error), WEIR_NOT_FOUND);
    assert_true(contains(error.message, "profiles/none.toml"));
    unsetenv("ADBC_PROFILE_PATH");
}

static void a_wrong_profile_is_an_error_with_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"driver = 'x'\n", "p.toml:1: profile_version is not 1"},
        {"\nprofile_version = 7\n", "p.toml:2: profile_version is not 1"},
        {"profile_version = 1\n[Options]\na = '{{ run(x) }}'\n", "p.toml:3: {{ }} holds"},
        {"profile_version = 1\n[Options]\na = ['x']\n", "p.toml:3: an option is a text"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_options options = {0};
        struct weir_error error = {0};
        const char *path = write_file("p.toml", cases[i].text);
        assert_int_not_equal(wr_adbc_profile_read(path, &options, &error), WEIR_OK);
        assert_true(contains(error.message, cases[i].message));
    }
}

/* ---- Secrets ---- */

static void assert_redacted(const struct weir_option *options, size_t n, const char *text,
                            const char *clean) {
    struct wr_adbc_settings settings;
    struct wr_adbc_secrets secrets;
    assert_int_equal(wr_adbc_settings_read(options, n, &settings, NULL), WEIR_OK);
    assert_int_equal(wr_adbc_secrets_find(&settings, &secrets, NULL), WEIR_OK);
    char *redacted = wr_adbc_redact(&secrets, text);
    assert_string_equal(redacted, clean);
    wr_free(redacted);
    wr_adbc_secrets_reset(&secrets);
    wr_adbc_settings_reset(&settings);
}

static void no_secret_stays_in_a_text(void **state) {
    (void)state;
    struct weir_option uri[] = {{"url", "postgresql://me:p%40ssw@host/db"}};
    assert_redacted(uri, 1, "cannot reach postgresql://me:p%40ssw@host/db as p@ssw, p%40ssw!",
                    "cannot reach *** as ***, ***!");
    struct weir_option parameter[] = {{"url", "postgresql://h/db?password=abcde&x=1"}};
    assert_redacted(parameter, 1, "abcde or xabcdex", "*** or x***x");
    struct weir_option words[] = {{"url", "host=h password='it\\'s'"}, {"driver", "postgresql"}};
    assert_redacted(words, 2, "it's and it\\'s", "*** and ***");
    struct weir_option short_one[] = {{"url", "x://h"}, {"password", "e"}};
    assert_redacted(short_one, 2, "the password e, 'e' here", "the password ***, '***' here");
    struct weir_option token[] = {
        {"url", "x://h"}, {"adbc.x.auth_token", "T0ken"}, {"adbc.n", "name"}};
    assert_redacted(token, 3, "T0ken name", "*** name");
    struct weir_option slash[] = {{"url", "postgresql://me:a/b?c@host/db"}};
    assert_redacted(slash, 1, "a/b?c", "***");
    /* As libpq reads them: another host, and a port. */
    struct weir_option at[] = {{"url", "postgresql://me:first@second@host/db"}};
    assert_redacted(at, 1, "no host \"second@host\"", "no host \"***@host\"");
    struct weir_option port[] = {{"url", "postgresql://me:word/rest@host/db"}};
    assert_redacted(port, 1, "no port \"word\"", "no port \"***\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fake_reset, fake_is_closed)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_url_says_which_driver),
        CASE(wrong_options_are_errors_without_their_values),
        CASE(postgresql_gets_one_uri),
        CASE(files_must_be_there_unless_they_are_to_be_made),
        CASE(a_profile_is_under_what_was_given),
        CASE(a_wrong_profile_is_an_error_with_its_line),
        CASE(no_secret_stays_in_a_text),
    };
    return cmocka_run_group_tests_name("adbc settings", tests, NULL, NULL);
}
