/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Links may lead in circles: no tree of files is that deep. */
enum { DEEPEST = 100, VERSION_SHOWN = 12 };

static void reset_entry(struct listing_entry *entry) {
    wr_free(entry->name);
    wr_free(entry->path);
    wr_free(entry->kind);
    wr_free(entry->version);
}

void listing_reset(struct listing *listing) {
    for (size_t i = 0; i < listing->n_entries; i++)
        reset_entry(&listing->entries[i]);
    wr_free(listing->entries);
    wr_free(listing->sections);
}

int listing_pass(struct listing *listing, const char *path, int code, struct weir_error *error) {
    if (code == WEIR_OK || work_stopped(code)) return code;
    const char *slash = strrchr(path, '/');
    if (strstr(error->message, slash == NULL || slash[1] == '\0' ? path : slash + 1) == NULL)
        wr_error_prefix(error, code, "%s", path);
    complain(listing->cli, error, NULL, 0);
    wr_error_clear(error);
    listing->failed = true;
    return WEIR_OK;
}

int listing_push(struct listing *listing, const char *name, const char *path, int type,
                 struct weir_error *error) {
    struct listing_entry entry = {.type = type, .n_rows = -1, .n_bytes = -1};
    void *entries = wr_reallocarray(listing->entries, listing->n_entries + 1, sizeof entry);

    if (entries == NULL) return wr_error_memory(error);
    listing->entries = entries;
    entry.is_directory = node_is_listed(type);
    entry.name = wr_strdup(name);
    entry.path = wr_strdup(path);
    if (entry.name == NULL || entry.path == NULL) {
        reset_entry(&entry);
        return wr_error_memory(error);
    }
    listing->entries[listing->n_entries++] = entry;
    listing->sections[listing->n_sections - 1].end = listing->n_entries;
    return WEIR_OK;
}

void listing_drop_last(struct listing *listing) {
    reset_entry(&listing->entries[--listing->n_entries]);
    listing->sections[listing->n_sections - 1].end = listing->n_entries;
}

int listing_push_section(struct listing *listing, const char *path, struct weir_error *error) {
    struct listing_section section = {path, listing->n_entries};
    void *sections = wr_reallocarray(listing->sections, listing->n_sections + 1, sizeof section);

    if (sections == NULL) return wr_error_memory(error);
    listing->sections = sections;
    listing->sections[listing->n_sections++] = section;
    return WEIR_OK;
}

/* ---- One directory ---- */

struct level {
    struct item {
        char *name;
        int type;
    } *items;
    size_t n_items;
    bool failed;
};

static void reset_level(struct level *level) {
    for (size_t i = 0; i < level->n_items; i++)
        wr_free(level->items[i].name);
    wr_free(level->items);
}

static int take(void *context, const struct weir_node_entry *entry) {
    struct level *level = context;
    struct item item = {NULL, entry->type};

    if (entry->name[0] == '.') return 0;
    void *items = wr_reallocarray(level->items, level->n_items + 1, sizeof item);
    if (items != NULL) level->items = items;
    if (items == NULL || (item.name = wr_strdup(entry->name)) == NULL) {
        level->failed = true;
        return 1;
    }
    level->items[level->n_items++] = item;
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* "a" and "b" as "a/b". */
static char *join(const char *directory, const char *name) {
    struct wr_buffer path;
    size_t length = strlen(directory);

    wr_buffer_init(&path, 1 << 20);
    wr_buffer_text(&path, directory);
    if (length > 0 && directory[length - 1] != '/') wr_buffer_char(&path, '/');
    wr_buffer_text(&path, name);
    return wr_buffer_take(&path);
}

static int add_directory(struct listing *listing, const struct weir_node *node, const char *path,
                         const char *head, int depth, struct weir_error *error);

/* What is in a directory that was listed itself. */
static int descend(struct listing *listing, const char *path, const char *name, int depth,
                   struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_node_info info;
    int code = WEIR_OK;

    if (depth == 0)
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s is deeper than %d directories: is there a link in a circle?", path,
                            DEEPEST);
    if (code == WEIR_OK) code = node_open(listing->cli, path, &node, &info, error);
    if (code == WEIR_OK) code = add_directory(listing, node, path, name, depth - 1, error);
    weir_node_close(node);
    return listing_pass(listing, path, code, error);
}

static int add_items(struct listing *listing, const struct level *level, const char *path,
                     const char *head, int depth, struct weir_error *error) {
    int code = WEIR_OK;

    for (size_t i = 0; i < level->n_items && code == WEIR_OK; i++) {
        const struct item *item = &level->items[i];
        char *full = join(path, item->name), *name = join(head, item->name);
        if (full == NULL || name == NULL)
            code = wr_error_memory(error);
        else
            code = listing_push(listing, name, full, item->type, error);
        if (code == WEIR_OK && node_is_listed(item->type) && depth >= 0)
            code = descend(listing, full, name, depth, error);
        wr_free(full);
        wr_free(name);
    }
    return code;
}

/* `head` goes before the names; `depth` is how many levels more are entered, -1: none. */
static int add_directory(struct listing *listing, const struct weir_node *node, const char *path,
                         const char *head, int depth, struct weir_error *error) {
    struct level level = {0};
    int code = weir_node_list(node, take, &level, error);

    if (code == WEIR_OK && level.failed) code = wr_error_memory(error);
    if (level.n_items > 0) qsort(level.items, level.n_items, sizeof *level.items, by_name);
    if (code == WEIR_OK) code = add_items(listing, &level, path, head, depth, error);
    reset_level(&level);
    return code;
}

/* A pattern is one node, unless nothing matches it. */
static int check_pattern(struct weir_node *node, struct weir_error *error) {
    struct ArrowSchema schema = {0};

    WR_TRY(weir_node_schema(node, &schema, error));
    wr_arrow_release_schema(&schema);
    return WEIR_OK;
}

static int add(struct listing *listing, struct weir_node *node, int type, const char *path,
               bool recursive, struct weir_error *error) {
    if (node_is_listed(type)) {
        size_t n_sections = listing->n_sections;
        WR_TRY(listing_push_section(listing, path, error));
        int code = add_directory(listing, node, path, "", recursive ? DEEPEST : -1, error);
        if (code != WEIR_INVALID_ARGUMENT || type == WEIR_NODE_DIRECTORY) return code;
        listing->n_sections = n_sections;
        wr_error_clear(error);
        WR_TRY(check_pattern(node, error));
    }
    if (listing->n_sections == 0 || listing->sections[listing->n_sections - 1].path != NULL)
        WR_TRY(listing_push_section(listing, NULL, error));
    return listing_push(listing, path, path, 0, error);
}

int listing_add(struct listing *listing, const char *path, bool recursive,
                struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_node_info info;
    int code = node_open(listing->cli, path, &node, &info, error);

    if (code == WEIR_OK) code = add(listing, node, info.type, path, recursive, error);
    weir_node_close(node);
    return listing_pass(listing, path, code, error);
}

/* ---- What the nodes say ---- */

/* The first failure of a node is told, the others would say the same. */
static int fill_table(struct weir_node *node, int type, struct listing_entry *entry,
                      struct weir_error *error) {
    struct weir_node_statistics statistics = {.size = sizeof statistics};
    struct ArrowSchema schema = {0};
    char *version = NULL;

    int code = weir_node_schema(node, &schema, error);
    if (code == WEIR_OK) code = node_schema_digest(&schema, entry->digest, error);
    wr_arrow_release_schema(&schema);
    if (code == WEIR_OK) code = weir_node_statistics(node, &statistics, NULL, error);
    if (code == WEIR_OK && statistics.rows_exact) entry->n_rows = statistics.n_rows;
    /* What a derived table reads is no size of its own. */
    if (code == WEIR_OK && entry->n_bytes < 0 && statistics.bytes_exact &&
        type != WEIR_NODE_DERIVED)
        entry->n_bytes = statistics.n_bytes;
    if (code == WEIR_OK) code = weir_node_version(node, &version, error);
    if (code == WEIR_OK && version != NULL &&
        (entry->version = wr_strndup(version, VERSION_SHOWN)) == NULL)
        code = wr_error_memory(error);
    weir_free(version);
    return code;
}

static int fill(struct listing *listing, struct listing_entry *entry, bool all,
                struct weir_error *error) {
    struct weir_node *node = NULL;
    struct weir_node_info info;

    WR_TRY(node_open(listing->cli, entry->path, &node, &info, error));
    int code = WEIR_OK;
    /* Any directory may be asked for its files as a series; what is listed as one is one. */
    if (entry->type == WEIR_NODE_DIRECTORY) info.type = WEIR_NODE_DIRECTORY;
    entry->n_bytes = info.n_bytes;
    entry->modified_ns = info.modified_ns;
    if ((entry->kind = wr_strdup(node_kind(&info))) == NULL) code = wr_error_memory(error);
    if (code == WEIR_OK && all && info.is_table && info.type != WEIR_NODE_DIRECTORY)
        code = fill_table(node, info.type, entry, error);
    if (code != WEIR_OK && !work_stopped(code) && entry->is_directory) {
        /* Files that do not make one table are no fault of a directory. */
        wr_free(entry->kind);
        entry->kind = wr_strdup("directory");
        wr_error_clear(error);
        code = entry->kind == NULL ? wr_error_memory(error) : WEIR_OK;
    }
    weir_node_close(node);
    return code;
}

int listing_fill(struct listing *listing, bool all, struct weir_error *error) {
    for (size_t i = 0; i < listing->n_entries; i++) {
        struct listing_entry *entry = &listing->entries[i];
        int code = fill(listing, entry, all, error);
        WR_TRY(listing_pass(listing, entry->path, code, error));
        if (work_stopped(WEIR_OK)) return wr_error_set(error, WEIR_CANCELLED, NULL, "cancelled");
    }
    return WEIR_OK;
}
