/* SPDX-License-Identifier: Apache-2.0 */
#include "host/turn.h"

#include <pthread.h>
#include <time.h>

#include "common/common.h"

#define TURN_NS (INT64_C(200) * 1000)
#define SLOW_NS (INT64_C(100) * 1000) /* a batch that took longer would keep others from theirs */
#define STUCK_NS (INT64_C(1000) * 1000)
enum { N_WITHOUT = 32, N_PLACES = 16 };

/* Tickets are served one after another. Each waits at a place of its own, nearly always. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t places[N_PLACES];
    uint64_t next, served; /* `served` has the turn, or the first one to come */
    int64_t since;         /* when it was given */
} line = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_places(void) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (int i = 0; i < N_PLACES; i++)
        pthread_cond_init(&line.places[i], &attributes);
    pthread_condattr_destroy(&attributes);
}

static void serve(uint64_t ticket) {
    line.served = ticket;
    line.since = wp_now_ns();
    pthread_cond_broadcast(&line.places[ticket % N_PLACES]);
}

static void wait_at(uint64_t ticket) {
    int64_t until = wp_now_ns() + STUCK_NS;
    struct timespec time = {until / 1000000000, until % 1000000000};
    pthread_cond_timedwait(&line.places[ticket % N_PLACES], &line.mutex, &time);
}

/* Tickets below the one served are of those that came too late: they read without a turn. */
static void take(struct wp_turn *turn) {
    pthread_once(&once, make_places);
    pthread_mutex_lock(&line.mutex);
    turn->ticket = line.next++;
    if (turn->ticket == line.served) line.since = wp_now_ns();
    while (turn->ticket > line.served) {
        if (wp_now_ns() - line.since > STUCK_NS)
            serve(line.served + 1);
        else
            wait_at(turn->ticket);
    }
    pthread_mutex_unlock(&line.mutex);
    turn->is_mine = true;
    turn->since = wp_now_ns();
}

void wp_turn_begin(struct wp_turn *turn, int64_t now) {
    turn->batch_since = now;
    if (turn->is_mine || !turn->is_wanted || turn->n_without-- > 0) return;
    turn->n_without = 0;
    take(turn);
    turn->batch_since = turn->since;
}

void wp_turn_end(struct wp_turn *turn, int64_t now) {
    if (!turn->is_mine) return;
    bool is_slow = now - turn->batch_since > SLOW_NS;
    if (is_slow) turn->n_without = N_WITHOUT;
    if (is_slow || now - turn->since > TURN_NS) wp_turn_give(turn);
}

void wp_turn_give(struct wp_turn *turn) {
    if (!turn->is_mine) return;
    turn->is_mine = false;
    pthread_mutex_lock(&line.mutex);
    if (turn->ticket == line.served) serve(line.served + 1);
    pthread_mutex_unlock(&line.mutex);
}
