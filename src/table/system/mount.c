/* SPDX-License-Identifier: Apache-2.0 */
/* The mount kind `system`: a directory of the system tables, without files. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/system/tables.h"

static int mount_open(const struct weir_definition *definition, void **ret_mount,
                      struct weir_error *error) {
    (void)ret_mount;
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                        "mount \"%s\": weir itself mounts its system tables, as "
                        "\"" WR_SYSTEM_CATALOG "\"",
                        definition->name);
}

static void mount_close(void *mount) {
    (void)mount;
}

static struct weir_entry entry_of(const struct wr_system_table *table) {
    return (struct weir_entry){
        .size = sizeof(struct weir_entry),
        .type = WEIR_ENTRY_TABLE,
        .name = table->name,
        .table = table->name,
        .n_bytes = -1,
    };
}

static int mount_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                      struct weir_error *error) {
    (void)mount;
    if (*path) {
        if (!wr_system_table(path)) return wr_system_unknown_table(path, error);
        return wr_error_set(error, WEIR_NOT_FOUND, NULL, "\"%s\" is a table, not a directory",
                            path);
    }
    for (size_t i = 0; i < wr_system_n_tables; i++) {
        struct weir_entry entry = entry_of(&wr_system_tables[i]);
        WR_TRY(take(sink, &entry, error));
    }
    return WEIR_OK;
}

static void release_found(struct weir_found *found) {
    wr_free(found->private_data);
    found->release = NULL;
}

static int mount_find(void *context, const char *path, struct weir_found *ret_found,
                      struct weir_error *error) {
    const struct wr_system *system = context;
    struct weir_found found = {
        .size = sizeof found,
        .entry = {.size = sizeof found.entry, .type = WEIR_ENTRY_DIRECTORY, .n_bytes = -1},
        .path = "",
        .is_exact = 1,
        .release = release_found,
    };
    found.entry.name = "";
    const struct wr_system_table *table = wr_system_table(path);
    if (*path && !table) return wr_system_unknown_table(path, error);
    if (table) {
        struct weir_option *option = wr_malloc(sizeof *option);
        if (!option) return wr_error_memory(error);
        *option = (struct weir_option){"table", table->name};
        found.entry = entry_of(table);
        found.path = table->name;
        found.kind = system->kind.name;
        found.options = option;
        found.n_options = 1;
        found.private_data = option;
    }
    *ret_found = found;
    return WEIR_OK;
}

const struct weir_mount_kind wr_mount_system = {
    .size = sizeof wr_mount_system,
    .name = "system",
    .summary = "what weir knows of itself",
    .default_schema = "public",
    .open = mount_open,
    .close = mount_close,
    .list = mount_list,
    .find = mount_find,
};
