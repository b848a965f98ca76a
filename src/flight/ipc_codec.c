/* SPDX-License-Identifier: Apache-2.0 */
#include <lz4frame.h>
#include <string.h>
#include <zstd.h>

#include "flight/ipc.h"

static const char *const names[] = {"none", "lz4", "zstd"};

bool wr_ipc_codec_of(const char *name, enum wr_ipc_codec *ret_codec) {
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *ret_codec = (enum wr_ipc_codec)i;
        return true;
    }
    return false;
}

const char *wr_ipc_codec_name(enum wr_ipc_codec codec) {
    return names[codec];
}

size_t wr_ipc_pack_bound(enum wr_ipc_codec codec, size_t length) {
    return codec == WR_IPC_ZSTD ? ZSTD_compressBound(length)
                                : LZ4F_compressFrameBound(length, NULL);
}

size_t wr_ipc_pack(enum wr_ipc_codec codec, const void *data, size_t length, void *packed,
                   size_t capacity) {
    if (codec == WR_IPC_ZSTD) {
        size_t n = ZSTD_compress(packed, capacity, data, length, 1);
        return ZSTD_isError(n) ? 0 : n;
    }
    size_t n = LZ4F_compressFrame(packed, capacity, data, length, NULL);
    return LZ4F_isError(n) ? 0 : n;
}

static bool unpack_lz4(const char *packed, size_t packed_length, char *data, size_t length) {
    LZ4F_dctx *context = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return false;
    size_t from = 0, to = 0, left = 1;
    while (from < packed_length && left > 0) {
        size_t n_in = packed_length - from, n_out = length - to;
        left = LZ4F_decompress(context, data + to, &n_out, packed + from, &n_in, NULL);
        if (LZ4F_isError(left) || (n_in == 0 && n_out == 0)) break;
        from += n_in;
        to += n_out;
    }
    LZ4F_freeDecompressionContext(context);
    return left == 0 && to == length;
}

bool wr_ipc_unpack(enum wr_ipc_codec codec, const void *packed, size_t packed_length, void *data,
                   size_t length) {
    if (codec == WR_IPC_ZSTD) return ZSTD_decompress(data, length, packed, packed_length) == length;
    return unpack_lz4(packed, packed_length, data, length);
}
