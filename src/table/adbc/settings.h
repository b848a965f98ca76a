/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the options of a mount or table say of its database: the driver, what it is told, and how
 * weir handles its connections. A profile's options are under those that were given.
 */
#ifndef WR_ADBC_SETTINGS_H
#define WR_ADBC_SETTINGS_H

#include "base/options.h"

struct wr_adbc_settings {
    char *driver; /* a name, a manifest or a library */
    char *entrypoint;
    char *url;                 /* as it was given; NULL: none */
    struct wr_options options; /* for the driver's database */
    bool create;
    int64_t pool_min, pool_max;
    /* Milliseconds; 0: never. */
    int64_t idle_timeout, lifetime, health_check, connect_timeout, statement_timeout, pool_wait;
};

/* The driver is not looked for yet. Messages hold no value. */
int wr_adbc_settings_read(const struct weir_option *options, size_t n_options,
                          struct wr_adbc_settings *ret_settings, struct weir_error *error);
void wr_adbc_settings_reset(struct wr_adbc_settings *settings);

/* Drivers whose ways are known, by their library's name or by what they call their database. */
enum wr_adbc_family {
    WR_ADBC_OTHER = 0,
    WR_ADBC_POSTGRESQL,
    WR_ADBC_SQLITE,
    WR_ADBC_DUCKDB,
    WR_ADBC_WEIR,
    WR_ADBC_MYSQL, /* MariaDB, too */
};
enum wr_adbc_family wr_adbc_family_of(const char *driver, const char *library);

/*
 * Fits url, username and password to what the driver takes: a libpq URI for PostgreSQL, `path` for
 * DuckDB, a shared name for SQLite in memory, a connection string for a driver of ODBC. `serial`
 * tells databases in memory apart.
 * WEIR_NOT_FOUND for a file that is not there, without `create`.
 */
int wr_adbc_settings_fit(struct wr_adbc_settings *settings, enum wr_adbc_family family, int serial,
                         const char *library, struct weir_error *error);

/* The driver that an URL is for, "postgresql" of postgres://; NULL: it does not tell. Free it. */
int wr_adbc_url_driver(const char *url, char **ret_driver, struct weir_error *error);

/* What a profile says, as options ("driver", "uri", ...). `name` is one, or a path that ends in
 * .toml. */
int wr_adbc_profile_read(const char *name, struct wr_options *ret_options,
                         struct weir_error *error);

#endif
