/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a directory of the tree: the top, a catalog, a schema, or a directory of a mount. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/encoding.h"
#include "file/node.h"

struct entries {
    struct weir_node_entry *items;
    size_t n_items;
    size_t capacity;
    int code; /* of the names, whose listing cannot fail */
};

static void reset(struct entries *entries) {
    for (size_t i = 0; i < entries->n_items; i++) {
        wr_free((char *)entries->items[i].name);
        wr_free((char *)entries->items[i].table);
    }
    wr_free(entries->items);
}

static int reserve(struct entries *entries, struct weir_error *error) {
    if (entries->n_items < entries->capacity) return WEIR_OK;
    size_t capacity = entries->capacity ? entries->capacity * 2 : 32;
    struct weir_node_entry *items = wr_reallocarray(entries->items, capacity, sizeof *items);
    if (!items) return wr_error_memory(error);
    entries->items = items;
    entries->capacity = capacity;
    return WEIR_OK;
}

/* Copies the texts. */
static int add(struct entries *entries, const struct weir_node_entry *entry,
               struct weir_error *error) {
    WR_TRY(reserve(entries, error));
    struct weir_node_entry copy = *entry;
    copy.size = sizeof copy;
    copy.name = wr_strdup(entry->name);
    copy.table = wr_strdup(entry->table);
    if (!copy.name || (entry->table && !copy.table)) {
        wr_free((char *)copy.name);
        wr_free((char *)copy.table);
        return wr_error_memory(error);
    }
    entries->items[entries->n_items++] = copy;
    return WEIR_OK;
}

static void add_name(void *sink, const char *name) {
    struct entries *entries = sink;
    struct weir_node_entry entry = {.type = WEIR_NODE_DIRECTORY, .name = name, .n_bytes = -1};
    if (entries->code == WEIR_OK) entries->code = add(entries, &entry, NULL);
}

static int compare(const void *a, const void *b) {
    const struct weir_node_entry *x = a;
    const struct weir_node_entry *y = b;
    return strcmp(x->name, y->name);
}

/* ---- Where the names come from ---- */

static int add_mount(void *sink, const struct wr_mount_info *info, struct weir_error *error) {
    struct weir_node_entry entry = {.type = WEIR_NODE_DIRECTORY, .name = info->name, .n_bytes = -1};
    return strcmp(info->name, "/") == 0 ? WEIR_OK : add(sink, &entry, error);
}

static int list_names(const struct weir_node *node, struct entries *entries,
                      struct weir_error *error) {
    struct wr_names *names = node->session->workspace->names;
    const struct wr_place *place = &node->place;
    WR_TRY(wr_gated_list(&node->session->names->gated, place->catalog, place->schema, add_name,
                         entries, error));
    if (entries->code) return wr_error_memory(error);
    return place->type == WR_PLACE_TOP ? wr_names_each_mount(names, add_mount, entries, error)
                                       : WEIR_OK;
}

/* A table that cannot be opened is one all the same. */
static int32_t type_of_table(const struct weir_node *node, const char *table) {
    const struct wr_place *place = &node->place;
    struct wr_name name = {place->catalog, place->schema, table};
    struct wr_instance *instance = NULL;
    int32_t type = WEIR_NODE_TABLE;
    if (wr_gated_open(&node->session->names->gated, &name, NULL, 0, &instance, NULL) == WEIR_OK &&
        instance && wr_instance_kind(instance)->roles & WEIR_ROLE_VIEW)
        type = WEIR_NODE_DERIVED;
    wr_instance_release(instance);
    return type;
}

static int list_tables(const struct weir_node *node, struct entries *entries,
                       struct weir_error *error) {
    WR_TRY(list_names(node, entries, error));
    for (size_t i = 0; i < entries->n_items; i++) {
        struct weir_node_entry *entry = &entries->items[i];
        entry->type = type_of_table(node, entry->name);
        entry->table = wr_strdup(entry->name);
        if (!entry->table) return wr_error_memory(error);
    }
    return WEIR_OK;
}

/* Names of encodings tell that the file is a table by itself; of others their table is asked. */
static int32_t type_of_file(const struct weir_node *node, const char *name) {
    if (wr_encoding_of_path(wr_node_encodings(node), name, NULL)) return WEIR_NODE_STRUCTURED;
    const char *within = node->place.within;
    size_t length = strlen(within);
    char *path = wr_malloc(length + strlen(name) + 2);
    struct wr_place place = {.type = WR_PLACE_MOUNT};
    struct weir_node *file = NULL;
    int32_t type = WEIR_NODE_STRUCTURED;
    if (!path) return type;
    memcpy(path, within, length);
    if (length > 0) path[length++] = '/';
    memcpy(path + length, name, strlen(name) + 1);
    place.within = path;
    place.mount = wr_mount_retain(node->place.mount);
    if (wr_node_open_place(node->session, &place, &file, NULL) == WEIR_OK) {
        type = wr_node_type(file);
        weir_node_close(file);
    }
    wr_place_reset(&place);
    return type;
}

static int32_t type_of_entry(const struct weir_node *node, const struct weir_entry *entry) {
    if (entry->type == WEIR_ENTRY_TABLE) return WEIR_NODE_TABLE;
    if (entry->type == WEIR_ENTRY_DIRECTORY) {
        return entry->table ? WEIR_NODE_SERIES : WEIR_NODE_DIRECTORY;
    }
    return entry->table ? type_of_file(node, entry->name) : WEIR_NODE_FILE;
}

static int add_entry(void *sink, const struct weir_entry *entry, struct weir_error *error) {
    struct weir_node_entry copy = {
        .type = entry->type,
        .name = entry->name,
        .table = entry->table,
        .n_bytes = entry->n_bytes,
        .modified_ns = entry->modified_ns,
    };
    return add(sink, &copy, error);
}

static int list_mount(const struct weir_node *node, struct entries *entries,
                      struct weir_error *error) {
    const struct wr_mount *mount = node->place.mount;
    WR_TRY(wr_mount_kind(mount)->list(wr_mount_data(mount), node->place.within, add_entry, entries,
                                      error));
    for (size_t i = 0; i < entries->n_items; i++) {
        struct weir_node_entry *entry = &entries->items[i];
        struct weir_entry as_listed = {
            .type = entry->type, .name = entry->name, .table = entry->table};
        entry->type = type_of_entry(node, &as_listed);
    }
    return WEIR_OK;
}

/* ---- All of them ---- */

static int collect(const struct weir_node *node, struct entries *entries,
                   struct weir_error *error) {
    switch (node->place.type) {
    case WR_PLACE_MOUNT:
        return list_mount(node, entries, error);
    case WR_PLACE_SCHEMA:
        return list_tables(node, entries, error);
    default:
        return list_names(node, entries, error);
    }
}

static void hand_over(const struct weir_node *node, struct entries *entries,
                      weir_node_entry_fn take, void *context) {
    if (entries->n_items > 0) {
        qsort(entries->items, entries->n_items, sizeof *entries->items, compare);
    }
    for (size_t i = 0; i < entries->n_items; i++) {
        const struct weir_node_entry *entry = &entries->items[i];
        /* A mount may also be listed as a catalog. */
        if (i > 0 && strcmp(entry->name, entries->items[i - 1].name) == 0) continue;
        if (!wr_policy_sees_entry(node->session, &node->place, entry->name, entry->table)) continue;
        if (take(context, entry)) break;
    }
}

static int list_node(const struct weir_node *node, weir_node_entry_fn take, void *context,
                     struct weir_error *error) {
    if (!node->is_directory) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809", "\"%s\" is %s, not a directory",
                            node->place.path, wr_node_is_table(node) ? "a table" : "a plain file");
    }
    struct entries entries = {0};
    int code = collect(node, &entries, error);
    if (code == WEIR_OK) hand_over(node, &entries, take, context);
    reset(&entries);
    return code;
}

int weir_node_list(const struct weir_node *node, weir_node_entry_fn take, void *context,
                   struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&node->session->activities, NULL, &work);
    int code = list_node(node, take, context, error);
    wr_work_end(&work);
    return code;
}
