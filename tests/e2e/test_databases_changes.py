# SPDX-License-Identifier: Apache-2.0
"""
UPDATE and DELETE in a database change the rows that the database itself would change, or are refused and
change none. Each shape runs by weir in one database and by the bare driver in another one with the same
rows; then the tables are compared.
"""

import random

import nasty
import pytest
import values
from backends import DuckDB, SQLite
from backends_mysql import BY_BYTES, COLLATION
from databases import need
from queries import Generator
from test_pushdown import DATABASES, SEED, Weir

SCRIPT = """
CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, x INTEGER, y INTEGER, f DOUBLE PRECISION, s VARCHAR(20), d DATE);
INSERT INTO t VALUES
    (1, 1, 10, 0.5, 'a', '2020-01-01'), (2, 2, NULL, -0.0, 'B', '2020-01-31'), (3, NULL, 30, NULL, NULL, NULL),
    (4, 4, 40, 1e308, 'a%b', '1999-12-31'), (5, 5, -7, 0.0, 'a_b', '2020-02-29'), (6, 2, 60, 2.5, 'A', '2020-01-01'),
    (7, 7, 0, -3.5, '', '2021-01-01'), (8, -3, 80, 1.0, 'it''s', '2020-01-02'), (9, NULL, NULL, 9.75, 'z ', '2020-01-03');
CREATE TABLE u (k INTEGER, v INTEGER, w VARCHAR(20));
INSERT INTO u VALUES (1, 100, 'a'), (2, 200, 'B'), (2, 201, 'b'), (7, 700, ''), (NULL, 900, NULL), (11, 1100, 'zz');
CREATE TABLE v (k INTEGER, v INTEGER);
INSERT INTO v VALUES (1, 100), (5, 500), (7, 700);
"""

# What must run, and not only be refused.
PLAIN = [
    "DELETE FROM t",
    "DELETE FROM t WHERE false",
    "DELETE FROM t WHERE NULL",
    "DELETE FROM t WHERE true",
    "DELETE FROM t WHERE x = 2",
    "DELETE FROM t WHERE x > 1 AND y IS NOT NULL",
    "DELETE FROM t WHERE x IS NULL",
    "DELETE FROM t WHERE x IN (1, 2, 4)",
    "DELETE FROM t WHERE id = 100",
    "DELETE FROM t WHERE s = 'it''s'",
    "DELETE FROM t WHERE x = 2 OR y < 0",
    "UPDATE t SET x = 5",
    "UPDATE t SET x = 5 WHERE id = 3",
    "UPDATE t SET x = NULL, y = 1 WHERE x = 2",
    "UPDATE t SET x = 5 WHERE false",
    "UPDATE t SET x = y, y = x",
    "UPDATE t SET s = 'it''s; DELETE FROM t' WHERE id = 1",
    "UPDATE t SET f = 1.5 WHERE f IS NULL",
]
OTHERS = [
    "UPDATE t SET x = x + 1 WHERE id > 5",
    "DELETE FROM t WHERE x NOT IN (1, 2)",
    "DELETE FROM t WHERE x NOT IN (1, NULL)",
    "DELETE FROM t WHERE x IN (SELECT k FROM u)",
    "DELETE FROM t WHERE x NOT IN (SELECT k FROM u)",
    "DELETE FROM t WHERE x NOT IN (SELECT k FROM v)",
    "DELETE FROM t WHERE x IN (SELECT max(x) FROM t)",
    "DELETE FROM t WHERE x = (SELECT min(k) FROM u)",
    "DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.x)",
    "DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.x)",
    "DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE k > 10)",
    "DELETE FROM t WHERE x = 4 OR x IN (SELECT k FROM v)",
    "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 2)",
    "DELETE FROM t WHERE x IN (SELECT k FROM u WHERE u.v > t.y)",
    "DELETE FROM t WHERE CASE WHEN x = 2 THEN y IS NULL ELSE x = 7 END",
    "DELETE FROM t WHERE s LIKE 'a%'",
    "DELETE FROM t WHERE s LIKE 'a\\%b'",
    "DELETE FROM t WHERE s LIKE 'a\\_b'",
    "DELETE FROM t WHERE s < 'B'",
    "DELETE FROM t WHERE s = ''",
    "DELETE FROM t WHERE s = 'z'",
    "DELETE FROM t WHERE f = 0.0",
    "DELETE FROM t WHERE f > 1e300",
    "DELETE FROM t WHERE y / 4 = 10",
    "DELETE FROM t WHERE y % 4 = -3",
    "DELETE FROM t WHERE d = '2020-01-01'",
    "DELETE FROM t WHERE d > DATE '2020-01-01'",
    "DELETE FROM t WHERE x IS DISTINCT FROM 2",
    "DELETE FROM t WHERE NOT (x = 2)",
    "DELETE FROM t WHERE x BETWEEN 2 AND 5",
    "DELETE FROM t LIMIT 1",
    "DELETE FROM t WHERE x > 0 LIMIT 1",
    "UPDATE t SET x = 5 WHERE x IN (SELECT k FROM u)",
    "UPDATE t SET x = 5 WHERE x NOT IN (SELECT k FROM u)",
    "UPDATE t SET x = 5 WHERE EXISTS (SELECT 1 FROM v WHERE v.k = t.x)",
    "UPDATE t SET x = (SELECT max(v) FROM u WHERE u.k = t.x)",
    "UPDATE t SET x = (SELECT max(v) FROM u)",
    "UPDATE t SET x = v.v FROM v WHERE v.k = t.x",
    "UPDATE t SET y = y / 4",
    "UPDATE t SET y = y % 4",
    "UPDATE t SET y = y + 0.5",
    "UPDATE t SET f = f / 3",
    "UPDATE t SET f = x",
    "UPDATE t SET s = upper(s) WHERE s LIKE 'a%'",
    "UPDATE t SET s = s || '!' WHERE x = 2",
    "UPDATE t SET s = x",
    "UPDATE t SET s = CASE WHEN x > 2 THEN 'big' WHEN x IS NULL THEN NULL ELSE s END",
    "UPDATE t SET d = DATE '2024-02-29' WHERE d IS NULL",
    "UPDATE t SET d = d + INTERVAL '1 month'",
    "UPDATE t SET d = '2024-01-01' WHERE id < 3",
    "UPDATE t SET x = COALESCE(x, y, 0) WHERE f IS NOT NULL OR x IS NULL",
    "UPDATE t SET id = id + 100",
    # Fail in the database too, and change nothing there.
    "UPDATE t SET id = 1",
    "UPDATE t SET id = NULL WHERE id = 2",
    "UPDATE t SET x = x / (id - 5)",
]


# Where the same text means another thing in the database: what says there what weir's text means.
MEANT = {
    ("postgresql", "DELETE FROM t WHERE s < 'B'"): "DELETE FROM t WHERE s COLLATE \"C\" < 'B'",
    ("sqlite", "DELETE FROM t WHERE s LIKE 'a%'"): "DELETE FROM t WHERE s GLOB 'a*'",
    ("sqlite", "DELETE FROM t WHERE s LIKE 'a\\%b'"): "DELETE FROM t WHERE s = 'a%b'",
    ("sqlite", "DELETE FROM t WHERE s LIKE 'a\\_b'"): "DELETE FROM t WHERE s = 'a_b'",
    ("sqlite", "DELETE FROM t WHERE d > DATE '2020-01-01'"): "DELETE FROM t WHERE d > '2020-01-01'",
    ("sqlite", "UPDATE t SET d = DATE '2024-02-29' WHERE d IS NULL"): "UPDATE t SET d = '2024-02-29' WHERE d IS NULL",
    ("duckdb", "DELETE FROM t WHERE s LIKE 'a\\%b'"): "DELETE FROM t WHERE s = 'a%b'",
    ("duckdb", "DELETE FROM t WHERE s LIKE 'a\\_b'"): "DELETE FROM t WHERE s = 'a_b'",
    ("mysql", "DELETE FROM t WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 2)"): "DELETE FROM t ORDER BY id LIMIT 2",
    ("mysql", "DELETE FROM t WHERE x IS DISTINCT FROM 2"): "DELETE FROM t WHERE NOT (x <=> 2)",
    ("mysql", "DELETE FROM t WHERE y / 4 = 10"): "DELETE FROM t WHERE y DIV 4 = 10",
    ("mysql", "UPDATE t SET y = y / 4"): "UPDATE t SET y = y DIV 4",
    ("duckdb", "DELETE FROM t WHERE y / 4 = 10"): "DELETE FROM t WHERE y // 4 = 10",
    ("duckdb", "UPDATE t SET y = y / 4"): "UPDATE t SET y = y // 4",
}


# MySQL assigns one column after the other, and reads what it has assigned.
IMPOSSIBLE = {("mysql", "UPDATE t SET x = y, y = x")}


@pytest.fixture(scope="module")
def pair(drivers, request, tmp_path_factory):
    """By name: the database that weir has and the one of the bare driver, and how many there were."""
    n = 0

    def make(name, script):
        nonlocal n
        n += 1
        need(drivers, name)
        made = []
        for side in ("weir", "direct"):
            if name == "postgresql":
                database = request.getfixturevalue("server").create(f"changes_{side}_{n}")
            elif name == "mysql":
                collation = COLLATION if side == "weir" else BY_BYTES
                database = request.getfixturevalue("mysql_server").create(f"changes_{side}_{n}", collation)
            else:
                path = tmp_path_factory.mktemp("changes") / f"{side}.{name}"
                database = {"sqlite": SQLite, "duckdb": DuckDB}[name](drivers, path)
            script(database)
            made.append(database)
        return made

    return make


def in_weir(sql, schema):
    """The statement with the tables' full names; the changed one is still called t."""
    for table in "tuv":
        for word in ("FROM", "UPDATE"):
            sql = sql.replace(f"{word} {table} ", f"{word} x.{schema}.{table} ")
        sql = sql + " "
        sql = sql.replace(f"FROM {table})", f"FROM x.{schema}.{table})").replace(f"FROM {table} ", f"FROM x.{schema}.{table} ").strip()
    return sql


def changed_by_the_database(database, sql):
    """Rows of t after the statement, or None when the database refuses it."""
    try:
        database.run(sql)
    except Exception:  # the driver's own classes
        pass
    return values.rows_of(database.table("SELECT * FROM t ORDER BY id"))


@pytest.mark.parametrize("name", DATABASES)
def test_every_shape_changes_what_the_database_would_change_or_nothing(name, pair):
    found, refused = [], []
    ours, direct = pair(name, lambda database: database.script(SCRIPT))
    table = f"x.{ours.schema}.t"
    with Weir({"x": ours}) as weir:
        weir.session.run(f"CREATE TABLE kept AS SELECT * FROM {table}")
        before = values.rows_of(weir.session.query(f"SELECT * FROM {table} ORDER BY id").read_all())
        assert len(before) == 9
        for sql in PLAIN + OTHERS:
            direct.script("DELETE FROM t; DELETE FROM u; DELETE FROM v;" + SCRIPT.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
            error = None
            try:
                weir.session.run(in_weir(sql, ours.schema))
            except RuntimeError as caught:
                error = str(caught)
            weir.set_pushdown(False)
            got = values.rows_of(weir.session.query(f"SELECT * FROM {table} ORDER BY id").read_all())
            weir.set_pushdown(True)
            if error:
                refused.append(sql)
                if values.difference(got, before, values.exactly, True):
                    found.append(f"{sql}\nfailed ({error}) but changed rows")
                if sql in PLAIN and (name, sql) not in IMPOSSIBLE:
                    found.append(f"{sql}\nis refused: {error}")
            else:
                expected = changed_by_the_database(direct, MEANT.get((name, sql), sql))
                what = values.difference(got, expected, values.alike, True)
                if what:
                    found.append(f"{sql}\nweir and the database: {what}")
            weir.session.run(f"DELETE FROM {table}")
            weir.session.run(f"INSERT INTO {table} SELECT * FROM kept")
    print(f"{name}: {len(refused)} of {len(PLAIN + OTHERS)} refused:", *refused, sep="\n  ")
    assert not found, "\n\n".join(found)


@pytest.mark.parametrize("name", DATABASES)
def test_random_conditions_delete_the_rows_that_they_hold_for(name, pair):
    """Compared with the rows for which weir itself finds the condition to hold."""
    count, most = 30, 90  # the latter when nearly all were refused

    def fill(database):
        nasty.load(database)
        copies = [f"CREATE TABLE copy{i} AS SELECT * FROM nasty" for i in range(most)]
        database.script(";".join(copies))

    ours, _ = pair(name, fill)
    found, n_deletes, n_refused, n_changed = [], 0, 0, 0
    with Weir({"x": ours}) as weir:
        for i in range(most):
            if i >= count and n_changed > 3:
                break
            n_deletes += 1
            generator = Generator(random.Random(f"{SEED} {name} delete {i}"), name)
            table = f"x.{ours.schema}.copy{i}"
            generator.scope = [(f"copy{i}", generator.columns)]
            condition = generator.predicate(2)
            left = weir.ask(f"SELECT id FROM {table} WHERE ({condition}) IS NOT TRUE ORDER BY id", False)
            total = weir.ask(f"SELECT id FROM {table} ORDER BY id", False)
            error = None
            try:
                weir.session.run(f"DELETE FROM {table} WHERE {condition}")
            except RuntimeError as caught:
                error = str(caught)
                n_refused += 1
            got = weir.ask(f"SELECT id FROM {table} ORDER BY id", False)
            if isinstance(left, str) and not error:
                continue  # what weir cannot compute itself tells nothing of what the database deletes
            expected = total if error else left
            what = values.difference(values.rows_of(got), values.rows_of(expected), values.exactly, True)
            n_changed += got.num_rows < total.num_rows
            if what:
                found.append(f"DELETE FROM {table} WHERE {condition}\n{what}\n{error}")
    text = f"{name}, WEIR_SEED={SEED}: {n_deletes} deletes, {n_refused} refused, {n_changed} changed rows"
    print(text)
    assert not found, "\n\n".join([text, *found])
    assert n_changed > 3, text
