/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One result as several: each partition is a stream of one running query, kept under a random id
 * that the database alone finds. It is read once, and forgotten when nobody comes for it.
 */
#include <stdlib.h>
#include <string.h>

#include "adbc/adbc.h"
#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"

enum { KEPT_MS = 10 * 60 * 1000, DEFAULT_PARTITIONS = 16 };

/* Whose they are in the table of handles: of whoever has the database. */
static const char owner[] = "adbc";

static void destroy_part(void *object) {
    wr_arrow_release_stream(object);
    wr_free(object);
}

/* ---- Descriptors ---- */

struct descriptors {
    char (*ids)[WR_HANDLE_SIZE];
    const uint8_t **partitions;
    size_t *lengths;
};

static void descriptors_free(struct descriptors *descriptors) {
    if (!descriptors) return;
    wr_free(descriptors->ids);
    wr_free(descriptors->partitions);
    wr_free(descriptors->lengths);
    wr_free(descriptors);
}

static struct descriptors *descriptors_new(size_t n) {
    struct descriptors *made = wr_calloc(1, sizeof *made);
    if (!made) return NULL;
    made->ids = wr_calloc(n, sizeof *made->ids);
    made->partitions = wr_calloc(n, sizeof *made->partitions);
    made->lengths = wr_calloc(n, sizeof *made->lengths);
    if (made->ids && made->partitions && made->lengths) return made;
    descriptors_free(made);
    return NULL;
}

static void release_partitions(struct AdbcPartitions *partitions) {
    descriptors_free(partitions->private_data);
    *partitions = (struct AdbcPartitions){0};
}

static int keep_part(struct wr_driver_database *database, struct ArrowArrayStream *part,
                     char ret_id[WR_HANDLE_SIZE], struct weir_error *error) {
    struct ArrowArrayStream *kept = wr_calloc(1, sizeof *kept);
    if (!kept) return wr_error_memory(error);
    wr_arrow_move_stream(part, kept);
    int code =
        wr_handles_add(database->partitions, owner, kept, destroy_part, KEPT_MS, ret_id, error);
    if (code) destroy_part(kept);
    return code;
}

static void drop_part(struct wr_driver_database *database, const char *id) {
    wr_handles_drop(database->partitions, owner, id, strlen(id));
}

static int keep_parts(struct wr_driver_database *database, struct ArrowArrayStream *parts, size_t n,
                      struct descriptors *descriptors, struct weir_error *error) {
    for (size_t i = 0; i < n; i++) {
        int code = keep_part(database, &parts[i], descriptors->ids[i], error);
        if (code) {
            while (i-- > 0)
                drop_part(database, descriptors->ids[i]);
            return code;
        }
        descriptors->partitions[i] = (const uint8_t *)descriptors->ids[i];
        descriptors->lengths[i] = WR_HANDLE_SIZE - 1;
    }
    return WEIR_OK;
}

static int describe_parts(struct wr_driver_database *database, struct ArrowArrayStream *parts,
                          size_t n, struct AdbcPartitions *ret_partitions,
                          struct weir_error *error) {
    struct descriptors *descriptors = descriptors_new(n);
    int code =
        descriptors ? keep_parts(database, parts, n, descriptors, error) : wr_error_memory(error);
    for (size_t i = 0; i < n; i++)
        wr_arrow_release_stream(&parts[i]);
    if (code) {
        descriptors_free(descriptors);
        return code;
    }
    *ret_partitions = (struct AdbcPartitions){n, descriptors->partitions, descriptors->lengths,
                                              descriptors, release_partitions};
    return WEIR_OK;
}

/* ---- Execute ---- */

static int max_partitions(struct wr_driver_statement *statement, int32_t *ret_max,
                          struct weir_error *error) {
    char *text = NULL;
    WR_TRY(wr_driver_statement_option(statement, WR_ADBC_WEIR_MAX_PARTITIONS, &text, error));
    *ret_max = text ? (int32_t)strtol(text, NULL, 10) : DEFAULT_PARTITIONS;
    wr_free(text);
    return WEIR_OK;
}

/* One row of parameters at most: further ones would be queries of their own. */
static int bind_one(struct wr_driver_statement *statement, struct weir_error *error) {
    struct wr_driver_binding *binding = NULL;
    bool bound = false;
    WR_TRY(wr_driver_statement_take_binding(statement, &binding, error));
    if (!binding) return WEIR_OK;
    int code = wr_driver_binding_next(binding, statement->plan, &bound, error);
    if (code == WEIR_OK && bound) {
        code = wr_driver_binding_next(binding, statement->plan, &bound, error);
        if (code == WEIR_OK && bound)
            code = wr_error_set(error, WEIR_NOT_IMPLEMENTED, NULL,
                                "a result in partitions is of one row of parameters");
    } else if (code == WEIR_OK) {
        code = wr_error_set(error, WEIR_INVALID_ARGUMENT, "07001", "the bound values have no row");
    }
    wr_driver_binding_close(binding);
    return code;
}

static int execute(struct wr_driver_statement *statement, struct ArrowSchema *ret_schema,
                   struct AdbcPartitions *ret_partitions, struct weir_error *error) {
    struct ArrowArrayStream *parts = NULL;
    struct ArrowSchema schema = {0};
    int32_t n_parts = 0;
    int32_t most = 0;
    WR_TRY(wr_driver_statement_plan(statement, error));
    WR_TRY(max_partitions(statement, &most, error));
    WR_TRY(bind_one(statement, error));
    WR_TRY(wr_driver_statement_check(statement, error));
    atomic_store(&statement->plan->cancelled, false);
    pthread_mutex_lock(&statement->mutex);
    statement->executed = true;
    pthread_mutex_unlock(&statement->mutex);
    struct weir_statement *plan = statement->plan->statement;
    WR_TRY(weir_statement_schema(plan, &schema, error));
    int code = weir_statement_execute_parts(plan, most, &parts, &n_parts, error);
    if (code == WEIR_OK)
        code = describe_parts(statement->connection->database, parts, (size_t)n_parts,
                              ret_partitions, error);
    weir_free(parts);
    if (code == WEIR_OK && ret_schema) wr_arrow_move_schema(&schema, ret_schema);
    wr_arrow_release_schema(&schema);
    return code;
}

int wr_driver_statement_partitions(struct wr_driver_statement *statement,
                                   struct ArrowSchema *ret_schema,
                                   struct AdbcPartitions *ret_partitions,
                                   struct weir_error *error) {
    if (wr_driver_statement_is_ingest(statement))
        return wr_error_set(error, WEIR_INVALID_STATE, NULL,
                            "the statement is an ingest, which gives no rows");
    wr_driver_statement_begin(statement);
    int code = execute(statement, ret_schema, ret_partitions, error);
    wr_arrow_release_stream(&statement->bound);
    return wr_driver_statement_end(statement, code, error);
}

/* ---- Read ---- */

int wr_driver_connection_read_partition(struct wr_driver_connection *connection,
                                        const uint8_t *partition, size_t length,
                                        struct ArrowArrayStream *ret_rows,
                                        struct weir_error *error) {
    struct wr_driver_database *database = connection->database;
    struct ArrowArrayStream rows = {0};
    const char *id = (const char *)partition;
    struct ArrowArrayStream *part =
        partition ? wr_handles_get(database->partitions, owner, id, length) : NULL;
    /* Whoever drops it has it, so that of two readers at once one gets the rows. */
    bool mine = part && wr_handles_drop(database->partitions, owner, id, length);
    if (mine) wr_arrow_move_stream(part, &rows);
    if (part) wr_handles_release(database->partitions, part);
    if (!mine)
        return wr_error_set(error, WEIR_NOT_FOUND, NULL,
                            "there is no such partition: it was read already, is older than ten "
                            "minutes, or is of another database");
    return wr_driver_result_new(database, &rows, NULL, NULL, ret_rows, error);
}
