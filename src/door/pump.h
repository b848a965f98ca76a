/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that a thread of its own reads ahead of its reader, two batches at most. The engine does
 * not let itself be called from its own threads, and the rows to ingest may come out of the engine:
 * the result of another query.
 */
#ifndef WR_DOOR_PUMP_H
#define WR_DOOR_PUMP_H

#include "weir.h"

struct wr_pump;

/*
 * Takes over `rows` on success. *ret_rows is for the engine, which may keep it for longer than it
 * says; once wr_pump_close has returned, `rows` is released and nothing asks it any more. The
 * thread starts at the first get_next; closing waits for the get_next that it is in.
 */
int wr_pump_open(struct ArrowArrayStream *rows, struct wr_pump **ret_pump,
                 struct ArrowArrayStream *ret_rows, struct weir_error *error);
void wr_pump_close(struct wr_pump *pump); /* NULL is welcome */

#endif
