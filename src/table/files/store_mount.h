/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of the mount kind `files` where its url is one of a store. */
#ifndef WR_FILES_STORE_MOUNT_H
#define WR_FILES_STORE_MOUNT_H

#include "table/files/mount.h"

/* Fills the mount in but for its name; options other than the mount's own are the store's. */
int wr_store_mount_open(const struct weir_definition *definition, const char *url,
                        struct wr_files_mount *mount, struct weir_error *error);
int wr_store_mount_list(const struct wr_files_mount *mount, const char *path, weir_entry_fn take,
                        void *sink, struct weir_error *error);
int wr_store_mount_find(const struct wr_files_mount *mount, const char *path,
                        struct weir_found *ret_found, struct weir_error *error);
int wr_store_mount_read(const struct wr_files_mount *mount, const char *path,
                        struct weir_reader *ret_reader, struct weir_error *error);
int wr_store_mount_write(const struct wr_files_mount *mount, const char *path, int overwrite,
                         struct weir_writer *ret_writer, struct weir_error *error);
int wr_store_mount_remove(const struct wr_files_mount *mount, const char *path, int recursive,
                          struct weir_error *error);
int wr_store_mount_rename(const struct wr_files_mount *mount, const char *from, const char *to,
                          struct weir_error *error);
int wr_store_mount_make_directory(const struct wr_files_mount *mount, const char *path,
                                  struct weir_error *error);

#endif
