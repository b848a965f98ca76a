/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/tables, and what one of them is: its columns, its statistics, its kind. */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "http/parse.h"
#include "http/sql.h"
#include "nanoarrow/nanoarrow.h"

/* ---- All ---- */

/* The rows are read after the list was begun: its end is that of the work. */
static void end_list(void *context) {
    http_end_work(context);
}

static int list_tables(struct http_request *request, struct weir_error *error) {
    static const char sql[] = "SELECT catalog, namespace AS schema, name, kind, type, path "
                              "FROM system.tables ORDER BY catalog, namespace, name";
    struct ArrowArrayStream rows = {0};
    struct http_body body;
    WR_TRY(http_begin_work(request, error));
    int code = weir_query(request->session, sql, &rows, NULL, error);
    if (!code) code = http_result_body(&rows, HTTP_JSON, end_list, request, &body, error);
    if (code) {
        http_end_work(request);
        wr_arrow_release_stream(&rows);
        return code;
    }
    http_answer_begin(&request->answer, 200, "application/json");
    request->answer.body = body;
    return WEIR_OK;
}

/* ---- One ---- */

/* "/catalog/schema/table" or "/catalog/table", the parts decoded for themselves: a name may have a
 * slash. Without a schema parts[1] is NULL. */
static int split_path(const char *path, char *parts[3], struct weir_error *error) {
    int n_parts = 0;
    for (const char *at = path; (at = strchr(at, '/')); at++)
        n_parts++;
    if (n_parts < 2 || n_parts > 3)
        return wr_error_set(error, WEIR_NOT_FOUND, "42P01",
                            "the path is /v1/tables/catalog/schema/table, or without the schema");
    for (int i = 0; i < n_parts; i++) {
        size_t length = strcspn(++path, "/");
        char *part = wr_strndup(path, length);
        if (!part) return wr_error_memory(error);
        parts[i == 1 && n_parts == 2 ? 2 : i] = part;
        if (!wr_percent_decode(part) || !wr_is_utf8(part, strlen(part)))
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                                "the path has an escape that is none");
        path += length;
    }
    return WEIR_OK;
}

static void write_search(struct wr_buffer *sql, char *parts[3]) {
    wr_buffer_text(sql, "SELECT CAST(path AS VARCHAR) FROM system.tables WHERE catalog = ");
    wr_buffer_literal(sql, parts[0]);
    wr_buffer_text(sql, " AND name = ");
    wr_buffer_literal(sql, parts[2]);
    if (parts[1]) {
        wr_buffer_text(sql, " AND namespace = ");
        wr_buffer_literal(sql, parts[1]);
        return;
    }
    wr_buffer_text(sql, " AND namespace IN (SELECT namespace FROM system.namespaces WHERE "
                        "is_default AND catalog = ");
    wr_buffer_literal(sql, parts[0]);
    wr_buffer_char(sql, ')');
}

/* Where the table lies in the tree, and what sort it is: one that the user sees. */
static int find_path(struct http_request *request, char *parts[3], char **ret_path,
                     struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    struct ArrowSchema schema = {0};
    struct ArrowArrayView view;
    struct wr_buffer sql;
    char *path = NULL;
    wr_buffer_init(&sql, 1 << 20);
    write_search(&sql, parts);
    int code = sql.failed ? wr_error_memory(error)
                          : weir_query(request->session, sql.data, &rows, NULL, error);
    wr_buffer_reset(&sql);
    if (!code) code = wr_arrow_stream_schema(&rows, "tables", &schema, error);
    while (!code) {
        code = wr_arrow_stream_next(&rows, "tables", &batch, error);
        if (code || !batch.release) break;
        if (batch.length > 0 && !path &&
            ArrowArrayViewInitFromSchema(&view, &schema, NULL) == NANOARROW_OK) {
            if (ArrowArrayViewSetArray(&view, &batch, NULL) == NANOARROW_OK) {
                struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view.children[0], 0);
                path = wr_strndup(text.data, (size_t)text.size_bytes);
            }
            ArrowArrayViewReset(&view);
        }
        wr_arrow_release_array(&batch);
    }
    wr_arrow_release_schema(&schema);
    wr_arrow_release_stream(&rows);
    if (!code && !path)
        code = wr_error_set(error, WEIR_NOT_FOUND, "42P01", "there is no table %s.%s%s%s", parts[0],
                            parts[1] ? parts[1] : "", parts[1] ? "." : "", parts[2]);
    if (code) {
        wr_free(path);
        return code;
    }
    *ret_path = path;
    return WEIR_OK;
}

static int add_columns(struct wr_buffer *content, struct weir_node *node,
                       struct weir_error *error) {
    struct ArrowSchema schema = {0};
    WR_TRY(weir_node_schema(node, &schema, error));
    wr_buffer_text(content, ",\"columns\":[");
    int code = WEIR_OK;
    for (int64_t i = 0; !code && i < schema.n_children; i++) {
        const struct ArrowSchema *column = schema.children[i];
        wr_buffer_text(content, i > 0 ? ",\n{\"name\":" : "\n{\"name\":");
        json_add_text(content, column->name);
        wr_buffer_text(content, ",\"type\":");
        code = http_add_type(content, column, error);
        wr_buffer_format(content, ",\"nullable\":%s}",
                         column->flags & ARROW_FLAG_NULLABLE ? "true" : "false");
    }
    wr_buffer_char(content, ']');
    wr_arrow_release_schema(&schema);
    return code;
}

static void add_figure(struct wr_buffer *content, const char *name, int64_t number, bool exact) {
    wr_buffer_format(content, ",\"%s\":", name);
    if (number < 0) {
        wr_buffer_text(content, "null");
    } else {
        wr_buffer_format(content, "{\"value\":%lld,\"exact\":%s}", (long long)number,
                         exact ? "true" : "false");
    }
}

/* Statistics and versions of what cannot be had now are null: the table is there all the same. */
static void add_facts(struct wr_buffer *content, struct weir_node *node) {
    struct weir_node_statistics statistics = {.size = sizeof statistics};
    char *version = NULL;
    if (weir_node_statistics(node, &statistics, NULL, NULL) != WEIR_OK)
        statistics.n_rows = statistics.n_bytes = -1;
    add_figure(content, "rows", statistics.n_rows, statistics.rows_exact);
    add_figure(content, "bytes", statistics.n_bytes, statistics.bytes_exact);
    (void)weir_node_version(node, &version, NULL);
    wr_buffer_text(content, ",\"version\":");
    json_add_text(content, version);
    weir_free(version);
}

static int describe(struct http_request *request, const char *path, struct weir_error *error) {
    struct http_answer *answer = &request->answer;
    struct wr_buffer *content = &answer->content;
    struct weir_node_info info = {.size = sizeof info};
    struct weir_node *node = NULL;
    WR_TRY(http_check_in_tree(request->session, path, error));
    WR_TRY(weir_node_open(request->session, path, &node, error));
    weir_node_describe(node, &info);
    const struct {
        const char *name, *value;
    } facts[] = {{"catalog", info.catalog}, {"schema", info.schema},
                 {"name", info.name},       {"path", info.path},
                 {"kind", info.kind},       {"description", info.description}};
    http_answer_begin(answer, 200, "application/json");
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        wr_buffer_format(content, "%s\"%s\":", i > 0 ? "," : "{", facts[i].name);
        json_add_text(content, facts[i].value);
    }
    int code = add_columns(content, node, error);
    if (!code) add_facts(content, node);
    weir_node_close(node);
    wr_buffer_text(content, "}\n");
    return code ? code : http_answer_end(answer, error);
}

int http_run_table(struct http_request *request, struct weir_error *error) {
    char *parts[3] = {NULL}, *path = NULL;
    int code = split_path(request->path + strlen("/v1/tables"), parts, error);
    if (!code) code = http_begin_work(request, error);
    if (!code) {
        code = find_path(request, parts, &path, error);
        if (!code) code = describe(request, path, error);
        http_end_work(request);
    }
    wr_free(path);
    for (int i = 0; i < 3; i++)
        wr_free(parts[i]);
    return code;
}

static int describe_path(struct http_request *request, const char *path, struct weir_error *error) {
    char *checked = NULL;
    WR_TRY(http_check_path(path, &checked, error));
    int code = http_begin_work(request, error);
    if (!code) {
        code = describe(request, checked, error);
        http_end_work(request);
    }
    wr_free(checked);
    return code;
}

int http_run_tables(struct http_request *request, struct weir_error *error) {
    struct wr_buffer path;
    wr_buffer_init(&path, 1 << 16);
    int code = http_parameter(request, "path", &path) ? describe_path(request, path.data, error)
                                                      : list_tables(request, error);
    wr_buffer_reset(&path);
    return code;
}
