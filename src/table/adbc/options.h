/* SPDX-License-Identifier: Apache-2.0 */
/* What a mount or table says of its database: the initializers of a list of options. */
#ifndef WR_ADBC_OPTIONS_H
#define WR_ADBC_OPTIONS_H

#include "weir_extension.h"

/* clang-format off */
#define WR_ADBC_DATABASE_OPTIONS \
    {"url", WEIR_OPTION_TEXT, 0, \
     "where the database is: postgresql://host/name, sqlite:file.db, duckdb:file.duckdb, " \
     "profile://name; :memory: or nothing for one in memory"}, \
    {"driver", WEIR_OPTION_TEXT, 0, \
     "the ADBC driver: a name, a manifest (x.toml) or a library; when absent, what the URL says"}, \
    {"entrypoint", WEIR_OPTION_TEXT, 0, "the function of the library that starts the driver"}, \
    {"catalog", WEIR_OPTION_TEXT, 0, \
     "which of the database's catalogs; its current one when absent"}, \
    {"username", WEIR_OPTION_TEXT, 0, "who connects, when the URL does not say"}, \
    {"password", WEIR_OPTION_TEXT, 0, "never shown; better in the environment or a profile"}, \
    {"create", WEIR_OPTION_BOOLEAN, 0, "make a database's file that is not there (false)"}, \
    {"adbc.", WEIR_OPTION_PREFIX, 0, \
     "options of the driver's database, handed over as they are"}, \
    {"pool.min", WEIR_OPTION_INTEGER, 0, "connections that are kept open when idle (0)"}, \
    {"pool.max", WEIR_OPTION_INTEGER, 0, "most connections at a time (8)"}, \
    {"pool.wait", WEIR_OPTION_TEXT, 0, \
     "how long to wait for a free connection while nothing moves (30s)"}, \
    {"pool.idle_timeout", WEIR_OPTION_TEXT, 0, "an idle connection is closed after (5min)"}, \
    {"pool.lifetime", WEIR_OPTION_TEXT, 0, "a connection is not used again after (1h)"}, \
    {"pool.health_check", WEIR_OPTION_TEXT, 0, \
     "a connection that was idle for longer is tried before it is used (30s)"}, \
    {"connect_timeout", WEIR_OPTION_TEXT, 0, "how long connecting may take (4s)"}, \
    {"statement_timeout", WEIR_OPTION_TEXT, 0, \
     "how long a statement may run (0, without end)"}

/* Those that a mount and its tables have besides. */
#define WR_ADBC_MORE_OPTIONS \
    {"name", WEIR_OPTION_TEXT, 0, \
     "how messages call the database; by default as the mount or the table"}, \
    {"uri", WEIR_OPTION_TEXT, 0, "another word for url"}, \
    {"metadata_ttl", WEIR_OPTION_TEXT, 0, \
     "how long names and columns are remembered (30s); REFRESH forgets them at once"}
/* clang-format on */

#endif
