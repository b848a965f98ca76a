/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary interface of ADBC drivers, API revision 1.1.0
 * (https://arrow.apache.org/adbc/current/format/specification.html): structures, the order of a
 * driver's functions, and the texts of the options that weir uses. A driver of revision 1.0.0
 * fills the functions before ErrorGetDetailCount only, and an AdbcError before its private_data.
 *
 * Every function gives one of the codes of weir.h (WEIR_OK, WEIR_NOT_IMPLEMENTED, ...), which are
 * ADBC's.
 */
#ifndef WR_ADBC_ABI_H
#define WR_ADBC_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "weir.h"

enum { WR_ADBC_VERSION_1_0_0 = 1000000, WR_ADBC_VERSION_1_1_0 = 1001000 };

/* The vendor_code of an AdbcError whose last two members may be used. */
#define WR_ADBC_ERROR_IS_1_1 INT32_MIN

struct AdbcDriver;

struct AdbcError {
    char *message;
    int32_t vendor_code;
    char sqlstate[5]; /* no NUL; all zero when there is none */
    void (*release)(struct AdbcError *error);
    void *private_data;                /* since 1.1.0 */
    struct AdbcDriver *private_driver; /* since 1.1.0 */
};

struct AdbcErrorDetail {
    const char *key;
    const uint8_t *value;
    size_t value_length;
};

struct AdbcDatabase {
    void *private_data; /* NULL: there is none */
    struct AdbcDriver *private_driver;
};

struct AdbcConnection {
    void *private_data;
    struct AdbcDriver *private_driver;
};

struct AdbcStatement {
    void *private_data;
    struct AdbcDriver *private_driver;
};

struct AdbcPartitions {
    size_t num_partitions;
    const uint8_t **partitions;
    const size_t *partition_lengths;
    void *private_data;
    void (*release)(struct AdbcPartitions *partitions);
};

typedef uint8_t AdbcStatusCode;

/* The order of the members is the interface. */
struct AdbcDriver {
    void *private_data;
    void *private_manager;
    AdbcStatusCode (*release)(struct AdbcDriver *driver, struct AdbcError *error);

    AdbcStatusCode (*DatabaseInit)(struct AdbcDatabase *, struct AdbcError *);
    AdbcStatusCode (*DatabaseNew)(struct AdbcDatabase *, struct AdbcError *);
    AdbcStatusCode (*DatabaseSetOption)(struct AdbcDatabase *, const char *key, const char *value,
                                        struct AdbcError *);
    AdbcStatusCode (*DatabaseRelease)(struct AdbcDatabase *, struct AdbcError *);

    AdbcStatusCode (*ConnectionCommit)(struct AdbcConnection *, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetInfo)(struct AdbcConnection *, const uint32_t *codes,
                                        size_t n_codes, struct ArrowArrayStream *,
                                        struct AdbcError *);
    AdbcStatusCode (*ConnectionGetObjects)(struct AdbcConnection *, int depth, const char *catalog,
                                           const char *schema, const char *table,
                                           const char **table_types, const char *column,
                                           struct ArrowArrayStream *, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetTableSchema)(struct AdbcConnection *, const char *catalog,
                                               const char *schema, const char *table,
                                               struct ArrowSchema *, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetTableTypes)(struct AdbcConnection *, struct ArrowArrayStream *,
                                              struct AdbcError *);
    AdbcStatusCode (*ConnectionInit)(struct AdbcConnection *, struct AdbcDatabase *,
                                     struct AdbcError *);
    AdbcStatusCode (*ConnectionNew)(struct AdbcConnection *, struct AdbcError *);
    AdbcStatusCode (*ConnectionSetOption)(struct AdbcConnection *, const char *key,
                                          const char *value, struct AdbcError *);
    AdbcStatusCode (*ConnectionReadPartition)(struct AdbcConnection *, const uint8_t *partition,
                                              size_t length, struct ArrowArrayStream *,
                                              struct AdbcError *);
    AdbcStatusCode (*ConnectionRelease)(struct AdbcConnection *, struct AdbcError *);
    AdbcStatusCode (*ConnectionRollback)(struct AdbcConnection *, struct AdbcError *);

    AdbcStatusCode (*StatementBind)(struct AdbcStatement *, struct ArrowArray *,
                                    struct ArrowSchema *, struct AdbcError *);
    AdbcStatusCode (*StatementBindStream)(struct AdbcStatement *, struct ArrowArrayStream *,
                                          struct AdbcError *);
    AdbcStatusCode (*StatementExecuteQuery)(struct AdbcStatement *, struct ArrowArrayStream *,
                                            int64_t *n_rows, struct AdbcError *);
    AdbcStatusCode (*StatementExecutePartitions)(struct AdbcStatement *, struct ArrowSchema *,
                                                 struct AdbcPartitions *, int64_t *n_rows,
                                                 struct AdbcError *);
    AdbcStatusCode (*StatementGetParameterSchema)(struct AdbcStatement *, struct ArrowSchema *,
                                                  struct AdbcError *);
    AdbcStatusCode (*StatementNew)(struct AdbcConnection *, struct AdbcStatement *,
                                   struct AdbcError *);
    AdbcStatusCode (*StatementPrepare)(struct AdbcStatement *, struct AdbcError *);
    AdbcStatusCode (*StatementRelease)(struct AdbcStatement *, struct AdbcError *);
    AdbcStatusCode (*StatementSetOption)(struct AdbcStatement *, const char *key, const char *value,
                                         struct AdbcError *);
    AdbcStatusCode (*StatementSetSqlQuery)(struct AdbcStatement *, const char *sql,
                                           struct AdbcError *);
    AdbcStatusCode (*StatementSetSubstraitPlan)(struct AdbcStatement *, const uint8_t *plan,
                                                size_t length, struct AdbcError *);

    /* Since 1.1.0. */
    int (*ErrorGetDetailCount)(const struct AdbcError *);
    struct AdbcErrorDetail (*ErrorGetDetail)(const struct AdbcError *, int index);
    const struct AdbcError *(*ErrorFromArrayStream)(struct ArrowArrayStream *, AdbcStatusCode *);

    AdbcStatusCode (*DatabaseGetOption)(struct AdbcDatabase *, const char *key, char *value,
                                        size_t *length, struct AdbcError *);
    AdbcStatusCode (*DatabaseGetOptionBytes)(struct AdbcDatabase *, const char *key, uint8_t *value,
                                             size_t *length, struct AdbcError *);
    AdbcStatusCode (*DatabaseGetOptionDouble)(struct AdbcDatabase *, const char *key, double *value,
                                              struct AdbcError *);
    AdbcStatusCode (*DatabaseGetOptionInt)(struct AdbcDatabase *, const char *key, int64_t *value,
                                           struct AdbcError *);
    AdbcStatusCode (*DatabaseSetOptionBytes)(struct AdbcDatabase *, const char *key,
                                             const uint8_t *value, size_t length,
                                             struct AdbcError *);
    AdbcStatusCode (*DatabaseSetOptionDouble)(struct AdbcDatabase *, const char *key, double value,
                                              struct AdbcError *);
    AdbcStatusCode (*DatabaseSetOptionInt)(struct AdbcDatabase *, const char *key, int64_t value,
                                           struct AdbcError *);

    AdbcStatusCode (*ConnectionCancel)(struct AdbcConnection *, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetOption)(struct AdbcConnection *, const char *key, char *value,
                                          size_t *length, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetOptionBytes)(struct AdbcConnection *, const char *key,
                                               uint8_t *value, size_t *length, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetOptionDouble)(struct AdbcConnection *, const char *key,
                                                double *value, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetOptionInt)(struct AdbcConnection *, const char *key,
                                             int64_t *value, struct AdbcError *);
    AdbcStatusCode (*ConnectionGetStatistics)(struct AdbcConnection *, const char *catalog,
                                              const char *schema, const char *table,
                                              char approximate, struct ArrowArrayStream *,
                                              struct AdbcError *);
    AdbcStatusCode (*ConnectionGetStatisticNames)(struct AdbcConnection *,
                                                  struct ArrowArrayStream *, struct AdbcError *);
    AdbcStatusCode (*ConnectionSetOptionBytes)(struct AdbcConnection *, const char *key,
                                               const uint8_t *value, size_t length,
                                               struct AdbcError *);
    AdbcStatusCode (*ConnectionSetOptionDouble)(struct AdbcConnection *, const char *key,
                                                double value, struct AdbcError *);
    AdbcStatusCode (*ConnectionSetOptionInt)(struct AdbcConnection *, const char *key,
                                             int64_t value, struct AdbcError *);

    AdbcStatusCode (*StatementCancel)(struct AdbcStatement *, struct AdbcError *);
    AdbcStatusCode (*StatementExecuteSchema)(struct AdbcStatement *, struct ArrowSchema *,
                                             struct AdbcError *);
    AdbcStatusCode (*StatementGetOption)(struct AdbcStatement *, const char *key, char *value,
                                         size_t *length, struct AdbcError *);
    AdbcStatusCode (*StatementGetOptionBytes)(struct AdbcStatement *, const char *key,
                                              uint8_t *value, size_t *length, struct AdbcError *);
    AdbcStatusCode (*StatementGetOptionDouble)(struct AdbcStatement *, const char *key,
                                               double *value, struct AdbcError *);
    AdbcStatusCode (*StatementGetOptionInt)(struct AdbcStatement *, const char *key, int64_t *value,
                                            struct AdbcError *);
    AdbcStatusCode (*StatementSetOptionBytes)(struct AdbcStatement *, const char *key,
                                              const uint8_t *value, size_t length,
                                              struct AdbcError *);
    AdbcStatusCode (*StatementSetOptionDouble)(struct AdbcStatement *, const char *key,
                                               double value, struct AdbcError *);
    AdbcStatusCode (*StatementSetOptionInt)(struct AdbcStatement *, const char *key, int64_t value,
                                            struct AdbcError *);
};

/* A driver's entry point: fills the functions of a struct AdbcDriver of that version, else
 * WEIR_NOT_IMPLEMENTED. */
typedef AdbcStatusCode (*AdbcDriverInitFunc)(int version, void *driver, struct AdbcError *error);

#define WR_ADBC_URI "uri"
#define WR_ADBC_USERNAME "username"
#define WR_ADBC_PASSWORD "password"
#define WR_ADBC_AUTOCOMMIT "adbc.connection.autocommit"
#define WR_ADBC_READ_ONLY "adbc.connection.readonly"
#define WR_ADBC_CURRENT_CATALOG "adbc.connection.catalog"
#define WR_ADBC_CURRENT_SCHEMA "adbc.connection.db_schema"
#define WR_ADBC_ISOLATION_LEVEL "adbc.connection.transaction.isolation_level"
#define WR_ADBC_ISOLATION_DEFAULT "adbc.connection.transaction.isolation.default"
#define WR_ADBC_INCREMENTAL "adbc.statement.exec.incremental"
#define WR_ADBC_BIND_BY_NAME "adbc.statement.bind_by_name"
#define WR_ADBC_PROGRESS "adbc.statement.exec.progress"
#define WR_ADBC_MAX_PROGRESS "adbc.statement.exec.max_progress"
#define WR_ADBC_INGEST_TABLE "adbc.ingest.target_table"
#define WR_ADBC_INGEST_CATALOG "adbc.ingest.target_catalog"
#define WR_ADBC_INGEST_SCHEMA "adbc.ingest.target_db_schema"
#define WR_ADBC_INGEST_MODE "adbc.ingest.mode"
#define WR_ADBC_INGEST_MODE_CREATE "adbc.ingest.mode.create"
#define WR_ADBC_INGEST_MODE_APPEND "adbc.ingest.mode.append"
#define WR_ADBC_INGEST_MODE_REPLACE "adbc.ingest.mode.replace"
#define WR_ADBC_INGEST_MODE_CREATE_APPEND "adbc.ingest.mode.create_append"
#define WR_ADBC_INGEST_TEMPORARY "adbc.ingest.temporary"

enum {
    WR_ADBC_INFO_VENDOR_NAME = 0,
    WR_ADBC_INFO_VENDOR_VERSION = 1,
    WR_ADBC_INFO_VENDOR_SQL = 3,
    WR_ADBC_INFO_VENDOR_SUBSTRAIT = 4,
    WR_ADBC_INFO_DRIVER_NAME = 100,
    WR_ADBC_INFO_DRIVER_VERSION = 101,
    WR_ADBC_INFO_DRIVER_ARROW_VERSION = 102,
    WR_ADBC_INFO_DRIVER_ADBC_VERSION = 103
};
enum {
    WR_ADBC_OBJECT_DEPTH_ALL = 0,
    WR_ADBC_OBJECT_DEPTH_CATALOGS = 1,
    WR_ADBC_OBJECT_DEPTH_SCHEMAS = 2,
    WR_ADBC_OBJECT_DEPTH_TABLES = 3
};
enum { WR_ADBC_STATISTIC_NULL_COUNT = 5, WR_ADBC_STATISTIC_ROW_COUNT = 6 };

#endif
