/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords in options, and references in their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/reference.h"
#include "base/secret.h"

static void check(const char *key, const char *value, const char *redacted) {
    char *text = wr_redact_secrets(key, value);
    assert_non_null(text);
    assert_string_equal(text, redacted);
    assert_int_equal(wr_has_secret(key, value), strcmp(value, redacted) != 0);
    wr_free(text);
}

static void a_password_in_a_url_is_taken_out(void **state) {
    (void)state;
    check("url", "postgresql://weir:hunter2@host:5432/db", "postgresql://weir:***@host:5432/db");
    check("url", "postgresql://weir:a@b/c@host/db", "postgresql://weir:***@host/db");
    check("url", "postgresql://host/db?user=weir&password=p%20w&sslmode=require",
          "postgresql://host/db?user=weir&password=***&sslmode=require");
    check("url", "postgresql://a:b@host/db?password=c", "postgresql://a:***@host/db?password=***");
    check("uri", "host=h password=p dbname=d", "host=h password=*** dbname=d");
    check("uri", "host=h password = 'a b\\' c' dbname=d", "host=h password = '***' dbname=d");
}

static void what_holds_no_password_stays(void **state) {
    (void)state;
    static const char *const values[] = {
        "postgresql://weir@host:5432/db",
        "postgresql://host:5432/db",
        "/data/password/x.db",
        "s3://bucket/a:b/c",
        "https://host:8080/a@b",
        ":memory:",
        "password",
        "",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check("url", values[i], values[i]);
}

static void the_value_of_a_secret_key_is_one_as_a_whole(void **state) {
    (void)state;
    check("password", "hunter2", "***");
    check("mounts.pg.password", "hunter2", "***");
    check("adbc.flight.sql.authorization_header", "Bearer x", "***");
    check("partition_column", "token", "token");
}

static void a_reference_is_none(void **state) {
    (void)state;
    check("password", "${env:PG_PASSWORD}", "${env:PG_PASSWORD}");
    check("url", "${env:PG_URI}", "${env:PG_URI}");
    check("url", "postgresql://weir:${file:/run/pw}@host/db",
          "postgresql://weir:${file:/run/pw}@host/db");
    check("url", "host=h password=${env:P} dbname=d", "host=h password=${env:P} dbname=d");
    check("password", "x${env:P}", "***");
}

static void an_escaped_text_resolves_to_itself(void **state) {
    (void)state;
    static const char *const values[] = {"", "plain", "${env:HOME}", "a${b$${c", "$", "${"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char *resolved = NULL;
        char *escaped = wr_reference_escape(values[i]);
        assert_non_null(escaped);
        if (strstr(values[i], "$${")) {
            wr_free(escaped);
            continue;
        }
        assert_int_equal(wr_reference_resolve(escaped, NULL, &resolved, NULL), WEIR_OK);
        assert_string_equal(resolved, values[i]);
        wr_free(escaped);
        wr_free(resolved);
    }
}

static void want_of_memory_shows_no_secret(void **state) {
    (void)state;
    wr_alloc_fail_at(1);
    assert_null(wr_redact_secrets("password", "hunter2"));
    wr_alloc_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_in_a_url_is_taken_out),
        cmocka_unit_test(what_holds_no_password_stays),
        cmocka_unit_test(the_value_of_a_secret_key_is_one_as_a_whole),
        cmocka_unit_test(a_reference_is_none),
        cmocka_unit_test(an_escaped_text_resolves_to_itself),
        cmocka_unit_test(want_of_memory_shows_no_secret),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
