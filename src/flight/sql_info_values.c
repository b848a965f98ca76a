/* SPDX-License-Identifier: Apache-2.0 */
#include "flight/sql_info.h"

#include "weir.h"

#define VERSION_TEXT_(a, b, c) #a "." #b "." #c
#define VERSION_TEXT(a, b, c) VERSION_TEXT_(a, b, c)

/* The words that the parser reserves beyond those of SQL:2003, as JDBC wants them. */
static const char *const keywords[] = {
    "ANTI",       "ASOF",         "ATTACH",     "CLUSTER", "COPY",     "DATABASE", "DETACH",
    "DISTRIBUTE", "EXPLAIN",      "FETCH",      "FORMAT",  "ILIKE",    "KILL",     "LATERAL",
    "LIMIT",      "MATERIALIZED", "NAMESPACES", "OFFSET",  "PIVOT",    "QUALIFY",  "REFRESH",
    "REGEXP",     "REPLACE",      "RLIKE",      "SEMI",    "SETTINGS", "SHOW",     "SORT",
    "STORED",     "TOP",          "UNPIVOT",    "USE",     "USING",    "VIEW",     NULL};

static const char *const numeric[] = {
    "abs",    "acos",  "acosh", "asin",   "asinh", "atan",    "atan2",  "atanh",
    "cbrt",   "ceil",  "cos",   "cosh",   "cot",   "degrees", "exp",    "factorial",
    "floor",  "gcd",   "isnan", "iszero", "lcm",   "ln",      "log",    "log10",
    "log2",   "nanvl", "pi",    "pow",    "power", "radians", "random", "round",
    "signum", "sin",   "sinh",  "sqrt",   "tan",   "tanh",    "trunc",  NULL};

static const char *const text[] = {"ascii",
                                   "bit_length",
                                   "btrim",
                                   "char_length",
                                   "chr",
                                   "concat",
                                   "concat_ws",
                                   "contains",
                                   "ends_with",
                                   "find_in_set",
                                   "initcap",
                                   "left",
                                   "length",
                                   "levenshtein",
                                   "lower",
                                   "lpad",
                                   "ltrim",
                                   "octet_length",
                                   "overlay",
                                   "position",
                                   "regexp_count",
                                   "regexp_like",
                                   "regexp_match",
                                   "regexp_replace",
                                   "repeat",
                                   "replace",
                                   "reverse",
                                   "right",
                                   "rpad",
                                   "rtrim",
                                   "split_part",
                                   "starts_with",
                                   "strpos",
                                   "substr",
                                   "substr_index",
                                   "to_hex",
                                   "translate",
                                   "trim",
                                   "upper",
                                   "uuid",
                                   NULL};

static const char *const systems[] = {"arrow_cast", "arrow_typeof", "coalesce", "greatest",
                                      "ifnull",     "least",        "nullif",   "nvl",
                                      "nvl2",       "version",      NULL};

static const char *const datetime[] = {"current_date",
                                       "current_time",
                                       "current_timestamp",
                                       "date_bin",
                                       "date_part",
                                       "date_trunc",
                                       "extract",
                                       "from_unixtime",
                                       "make_date",
                                       "now",
                                       "to_char",
                                       "to_date",
                                       "to_local_time",
                                       "to_timestamp",
                                       "to_timestamp_micros",
                                       "to_timestamp_millis",
                                       "to_timestamp_nanos",
                                       "to_timestamp_seconds",
                                       "to_unixtime",
                                       "today",
                                       NULL};

#define TEXT(code, value) {code, WR_INFO_TEXT, 0, value, NULL}
#define BOOL(code, value) {code, WR_INFO_BOOL, value, NULL, NULL}
#define INT64(code, value) {code, WR_INFO_INT64, value, NULL, NULL}
#define INT32(code, value) {code, WR_INFO_INT32, value, NULL, NULL}
#define TEXTS(code, value) {code, WR_INFO_TEXTS, 0, NULL, value}

/* Bits of a mask by the enumerations of FlightSql.proto. */
#define BIT(value) (1 << (value))

/* For lengths and counts, 0 is "without a bound that is known". */
const struct wr_sql_info wr_sql_info[] = {
    TEXT(0, "weir"),
    TEXT(1, VERSION_TEXT(WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH)),
    TEXT(2, "1.5"), /* of the columnar format */
    BOOL(3, 0),     /* read-only */
    BOOL(4, 1),     /* SQL */
    BOOL(5, 0),     /* Substrait */
    TEXT(6, NULL),
    TEXT(7, NULL),
    INT32(8, 0),                /* transactions: none */
    BOOL(9, 1),                 /* CancelQuery */
    BOOL(10, 1),                /* ingest */
    BOOL(11, 0),                /* in transactions */
    INT32(100, 60 * 60 * 1000), /* WR_FLIGHT_PREPARED_MS */
    INT32(101, 0),

    BOOL(500, 0),  /* CREATE and DROP of catalogs; ATTACH is another thing */
    BOOL(501, 1),  /* of schemas */
    BOOL(502, 1),  /* of tables */
    INT32(503, 3), /* identifiers: to lower case */
    TEXT(504, "\""),
    INT32(505, 0), /* quoted ones: as they are written, for which there is no ordinal */
    BOOL(506, 1),
    INT32(507, 0), /* NULLs are the greatest */
    TEXTS(508, keywords),
    TEXTS(509, numeric),
    TEXTS(510, text),
    TEXTS(511, systems),
    TEXTS(512, datetime),
    TEXT(513, "\\"),
    TEXT(514, "$"),
    BOOL(515, 1),
    BOOL(516, 1), /* NULL || 'x' is NULL */
    {517, WR_INFO_MAP, 0, NULL, NULL},
    BOOL(518, 1),
    BOOL(519, 0),
    BOOL(520, 1),
    BOOL(521, 1),
    INT32(522, BIT(0) | BIT(1)),
    BOOL(523, 1),
    BOOL(524, 1),
    INT32(525, BIT(0) | BIT(1)), /* minimum and core grammar */
    INT32(526, BIT(0)),          /* entry level of SQL-92 */
    BOOL(527, 0),
    INT32(528, 2), /* full outer joins */
    TEXT(529, "schema"),
    TEXT(530, "procedure"),
    TEXT(531, "catalog"),
    BOOL(532, 1),
    INT32(533, BIT(2)), /* schemas in GRANT */
    INT32(534, BIT(2)), /* catalogs, too */
    INT32(535, 0),
    BOOL(536, 0),
    BOOL(537, 0),
    INT32(538, BIT(0) | BIT(1) | BIT(2) | BIT(3)),
    BOOL(539, 1),
    INT32(540, BIT(0) | BIT(1)),
    INT64(541, 0),
    INT64(542, 0),
    INT64(543, 0),
    INT64(544, 0),
    INT64(545, 0),
    INT64(546, 0),
    INT64(547, 0),
    INT64(548, 0),
    INT64(549, 4096), /* connections of the server */
    INT64(550, 0),
    INT64(551, 0),
    INT64(552, 0),
    INT64(553, 0),
    INT64(554, 0),
    INT64(555, 0),
    BOOL(556, 1),
    INT64(557, 16 << 20), /* WR_FLIGHT_MOST_COMMAND */
    INT64(558, 1000),     /* WR_FLIGHT_MOST_HANDLES */
    INT64(559, 0),
    INT64(560, 0),
    INT64(561, 0),
    INT64(562, 0), /* no transactions. The specification has an int32, the JDBC driver reads this */
    BOOL(563, 0),
    INT32(564, BIT(0)), /* the level "none" */
    BOOL(565, 0),
    BOOL(566, 0),
    INT32(567, BIT(1)), /* forward only */
    INT32(568, 0),
    INT32(569, BIT(1)), /* read-only */
    INT32(570, 0),
    INT32(571, 0),
    BOOL(572, 1), /* batches of updates: rows of parameters */
    BOOL(573, 0),
    BOOL(574, 1), /* $name */
    BOOL(575, 0),
    BOOL(576, 0),
};
const size_t wr_sql_n_info = sizeof wr_sql_info / sizeof *wr_sql_info;

/* ---- Conversions ---- */

enum convert {
    BIGINT = 0,
    BINARY = 1,
    BOOLEAN = 2,
    CHAR = 3,
    DATE = 4,
    DECIMAL = 5,
    FLOAT = 6,
    INTEGER = 7,
    LONGVARBINARY = 10,
    LONGVARCHAR = 11,
    NUMERIC = 12,
    REAL = 13,
    SMALLINT = 14,
    TIME = 15,
    TIMESTAMP = 16,
    TINYINT = 17,
    VARBINARY = 18,
    VARCHAR = 19
};

#define NUMBERS BIGINT, DECIMAL, FLOAT, INTEGER, NUMERIC, REAL, SMALLINT, TINYINT
#define TEXT_TYPES CHAR, LONGVARCHAR, VARCHAR

static const int32_t of_number[] = {NUMBERS, BOOLEAN, TEXT_TYPES, -1};
static const int32_t of_text[] = {NUMBERS,   BOOLEAN, TEXT_TYPES, DATE,          TIME,
                                  TIMESTAMP, BINARY,  VARBINARY,  LONGVARBINARY, -1};
static const int32_t of_binary[] = {BINARY, VARBINARY, LONGVARBINARY, TEXT_TYPES, -1};
static const int32_t of_boolean[] = {BOOLEAN, BIGINT, INTEGER, SMALLINT, TINYINT, TEXT_TYPES, -1};
static const int32_t of_date[] = {DATE, TIMESTAMP, TEXT_TYPES, -1};
static const int32_t of_time[] = {TIME, TEXT_TYPES, -1};
static const int32_t of_timestamp[] = {TIMESTAMP, DATE, TIME, TEXT_TYPES, -1};

const struct wr_sql_convert wr_sql_converts[] = {
    {BIGINT, of_number},   {DECIMAL, of_number},   {FLOAT, of_number},
    {INTEGER, of_number},  {NUMERIC, of_number},   {REAL, of_number},
    {SMALLINT, of_number}, {TINYINT, of_number},   {BOOLEAN, of_boolean},
    {CHAR, of_text},       {VARCHAR, of_text},     {LONGVARCHAR, of_text},
    {BINARY, of_binary},   {VARBINARY, of_binary}, {LONGVARBINARY, of_binary},
    {DATE, of_date},       {TIME, of_time},        {TIMESTAMP, of_timestamp},
};
const size_t wr_sql_n_converts = sizeof wr_sql_converts / sizeof *wr_sql_converts;
