/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of which a query wants no column, only how many rows there are. To hand such a batch over
 * takes pyarrow twenty times as long as to say its number of rows. So it is asked for that, where
 * its schema is the one of a batch that was handed over and found right. Other objects are always
 * handed over: what their attributes mean is not known.
 */
#ifndef WP_COUNTED_H
#define WP_COUNTED_H

#include "host/host.h"

/* Zero: no batch is known yet. */
struct wpy_counted {
    PyObject *type;   /* pyarrow.RecordBatch */
    PyObject *schema; /* of batches that need not be handed over */
};

/* `batch` was handed over, and its schema is right as it is. */
void wpy_counted_learn(struct wpy_counted *counted, PyObject *batch);
/* The number of its rows; -1 without an exception: it must be handed over. */
int64_t wpy_counted_rows(const struct wpy_counted *counted, PyObject *batch);
void wpy_counted_free(struct wpy_counted *counted);

#endif
