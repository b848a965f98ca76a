/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "internal.h"

static int is_it(void *context, const struct weir_node_entry *entry) {
    const char **name = context;

    if (strcmp(entry->name, *name) != 0) return 0;
    *name = NULL;
    return 1;
}

/* Whether something of that very name lies in the directory: `x` may also be the table of x.csv. */
static int lies_in_parent(struct weir_session *session, const char *path, bool *ret_there,
                          struct weir_error *error) {
    const char *name = strrchr(path, '/') + 1;
    struct weir_node *parent;

    char *directory = wr_strndup(path, name - 1 == path ? 1 : (size_t)(name - 1 - path));
    if (directory == NULL) return wr_error_memory(error);
    int code = weir_node_open(session, directory, &parent, error);
    wr_free(directory);
    WR_TRY(code);
    code = weir_node_list(parent, is_it, &name, error);
    weir_node_close(parent);
    if (code == WEIR_OK) *ret_there = name == NULL;
    return code;
}

/* Whether the path is a directory, a file, or neither but a name that only SQL knows. */
static int shown_as(struct weir_session *session, const char *path,
                    const struct weir_node_info *info, bool *ret_directory, bool *ret_there,
                    struct weir_error *error) {
    const char *name = strrchr(path, '/') + 1;
    const char *extension = encoding_of_name(name);
    bool as_encoding = extension != NULL && info->encoding != NULL && info->is_table &&
                       strcmp(extension, info->encoding) == 0;

    *ret_directory =
        info->type == WEIR_NODE_DIRECTORY || (info->type == WEIR_NODE_SERIES && !as_encoding);
    /* Patterns are for SQL: here a program that asks for one means that name. */
    *ret_there = info->type != WEIR_NODE_SERIES || strpbrk(name, "*?[") == NULL;
    if (*ret_directory || info->type == WEIR_NODE_FILE || as_encoding) return WEIR_OK;
    *ret_there = false;
    if (info->n_bytes < 0) return WEIR_OK;
    return lies_in_parent(session, path, ret_there, error);
}

int resolve(struct weir_session *session, const char *path, struct weir_node **ret_node,
            struct found *ret_found, struct weir_error *error) {
    struct weir_node_info info = {.size = sizeof info};
    struct found found = {.path = path, .n_bytes = -1};
    struct weir_node *node;
    bool there;

    WR_TRY(weir_node_open(session, path, &node, error));
    weir_node_describe(node, &info);
    int code = shown_as(session, path, &info, &found.directory, &there, error);
    if (code == WEIR_OK && !there)
        code = wr_error_set(error, WEIR_NOT_FOUND, "58P01",
                            "no file is called \"%s\"; a table is the file of its name and an "
                            "encoding's extension, such as .parquet",
                            path);
    if (code != WEIR_OK) {
        weir_node_close(node);
        return code;
    }
    found.own = !found.directory && info.n_bytes >= 0;
    found.kind = info.kind;
    found.modified_ns = info.modified_ns;
    *ret_node = node;
    *ret_found = found;
    return WEIR_OK;
}

int schema_text(const struct ArrowSchema *schema, char **ret_text, struct weir_error *error) {
    struct wr_buffer text;
    char type[512];

    wr_buffer_init(&text, 1 << 16); /* the kernel takes no longer attribute */
    wr_buffer_text(&text, "");
    for (int64_t i = 0; i < schema->n_children; i++) {
        ArrowSchemaToString(schema->children[i], type, sizeof type, 1);
        wr_buffer_format(&text, "%s%s: %s", i == 0 ? "" : "\n", schema->children[i]->name, type);
    }
    if (text.failed) {
        wr_buffer_reset(&text);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "the schema is too long for an attribute");
    }
    *ret_text = wr_buffer_take(&text);
    return WEIR_OK;
}
