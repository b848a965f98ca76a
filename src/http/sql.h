/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of POST /v1/sql. */
#ifndef WR_HTTP_SQL_H
#define WR_HTTP_SQL_H

#include "http/internal.h"
#include "http/json.h"

/* ---- parameters.c ---- */

/*
 * One row of a request's "params": an array gives $1, $2, ..., an object $name. null, true, false,
 * numbers and texts are what they look like; {"type": T, "value": V} says more: "int64", "decimal"
 * and "double" of a text, "binary" of Base64. `params` may be NULL: none. Codes:
 * WEIR_INVALID_ARGUMENT when they are not just those of the statement.
 */
int http_bind(struct weir_statement *statement, const struct json_value *params,
              struct weir_error *error);

/* ---- result.c ---- */

enum http_format { HTTP_JSON, HTTP_NDJSON, HTTP_CSV, HTTP_ARROW, HTTP_PARQUET, HTTP_N_FORMATS };

extern const char *const http_format_types[HTTP_N_FORMATS];

/* A body of a result. Takes over `rows` on success. `close` is called with the context at its end,
 * after the rows were released. */
int http_result_body(struct ArrowArrayStream *rows, enum http_format format,
                     void (*close)(void *context), void *context, struct http_body *ret_body,
                     struct weir_error *error);
/* A column's type as a text of JSON: "int64", "list<item: string>". */
int http_add_type(struct wr_buffer *buffer, const struct ArrowSchema *schema,
                  struct weir_error *error);
/* A row with the column `affected`. */
int http_count_rows(int64_t n_rows, struct ArrowArrayStream *ret_rows, struct weir_error *error);

#endif
