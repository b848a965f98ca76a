/* SPDX-License-Identifier: Apache-2.0 */
#include "base/condition.h"

void wr_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec wr_condition_deadline(int64_t milliseconds) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t nanoseconds = now.tv_nsec + milliseconds % 1000 * 1000000;
    return (struct timespec){.tv_sec = now.tv_sec + milliseconds / 1000 + nanoseconds / 1000000000,
                             .tv_nsec = nanoseconds % 1000000000};
}
