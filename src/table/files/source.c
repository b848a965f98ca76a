/* SPDX-License-Identifier: Apache-2.0 */
/* A definition's options, checked and translated to the engine's names. */
#include "table/files/files.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

static const char *get(const struct weir_definition *definition, const char *key) {
    return wr_options_get(definition->options, definition->n_options, key);
}

/* ---- Format options ---- */

/* "\t" and "tab", which a shell or a configuration file cannot write otherwise, and any one ASCII
 * character. */
static int character_option(const char *key, const char *text, char ret_value[4],
                            struct weir_error *error) {
    if (strcmp(text, "\\t") == 0 || strcasecmp(text, "tab") == 0) text = "\t";
    unsigned char c = (unsigned char)text[0];
    if (c == 0 || c > 0x7F || text[1]) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"%s\" must be one ASCII character, or \\t; it is \"%s\"", key,
                            text);
    }
    /* The engine takes digits for a character's code. */
    bool digit = c >= '0' && c <= '9';
    ret_value[0] = digit ? (char)('0' + c / 10) : (char)c;
    ret_value[1] = digit ? (char)('0' + c % 10) : '\0';
    ret_value[2] = '\0';
    return WEIR_OK;
}

static int add_short_option(struct wr_files_source *source, const char *short_name,
                            const char *text, struct weir_error *error) {
    static const struct {
        const char *short_name;
        const char *engine_name;
    } names[] = {
        {"delimiter", "format.delimiter"}, {"quote", "format.quote"},
        {"escape", "format.escape"},       {"comment", "format.comment"},
        {"header", "format.has_header"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].short_name, short_name) != 0) continue;
        source->csv_option = names[i].short_name;
        if (strcmp(names[i].short_name, "header") == 0)
            return wr_options_add(&source->engine, names[i].engine_name, text, error);
        char value[4];
        WR_TRY(character_option(short_name, text, value, error));
        return wr_options_add(&source->engine, names[i].engine_name, value, error);
    }
    return WEIR_OK;
}

static int compression_option(const char *key, const char *text,
                              enum wr_file_compression *ret_compression, struct weir_error *error) {
    enum wr_file_compression compression = *text ? wr_compression_parse(text) : WR_COMPRESSION_NONE;
    if (compression == WR_COMPRESSION_UNKNOWN) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"%s\" is \"%s\"; it can be none, gzip, zstd, bzip2 or xz", key,
                            text);
    }
    *ret_compression = compression;
    return WEIR_OK;
}

static int take_format_options(const struct weir_definition *definition,
                               struct wr_files_source *source, struct weir_error *error) {
    /* Of Parquet, Arrow and Avro "format.compression" is how they are written, which is the
     * engine's. */
    bool text = source->format == WR_FORMAT_UNKNOWN || wr_format_is_text(source->format);
    for (size_t i = 0; i < definition->n_options; i++) {
        const struct weir_option *option = &definition->options[i];
        if (strncasecmp(option->key, "format.", 7) != 0) {
            WR_TRY(add_short_option(source, option->key, option->value, error));
        } else if (text && strcasecmp(option->key, "format.compression") == 0) {
            if (source->compression == WR_COMPRESSION_UNKNOWN)
                WR_TRY(compression_option(option->key, option->value, &source->compression, error));
        } else {
            WR_TRY(wr_options_add(&source->engine, option->key, option->value, error));
        }
    }
    return WEIR_OK;
}

/* ---- The others ---- */

/* a, "b c", "d""e" */
static int parse_names(const char *text, struct wr_files_source *source, struct weir_error *error) {
    while (*text) {
        text += strspn(text, " \t\n");
        struct wr_buffer name;
        wr_buffer_init(&name, 64 * 1024);
        if (*text == '"') {
            for (text++; *text && (*text != '"' || text[1] == '"'); text++) {
                if (*text == '"') text++;
                wr_buffer_char(&name, *text);
            }
            if (*text == '"') text++;
            text += strspn(text, " \t\n");
        } else {
            size_t length = strcspn(text, ",");
            const char *end = text + length;
            while (end > text && strchr(" \t\n", end[-1]))
                end--;
            wr_buffer_add(&name, text, (size_t)(end - text));
            text += length;
        }
        bool empty = name.length == 0 && !name.failed;
        if (empty || (*text && *text != ',')) {
            wr_buffer_reset(&name);
            return wr_error_set(
                error, WEIR_INVALID_ARGUMENT, NULL,
                "option \"partition_by\" must be a list of column names, such as year, month");
        }
        char **names =
            wr_reallocarray(source->partition_by, source->n_partition_by + 1, sizeof *names);
        if (names) source->partition_by = names;
        char *copy = names ? wr_buffer_take(&name) : NULL;
        wr_buffer_reset(&name);
        if (!copy) return wr_error_memory(error);
        source->partition_by[source->n_partition_by++] = copy;
        if (*text == ',') text++;
    }
    return WEIR_OK;
}

static int parse_hive(const char *text, enum wr_hive *ret_hive, struct weir_error *error) {
    if (!text || strcasecmp(text, "auto") == 0) {
        *ret_hive = WR_HIVE_AUTO;
    } else if (strcasecmp(text, "true") == 0) {
        *ret_hive = WR_HIVE_ON;
    } else if (strcasecmp(text, "false") == 0) {
        *ret_hive = WR_HIVE_OFF;
    } else {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"hive\" is \"%s\"; it can be true, false or auto", text);
    }
    return WEIR_OK;
}

static int take_options(const struct weir_definition *definition, struct wr_files_source *source,
                        struct weir_error *error) {
    const char *format = get(definition, "format");
    const char *compression = get(definition, "compression");
    const char *order_by = get(definition, "order_by");
    const char *partition_by = get(definition, "partition_by");
    if (format) {
        source->format = wr_format_parse(source->encodings, format);
        if (!source->format) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "option \"format\" is \"%s\"; it can be parquet, csv, tsv, json, "
                                "jsonl, arrow or avro, or an encoding of an extension",
                                format);
        }
    }
    if (compression)
        WR_TRY(compression_option("compression", compression, &source->compression, error));
    WR_TRY(parse_hive(get(definition, "hive"), &source->hive, error));
    if (partition_by) WR_TRY(parse_names(partition_by, source, error));
    if (order_by && *order_by) {
        source->order_by = wr_strdup(order_by);
        if (!source->order_by) return wr_error_memory(error);
    }
    /* A `location` means what the engine means by it: its sub-directories are other tables' affair.
     */
    source->recursive = wr_options_get_bool(definition->options, definition->n_options, "recursive",
                                            !source->external);
    bool allow_empty =
        wr_options_get_bool(definition->options, definition->n_options, "allow_empty", false);
    if (definition->columns && definition->columns->n_children > 0 &&
        ArrowSchemaDeepCopy(definition->columns, &source->columns) != NANOARROW_OK)
        return wr_error_memory(error);
    if (allow_empty && !source->columns.release) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"allow_empty\" needs declared columns: without files there is "
                            "nothing to find them in");
    }
    source->may_be_empty = source->columns.release && (source->external || allow_empty);
    return take_format_options(definition, source, error);
}

static int take_root(const struct weir_definition *definition, struct wr_files_source *source,
                     struct weir_error *error) {
    const char *root = get(definition, "root");
    if (!root) return WEIR_OK;
    if (source->external) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"root\" goes with the option path, not with location");
    }
    WR_TRY(wr_files_root(root, &source->root, error));
    if (strcmp(source->root, "/") != 0) {
        source->working = wr_strdup(source->root);
        return source->working ? WEIR_OK : wr_error_memory(error);
    }
    wr_free(source->root);
    source->root = NULL;
    return WEIR_OK;
}

static int fill(const struct weir_definition *definition, struct wr_files_source *source,
                struct weir_error *error) {
    const char *path = get(definition, "path");
    const char *location = get(definition, "location");
    if (!path == !location) {
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, NULL,
            path ? "options \"path\" and \"location\" are both given; keep one of them"
                 : "option \"path\" is missing: the file, directory or pattern to read");
    }
    const char *text = path ? path : location;
    source->external = location != NULL;
    const char *shown = get(definition, "shown");
    source->text = wr_strdup(shown ? shown : text);
    if (!source->text) return wr_error_memory(error);
    size_t length = strlen(text);
    source->slash = length > 1 && text[length - 1] == '/';
    WR_TRY(take_root(definition, source, error));
    if (!source->root && wr_is_store_url(text))
        WR_TRY(wr_files_open_store(definition, text, source, error));
    else if (source->root)
        WR_TRY(
            wr_files_resolve_below(source->root, text, &source->path, &source->n_literal, error));
    else
        WR_TRY(wr_files_resolve(text, &source->path, &source->n_literal, &source->working, error));
    return take_options(definition, source, error);
}

int wr_files_source_init(const struct weir_definition *definition,
                         struct wr_files_source *ret_source, struct weir_error *error) {
    struct wr_files_source source = {.compression = WR_COMPRESSION_UNKNOWN,
                                     .encodings = wr_definition_encodings(definition)};
    int code = fill(definition, &source, error);
    if (code) {
        wr_files_source_reset(&source);
        return code;
    }
    *ret_source = source;
    return WEIR_OK;
}

void wr_files_source_reset(struct wr_files_source *source) {
    wr_free(source->text);
    wr_free(source->root);
    wr_free(source->path);
    wr_free(source->working);
    if (source->store) source->stores->release(source->store);
    wr_free(source->order_by);
    for (size_t i = 0; i < source->n_partition_by; i++)
        wr_free(source->partition_by[i]);
    wr_free(source->partition_by);
    wr_options_reset(&source->engine);
    if (source->columns.release) source->columns.release(&source->columns);
    *source = (struct wr_files_source){0};
}
