/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in may be anything. */
#include "material.h"

#include <stdio.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "flight/messages.h"

static struct ArrowSchema schema;
static struct ArrowArray rows;

static int set_up(void **state) {
    (void)state;
    make_schema_of_all(&schema);
    make_rows_of_all(&schema, N_ROWS, &rows);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    wr_arrow_release_schema(&schema);
    wr_arrow_release_array(&rows);
    return 0;
}

static struct wr_ipc_batch encode(enum wr_ipc_codec codec, struct body *ret_body) {
    struct weir_error error = {0};
    struct wr_ipc_encoder *encoder;
    struct wr_ipc_batch batch;
    assert_int_equal(wr_ipc_encoder_new(&schema, codec, &encoder, &error), 0);
    assert_int_equal(wr_ipc_encode(encoder, &rows, 0, N_ROWS, &batch, &error), 0);
    wr_ipc_encoder_free(encoder);
    *ret_body = gather(&batch);
    return batch;
}

/* Decodes with a decoder of its own; whatever comes out is released. */
static int decode(const void *header, size_t header_length, const void *body, size_t body_length,
                  struct weir_error *error) {
    struct ArrowArray array = {0};
    struct ArrowSchema unused = {0};
    enum wr_ipc_message type;
    struct wr_ipc_decoder *decoder = decoder_of(&schema);
    int code = wr_ipc_decode(decoder, header, header_length, body, body_length, &type, &unused,
                             &array, error);
    wr_arrow_release_array(&array);
    wr_arrow_release_schema(&unused);
    wr_ipc_decoder_free(decoder);
    return code;
}

/* A step of a generator (Knuth's constants), the same in each run. */
static uint32_t roll(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* A file of the corpus for fuzzing: a schema, and perhaps a batch and the stream's end. */
static int decode_file(const char *name, struct weir_error *error) {
    char path[1024], data[8192];
    struct ArrowArray array = {0};
    struct ArrowSchema found = {0};
    struct wr_ipc_decoder *decoder;
    enum wr_ipc_message type;
    snprintf(path, sizeof path, "%s/%s", getenv("WEIR_FUZZ_CORPUS"), name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(data, 1, sizeof data, file);
    fclose(file);
    assert_in_range(length, 9, sizeof data - 1);
    uint32_t header;
    memcpy(&header, data + 4, 4);
    assert_true(header <= length - 8);
    assert_int_equal(wr_ipc_decoder_new(&decoder, error), 0);
    int code = wr_ipc_decode(decoder, data + 8, header, NULL, 0, &type, &found, &array, error);
    const char *batch = data + 8 + header;
    if (code == WEIR_OK && batch + 16 < data + length) {
        memcpy(&header, batch + 4, 4);
        const char *body = batch + 8 + header, *end = data + length - 8;
        assert_true(body <= end);
        code = wr_ipc_decode(decoder, batch + 8, header, body, (size_t)(end - body), &type, NULL,
                             &array, error);
        wr_arrow_release_array(&array);
    }
    wr_arrow_release_schema(&found);
    wr_ipc_decoder_free(decoder);
    return code;
}

/* Its 2 KB are a tree of 2 to the power of 40 columns. */
static void a_schema_that_refers_to_its_own_parts_is_refused_at_once(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(decode_file("ipc/shared-children", &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "refers to its own parts too often"));
}

static void a_column_whose_type_is_left_out_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(decode_file("ipc/union-without-type", &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "without a type"));
}

static void a_union_that_refers_past_its_child_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    assert_int_equal(decode_file("ipc/unions", &error), WEIR_OK);
    assert_int_equal(decode_file("ipc/union-past-its-child", &error), WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "a value that is not there"));
}

static void a_cut_header_is_refused(void **state) {
    (void)state;
    struct body body;
    struct wr_ipc_batch batch = encode(WR_IPC_PLAIN, &body);
    /* Its last bytes may be zeros, which it is padded with. */
    for (size_t length = 0; length + 32 < batch.header_length; length += 7) {
        struct weir_error error = {0};
        assert_int_equal(decode(batch.header, length, body.data, body.length, &error),
                         WEIR_INVALID_ARGUMENT);
    }
    free(body.memory);
    wr_ipc_batch_free(&batch);
}

static void a_cut_body_is_refused(void **state) {
    (void)state;
    struct body body;
    struct wr_ipc_batch batch = encode(WR_IPC_PLAIN, &body);
    for (size_t length = 0; length < body.length; length += 97) {
        struct weir_error error = {0};
        assert_int_equal(decode(batch.header, batch.header_length, body.data, length, &error),
                         WEIR_INVALID_ARGUMENT);
    }
    free(body.memory);
    wr_ipc_batch_free(&batch);
}

/* Sanitizers say what this does not: nothing is read or written outside. */
static void changed_bytes_are_refused_or_harmless(void **state) {
    (void)state;
    const enum wr_ipc_codec codecs[] = {WR_IPC_PLAIN, WR_IPC_LZ4, WR_IPC_ZSTD};
    uint64_t seed = 1;
    for (size_t c = 0; c < N_OF(codecs); c++) {
        struct body body;
        struct wr_ipc_batch batch = encode(codecs[c], &body);
        unsigned char *header = malloc(batch.header_length), *copy = malloc(body.length);
        for (int i = 0; i < 3000; i++) {
            struct weir_error error = {0};
            memcpy(header, batch.header, batch.header_length);
            memcpy(copy, body.data, body.length);
            bool is_header = i % 2;
            unsigned char *target = is_header ? header : copy;
            size_t length = is_header ? batch.header_length : body.length;
            for (uint32_t n = roll(&seed) % 4 + 1; n > 0; n--)
                target[roll(&seed) % length] = (unsigned char)roll(&seed);
            int code = decode(header, batch.header_length, copy, body.length, &error);
            assert_true(code == WEIR_OK || code == WEIR_INVALID_ARGUMENT ||
                        code == WEIR_NOT_IMPLEMENTED);
        }
        free(header);
        free(copy);
        free(body.memory);
        wr_ipc_batch_free(&batch);
    }
}

/* Where the eight bytes of a value stand in a message; the first of them. */
static char *find(char *bytes, size_t length, const void *value, size_t n) {
    char *at = memmem(bytes, length, value, n);
    assert_non_null(at);
    return at;
}

static void a_bomb_is_refused_before_memory_is_taken(void **state) {
    (void)state;
    struct body body;
    struct weir_error error = {0};
    struct wr_ipc_batch batch = encode(WR_IPC_ZSTD, &body);
    /* The length that the first compressed buffer promises: uint8's 100 bytes. */
    int64_t promised = N_ROWS, much = INT64_C(1) << 40;
    char *at = find(body.data, body.length, &promised, sizeof promised);
    memcpy(at, &much, sizeof much);
    assert_int_equal(decode(batch.header, batch.header_length, body.data, body.length, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "512 MiB"));
    free(body.memory);
    wr_ipc_batch_free(&batch);
}

static void offsets_that_overflow_are_refused(void **state) {
    (void)state;
    const int64_t lengths[] = {INT64_MAX, INT64_MIN, -8, INT64_C(1) << 62};
    for (size_t i = 0; i < N_OF(lengths); i++) {
        struct body body;
        struct weir_error error = {0};
        struct wr_ipc_batch batch = encode(WR_IPC_PLAIN, &body);
        /* Of the buffer of int64's values: N_ROWS times eight bytes. */
        int64_t length = N_ROWS * 8;
        char *at = find(batch.header, batch.header_length, &length, sizeof length);
        memcpy(at, &lengths[i], sizeof length);
        assert_int_equal(decode(batch.header, batch.header_length, body.data, body.length, &error),
                         WEIR_INVALID_ARGUMENT);
        free(body.memory);
        wr_ipc_batch_free(&batch);
    }
}

static void text_that_is_not_utf8_is_refused(void **state) {
    (void)state;
    struct body body;
    struct weir_error error = {0};
    struct wr_ipc_batch batch = encode(WR_IPC_PLAIN, &body);
    char *at = find(body.data, body.length,
                    "n\xc3\xa9"
                    "e",
                    4);
    at[1] = '\xff';
    assert_int_equal(decode(batch.header, batch.header_length, body.data, body.length, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "UTF-8"));
    free(body.memory);
    wr_ipc_batch_free(&batch);
}

static void a_batch_before_the_schema_is_refused(void **state) {
    (void)state;
    struct body body;
    struct weir_error error = {0};
    struct wr_ipc_decoder *decoder;
    struct ArrowArray array = {0};
    enum wr_ipc_message type;
    struct wr_ipc_batch batch = encode(WR_IPC_PLAIN, &body);
    assert_int_equal(wr_ipc_decoder_new(&decoder, &error), 0);
    assert_int_equal(wr_ipc_decode(decoder, batch.header, batch.header_length, body.data,
                                   body.length, &type, NULL, &array, &error),
                     WEIR_INVALID_ARGUMENT);
    wr_ipc_decoder_free(decoder);
    free(body.memory);
    wr_ipc_batch_free(&batch);
}

/* ---- FlightData and commands ---- */

static void flight_data_gives_views_of_its_fields(void **state) {
    (void)state;
    static const unsigned char message[] = {0x0a, 1, 'd', 0x12, 2,    'h', 'i', 0x20, 5,
                                            0x1a, 1, 'm', 0xc2, 0x3e, 3,   'x', 'y',  'z'};
    struct weir_error error = {0};
    struct wr_flight_data data;
    assert_int_equal(wr_flight_data_parse(message, sizeof message, &data, &error), 0);
    assert_ptr_equal(data.descriptor.data, message + 2);
    assert_int_equal(data.header.length, 2);
    assert_ptr_equal(data.metadata.data, message + 11);
    assert_memory_equal(data.body.data, "xyz", 3);
    assert_int_equal(data.body.length, 3);
}

static void flight_data_that_is_cut_is_refused(void **state) {
    (void)state;
    static const unsigned char whole[] = {0x0a, 3, 'a', 'b', 'c', 0xc2,
                                          0x3e, 4, 'w', 'x', 'y', 'z'};
    for (size_t length = 1; length < sizeof whole; length++) {
        struct weir_error error = {0};
        struct wr_flight_data data;
        unsigned char *copy = malloc(length);
        memcpy(copy, whole, length);
        int code = wr_flight_data_parse(copy, length, &data, &error);
        assert_int_equal(code, length == 5 ? WEIR_OK : WEIR_INVALID_ARGUMENT);
        free(copy);
    }
}

static void a_length_beyond_memory_is_refused(void **state) {
    (void)state;
    static const unsigned char message[] = {0x12, 0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0x01, 'x'};
    static const unsigned char endless[] = {0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                            0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    struct weir_error error = {0};
    struct wr_flight_data data;
    assert_int_equal(wr_flight_data_parse(message, sizeof message, &data, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_int_equal(wr_flight_data_parse(endless, sizeof endless, &data, &error),
                     WEIR_INVALID_ARGUMENT);
}

static void a_command_is_read_from_its_any(void **state) {
    (void)state;
    struct weir_error error = {0};
    struct wr_bytes bytes;
    struct wr_any any;
    Flight__CommandGetDbSchemas command = FLIGHT__COMMAND_GET_DB_SCHEMAS__INIT, *read;
    command.catalog = "weir";
    assert_int_equal(wr_any_pack("CommandGetDbSchemas", &command, &bytes, &error), 0);
    assert_int_equal(wr_any_unpack(bytes, &any, &error), 0);
    assert_string_equal(any.name, "CommandGetDbSchemas");
    assert_int_equal(WR_UNPACK(flight__command_get_db_schemas, any.value, &read, &error), 0);
    assert_string_equal(read->catalog, "weir");
    assert_null(read->db_schema_filter_pattern);
    wr_message_free(read);
    wr_any_free(&any);
    wr_free((void *)bytes.data);
}

static void commands_that_are_cut_or_changed_are_refused_or_harmless(void **state) {
    (void)state;
    struct wr_bytes bytes;
    struct weir_error error = {0};
    Flight__CommandStatement command = FLIGHT__COMMAND_STATEMENT__INIT;
    uint64_t seed = 7;
    command.has_query = true;
    command.query = (ProtobufCBinaryData){8, (uint8_t *)"SELECT 1"};
    assert_int_equal(wr_any_pack("CommandStatementQuery", &command, &bytes, &error), 0);
    for (int i = 0; i < 20000; i++) {
        struct wr_any any;
        Flight__CommandStatement *read;
        size_t length = roll(&seed) % (bytes.length + 1);
        uint8_t *copy = malloc(length + 1);
        memcpy(copy, bytes.data, length);
        if (length > 0) copy[roll(&seed) % length] = (uint8_t)roll(&seed);
        if (wr_any_unpack((struct wr_bytes){copy, length}, &any, &error) == 0) {
            if (WR_UNPACK(flight__command_statement, any.value, &read, &error) == 0)
                wr_message_free(read);
            wr_any_free(&any);
        }
        free(copy);
    }
    wr_free((void *)bytes.data);
}

/* Each empty text of two bytes would be some forty of memory. */
static void many_small_pieces_do_not_take_much_memory(void **state) {
    (void)state;
    struct weir_error error = {0};
    size_t n = 1 << 20;
    Flight__CommandGetTables *read = NULL;
    uint8_t *message = malloc(2 * n);
    for (size_t i = 0; i < n; i++) {
        message[2 * i] = 0x22;
        message[2 * i + 1] = 0;
    }
    assert_int_equal(
        WR_UNPACK(flight__command_get_tables, ((struct wr_bytes){message, 2 * n}), &read, &error),
        WEIR_INVALID_ARGUMENT);
    free(message);
}

static void a_statement_with_a_nul_is_refused(void **state) {
    (void)state;
    struct weir_error error = {0};
    char *text = NULL;
    ProtobufCBinaryData bytes = {3, (uint8_t *)"a\0b"};
    assert_int_equal(wr_message_text(&bytes, "the statement", &text, &error),
                     WEIR_INVALID_ARGUMENT);
    bytes = (ProtobufCBinaryData){1, (uint8_t *)"\xff"};
    assert_int_equal(wr_message_text(&bytes, "the statement", &text, &error),
                     WEIR_INVALID_ARGUMENT);
    assert_null(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_that_refers_to_its_own_parts_is_refused_at_once),
        cmocka_unit_test(a_column_whose_type_is_left_out_is_refused),
        cmocka_unit_test(a_union_that_refers_past_its_child_is_refused),
        cmocka_unit_test(a_cut_header_is_refused),
        cmocka_unit_test(a_cut_body_is_refused),
        cmocka_unit_test(changed_bytes_are_refused_or_harmless),
        cmocka_unit_test(a_bomb_is_refused_before_memory_is_taken),
        cmocka_unit_test(offsets_that_overflow_are_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(a_batch_before_the_schema_is_refused),
        cmocka_unit_test(flight_data_gives_views_of_its_fields),
        cmocka_unit_test(flight_data_that_is_cut_is_refused),
        cmocka_unit_test(a_length_beyond_memory_is_refused),
        cmocka_unit_test(a_command_is_read_from_its_any),
        cmocka_unit_test(commands_that_are_cut_or_changed_are_refused_or_harmless),
        cmocka_unit_test(many_small_pieces_do_not_take_much_memory),
        cmocka_unit_test(a_statement_with_a_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
