/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `files`. An instance keeps its checked options, the copy of a pipe, and what it read in
 * files for as long as they stay the same. Everything else is listed afresh for each form.
 */
#include "table/files/files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

struct table {
    struct wr_files_source source;
    struct wr_files_cache cache;
    struct wr_pipe *pipe; /* NULL: the path is no pipe */
};

static int files_form(void *instance, struct weir_form *ret_form, struct weir_error *error) {
    struct table *table = instance;
    return wr_files_form(&table->source, &table->cache, ret_form, error);
}

static void files_close(void *instance) {
    struct table *table = instance;
    if (!table) return;
    wr_pipe_close(table->pipe);
    wr_files_source_reset(&table->source);
    wr_files_cache_reset(&table->cache);
    wr_free(table);
}

static int replace_path(struct wr_files_source *source, const char *path,
                        struct weir_error *error) {
    char *copy = wr_strdup(path);
    if (!copy) return wr_error_memory(error);
    wr_free(source->path);
    source->path = copy;
    source->n_literal = strlen(copy);
    return WEIR_OK;
}

/* Names a pipe's copy, or the file behind /dev/stdin, in the place of the path. */
static int look_behind(struct table *table, struct weir_error *error) {
    struct wr_files_source *source = &table->source;
    if (source->root || source->store) return WEIR_OK;
    WR_TRY(wr_pipe_open(source->text, source->path, &table->pipe, error));
    if (table->pipe) {
        source->copied = true;
        return replace_path(source, wr_pipe_path(table->pipe), error);
    }
    char real[PATH_MAX];
    bool alias = strncmp(source->path, "/dev/", 5) == 0 || strncmp(source->path, "/proc/", 6) == 0;
    struct stat status;
    /* A redirected file that was deleted since has a name only in the text of the link. */
    if (!alias || !realpath(source->path, real) || stat(real, &status) != 0) return WEIR_OK;
    return replace_path(source, real, error);
}

static int files_open(const struct weir_definition *definition, void **ret_table,
                      struct weir_error *error) {
    struct table *table = wr_calloc(1, sizeof *table);
    if (!table) return wr_error_memory(error);
    int code = wr_files_cache_init(&table->cache, error);
    if (code) {
        wr_free(table);
        return code;
    }
    code = wr_files_source_init(definition, &table->source, error);
    if (code == 0) code = look_behind(table, error);
    /* A definition that cannot be read is refused now, not at the first query. */
    if (code == 0) code = wr_files_form(&table->source, &table->cache, NULL, error);
    if (code) {
        files_close(table);
        return code;
    }
    *ret_table = table;
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    {"path", WEIR_OPTION_TEXT, 0,
     "file, directory, pattern (* ? [a-z] ** {a,b}), file:// URL or pipe; what is not told is "
     "found out"},
    {"root", WEIR_OPTION_TEXT, 0,
     "directory that no path and no symbolic link may lead out of; the path is absolute then"},
    {"shown", WEIR_OPTION_TEXT, 0, "what messages call the path; the path itself by default"},
    {"location", WEIR_OPTION_TEXT, 0,
     "as path, with the engine's defaults for what is not told; INSERT writes there"},
    {"format", WEIR_OPTION_TEXT, 0, "parquet, csv, tsv, json, jsonl, arrow or avro"},
    {"compression", WEIR_OPTION_TEXT, 0, "of a text format: none, gzip, zstd, bzip2 or xz"},
    {"delimiter", WEIR_OPTION_TEXT, 0, "CSV: the character between values, \\t for a tab"},
    {"quote", WEIR_OPTION_TEXT, 0, "CSV: the character around values"},
    {"escape", WEIR_OPTION_TEXT, 0,
     "CSV: the character before a quote within a value; without it quotes are doubled"},
    {"header", WEIR_OPTION_BOOLEAN, 0, "CSV: the first row holds the names"},
    {"comment", WEIR_OPTION_TEXT, 0, "CSV: the character that begins a comment line"},
    {"partition_by", WEIR_OPTION_TEXT, 0,
     "the columns that stand in key=value directories, with commas between"},
    {"hive", WEIR_OPTION_TEXT, 0, "true, false or auto: whether key=value directories are columns"},
    {"order_by", WEIR_OPTION_TEXT, 0, "SQL sort terms that hold within each file"},
    {"recursive", WEIR_OPTION_BOOLEAN, 0,
     "read sub-directories too; true for a path, false for a location"},
    {"allow_empty", WEIR_OPTION_BOOLEAN, 0,
     "no files are a table without rows; needs declared columns"},
    {"format.", WEIR_OPTION_PREFIX, 0,
     "the engine's own options of the format, such as format.schema_infer_max_rec"},
};

const struct weir_table_kind wr_kind_files = {
    .size = sizeof wr_kind_files,
    .name = "files",
    .summary = "files on disk: Parquet, CSV, TSV, JSON, Arrow and Avro",
    .roles = WEIR_ROLE_PATH | WEIR_ROLE_EXTERNAL,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = files_open,
    .close = files_close,
    .form = files_form,
};
