/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the listed files are the table's.
 *
 * 1. A file that is named alone is taken as it is.
 * 2. With the option `format`, those whose extension says that format. If none does: in a directory
 * those without a known extension; of a pattern all, because the user named them.
 * 3. Without it, the files must agree. In a directory those without a known extension are left out,
 * if there are others.
 * 4. A text file without a byte has no columns and no rows: it is left out, as the engine does.
 */
#include "table/files/files.h"

#include "base/error.h"

enum { SMALLEST_PARQUET = 12 };

const char *wr_files_shown(const struct wr_files_source *source, const struct wr_file_list *list,
                           const struct wr_file_entry *entry) {
    return list->listing == WR_LISTING_FILE ? source->text : entry->path;
}

static size_t keep_if(struct wr_file_list *list, enum wr_file_format format) {
    size_t n_kept = 0;
    for (size_t i = 0; i < list->n_entries; i++) {
        if (wr_format_same_family(list->entries[i].type.format, format))
            list->entries[n_kept++] = list->entries[i];
    }
    return n_kept;
}

static bool has(const struct wr_file_list *list, enum wr_file_format format) {
    for (size_t i = 0; i < list->n_entries; i++) {
        if (wr_format_same_family(list->entries[i].type.format, format)) return true;
    }
    return false;
}

static const char *described(const struct wr_encodings *encodings,
                             const struct wr_file_entry *entry) {
    return entry->type.format ? wr_format_name(encodings, entry->type.format) : "of unknown format";
}

static const char *compression_described(const struct wr_file_entry *entry) {
    return entry->type.compression ? wr_compression_name(entry->type.compression)
                                   : "not compressed";
}

static int check_agreement(const struct wr_files_source *source, const struct wr_file_list *list,
                           struct weir_error *error) {
    const struct wr_file_entry *first = &list->entries[0];
    for (size_t i = 1; i < list->n_entries; i++) {
        const struct wr_file_entry *entry = &list->entries[i];
        if (!source->format && entry->type.format != first->type.format) {
            return wr_error_set(
                error, WEIR_INVALID_ARGUMENT, NULL,
                "\"%s\" stands for files of more than one format: \"%s\" (%s) and \"%s\" (%s); "
                "choose with "
                "the option format, or with a pattern such as '*.%s'",
                source->text, first->path, described(source->encodings, first), entry->path,
                described(source->encodings, entry),
                wr_format_name(source->encodings,
                               first->type.format ? first->type.format : entry->type.format));
        }
        if (source->compression == WR_COMPRESSION_UNKNOWN &&
            entry->type.compression != first->type.compression) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "\"%s\" stands for files that are compressed differently: \"%s\" "
                                "(%s) and \"%s\" (%s); choose "
                                "with a pattern that names the end of the files",
                                source->text, first->path, compression_described(first),
                                entry->path, compression_described(entry));
        }
    }
    return WEIR_OK;
}

static int nothing_matched(const struct wr_files_source *source, const struct wr_file_list *list,
                           const struct wr_file_entry *other, struct weir_error *error) {
    if (list->listing == WR_LISTING_PATTERN) {
        return wr_error_set(
            error, WEIR_NOT_FOUND, "58P01", "no file matches \"%s\" (looked in %s)%s", source->text,
            list->deepest ? list->deepest : source->working,
            list->n_directories
                ? "; only directories do: write /** at the end to read the files in them"
                : "");
    }
    if (other) {
        return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                            "no %s file in the directory \"%s\" (looked in %s); it holds others, "
                            "such as \"%s\" (%s)",
                            wr_format_name(source->encodings, source->format), source->text,
                            source->path, other->path, described(source->encodings, other));
    }
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                        "no data file in the directory \"%s\" (looked in %s%s)", source->text,
                        source->path, source->recursive ? " and below" : ", not below");
}

static int drop_empty(const struct wr_files_source *source, struct wr_file_list *list,
                      enum wr_file_format format, struct weir_error *error) {
    size_t n_kept = 0;
    const struct wr_file_entry *empty = NULL;
    for (size_t i = 0; i < list->n_entries; i++) {
        const struct wr_file_entry *entry = &list->entries[i];
        bool leave = entry->n_bytes == 0 &&
                     (source->external || format == WR_FORMAT_UNKNOWN || wr_format_is_text(format));
        if (leave) {
            empty = entry;
        } else {
            if (format == WR_FORMAT_PARQUET && entry->n_bytes < SMALLEST_PARQUET)
                WR_TRY(wr_check_parquet(&list->access, wr_files_shown(source, list, entry), entry,
                                        error));
            list->entries[n_kept++] = *entry;
        }
    }
    if (n_kept == 0 && empty && !source->columns.release) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\" is empty (0 bytes), so that it has no columns; declare the "
                            "columns to read it as a "
                            "table without rows",
                            wr_files_shown(source, list, empty));
    }
    list->n_entries = n_kept;
    return WEIR_OK;
}

int wr_files_select(const struct wr_files_source *source, struct wr_file_list *list,
                    struct wr_file_type *ret_type, struct weir_error *error) {
    enum wr_file_format wanted = source->format;
    const struct wr_file_entry *other = list->n_entries > 0 ? &list->entries[0] : NULL;
    struct wr_file_entry example;
    if (other) {
        example = *other;
        other = &example;
    }
    if (list->listing != WR_LISTING_FILE && list->n_entries > 0) {
        if (wanted && has(list, wanted)) {
            list->n_entries = keep_if(list, wanted);
        } else if (list->listing == WR_LISTING_DIRECTORY) {
            bool known = false;
            for (size_t i = 0; i < list->n_entries; i++)
                known = known || list->entries[i].type.format != WR_FORMAT_UNKNOWN;
            if (wanted) {
                list->n_entries = keep_if(list, WR_FORMAT_UNKNOWN);
            } else if (known) {
                size_t n_kept = 0;
                for (size_t i = 0; i < list->n_entries; i++) {
                    if (list->entries[i].type.format) list->entries[n_kept++] = list->entries[i];
                }
                list->n_entries = n_kept;
            }
        }
        if (list->n_entries > 0) WR_TRY(check_agreement(source, list, error));
    }
    if (list->n_entries == 0 && !source->may_be_empty)
        return nothing_matched(source, list, other, error);
    struct wr_file_type type = {wanted, source->compression};
    if (list->n_entries > 0) {
        if (!type.format) type.format = list->entries[0].type.format;
        /* "x.csv" may hold gzip all the same: then its bytes tell. */
        if (type.compression == WR_COMPRESSION_UNKNOWN && list->entries[0].type.compression)
            type.compression = list->entries[0].type.compression;
        WR_TRY(drop_empty(source, list, type.format, error));
    }
    *ret_type = type;
    return WEIR_OK;
}
