/* SPDX-License-Identifier: Apache-2.0 */
/* Timers in the order of their times: a binary heap. */
#ifndef WR_LOOP_TIMERS_H
#define WR_LOOP_TIMERS_H

#include "flight/loop.h"

struct wr_timers {
    struct wr_timer **items;
    size_t n_items;
    size_t capacity;
};

bool wr_timers_set(struct wr_timers *timers, struct wr_timer *timer, int64_t at);
void wr_timers_clear(struct wr_timers *timers, struct wr_timer *timer);
struct wr_timer *wr_timers_first(const struct wr_timers *timers); /* NULL: none */
void wr_timers_reset(struct wr_timers *timers);

#endif
