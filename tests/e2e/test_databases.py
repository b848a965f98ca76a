# SPDX-License-Identifier: Apache-2.0
"""Tables of databases as tables of weir: every row, type and name as the bare driver gives them."""

import nasty
import pytest
import values
from backends_tpch import TPCH
from test_pushdown import DATABASES, Weir


def shared(first, second):
    """The columns that two databases have both."""
    return [name for name, _ in nasty.columns(first) if name in dict(nasty.columns(second))]


@pytest.mark.parametrize("name", ["sqlite", "duckdb", "mysql"])
def test_the_databases_of_the_tests_hold_the_same_rows(name, nasty_databases, request):
    one, other = nasty_databases("postgresql", request)[1], nasty_databases(name, request)[1]
    # SQLite makes NaN a NULL.
    columns = ", ".join(nasty.quote(c) for c in shared("postgresql", name) if c not in ("ch", "w_f64" if name == "sqlite" else ""))
    for table in nasty.NAMES:
        sql = f"SELECT {columns} FROM {nasty.quote(table)} ORDER BY id"
        what = values.difference(values.rows_of(one.table(sql)), values.rows_of(other.table(sql)), values.alike, True)
        assert what is None, what


@pytest.mark.parametrize("name", DATABASES)
def test_every_value_comes_as_the_driver_gives_it(name, nasty_databases, request):
    database, direct = nasty_databases(name, request)
    with Weir({"x": database}) as weir:
        for table in nasty.NAMES:
            for column, _ in nasty.columns(name):
                column = nasty.quote(column)
                sql = "SELECT id, {} AS c FROM {} ORDER BY id"
                ours = weir.session.query(sql.format(column, f"x.{database.schema}.{nasty.quote(table)}")).read_all()
                # The blanks that fill char(n) up mean nothing.
                expression = "CAST(ch AS TEXT)" if column == '"ch"' and name != "mysql" else column
                theirs = direct.table(sql.format(expression, nasty.quote(table)))
                what = values.difference(values.rows_of(ours), values.rows_of(theirs), values.alike, True)
                assert what is None, f"{column}: {what}\n{ours.schema}"


@pytest.mark.parametrize("name", DATABASES)
def test_names_types_and_nullability_are_the_tables_own(name, nasty_databases, request):
    database, _ = nasty_databases(name, request)
    with Weir({"x": database}) as weir:
        for table in nasty.NAMES:
            schema = weir.session.query(f"SELECT * FROM x.{database.schema}.{nasty.quote(table)} LIMIT 0").schema
            assert schema.names == [column for column, _ in nasty.columns(name)]
            assert [field.nullable for field in schema] == [False] + [True] * (len(schema) - 1)
            listed = weir.session.rows(
                f"SELECT column_name FROM information_schema.columns WHERE table_catalog = 'x' AND table_schema = '{database.schema}'"
                f" AND table_name = {nasty.text(table)}"
                " ORDER BY ordinal_position"
            )
            assert [column for (column,) in listed] == schema.names
        tables = weir.session.rows(f"SELECT table_name FROM information_schema.tables WHERE table_catalog = 'x' AND table_schema = '{database.schema}'")
        assert sorted(table for (table,) in tables) == sorted(nasty.NAMES)


EXPECTED = {
    "postgresql": {"i16": "int16", "n": "decimal128(12, 3)", "wn": "decimal128(38, 10)", "f32": "float", "tz": "timestamp[us, tz=UTC]", "d": "date32[day]"},
    "sqlite": {"n": "decimal128(12, 3)", "d": "date32[day]", "b": "bool", "ts": "timestamp[us]", "by": "binary"},
    "mysql": {"i16": "int16", "n": "decimal128(12, 3)", "wn": "decimal128(38, 10)", "tz": "timestamp[us, tz=UTC]", "d": "date32[day]", "tm": "time64[us]", "by": "binary", "en": "string"},
    "duckdb": {"i16": "int16", "n": "decimal128(12, 3)", "wn": "decimal128(38, 10)", "f32": "float", "d": "date32[day]"},
}


@pytest.mark.parametrize("name", DATABASES)
def test_types_are_those_that_the_tables_declare(name, nasty_databases, request):
    database, _ = nasty_databases(name, request)
    with Weir({"x": database}) as weir:
        schema = weir.session.query(f"SELECT * FROM x.{database.schema}.nasty LIMIT 0").schema
        assert {column: str(schema.field(column).type) for column in EXPECTED[name]} == EXPECTED[name]


@pytest.mark.parametrize("name", ["server", "mysql_server", "sqlite_tpch", "duckdb_tpch"])
def test_tpch_is_the_files_rows(name, request, tpch):
    database = request.getfixturevalue(name)
    if "server" in name:
        database = database.database("tpch")
    with Weir({"x": database}) as weir:
        for table, (key, _) in TPCH.items():
            both = []
            for source in (f"x.{database.schema}.{table}", f"'{tpch}/{table}.parquet'"):
                rows = weir.session.query(f"SELECT * FROM {source} ORDER BY {key} LIMIT 3000")
                both.append(values.rows_of(rows.read_all()))
            what = values.difference(*both, values.alike, True)
            assert what is None, f"{table}: {what}"
            counts = [weir.session.rows(f"SELECT count(*) FROM {s}") for s in (f"x.{database.schema}.{table}", f"'{tpch}/{table}.parquet'")]
            assert counts[0] == counts[1]
