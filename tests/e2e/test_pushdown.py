# SPDX-License-Identifier: Apache-2.0
"""
Queries run in a database answer as weir does itself, and as the database does when it is asked directly.

Each random query of queries.py runs with weir.pushdown on and off; both must give the same rows in the
same types. What means the same in the database's own SQL is also given to its bare driver.

WEIR_SEED repeats a run (the seed is in what a failure prints), WEIR_QUERIES says how many per database.
"""

import os
import pathlib
import random
import sys
import time

import nasty
import pytest
import values
from conftest import PROGRAM, ROOT
from queries import Generator

sys.path.insert(0, str(ROOT / "bench"))
import weir_ctypes  # noqa: E402

LIBRARY = pathlib.Path(PROGRAM).parent / "src/libweir.so"
SEED = int(os.environ.get("WEIR_SEED") or time.time_ns() % 1_000_000)
QUERIES = int(os.environ.get("WEIR_QUERIES") or 300)
SHOWN = int(os.environ.get("WEIR_SHOWN") or 8)  # differences that a failure prints
DATABASES = ["postgresql", "sqlite", "duckdb", "mysql"]


class Weir:
    """A session in this process with the databases attached."""

    def __init__(self, databases):
        self.session = weir_ctypes.Session(LIBRARY, 2)
        for catalog, database in databases.items():
            self.session.run(database.attach(catalog))
        self.is_on = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()

    def set_pushdown(self, is_on):
        if is_on != self.is_on:
            self.session.run(f"SET weir.pushdown = {'on' if is_on else 'off'}")
            self.is_on = is_on

    def ask(self, sql, is_on):
        """The rows as an Arrow table, or the error as a text."""
        self.set_pushdown(is_on)
        try:
            return self.session.query(sql).read_all()
        except (weir_ctypes.WeirError, OSError, ValueError) as error:
            return str(error)

    def explain(self, sql):
        self.set_pushdown(True)
        try:
            return "\n".join(str(row[-1]) for row in self.session.rows("EXPLAIN " + sql))
        except weir_ctypes.WeirError as error:
            return str(error)


def types_of(table):
    return [str(field.type) for field in table.schema]


def compare(on, off, is_ordered):
    """What differs between the answers with pushdown and without it, or None."""
    if isinstance(on, str):
        # What weir itself cannot compute, it need not compute in the database.
        return None if isinstance(off, str) else f"fails with pushdown only: {on}"
    if isinstance(off, str):
        return None
    if types_of(on) != types_of(off):
        return f"types {types_of(on)} and {types_of(off)}"
    return values.difference(values.rows_of(on), values.rows_of(off), values.exactly, is_ordered)


class Run:
    def __init__(self):
        self.found, self.n, self.n_native, self.n_filled, self.n_failed = [], 0, 0, 0, 0

    def report(self, name):
        text = f"{name}, WEIR_SEED={SEED}: {self.n} queries ({self.n_filled} with rows), {self.n_native} given to the database too"
        text += f", {self.n_failed} that weir cannot compute, {len(self.found)} differences"
        print(text)
        assert not self.found, "\n\n".join([text, *self.found[:SHOWN]])
        # A generator whose queries fail or are empty shows nothing.
        assert self.n_failed <= self.n // 20 and self.n_filled >= self.n // 2, text


def check(weir, run, query, tables, direct=None, names=None, dialect=None):
    sql = query.over(tables)
    on, off = weir.ask(sql, True), weir.ask(sql, False)
    what = compare(on, off, query.is_ordered)
    if what:
        what = f"pushed and not pushed differ: {what}"
    run.n += 1
    run.n_failed += isinstance(off, str)
    run.n_filled += not isinstance(off, str) and off.num_rows > 0
    if not what and query.is_native and direct and not isinstance(on, str):
        run.n_native += 1
        direct.execute(query.over(names, dialect))
        rows = values.rows_of(direct.fetch_arrow_table())
        what = values.difference(values.rows_of(on), rows, values.alike, query.is_ordered)
        if what:
            what = f"weir and the database differ: {what}"
    if what:
        run.found.append(f"{sql}\n{what}\n{weir.explain(sql)}")


@pytest.mark.parametrize("name", DATABASES)
def test_a_null_keeps_its_type_in_groups(name, nasty_databases, request):
    database, _ = nasty_databases(name, request)
    with Weir({"x": database}) as weir:
        types = ("BOOLEAN", "BIGINT", "DOUBLE", "DECIMAL(18, 3)", "VARCHAR", "DATE")
        nulls = ", ".join(f"CAST(NULL AS {type}) AS c{i}" for i, type in enumerate(types))
        sql = f"SELECT DISTINCT DATE '2020-03-31' AS d, {nulls} FROM x.{database.schema}.{nasty.quote(nasty.NAMES[0])} ORDER BY d, c0 LIMIT 1"
        on, off = weir.ask(sql, True), weir.ask(sql, False)
        assert not isinstance(off, str) and off.num_rows == 1
        assert compare(on, off, False) is None


@pytest.mark.parametrize("name", DATABASES)
def test_random_queries_answer_alike_with_and_without_pushdown_and_in_the_database(name, nasty_databases, request):
    database, direct = nasty_databases(name, request)
    names = [nasty.quote(n) for n in nasty.NAMES]
    tables = [f"x.{database.schema}.{n}" for n in names]
    run = Run()
    with Weir({"x": database}) as weir, direct.cursor() as cursor:
        for i in range(QUERIES):
            query = Generator(random.Random(f"{SEED} {name} {i}"), name).query()
            check(weir, run, query, tables, cursor, names, name)
    run.report(name)


PAIRS = [("postgresql", "sqlite"), ("postgresql", "duckdb"), ("postgresql", "file")]


@pytest.mark.parametrize("first, second", PAIRS)
def test_random_queries_over_two_databases_answer_alike_with_and_without_pushdown(first, second, nasty_databases, request, tmp_path):
    one = nasty_databases(first, request)[0]
    databases = {"x": one}
    names = [nasty.quote(n) for n in nasty.NAMES]
    tables = [f"x.{one.schema}.{names[0]}"]
    if second == "file":
        tables.append(f"'{tmp_path}/other.parquet'")
    else:
        databases["y"] = nasty_databases(second, request)[0]
        tables.append(f"y.{databases['y'].schema}.{names[1]}")
    run = Run()
    with Weir(databases) as weir:
        if second == "file":
            # Without what Parquet has no type for.
            weir.session.run(f"COPY (SELECT * EXCEPT (iv) FROM x.public.{names[1]}) TO {tables[1]} (FORMAT parquet)")
        for i in range(max(QUERIES // 3, 1)):
            generator = Generator(random.Random(f"{SEED} {first} {second} {i}"), "sqlite" if second == "sqlite" else first)
            if second != "sqlite":
                generator.columns = [c for c in generator.columns if c[1] in ("key", "int", "float", "dec", "text", "date", "ts", "bool") or c[0] in ("wt", "w64", "wd", "tz")]
            check(weir, run, generator.query(), tables)
    run.report(f"{first} and {second}")


SHAPES = [
    "SELECT i16 AS a, i16 AS b, sum(i32) AS s, count(*) AS n FROM {0} WHERE id IN (SELECT id FROM {1}) GROUP BY i16, i16",
    "SELECT sum(DISTINCT CASE WHEN CAST(1 AS DOUBLE) >= CAST(2 AS DOUBLE) THEN i32 ELSE NULL END) AS s, count(*) AS n FROM {0}",
    "SELECT sum(n) AS s, max(t) AS t FROM (SELECT CAST(NULL AS BIGINT) AS n, CAST(NULL AS VARCHAR) AS t, id FROM {0}) AS q",
    "SELECT id, coalesce(NULL, i32) AS c FROM {0} WHERE i32 > 0 OR NULL",
]


@pytest.mark.parametrize("name", DATABASES)
def test_shapes_that_were_answered_falsely(name, nasty_databases, request):
    database, _ = nasty_databases(name, request)
    tables = [f"x.{database.schema}.{nasty.quote(n)}" for n in nasty.NAMES]
    with Weir({"x": database}) as weir:
        for shape in SHAPES:
            on, off = (weir.ask(shape.format(*tables), is_on) for is_on in (True, False))
            assert not isinstance(off, str), off
            assert compare(on, off, False) is None, f"{shape}\n{weir.explain(shape.format(*tables))}"


@pytest.mark.parametrize("name", DATABASES)
def test_what_is_pushed_is_a_large_part(name, nasty_databases, request):
    """Else the comparisons above say nothing."""
    database, _ = nasty_databases(name, request)
    tables = [f"x.{database.schema}.{nasty.quote(n)}" for n in nasty.NAMES]
    queries = {
        "WHERE": f"SELECT id FROM {tables[0]} WHERE i32 > 3",
        "LIMIT": f"SELECT id FROM {tables[0]} LIMIT 5",
        "ORDER BY": f"SELECT id FROM {tables[0]} ORDER BY id LIMIT 5",
        "GROUP BY": f"SELECT i16, count(*), sum(i32) FROM {tables[0]} GROUP BY i16",
        "JOIN": f"SELECT a.id, b.i32 FROM {tables[0]} AS a JOIN {tables[1]} AS b ON a.id = b.id",
        "DISTINCT": f"SELECT DISTINCT i16 FROM {tables[0]}",
        "UNION": f"SELECT i16 FROM {tables[0]} UNION ALL SELECT i16 FROM {tables[1]}",
        "OVER": f"SELECT id, row_number() OVER (ORDER BY id) AS n FROM {tables[0]}",
    }
    with Weir({"x": database}) as weir:
        for word, sql in queries.items():
            plan = weir.explain(sql)
            # DISTINCT may be a GROUP BY, and EXISTS a join.
            assert word in plan.split("RemoteScan", 1)[-1] or (word == "DISTINCT" and "GROUP BY" in plan), plan


def test_a_seed_gives_the_same_queries():
    one, other = (Generator(random.Random("1"), "postgresql") for _ in range(2))
    assert [one.query() for _ in range(50)] == [other.query() for _ in range(50)]
