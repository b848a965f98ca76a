/* SPDX-License-Identifier: Apache-2.0 */
/* How each kind of table is given the rows, and in what it differs from the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance.h"

/* One file, or a directory of `parts` files. */
static void make_files(const struct kind *kind, const char *table, int64_t n, int parts) {
    char path[256];
    if (parts == 1) {
        snprintf(path, sizeof path, "%s/%s.%s", directory, table, kind->argument);
        rows_write(path, kind->argument, 0, n);
    } else {
        snprintf(path, sizeof path, "%s/%s", directory, table);
        assert_int_equal(mkdir(path, 0777), 0);
        for (int i = 0; i < parts; i++) {
            int64_t first = n * i / parts;
            snprintf(path, sizeof path, "%s/%s/%02d.%s", directory, table, i, kind->argument);
            rows_write(path, kind->argument, first, n * (i + 1) / parts - first);
        }
        snprintf(path, sizeof path, "%s/%s/*.%s", directory, table, kind->argument);
    }
    run("CREATE TABLE %s USING files OPTIONS (path '%s'%s%s%s)", table, path,
        kind->below_root ? ", root '" : "", kind->below_root ? directory : "",
        kind->below_root ? "'" : "");
}

/* Text compressed with the codec in `argument`, which COPY and the name's ending both know. */
static void make_compressed(const struct kind *kind, const char *table, int64_t n, int parts) {
    static const char *const endings[][2] = {
        {"gzip", "gz"}, {"zstd", "zst"}, {"bzip2", "bz2"}, {"xz", "xz"}};
    struct ArrowArrayStream rows;
    struct weir_error error;
    const char *ending = NULL;
    (void)parts;
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(kind->argument, endings[i][0]) == 0) ending = endings[i][1];
    }
    rows_stream(0, n, &rows);
    assert_int_equal(
        weir_register_stream(session, "to_compress", &rows, WEIR_REGISTER_ROWS, &error), 0);
    run("COPY to_compress TO '%s/%s.csv.%s' (FORMAT csv, COMPRESSION %s)", directory, table, ending,
        kind->argument);
    run("CREATE TABLE %s USING files OPTIONS (path '%s/%s.csv.%s')", table, directory, table,
        ending);
    run("DROP TABLE to_compress");
}

static void make_external(const struct kind *kind, const char *table, int64_t n, int parts) {
    char path[256];
    (void)parts;
    snprintf(path, sizeof path, "%s/external_%s.%s", directory, table, kind->argument);
    rows_write(path, kind->argument, 0, n);
    run("CREATE EXTERNAL TABLE %s (id BIGINT, grp INT, name VARCHAR, value DOUBLE, flag BOOLEAN) "
        "STORED AS CSV "
        "LOCATION '%s' OPTIONS ('format.has_header' 'true')",
        table, path);
}

static void make_memory(const struct kind *kind, const char *table, int64_t n, int parts) {
    (void)kind;
    run("CREATE TABLE %s (id BIGINT, grp INT, name VARCHAR, value DOUBLE, flag BOOLEAN) USING "
        "memory",
        table);
    for (int i = 0; i < parts && n > 0; i++) {
        int64_t first = n * i / parts;
        char *values = rows_values(first, n * (i + 1) / parts - first);
        run("INSERT INTO %s VALUES %s", table, values);
        free(values);
    }
}

static void make_stream(const struct kind *kind, const char *table, int64_t n, int parts) {
    struct ArrowArrayStream rows;
    struct weir_error error = {0};
    (void)kind;
    (void)parts;
    rows_stream(0, n, &rows);
    if (weir_register_stream(session, table, &rows, WEIR_REGISTER_ROWS, &error) != 0)
        fail_msg("%s", error.message);
}

static void make_values(const struct kind *kind, const char *table, int64_t n, int parts) {
    (void)kind;
    (void)parts;
    char *values = rows_values(0, n);
    char *quoted = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&quoted, &length);
    for (const char *p = values; *p != '\0'; p++)
        fprintf(out, *p == '\'' ? "''" : "%c", *p);
    fclose(out);
    run("CREATE TABLE %s USING values OPTIONS (rows '%s', columns 'id, grp, name, value, flag')",
        table, quoted);
    free(values);
    free(quoted);
}

static void make_derived(const struct kind *kind, const char *table, int64_t n, int parts) {
    char base[128];
    (void)kind;
    snprintf(base, sizeof base, "base_of_%s", table);
    make_memory(NULL, base, n, parts);
    run("CREATE TABLE %s USING derived OPTIONS (query 'SELECT id, grp, name, value, flag FROM %s')",
        table, base);
}

static void make_cached(const struct kind *kind, const char *table, int64_t n, int parts) {
    char base[128];
    snprintf(base, sizeof base, "base_of_%s", table);
    make_memory(NULL, base, n, parts);
    run("CREATE TABLE %s USING cached OPTIONS (source '%s', %s)", table, base, kind->argument);
}

/* The rows behind an input of a query in a file. */
static void make_sql(const struct kind *kind, const char *table, int64_t n, int parts) {
    char path[256];
    char base[128];
    (void)kind;
    snprintf(base, sizeof base, "base_of_%s", table);
    make_memory(NULL, base, n, parts);
    snprintf(path, sizeof path, "%s/%s.sql", directory, table);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "-- input rows: %s\n-- param least: -1\n"
            "SELECT id, grp, name, value, flag FROM rows WHERE id >= $least OR id IS NULL\n",
            base);
    assert_int_equal(fclose(file), 0);
    run("CREATE TABLE %s USING sql OPTIONS (path '%s', catalog 'weir', schema 'public')", table,
        path);
}

static void make_view(const struct kind *kind, const char *table, int64_t n, int parts) {
    char base[128];
    (void)kind;
    snprintf(base, sizeof base, "base_of_%s", table);
    make_stream(NULL, base, n, parts);
    run("CREATE VIEW %s AS SELECT * FROM %s", table, base);
}

static void make_probe(const struct kind *kind, const char *table, int64_t n, int parts) {
    run("CREATE TABLE %s USING probe OPTIONS (rows %lld, partitions %d, %s)", table, (long long)n,
        parts, kind->argument);
}

/* Of an extension that was compiled against the first interface. */
static void make_abi_1(const struct kind *kind, const char *table, int64_t n, int parts) {
    (void)kind;
    run("CREATE TABLE %s USING abi1_rows OPTIONS (rows %lld, partitions %d)", table, (long long)n,
        parts);
}

#define FILES "USING files OPTIONS (path '/tmp', colour 'red')"

const struct kind kinds[] = {
    {.name = "parquet",
     .make = make_files,
     .argument = "parquet",
     .formats = "l i vu g b",
     .has_parts = true,
     .exact_count = true,
     .bad_using = FILES},
    {.name = "parquet_below_root",
     .make = make_files,
     .argument = "parquet",
     .formats = "l i vu g b",
     .has_parts = true,
     .below_root = true,
     .exact_count = true},
    {.name = "csv",
     .make = make_files,
     .argument = "csv",
     .formats = "l l u g b",
     .has_parts = true,
     .bad_using = FILES},
    {.name = "tsv",
     .make = make_files,
     .argument = "tsv",
     .formats = "l l u g b",
     .has_parts = true,
     .bad_using = FILES},
    {.name = "jsonl",
     .make = make_files,
     .argument = "jsonl",
     .formats = "l l u g b",
     .has_parts = true,
     .no_empty = true,
     .bad_using = FILES},
    {.name = "json",
     .make = make_files,
     .argument = "json",
     .formats = "l l u g b",
     .has_parts = true,
     .no_empty = true,
     .bad_using = FILES},
    {.name = "arrow",
     .make = make_files,
     .argument = "arrow",
     .formats = "l i u g b",
     .has_parts = true,
     .bad_using = FILES},
    {.name = "arrows",
     .make = make_files,
     .argument = "arrows",
     .formats = "l i u g b",
     .has_parts = true,
     .bad_using = FILES},
    {.name = "gzip",
     .make = make_compressed,
     .argument = "gzip",
     .formats = "l l u g b",
     .bad_using = FILES},
    {.name = "zstd",
     .make = make_compressed,
     .argument = "zstd",
     .formats = "l l u g b",
     .bad_using = FILES},
    {.name = "bzip2",
     .make = make_compressed,
     .argument = "bzip2",
     .formats = "l l u g b",
     .bad_using = FILES},
    {.name = "xz",
     .make = make_compressed,
     .argument = "xz",
     .formats = "l l u g b",
     .bad_using = FILES},
    {.name = "external", .make = make_external, .argument = "csv", .formats = "l i vu g b"},
    {.name = "memory",
     .make = make_memory,
     .formats = "l i vu g b",
     .has_parts = true,
     .exact_count = true,
     .can_insert = true,
     .bad_using = "(a INT) USING memory OPTIONS (colour 'red')"},
    {.name = "stream",
     .make = make_stream,
     .formats = "l i u g b",
     .exact_count = true,
     .can_insert = true},
    {.name = "extension",
     .make = make_abi_1,
     .formats = "l i u g b",
     .has_parts = true,
     .exact_count = true,
     .bad_using = "USING abi1_rows OPTIONS (rows 1, colour 'red')"},
    {.name = "values",
     .make = make_values,
     .formats = "l l u g b",
     .no_empty = true,
     .bad_using = "USING values OPTIONS (rows '(1)', colour 'red')"},
    {.name = "derived",
     .make = make_derived,
     .formats = "l i vu g b",
     .has_parts = true,
     .is_view = true,
     .bad_using = "USING derived OPTIONS (query 'SELECT 1', colour 'red')"},
    {.name = "cached",
     .make = make_cached,
     .argument = "max_age '1h'",
     .formats = "l i vu g b",
     .has_parts = true,
     .exact_count = true,
     .can_insert = true,
     .bad_using = "USING cached OPTIONS (source 'x', max_age '1h', colour 'red')"},
    {.name = "cached_append",
     .make = make_cached,
     .argument = "max_age '0s', refresh append, time_column 'id'",
     .formats = "l i vu g b",
     .has_parts = true,
     .can_insert = true},
    {.name = "sql",
     .make = make_sql,
     .formats = "l i vu g b",
     .has_parts = true,
     .bad_using = "USING sql OPTIONS (path '/tmp/x.sql', colour 'red')"},
    {.name = "view", .make = make_view, .formats = "l i u g b", .is_view = true},
    {.name = "probe_none",
     .make = make_probe,
     .argument = "filters none",
     .formats = "l i u g b",
     .has_parts = true,
     .bad_using = "USING probe OPTIONS (rows 1, colour 'red')"},
    {.name = "probe_inexact",
     .make = make_probe,
     .argument = "filters inexact",
     .formats = "l i u g b",
     .has_parts = true},
    {.name = "probe_exact",
     .make = make_probe,
     .argument = "filters exact, statistics true",
     .formats = "l i u g b",
     .has_parts = true,
     .exact_count = true},
};
const size_t n_kinds = sizeof kinds / sizeof *kinds;
