/* SPDX-License-Identifier: Apache-2.0 */
/* Instances that are known by their definition only: of paths, of mounts, of calls. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "catalog/names.h"

static bool same_options(const struct weir_definition *a, const struct weir_definition *b) {
    if (a->n_options != b->n_options) return false;
    for (size_t i = 0; i < a->n_options; i++) {
        const char *value = wr_options_get(b->options, b->n_options, a->options[i].key);
        if (!value || strcmp(value, a->options[i].value) != 0) return false;
    }
    return true;
}

/* Declared columns are not compared: none of these has any. */
static bool same(const struct wr_instance *instance, const struct weir_definition *definition) {
    const struct weir_definition *own = wr_instance_definition(instance);
    return strcmp(own->kind, definition->kind) == 0 && strcmp(own->name, definition->name) == 0 &&
           strcmp(own->schema, definition->schema) == 0 &&
           strcmp(own->catalog, definition->catalog) == 0 && same_options(own, definition);
}

/* With the mutex held. A reference to the instance, which comes to the front; NULL: there is none.
 */
static struct wr_instance *find(struct wr_recent *recent,
                                const struct weir_definition *definition) {
    for (size_t i = 0; i < recent->n_items; i++) {
        struct wr_instance *instance = recent->items[i];
        if (!same(instance, definition)) continue;
        memmove(recent->items + 1, recent->items, i * sizeof *recent->items);
        recent->items[0] = instance;
        return wr_instance_retain(instance);
    }
    return NULL;
}

/* With the mutex held. Returns the one that had to go, to be released without it. */
static struct wr_instance *put(struct wr_recent *recent, struct wr_instance *instance) {
    struct wr_instance *last = NULL;
    if (recent->n_items == WR_MAX_RECENT) last = recent->items[--recent->n_items];
    memmove(recent->items + 1, recent->items, recent->n_items * sizeof *recent->items);
    recent->items[0] = wr_instance_retain(instance);
    recent->n_items++;
    return last;
}

int wr_recent_open(struct wr_names *names, const struct weir_definition *definition,
                   struct wr_instance **ret_instance, struct weir_error *error) {
    pthread_mutex_lock(&names->mutex);
    struct wr_instance *found = find(&names->recent, definition);
    pthread_mutex_unlock(&names->mutex);
    if (found) {
        *ret_instance = found;
        return WEIR_OK;
    }
    struct wr_instance *instance = NULL;
    WR_TRY(wr_instance_open(names->registry, definition, &instance, error));
    pthread_mutex_lock(&names->mutex);
    found = find(&names->recent, definition); /* someone else may have been faster */
    struct wr_instance *last = found ? NULL : put(&names->recent, instance);
    pthread_mutex_unlock(&names->mutex);
    wr_instance_release(last);
    if (found) wr_instance_release(instance);
    *ret_instance = found ? found : instance;
    return WEIR_OK;
}

void wr_recent_forget(struct wr_names *names, const char *catalog) {
    struct wr_instance *taken[WR_MAX_RECENT];
    size_t n_taken = 0;
    size_t n_kept = 0;
    struct wr_recent *recent = &names->recent;
    pthread_mutex_lock(&names->mutex);
    for (size_t i = 0; i < recent->n_items; i++) {
        struct wr_instance *instance = recent->items[i];
        if (!catalog || strcmp(wr_instance_definition(instance)->catalog, catalog) == 0) {
            taken[n_taken++] = instance;
        } else {
            recent->items[n_kept++] = instance;
        }
    }
    recent->n_items = n_kept;
    pthread_mutex_unlock(&names->mutex);
    for (size_t i = 0; i < n_taken; i++)
        wr_instance_release(taken[i]);
}

/* ---- Calls ---- */

static const char parameter_prefix[] = "param.";

static bool takes_parameters(const struct weir_table_kind *kind) {
    for (size_t i = 0; i < kind->n_options; i++) {
        const struct weir_option_spec *spec = &kind->options[i];
        if (spec->type == WEIR_OPTION_PREFIX && strcmp(spec->name, parameter_prefix) == 0)
            return true;
    }
    return false;
}

static int add_parameter(struct wr_options *options, const struct weir_option *parameter,
                         struct weir_error *error) {
    size_t length = strlen(parameter->key);
    char *key = wr_malloc(sizeof parameter_prefix + length);
    if (!key) return wr_error_memory(error);
    memcpy(key, parameter_prefix, sizeof parameter_prefix - 1);
    memcpy(key + sizeof parameter_prefix - 1, parameter->key, length + 1);
    int code = wr_options_add(options, key, parameter->value, error);
    wr_free(key);
    return code;
}

int wr_call_options(const struct weir_table_kind *kind, const char *name,
                    const struct weir_option *own, size_t n_own, const struct weir_option *call,
                    size_t n_call, struct wr_options *ret_options, struct weir_error *error) {
    if (n_call > 0 && !takes_parameters(kind)) {
        return wr_error_set(
            error, WEIR_INVALID_ARGUMENT, "22023",
            "table \"%s\" (kind %s) has no parameters: \"%s\" cannot be given to it", name,
            kind->name, call[0].key);
    }
    struct wr_options options = {0};
    int code = wr_options_copy(own, n_own, &options, error);
    for (size_t i = 0; code == WEIR_OK && i < n_call; i++) {
        code = add_parameter(&options, &call[i], error);
    }
    if (code) {
        wr_options_reset(&options);
        return code;
    }
    *ret_options = options;
    return WEIR_OK;
}
