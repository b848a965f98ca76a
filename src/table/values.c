/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `values`: a few rows written in the definition, as SQL. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "table/form.h"

extern const struct weir_table_kind wr_kind_values;

enum { MAX_QUERY = 1 << 30 };

static void values_close(void *table) {
    wr_free(table);
}

static int values_open(const struct weir_definition *definition, void **ret_table,
                       struct weir_error *error) {
    WR_TRY(wr_form_sql_refuse_columns(definition, error));
    const char *rows = wr_options_get(definition->options, definition->n_options, "rows");
    const char *columns = wr_options_get(definition->options, definition->n_options, "columns");
    if (rows[strspn(rows, " \t\r\n")] == '\0') {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table \"%s\" (kind values): option \"rows\" is empty; give rows, for "
                            "example \"(1, 'a'), (2, 'b')\"",
                            definition->name);
    }
    struct wr_buffer query;
    wr_buffer_init(&query, MAX_QUERY);
    /* The line ends close a comment that the text may end in. */
    wr_buffer_format(&query, "SELECT * FROM (VALUES %s\n)", rows);
    if (columns) {
        wr_buffer_text(&query, " AS ");
        wr_buffer_identifier(&query, definition->name);
        wr_buffer_format(&query, "(%s\n)", columns);
    }
    char *text = wr_buffer_take(&query);
    if (!text) return wr_error_memory(error);
    *ret_table = text;
    return WEIR_OK;
}

static int values_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)error;
    wr_form_sql(table, NULL, NULL, ret_form);
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    {"rows", WEIR_OPTION_TEXT, 1, "the rows as in SQL's VALUES: \"(1, 'a'), (2, 'b')\""},
    {"columns", WEIR_OPTION_TEXT, 0, "the columns' names, separated by commas"},
};

const struct weir_table_kind wr_kind_values = {
    .size = sizeof wr_kind_values,
    .name = "values",
    .summary = "rows written in the definition",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = values_open,
    .close = values_close,
    .form = values_form,
};
