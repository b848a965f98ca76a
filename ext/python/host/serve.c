/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a worker process: requests of common/wire.h, answered by the tables of this file's
 * neighbours. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"
#include "host/serve.h"

/* What the process has open. Numbers in messages are indices. */
struct slot {
    struct weir_scan scan;
    struct ArrowArrayStream reader;
    struct ArrowSchema schema; /* of the reader's batches */
    bool is_scan, is_reader;
    size_t of_scan;
};

struct server {
    int socket;
    void *table;
    struct ArrowSchema schema;
    struct slot *slots;
    size_t n_slots;
};

static int fail(struct server *server, const struct weir_error *error) {
    struct wp_out out = {0};
    wp_put(&out, error, sizeof *error);
    int number = wp_send(server->socket, WP_FAILED, &out, -1);
    wp_out_reset(&out);
    return number;
}

static int answer(struct server *server, int type, struct wp_out *out) {
    int number = wp_send(server->socket, type, out, -1);
    wp_out_reset(out);
    return number;
}

static int bad_request(struct weir_error *error) {
    return wp_error(error, WEIR_INTERNAL, "XX000", "a worker process got a request it cannot read");
}

static struct slot *new_slot(struct server *server, size_t *ret_index) {
    for (size_t i = 0; i < server->n_slots; i++) {
        if (server->slots[i].is_scan || server->slots[i].is_reader) continue;
        *ret_index = i;
        return &server->slots[i];
    }
    struct slot *slots = realloc(server->slots, (server->n_slots + 1) * sizeof *slots);
    if (!slots) return NULL;
    server->slots = slots;
    *ret_index = server->n_slots++;
    slots[*ret_index] = (struct slot){0};
    return &slots[*ret_index];
}

static struct slot *get_slot(struct server *server, struct wp_in *in, bool is_scan,
                             size_t *ret_index) {
    size_t index = (size_t)wp_get_number(in);
    if (in->failed || index >= server->n_slots) return NULL;
    struct slot *slot = &server->slots[index];
    *ret_index = index;
    return (is_scan ? slot->is_scan : slot->is_reader) ? slot : NULL;
}

/* ---- Requests ---- */

static int open_table(struct server *server, struct wp_in *in, struct wp_out *out,
                      struct weir_error *error) {
    struct wp_definition definition = {.table = wp_get_text(in),
                                       .kind = wp_get_text(in),
                                       .module = wp_get_text(in),
                                       .class_name = wp_get_text(in),
                                       .path = wp_get_text(in)};
    int64_t n_options = wp_get_number(in);
    if (in->failed || server->table || n_options < 0 || (uint64_t)n_options > in->length)
        return bad_request(error);
    struct weir_option *options = calloc((size_t)n_options + 1, sizeof *options);
    if (!options) return wp_error_memory(error);
    for (int64_t i = 0; i < n_options; i++)
        options[i] = (struct weir_option){wp_get_text(in), wp_get_text(in)};
    definition.options = options;
    definition.n_options = (size_t)n_options;
    struct ArrowSchema columns = {0};
    if (wp_get_number(in) == 1 && wp_get_schema(in, &columns) == 0) definition.columns = &columns;
    int code = in->failed ? bad_request(error) : wp_table_open(&definition, &server->table, error);
    if (code == WEIR_OK) wp_glue_warm_up();
    if (code == WEIR_OK) code = wp_table_schema(server->table, &server->schema, error);
    if (code == WEIR_OK) wp_put_schema(out, &server->schema);
    wp_release_schema(&columns);
    free(options);
    return code;
}

static int statistics(struct server *server, struct wp_out *out, struct weir_error *error) {
    struct wp_known known;
    WP_TRY(wp_table_statistics(server->table, &known, error));
    wp_put_number(out, known.n_rows);
    wp_put_number(out, known.n_bytes);
    wp_put_number(out, known.exact);
    return WEIR_OK;
}

static int classify(struct server *server, struct wp_in *in, struct wp_out *out,
                    struct weir_error *error) {
    struct wp_request request = {0};
    int32_t *support = NULL;
    int code = wp_get_filters(in, &request) ? bad_request(error) : WEIR_OK;
    size_t n_filters = request.request.n_filters;
    if (code == WEIR_OK && !(support = calloc(n_filters + 1, sizeof *support)))
        code = wp_error_memory(error);
    if (code == WEIR_OK)
        code = wp_table_classify(server->table, request.request.filters, n_filters, support, error);
    if (code == WEIR_OK) wp_put_bytes(out, support, n_filters * sizeof *support);
    free(support);
    wp_request_reset(&request);
    return code;
}

/* The plan goes back when it was made here, so that others need not plan. */
static int scan(struct server *server, struct wp_in *in, struct wp_out *out,
                struct weir_error *error) {
    struct wp_request request = {0};
    struct wp_bytes plan = {0};
    size_t index = 0, length = 0;
    int code = wp_get_request(in, &request) ? bad_request(error) : WEIR_OK;
    bool is_planned = code == WEIR_OK && wp_get_number(in) == 1;
    bool wants_plan = code == WEIR_OK && wp_get_number(in) == 1;
    struct wp_bytes given = {(uint8_t *)wp_get_bytes(in, &length), 0};
    given.length = length;
    if (code == WEIR_OK && in->failed) code = bad_request(error);
    struct slot *slot = code == WEIR_OK ? new_slot(server, &index) : NULL;
    if (code == WEIR_OK && !slot) code = wp_error_memory(error);
    if (code == WEIR_OK)
        code = wp_table_scan(server->table, &request.request, is_planned ? &given : NULL,
                             &slot->scan, error);
    if (code == WEIR_OK) slot->is_scan = true;
    if (code == WEIR_OK && wants_plan && slot->scan.n_partitions > 1) {
        code = wp_scan_plan(&slot->scan, &plan, error);
        if (code) {
            slot->scan.release(&slot->scan);
            *slot = (struct slot){0};
        }
    }
    if (code == WEIR_OK) {
        wp_put_number(out, (int64_t)index);
        wp_put_number(out, slot->scan.n_partitions);
        wp_put_bytes(out, plan.data, plan.length);
    }
    free(plan.data);
    wp_request_reset(&request);
    return code;
}

static int read_partition(struct server *server, struct wp_in *in, struct wp_out *out,
                          struct weir_error *error) {
    size_t of_scan, index;
    struct slot *planned = get_slot(server, in, true, &of_scan);
    int64_t partition = wp_get_number(in);
    if (!planned || in->failed || partition < 0 || partition >= planned->scan.n_partitions)
        return bad_request(error);
    struct slot *slot = new_slot(server, &index);
    if (!slot) return wp_error_memory(error);
    struct weir_scan *opened = &server->slots[of_scan].scan; /* may have moved */
    WP_TRY(opened->open(opened, (int32_t)partition, &slot->reader, error));
    if (slot->reader.get_schema(&slot->reader, &slot->schema)) {
        wp_release_stream(&slot->reader);
        return wp_error_memory(error);
    }
    slot->is_reader = true;
    slot->of_scan = of_scan;
    wp_put_number(out, (int64_t)index);
    return WEIR_OK;
}

static void close_reader(struct slot *slot) {
    wp_release_stream(&slot->reader);
    wp_release_schema(&slot->schema);
    *slot = (struct slot){0};
}

static void close_scan(struct server *server, size_t index) {
    for (size_t i = 0; i < server->n_slots; i++) {
        if (server->slots[i].is_reader && server->slots[i].of_scan == index)
            close_reader(&server->slots[i]);
    }
    struct slot *slot = &server->slots[index];
    slot->scan.release(&slot->scan);
    *slot = (struct slot){0};
}

/* Sends a batch, which it releases. */
static int send_batch(struct server *server, const struct ArrowSchema *schema,
                      struct ArrowArray *array) {
    struct wp_out out = {0};
    int fd = -1, number = wp_flat_send(schema, array, &out, &fd);
    wp_release_array(array);
    if (number) {
        struct weir_error error;
        wp_error(&error, WEIR_NOT_IMPLEMENTED, "0A000",
                 "a batch cannot be passed from its worker process: %s", strerror(number));
        wp_out_reset(&out);
        return fail(server, &error);
    }
    number = wp_send(server->socket, WP_BATCH, &out, fd);
    if (fd >= 0) close(fd);
    wp_out_reset(&out);
    return number;
}

static int next(struct server *server, struct wp_in *in) {
    struct weir_error error = {0};
    struct wp_out out = {0};
    struct ArrowArray array = {0};
    size_t index;
    struct slot *slot = get_slot(server, in, false, &index);
    if (!slot) {
        bad_request(&error);
        return fail(server, &error);
    }
    int number = slot->reader.get_next(&slot->reader, &array);
    if (number) {
        const char *text = slot->reader.get_last_error(&slot->reader);
        wp_error(&error, number == ENOMEM ? WEIR_INTERNAL : WEIR_UNKNOWN,
                 number == ENOMEM ? "53200" : "38000", "%s", text ? text : strerror(number));
        return fail(server, &error);
    }
    return array.release ? send_batch(server, &slot->schema, &array) : answer(server, WP_END, &out);
}

/* ---- Rows on their way into the source: asked for one batch at a time ---- */

struct pull {
    struct server *server;
    char message[256];
};

static int pull_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
    struct pull *pull = stream->private_data;
    return wp_schema_copy(&pull->server->schema, out);
}

static int pull_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
    struct pull *pull = stream->private_data;
    struct wp_frame frame;
    int number = wp_send(pull->server->socket, WP_PULL, NULL, -1);
    if (!number) number = wp_receive(pull->server->socket, &frame);
    if (number) _exit(1); /* weir is gone */
    *out = (struct ArrowArray){0};
    if (frame.type == WP_BATCH) {
        struct wp_in in = {frame.bytes.data, frame.bytes.length, 0, false};
        number = wp_flat_map(&pull->server->schema, &in, frame.fd, out);
        frame.fd = -1;
    } else if (frame.type != WP_END) {
        number = EIO;
    }
    if (number) strcpy(pull->message, "the rows could not be read");
    wp_frame_reset(&frame);
    return number;
}

static const char *pull_error(struct ArrowArrayStream *stream) {
    return ((struct pull *)stream->private_data)->message;
}

static void pull_release(struct ArrowArrayStream *stream) {
    free(stream->private_data);
    stream->release = NULL;
}

static int insert(struct server *server, struct wp_in *in, struct wp_out *out,
                  struct weir_error *error) {
    int mode = (int)wp_get_number(in);
    int64_t n_rows = -1;
    struct pull *pull = calloc(1, sizeof *pull);
    if (!pull) return wp_error_memory(error);
    pull->server = server;
    struct ArrowArrayStream rows = {pull_schema, pull_next, pull_error, pull_release, pull};
    WP_TRY(wp_table_insert(server->table, mode, &rows, &n_rows, error));
    wp_put_number(out, n_rows);
    return WEIR_OK;
}

/* ---- The loop ---- */

/* One request that has one answer. */
static int serve_plain(struct server *server, int type, struct wp_in *in) {
    struct weir_error error = {0};
    struct wp_out out = {0};
    int code, answered;
    switch (type) {
    case WP_OPEN:
        code = open_table(server, in, &out, &error), answered = WP_SCHEMA;
        break;
    case WP_STATISTICS:
        code = statistics(server, &out, &error), answered = WP_KNOWN;
        break;
    case WP_CLASSIFY:
        code = classify(server, in, &out, &error), answered = WP_SUPPORT;
        break;
    case WP_SCAN:
        code = scan(server, in, &out, &error), answered = WP_PARTITIONS;
        break;
    case WP_READ:
        code = read_partition(server, in, &out, &error), answered = WP_READER;
        break;
    case WP_INSERT:
        code = insert(server, in, &out, &error), answered = WP_COUNT;
        break;
    default:
        code = bad_request(&error), answered = 0;
    }
    if (code == WEIR_OK) return answer(server, answered, &out);
    wp_out_reset(&out);
    return fail(server, &error);
}

static int serve_one(struct server *server, const struct wp_frame *frame) {
    struct wp_in in = {frame->bytes.data, frame->bytes.length, 0, false};
    struct wp_out nothing = {0};
    size_t index;
    if (frame->type == WP_NEXT) return next(server, &in);
    if (frame->type == WP_CLOSE_READER) {
        struct slot *slot = get_slot(server, &in, false, &index);
        if (slot) close_reader(slot);
        return 0;
    }
    if (frame->type == WP_CLOSE_SCAN) {
        if (get_slot(server, &in, true, &index)) close_scan(server, index);
        return answer(server, WP_DONE, &nothing);
    }
    return serve_plain(server, frame->type, &in);
}

/* Ends the process when weir is gone, whatever the source's code is doing. */
static void *watch(void *socket) {
    struct pollfd end = {.fd = (int)(intptr_t)socket, .events = POLLRDHUP};
    while (poll(&end, 1, -1) < 0 && errno == EINTR)
        continue;
    _exit(1);
}

int wp_serve(int socket, const char *directory) {
    struct server server = {.socket = socket};
    struct weir_error error = {0};
    struct wp_frame frame;
    pthread_t watcher;
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    if (pthread_create(&watcher, NULL, watch, (void *)(intptr_t)socket) == 0)
        pthread_detach(watcher);
    int is_broken = wp_glue_load(directory, false, &error);
    int number = 0;
    while (!number && !(number = wp_receive(socket, &frame))) {
        number = is_broken ? fail(&server, &error) : serve_one(&server, &frame);
        wp_frame_reset(&frame);
    }
    _exit(0); /* without the clean-up of modules, which may hang */
}
