/* SPDX-License-Identifier: Apache-2.0 */
/* Spans that wait for a collector which is slow, away, or closed. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/metrics.h"
#include "session/telemetry.h"

const char *wr_engine_version(void) {
    return "";
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_held;
    int code, status;
    int n_posts;
    size_t n_spans; /* of the posts that were taken */
    char url[64];
} collector = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, WEIR_OK, 200, 0, 0, ""};

static size_t count_spans(const struct wr_post *post) {
    struct wr_json *json = NULL;
    size_t n = 0;
    assert_int_equal(wr_json_parse(post->body, post->length, &json, NULL), WEIR_OK);
    const struct wr_json *scopes =
        wr_json_get(wr_json_get(json, "resourceSpans")->first, "scopeSpans");
    const struct wr_json *span = wr_json_get(scopes->first, "spans")->first;
    for (; span; span = span->next)
        n++;
    wr_json_free(json);
    return n;
}

static int take(struct wr_engine *engine, const struct wr_post *post, int32_t *ret_status,
                struct weir_error *error) {
    (void)engine;
    (void)error;
    pthread_mutex_lock(&collector.mutex);
    while (collector.is_held)
        pthread_cond_wait(&collector.changed, &collector.mutex);
    collector.n_posts++;
    strncpy(collector.url, post->url, sizeof collector.url - 1);
    if (collector.code == WEIR_OK && collector.status == 200)
        collector.n_spans += count_spans(post);
    *ret_status = collector.status;
    int code = collector.code;
    pthread_mutex_unlock(&collector.mutex);
    return code;
}

static void hold(bool is_held) {
    pthread_mutex_lock(&collector.mutex);
    collector.is_held = is_held;
    pthread_cond_broadcast(&collector.changed);
    pthread_mutex_unlock(&collector.mutex);
}

static struct wr_config *config;

static int open_config(void **state) {
    (void)state;
    return wr_config_load(NULL, NULL, 0, &config, NULL);
}

static int close_config(void **state) {
    (void)state;
    wr_config_free(config);
    return 0;
}

static struct wr_telemetry *open_telemetry(int code, int status) {
    struct wr_telemetry *telemetry = NULL;
    collector.code = code;
    collector.status = status;
    collector.n_posts = 0;
    collector.n_spans = 0;
    setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector//", 1);
    assert_int_equal(wr_telemetry_open(config, &telemetry, NULL), WEIR_OK);
    assert_non_null(telemetry);
    wr_telemetry_start(telemetry, take, NULL);
    return telemetry;
}

static void add(struct wr_telemetry *telemetry, int n) {
    static const unsigned char parent[WR_TRACE_PLACE] = {1};
    const struct wr_span_attribute attribute = {"key", "a \"text\"", 0};
    const struct wr_span span = {.size = sizeof span,
                                 .parent = parent,
                                 .name = "S3.GetObject",
                                 .attributes = &attribute,
                                 .n_attributes = 1};
    struct wr_tracer tracer = wr_telemetry_tracer(telemetry);
    for (int i = 0; i < n; i++)
        tracer.span(tracer.context, &span);
}

static int64_t dropped(void) {
    return wr_metric_value(WR_METRIC_SPANS_DROPPED);
}

static int64_t sent(void) {
    return wr_metric_value(WR_METRIC_SPANS_SENT);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void what_waits_is_sent_at_the_end(void **state) {
    (void)state;
    struct wr_telemetry *telemetry = open_telemetry(WEIR_OK, 200);
    int64_t before = sent();
    add(telemetry, 3);
    wr_telemetry_stop(telemetry);
    assert_int_equal(collector.n_spans, 3);
    assert_int_equal(sent() - before, 3);
    assert_string_equal(collector.url, "http://collector/v1/traces");
    int64_t late = dropped();
    add(telemetry, 1);
    assert_int_equal(dropped() - late, 1);
    wr_telemetry_free(telemetry);
}

static void
a_collector_that_is_slow_makes_nobody_wait_and_spans_without_room_are_counted(void **state) {
    (void)state;
    enum { ADDED = 40000 };
    struct wr_telemetry *telemetry = open_telemetry(WEIR_OK, 200);
    int64_t lost = dropped(), taken = sent();
    double begin = seconds();
    hold(true);
    add(telemetry, ADDED);
    assert_true(seconds() - begin < 5);
    lost = dropped() - lost;
    assert_in_range(lost, ADDED / 2, ADDED - 8000);
    hold(false);
    wr_telemetry_stop(telemetry);
    assert_int_equal(sent() - taken, ADDED - lost);
    assert_int_equal((int64_t)collector.n_spans, ADDED - lost);
    wr_telemetry_free(telemetry);
}

static void what_is_not_taken_is_counted(void **state) {
    (void)state;
    static const struct {
        int code, status, n_posts;
    } ways[] = {{WEIR_IO, 0, 1}, {WEIR_OK, 400, 1}, {WEIR_OK, 302, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct wr_telemetry *telemetry = open_telemetry(ways[i].code, ways[i].status);
        int64_t before = dropped();
        add(telemetry, 5);
        wr_telemetry_stop(telemetry);
        assert_int_equal(dropped() - before, 5);
        assert_int_equal(collector.n_posts, ways[i].n_posts);
        wr_telemetry_free(telemetry);
    }
}

static void a_collector_that_is_busy_is_asked_three_times(void **state) {
    (void)state;
    struct wr_telemetry *telemetry = open_telemetry(WEIR_OK, 503);
    int64_t before = dropped();
    double begin = seconds();
    add(telemetry, 1);
    while (dropped() == before && seconds() - begin < 20)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(collector.n_posts, 3);
    wr_telemetry_stop(telemetry);
    wr_telemetry_free(telemetry);
}

static void without_an_address_nothing_is_traced(void **state) {
    (void)state;
    static const unsigned char none[WR_TRACE_PLACE];
    unsigned char place[WR_TRACE_PLACE] = {1};
    struct wr_telemetry *telemetry = NULL;
    setenv("OTEL_TRACES_EXPORTER", "none", 1);
    assert_int_equal(wr_telemetry_open(config, &telemetry, NULL), WEIR_OK);
    unsetenv("OTEL_TRACES_EXPORTER");
    assert_null(telemetry);
    assert_null(wr_telemetry_tracer(telemetry).span);
    wr_telemetry_place(telemetry, place);
    assert_memory_equal(place, none, sizeof place);
    wr_telemetry_start(telemetry, take, NULL);
    wr_telemetry_statement(telemetry, place, 0, NULL);
    wr_telemetry_stop(telemetry);
    wr_telemetry_free(telemetry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_sent_at_the_end),
        cmocka_unit_test(
            a_collector_that_is_slow_makes_nobody_wait_and_spans_without_room_are_counted),
        cmocka_unit_test(what_is_not_taken_is_counted),
        cmocka_unit_test(a_collector_that_is_busy_is_asked_three_times),
        cmocka_unit_test(without_an_address_nothing_is_traced),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, open_config, close_config);
}
