/* SPDX-License-Identifier: Apache-2.0 */
/* What tells of the server itself, and what lies in the program as it is. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/error.h"
#include "http/internal.h"
#include "nanoarrow/nanoarrow.h"

static int answer_text(struct http_request *request, int status, const char *text,
                       struct weir_error *error) {
    http_answer_begin(&request->answer, status, "application/json");
    wr_buffer_text(&request->answer.content, text);
    return http_answer_end(&request->answer, error);
}

int http_run_health(struct http_request *request, struct weir_error *error) {
    return answer_text(request, 200, "{\"status\":\"ok\"}\n", error);
}

int http_run_ready(struct http_request *request, struct weir_error *error) {
    if (atomic_load(&request->door->draining))
        return answer_text(request, 503, "{\"status\":\"draining\"}\n", error);
    return answer_text(request, 200, "{\"status\":\"ready\"}\n", error);
}

int http_run_openapi(struct http_request *request, struct weir_error *error) {
    http_answer_begin(&request->answer, 200, "application/json");
    wr_buffer_add(&request->answer.content, http_openapi, http_openapi_length);
    return http_answer_end(&request->answer, error);
}

int http_run_page(struct http_request *request, struct weir_error *error) {
    http_answer_begin(&request->answer, 200, "text/html; charset=utf-8");
    request->answer.is_page = true;
    wr_buffer_add(&request->answer.content, http_page, http_page_length);
    return http_answer_end(&request->answer, error);
}

/* ---- Metrics: Prometheus' text format, version 0.0.4 ---- */

static void add_metric(struct wr_buffer *content, const char *prefix, const char *name,
                       size_t name_length, const char *help, size_t help_length, bool is_gauge,
                       long long value) {
    const char *type = is_gauge ? "gauge" : "counter";
    const char *suffix = is_gauge ? "" : "_total";
    wr_buffer_format(content, "# HELP %s_%.*s%s ", prefix, (int)name_length, name, suffix);
    for (size_t i = 0; i < help_length; i++)
        wr_buffer_char(content, help[i] == '\n' || help[i] == '\\' ? ' ' : help[i]);
    wr_buffer_format(content, "\n# TYPE %s_%.*s%s %s\n%s_%.*s%s %lld\n", prefix, (int)name_length,
                     name, suffix, type, prefix, (int)name_length, name, suffix, value);
}

static void add_own(struct wr_http *door, struct wr_buffer *content) {
    struct http_counters *counters = &door->counters;
    struct wr_pool_figures pool;
    wr_pool_look(door->pool, &pool);
    pthread_mutex_lock(&door->mutex);
    long long open = door->n_connections, running = door->n_requests;
    pthread_mutex_unlock(&door->mutex);
    const struct {
        const char *name, *help;
        bool is_gauge;
        long long value;
    } metrics[] = {
        {"connections_open", "connections now", true, open},
        {"requests_open", "requests now, idle connections not counted", true, running},
        {"threads", "threads that work on requests", true, pool.n_threads},
        {"waiting", "pieces of work that no thread has begun", true, pool.n_waiting},
        {"connections", "connections", false, atomic_load(&counters->connections)},
        {"requests", "requests", false, atomic_load(&counters->requests)},
        {"failed", "requests whose work failed", false, atomic_load(&counters->failed)},
        {"refused", "requests that were refused unread", false, atomic_load(&counters->refused)},
        {"unauthenticated", "credentials that were not valid", false,
         atomic_load(&counters->unauthenticated)},
        {"received_bytes", "bytes of bodies received", false, atomic_load(&counters->bytes_in)},
        {"sent_bytes", "bytes of bodies sent", false, atomic_load(&counters->bytes_out)},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        add_metric(content, "weir_http", metrics[i].name, strlen(metrics[i].name), metrics[i].help,
                   strlen(metrics[i].help), metrics[i].is_gauge, metrics[i].value);
}

/* The names are of weir's own: letters, digits and underscores. */
static int add_batch(struct wr_buffer *content, const struct ArrowSchema *schema,
                     const struct ArrowArray *batch, struct weir_error *error) {
    struct ArrowArrayView view;
    int errnum = ArrowArrayViewInitFromSchema(&view, schema, NULL);
    if (!errnum) errnum = ArrowArrayViewSetArray(&view, batch, NULL);
    for (int64_t row = 0; !errnum && row < batch->length; row++) {
        struct ArrowStringView name = ArrowArrayViewGetStringUnsafe(view.children[0], row);
        struct ArrowStringView help = {"", 0};
        if (!ArrowArrayViewIsNull(view.children[2], row))
            help = ArrowArrayViewGetStringUnsafe(view.children[2], row);
        bool is_gauge = ArrowArrayViewGetIntUnsafe(view.children[3], row) != 0;
        add_metric(content, "weir", name.data, (size_t)name.size_bytes, help.data,
                   (size_t)help.size_bytes, is_gauge,
                   (long long)ArrowArrayViewGetIntUnsafe(view.children[1], row));
    }
    ArrowArrayViewReset(&view);
    return errnum ? wr_error_errno(error, errnum, "metrics") : WEIR_OK;
}

/* The door's own figures tell what others do, as system.metrics does, which is empty for whoever
 * may not know it. Without users there are no others. */
int http_run_metrics(struct http_request *request, struct weir_error *error) {
    /* Of what the system counts, all but a few only grow. */
    static const char sql[] =
        "SELECT CAST(name AS VARCHAR), value, CAST(help AS VARCHAR), "
        "CASE WHEN name LIKE '%limit%' OR name LIKE '%reserved%' OR name LIKE '%open%' OR "
        "name LIKE '%running%' OR name LIKE '%current%' OR name LIKE '%used%' OR "
        "name LIKE '%threads%' OR name LIKE '%peak%' THEN CAST(1 AS BIGINT) "
        "ELSE CAST(0 AS BIGINT) END FROM system.metrics ORDER BY 1";
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct wr_buffer *content = &request->answer.content;
    bool sees_all = false;
    http_answer_begin(&request->answer, 200, "text/plain; version=0.0.4; charset=utf-8");
    add_own(request->door, content);
    WR_TRY(weir_query(request->session, sql, &rows, NULL, error));
    int code = wr_arrow_stream_schema(&rows, "metrics", &schema, error);
    while (!code) {
        code = wr_arrow_stream_next(&rows, "metrics", &batch, error);
        if (code || !batch.release) break;
        sees_all |= batch.length > 0;
        code = add_batch(content, &schema, &batch, error);
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    if (!code && !sees_all && weir_workspace_authenticates(request->door->workspace))
        code = wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "the metrics count what all users do: they are for members of admin");
    return code ? code : http_answer_end(&request->answer, error);
}
