/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC server for tests: grpc_test_server KEY=VALUE... Prints its address, then obeys lines of
 * its standard input, and answers each with a line: "drain MS", "reload", "look", "fail N" (the
 * N-th allocation from now on), "quit". Its methods take and give texts and bytes, not protobuf:
 *
 *     /test.Test/Echo     the request
 *     /test.Test/Stream   "N SIZE": N messages of SIZE bytes, each sent from memory of its own
 * parts /test.Test/Chat     each message back; a message "fail" ends it with an error
 *     /test.Test/Sink     how many messages and bytes came, at their end
 *     /test.Test/Fail     an error of the request's "CODE SQLSTATE POSITION MESSAGE"
 *     /test.Test/FailLate one message, then such an error
 *     /test.Test/Sleep    nothing until it is cancelled
 *     /test.Test/Block    the same, in the method itself
 *     /test.Test/Facts    what is known of the call, as lines
 *     /test.Test/Figures  counters, as lines
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "flight/grpc.h"

static struct wr_grpc_server *server;
static atomic_llong made, released, replies, replies_released, cancelled, sessions;

static int reply_text(struct wr_buffer *text, struct wr_grpc_reply *ret_reply,
                      struct weir_error *error) {
    struct wr_grpc_message message;
    wr_buffer_add(text, "", 0);
    int code = text->failed ? wr_error_memory(error)
                            : wr_grpc_message_copy(text->data, text->length, &message, error);
    wr_buffer_reset(text);
    return code ? code : wr_grpc_reply_one(&message, ret_reply, error);
}

static int echo(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    struct wr_grpc_message message;
    WR_TRY(wr_grpc_message_copy(request, length, &message, error));
    return wr_grpc_reply_one(&message, ret_reply, error);
}

/* ---- Streams ---- */

/* What Stream sends is shared by all, and counted as if each message had its own. */
enum { BLOCK = 64 << 20 };
static unsigned char *block;

struct stream {
    long long left, size, at;
};

static void release_message(struct wr_grpc_message *message) {
    wr_free(message->private_data);
    atomic_fetch_add(&released, 1);
}

static int next_of_stream(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message,
                          bool *ret_end, struct weir_error *error) {
    struct stream *stream = reply->private_data;
    if (stream->left == 0) {
        *ret_end = true;
        return WEIR_OK;
    }
    /* As of a batch: something small, buffers, and padding between them. */
    enum { PARTS = 9 };
    struct wr_grpc_part *parts = wr_calloc(PARTS, sizeof *parts);
    if (!parts) return wr_error_memory(error);
    size_t left = (size_t)stream->size, offset = 0;
    for (size_t i = 0; i < PARTS; i++) {
        size_t n = i == PARTS - 1 ? left : i % 2 ? left / 3 : left < 7 ? left : 7;
        parts[i] = (struct wr_grpc_part){block + offset, n};
        offset += n;
        left -= n;
    }
    *ret_message = (struct wr_grpc_message){parts, PARTS, release_message, parts};
    atomic_fetch_add(&made, 1);
    stream->left--;
    return WEIR_OK;
}

static void release_stream(struct wr_grpc_reply *reply) {
    wr_free(reply->private_data);
    atomic_fetch_add(&replies_released, 1);
}

static int stream(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                  struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    struct stream *state = wr_calloc(1, sizeof *state);
    if (!state) return wr_error_memory(error);
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)length, (const char *)request);
    if (sscanf(text, "%lld %lld", &state->left, &state->size) != 2 || state->size > BLOCK) {
        wr_free(state);
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "N SIZE is asked for");
    }
    atomic_fetch_add(&replies, 1);
    *ret_reply = (struct wr_grpc_reply){next_of_stream, NULL, release_stream, state};
    return WEIR_OK;
}

/* ---- Exchanges ---- */

static int chat(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    (void)context;
    const void *data;
    size_t length;
    for (;;) {
        WR_TRY(wr_grpc_read(call, &data, &length, error));
        if (!data) return WEIR_OK;
        if (length == 4 && memcmp(data, "fail", 4) == 0)
            return wr_error_set(error, WEIR_INVALID_DATA, NULL, "told to fail");
        struct wr_grpc_message message;
        WR_TRY(wr_grpc_message_copy(data, length, &message, error));
        WR_TRY(wr_grpc_write(call, &message, error));
    }
}

static int sink(void *context, struct wr_grpc_call *call, struct weir_error *error) {
    (void)context;
    long long n_messages = 0, n_bytes = 0;
    const void *data;
    size_t length;
    for (;;) {
        WR_TRY(wr_grpc_read(call, &data, &length, error));
        if (!data) break;
        n_messages++;
        n_bytes += (long long)length;
        if (n_messages % 2) wr_free(wr_grpc_take(call));
    }
    char text[64];
    int n = snprintf(text, sizeof text, "%lld %lld", n_messages, n_bytes);
    struct wr_grpc_message message;
    WR_TRY(wr_grpc_message_copy(text, (size_t)n, &message, error));
    return wr_grpc_write(call, &message, error);
}

/* ---- Errors and sleep ---- */

static int fail_with(const void *request, size_t length, struct weir_error *error) {
    char text[8192], sqlstate[6];
    int code, at = 0;
    long long position;
    snprintf(text, sizeof text, "%.*s", (int)length, (const char *)request);
    if (sscanf(text, "%d %5s %lld %n", &code, sqlstate, &position, &at) != 3)
        return wr_error_set(error, WEIR_INVALID_ARGUMENT, NULL, "CODE SQLSTATE POSITION MESSAGE");
    wr_error_set(error, code, sqlstate, "%s", text + at);
    error->position = position;
    return code;
}

static int fail(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)ret_reply;
    wr_grpc_answer_trailer(call, "test-trailer", "of an error", NULL);
    return fail_with(request, length, error);
}

struct late {
    bool has_sent;
    size_t length;
    char request[8192];
};

static int next_late(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message,
                     bool *ret_end, struct weir_error *error) {
    (void)ret_end;
    struct late *late = reply->private_data;
    if (late->has_sent) return fail_with(late->request, late->length, error);
    late->has_sent = true;
    return wr_grpc_message_copy("first", 5, ret_message, error);
}

static void release_late(struct wr_grpc_reply *reply) {
    wr_free(reply->private_data);
}

static int fail_late(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                     struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    struct late *late = wr_calloc(1, sizeof *late);
    if (!late) return wr_error_memory(error);
    late->length = length < sizeof late->request ? length : sizeof late->request;
    memcpy(late->request, request, late->length);
    *ret_reply = (struct wr_grpc_reply){next_late, NULL, release_late, late};
    return WEIR_OK;
}

struct sleeper {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool is_cancelled;
};

static void sleep_until_cancelled(struct sleeper *sleeper) {
    pthread_mutex_lock(&sleeper->mutex);
    while (!sleeper->is_cancelled)
        pthread_cond_wait(&sleeper->condition, &sleeper->mutex);
    pthread_mutex_unlock(&sleeper->mutex);
}

static void wake_sleeper(void *context) {
    struct sleeper *sleeper = context;
    atomic_fetch_add(&cancelled, 1);
    pthread_mutex_lock(&sleeper->mutex);
    sleeper->is_cancelled = true;
    pthread_cond_broadcast(&sleeper->condition);
    pthread_mutex_unlock(&sleeper->mutex);
}

static int next_asleep(struct wr_grpc_reply *reply, struct wr_grpc_message *ret_message,
                       bool *ret_end, struct weir_error *error) {
    (void)ret_message;
    (void)ret_end;
    sleep_until_cancelled(reply->private_data);
    return wr_error_set(error, WEIR_CANCELLED, NULL, "woken");
}

static void cancel_asleep(struct wr_grpc_reply *reply) {
    wake_sleeper(reply->private_data);
}

static void release_asleep(struct wr_grpc_reply *reply) {
    wr_free(reply->private_data);
    atomic_fetch_add(&replies_released, 1);
}

static int sleep_call(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                      struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    (void)request;
    (void)length;
    struct sleeper *sleeper = wr_calloc(1, sizeof *sleeper);
    if (!sleeper) return wr_error_memory(error);
    pthread_mutex_init(&sleeper->mutex, NULL);
    pthread_cond_init(&sleeper->condition, NULL);
    atomic_fetch_add(&replies, 1);
    *ret_reply = (struct wr_grpc_reply){next_asleep, cancel_asleep, release_asleep, sleeper};
    return WEIR_OK;
}

static int block_call(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                      struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)request;
    (void)length;
    (void)ret_reply;
    struct sleeper sleeper = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    atomic_fetch_add(&replies, 1);
    wr_grpc_on_cancel(call, wake_sleeper, &sleeper);
    sleep_until_cancelled(&sleeper);
    wr_grpc_on_cancel(call, NULL, NULL);
    atomic_fetch_add(&replies_released, 1);
    return wr_error_set(error, WEIR_CANCELLED, NULL, "woken");
}

/* ---- Facts ---- */

static void forget_session(void *data) {
    wr_free(data);
    atomic_fetch_sub(&sessions, 1);
}

static int facts(void *context, struct wr_grpc_call *call, const void *request, size_t length,
                 struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)request;
    (void)length;
    int *n = wr_grpc_connection_data(call);
    if (!n) {
        n = wr_calloc(1, sizeof *n);
        atomic_fetch_add(&sessions, 1);
        if (!n || !wr_grpc_connection_set(call, n, forget_session)) return wr_error_memory(error);
    }
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 20);
    size_t binary_length = 0;
    const char *binary = wr_grpc_header(call, "test-bin", &binary_length);
    const char *subject = wr_grpc_peer_subject(call), *value;
    wr_buffer_format(&text, "call=%d\npeer=%s\nsubject=%s\ntime_left=%lld\n", ++*n,
                     wr_grpc_peer(call), subject ? subject : "",
                     (long long)wr_grpc_time_left(call));
    for (size_t i = 0; (value = wr_grpc_header_at(call, "test-text", i)); i++)
        wr_buffer_format(&text, "test-text=%s\n", value);
    for (size_t i = 0; i < binary_length; i++)
        wr_buffer_format(&text, "%s%02x", i ? "" : "test-bin=", (unsigned char)binary[i]);
    wr_grpc_answer_header(call, "test-answer", "a header", NULL);
    wr_grpc_answer_header(call, "test-answer-bin", "\x01\xFF", NULL);
    wr_grpc_answer_trailer(call, "test-trailer", "a trailer", NULL);
    return reply_text(&text, ret_reply, error);
}

static void show_figures(struct wr_buffer *text, char separator) {
    struct wr_grpc_figures figures;
    wr_grpc_look(server, &figures);
    const struct {
        const char *name;
        long long value;
    } rows[] = {{"made", made},
                {"released", released},
                {"replies", replies},
                {"replies_released", replies_released},
                {"cancelled", cancelled},
                {"sessions", sessions},
                {"n_connections", figures.n_connections},
                {"n_calls", figures.n_calls},
                {"connections", figures.connections},
                {"calls", figures.calls},
                {"failed", figures.failed},
                {"bytes_in", figures.bytes_in},
                {"bytes_out", figures.bytes_out}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        wr_buffer_format(text, "%s=%lld%c", rows[i].name, rows[i].value, separator);
}

static int give_figures(void *context, struct wr_grpc_call *call, const void *request,
                        size_t length, struct wr_grpc_reply *ret_reply, struct weir_error *error) {
    (void)context;
    (void)call;
    (void)request;
    (void)length;
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 16);
    show_figures(&text, '\n');
    return reply_text(&text, ret_reply, error);
}

/* ---- The program ---- */

static const struct wr_grpc_method methods[] = {
    {"/test.Test/Echo", echo, NULL},        {"/test.Test/Stream", stream, NULL},
    {"/test.Test/Chat", NULL, chat},        {"/test.Test/Sink", NULL, sink},
    {"/test.Test/Fail", fail, NULL},        {"/test.Test/FailLate", fail_late, NULL},
    {"/test.Test/Sleep", sleep_call, NULL}, {"/test.Test/Block", block_call, NULL},
    {"/test.Test/Facts", facts, NULL},      {"/test.Test/Figures", give_figures, NULL},
};

static struct wr_grpc_options options = {
    .listen = "127.0.0.1:0", .methods = methods, .n_methods = sizeof methods / sizeof *methods};
static struct wr_grpc_tls tls;

static bool set_option(const char *key, const char *value) {
    const struct {
        const char *key;
        const char **text;
        int32_t *number;
        int64_t *large;
    } keys[] = {
        {"listen", &options.listen, NULL, NULL},
        {"certificate", &tls.certificate, NULL, NULL},
        {"key", &tls.key, NULL, NULL},
        {"client_ca", &tls.client_ca, NULL, NULL},
        {"max_threads", NULL, &options.max_threads, NULL},
        {"max_connections", NULL, &options.max_connections, NULL},
        {"max_per_address", NULL, &options.max_per_address, NULL},
        {"max_streams", NULL, &options.max_streams, NULL},
        {"max_message", NULL, NULL, &options.max_message},
        {"idle_ms", NULL, NULL, &options.idle_ms},
        {"keepalive_ms", NULL, NULL, &options.keepalive_ms},
        {"keepalive_timeout_ms", NULL, NULL, &options.keepalive_timeout_ms},
        {"handshake_ms", NULL, NULL, &options.handshake_ms},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].key, key) != 0) continue;
        if (keys[i].text) *keys[i].text = value;
        if (keys[i].number) *keys[i].number = atoi(value);
        if (keys[i].large) *keys[i].large = atoll(value);
        return true;
    }
    if (strcmp(key, "client_ca_is_required") == 0) tls.client_ca_is_required = atoi(value) != 0;
    return strcmp(key, "client_ca_is_required") == 0;
}

static void obey(const char *line) {
    struct weir_error error = {0};
    struct wr_buffer text;
    wr_buffer_init(&text, 1 << 16);
    if (strncmp(line, "drain ", 6) == 0) {
        wr_grpc_drain(server, atoll(line + 6));
        wr_buffer_text(&text, "drained");
    } else if (strncmp(line, "fail ", 5) == 0) {
        /* Without an allocation of its own. */
        printf("%lld\n", (long long)wr_alloc_fail_at(atoll(line + 5)));
        fflush(stdout);
        return;
    } else if (strcmp(line, "reload\n") == 0) {
        wr_buffer_text(&text, wr_grpc_reload(server, &error) ? error.message : "reloaded");
    } else {
        show_figures(&text, ' ');
    }
    printf("%s\n", text.data);
    fflush(stdout);
    wr_buffer_reset(&text);
}

int main(int argc, char **argv) {
    struct weir_error error = {0};
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value) *value = '\0';
        if (!value || !set_option(argv[i], value + 1)) {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    if (tls.certificate) options.tls = &tls;
    block = wr_malloc(BLOCK);
    if (!block) return 1;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (unsigned char)(i * 31 >> 3);
    if (wr_grpc_open(&options, &server, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("%s\n", wr_grpc_address(server));
    fflush(stdout);
    char line[256];
    while (fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0)
        obey(line);
    wr_grpc_close(server);
    wr_free(block);
    bool is_even = made == released && replies == replies_released && sessions == 0;
    if (!is_even)
        fprintf(stderr, "left: %lld of %lld messages, %lld of %lld replies, %lld sessions\n",
                (long long)(made - released), (long long)made,
                (long long)(replies - replies_released), (long long)replies, (long long)sessions);
    return is_even ? 0 : 3;
}
