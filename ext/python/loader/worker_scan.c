/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan in worker processes. The first one plans; each of up to `workers` processes reads every
 * so manieth partition, one batch for each request, so that partitions of one process that nobody
 * reads just now hold up nobody.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/pool.h"

enum { CLOSE_MS = 1000 }; /* what a source has to put away its readers */

struct member {
    pthread_mutex_t mutex; /* held while it is found */
    struct wp_process *process;
    int64_t scan; /* its number there */
};

struct cost {
    _Atomic int64_t n_bytes, answer_ns;
};

struct worker_scan {
    struct wp_pool *pool;
    struct ArrowSchema asked;
    struct wp_out request; /* as WP_SCAN begins */
    struct wp_bytes plan;
    int32_t n_partitions, n_members;
    _Atomic bool is_cancelled;
    struct cost *costs; /* of each partition */
    struct member members[];
};

struct worker_reader {
    struct worker_scan *scan;
    struct wp_process *process;
    int64_t number;
    int32_t partition;
    bool is_finished;
    struct weir_error error;
};

static int damaged(struct weir_error *error) {
    return wp_error(error, WEIR_INTERNAL, "XX000", "a worker process's answer is damaged");
}

/* WP_END ends a partition, and is no answer to anything else. */
static int ask(struct worker_scan *scan, struct wp_process *process, int type,
               const struct wp_out *out, int expected, int32_t partition,
               struct wp_frame *ret_answer, struct weir_error *error) {
    struct wp_question question = {.type = type,
                                   .out = out,
                                   .expected = expected,
                                   .other = type == WP_NEXT ? WP_END : 0,
                                   .limits = &scan->pool->limits,
                                   .is_cancelled = &scan->is_cancelled,
                                   .partition = partition};
    return wp_process_ask(process, &question, ret_answer, error);
}

/* ---- Planning ---- */

/* The same scan in one process, with the plan that is known. */
static int plan_member(struct worker_scan *scan, struct member *member, bool wants_plan,
                       struct weir_error *error) {
    struct wp_out out = {0};
    struct wp_frame answer;
    wp_put(&out, scan->request.data, scan->request.length);
    wp_put_number(&out, scan->plan.data != NULL);
    wp_put_number(&out, wants_plan);
    wp_put_bytes(&out, scan->plan.data, scan->plan.length);
    int code = ask(scan, member->process, WP_SCAN, &out, WP_PARTITIONS, -1, &answer, error);
    wp_out_reset(&out);
    if (code) return member->process->is_dead ? wp_error_prefix(error, scan->pool->name) : code;
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    member->scan = wp_get_number(&in);
    int64_t n_partitions = wp_get_number(&in);
    size_t length;
    const uint8_t *plan = wp_get_bytes(&in, &length);
    if (in.failed || n_partitions < 0 || n_partitions > INT32_MAX) code = damaged(error);
    if (code == WEIR_OK && wants_plan && length > 0) {
        scan->plan.data = malloc(length);
        if (!scan->plan.data) code = wp_error_memory(error);
        if (scan->plan.data) memcpy(scan->plan.data, plan, length);
        scan->plan.length = length;
    }
    scan->n_partitions = (int32_t)n_partitions;
    wp_frame_reset(&answer);
    return code;
}

/* Puts away what the scan has in a process; one that does not answer is not kept. */
static void leave(struct worker_scan *scan, struct member *member) {
    struct wp_out out = {0};
    struct wp_frame answer;
    struct wp_limits limits = {.timeout_ms = CLOSE_MS};
    wp_put_number(&out, member->scan);
    struct wp_question question = {.type = WP_CLOSE_SCAN,
                                   .out = &out,
                                   .expected = WP_DONE,
                                   .limits = &limits,
                                   .partition = -1};
    if (member->scan >= 0 && wp_process_ask(member->process, &question, &answer, NULL) == WEIR_OK)
        wp_frame_reset(&answer);
    wp_out_reset(&out);
    wp_pool_give(scan->pool, member->process);
    member->process = NULL;
}

static int find_member(struct worker_scan *scan, struct member *member, struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&member->mutex);
    if (!member->process) {
        member->scan = -1;
        int32_t n_partitions = scan->n_partitions;
        code = wp_pool_take(scan->pool, &member->process, error);
        if (code == WEIR_OK) code = plan_member(scan, member, false, error);
        if (code && member->process) leave(scan, member);
        scan->n_partitions = n_partitions;
    }
    pthread_mutex_unlock(&member->mutex);
    return code;
}

static void scan_free(struct worker_scan *scan) {
    for (int32_t i = 0; i < scan->n_members; i++) {
        if (scan->members[i].process) leave(scan, &scan->members[i]);
        pthread_mutex_destroy(&scan->members[i].mutex);
    }
    wp_release_schema(&scan->asked);
    wp_out_reset(&scan->request);
    free(scan->plan.data);
    free(scan->costs);
    free(scan);
}

/* ---- A partition's rows ---- */

static int reader_failed(struct worker_reader *reader, int code) {
    if (reader->process->is_dead && code != WEIR_CANCELLED)
        wp_error_prefix(&reader->error, reader->scan->pool->name);
    reader->is_finished = true;
    return code == WEIR_CANCELLED ? ECANCELED : code == WEIR_IO ? EIO : EINVAL;
}

static int reader_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct worker_reader *reader = stream->private_data;
    struct worker_scan *scan = reader->scan;
    struct wp_out request = {0};
    struct wp_frame answer;
    *out = (struct ArrowArray){0};
    if (reader->is_finished) return 0;
    wp_put_number(&request, reader->number);
    struct cost *cost = &scan->costs[reader->partition];
    int64_t start_ns = wp_now_ns();
    int code = ask(scan, reader->process, WP_NEXT, &request, WP_BATCH, reader->partition, &answer,
                   &reader->error);
    wp_out_reset(&request);
    cost->answer_ns += wp_now_ns() - start_ns;
    if (code) return reader_failed(reader, code);
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    int number = 0;
    if (answer.type == WP_BATCH) {
        number = wp_flat_map(&scan->asked, &in, answer.fd, out);
        answer.fd = -1;
    } else {
        reader->is_finished = true;
    }
    wp_frame_reset(&answer);
    if (number == 0 && out->release) cost->n_bytes += (int64_t)wp_flat_size(&scan->asked, out);
    if (number == 0) return 0;
    return reader_failed(reader, damaged(&reader->error));
}

static int reader_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct worker_reader *reader = stream->private_data;
    return wp_schema_copy(&reader->scan->asked, out);
}

static const char *reader_error(struct ArrowArrayStream *stream) {
    return ((struct worker_reader *)stream->private_data)->error.message;
}

static void reader_release(struct ArrowArrayStream *stream) {
    struct worker_reader *reader = stream->private_data;
    struct wp_out out = {0};
    wp_put_number(&out, reader->number);
    pthread_mutex_lock(&reader->process->mutex);
    if (!reader->process->is_dead)
        wp_process_send(reader->process, WP_CLOSE_READER, &out, -1, NULL);
    pthread_mutex_unlock(&reader->process->mutex);
    wp_out_reset(&out);
    free(reader);
    stream->release = NULL;
}

/* ---- Slots ---- */

static int scan_open(struct weir_scan *opened, int32_t partition, struct ArrowArrayStream *ret_rows,
                     struct weir_error *error) {
    struct worker_scan *scan = opened->private_data;
    struct member *member = &scan->members[partition % scan->n_members];
    struct wp_out out = {0};
    struct wp_frame answer;
    struct worker_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return wp_error_memory(error);
    int code = find_member(scan, member, error);
    if (code == WEIR_OK) {
        *reader = (struct worker_reader){
            .scan = scan, .process = member->process, .partition = partition};
        wp_put_number(&out, member->scan);
        wp_put_number(&out, partition);
        code = ask(scan, reader->process, WP_READ, &out, WP_READER, partition, &answer, error);
        wp_out_reset(&out);
        if (code && member->process->is_dead) wp_error_prefix(error, scan->pool->name);
    }
    if (code) {
        free(reader);
        return code;
    }
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    reader->number = wp_get_number(&in);
    wp_frame_reset(&answer);
    *ret_rows =
        (struct ArrowArrayStream){reader_schema, reader_next, reader_error, reader_release, reader};
    return WEIR_OK;
}

static void scan_cancel(struct weir_scan *scan) {
    atomic_store(&((struct worker_scan *)scan->private_data)->is_cancelled, true);
}

static void scan_release(struct weir_scan *scan) {
    scan_free(scan->private_data);
    scan->release = NULL;
}

void wp_worker_metrics(void *table, struct weir_scan *planned, int32_t partition,
                       weir_figure_fn take, void *sink) {
    struct worker_scan *scan = planned->private_data;
    (void)table;
    if (partition < 0 || partition >= scan->n_partitions) return;
    take(sink, "bytes", WEIR_UNIT_BYTES, scan->costs[partition].n_bytes);
    take(sink, "worker_time", WEIR_UNIT_NANOSECONDS, scan->costs[partition].answer_ns);
}

static int scan_new(struct wp_pool *pool, const struct weir_scan_request *request,
                    struct worker_scan **ret_scan, struct weir_error *error) {
    size_t n_members = (size_t)pool->n_workers;
    struct worker_scan *scan = calloc(1, sizeof *scan + n_members * sizeof *scan->members);
    if (!scan) return wp_error_memory(error);
    scan->pool = pool;
    int failed = request->all_columns ? wp_schema_copy(&pool->schema, &scan->asked)
                                      : wp_schema_select(&pool->schema, request->columns,
                                                         request->n_columns, &scan->asked);
    wp_put_request(&scan->request, request);
    if (failed || scan->request.failed) {
        scan_free(scan);
        return wp_error_memory(error);
    }
    scan->n_members = (int32_t)n_members;
    for (size_t i = 0; i < n_members; i++)
        pthread_mutex_init(&scan->members[i].mutex, NULL);
    *ret_scan = scan;
    return WEIR_OK;
}

int wp_worker_scan(void *table, const struct weir_scan_request *request,
                   const struct wp_bytes *plan, struct weir_scan *ret_scan,
                   struct weir_error *error) {
    struct wp_pool *pool = table;
    struct worker_scan *scan = NULL;
    (void)plan; /* it is made here */
    WP_TRY(scan_new(pool, request, &scan, error));
    struct member *first = &scan->members[0];
    first->scan = -1;
    int code = wp_pool_take(pool, &first->process, error);
    if (code == WEIR_OK) code = plan_member(scan, first, pool->n_workers > 1, error);
    if (code == WEIR_OK) {
        scan->costs = calloc((size_t)scan->n_partitions + 1, sizeof *scan->costs);
        if (!scan->costs) code = wp_error_memory(error);
    }
    if (code) {
        scan_free(scan);
        return code;
    }
    *ret_scan = (struct weir_scan){.n_partitions = scan->n_partitions,
                                   .open = scan_open,
                                   .cancel = scan_cancel,
                                   .release = scan_release,
                                   .private_data = scan};
    return WEIR_OK;
}
