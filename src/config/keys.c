/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "base/units.h"

/* ---- What texts are taken ---- */

static bool is_one_of(const char *text, size_t length, const char *const *words) {
    for (; *words; words++) {
        if (strlen(*words) == length && memcmp(*words, text, length) == 0) return true;
    }
    return false;
}

static bool is_encoding(const char *text) {
    static const char *const words[] = {"parquet", "arrow", "csv", "tsv", "json", "jsonl", NULL};
    return is_one_of(text, strlen(text), words);
}

/* "zstd", and "zstd(9)" for those that have levels. */
static bool is_parquet_compression(const char *text) {
    static const char *const words[] = {"none", "uncompressed", "snappy", "lz4", "lz4_raw",
                                        "zstd", "gzip",         "brotli", NULL};
    static const struct {
        const char *word;
        int least, greatest;
    } levels[] = {{"zstd", 1, 22}, {"gzip", 0, 9}, {"brotli", 0, 11}};
    size_t length = strcspn(text, "(");
    if (!text[length]) return is_one_of(text, length, words);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        for (int level = levels[i].least; level <= levels[i].greatest; level++) {
            char whole[24];
            snprintf(whole, sizeof whole, "%s(%d)", levels[i].word, level);
            if (strcmp(whole, text) == 0) return true;
        }
    }
    return false;
}

/* A catalog's or schema's: one component of a path. */
static bool is_name(const char *text) {
    return *text && !strchr(text, '/') && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* ---- The table ---- */

#define MOST_BYTES (INT64_C(1) << 60)
#define MOST_TIME (INT64_C(1000) * 60 * 60 * 24 * 36500)
#define NAME .accepts = is_name, .wanted = "a name without '/'"

const struct wr_config_key wr_config_keys[] = {
    {.name = "memory_limit",
     .type = WR_CONFIG_BYTES,
     .fallback = "0",
     .greatest = MOST_BYTES,
     .help = "memory that queries may hold before they spill; 0: three quarters of the machine's"},
    {.name = "threads",
     .type = WR_CONFIG_INTEGER,
     .fallback = "0",
     .greatest = 4096,
     .help = "worker threads; 0: one for each core"},
    {.name = "statement_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "0s",
     .greatest = MOST_TIME,
     .help = "the program cancels a statement that runs longer; 0s: never"},
    {.name = "spill.path",
     .type = WR_CONFIG_PATH,
     .help = "directory for what queries spill; by default .weir/spill of the workspace, in memory "
             "the system's temporary directory"},
    {.name = "spill.max_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "100GiB",
     .least = 1,
     .greatest = MOST_BYTES,
     .help = "bytes that may be spilled at one time"},
    {.name = "spool.path",
     .type = WR_CONFIG_PATH,
     .help = "directory for the bytes that tables were encoded into; by default .weir/spool of the "
             "workspace, in memory a temporary directory"},
    {.name = "spool.max_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "10GiB",
     .greatest = MOST_BYTES,
     .help = "bytes that the spool keeps, the last used ones; 0: without limit"},
    {.name = "spool.max_age",
     .type = WR_CONFIG_DURATION,
     .fallback = "0s",
     .greatest = MOST_TIME,
     .help = "how long the bytes of a table whose version is not known may be served again; 0s: "
             "they are encoded for each reader"},
    {.name = "cache.max_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "256MiB",
     .greatest = MOST_BYTES,
     .help = "bytes that the cache of Parquet footers keeps; 0: no cache"},
    {.name = "cache.tables.max_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "10GiB",
     .greatest = MOST_BYTES,
     .help = "bytes that the copies of cached tables have together, the last used ones; 0: without "
             "limit"},
    {.name = "encoding.default",
     .type = WR_CONFIG_TEXT,
     .fallback = "parquet",
     .accepts = is_encoding,
     .wanted = "one of parquet, arrow, csv, tsv, json, jsonl",
     .help = "the extension under which tables show as files in weir mount"},
    {.name = "encoding.parquet.compression",
     .type = WR_CONFIG_TEXT,
     .fallback = "zstd",
     .accepts = is_parquet_compression,
     .wanted = "one of none, snappy, lz4_raw, zstd, gzip, brotli, the last three also with a "
               "level, as in zstd(9)",
     .help = "how tables are compressed when they are encoded as Parquet"},
    {.name = "catalog.name",
     .type = WR_CONFIG_TEXT,
     .fallback = "weir",
     NAME,
     .help = "the name of the workspace's own catalog"},
    {.name = "catalog.schema",
     .type = WR_CONFIG_TEXT,
     .fallback = "public",
     NAME,
     .help = "the schema that a session starts in"},
    {.name = "mounts",
     .type = WR_CONFIG_MAPPING,
     .help = "sources at the top of the tree: a name, with kind (by default files), url, and the "
             "options of its kind"},
    {.name = "settings",
     .type = WR_CONFIG_MAPPING,
     .help = "settings of the engine for every session, as SQL's SET has them"},
};

const size_t wr_config_n_keys = sizeof wr_config_keys / sizeof *wr_config_keys;

/* First parts of keys that are settled, and that later versions read. */
static const char *const later[] = {"flight", "http", "users", "stores", "extensions"};

/* ---- Paths ---- */

/* Whether `path` begins with the parts of `head`, and how it goes on: 0 or '.'; else -1. */
static int follows(const char *path, const char *head) {
    size_t length = strlen(head);
    if (strncmp(path, head, length) != 0) return -1;
    return path[length] == '.' || !path[length] ? path[length] : -1;
}

enum wr_config_place wr_config_locate(const char *path, const struct wr_config_key **ret_key) {
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (follows(path, later[i]) >= 0) return WR_CONFIG_LATER;
    }
    if (follows(path, "mounts") == '.')
        return strchr(path + strlen("mounts."), '.') ? WR_CONFIG_FREE : WR_CONFIG_MOUNT;
    if (follows(path, "settings") == '.') return WR_CONFIG_FREE;
    for (size_t i = 0; i < wr_config_n_keys; i++) {
        const struct wr_config_key *key = &wr_config_keys[i];
        if (follows(key->name, path) == '.') return WR_CONFIG_GROUP;
        if (strcmp(key->name, path) != 0) continue;
        if (key->type == WR_CONFIG_MAPPING) return WR_CONFIG_GROUP;
        if (ret_key) *ret_key = key;
        return WR_CONFIG_KEY;
    }
    return WR_CONFIG_UNKNOWN;
}

const char *wr_config_nearest(const char *path) {
    const char *names[sizeof wr_config_keys / sizeof *wr_config_keys + 4] = {"spill", "spool",
                                                                             "encoding", "catalog"};
    for (size_t i = 0; i < wr_config_n_keys; i++)
        names[4 + i] = wr_config_keys[i].name;
    return wr_nearest(path, names, 4 + wr_config_n_keys);
}

void wr_config_variable(const char *name, char ret_variable[WR_CONFIG_VARIABLE_SIZE]) {
    size_t length = (size_t)snprintf(ret_variable, WR_CONFIG_VARIABLE_SIZE, "WEIR_%s", name);
    for (size_t i = 0; i < length && i < WR_CONFIG_VARIABLE_SIZE; i++) {
        char *c = &ret_variable[i];
        *c = *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    }
}

/* ---- Values ---- */

bool wr_config_parse(const struct wr_config_key *key, const char *text, int64_t *ret_number) {
    int64_t number = 0;
    bool truth;
    switch (key->type) {
    case WR_CONFIG_TEXT:
    case WR_CONFIG_PATH:
        return *text && (!key->accepts || key->accepts(text));
    case WR_CONFIG_BOOLEAN:
        if (!wr_parse_bool(text, &truth)) return false;
        *ret_number = truth;
        return true;
    case WR_CONFIG_INTEGER:
        if (!wr_parse_int(text, &number)) return false;
        break;
    case WR_CONFIG_BYTES:
        if (!wr_parse_bytes(text, &number)) return false;
        break;
    case WR_CONFIG_DURATION:
        if (!wr_parse_duration(text, &number)) return false;
        break;
    case WR_CONFIG_MAPPING:
        return false;
    }
    if (number < key->least || number > key->greatest) return false;
    *ret_number = number;
    return true;
}

void wr_config_wanted(const struct wr_config_key *key, char *ret_text, size_t size) {
    switch (key->type) {
    case WR_CONFIG_TEXT:
        snprintf(ret_text, size, "%s", key->wanted ? key->wanted : "a text");
        break;
    case WR_CONFIG_PATH:
        snprintf(ret_text, size, "a path");
        break;
    case WR_CONFIG_BOOLEAN:
        snprintf(ret_text, size, "true or false");
        break;
    case WR_CONFIG_INTEGER:
        snprintf(ret_text, size, "a whole number from %" PRId64 " to %" PRId64, key->least,
                 key->greatest);
        break;
    case WR_CONFIG_BYTES:
        snprintf(ret_text, size, "a number of bytes%s, such as 512MiB or 2GB",
                 key->least > 0 ? " from 1 on" : "");
        break;
    case WR_CONFIG_DURATION:
        snprintf(ret_text, size, "a time, such as 500ms, 10s, 2min, 1h or 7d");
        break;
    case WR_CONFIG_MAPPING:
        snprintf(ret_text, size, "a mapping");
        break;
    }
}
