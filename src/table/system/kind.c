/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kind `system`, one of its own for each workspace. A table that has rows to fill in is a
 * STREAM, one that is only a query is SQL, one of both is their UNION.
 */
#include <stddef.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "table/form.h"
#include "table/system/tables.h"

struct system_table {
    const struct wr_system_table *table;
    const struct wr_system_source *source;
    struct wr_viewer viewer; /* context NULL: none */
};

/* ---- Open ---- */

static int system_open(const struct weir_definition *definition, void **ret_table,
                       struct weir_error *error) {
    if (!definition->catalog || strcmp(definition->catalog, WR_SYSTEM_CATALOG) != 0) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "table \"%s\": weir itself makes the tables of kind system; read those "
                            "of the catalog \"" WR_SYSTEM_CATALOG "\", or make a view of one",
                            definition->name);
    }
    const char *name = wr_options_get(definition->options, definition->n_options, "table");
    const struct wr_system *system =
        (const struct wr_system *)(definition->kind - offsetof(struct wr_system, kind_name));
    struct system_table *table = wr_calloc(1, sizeof *table);
    if (!table) return wr_error_memory(error);
    table->table = wr_system_table(name);
    if (!table->table) {
        wr_free(table);
        return wr_system_unknown_table(name, error);
    }
    table->source = wr_system_source(system, name);
    *ret_table = table;
    return WEIR_OK;
}

/* ---- Form ---- */

struct both {
    struct weir_form forms[2];
    struct weir_form *parts[2];
};

static void release_both(struct weir_form *form) {
    struct both *both = form->private_data;
    for (size_t i = 0; i < 2; i++)
        both->forms[i].release(&both->forms[i]);
    wr_free(both);
    form->release = NULL;
}

static int form_both(const struct wr_system_table *table, const struct ArrowSchema *schema,
                     struct weir_form *ret_form, struct weir_error *error) {
    struct both *both = wr_calloc(1, sizeof *both);
    if (!both) return wr_error_memory(error);
    int code = wr_form_stream(schema, &both->forms[0], error);
    if (code) {
        wr_free(both);
        return code;
    }
    wr_form_sql(table->query, WR_SYSTEM_CATALOG, wr_mount_system.default_schema, &both->forms[1]);
    for (size_t i = 0; i < 2; i++)
        both->parts[i] = &both->forms[i];
    *ret_form = (struct weir_form){
        .type = WEIR_FORM_UNION,
        .parts = both->parts,
        .n_parts = 2,
        .release = release_both,
        .private_data = both,
    };
    return WEIR_OK;
}

static int system_form(void *context, struct weir_form *ret_form, struct weir_error *error) {
    const struct wr_system_table *table = ((struct system_table *)context)->table;
    if (!table->columns) {
        wr_form_sql(table->query, WR_SYSTEM_CATALOG, wr_mount_system.default_schema, ret_form);
        return WEIR_OK;
    }
    struct ArrowSchema schema = {0};
    WR_TRY(wr_columns_schema(table->columns, table->n_columns, &schema, error));
    int code = table->query ? form_both(table, &schema, ret_form, error)
                            : wr_form_stream(&schema, ret_form, error);
    wr_arrow_release_schema(&schema);
    return code;
}

/* ---- Scan ---- */

/* A catalog that is named spares the walk through all the others. */
static int system_classify(void *table, const struct weir_filter *filters, size_t n_filters,
                           int32_t *ret_support, struct weir_error *error) {
    (void)table;
    (void)error;
    for (size_t i = 0; i < n_filters; i++) {
        bool is_catalog = filters[i].op == WEIR_OPERATOR_EQ && filters[i].column &&
                          strcmp(filters[i].column, "catalog") == 0;
        ret_support[i] = is_catalog ? WEIR_FILTER_INEXACT : WEIR_FILTER_NO;
    }
    return WEIR_OK;
}

static int system_scan(void *context, const struct weir_scan_request *request,
                       struct weir_scan *ret_scan, struct weir_error *error) {
    const struct system_table *table = context;
    return wr_system_scan(table->table, table->source, &table->viewer, request, ret_scan, error);
}

static const struct weir_option_spec options[] = {
    {"table", WEIR_OPTION_TEXT, 1, "which of the system tables"},
};

static const struct weir_table_kind kind = {
    .size = sizeof kind,
    .summary = "what weir knows of itself",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .open = system_open,
    .close = wr_free,
    .form = system_form,
    .classify = system_classify,
    .scan = system_scan,
};

/* ---- For one viewer ---- */

struct bound {
    struct system_table table;
    void (*release)(struct wr_table *table);
    void *private_data;
};

static void release_bound(struct wr_table *table) {
    struct bound *bound = table->private_data;
    table->private_data = bound->private_data;
    table->release = bound->release;
    bound->table.viewer.release(bound->table.viewer.context);
    wr_free(bound);
    table->release(table);
}

int wr_system_bind(struct wr_table *table, const struct wr_viewer *viewer,
                   struct weir_error *error) {
    if (table->kind->scan != system_scan) return WEIR_OK;
    struct bound *bound = wr_malloc(sizeof *bound);
    if (!bound) return wr_error_memory(error);
    *bound = (struct bound){*(struct system_table *)table->instance, table->release,
                            table->private_data};
    viewer->retain(viewer->context);
    bound->table.viewer = *viewer;
    table->instance = &bound->table;
    table->private_data = bound;
    table->release = release_bound;
    return WEIR_OK;
}

/* ---- One workspace's ---- */

const struct wr_system_source *wr_system_source(const struct wr_system *system, const char *table) {
    for (size_t i = 0; i < system->n_sources; i++) {
        if (strcmp(system->sources[i].table, table) == 0) return &system->sources[i];
    }
    return NULL;
}

static int check_sources(const struct wr_system *system, struct weir_error *error) {
    for (size_t i = 0; i < system->n_sources; i++) {
        const struct wr_system_source *source = &system->sources[i];
        const struct wr_system_table *table = wr_system_table(source->table);
        if (!table)
            return wr_error_prefix(error, wr_system_unknown_table(source->table, error),
                                   "a source of system tables");
        if (!table->columns || wr_system_source(system, source->table) != source) {
            return wr_error_set(error, WEIR_INTERNAL, NULL,
                                "system table \"%s\" takes no further source", source->table);
        }
    }
    return WEIR_OK;
}

int wr_system_new(const struct wr_system_state *state, struct wr_system **ret_system,
                  struct weir_error *error) {
    size_t n_sources = state->n_sources + 1;
    struct wr_system *system = wr_calloc(1, sizeof *system + n_sources * sizeof *system->sources);
    if (!system) return wr_error_memory(error);
    system->kind = kind;
    memcpy(system->kind_name, "system", sizeof system->kind_name);
    system->kind.name = system->kind_name;
    system->registry = state->registry;
    system->extensions = state->extensions;
    system->n_sources = n_sources;
    system->sources[0] = (struct wr_system_source){"extensions", wr_system_fill_extensions, system};
    if (state->n_sources > 0) {
        memcpy(system->sources + 1, state->sources, state->n_sources * sizeof *state->sources);
    }
    int code = check_sources(system, error);
    if (code == WEIR_OK) code = wr_registry_add(state->registry, &system->kind, error);
    if (code) {
        wr_free(system);
        return code;
    }
    *ret_system = system;
    return WEIR_OK;
}

void wr_system_free(struct wr_system *system) {
    wr_free(system);
}
