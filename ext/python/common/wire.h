/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes between weir and a worker process: messages over a socket, each with a type, bytes, and
 * perhaps a descriptor. Both ends are of one build, so that numbers go as they are in memory; what
 * comes is checked all the same, since user code in the worker may have written anywhere.
 */
#ifndef WP_WIRE_H
#define WP_WIRE_H

#include "common/common.h"

enum wp_message {
    /* Requests. A worker answers each but the two CLOSE_READER and QUIT, in their order. */
    WP_OPEN = 1,     /* a definition: WP_SCHEMA */
    WP_STATISTICS,   /* WP_KNOWN */
    WP_CLASSIFY,     /* filters: WP_SUPPORT */
    WP_SCAN,         /* a request, a plan or none: WP_PARTITIONS */
    WP_READ,         /* scan, partition: WP_READER */
    WP_NEXT,         /* reader: WP_BATCH or WP_END */
    WP_CLOSE_READER, /* reader */
    WP_CLOSE_SCAN,   /* scan: WP_DONE */
    WP_INSERT,       /* mode: WP_PULL, each answered by WP_BATCH or WP_END, then WP_COUNT */
    /* Answers. */
    WP_FAILED = 64, /* struct weir_error */
    WP_SCHEMA,      /* the table's */
    WP_KNOWN,
    WP_SUPPORT,
    WP_PARTITIONS, /* scan, number, plan */
    WP_READER,
    WP_BATCH, /* nodes, and a descriptor of the buffers' memory */
    WP_END,
    WP_DONE,
    WP_PULL,
    WP_COUNT
};

/* ---- Bytes ---- */

struct wp_out {
    uint8_t *data;
    size_t length, capacity;
    bool failed; /* for want of memory */
};

void wp_put(struct wp_out *out, const void *data, size_t length);
void wp_put_number(struct wp_out *out, int64_t number);
void wp_put_bytes(struct wp_out *out, const void *data, size_t length);
void wp_put_text(struct wp_out *out, const char *text); /* NULL too */
void wp_put_schema(struct wp_out *out, const struct ArrowSchema *schema);
void wp_out_reset(struct wp_out *out);

struct wp_in {
    const uint8_t *data;
    size_t length, at;
    bool failed; /* it ended too early, or holds what cannot be */
};

int64_t wp_get_number(struct wp_in *in);
const uint8_t *wp_get_bytes(struct wp_in *in, size_t *ret_length); /* borrowed */
const char *wp_get_text(struct wp_in *in);                         /* borrowed; NULL too */
int wp_get_schema(struct wp_in *in, struct ArrowSchema *ret_schema);

/* ---- Messages ---- */

struct wp_frame {
    int type; /* enum wp_message */
    struct wp_bytes bytes;
    int fd; /* -1: none */
};

/* 0, or an errno value. `fd` -1: none. */
int wp_send(int socket, int type, const struct wp_out *out, int fd);
/* Blocks. EPIPE at the end. */
int wp_receive(int socket, struct wp_frame *ret_frame);
void wp_frame_reset(struct wp_frame *frame);

/* ---- Batches (flat.c) ---- */

/*
 * Copies an array, its buffers into memory of its own behind `*ret_fd` that nobody can change any
 * more, the rest into `out`. ENOTSUP for types that have no form here; *ret_fd is -1 when there are
 * no bytes.
 */
int wp_flat_send(const struct ArrowSchema *type, const struct ArrowArray *array, struct wp_out *out,
                 int *ret_fd);
/* The array with its buffers in a mapping of `fd`, which is closed. Everything that could lead out
 * of the mapping is checked. */
int wp_flat_map(const struct ArrowSchema *type, struct wp_in *in, int fd,
                struct ArrowArray *ret_array);
/* Bytes that wp_flat_send would copy; 0 when it could not. */
uint64_t wp_flat_size(const struct ArrowSchema *type, const struct ArrowArray *array);
/* The same within the message, for small arrays. */
int wp_flat_put(const struct ArrowSchema *type, const struct ArrowArray *array, struct wp_out *out);
int wp_flat_get(const struct ArrowSchema *type, struct wp_in *in, struct ArrowArray *ret_array);

/* ---- Filters and requests (request.c) ---- */

void wp_put_filters(struct wp_out *out, const struct weir_filter *filters, size_t n_filters);
void wp_put_request(struct wp_out *out, const struct weir_scan_request *request);

/* A request and all that it points to. */
struct wp_request {
    struct weir_scan_request request;
    struct ArrowSchema *types;
    struct ArrowArray *values;
};

int wp_get_filters(struct wp_in *in, struct wp_request *ret_request);
int wp_get_request(struct wp_in *in, struct wp_request *ret_request);
void wp_request_reset(struct wp_request *request);

#endif
