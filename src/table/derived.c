/* SPDX-License-Identifier: Apache-2.0 */
/* The kind `derived`: a table that is only a query. It serves CREATE VIEW. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "table/form.h"

extern const struct weir_table_kind wr_kind_derived;

struct derived {
    char *query;
    char *catalog; /* where the query's unqualified names are looked up */
    char *schema;
};

static void derived_close(void *table) {
    struct derived *derived = table;
    wr_free(derived->query);
    wr_free(derived->catalog);
    wr_free(derived->schema);
    wr_free(derived);
}

static int derived_open(const struct weir_definition *definition, void **ret_table,
                        struct weir_error *error) {
    WR_TRY(wr_form_sql_refuse_columns(definition, error));
    const struct weir_option *options = definition->options;
    const char *query = wr_options_get(options, definition->n_options, "query");
    const char *catalog = wr_options_get(options, definition->n_options, "lookup_catalog");
    const char *schema = wr_options_get(options, definition->n_options, "lookup_schema");
    if (query[strspn(query, " \t\r\n")] == '\0') {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table \"%s\" (kind derived): option \"query\" is empty; give a SELECT",
                            definition->name);
    }
    struct derived *derived = wr_calloc(1, sizeof *derived);
    if (!derived) return wr_error_memory(error);
    derived->query = wr_strdup(query);
    derived->catalog = wr_strdup(catalog ? catalog : definition->catalog);
    derived->schema = wr_strdup(schema ? schema : definition->schema);
    if (!derived->query || !derived->catalog || !derived->schema) {
        derived_close(derived);
        return wr_error_memory(error);
    }
    *ret_table = derived;
    return WEIR_OK;
}

static int derived_form(void *table, struct weir_form *ret_form, struct weir_error *error) {
    (void)error;
    const struct derived *derived = table;
    wr_form_sql(derived->query, derived->catalog, derived->schema, ret_form);
    return WEIR_OK;
}

static const struct weir_option_spec options[] = {
    {"query", WEIR_OPTION_TEXT, 1, "the SELECT that gives the rows"},
    {"lookup_catalog", WEIR_OPTION_TEXT, 0,
     "catalog of the query's unqualified names; the table's own by default"},
    {"lookup_schema", WEIR_OPTION_TEXT, 0,
     "schema of the query's unqualified names; the table's own by default"},
};

const struct weir_table_kind wr_kind_derived = {
    .size = sizeof wr_kind_derived,
    .name = "derived",
    .summary = "a query over other tables, inlined where it is used",
    .roles = WEIR_ROLE_VIEW | WEIR_ENDS_AT_ONCE,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = derived_open,
    .close = derived_close,
    .form = derived_form,
};
