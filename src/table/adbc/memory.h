/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a database that were found to be there, each for some time. */
#ifndef WR_ADBC_MEMORY_H
#define WR_ADBC_MEMORY_H

#include <pthread.h>
#include <stdbool.h>

#include "table/adbc/backend.h"

enum { WR_ADBC_MEMORY_SIZE = 1024 };

struct wr_adbc_remembered {
    char *schema;
    char *table; /* NULL: the schema itself */
    int type;    /* enum wr_adbc_item_type */
    int64_t when;
};

struct wr_adbc_memory {
    pthread_mutex_t mutex;
    int64_t ttl;                                           /* milliseconds */
    struct wr_adbc_remembered *items[WR_ADBC_MEMORY_SIZE]; /* by hash, the last one stays */
};

void wr_adbc_memory_init(struct wr_adbc_memory *memory);
void wr_adbc_memory_reset(struct wr_adbc_memory *memory);
/* `ret_type` may be NULL. False also for what is no longer known. */
bool wr_adbc_memory_has(struct wr_adbc_memory *memory, const char *schema, const char *table,
                        int *ret_type);
/* Without memory nothing is remembered. */
void wr_adbc_memory_put(struct wr_adbc_memory *memory, const char *schema, const char *table,
                        int type);
void wr_adbc_memory_forget(struct wr_adbc_memory *memory);

#endif
