/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input is a stream of Arrow IPC messages as it stands in a file: four bytes of continuation,
 * the length of the header, the header, the body. What is taken must be readable to its last byte,
 * and must go out again.
 */
#include <string.h>

#include "arrow/arrow.h"
#include "base/alloc.h"
#include "base/error.h"
#include "flight/ipc_check.h"
#include "fuzz.h"
#include "nanoarrow/nanoarrow.h"
#include "nanoarrow/nanoarrow_ipc.h"

const char *const fuzz_words[] = {"\xff\xff\xff\xff", "\x04\x22\x4d\x18", "\x28\xb5\x2f\xfd", NULL};

/* The length of the body that the header promises; it is not believed by the decoder. */
static size_t body_length(const uint8_t *framed, size_t size) {
    struct ArrowIpcDecoder decoder;
    struct ArrowBufferView view = {.data.data = framed, .size_bytes = (int64_t)size};
    if (!wr_ipc_is_affordable(framed + 8, size - 8) || ArrowIpcDecoderInit(&decoder)) return 0;
    int64_t length = 0;
    if (ArrowIpcDecoderVerifyHeader(&decoder, view, NULL) == NANOARROW_OK)
        length = decoder.body_size_bytes;
    ArrowIpcDecoderReset(&decoder);
    return length < 0 ? 0 : (size_t)length;
}

static uint32_t number(const uint8_t *data) {
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

/* Each byte of it: a sanitizer sees what is not there. */
static void send_again(const struct ArrowSchema *schema, const struct ArrowArray *array) {
    static volatile uint8_t sum;
    struct weir_error error = {0};
    struct wr_ipc_encoder *encoder;
    struct wr_ipc_batch batch;
    if (wr_ipc_encoder_new(schema, WR_IPC_PLAIN, &encoder, &error)) return;
    if (wr_ipc_encode(encoder, array, 0, array->length, &batch, &error) == WEIR_OK) {
        for (size_t i = 0; i < batch.n_parts; i++) {
            const uint8_t *data = batch.parts[i].data;
            for (size_t k = 0; k < batch.parts[i].length; k++)
                sum ^= data[k];
        }
        wr_ipc_batch_free(&batch);
    }
    wr_ipc_encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct weir_error error = {0};
    struct wr_ipc_decoder *decoder;
    struct ArrowSchema schema = {0};
    FUZZ_CHECK(wr_ipc_decoder_new(&decoder, &error) == WEIR_OK);
    for (size_t at = 0; size - at >= 8;) {
        size_t header = number(data + at + 4);
        if (number(data + at) != UINT32_MAX || header == 0 || header > size - at - 8) break;
        size_t body = body_length(data + at, header + 8);
        size_t left = size - at - 8 - header;
        if (body > left) body = left;
        struct ArrowSchema found = {0};
        struct ArrowArray array = {0};
        enum wr_ipc_message type;
        int code = wr_ipc_decode(decoder, data + at + 8, header, data + at + 8 + header, body,
                                 &type, &found, &array, &error);
        FUZZ_CHECK(code == WEIR_OK || (!found.release && !array.release && error.message[0]));
        if (found.release) schema = found;
        if (array.release) {
            send_again(&schema, &array);
            wr_arrow_release_array(&array);
        }
        at += 8 + header + body;
    }
    wr_arrow_release_schema(&schema);
    wr_ipc_decoder_free(decoder);
    return 0;
}
