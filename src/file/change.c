/* SPDX-License-Identifier: Apache-2.0 */
/* Removing, moving and making: files and directories of mounts, tables and schemas of catalogs. */
#include "file/change.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "file/encoding.h"

/* A mount's slot that is not there. */
static int read_only(const struct wr_mount *mount, const char *path, struct weir_error *error) {
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "25006",
                        "\"%s\" cannot be changed: mounts of kind %s are read only", path,
                        wr_mount_kind(mount)->name);
}

/* ---- What a path of a mount means ---- */

/*
 * The path as the mount lists it: a table may be called by a shorter name than its file. What
 * cannot be found may still be there (a link that leads nowhere): then it is the path itself.
 */
static int listed_path(const struct wr_place *place, char **ret_path, struct weir_error *error) {
    struct weir_found found = {0};
    const char *path = place->within;
    int code = wr_mount_find(place->mount, place->within, &found, error);
    if (code == WEIR_OK && found.is_series && found.entry.type == WEIR_ENTRY_TABLE) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "\"%s\" is a pattern: name each file, or the directory", place->path);
    } else if (code == WEIR_OK) {
        if (found.entry.type == WEIR_ENTRY_FILE) path = found.path;
    } else if (code == WEIR_NOT_FOUND) {
        code = WEIR_OK;
    }
    char *copy = code == WEIR_OK ? wr_strdup(path) : NULL;
    wr_found_reset(&found);
    WR_TRY(code);
    if (!copy) return wr_error_memory(error);
    *ret_path = copy;
    return WEIR_OK;
}

/* ---- Remove ---- */

static int remove_in_mount(struct wr_names *names, const struct wr_place *place, int recursive,
                           struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(place->mount);
    char *path = NULL;
    if (!kind->remove) return read_only(place->mount, place->path, error);
    WR_TRY(listed_path(place, &path, error));
    int code = kind->remove(wr_mount_data(place->mount), path, recursive, error);
    if (kind->create_table) wr_names_forget(names, place->mount);
    wr_free(path);
    return code;
}

static int refuse_encoding(const struct wr_place *place, struct weir_error *error) {
    size_t stem = (size_t)(wr_path_extension(place->path) - 1 - place->path);
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "\"%s\" is the bytes of a table and no file; the table is \"%.*s\"",
                        place->path, (int)stem, place->path);
}

static int drop_table(struct wr_names *names, const struct wr_place *place,
                      struct weir_error *error) {
    struct wr_name name = {place->catalog, place->schema, place->name};
    struct weir_error why = {0};
    if (place->encoding) return refuse_encoding(place, error);
    int code = wr_names_drop_table(names, &name, false, false, &why);
    /* It is a view. */
    if (code && strcmp(why.sqlstate, "42809") == 0) {
        return wr_names_drop_table(names, &name, true, false, error);
    }
    if (code && error) *error = why;
    return code;
}

static int remove_place(struct weir_session *session, const struct wr_place *place, int recursive,
                        struct weir_error *error) {
    struct wr_names *names = session->workspace->names;
    switch (place->type) {
    case WR_PLACE_MOUNT:
        return remove_in_mount(names, place, recursive, error);
    case WR_PLACE_TABLE:
        return drop_table(names, place, error);
    case WR_PLACE_SCHEMA:
        return wr_names_drop_schema(names, place->catalog, place->schema, false, recursive != 0,
                                    error);
    default:
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            "\"%s\" is %s, which cannot be removed", place->path,
                            place->type == WR_PLACE_TOP ? "the top of the tree"
                                                        : "a catalog of the workspace");
    }
}

static int remove_path(struct weir_session *session, const char *path, int recursive,
                       struct weir_error *error) {
    struct wr_place place = {0};
    WR_TRY(wr_session_locate(session, path, &place, error));
    int code = wr_policy_place(session, &place, WR_MAY_DROP, error);
    if (code == WEIR_OK) code = remove_place(session, &place, recursive, error);
    wr_place_reset(&place);
    return code;
}

int weir_remove(struct weir_session *session, const char *path, int recursive,
                struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&session->activities, NULL, &work);
    int code = remove_path(session, path, recursive, error);
    wr_work_end(&work);
    return code;
}

/* ---- Move ---- */

/* Whether the name that a file gets tells another encoding than its bytes have. */
static bool is_recoded(const struct wr_encodings *encodings, const char *from, const char *to) {
    const char *old = wr_encoding_of_path(encodings, from, NULL);
    const char *new = wr_encoding_of_path(encodings, to, NULL);
    return new && (!old || strcmp(old, new) != 0);
}

/* A table that was called by its short name, and is to be called by another one, keeps what its
 * file's name has more: x of x.csv.gz becomes y.csv.gz. */
static int keep_extension(const char *asked, const char *listed, struct wr_target *target,
                          struct weir_error *error) {
    size_t length = strlen(asked);
    if (strncmp(asked, listed, length) != 0 || listed[length] != '.' || target->is_occupied ||
        wr_path_extension(target->within))
        return WEIR_OK;
    struct wr_buffer within;
    wr_buffer_init(&within, SIZE_MAX - 1);
    wr_buffer_text(&within, target->within);
    wr_buffer_text(&within, listed + length);
    char *text = wr_buffer_take(&within);
    if (!text) return wr_error_memory(error);
    struct weir_found found = {0};
    target->is_occupied = wr_mount_find(target->mount, text, &found, NULL) == WEIR_OK;
    target->is_occupied = target->is_occupied && found.is_exact;
    wr_found_reset(&found);
    wr_free(target->within);
    target->within = text;
    return WEIR_OK;
}

static int already_there(const struct wr_target *target, struct weir_error *error) {
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02",
                        "\"%s\" is already there; remove it, or overwrite it", target->path);
}

static int rename_in_mount(const struct wr_place *from, const char *listed,
                           struct wr_target *target, int overwrite, struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(from->mount);
    WR_TRY(keep_extension(from->within, listed, target, error));
    if (strcmp(listed, target->within) == 0) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "\"%s\" would be moved onto itself",
                            target->path);
    }
    if (target->is_occupied && !overwrite) return already_there(target, error);
    return kind->rename(wr_mount_data(from->mount), listed, target->within, error);
}

static int copy_and_remove(struct weir_session *session, struct weir_node *node,
                           const struct wr_target *target, int overwrite,
                           struct weir_error *error) {
    const struct wr_place *place = &node->place;
    if (node->by_stem || place->encoding) return refuse_encoding(place, error);
    if (node->is_directory || node->found.is_series) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\" is more than one file: it is moved within its mount only; copy "
                            "and remove what is in it",
                            place->path);
    }
    WR_TRY(wr_copy_node(node, target, overwrite != 0, error));
    return remove_place(session, place, false, error);
}

static int move_node(struct weir_session *session, struct weir_node *node, const char *to,
                     int overwrite, struct weir_error *error) {
    const struct wr_place *place = &node->place;
    struct wr_target target = {0};
    char *name = NULL;
    WR_TRY(wr_node_own_name(node, &name, error));
    /* A file that moves keeps its name, whatever table it is. */
    int code = wr_target_open(session, to, wr_node_is_file(node) ? node->found.path : name, &target,
                              error);
    wr_free(name);
    WR_TRY(code);
    bool file = wr_node_is_file(node) || node->is_directory;
    const char *listed = file && !node->is_directory ? node->found.path : place->within;
    if (file && wr_mount_data(target.mount) == wr_mount_data(place->mount) &&
        wr_mount_kind(target.mount)->rename &&
        (node->is_directory || !wr_node_is_table(node) ||
         !is_recoded(wr_node_encodings(node), listed, target.within))) {
        code = rename_in_mount(place, listed, &target, overwrite, error);
    } else {
        code = copy_and_remove(session, node, &target, overwrite, error);
    }
    wr_target_reset(&target);
    return code;
}

/* A table of a catalog to another name in it, which may be given as its schema. */
static int rename_table(struct weir_session *session, const struct wr_place *from,
                        const struct wr_place *to, struct weir_error *error) {
    struct wr_name old = {from->catalog, from->schema, from->name};
    struct wr_name new = {to->catalog, to->schema, to->name ? to->name : from->name};
    if (from->encoding) return refuse_encoding(from, error);
    if (to->encoding) return refuse_encoding(to, error);
    return wr_names_rename_table(session->workspace->names, &old, &new, error);
}

static int move_place(struct weir_session *session, struct wr_place *from, const char *to,
                      int overwrite, struct weir_error *error) {
    struct wr_place target = {0};
    WR_TRY(wr_session_locate(session, to, &target, error));
    bool within_catalogs = from->type == WR_PLACE_TABLE &&
                           (target.type == WR_PLACE_TABLE || target.type == WR_PLACE_SCHEMA);
    int code = WEIR_OK;
    if (within_catalogs) code = wr_policy_place(session, &target, WR_MAY_CREATE, error);
    if (within_catalogs && code == WEIR_OK) code = rename_table(session, from, &target, error);
    wr_place_reset(&target);
    if (within_catalogs) return code;
    if (from->type != WR_PLACE_TABLE && from->type != WR_PLACE_MOUNT) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "\"%s\" is no file, directory or table, and keeps its name",
                            from->path);
    }
    struct weir_node *node = NULL;
    WR_TRY(wr_node_open_place(session, from, &node, error));
    code = move_node(session, node, to, overwrite, error);
    weir_node_close(node);
    return code;
}

static int move_path(struct weir_session *session, const char *from, const char *to, int overwrite,
                     struct weir_error *error) {
    struct wr_place place = {0};
    WR_TRY(wr_session_locate(session, from, &place, error));
    int code = wr_policy_place(session, &place, WR_MAY_SELECT, error);
    if (code == WEIR_OK) code = wr_policy_place(session, &place, WR_MAY_DROP, error);
    if (code == WEIR_OK) code = move_place(session, &place, to, overwrite, error);
    wr_place_reset(&place);
    return code;
}

int weir_move(struct weir_session *session, const char *from, const char *to, int overwrite,
              struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&session->activities, NULL, &work);
    int code = move_path(session, from, to, overwrite, error);
    wr_work_end(&work);
    return code;
}

/* ---- Make ---- */

/* One directory; `parents`: one that is there will do. */
static int make_one(const struct wr_place *place, const char *within, int parents,
                    struct weir_error *error) {
    const struct weir_mount_kind *kind = wr_mount_kind(place->mount);
    struct weir_error why = {0};
    struct weir_found found = {0};
    int code = kind->make_directory(wr_mount_data(place->mount), within, &why);
    if (code == WEIR_ALREADY_EXISTS && parents) {
        WR_TRY(wr_mount_find(place->mount, within, &found, error));
        if (found.entry.type == WEIR_ENTRY_DIRECTORY) code = WEIR_OK;
        wr_found_reset(&found);
    }
    if (code && error) *error = why;
    return code;
}

static int make_in_mount(const struct wr_place *place, int parents, struct weir_error *error) {
    if (!wr_mount_kind(place->mount)->make_directory) {
        return read_only(place->mount, place->path, error);
    }
    if (parents && !place->within[0]) return WEIR_OK;
    char *within = wr_strdup(place->within);
    if (!within) return wr_error_memory(error);
    int code = WEIR_OK;
    for (char *slash = strchr(within, '/'); parents && slash && code == WEIR_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct weir_found found = {0};
        /* Most of them are there, and may not be made. */
        bool there = wr_mount_find(place->mount, within, &found, NULL) == WEIR_OK &&
                     found.is_exact && found.entry.type == WEIR_ENTRY_DIRECTORY;
        wr_found_reset(&found);
        if (!there) code = make_one(place, within, parents, error);
        *slash = '/';
    }
    if (code == WEIR_OK) code = make_one(place, within, parents, error);
    wr_free(within);
    return code;
}

static int make_place(struct weir_session *session, const struct wr_place *place, int parents,
                      struct weir_error *error) {
    if (place->type == WR_PLACE_MOUNT) return make_in_mount(place, parents, error);
    if (place->type == WR_PLACE_SCHEMA) {
        return wr_names_create_schema(session->workspace->names, place->catalog, place->schema,
                                      parents ? WR_CREATE_IF_NOT_EXISTS : 0, error);
    }
    if (place->type == WR_PLACE_TABLE) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42602",
                            "\"%s\" would be in a schema of catalog \"%s\", which holds tables and "
                            "no directories",
                            place->path, place->catalog);
    }
    if (parents) return WEIR_OK;
    return wr_error_set(error, WEIR_ALREADY_EXISTS, "58P02", "\"%s\" is already there",
                        place->path);
}

static int make_path(struct weir_session *session, const char *path, int parents,
                     struct weir_error *error) {
    struct wr_place place = {0};
    WR_TRY(wr_session_locate(session, path, &place, error));
    int code = wr_policy_place(session, &place, WR_MAY_CREATE, error);
    if (code == WEIR_OK) code = make_place(session, &place, parents, error);
    wr_place_reset(&place);
    return code;
}

int weir_make_directory(struct weir_session *session, const char *path, int parents,
                        struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&session->activities, NULL, &work);
    int code = make_path(session, path, parents, error);
    wr_work_end(&work);
    return code;
}
