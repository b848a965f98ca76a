/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/beneath.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/sized.h"
#include "catalog/tree.h"
#include "session/log.h"
#include "session/session.h"

enum { MAX_PATH = 64 << 10 };

/* ---- Open ---- */

static int64_t default_memory_limit(void) {
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_size = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 ? (int64_t)pages / 4 * 3 * page_size : INT64_C(1) << 30;
}

static int check_limits(const struct weir_workspace_options *options, struct weir_error *error) {
    const char *name = options->memory_limit < 0  ? "memory_limit"
                       : options->threads < 0     ? "threads"
                       : options->spill_limit < 0 ? "spill_limit"
                                                  : NULL;
    if (!name) return WEIR_OK;
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                        "workspace: %s is negative; give a number from 1, or 0 for the default",
                        name);
}

static int make_directory(const char *path, struct weir_error *error) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return WEIR_OK;
    return wr_error_errno(error, errno, "cannot make the spill directory \"%s\"", path);
}

/* The one that was given, PATH/.weir/spill, or the system's temporary directory. */
static int find_spill_path(const struct weir_workspace_options *options,
                           const struct wr_config *config, char **ret_path,
                           struct weir_error *error) {
    const char *temporary = getenv("TMPDIR"), *configured = wr_config_text(config, "spill.path");
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_PATH);
    if (options->spill_path || configured)
        wr_buffer_text(&text, options->spill_path ? options->spill_path : configured);
    else if (options->path)
        wr_buffer_format(&text, "%s/.weir/spill", options->path);
    else
        wr_buffer_text(&text, temporary && *temporary ? temporary : "/tmp");
    char *spill = wr_buffer_take(&text);
    if (!spill) return wr_error_memory(error);
    int code = options->spill_path || (!configured && !options->path)
                   ? WEIR_OK
                   : make_directory(spill, error);
    if (code) {
        wr_free(spill);
        return code;
    }
    *ret_path = spill;
    return WEIR_OK;
}

/* PATH/.weir/uploads; NULL without a workspace on disk. */
static int find_uploads_path(const struct weir_workspace_options *options, char **ret_path,
                             struct weir_error *error) {
    *ret_path = NULL;
    if (!options->path) return WEIR_OK;
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_PATH);
    wr_buffer_format(&text, "%s/.weir/uploads", options->path);
    *ret_path = wr_buffer_take(&text);
    return *ret_path ? WEIR_OK : wr_error_memory(error);
}

/* The options win over the configuration. */
static int open_engine(const struct weir_workspace_options *options,
                       struct weir_workspace *workspace, struct weir_error *error) {
    const struct wr_config *config = workspace->config;
    int64_t memory =
        options->memory_limit ? options->memory_limit : wr_config_int(config, "memory_limit");
    int64_t threads = options->threads ? options->threads : wr_config_int(config, "threads");
    int64_t spill_limit =
        options->spill_limit ? options->spill_limit : wr_config_int(config, "spill.max_bytes");
    char *spill = NULL, *uploads = NULL;
    WR_TRY(find_spill_path(options, config, &spill, error));
    int code = find_uploads_path(options, &uploads, error);
    struct wr_engine_options engine = {
        .size = sizeof engine,
        .threads = (int32_t)threads,
        .memory_limit = memory ? memory : default_memory_limit(),
        .spill_path = spill,
        .spill_limit = spill_limit,
        .cache = wr_file_state_cache(workspace->files),
        .open_beneath = wr_beneath_open_file,
        .locate = {workspace->stores, wr_store_pool_locate},
        .calls = &wr_engine_calls,
        .blocks = wr_file_state_blocks(workspace->files),
        .uploads_path = uploads,
        .log = {workspace->log, workspace->log ? wr_log_line : NULL},
        .tracer = wr_telemetry_tracer(workspace->telemetry),
    };
    if (code == WEIR_OK) code = wr_engine_open(&engine, &workspace->engine, error);
    wr_free(spill);
    wr_free(uploads);
    return code;
}

#define PRESET "policy.preset"

/* With the caller's preset, unless something else is written. */
static int load_file(const char *file, const struct weir_workspace_options *options,
                     struct wr_config **ret_config, struct weir_error *error) {
    struct wr_config *config = NULL;
    size_t n = options->n_settings;
    WR_TRY(wr_config_load(file, options->settings, n, &config, error));
    if (!options->preset || wr_config_is_set(config, PRESET)) {
        *ret_config = config;
        return WEIR_OK;
    }
    wr_config_free(config);
    struct weir_option *settings = wr_calloc(n + 1, sizeof *settings);
    if (!settings) return wr_error_memory(error);
    for (size_t i = 0; i < n; i++)
        settings[i] = options->settings[i];
    settings[n] = (struct weir_option){PRESET, options->preset};
    int code = wr_config_load(file, settings, n + 1, ret_config, error);
    wr_free(settings);
    return code;
}

/* The file that was given; else PATH/weir.yaml if there is one. */
static int load_config(const struct weir_workspace_options *options, struct wr_config **ret_config,
                       struct weir_error *error) {
    const char *given = options->config;
    struct wr_buffer path;
    wr_buffer_init(&path, MAX_PATH);
    if (given) {
        wr_buffer_text(&path, given);
    } else if (options->path) {
        wr_buffer_format(&path, "%s/weir.yaml", options->path);
        if (!path.failed && access(path.data, F_OK) != 0) wr_buffer_clear(&path);
    }
    int code = path.failed
                   ? wr_error_memory(error)
                   : load_file(path.length > 0 ? path.data : NULL, options, ret_config, error);
    wr_buffer_reset(&path);
    return code;
}

/* They are opened at their first use: a source that is away keeps no workspace closed. */
static int attach_mounts(struct weir_workspace *workspace, struct weir_error *error) {
    const struct wr_config_mount *mounts = NULL;
    size_t n_mounts = wr_config_mounts(workspace->config, &mounts);
    for (size_t i = 0; i < n_mounts; i++) {
        const struct weir_definition definition = {
            .size = sizeof definition,
            .name = mounts[i].name,
            .kind = mounts[i].kind,
            .options = mounts[i].options,
            .n_options = mounts[i].n_options,
        };
        int code = wr_names_attach_configured(workspace->names, &definition, mounts[i].origin,
                                              mounts[i].url, error);
        if (code) return wr_error_prefix(error, code, "%s", mounts[i].origin);
    }
    return WEIR_OK;
}

/* The scopes of `stores:`, and of mounts whose url is one of a store's. */
static int add_stores(struct weir_workspace *workspace, struct weir_error *error) {
    const struct wr_config_store *stores = NULL;
    size_t n_stores = wr_config_stores(workspace->config, &stores);
    for (size_t i = 0; i < n_stores; i++) {
        struct wr_scope_info info = {
            .name = stores[i].name,
            .origin = WR_SCOPE_CONFIG,
            .from = stores[i].origin,
            .scope = stores[i].url,
            .options = stores[i].options,
            .n_options = stores[i].n_options,
        };
        const char *type = stores[i].type;
        info.type = type ? wr_store_type_parse(type, strlen(type)) : WR_STORE_NONE;
        if (type && info.type == WR_STORE_NONE)
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                                "%s: store \"%s\": \"%s\" is no type of store; there are s3, "
                                "azure, gcs and http",
                                stores[i].origin, stores[i].name, type);
        int code = wr_scopes_add(wr_store_pool_scopes(workspace->stores), &info, false, error);
        if (code) return wr_error_prefix(error, code, "%s", stores[i].origin);
    }
    return WEIR_OK;
}

static int open_files(const char *path, const struct wr_config *config,
                      struct wr_file_state **ret_files, struct weir_error *error) {
    const struct wr_file_settings settings = {
        .spool_path = wr_config_text(config, "spool.path"),
        .spool_max_bytes = wr_config_int(config, "spool.max_bytes"),
        .spool_max_age_ms = wr_config_int(config, "spool.max_age"),
        .cache_max_bytes = wr_config_int(config, "cache.max_bytes"),
        .blocks_max_bytes = wr_config_int(config, "cache.objects.max_bytes"),
        .parquet_compression = wr_config_text(config, "encoding.parquet.compression"),
    };
    return wr_file_state_open(path, &settings, ret_files, error);
}

static int open_queries(struct weir_workspace *workspace, struct weir_error *error) {
    const struct wr_config *config = workspace->config;
    const struct wr_queries_limits limits = {
        .max_running = (int32_t)wr_config_int(config, "limits.statements"),
        .max_per_user = (int32_t)wr_config_int(config, "limits.statements_per_user"),
        .max_waiting = (int32_t)wr_config_int(config, "limits.waiting"),
        .wait_ms = wr_config_int(config, "limits.wait"),
        .history = (int32_t)wr_config_int(config, "limits.history"),
    };
    return wr_queries_new(&limits, workspace->audit, workspace->telemetry, &workspace->queries,
                          error);
}

static int open_parts(struct weir_workspace *workspace,
                      const struct weir_workspace_options *options, struct weir_error *error) {
    WR_TRY(load_config(options, &workspace->config, error));
    const struct wr_config *config = workspace->config;
    workspace->catalog =
        wr_strdup(options->catalog ? options->catalog : wr_config_text(config, "catalog.name"));
    workspace->schema =
        wr_strdup(options->schema ? options->schema : wr_config_text(config, "catalog.schema"));
    if (!workspace->catalog || !workspace->schema) return wr_error_memory(error);
    WR_TRY(wr_registry_new(&workspace->registry, error));
    WR_TRY(wr_store_pool_new(wr_config_int(config, "cache.listings.max_age"), &workspace->stores,
                             error));
    wr_registry_give(workspace->registry, wr_store_pool_stores(workspace->stores));
    WR_TRY(wr_names_open(options->path, workspace->catalog, workspace->schema, workspace->registry,
                         &workspace->names, error));
    WR_TRY(open_files(options->path, config, &workspace->files, error));
    WR_TRY(wr_log_open(config, &workspace->log, error));
    WR_TRY(wr_telemetry_open(config, &workspace->telemetry, error));
    WR_TRY(open_engine(options, workspace, error));
    wr_telemetry_start(workspace->telemetry, wr_engine_post, workspace->engine);
    wr_store_pool_engine(workspace->stores, workspace->engine);
    wr_registry_engine(workspace->registry, workspace->engine, wr_engine_add);
    WR_TRY(wr_policy_new(workspace->names, config, workspace->catalog, workspace->schema,
                         &workspace->policy, error));
    wr_store_pool_policy(workspace->stores, workspace->policy);
    WR_TRY(wr_auth_new(workspace->names, config, &workspace->auth, error));
    WR_TRY(wr_audit_open(config, &workspace->audit, error));
    WR_TRY(wr_workspace_add_caches(workspace, options->path, error));
    WR_TRY(open_queries(workspace, error));
    WR_TRY(wr_extensions_new(workspace->registry, options->path, &workspace->extensions, error));
    WR_TRY(wr_workspace_add_system(workspace, error));
    WR_TRY(wr_workspace_load_extensions(workspace, error));
    WR_TRY(add_stores(workspace, error));
    WR_TRY(attach_mounts(workspace, error));
    wr_engine_sweep(workspace->engine);
    return WEIR_OK;
}

int weir_workspace_open(const struct weir_workspace_options *given,
                        struct weir_workspace **ret_workspace, struct weir_error *error) {
    struct weir_workspace_options options;
    WR_TRY(wr_copy_sized(given, &options, sizeof options, "weir_workspace_options", error));
    WR_TRY(check_limits(&options, error));
    struct weir_workspace *workspace = wr_calloc(1, sizeof *workspace);
    if (!workspace) return wr_error_memory(error);
    atomic_init(&workspace->references, 1);
    pthread_mutex_init(&workspace->mutex, NULL);
    int code = open_parts(workspace, &options, error);
    if (code) {
        wr_workspace_release(workspace);
        return code;
    }
    *ret_workspace = workspace;
    return WEIR_OK;
}

/* ---- Close ---- */

void wr_workspace_release(struct weir_workspace *workspace) {
    if (atomic_fetch_sub_explicit(&workspace->references, 1, memory_order_acq_rel) > 1) return;
    /* First what runs in the engine by itself, then the engine: what still runs in it asks the
     * names. */
    wr_caches_stop(workspace->caches);
    wr_store_pool_stop(workspace->stores);
    wr_telemetry_stop(workspace->telemetry);
    if (workspace->engine) wr_engine_close(workspace->engine);
    wr_queries_free(workspace->queries);
    wr_file_state_close(workspace->files);
    while (workspace->unused_names) {
        struct wr_session_names *next = workspace->unused_names->next;
        wr_gated_reset(&workspace->unused_names->gated);
        pthread_mutex_destroy(&workspace->unused_names->mutex);
        wr_free(workspace->unused_names);
        workspace->unused_names = next;
    }
    wr_names_close(workspace->names);
    wr_extensions_free(workspace->extensions);
    wr_registry_free(workspace->registry);
    wr_caches_free(workspace->caches);
    wr_system_free(workspace->system);
    wr_store_pool_free(workspace->stores);
    wr_policy_free(workspace->policy);
    wr_auth_free(workspace->auth);
    wr_audit_close(workspace->audit);
    wr_log_close(workspace->log);
    wr_telemetry_free(workspace->telemetry);
    wr_config_free(workspace->config);
    pthread_mutex_destroy(&workspace->mutex);
    wr_free(workspace->catalog);
    wr_free(workspace->schema);
    wr_free(workspace);
}

void weir_workspace_close(struct weir_workspace *workspace) {
    if (workspace) wr_workspace_release(workspace);
}

int weir_register_kind(struct weir_workspace *workspace, const struct weir_table_kind *kind,
                       struct weir_error *error) {
    return wr_registry_add(workspace->registry, kind, error);
}

int weir_register_mount_kind(struct weir_workspace *workspace, const struct weir_mount_kind *kind,
                             struct weir_error *error) {
    return wr_registry_add_mount(workspace->registry, kind, error);
}
