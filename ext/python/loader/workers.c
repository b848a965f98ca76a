/* SPDX-License-Identifier: Apache-2.0 */
/* A table whose source runs in worker processes: what it is asked but for its rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/pool.h"

int wp_workers_open(const struct wp_definition *definition,
                    const struct wp_workers_options *options, void **ret_table,
                    struct weir_error *error) {
    struct wp_pool *pool;
    struct wp_process *process;
    WP_TRY(wp_pool_new(definition, options, &pool, error));
    int code = wp_pool_take(pool, &process, error);
    if (code) {
        wp_pool_free(pool);
        return code;
    }
    wp_pool_give(pool, process);
    *ret_table = pool;
    return WEIR_OK;
}

static void workers_close(void *table) {
    wp_pool_free(table);
}

static int workers_schema(void *table, struct ArrowSchema *ret_schema, struct weir_error *error) {
    struct wp_pool *pool = table;
    return wp_schema_copy(&pool->schema, ret_schema) ? wp_error_memory(error) : WEIR_OK;
}

/* A request that any process answers. */
static int ask(struct wp_pool *pool, int type, const struct wp_out *out, int expected,
               struct wp_frame *ret_answer, struct weir_error *error) {
    struct wp_process *process;
    WP_TRY(wp_pool_take(pool, &process, error));
    struct wp_question question = {
        .type = type, .out = out, .expected = expected, .limits = &pool->limits, .partition = -1};
    int code = wp_process_ask(process, &question, ret_answer, error);
    bool is_dead = process->is_dead;
    wp_pool_give(pool, process);
    /* What the source itself raised names the table already. */
    return code && is_dead ? wp_error_prefix(error, pool->name) : code;
}

static int workers_statistics(void *table, struct wp_known *ret_known, struct weir_error *error) {
    struct wp_frame answer;
    WP_TRY(ask(table, WP_STATISTICS, NULL, WP_KNOWN, &answer, error));
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    struct wp_known known = {wp_get_number(&in), wp_get_number(&in), (int32_t)wp_get_number(&in)};
    wp_frame_reset(&answer);
    *ret_known = in.failed ? (struct wp_known){-1, -1, 0} : known;
    return WEIR_OK;
}

static int workers_classify(void *table, const struct weir_filter *filters, size_t n_filters,
                            int32_t *ret_support, struct weir_error *error) {
    struct wp_out out = {0};
    struct wp_frame answer;
    wp_put_filters(&out, filters, n_filters);
    int code = ask(table, WP_CLASSIFY, &out, WP_SUPPORT, &answer, error);
    wp_out_reset(&out);
    if (code) return code;
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    size_t size;
    const uint8_t *support = wp_get_bytes(&in, &size);
    bool is_whole = support && size == n_filters * sizeof *ret_support;
    if (is_whole) memcpy(ret_support, support, size);
    wp_frame_reset(&answer);
    return is_whole ? WEIR_OK
                    : wp_error(error, WEIR_INTERNAL, "XX000", "a worker's answer is damaged");
}

/* ---- INSERT ---- */

/* Answers what the worker pulls with the next batch. */
static int give_batch(struct wp_process *process, const struct ArrowSchema *schema,
                      struct ArrowArrayStream *rows, struct weir_error *error) {
    struct ArrowArray array = {0};
    struct wp_out out = {0};
    int fd = -1, number = rows->get_next(rows, &array);
    if (number) {
        const char *text = rows->get_last_error(rows);
        return wp_error(error, WEIR_IO, "58030", "%s", text ? text : strerror(number));
    }
    if (array.release) {
        number = wp_flat_send(schema, &array, &out, &fd);
        array.release(&array);
    }
    int code =
        number ? wp_error(error, WEIR_NOT_IMPLEMENTED, "0A000",
                          "a batch cannot be passed to its worker process: %s", strerror(number))
               : wp_process_send(process, out.length ? WP_BATCH : WP_END, &out, fd, error);
    if (fd >= 0) close(fd);
    wp_out_reset(&out);
    return code;
}

static int serve_insert(struct wp_process *process, struct wp_pool *pool, int mode,
                        struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                        struct weir_error *error) {
    struct ArrowSchema schema;
    struct wp_frame answer = {.fd = -1};
    struct wp_out out = {0};
    if (rows->get_schema(rows, &schema))
        return wp_error(error, WEIR_IO, "58030", "the rows have no schema");
    wp_put_number(&out, mode);
    int code = wp_process_send(process, WP_INSERT, &out, -1, error);
    wp_out_reset(&out);
    bool is_done = false, rows_failed = false;
    while (code == WEIR_OK && !is_done) {
        code = wp_process_wait(process, &pool->limits, NULL, &answer, error);
        if (code) break;
        is_done = answer.type != WP_PULL;
        if (!is_done) {
            code = give_batch(process, &schema, rows, error);
            rows_failed = code != WEIR_OK;
        } else {
            struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
            *ret_n_rows = wp_get_number(&in);
        }
        wp_frame_reset(&answer);
    }
    /* The source learns that its rows failed, and undoes what it did. */
    if (rows_failed && !process->is_dead &&
        wp_process_send(process, WP_FAILED, NULL, -1, NULL) == WEIR_OK &&
        wp_process_wait(process, &pool->limits, NULL, &answer, NULL) == WEIR_OK)
        wp_frame_reset(&answer);
    wp_release_schema(&schema);
    return code;
}

static int workers_insert(void *table, int mode, struct ArrowArrayStream *rows, int64_t *ret_n_rows,
                          struct weir_error *error) {
    struct wp_pool *pool = table;
    struct wp_process *process;
    int code = wp_pool_take(pool, &process, error);
    if (code == WEIR_OK) {
        pthread_mutex_lock(&process->mutex);
        code = serve_insert(process, pool, mode, rows, ret_n_rows, error);
        pthread_mutex_unlock(&process->mutex);
        if (code && process->is_dead) wp_error_prefix(error, pool->name);
        wp_pool_give(pool, process);
    }
    wp_release_stream(rows);
    return code;
}

const struct wp_runtime wp_workers_runtime = {
    .size = sizeof wp_workers_runtime,
    .close = workers_close,
    .schema = workers_schema,
    .statistics = workers_statistics,
    .classify = workers_classify,
    .scan = wp_worker_scan,
    .insert = workers_insert,
    .metrics = wp_worker_metrics,
};
