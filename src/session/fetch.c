/* SPDX-License-Identifier: Apache-2.0 */
/* Queries that cached tables ask for, each in an engine session of its own. */
#include <errno.h>
#include <string.h>

#include <nanoarrow/nanoarrow.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "catalog/tree.h"
#include "file/spool.h"
#include "session/session.h"
#include "table/cached/cached.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

struct fetcher {
    struct weir_workspace *workspace;
    struct wr_flight *flight; /* NULL: of no fetch */
    struct wr_engine_session *session;
    struct wr_plan *plan;
};

/* ---- Names, looked up on the fetch's behalf ---- */

static int list(void *context, const char *catalog, const char *schema, wr_emit_fn emit, void *sink,
                struct weir_error *error) {
    const struct fetcher *fetcher = context;
    return wr_names_list(fetcher->workspace->names, catalog, schema, emit, sink, error);
}

static int has(void *context, const char *catalog, const char *schema) {
    const struct fetcher *fetcher = context;
    return wr_names_has(fetcher->workspace->names, catalog, schema);
}

static int table(void *context, const char *catalog, const char *schema, const char *name,
                 const struct weir_option *options, size_t n_options, int32_t in_view,
                 struct wr_table *ret_table, struct weir_error *error) {
    (void)in_view;
    const struct fetcher *fetcher = context;
    struct wr_flight *before = wr_caches_enter(fetcher->flight);
    int code = wr_names_table(fetcher->workspace->names, catalog, schema, name, options, n_options,
                              ret_table, error);
    wr_caches_leave(before);
    return code;
}

static void reset(struct fetcher *fetcher) {
    if (fetcher->plan) wr_plan_free(fetcher->plan);
    if (fetcher->session) wr_engine_session_free(fetcher->session);
}

static int apply_settings(const struct fetcher *fetcher, struct weir_error *error) {
    const struct weir_option *settings = NULL;
    size_t n = wr_config_settings(fetcher->workspace->config, &settings);
    for (size_t i = 0; i < n; i++)
        WR_TRY(wr_engine_session_set(fetcher->session, settings[i].key, settings[i].value, error));
    return WEIR_OK;
}

static int plan(struct fetcher *fetcher, const struct wr_cached_query *query,
                struct weir_error *error) {
    const struct wr_session_options options = {
        .size = sizeof options,
        .catalog = query->catalog,
        .schema = query->schema,
        .names = {.size = sizeof options.names,
                  .context = fetcher,
                  .list = list,
                  .has = has,
                  .table = table},
    };
    WR_TRY(wr_engine_session_new(fetcher->workspace->engine, &options, &fetcher->session, error));
    WR_TRY(apply_settings(fetcher, error));
    return wr_plan_new(fetcher->session, query->sql, &fetcher->plan, error);
}

static void cancel_run(void *run) {
    wr_run_cancel(run);
}

static int start(struct fetcher *fetcher, struct ArrowArrayStream *ret_rows,
                 struct wr_run **ret_run, struct weir_error *error) {
    if (fetcher->flight && wr_flight_is_cancelled(fetcher->flight))
        return wr_error_set(error, WEIR_CANCELLED, NULL, "the fetch was cancelled");
    WR_TRY(wr_plan_execute(fetcher->plan, ret_rows, ret_run, error));
    if (fetcher->flight) wr_flight_run(fetcher->flight, cancel_run, *ret_run);
    return WEIR_OK;
}

static void finish(struct fetcher *fetcher, struct wr_run *run) {
    if (fetcher->flight) wr_flight_run(fetcher->flight, NULL, NULL);
    wr_run_free(run);
}

/* ---- Rows into a file ---- */

/* A stream on another one that counts its rows. */
struct counting {
    struct ArrowArrayStream *inner;
    int64_t n_rows;
};

static int counting_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema) {
    const struct counting *counting = stream->private_data;
    return counting->inner->get_schema(counting->inner, ret_schema);
}

static int counting_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array) {
    struct counting *counting = stream->private_data;
    int errnum = counting->inner->get_next(counting->inner, ret_array);
    if (errnum == 0 && ret_array->release) counting->n_rows += ret_array->length;
    return errnum;
}

static const char *counting_error(struct ArrowArrayStream *stream) {
    const struct counting *counting = stream->private_data;
    return counting->inner->get_last_error(counting->inner);
}

static void counting_release(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

static int encode(struct fetcher *fetcher, weir_write_fn write, void *sink,
                  struct wr_fetched *fetched, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArrayStream tapped = {0};
    struct wr_run *run = NULL;
    WR_TRY(start(fetcher, &rows, &run, error));
    struct wr_tap tap = {.inner = &rows, .engine = true};
    wr_tap_open(&tap, &tapped);
    struct counting counting = {.inner = &tapped};
    struct ArrowArrayStream counted = {counting_schema, counting_next, counting_error,
                                       counting_release, &counting};
    /* For looking up few rows quickly rather than for room. */
    static const struct weir_option options[] = {{"compression", "lz4_raw"},
                                                 {"row_group_size", "65536"},
                                                 {"page_size", "4096"},
                                                 {"dictionary_size", "32768"}};
    int code = wr_stream_encode(&counted, "parquet", options, N_OF(options), write, sink, error);
    fetched->unfit = code != WEIR_OK && tap.code == WEIR_OK;
    code = wr_tap_result(&tap, code, error);
    wr_arrow_release_stream(&rows);
    finish(fetcher, run);
    fetched->n_rows = counting.n_rows;
    return code;
}

static int fetch(void *context, struct wr_flight *flight, const struct wr_cached_query *query,
                 weir_write_fn write, void *sink, struct wr_fetched *ret_fetched,
                 struct weir_error *error) {
    struct fetcher fetcher = {.workspace = context, .flight = flight};
    int code = plan(&fetcher, query, error);
    if (code == WEIR_OK) code = wr_plan_schema(fetcher.plan, &ret_fetched->schema, error);
    if (code == WEIR_OK && write) code = encode(&fetcher, write, sink, ret_fetched, error);
    reset(&fetcher);
    if (code && error) error->position = 0; /* in a text that nobody has written */
    return code;
}

/* ---- One row of texts ---- */

static int take_texts(const struct ArrowArray *batch, const struct ArrowSchema *schema,
                      char **ret_texts, size_t n_texts, struct weir_error *error) {
    struct ArrowArrayView view;
    struct ArrowError problem = {{0}};
    int errnum = ArrowArrayViewInitFromSchema(&view, schema, &problem);
    if (errnum == NANOARROW_OK) errnum = ArrowArrayViewSetArray(&view, batch, &problem);
    if (errnum != NANOARROW_OK) {
        ArrowArrayViewReset(&view);
        if (errnum == ENOMEM) return wr_error_memory(error);
        return wr_error_set(error, WEIR_INTERNAL, NULL, "reading a row of texts: %s",
                            problem.message);
    }
    int code = WEIR_OK;
    for (size_t i = 0; i < n_texts && code == WEIR_OK; i++) {
        if (ArrowArrayViewIsNull(view.children[i], 0)) continue;
        struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view.children[i], 0);
        ret_texts[i] = wr_strndup(text.data, (size_t)text.size_bytes);
        if (!ret_texts[i]) code = wr_error_memory(error);
    }
    ArrowArrayViewReset(&view);
    return code;
}

static int read_texts(struct ArrowArrayStream *rows, char **ret_texts, size_t n_texts,
                      struct weir_error *error) {
    struct ArrowSchema schema = {0};
    bool taken = false;
    int code = wr_arrow_stream_schema(rows, "a row of texts", &schema, error);
    while (code == WEIR_OK) {
        struct ArrowArray batch = {0};
        code = wr_arrow_stream_next(rows, "a row of texts", &batch, error);
        if (code || !batch.release) break;
        if (batch.length > 0 && !taken) {
            code = take_texts(&batch, &schema, ret_texts, n_texts, error);
            taken = true;
        }
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_schema(&schema);
    return code;
}

static int texts(void *context, struct wr_flight *flight, const struct wr_cached_query *query,
                 char **ret_texts, size_t n_texts, struct weir_error *error) {
    struct fetcher fetcher = {.workspace = context, .flight = flight};
    struct ArrowArrayStream rows = {0};
    struct wr_run *run = NULL;
    int code = plan(&fetcher, query, error);
    if (code == WEIR_OK) code = start(&fetcher, &rows, &run, error);
    if (code == WEIR_OK) {
        code = read_texts(&rows, ret_texts, n_texts, error);
        wr_arrow_release_stream(&rows);
        finish(&fetcher, run);
    }
    reset(&fetcher);
    return code;
}

/* ---- Sources and results of mode query ---- */

/* Takes one part of a quoted name and steps over it. */
static int take_part(const char **at, char **ret_part, struct weir_error *error) {
    struct wr_buffer part;
    wr_buffer_init(&part, 64 << 10);
    const char *text = *at + 1;
    for (; *text && (*text != '"' || text[1] == '"'); text++) {
        if (*text == '"') text++;
        wr_buffer_char(&part, *text);
    }
    *at = *text ? text + 1 : text;
    *ret_part = wr_buffer_take(&part);
    return *ret_part ? WEIR_OK : wr_error_memory(error);
}

static int open_source(void *context, struct wr_flight *flight, const char *source,
                       const char *catalog, const char *schema, struct wr_instance **ret_source,
                       struct weir_error *error) {
    struct weir_workspace *workspace = context;
    char *parts[3] = {0};
    size_t n_parts = 0;
    int code = WEIR_OK;
    for (; code == WEIR_OK && n_parts < 3 && *source == '"'; n_parts++) {
        code = take_part(&source, &parts[n_parts], error);
        if (*source == '.') source++;
    }
    char *last = n_parts > 0 ? parts[n_parts - 1] : NULL;
    struct weir_option off = {WR_CACHED_SWITCH, "off"};
    /* The option that a mount's table has in its name. */
    char *hidden = last ? strchr(last, '\x1f') : NULL;
    if (hidden) *hidden = '\0';
    struct wr_name name = {n_parts == 3 ? parts[0] : catalog, n_parts == 3 ? parts[1] : schema,
                           last};
    struct wr_flight *before = wr_caches_enter(flight);
    if (code == WEIR_OK && last)
        code =
            wr_names_open_table(workspace->names, &name, &off, hidden ? 1 : 0, ret_source, error);
    wr_caches_leave(before);
    for (size_t i = 0; i < 3; i++)
        wr_free(parts[i]);
    return code;
}

static int spool_get(struct wr_spool *spool, const char *key, int64_t max_age_ms,
                     const struct wr_result_fill *fill, int *ret_fd, bool *ret_filled,
                     struct weir_error *error) {
    const struct wr_spool_fill own = {fill->run, fill->is_cancelled, fill->context};
    int64_t n_bytes = 0;
    return wr_spool_get(spool, key, max_age_ms, &own, ret_fd, &n_bytes, ret_filled, error);
}

/* ---- Wiring ---- */

int wr_workspace_add_caches(struct weir_workspace *workspace, const char *path,
                            struct weir_error *error) {
    const struct wr_caches_state state = {
        .registry = workspace->registry,
        .path = path,
        .max_bytes = wr_config_int(workspace->config, "cache.tables.max_bytes"),
        .engine = {.context = workspace,
                   .fetch = fetch,
                   .texts = texts,
                   .open = open_source,
                   .spool_open = wr_spool_open,
                   .spool_close = wr_spool_close,
                   .spool_get = spool_get},
    };
    return wr_caches_new(&state, &workspace->caches, error);
}
