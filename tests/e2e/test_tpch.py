# SPDX-License-Identifier: Apache-2.0
"""TPC-H: all 22 queries over the same files, compared value by value with DuckDB."""

import datetime
import decimal
import math

import duckdb
import pyarrow as pa
import pytest

from conftest import ROOT

TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


@pytest.fixture(scope="module")
def reference(tpch):
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{tpch}/{table}.parquet'")
    return connection


def same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, (int, float, decimal.Decimal)) and isinstance(b, (int, float, decimal.Decimal)):
        # Averages and quotients of decimals have engine-specific scales.
        return math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-4)
    if isinstance(a, datetime.datetime) != isinstance(b, datetime.datetime):
        a = a.date() if isinstance(a, datetime.datetime) else a
        b = b.date() if isinstance(b, datetime.datetime) else b
    return a == b


@pytest.mark.parametrize("number", range(1, 23))
def test_query_gives_the_same_rows(db, tpch, reference, number):
    sql = (ROOT / "bench" / "tpch" / f"q{number:02}.sql").read_text()
    expected = reference.execute(sql).fetchall()
    args = [arg for table in TABLES for arg in ("--table", f"{table}={tpch}/{table}.parquet")]
    result = db.run("sql", *args, "--format", "arrow", "-o", "out.arrow", sql)
    assert result.returncode == 0, result.stderr
    data = (db.directory / "out.arrow").read_bytes()
    reader = pa.ipc.open_file(data) if data[:6] == b"ARROW1" else pa.ipc.open_stream(data)
    got = [tuple(row.values()) for row in reader.read_all().to_pylist()]
    assert len(got) == len(expected)
    assert len(got) > 0
    for i, (a, b) in enumerate(zip(got, expected)):
        assert len(a) == len(b)
        assert all(map(same, a, b)), f"row {i}: {a} is not {b}"
