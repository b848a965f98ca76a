/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a file, unpacked. It serves to guess, so data that goes bad or ends early after a
 * good start is no error here: the reader of the whole file says so.
 */
#include "table/files/files.h"

#include <bzlib.h>
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { READ_BYTES = 32 * 1024 };

struct unpacker {
    enum wr_file_compression compression;
    bool started;
    union {
        z_stream gzip;
        bz_stream bzip2;
        lzma_stream xz;
        ZSTD_DStream *zstd;
    } state;
    lzma_allocator allocator;
};

enum step { STEP_MORE, STEP_END_OF_MEMBER, STEP_BAD, STEP_NO_MEMORY };

static void *take_zlib(void *context, unsigned count, unsigned size) {
    (void)context;
    return wr_calloc(count, size);
}

static void *take_bzip2(void *context, int count, int size) {
    (void)context;
    return wr_calloc((size_t)count, (size_t)size);
}

static void *take_xz(void *context, size_t count, size_t size) {
    (void)context;
    return wr_calloc(count, size);
}

static void give(void *context, void *memory) {
    (void)context;
    wr_free(memory);
}

static void stop(struct unpacker *unpacker) {
    if (!unpacker->started) return;
    unpacker->started = false;
    switch (unpacker->compression) {
    case WR_COMPRESSION_GZIP:
        inflateEnd(&unpacker->state.gzip);
        break;
    case WR_COMPRESSION_BZIP2:
        BZ2_bzDecompressEnd(&unpacker->state.bzip2);
        break;
    case WR_COMPRESSION_XZ:
        lzma_end(&unpacker->state.xz);
        break;
    case WR_COMPRESSION_ZSTD:
        ZSTD_freeDStream(unpacker->state.zstd);
        break;
    default:
        break;
    }
}

static bool start(struct unpacker *unpacker) {
    const int gzip_header = 16;
    memset(&unpacker->state, 0, sizeof unpacker->state);
    switch (unpacker->compression) {
    case WR_COMPRESSION_GZIP:
        unpacker->state.gzip.zalloc = take_zlib;
        unpacker->state.gzip.zfree = give;
        unpacker->started = inflateInit2(&unpacker->state.gzip, MAX_WBITS + gzip_header) == Z_OK;
        break;
    case WR_COMPRESSION_BZIP2:
        unpacker->state.bzip2.bzalloc = take_bzip2;
        unpacker->state.bzip2.bzfree = give;
        unpacker->started = BZ2_bzDecompressInit(&unpacker->state.bzip2, 0, 0) == BZ_OK;
        break;
    case WR_COMPRESSION_XZ:
        unpacker->allocator = (lzma_allocator){take_xz, give, NULL};
        unpacker->state.xz = (lzma_stream)LZMA_STREAM_INIT;
        unpacker->state.xz.allocator = &unpacker->allocator;
        unpacker->started =
            lzma_stream_decoder(&unpacker->state.xz, UINT64_MAX, LZMA_CONCATENATED) == LZMA_OK;
        break;
    case WR_COMPRESSION_ZSTD:
        unpacker->state.zstd = ZSTD_createDStream();
        unpacker->started = unpacker->state.zstd != NULL;
        break;
    default:
        unpacker->started = true;
    }
    return unpacker->started;
}

/* Unpacks some of `in` to `out`; moves both. */
static enum step unpack(struct unpacker *unpacker, const char **in, size_t *n_in, char **out,
                        size_t *n_out) {
    const char *in_before = *in;
    enum step step = STEP_MORE;
    size_t taken = 0;
    size_t given = 0;
    switch (unpacker->compression) {
    case WR_COMPRESSION_GZIP: {
        z_stream *state = &unpacker->state.gzip;
        state->next_in = (Bytef *)*in;
        state->avail_in = (uInt)*n_in;
        state->next_out = (Bytef *)*out;
        state->avail_out = (uInt)*n_out;
        int code = inflate(state, Z_NO_FLUSH);
        step = code == Z_STREAM_END                  ? STEP_END_OF_MEMBER
               : code == Z_OK || code == Z_BUF_ERROR ? STEP_MORE
               : code == Z_MEM_ERROR                 ? STEP_NO_MEMORY
                                                     : STEP_BAD;
        taken = *n_in - state->avail_in;
        given = *n_out - state->avail_out;
        break;
    }
    case WR_COMPRESSION_BZIP2: {
        bz_stream *state = &unpacker->state.bzip2;
        state->next_in = (char *)*in;
        state->avail_in = (unsigned)*n_in;
        state->next_out = *out;
        state->avail_out = (unsigned)*n_out;
        int code = BZ2_bzDecompress(state);
        step = code == BZ_STREAM_END  ? STEP_END_OF_MEMBER
               : code == BZ_OK        ? STEP_MORE
               : code == BZ_MEM_ERROR ? STEP_NO_MEMORY
                                      : STEP_BAD;
        taken = *n_in - state->avail_in;
        given = *n_out - state->avail_out;
        break;
    }
    case WR_COMPRESSION_XZ: {
        lzma_stream *state = &unpacker->state.xz;
        state->next_in = (const uint8_t *)*in;
        state->avail_in = *n_in;
        state->next_out = (uint8_t *)*out;
        state->avail_out = *n_out;
        lzma_ret code = lzma_code(state, LZMA_RUN);
        step = code == LZMA_OK || code == LZMA_BUF_ERROR || code == LZMA_STREAM_END ? STEP_MORE
               : code == LZMA_MEM_ERROR                                             ? STEP_NO_MEMORY
                                                                                    : STEP_BAD;
        taken = *n_in - state->avail_in;
        given = *n_out - state->avail_out;
        break;
    }
    case WR_COMPRESSION_ZSTD: {
        ZSTD_inBuffer input = {*in, *n_in, 0};
        ZSTD_outBuffer output = {*out, *n_out, 0};
        size_t code = ZSTD_decompressStream(unpacker->state.zstd, &output, &input);
        if (ZSTD_isError(code)) step = STEP_BAD;
        taken = input.pos;
        given = output.pos;
        break;
    }
    default:
        taken = given = *n_in < *n_out ? *n_in : *n_out;
        memcpy(*out, *in, taken);
    }
    *in = in_before + taken;
    *n_in -= taken;
    *out += given;
    *n_out -= given;
    return step;
}

/* Where the bytes come from: a descriptor, or an object. */
struct input {
    const struct wr_files_source *source; /* NULL: `fd` */
    const char *key;
    int64_t offset;
    int fd;
    bool ended;
};

static size_t input_bytes(const struct input *input, size_t limit) {
    /* One request for an object rather than many. */
    return input->source ? limit : READ_BYTES;
}

/* Fills `buffer`; nothing at the file's end. */
static int read_some(const char *shown, struct input *input, char *buffer, size_t size,
                     size_t *ret_length, struct weir_error *error) {
    ssize_t length;
    if (input->source) {
        const struct wr_files_source *source = input->source;
        *ret_length = 0;
        if (input->ended) return WEIR_OK;
        WR_TRY(source->stores->get(source->store, input->key, input->offset, size, NULL, buffer,
                                   ret_length, NULL, NULL, error));
        input->offset += (int64_t)*ret_length;
        input->ended = *ret_length < size;
        return WEIR_OK;
    }
    do {
        length = read(input->fd, buffer, size);
    } while (length < 0 && errno == EINTR);
    if (length < 0) return wr_error_errno(error, errno, "cannot read \"%s\"", shown);
    *ret_length = (size_t)length;
    return WEIR_OK;
}

static int read_unpacked(const char *shown, struct input *input, char *buffer, size_t limit,
                         struct unpacker *unpacker, struct wr_head *head,
                         struct weir_error *error) {
    const char *in = buffer;
    size_t n_in = 0;
    char *out = head->data;
    size_t n_out = limit;
    bool first = true;
    while (n_out > 0) {
        if (n_in == 0) {
            in = buffer;
            WR_TRY(read_some(shown, input, buffer, input_bytes(input, limit), &n_in, error));
            if (n_in == 0) {
                head->complete = true;
                break;
            }
        }
        if (first) {
            first = false;
            if (unpacker->compression == WR_COMPRESSION_UNKNOWN)
                unpacker->compression = wr_compression_of_bytes(in, n_in);
            if (!start(unpacker)) return wr_error_memory(error);
        }
        enum step step = unpack(unpacker, &in, &n_in, &out, &n_out);
        if (step == STEP_NO_MEMORY) return wr_error_memory(error);
        if (step == STEP_BAD) {
            if (out > head->data) break;
            return wr_error_set(error, WEIR_INVALID_DATA, NULL,
                                "\"%s\" is not valid %s data, though its name, its first bytes or "
                                "the option compression says so",
                                shown, wr_compression_name(unpacker->compression));
        }
        if (step == STEP_END_OF_MEMBER) {
            stop(unpacker);
            if (!start(unpacker)) return wr_error_memory(error);
        }
    }
    head->length = (size_t)(out - head->data);
    head->compression = unpacker->compression == WR_COMPRESSION_UNKNOWN ? WR_COMPRESSION_NONE
                                                                        : unpacker->compression;
    return WEIR_OK;
}

int wr_head_read(const struct wr_access *access, const char *shown, const char *path,
                 enum wr_file_compression compression, size_t limit, struct wr_head *ret_head,
                 struct weir_error *error) {
    struct wr_head head = {0};
    struct unpacker unpacker = {.compression = compression};
    struct input input = {.source = access->source, .fd = -1};
    if (input.source) {
        input.key = wr_files_key(input.source, path);
    } else {
        int reason = wr_access_fd(access, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, &input.fd);
        if (reason) return wr_access_error(error, access, reason, "cannot open", shown);
    }
    char *buffer = wr_malloc(input_bytes(&input, limit));
    head.data = wr_malloc(limit);
    int code = buffer && head.data
                   ? read_unpacked(shown, &input, buffer, limit, &unpacker, &head, error)
                   : wr_error_memory(error);
    stop(&unpacker);
    if (input.fd >= 0) close(input.fd);
    wr_free(buffer);
    if (code) {
        wr_head_reset(&head);
        return code;
    }
    *ret_head = head;
    return WEIR_OK;
}

void wr_head_reset(struct wr_head *head) {
    wr_free(head->data);
    *head = (struct wr_head){0};
}
