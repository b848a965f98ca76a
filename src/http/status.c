/* SPDX-License-Identifier: Apache-2.0 */
/* What tells of the server itself, and what lies in the program as it is. */
#include <stdio.h>
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

enum { MOST_NAME = 96 };

struct metric {
    struct ArrowStringView name, help, store; /* of a store: its URL; else empty */
    bool is_gauge;
    long long value;
};

static void add_escaped(struct wr_buffer *content, struct ArrowStringView text, bool is_label) {
    for (int64_t i = 0; i < text.size_bytes; i++) {
        char c = text.data[i];
        if (c == '\n' || (!is_label && c == '\\')) c = ' ';
        if (is_label && (c == '"' || c == '\\')) wr_buffer_char(content, '\\');
        wr_buffer_char(content, c);
    }
}

/* `is_first`: of several of its name, which stand together. */
static void add_metric(struct wr_buffer *content, const char *prefix, const struct metric *metric,
                       bool is_first) {
    const char *type = metric->is_gauge ? "gauge" : "counter";
    const char *suffix = metric->is_gauge ? "" : "_total";
    const char *name = metric->name.data;
    int length = (int)metric->name.size_bytes;
    if (is_first) {
        wr_buffer_format(content, "# HELP %s_%.*s%s ", prefix, length, name, suffix);
        add_escaped(content, metric->help, false);
        wr_buffer_format(content, "\n# TYPE %s_%.*s%s %s\n", prefix, length, name, suffix, type);
    }
    wr_buffer_format(content, "%s_%.*s%s", prefix, length, name, suffix);
    if (metric->store.size_bytes > 0) {
        wr_buffer_text(content, "{store=\"");
        add_escaped(content, metric->store, true);
        wr_buffer_text(content, "\"}");
    }
    wr_buffer_format(content, " %lld\n", metric->value);
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
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        const struct metric metric = {
            .name = ArrowCharView(metrics[i].name),
            .help = ArrowCharView(metrics[i].help),
            .is_gauge = metrics[i].is_gauge,
            .value = metrics[i].value,
        };
        add_metric(content, "weir_http", &metric, true);
    }
}

static struct ArrowStringView text_at(const struct ArrowArrayView *column, int64_t row) {
    if (ArrowArrayViewIsNull(column, row)) return (struct ArrowStringView){"", 0};
    return ArrowArrayViewGetStringUnsafe(column, row);
}

/* The names are of weir's own: letters, digits and underscores. `last` is the name before. */
static int add_batch(struct wr_buffer *content, const struct ArrowSchema *schema,
                     const struct ArrowArray *batch, char last[MOST_NAME],
                     struct weir_error *error) {
    struct ArrowArrayView view;
    int errnum = ArrowArrayViewInitFromSchema(&view, schema, NULL);
    if (!errnum) errnum = ArrowArrayViewSetArray(&view, batch, NULL);
    for (int64_t row = 0; !errnum && row < batch->length; row++) {
        const struct metric metric = {
            .name = text_at(view.children[0], row),
            .help = text_at(view.children[2], row),
            .store = text_at(view.children[4], row),
            .is_gauge = ArrowArrayViewGetIntUnsafe(view.children[3], row) != 0,
            .value = (long long)ArrowArrayViewGetIntUnsafe(view.children[1], row),
        };
        char name[MOST_NAME];
        snprintf(name, sizeof name, "%.*s", (int)metric.name.size_bytes, metric.name.data);
        add_metric(content, "weir", &metric, strcmp(name, last) != 0);
        memcpy(last, name, sizeof name);
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
        "name LIKE '%threads%' OR name LIKE '%peak%' OR name LIKE '%allowed%' "
        "THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, CAST(store AS VARCHAR) "
        "FROM system.metrics ORDER BY 1, 5";
    struct ArrowArrayStream rows = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArray batch = {0};
    struct wr_buffer *content = &request->answer.content;
    bool sees_all = false;
    char last[MOST_NAME] = "";
    http_answer_begin(&request->answer, 200, "text/plain; version=0.0.4; charset=utf-8");
    add_own(request->door, content);
    WR_TRY(weir_query(request->session, sql, &rows, NULL, error));
    int code = wr_arrow_stream_schema(&rows, "metrics", &schema, error);
    while (!code) {
        code = wr_arrow_stream_next(&rows, "metrics", &batch, error);
        if (code || !batch.release) break;
        sees_all |= batch.length > 0;
        code = add_batch(content, &schema, &batch, last, error);
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    if (!code && !sees_all && weir_workspace_authenticates(request->door->workspace))
        code = wr_error_set(error, WEIR_UNAUTHORIZED, "42501",
                            "the metrics count what all users do: they are for members of admin");
    return code ? code : http_answer_end(&request->answer, error);
}
