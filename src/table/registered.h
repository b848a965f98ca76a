/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables around a stream that the host program handed over (weir_register_stream). Their rows are
 * in no definition, so they are made here and not by a kind's `open`.
 */
#ifndef WR_REGISTERED_H
#define WR_REGISTERED_H

#include "table/registry.h"

/*
 * A table of `columns` whose rows are kept (WEIR_REGISTER_ROWS: give them with wr_instance_insert)
 * or read once (WEIR_REGISTER_ONCE: give them with wr_registered_fill). The definition's kind and
 * options are not read.
 */
int wr_registered_new(const char *catalog, const char *schema, const char *name,
                      const struct ArrowSchema *columns, int mode,
                      struct wr_instance **ret_instance, struct weir_error *error);

/* Moves the stream in. Cannot fail, so that the table may be named first and the caller keeps its
 * stream when that fails. */
void wr_registered_fill(struct wr_instance *instance, struct ArrowArrayStream *rows);

#endif
