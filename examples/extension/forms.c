/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds whose rows the engine gets by itself, so that no row passes through here:
 *
 *   archive   FILES, and their UNION: a directory with CSV files of late and Parquet files of
 *             before, as one table
 *   daily     SQL: how many rows of another table there are for each day
 *
 *     cc -shared -fPIC $(pkg-config --cflags weir) -o forms.so forms.c
 *     weir sql "LOAD './forms.so'; SELECT * FROM archive(directory => '/srv/orders')"
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir_extension.h>

static int fail(struct weir_error *error, int code, const char *sqlstate, const char *message,
                const char *about) {
    if (!error) return code;
    *error = (struct weir_error){.code = code};
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
    snprintf(error->message, sizeof error->message, "%s%s", message, about);
    return code;
}

static int copy_option(const struct weir_definition *definition, void **ret_table,
                       struct weir_error *error) {
    *ret_table = strdup(definition->options[0].value); /* the required one */
    return *ret_table ? WEIR_OK : fail(error, WEIR_INTERNAL, "53200", "out of memory", "");
}

/* ---- archive ---- */

enum { N_FORMATS = 2 };
static const char *const formats[N_FORMATS] = {"parquet", "csv"};

/* A form's memory: a part for each format, and its files. */
struct listing {
    struct weir_form parts[N_FORMATS], *pointers[N_FORMATS];
    struct weir_file *files[N_FORMATS];
    size_t n_files[N_FORMATS];
};

static void listing_free(struct listing *listing) {
    for (int format = 0; format < N_FORMATS; format++) {
        for (size_t i = 0; i < listing->n_files[format]; i++)
            free((char *)listing->files[format][i].url);
        free(listing->files[format]);
    }
    free(listing);
}

static void archive_release(struct weir_form *form) {
    listing_free(form->private_data);
    form->release = NULL;
}

/* Which format a file's name tells of; N_FORMATS: none. */
static int format_of(const char *name) {
    const char *dot = strrchr(name, '.');
    int format = 0;
    while (format < N_FORMATS && (!dot || strcmp(dot + 1, formats[format]) != 0))
        format++;
    return format;
}

static int add_file(struct listing *listing, int format, const char *directory, const char *name) {
    size_t n = listing->n_files[format];
    struct weir_file *files = realloc(listing->files[format], (n + 1) * sizeof *files);
    if (!files) return -1;
    listing->files[format] = files;
    size_t size = strlen("file://") + strlen(directory) + strlen("/") + strlen(name) + 1;
    char *url = malloc(size);
    if (!url) return -1;
    snprintf(url, size, "file://%s/%s", directory, name);
    files[n] = (struct weir_file){.url = url, .n_bytes = -1}; /* the engine asks for the size */
    listing->n_files[format] = n + 1;
    return 0;
}

static int list(const char *directory, struct listing *listing, struct weir_error *error) {
    DIR *opened = opendir(directory);
    const struct dirent *entry;
    int failed = 0;
    if (!opened)
        return fail(error, WEIR_NOT_FOUND, "58P01", "archive: cannot read the directory ",
                    directory);
    while (!failed && (entry = readdir(opened))) {
        int format = format_of(entry->d_name);
        if (format < N_FORMATS) failed = add_file(listing, format, directory, entry->d_name);
    }
    closedir(opened);
    return failed ? fail(error, WEIR_INTERNAL, "53200", "out of memory", "") : WEIR_OK;
}

/* Listed for each query, so that a file that came or went is seen. */
static int archive_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct listing *listing = calloc(1, sizeof *listing);
    size_t n_parts = 0;
    if (!listing) return fail(error, WEIR_INTERNAL, "53200", "out of memory", "");
    int code = list(table, listing, error);
    for (int format = 0; code == WEIR_OK && format < N_FORMATS; format++) {
        if (listing->n_files[format] == 0) continue;
        listing->parts[n_parts] =
            (struct weir_form){.type = WEIR_FORM_FILES,
                               .files = {.format = formats[format],
                                         .files = listing->files[format],
                                         .n_files = listing->n_files[format]}};
        listing->pointers[n_parts] = &listing->parts[n_parts];
        n_parts++;
    }
    if (code == WEIR_OK && n_parts == 0)
        code =
            fail(error, WEIR_NOT_FOUND, "58P01", "archive: no CSV or Parquet file is in ", table);
    if (code) {
        listing_free(listing);
        return code;
    }
    *ret_form = (struct weir_form){.type = WEIR_FORM_UNION,
                                   .parts = listing->pointers,
                                   .n_parts = n_parts,
                                   .release = archive_release,
                                   .private_data = listing};
    return WEIR_OK;
}

static const struct weir_option_spec archive_options[] = {
    {"directory", WEIR_OPTION_TEXT, 1, "the absolute path of the directory"},
};

static const struct weir_table_kind archive = {
    .size = sizeof archive,
    .name = "archive",
    .summary = "a directory of CSV and Parquet files as one table",
    .options = archive_options,
    .n_options = 1,
    .open = copy_option,
    .close = free,
    .form = archive_form,
};

/* ---- daily ---- */

static void query_release(struct weir_form *form) {
    free(form->private_data);
    form->release = NULL;
}

/* The table is an input by the name `days`, so nothing of what users write becomes SQL. */
static int daily_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    struct weir_option *input = malloc(sizeof *input);
    if (!input) return fail(error, WEIR_INTERNAL, "53200", "out of memory", "");
    *input = (struct weir_option){"days", table};
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql = {.query = "SELECT day, count(*) AS n FROM days GROUP BY day",
                .inputs = input,
                .n_inputs = 1},
        .release = query_release,
        .private_data = input,
    };
    return WEIR_OK;
}

static const struct weir_option_spec daily_options[] = {
    {"source", WEIR_OPTION_TEXT, 1, "a table or file with a column \"day\""},
};

static const struct weir_table_kind daily = {
    .size = sizeof daily,
    .name = "daily",
    .summary = "rows of another table, by day",
    .options = daily_options,
    .n_options = 1,
    .open = copy_option,
    .close = free,
    .form = daily_form,
};

int weir_extension_init(const struct weir_host *host, struct weir_extension *ret_extension,
                        struct weir_error *error) {
    *ret_extension = (struct weir_extension){.size = sizeof *ret_extension,
                                             .abi = WEIR_EXTENSION_ABI,
                                             .name = "forms",
                                             .version = "1.0"};
    int code = host->register_kind(host->context, &archive, error);
    return code ? code : host->register_kind(host->context, &daily, error);
}
