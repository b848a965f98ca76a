/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TORTURE_H
#define TORTURE_H

#include "weir.h"

/* What the scenarios hand to the library: three rows, and one row with its types, of one column of
 * int64. Made anew before each run, while no allocation fails. */
struct given {
    struct ArrowArrayStream rows;
    struct ArrowSchema types;
    struct ArrowArray row;
};
extern struct given given;

/* The ADBC driver, over a database of its own. A scenario by its name: "open", "query", "change",
 * "ingest", "objects", "schema", "info", "statistics", "partitions", "error". */
void torture_adbc_open(void);
void torture_adbc_close(void);
int torture_adbc(const char *scenario, struct weir_error *error);

#endif
