/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to a node. */
#include "file/node.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "file/encoding.h"
#include "table/sql/front_matter.h"

/* ---- Places ---- */

int wr_session_locate(struct weir_session *session, const char *path, struct wr_place *ret_place,
                      struct weir_error *error) {
    char *catalog = NULL;
    char *schema = NULL;
    WR_TRY(wr_engine_session_names(session->engine, &catalog, &schema, error));
    int code = wr_names_locate(session->workspace->names, path, catalog, schema, ret_place, error);
    wr_engine_free(catalog);
    wr_engine_free(schema);
    return code;
}

int wr_mount_find(const struct wr_mount *mount, const char *within, struct weir_found *ret_found,
                  struct weir_error *error) {
    struct weir_found found = {.size = sizeof found};
    WR_TRY(wr_mount_kind(mount)->find(wr_mount_data(mount), within, &found, error));
    *ret_found = found;
    return WEIR_OK;
}

void wr_found_reset(struct weir_found *found) {
    if (found->release) found->release(found);
    *found = (struct weir_found){0};
}

const struct wr_encodings *wr_node_encodings(const struct weir_node *node) {
    return wr_registry_encodings(node->session->workspace->registry);
}

/* ---- In a mount ---- */

/* The path without an encoding's extension: a table, whose bytes the extension asks for. */
static int find_stem(struct weir_node *node, struct weir_error *error) {
    size_t stem = 0;
    const char *encoding = wr_encoding_of_path(wr_node_encodings(node), node->place.within, &stem);
    if (!encoding) return WEIR_NOT_FOUND;
    char *path = wr_strndup(node->place.within, stem);
    if (!path) return wr_error_memory(error);
    struct weir_error other = {0};
    int code = wr_mount_find(node->place.mount, path, &node->found, &other);
    wr_free(path);
    if (code == WEIR_NOT_FOUND) return code;
    if (code) {
        if (error) *error = other;
        return code;
    }
    if (!node->found.kind) {
        wr_found_reset(&node->found);
        return WEIR_NOT_FOUND;
    }
    node->encoding = encoding;
    node->by_stem = true;
    return WEIR_OK;
}

static bool is_mounts_root(const struct weir_node *node) {
    return node->place.within[0] == '\0';
}

static int find_in_mount(struct weir_node *node, struct weir_error *error) {
    struct weir_found *found = &node->found;
    int code = wr_mount_find(node->place.mount, node->place.within, found, error);
    if (code == WEIR_NOT_FOUND && is_mounts_root(node)) {
        node->is_directory = true;
        return WEIR_OK;
    }
    /* Of both failures the first one names the path that was asked for. */
    if (code == WEIR_NOT_FOUND) code = find_stem(node, error);
    WR_TRY(code);
    node->is_directory = !node->by_stem && found->entry.type == WEIR_ENTRY_DIRECTORY;
    if (node->by_stem || node->is_directory || !found->kind) return WEIR_OK;
    /* A pattern's extension asks, too. */
    bool file = found->entry.type == WEIR_ENTRY_FILE;
    node->encoding =
        wr_encoding_of_path(wr_node_encodings(node), file ? found->path : node->place.within, NULL);
    return WEIR_OK;
}

static int copy_text(const char *text, size_t length, char **ret_copy, struct weir_error *error) {
    *ret_copy = wr_strndup(text, length);
    return *ret_copy ? WEIR_OK : wr_error_memory(error);
}

/* SQL's name: the mount, the directory, and the name by which the listing calls the table. */
static int name_in_mount(struct weir_node *node, struct weir_error *error) {
    const struct wr_mount *mount = node->place.mount;
    const struct weir_found *found = &node->found;
    if (!found->kind || wr_mount_is_outside(mount)) return WEIR_OK;
    const char *path = found->path;
    const char *slash = strrchr(path, '/');
    const char *schema = slash ? path : wr_mount_kind(mount)->default_schema;
    size_t length = slash ? (size_t)(slash - path) : strlen(schema);
    const char *name = found->entry.table ? found->entry.table : slash ? slash + 1 : path;
    WR_TRY(copy_text(wr_mount_name(mount), strlen(wr_mount_name(mount)), &node->catalog, error));
    WR_TRY(copy_text(schema, length, &node->schema, error));
    return copy_text(name, strlen(name), &node->name, error);
}

static int open_in_mount(struct weir_node *node, struct weir_error *error) {
    WR_TRY(find_in_mount(node, error));
    return name_in_mount(node, error);
}

/* ---- In a catalog ---- */

struct candidates {
    const char *wanted;
    char nearest[256];
};

static void consider(void *sink, const char *name) {
    struct candidates *candidates = sink;
    const char *both[] = {name, candidates->nearest};
    size_t n = candidates->nearest[0] ? 2 : 1;
    const char *nearest = wr_nearest(candidates->wanted, both, n);
    if (nearest == name && strlen(name) < sizeof candidates->nearest) {
        memcpy(candidates->nearest, name, strlen(name) + 1);
    }
}

static int no_table(const struct weir_node *node, struct weir_error *error) {
    const struct wr_place *place = &node->place;
    struct wr_names *names = node->session->workspace->names;
    int code = wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "there is no table \"%s\" in schema \"%s\" of catalog \"%s\"",
                            place->name, place->schema, place->catalog);
    if (place->encoding) {
        wr_error_append(error, ", of which \"%s\" would be the bytes", place->path);
    }
    struct candidates candidates = {.wanted = place->name};
    if (!wr_names_has(names, place->catalog, place->schema)) {
        wr_error_append(error, ": there is no such schema");
    } else if (wr_names_list(names, place->catalog, place->schema, consider, &candidates, NULL) ==
                   WEIR_OK &&
               candidates.nearest[0]) {
        wr_error_append(error, "; nearest name there: \"%s\"", candidates.nearest);
    }
    return code;
}

static int open_table(struct weir_node *node, struct weir_error *error) {
    const struct wr_place *place = &node->place;
    struct wr_name name = {place->catalog, place->schema, place->name};
    WR_TRY(wr_gated_open(&node->session->names->gated, &name, NULL, 0, &node->instance, error));
    if (!node->instance && wr_access_hides(node->session->access))
        return wr_policy_nothing(place->path, error);
    if (!node->instance) return no_table(node, error);
    node->encoding =
        place->encoding ? wr_encoding_parse(wr_node_encodings(node), place->encoding) : NULL;
    WR_TRY(copy_text(place->catalog, strlen(place->catalog), &node->catalog, error));
    WR_TRY(copy_text(place->schema, strlen(place->schema), &node->schema, error));
    return copy_text(place->name, strlen(place->name), &node->name, error);
}

static int open_schema(struct weir_node *node, struct weir_error *error) {
    const struct wr_place *place = &node->place;
    node->is_directory = true;
    if (wr_names_has(node->session->workspace->names, place->catalog, place->schema)) {
        return WEIR_OK;
    }
    struct candidates candidates = {.wanted = place->schema};
    int code =
        wr_error_set(error, WEIR_NOT_FOUND, "3F000", "there is no schema \"%s\" in catalog \"%s\"",
                     place->schema, place->catalog);
    if (wr_names_list(node->session->workspace->names, place->catalog, NULL, consider, &candidates,
                      NULL) == WEIR_OK &&
        candidates.nearest[0]) {
        wr_error_append(error, "; nearest name there: \"%s\"", candidates.nearest);
    }
    return code;
}

/* ---- Open and close ---- */

static int open_any(struct weir_node *node, struct weir_error *error) {
    switch (node->place.type) {
    case WR_PLACE_MOUNT:
        return open_in_mount(node, error);
    case WR_PLACE_TABLE:
        return open_table(node, error);
    case WR_PLACE_SCHEMA:
        return open_schema(node, error);
    default:
        node->is_directory = true;
        return WEIR_OK;
    }
}

int wr_node_open_place(struct weir_session *session, struct wr_place *place,
                       struct weir_node **ret_node, struct weir_error *error) {
    struct weir_node *node = wr_calloc(1, sizeof *node);
    if (!node) return wr_error_memory(error);
    pthread_mutex_init(&node->mutex, NULL);
    node->session = session;
    node->place = *place;
    int code = open_any(node, error);
    if (code) {
        node->place = (struct wr_place){0};
        weir_node_close(node);
        return code;
    }
    *place = (struct wr_place){0};
    *ret_node = node;
    return WEIR_OK;
}

static int open_path(struct weir_session *session, const char *path, struct weir_node **ret_node,
                     struct weir_error *error) {
    struct wr_place place = {0};
    WR_TRY(wr_session_locate(session, path, &place, error));
    int code = wr_policy_place(session, &place, WR_MAY_SELECT, error);
    if (code == WEIR_OK) code = wr_node_open_place(session, &place, ret_node, error);
    /* Nothing is told of what is near to it either. */
    if (code == WEIR_NOT_FOUND && wr_access_hides(session->access)) wr_policy_nothing(path, error);
    wr_place_reset(&place);
    return code;
}

int weir_node_open(struct weir_session *session, const char *path, struct weir_node **ret_node,
                   struct weir_error *error) {
    struct wr_work work;
    wr_work_begin(&session->activities, NULL, &work);
    int code = open_path(session, path, ret_node, error);
    wr_work_end(&work);
    return code;
}

void weir_node_close(struct weir_node *node) {
    if (!node) return;
    wr_snapshot_release(node->snapshot);
    wr_instance_release(node->instance);
    wr_found_reset(&node->found);
    wr_place_reset(&node->place);
    wr_free(node->catalog);
    wr_free(node->schema);
    wr_free(node->name);
    wr_free(node->description);
    pthread_mutex_destroy(&node->mutex);
    wr_free(node);
}

/* ---- What it is ---- */

bool wr_node_is_table(const struct weir_node *node) {
    return node->instance || node->found.kind;
}

bool wr_node_is_file(const struct weir_node *node) {
    return node->place.type == WR_PLACE_MOUNT && !node->by_stem && !node->is_directory &&
           node->found.entry.type == WEIR_ENTRY_FILE;
}

int wr_node_instance(const struct weir_node *node, struct wr_instance **ret_instance,
                     struct weir_error *error) {
    if (node->instance) {
        *ret_instance = wr_instance_retain(node->instance);
        return WEIR_OK;
    }
    /* Itself, not a copy. */
    const struct weir_option off = {WR_CACHED_SWITCH, "off"};
    return wr_mount_table(node->session->workspace->names, node->place.mount, &node->found, &off, 1,
                          ret_instance, error);
}

bool wr_node_has_own_bytes(const struct weir_node *node) {
    if (!wr_node_is_file(node)) return false;
    return node->found.is_exact || node->encoding || !wr_node_is_table(node);
}

/* What only the table itself can tell. */
struct answer {
    int32_t type;
    char *description;
    const char *format;
};

/* What a query's file says of it in its first lines. */
static void read_front_matter(const struct wr_encodings *encodings, const struct weir_sql *sql,
                              struct answer *answer) {
    struct wr_sql_front_matter said = {0};
    if (!sql->source) return;
    if (wr_sql_front_matter_parse(sql->source, sql->query, &said, NULL) != WEIR_OK) return;
    answer->description = wr_strdup(said.description);
    answer->format = said.format ? wr_encoding_parse(encodings, said.format) : NULL;
    wr_sql_front_matter_reset(&said);
}

/* A table that cannot be opened or asked is not known to be only SQL. */
static struct answer ask(const struct weir_node *node) {
    bool file = node->place.type == WR_PLACE_MOUNT && node->found.entry.type == WEIR_ENTRY_FILE;
    struct answer answer = {.type = file ? WEIR_NODE_STRUCTURED : WEIR_NODE_TABLE};
    struct wr_instance *instance = NULL;
    struct wr_table table = {0};
    if (wr_node_instance(node, &instance, NULL) != WEIR_OK) return answer;
    if (wr_instance_kind(instance)->roles & WEIR_ROLE_VIEW) {
        answer.type = WEIR_NODE_DERIVED;
    } else if (wr_is_cached(instance)) {
        answer.type = WEIR_NODE_TABLE;
    } else if (wr_instance_table(instance, &table, NULL) == WEIR_OK) {
        if (table.form.type == WEIR_FORM_SQL) {
            answer.type = WEIR_NODE_DERIVED;
            read_front_matter(wr_node_encodings(node), &table.form.sql, &answer);
        }
        table.release(&table);
    }
    wr_instance_release(instance);
    return answer;
}

/* Without asking the table where names tell; 0 where they do not. */
static int32_t type_by_names(const struct weir_node *node) {
    const struct weir_found *found = &node->found;
    if (node->place.type != WR_PLACE_MOUNT) {
        return node->is_directory ? WEIR_NODE_DIRECTORY : 0;
    }
    if (!found->kind) return node->is_directory ? WEIR_NODE_DIRECTORY : WEIR_NODE_FILE;
    if (found->is_series) return WEIR_NODE_SERIES;
    if (node->is_directory) return WEIR_NODE_DIRECTORY;
    bool encoded = wr_encoding_of_path(wr_node_encodings(node), found->path, NULL) != NULL;
    return found->entry.type == WEIR_ENTRY_FILE && encoded ? WEIR_NODE_STRUCTURED : 0;
}

/* What is found out late is no change of the node. */
static void settle(const struct weir_node *node) {
    struct weir_node *self = (struct weir_node *)node;
    pthread_mutex_lock(&self->mutex);
    bool settled = self->type != 0;
    pthread_mutex_unlock(&self->mutex);
    if (settled) return;
    struct answer answer = {.type = type_by_names(node)};
    if (!answer.type) answer = ask(node);
    pthread_mutex_lock(&self->mutex);
    if (self->type == 0) {
        self->type = answer.type;
        self->description = answer.description;
        self->format = answer.format;
        answer.description = NULL;
    }
    pthread_mutex_unlock(&self->mutex);
    wr_free(answer.description);
}

int32_t wr_node_type(const struct weir_node *node) {
    int32_t type = type_by_names(node);
    if (type) return type;
    settle(node);
    return node->type;
}

const char *wr_node_encoding(const struct weir_node *node) {
    if (node->encoding || !wr_node_is_table(node) ||
        (wr_node_is_file(node) && node->found.is_exact))
        return node->encoding;
    settle(node);
    return node->format;
}

int wr_node_refuse_rows(const struct weir_node *node, struct weir_error *error) {
    const char *path = node->place.path;
    if (node->is_directory) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                            "\"%s\" is a directory without rows of its own; name a table in it",
                            path);
    }
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42809",
                        "\"%s\" is a plain file of %lld bytes and no table; read its bytes (weir "
                        "cat --bytes), or give it a name with the extension of a format, such as "
                        ".csv",
                        path, (long long)node->found.entry.n_bytes);
}

int wr_give_sized(const void *from, size_t from_size, void *to, const char *what,
                  struct weir_error *error) {
    size_t size = 0;
    memcpy(&size, to, sizeof size);
    if (size < sizeof size) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s: the member `size` is not set; set it to sizeof(struct %s)", what,
                            what);
    }
    memcpy(to, from, size < from_size ? size : from_size);
    memcpy(to, &size, sizeof size);
    return WEIR_OK;
}

void weir_node_describe(const struct weir_node *node, struct weir_node_info *ret_info) {
    const struct weir_found *found = &node->found;
    struct weir_node_info info = {
        .size = sizeof info,
        .type = wr_node_type(node),
        .is_table = wr_node_is_table(node),
        .path = node->place.path,
        .catalog = node->catalog,
        .schema = node->schema,
        .name = node->name,
        .kind = node->instance ? wr_instance_kind(node->instance)->name : found->kind,
        .encoding = wr_node_encoding(node),
        .n_bytes = -1,
    };
    if (node->place.type == WR_PLACE_MOUNT) info.modified_ns = found->entry.modified_ns;
    if (wr_node_is_file(node)) info.n_bytes = found->entry.n_bytes;
    if (info.type == WEIR_NODE_DERIVED) info.description = node->description;
    wr_give_sized(&info, sizeof info, ret_info, "weir_node_info", NULL);
}
