/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are objects of a store. Their paths are their URLs, so that messages show those; what
 * follows the store's root is the key.
 */
#include "table/files/files.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

int wr_files_open_store(const struct weir_definition *definition, const char *text,
                        struct wr_files_source *source, struct weir_error *error) {
    const struct wr_stores *stores = wr_definition_stores(definition);
    char *key = NULL;
    WR_TRY(wr_stores_open_url(stores, text, &source->store, &source->working, &key, error));
    source->stores = stores;
    size_t root = strlen(source->working);
    size_t length = strlen(key);
    /* As of a directory, whose path has no slash at its end. */
    if (length > 0 && key[length - 1] == '/') length--;
    source->path = wr_malloc(root + length + 1);
    if (source->path) {
        memcpy(source->path, source->working, root);
        memcpy(source->path + root, key, length);
        source->path[root + length] = '\0';
    }
    wr_free(key);
    return source->path ? WEIR_OK : wr_error_memory(error);
}

const char *wr_files_key(const struct wr_files_source *source, const char *path) {
    return path + strlen(source->working);
}

int wr_files_store_url(const struct wr_files_source *source, struct wr_arena *arena,
                       const char *path, bool directory, const char **ret_url,
                       struct weir_error *error) {
    enum { MOST_BYTES = 64 * 1024 };
    const char *key = wr_files_key(source, path);
    size_t length = strlen(key);
    struct wr_buffer url;
    wr_buffer_init(&url, MOST_BYTES);
    wr_buffer_text(&url, source->stores->url(source->store));
    wr_percent_encode(&url, key);
    if (directory && length > 0 && key[length - 1] != '/') wr_buffer_char(&url, '/');
    const char *copy = url.failed ? NULL : wr_arena_copy(arena, url.data, url.length);
    wr_buffer_reset(&url);
    if (!copy) return wr_error_memory(error);
    *ret_url = copy;
    return WEIR_OK;
}

/* ---- Listing ---- */

struct collect {
    const struct wr_files_source *source;
    struct wr_file_list *list;
    const char *const *patterns; /* of keys; NULL: everything */
    size_t n_patterns;
    size_t n_prefix; /* bytes of keys that are no part of what is hidden or matched */
    int code;
    struct weir_error *error;
};

/* FNV-1a: two versions of an object have two of these. */
static uint64_t hash(const char *text) {
    uint64_t value = 14695981039346656037u;
    for (; text && *text; text++)
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    return value;
}

static int add(struct collect *collect, const struct wr_object *object) {
    struct wr_file_list *list = collect->list;
    const char *root = collect->source->working;
    size_t root_length = strlen(root), length = strlen(object->key);
    char *path = wr_arena_take(list->arena, root_length + length + 1, 1);
    if (!path) return wr_error_memory(collect->error);
    memcpy(path, root, root_length);
    memcpy(path + root_length, object->key, length);
    struct wr_file_entry entry = {
        .path = path,
        .relative = path + root_length + collect->n_prefix,
        .inode = hash(object->etag),
        .n_bytes = object->n_bytes,
        .modified_ns = object->modified_ns,
        .type = wr_type_of_name(list->encodings, path),
    };
    if (object->etag) {
        entry.etag = wr_arena_copy(list->arena, object->etag, strlen(object->etag));
        if (!entry.etag) return wr_error_memory(collect->error);
    }
    return wr_file_list_push(list, &entry, collect->error);
}

static bool is_component(const char *text, size_t length, const char *what) {
    return strlen(what) == length && strncmp(text, what, length) == 0;
}

/* One component against one; long ones match nothing. */
static bool component_matches(const char *pattern, size_t pattern_length, const char *name,
                              size_t name_length) {
    char one[1100], other[1100];
    if (pattern_length >= sizeof one || name_length >= sizeof other) return false;
    memcpy(one, pattern, pattern_length);
    one[pattern_length] = '\0';
    memcpy(other, name, name_length);
    other[name_length] = '\0';
    return wr_glob_match(one, other);
}

static bool any_hidden(const char *path) {
    char name[3];
    for (const char *at = path; *at;) {
        size_t length = strcspn(at, "/");
        bool partition = memchr(at, '=', length) != NULL;
        memcpy(name, (const char[]){at[0], partition ? '=' : 'x', '\0'}, 3);
        if (wr_files_is_hidden(name)) return true;
        at += length + (at[length] == '/');
    }
    return false;
}

/* A whole key against a pattern; "**" is any number of components, none of them hidden. */
static bool matches(const char *pattern, const char *path) {
    for (;;) {
        size_t pattern_length = strcspn(pattern, "/"), length = strcspn(path, "/");
        const char *rest = pattern + pattern_length + (pattern[pattern_length] == '/');
        if (is_component(pattern, pattern_length, "**")) {
            if (!*rest) return *path && !any_hidden(path);
            if (matches(rest, path)) return true;
            const char *next = path + length;
            if (!*path || !*next || component_matches(".*", 2, path, length) || path[0] == '_')
                return false;
            path = next + 1;
            continue;
        }
        if (!component_matches(pattern, pattern_length, path, length)) return false;
        bool pattern_ends = !pattern[pattern_length], path_ends = !path[length];
        if (pattern_ends || path_ends) return pattern_ends && path_ends;
        pattern = rest;
        path += length + 1;
    }
}

static bool is_wanted(const struct collect *collect, const char *key) {
    const char *below = key + collect->n_prefix;
    size_t length = strlen(key);
    if (length == 0 || key[length - 1] == '/') return false; /* stands for a directory */
    if (!collect->patterns) return !any_hidden(below);
    for (size_t i = 0; i < collect->n_patterns; i++) {
        if (matches(collect->patterns[i], below)) return true;
    }
    return false;
}

static int take(void *sink, const struct wr_object *object) {
    struct collect *collect = sink;
    if (object->n_bytes < 0 || !is_wanted(collect, object->key)) return 0;
    collect->code = add(collect, object);
    return collect->code;
}

/* Not recursive, directories of partitions belong to the table all the same. */
static int take_level(void *sink, const struct wr_object *object) {
    struct collect *collect = sink;
    size_t length = strlen(object->key);
    if (object->n_bytes >= 0) return take(sink, object);
    const char *name = object->key + collect->n_prefix;
    if (!memchr(name, '=', length - collect->n_prefix)) return 0;
    const struct wr_files_source *source = collect->source;
    collect->code =
        source->stores->list(source->store, object->key, true, NULL, take, collect, collect->error);
    return collect->code;
}

static int list_below(struct collect *collect, const char *prefix, bool recursive) {
    const struct wr_files_source *source = collect->source;
    int code = source->stores->list(source->store, prefix, recursive, NULL,
                                    recursive ? take : take_level, collect, collect->error);
    return code ? code : collect->code;
}

static int not_there(const struct wr_files_source *source, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01", "there is no object \"%s\", nor any below",
                        source->text);
}

/* The fixed part of a pattern is the prefix that the store lists. */
static int list_pattern(struct collect *collect, const char *key) {
    struct wr_file_list *list = collect->list;
    size_t prefix = strcspn(key, "*?[{\\");
    while (prefix > 0 && key[prefix - 1] != '/')
        prefix--;
    const char *fixed = wr_arena_copy(list->arena, key, prefix);
    if (!fixed) return wr_error_memory(collect->error);
    list->listing = WR_LISTING_PATTERN;
    collect->n_prefix = prefix;
    WR_TRY(wr_glob_expand(list->arena, key + prefix, (const char ***)&collect->patterns,
                          &collect->n_patterns, collect->error));
    bool deep = false;
    for (size_t i = 0; i < collect->n_patterns; i++)
        deep = deep || strchr(collect->patterns[i], '/') || strcmp(collect->patterns[i], "**") == 0;
    const struct wr_files_source *source = collect->source;
    int code =
        source->stores->list(source->store, fixed, deep, NULL, take, collect, collect->error);
    return code ? code : collect->code;
}

static void take_one(void *sink, const struct wr_object *object) {
    struct collect *collect = sink;
    const char *slash = strrchr(object->key, '/');
    collect->n_prefix = slash ? (size_t)(slash + 1 - object->key) : 0;
    collect->code = add(collect, object);
}

static int list_directory(struct collect *collect, const char *key) {
    size_t length = strlen(key);
    char *prefix = wr_arena_take(collect->list->arena, length + 2, 1);
    if (!prefix) return wr_error_memory(collect->error);
    memcpy(prefix, key, length);
    if (length > 0) prefix[length++] = '/';
    collect->n_prefix = length;
    collect->list->listing = WR_LISTING_DIRECTORY;
    return list_below(collect, prefix, collect->source->recursive);
}

int wr_files_list_store(const struct wr_files_source *source, struct wr_file_list *list,
                        struct weir_error *error) {
    struct collect collect = {.source = source, .list = list, .error = error};
    struct weir_error reason = {0};
    const char *key = wr_files_key(source, source->path);
    bool pattern = wr_glob_is_pattern(key);
    int code = WEIR_NOT_FOUND;
    /* A key that is there wins over its reading as a pattern, of which few could be keys. */
    if (*key && !source->slash && (!pattern || !strpbrk(key, "*{"))) {
        code = source->stores->head(source->store, key, take_one, &collect, &reason);
        list->listing = WR_LISTING_FILE;
        if (code == WEIR_OK) code = collect.code;
        if (code != WEIR_NOT_FOUND) {
            if (code && error) *error = reason;
            return code;
        }
    }
    if (pattern) return list_pattern(&collect, key);
    WR_TRY(list_directory(&collect, key));
    if (list->n_entries > 0) return WEIR_OK;
    list->listing = WR_LISTING_MISSING;
    return source->may_be_empty ? WEIR_OK : not_there(source, error);
}
