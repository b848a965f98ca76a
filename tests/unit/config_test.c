/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/keys.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

static char directory[PATH_MAX], file[PATH_MAX + 16];

static int make_directory(void **state) {
    (void)state;
    char name[] = "/tmp/weir-config-XXXXXX";
    if (!mkdtemp(name) || !realpath(name, directory)) return -1;
    snprintf(file, sizeof file, "%s/weir.yaml", directory);
    return 0;
}

static int remove_directory(void **state) {
    char command[PATH_MAX + 16];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

static void write_file(const char *name, const char *data, size_t length) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, length, stream), length);
    assert_int_equal(fclose(stream), 0);
}

/* ---- Loading ---- */

static struct wr_config *load_with(const char *yaml, const struct weir_option *settings,
                                   size_t n_settings) {
    struct weir_error error = {0};
    struct wr_config *config = NULL;
    if (yaml) write_file("weir.yaml", yaml, strlen(yaml));
    if (wr_config_load(yaml ? file : NULL, settings, n_settings, &config, &error) != WEIR_OK)
        fail_msg("%s", error.message);
    return config;
}

static struct wr_config *load(const char *yaml) {
    return load_with(yaml, NULL, 0);
}

/* The message without the directory. */
static const char *message_of(const struct weir_error *error) {
    size_t length = strlen(directory);
    return strncmp(error->message, directory, length) == 0 ? error->message + length + 1
                                                           : error->message;
}

static void expect_error_with(const char *yaml, const struct weir_option *settings,
                              size_t n_settings, const char *message) {
    struct weir_error error = {0};
    struct wr_config *config = NULL;
    if (yaml) write_file("weir.yaml", yaml, strlen(yaml));
    int code = wr_config_load(yaml ? file : NULL, settings, n_settings, &config, &error);
    assert_int_not_equal(code, WEIR_OK);
    assert_int_equal(code, error.code);
    assert_null(config);
    assert_string_equal(message_of(&error), message);
    assert_int_equal(wr_config_load(yaml ? file : NULL, settings, n_settings, &config, NULL), code);
}

static void expect_error(const char *yaml, const char *message) {
    expect_error_with(yaml, NULL, 0, message);
}

/* "KEY=VALUE (ORIGIN)" of every key that is not at its default, a line each. */
static int list_item(void *sink, const struct wr_config_item *item, struct weir_error *error) {
    (void)error;
    assert_true(item->help && *item->help);
    if (strcmp(item->origin, "default") == 0) return WEIR_OK;
    char *text = sink;
    size_t n = strlen(text);
    snprintf(text + n, 4096 - n, "%s=%s (%s)\n", item->key, item->value, item->origin);
    return WEIR_OK;
}

static void expect_items(const struct wr_config *config, const char *wanted) {
    char text[4096] = "";
    assert_int_equal(wr_config_each(config, list_item, text, NULL), WEIR_OK);
    assert_string_equal(text, wanted);
}

/* ---- Good files ---- */

static void every_default_is_a_value_of_its_key(void **state) {
    (void)state;
    for (size_t i = 0; i < wr_config_n_keys; i++) {
        const struct wr_config_key *key = &wr_config_keys[i];
        int64_t number;
        assert_true(*key->help);
        if (key->fallback) assert_true(wr_config_parse(key, key->fallback, &number));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(key->name, wr_config_keys[j].name);
    }
}

static void an_empty_file_and_none_are_the_defaults(void **state) {
    (void)state;
    static const char *const texts[] = {
        NULL,   "",       "# only this\n",        "---\n",
        "{}\n", "null\n", "mounts:\nspool: {}\n", "\xEF\xBB\xBF# bom\n"};
    for (size_t i = 0; i < N_OF(texts); i++) {
        struct wr_config *config = load(texts[i]);
        const struct wr_config_mount *mounts;
        const struct weir_option *settings;
        assert_int_equal(wr_config_int(config, "memory_limit"), 0);
        assert_int_equal(wr_config_int(config, "spool.max_bytes"), INT64_C(10) << 30);
        assert_int_equal(wr_config_int(config, "cache.max_bytes"), 256 << 20);
        assert_int_equal(wr_config_int(config, "statement_timeout"), 0);
        assert_string_equal(wr_config_text(config, "encoding.default"), "parquet");
        assert_string_equal(wr_config_text(config, "catalog.name"), "weir");
        assert_null(wr_config_text(config, "spool.path"));
        assert_false(wr_config_is_set(config, "threads"));
        assert_int_equal(wr_config_mounts(config, &mounts), 0);
        assert_int_equal(wr_config_settings(config, &settings), 0);
        expect_items(config, "");
        wr_config_free(config);
    }
}

static void values_have_their_units_resolved(void **state) {
    (void)state;
    struct wr_config *config = load("memory_limit: 2GiB\n"
                                    "threads: \"3\"\n"
                                    "statement_timeout: 1.5min\n"
                                    "spool: {max_age: 60s, max_bytes: 0}\n"
                                    "encoding:\n"
                                    "  default: csv\n"
                                    "  parquet:\n"
                                    "    compression: zstd(9)\n"
                                    "catalog.name: own\n");
    assert_int_equal(wr_config_int(config, "memory_limit"), INT64_C(2) << 30);
    assert_int_equal(wr_config_int(config, "threads"), 3);
    assert_int_equal(wr_config_int(config, "statement_timeout"), 90000);
    assert_int_equal(wr_config_int(config, "spool.max_age"), 60000);
    assert_int_equal(wr_config_int(config, "spool.max_bytes"), 0);
    assert_true(wr_config_is_set(config, "spool.max_bytes"));
    assert_string_equal(wr_config_text(config, "encoding.default"), "csv");
    expect_items(config, "memory_limit=2GiB (weir.yaml:1)\n"
                         "threads=3 (weir.yaml:2)\n"
                         "statement_timeout=1.5min (weir.yaml:3)\n"
                         "spool.max_bytes=0 (weir.yaml:4)\n"
                         "spool.max_age=60s (weir.yaml:4)\n"
                         "encoding.default=csv (weir.yaml:6)\n"
                         "encoding.parquet.compression=zstd(9) (weir.yaml:8)\n"
                         "catalog.name=own (weir.yaml:9)\n");
    wr_config_free(config);
}

static void a_boolean_is_true_or_false(void **state) {
    (void)state;
    const struct wr_config_key key = {.name = "x", .type = WR_CONFIG_BOOLEAN};
    int64_t number = 7;
    assert_true(wr_config_parse(&key, "false", &number));
    assert_int_equal(number, 0);
    assert_true(wr_config_parse(&key, "True", &number));
    assert_int_equal(number, 1);
    assert_false(wr_config_parse(&key, "yes", &number));
    assert_int_equal(number, 1);
}

static void dotted_and_nested_keys_are_the_same(void **state) {
    (void)state;
    struct wr_config *config = load("spool.max_bytes: 1GiB\n"
                                    "spool: {max_age: 1s}\n"
                                    "spool.path: /s\n"
                                    "mounts.a.url: /a\n"
                                    "mounts: {a: {kind: files}, b.url: /b}\n");
    const struct wr_config_mount *mounts;
    assert_int_equal(wr_config_int(config, "spool.max_bytes"), 1 << 30);
    assert_int_equal(wr_config_int(config, "spool.max_age"), 1000);
    assert_string_equal(wr_config_text(config, "spool.path"), "/s");
    assert_int_equal(wr_config_mounts(config, &mounts), 2);
    assert_string_equal(mounts[0].name, "a");
    assert_string_equal(mounts[0].options[0].value, "/a");
    assert_string_equal(mounts[1].name, "b");
    wr_config_free(config);
}

static void mounts_come_in_the_order_of_the_file_with_their_lines(void **state) {
    (void)state;
    struct wr_config *config = load("mounts:\n"
                                    "  lake: { kind: files, url: \"s3://b/p\", allow_http: true }\n"
                                    "  pg:\n"
                                    "    kind: adbc\n"
                                    "    cache: { max_age: 60s,\n"
                                    "             max_bytes: 1GiB }\n"
                                    "  here: {url: .}\n"
                                    "  bare: {}\n");
    const struct wr_config_mount *mounts;
    assert_int_equal(wr_config_mounts(config, &mounts), 4);
    assert_string_equal(mounts[0].name, "lake");
    assert_string_equal(mounts[0].kind, "files");
    assert_string_equal(mounts[0].origin, "weir.yaml:2");
    assert_int_equal(mounts[0].n_options, 2);
    assert_string_equal(mounts[0].options[0].key, "url");
    assert_string_equal(mounts[0].options[0].value, "s3://b/p");
    assert_string_equal(mounts[0].options[1].key, "allow_http");
    assert_string_equal(mounts[0].options[1].value, "true");
    assert_string_equal(mounts[1].name, "pg");
    assert_string_equal(mounts[1].kind, "adbc");
    assert_string_equal(mounts[1].origin, "weir.yaml:3");
    assert_int_equal(mounts[1].n_options, 2);
    assert_string_equal(mounts[1].options[1].key, "cache.max_bytes");
    assert_string_equal(mounts[2].options[0].value, directory);
    assert_string_equal(mounts[3].name, "bare");
    assert_string_equal(mounts[3].kind, "files");
    assert_int_equal(mounts[3].n_options, 0);
    expect_items(config, "mounts.lake.kind=files (weir.yaml:2)\n"
                         "mounts.lake.url=s3://b/p (weir.yaml:2)\n"
                         "mounts.lake.allow_http=true (weir.yaml:2)\n"
                         "mounts.pg.kind=adbc (weir.yaml:4)\n"
                         "mounts.pg.cache.max_age=60s (weir.yaml:5)\n"
                         "mounts.pg.cache.max_bytes=1GiB (weir.yaml:6)\n"
                         "mounts.here.url=. (weir.yaml:7)\n");
    wr_config_free(config);
}

static void extensions_have_a_library_and_options(void **state) {
    (void)state;
    char library[PATH_MAX + 32];
    struct wr_config *config = load("extensions:\n"
                                    "  python: {}\n"
                                    "  mine: { library: lib/mine.so, Some.Key: 1, b: {c: 2} }\n");
    const struct wr_config_extension *extensions;
    assert_int_equal(wr_config_extensions(config, &extensions), 2);
    assert_string_equal(extensions[0].name, "python");
    assert_string_equal(extensions[0].origin, "weir.yaml:2");
    assert_null(extensions[0].library);
    assert_int_equal(extensions[0].n_options, 0);
    snprintf(library, sizeof library, "%s/lib/mine.so", directory);
    assert_string_equal(extensions[1].library, library);
    assert_int_equal(extensions[1].n_options, 2);
    assert_string_equal(extensions[1].options[0].key, "Some.Key");
    assert_string_equal(extensions[1].options[1].key, "b.c");
    assert_string_equal(extensions[1].options[1].value, "2");
    expect_items(config, "extensions.python={} (weir.yaml:2)\n"
                         "extensions.mine.library=lib/mine.so (weir.yaml:3)\n"
                         "extensions.mine.Some.Key=1 (weir.yaml:3)\n"
                         "extensions.mine.b.c=2 (weir.yaml:3)\n");
    wr_config_free(config);
}

static void settings_are_dotted_names(void **state) {
    (void)state;
    struct wr_config *config = load("settings:\n"
                                    "  datafusion.execution.batch_size: 100\n"
                                    "  datafusion: {sql_parser: {dialect: duckdb}}\n");
    const struct weir_option *settings;
    assert_int_equal(wr_config_settings(config, &settings), 2);
    assert_string_equal(settings[0].key, "datafusion.execution.batch_size");
    assert_string_equal(settings[0].value, "100");
    assert_string_equal(settings[1].key, "datafusion.sql_parser.dialect");
    assert_string_equal(wr_config_setting_origin(config, 0), "weir.yaml:2");
    assert_string_equal(wr_config_setting_origin(config, 1), "weir.yaml:3");
    wr_config_free(config);
}

static void relative_paths_are_relative_to_the_file(void **state) {
    (void)state;
    char wanted[PATH_MAX + 16], here[PATH_MAX];
    struct weir_option option = {"spill.path", "below/spill"};
    assert_non_null(getcwd(here, sizeof here));
    struct wr_config *config = load_with("spool.path: ./a/b\n"
                                         "mounts: {m: {url: ../x}, n: {url: 'file:///y'}}\n",
                                         &option, 1);
    const struct wr_config_mount *mounts;
    snprintf(wanted, sizeof wanted, "%s/a/b", directory);
    assert_string_equal(wr_config_text(config, "spool.path"), wanted);
    assert_int_equal(wr_config_mounts(config, &mounts), 2);
    snprintf(wanted, sizeof wanted, "%s/../x", directory);
    assert_string_equal(mounts[0].options[0].value, wanted);
    assert_string_equal(mounts[1].options[0].value, "file:///y");
    snprintf(wanted, sizeof wanted, "%s/below/spill", here);
    assert_string_equal(wr_config_text(config, "spill.path"), wanted);
    wr_config_free(config);

    assert_int_equal(chdir(directory), 0);
    assert_int_equal(wr_config_load("weir.yaml", NULL, 0, &config, NULL), WEIR_OK);
    assert_int_equal(chdir(here), 0);
    snprintf(wanted, sizeof wanted, "%s/a/b", directory);
    assert_string_equal(wr_config_text(config, "spool.path"), wanted);
    wr_config_free(config);
}

/* ---- Precedence ---- */

static void options_win_over_the_environment_and_that_over_the_file(void **state) {
    (void)state;
    static const struct weir_option options[] = {{"threads", "7"},
                                                 {"mounts.lake.url", "/other"},
                                                 {"mounts.own.url", "/own"},
                                                 {"settings.a.b", "2"}};
    setenv("WEIR_THREADS", "5", 1);
    setenv("WEIR_SPOOL_MAX_BYTES", "1KiB", 1);
    setenv("WEIR_MEMORY_LIMIT", "", 1);
    struct wr_config *config = load_with("threads: 3\nspool.max_bytes: 9\nmemory_limit: 8\n"
                                         "cache.max_bytes: 5\n"
                                         "mounts: {lake: {url: /lake, region: x}}\n"
                                         "settings: {a.b: 1}\n",
                                         options, N_OF(options));
    unsetenv("WEIR_THREADS");
    unsetenv("WEIR_SPOOL_MAX_BYTES");
    unsetenv("WEIR_MEMORY_LIMIT");
    const struct wr_config_mount *mounts;
    assert_int_equal(wr_config_int(config, "threads"), 7);
    assert_int_equal(wr_config_int(config, "spool.max_bytes"), 1024);
    assert_int_equal(wr_config_int(config, "memory_limit"), 8);
    assert_int_equal(wr_config_mounts(config, &mounts), 2);
    assert_string_equal(mounts[0].origin, "weir.yaml:5");
    assert_string_equal(mounts[1].origin, "option");
    expect_items(config, "memory_limit=8 (weir.yaml:3)\n"
                         "threads=7 (option)\n"
                         "spool.max_bytes=1KiB (WEIR_SPOOL_MAX_BYTES)\n"
                         "cache.max_bytes=5 (weir.yaml:4)\n"
                         "mounts.lake.url=/other (option)\n"
                         "mounts.lake.region=x (weir.yaml:5)\n"
                         "mounts.own.url=/own (option)\n"
                         "settings.a.b=2 (option)\n");
    wr_config_free(config);
}

static void each_key_has_a_variable_of_its_own(void **state) {
    (void)state;
    char variables[64][WR_CONFIG_VARIABLE_SIZE];
    assert_true(wr_config_n_keys < N_OF(variables));
    for (size_t i = 0; i < wr_config_n_keys; i++) {
        wr_config_variable(wr_config_keys[i].name, variables[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(variables[i], variables[j]);
    }
    wr_config_variable("encoding.parquet.compression", variables[0]);
    assert_string_equal(variables[0], "WEIR_ENCODING_PARQUET_COMPRESSION");
}

static void a_wrong_variable_and_a_wrong_option_are_named(void **state) {
    (void)state;
    setenv("WEIR_THREADS", "many", 1);
    expect_error(NULL, "WEIR_THREADS: \"threads\" must be a whole number from 0 to 4096, "
                       "not \"many\"");
    unsetenv("WEIR_THREADS");
    expect_error_with(NULL, (struct weir_option[]){{"spool.max_byte", "1"}}, 1,
                      "option: unknown key \"spool.max_byte\"; did you mean \"spool.max_bytes\"?");
    expect_error_with(NULL, (struct weir_option[]){{"threads", "1"}, {"threads", "2"}}, 2,
                      "option: \"threads\" is given twice, also at option; keep one of them");
    expect_error_with(NULL, (struct weir_option[]){{"spool", "1"}}, 1,
                      "option: \"spool\" takes keys of its own, not a value: spool: { ... }");
}

static void collect(void *sink, const char *message) {
    strcat(sink, message);
    strcat(sink, "\n");
}

static void stray_variables_are_told_when_they_look_like_keys(void **state) {
    (void)state;
    char text[2048] = "";
    setenv("WEIR_THREDS", "1", 1);
    setenv("WEIR_CLUSTER_LISTEN", "x", 1);
    setenv("WEIR_PROGRAM", "x", 1);
    setenv("WEIR_TPCH", "x", 1);
    setenv("WEIR_CHECK_COUNT", "x", 1);
    setenv("WEIR_WORKSPACE", "x", 1);
    struct wr_config *config = load(NULL);
    wr_config_free(config);
    wr_config_strays(collect, text);
    assert_non_null(strstr(text, "the environment variable WEIR_THREDS is not read; did you mean "
                                 "WEIR_THREADS?\n"));
    assert_non_null(strstr(text,
                           "the environment variable WEIR_CLUSTER_LISTEN is not read: its key is "
                           "not available in this version\n"));
    assert_int_equal(strlen(text),
                     strlen("the environment variable WEIR_THREDS is not read; did "
                            "you mean WEIR_THREADS?\n"
                            "the environment variable WEIR_CLUSTER_LISTEN is not read: "
                            "its key is not available in this version\n"));
    static const char *const names[] = {"WEIR_THREDS", "WEIR_CLUSTER_LISTEN", "WEIR_PROGRAM",
                                        "WEIR_TPCH",   "WEIR_CHECK_COUNT",    "WEIR_WORKSPACE"};
    for (size_t i = 0; i < N_OF(names); i++)
        unsetenv(names[i]);
}

static void a_key_of_the_configuration_is_told_from_one_of_the_engine(void **state) {
    (void)state;
    static const char *const ours[] = {"threads",      "spool",      "spool.nonsense",
                                       "mounts.a.url", "settings.x", "http.listen"};
    static const char *const others[] = {"datafusion.execution.batch_size", "thread", "", "x.y",
                                         "."};
    for (size_t i = 0; i < N_OF(ours); i++)
        assert_true(wr_config_is_key(ours[i]));
    for (size_t i = 0; i < N_OF(others); i++)
        assert_false(wr_config_is_key(others[i]));
    assert_string_equal(wr_config_nearest_key("memory_limt"), "memory_limit");
    assert_null(wr_config_nearest_key("something.else"));
}

/* ---- References ---- */

static void references_are_resolved_and_shown_as_written(void **state) {
    (void)state;
    setenv("CONFIG_TEST_SECRET", "pass ${env:HOME}", 1);
    write_file("secret", "from a file\n", 12);
    write_file("two", "a\n\n", 3);
    struct wr_config *config = load("mounts:\n"
                                    "  pg:\n"
                                    "    uri: ${env:CONFIG_TEST_SECRET}\n"
                                    "    part: \"a${file:secret}b$${c}$\"\n"
                                    "    two: ${file:./two}\n"
                                    "    cost: 5$ $x $$\n");
    unsetenv("CONFIG_TEST_SECRET");
    const struct wr_config_mount *mounts;
    assert_int_equal(wr_config_mounts(config, &mounts), 1);
    assert_string_equal(mounts[0].options[0].value, "pass ${env:HOME}");
    assert_string_equal(mounts[0].options[1].value, "afrom a fileb${c}$");
    assert_string_equal(mounts[0].options[2].value, "a\n");
    assert_string_equal(mounts[0].options[3].value, "5$ $x $$");
    expect_items(config, "mounts.pg.uri=${env:CONFIG_TEST_SECRET} (weir.yaml:3)\n"
                         "mounts.pg.part=a${file:secret}b$${c}$ (weir.yaml:4)\n"
                         "mounts.pg.two=${file:./two} (weir.yaml:5)\n"
                         "mounts.pg.cost=5$ $x $$ (weir.yaml:6)\n");
    wr_config_free(config);
}

static void what_a_reference_stands_for_is_in_no_message(void **state) {
    (void)state;
    setenv("CONFIG_TEST_SECRET", "hunter2", 1);
    expect_error("threads: ${env:CONFIG_TEST_SECRET}\n",
                 "weir.yaml:1: \"threads\" must be a whole number from 0 to 4096, not "
                 "\"${env:CONFIG_TEST_SECRET}\"");
    unsetenv("CONFIG_TEST_SECRET");
}

static void a_reference_that_leads_nowhere_says_where_it_stands(void **state) {
    (void)state;
    char message[3 * PATH_MAX];
    expect_error("mounts:\n  a:\n    uri: ${env:CONFIG_TEST_UNSET}\n",
                 "weir.yaml:3: \"mounts.a.uri\": the environment variable CONFIG_TEST_UNSET is not "
                 "set; ${env:CONFIG_TEST_UNSET} needs it");
    snprintf(message, sizeof message,
             "weir.yaml:1: \"catalog.name\": cannot read \"%s/none\": No such file or directory",
             directory);
    expect_error("catalog.name: ${file:none}\n", message);
    write_file("nul", "a\0b", 3);
    snprintf(message, sizeof message,
             "weir.yaml:1: \"catalog.name\": \"%s/nul\" has a NUL in it; ${file:...} is for text",
             directory);
    expect_error("catalog.name: ${file:nul}\n", message);
    expect_error(
        "\ncatalog.name: a${env:HOME\n",
        "weir.yaml:2: \"catalog.name\": a reference ${ has no }; write $${ where ${ itself "
        "is meant");
    static const char *const spellings[] = {"${HOME}", "${envi:HOME}", "${env:}", "${}"};
    for (size_t i = 0; i < N_OF(spellings); i++) {
        char yaml[64];
        snprintf(yaml, sizeof yaml, "catalog.name: %s\n", spellings[i]);
        snprintf(message, sizeof message,
                 "weir.yaml:1: \"catalog.name\": %s is no reference; there are ${env:NAME} and "
                 "${file:PATH}, and $${ where ${ itself is meant",
                 spellings[i]);
        expect_error(yaml, message);
    }
}

/* ---- Errors ---- */

static void every_error_has_its_line(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"# a\n\nmemory_limt: 1\n",
         "weir.yaml:3: unknown key \"memory_limt\"; did you mean \"memory_limit\"?"},
        {"spool:\n  path: /x\n  max_byte: 1\n",
         "weir.yaml:3: unknown key \"spool.max_byte\"; did you mean \"spool.max_bytes\"?"},
        {"spol: {path: /x}\n", "weir.yaml:1: unknown key \"spol\"; did you mean \"spool\"?"},
        {"nonsense: 1\n",
         "weir.yaml:1: unknown key \"nonsense\"; \"weir config show\" lists those there are"},
        {"threads: four\n",
         "weir.yaml:1: \"threads\" must be a whole number from 0 to 4096, not \"four\""},
        {"threads: 4097\n",
         "weir.yaml:1: \"threads\" must be a whole number from 0 to 4096, not \"4097\""},
        {"threads:\n  - 4\n",
         "weir.yaml:1: \"threads\" must be a whole number from 0 to 4096, not a list"},
        {"threads: {n: 4}\n",
         "weir.yaml:1: \"threads\" must be a whole number from 0 to 4096, not a mapping"},
        {"threads:\n", "weir.yaml:1: \"threads\" has no value; give it one or take it out"},
        {"memory_limit: -1\n", "weir.yaml:1: \"memory_limit\" must be a number of bytes, such as "
                               "512MiB or 2GB, not \"-1\""},
        {"spill.max_bytes: 0\n",
         "weir.yaml:1: \"spill.max_bytes\" must be a number of bytes from 1 "
         "on, such as 512MiB or 2GB, not \"0\""},
        {"statement_timeout: soon\n", "weir.yaml:1: \"statement_timeout\" must be a time, such as "
                                      "500ms, 10s, 2min, 1h or 7d, not \"soon\""},
        {"spool: 1GiB\n",
         "weir.yaml:1: \"spool\" takes keys of its own, not a value: spool: { ... }"},
        {"spool.path: ''\n", "weir.yaml:1: \"spool.path\" must be a path, not \"\""},
        {"spool.path: ~/x\n", "weir.yaml:1: \"spool.path\": ~ does not stand for a directory here; "
                              "write ${env:HOME}"},
        {"encoding.default: xls\n", "weir.yaml:1: \"encoding.default\" must be one of parquet, "
                                    "arrow, csv, tsv, json, jsonl, not \"xls\""},
        {"encoding.parquet.compression: zstd(23)\n",
         "weir.yaml:1: \"encoding.parquet.compression\" must be one of none, snappy, lz4_raw, "
         "zstd, "
         "gzip, brotli, the last three also with a level, as in zstd(9), not \"zstd(23)\""},
        {"catalog.name: a/b\n",
         "weir.yaml:1: \"catalog.name\" must be a name without '/', not \"a/b\""},
        {"threads: 1\nmemory_limit: 1\nthreads: 2\n",
         "weir.yaml:3: \"threads\" is given twice, also at weir.yaml:1; keep one of them"},
        {"spool: {path: /x}\nspool.path: /y\n",
         "weir.yaml:2: \"spool.path\" is given twice, also at weir.yaml:1; keep one of them"},
        {"spool: {path: /x}\nspool: {max_age: 1s}\n",
         "weir.yaml:2: \"spool\" is given twice, also at weir.yaml:1; keep one of them"},
        {"mounts:\n  a: {url: /x}\n  a: {url: /x}\n",
         "weir.yaml:3: \"mounts.a\" is given twice, also at weir.yaml:2; keep one of them"},
        {"mounts:\n  a: /x\n", "weir.yaml:2: \"mounts.a\" takes keys of its own, not a value: { "
                               "kind: files, url: ... }"},
        {"mounts:\n  a:\n", "weir.yaml:2: \"mounts.a\" takes keys of its own, not a value: { kind: "
                            "files, url: ... }"},
        {"mounts: [a]\n", "weir.yaml:1: \"mounts\" takes keys of its own, not a list"},
        {"mounts:\n  a/b: {url: /x}\n", "weir.yaml:2: \"a/b\" cannot name a mount: it is one "
                                        "component of a path, without '.' and '/'"},
        {"mounts:\n  a: {url: [x, y]}\n",
         "weir.yaml:2: \"mounts.a.url\" takes one value, not a list"},
        {"cluster: {listen: ':8080'}\n",
         "weir.yaml:1: \"cluster\" is not available in this version; take it out"},
        {"\ncluster.listen: x\n",
         "weir.yaml:2: \"cluster.listen\" is not available in this version; take it out"},
        {"extensions:\n  - a\n", "weir.yaml:1: \"extensions\" takes keys of its own, not a list"},
        {"extensions:\n  python: yes\n", "weir.yaml:2: \"extensions.python\" takes keys of its "
                                         "own, not a value: { library: ..., or "
                                         "its options }"},
        {"extensions:\n  a/b: {x: 1}\n", "weir.yaml:2: \"a/b\" cannot name an extension: it is "
                                         "one component of a path, without '.' and '/'"},
        {"extensions:\n  a: {x: 1}\n  a: {x: 1}\n",
         "weir.yaml:3: \"extensions.a\" is given twice, also at weir.yaml:2; keep one of them"},
        {"a: &x [1]\n", "weir.yaml:1: anchors (&) and aliases (*) are not taken; write the value "
                        "where it is needed, or in quotation marks if it begins with that sign"},
        {"threads: *x\n", "weir.yaml:1: anchors (&) and aliases (*) are not taken; write the value "
                          "where it is needed, or in quotation marks if it begins with that sign"},
        {"threads: !!int 4\n", "weir.yaml:1: tags (!) are not taken; write the value in quotation "
                               "marks if it begins with that sign"},
        {"- threads\n",
         "weir.yaml:1: a configuration is made of lines like \"threads: 4\"; this is none"},
        {"threads 4\n",
         "weir.yaml:1: a configuration is made of lines like \"threads: 4\"; this is none"},
        {"threads: 4\n---\nthreads: 5\n",
         "weir.yaml:2: a second document begins; a configuration is one"},
        {"{a: b}: 1\n", "weir.yaml:1: a key must be a text"},
        {"'': 1\n", "weir.yaml:1: a key is empty"},
        {"catalog.name: \"a\\0b\"\n", "weir.yaml:1: a text with a NUL in it is not taken"},
        {"spool:\n\tpath: /x\n", "weir.yaml:2: a line is indented with a tab; use blanks"},
        {"mounts: {a: {uri: ${env:X}}}\n",
         "weir.yaml:1: this is not YAML; inside of braces a value with ${...} needs quotation "
         "marks: { uri: \"${env:NAME}\" }"},
        {"threads: 4\nspool: {path: /x\n",
         "weir.yaml:3: this is not YAML: did not find expected ',' or '}', while parsing a flow "
         "mapping that begins in line 2"},
        {"catalog.name: a\n  x: 5\n",
         "weir.yaml:2: this is not YAML: mapping values are not allowed in this context"},
        {"a: 1\n# \xff\n", "weir.yaml:2: this is not YAML: invalid leading UTF-8 octet"},
        {"settings: {a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: {}}}}}}}}}}"
         "}}}}}}}}\n",
         "weir.yaml:1: mappings are nested more than 16 deep"},
    };
    for (size_t i = 0; i < N_OF(cases); i++)
        expect_error(cases[i].yaml, cases[i].message);
}

static void an_alias_bomb_is_refused_at_its_first_anchor(void **state) {
    (void)state;
    expect_error("mounts:\n"
                 "  a: &a {x: lol}\n"
                 "  b: &b {x: *a, y: *a}\n"
                 "  c: {x: *b, y: *b}\n",
                 "weir.yaml:2: anchors (&) and aliases (*) are not taken; write the value where it "
                 "is needed, or in quotation marks if it begins with that sign");
}

static void files_that_are_none_or_too_large_are_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_config *config = NULL;
    char path[PATH_MAX + 32];
    assert_int_equal(wr_config_load("/nonexistent/weir.yaml", NULL, 0, &config, &error),
                     WEIR_NOT_FOUND);
    assert_string_equal(error.message,
                        "cannot read \"/nonexistent/weir.yaml\": No such file or directory");
    assert_int_equal(wr_config_load(directory, NULL, 0, &config, &error), WEIR_IO);
    char *large = malloc((1 << 20) + 1);
    assert_non_null(large);
    memset(large, '#', (1 << 20) + 1);
    write_file("large.yaml", large, 1 << 20);
    snprintf(path, sizeof path, "%s/large.yaml", directory);
    assert_int_equal(wr_config_load(path, NULL, 0, &config, &error), WEIR_OK);
    wr_config_free(config);
    write_file("large.yaml", large, (1 << 20) + 1);
    config = NULL;
    assert_int_equal(wr_config_load(path, NULL, 0, &config, &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "large.yaml\" is larger than 1048576 bytes"));
    assert_null(config);
    free(large);
}

static void more_keys_than_are_sensible_are_refused(void **state) {
    (void)state;
    char *yaml = malloc(1 << 20), *end = yaml;
    assert_non_null(yaml);
    end += sprintf(end, "settings:\n");
    for (int i = 0; i < 10001; i++)
        end += sprintf(end, "  k%d: 1\n", i);
    expect_error(yaml, "weir.yaml:10001: more than 10000 keys");
    free(yaml);
}

/* ---- All problems ---- */

static void note(void *sink, const struct weir_error *problem) {
    strcat(sink, message_of(problem));
    strcat(sink, "\n");
}

static void a_check_tells_all_problems_and_keeps_the_rest(void **state) {
    (void)state;
    char text[2048] = "";
    const char *yaml = "threds: 1\n"
                       "threads: x\n"
                       "memory_limit: 1GiB\n"
                       "cluster: {listen: {a: 1}}\n"
                       "mounts:\n"
                       "  good: {url: /g}\n"
                       "  bad: [a, {b: c}]\n"
                       "spool: {max_age: never, max_bytes: 1}\n"
                       "cache: {\n";
    struct wr_config *config = NULL;
    const struct wr_config_mount *mounts;
    write_file("weir.yaml", yaml, strlen(yaml));
    assert_int_equal(wr_config_check(file, NULL, 0, note, text, &config, NULL), WEIR_OK);
    assert_string_equal(
        text, "weir.yaml:1: unknown key \"threds\"; did you mean \"threads\"?\n"
              "weir.yaml:2: \"threads\" must be a whole number from 0 to 4096, not \"x\"\n"
              "weir.yaml:4: \"cluster\" is not available in this version; take it out\n"
              "weir.yaml:7: \"mounts.bad\" takes keys of its own, not a list\n"
              "weir.yaml:8: \"spool.max_age\" must be a time, such as 500ms, 10s, 2min, "
              "1h or 7d, not \"never\"\n"
              "weir.yaml:10: this is not YAML: did not find expected node content\n");
    assert_int_equal(wr_config_int(config, "memory_limit"), 1 << 30);
    assert_int_equal(wr_config_int(config, "threads"), 0);
    assert_int_equal(wr_config_int(config, "spool.max_bytes"), 1);
    assert_int_equal(wr_config_mounts(config, &mounts), 1);
    assert_string_equal(mounts[0].name, "good");
    wr_config_free(config);
}

/* ---- Memory ---- */

static void every_allocation_that_fails_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    static const struct weir_option options[] = {{"threads", "7"}, {"mounts.own.url", "own"}};
    const char *yaml = "memory_limit: 1GiB\n"
                       "spool: {path: x}\n"
                       "mounts:\n"
                       "  a: {url: y, part: '${file:secret}${env:HOME}'}\n"
                       "settings: {a: {b: 1}}\n";
    write_file("weir.yaml", yaml, strlen(yaml));
    write_file("secret", "s", 1);
    setenv("WEIR_CACHE_MAX_BYTES", "5", 1);
    int64_t n = 0;
    struct wr_config *config = NULL;
    for (int code = WEIR_INTERNAL; code != WEIR_OK;) {
        struct weir_error error = {0};
        wr_alloc_fail_at(++n);
        code = wr_config_load(file, options, N_OF(options), &config, &error);
        wr_alloc_fail_at(0);
        if (code == WEIR_OK) break;
        assert_null(config);
        assert_int_equal(code, WEIR_INTERNAL);
        assert_string_equal(error.sqlstate, "53200");
    }
    unsetenv("WEIR_CACHE_MAX_BYTES");
    assert_true(n > 40);
    assert_int_equal(wr_config_int(config, "cache.max_bytes"), 5);
    wr_config_free(config);
    wr_config_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_a_value_of_its_key),
        cmocka_unit_test(an_empty_file_and_none_are_the_defaults),
        cmocka_unit_test(values_have_their_units_resolved),
        cmocka_unit_test(a_boolean_is_true_or_false),
        cmocka_unit_test(dotted_and_nested_keys_are_the_same),
        cmocka_unit_test(mounts_come_in_the_order_of_the_file_with_their_lines),
        cmocka_unit_test(extensions_have_a_library_and_options),
        cmocka_unit_test(settings_are_dotted_names),
        cmocka_unit_test(relative_paths_are_relative_to_the_file),
        cmocka_unit_test(options_win_over_the_environment_and_that_over_the_file),
        cmocka_unit_test(each_key_has_a_variable_of_its_own),
        cmocka_unit_test(a_wrong_variable_and_a_wrong_option_are_named),
        cmocka_unit_test(stray_variables_are_told_when_they_look_like_keys),
        cmocka_unit_test(a_key_of_the_configuration_is_told_from_one_of_the_engine),
        cmocka_unit_test(references_are_resolved_and_shown_as_written),
        cmocka_unit_test(what_a_reference_stands_for_is_in_no_message),
        cmocka_unit_test(a_reference_that_leads_nowhere_says_where_it_stands),
        cmocka_unit_test(every_error_has_its_line),
        cmocka_unit_test(an_alias_bomb_is_refused_at_its_first_anchor),
        cmocka_unit_test(files_that_are_none_or_too_large_are_refused),
        cmocka_unit_test(more_keys_than_are_sensible_are_refused),
        cmocka_unit_test(a_check_tells_all_problems_and_keeps_the_rest),
        cmocka_unit_test(every_allocation_that_fails_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("config", tests, make_directory, remove_directory);
}
