# SPDX-License-Identifier: Apache-2.0
"""
A change that is cancelled ends in its database as well, within a second or two, and has changed nothing;
the mount is used on. KILL QUERY in a server, whose process lives on, shows what happens behind the answer.
"""

import contextlib
import os
import sqlite3
import threading
import time

import pytest
from backends import DuckDB, Server, SQLite
from databases import need
from http_server import HttpServer, until

ENDLESS = "SELECT i, 'x' AS s FROM generate_series(1, 1000000000) AS g(i)"
CONFIG = """  pg: {{ kind: adbc, driver: postgresql, url: "${{env:PG_URI}}" }}
  lite: {{ kind: adbc, driver: sqlite, url: "{lite}" }}
  duck: {{ kind: adbc, driver: duckdb, url: "{duck}" }}
"""
SCHEMAS = {"pg": "public", "lite": "main", "duck": "main"}
SECONDS = 5  # a second on a machine that is busy with other things


@pytest.fixture(scope="module")
def postgres(drivers):
    need(drivers, "postgresql")
    server = Server(drivers)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def files(drivers, tmp_path_factory):
    need(drivers, "duckdb")
    directory = tmp_path_factory.mktemp("cancelled")
    return SQLite(drivers, directory / "a.sqlite"), DuckDB(drivers, directory / "a.duckdb")


@pytest.fixture(scope="module")
def house(postgres, files, tmp_path_factory):
    """A server with all three, and in each the tables t (empty) and many (of 1,000,000 rows)."""
    lite, duck = files
    postgres.script("CREATE TABLE t (i BIGINT, s TEXT); CREATE TABLE many AS SELECT i::bigint AS i FROM generate_series(1, 1000000) AS i")
    duck.script("CREATE TABLE t (i BIGINT, s VARCHAR); CREATE TABLE many AS SELECT i FROM range(1, 10000001) AS r(i)")
    numbers = "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 1000000)"
    lite.script(f"CREATE TABLE t (i BIGINT, s TEXT); CREATE TABLE many (i BIGINT); {numbers} INSERT INTO many SELECT i FROM g")
    config = CONFIG.format(lite=lite.path, duck=duck.path)
    env = {"PG_URI": postgres.database().uri()}
    with HttpServer(tmp_path_factory.mktemp("house"), config=config, env=env) as server:
        yield server


class Statement(threading.Thread):
    """A statement that runs in the server until it is killed."""

    def __init__(self, house, sql):
        super().__init__()
        self.house, self.sql, self.answer = house, sql, None
        self.start()

    def run(self):
        connection = self.house.connect(120)
        connection.request("POST", "/v1/sql", self.sql.encode())
        response = connection.getresponse()
        self.answer = response.status, response.read().decode()
        connection.close()

    def id(self):
        quoted = self.sql.replace("'", "''")
        found = self.house.rows(f"SELECT query_id FROM system.queries WHERE state = 'running' AND sql = '{quoted}'")
        return found[0][0] if found else None

    def kill(self):
        id = until(self.id, "it runs")
        started = time.monotonic()
        answer = self.house.sql(f"KILL QUERY '{id}'")
        assert answer.status == 200, answer.body
        self.join(SECONDS)
        assert not self.is_alive(), "it goes on"
        assert time.monotonic() - started < SECONDS
        assert "57014" in self.answer[1], self.answer


def n_active(postgres):
    sql = "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0 AND state <> 'idle' AND pid <> pg_backend_pid()"
    return postgres.database().value(sql)


def count(house, mount, condition="true", table="t"):
    """Also: the mount is used on."""
    ((n,),) = house.rows(f"SELECT count(*) AS n FROM {mount}.{SCHEMAS[mount]}.{table} WHERE {condition}")
    return n


@pytest.mark.parametrize("mount", SCHEMAS)
def test_an_insert_in_the_midst_of_its_rows(house, postgres, mount):
    statement = Statement(house, f"INSERT INTO {mount}.{SCHEMAS[mount]}.t {ENDLESS}")
    until(statement.id, "it runs")
    if mount == "pg":
        until(lambda: n_active(postgres) > 0, "it runs in the database")
    statement.kill()
    if mount == "pg":
        until(lambda: n_active(postgres) == 0, "it ends in the database", SECONDS)
    assert count(house, mount) == 0
    # That it is over shows in that others can write.
    written = house.sql(f"INSERT INTO {mount}.{SCHEMAS[mount]}.t VALUES (1, 'mine')")
    assert written.status == 200, written.body
    assert count(house, mount) == 1
    assert house.sql(f"DELETE FROM {mount}.{SCHEMAS[mount]}.t").status == 200


@pytest.mark.parametrize("mount", SCHEMAS)
def test_a_table_that_is_being_made(house, postgres, mount):
    statement = Statement(house, f"CREATE TABLE {mount}.{SCHEMAS[mount]}.made AS {ENDLESS}")
    until(statement.id, "it runs")
    statement.kill()
    until(lambda: n_active(postgres) == 0, "it ends in the database", SECONDS)
    answer = house.sql(f"SELECT * FROM {mount}.{SCHEMAS[mount]}.made")
    assert answer.status != 200 and b"made" in answer.body


@contextlib.contextmanager
def held(database, lock):
    """Another client's transaction."""
    with database.connect() as connection:
        connection.adbc_connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute(lock)
            if cursor.description:
                cursor.fetchall()
            try:
                yield
            finally:
                connection.rollback()


WAITING = [
    ("INSERT INTO pg.public.t VALUES (7, 'x')", "LOCK TABLE t IN EXCLUSIVE MODE", "SELECT count(*) FROM t", 0),
    ("UPDATE pg.public.many SET i = 0 WHERE i = 5", "SELECT * FROM many WHERE i = 5 FOR UPDATE", "SELECT count(*) FROM many WHERE i = 0", 0),
    ("DELETE FROM pg.public.many WHERE i = 5", "SELECT * FROM many WHERE i = 5 FOR UPDATE", "SELECT count(*) FROM many WHERE i = 5", 1),
    ("DROP TABLE pg.public.t", "LOCK TABLE t IN ROW EXCLUSIVE MODE", "SELECT count(*) FROM t", 0),
    ("CREATE OR REPLACE TABLE pg.public.t AS SELECT 1 AS i", "LOCK TABLE t IN ROW EXCLUSIVE MODE", "SELECT count(*) FROM t WHERE s IS NULL", 0),
]


@pytest.mark.parametrize("sql, lock, look, expected", WAITING)
def test_what_waits_for_a_lock_in_postgresql(house, postgres, sql, lock, look, expected):
    """Where no row is on its way, only the database can end it."""
    database = postgres.database()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with held(database, lock):
        statement = Statement(house, sql)
        until(lambda: database.value(waiting) > 0, "it waits there")
        statement.kill()
        until(lambda: database.value(waiting) == 0, "it waits no longer", SECONDS)
    assert database.value(look) == expected
    assert count(house, "pg", "i > 0", "many") == 1000000


def test_an_update_of_many_rows_in_postgresql(house, postgres):
    statement = Statement(house, "UPDATE pg.public.many SET i = 0 WHERE i IS NOT NULL")
    until(lambda: n_active(postgres) > 0, "it runs in the database")
    statement.kill()
    until(lambda: n_active(postgres) == 0, "it ends in the database", SECONDS)
    assert postgres.database().value("SELECT count(*) FROM many WHERE i = 0") == 0


def test_an_update_of_many_rows_in_duckdb(house):
    statement = Statement(house, "UPDATE duck.main.many SET i = 0 WHERE i IS NOT NULL")
    statement.kill()
    # What reads after it shows the same for as long as it would have taken.
    assert count(house, "duck", "i = 0", "many") == 0
    assert house.sql("DELETE FROM duck.main.many WHERE i = 1").status == 200
    assert count(house, "duck", "i = 0", "many") == 0


def test_a_change_of_sqlite_that_nothing_can_end_is_taken_back(house, files):
    """Its driver has no cancel: the answer comes at once, the statement goes on, and is not committed."""
    lite, _ = files
    with contextlib.closing(sqlite3.connect(lite.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        statement = Statement(house, "UPDATE lite.main.many SET i = 0 WHERE i IS NOT NULL")
        statement.kill()
        other.execute("ROLLBACK")
        other.execute("PRAGMA busy_timeout = 60000")
        # When another one may write, it is over.
        until(lambda: settled(other), "it ends", 60)
        assert other.execute("SELECT count(*) FROM many WHERE i = 0").fetchall() == [(0,)]
    assert count(house, "lite", "i > 0", "many") == 1000000
    assert house.sql("UPDATE lite.main.many SET i = -1 WHERE i = 1").status == 200
    assert count(house, "lite", "i = -1", "many") == 1


def settled(connection):
    """No one writes, twice in a row with a pause in which one that waits would begin."""
    for _ in range(2):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        time.sleep(0.2)
    return True


def test_an_interrupt_of_the_program(postgres, db, drivers, house):
    db.env["ADBC_DRIVER_PATH"] = os.environ["ADBC_DRIVER_PATH"]
    process = db.start("sql", f"{postgres.database().attach('x')}; INSERT INTO x.public.t {ENDLESS}")
    try:
        until(lambda: n_active(postgres) > 0, "it runs in the database")
        process.send_signal(2)
        _, said = process.communicate(timeout=20)
        assert process.returncode == 130, said
    finally:
        process.kill()
        process.wait()
    until(lambda: n_active(postgres) == 0, "it ends in the database", SECONDS)
    assert postgres.database().value("SELECT count(*) FROM t") == 0


def test_a_timeout_of_the_statement(postgres, db, drivers, house):
    db.env["ADBC_DRIVER_PATH"] = os.environ["ADBC_DRIVER_PATH"]
    with held(postgres.database(), "LOCK TABLE t IN EXCLUSIVE MODE"):
        db.fail(f"{postgres.database().attach('x')}; INSERT INTO x.public.t VALUES (1, 'x')", "1 s", args=("--timeout", "1s"))
        until(lambda: postgres.database().value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 0, "it waits no longer", SECONDS)
    assert postgres.database().value("SELECT count(*) FROM t") == 0
