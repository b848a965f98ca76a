/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/memory.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "table/adbc/core.h"

void wr_adbc_memory_init(struct wr_adbc_memory *memory) {
    memset(memory, 0, sizeof *memory);
    pthread_mutex_init(&memory->mutex, NULL);
}

static void free_item(struct wr_adbc_remembered *item) {
    if (!item) return;
    wr_free(item->schema);
    wr_free(item->table);
    wr_free(item);
}

void wr_adbc_memory_forget(struct wr_adbc_memory *memory) {
    pthread_mutex_lock(&memory->mutex);
    for (size_t i = 0; i < WR_ADBC_MEMORY_SIZE; i++) {
        free_item(memory->items[i]);
        memory->items[i] = NULL;
    }
    pthread_mutex_unlock(&memory->mutex);
}

void wr_adbc_memory_reset(struct wr_adbc_memory *memory) {
    wr_adbc_memory_forget(memory);
    pthread_mutex_destroy(&memory->mutex);
}

/* FNV-1a. */
static size_t place_of(const char *schema, const char *table) {
    uint32_t hash = 2166136261u;
    for (const char *c = schema; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    hash = (hash ^ (table ? 1u : 2u)) * 16777619u;
    for (const char *c = table ? table : ""; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash % WR_ADBC_MEMORY_SIZE;
}

static bool is(const struct wr_adbc_remembered *item, const char *schema, const char *table) {
    if (!item || strcmp(item->schema, schema) != 0) return false;
    return table && item->table ? strcmp(item->table, table) == 0 : table == item->table;
}

bool wr_adbc_memory_has(struct wr_adbc_memory *memory, const char *schema, const char *table,
                        int *ret_type) {
    pthread_mutex_lock(&memory->mutex);
    const struct wr_adbc_remembered *item = memory->items[place_of(schema, table)];
    bool found = is(item, schema, table) && wr_clock_ms() - item->when < memory->ttl;
    if (found && ret_type) *ret_type = item->type;
    pthread_mutex_unlock(&memory->mutex);
    return found;
}

void wr_adbc_memory_put(struct wr_adbc_memory *memory, const char *schema, const char *table,
                        int type) {
    struct wr_adbc_remembered *item = wr_calloc(1, sizeof *item);
    if (item) {
        *item =
            (struct wr_adbc_remembered){wr_strdup(schema), wr_strdup(table), type, wr_clock_ms()};
    }
    if (!item || !item->schema || (table && !item->table)) {
        free_item(item);
        return;
    }
    pthread_mutex_lock(&memory->mutex);
    struct wr_adbc_remembered **place = &memory->items[place_of(schema, table)];
    struct wr_adbc_remembered *old = *place;
    *place = item;
    pthread_mutex_unlock(&memory->mutex);
    free_item(old);
}
