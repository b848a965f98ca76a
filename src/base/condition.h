/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions that wait by the clock that nobody sets. */
#ifndef WR_CONDITION_H
#define WR_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose timed waits take moments of CLOCK_MONOTONIC. */
void wr_condition_init(pthread_cond_t *condition);

/* The moment after so many milliseconds, for such waits. */
struct timespec wr_condition_deadline(int64_t milliseconds);

#endif
