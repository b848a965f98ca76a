/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an Arrow array of this process a table, without copying, and queries it:
 *
 *     cc register_arrow.c -o register_arrow $(pkg-config --cflags --libs weir)
 */
#include <stdio.h>
#include <weir.h>

/* ---- A stream of one batch with one column, made by hand: any producer of Arrow's C stream does
 * ---- */

static const int64_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
enum { N_PRIMES = sizeof primes / sizeof *primes };

/* Everything here is static memory: releasing only marks the structure as released. */
static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}
static void release_array(struct ArrowArray *array) {
    array->release = NULL;
}
static void release_stream(struct ArrowArrayStream *stream) {
    stream->release = NULL;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    static struct ArrowSchema column = {.format = "l", .name = "p", .release = release_schema};
    static struct ArrowSchema *columns[] = {&column};
    (void)stream;
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = 1,
                                .children = columns,
                                .release = release_schema};
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    static const void *buffers[] = {NULL, primes}; /* no validity bitmap: no NULL */
    static const void *no_validity[] = {NULL};
    static struct ArrowArray column = {
        .length = N_PRIMES, .n_buffers = 2, .buffers = buffers, .release = release_array};
    static struct ArrowArray *columns[] = {&column};
    int *batches_left = stream->private_data;
    *out = (struct ArrowArray){0}; /* released: the end of the stream */
    if ((*batches_left)-- <= 0) return 0;
    *out = (struct ArrowArray){
        .length = N_PRIMES,
        .n_buffers = 1,
        .buffers = no_validity,
        .n_children = 1,
        .children = columns,
        .release = release_array,
    };
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
    (void)stream;
    return NULL;
}

/* ---- The program ---- */

static int print_rows(struct ArrowArrayStream *rows, struct weir_error *error) {
    struct ArrowArray batch = {0};
    int failed;
    while (!(failed = rows->get_next(rows, &batch)) && batch.release) {
        for (int64_t row = 0; row < batch.length; row++) {
            const struct ArrowArray *number = batch.children[0], *square = batch.children[1];
            printf("%lld squared is %lld\n",
                   (long long)((const int64_t *)number->buffers[1])[number->offset + row],
                   (long long)((const int64_t *)square->buffers[1])[square->offset + row]);
        }
        batch.release(&batch);
    }
    return failed ? (weir_stream_error(rows, error), WEIR_UNKNOWN) : WEIR_OK;
}

int main(void) {
    struct weir_error error = {0};
    struct weir_workspace *workspace = NULL;
    struct weir_session *session = NULL;
    int batches_left = 1;
    struct ArrowArrayStream table = {.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release_stream,
                                     .private_data = &batches_left};
    struct ArrowArrayStream rows = {0};

    int code = weir_workspace_open(NULL, &workspace, &error);
    if (code == WEIR_OK) code = weir_session_open(workspace, NULL, &session, &error);
    if (code == WEIR_OK)
        code = weir_register_stream(session, "primes", &table, WEIR_REGISTER_ROWS, &error);
    if (code == WEIR_OK) {
        code = weir_query(session, "SELECT p, p * p FROM primes WHERE p > 10 ORDER BY p", &rows,
                          NULL, &error);
    }
    if (code == WEIR_OK) {
        code = print_rows(&rows, &error);
        rows.release(&rows);
    }
    if (code != WEIR_OK) fprintf(stderr, "%s (SQLSTATE %s)\n", error.message, error.sqlstate);
    weir_session_close(session);
    weir_workspace_close(workspace);
    return code == WEIR_OK ? 0 : 1;
}
