/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as a file system: `weir mount`, read-only, through FUSE 3. Part of the program; it
 * stands on weir.h's part "The tree" and on src/base.
 *
 * A table is the file NAME.parquet (or .csv, ...), whose bytes are made when they are first needed.
 * docs/internals/mount.md says how names, inodes and threads work.
 */
#ifndef WR_MOUNT_H
#define WR_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "weir.h"

struct mount_options {
    const char *directory; /* where the tree appears */
    const char *path;      /* the directory of the tree that appears there; "/" for all of it */
    const char *const *encodings; /* under which tables are listed */
    size_t n_encodings;
    bool every_table; /* files that are tables are listed under every encoding too */
    const struct weir_option *settings; /* of each session */
    size_t n_settings;
    void (*standing)(void *context); /* called once, from another thread: it is mounted */
    void *context;
};

/* The encodings that a table's bytes can be had in: their names, and how many. */
size_t mount_encodings(const char *const **ret_names);

/*
 * Whether `directory` can be mounted on: FUSE is there and permitted, the directory is one, and no
 * file system of weir's stands there, alive or left behind by a process that was killed. Takes
 * nothing, so it may be asked before the workspace is opened.
 */
int mount_check(const char *directory, struct weir_error *error);

/*
 * Mounts, and serves until SIGINT, SIGTERM or SIGHUP comes or somebody unmounts it. These signals
 * must be blocked in the calling thread and in those of the workspace. Blocks; once per process.
 * Errors of single files go to standard error, a line each.
 */
int mount_run(struct weir_workspace *workspace, const struct mount_options *options,
              struct weir_error *error);

#endif
