/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: its lines, and what happens when they cannot be written. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "session/audit.h"
#include "sql/statement.h"

static char directory[64];
static char path[128];

static int make_directory(void **state) {
    (void)state;
    strcpy(directory, "/tmp/weir-audit-XXXXXX");
    if (!mkdtemp(directory)) return -1;
    snprintf(path, sizeof path, "%s/audit.log", directory);
    return 0;
}

static int remove_directory(void **state) {
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s.1", path);
    unlink(other);
    unlink(path);
    return rmdir(directory);
}

static struct wr_audit *open_log(struct wr_config **ret_config) {
    struct wr_audit *audit = NULL;
    const struct weir_option settings[] = {{"audit.log", path}};
    assert_int_equal(wr_config_load(NULL, settings, 1, ret_config, NULL), WEIR_OK);
    assert_int_equal(wr_audit_open(*ret_config, &audit, NULL), WEIR_OK);
    return audit;
}

static const struct wr_audit_record record = {
    .session = "s1",
    .query = "q1",
    .user = "al\"ice\n",
    .door = "flight",
    .peer = "127.0.0.1:5",
    .sql = "SELECT * FROM t WHERE a = 'hunter2' AND b = 42 -- hunter3",
    .started_us = INT64_C(1700000000123456),
    .duration_us = 1500,
    .rows = 3,
};

static const char *content(void) {
    static char text[1 << 16];
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file) fclose(file);
    return text;
}

static void a_line_tells_who_did_what_without_values(void **state) {
    (void)state;
    struct wr_config *config = NULL;
    struct wr_audit *audit = open_log(&config);
    struct wr_json *json = NULL;
    struct stat status;
    assert_int_equal(wr_audit_write(audit, &record, NULL), WEIR_OK);
    const char *text = content();
    assert_int_equal(wr_json_parse(text, strlen(text), &json, NULL), WEIR_OK);
    assert_string_equal(wr_json_text(json, "time"), "2023-11-14T22:13:20.123456Z");
    assert_string_equal(wr_json_text(json, "user"), "al\"ice\n");
    assert_string_equal(wr_json_text(json, "statement"), "SELECT * FROM t WHERE a = ? AND b = ?");
    assert_string_equal(wr_json_text(json, "outcome"), "ok");
    assert_null(strstr(text, "hunter"));
    wr_json_free(json);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    wr_audit_close(audit);
    wr_config_free(config);
}

static void a_log_that_was_moved_away_is_made_anew(void **state) {
    (void)state;
    char other[160];
    struct wr_config *config = NULL;
    struct wr_audit *audit = open_log(&config);
    assert_int_equal(wr_audit_write(audit, &record, NULL), WEIR_OK);
    snprintf(other, sizeof other, "%s.1", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(wr_audit_write(audit, &record, NULL), WEIR_OK);
    assert_non_null(strstr(content(), "\"session\":\"s1\""));
    wr_audit_close(audit);
    wr_config_free(config);
}

static void set_limit(rlim_t most) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = most;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void no_statement_begins_while_the_log_is_full_and_none_is_lost(void **state) {
    (void)state;
    struct wr_config *config = NULL;
    struct weir_error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    struct wr_audit *audit = open_log(&config);
    assert_int_equal(wr_audit_write(audit, &record, NULL), WEIR_OK);
    size_t line = strlen(content());
    set_limit(line + 10); /* the disk is full in the middle of a line */
    assert_int_equal(wr_audit_ready(audit, &error), WEIR_OK);
    assert_int_equal(wr_audit_write(audit, &record, &error), WEIR_IO);
    assert_string_equal(error.sqlstate, "58030");
    assert_int_equal(wr_audit_ready(audit, &error), WEIR_IO);
    set_limit(RLIM_INFINITY);
    assert_int_equal(wr_audit_ready(audit, &error), WEIR_OK);
    assert_int_equal(strlen(content()), 2 * line);
    assert_memory_equal(content(), content() + line, line);
    wr_audit_close(audit);
    wr_config_free(config);
}

static void literals_of_every_form_are_left_out(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT 'a''b', E'x\\'y', $$z$$, $t$z$t$, 1.5e3, \"name\"",
         "SELECT ?, ?, ?, ?, ?, \"name\""},
        {"SELECT /* 'secret' */ 1 -- 2", "SELECT ?"},
        {"SELECT 'not closed", "SELECT ?"},
        {"SELECT \"not closed", "SELECT ?"},
        {"SELECT $1", "SELECT $1"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        assert_int_equal(wr_sql_without_literals(cases[i][0], &text, NULL), WEIR_OK);
        assert_string_equal(text, cases[i][1]);
        wr_free(text);
    }
    assert_true(wr_sql_has_secret("/* x */ create USER a password 'b'"));
    assert_true(wr_sql_has_secret("ALTER USER a PASSWORD 'b'"));
    assert_false(wr_sql_has_secret("CREATE TABLE a(b INT)"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_tells_who_did_what_without_values, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(a_log_that_was_moved_away_is_made_anew, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(no_statement_begins_while_the_log_is_full_and_none_is_lost,
                                        make_directory, remove_directory),
        cmocka_unit_test(literals_of_every_form_are_left_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
