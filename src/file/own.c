/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/error.h"
#include "file/encoding.h"
#include "file/file.h"

void wr_file_reset(struct wr_bytes *file) {
    if (file->reader.release) file->reader.release(&file->reader);
    if (file->fd >= 0) close(file->fd);
    *file = (struct wr_bytes){.fd = -1};
}

int wr_open_lying(const struct weir_node *node, const char *encoding, struct wr_bytes *ret_file,
                  struct weir_error *error) {
    const struct wr_mount *mount = node->place.mount;
    const struct weir_mount_kind *kind = wr_mount_kind(mount);
    if (!kind->read) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\": a mount of kind %s has no bytes of files", node->place.path,
                            kind->name);
    }
    struct wr_bytes file = {.fd = -1, .encoding = encoding, .is_own = true};
    WR_TRY(kind->read(wr_mount_data(mount), node->found.path, &file.reader, error));
    file.n_bytes = file.reader.n_bytes;
    file.modified_ns = file.reader.modified_ns;
    memcpy(file.version, file.reader.version, sizeof file.version);
    *ret_file = file;
    return WEIR_OK;
}

/* ---- The one file of a table ---- */

static bool is_one_of(const char *text, const char *const *texts, size_t n_texts) {
    for (size_t i = 0; i < n_texts; i++) {
        if (strcmp(text, texts[i]) == 0) return true;
    }
    return false;
}

/* What another reader of a .csv or .json takes for granted. */
static bool is_usual(const struct weir_option *option, const char *encoding) {
    static const char *const harmless[] = {"format.newlines_in_values", "format.newline_delimited",
                                           "format.schema_infer_max_rec"};
    if (is_one_of(option->key, harmless, sizeof harmless / sizeof *harmless)) return true;
    if (strcmp(option->key, "format.has_header") == 0) return strcmp(option->value, "true") == 0;
    if (strcmp(option->key, "format.quote") == 0) return strcmp(option->value, "\"") == 0;
    if (strcmp(option->key, "format.delimiter") == 0) {
        return strcmp(option->value, strcmp(encoding, "tsv") == 0 ? "\t" : ",") == 0;
    }
    return false;
}

static bool is_text(const char *encoding) {
    static const char *const texts[] = {"csv", "tsv", "json", "jsonl"};
    return is_one_of(encoding, texts, sizeof texts / sizeof *texts);
}

/* How a form calls the format. */
static const char *format_of(const char *encoding) {
    return strcmp(encoding, "tsv") == 0     ? "csv"
           : strcmp(encoding, "jsonl") == 0 ? "json"
                                            : encoding;
}

/* Whether the form's only file, as it lies there, holds the table's rows and nothing else. Columns
 * that were declared may be others than the file's. */
static bool is_single(const struct wr_encodings *encodings, const struct weir_form *form,
                      const char *encoding) {
    const struct weir_files *files = &form->files;
    if (form->type != WEIR_FORM_FILES || files->n_files != 1 || files->compression ||
        files->partition_columns || form->schema.release || files->files[0].n_deleted_rows > 0 ||
        !files->files[0].etag || strcmp(files->format, format_of(encoding)) != 0)
        return false;
    const char *own = wr_encoding_of_path(encodings, files->files[0].url, NULL);
    if (!own || strcmp(own, encoding) != 0) return false;
    for (size_t i = 0; is_text(encoding) && i < files->n_options; i++) {
        if (!is_usual(&files->options[i], encoding)) return false;
    }
    return true;
}

/* *ret_found stays false when the file is another one by now than the form has listed. */
static int open_url(const struct weir_files *files, struct wr_bytes *file, bool *ret_found,
                    struct weir_error *error) {
    struct stat status;
    WR_TRY(wr_url_open(files->files[0].url, &file->fd, error));
    if (fstat(file->fd, &status) != 0) {
        return wr_error_errno(error, errno, "cannot look at \"%s\"", files->files[0].url);
    }
    wr_file_version(&status, file->version);
    *ret_found = strcmp(file->version, files->files[0].etag) == 0;
    file->n_bytes = status.st_size;
    file->modified_ns = wr_nanoseconds(status.st_mtim);
    return WEIR_OK;
}

int wr_open_single(const struct weir_node *node, const char *encoding, struct wr_bytes *ret_file,
                   bool *ret_found, struct weir_error *error) {
    struct wr_instance *instance = NULL;
    struct wr_table table = {0};
    struct wr_bytes file = {.fd = -1, .encoding = encoding, .is_own = true};
    bool found = false;
    WR_TRY(wr_node_instance(node, &instance, error));
    int code = wr_instance_table(instance, &table, error);
    wr_instance_release(instance);
    WR_TRY(code);
    if (is_single(wr_node_encodings(node), &table.form, encoding))
        code = open_url(&table.form.files, &file, &found, error);
    table.release(&table);
    if (code || !found) {
        wr_file_reset(&file);
    } else {
        *ret_file = file;
    }
    if (code == WEIR_OK) *ret_found = found;
    return code;
}
