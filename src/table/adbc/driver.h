/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers: where they are (manifest.c, places.c) and the functions they have (driver.c).
 *
 * 1. A driver's name is looked for as a manifest, NAME.toml, in the places of the ADBC
 *    specification ("ADBC Driver Manager and Manifests"): ADBC_DRIVER_PATH, $VIRTUAL_ENV and
 *    $CONDA_PREFIX under etc/adbc/drivers, the user's adbc/drivers, /etc/adbc/drivers; then by the
 *    system's linker as libadbc_driver_NAME.so.
 * 2. A library stays loaded for the life of the process: drivers have threads and exit handlers.
 * 3. Only the functions without which nothing can be read are known to be there. The others are
 *    called by WR_ADBC_CALL.
 */
#ifndef WR_ADBC_DRIVER_H
#define WR_ADBC_DRIVER_H

#include "base/buffer.h"
#include "arrow/adbc_abi.h"

struct wr_adbc_driver {
    struct AdbcDriver functions;
    int version; /* WR_ADBC_VERSION_1_1_0 or WR_ADBC_VERSION_1_0_0 */
    char *library;
    char *entrypoint;
    struct wr_adbc_driver *next;
};

/* WEIR_NOT_IMPLEMENTED where the driver does not have the function. */
#define WR_ADBC_CALL(driver, function, ...)                                                        \
    ((driver)->functions.function ? (driver)->functions.function(__VA_ARGS__)                      \
                                  : (AdbcStatusCode)WEIR_NOT_IMPLEMENTED)

/* What a driver's name stands for. `entrypoint` NULL: the usual one. Free both with wr_free. */
struct wr_adbc_location {
    char *library;
    char *entrypoint;
};

/* `name` is a driver's name, a manifest (x.toml) or a library. WEIR_NOT_FOUND lists all places. */
int wr_adbc_driver_find(const char *name, struct wr_adbc_location *ret_location,
                        struct weir_error *error);
int wr_adbc_manifest_read(const char *path, struct wr_adbc_location *ret_location,
                          struct weir_error *error);
void wr_adbc_location_reset(struct wr_adbc_location *location);

/*
 * Loads a library, once for the process, and has it fill its functions. Entry points are tried in
 * this order: `entrypoint` alone when it is given; the one made of the library's name; and
 * AdbcDriverInit.
 */
int wr_adbc_driver_load(const char *library, const char *entrypoint,
                        struct wr_adbc_driver **ret_driver, struct weir_error *error);
/* "AdbcDriverSqliteInit" of "/x/libadbc_driver_sqlite.so.2", as the specification makes it. */
void wr_adbc_entrypoint_name(const char *library, struct wr_buffer *ret_name);

/*
 * Looks for a file in the places for `leaf` ("drivers", "profiles"), those of the environment
 * variable first. *ret_path is NULL when there is none; `looked` gets a line for each place.
 */
int wr_adbc_search(const char *variable, const char *leaf, const char *file, char **ret_path,
                   struct wr_buffer *looked, struct weir_error *error);

#endif
