/* SPDX-License-Identifier: Apache-2.0 */
#include "loader/pool.h"

#include <stdlib.h>
#include <string.h>

#include "loader/loader.h"

/* An interpreter that starts and imports is given this beyond the limit of an answer. */
enum { START_MS = 30000 };

static void put_definition(struct wp_out *out, const struct wp_definition *definition) {
    wp_put_text(out, definition->table);
    wp_put_text(out, definition->kind);
    wp_put_text(out, definition->module);
    wp_put_text(out, definition->class_name);
    wp_put_text(out, definition->path);
    wp_put_number(out, (int64_t)definition->n_options);
    for (size_t i = 0; i < definition->n_options; i++) {
        wp_put_text(out, definition->options[i].key);
        wp_put_text(out, definition->options[i].value);
    }
}

static bool has_dictionary(const struct ArrowSchema *schema) {
    bool found = schema->dictionary != NULL;
    for (int64_t i = 0; i < schema->n_children && !found; i++)
        found = has_dictionary(schema->children[i]);
    return found;
}

/* Opens the table in a new process. The first one says what the columns are, others are told. */
static int open_table(struct wp_pool *pool, struct wp_process *process, struct weir_error *error) {
    struct wp_out out = {0};
    struct wp_frame answer;
    struct ArrowSchema schema;
    bool declares = pool->is_known && pool->is_plain;
    wp_put(&out, pool->definition.data, pool->definition.length);
    wp_put_number(&out, declares);
    if (declares) wp_put_schema(&out, &pool->schema);
    struct wp_limits limits = pool->limits;
    if (limits.timeout_ms > 0) limits.timeout_ms += START_MS;
    struct wp_question question = {
        .type = WP_OPEN, .out = &out, .expected = WP_SCHEMA, .limits = &limits, .partition = -1};
    int code = wp_process_ask(process, &question, &answer, error);
    wp_out_reset(&out);
    if (code) return code;
    struct wp_in in = {answer.bytes.data, answer.bytes.length, 0, false};
    int number = wp_get_schema(&in, &schema);
    wp_frame_reset(&answer);
    if (number) return wp_error(error, WEIR_INTERNAL, "XX000", "a worker's schema is damaged");
    bool is_other = pool->is_known && !wp_same_type(&pool->schema, &schema);
    if (!pool->is_known) {
        pool->schema = schema;
        pool->is_known = true;
        pool->is_plain = !has_dictionary(&schema);
        return WEIR_OK;
    }
    wp_release_schema(&schema);
    if (is_other)
        return wp_error(error, WEIR_INVALID_DATA, "22000",
                        "the source's schema is another one in each worker process");
    return WEIR_OK;
}

int wp_pool_take(struct wp_pool *pool, struct wp_process **ret_process, struct weir_error *error) {
    struct wp_process *process = NULL;
    pthread_mutex_lock(&pool->mutex);
    if (pool->n_idle > 0) process = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->mutex);
    int code = WEIR_OK;
    if (!process) {
        code = wp_process_start(pool->program, &pool->limits, &process, error);
        if (code == WEIR_OK) code = open_table(pool, process, error);
    }
    if (code) {
        /* What the source itself raised names the table already. */
        if (!process || process->is_dead) wp_error_prefix(error, pool->name);
        wp_process_free(process);
        return code;
    }
    *ret_process = process;
    return WEIR_OK;
}

void wp_pool_give(struct wp_pool *pool, struct wp_process *process) {
    pthread_mutex_lock(&pool->mutex);
    bool is_kept = !process->is_dead && (int64_t)pool->n_idle < pool->n_workers;
    if (is_kept) pool->idle[pool->n_idle++] = process;
    pthread_mutex_unlock(&pool->mutex);
    if (!is_kept) wp_process_free(process);
}

void wp_pool_free(struct wp_pool *pool) {
    if (!pool) return;
    for (size_t i = 0; i < pool->n_idle; i++)
        wp_process_free(pool->idle[i]);
    wp_release_schema(&pool->schema);
    wp_out_reset(&pool->definition);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->idle);
    free(pool->program);
    free(pool->name);
    free(pool);
}

int wp_pool_new(const struct wp_definition *definition, const struct wp_workers_options *options,
                struct wp_pool **ret_pool, struct weir_error *error) {
    struct wp_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return wp_error_memory(error);
    pthread_mutex_init(&pool->mutex, NULL);
    pool->limits = options->limits;
    pool->n_workers = options->n_workers;
    pool->name = wp_text("%s", definition->table);
    pool->program = wp_python_program(options->python);
    pool->idle = calloc((size_t)options->n_workers, sizeof *pool->idle);
    put_definition(&pool->definition, definition);
    int code = WEIR_OK;
    if (!pool->name || !pool->program || !pool->idle || pool->definition.failed) {
        code = wp_error_memory(error);
    } else if (definition->columns) {
        pool->is_known = wp_schema_copy(definition->columns, &pool->schema) == 0;
        pool->is_plain = pool->is_known && !has_dictionary(&pool->schema);
        if (!pool->is_known) code = wp_error_memory(error);
    }
    if (code)
        wp_pool_free(pool);
    else
        *ret_pool = pool;
    return code;
}
