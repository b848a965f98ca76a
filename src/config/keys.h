/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys, and where a dotted path stands in it. */
#ifndef WR_CONFIG_KEYS_H
#define WR_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wr_config_type {
    WR_CONFIG_TEXT,
    WR_CONFIG_INTEGER,
    WR_CONFIG_BYTES,
    WR_CONFIG_DURATION, /* in milliseconds */
    WR_CONFIG_BOOLEAN,
    WR_CONFIG_PATH,   /* relative to the directory of the file that it stands in */
    WR_CONFIG_LIST,   /* of texts: a sequence of YAML's, or one text with commas */
    WR_CONFIG_MAPPING /* with keys of its own choice */
};

struct wr_config_key {
    const char *name; /* "spool.max_bytes" */
    enum wr_config_type type;
    const char *fallback;              /* as it would be written; NULL: no value */
    int64_t least, greatest;           /* of numbers, in bytes or milliseconds */
    bool (*accepts)(const char *text); /* of texts and each of a list; NULL: any */
    bool has_commas;                   /* of a list: each has them, and one is not taken for more */
    const char *wanted;                /* what `accepts` takes, for messages */
    const char *example;               /* that it takes, where TEXT is none */
    const char *help;
};

extern const struct wr_config_key wr_config_keys[];
extern const size_t wr_config_n_keys;

enum wr_config_place {
    WR_CONFIG_UNKNOWN,
    WR_CONFIG_KEY,
    WR_CONFIG_GROUP, /* of keys, "spool"; "mounts", "stores", "extensions" and "settings" too */
    WR_CONFIG_MOUNT, /* "mounts.lake", "stores.minio", "extensions.python" */
    WR_CONFIG_FREE,  /* below of one, and of "settings": a value or a mapping */
    WR_CONFIG_LATER  /* what no version up to this one has */
};

/* `ret_key` (may be NULL) is set for WR_CONFIG_KEY. */
enum wr_config_place wr_config_locate(const char *path, const struct wr_config_key **ret_key);
/* What follows "mounts." or "extensions.", a name that is freely chosen and what is below it; NULL
 * for other paths. */
const char *wr_config_name(const char *path);
/* The nearest path that is known; NULL when none is near. */
const char *wr_config_nearest(const char *path);

enum { WR_CONFIG_VARIABLE_SIZE = 80 };
/* The variable of a key: WEIR_SPOOL_MAX_BYTES. */
void wr_config_variable(const char *name, char ret_variable[WR_CONFIG_VARIABLE_SIZE]);

/*
 * A value as its key's type has it: numbers into `ret_number`, true as 1. False when it is none, or
 * out of bounds; wr_config_wanted then writes what it must be: "a whole number from 0 to 4096".
 */
bool wr_config_parse(const struct wr_config_key *key, const char *text, int64_t *ret_number);
void wr_config_wanted(const struct wr_config_key *key, char *ret_text, size_t size);

#endif
