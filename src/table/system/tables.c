/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system table with its columns: the list that a new one is added to.
 * docs/internals/system.md says what the columns mean, and a test holds it to this list.
 */
#include "table/system/tables.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

#define TEXT WR_COLUMN_TEXT
#define INTEGER WR_COLUMN_INTEGER
#define BOOLEAN WR_COLUMN_BOOLEAN
#define TIMESTAMP WR_COLUMN_TIMESTAMP
#define REQUIRED true
#define OPTIONAL false

/* ---- Names ---- */

static const struct wr_column mounts[] = {
    {"name", TEXT, REQUIRED},
    {"kind", TEXT, REQUIRED},
    {"url", TEXT, OPTIONAL},
    {"origin", TEXT, REQUIRED},
};

static const struct wr_column namespaces[] = {
    {"catalog", TEXT, REQUIRED},
    {"namespace", TEXT, REQUIRED},
    {"is_default", BOOLEAN, REQUIRED},
};

static const struct wr_column tables[] = {
    {"catalog", TEXT, REQUIRED}, {"namespace", TEXT, REQUIRED}, {"name", TEXT, REQUIRED},
    {"kind", TEXT, REQUIRED},    {"type", TEXT, REQUIRED},      {"is_temporary", BOOLEAN, REQUIRED},
    {"path", TEXT, REQUIRED},
};

/* The engine counts positions from 0. */
#define COLUMNS_QUERY                                                                              \
    "SELECT table_catalog AS catalog, table_schema AS namespace, table_name, column_name, "        \
    "CAST(ordinal_position AS BIGINT) + 1 AS ordinal_position, data_type, "                        \
    "is_nullable = 'YES' AS is_nullable FROM information_schema.columns"

static const struct wr_column constraints[] = {
    {"catalog", TEXT, REQUIRED},
    {"namespace", TEXT, REQUIRED},
    {"table_name", TEXT, REQUIRED},
    {"constraint_name", TEXT, REQUIRED},
    {"constraint_type", TEXT, REQUIRED},
    {"column_name", TEXT, REQUIRED},
    {"ordinal_position", INTEGER, REQUIRED},
};

#define VIEWS_QUERY                                                                                \
    "SELECT table_catalog AS catalog, table_schema AS namespace, table_name AS name, definition "  \
    "FROM information_schema.views WHERE definition IS NOT NULL"

static const struct wr_column storage_locations[] = {
    {"name", TEXT, REQUIRED},    {"url", TEXT, REQUIRED},    {"scheme", TEXT, REQUIRED},
    {"options", TEXT, OPTIONAL}, {"origin", TEXT, REQUIRED},
};

/* Of the names of their options only. */
static const struct wr_column secrets[] = {
    {"name", TEXT, REQUIRED},
    {"type", TEXT, REQUIRED},
    {"scope", TEXT, OPTIONAL},
    {"options", TEXT, REQUIRED},
};

/* ---- The workspace ---- */

static const struct wr_column settings[] = {
    {"name", TEXT, REQUIRED},
    {"value", TEXT, OPTIONAL},
    {"origin", TEXT, REQUIRED},
    {"description", TEXT, OPTIONAL},
};

/* Those of the session that asks. */
#define SETTINGS_QUERY                                                                             \
    "SELECT name, value, 'engine' AS origin, description FROM information_schema.df_settings"

static const struct wr_column metrics[] = {
    {"name", TEXT, REQUIRED},
    {"value", INTEGER, REQUIRED},
    {"help", TEXT, OPTIONAL},
    {"store", TEXT, OPTIONAL},
};

static const struct wr_column caches[] = {
    {"catalog", TEXT, REQUIRED},        {"namespace", TEXT, REQUIRED},
    {"name", TEXT, REQUIRED},           {"source", TEXT, REQUIRED},
    {"mode", TEXT, REQUIRED},           {"hits", INTEGER, REQUIRED},
    {"misses", INTEGER, REQUIRED},      {"refreshes", INTEGER, REQUIRED},
    {"rows", INTEGER, OPTIONAL},        {"bytes", INTEGER, OPTIONAL},
    {"age", INTEGER, OPTIONAL},         {"fetched_at", TIMESTAMP, OPTIONAL},
    {"coverage_start", TEXT, OPTIONAL}, {"coverage_end", TEXT, OPTIONAL},
    {"state", TEXT, REQUIRED},          {"last_error", TEXT, OPTIONAL},
};

static const struct wr_column extensions[] = {
    {"name", TEXT, REQUIRED},    {"type", TEXT, REQUIRED},      {"summary", TEXT, OPTIONAL},
    {"origin", TEXT, REQUIRED},  {"extension", TEXT, OPTIONAL}, {"version", TEXT, OPTIONAL},
    {"library", TEXT, OPTIONAL},
};

static const struct wr_column users[] = {
    {"name", TEXT, REQUIRED},
    {"roles", TEXT, OPTIONAL},
    {"created_at", TIMESTAMP, REQUIRED},
    {"is_enabled", BOOLEAN, REQUIRED},
};

static const struct wr_column grants[] = {
    {"grantee", TEXT, REQUIRED}, {"catalog", TEXT, OPTIONAL},   {"namespace", TEXT, OPTIONAL},
    {"name", TEXT, OPTIONAL},    {"privilege", TEXT, REQUIRED},
};

/* ---- What runs ---- */

static const struct wr_column sessions[] = {
    {"session_id", TEXT, REQUIRED},     {"user_name", TEXT, OPTIONAL},
    {"door", TEXT, REQUIRED},           {"peer", TEXT, OPTIONAL},
    {"opened_at", TIMESTAMP, REQUIRED}, {"last_used_at", TIMESTAMP, REQUIRED},
    {"catalog", TEXT, REQUIRED},        {"namespace", TEXT, REQUIRED},
    {"statements", INTEGER, REQUIRED},
};

static const struct wr_column queries[] = {
    {"query_id", TEXT, REQUIRED},
    {"session_id", TEXT, REQUIRED},
    {"user_name", TEXT, OPTIONAL},
    {"door", TEXT, REQUIRED},
    {"state", TEXT, REQUIRED},
    {"sql", TEXT, REQUIRED},
    {"started_at", TIMESTAMP, REQUIRED},
    {"finished_at", TIMESTAMP, OPTIONAL},
    {"rows_returned", INTEGER, OPTIONAL},
    {"bytes_read", INTEGER, OPTIONAL},
    {"peak_memory", INTEGER, OPTIONAL},
    {"error_sqlstate", TEXT, OPTIONAL},
    {"error_message", TEXT, OPTIONAL},
    {"store_gets", INTEGER, OPTIONAL},
    {"store_heads", INTEGER, OPTIONAL},
    {"store_lists", INTEGER, OPTIONAL},
    {"store_puts", INTEGER, OPTIONAL},
    {"store_posts", INTEGER, OPTIONAL},
    {"store_deletes", INTEGER, OPTIONAL},
    {"store_retries", INTEGER, OPTIONAL},
    {"store_bytes_received", INTEGER, OPTIONAL},
    {"store_bytes_sent", INTEGER, OPTIONAL},
    {"cache_hits", INTEGER, OPTIONAL},
};

static const struct wr_column live_queries[] = {
    {"query_id", TEXT, REQUIRED},
    {"session_id", TEXT, REQUIRED},
    {"sql", TEXT, REQUIRED},
    {"state", TEXT, REQUIRED},
    {"started_at", TIMESTAMP, REQUIRED},
    {"rows_sent", INTEGER, REQUIRED},
};

static const struct wr_column jobs[] = {
    {"job_id", TEXT, REQUIRED},          {"kind", TEXT, REQUIRED},
    {"table_name", TEXT, OPTIONAL},      {"state", TEXT, REQUIRED},
    {"started_at", TIMESTAMP, OPTIONAL}, {"finished_at", TIMESTAMP, OPTIONAL},
    {"rows", INTEGER, OPTIONAL},         {"error_message", TEXT, OPTIONAL},
};

/* ---- The list ---- */

const struct wr_system_table wr_system_tables[] = {
    {"caches", caches, N_OF(caches), NULL},
    {"columns", NULL, 0, COLUMNS_QUERY},
    {"constraints", constraints, N_OF(constraints), NULL},
    {"extensions", extensions, N_OF(extensions), NULL},
    {"grants", grants, N_OF(grants), NULL},
    {"jobs", jobs, N_OF(jobs), NULL},
    {"live_queries", live_queries, N_OF(live_queries), NULL},
    {"metrics", metrics, N_OF(metrics), NULL},
    {"mounts", mounts, N_OF(mounts), NULL},
    {"namespaces", namespaces, N_OF(namespaces), NULL},
    {"queries", queries, N_OF(queries), NULL},
    {"secrets", secrets, N_OF(secrets), NULL},
    {"sessions", sessions, N_OF(sessions), NULL},
    {"settings", settings, N_OF(settings), SETTINGS_QUERY},
    {"storage_locations", storage_locations, N_OF(storage_locations), NULL},
    {"tables", tables, N_OF(tables), NULL},
    {"users", users, N_OF(users), NULL},
    {"views", NULL, 0, VIEWS_QUERY},
};

const size_t wr_system_n_tables = N_OF(wr_system_tables);

const struct wr_system_table *wr_system_table(const char *name) {
    for (size_t i = 0; i < N_OF(wr_system_tables); i++) {
        if (strcmp(wr_system_tables[i].name, name) == 0) return &wr_system_tables[i];
    }
    return NULL;
}

int wr_system_unknown_table(const char *name, struct weir_error *error) {
    const char *names[N_OF(wr_system_tables)];
    for (size_t i = 0; i < N_OF(names); i++)
        names[i] = wr_system_tables[i].name;
    const char *nearest = wr_nearest(name, names, N_OF(names));
    int code = wr_error_set(
        error, WEIR_NOT_FOUND, "42P01",
        "there is no table \"%s\" in the catalog \"" WR_SYSTEM_CATALOG "\"%s%s%s"
        "; its tables are ",
        name, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    for (size_t i = 0; i < N_OF(names); i++)
        wr_error_append(error, "%s%s", i > 0 ? ", " : "", names[i]);
    return code;
}
