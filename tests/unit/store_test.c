/* SPDX-License-Identifier: Apache-2.0 */
/* Stores as texts: locations, options, scopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "store/store.h"

/* ---- Locations ---- */

static void check(const char *text, enum wr_store_type type, const char *root, const char *key) {
    struct wr_location location;
    struct weir_error error = {0};
    if (wr_location_parse(text, &location, &error) != 0) fail_msg("%s: %s", text, error.message);
    assert_int_equal(location.type, type);
    assert_string_equal(location.root, root);
    assert_string_equal(location.key, key);
    wr_location_reset(&location);
}

static void one_store_has_one_root_whatever_its_spelling(void **state) {
    (void)state;
    check("s3://bucket/a/b.parquet", WR_STORE_S3, "s3://bucket/", "a/b.parquet");
    check("S3A://bucket/a", WR_STORE_S3, "s3://bucket/", "a");
    check("s3://bucket", WR_STORE_S3, "s3://bucket/", "");
    check("s3://bucket/dir/", WR_STORE_S3, "s3://bucket/", "dir/");
    check("s3://b/100%/a b?#[1]*.csv", WR_STORE_S3, "s3://b/", "100%/a b?#[1]*.csv");
    check("gcs://b/x", WR_STORE_GCS, "gs://b/", "x");
    check("azure://c/x", WR_STORE_AZURE, "az://c/", "x");
    check("abfs://c/x", WR_STORE_AZURE, "az://c/", "x");
    check("abfs://c@Acct.dfs.core.windows.net/x", WR_STORE_AZURE,
          "abfss://c@acct.dfs.core.windows.net/", "x");
    check("HTTP://Example.ORG:8080/a%20b/c", WR_STORE_HTTP, "http://example.org:8080/", "a b/c");
    check("https://example.org", WR_STORE_HTTP, "https://example.org/", "");
    check("memory:///x", WR_STORE_MEMORY, "memory:///", "x");
    check("/data/x.csv", WR_STORE_FILE, "file:///", "data/x.csv");
    check("file:///data/a%20b", WR_STORE_FILE, "file:///", "data/a b");
}

static void two_containers_of_one_account_are_two_stores(void **state) {
    (void)state;
    struct wr_location one, two;
    assert_int_equal(wr_location_parse("abfss://c1@acct.dfs.core.windows.net/k", &one, NULL), 0);
    assert_int_equal(wr_location_parse("abfss://c2@acct.dfs.core.windows.net/k", &two, NULL), 0);
    assert_string_not_equal(one.root, two.root);
    assert_string_equal(one.container, "c1");
    assert_string_equal(one.account, "acct");
    wr_location_reset(&one);
    wr_location_reset(&two);
}

static void refused(const char *text, const char *word) {
    struct wr_location location;
    struct weir_error error = {0};
    if (wr_location_parse(text, &location, &error) == 0) fail_msg("%s is taken", text);
    if (!strstr(error.message, word)) fail_msg("%s: %s", text, error.message);
    assert_null(strstr(error.message, "hunter2"));
}

static void what_is_no_key_is_refused_and_no_secret_is_repeated(void **state) {
    (void)state;
    refused("s3://key:hunter2@bucket/x", "user or password");
    refused("https://user:hunter2@host/x", "user or password");
    refused("https://host/x?sig=hunter2", "query");
    refused("abfss://c:hunter2@acct.host/x", "user or password");
    refused("s3:///x", "bucket");
    refused("http:///x", "host");
    refused("az:///x", "container");
    refused("s3://bucket:9000/x", "endpoint");
    refused("s3://bucket/a/../b", "\"..\"");
    refused("s3://bucket/./b", "\".\"");
    refused("s3://bucket/a//b", "empty part");
    refused("s3://bucket//b", "empty part");
    refused("s3://bucket/a\nb", "control");
    refused("s3://bucket/\xff", "UTF-8");
    refused("http://host/a%2", "hexadecimal");
    refused("http://host/%2e%2e/b", "which no object has");
    refused("ftp://host/x", "ftp");
}

static void a_location_gives_its_url_again(void **state) {
    (void)state;
    static const char *const urls[] = {"s3://b/a b/%41", "http://h:1/a%20b", "gs://b/x",
                                       "abfss://c@a.host/x", "memory:///a"};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct wr_location location;
        assert_int_equal(wr_location_parse(urls[i], &location, NULL), 0);
        char *url = wr_location_url(&location);
        assert_string_equal(url, urls[i]);
        wr_free(url);
        wr_location_reset(&location);
    }
    assert_true(wr_is_store_url("s3://b/x") && wr_is_store_url("HTTPS://h/x"));
    assert_false(wr_is_store_url("file:///x") || wr_is_store_url("/s3://x") ||
                 wr_is_store_url("postgresql://h/x") || wr_is_store_url("x"));
}

/* ---- Options ---- */

static void options_are_known_under_all_their_names(void **state) {
    (void)state;
    static const char *const names[] = {"access_key_id", "ACCESS_KEY_ID", "aws_access_key_id",
                                        "key_id", "Aws_Key_Id"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(wr_store_option(WR_STORE_S3, names[i])->name, "access_key_id");
    assert_string_equal(wr_store_option(WR_STORE_AZURE, "azure_storage_account_key")->name,
                        "access_key");
    assert_string_equal(wr_store_option(WR_STORE_AZURE, "azure_tenant_id")->name, "authority_id");
    assert_string_equal(wr_store_option(WR_STORE_GCS, "google_service_account")->name,
                        "service_account");
    assert_null(wr_store_option(WR_STORE_GCS, "aws_access_key_id"));
    assert_null(wr_store_option(WR_STORE_S3, "account_name"));
    assert_null(wr_store_option(WR_STORE_MEMORY, "region"));
}

static void an_unknown_option_is_refused_with_the_nearest_one(void **state) {
    (void)state;
    struct wr_options options = {0};
    struct weir_error error = {0};
    const struct weir_option wrong[] = {{"regoin", "eu"}};
    assert_int_equal(wr_store_check("store \"x\"", WR_STORE_S3, wrong, 1, &options, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "did you mean \"region\"?"));
    assert_non_null(strstr(error.message, "store \"x\""));
    const struct weir_option twice[] = {{"key_id", "a"}, {"aws_access_key_id", "hunter2"}};
    assert_int_equal(wr_store_check("store \"x\"", WR_STORE_S3, twice, 2, &options, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "given twice"));
    assert_null(strstr(error.message, "hunter2"));
    assert_int_equal(options.n_items, 0);
}

static void credentials_come_from_one_place(void **state) {
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "env-id", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "env-secret", 1);
    setenv("AWS_SESSION_TOKEN", "env-token", 1);
    setenv("AWS_DEFAULT_REGION", "env-region", 1);
    setenv("AWS_REGION", "", 1);
    struct wr_options options = {0};
    assert_int_equal(wr_store_complete(WR_STORE_S3, &options, NULL), 0);
    assert_string_equal(wr_options_get(options.items, options.n_items, "session_token"),
                        "env-token");
    assert_string_equal(wr_options_get(options.items, options.n_items, "region"), "env-region");
    wr_options_reset(&options);
    assert_int_equal(wr_options_add(&options, "access_key_id", "own", NULL), 0);
    assert_int_equal(wr_options_add(&options, "secret_access_key", "own", NULL), 0);
    assert_int_equal(wr_store_complete(WR_STORE_S3, &options, NULL), 0);
    assert_null(wr_options_get(options.items, options.n_items, "session_token"));
    assert_string_equal(wr_options_get(options.items, options.n_items, "region"), "env-region");
    wr_options_reset(&options);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_DEFAULT_REGION");
    unsetenv("AWS_REGION");
}

/* ---- Scopes ---- */

static void put(struct wr_scopes *scopes, enum wr_scope_origin origin, const char *name,
                const char *scope, const char *region) {
    const struct weir_option option = {"region", region};
    const struct wr_scope_info info = {.name = name,
                                       .origin = origin,
                                       .type = scope ? 0 : WR_STORE_S3,
                                       .scope = scope,
                                       .options = &option,
                                       .n_options = 1};
    struct weir_error error = {0};
    if (wr_scopes_add(scopes, &info, false, &error) != 0) fail_msg("%s", error.message);
}

static void region_is(struct wr_scopes *scopes, const char *url, const char *region) {
    struct wr_location location;
    struct wr_options options = {0};
    int64_t id = -1;
    assert_int_equal(wr_location_parse(url, &location, NULL), 0);
    assert_int_equal(wr_scopes_options(scopes, &location, &options, &id, NULL), 0);
    const char *found = wr_options_get(options.items, options.n_items, "region");
    if (!region) {
        assert_null(found);
        assert_int_equal(id, 0);
    } else {
        assert_non_null(found);
        assert_string_equal(found, region);
        assert_true(id > 0);
    }
    wr_options_reset(&options);
    wr_location_reset(&location);
}

static void the_longest_scope_holds_by_whole_components(void **state) {
    (void)state;
    struct wr_scopes *scopes = NULL;
    assert_int_equal(wr_scopes_new(&scopes, NULL), 0);
    region_is(scopes, "s3://b/x", NULL);
    put(scopes, WR_SCOPE_SECRET, "all", NULL, "all");
    put(scopes, WR_SCOPE_CONFIG, "b", "s3://b", "b");
    put(scopes, WR_SCOPE_CONFIG, "logs", "s3a://b/logs", "logs");
    put(scopes, WR_SCOPE_MOUNT, "deep", "s3://b/logs/2024/", "deep");
    region_is(scopes, "s3://other/x", "all");
    region_is(scopes, "s3://b/x", "b");
    region_is(scopes, "s3://bb/x", "all");
    region_is(scopes, "s3://b/logs", "logs");
    region_is(scopes, "s3://b/logs/x", "logs");
    region_is(scopes, "s3://b/logsx", "b");
    region_is(scopes, "s3a://b/logs/2024/x", "deep");
    region_is(scopes, "s3://b/logs/2024", "logs");
    region_is(scopes, "gs://b/logs/x", NULL);
    /* Of two equal ones, the secret's. */
    put(scopes, WR_SCOPE_SECRET, "own", "s3://b/logs/2024/", "own");
    region_is(scopes, "s3://b/logs/2024/x", "own");
    assert_int_equal(wr_scopes_remove(scopes, WR_SCOPE_SECRET, "own", NULL), 0);
    region_is(scopes, "s3://b/logs/2024/x", "deep");
    assert_int_equal(wr_scopes_remove(scopes, WR_SCOPE_SECRET, "own", NULL), WEIR_NOT_FOUND);
    wr_scopes_free(scopes);
}

static int no_values(void *sink, const struct wr_scope_info *info, struct weir_error *error) {
    (void)error;
    for (size_t i = 0; i < info->n_options; i++)
        assert_null(info->options[i].value);
    *(size_t *)sink += info->n_options;
    return 0;
}

static void a_scope_is_replaced_only_on_request_and_tells_no_value(void **state) {
    (void)state;
    struct wr_scopes *scopes = NULL;
    const struct weir_option options[] = {{"key_id", "a"}, {"secret", "hunter2"}};
    struct wr_scope_info info = {"s", WR_SCOPE_SECRET, NULL, 0, "s3://b/", options, 2};
    struct weir_error error = {0};
    size_t n = 0;
    assert_int_equal(wr_scopes_new(&scopes, NULL), 0);
    assert_int_equal(wr_scopes_add(scopes, &info, false, &error), 0);
    assert_int_equal(wr_scopes_add(scopes, &info, false, &error), WEIR_ALREADY_EXISTS);
    int64_t before = wr_scopes_generation(scopes);
    assert_int_equal(wr_scopes_add(scopes, &info, true, &error), 0);
    assert_true(wr_scopes_generation(scopes) > before);
    assert_int_equal(wr_scopes_each(scopes, no_values, &n, NULL), 0);
    assert_int_equal(n, 2);
    info.name = "t";
    info.type = WR_STORE_GCS;
    assert_int_equal(wr_scopes_add(scopes, &info, false, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "not of the type gcs"));
    info.scope = "bucket";
    assert_int_equal(wr_scopes_add(scopes, &info, false, &error), WEIR_INVALID_ARGUMENT);
    info.scope = NULL;
    info.type = 0;
    assert_int_equal(wr_scopes_add(scopes, &info, false, &error), WEIR_INVALID_ARGUMENT);
    assert_null(strstr(error.message, "hunter2"));
    wr_scopes_free(scopes);
}

/* ---- Memory ---- */

static int everything(void) {
    struct wr_scopes *scopes = NULL;
    struct wr_location location = {0};
    struct wr_options found = {0};
    int64_t id = 0;
    const struct weir_option options[] = {{"key_id", "a"}, {"secret", "b"}};
    const struct wr_scope_info info = {"s", WR_SCOPE_SECRET, "here", 0, "s3://b/p", options, 2};
    int code = wr_scopes_new(&scopes, NULL);
    if (code == 0) code = wr_scopes_add(scopes, &info, false, NULL);
    if (code == 0) code = wr_location_parse("s3://b/p/x", &location, NULL);
    if (code == 0) code = wr_scopes_options(scopes, &location, &found, &id, NULL);
    char *url = code == 0 ? wr_location_url(&location) : NULL;
    if (code == 0 && !url) code = WEIR_INTERNAL;
    wr_free(url);
    wr_options_erase(&found);
    wr_location_reset(&location);
    wr_scopes_free(scopes);
    return code;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    wr_alloc_fail_at(0);
    assert_int_equal(everything(), 0);
    int64_t n = wr_alloc_fail_at(0);
    assert_true(n > 5);
    for (int64_t i = 1; i <= n; i++) {
        wr_alloc_fail_at(i);
        int code = everything();
        wr_alloc_fail_at(0);
        assert_int_not_equal(code, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_store_has_one_root_whatever_its_spelling),
        cmocka_unit_test(two_containers_of_one_account_are_two_stores),
        cmocka_unit_test(what_is_no_key_is_refused_and_no_secret_is_repeated),
        cmocka_unit_test(a_location_gives_its_url_again),
        cmocka_unit_test(options_are_known_under_all_their_names),
        cmocka_unit_test(an_unknown_option_is_refused_with_the_nearest_one),
        cmocka_unit_test(credentials_come_from_one_place),
        cmocka_unit_test(the_longest_scope_holds_by_whole_components),
        cmocka_unit_test(a_scope_is_replaced_only_on_request_and_tells_no_value),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
