/* SPDX-License-Identifier: Apache-2.0 */
#include "session/gated.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "table/system/system.h"

struct wr_gated_target {
    atomic_int references;
    char *catalog;
    char *schema;
    char *name;
    uint32_t privileges;
};

static void target_release(struct wr_gated_target *target) {
    if (!target) return;
    if (atomic_fetch_sub_explicit(&target->references, 1, memory_order_acq_rel) > 1) return;
    wr_free(target->catalog);
    wr_free(target->schema);
    wr_free(target->name);
    wr_free(target);
}

static int target_new(const struct wr_access_target *given, struct wr_gated_target **ret_target,
                      struct weir_error *error) {
    struct wr_gated_target *target = wr_calloc(1, sizeof *target);
    if (!target) return wr_error_memory(error);
    atomic_init(&target->references, 1);
    target->catalog = wr_strdup(given->name.catalog);
    target->schema = wr_strdup(given->name.schema);
    target->name = wr_strdup(given->name.name);
    target->privileges = given->privileges;
    if (!target->catalog || !target->schema || !target->name) {
        target_release(target);
        return wr_error_memory(error);
    }
    *ret_target = target;
    return WEIR_OK;
}

void wr_gated_init(struct wr_gated *gated, struct wr_names *names, struct wr_access *access) {
    *gated = (struct wr_gated){.names = names, .access = wr_access_retain(access)};
    pthread_mutex_init(&gated->mutex, NULL);
}

void wr_gated_reset(struct wr_gated *gated) {
    if (!gated->access) return;
    target_release(gated->target);
    wr_access_release(gated->access);
    pthread_mutex_destroy(&gated->mutex);
    *gated = (struct wr_gated){0};
}

int wr_gated_target(struct wr_gated *gated, const struct wr_access_target *given,
                    struct weir_error *error) {
    struct wr_gated_target *target = NULL;
    if (given) WR_TRY(target_new(given, &target, error));
    pthread_mutex_lock(&gated->mutex);
    struct wr_gated_target *old = gated->target;
    gated->target = target;
    pthread_mutex_unlock(&gated->mutex);
    target_release(old);
    return WEIR_OK;
}

bool wr_gated_met_view(struct wr_gated *gated) {
    pthread_mutex_lock(&gated->mutex);
    bool met = gated->met_view;
    gated->met_view = false;
    pthread_mutex_unlock(&gated->mutex);
    return met;
}

/* ---- Listings ---- */

struct filter {
    struct wr_access *access;
    const char *catalog;
    const char *schema;
    wr_emit_fn emit;
    void *sink;
};

static void emit_seen(void *sink, const char *name) {
    const struct filter *filter = sink;
    const char *catalog = filter->catalog ? filter->catalog : name;
    const char *schema = filter->catalog && !filter->schema ? name : filter->schema;
    const char *table = filter->schema ? name : NULL;
    if (wr_access_sees(filter->access, catalog, schema, table)) filter->emit(filter->sink, name);
}

int wr_gated_list(struct wr_gated *gated, const char *catalog, const char *schema, wr_emit_fn emit,
                  void *sink, struct weir_error *error) {
    struct wr_access *access = gated->access;
    if (!wr_access_hides(access))
        return wr_names_list(gated->names, catalog, schema, emit, sink, error);
    WR_TRY(wr_access_refresh(access, NULL, error));
    /* A mount that is not to be seen is not opened either. */
    if (catalog && !wr_access_sees(access, catalog, schema, NULL)) return WEIR_OK;
    struct filter filter = {access, catalog, schema, emit, sink};
    return wr_names_list(gated->names, catalog, schema, emit_seen, &filter, error);
}

/* For one who may not see everything every catalog and schema could be there: what is not is only
 * told of tables, and in the same words as what he may not see. The names in a view, which are
 * looked up for another, need them too. */
int wr_gated_has(struct wr_gated *gated, const char *catalog, const char *schema) {
    if (wr_access_hides(gated->access)) return 1;
    return wr_names_has(gated->names, catalog, schema);
}

/* ---- Tables ---- */

static struct wr_gated_target *take_target(struct wr_gated *gated) {
    pthread_mutex_lock(&gated->mutex);
    struct wr_gated_target *target = gated->target;
    if (target) atomic_fetch_add_explicit(&target->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&gated->mutex);
    return target;
}

static bool viewer_sees(void *context, const char *catalog, const char *schema, const char *name) {
    return wr_access_sees(context, catalog, schema, name);
}

static bool viewer_sees_user(void *context, const char *user) {
    return wr_access_sees_user(context, user);
}

static bool viewer_sees_all(void *context) {
    return wr_access_is_all(context);
}

static void viewer_retain(void *context) {
    wr_access_retain(context);
}

static void viewer_release(void *context) {
    wr_access_release(context);
}

const struct wr_viewer *wr_access_viewer(struct wr_access *access, struct wr_viewer *storage) {
    if (wr_access_is_all(access)) return NULL;
    *storage = (struct wr_viewer){access,          viewer_sees,   viewer_sees_user,
                                  viewer_sees_all, viewer_retain, viewer_release};
    return storage;
}

/* What a view is made of is its maker's to show. */
static void hide_text(struct wr_gated *gated, const struct wr_name *name, struct wr_table *table) {
    if (!table->has_own_rights) return;
    if (wr_access_rights(gated->access, name) & WR_MAY_ALTER) return;
    table->definition = NULL;
    pthread_mutex_lock(&gated->mutex);
    gated->met_view = true;
    pthread_mutex_unlock(&gated->mutex);
}

static int show_for(struct wr_gated *gated, struct wr_name name, struct wr_table *table,
                    struct weir_error *error) {
    struct wr_viewer storage;
    const struct wr_viewer *viewer = wr_access_viewer(gated->access, &storage);
    if (!viewer) return WEIR_OK;
    WR_TRY(wr_names_canonical(gated->names, &name, error));
    hide_text(gated, &name, table);
    return wr_system_bind(table, viewer, error);
}

static const struct wr_gate *gate_of(struct wr_gated *gated, const struct wr_gated_target *target,
                                     struct wr_access_target *storage,
                                     struct wr_access_gate *gate) {
    if (target)
        *storage = (struct wr_access_target){{target->catalog, target->schema, target->name},
                                             target->privileges};
    return wr_access_gate(gated->access, target ? storage : NULL, gate);
}

/* Whether the statement makes it, so that it is well that it is not there. */
static bool is_made(const struct wr_gated_target *target, const struct wr_name *name) {
    return target && target->privileges == 0 && strcmp(target->name, name->name) == 0;
}

/*
 * Of what is not there nothing is told that might not be told of what is. It is told, though, and
 * not left to the engine: that has met the table already when a view reads it, too.
 */
static int settle(struct wr_gated *gated, const struct wr_gated_target *target,
                  const struct wr_name *name, int code, struct weir_error *error) {
    if (code != WEIR_NOT_FOUND || !wr_access_hides(gated->access)) return code;
    if (is_made(target, name)) return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "%s", "");
    return wr_error_set(error, WEIR_NOT_FOUND, "42P01", "table '%s.%s.%s' not found", name->catalog,
                        name->schema, name->name);
}

int wr_gated_table(struct wr_gated *gated, const struct wr_name *name,
                   const struct weir_option *options, size_t n_options, bool in_view,
                   struct wr_table *ret_table, struct weir_error *error) {
    struct wr_access_target storage;
    struct wr_access_gate space;
    struct wr_table table = {0};
    WR_TRY(wr_access_refresh(gated->access, NULL, error));
    struct wr_gated_target *target = take_target(gated);
    const struct wr_gate *gate = in_view ? NULL : gate_of(gated, target, &storage, &space);
    int code = wr_names_table_gated(gated->names, gate, name, options, n_options, &table, error);
    code = settle(gated, target, name, code, error);
    target_release(target);
    WR_TRY(code);
    code = show_for(gated, *name, &table, error);
    if (code) {
        table.release(&table);
        return code;
    }
    *ret_table = table;
    return WEIR_OK;
}

int wr_gated_open(struct wr_gated *gated, const struct wr_name *name,
                  const struct weir_option *options, size_t n_options,
                  struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_access_target storage;
    struct wr_access_gate space;
    WR_TRY(wr_access_refresh(gated->access, NULL, error));
    struct wr_gated_target *target = take_target(gated);
    const struct wr_gate *gate = gate_of(gated, target, &storage, &space);
    int code =
        wr_names_open_gated(gated->names, gate, name, options, n_options, ret_instance, error);
    code = settle(gated, target, name, code, error);
    target_release(target);
    return code;
}
