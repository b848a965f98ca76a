/* SPDX-License-Identifier: Apache-2.0 */
/* A statement's text as others may see it. */
#ifndef WR_SHOWN_H
#define WR_SHOWN_H

#include <stddef.h>

/* The text with *** in place of each password in a literal (secret.h), cut behind `max_bytes` at a
 * token's border. Free with wr_free; NULL: no memory. */
char *wr_sql_shown(const char *sql, size_t max_bytes);

#endif
