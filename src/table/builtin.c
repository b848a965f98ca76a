/* SPDX-License-Identifier: Apache-2.0 */
#include "table/registry.h"

extern const struct weir_table_kind wr_kind_adbc;
extern const struct weir_table_kind wr_kind_derived;
extern const struct weir_table_kind wr_kind_files;
extern const struct weir_table_kind wr_kind_memory;
extern const struct weir_table_kind wr_kind_sql;
extern const struct weir_table_kind wr_kind_stream;
extern const struct weir_table_kind wr_kind_values;

extern const struct weir_mount_kind wr_mount_adbc;
extern const struct weir_mount_kind wr_mount_files;

const struct weir_table_kind *const wr_builtin_kinds[] = {
    &wr_kind_files,  &wr_kind_derived, &wr_kind_memory, &wr_kind_sql,
    &wr_kind_stream, &wr_kind_values,  &wr_kind_adbc,   NULL,
};

const struct weir_table_kind *const wr_temporary_kinds[] = {
    &wr_kind_memory,
    &wr_kind_stream,
    NULL,
};

const struct weir_mount_kind *const wr_builtin_mounts[] = {
    &wr_mount_files,
    &wr_mount_adbc,
    NULL,
};

const char wr_default_mount[] = "files";
