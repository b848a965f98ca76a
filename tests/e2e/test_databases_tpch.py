# SPDX-License-Identifier: Apache-2.0
"""TPC-H with the tables in databases: all 22 queries, compared value by value with DuckDB over the same files."""

import pytest
from conftest import ROOT
from test_pushdown import Weir
from test_tpch import TABLES, reference, same  # noqa: F401  a fixture

LAYOUTS = ["postgresql", "sqlite", "duckdb", "mysql", "postgresql and parquet"]
IN_FILES = ["orders", "part", "partsupp", "region"]  # of the last layout: each join crosses


@pytest.fixture(scope="module", params=LAYOUTS)
def weir(request, tpch):
    name = request.param
    if name.startswith("postgresql"):
        database = request.getfixturevalue("server").database("tpch")
    elif name == "mysql":
        database = request.getfixturevalue("mysql_server").database("tpch")
    else:
        database = request.getfixturevalue(f"{name}_tpch")
    with Weir({"x": database}) as weir:
        for table in TABLES:
            is_file = "parquet" in name and table in IN_FILES
            source = f"'{tpch}/{table}.parquet'" if is_file else f"x.{database.schema}.{table}"
            weir.session.run(f"CREATE VIEW {table} AS SELECT * FROM {source}")
        weir.is_split = "parquet" in name
        yield weir


@pytest.mark.parametrize("number", range(1, 23))
def test_query_gives_the_same_rows(weir, reference, number):  # noqa: F811
    sql = (ROOT / "bench" / "tpch" / f"q{number:02}.sql").read_text()
    expected = reference.execute(sql).fetchall()
    got = weir.session.rows(sql)
    assert len(got) == len(expected) > 0
    for i, (a, b) in enumerate(zip(got, expected)):
        assert len(a) == len(b)
        assert all(map(same, a, b)), f"row {i}: {a} is not {b}\n{weir.explain(sql)}"
