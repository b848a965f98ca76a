/* SPDX-License-Identifier: Apache-2.0 */
#include "table/form.h"

#include "arrow/arrow.h"
#include "base/error.h"

static void form_release(struct weir_form *form) {
    wr_arrow_release_schema(&form->schema);
    form->release = NULL;
}

int wr_form_stream(const struct ArrowSchema *schema, struct weir_form *ret_form,
                   struct weir_error *error) {
    struct ArrowSchema copy = {0};
    WR_TRY(wr_arrow_copy_schema(schema, &copy, error));
    *ret_form =
        (struct weir_form){.type = WEIR_FORM_STREAM, .schema = copy, .release = form_release};
    return WEIR_OK;
}

void wr_form_sql(const char *query, const char *catalog, const char *schema,
                 struct weir_form *ret_form) {
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_SQL,
        .sql = {.query = query, .catalog = catalog, .schema = schema},
        .release = form_release,
    };
}

int wr_form_sql_refuse_columns(const struct weir_definition *definition, struct weir_error *error) {
    if (!definition->columns) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                        "table \"%s\" (kind %s): its columns come from its query; leave out the "
                        "column list",
                        definition->name, definition->kind);
}
