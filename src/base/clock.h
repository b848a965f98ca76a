/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WR_CLOCK_H
#define WR_CLOCK_H

#include <stdint.h>

/* Milliseconds of the clock that nobody sets. */
int64_t wr_clock_ms(void);

#endif
