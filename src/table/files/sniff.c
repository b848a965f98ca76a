/* SPDX-License-Identifier: Apache-2.0 */
/* What options and names leave open, from the bytes. */
#include "table/files/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/*
 * Opening every file of a pattern of 10,000 only to look at its magic would cost more than many a
 * query: the first few are looked at, and the engine finds the others when it reads their footers.
 */
enum { N_CHECKED = 3 };

int wr_check_parquet(const struct wr_access *access, const char *shown,
                     const struct wr_file_entry *entry, struct weir_error *error) {
    enum { MAGIC = 4, SMALLEST = 12 };
    char start[MAGIC] = {0};
    char end[MAGIC] = {0};
    /* Of an object the engine reads the footer itself, once. */
    if (access->source && entry->n_bytes >= SMALLEST) return WEIR_OK;
    if (entry->n_bytes >= SMALLEST) {
        int fd;
        int refused = wr_access_fd(access, entry->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd);
        if (refused) return wr_access_error(error, access, refused, "cannot open", shown);
        bool read_both = pread(fd, start, MAGIC, 0) >= 0 &&
                         pread(fd, end, MAGIC, (off_t)entry->n_bytes - MAGIC) >= 0;
        int reason = errno;
        close(fd);
        if (!read_both) return wr_error_errno(error, reason, "cannot read \"%s\"", shown);
    }
    /* PARE: the footer is encrypted. */
    bool has_start = memcmp(start, "PAR1", MAGIC) == 0 || memcmp(start, "PARE", MAGIC) == 0;
    bool has_end = memcmp(end, "PAR1", MAGIC) == 0 || memcmp(end, "PARE", MAGIC) == 0;
    if (has_start && has_end) return WEIR_OK;
    if (entry->n_bytes >= SMALLEST && !has_start && !has_end) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\" is not a Parquet file: its magic is neither at its start nor "
                            "at its end (size %lld "
                            "bytes); give the right format with the option format",
                            shown, (long long)entry->n_bytes);
    }
    return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                        "\"%s\" is not a complete Parquet file: no footer magic at its %s (size "
                        "%lld bytes); the file may be "
                        "truncated",
                        shown, has_end ? "start" : "end", (long long)entry->n_bytes);
}

static bool begins_utf16(const struct wr_head *head) {
    return head->length >= 2 &&
           (memcmp(head->data, "\xFF\xFE", 2) == 0 || memcmp(head->data, "\xFE\xFF", 2) == 0);
}

static bool begins_array(const struct wr_head *head) {
    size_t i = head->length >= 3 && memcmp(head->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < head->length && strchr(" \t\r\n", head->data[i]) && head->data[i])
        i++;
    return i < head->length && head->data[i] == '[';
}

/* The character of a format option, as the engine reads it: digits are its code, else it stands for
 * itself. */
static char option_character(const struct wr_files_source *source, const char *key) {
    const char *text = wr_options_get(source->engine.items, source->engine.n_items, key);
    if (!text) return 0;
    if (*text && text[strspn(text, "0123456789")] == '\0')
        return (char)wr_options_get_int(source->engine.items, source->engine.n_items, key, 0);
    return *text;
}

struct wr_csv_dialect wr_given_dialect(const struct wr_files_source *source,
                                       enum wr_file_format format) {
    const struct wr_options *options = &source->engine;
    struct wr_csv_dialect dialect = {
        .delimiter = option_character(source, "format.delimiter"),
        .quote = option_character(source, "format.quote"),
        .escape = option_character(source, "format.escape"),
        .comment = option_character(source, "format.comment"),
        .header = -1,
    };
    if (!dialect.delimiter && format == WR_FORMAT_TSV) dialect.delimiter = '\t';
    if (wr_options_get(options->items, options->n_items, "format.has_header"))
        dialect.header =
            wr_options_get_bool(options->items, options->n_items, "format.has_header", true);
    return dialect;
}

static int look(const struct wr_files_source *source, const char *shown, const struct wr_head *head,
                struct wr_sniffed *sniffed, struct weir_error *error) {
    struct wr_file_type *type = &sniffed->type;
    type->compression = head->compression;
    if (!type->format) type->format = wr_format_of_bytes(head->data, head->length, head->complete);
    if (!type->format) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "cannot tell the format of \"%s\" from its name or its content; give "
                            "it with the option format "
                            "(parquet, csv, tsv, json, jsonl, arrow, avro)",
                            shown);
    }
    if (!wr_format_is_text(type->format)) return WEIR_OK;
    if (begins_utf16(head)) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\" is UTF-16 text; convert it to UTF-8 first", shown);
    }
    sniffed->looked = true;
    if (type->format == WR_FORMAT_JSON) {
        sniffed->json_array = begins_array(head);
    } else if (type->format != WR_FORMAT_JSON_LINES) {
        sniffed->dialect = wr_given_dialect(source, type->format);
        if (!wr_csv_sniff(head->data, head->length, head->complete, &sniffed->dialect))
            return wr_error_memory(error);
    }
    return WEIR_OK;
}

int wr_files_sniff(const struct wr_files_source *source, const struct wr_file_list *list,
                   struct wr_file_type type, struct wr_sniffed *ret_sniffed,
                   struct weir_error *error) {
    struct wr_sniffed sniffed = {.type = type};
    bool text = wr_format_is_text(type.format);
    /* What came as `location` with its format is a contract: the engine's own defaults hold for
     * what it leaves open. */
    bool guess =
        list->n_entries > 0 && (type.format == WR_FORMAT_UNKNOWN || (text && !source->external));
    if (guess) {
        const char *shown = wr_files_shown(source, list, &list->entries[0]);
        struct wr_head head;
        WR_TRY(wr_head_read(&list->access, shown, list->entries[0].path, type.compression,
                            WR_HEAD_BYTES, &head, error));
        int code = look(source, shown, &head, &sniffed, error);
        wr_head_reset(&head);
        if (code) return code;
    }
    if (sniffed.type.compression == WR_COMPRESSION_UNKNOWN)
        sniffed.type.compression = WR_COMPRESSION_NONE;
    if (sniffed.type.compression != WR_COMPRESSION_NONE && sniffed.type.format &&
        !wr_format_is_text(sniffed.type.format)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\": a %s file cannot be read from inside %s: the format "
                            "compresses its own parts; unpack it "
                            "first, or leave out the option compression",
                            source->text, wr_format_name(source->encodings, sniffed.type.format),
                            wr_compression_name(sniffed.type.compression));
    }
    for (size_t i = 0;
         sniffed.type.format == WR_FORMAT_PARQUET && i < list->n_entries && i < N_CHECKED; i++)
        WR_TRY(wr_check_parquet(&list->access, wr_files_shown(source, list, &list->entries[i]),
                                &list->entries[i], error));
    *ret_sniffed = sniffed;
    return WEIR_OK;
}
