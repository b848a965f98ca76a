/* SPDX-License-Identifier: Apache-2.0 */
/* system.extensions: the kinds of table and of mount. */
#include "base/error.h"
#include "table/system/tables.h"

struct walk {
    const struct wr_system *system;
    struct wr_rows *rows;
};

static int add_kind(void *sink, const struct wr_kind_info *info, struct weir_error *error) {
    struct walk *walk = sink;
    bool is_ours = info->is_built_in || info->name == walk->system->kind.name;
    wr_rows_text(walk->rows, info->name);
    wr_rows_text(walk->rows, info->type);
    wr_rows_text(walk->rows, info->summary);
    wr_rows_text(walk->rows, is_ours ? "built-in" : "registered");
    return wr_rows_end(walk->rows, error);
}

int wr_system_fill_extensions(void *context, struct wr_rows *rows, struct weir_error *error) {
    const struct wr_system *system = context;
    return wr_registry_each(system->registry, add_kind, &(struct walk){system, rows}, error);
}
