/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/call.h"
#include "base/error.h"
#include "base/options.h"
#include "store/access.h"

enum { MAX_VIEW_TEXT = 1 << 30 };

struct wr_instance {
    atomic_int references;
    const struct weir_table_kind *kind;
    void *table;
    struct weir_definition definition; /* points into what follows */
    char *names[3];
    struct wr_options options;
    struct ArrowSchema columns;
    char *view_text; /* CREATE VIEW ..., of a view */
};

static void instance_free(struct wr_instance *instance) {
    for (size_t i = 0; i < 3; i++)
        wr_free(instance->names[i]);
    wr_options_reset(&instance->options);
    wr_arrow_release_schema(&instance->columns);
    wr_free(instance->view_text);
    wr_free(instance);
}

static int copy_definition(const struct weir_definition *definition, struct wr_instance *instance,
                           struct weir_error *error) {
    const char *names[3] = {definition->catalog, definition->schema, definition->name};
    for (size_t i = 0; i < 3; i++) {
        instance->names[i] = wr_strdup(names[i]);
        if (names[i] && !instance->names[i]) return wr_error_memory(error);
    }
    WR_TRY(wr_options_copy(definition->options, definition->n_options, &instance->options, error));
    if (definition->columns) {
        WR_TRY(wr_arrow_copy_schema(definition->columns, &instance->columns, error));
    }
    wr_options_spell(instance->kind->options, instance->kind->n_options, &instance->options);
    instance->definition = (struct weir_definition){
        .size = sizeof instance->definition,
        .catalog = instance->names[0],
        .schema = instance->names[1],
        .name = instance->names[2],
        .kind = instance->kind->name,
        .options = instance->options.items,
        .n_options = instance->options.n_items,
        .columns = definition->columns ? &instance->columns : NULL,
    };
    return WEIR_OK;
}

static void add_name(struct wr_buffer *text, const char *name) {
    bool plain = (name[0] >= 'a' && name[0] <= 'z') || name[0] == '_';
    if (plain && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0') {
        wr_buffer_text(text, name);
    } else {
        wr_buffer_identifier(text, name);
    }
}

/* The statement that makes the view again, its name as far qualified as its query's scope asks for.
 */
static int write_view_text(struct wr_instance *instance, struct weir_error *error) {
    const struct weir_definition *view = &instance->definition;
    const char *query = wr_options_get(view->options, view->n_options, "query");
    if (!(instance->kind->roles & WEIR_ROLE_VIEW) || !query) return WEIR_OK;
    const char *catalog = wr_options_get(view->options, view->n_options, "lookup_catalog");
    const char *schema = wr_options_get(view->options, view->n_options, "lookup_schema");
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_VIEW_TEXT);
    wr_buffer_text(&text, "CREATE VIEW ");
    if (catalog && strcmp(catalog, view->catalog) != 0) {
        add_name(&text, view->catalog);
        wr_buffer_char(&text, '.');
    }
    if (text.length > strlen("CREATE VIEW ") || (schema && strcmp(schema, view->schema) != 0)) {
        add_name(&text, view->schema);
        wr_buffer_char(&text, '.');
    }
    add_name(&text, view->name);
    wr_buffer_text(&text, " AS ");
    wr_buffer_text(&text, query);
    instance->view_text = wr_buffer_take(&text);
    return instance->view_text ? WEIR_OK : wr_error_memory(error);
}

/* Everything of an instance but its table. */
static int instance_new(const struct weir_table_kind *kind,
                        const struct weir_definition *definition, struct wr_instance **ret_instance,
                        struct weir_error *error) {
    struct wr_instance *instance = wr_calloc(1, sizeof *instance);
    if (!instance) return wr_error_memory(error);
    atomic_init(&instance->references, 1);
    instance->kind = kind;
    int code = copy_definition(definition, instance, error);
    if (code == WEIR_OK) code = write_view_text(instance, error);
    if (code) {
        instance_free(instance);
        return code;
    }
    *ret_instance = instance;
    return WEIR_OK;
}

int wr_instance_open(struct wr_registry *registry, const struct weir_definition *definition,
                     struct wr_instance **ret_instance, struct weir_error *error) {
    const struct weir_table_kind *kind = NULL;
    int code = wr_registry_find(registry, definition->kind, &kind, error);
    if (code) return wr_error_prefix(error, code, "table \"%s\"", definition->name);
    char owner[256];
    snprintf(owner, sizeof owner, "table \"%s\" (kind %s)", definition->name, kind->name);
    WR_TRY(wr_options_check(owner, kind->options, kind->n_options, definition->options,
                            definition->n_options, error));
    struct wr_instance *instance = NULL;
    WR_TRY(instance_new(kind, definition, &instance, error));
    struct wr_definition full = {instance->definition, wr_registry_stores(registry, kind),
                                 wr_registry_encodings(registry)};
    if (full.stores) full.as.size = sizeof full;
    code = kind->open(&full.as, &instance->table, error);
    if (code) {
        instance_free(instance);
        return code;
    }
    *ret_instance = instance;
    return WEIR_OK;
}

int wr_instance_adopt(const struct weir_table_kind *kind, const struct weir_definition *definition,
                      void *table, struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_instance *instance = NULL;
    WR_TRY(instance_new(kind, definition, &instance, error));
    instance->table = table;
    *ret_instance = instance;
    return WEIR_OK;
}

struct wr_instance *wr_instance_retain(struct wr_instance *instance) {
    atomic_fetch_add_explicit(&instance->references, 1, memory_order_relaxed);
    return instance;
}

void wr_instance_release(struct wr_instance *instance) {
    if (!instance) return;
    if (atomic_fetch_sub_explicit(&instance->references, 1, memory_order_acq_rel) > 1) return;
    instance->kind->close(instance->table);
    instance_free(instance);
}

const struct weir_definition *wr_instance_definition(const struct wr_instance *instance) {
    return &instance->definition;
}

const struct weir_table_kind *wr_instance_kind(const struct wr_instance *instance) {
    return instance->kind;
}

void *wr_instance_data(const struct wr_instance *instance) {
    return instance->table;
}

bool wr_instance_is_temporary(const struct wr_instance *instance) {
    for (size_t i = 0; wr_temporary_kinds[i]; i++) {
        if (instance->kind == wr_temporary_kinds[i]) return true;
    }
    return false;
}

int wr_instance_insert(struct wr_instance *instance, int mode, struct ArrowArrayStream *rows,
                       int64_t *ret_n_rows, struct weir_error *error) {
    if (!instance->kind->insert) {
        wr_arrow_release_stream(rows);
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "table \"%s\" (kind %s) is read only: it takes no rows",
                            instance->definition.name, instance->kind->name);
    }
    return instance->kind->insert(instance->table, mode, rows, ret_n_rows, error);
}

int wr_instance_drop(struct wr_instance *instance, struct weir_error *error) {
    return instance->kind->drop ? instance->kind->drop(instance->table, error) : WEIR_OK;
}

static void table_release(struct wr_table *table) {
    if (table->form.release) table->form.release(&table->form);
    wr_instance_release(table->private_data);
    table->private_data = NULL;
    table->release = NULL;
}

_Static_assert(sizeof(struct wr_call_service) == sizeof(struct wr_call_place), "wr_call_place");

static void serve(struct wr_call_place *place, struct wr_call *call) {
    wr_call_serve((struct wr_call_service *)place, call);
}

static void unserve(struct wr_call_place *place) {
    wr_call_unserve((struct wr_call_service *)place);
}

const struct wr_calls wr_engine_calls = {
    .make = wr_call_new,
    .release = wr_call_release,
    .current = wr_call_current,
    .serve = serve,
    .unserve = unserve,
    .cancel = wr_call_cancel,
    .watch = wr_call_watch_new,
    .unwatch = wr_call_watch_free,
};

int wr_instance_table(struct wr_instance *instance, struct wr_table *ret_table,
                      struct weir_error *error) {
    struct weir_form form = {0};
    WR_TRY(instance->kind->form(instance->table, &form, error));
    *ret_table = (struct wr_table){
        .form = form,
        .kind = instance->kind,
        .instance = instance->table,
        .is_view = instance->view_text != NULL,
        .definition = instance->view_text,
        .calls = &wr_engine_calls,
        .release = table_release,
        .private_data = wr_instance_retain(instance),
    };
    return WEIR_OK;
}
