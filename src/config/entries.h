/* SPDX-License-Identifier: Apache-2.0 */
/* What was given: the entries of a configuration, before and after its sources are put together. */
#ifndef WR_CONFIG_ENTRIES_H
#define WR_CONFIG_ENTRIES_H

#include "config/config.h"
#include "config/keys.h"

enum wr_config_level { WR_CONFIG_FILE = 1, WR_CONFIG_ENVIRONMENT, WR_CONFIG_OPTION };

struct wr_config_entry {
    char *key;
    char *written; /* NULL: a mapping */
    char *value;   /* references resolved, paths absolute */
    char *origin;  /* "weir.yaml:7" */
    int64_t number;
    enum wr_config_level level;
    bool implied; /* a mapping that only a dotted key tells of */
};

struct wr_config {
    struct wr_config_entry *entries;
    size_t n_entries;
    struct wr_config_mount *mounts;
    size_t n_mounts;
    struct wr_config_extension *extensions;
    size_t n_extensions;
    struct wr_config_store *stores;
    size_t n_stores;
    struct weir_option *options; /* of all mounts, stores and extensions */
    struct weir_option *settings;
    size_t n_settings;
};

struct wr_config_entry *wr_config_find(const struct wr_config *config, const char *key);
/* Makes the lists of mounts and settings from the entries. */
int wr_config_finish(struct wr_config *config, struct weir_error *error);

#endif
