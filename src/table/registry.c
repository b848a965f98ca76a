/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"

struct wr_registry {
    pthread_mutex_t mutex;
    const struct weir_table_kind **kinds;
    size_t n_kinds;
};

int wr_registry_new(struct wr_registry **ret_registry, struct weir_error *error) {
    struct wr_registry *registry = wr_calloc(1, sizeof *registry);
    if (!registry) return wr_error_memory(error);
    pthread_mutex_init(&registry->mutex, NULL);
    for (size_t i = 0; wr_builtin_kinds[i]; i++) {
        int code = wr_registry_add(registry, wr_builtin_kinds[i], error);
        if (code) {
            wr_registry_free(registry);
            return code;
        }
    }
    *ret_registry = registry;
    return WEIR_OK;
}

void wr_registry_free(struct wr_registry *registry) {
    if (!registry) return;
    pthread_mutex_destroy(&registry->mutex);
    wr_free(registry->kinds);
    wr_free(registry);
}

static bool is_kind_name(const char *name) {
    if (!name || name[0] < 'a' || name[0] > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int check_kind(const struct weir_table_kind *kind, struct weir_error *error) {
    if (!kind) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a table kind is required");
    }
    if (kind->size < sizeof *kind) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table kind: its size is %zu, not at least %zu; set it to "
                            "sizeof(struct weir_table_kind)",
                            kind->size, sizeof *kind);
    }
    if (!is_kind_name(kind->name)) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table kind \"%s\": a name is a lower case letter, then lower case "
                            "letters, digits and underscores",
                            kind->name ? kind->name : "");
    }
    const char *missing = !kind->open    ? "open"
                          : !kind->close ? "close"
                          : !kind->form  ? "form"
                                         : NULL;
    if (missing) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table kind \"%s\": the required slot `%s` is NULL", kind->name,
                            missing);
    }
    if (kind->n_options > 0 && !kind->options) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "table kind \"%s\": n_options is %zu but options is NULL", kind->name,
                            kind->n_options);
    }
    return WEIR_OK;
}

static const struct weir_table_kind *find(const struct wr_registry *registry, const char *name) {
    for (size_t i = 0; i < registry->n_kinds; i++) {
        if (strcmp(registry->kinds[i]->name, name) == 0) return registry->kinds[i];
    }
    return NULL;
}

int wr_registry_add(struct wr_registry *registry, const struct weir_table_kind *kind,
                    struct weir_error *error) {
    WR_TRY(check_kind(kind, error));
    int code = WEIR_OK;
    pthread_mutex_lock(&registry->mutex);
    if (find(registry, kind->name)) {
        code = wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                            "table kind \"%s\" is registered already", kind->name);
    } else {
        const struct weir_table_kind **kinds =
            wr_reallocarray(registry->kinds, registry->n_kinds + 1, sizeof *kinds);
        if (kinds) {
            kinds[registry->n_kinds++] = kind;
            registry->kinds = kinds;
        } else {
            code = wr_error_memory(error);
        }
    }
    pthread_mutex_unlock(&registry->mutex);
    return code;
}

static int unknown_kind(const struct wr_registry *registry, const char *name,
                        struct weir_error *error) {
    struct wr_buffer list;
    wr_buffer_init(&list, sizeof((struct weir_error *)0)->message);
    const char **names = wr_reallocarray(NULL, registry->n_kinds, sizeof *names);
    for (size_t i = 0; i < registry->n_kinds; i++) {
        wr_buffer_text(&list, i > 0 ? ", " : "");
        wr_buffer_text(&list, registry->kinds[i]->name);
        if (names) names[i] = registry->kinds[i]->name;
    }
    const char *nearest = names ? wr_nearest(name, names, registry->n_kinds) : NULL;
    int code = wr_error_set(error, WEIR_NOT_FOUND, "42704",
                            "there is no table kind \"%s\"%s%s%s; known kinds: %s", name,
                            nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                            nearest ? "\"?" : "", list.failed ? "?" : list.data);
    wr_free(names);
    wr_buffer_reset(&list);
    return code;
}

int wr_registry_find(struct wr_registry *registry, const char *name,
                     const struct weir_table_kind **ret_kind, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&registry->mutex);
    const struct weir_table_kind *kind = find(registry, name);
    if (!kind) code = unknown_kind(registry, name, error);
    pthread_mutex_unlock(&registry->mutex);
    if (kind) *ret_kind = kind;
    return code;
}

const struct weir_table_kind *wr_registry_role(struct wr_registry *registry, uint32_t role) {
    const struct weir_table_kind *kind = NULL;
    pthread_mutex_lock(&registry->mutex);
    for (size_t i = registry->n_kinds; i > 0 && !kind; i--) {
        if (registry->kinds[i - 1]->roles & role) kind = registry->kinds[i - 1];
    }
    pthread_mutex_unlock(&registry->mutex);
    return kind;
}
