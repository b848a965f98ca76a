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
#include "session/session.h"

enum { MAX_PATH = 64 << 10 };

int wr_copy_sized(const void *from, void *to, size_t to_size, const char *what,
                  struct weir_error *error) {
    memset(to, 0, to_size);
    if (!from) return WEIR_OK;
    size_t size = 0;
    memcpy(&size, from, sizeof size);
    if (size < sizeof size) {
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL,
                            "%s: the member `size` is not set; set it to sizeof(struct %s)", what,
                            what);
    }
    for (size_t i = to_size; i < size; i++) {
        if (((const char *)from)[i]) {
            return wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "%s: it has members that version %s does not know", what,
                                weir_version());
        }
    }
    memcpy(to, from, size < to_size ? size : to_size);
    return WEIR_OK;
}

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

/* PATH/.weir/spill, which is made, or the system's temporary directory. */
static int default_spill_path(const char *path, char **ret_path, struct weir_error *error) {
    struct wr_buffer text;
    wr_buffer_init(&text, MAX_PATH);
    if (path) {
        wr_buffer_format(&text, "%s/.weir/spill", path);
    } else {
        const char *temporary = getenv("TMPDIR");
        wr_buffer_text(&text, temporary && *temporary ? temporary : "/tmp");
    }
    char *spill = wr_buffer_take(&text);
    if (!spill) return wr_error_memory(error);
    if (path && mkdir(spill, 0777) != 0 && errno != EEXIST) {
        int code = wr_error_errno(error, errno, "cannot make the spill directory \"%s\"", spill);
        wr_free(spill);
        return code;
    }
    *ret_path = spill;
    return WEIR_OK;
}

static int open_engine(const struct weir_workspace_options *options, struct wr_engine **ret_engine,
                       struct weir_error *error) {
    char *spill = NULL;
    if (!options->spill_path) WR_TRY(default_spill_path(options->path, &spill, error));
    struct wr_engine_options engine = {
        .size = sizeof engine,
        .threads = options->threads,
        .memory_limit = options->memory_limit ? options->memory_limit : default_memory_limit(),
        .spill_path = spill ? spill : options->spill_path,
        .spill_limit = options->spill_limit,
        .open_beneath = wr_beneath_open_file,
    };
    int code = wr_engine_open(&engine, ret_engine, error);
    wr_free(spill);
    return code;
}

static int open_parts(struct weir_workspace *workspace,
                      const struct weir_workspace_options *options, struct weir_error *error) {
    workspace->catalog = wr_strdup(options->catalog ? options->catalog : "weir");
    workspace->schema = wr_strdup(options->schema ? options->schema : "public");
    if (!workspace->catalog || !workspace->schema) return wr_error_memory(error);
    WR_TRY(wr_registry_new(&workspace->registry, error));
    WR_TRY(wr_names_open(options->path, workspace->catalog, workspace->schema, workspace->registry,
                         &workspace->names, error));
    return open_engine(options, &workspace->engine, error);
}

int weir_workspace_open(const struct weir_workspace_options *given,
                        struct weir_workspace **ret_workspace, struct weir_error *error) {
    struct weir_workspace_options options;
    WR_TRY(wr_copy_sized(given, &options, sizeof options, "weir_workspace_options", error));
    WR_TRY(check_limits(&options, error));
    struct weir_workspace *workspace = wr_calloc(1, sizeof *workspace);
    if (!workspace) return wr_error_memory(error);
    atomic_init(&workspace->references, 1);
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
    /* First the engine: what still runs in it asks the names. */
    if (workspace->engine) wr_engine_close(workspace->engine);
    wr_names_close(workspace->names);
    wr_registry_free(workspace->registry);
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
