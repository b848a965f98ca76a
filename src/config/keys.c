/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "base/units.h"
#include "config/config.h"

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

/* Of the machine, or a URL. */
static bool is_root(const char *text) {
    return *text == '/' || strstr(text, "://");
}

static bool is_preset(const char *text) {
    return strcmp(text, "embedded") == 0 || strcmp(text, "server") == 0;
}

static bool is_log_level(const char *text) {
    return strcmp(text, "off") == 0 || strcmp(text, "debug") == 0;
}

static bool is_web_address(const char *text) {
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

static bool is_certificate(const char *text) {
    const char *equals = strchr(text, '=');
    return equals && equals > text && equals[1];
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
     .help = "a statement that runs longer is cancelled; 0s: none is"},
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
    {.name = "cache.listings.max_age",
     .type = WR_CONFIG_DURATION,
     .fallback = "1s",
     .greatest = MOST_TIME,
     .help = "how long it may take until a query sees what others put into an object store; 0s: "
             "each query lists it"},
    {.name = "cache.objects.max_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "1GiB",
     .greatest = MOST_BYTES,
     .help =
         "bytes of object stores' objects that are kept on this machine, the last used ones; 0: "
         "none"},
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
    {.name = "limits.statements",
     .type = WR_CONFIG_INTEGER,
     .fallback = "0",
     .greatest = 1000000,
     .help = "statements that run at the same time; others wait; 0: any number"},
    {.name = "limits.statements_per_user",
     .type = WR_CONFIG_INTEGER,
     .fallback = "0",
     .greatest = 1000000,
     .help = "the same for each user; 0: any number"},
    {.name = "limits.waiting",
     .type = WR_CONFIG_INTEGER,
     .fallback = "1000",
     .greatest = 1000000,
     .help = "statements that wait for others; more are refused at once"},
    {.name = "limits.wait",
     .type = WR_CONFIG_DURATION,
     .fallback = "60s",
     .greatest = MOST_TIME,
     .help = "how long a statement waits before it is refused"},
    {.name = "limits.history",
     .type = WR_CONFIG_INTEGER,
     .fallback = "1000",
     .greatest = 1000000,
     .help = "statements that are over, and that system.queries still has"},
    {.name = "limits.statement_memory",
     .type = WR_CONFIG_BYTES,
     .fallback = "0",
     .greatest = MOST_BYTES,
     .help = "memory that one statement may hold before it spills; 0: as much as there is"},
    {.name = "flight.listen",
     .type = WR_CONFIG_TEXT,
     .fallback = "127.0.0.1:31337",
     .help = "address and port of the Flight SQL door of weir serve; off: none"},
    {.name = "flight.max_connections_per_address",
     .type = WR_CONFIG_INTEGER,
     .fallback = "2048",
     .least = 1,
     .greatest = 1000000,
     .help = "connections over Flight SQL of one address at a time; further ones are closed"},
    {.name = "http.listen",
     .type = WR_CONFIG_TEXT,
     .fallback = "127.0.0.1:8080",
     .help = "address and port of the HTTP door of weir serve; off: none"},
    {.name = "http.max_body_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "1MiB",
     .least = 1,
     .greatest = INT64_C(1) << 30,
     .help = "bytes that the body of a request over HTTP may have"},
    {.name = "http.max_header_bytes",
     .type = WR_CONFIG_BYTES,
     .fallback = "32KiB",
     .least = 1024,
     .greatest = INT64_C(1) << 20,
     .help = "bytes that the first line and the headers of a request over HTTP may have"},
    {.name = "http.max_connections",
     .type = WR_CONFIG_INTEGER,
     .fallback = "4096",
     .least = 16,
     .greatest = 1000000,
     .help = "connections over HTTP at a time; further ones wait"},
    {.name = "http.max_connections_per_address",
     .type = WR_CONFIG_INTEGER,
     .fallback = "2048",
     .least = 1,
     .greatest = 1000000,
     .help = "connections over HTTP of one address at a time; further ones are closed"},
    {.name = "http.max_requests",
     .type = WR_CONFIG_INTEGER,
     .fallback = "64",
     .least = 1,
     .greatest = 4096,
     .help = "requests over HTTP that are worked on at a time; further ones wait"},
    {.name = "http.header_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "10s",
     .least = 1,
     .greatest = MOST_TIME,
     .help = "how long a client may take for the headers of a request"},
    {.name = "http.body_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "60s",
     .least = 1,
     .greatest = MOST_TIME,
     .help = "how long a client may take for the body of a request"},
    {.name = "http.idle_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "60s",
     .least = 1,
     .greatest = MOST_TIME,
     .help = "how long a connection stays open without a request"},
    {.name = "http.write_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "5min",
     .least = 1000,
     .greatest = INT64_C(1000) * 60 * 60 * 24,
     .help = "how long a client may take none of an answer's bytes"},
    {.name = "http.cors_origins",
     .type = WR_CONFIG_TEXT,
     .help = "origins whose pages may use the HTTP door, separated by commas; * for all"},
    {.name = "drain_timeout",
     .type = WR_CONFIG_DURATION,
     .fallback = "30s",
     .greatest = MOST_TIME,
     .help = "how long weir serve waits for running requests when it is told to end"},
    {.name = "tls.certificate",
     .type = WR_CONFIG_PATH,
     .help = "PEM file with the doors' certificate and its chain; without it they speak no TLS"},
    {.name = "tls.key", .type = WR_CONFIG_PATH, .help = "PEM file with the certificate's key"},
    {.name = "tls.client_ca",
     .type = WR_CONFIG_PATH,
     .help = "PEM file with the authorities whose client certificates are taken"},
    {.name = "policy.preset",
     .type = WR_CONFIG_TEXT,
     .fallback = "embedded",
     .accepts = is_preset,
     .wanted = "embedded or server",
     .help = "what SQL may touch besides tables: embedded, everything; server, only mounts, the "
             "directories and URLs below, and ATTACH by administrators alone"},
    {.name = "policy.read",
     .type = WR_CONFIG_LIST,
     .accepts = is_root,
     .wanted = "absolute paths and URLs",
     .help = "directories and beginnings of URLs that SQL may read by path"},
    {.name = "policy.write",
     .type = WR_CONFIG_LIST,
     .accepts = is_root,
     .wanted = "absolute paths and URLs",
     .help = "directories and beginnings of URLs that SQL may write to by path"},
    {.name = "policy.hosts",
     .type = WR_CONFIG_LIST,
     .help = "hosts whose http and https URLs SQL may read: data.example.org, *.example.org, "
             "example.org:8443"},
    {.name = "auth.password.operations",
     .type = WR_CONFIG_INTEGER,
     .fallback = "3",
     .least = 1,
     .greatest = 100,
     .help = "passes of argon2id over its memory when a password is hashed"},
    {.name = "auth.password.memory",
     .type = WR_CONFIG_BYTES,
     .fallback = "64MiB",
     .least = INT64_C(1) << 20,
     .greatest = INT64_C(4) << 30,
     .help = "memory of argon2id for one password"},
    {.name = "auth.password.concurrency",
     .type = WR_CONFIG_INTEGER,
     .fallback = "2",
     .least = 1,
     .greatest = 256,
     .help = "passwords that are checked at one time; others wait"},
    {.name = "auth.jwt.keys",
     .type = WR_CONFIG_PATH,
     .help = "file with the public keys of an issuer of JSON web tokens: PEM, or a JWKS"},
    {.name = "auth.jwt.jwks_url",
     .type = WR_CONFIG_TEXT,
     .help = "address of an issuer's JWKS, by https, or http of this machine; fetched when a token "
             "names a key that is not known"},
    {.name = "auth.jwt.issuer",
     .type = WR_CONFIG_TEXT,
     .help = "what the claim iss of a token must be; required for tokens"},
    {.name = "auth.jwt.audience",
     .type = WR_CONFIG_TEXT,
     .help = "what the claim aud of a token must have; required for tokens"},
    {.name = "auth.jwt.user_claim",
     .type = WR_CONFIG_TEXT,
     .fallback = "sub",
     .help = "the claim that names the user"},
    {.name = "auth.jwt.roles_claim",
     .type = WR_CONFIG_TEXT,
     .help = "the claim that lists the user's roles; without it a token gives none"},
    {.name = "auth.jwt.clock_skew",
     .type = WR_CONFIG_DURATION,
     .fallback = "60s",
     .greatest = INT64_C(3600) * 1000,
     .help = "how far the clocks of issuer and server may be apart"},
    {.name = "auth.certificates",
     .type = WR_CONFIG_LIST,
     .accepts = is_certificate,
     .has_commas = true,
     .wanted = "entries user=subject, as in alice=CN=alice,O=Example",
     .help =
         "users of client certificates by their subjects (RFC 2253): a list in the file, or one "
         "entry"},
    {.name = "audit.log",
     .type = WR_CONFIG_PATH,
     .help = "file to which a line of JSON is added for each statement"},
    {.name = "log.level",
     .type = WR_CONFIG_TEXT,
     .fallback = "off",
     .accepts = is_log_level,
     .wanted = "off or debug",
     .help = "debug writes a line for each request to an object store"},
    {.name = "log.file",
     .type = WR_CONFIG_PATH,
     .help = "file to which log lines are added; without it they go to standard error"},
    {.name = "telemetry.otlp.endpoint",
     .type = WR_CONFIG_TEXT,
     .accepts = is_web_address,
     .wanted = "an address, http://host:4318 or https://host",
     .example = "http://localhost:4318",
     .help = "address of an OpenTelemetry collector that traces are sent to, by OTLP over HTTP as "
             "JSON"},
    {.name = "mounts",
     .type = WR_CONFIG_MAPPING,
     .help = "sources at the top of the tree: a name, with kind (by default files), url, and the "
             "options of its kind"},
    {.name = "stores",
     .type = WR_CONFIG_MAPPING,
     .help =
         "options of object stores: a name, with url (the beginning of the URLs that it is for, "
         "as s3://bucket/), type, and the options of its type"},
    {.name = "extensions",
     .type = WR_CONFIG_MAPPING,
     .help = "extensions to load: a name, with library (the path of one that does not come with "
             "weir) and its options"},
    {.name = "settings",
     .type = WR_CONFIG_MAPPING,
     .help = "settings of the engine for every session, as SQL's SET has them"},
};

const size_t wr_config_n_keys = sizeof wr_config_keys / sizeof *wr_config_keys;

/* First parts of keys that are settled, and that later versions read. */
static const char *const later[] = {"cluster"};

/* ---- Paths ---- */

/* Whether `path` begins with the parts of `head`, and how it goes on: 0 or '.'; else -1. */
static int follows(const char *path, const char *head) {
    size_t length = strlen(head);
    if (strncmp(path, head, length) != 0) return -1;
    return path[length] == '.' || !path[length] ? path[length] : -1;
}

const char *wr_config_name(const char *path) {
    static const char *const groups[] = {"mounts", "extensions", "stores"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (follows(path, groups[i]) == '.') return path + strlen(groups[i]) + 1;
    }
    return NULL;
}

enum wr_config_place wr_config_locate(const char *path, const struct wr_config_key **ret_key) {
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (follows(path, later[i]) >= 0) return WR_CONFIG_LATER;
    }
    const char *name = wr_config_name(path);
    if (name) return strchr(name, '.') ? WR_CONFIG_FREE : WR_CONFIG_MOUNT;
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
    const char *names[sizeof wr_config_keys / sizeof *wr_config_keys + 6] = {
        "spill", "spool", "encoding", "catalog", "policy", "auth"};
    for (size_t i = 0; i < wr_config_n_keys; i++)
        names[6 + i] = wr_config_keys[i].name;
    return wr_nearest(path, names, 6 + wr_config_n_keys);
}

void wr_config_variable(const char *name, char ret_variable[WR_CONFIG_VARIABLE_SIZE]) {
    size_t length = (size_t)snprintf(ret_variable, WR_CONFIG_VARIABLE_SIZE, "WEIR_%s", name);
    for (size_t i = 0; i < length && i < WR_CONFIG_VARIABLE_SIZE; i++) {
        char *c = &ret_variable[i];
        *c = *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    }
}

/* ---- Values ---- */

static size_t next_item(const char *list, const char *separators, size_t *offset,
                        const char **ret_item) {
    const char *at = list + *offset;
    at += strspn(at, ", \n\t");
    size_t length = strcspn(at, separators);
    *offset = (size_t)(at - list) + length;
    while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
        length--;
    *ret_item = at;
    return length;
}

size_t wr_config_item(const char *list, size_t *offset, const char **ret_item) {
    return next_item(list, strchr(list, '\n') ? "\n" : ",\n", offset, ret_item);
}

static bool accepts_list(const struct wr_config_key *key, const char *text) {
    const char *item = NULL;
    char copy[4096];
    size_t offset = 0;
    const char *separators = key->has_commas || strchr(text, '\n') ? "\n" : ",\n";
    for (size_t length; (length = next_item(text, separators, &offset, &item)) > 0;) {
        if (length >= sizeof copy) return false;
        memcpy(copy, item, length);
        copy[length] = '\0';
        if (key->accepts && !key->accepts(copy)) return false;
    }
    return true;
}

bool wr_config_parse(const struct wr_config_key *key, const char *text, int64_t *ret_number) {
    int64_t number = 0;
    bool truth;
    switch (key->type) {
    case WR_CONFIG_TEXT:
    case WR_CONFIG_PATH:
        return *text && (!key->accepts || key->accepts(text));
    case WR_CONFIG_LIST:
        return accepts_list(key, text);
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
    case WR_CONFIG_LIST:
        snprintf(ret_text, size, "a list of %s", key->wanted ? key->wanted : "texts");
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
