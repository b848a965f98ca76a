/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of tables, as Flight SQL's metadata carry them. */
#ifndef WR_DOOR_SCHEMA_H
#define WR_DOOR_SCHEMA_H

#include "door/door.h"

/* wr_door_encode_schema of a table, its columns described; and of no columns. */
int wr_door_schema_bytes(struct weir_session *session, const struct wr_door_table *table,
                         void **ret_data, size_t *ret_length, struct weir_error *error);
int wr_door_no_schema_bytes(void **ret_data, size_t *ret_length, struct weir_error *error);

#endif
