/* SPDX-License-Identifier: Apache-2.0 */
#include "table/cached/policy.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "base/units.h"
#include "table/cached/cached.h"

const struct weir_option_spec wr_cached_options[] = {
    {"source", WEIR_OPTION_TEXT, 1, "the table, view or path whose rows are kept"},
    {"max_age", WEIR_OPTION_TEXT, 1, "the greatest age of the rows that are served, such as 60s"},
    {"mode", WEIR_OPTION_TEXT, 0,
     "full (the whole table, by default), window (the last part by time), query (results of "
     "statements of a database)"},
    {"max_bytes", WEIR_OPTION_TEXT, 0, "bytes that the copy may have; without it no limit"},
    {"time_column", WEIR_OPTION_TEXT, 0, "the column of mode window and of refresh append"},
    {"window", WEIR_OPTION_TEXT, 0, "mode window: how far back it reaches, such as 7d"},
    {"refresh", WEIR_OPTION_TEXT, 0,
     "on_demand (by default), interval (also in the background), append (only what is new)"},
    {"interval", WEIR_OPTION_TEXT, 0, "refresh interval: the time between two, such as 5min"},
    {"on_error", WEIR_OPTION_TEXT, 0,
     "fail (by default): the source's error; stale: the old copy while the source fails"},
    {"max_stale", WEIR_OPTION_TEXT, 0, "on_error stale: the greatest age then; without it any"},
    {"timeout", WEIR_OPTION_TEXT, 0, "how long a statement waits for a fetch; without it forever"},
    {"identity", WEIR_OPTION_TEXT, 0, "of tables of a mount: tells one mount from another"},
    {"param.", WEIR_OPTION_PREFIX, 0, "of a call: cache => 'off' reads the source"},
};

const size_t wr_cached_n_options = sizeof wr_cached_options / sizeof *wr_cached_options;

static const char *const modes[] = {"full", "window", "query", NULL};
static const char *const refreshes[] = {"on_demand", "interval", "append", NULL};
static const char *const failures[] = {"fail", "stale", NULL};

const char *wr_cache_mode_name(enum wr_cache_mode mode) {
    return modes[mode];
}

/* ---- Single options ---- */

struct reading {
    const char *owner;
    const struct weir_option *options;
    size_t n_options;
    struct weir_error *error;
};

static const char *get(const struct reading *reading, const char *key) {
    return wr_options_get(reading->options, reading->n_options, key);
}

static int wrong(const struct reading *reading, const char *key, const char *wanted) {
    return wr_error_set(reading->error, WEIR_INVALID_ARGUMENT, "22023",
                        "%s: option \"%s\" is \"%s\", which is not %s", reading->owner, key,
                        get(reading, key), wanted);
}

static int read_word(const struct reading *reading, const char *key, const char *const *words,
                     const char *wanted, int *ret_index) {
    const char *text = get(reading, key);
    if (!text) return WEIR_OK;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) != 0) continue;
        *ret_index = i;
        return WEIR_OK;
    }
    return wrong(reading, key, wanted);
}

/* In microseconds. */
static int read_time(const struct reading *reading, const char *key, int64_t *ret_time) {
    const char *text = get(reading, key);
    int64_t milliseconds = 0;
    if (!text) return WEIR_OK;
    if (!wr_parse_duration(text, &milliseconds) || milliseconds < 0 ||
        milliseconds > INT64_MAX / 2000) {
        return wrong(reading, key, "a time, such as 500ms, 10s, 2min, 1h or 7d");
    }
    *ret_time = milliseconds * 1000;
    return WEIR_OK;
}

static int needs(const struct reading *reading, const char *what, const char *key) {
    if (get(reading, key)) return WEIR_OK;
    return wr_error_set(reading->error, WEIR_INVALID_ARGUMENT, "22023",
                        "%s: %s needs the option \"%s\"", reading->owner, what, key);
}

static int useless(const struct reading *reading, const char *key, const char *without) {
    if (!get(reading, key)) return WEIR_OK;
    return wr_error_set(reading->error, WEIR_INVALID_ARGUMENT, "22023",
                        "%s: option \"%s\" means nothing without %s", reading->owner, key, without);
}

/* ---- All of them ---- */

static int check_combination(const struct reading *reading, const struct wr_cache_policy *policy) {
    bool window = policy->mode == WR_CACHE_WINDOW;
    bool append = policy->refresh == WR_REFRESH_APPEND;
    if (window) WR_TRY(needs(reading, "mode window", "time_column"));
    if (window) WR_TRY(needs(reading, "mode window", "window"));
    if (append) WR_TRY(needs(reading, "refresh append", "time_column"));
    if (policy->refresh == WR_REFRESH_INTERVAL) {
        WR_TRY(needs(reading, "refresh interval", "interval"));
        if (policy->interval == 0) return wrong(reading, "interval", "a time of at least 1ms");
    } else {
        WR_TRY(useless(reading, "interval", "refresh interval"));
    }
    if (!window) WR_TRY(useless(reading, "window", "mode window"));
    if (!window && !append)
        WR_TRY(useless(reading, "time_column", "mode window or refresh append"));
    if (!policy->serves_stale) WR_TRY(useless(reading, "max_stale", "on_error stale"));
    if (policy->mode != WR_CACHE_FULL && append) {
        return wr_error_set(reading->error, WEIR_INVALID_ARGUMENT, "22023",
                            "%s: refresh append is for mode full", reading->owner);
    }
    if (policy->mode == WR_CACHE_QUERY && policy->refresh != WR_REFRESH_ON_DEMAND) {
        return wr_error_set(reading->error, WEIR_INVALID_ARGUMENT, "22023",
                            "%s: mode query keeps what was asked for: its refresh is on_demand",
                            reading->owner);
    }
    return WEIR_OK;
}

static int check_parameters(const struct reading *reading) {
    for (size_t i = 0; i < reading->n_options; i++) {
        const struct weir_option *option = &reading->options[i];
        if (strncmp(option->key, "param.", 6) != 0) continue;
        if (strcmp(option->key, "param." WR_CACHED_SWITCH) == 0 &&
            (strcmp(option->value, "off") == 0 || strcmp(option->value, "ready") == 0))
            continue;
        return wr_error_set(
            reading->error, WEIR_INVALID_ARGUMENT, "22023",
            "%s: \"%s => '%s'\" is no parameter of it; the only one is " WR_CACHED_SWITCH
            " => 'off' or 'ready'",
            reading->owner, option->key + 6, option->value);
    }
    return WEIR_OK;
}

int wr_cache_policy_read(const char *owner, const struct weir_option *options, size_t n_options,
                         struct wr_cache_policy *ret_policy, struct weir_error *error) {
    const struct reading reading = {owner, options, n_options, error};
    struct wr_cache_policy policy = {.max_stale = -1};
    int mode = 0;
    int refresh = 0;
    WR_TRY(check_parameters(&reading));
    WR_TRY(read_word(&reading, "mode", modes, "full, window or query", &mode));
    WR_TRY(read_word(&reading, "refresh", refreshes, "on_demand, interval or append", &refresh));
    WR_TRY(read_word(&reading, "on_error", failures, "fail or stale", &policy.serves_stale));
    WR_TRY(read_time(&reading, "max_age", &policy.max_age));
    WR_TRY(read_time(&reading, "window", &policy.window));
    WR_TRY(read_time(&reading, "interval", &policy.interval));
    WR_TRY(read_time(&reading, "max_stale", &policy.max_stale));
    WR_TRY(read_time(&reading, "timeout", &policy.timeout));
    const char *bytes = get(&reading, "max_bytes");
    if (bytes && (!wr_parse_bytes(bytes, &policy.max_bytes) || policy.max_bytes <= 0)) {
        return wrong(&reading, "max_bytes", "a number of bytes from 1 on, such as 512MiB or 2GB");
    }
    policy.mode = (enum wr_cache_mode)mode;
    policy.refresh = (enum wr_cache_refresh)refresh;
    policy.time_column = get(&reading, "time_column");
    WR_TRY(check_combination(&reading, &policy));
    *ret_policy = policy;
    return WEIR_OK;
}

int wr_cached_check(const char *owner, const struct weir_option *options, size_t n_options,
                    struct weir_error *error) {
    /* The source is each table of the mount. */
    struct wr_cache_policy policy;
    WR_TRY(wr_options_check(owner, wr_cached_options + 1, wr_cached_n_options - 3, options,
                            n_options, error));
    return wr_cache_policy_read(owner, options, n_options, &policy, error);
}

/* ---- The source ---- */

static bool ends_in_file(const char *source) {
    static const char *const extensions[] = {
        ".parquet", ".pq",     ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".avro", ".feather",
        ".ipc",     ".ndjson", ".sql", ".gz",  ".zst",  ".bz2",   ".xz",    NULL};
    size_t length = strlen(source);
    for (size_t i = 0; extensions[i]; i++) {
        size_t n = strlen(extensions[i]);
        if (length > n && strcmp(source + length - n, extensions[i]) == 0) return true;
    }
    return false;
}

/* Reads one part of a name and steps over it; false when there is none. */
static bool read_part(const char **at, struct wr_buffer *part) {
    const char *text = *at;
    if (*text == '"') {
        for (text++; *text && (*text != '"' || text[1] == '"'); text++) {
            if (*text == '"') text++;
            wr_buffer_char(part, *text);
        }
        if (*text != '"') return false;
        text++;
    } else {
        for (; *text && *text != '.'; text++) {
            bool plain = isalnum((unsigned char)*text) || *text == '_' || *text == '$' ||
                         (unsigned char)*text >= 0x80;
            if (!plain) return false;
            wr_buffer_char(part, (char)tolower((unsigned char)*text));
        }
    }
    *at = text;
    return part->length > 0;
}

/* The number of parts, 0 when it is no name, -1 without memory. */
static int add_name(const char *source, struct wr_buffer *sql) {
    struct wr_buffer part;
    wr_buffer_init(&part, strlen(source) + 1);
    bool good = true;
    int n_parts = 0;
    while (good) {
        good = ++n_parts <= 3 && read_part(&source, &part);
        if (part.failed) break;
        if (good) wr_buffer_identifier(sql, part.data);
        wr_buffer_clear(&part);
        if (!good || *source != '.') break;
        wr_buffer_char(sql, '.');
        source++;
    }
    bool failed = part.failed;
    wr_buffer_reset(&part);
    if (failed) return -1;
    return good && *source == '\0' ? n_parts : 0;
}

static int not_a_source(const char *owner, const char *source, struct weir_error *error) {
    return wr_error_set(error, WEIR_INVALID_ARGUMENT, "42602",
                        "%s: the source '%s' is neither a table's name (catalog.schema.table) nor "
                        "a path",
                        owner, source);
}

int wr_cached_source_sql(const char *owner, const char *source, const char *catalog,
                         const char *schema, char **ret_sql, struct weir_error *error) {
    struct wr_buffer sql;
    struct wr_buffer name;
    wr_buffer_init(&sql, 64 << 10);
    wr_buffer_init(&name, 64 << 10);
    bool path = source[0] != '"' && (strpbrk(source, "/*?[") || ends_in_file(source));
    int n_parts = path ? 3 : add_name(source, &name);
    if (n_parts <= 0) {
        wr_buffer_reset(&name);
        return n_parts < 0 ? wr_error_memory(error) : not_a_source(owner, source, error);
    }
    if (n_parts < 3) {
        wr_buffer_identifier(&sql, catalog);
        wr_buffer_char(&sql, '.');
    }
    if (n_parts < 2) {
        wr_buffer_identifier(&sql, schema);
        wr_buffer_char(&sql, '.');
    }
    if (path)
        wr_buffer_identifier(&sql, source);
    else
        wr_buffer_text(&sql, name.failed ? "" : name.data);
    bool failed = name.failed;
    wr_buffer_reset(&name);
    char *text = wr_buffer_take(&sql);
    if (!text || failed) {
        wr_free(text);
        return wr_error_memory(error);
    }
    *ret_sql = text;
    return WEIR_OK;
}
