/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

bool wr_entry_matches(const struct wr_entry *entry, const struct wr_name *name) {
    const struct weir_definition *definition = wr_instance_definition(entry->instance);
    return strcmp(definition->name, name->name) == 0 &&
           strcmp(definition->schema, name->schema) == 0 &&
           strcmp(definition->catalog, name->catalog) == 0;
}

struct wr_entry *wr_names_entry(struct wr_names *names, const struct wr_name *name,
                                bool temporary) {
    for (size_t i = 0; i < names->n_entries; i++) {
        struct wr_entry *entry = &names->entries[i];
        if ((entry->id == 0) == temporary && wr_entry_matches(entry, name)) return entry;
    }
    return NULL;
}

int wr_names_reserve(struct wr_names *names, struct weir_error *error) {
    if (names->n_entries < names->capacity) return WEIR_OK;
    size_t capacity = names->capacity ? names->capacity * 2 : 16;
    struct wr_entry *entries = wr_reallocarray(names->entries, capacity, sizeof *entries);
    if (!entries) return wr_error_memory(error);
    names->entries = entries;
    names->capacity = capacity;
    return WEIR_OK;
}

void wr_names_put(struct wr_names *names, struct wr_entry entry) {
    names->entries[names->n_entries++] = entry;
}

struct wr_instance *wr_names_take(struct wr_names *names, struct wr_entry *entry) {
    struct wr_instance *instance = entry->instance;
    *entry = names->entries[--names->n_entries];
    return instance;
}

/* ---- Lists ---- */

int wr_name_list_add(void *sink, const char *name, struct weir_error *error) {
    struct wr_name_list *list = sink;
    if (list->n_items == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **items = wr_reallocarray(list->items, capacity, sizeof *items);
        if (!items) return wr_error_memory(error);
        list->items = items;
        list->capacity = capacity;
    }
    char *copy = wr_strdup(name);
    if (!copy) return wr_error_memory(error);
    list->items[list->n_items++] = copy;
    return WEIR_OK;
}

void wr_name_list_reset(struct wr_name_list *list) {
    for (size_t i = 0; i < list->n_items; i++)
        wr_free(list->items[i]);
    wr_free(list->items);
    *list = (struct wr_name_list){0};
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void wr_name_list_sort(struct wr_name_list *list) {
    if (list->n_items == 0) return;
    qsort(list->items, list->n_items, sizeof *list->items, compare_names);
    size_t kept = 1;
    for (size_t i = 1; i < list->n_items; i++) {
        if (strcmp(list->items[i], list->items[kept - 1]) == 0) {
            wr_free(list->items[i]);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    list->n_items = kept;
}

void wr_name_list_suggest(const struct wr_name_list *list, const char *name,
                          struct weir_error *error) {
    const char *nearest = wr_nearest(name, (const char *const *)list->items, list->n_items);
    if (nearest) wr_error_append(error, "; did you mean \"%s\"?", nearest);
}

int wr_names_collect(struct wr_names *names, const char *catalog, const char *schema,
                     struct wr_name_list *list, struct weir_error *error) {
    WR_TRY(wr_store_list(names->store, catalog, schema, wr_name_list_add, list, error));
    for (size_t i = 0; catalog && schema && i < names->n_entries; i++) {
        if (names->entries[i].id != 0) continue;
        const struct weir_definition *table = wr_instance_definition(names->entries[i].instance);
        if (strcmp(table->catalog, catalog) == 0 && strcmp(table->schema, schema) == 0) {
            WR_TRY(wr_name_list_add(list, table->name, error));
        }
    }
    wr_name_list_sort(list);
    return WEIR_OK;
}
