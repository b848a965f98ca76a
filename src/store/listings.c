/* SPDX-License-Identifier: Apache-2.0 */
#include "store/listings.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"

enum { MOST_LISTINGS = 32, MOST_OBJECTS = 20000, MOST_BYTES = 16 << 20, NO_TEXT = -1 };

/* Places in the listing's text. */
struct entry {
    int64_t n_bytes, modified_ns;
    int32_t key, etag, version;
};

struct listing {
    struct listing *next;
    int references; /* under the mutex */
    char *prefix;
    bool is_recursive;
    int64_t until_ms;
    struct entry *entries;
    size_t n_entries, capacity;
    struct wr_buffer text;
};

struct wr_listings {
    pthread_mutex_t mutex;
    int64_t max_age_ms;
    uint64_t generation; /* of what was written */
    struct listing *first;
};

/* ---- One listing ---- */

static void listing_free(struct listing *listing) {
    if (!listing) return;
    wr_buffer_reset(&listing->text);
    wr_free(listing->entries);
    wr_free(listing->prefix);
    wr_free(listing);
}

static struct listing *listing_new(const char *prefix, bool is_recursive, int64_t until_ms) {
    struct listing *listing = wr_calloc(1, sizeof *listing);
    char *copy = wr_strdup(prefix);
    if (!listing || !copy) {
        wr_free(copy);
        wr_free(listing);
        return NULL;
    }
    *listing = (struct listing){.references = 1, .prefix = copy, .is_recursive = is_recursive};
    listing->until_ms = until_ms;
    wr_buffer_init(&listing->text, MOST_BYTES);
    return listing;
}

static int32_t add_text(struct listing *listing, const char *text) {
    if (!text) return NO_TEXT;
    size_t at = listing->text.length;
    wr_buffer_add(&listing->text, text, strlen(text) + 1);
    return (int32_t)at;
}

/* False: it is more than is kept, or there is no memory for it. */
static bool add(struct listing *listing, const struct wr_object *object) {
    if (listing->n_entries == MOST_OBJECTS) return false;
    if (listing->n_entries == listing->capacity) {
        size_t capacity = listing->capacity ? 2 * listing->capacity : 32;
        struct entry *entries =
            wr_reallocarray(listing->entries, capacity, sizeof *listing->entries);
        if (!entries) return false;
        listing->entries = entries;
        listing->capacity = capacity;
    }
    listing->entries[listing->n_entries++] = (struct entry){
        .n_bytes = object->n_bytes,
        .modified_ns = object->modified_ns,
        .key = add_text(listing, object->key),
        .etag = add_text(listing, object->etag),
        .version = add_text(listing, object->version),
    };
    return !listing->text.failed;
}

static const char *text_at(const struct listing *listing, int32_t at) {
    return at == NO_TEXT ? NULL : listing->text.data + at;
}

static void walk(const struct listing *listing,
                 int (*take)(void *sink, const struct wr_object *object), void *sink) {
    for (size_t i = 0; i < listing->n_entries; i++) {
        const struct entry *entry = &listing->entries[i];
        const struct wr_object object = {
            .size = sizeof object,
            .key = text_at(listing, entry->key),
            .n_bytes = entry->n_bytes,
            .modified_ns = entry->modified_ns,
            .etag = text_at(listing, entry->etag),
            .version = text_at(listing, entry->version),
        };
        if (take(sink, &object)) return;
    }
}

/* ---- All of them, with the mutex held ---- */

static void release(struct listing *listing) {
    if (--listing->references == 0) listing_free(listing);
}

static void drop_all(struct wr_listings *listings) {
    while (listings->first) {
        struct listing *listing = listings->first;
        listings->first = listing->next;
        release(listing);
    }
}

static struct listing *find(struct wr_listings *listings, const char *prefix, bool is_recursive) {
    int64_t now = wr_clock_ms();
    struct listing *listing = listings->first;
    while (listing && (listing->until_ms <= now || listing->is_recursive != is_recursive ||
                       strcmp(listing->prefix, prefix) != 0))
        listing = listing->next;
    return listing;
}

static void keep(struct wr_listings *listings, struct listing *listing) {
    int64_t now = wr_clock_ms();
    listing->references++;
    listing->next = listings->first;
    listings->first = listing;
    struct listing **at = &listing->next;
    for (size_t n = 1; *at && n < MOST_LISTINGS && (*at)->until_ms > now; n++)
        at = &(*at)->next;
    struct listing *old = *at;
    *at = NULL;
    while (old) {
        struct listing *next = old->next;
        release(old);
        old = next;
    }
}

/* ---- */

struct wr_listings *wr_listings_new(int64_t max_age_ms) {
    struct wr_listings *listings = wr_calloc(1, sizeof *listings);
    if (!listings) return NULL;
    pthread_mutex_init(&listings->mutex, NULL);
    listings->max_age_ms = max_age_ms;
    return listings;
}

void wr_listings_free(struct wr_listings *listings) {
    if (!listings) return;
    drop_all(listings);
    pthread_mutex_destroy(&listings->mutex);
    wr_free(listings);
}

void wr_listings_forget(struct wr_listings *listings) {
    pthread_mutex_lock(&listings->mutex);
    listings->generation++;
    drop_all(listings);
    pthread_mutex_unlock(&listings->mutex);
}

/* What a store answers, handed on and written down. */
struct record {
    int (*take)(void *sink, const struct wr_object *object);
    void *sink;
    struct listing *listing; /* NULL: it is not kept */
    bool has_stopped;
};

static int take_and_record(void *sink, const struct wr_object *object) {
    struct record *record = sink;
    if (record->listing && !add(record->listing, object)) {
        listing_free(record->listing);
        record->listing = NULL;
    }
    record->has_stopped = record->take(record->sink, object) != 0;
    return record->has_stopped;
}

int wr_listings_walk(struct wr_listings *listings, wr_list_fn list, struct wr_objects *objects,
                     const char *prefix, int32_t recursive,
                     int (*take)(void *sink, const struct wr_object *object), void *sink,
                     struct weir_error *error) {
    if (listings->max_age_ms == 0) return list(objects, prefix, recursive, NULL, take, sink, error);
    pthread_mutex_lock(&listings->mutex);
    uint64_t generation = listings->generation;
    struct listing *known = find(listings, prefix, recursive != 0);
    if (known) known->references++;
    pthread_mutex_unlock(&listings->mutex);
    if (known) {
        walk(known, take, sink);
        pthread_mutex_lock(&listings->mutex);
        release(known);
        pthread_mutex_unlock(&listings->mutex);
        return WEIR_OK;
    }
    struct record record = {take, sink, NULL, false};
    record.listing = listing_new(prefix, recursive != 0, wr_clock_ms() + listings->max_age_ms);
    int code = list(objects, prefix, recursive, NULL, take_and_record, &record, error);
    if (!record.listing) return code;
    pthread_mutex_lock(&listings->mutex);
    if (code == WEIR_OK && !record.has_stopped && generation == listings->generation)
        keep(listings, record.listing);
    release(record.listing);
    pthread_mutex_unlock(&listings->mutex);
    return code;
}
