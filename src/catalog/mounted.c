/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of mounts. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/gate.h"
#include "catalog/names.h"

/* The parts of a table's SQL name, out of its path: a schema of the mount, and a name in it. */
struct table_name {
    char *schema;
    const char *name;
};

static int name_table(const struct wr_mount *mount, const struct weir_found *found,
                      struct table_name *ret_name, struct weir_error *error) {
    const char *slash = strrchr(found->path, '/');
    const char *last = slash ? slash + 1 : found->path;
    char *schema = slash ? wr_strndup(found->path, (size_t)(slash - found->path))
                         : wr_strdup(wr_mount_kind(mount)->default_schema);
    if (!schema) return wr_error_memory(error);
    ret_name->schema = schema;
    ret_name->name = found->entry.table ? found->entry.table : *last ? last : wr_mount_name(mount);
    return WEIR_OK;
}

/* A pipe gives its bytes once, and what a name of the process's own stands for may change. */
static bool may_be_kept(const struct wr_mount *mount, const struct weir_found *found) {
    if (found->entry.type == WEIR_ENTRY_FILE && found->entry.n_bytes < 0) return false;
    if (strcmp(wr_mount_name(mount), "/") != 0) return true;
    return strncmp(found->path, "dev/", 4) != 0 && strncmp(found->path, "proc/", 5) != 0;
}

static int refuse(const struct wr_mount *mount, const struct weir_found *found,
                  struct weir_error *error) {
    const char *name = wr_mount_name(mount);
    const char *what = found->entry.type == WEIR_ENTRY_DIRECTORY ? "a directory without tables of "
                                                                   "its own"
                                                                 : "a plain file";
    bool machine = strcmp(name, "/") == 0;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "\"%s%s%s%s\" is %s and no table: it has no rows", machine ? "" : "/",
                        machine ? "" : name, *found->path || machine ? "/" : "", found->path, what);
}

/* What a table is opened from. */
struct from {
    const struct weir_found *found;
    const struct table_name *name;
    const char *how; /* what a call says of the cache */
};

/* `options` NULL: through the mount's cache. */
static int open_found(struct wr_names *names, struct wr_mount *mount, const struct from *from,
                      const struct wr_options *options, struct wr_instance **ret_instance,
                      struct weir_error *error) {
    struct weir_definition definition = {
        .size = sizeof definition,
        .catalog = wr_mount_name(mount),
        .schema = from->name->schema,
        .name = from->name->name,
        .kind = from->found->kind,
        .options = options ? options->items : NULL,
        .n_options = options ? options->n_items : 0,
    };
    if (!options)
        return wr_mount_open_cached(names, mount, from->found->path, from->how, &definition,
                                    ret_instance, error);
    if (may_be_kept(mount, from->found))
        return wr_recent_open(names, &definition, ret_instance, error);
    return wr_instance_open(names->registry, &definition, ret_instance, error);
}

int wr_mount_table(struct wr_names *names, struct wr_mount *mount, const struct weir_found *found,
                   const struct weir_option *options, size_t n_options,
                   struct wr_instance **ret_instance, struct weir_error *error) {
    const struct weir_table_kind *kind = NULL;
    struct table_name name = {0};
    struct wr_options all = {0};
    const char *how = wr_cache_switch(options, n_options);
    bool cached = wr_mount_cache(mount)->n_items > 0;
    /* Without a cache there is only the table itself. */
    if (how && (!cached || strcmp(how, "off") == 0)) {
        cached = false;
        n_options = 0;
    }
    /* A table that is called with parameters is another one for each value. */
    if (n_options > (how ? 1 : 0)) cached = false;
    if (cached) n_options = 0;
    if (!found->kind) return refuse(mount, found, error);
    WR_TRY(name_table(mount, found, &name, error));
    int code = wr_registry_find(names->registry, found->kind, &kind, error);
    if (code) code = wr_error_prefix(error, code, "table \"%s\"", name.name);
    if (code == WEIR_OK) {
        code = wr_call_options(kind, name.name, found->options, found->n_options, options,
                               n_options, &all, error);
    }
    const struct from from = {found, &name, how};
    if (code == WEIR_OK) {
        code = open_found(names, mount, &from, cached ? NULL : &all, ret_instance, error);
    }
    wr_options_reset(&all);
    wr_free(name.schema);
    return code;
}

/* The path without an encoding's extension, by which the same rows may be meant. */
static int find_stem(const struct wr_encodings *encodings, struct wr_mount *mount,
                     const char *within, struct weir_found *found, struct weir_error *error) {
    size_t stem = 0;
    if (!wr_path_encoding(encodings, within, &stem)) return WEIR_NOT_FOUND;
    char *path = wr_strndup(within, stem);
    if (!path) return wr_error_memory(error);
    struct weir_error other = {0};
    int code = wr_mount_kind(mount)->find(wr_mount_data(mount), path, found, &other);
    wr_free(path);
    if (code && code != WEIR_NOT_FOUND && error) *error = other;
    if (code || found->kind) return code;
    if (found->release) found->release(found);
    return WEIR_NOT_FOUND;
}

/* A file of the machine that nothing but its content can tell to be a table: left to the kind that
 * reads paths. */
static int open_by_role(struct wr_names *names, struct wr_mount *mount,
                        const struct weir_found *found, const struct weir_option *options,
                        size_t n_options, struct wr_instance **ret_instance,
                        struct weir_error *error) {
    const struct weir_table_kind *kind = wr_registry_role(names->registry, WEIR_ROLE_PATH);
    bool machine = strcmp(wr_mount_name(mount), "/") == 0;
    if (!kind || !machine || found->entry.type != WEIR_ENTRY_FILE) {
        return refuse(mount, found, error);
    }
    struct wr_buffer path;
    wr_buffer_init(&path, SIZE_MAX - 1);
    wr_buffer_char(&path, '/');
    wr_buffer_text(&path, found->path);
    struct weir_found plain = *found;
    plain.kind = kind->name;
    plain.options = &(struct weir_option){"path", path.data};
    plain.n_options = 1;
    int code = path.failed
                   ? wr_error_memory(error)
                   : wr_mount_table(names, mount, &plain, options, n_options, ret_instance, error);
    wr_buffer_reset(&path);
    return code;
}

/* Asks about what was found, under the name that it has; of the machine by its path. */
static int check(const struct wr_gate *gate, const struct wr_mount *mount,
                 const struct weir_found *found, struct weir_error *error) {
    struct table_name name = {0};
    if (!gate) return WEIR_OK;
    if (strcmp(wr_mount_name(mount), "/") == 0) {
        struct wr_buffer path;
        wr_buffer_init(&path, SIZE_MAX - 1);
        wr_buffer_char(&path, '/');
        wr_buffer_text(&path, found->path);
        int code =
            path.failed ? wr_error_memory(error) : gate->path(gate->context, path.data, error);
        wr_buffer_reset(&path);
        return code;
    }
    WR_TRY(name_table(mount, found, &name, error));
    const struct wr_name full = {wr_mount_name(mount), name.schema, name.name};
    int code = gate->table(gate->context, &full, error);
    wr_free(name.schema);
    return code;
}

/* A path of the machine that is not to be read is not even looked for. */
static int check_before(const struct wr_gate *gate, const struct wr_mount *mount,
                        const char *within, struct weir_error *error) {
    if (strcmp(wr_mount_name(mount), "/") != 0) return WEIR_OK;
    return check(gate, mount, &(struct weir_found){.path = within}, error);
}

int wr_mount_open_table(struct wr_names *names, const struct wr_gate *gate, struct wr_mount *mount,
                        const char *within, const struct weir_option *options, size_t n_options,
                        struct wr_instance **ret_instance, struct weir_error *error) {
    struct weir_found found = {.size = sizeof found};
    WR_TRY(check_before(gate, mount, within, error));
    int code = wr_mount_kind(mount)->find(wr_mount_data(mount), within, &found, error);
    /* Of both failures the first one names the path that was asked for. */
    if (code == WEIR_NOT_FOUND)
        code = find_stem(wr_names_encodings(names), mount, within, &found, error);
    WR_TRY(code);
    code = check(gate, mount, &found, error);
    if (code == WEIR_OK && gate && n_options > 0 && found.kind) {
        const struct weir_table_kind *kind = NULL;
        code = wr_registry_find(names->registry, found.kind, &kind, error);
        if (code == WEIR_OK) code = gate->kind(gate->context, kind, options, n_options, error);
    }
    if (code == WEIR_OK)
        code = found.kind
                   ? wr_mount_table(names, mount, &found, options, n_options, ret_instance, error)
                   : open_by_role(names, mount, &found, options, n_options, ret_instance, error);
    if (found.release) found.release(&found);
    return code;
}
