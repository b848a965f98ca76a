/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts and averages over a Parquet file, read as Arrow:
 *
 *     cc query_parquet.c -o query_parquet $(pkg-config --cflags --libs weir)
 *     ./query_parquet FILE COLUMN
 */
#include <stdio.h>
#include <weir.h>

/* Both columns have one known layout whatever the file holds: int64 and double. */
static int print_answer(struct ArrowArrayStream *rows, struct weir_error *error) {
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch)) return weir_stream_error(rows, error), WEIR_UNKNOWN;
        if (!batch.release) return 0; /* the end */
        const struct ArrowArray *count = batch.children[0];
        const struct ArrowArray *average = batch.children[1];
        for (int64_t row = 0; row < batch.length; row++) {
            printf("%lld values, %g on average\n",
                   (long long)((const int64_t *)count->buffers[1])[count->offset + row],
                   ((const double *)average->buffers[1])[average->offset + row]);
        }
        batch.release(&batch);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FILE COLUMN\n", argv[0]);
        return 2;
    }
    char sql[4096];
    if ((size_t)snprintf(sql, sizeof sql, "SELECT count(%s), CAST(avg(%s) AS DOUBLE) FROM data",
                         argv[2], argv[2]) >= sizeof sql) {
        fprintf(stderr, "the column's name is too long\n");
        return 2;
    }

    struct weir_error error = {0};
    struct weir_workspace *workspace = NULL;
    struct weir_session *session = NULL;
    struct ArrowArrayStream rows = {0};
    int code = weir_workspace_open(NULL, &workspace, &error);
    if (code == WEIR_OK) code = weir_session_open(workspace, NULL, &session, &error);
    if (code == WEIR_OK) code = weir_register_path(session, "data", argv[1], &error);
    if (code == WEIR_OK) code = weir_query(session, sql, &rows, NULL, &error);
    if (code == WEIR_OK) {
        code = print_answer(&rows, &error);
        rows.release(&rows);
    }
    if (code != WEIR_OK) fprintf(stderr, "%s (SQLSTATE %s)\n", error.message, error.sqlstate);
    weir_session_close(session);
    weir_workspace_close(workspace);
    return code == WEIR_OK ? 0 : 1;
}
