/* SPDX-License-Identifier: Apache-2.0 */
/* An input is a message of Flight or Flight SQL: each reader gets it, whatever it was meant to be.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "flight/messages.h"
#include "fuzz.h"

const char *const fuzz_words[] = {"type.googleapis.com/arrow.flight.protocol.sql.",
                                  "CommandStatementQuery",
                                  "CommandPreparedStatementQuery",
                                  "TicketStatementQuery",
                                  "\x0a",
                                  "\x12",
                                  "\xff\xff\xff\xff\x0f",
                                  "\xc2\x3e",
                                  "SELECT 1",
                                  NULL};

static const ProtobufCMessageDescriptor *const types[] = {
    &flight__any__descriptor,
    &flight__handshake_request__descriptor,
    &flight__basic_auth__descriptor,
    &flight__action__descriptor,
    &flight__result__descriptor,
    &flight__flight_descriptor__descriptor,
    &flight__flight_info__descriptor,
    &flight__ticket__descriptor,
    &flight__put_result__descriptor,
    &flight__cancel_flight_info_request__descriptor,
    &flight__renew_flight_endpoint_request__descriptor,
    &flight__set_session_options_request__descriptor,
    &flight__command_get_sql_info__descriptor,
    &flight__command_get_tables__descriptor,
    &flight__command_get_keys__descriptor,
    &flight__command_get_cross_reference__descriptor,
    &flight__command_statement__descriptor,
    &flight__command_prepared_statement__descriptor,
    &flight__command_statement_ingest__descriptor,
    &flight__action_create_prepared_statement_request__descriptor,
    &flight__action_create_prepared_statement_result__descriptor,
    &flight__action_cancel_query_request__descriptor,
    &flight__do_put_update_result__descriptor,
    &flight__do_put_prepared_statement_result__descriptor,
};

/* What was read is written, and read again as the same. */
static void there_and_back(const ProtobufCMessageDescriptor *type, struct wr_bytes bytes) {
    struct weir_error error = {0};
    ProtobufCMessage *message, *again;
    struct wr_bytes packed, repacked;
    if (wr_message_unpack(type, bytes, &message, &error)) {
        FUZZ_CHECK(error.code == WEIR_INVALID_ARGUMENT);
        return;
    }
    FUZZ_CHECK(wr_message_pack(message, &packed, &error) == WEIR_OK);
    /* The budget of reading goes by the bytes, of which there may be fewer now. */
    if (wr_message_unpack(type, packed, &again, &error) == WEIR_OK) {
        FUZZ_CHECK(wr_message_pack(again, &repacked, &error) == WEIR_OK);
        FUZZ_CHECK(repacked.length == packed.length);
        wr_free((void *)repacked.data);
        wr_message_free(again);
    }
    wr_free((void *)packed.data);
    wr_message_free(message);
}

static void read_text(struct wr_bytes bytes) {
    struct weir_error error = {0};
    ProtobufCBinaryData binary = {bytes.length, (uint8_t *)bytes.data};
    char *text;
    if (wr_message_text(&binary, "it", &text, &error) == WEIR_OK) wr_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct wr_bytes bytes = {data, size};
    struct wr_flight_data parts;
    struct wr_any any;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        there_and_back(types[i], bytes);
    if (wr_any_unpack(bytes, &any, &error) == WEIR_OK) {
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            there_and_back(types[i], any.value);
        read_text(any.value);
        wr_any_free(&any);
    }
    if (wr_flight_data_parse(data, size, &parts, &error) == WEIR_OK) {
        const struct wr_bytes *all[] = {&parts.descriptor, &parts.header, &parts.metadata,
                                        &parts.body};
        for (size_t i = 0; i < 4; i++) {
            const uint8_t *at = all[i]->data;
            FUZZ_CHECK(at == NULL || (at >= data && all[i]->length <= (size_t)(data + size - at)));
        }
    }
    read_text(bytes);
    return 0;
}
