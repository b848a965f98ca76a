/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands ask of the tree's nodes, and the watch over work that is no statement. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli.h"
#include "text.h"
#include "watch.h"

int work_begin(struct cli *cli, struct weir_error *error) {
    WR_TRY(watch_begin(cli->arguments->timeout_ms, false, cli->output.unicode, error));
    watch_attach_connection(cli->connection);
    return WEIR_OK;
}

int work_end(struct cli *cli, int code, struct weir_error *error) {
    int reason = watch_end();
    return code == WEIR_OK ? CLI_DONE : run_failed(cli, reason, error, NULL, 0);
}

bool work_stopped(int code) {
    return code == WEIR_CANCELLED || watch_reason() != WATCH_NONE;
}

int node_missed(const char *path, int code, struct weir_error *error) {
    if (code == WEIR_NOT_FOUND && strchr(path, '/') == NULL &&
        strcmp(error->sqlstate, "42P01") == 0)
        wr_error_append(error, "; no file here has that name either");
    return code;
}

int node_open(struct cli *cli, const char *path, struct weir_node **ret_node,
              struct weir_node_info *ret_info, struct weir_error *error) {
    int code = weir_node_open(cli->session, path, ret_node, error);
    if (code != WEIR_OK) return node_missed(path, code, error);
    *ret_info = (struct weir_node_info){.size = sizeof *ret_info};
    weir_node_describe(*ret_node, ret_info);
    return WEIR_OK;
}

bool node_is_listed(int type) {
    return type == WEIR_NODE_DIRECTORY || type == WEIR_NODE_SERIES;
}

/* "csv.gz" of a file that is packed, or in a format that is only read. */
static const char *extension(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.'), *packed = dot;

    if (dot == NULL || (slash != NULL && dot < slash)) return "table";
    if (strcasecmp(dot, ".gz") == 0 || strcasecmp(dot, ".zst") == 0 ||
        strcasecmp(dot, ".bz2") == 0 || strcasecmp(dot, ".xz") == 0) {
        while (dot > path && dot[-1] != '/' && *--dot != '.')
            continue;
        if (*dot != '.') dot = packed;
    }
    return dot + 1;
}

const char *node_kind(const struct weir_node_info *info) {
    switch (info->type) {
    case WEIR_NODE_DIRECTORY:
        return "directory";
    case WEIR_NODE_STRUCTURED:
        return info->encoding != NULL ? info->encoding : extension(info->path);
    case WEIR_NODE_SERIES:
        return "series";
    case WEIR_NODE_DERIVED:
        return "view";
    case WEIR_NODE_TABLE:
        return "table";
    default:
        return "file";
    }
}

void node_from_text(struct wr_buffer *buffer, const char *text) {
    bool is_path = strchr(text, '/') != NULL || output_format_of_path(text) != NULL ||
                   text[strcspn(text, "*?[{\"\'")] != '\0';
    if (is_path) {
        wr_buffer_identifier(buffer, text);
        return;
    }
    for (;;) {
        char *part = wr_strndup(text, strcspn(text, "."));
        if (part == NULL)
            buffer->failed = true;
        else
            wr_buffer_identifier(buffer, part);
        wr_free(part);
        text += strcspn(text, ".");
        if (*text == '\0') return;
        wr_buffer_char(buffer, *text++);
    }
}

void node_from(struct wr_buffer *buffer, const char *path, const struct weir_node_info *info) {
    struct wr_buffer name;

    if (info->catalog != NULL && info->schema != NULL && info->name != NULL) {
        wr_buffer_identifier(buffer, info->catalog);
        wr_buffer_char(buffer, '.');
        wr_buffer_identifier(buffer, info->schema);
        wr_buffer_char(buffer, '.');
        wr_buffer_identifier(buffer, info->name);
        return;
    }
    /* Not the absolute path, whose first component may be the name of a mount. */
    wr_buffer_init(&name, 1 << 20);
    wr_buffer_format(&name, "%s%s", strchr(path, '/') == NULL ? "./" : "", path);
    if (name.failed)
        buffer->failed = true;
    else
        wr_buffer_identifier(buffer, name.data);
    wr_buffer_reset(&name);
}

/* FNV-1a over 32 bits (draft-eastlake-fnv): enough to see a difference, not to rule out an attack.
 */
static uint32_t hash(uint32_t state, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        state = (state ^ (unsigned char)text[i]) * 16777619u;
    return state;
}

int node_schema_digest(const struct ArrowSchema *schema, char *ret_digest,
                       struct weir_error *error) {
    struct wr_buffer column;
    uint32_t state = 2166136261u;

    wr_buffer_init(&column, 1 << 20);
    for (int64_t i = 0; i < schema->n_children && !column.failed; i++) {
        const struct ArrowSchema *child = schema->children[i];
        wr_buffer_clear(&column);
        wr_buffer_text(&column, child->name == NULL ? "" : child->name);
        wr_buffer_add(&column, "", 1); /* a NUL, which no name holds */
        text_type_name(&column, child);
        wr_buffer_text(&column, child->flags & ARROW_FLAG_NULLABLE ? "?" : "!");
        if (!column.failed) state = hash(state, column.data, column.length + 1);
    }
    bool failed = column.failed;
    wr_buffer_reset(&column);
    if (failed) return wr_error_memory(error);
    snprintf(ret_digest, NODE_DIGEST_SIZE, "%08" PRIx32, state);
    return WEIR_OK;
}
