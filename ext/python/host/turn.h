/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns of threads that read quick sources. Whoever gives the GIL, and pyarrow does so for each
 * batch, wakes a thread that waits for it, mostly in vain: with eight partitions that took longer
 * than the batches. So of the threads that read batch after batch one has the turn, for 0.2 ms, and
 * the others wait for that and not for the GIL.
 *
 * Who does not know when it will wait for something else takes no turn. A source that is slow,
 * since it waits itself perhaps, reads without one; a turn that comes to no end is taken away.
 */
#ifndef WP_TURN_H
#define WP_TURN_H

#include <stdbool.h>
#include <stdint.h>

struct wp_turn {
    bool is_wanted; /* set by whoever reads batch after batch */
    bool is_mine;   /* or was, until it was taken away */
    uint64_t ticket;
    int64_t since, batch_since;
    int n_without; /* batches to be read without one */
};

/* Around each batch, without the GIL. `now`: wp_now_ns(), which the caller wants to know as well.
 */
void wp_turn_begin(struct wp_turn *turn, int64_t now);
void wp_turn_end(struct wp_turn *turn, int64_t now);
void wp_turn_give(struct wp_turn *turn);

#endif
