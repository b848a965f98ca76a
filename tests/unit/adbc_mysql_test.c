/* SPDX-License-Identifier: Apache-2.0 */
/* What is MySQL's in src/table/adbc: types, and URLs for its ODBC driver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"
#include "table/adbc/mysql.h"
#include "table/adbc/mysql_types.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))
#define BINARY "utf8mb4_nopad_bin"

static void types_have_their_arrow_types_and_expressions(void **state) {
    (void)state;
    static const struct {
        struct wr_mysql_column column;
        const char *format, *expression;
    } cases[] = {
        {{"a", "tinyint", "tinyint(1)", NULL, NULL, 3, 0}, "c", NULL},
        {{"a", "bigint", "bigint(20) unsigned", NULL, NULL, 20, 0}, "L", NULL},
        {{"a", "mediumint", "mediumint(8) unsigned zerofill", NULL, NULL, 7, 0}, "I", NULL},
        {{"a", "decimal", "decimal(10,2) unsigned", NULL, NULL, 10, 2}, "d:10,2", NULL},
        {{"a", "decimal", "decimal(65,30)", NULL, NULL, 65, 30}, "d:65,30,256", NULL},
        {{"a", "timestamp", "timestamp(6)", NULL, NULL, 0, 0}, "tsu:UTC", NULL},
        {{"a", "varbinary", "varbinary(20)", NULL, NULL, 0, 0}, "z", NULL},
        {{"a", "bit", "bit(5)", NULL, NULL, 5, 0}, "L", "CAST(`a` AS UNSIGNED)"},
        {{"a", "text", "text", "utf8mb4", BINARY, 0, 0}, "u", NULL},
        {{"a`b", "varchar", "varchar(9)", "utf8mb4", "utf8mb4_general_ci", 0, 0},
         "u",
         "`a``b` COLLATE " BINARY},
        {{"a", "char", "char(9)", "latin1", "latin1_bin", 0, 0},
         "u",
         "CONVERT(`a` USING utf8mb4) COLLATE " BINARY},
        {{"a", "enum", "enum('unsigned')", "utf8mb4", "utf8mb4_bin", 0, 0},
         "u",
         "CONVERT(`a` USING utf8mb4) COLLATE " BINARY},
        {{"a", "inet6", "inet6", NULL, NULL, 0, 0},
         "u",
         "CONVERT(`a` USING utf8mb4) COLLATE " BINARY},
        {{"a", "float", "float unsigned", NULL, NULL, 12, 0}, "f", "CAST(`a` AS DOUBLE)"},
        {{"a", "point", "point", NULL, NULL, 0, 0}, "z", "ST_AsWKB(`a`)"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct wr_mysql_type type;
        char *expression = NULL;
        assert_int_equal(wr_mysql_type(&cases[i].column, BINARY, &type, &expression, NULL),
                         WEIR_OK);
        assert_string_equal(type.format, cases[i].format);
        if (cases[i].expression) {
            assert_non_null(expression);
            assert_string_equal(expression, cases[i].expression);
        } else {
            assert_null(expression);
        }
        wr_free(expression);
    }
}

static void a_type_that_mysql_has_not_is_an_error_with_the_column(void **state) {
    (void)state;
    struct ArrowSchema column;
    struct weir_error error = {0};
    struct wr_buffer text;
    wr_buffer_init(&text, 1000);
    ArrowSchemaInit(&column);
    assert_int_equal(ArrowSchemaSetTypeDecimal(&column, NANOARROW_TYPE_DECIMAL128, 38, 31), 0);
    assert_int_equal(ArrowSchemaSetName(&column, "price"), 0);
    assert_int_equal(wr_mysql_type_name(&column, &text, &error), WEIR_NOT_IMPLEMENTED);
    assert_non_null(strstr(error.message, "\"price\" is of the Arrow type decimal128(38, 31)"));
    ArrowSchemaRelease(&column);
    wr_buffer_reset(&text);
}

static void an_url_becomes_a_connection_string(void **state) {
    (void)state;
    static const struct {
        const char *url, *text;
    } cases[] = {
        {"mysql://me:a%7Db%3B@h:3307/d%20b",
         "Driver={MariaDB Unicode};Option=2;Charset=utf8mb4;UID={me};PWD={a}}b;};Server={h};"
         "Port={3307};Database={d b};"},
        {"mariadb://h", "Driver={MariaDB Unicode};Option=2;Charset=utf8mb4;Server={h};"},
        {"mysql://me@h/?driver=/x/lib.so&sslverify=1",
         "Option=2;Charset=utf8mb4;UID={me};Server={h};driver={/x/lib.so};sslverify={1};"},
        {"Driver=x;Server=h", NULL},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char *text = NULL;
        assert_int_equal(wr_mysql_odbc_string(cases[i].url, &text, NULL), WEIR_OK);
        if (cases[i].text) {
            assert_non_null(text);
            assert_string_equal(text, cases[i].text);
        } else {
            assert_null(text);
        }
        wr_free(text);
    }
}

static void a_wrong_url_is_an_error_without_its_password(void **state) {
    (void)state;
    static const char *const urls[] = {"mysql://me:s3cret%zz@h/d", "mysql://me:s3cret@h/d?x",
                                       "mysql://me:s3cret@h/d?a=b;PWD=c"};
    for (size_t i = 0; i < N_OF(urls); i++) {
        char *text = NULL;
        struct weir_error error = {0};
        assert_int_equal(wr_mysql_odbc_string(urls[i], &text, &error), WEIR_INVALID_ARGUMENT);
        assert_null(text);
        assert_null(strstr(error.message, "s3cret"));
    }
}

static void numbers_of_errors_are_known(void **state) {
    (void)state;
    int code = 0;
    const char *sqlstate = NULL;
    assert_true(wr_mysql_meaning(1146, &code, &sqlstate));
    assert_int_equal(code, WEIR_NOT_FOUND);
    assert_string_equal(sqlstate, "42P01");
    assert_false(wr_mysql_meaning(0, &code, &sqlstate));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_their_arrow_types_and_expressions),
        cmocka_unit_test(a_type_that_mysql_has_not_is_an_error_with_the_column),
        cmocka_unit_test(an_url_becomes_a_connection_string),
        cmocka_unit_test(a_wrong_url_is_an_error_without_its_password),
        cmocka_unit_test(numbers_of_errors_are_known),
    };
    return cmocka_run_group_tests_name("adbc mysql", tests, NULL, NULL);
}
