/* SPDX-License-Identifier: Apache-2.0 */
/* system.extensions: what was loaded, the kinds of table and of mount, and functions of extensions.
 */
#include "base/error.h"
#include "table/extension/extension.h"
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
    wr_rows_text(walk->rows, is_ours ? "built-in" : info->extension ? "extension" : "registered");
    wr_rows_text(walk->rows, info->extension);
    wr_rows_text(walk->rows, NULL);
    wr_rows_text(walk->rows, NULL);
    return wr_rows_end(walk->rows, error);
}

static int add_extension(void *sink, const struct wr_extension_info *info,
                         struct weir_error *error) {
    struct walk *walk = sink;
    bool all = wr_rows_see_all(walk->rows); /* where things are on the machine */
    wr_rows_text(walk->rows, info->name);
    wr_rows_text(walk->rows, "extension");
    wr_rows_text(walk->rows, info->summary);
    wr_rows_text(walk->rows, info->origin);
    wr_rows_text(walk->rows, info->name);
    wr_rows_text(walk->rows, info->version);
    wr_rows_text(walk->rows, all ? info->library : NULL);
    return wr_rows_end(walk->rows, error);
}

int wr_system_fill_extensions(void *context, struct wr_rows *rows, struct weir_error *error) {
    const struct wr_system *system = context;
    struct walk walk = {system, rows};
    if (system->extensions)
        WR_TRY(wr_extensions_each(system->extensions, add_extension, &walk, error));
    return wr_registry_each(system->registry, add_kind, &walk, error);
}
