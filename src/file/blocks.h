/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of objects that outlive the process, in files of the directory PATH: the engine's struct
 * wr_blocks.
 *
 * 1. Nothing here is an error: what cannot be kept is not there.
 * 2. A file has WR_SEGMENT_BLOCKS blocks of one object, at their own places: it is as full of holes
 * as little of the object was read. Each block has a checksum, which is written after it. What was
 * torn, when a machine died, is not found.
 * 3. An object's name stands for its content. So several processes write the same bytes to the same
 * place, and need no lock.
 * 4. When the files hold more than `max_bytes`, those used longest ago are removed. A use is noted
 * once a minute, in the file's time of change.
 */
#ifndef WR_FILE_BLOCKS_H
#define WR_FILE_BLOCKS_H

#include "engine/engine.h"

enum { WR_SEGMENT_BLOCKS = 128 };

struct wr_block_store;

/* The directory is made at the first use. Without a path it is a temporary one, which goes at
 * close. `max_bytes` above 0. */
int wr_block_store_open(const char *path, int64_t max_bytes, struct wr_block_store **ret_store,
                        struct weir_error *error);
void wr_block_store_close(struct wr_block_store *store);
/* What the engine gets; `store` must outlive it. */
struct wr_blocks wr_block_store_blocks(struct wr_block_store *store);

#endif
