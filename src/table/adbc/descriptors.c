/* SPDX-License-Identifier: Apache-2.0 */
#include "table/adbc/descriptors.h"

#include <pthread.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

enum state { UNKNOWN = 0, BEING_MADE, KNOWN, FAILED };

struct wr_adbc_descriptors {
    struct ArrowSchema schema;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    int n_references;
    enum state state;
    struct weir_error reason; /* of FAILED */
    struct AdbcPartitions partitions;
    size_t n_taken;
};

int wr_adbc_descriptors_new(const struct ArrowSchema *schema,
                            struct wr_adbc_descriptors **ret_descriptors,
                            struct weir_error *error) {
    struct wr_adbc_descriptors *made = wr_calloc(1, sizeof *made);
    if (!made) return wr_error_memory(error);
    int code = wr_arrow_copy_schema(schema, &made->schema, error);
    if (code) {
        wr_free(made);
        return code;
    }
    made->n_references = 1;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    *ret_descriptors = made;
    return WEIR_OK;
}

struct wr_adbc_descriptors *wr_adbc_descriptors_retain(struct wr_adbc_descriptors *descriptors) {
    pthread_mutex_lock(&descriptors->mutex);
    descriptors->n_references++;
    pthread_mutex_unlock(&descriptors->mutex);
    return descriptors;
}

void wr_adbc_descriptors_release(struct wr_adbc_descriptors *descriptors) {
    if (!descriptors) return;
    pthread_mutex_lock(&descriptors->mutex);
    bool is_last = --descriptors->n_references == 0;
    pthread_mutex_unlock(&descriptors->mutex);
    if (!is_last) return;
    if (descriptors->partitions.release) descriptors->partitions.release(&descriptors->partitions);
    wr_arrow_release_schema(&descriptors->schema);
    pthread_cond_destroy(&descriptors->changed);
    pthread_mutex_destroy(&descriptors->mutex);
    wr_free(descriptors);
}

int wr_adbc_descriptors_await(struct wr_adbc_descriptors *descriptors, bool *ret_makes,
                              struct weir_error *error) {
    int code = WEIR_OK;
    pthread_mutex_lock(&descriptors->mutex);
    while (descriptors->state == BEING_MADE)
        pthread_cond_wait(&descriptors->changed, &descriptors->mutex);
    bool makes = descriptors->state == UNKNOWN;
    if (makes) descriptors->state = BEING_MADE;
    if (descriptors->state == FAILED) {
        code = descriptors->reason.code;
        if (error) *error = descriptors->reason;
    }
    pthread_mutex_unlock(&descriptors->mutex);
    if (!code) *ret_makes = makes;
    return code;
}

void wr_adbc_descriptors_set(struct wr_adbc_descriptors *descriptors,
                             struct AdbcPartitions *partitions) {
    pthread_mutex_lock(&descriptors->mutex);
    descriptors->partitions = *partitions;
    partitions->release = NULL;
    if (descriptors->state == BEING_MADE) descriptors->state = KNOWN;
    pthread_cond_broadcast(&descriptors->changed);
    pthread_mutex_unlock(&descriptors->mutex);
}

void wr_adbc_descriptors_fail(struct wr_adbc_descriptors *descriptors,
                              const struct weir_error *error) {
    pthread_mutex_lock(&descriptors->mutex);
    if (descriptors->state != FAILED) {
        descriptors->state = FAILED;
        descriptors->reason = *error;
    }
    pthread_cond_broadcast(&descriptors->changed);
    pthread_mutex_unlock(&descriptors->mutex);
}

void wr_adbc_descriptors_cancel(struct wr_adbc_descriptors *descriptors) {
    struct weir_error reason = {0};
    wr_error_set(&reason, WEIR_CANCELLED, NULL, "cancelled");
    wr_adbc_descriptors_fail(descriptors, &reason);
}

bool wr_adbc_descriptors_take(struct wr_adbc_descriptors *descriptors,
                              struct wr_adbc_descriptor *ret_descriptor) {
    pthread_mutex_lock(&descriptors->mutex);
    const struct AdbcPartitions *partitions = &descriptors->partitions;
    size_t at = descriptors->n_taken;
    bool is_there = descriptors->state == KNOWN && at < partitions->num_partitions;
    if (is_there) {
        descriptors->n_taken++;
        *ret_descriptor = (struct wr_adbc_descriptor){
            .bytes = partitions->partitions[at],
            .length = partitions->partition_lengths[at],
            .number = at + 1,
            .n = partitions->num_partitions,
        };
    }
    pthread_mutex_unlock(&descriptors->mutex);
    return is_there;
}

const struct ArrowSchema *
wr_adbc_descriptors_schema(const struct wr_adbc_descriptors *descriptors) {
    return &descriptors->schema;
}
