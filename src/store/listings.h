/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store was found to hold, for the moment in which the parts of one statement, and the
 * statements that follow each other, ask for it again.
 *
 * 1. A listing is answered so for `max_age_ms` at most, from when it was begun.
 * 2. What weir itself writes is seen at once: wr_listings_forget, after each write.
 * 3. Only whole listings are kept, of up to 20,000 objects; others are asked for each time.
 *
 * Any thread. Nothing is held while the store is asked: two that miss ask twice.
 */
#ifndef WR_STORE_LISTINGS_H
#define WR_STORE_LISTINGS_H

#include "engine/engine.h"

struct wr_listings;

/* wr_objects_list, or what does as it does. */
typedef int (*wr_list_fn)(struct wr_objects *objects, const char *prefix, int32_t recursive,
                          const char *start_after,
                          int (*take)(void *sink, const struct wr_object *object), void *sink,
                          struct weir_error *error);

/* NULL: no memory. */
struct wr_listings *wr_listings_new(int64_t max_age_ms);
void wr_listings_free(struct wr_listings *listings); /* NULL is welcome */
void wr_listings_forget(struct wr_listings *listings);
/* As `list` from the prefix's first object on, which is called unless the answer is known. */
int wr_listings_walk(struct wr_listings *listings, wr_list_fn list, struct wr_objects *objects,
                     const char *prefix, int32_t recursive,
                     int (*take)(void *sink, const struct wr_object *object), void *sink,
                     struct weir_error *error);

#endif
