/* SPDX-License-Identifier: Apache-2.0 */
/* The list of files and what was found in them, as the engine takes it. */
#include "table/files/files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

/* The form's private data: everything that it points to. */
struct holder {
    struct wr_arena arena;
    struct ArrowSchema partition_columns;
    const struct wr_stores *stores;
    struct wr_opened *store; /* that the URLs are of; NULL: of none */
    bool check_only;         /* the form is not wanted: leave out what is as long as the list */
};

static void holder_free(struct holder *holder) {
    if (holder->partition_columns.release)
        holder->partition_columns.release(&holder->partition_columns);
    if (holder->store) holder->stores->release(holder->store);
    wr_arena_reset(&holder->arena);
    wr_free(holder);
}

static void form_release(struct weir_form *form) {
    if (form->schema.release) form->schema.release(&form->schema);
    holder_free(form->private_data);
    *form = (struct weir_form){0};
}

static const char *copy_text(struct wr_arena *arena, const char *text) {
    return wr_arena_copy(arena, text, strlen(text));
}

/* ---- Options ---- */

struct option_list {
    const struct wr_files_source *source;
    struct wr_arena *arena;
    struct weir_option *items;
    size_t n_items;
};

/* What the user gave wins over what was found. */
static int add_option(struct option_list *list, const char *key, const char *value,
                      struct weir_error *error) {
    if (wr_options_get(list->source->engine.items, list->source->engine.n_items, key))
        return WEIR_OK;
    struct weir_option option = {copy_text(list->arena, key), copy_text(list->arena, value)};
    if (!option.key || !option.value) return wr_error_memory(error);
    list->items[list->n_items++] = option;
    return WEIR_OK;
}

static int fill_options(const struct wr_files_source *source, const struct wr_sniffed *sniffed,
                        struct wr_arena *arena, struct weir_files *files,
                        struct weir_error *error) {
    enum { MOST_FOUND = 8 };
    struct option_list list = {.source = source, .arena = arena};
    list.items = wr_arena_take(arena, source->engine.n_items + MOST_FOUND, sizeof *list.items);
    if (!list.items) return wr_error_memory(error);
    for (size_t i = 0; i < source->engine.n_items; i++) {
        list.items[i].key = copy_text(arena, source->engine.items[i].key);
        list.items[i].value = copy_text(arena, source->engine.items[i].value);
        if (!list.items[i].key || !list.items[i].value) return wr_error_memory(error);
    }
    list.n_items = source->engine.n_items;
    enum wr_file_format format = sniffed->type.format;
    bool csv = wr_format_same_family(format, WR_FORMAT_CSV);
    if (csv && sniffed->looked) {
        const struct wr_csv_dialect *dialect = &sniffed->dialect;
        const char delimiter[] = {dialect->delimiter, '\0'};
        const char quote[] = {dialect->quote, '\0'};
        WR_TRY(add_option(&list, "format.delimiter", delimiter, error));
        WR_TRY(add_option(&list, "format.quote", quote, error));
        WR_TRY(add_option(&list, "format.has_header", dialect->header ? "true" : "false", error));
        if (dialect->newlines)
            WR_TRY(add_option(&list, "format.newlines_in_values", "true", error));
    } else if (format == WR_FORMAT_TSV) {
        WR_TRY(add_option(&list, "format.delimiter", "\t", error));
    } else if (format == WR_FORMAT_JSON_LINES) {
        WR_TRY(add_option(&list, "format.newline_delimited", "true", error));
    } else if (format == WR_FORMAT_JSON && sniffed->looked) {
        WR_TRY(add_option(&list, "format.newline_delimited", sniffed->json_array ? "false" : "true",
                          error));
    }
    if (source->csv_option && !csv) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "option \"%s\" is for CSV files, but \"%s\" is of the format %s",
                            source->csv_option, source->text,
                            wr_format_name(source->encodings, format));
    }
    files->options = list.items;
    files->n_options = list.n_items;
    return WEIR_OK;
}

/* ---- Files and columns ---- */

static int check_names(const struct wr_file_list *list, struct weir_error *error) {
    for (size_t i = 0; !list->access.source && i < list->n_entries; i++)
        WR_TRY(wr_files_check_name(list->entries[i].path, error));
    return WEIR_OK;
}

static int url_of(const struct wr_files_source *source, struct wr_arena *arena, const char *path,
                  bool directory, const char **ret_url, struct weir_error *error) {
    if (source->store) return wr_files_store_url(source, arena, path, directory, ret_url, error);
    return wr_files_url(arena, source->root, path, directory, ret_url, error);
}

static int fill_files(const struct wr_files_source *source, const struct wr_file_list *list,
                      struct weir_files *files, struct weir_error *error) {
    struct weir_file *items = wr_arena_take(list->arena, list->n_entries, sizeof *items);
    if (!items) return wr_error_memory(error);
    for (size_t i = 0; i < list->n_entries; i++) {
        const struct wr_file_entry *entry = &list->entries[i];
        char etag[WEIR_VERSION_SIZE];
        wr_file_version_text(entry->device, entry->inode, entry->n_bytes, entry->modified_ns,
                             entry->changed_ns, etag);
        items[i].n_bytes = entry->n_bytes;
        items[i].modified_ns = entry->modified_ns;
        items[i].partition_values = entry->values;
        /* The engine asks for exactly this version of an object. */
        items[i].etag = source->store ? entry->etag : copy_text(list->arena, etag);
        if (!items[i].etag && !source->store) return wr_error_memory(error);
        WR_TRY(url_of(source, list->arena, entry->path, false, &items[i].url, error));
    }
    files->files = items;
    files->n_files = list->n_entries;
    return WEIR_OK;
}

static bool is_partition(const struct wr_partitions *partitions, const char *name) {
    for (size_t i = 0; i < partitions->n_names; i++) {
        if (name && strcmp(partitions->names[i], name) == 0) return true;
    }
    return false;
}

/* The declared columns that are in the files themselves. */
static int fill_schema(const struct wr_files_source *source, const struct wr_partitions *partitions,
                       struct ArrowSchema *schema, struct weir_error *error) {
    if (!source->columns.release) return WEIR_OK;
    int64_t n_columns = 0;
    for (int64_t i = 0; i < source->columns.n_children; i++)
        n_columns += !is_partition(partitions, source->columns.children[i]->name);
    ArrowSchemaInit(schema);
    if (ArrowSchemaSetTypeStruct(schema, n_columns) != NANOARROW_OK) return wr_error_memory(error);
    n_columns = 0;
    for (int64_t i = 0; i < source->columns.n_children; i++) {
        const struct ArrowSchema *column = source->columns.children[i];
        if (is_partition(partitions, column->name)) continue;
        struct ArrowSchema *to = schema->children[n_columns++];
        to->release(to);
        if (ArrowSchemaDeepCopy(column, to) != NANOARROW_OK) return wr_error_memory(error);
    }
    return WEIR_OK;
}

static int fill_write_url(const struct wr_files_source *source, const struct wr_file_list *list,
                          struct weir_files *files, struct weir_error *error) {
    if (!source->external || source->copied || list->listing == WR_LISTING_PATTERN) return WEIR_OK;
    const char *name = strrchr(source->path, '/') + 1;
    bool file = list->listing == WR_LISTING_FILE;
    if (list->listing == WR_LISTING_MISSING)
        file = !source->slash && *name && strchr(name + 1, '.');
    return url_of(source, list->arena, source->path, !file, &files->write_url, error);
}

/* A table that has no files yet is of the format that was given, or that its name says. */
static int check_format(const struct wr_files_source *source, struct wr_file_type *type,
                        struct weir_error *error) {
    if (!type->format) *type = wr_type_of_name(source->encodings, source->path);
    if (type->format) return WEIR_OK;
    return wr_error_set(
        error, WEIR_INVALID_ARGUMENT, NULL,
        "there is no file in \"%s\" that tells its format; give it with the option format",
        source->text);
}

/* One form of files that are read alike. */
static int fill_part(const struct wr_files_source *source, const struct wr_partitions *partitions,
                     const struct wr_sniffed *sniffed, const struct wr_file_list *list,
                     struct holder *holder, struct weir_form *part, struct weir_error *error) {
    struct weir_files *files = &part->files;
    part->type = WEIR_FORM_FILES;
    files->format = wr_format_engine_name(source->encodings, sniffed->type.format);
    files->compression = wr_compression_name(sniffed->type.compression);
    files->partition_columns = partitions->n_names > 0 ? &holder->partition_columns : NULL;
    if (source->order_by) {
        files->order_by = copy_text(&holder->arena, source->order_by);
        if (!files->order_by) return wr_error_memory(error);
    }
    WR_TRY(fill_options(source, sniffed, &holder->arena, files, error));
    WR_TRY(holder->check_only ? check_names(list, error) : fill_files(source, list, files, error));
    return fill_schema(source, partitions, &part->schema, error);
}

/* A union of one part per group. It is read only: there is no telling which header new rows should
 * have. */
static int fill_union(const struct wr_files_source *source, const struct wr_partitions *partitions,
                      struct wr_file_type type, const struct wr_file_list *list, size_t n_groups,
                      struct holder *holder, struct weir_form *form, struct weir_error *error) {
    form->type = WEIR_FORM_UNION;
    form->parts = wr_arena_take(&holder->arena, n_groups, sizeof *form->parts);
    struct weir_form *parts = wr_arena_take(&holder->arena, n_groups, sizeof *parts);
    struct wr_file_entry *entries = wr_arena_take(&holder->arena, list->n_entries, sizeof *entries);
    if (!form->parts || !parts || !entries) return wr_error_memory(error);
    for (size_t group = 0; group < n_groups; group++) {
        struct wr_file_list some = *list;
        some.entries = entries;
        some.n_entries = 0;
        for (size_t i = 0; i < list->n_entries; i++) {
            if (list->entries[i].group == group) some.entries[some.n_entries++] = list->entries[i];
        }
        struct wr_sniffed sniffed;
        WR_TRY(wr_files_sniff(source, &some, type, &sniffed, error));
        WR_TRY(fill_part(source, partitions, &sniffed, &some, holder, &parts[group], error));
        form->parts[form->n_parts++] = &parts[group];
    }
    return WEIR_OK;
}

static int fill_form(const struct wr_files_source *source, struct wr_files_cache *cache,
                     struct holder *holder, struct wr_file_list *list, struct weir_form *form,
                     struct weir_error *error) {
    struct wr_file_type type;
    struct wr_partitions partitions = {0};
    struct wr_sniffed sniffed = {0};
    size_t n_groups;
    WR_TRY(wr_files_select(source, list, &type, error));
    WR_TRY(wr_files_partitions(source, list, &partitions, error));
    holder->partition_columns = partitions.columns;
    if (list->n_entries == 0) WR_TRY(check_format(source, &type, error));
    WR_TRY(wr_cached_sniff(cache, source, list, type, &sniffed, error));
    WR_TRY(wr_cached_group(cache, source, list, &sniffed, &n_groups, error));
    if (n_groups > 1)
        return fill_union(source, &partitions, type, list, n_groups, holder, form, error);
    WR_TRY(fill_part(source, &partitions, &sniffed, list, holder, form, error));
    return fill_write_url(source, list, &form->files, error);
}

int wr_files_form(const struct wr_files_source *source, struct wr_files_cache *cache,
                  struct weir_form *ret_form, struct weir_error *error) {
    struct holder *holder = wr_calloc(1, sizeof *holder);
    if (!holder) return wr_error_memory(error);
    struct weir_form form = {.release = form_release, .private_data = holder};
    holder->check_only = !ret_form;
    if (source->store) {
        holder->stores = source->stores;
        holder->store = source->stores->retain(source->store);
    }
    struct wr_file_list list = {0};
    int code = wr_files_list(source, &holder->arena, &list, error);
    if (code == 0) code = fill_form(source, cache, holder, &list, &form, error);
    wr_file_list_reset(&list);
    if (code || !ret_form) {
        form_release(&form);
        return code;
    }
    *ret_form = form;
    return WEIR_OK;
}
