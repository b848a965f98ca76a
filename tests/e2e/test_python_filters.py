# SPDX-License-Identifier: Apache-2.0
"""
Filters that are pushed into a Python source lose no row: random predicates, asked of a source that
drops what fails by Python's own rules, and of one that is told nothing.
WEIR_PREDICATES=5000 WEIR_SEED=1 makes it longer.
"""

import os
import random
import sys

import pytest
from adbc_driver_manager import dbapi
from python_sources import BUILD

N_PREDICATES = int(os.environ.get("WEIR_PREDICATES", "400"))
SEED = int(os.environ.get("WEIR_SEED", "20261122"))

SOURCE = '''
import datetime as d, decimal, operator, pyarrow as pa

D, utc = decimal.Decimal, d.timezone.utc
nan, inf = float("nan"), float("inf")
COLUMNS = {
    "b": (pa.bool_(), [True, False, None]),
    "i8": (pa.int8(), [-128, -1, 0, 1, 127, None]),
    "i32": (pa.int32(), [-2**31, -3, 0, 3, 42, 2**31 - 1, None]),
    "i64": (pa.int64(), [-2**63, -3, 0, 3, 2**53 + 1, 2**63 - 1, None]),
    "u64": (pa.uint64(), [0, 3, 2**63, 2**64 - 1, None]),
    "f32": (pa.float32(), [-inf, -1.5, -0.0, 0.0, 0.1, 3.0, inf, nan, None]),
    "f64": (pa.float64(), [-inf, -1.5, -0.0, 0.0, 0.1, 3.0, 1e300, inf, nan, None]),
    "x": (pa.decimal128(12, 2), [D("-99.99"), D("0.00"), D("0.10"), D("3.00"), D("1234567890.12"), None]),
    "s": (pa.string(), ["", "a", "A", "ab", "a_b", "a%b", "abc", "B", "Z", "z", "\\u00e4", "\\uffff", "\\U0001f600", "3", None]),
    "ls": (pa.large_string(), ["", "a", "A", "a_b", "abc", "3", None]),
    "y": (pa.binary(), [b"", b"\\0", b"a", b"\\xff", None]),
    "dt": (pa.date32(), [d.date(1, 1, 1), d.date(1969, 12, 31), d.date(2024, 2, 29), d.date(9999, 12, 31), None]),
    "ts": (pa.timestamp("us"), [d.datetime(1, 1, 1), d.datetime(1969, 12, 31, 23, 59, 59, 999999), d.datetime(2024, 2, 29, 1, 2, 3), None]),
    "tz": (pa.timestamp("us", "UTC"), [d.datetime(1970, 1, 1, tzinfo=utc), d.datetime(2024, 2, 29, 1, 2, 3, tzinfo=utc), None]),
    "tn": (pa.timestamp("ns"), [0, 1, 999, 1000, 1709168523000000000, None]),
}
IDS = range(240)
SCHEMA = pa.schema([("id", pa.int32())] + [(name, kind) for name, (kind, _) in COLUMNS.items()])
# Columns of lengths without a common divisor meet in every combination, nearly.
TABLE = pa.table([pa.array(IDS, pa.int32())] + [
    pa.array([values[(i * (k + 1) + i // 7) % len(values)] for i in IDS], kind) for k, (kind, values) in enumerate(COLUMNS.values())
], schema=SCHEMA)
NAMES = SCHEMA.names
ROWS = [{name: (value.value if value.is_valid else None) if name == "tn" else value.as_py() for name, value in zip(NAMES, row)}
        for row in zip(*[TABLE.column(name) for name in NAMES])]
OPS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
seen = []

def holds(row, f):
    value = row[f.column]
    if f.op in ("is null", "is not null"):
        return (value is None) == (f.op == "is null")
    operand = f.value
    if f.column == "tn":
        operand = int((operand - d.datetime(1970, 1, 1)) / d.timedelta(microseconds=1)) * 1000
    elif value is not None:
        assert type(operand) is type(value), (f, value)
    return value is not None and OPS[f.op](value, operand)

class Told:
    exact_filters = False
    def infer_schema(self, options): return SCHEMA
    def plan_partitions(self, options): return [0, 1, 2]
    def read_partition(self, spec, options, filters):
        seen.extend(filters)
        keep = [i for i in IDS if i % 3 == spec and all(holds(ROWS[i], f) for f in filters)]
        return TABLE.take(pa.array(keep, pa.int32()))

class Exact(Told):
    exact_filters = True

class Untold(Told):
    def read_partition(self, spec, options):
        return Told.read_partition(self, spec, options, [])
'''

LITERALS = {
    "b": ["true", "false"],
    "i8": ["-128", "0", "1", "127", "128", "3.5"],
    "i32": ["-3", "0", "3", "42", "2147483648", "-0.5", "CAST(3 AS BIGINT)"],
    "i64": ["-3", "0", "3", "9007199254740993", "9223372036854775807", "3.0"],
    "u64": ["0", "3", "18446744073709551615", "-1"],
    "f32": ["0.0", "-0.0", "0.1", "CAST(0.1 AS REAL)", "3", "CAST('nan' AS REAL)", "CAST('inf' AS REAL)", "CAST('-0' AS REAL)"],
    "f64": ["0.0", "-0.0", "0.1", "3", "CAST('nan' AS DOUBLE)", "CAST('-inf' AS DOUBLE)", "CAST('-0' AS DOUBLE)", "1e300"],
    "x": ["0", "0.10", "3", "3.001", "-99.99", "1234567890.12"],
    "s": ["''", "'a'", "'A'", "'a_b'", "'ab'", "'z'", "'\u00e4'", "'\uffff'", "'\U0001f600'", "'3'"],
    "ls": ["''", "'a'", "'A'", "'a_b'", "'3'"],
    "y": ["X''", "X'61'", "X'ff'", "X'00'"],
    "dt": ["DATE '1969-12-31'", "DATE '2024-02-29'", "DATE '9999-12-31'", "DATE '0001-01-01'"],
    "ts": ["TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '2024-02-29 01:02:03'", "TIMESTAMP '2024-02-29 01:02:03.0000001'"],
    "tz": ["TIMESTAMP '2024-02-29T01:02:03Z'", "TIMESTAMP '1970-01-01 00:00:00'", "TIMESTAMP '2024-02-29T02:02:03+01:00'"],
    "tn": ["TIMESTAMP '1970-01-01 00:00:00.000000001'", "TIMESTAMP '1970-01-01 00:00:00.000001'", "TIMESTAMP '1970-01-01'"],
}
PATTERNS = ["'a%'", "'%b'", "'a_b'", "'a\\_b'", "'%'", "''", "'A%'", "'_'", "'%a%'", "'a\\%b'", "'abc'"]
CASTS = ["INT", "BIGINT", "DOUBLE", "VARCHAR", "DECIMAL(10, 1)", "DATE", "TIMESTAMP", "BOOLEAN"]
COMPARES = ["=", "<>", "<", "<=", ">", ">="]


def predicate(dice, depth=2):
    if depth and dice.random() < 0.45:
        parts = [predicate(dice, depth - 1) for _ in range(dice.randint(2, 3))]
        return "(" + dice.choice([" AND ", " AND ", " OR "]).join(parts) + ")"
    column = dice.choice(list(LITERALS))
    literal = lambda: dice.choice(LITERALS[column])  # noqa: E731
    texts = dice.choice(["s", "ls"])
    return dice.choice(
        [
            lambda: f"{column} {dice.choice(COMPARES)} {literal()}",
            lambda: f"{column} {dice.choice(COMPARES)} {literal()}",
            lambda: f"{column} {dice.choice(COMPARES)} {literal()}",
            lambda: f"{literal()} {dice.choice(COMPARES)} {column}",
            lambda: f"{column} {dice.choice(['IN', 'NOT IN'])} ({', '.join(literal() for _ in range(dice.randint(1, 4)))})",
            lambda: f"{column} IN ({literal()}, NULL)",
            lambda: f"{column} {dice.choice(['BETWEEN', 'NOT BETWEEN'])} {literal()} AND {literal()}",
            lambda: f"{column} IS {dice.choice(['NULL', 'NOT NULL'])}",
            lambda: f"{column} {dice.choice(COMPARES)} NULL",
            lambda: f"{texts} {dice.choice(['LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE'])} {dice.choice(PATTERNS)}",
            lambda: f"{texts} SIMILAR TO 'a%'",
            lambda: f"NOT ({predicate(dice, 0)})",
            lambda: f"({predicate(dice, 0)}) IS NOT TRUE",
            lambda: f"TRY_CAST({column} AS {dice.choice(CASTS)}) {dice.choice(COMPARES)} TRY_CAST({literal()} AS {dice.choice(CASTS)})",
            lambda: f"CAST({column} AS VARCHAR) {dice.choice(COMPARES)} CAST({literal()} AS VARCHAR)",
            lambda: f"i32 + 1 {dice.choice(COMPARES)} 4",
            lambda: f"{column} IS NOT DISTINCT FROM {literal()}",
            lambda: f"i8 {dice.choice(COMPARES)} i32",
            lambda: f"upper(s) = 'A'",
            lambda: "b",
            lambda: "NOT b",
        ]
    )()


@pytest.fixture
def cursor(tmp_path, monkeypatch):
    (tmp_path / "filtered_source.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    with dbapi.connect(driver=f"{BUILD}/src/libweir.so", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD python")
        for name in ("Told", "Exact", "Untold"):
            cursor.execute(f"CREATE TABLE {name} USING python OPTIONS (python_module 'filtered_source', python_class '{name}')")
        yield cursor
    sys.modules.pop("filtered_source", None)


def ids(cursor, table, where):
    try:
        cursor.execute(f"SELECT id FROM {table} WHERE {where} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]
    except Exception as error:
        return str(error).split("\n")[0]


def test_random_predicates_give_the_same_rows_with_and_without_pushdown(cursor):
    dice = random.Random(SEED)
    compared = refused = 0
    told = set()
    differences = []
    while compared < N_PREDICATES:
        where = predicate(dice)
        expected = ids(cursor, "Untold", where)
        if isinstance(expected, str):
            refused += 1
            assert refused < 2 * N_PREDICATES + 100, f"too many predicates are none: {where}: {expected}"
            continue
        sys.modules["filtered_source"].seen.clear()
        for table in ("Told", "Exact"):
            got = ids(cursor, table, where)
            if got != expected:
                differences.append((table, where, expected, got))
        told |= {(f.column, f.op) for f in sys.modules["filtered_source"].seen}
        compared += 1
    assert not differences, f"{len(differences)} of {compared} (seed {SEED}), first: {differences[:3]}"
    assert {op for _, op in told} >= {"=", "!=", "<", "<=", ">", ">=", "is null", "is not null"}, told
    assert len({column for column, _ in told}) >= 12, told
    if N_PREDICATES >= 5000:
        print(f"{compared} predicates, {refused} refused, told of {len(told)} column and operator pairs")


def test_what_python_compares_otherwise_is_not_told(cursor):
    def told(where):
        sys.modules["filtered_source"].seen.clear()
        ids(cursor, "Told", where)
        return {(f.column, f.op, f.value) for f in sys.modules["filtered_source"].seen}

    assert told("i32 = 3") == {("i32", "=", 3)}
    assert told("f64 > 1") == set(), "NaN is above all numbers in SQL, and above none in Python"
    assert told("f64 < 0.0") == set() and told("f64 <> CAST('-0' AS DOUBLE)") == set(), "-0.0 is 0.0 in Python"
    assert told("f64 = CAST('nan' AS DOUBLE)") == set()
    assert told("f64 <= 3") == {("f64", "<=", 3.0)}
    assert told("s < 'b'") == set() and told("s <> 'a'") == set(), "a database may compare with a collation"
    assert told("s = 'a'") == {("s", "=", "a")}
    for where in ("s LIKE 'a%'", "s NOT LIKE 'a%'", "s ILIKE 'a'", "s LIKE 'a_b'", "CAST(f64 AS INT) = 3", "i32 + 1 = 4"):
        assert told(where) <= {("s", "is not null", None)}, where
    assert told("tn = TIMESTAMP '1970-01-01 00:00:00.000000001'") == set(), "Python has microseconds"
