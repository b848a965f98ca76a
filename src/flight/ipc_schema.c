/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "flight/ipc.h"
#include "nanoarrow/nanoarrow.h"
#include "nanoarrow/nanoarrow_ipc.h"

/* nanoarrow answers ENOMEM without a message, and ENOTSUP or EINVAL with one. */
static int complain(int code, const struct ArrowError *details, struct weir_error *error) {
    if (code == ENOMEM) return wr_error_memory(error);
    return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                        "the result's schema cannot be sent as Arrow IPC: %s", details->message);
}

/* What nanoarrow's encoder has no case for, with a message that helps. */
static int check_types(const struct ArrowSchema *schema, struct weir_error *error) {
    const char *format = schema->format ? schema->format : "";
    if (strncmp(format, "v", 1) == 0 || strncmp(format, "+v", 2) == 0) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "column %s has a view type (Arrow format %s), which is not sent: cast "
                            "it with arrow_cast(..., 'Utf8')",
                            schema->name ? schema->name : "", format);
    }
    if (schema->dictionary) {
        return wr_error_set(error, WEIR_NOT_IMPLEMENTED, "0A000",
                            "column %s is dictionary encoded, which is not sent: cast it to the "
                            "type of its values",
                            schema->name ? schema->name : "");
    }
    for (int64_t i = 0; i < schema->n_children; i++)
        WR_TRY(check_types(schema->children[i], error));
    return WEIR_OK;
}

int wr_ipc_schema(const struct ArrowSchema *schema, bool framed, void **ret_data,
                  size_t *ret_length, struct weir_error *error) {
    struct ArrowIpcEncoder encoder;
    struct ArrowError details = {{0}};
    struct ArrowBuffer buffer;
    WR_TRY(check_types(schema, error));
    if (ArrowIpcEncoderInit(&encoder)) return wr_error_memory(error);
    ArrowBufferInit(&buffer);
    int code = ArrowIpcEncoderEncodeSchema(&encoder, schema, &details);
    if (!code) code = ArrowIpcEncoderFinalizeBuffer(&encoder, framed, &buffer);
    ArrowIpcEncoderReset(&encoder);
    if (code) {
        ArrowBufferReset(&buffer);
        return complain(code, &details, error);
    }
    /* nanoarrow takes its memory by wr_malloc. */
    *ret_data = buffer.data;
    *ret_length = (size_t)buffer.size_bytes;
    return WEIR_OK;
}
