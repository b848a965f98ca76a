/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/sql, and DELETE /v1/queries/{id}. */
#include "http/sql.h"

#include <stdio.h>
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/url.h"
#include "http/parse.h"

/* ---- The request ---- */

struct question {
    const char *sql;
    size_t length;
    const char *name_space; /* NULL: the session's */
    const struct json_value *params;
    struct json_document *document;
    enum http_format format;
};

static int wrong(struct weir_error *error, const char *what) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023", "%s", what);
}

static int read_members(const struct json_value *object, struct question *question,
                        struct weir_error *error) {
    if (object->type != JSON_OBJECT) return wrong(error, "the body has to be a JSON object");
    for (const struct json_value *value = object->first; value; value = value->next) {
        bool is_text = value->type == JSON_TEXT;
        if (strcmp(value->name, "sql") == 0 && is_text) {
            question->sql = value->text;
            question->length = value->length;
        } else if (strcmp(value->name, "namespace") == 0 && (is_text || value->type == JSON_NULL)) {
            question->name_space = value->text;
        } else if (strcmp(value->name, "params") == 0 &&
                   (value->type == JSON_ARRAY || value->type == JSON_OBJECT)) {
            question->params = value;
        } else if (strcmp(value->name, "params") != 0 || value->type != JSON_NULL) {
            return wr_error_set(error, WEIR_INVALID_ARGUMENT, "22023",
                                "\"%s\" is no member of a query, or of another type: there are "
                                "\"sql\" and \"namespace\" (texts) and \"params\" (an array or an "
                                "object)",
                                value->name);
        }
    }
    return question->sql ? WEIR_OK : wrong(error, "the body has no \"sql\"");
}

/* A body without a type is SQL, as curl's --data is in spite of what it says. */
static int read_body(struct http_request *request, struct question *question,
                     struct weir_error *error) {
    const struct wr_buffer *body = &request->received;
    const char *text = body->data ? body->data : "";
    if (http_is_type(http_header(request, "Content-Type"), "application/json")) {
        WR_TRY(json_parse(text, body->length, &question->document, error));
        return read_members(question->document->root, question, error);
    }
    if (memchr(text, 0, body->length) || !wr_is_utf8(text, body->length))
        return wrong(error, "the body is SQL as UTF-8, without NUL");
    question->sql = text;
    question->length = body->length;
    return WEIR_OK;
}

static int choose_format(struct http_request *request, struct question *question,
                         struct weir_error *error) {
    int chosen = http_accept(http_header(request, "Accept"), http_format_types, HTTP_N_FORMATS);
    if (chosen < 0) return wrong(error, "");
    question->format = (enum http_format)chosen;
    return WEIR_OK;
}

/* The one statement of the text. */
static int find_statement(struct question *question, char **ret_sql, struct weir_error *error) {
    const char *start = NULL, *other = NULL;
    size_t offset = 0, length = 0, ignored = 0;
    if (!weir_script_next(question->sql, question->length, &offset, &start, &length, NULL))
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601", "there is no statement");
    if (weir_script_next(question->sql, question->length, &offset, &other, &ignored, NULL)) {
        (void)wr_error_set(error, WEIR_INVALID_ARGUMENT, "42601",
                           "a request runs one statement; send the others by themselves");
        if (error) error->position = other - question->sql + 1;
        return WEIR_INVALID_ARGUMENT;
    }
    /* What comes before it stays, so that positions are those of the client's text. */
    char *sql = wr_strndup(question->sql, (size_t)(start - question->sql) + length);
    if (!sql) return wr_error_memory(error);
    *ret_sql = sql;
    return WEIR_OK;
}

/* ---- The answer ---- */

struct running {
    struct http_request *request;
    struct weir_statement *statement;
};

static void close_running(void *context) {
    struct running *running = context;
    http_end_work(running->request);
    weir_statement_close(running->statement);
    wr_free(running);
}

/* "schema" or "catalog.schema", quoted where SQL would. */
static int use_namespace(struct http_request *request, const char *name_space,
                         struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    struct wr_buffer sql;
    wr_buffer_init(&sql, 1 << 20);
    wr_buffer_text(&sql, "USE ");
    wr_buffer_text(&sql, name_space);
    const char *start;
    size_t offset = 0, length;
    int code = sql.failed ? wr_error_memory(error) : WEIR_OK;
    /* A name, and nothing that goes on after it. */
    if (!code && (strpbrk(name_space, ";'()-/ \t\r\n") || !*name_space ||
                  !weir_script_next(sql.data, sql.length, &offset, &start, &length, NULL)))
        code = wrong(error, "\"namespace\" is the name of a schema, or of a catalog and a schema "
                            "with a point between");
    if (!code) code = weir_query(request->session, sql.data, &rows, NULL, error);
    wr_arrow_release_stream(&rows);
    wr_buffer_reset(&sql);
    return code;
}

static int execute(struct running *running, enum http_format format, struct http_body *ret_body,
                   struct weir_error *error) {
    struct http_request *request = running->request;
    struct ArrowArrayStream rows = {0};
    int64_t affected = -1;
    WR_TRY(weir_statement_announce(running->statement, error));
    WR_TRY(http_begin_statement(request, running->statement, error));
    int code = weir_statement_execute(running->statement, &rows, &affected, error);
    if (!code) code = http_running_name(request, error);
    if (!code && request->id[0])
        code = http_answer_header(&request->answer, "Weir-Query-Id", request->id, error);
    if (!code && affected >= 0) {
        rows.release(&rows);
        code = http_count_rows(affected, &rows, error);
    }
    if (!code) code = http_result_body(&rows, format, close_running, running, ret_body, error);
    if (code) {
        wr_arrow_release_stream(&rows);
        http_end_work(request);
    }
    return code;
}

static int answer_statement(struct http_request *request, struct question *question,
                            const char *sql, struct weir_error *error) {
    struct running *running = wr_calloc(1, sizeof *running);
    if (!running) return wr_error_memory(error);
    running->request = request;
    int code = http_begin_work(request, error); /* planning may wait */
    if (!code && question->name_space) code = use_namespace(request, question->name_space, error);
    if (!code) code = weir_prepare(request->session, sql, &running->statement, error);
    if (!code) code = http_bind(running->statement, question->params, error);
    http_end_work(request);
    struct http_body body;
    if (!code) code = execute(running, question->format, &body, error);
    if (code) {
        weir_statement_close(running->statement);
        wr_free(running);
        return code;
    }
    http_answer_begin(&request->answer, 200, http_format_types[question->format]);
    request->answer.body = body;
    return WEIR_OK;
}

static int not_acceptable(struct http_request *request) {
    struct weir_error error;
    (void)wr_error_set(&error, WEIR_INVALID_ARGUMENT, "22023",
                       "Accept allows none of the types that there are: application/json, "
                       "application/x-ndjson, text/csv, application/vnd.apache.arrow.stream, "
                       "application/vnd.apache.parquet");
    http_answer_error(&request->answer, 406, &error);
    return WEIR_OK;
}

int http_run_sql(struct http_request *request, struct weir_error *error) {
    struct question question = {0};
    char *sql = NULL;
    if (choose_format(request, &question, NULL) != WEIR_OK) return not_acceptable(request);
    int code = read_body(request, &question, error);
    if (!code) code = find_statement(&question, &sql, error);
    if (!code) code = answer_statement(request, &question, sql, error);
    wr_free(sql);
    json_free(question.document);
    return code;
}

/* ---- DELETE /v1/queries/{id} ---- */

static bool is_id(const char *text) {
    return strlen(text) == WEIR_ID_SIZE - 1 && strspn(text, "0123456789abcdef") == WEIR_ID_SIZE - 1;
}

/* One that came through another door, if this user may. */
static int kill_query(struct http_request *request, const char *id, struct weir_error *error) {
    struct ArrowArrayStream rows = {0};
    char sql[64];
    snprintf(sql, sizeof sql, "KILL QUERY '%s'", id);
    int code = weir_query(request->session, sql, &rows, NULL, error);
    wr_arrow_release_stream(&rows);
    return code;
}

int http_run_cancel(struct http_request *request, struct weir_error *error) {
    const char *id = request->path + strlen("/v1/queries");
    if (*id == '/') id++;
    if (!is_id(id))
        return wr_error_set(error, WEIR_NOT_FOUND, "42704", "there is no query with this id");
    struct http_request *other =
        http_running_by_id(request->door, weir_principal_name(request->principal), id);
    if (other) {
        http_cancel(other);
        http_release(other);
    } else {
        WR_TRY(kill_query(request, id, error));
    }
    http_answer_begin(&request->answer, 202, "application/json");
    wr_buffer_text(&request->answer.content, "{\"cancelled\":");
    json_add_text(&request->answer.content, id);
    wr_buffer_text(&request->answer.content, "}\n");
    return http_answer_end(&request->answer, error);
}
