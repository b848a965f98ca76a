/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount kind `files` over a store: what lies below a prefix of its keys. A directory is what
 * objects lie below, and there as long as they do; nothing is asked of a store twice for one answer
 * that one request gives.
 */
#include "table/files/store_mount.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { DELETED_AT_ONCE = 1000 };

/* ---- Keys ---- */

/* "prefix/path", and a slash behind it for a directory that is not the root of the store. */
static char *key_of(const struct wr_files_mount *mount, const char *path, bool directory) {
    size_t prefix = strlen(mount->prefix), length = strlen(path);
    char *key = wr_malloc(prefix + length + 2);
    if (!key) return NULL;
    memcpy(key, mount->prefix, prefix);
    memcpy(key + prefix, path, length + 1);
    length += prefix;
    if (directory && length > 0 && key[length - 1] != '/') memcpy(key + length, "/", 2);
    return key;
}

static int no_such(const struct wr_files_mount *mount, const char *path, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                        "there is no object \"%s%s\", nor any below", mount->shown, path);
}

/* ---- Listing ---- */

struct listing {
    const struct wr_encodings *encodings;
    size_t skip; /* bytes of keys before the names */
    weir_entry_fn take;
    void *sink;
    int code;
    size_t n;
    struct weir_error *error;
};

static int give_entry(void *sink, const struct wr_object *object) {
    struct listing *listing = sink;
    const char *at = object->key + listing->skip;
    size_t length = strlen(at);
    bool directory = object->n_bytes < 0;
    if (directory && length > 0 && at[length - 1] == '/') length--;
    listing->n++;
    if (length == 0 || at[0] == '.') return 0;
    char *name = wr_strndup(at, length);
    size_t stem = name && !directory ? wr_stem_length(listing->encodings, name) : 0;
    char *table = stem > 0 ? wr_strndup(name, stem) : NULL;
    if (!name || (stem > 0 && !table)) {
        listing->code = wr_error_memory(listing->error);
    } else {
        const struct weir_entry entry = {
            .size = sizeof entry,
            .type = directory ? WEIR_ENTRY_DIRECTORY : WEIR_ENTRY_FILE,
            .name = name,
            .table = table,
            .n_bytes = directory ? -1 : object->n_bytes,
            .modified_ns = directory ? 0 : object->modified_ns,
        };
        listing->code = listing->take(listing->sink, &entry, listing->error);
    }
    wr_free(name);
    wr_free(table);
    return listing->code;
}

int wr_store_mount_list(const struct wr_files_mount *mount, const char *path, weir_entry_fn take,
                        void *sink, struct weir_error *error) {
    struct listing listing = {
        .encodings = mount->encodings, .take = take, .sink = sink, .error = error};
    char *prefix = key_of(mount, path, true);
    if (!prefix) return wr_error_memory(error);
    listing.skip = strlen(prefix);
    int code = mount->stores->list(mount->store, prefix, false, NULL, give_entry, &listing, error);
    wr_free(prefix);
    if (code == WEIR_OK) code = listing.code;
    /* The root is there, whatever it holds. */
    if (code == WEIR_OK && listing.n == 0 && *path) return no_such(mount, path, error);
    return code;
}

/* ---- Finding ---- */

struct holder {
    struct wr_arena arena;
    struct weir_option options[2];
};

static void found_release(struct weir_found *found) {
    struct holder *holder = found->private_data;
    wr_arena_reset(&holder->arena);
    wr_free(holder);
    *found = (struct weir_found){0};
}

struct search {
    const struct wr_files_mount *mount;
    struct holder *holder;
    struct weir_found *found;
    struct weir_error *error;
};

static char *join(struct search *search, const char *before, const char *after) {
    size_t n_before = strlen(before), n_after = strlen(after);
    char *text = wr_arena_take(&search->holder->arena, n_before + n_after + 1, 1);
    if (!text) return NULL;
    memcpy(text, before, n_before);
    memcpy(text + n_before, after, n_after);
    return text;
}

static int set_path(struct search *search, const char *path) {
    const char *copy = join(search, path, "");
    if (!copy) return wr_error_memory(search->error);
    const char *slash = strrchr(copy, '/');
    search->found->path = copy;
    search->found->entry.name = slash ? slash + 1 : copy;
    return WEIR_OK;
}

static int set_table(struct search *search) {
    const struct wr_files_mount *mount = search->mount;
    struct weir_found *found = search->found;
    const char *path = join(search, mount->root, found->path);
    const char *shown = join(search, mount->shown, found->path);
    if (!path || !shown) return wr_error_memory(search->error);
    found->kind = "files";
    found->options = search->holder->options;
    search->holder->options[found->n_options++] = (struct weir_option){"path", path};
    if (strcmp(path, shown) != 0)
        search->holder->options[found->n_options++] = (struct weir_option){"shown", shown};
    return WEIR_OK;
}

static int set_file(struct search *search, const struct wr_object_facts *facts) {
    struct weir_entry *entry = &search->found->entry;
    entry->type = WEIR_ENTRY_FILE;
    entry->n_bytes = facts->n_bytes;
    entry->modified_ns = facts->modified_ns;
    size_t stem = wr_stem_length(search->mount->encodings, entry->name);
    if (stem == 0) return WEIR_OK;
    entry->table = wr_arena_copy(&search->holder->arena, entry->name, stem);
    return entry->table ? set_table(search) : wr_error_memory(search->error);
}

/* The object itself; *ret_found false when there is none. */
static int find_object(struct search *search, const char *path, bool *ret_found) {
    struct wr_object_facts facts = {0};
    struct weir_error reason = {0};
    char *key = key_of(search->mount, path, false);
    if (!key) return wr_error_memory(search->error);
    int code =
        search->mount->stores->head(search->mount->store, key, wr_object_take, &facts, &reason);
    wr_free(key);
    *ret_found = code == WEIR_OK;
    if (code == WEIR_OK) {
        code = facts.failed ? wr_error_memory(search->error) : set_path(search, path);
        if (code == WEIR_OK) code = set_file(search, &facts);
    } else if (code == WEIR_NOT_FOUND) {
        code = WEIR_OK;
    } else if (search->error) {
        *search->error = reason;
    }
    wr_object_facts_reset(&facts);
    return code;
}

struct below {
    const struct wr_encodings *encodings;
    size_t skip;
    bool any;
    bool data; /* files of a known format, or directories of partitions */
};

static int look(void *sink, const struct wr_object *object) {
    struct below *below = sink;
    const char *name = object->key + below->skip;
    below->any = true;
    bool directory = object->n_bytes < 0;
    if (*name && !wr_files_is_hidden(name) &&
        (directory ? strchr(name, '=') != NULL
                   : wr_type_of_name(below->encodings, name).format != WR_FORMAT_UNKNOWN))
        below->data = true;
    return below->data;
}

/* What lies below the path makes it a directory. */
static int find_directory(struct search *search, const char *path, bool *ret_found) {
    struct below below = {.encodings = search->mount->encodings};
    char *prefix = key_of(search->mount, path, true);
    if (!prefix) return wr_error_memory(search->error);
    below.skip = strlen(prefix);
    int code = search->mount->stores->list(search->mount->store, prefix, false, NULL, look, &below,
                                           search->error);
    wr_free(prefix);
    *ret_found = code == WEIR_OK && (below.any || !*path);
    if (code || !*ret_found) return code;
    WR_TRY(set_path(search, path));
    search->found->entry.type = WEIR_ENTRY_DIRECTORY;
    search->found->entry.n_bytes = -1;
    if (!below.data) return WEIR_OK;
    search->found->is_series = 1;
    return set_table(search);
}

struct named {
    const struct wr_encodings *encodings;
    const char *name;
    char *keys[2];
    size_t skip;
    size_t n;
    bool failed;
};

static int match_stem(void *sink, const struct wr_object *object) {
    struct named *named = sink;
    const char *name = object->key + named->skip;
    size_t stem = object->n_bytes < 0 ? 0 : wr_stem_length(named->encodings, name);
    if (stem == 0 || strlen(named->name) != stem || strncmp(name, named->name, stem) != 0) return 0;
    named->keys[named->n] = wr_strdup(object->key);
    if (!named->keys[named->n]) named->failed = true;
    return named->failed || ++named->n == 2;
}

/* The table of that name: the file whose name is this and an extension. */
static int find_table(struct search *search, const char *path, bool *ret_found) {
    const char *slash = strrchr(path, '/');
    char *parent = wr_strndup(path, slash ? (size_t)(slash - path) : 0);
    char *prefix = parent ? key_of(search->mount, parent, true) : NULL;
    wr_free(parent);
    if (!prefix) return wr_error_memory(search->error);
    struct named named = {.encodings = search->mount->encodings,
                          .name = slash ? slash + 1 : path,
                          .skip = strlen(prefix)};
    int code = search->mount->stores->list(search->mount->store, prefix, false, NULL, match_stem,
                                           &named, search->error);
    wr_free(prefix);
    if (code == WEIR_OK && named.failed) code = wr_error_memory(search->error);
    if (code == WEIR_OK && named.n == 2)
        code = wr_error_set(search->error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s%s\" could be \"%s\" and \"%s\"; give the whole name",
                            search->mount->shown, path, named.keys[0], named.keys[1]);
    *ret_found = false;
    if (code == WEIR_OK && named.n == 1) {
        code = find_object(search, named.keys[0] + strlen(search->mount->prefix), ret_found);
        search->found->is_exact = 0;
    }
    for (size_t i = 0; i < 2; i++)
        wr_free(named.keys[i]);
    return code;
}

static int find(struct search *search, const char *path) {
    bool found = false;
    struct weir_found *answer = search->found;
    answer->is_exact = 1;
    if (*path) WR_TRY(find_object(search, path, &found));
    if (!found && wr_glob_is_pattern(path)) {
        WR_TRY(set_path(search, path));
        answer->entry.type = WEIR_ENTRY_TABLE;
        answer->entry.n_bytes = -1;
        answer->is_series = 1;
        return set_table(search);
    }
    if (!found) WR_TRY(find_directory(search, path, &found));
    if (!found) WR_TRY(find_table(search, path, &found));
    return found ? WEIR_OK : no_such(search->mount, path, search->error);
}

int wr_store_mount_find(const struct wr_files_mount *mount, const char *path,
                        struct weir_found *ret_found, struct weir_error *error) {
    struct holder *holder = wr_calloc(1, sizeof *holder);
    if (!holder) return wr_error_memory(error);
    struct weir_found found = {
        .size = sizeof found,
        .entry = {.size = sizeof found.entry},
        .release = found_release,
        .private_data = holder,
    };
    struct search search = {mount, holder, &found, error};
    int code = find(&search, path);
    if (code) {
        found_release(&found);
        return code;
    }
    *ret_found = found;
    return WEIR_OK;
}

/* ---- Reading ---- */

struct reading {
    const struct wr_stores *stores;
    struct wr_opened *store;
    char *key;
    char *etag;
};

static int read_at(struct weir_reader *reader, int64_t offset, void *data, size_t length,
                   size_t *ret_length, struct weir_error *error) {
    const struct reading *reading = reader->private_data;
    if (offset >= reader->n_bytes) length = 0;
    if (length == 0) {
        *ret_length = 0;
        return WEIR_OK;
    }
    return reading->stores->get(reading->store, reading->key, offset, length, reading->etag, data,
                                ret_length, NULL, NULL, error);
}

static void reader_release(struct weir_reader *reader) {
    struct reading *reading = reader->private_data;
    reading->stores->release(reading->store);
    wr_free(reading->key);
    wr_free(reading->etag);
    wr_free(reading);
    *reader = (struct weir_reader){0};
}

int wr_store_mount_read(const struct wr_files_mount *mount, const char *path,
                        struct weir_reader *ret_reader, struct weir_error *error) {
    struct wr_object_facts facts = {0};
    struct reading *reading = wr_calloc(1, sizeof *reading);
    char *key = reading ? key_of(mount, path, false) : NULL;
    if (!key) {
        wr_free(reading);
        return wr_error_memory(error);
    }
    int code = mount->stores->head(mount->store, key, wr_object_take, &facts, error);
    if (code == WEIR_OK && facts.failed) code = wr_error_memory(error);
    if (code) {
        wr_object_facts_reset(&facts);
        wr_free(key);
        wr_free(reading);
        return code;
    }
    *reading =
        (struct reading){mount->stores, mount->stores->retain(mount->store), key, facts.etag};
    *ret_reader = (struct weir_reader){
        .n_bytes = facts.n_bytes,
        .modified_ns = facts.modified_ns,
        .read_at = read_at,
        .release = reader_release,
        .private_data = reading,
    };
    wr_object_version(facts.etag, facts.n_bytes, ret_reader->version);
    return WEIR_OK;
}

/* ---- Writing ---- */

struct writing {
    const struct wr_stores *stores;
    struct wr_opened *store;
    struct wr_upload *upload;
};

static int write_some(struct weir_writer *writer, const void *data, size_t length,
                      struct weir_error *error) {
    const struct writing *writing = writer->private_data;
    return writing->stores->write(writing->upload, data, length, error);
}

static int commit(struct weir_writer *writer, struct weir_error *error) {
    const struct writing *writing = writer->private_data;
    int code = writing->stores->commit(writing->upload, NULL, error);
    writing->stores->forget(writing->store);
    return code;
}

static void writer_release(struct weir_writer *writer) {
    struct writing *writing = writer->private_data;
    writing->stores->abort(writing->upload);
    writing->stores->release(writing->store);
    wr_free(writing);
    *writer = (struct weir_writer){0};
}

int wr_store_mount_write(const struct wr_files_mount *mount, const char *path, int overwrite,
                         struct weir_writer *ret_writer, struct weir_error *error) {
    struct writing *writing = wr_calloc(1, sizeof *writing);
    char *key = writing ? key_of(mount, path, false) : NULL;
    if (!key) {
        wr_free(writing);
        return wr_error_memory(error);
    }
    int code =
        mount->stores->upload(mount->store, key, overwrite ? WR_PUT_OVERWRITE : WR_PUT_CREATE, NULL,
                              &writing->upload, error);
    wr_free(key);
    if (code) {
        wr_free(writing);
        return code;
    }
    writing->stores = mount->stores;
    writing->store = mount->stores->retain(mount->store);
    *ret_writer = (struct weir_writer){write_some, commit, writer_release, writing};
    return WEIR_OK;
}

/* ---- Other changes ---- */

struct keys {
    char *items[DELETED_AT_ONCE];
    size_t n_items;
    bool failed;
    size_t most;
};

static int collect(void *sink, const struct wr_object *object) {
    struct keys *keys = sink;
    char *key = wr_strdup(object->key);
    if (!key) {
        keys->failed = true;
        return 1;
    }
    keys->items[keys->n_items++] = key;
    return keys->n_items == keys->most;
}

static void keys_reset(struct keys *keys) {
    for (size_t i = 0; i < keys->n_items; i++)
        wr_free(keys->items[i]);
    keys->n_items = 0;
}

/* Some of what is there at a time, until there is nothing. */
static int remove_below(const struct wr_files_mount *mount, const char *prefix, int recursive,
                        bool *ret_any, struct weir_error *error) {
    struct keys *keys = wr_calloc(1, sizeof *keys);
    if (!keys) return wr_error_memory(error);
    int code = WEIR_OK;
    *ret_any = false;
    keys->most = recursive ? DELETED_AT_ONCE : 1;
    do {
        keys_reset(keys);
        code = mount->stores->list(mount->store, prefix, true, NULL, collect, keys, error);
        if (code == WEIR_OK && keys->failed) code = wr_error_memory(error);
        if (keys->n_items > 0) *ret_any = true;
        if (code == WEIR_OK && keys->n_items > 0 && !recursive)
            code = wr_error_set(error, WEIR_INVALID_STATE, NULL,
                                "\"%s%s\" is not empty; remove what is in it too", mount->shown,
                                prefix + strlen(mount->prefix));
        if (code == WEIR_OK && keys->n_items > 0)
            code = mount->stores->remove(mount->store, (const char *const *)keys->items,
                                         keys->n_items, error);
    } while (code == WEIR_OK && keys->n_items > 0);
    keys_reset(keys);
    wr_free(keys);
    return code;
}

int wr_store_mount_remove(const struct wr_files_mount *mount, const char *path, int recursive,
                          struct weir_error *error) {
    struct wr_object_facts facts = {0};
    struct weir_error reason = {0};
    bool any = false;
    char *key = key_of(mount, path, false);
    char *prefix = key_of(mount, path, true);
    int code = key && prefix
                   ? mount->stores->head(mount->store, key, wr_object_take, &facts, &reason)
                   : wr_error_memory(&reason);
    if (code == WEIR_OK) {
        code = mount->stores->remove(mount->store, (const char *const *)&key, 1, error);
    } else if (code == WEIR_NOT_FOUND) {
        code = remove_below(mount, prefix, recursive, &any, error);
        if (code == WEIR_OK && !any) code = no_such(mount, path, error);
    } else if (error) {
        *error = reason;
    }
    wr_object_facts_reset(&facts);
    wr_free(key);
    wr_free(prefix);
    return code;
}

int wr_store_mount_rename(const struct wr_files_mount *mount, const char *from, const char *to,
                          struct weir_error *error) {
    char *source = key_of(mount, from, false);
    char *target = key_of(mount, to, false);
    int code = source && target ? WEIR_OK : wr_error_memory(error);
    if (code == WEIR_OK && strcmp(source, target) != 0) {
        code = mount->stores->copy(mount->store, source, target, true, error);
        if (code == WEIR_OK)
            code = mount->stores->remove(mount->store, (const char *const *)&source, 1, error);
    }
    wr_free(source);
    wr_free(target);
    return code;
}

int wr_store_mount_make_directory(const struct wr_files_mount *mount, const char *path,
                                  struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "\"%s%s\": a store has no empty directories; they come with what is "
                        "written into them",
                        mount->shown, path);
}

/* ---- The mount ---- */

/* Its options are a scope of their own, so that SQL has them for the URLs of the mount too. */
static int add_scope(const struct weir_definition *definition, const char *url,
                     struct wr_files_mount *mount, struct weir_error *error) {
    struct wr_options own = {0};
    int code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < definition->n_options; i++) {
        const struct weir_option *option = &definition->options[i];
        if (strcmp(option->key, "url") == 0 || strcmp(option->key, "read_only") == 0) continue;
        code = wr_options_add(&own, option->key, option->value, error);
    }
    if (code == WEIR_OK && own.n_items > 0) {
        const struct wr_scope_info info = {
            .name = definition->name,
            .origin = WR_SCOPE_MOUNT,
            .from = "mount",
            .scope = url,
            .options = own.items,
            .n_options = own.n_items,
        };
        code = wr_scopes_add(mount->stores->scopes, &info, true, error);
    }
    wr_options_erase(&own);
    return code;
}

int wr_store_mount_open(const struct weir_definition *definition, const char *url,
                        struct wr_files_mount *mount, struct weir_error *error) {
    char *root = NULL;
    char *key = NULL;
    mount->stores = wr_definition_stores(definition);
    if (mount->stores) WR_TRY(add_scope(definition, url, mount, error));
    WR_TRY(wr_stores_open_url(mount->stores, url, &mount->store, &root, &key, error));
    size_t n_root = strlen(root), n_key = strlen(key);
    bool slash = n_key > 0 && key[n_key - 1] != '/';
    mount->prefix = wr_malloc(n_key + 2);
    mount->root = wr_malloc(n_root + n_key + 2);
    if (mount->prefix && mount->root) {
        memcpy(mount->prefix, key, n_key + 1);
        if (slash) memcpy(mount->prefix + n_key, "/", 2);
        memcpy(mount->root, root, n_root);
        memcpy(mount->root + n_root, mount->prefix, strlen(mount->prefix) + 1);
    }
    wr_free(root);
    wr_free(key);
    return mount->prefix && mount->root ? WEIR_OK : wr_error_memory(error);
}
