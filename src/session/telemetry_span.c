/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans as OTLP has them in JSON (opentelemetry-proto, trace.proto; docs/specification.md: ids in
 * hexadecimal, numbers of 64 bits as strings). Names of attributes are those of OpenTelemetry's
 * semantic conventions.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/json.h"
#include "session/telemetry_internal.h"
#include "sql/statement.h"

enum { TRACE_ID = 16, SPAN_ID = 8, INTERNAL = 1, SERVER = 2, CLIENT = 3, STATUS_ERROR = 2 };

void wr_telemetry_random(unsigned char *ret_bytes, size_t n) {
    if (getrandom(ret_bytes, n, 0) < (ssize_t)n) memset(ret_bytes, 0, n);
    ret_bytes[n - 1] |= 1;
}

static void write_id(struct wr_buffer *json, const char *key, const unsigned char *id, size_t n) {
    wr_buffer_format(json, "\"%s\":\"", key);
    for (size_t i = 0; i < n; i++)
        wr_buffer_format(json, "%02x", id[i]);
    wr_buffer_text(json, "\",");
}

void wr_telemetry_write_attribute(struct wr_buffer *json, const char *key, const char *text,
                                  int64_t number, const char *separator) {
    wr_buffer_text(json, separator);
    wr_buffer_text(json, "{\"key\":");
    wr_json_write(json, key);
    if (text) {
        wr_buffer_text(json, ",\"value\":{\"stringValue\":");
        wr_json_write(json, text);
        wr_buffer_text(json, "}}");
    } else {
        wr_buffer_format(json, ",\"value\":{\"intValue\":\"%" PRId64 "\"}}", number);
    }
}

static void write_times(struct wr_buffer *json, const char *name, int kind, int64_t start_ns,
                        int64_t end_ns) {
    wr_buffer_text(json, "\"name\":");
    wr_json_write(json, name);
    wr_buffer_format(json,
                     ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64
                     "\",\"endTimeUnixNano\":\"%" PRId64 "\",\"attributes\":[",
                     kind, start_ns, end_ns);
}

static void write_end(struct wr_buffer *json, bool failed) {
    wr_buffer_char(json, ']');
    if (failed) wr_buffer_format(json, ",\"status\":{\"code\":%d}", STATUS_ERROR);
    wr_buffer_char(json, '}');
}

void wr_telemetry_write_request(struct wr_buffer *json, const struct wr_span *span) {
    static const unsigned char none[WR_TRACE_PLACE];
    unsigned char own[WR_TRACE_PLACE];
    bool has_parent = memcmp(span->parent, none, sizeof none) != 0;
    wr_telemetry_random(own, TRACE_ID);
    wr_telemetry_random(own + TRACE_ID, SPAN_ID);
    wr_buffer_char(json, '{');
    write_id(json, "traceId", has_parent ? span->parent : own, TRACE_ID);
    write_id(json, "spanId", own + TRACE_ID, SPAN_ID);
    if (has_parent) write_id(json, "parentSpanId", span->parent + TRACE_ID, SPAN_ID);
    write_times(json, span->name, CLIENT, span->start_ns, span->end_ns);
    for (size_t i = 0; i < span->n_attributes; i++) {
        const struct wr_span_attribute *one = &span->attributes[i];
        wr_telemetry_write_attribute(json, one->key, one->text, one->number, i > 0 ? "," : "");
    }
    write_end(json, span->has_failed);
}

/* The statement's first word, in capitals. */
static void write_operation(const char *sql, char *ret_operation, size_t size) {
    size_t n = 0;
    while (isspace((unsigned char)*sql) || *sql == '(')
        sql++;
    for (; isalpha((unsigned char)sql[n]) && n + 1 < size; n++)
        ret_operation[n] = (char)toupper((unsigned char)sql[n]);
    ret_operation[n] = '\0';
}

static void write_text(struct wr_buffer *json, const char *key, const char *text) {
    if (text && *text) wr_telemetry_write_attribute(json, key, text, 0, ",");
}

void wr_telemetry_write_statement(struct wr_buffer *json, const unsigned char *place,
                                  int64_t planned_us, const struct wr_audit_record *record) {
    char operation[32];
    char *sql = NULL;
    if (wr_sql_without_literals(record->sql, &sql, NULL) != WEIR_OK) sql = NULL;
    write_operation(sql ? sql : "", operation, sizeof operation);
    bool is_inside = strcmp(record->door, "library") == 0;
    wr_buffer_char(json, '{');
    write_id(json, "traceId", place, TRACE_ID);
    write_id(json, "spanId", place + TRACE_ID, SPAN_ID);
    write_times(json, *operation ? operation : "statement", is_inside ? INTERNAL : SERVER,
                planned_us * 1000, (record->started_us + record->duration_us) * 1000);
    wr_telemetry_write_attribute(json, "db.system.name", "weir", 0, "");
    write_text(json, "db.operation.name", operation);
    write_text(json, "db.query.text", sql);
    wr_telemetry_write_attribute(json, "db.response.returned_rows", NULL, record->rows, ",");
    write_text(json, "user.name", record->user);
    write_text(json, "session.id", record->session);
    write_text(json, "weir.query.id", record->query);
    write_text(json, "weir.door", record->door);
    write_text(json, "weir.peer", record->peer);
    /* A statement that was prepared may be executed later. */
    wr_telemetry_write_attribute(json, "weir.execution_us", NULL, record->duration_us, ",");
    if (record->code) {
        const char *state = record->sqlstate && *record->sqlstate ? record->sqlstate : NULL;
        write_text(json, "db.response.status_code", state);
        write_text(json, "error.type", weir_code_name(record->code));
    }
    write_end(json, record->code != WEIR_OK);
    wr_free(sql);
}
