/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mount kind `files`: a directory of this machine, that nothing leads out of.
 *
 *   mount.c    the vtable, and the bytes of a file
 *   entries.c  what a directory holds, and under which names it is tables
 *   find.c     what stands at a path
 *   change.c   make, remove, rename
 *   writer.c   a file that is there whole or not at all
 *   staging.c  the hidden names that changes are prepared under
 *
 * Which names are tables:
 *
 * 1. A file of a known format is a table under its full name, and under its stem: x.csv.gz is "x".
 * A .sql file is one under its full name, and under the name in its front matter, else its stem.
 * 2. A directory is a table (a series) under its own name when it holds such files, not counting
 * .sql, or key=value directories. Listings call only those tables whose files are of one format.
 * 3. An exact name wins: where a file or directory "x" stands beside x.csv, "x" is the former. Two
 * files that share a short name have their full names only, and the short one is an error that
 * names both.
 *
 * No slot keeps a descriptor between calls, so a root that is replaced is seen at once.
 */
#ifndef WR_FILES_MOUNT_H
#define WR_FILES_MOUNT_H

#include "table/files/files.h"
#include "weir_extension.h"

struct wr_files_mount {
    char *name;  /* "lake" */
    char *root;  /* absolute and normal */
    char *shown; /* before a path within: "/lake/"; "/" of the mount of that name */
    bool read_only;
    /* Of a store: `root` is a URL that ends in a slash, `prefix` its part of the keys. */
    const struct wr_encodings *encodings;
    const struct wr_stores *stores;
    struct wr_opened *store; /* NULL: a directory of this machine */
    char *prefix;
};

extern const struct weir_mount_kind wr_mount_files;

/* Refuses what is no path within a mount: "..", ".", "//", a slash at an end. */
int wr_files_mount_check(const struct wr_files_mount *mount, const char *path,
                         struct weir_error *error);
/* As above, and refuses the mount itself, a read only one, and names that are weir's own. */
int wr_files_mount_check_change(const struct wr_files_mount *mount, const char *path,
                                struct weir_error *error);
/* The error of an errno value at a path. */
int wr_files_mount_error(const struct wr_files_mount *mount, int errnum, const char *what,
                         const char *path, struct weir_error *error);

/* Opens a path: 0 or an errno value. */
int wr_files_mount_open(const struct wr_files_mount *mount, const char *path, int flags,
                        int *ret_fd);
/* Opens a path's directory for reading and syncing; *ret_name is the rest of `path`, one name. */
int wr_files_mount_parent(const struct wr_files_mount *mount, const char *path, int *ret_fd,
                          const char **ret_name, struct weir_error *error);

/* ---- What a directory holds ---- */

enum wr_holding {
    WR_HOLDS_NOTHING, /* that makes it a table */
    WR_HOLDS_MIXED,   /* files of several formats */
    WR_HOLDS_SERIES
};

/* `fd` is closed. `any`: WR_HOLDS_MIXED need not be told from WR_HOLDS_SERIES. */
enum wr_holding wr_files_holding(const struct wr_encodings *encodings, int fd, bool any);

/* The name without extension by which the file at a path is a table, in the arena; NULL when it is
 * none. */
int wr_files_short_name(const struct wr_files_mount *mount, int root_fd, const char *path,
                        struct wr_arena *arena, const char **ret_short_name,
                        struct weir_error *error);

int wr_files_mount_list(void *mount, const char *path, weir_entry_fn take, void *sink,
                        struct weir_error *error);
int wr_files_mount_find(void *mount, const char *path, struct weir_found *ret_found,
                        struct weir_error *error);

/* ---- Changes ---- */

int wr_files_mount_write(void *mount, const char *path, int overwrite,
                         struct weir_writer *ret_writer, struct weir_error *error);
int wr_files_mount_make_directory(void *mount, const char *path, struct weir_error *error);
int wr_files_mount_remove(void *mount, const char *path, int recursive, struct weir_error *error);
int wr_files_mount_rename(void *mount, const char *from, const char *to, struct weir_error *error);

/* ---- Staging: ".weir-<16 hexadecimal digits>.part", locked by whoever works on it ---- */

enum { WR_STAGING_NAME_SIZE = 28 };

bool wr_staging_is_name(const char *name);
void wr_staging_make_name(char ret_name[WR_STAGING_NAME_SIZE]);
/* A new file, open for writing and locked. 0 or an errno value. */
int wr_staging_create(int directory, char ret_name[WR_STAGING_NAME_SIZE], int *ret_fd);
/* Removes what dead writers left in a directory: what nobody has locked. */
void wr_staging_sweep(int directory);
/* Removes a directory and all in it, never through a link. 0 or an errno value. */
int wr_remove_tree(int directory, const char *name);

#endif
