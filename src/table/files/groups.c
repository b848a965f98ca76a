/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV files of different headers.
 *
 * The engine reads a CSV file's values by position. So files are read together only when their
 * first rows are equal; the others become further parts, which the engine puts together by name.
 * Declared columns, and files without a header, are by position on purpose.
 */
#include "table/files/files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { HEADER_BYTES = 32 * 1024, MOST_GROUPS = 64 };

bool wr_files_have_headers(const struct wr_files_source *source, const struct wr_sniffed *sniffed) {
    if (source->columns.release || !wr_format_same_family(sniffed->type.format, WR_FORMAT_CSV))
        return false;
    struct wr_csv_dialect dialect =
        sniffed->looked ? sniffed->dialect : wr_given_dialect(source, sniffed->type.format);
    return dialect.header != 0;
}

static int read_header(const struct wr_files_source *source, const struct wr_file_list *list,
                       const struct wr_file_entry *entry, const struct wr_sniffed *sniffed,
                       struct wr_buffer *row, struct weir_error *error) {
    struct wr_csv_dialect dialect =
        sniffed->looked ? sniffed->dialect : wr_given_dialect(source, sniffed->type.format);
    if (!dialect.delimiter) dialect.delimiter = ',';
    if (!dialect.quote) dialect.quote = '"';
    struct wr_head head;
    WR_TRY(wr_head_read(&list->access, wr_files_shown(source, list, entry), entry->path,
                        sniffed->type.compression, HEADER_BYTES, &head, error));
    wr_buffer_clear(row);
    wr_csv_first_row(head.data, head.length, &dialect, row);
    wr_head_reset(&head);
    return row->failed ? wr_error_memory(error) : WEIR_OK;
}

int wr_files_group(const struct wr_files_source *source, struct wr_file_list *list,
                   const struct wr_sniffed *sniffed, size_t *ret_n_groups,
                   struct weir_error *error) {
    const char *headers[MOST_GROUPS];
    const struct wr_file_entry *firsts[MOST_GROUPS];
    size_t n_groups = 0;
    struct wr_buffer row;
    wr_buffer_init(&row, 2 * HEADER_BYTES + 1);
    int code = WEIR_OK;
    for (size_t i = 0; i < list->n_entries && code == 0; i++) {
        struct wr_file_entry *entry = &list->entries[i];
        code = read_header(source, list, entry, sniffed, &row, error);
        if (code) break;
        const char *header = row.length > 0 ? row.data : "";
        size_t group = 0;
        while (group < n_groups && strcmp(headers[group], header) != 0)
            group++;
        if (group == MOST_GROUPS) {
            code = wr_error_set(error, WEIR_INVALID_DATA, NULL,
                                "\"%s\" stands for CSV files with more than %d different headers, "
                                "for example \"%s\" and "
                                "\"%s\"; name fewer files, or declare the columns",
                                source->text, MOST_GROUPS, firsts[0]->path, entry->path);
        } else if (group == n_groups) {
            firsts[n_groups] = entry;
            headers[n_groups++] = wr_arena_copy(list->arena, header, strlen(header));
            if (!headers[group]) code = wr_error_memory(error);
        }
        entry->group = group;
    }
    wr_buffer_reset(&row);
    if (code) return code;
    *ret_n_groups = n_groups;
    return WEIR_OK;
}
