# SPDX-License-Identifier: Apache-2.0
"""
A plan that was kept answers as one that is made anew, whatever happened in between.

The property test has two sessions of one user, one with weir.plan_cache = on and one with it off. After each
of many random changes (views, tables, grants, mounts, settings, files of SQL, changes behind weir's back)
both are asked the same queries, and must give the same rows in the same types, or the same error.

WEIR_SEED repeats a run (the seed is in what a failure prints), WEIR_CHANGES says how many changes.
"""

import datetime
import os
import random
import sqlite3
import time

import pyarrow as pa
import pytest
from principals import LIBRARY, PASSWORD, Principal, Session, WeirError

SEED = int(os.environ.get("WEIR_SEED") or time.time_ns() % 1_000_000)
CHANGES = int(os.environ.get("WEIR_CHANGES") or 150)
CHEAP = {"auth.password.memory": "1MiB", "auth.password.operations": "1"}
TABLES = ["a", "b"]
VIEWS = ["v0", "v1", "v2", "v3"]
QUERIES = [
    *(f"SELECT * FROM {view} ORDER BY 1" for view in VIEWS),
    *(f"SELECT count(*) AS n, max(i) AS m FROM x.main.{table} WHERE i > 1" for table in TABLES),
    "SELECT * FROM x.main.a ORDER BY i",
    "SELECT a.i, b.i AS j FROM x.main.a AS a JOIN x.main.b AS b ON a.i = b.i ORDER BY 1, 2",
    "SELECT a.i FROM x.main.a AS a JOIN y.main.a AS b ON a.i = b.i ORDER BY 1",
    "SELECT v0.i FROM v0 WHERE v0.i IN (SELECT i FROM x.main.b) ORDER BY 1",
    "WITH v0 AS (SELECT 7 AS i) SELECT * FROM v0",
    "SELECT * FROM a ORDER BY 1",
    "SELECT * FROM lake.daily ORDER BY 1",
    "SELECT arrow_typeof(i) AS t, count(*) AS n FROM x.main.a GROUP BY 1",
    "SELECT CAST('2024-01-01T00:00:00' AS TIMESTAMP WITH TIME ZONE) AS t FROM x.main.b ORDER BY 1",
    "SELECT CAST('2024-01-01T00:00:00' AS TIMESTAMP WITH TIME ZONE) AS t, 'text' AS s",
]


def make_database(path, rng):
    with sqlite3.connect(path) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table} (i INTEGER, t TEXT)")
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(rng.randrange(6), "t") for _ in range(5)])
    connection.close()


def ask(session, sql):
    """The rows and their types, or the error."""
    try:
        table = session.query(sql).read_all()
        return [str(field.type) for field in table.schema], table.column_names, table.to_pylist()
    except WeirError as error:
        return error.code, error.sqlstate, error.message


def answer(session, sql):
    """Where rows fail, what is remembered of a table was wrong, which was made anew through another mount. It is forgotten then."""
    for _ in range(2):
        try:
            return ask(session, sql)
        except pa.ArrowInvalid as error:
            told = str(error)
    return told


class Changes:
    """Each changes something that a plan may stand on, and says what it did."""

    def __init__(self, rng, host, users, directory):
        self.rng, self.host, self.users, self.directory = rng, host, users, directory
        self.files = {"x": "one", "y": "two"}
        self.n_columns = 0

    def run(self, sql):
        """What fails is a change that is not there."""
        try:
            self.host.run(sql)
            return sql
        except WeirError as error:
            return f"{sql}: {error}"

    def source(self):
        sources = [f"x.main.{table}" for table in TABLES] + ["y.main.a", "lake.daily", *(f"public.{view}" for view in VIEWS)]
        return self.rng.choice(sources)

    def query(self):
        return f"SELECT i, i + {self.rng.randrange(3)} AS j FROM {self.source()} WHERE i <> {self.rng.randrange(6)}"

    def view(self):
        return self.run(f"CREATE OR REPLACE VIEW {self.rng.choice(VIEWS)} AS {self.query()}")

    def drop_view(self):
        return self.run(f"DROP VIEW IF EXISTS {self.rng.choice(VIEWS)}")

    def grant(self):
        what = self.rng.choice([*VIEWS, *VIEWS, "x.main.a", "x.main.b", "SCHEMA x.main", "CATALOG y", "CATALOG lake"])
        word, to = self.rng.choice([("GRANT", "TO"), ("GRANT", "TO"), ("GRANT", "TO"), ("REVOKE", "FROM")])
        return self.run(f"{word} SELECT ON {what} {to} alice")

    def attach(self):
        mount = self.rng.choice(["x", "y"])
        self.files[mount] = self.rng.choice(["one", "two"])
        detached = self.run(f"DETACH {mount}")
        return f"{detached}; " + self.run(f"ATTACH '{self.directory}/{self.files[mount]}.sqlite' AS {mount} (TYPE adbc, DRIVER sqlite)")

    def detach(self):
        return self.run(f"DETACH {self.rng.choice(['x', 'y'])}")

    def replace_table(self):
        type = self.rng.choice(["BIGINT", "DOUBLE", "VARCHAR"])
        dropped = self.run("DROP TABLE IF EXISTS x.main.a")
        return f"{dropped}; " + self.run(f"CREATE TABLE x.main.a AS SELECT CAST(1 AS {type}) AS i UNION ALL SELECT 3")

    def behind(self):
        """A column or a row of which weir is not told."""
        self.n_columns += 1
        table, file = self.rng.choice(TABLES), self.files["x"]
        column = f"ALTER TABLE {table} ADD COLUMN c{self.n_columns} INTEGER DEFAULT 5"
        sql = self.rng.choice([column, f"INSERT INTO {table} (i) VALUES (4)", f"DELETE FROM {table} WHERE i = 2"])
        connection = sqlite3.connect(self.directory / f"{file}.sqlite")
        with connection:
            connection.execute(sql)
        connection.close()
        refresh = self.rng.choice([None, "REFRESH MOUNT x", f"REFRESH TABLE x.main.{table}"])
        return f"{file}: {sql}" + (f"; {self.run(refresh)}" if refresh else "")

    def setting(self):
        """Of the sessions that ask."""
        key, *values = self.rng.choice(
            [
                ("weir.pushdown", "on", "off"),
                ("datafusion.execution.time_zone", "UTC", "Asia/Tokyo", "+05:30"),
                ("datafusion.catalog.default_schema", "public", "public", "main"),
            ]
        )
        value = self.rng.choice(values)
        if self.rng.random() < 0.5:
            for user in self.users:
                user.set(key, value)
        else:
            for user in self.users:
                user.run(f"SET {key} = '{value}'")
        return f"{key} = {value}"

    def file(self):
        self.write_daily(self.query().replace("lake.daily", "y.main.a").replace("public.", "weir.public."))
        return "daily.sql"

    def write_daily(self, query):
        (self.directory / "lake" / "daily.sql").write_text(query)

    def memory(self):
        return self.run(f"CREATE OR REPLACE TABLE a AS SELECT {self.rng.randrange(9)} AS i")

    def any(self):
        kinds = [self.view] * 5 + [self.grant] * 4 + [self.attach] * 3 + [self.behind] * 3 + [self.file] * 2 + [self.setting] * 2
        kinds += [self.drop_view, self.detach, self.replace_table, self.memory]
        return self.rng.choice(kinds)()


@pytest.fixture
def directory(tmp_path, drivers):
    (tmp_path / "lake").mkdir()
    rng = random.Random(SEED)
    for name in ("one", "two"):
        make_database(tmp_path / f"{name}.sqlite", rng)
    return tmp_path


def open_host(directory, **settings):
    return Session(LIBRARY, 2, directory, {**CHEAP, "mounts.lake.url": directory / "lake", **settings})


def attach(session, directory, mount="x", file="one"):
    session.run(f"ATTACH '{directory}/{file}.sqlite' AS {mount} (TYPE adbc, DRIVER sqlite)")


@pytest.fixture
def host(directory):
    session = open_host(directory)
    yield session
    session.close()


def test_a_kept_plan_answers_as_a_new_one_after_any_change(directory):
    rng = random.Random(SEED)
    # Short, so that what is remembered of tables gets old in the course of the test.
    host = open_host(directory)
    host.run("CREATE USER alice PASSWORD 'pa'")
    users = [Principal(host, PASSWORD, "alice", "pa", {"weir.plan_cache": state}) for state in ("on", "off")]
    done = []
    try:
        changes = Changes(rng, host, users, directory)
        changes.write_daily("SELECT 1 AS i")
        for mount, file in changes.files.items():
            attach(host, directory, mount, file)
        for view in VIEWS:
            done.append(changes.run(f"CREATE OR REPLACE VIEW {view} AS SELECT i, t FROM x.main.a"))
            done.append(changes.run(f"GRANT SELECT ON {view} TO alice"))
        for what in ("SCHEMA x.main", "CATALOG y", "CATALOG lake"):
            done.append(changes.run(f"GRANT SELECT ON {what} TO alice"))
        before = host.metrics()["plan_cache_hits"]
        n_answers = n_changes = hits = 0
        # Some seeds drop much, and go on until there were rows and hits enough.
        while n_changes < CHANGES or (not (hits > CHANGES and n_answers > 3 * CHANGES) and n_changes < 3 * CHANGES):
            n_changes += 1
            for sql in [*QUERIES, *rng.sample(QUERIES, 5)]:
                order = rng.choice([(0, 1), (1, 0)])
                answers = {i: answer(users[i], sql) for i in order}
                n_answers += isinstance(answers[0][0], list)
                assert answers[0] == answers[1], f"WEIR_SEED={SEED}: {sql}\n" + "\n".join(done)
            done.append(changes.any())
            hits = host.metrics()["plan_cache_hits"] - before
        print(f"WEIR_SEED={SEED}: {n_changes} changes, {n_answers} queries with rows, {hits} plans that were kept")
        # Without hits and rows the test shows nothing.
        assert hits > CHANGES and n_answers > 3 * CHANGES
    finally:
        for user in users:
            user.close()
        host.close()


def counted(session, sql, times=2):
    """Hits, and plans that were made to be kept, while a statement runs so often."""
    before = session.metrics()
    for _ in range(times):
        session.query(sql).read_all()
    after = session.metrics()
    return [after[name] - before[name] for name in ("plan_cache_hits", "plan_cache_misses")]


def test_the_plan_of_a_query_over_a_database_is_made_once(host, directory):
    attach(host, directory)
    assert counted(host, "SELECT count(*) FROM x.main.a", 5) == [4, 1]
    assert counted(host, "SELECT count(*) FROM x.main.a ", 2) == [1, 1]  # another text
    assert counted(host, "SELECT count(*) FROM x.main.a WHERE i = 1", 2) == [1, 1]
    assert counted(host, "SELECT count(*) FROM x.main.a WHERE i = 2", 2) == [1, 1]
    assert host.metrics()["plan_cache_current_entries"] >= 4


def test_what_may_be_another_thing_each_time_is_planned_each_time(host, directory):
    attach(host, directory)
    host.run("CREATE TABLE own AS SELECT 1 AS i")
    for sql in [
        "SELECT now()",
        "SELECT random() FROM x.main.a",
        "SELECT i FROM x.main.a WHERE current_date > DATE '2020-01-01'",
        "SELECT count(*) FROM own",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT count(*) FROM system.mounts",
        "EXPLAIN SELECT * FROM x.main.a",
        "SHOW TABLES",
    ]:
        assert counted(host, sql) == [0, 0], sql
    host.run("PREPARE p AS SELECT min(i) FROM x.main.a")
    assert counted(host, "EXECUTE p") == [0, 0]
    first, second = (host.rows("SELECT now() FROM x.main.a LIMIT 1") for _ in range(2))
    assert first != second


def test_an_answer_that_its_plan_holds_is_planned_once_and_is_an_answer_each_time(host):
    for sql, expected in [
        ("SELECT 1 + 1 AS n, NULL AS u, DATE '2024-01-01' AS d", [(2, None, datetime.date(2024, 1, 1))]),
        ("SELECT * FROM (VALUES (1, 'one'), (2, 'two')) AS t(i, s)", [(1, "one"), (2, "two")]),
        ("SELECT 1 AS n WHERE false", []),
    ]:
        before = host.metrics()["plan_cache_hits"]
        assert [host.rows(sql) for _ in range(3)] == [expected] * 3
        assert host.metrics()["plan_cache_hits"] == before + 2
    zoned = "SELECT CAST('2024-01-01T00:00:00' AS TIMESTAMP WITH TIME ZONE) AS t"
    for zone in ("UTC", "Asia/Tokyo"):
        host.run(f"SET datafusion.execution.time_zone = '{zone}'")
        assert [str(host.query(zoned).schema.field("t").type) for _ in range(3)] == [f"timestamp[ns, tz={zone}]"] * 3
    ended = "SELECT rows_returned, state FROM system.queries WHERE sql LIKE 'SELECT 1 + 1 %'"
    assert host.rows(ended) == [(1, "done")] * 3


def test_a_cached_table_that_was_too_large_is_tried_again_although_a_plan_of_its_source_is_kept(host, directory):
    with sqlite3.connect(directory / "big.sqlite") as connection:
        connection.execute("CREATE TABLE a (i INTEGER, t TEXT)")
        connection.executemany("INSERT INTO a VALUES (?, ?)", [(i, os.urandom(512).hex()) for i in range(100)])
    connection.close()
    attach(host, directory, "big", "big")
    host.run("CREATE TABLE c USING cached OPTIONS (source 'big.main.a', max_age '1s', mode 'full', max_bytes '16KiB')")
    count = "SELECT count(*) AS n, max(i) AS i FROM c"
    state = "SELECT state FROM system.caches WHERE name = 'c'"
    assert host.rows(count) == [(100, 99)] and host.rows(state) == [("bypassed",)]
    assert counted(host, count) == [2, 0]
    with sqlite3.connect(directory / "big.sqlite") as connection:
        connection.execute("DELETE FROM a WHERE i > 0")
    connection.close()
    time.sleep(1.1)
    assert host.rows(count) == [(1, 0)] and host.rows(state) == [("kept",)]


def test_off_keeps_nothing_and_uses_nothing(host, directory):
    attach(host, directory)
    assert counted(host, "SELECT count(*) FROM x.main.a") == [1, 1]
    host.run("SET weir.plan_cache = off")
    assert counted(host, "SELECT count(*) FROM x.main.a") == [0, 0]
    with pytest.raises(WeirError, match="weir.plan_cache is on or off"):
        host.run("SET weir.plan_cache = 'sometimes'")
    assert host.rows("SELECT value FROM information_schema.df_settings WHERE name = 'weir.plan_cache'") == [("off",)]


def test_a_detached_database_is_closed_although_plans_of_it_were_kept(host, directory):
    attach(host, directory)
    path = str(directory / "one.sqlite")
    for _ in range(2):
        host.rows("SELECT count(*) FROM x.main.a")

    def n_open():
        paths = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
        return sum(os.path.lexists(p) and os.readlink(p) == path for p in paths)

    assert n_open() > 0
    host.run("DETACH x")
    deadline = time.monotonic() + 5
    while n_open() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert n_open() == 0


def test_no_more_plans_are_kept_than_there_is_room_for(host, directory):
    attach(host, directory)
    for i in range(300):
        host.rows(f"SELECT count(*) FROM x.main.a WHERE i = {i}")
    assert 200 <= host.metrics()["plan_cache_current_entries"] <= 256
    # The last one is there, the first one is not.
    assert counted(host, "SELECT count(*) FROM x.main.a WHERE i = 299", 1) == [1, 0]
    assert counted(host, "SELECT count(*) FROM x.main.a WHERE i = 0", 1) == [0, 1]


def test_a_session_that_ends_takes_its_plans_along(host, directory):
    attach(host, directory)
    host.run("CREATE USER root PASSWORD 'pr'")
    host.run("GRANT admin TO root")
    before = host.metrics()["plan_cache_current_entries"]
    root = Principal(host, PASSWORD, "root", "pr")
    try:
        root.rows("SELECT count(*) FROM x.main.a")
        assert host.metrics()["plan_cache_current_entries"] == before + 1
    finally:
        root.close()
    assert host.metrics()["plan_cache_current_entries"] == before
