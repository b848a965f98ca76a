/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of nodes: those that lie somewhere, and those that rows are encoded into.
 *
 * 1. Own bytes are never encoded again: the file at the node's path, or the one file that its table
 * is read from, when that file alone is all of the table.
 * 2. Other bytes come from the spool, under a hash of the snapshot's version, the encoding, how it
 * is written, and the encoder's number. Without a version they are nobody else's, or kept for
 * spool.max_age.
 * 3. After encoding, the version is asked for again; when an input has changed meanwhile, the bytes
 * are thrown away and encoding begins anew, three times at most.
 */
#ifndef WR_FILE_H
#define WR_FILE_H

#include "base/hash.h"
#include "file/node.h"

/* To be raised with each change of what the encoder writes for the same rows. */
enum { WR_ENCODER_NUMBER = 1, WR_ENCODING_ATTEMPTS = 3 };

/* Behind the handle of weir.h, whose name weir_extension.h gives to another structure. */
struct wr_bytes {
    struct weir_reader reader; /* release NULL: `fd` */
    int fd;
    int64_t n_bytes;
    int64_t modified_ns;
    char version[WEIR_VERSION_SIZE]; /* empty: unknown */
    const char *encoding;
    bool is_own;
};

/* ---- Own bytes ---- */

/* The bytes of the file that lies at the node's path. */
int wr_open_lying(const struct weir_node *node, const char *encoding, struct wr_bytes *ret_file,
                  struct weir_error *error);
/* The one file of the node's table. *ret_found is false when the table is more, less or something
 * else than one file of that encoding. */
int wr_open_single(const struct weir_node *node, const char *encoding, struct wr_bytes *ret_file,
                   bool *ret_found, struct weir_error *error);
void wr_file_reset(struct wr_bytes *file);

/* ---- Encoding ---- */

/* How an encoding is written in a workspace. */
struct wr_encoder {
    const char *encoding;
    struct weir_option options[1];
    size_t n_options;
};

struct wr_encoder wr_encoder_of(const struct weir_session *session, const char *encoding);
/* Whether an encoding is an extension's, so that its bytes have no version. */
bool wr_node_is_foreign(const struct weir_node *node, const char *encoding);
/* Encodes the rows of a node's snapshot. WEIR_CANCELLED when the activity is. */
int wr_encode_snapshot(const struct weir_node *node, struct wr_activity *activity,
                       const struct wr_snapshot *snapshot, const struct wr_encoder *encoder,
                       weir_write_fn write, void *sink, struct weir_error *error);
/* WEIR_INVALID_STATE, 40001, when the node's rows are others by now than the snapshot's. */
int wr_check_unchanged(struct weir_node *node, const struct wr_snapshot *snapshot,
                       struct weir_error *error);
/* Whether an error is that. */
bool wr_is_changed(int code, const struct weir_error *error);

#endif
