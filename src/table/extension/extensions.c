/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/call.h"
#include "base/error.h"
#include "base/options.h"
#include "base/sized.h"
#include "table/extension/extension.h"

enum { MOST_PATH = 64 << 10 };

struct extension {
    struct extension *next;
    struct wr_extensions *extensions;
    char *library;
    char *origin;
    struct wr_options options;
    struct weir_host host;
    struct weir_extension self;
    bool is_there; /* guarded by the mutex, as is what follows */
    struct wr_registration *aside;
    size_t n_aside;
};

struct wr_extensions {
    struct wr_registry *registry;
    char *state;
    pthread_mutex_t mutex;   /* guards what follows */
    struct extension *first; /* the last one that came, being loaded or there */
};

int wr_extensions_new(struct wr_registry *registry, const char *path,
                      struct wr_extensions **ret_extensions, struct weir_error *error) {
    struct wr_extensions *extensions = wr_calloc(1, sizeof *extensions);
    if (!extensions) return wr_error_memory(error);
    extensions->registry = registry;
    pthread_mutex_init(&extensions->mutex, NULL);
    if (path) {
        struct wr_buffer state;
        wr_buffer_init(&state, MOST_PATH);
        wr_buffer_format(&state, "%s/.weir", path);
        extensions->state = wr_buffer_take(&state);
        if (!extensions->state) {
            wr_extensions_free(extensions);
            return wr_error_memory(error);
        }
    }
    *ret_extensions = extensions;
    return WEIR_OK;
}

static void extension_free(struct extension *extension) {
    wr_options_erase(&extension->options);
    wr_free(extension->aside);
    wr_free(extension->library);
    wr_free(extension->origin);
    wr_free(extension);
}

void wr_extensions_free(struct wr_extensions *extensions) {
    if (!extensions) return;
    while (extensions->first) {
        struct extension *extension = extensions->first;
        extensions->first = extension->next;
        if (extension->self.close) extension->self.close(extension->self.private_data);
        extension_free(extension);
    }
    pthread_mutex_destroy(&extensions->mutex);
    wr_free(extensions->state);
    wr_free(extensions);
}

/* ---- What an extension calls ---- */

/* With the mutex held. */
static int put_aside(struct extension *extension, const struct wr_registration *item,
                     struct weir_error *error) {
    for (size_t i = 0; i < extension->n_aside; i++)
        WR_TRY(wr_registration_check_other(item, &extension->aside[i], error));
    struct wr_registration *aside =
        wr_reallocarray(extension->aside, extension->n_aside + 1, sizeof *aside);
    if (!aside) return wr_error_memory(error);
    aside[extension->n_aside++] = *item;
    extension->aside = aside;
    return WEIR_OK;
}

static int take(void *context, const struct wr_registration *item, struct weir_error *error) {
    struct extension *extension = context;
    struct wr_extensions *extensions = extension->extensions;
    WR_TRY(wr_registry_check(extensions->registry, item, error));
    pthread_mutex_lock(&extensions->mutex);
    int code = extension->is_there
                   ? wr_registry_add_all(extensions->registry, extension->self.name, item, 1, error)
                   : put_aside(extension, item, error);
    pthread_mutex_unlock(&extensions->mutex);
    return code;
}

static int register_kind(void *context, const struct weir_table_kind *kind,
                         struct weir_error *error) {
    return take(context, &(struct wr_registration){.table = kind}, error);
}

static int register_mount_kind(void *context, const struct weir_mount_kind *kind,
                               struct weir_error *error) {
    if (!kind) return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a mount kind is required");
    return take(context, &(struct wr_registration){.mount = kind}, error);
}

static int register_finder(void *context, weir_find_kind_fn find, void *finder,
                           struct weir_error *error) {
    if (!find) return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a finder is required");
    return take(context, &(struct wr_registration){.find = find, .finder = finder}, error);
}

static int register_scalar_function(void *context, const struct weir_scalar_function *function,
                                    struct weir_error *error) {
    if (!function)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "a scalar function is required");
    return take(context, &(struct wr_registration){.scalar = function}, error);
}

static int register_aggregate_function(void *context,
                                       const struct weir_aggregate_function *function,
                                       struct weir_error *error) {
    if (!function)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "an aggregate function is required");
    return take(context, &(struct wr_registration){.aggregate = function}, error);
}

static int register_encoding(void *context, const struct weir_encoding *encoding,
                             struct weir_error *error) {
    if (!encoding)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "an encoding is required");
    return take(context, &(struct wr_registration){.encoding = encoding}, error);
}

_Static_assert(sizeof(struct wr_call_watch) <= sizeof(struct weir_watch), "room for a watch");

static int watch(struct weir_watch *room, void (*stop)(void *stopped), void *stopped) {
    struct wr_call_watch *watched = (struct wr_call_watch *)room;
    wr_call_watch(watched, stop, stopped);
    return watched->call != NULL;
}

static void unwatch(struct weir_watch *room) {
    wr_call_unwatch((struct wr_call_watch *)room);
}

/* ---- Loading ---- */

static int extension_new(struct wr_extensions *extensions,
                         const struct wr_extension_request *request, const char *library,
                         struct extension **ret_extension, struct weir_error *error) {
    struct extension *extension = wr_calloc(1, sizeof *extension);
    if (!extension) return wr_error_memory(error);
    extension->extensions = extensions;
    extension->library = wr_strdup(library);
    extension->origin = wr_strdup(request->origin);
    int code =
        extension->library && extension->origin
            ? wr_options_copy(request->options, request->n_options, &extension->options, error)
            : wr_error_memory(error);
    if (code) {
        extension_free(extension);
        return code;
    }
    extension->host = (struct weir_host){
        .size = sizeof extension->host,
        .abi = WEIR_EXTENSION_ABI,
        .context = extension,
        .state = extensions->state,
        .options = extension->options.items,
        .n_options = extension->options.n_items,
        .register_kind = register_kind,
        .register_mount_kind = register_mount_kind,
        .register_finder = register_finder,
        .register_scalar_function = register_scalar_function,
        .register_aggregate_function = register_aggregate_function,
        .watch = watch,
        .unwatch = unwatch,
        .register_encoding = register_encoding,
    };
    *ret_extension = extension;
    return WEIR_OK;
}

/* With the mutex held. */
static struct extension *find_library(const struct wr_extensions *extensions, const char *library) {
    struct extension *extension = extensions->first;
    while (extension && strcmp(extension->library, library) != 0)
        extension = extension->next;
    return extension;
}

static const struct extension *find_name(const struct wr_extensions *extensions, const char *name) {
    const struct extension *extension = extensions->first;
    while (extension && (!extension->is_there || strcmp(extension->self.name, name) != 0))
        extension = extension->next;
    return extension;
}

/* Puts the extension into the list, unless its library is there. */
static int begin(struct extension *extension, bool *ret_there, struct weir_error *error) {
    struct wr_extensions *extensions = extension->extensions;
    int code = WEIR_OK;
    pthread_mutex_lock(&extensions->mutex);
    const struct extension *old = find_library(extensions, extension->library);
    if (!old) {
        extension->next = extensions->first;
        extensions->first = extension;
    } else if (!old->is_there) {
        code = wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the extension \"%s\" is being loaded by another statement",
                            extension->library);
    } else if (extension->options.n_items > 0) {
        code = wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                            "the extension %s is loaded already (%s), and keeps the options that "
                            "it was given",
                            old->self.name, old->origin);
    }
    *ret_there = old != NULL;
    pthread_mutex_unlock(&extensions->mutex);
    return code;
}

static void forget(struct extension *extension) {
    struct wr_extensions *extensions = extension->extensions;
    pthread_mutex_lock(&extensions->mutex);
    struct extension **at = &extensions->first;
    while (*at != extension)
        at = &(*at)->next;
    *at = extension->next;
    pthread_mutex_unlock(&extensions->mutex);
}

static bool is_name(const char *name) {
    if (!name || *name < 'a' || *name > 'z') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static int check_self(const struct weir_extension *self, const struct wr_extension_request *request,
                      struct weir_error *error) {
    if (self->abi == 0 || self->abi > WEIR_EXTENSION_ABI)
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                            "it was compiled for the extension interface %u; this weir has %d",
                            self->abi, WEIR_EXTENSION_ABI);
    if (!is_name(self->name))
        return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                            "its name \"%s\" is not a lower case letter, then lower case letters, "
                            "digits and underscores",
                            self->name ? self->name : "");
    if (!self->version || !*self->version)
        return wr_error_set(error, WEIR_INVALID_DATA, NULL, "it tells no version");
    if (request->name && strcmp(request->name, self->name) != 0)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "its name is \"%s\", not \"%s\"",
                            self->name, request->name);
    return WEIR_OK;
}

/* One that was compiled against a newer header writes more than this version knows of. */
union answer {
    struct weir_extension self;
    char room[1024];
};

/* All that was put aside, or nothing. */
static int publish(struct extension *extension, struct weir_error *error) {
    struct wr_extensions *extensions = extension->extensions;
    pthread_mutex_lock(&extensions->mutex);
    int code = find_name(extensions, extension->self.name)
                   ? wr_error_set(error, WEIR_ALREADY_EXISTS, "42710",
                                  "an extension %s is loaded already", extension->self.name)
                   : wr_registry_add_all(extensions->registry, extension->self.name,
                                         extension->aside, extension->n_aside, error);
    extension->is_there = code == WEIR_OK;
    pthread_mutex_unlock(&extensions->mutex);
    return code;
}

static int start(struct extension *extension, const struct wr_extension_request *request,
                 struct weir_error *error) {
    wr_extension_init_fn init = NULL;
    union answer answer = {0};
    struct weir_error reason = {0};
    WR_TRY(wr_extension_open(extension->library, &init, error));
    int code = init(&extension->host, &answer.self, &reason);
    if (code == WEIR_OK) {
        code = answer.self.size > sizeof answer
                   ? wr_error_set(&reason, WEIR_INVALID_DATA, NULL,
                                  "weir_extension: its size is %zu", answer.self.size)
                   : wr_copy_sized(&answer.self, &extension->self, sizeof extension->self,
                                   "weir_extension", &reason);
        if (code == WEIR_OK) code = check_self(&extension->self, request, &reason);
        if (code == WEIR_OK) code = publish(extension, &reason);
        if (code && extension->self.close) extension->self.close(extension->self.private_data);
    }
    if (code == WEIR_OK) return WEIR_OK;
    if (!*reason.message) wr_error_set(&reason, code, NULL, "it gave no reason");
    if (error) *error = reason;
    return wr_error_prefix(error, code, "cannot load the extension \"%s\"", extension->library);
}

int wr_extensions_load(struct wr_extensions *extensions, const struct wr_extension_request *request,
                       struct weir_error *error) {
    struct extension *extension = NULL;
    char *library = NULL;
    bool there = false;
    WR_TRY(wr_extension_find(request->library, &library, error));
    int code = extension_new(extensions, request, library, &extension, error);
    wr_free(library);
    WR_TRY(code);
    code = begin(extension, &there, error);
    if (code == WEIR_OK && !there) {
        code = start(extension, request, error);
        if (code) forget(extension);
    }
    if (code || there) extension_free(extension);
    return code;
}

/* ---- Listing ---- */

/* The n-th that came. What it tells stays as long as the workspace. */
static bool info_at(struct wr_extensions *extensions, size_t n,
                    struct wr_extension_info *ret_info) {
    const struct extension *found = NULL;
    size_t n_there = 0;
    pthread_mutex_lock(&extensions->mutex);
    for (const struct extension *i = extensions->first; i; i = i->next)
        n_there += i->is_there;
    for (const struct extension *i = extensions->first; i && !found; i = i->next) {
        if (i->is_there && --n_there == n) found = i;
    }
    if (found)
        *ret_info = (struct wr_extension_info){found->self.name, found->self.version,
                                               found->self.summary, found->library, found->origin};
    pthread_mutex_unlock(&extensions->mutex);
    return found != NULL;
}

int wr_extensions_each(struct wr_extensions *extensions, wr_extension_info_fn take_info, void *sink,
                       struct weir_error *error) {
    struct wr_extension_info info;
    for (size_t i = 0; info_at(extensions, i, &info); i++)
        WR_TRY(take_info(sink, &info, error));
    return WEIR_OK;
}
