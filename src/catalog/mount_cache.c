/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts whose tables are read through a cache: options "cache.*" of any kind of mount. */
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/options.h"
#include "catalog/names.h"
#include "table/cached/cached.h"

static const size_t prefix_length = sizeof WR_CACHED_PREFIX - 1;

static bool is_of_cache(const struct weir_option *option) {
    return strncasecmp(option->key, WR_CACHED_PREFIX, prefix_length) == 0;
}

int wr_mount_options(const struct weir_option *options, size_t n_options,
                     struct wr_options *ret_own, struct wr_options *ret_cache,
                     struct weir_error *error) {
    struct wr_options own = {0};
    struct wr_options cache = {0};
    int code = WEIR_OK;
    for (size_t i = 0; code == WEIR_OK && i < n_options; i++) {
        const struct weir_option *option = &options[i];
        code = is_of_cache(option)
                   ? wr_options_add(&cache, option->key + prefix_length, option->value, error)
                   : wr_options_add(&own, option->key, option->value, error);
    }
    if (code) {
        wr_options_reset(&own);
        wr_options_reset(&cache);
        return code;
    }
    *ret_own = own;
    *ret_cache = cache;
    return WEIR_OK;
}

/* The copies of a mount are no other one's, whatever its name. */
int wr_mount_identify(const struct weir_mount_kind *kind, const struct wr_options *own,
                      struct wr_options *cache, struct weir_error *error) {
    struct wr_hash hash;
    char digest[WR_HASH_TEXT_SIZE];
    if (cache->n_items == 0) return WEIR_OK;
    wr_hash_init(&hash);
    wr_hash_text(&hash, kind->name);
    for (size_t i = 0; i < own->n_items; i++) {
        wr_hash_text(&hash, own->items[i].key);
        wr_hash_text(&hash, own->items[i].value);
    }
    wr_hash_finish(&hash, digest);
    return wr_options_add(cache, "identity", digest, error);
}

const char *wr_cache_switch(const struct weir_option *options, size_t n_options) {
    if (n_options != 1 || strcmp(options[0].key, WR_CACHED_SWITCH) != 0) return NULL;
    return options[0].value;
}

/* The table itself, as an absolute path of the tree with the option of a call in it. */
static int add_source(const struct wr_mount *mount, const char *path, struct wr_options *options,
                      struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, 64 << 10);
    wr_buffer_format(&text, "/%s%s%s\x1f" WR_CACHED_SWITCH "\x1foff", wr_mount_name(mount),
                     *path ? "/" : "", path);
    int code =
        text.failed ? wr_error_memory(error) : wr_options_add(options, "source", text.data, error);
    wr_buffer_reset(&text);
    return code;
}

int wr_mount_open_cached(struct wr_names *names, const struct wr_mount *mount, const char *path,
                         const char *how, const struct weir_definition *table,
                         struct wr_instance **ret_instance, struct weir_error *error) {
    struct wr_options options = {0};
    const struct wr_options *cache = wr_mount_cache(mount);
    int code = wr_options_copy(cache->items, cache->n_items, &options, error);
    if (code == WEIR_OK) code = add_source(mount, path, &options, error);
    if (code == WEIR_OK && how)
        code = wr_options_add(&options, "param." WR_CACHED_SWITCH, how, error);
    struct weir_definition definition = *table;
    /* One copy, by whichever of its names the table is asked for. */
    if (*path) definition.name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    definition.kind = WR_CACHED_KIND;
    definition.options = options.items;
    definition.n_options = options.n_items;
    if (code == WEIR_OK) code = wr_recent_open(names, &definition, ret_instance, error);
    wr_options_reset(&options);
    return code;
}
