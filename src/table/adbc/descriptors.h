/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions of one statement as its driver describes them (AdbcStatementExecutePartitions):
 * several readers, each with a connection of its own, take them one by one.
 *
 * 1. Whoever comes first executes the statement. The others wait for it, without a connection.
 * 2. Each partition is taken once. Who finds none left has no more rows.
 * 3. Where the statement fails, all readers fail.
 */
#ifndef WR_ADBC_DESCRIPTORS_H
#define WR_ADBC_DESCRIPTORS_H

#include <stdbool.h>

#include "arrow/adbc_abi.h"
#include "weir_extension.h"

struct wr_adbc_descriptors;

/* One of them; `number` 0: none. They live as long as what they are of. */
struct wr_adbc_descriptor {
    const uint8_t *bytes;
    size_t length;
    size_t number, n; /* the first is 1 of n */
};

/* `schema` is copied: that of a reader without any partition. */
int wr_adbc_descriptors_new(const struct ArrowSchema *schema,
                            struct wr_adbc_descriptors **ret_descriptors, struct weir_error *error);
struct wr_adbc_descriptors *wr_adbc_descriptors_retain(struct wr_adbc_descriptors *descriptors);
void wr_adbc_descriptors_release(struct wr_adbc_descriptors *descriptors);

/* Waits until they are known. `ret_makes` true: it is the caller who is to execute the statement,
 * and to say what came of it. */
int wr_adbc_descriptors_await(struct wr_adbc_descriptors *descriptors, bool *ret_makes,
                              struct weir_error *error);
/* Takes them over. */
void wr_adbc_descriptors_set(struct wr_adbc_descriptors *descriptors,
                             struct AdbcPartitions *partitions);
void wr_adbc_descriptors_fail(struct wr_adbc_descriptors *descriptors,
                              const struct weir_error *error);
/* Ends every wait, with WEIR_CANCELLED. */
void wr_adbc_descriptors_cancel(struct wr_adbc_descriptors *descriptors);

/* False: none is left. */
bool wr_adbc_descriptors_take(struct wr_adbc_descriptors *descriptors,
                              struct wr_adbc_descriptor *ret_descriptor);
const struct ArrowSchema *wr_adbc_descriptors_schema(const struct wr_adbc_descriptors *descriptors);

#endif
