# SPDX-License-Identifier: Apache-2.0
"""
Tables with every type and values that databases and engines disagree about, the same in each database
as far as its types allow: `nasty`, and to join with it one whose name needs quotes, `Other; "Table"`.

A column has a logical type, by which the generator of queries (queries.py) uses it:

- bool, int (mild: its sums and products fit), float (mild), dec (mild), text (mild: ASCII), date, ts
- wild_int, wild_float, wild_dec, wild_text, wild_date, wild_ts: extremes, NaN, -0.0, any Unicode
- the rest, for which there is little but equality: char, bytes, tz, time, interval, uuid, json, enum, list, any_dec
"""

import contextlib
import datetime
import decimal
import math
import random
import sqlite3

NAMES = ["nasty", 'Other; "Table"']
ROWS = [300, 120]
INT, FLOAT = 2**63 - 1, [0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 0.1, -1.5, 1e16 + 2]
TEXTS = [
    "", " ", "  two  ", "trailing ", "trailing", "a", "A", "b", "B", "aa", "ab", "a_b", "a%b", "a\\b", "a\\%b", "100%", "_", "%", "\\",
    "'", "''", '"', "it's", 'say "hi"', "$$", "$1", "--", "/* */", ";", "; DROP TABLE nasty; --", "line\nbreak", "tab\there",
    "ä", "Ä", "a\u0308", "é", "e\u0301", "ß", "SS", "ss", "İ", "i", "I", "ı", "ſ", "σς", "ΣΣ", "日本", "🦆", "\u200b", "\ufeff",
    "NULL", "null", "NaN", "true", "0", "00", "-0", "1e3", "10", "9", "z", "Z", "-", "x" * 300,
]  # fmt: skip
MILD = ["red", "green", "blue", "Red", "GREEN", "light blue", "x", "xx", "xyz", "red fox", "r", "", "42", "7"]
DAY, STAMP = datetime.date, datetime.datetime
UTC = datetime.timezone.utc
UUIDS = [f"{i:08x}-0000-4000-8000-{i * 7919 % 2**48:012x}" for i in (0, 1, 2, 255, 2**32 - 1)]
JSONS = ["null", "{}", "[]", '{"a": 1}', '{"a":1}', '{"b": [1, 2, null], "a": "\\u00e9"}', '"text"', "1.0", "1"]
LISTS = [[], [1], [1, 2, 3], [None], [3, None, 1], [-(2**31), 2**31 - 1]]
TEXT_LISTS = [[], [""], ["a", None, "NULL"], ['q"uote', "com,ma", "br{ace}", "back\\slash"], ["ä"]]
INTERVALS = ["0", "1 day", "24:00:00", "1 month", "30 days", "-1 month", "1 year 2 months 3 days 04:05:06.789"]


def any_day(rng):
    return DAY(2019, 12, 25) + datetime.timedelta(rng.randrange(100))


def any_stamp(rng):
    if rng.random() < 0.2:
        return STAMP.combine(any_day(rng), datetime.time())
    return STAMP(2020, 1, 1) + datetime.timedelta(microseconds=rng.randrange(-(10**12), 5 * 10**12))


def any_zoned(rng):
    # Around the change to summer time of the server's zone, and the day's end that is not UTC's.
    return (STAMP(2020, 3, 8, 3) + datetime.timedelta(minutes=rng.randrange(-3000, 3000) * 15)).replace(tzinfo=UTC)


def any_time(rng):
    special = [datetime.time(), datetime.time(23, 59, 59, 999999), datetime.time(12)]
    return rng.choice(special) if rng.random() < 0.3 else datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60))


def number(digits, scale):
    def make(rng):
        return decimal.Decimal(rng.randrange(-(10**digits), 10**digits)).scaleb(-scale)

    return make


def one_of(values, of_type=None):
    return lambda rng: rng.choice(values)


# Logical type: the types in PostgreSQL, DuckDB and SQLite (None: has no such column), and values.
# Those of MySQL follow from PostgreSQL's.
COLUMNS = [
    ("b", "bool", "BOOLEAN", "BOOLEAN", "BOOLEAN", one_of([True, False])),
    ("i16", "int", "SMALLINT", "SMALLINT", "SMALLINT", lambda rng: rng.randrange(-5, 12)),
    ("i32", "int", "INTEGER", "INTEGER", "INTEGER", lambda rng: rng.randrange(-1000, 1000)),
    ("i64", "int", "BIGINT", "BIGINT", "BIGINT", lambda rng: rng.choice([0, 1, -1, 7, rng.randrange(-(10**9), 10**9)])),
    ("w64", "wild_int", "BIGINT", "BIGINT", "BIGINT", one_of([INT, -INT - 1, INT - 1, 2**53, 2**53 + 1, -(2**31), 0, 1])),
    ("f32", "wild_float", "REAL", "REAL", None, one_of([0.0, -0.0, math.nan, math.inf, -math.inf, 0.1, 16777217.0, 1.5])),
    ("f64", "float", "DOUBLE PRECISION", "DOUBLE", "DOUBLE", lambda rng: rng.randrange(-4096, 4096) / 8 + rng.choice([0, 0.1])),
    ("w_f64", "wild_float", "DOUBLE PRECISION", "DOUBLE", "DOUBLE", one_of(FLOAT)),
    ("n", "dec", "NUMERIC(12,3)", "DECIMAL(12,3)", "DECIMAL(12,3)", number(6, 3)),
    ("wn", "wild_dec", "NUMERIC(38,10)", "DECIMAL(38,10)", None, number(30, 10)),
    ("any_n", "any_dec", "NUMERIC", None, None, one_of([decimal.Decimal(v) for v in ("0", "1.10", "123456789012345678901234567890.123", "NaN", "-1e-20")])),
    ("t", "text", "TEXT", "TEXT", "TEXT", one_of(MILD)),
    ("v", "text", "VARCHAR(20)", "VARCHAR", "VARCHAR(20)", one_of(MILD)),
    ("wt", "wild_text", "TEXT", "TEXT", "TEXT", one_of(TEXTS)),
    ("ch", "char", "CHAR(6)", None, "CHAR(6)", one_of(["", "a", "ab", "abcdef", " x", "A"])),
    ("by", "bytes", "BYTEA", "BLOB", "BLOB", one_of([b"", b"\0", b"\xff\xfe", b"text", b"'\\x00", bytes(range(256))])),
    ("d", "date", "DATE", "DATE", "DATE", any_day),
    ("wd", "wild_date", "DATE", "DATE", "DATE", one_of([DAY(1, 1, 1), DAY(9999, 12, 31), DAY(1970, 1, 1), DAY(1969, 12, 31), DAY(2000, 2, 29)])),
    ("ts", "ts", "TIMESTAMP", "TIMESTAMP", "TIMESTAMP", any_stamp),
    ("w_ts", "wild_ts", "TIMESTAMP", "TIMESTAMP", "TIMESTAMP", one_of([STAMP(1, 1, 1), STAMP(9999, 12, 31, 23, 59, 59, 999999), STAMP(1969, 12, 31, 23, 59, 59, 999999)])),
    ("tz", "tz", "TIMESTAMPTZ", "TIMESTAMPTZ", None, any_zoned),
    ("tm", "time", "TIME", "TIME", None, any_time),
    ("iv", "interval", "INTERVAL", "INTERVAL", None, one_of(INTERVALS)),
    ("u", "uuid", "UUID", "UUID", None, one_of(UUIDS)),
    ("js", "json", "JSON", None, None, one_of(JSONS)),
    ("jb", "json", "JSONB", None, None, one_of(JSONS)),
    ("en", "enum", "mood", "mood", None, one_of(["sad", "ok", "Happy", "it's"])),
    ("ia", "list", "INTEGER[]", "INTEGER[]", None, one_of(LISTS)),
    ("ta", "list", "TEXT[]", "TEXT[]", None, one_of(TEXT_LISTS)),
    ("Mixed Case", "text", "TEXT", "TEXT", "TEXT", one_of(MILD)),
    ("select", "int", "INTEGER", "INTEGER", "INTEGER", lambda rng: rng.randrange(5)),
    ('quo"te', "int", "INTEGER", "INTEGER", "INTEGER", lambda rng: rng.randrange(-3, 3)),
    ("günther's; --", "date", "DATE", "DATE", "DATE", any_day),
]  # fmt: skip
POSITION = {"postgresql": 2, "duckdb": 3, "sqlite": 4}
MYSQL = {
    "SMALLINT": "SMALLINT", "INTEGER": "INTEGER", "BIGINT": "BIGINT", "TEXT": "TEXT", "VARCHAR(20)": "VARCHAR(20)", "CHAR(6)": "CHAR(6)",
    "BYTEA": "BLOB", "DATE": "DATE", "TIMESTAMP": "DATETIME(6)", "TIMESTAMPTZ": "TIMESTAMP(6) NULL", "TIME": "TIME(6)", "UUID": "UUID",
    "NUMERIC(12,3)": "DECIMAL(12,3)", "NUMERIC(38,10)": "DECIMAL(38,10)", "JSON": "JSON", "mood": "ENUM('sad', 'ok', 'Happy', 'it''s')",
}  # fmt: skip
TYPES_FIRST = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy', 'it''s')"


def type_of(column, dialect):
    """The column's type in a database; None: it has no such column."""
    if dialect != "mysql":
        return column[POSITION[dialect]]
    # Its floats are numbers.
    return "DOUBLE" if column[1] == "float" else MYSQL.get(column[2])


def columns(dialect):
    """Names and logical types of a table; the key `id` first."""
    return [("id", "key")] + [(c[0], c[1]) for c in COLUMNS if type_of(c, dialect)]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def text(value):
    return "'" + value.replace("'", "''") + "'"


def literal(value, type, dialect):
    """The value as PostgreSQL and DuckDB read it."""
    if value is None:
        return "NULL"
    if dialect == "mysql":
        return mysql_literal(value)
    if isinstance(value, bytes) and dialect == "duckdb":
        return "'" + "".join(f"\\x{byte:02x}" for byte in value) + "'::BLOB"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea"
    if isinstance(value, list):
        inner = ", ".join("NULL" if v is None else text(v) if isinstance(v, str) else str(v) for v in value)
        return f"CAST({'[' if dialect == 'duckdb' else 'ARRAY['}{inner}] AS {type})"
    if isinstance(value, float):
        value = repr(value).replace("inf", "Infinity")
    return f"CAST({text(str(value))} AS {type})"


def mysql_literal(value):
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, datetime.datetime):
        return text(value.replace(tzinfo=None).isoformat(" "))  # the session's zone is UTC
    return text(str(value))


def rows(table, dialect):
    """The values of NAMES[table]: the same in each database, for the columns it has."""
    rng = random.Random(table)
    wanted = [type_of(c, dialect) is not None for c in COLUMNS]
    for i in range(ROWS[table]):
        values = [None if rng.random() < 0.12 else c[5](rng) for c in COLUMNS]
        if i == 0:
            values = [None] * len(COLUMNS)
        yield [i - 3] + [value for value, is_wanted in zip(values, wanted) if is_wanted]


def create(table, dialect):
    types = [(c[0], type_of(c, dialect)) for c in COLUMNS if type_of(c, dialect)]
    columns = ", ".join(f"{quote(name)} {type}" for name, type in types)
    # The only column without NULL.
    key = "INTEGER" if dialect == "sqlite" else "BIGINT"
    return f"CREATE TABLE {quote(NAMES[table])} (id {key} NOT NULL PRIMARY KEY, {columns})"


def load(database):
    """Makes both tables in an empty database."""
    if database.dialect == "sqlite":
        load_sqlite(database.path)
        return
    types = ["BIGINT"] + [type_of(c, database.dialect) for c in COLUMNS if type_of(c, database.dialect)]
    statements = [] if database.dialect == "mysql" else [TYPES_FIRST]
    for table, name in enumerate(NAMES):
        statements.append(create(table, database.dialect))
        tuples = (
            "(" + ", ".join(literal(v, t, database.dialect) for v, t in zip(row, types)) + ")" for row in rows(table, database.dialect)
        )
        statements.append(f"INSERT INTO {quote(name)} VALUES " + ",\n".join(tuples))
    if database.dialect != "mysql":
        statements.append("ANALYZE")
    database.script(";\n".join(statements))


def for_sqlite(value):
    """As applications usually store it."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def load_sqlite(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table, name in enumerate(NAMES):
            connection.execute(create(table, "sqlite"))
            values = [[for_sqlite(v) for v in row] for row in rows(table, "sqlite")]
            holes = ", ".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {quote(name)} VALUES ({holes})", values)
        connection.execute("ANALYZE")
        connection.commit()
