/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/loop_timers.h"

#include "base/alloc.h"

static void put(struct wr_timers *timers, size_t place, struct wr_timer *timer) {
    timers->items[place] = timer;
    timer->index = place + 1;
}

static void rise(struct wr_timers *timers, size_t place) {
    struct wr_timer *timer = timers->items[place];
    for (; place > 0; place = (place - 1) / 2) {
        struct wr_timer *parent = timers->items[(place - 1) / 2];
        if (parent->at <= timer->at) break;
        put(timers, place, parent);
    }
    put(timers, place, timer);
}

static void sink(struct wr_timers *timers, size_t place) {
    struct wr_timer *timer = timers->items[place];
    for (size_t child; (child = 2 * place + 1) < timers->n_items; place = child) {
        if (child + 1 < timers->n_items && timers->items[child + 1]->at < timers->items[child]->at)
            child++;
        if (timer->at <= timers->items[child]->at) break;
        put(timers, place, timers->items[child]);
    }
    put(timers, place, timer);
}

bool wr_timers_set(struct wr_timers *timers, struct wr_timer *timer, int64_t at) {
    if (timer->index) wr_timers_clear(timers, timer);
    if (timers->n_items == timers->capacity) {
        size_t capacity = timers->capacity ? timers->capacity * 2 : 64;
        struct wr_timer **items =
            wr_reallocarray(timers->items, capacity, sizeof(struct wr_timer *));
        if (!items) return false;
        timers->items = items;
        timers->capacity = capacity;
    }
    timer->at = at;
    timers->items[timers->n_items] = timer;
    rise(timers, timers->n_items++);
    return true;
}

void wr_timers_clear(struct wr_timers *timers, struct wr_timer *timer) {
    if (!timer->index) return;
    size_t place = timer->index - 1;
    timer->index = 0;
    struct wr_timer *last = timers->items[--timers->n_items];
    if (last == timer) return;
    put(timers, place, last);
    rise(timers, place);
    sink(timers, last->index - 1);
}

struct wr_timer *wr_timers_first(const struct wr_timers *timers) {
    return timers->n_items ? timers->items[0] : NULL;
}

void wr_timers_reset(struct wr_timers *timers) {
    wr_free(timers->items);
    *timers = (struct wr_timers){0};
}
