/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns that stand in the names of directories: "year=2024/month=05/x.parquet". Values are
 * percent-decoded, and __HIVE_DEFAULT_PARTITION__ is NULL, as Hive and Spark write them.
 */
#include "table/files/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "nanoarrow/nanoarrow.h"

#define HIVE_NULL "__HIVE_DEFAULT_PARTITION__"

/* The next "key=value" directory of *path, which moves behind it; false: there is none. */
static bool next_pair(const char **path, const char **ret_key, size_t *ret_n_key,
                      const char **ret_value, size_t *ret_n_value) {
    for (const char *slash; (slash = strchr(*path, '/'));) {
        const char *start = *path;
        *path = slash + 1;
        const char *equals = memchr(start, '=', (size_t)(slash - start));
        if (!equals || equals == start) continue;
        *ret_key = start;
        *ret_n_key = (size_t)(equals - start);
        *ret_value = equals + 1;
        *ret_n_value = (size_t)(slash - equals - 1);
        return true;
    }
    return false;
}

static bool is_text(const char *text, const char *bytes, size_t length) {
    return strlen(text) == length && memcmp(text, bytes, length) == 0;
}

/* Decoded unless that would not be UTF-8; *ret_text NULL for Hive's NULL. */
static int decode_value(struct wr_arena *arena, const char *value, size_t length,
                        const char **ret_text, struct weir_error *error) {
    *ret_text = NULL;
    if (is_text(HIVE_NULL, value, length)) return WEIR_OK;
    char *decoded = wr_arena_copy(arena, value, length);
    if (!decoded) return wr_error_memory(error);
    if (!wr_percent_decode(decoded) || !wr_is_utf8(decoded, strlen(decoded))) {
        memcpy(decoded, value, length);
        decoded[length] = '\0';
    }
    *ret_text = decoded;
    return WEIR_OK;
}

/* ---- Which columns ---- */

/* The keys of the first file. */
static int keys_of(struct wr_arena *arena, const char *path, const char ***ret_names,
                   size_t *ret_n_names, struct weir_error *error) {
    const char *key;
    const char *value;
    size_t n_key;
    size_t n_value;
    size_t n_names = 0;
    for (const char *p = path; next_pair(&p, &key, &n_key, &value, &n_value);)
        n_names++;
    const char **names = wr_arena_take(arena, n_names, sizeof *names);
    if (!names) return wr_error_memory(error);
    size_t i = 0;
    for (const char *p = path; next_pair(&p, &key, &n_key, &value, &n_value); i++) {
        names[i] = wr_arena_copy(arena, key, n_key);
        if (!names[i]) return wr_error_memory(error);
    }
    *ret_names = names;
    *ret_n_names = n_names;
    return WEIR_OK;
}

static bool has_keys(const char *path, const char *const *names, size_t n_names) {
    const char *key;
    const char *value;
    size_t n_key;
    size_t n_value;
    for (size_t i = 0; i < n_names; i++) {
        if (!next_pair(&path, &key, &n_key, &value, &n_value) || !is_text(names[i], key, n_key))
            return false;
    }
    return !next_pair(&path, &key, &n_key, &value, &n_value);
}

static bool repeats(const char *const *names, size_t n_names) {
    for (size_t i = 1; i < n_names; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0) return true;
        }
    }
    return false;
}

static const struct ArrowSchema *declared(const struct wr_files_source *source, const char *name) {
    if (!source->columns.release) return NULL;
    for (int64_t i = 0; i < source->columns.n_children; i++) {
        const struct ArrowSchema *column = source->columns.children[i];
        if (column->name && strcmp(column->name, name) == 0) return column;
    }
    return NULL;
}

/* All keys when all files have the same ones in the same order; else none, or an error with
 * hive=true. */
static int find_names(const struct wr_files_source *source, const struct wr_file_list *list,
                      struct wr_partitions *partitions, struct weir_error *error) {
    if (list->n_entries == 0 || source->hive == WR_HIVE_OFF) return WEIR_OK;
    /* As the engine has it: what declares its columns also declares which of them are in the
     * directories' names. */
    if (source->hive == WR_HIVE_AUTO &&
        (list->listing == WR_LISTING_FILE || (source->external && source->columns.release)))
        return WEIR_OK;
    const struct wr_file_entry *first = &list->entries[0];
    const char **names = NULL;
    size_t n_names = 0;
    WR_TRY(keys_of(list->arena, first->relative, &names, &n_names, error));
    const struct wr_file_entry *other = NULL;
    for (size_t i = 1; i < list->n_entries && !other; i++) {
        if (!has_keys(list->entries[i].relative, names, n_names)) other = &list->entries[i];
    }
    if (!other && n_names > 0 && !repeats(names, n_names)) {
        /* Columns that were declared are all that there are, unless more is asked for. */
        bool all = source->hive == WR_HIVE_ON || !source->columns.release;
        for (size_t i = 0; i < n_names; i++) {
            if (all || declared(source, names[i])) names[partitions->n_names++] = names[i];
        }
        partitions->names = names;
        return WEIR_OK;
    }
    if (source->hive == WR_HIVE_AUTO) return WEIR_OK;
    if (other) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\": the files do not have the same key=value directories: \"%s\" "
                            "and \"%s\" differ",
                            source->text, first->path, other->path);
    }
    return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                        "\"%s\": the option hive is true, but \"%s\" lies in no key=value "
                        "directories, or has a key twice",
                        source->text, first->path);
}

/* Drops the files that do not lie in the directories of `partition_by`, as the engine does; not all
 * of them silently. */
static int keep_declared(const struct wr_files_source *source, struct wr_file_list *list,
                         struct weir_error *error) {
    size_t n_kept = 0;
    for (size_t i = 0; i < list->n_entries; i++) {
        const char *path = list->entries[i].relative;
        bool fits = true;
        for (size_t j = 0; j < source->n_partition_by && fits; j++) {
            const char *name = source->partition_by[j];
            size_t length = strlen(name);
            const char *slash = strchr(path, '/');
            fits = slash && strncmp(path, name, length) == 0 && path[length] == '=';
            if (fits) path = slash + 1;
        }
        if (fits) list->entries[n_kept++] = list->entries[i];
    }
    if (n_kept == 0 && list->n_entries > 0) {
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "\"%s\": no file lies in directories %s=.../, as partition_by says; "
                            "the first one is \"%s\"",
                            source->text, source->partition_by[0], list->entries[0].path);
    }
    list->n_entries = n_kept;
    return WEIR_OK;
}

static int fill_values(struct wr_file_list *list, const struct wr_partitions *partitions,
                       struct weir_error *error) {
    for (size_t i = 0; i < list->n_entries; i++) {
        struct wr_file_entry *entry = &list->entries[i];
        entry->values = wr_arena_take(list->arena, partitions->n_names, sizeof *entry->values);
        if (!entry->values) return wr_error_memory(error);
        const char *path = entry->relative;
        const char *key;
        const char *value;
        size_t n_key;
        size_t n_value;
        while (next_pair(&path, &key, &n_key, &value, &n_value)) {
            for (size_t j = 0; j < partitions->n_names; j++) {
                if (is_text(partitions->names[j], key, n_key))
                    WR_TRY(decode_value(list->arena, value, n_value, &entry->values[j], error));
            }
        }
    }
    return WEIR_OK;
}

/* ---- Of which types ---- */

static bool is_int64(const char *text) {
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || digits[strspn(digits, "0123456789")]) return false;
    errno = 0;
    strtoll(text, NULL, 10);
    return errno == 0;
}

static bool is_date(const char *text) {
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-') return false;
    for (size_t i = 0; i < 10; i++) {
        if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9')) return false;
    }
    int year = atoi(text);
    int month = atoi(text + 5);
    int day = atoi(text + 8);
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1]) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return leap || month != 2 || day != 29;
}

static enum ArrowType type_of_values(const struct wr_file_list *list, size_t column) {
    bool integers = true;
    bool dates = true;
    bool any = false;
    for (size_t i = 0; i < list->n_entries; i++) {
        const char *value = list->entries[i].values[column];
        if (!value) continue;
        any = true;
        integers = integers && is_int64(value);
        dates = dates && is_date(value);
    }
    if (!any) return NANOARROW_TYPE_STRING;
    return integers ? NANOARROW_TYPE_INT64 : dates ? NANOARROW_TYPE_DATE32 : NANOARROW_TYPE_STRING;
}

/* Declared types win. Else what the engine takes for a `location`: text; for a `path` what the
 * values are. */
static int fill_columns(const struct wr_files_source *source, const struct wr_file_list *list,
                        struct wr_partitions *partitions, struct weir_error *error) {
    struct ArrowSchema *columns = &partitions->columns;
    ArrowSchemaInit(columns);
    if (ArrowSchemaSetTypeStruct(columns, (int64_t)partitions->n_names) != NANOARROW_OK)
        return wr_error_memory(error);
    for (size_t i = 0; i < partitions->n_names; i++) {
        struct ArrowSchema *column = columns->children[i];
        const struct ArrowSchema *known = declared(source, partitions->names[i]);
        if (known) {
            column->release(column);
            if (ArrowSchemaDeepCopy(known, column) != NANOARROW_OK) return wr_error_memory(error);
            continue;
        }
        enum ArrowType type = source->external ? NANOARROW_TYPE_STRING : type_of_values(list, i);
        if (ArrowSchemaSetType(column, type) != NANOARROW_OK ||
            ArrowSchemaSetName(column, partitions->names[i]) != NANOARROW_OK)
            return wr_error_memory(error);
    }
    return WEIR_OK;
}

int wr_files_partitions(const struct wr_files_source *source, struct wr_file_list *list,
                        struct wr_partitions *ret_partitions, struct weir_error *error) {
    struct wr_partitions partitions = {0};
    if (source->n_partition_by > 0) {
        partitions.names = (const char **)source->partition_by;
        partitions.n_names = source->n_partition_by;
        WR_TRY(keep_declared(source, list, error));
    } else {
        WR_TRY(find_names(source, list, &partitions, error));
    }
    if (partitions.n_names > 0) {
        int code = fill_values(list, &partitions, error);
        if (code == 0) code = fill_columns(source, list, &partitions, error);
        if (code) {
            if (partitions.columns.release) partitions.columns.release(&partitions.columns);
            return code;
        }
    }
    *ret_partitions = partitions;
    return WEIR_OK;
}
