/* SPDX-License-Identifier: Apache-2.0 */
/* The table facet of a node: all of it is asked of one plan of `SELECT * FROM` the node. */
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "file/node.h"

/* ---- Snapshots ---- */

void wr_snapshot_release(struct wr_snapshot *snapshot) {
    if (!snapshot) return;
    if (atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) > 1) return;
    if (snapshot->plan) wr_plan_free(snapshot->plan);
    if (snapshot->version) wr_engine_free(snapshot->version);
    wr_free(snapshot);
}

/* The path under which the mount lists the table: whatever name asked for it, it is one version. */
static void write_listed_path(const struct weir_node *node, struct wr_buffer *text) {
    const char *mount = wr_mount_name(node->place.mount);
    if (strcmp(mount, "/") != 0 && wr_mount_is_outside(node->place.mount)) {
        wr_buffer_format(text, "%s%s", mount, node->found.path); /* a URL */
        return;
    }
    if (strcmp(mount, "/") != 0) wr_buffer_format(text, "/%s", mount);
    if (node->found.path[0] || strcmp(mount, "/") == 0) {
        wr_buffer_format(text, "/%s", node->found.path);
    }
}

/* What a node is, and its bytes, fetch no copy of a cached table; one that is there does. */
static void write_ready(const struct weir_node *node, struct wr_buffer *name) {
    bool cached = node->instance ? wr_is_cached(node->instance)
                                 : wr_mount_cache(node->place.mount)->n_items > 0;
    if (cached) wr_buffer_text(name, WR_CACHED_READY);
}

/* A table of a catalog by its three names, which may hold any character; else by its path. */
static int write_query(const struct weir_node *node, char **ret_query, struct weir_error *error) {
    struct wr_buffer text;
    struct wr_buffer path;
    wr_buffer_init(&text, 1 << 20);
    wr_buffer_init(&path, 1 << 20);
    wr_buffer_text(&text, "SELECT * FROM ");
    if (node->instance) {
        wr_buffer_identifier(&text, node->catalog);
        wr_buffer_char(&text, '.');
        wr_buffer_identifier(&text, node->schema);
        wr_buffer_char(&text, '.');
        wr_buffer_text(&path, node->name);
    } else {
        write_listed_path(node, &path);
    }
    write_ready(node, &path);
    if (!path.failed) wr_buffer_identifier(&text, path.data);
    char *query = path.failed ? NULL : wr_buffer_take(&text);
    wr_buffer_reset(&text);
    wr_buffer_reset(&path);
    if (!query) return wr_error_memory(error);
    *ret_query = query;
    return WEIR_OK;
}

static int plan_rows(const struct weir_node *node, struct wr_snapshot *snapshot,
                     struct weir_error *error) {
    char *query = NULL;
    struct wr_work work;
    WR_TRY(write_query(node, &query, error));
    wr_work_begin(&node->session->activities, NULL, &work);
    int code = wr_plan_new(node->session->engine, query, &snapshot->plan, error);
    wr_work_end(&work);
    wr_free(query);
    /* The position is one in a statement that nobody wrote. */
    if (code && error) error->position = 0;
    return code ? code : wr_plan_version(snapshot->plan, &snapshot->version, error);
}

static int make_snapshot(const struct weir_node *node, struct wr_snapshot **ret_snapshot,
                         struct weir_error *error) {
    if (!wr_node_is_table(node)) return wr_node_refuse_rows(node, error);
    struct wr_snapshot *snapshot = wr_calloc(1, sizeof *snapshot);
    if (!snapshot) return wr_error_memory(error);
    atomic_init(&snapshot->references, 1);
    int code = plan_rows(node, snapshot, error);
    if (code) {
        wr_snapshot_release(snapshot);
        return code;
    }
    *ret_snapshot = snapshot;
    return WEIR_OK;
}

static struct wr_snapshot *retain(struct wr_snapshot *snapshot) {
    if (snapshot) atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    return snapshot;
}

/* Puts a snapshot in the node's place, or, unless `replace`, gives the one that came first. */
static struct wr_snapshot *settle(struct weir_node *node, struct wr_snapshot *made, bool replace) {
    pthread_mutex_lock(&node->mutex);
    struct wr_snapshot *old = node->snapshot;
    struct wr_snapshot *unused = old && !replace ? made : old;
    if (!old || replace) node->snapshot = made;
    struct wr_snapshot *current = retain(node->snapshot);
    pthread_mutex_unlock(&node->mutex);
    wr_snapshot_release(unused);
    return current;
}

int wr_node_snapshot(struct weir_node *node, struct wr_snapshot **ret_snapshot,
                     struct weir_error *error) {
    pthread_mutex_lock(&node->mutex);
    struct wr_snapshot *snapshot = retain(node->snapshot);
    pthread_mutex_unlock(&node->mutex);
    if (!snapshot) {
        WR_TRY(make_snapshot(node, &snapshot, error));
        snapshot = settle(node, snapshot, false);
    }
    *ret_snapshot = snapshot;
    return WEIR_OK;
}

int wr_node_renew(struct weir_node *node, struct wr_snapshot **ret_snapshot,
                  struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    WR_TRY(make_snapshot(node, &snapshot, error));
    *ret_snapshot = settle(node, snapshot, true);
    return WEIR_OK;
}

/* ---- What it tells ---- */

int weir_node_schema(struct weir_node *node, struct ArrowSchema *ret_schema,
                     struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    int code = wr_plan_schema(snapshot->plan, ret_schema, error);
    wr_snapshot_release(snapshot);
    return code;
}

int weir_node_rows(struct weir_node *node, struct ArrowArrayStream *ret_rows,
                   struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    int code = wr_activities_run(&node->session->activities, snapshot->plan, ret_rows, error);
    wr_snapshot_release(snapshot);
    return code;
}

/* A plain file's is that of its bytes. */
static int file_version(const struct weir_node *node, char **ret_version,
                        struct weir_error *error) {
    const struct wr_mount *mount = node->place.mount;
    struct weir_reader reader = {0};
    char *version = NULL;
    if (wr_node_is_file(node) && wr_mount_kind(mount)->read) {
        WR_TRY(wr_mount_kind(mount)->read(wr_mount_data(mount), node->found.path, &reader, error));
        version = reader.version[0] ? wr_strdup(reader.version) : NULL;
        bool failed = reader.version[0] && !version;
        reader.release(&reader);
        if (failed) return wr_error_memory(error);
    }
    *ret_version = version;
    return WEIR_OK;
}

int weir_node_version(struct weir_node *node, char **ret_version, struct weir_error *error) {
    if (!wr_node_is_table(node)) return file_version(node, ret_version, error);
    struct wr_snapshot *snapshot = NULL;
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    char *version = wr_strdup(snapshot->version);
    bool failed = snapshot->version && !version;
    wr_snapshot_release(snapshot);
    if (failed) return wr_error_memory(error);
    *ret_version = version;
    return WEIR_OK;
}

int weir_node_statistics(struct weir_node *node, struct weir_node_statistics *ret_statistics,
                         struct ArrowArrayStream *ret_columns, struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    struct weir_node_statistics statistics = {.size = sizeof statistics};
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    int code = wr_plan_statistics(snapshot->plan, &statistics, ret_columns, error);
    wr_snapshot_release(snapshot);
    WR_TRY(code);
    code = wr_give_sized(&statistics, sizeof statistics, ret_statistics, "weir_node_statistics",
                         error);
    if (code && ret_columns) ret_columns->release(ret_columns);
    return code;
}

int weir_node_inputs(struct weir_node *node, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct wr_snapshot *snapshot = NULL;
    struct wr_access *access = node->session->access;
    /* What a view is made of is its maker's to show. */
    if (node->instance && wr_access_hides(access)) {
        const struct wr_name name = {node->catalog, node->schema, node->name};
        WR_TRY(wr_access_need(access, &name, WR_MAY_ALTER, error));
    }
    WR_TRY(wr_node_snapshot(node, &snapshot, error));
    int code = wr_plan_inputs(snapshot->plan, ret_rows, error);
    wr_snapshot_release(snapshot);
    return code;
}
