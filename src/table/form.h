/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that need little: their `release` frees the schema and nothing else. */
#ifndef WR_FORM_H
#define WR_FORM_H

#include "weir_extension.h"

/* WEIR_FORM_STREAM with a copy of `schema`. */
int wr_form_stream(const struct ArrowSchema *schema, struct weir_form *ret_form,
                   struct weir_error *error);

/* WEIR_FORM_SQL. The texts are the table's and live as long as it does. */
void wr_form_sql(const char *query, const char *catalog, const char *schema,
                 struct weir_form *ret_form);

/* The error of a kind whose columns come from its query, when columns were declared. */
int wr_form_sql_refuse_columns(const struct weir_definition *definition, struct weir_error *error);

#endif
