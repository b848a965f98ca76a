# SPDX-License-Identifier: Apache-2.0
"""Names of databases, tables made and dropped in them, tables of queries, partitions, and secrets in options."""

import sqlite3

import pytest
from backends import PASSWORD, PASSWORD_IN_URI, DuckDB, Server, SQLite
from databases import need

TABLES = {
    "Mixed Case": "a",
    'quo"te': "b",
    "select": "c",
    "dots.and.more": "d",
    "Ünïcödé 数据": "e",
    "it's": "f",
    "a$b; --": "g",
    "x.csv": "h",
}


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


@pytest.fixture(scope="module")
def postgres(drivers):
    need(drivers, "postgresql")
    server = Server(drivers)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(params=["postgresql", "sqlite", "duckdb", "mysql"])
def database(request, drivers, tmp_path):
    """One of each, empty; the name of the catalog is x."""
    need(drivers, request.param)
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        made = server.create(tmp_path.name)
        made.uri_of = made.uri()
        return made
    if request.param == "mysql":
        return request.getfixturevalue("mysql_server").create(tmp_path.name)
    if request.param == "sqlite":
        sqlite3.connect(tmp_path / "x.sqlite").execute("PRAGMA user_version = 1").connection.close()
        return SQLite(drivers, tmp_path / "x.sqlite")
    made = DuckDB(drivers, tmp_path / "x.duckdb")
    made.run("SELECT 1")
    return made


def url_of(database):
    return database.uri() if hasattr(database, "uri") else str(database.path)


def using(database, options):
    """CREATE TABLE t of such a table."""
    return f"CREATE TABLE t USING adbc OPTIONS (driver {database.name}, url '{url_of(database)}', {options})"


# ---- Names ----


def test_every_name_is_listed_found_and_read(database, db):
    for name, value in TABLES.items():
        database.run(f"CREATE TABLE {quote(name)} ({quote(name)} text)")
        database.run(f"INSERT INTO {quote(name)} VALUES ('{value}')")
    attach = database.attach("x")
    listed = db.rows(f"{attach}; SELECT table_name FROM information_schema.tables WHERE table_catalog = 'x' AND table_schema = '{database.schema}'")
    assert sorted(name for (name,) in listed) == sorted(TABLES)
    for name, value in TABLES.items():
        full = f"x.{database.schema}.{quote(name)}"
        assert db.rows(f"{attach}; SELECT * FROM {full} WHERE {quote(name)} = '{value}'") == [(value,)]
        if "." not in name:
            assert db.rows(f"{attach}; SELECT * FROM x.{quote(name)}") == [(value,)]


def test_a_name_that_is_no_component_of_a_path_is_read_by_its_options(database, db):
    database.run('CREATE TABLE "a/b" (x int)')
    database.run('INSERT INTO "a/b" VALUES (7)')
    attach = database.attach("x")
    assert "a/b" not in db.ok(f"{attach}; SELECT table_name FROM information_schema.tables WHERE table_catalog = 'x'")
    assert db.rows(using(database, f"schema '{database.schema}', \"table\" 'a/b'") + "; SELECT * FROM t") == [(7,)]


def test_what_is_not_there_is_named_with_the_nearest(database, db):
    database.run("CREATE TABLE customers (a int)")
    database.run('CREATE TABLE "Orders" (a int)')
    attach = database.attach("x")
    db.fail(f"{attach}; SELECT * FROM x.{database.schema}.customer", 'mount "x"', '"customer"', 'did you mean "customers"?')
    db.fail(f"{attach}; SELECT * FROM x.orders", 'did you mean "Orders"?')
    db.fail(f"{attach}; SELECT * FROM x.{database.schema}s.customers", "there is no schema", f'did you mean "{database.schema}"?')
    db.fail(using(database, "\"table\" 'custmers'"), 'did you mean "customers"?')


def test_other_schemas_are_directories(postgres, db, tmp_path):
    database = postgres.create(tmp_path.name)
    database.script('CREATE SCHEMA "Other One"; CREATE TABLE "Other One".t (a int); INSERT INTO "Other One".t VALUES (1); CREATE VIEW v AS SELECT 2 AS b')
    attach = database.attach("x")
    assert db.rows(f'{attach}; SELECT a, b FROM x."Other One".t, x.public.v') == [(1, 2)]
    names = [tuple(row) for row in db.rows(f"{attach}; SHOW NAMESPACES") if row[0] == "x"]
    assert ("x", "Other One") in names and ("x", "public") in names
    assert not any("pg_" in schema or schema == "information_schema" for _, schema in names)
    assert db.value(f"{attach}; SELECT count(*) FROM x.pg_catalog.pg_class WHERE relname = 'pg_class'") == 1


# ---- Tables made there ----


MADE = "SELECT * FROM (VALUES (1, CAST(1.5 AS DECIMAL(12,3)), DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03.5', 'a', true), (NULL, NULL, NULL, NULL, NULL, NULL)) AS v(i, n, d, ts, s, b)"
ROWS = [(1, 1.5, "2024-02-29", "2024-02-29T01:02:03.500", "a", True), (None,) * 6]


def test_a_table_is_made_read_replaced_and_dropped(database, db):
    attach = database.attach("x")
    db.ok(f"{attach}; CREATE TABLE x.{database.schema}.made AS {MADE}")
    assert db.rows(f"{attach}; SELECT i, CAST(n AS DOUBLE), CAST(d AS VARCHAR), CAST(ts AS VARCHAR), s, b FROM x.made") == ROWS
    made = f"table_catalog = 'x' AND table_schema = '{database.schema}' AND table_name = 'made'"
    assert db.rows(f"{attach}; SELECT data_type FROM information_schema.columns WHERE {made} AND column_name IN ('n', 'd') ORDER BY 1") == [
        ("Date32",),
        ("Decimal128(12, 3)",),
    ]
    db.fail(f"{attach}; CREATE TABLE x.made AS SELECT 1 AS a", "already exists")
    db.ok(f"{attach}; CREATE TABLE IF NOT EXISTS x.made AS SELECT 1 AS a")
    assert db.value(f"{attach}; SELECT count(*) FROM x.made") == 2
    db.ok(f"{attach}; CREATE OR REPLACE TABLE x.made AS SELECT i + 1 AS i FROM x.{database.schema}.made WHERE i = 1")
    assert db.rows(f"{attach}; SELECT * FROM x.made") == [(2,)]
    db.ok(f"{attach}; INSERT INTO x.made VALUES (3), (4); DROP TABLE x.made")
    db.fail(f"{attach}; SELECT * FROM x.made", "there is no table")
    db.fail(f"{attach}; DROP TABLE x.made", "doesn't exist")
    db.ok(f"{attach}; DROP TABLE IF EXISTS x.made")


def test_a_table_whose_rows_fail_is_not_there(database, db):
    attach = database.attach("x")
    failing = "SELECT 1 / (a - 50000) AS b FROM generate_series(1, 60000) AS g(a)"
    db.fail(f"{attach}; CREATE TABLE x.made AS {failing}", "divide by zero")
    db.fail(f"{attach}; SELECT * FROM x.made", "there is no table")
    db.ok(f"{attach}; CREATE TABLE x.made AS SELECT 7 AS b")
    db.fail(f"{attach}; CREATE OR REPLACE TABLE x.made AS {failing}", "divide by zero")
    assert db.rows(f"{attach}; SELECT * FROM x.made") == [(7,)]


def test_columns_without_rows_make_an_empty_table(database, db):
    attach = database.attach("x")
    db.ok(f"{attach}; CREATE TABLE x.made (a BIGINT, s VARCHAR)")
    assert db.value(f"{attach}; SELECT count(*) FROM x.made") == 0
    db.ok(f"{attach}; INSERT INTO x.made VALUES (1, 'x')")
    assert db.rows(f"{attach}; SELECT * FROM x.made") == [(1, "x")]


def test_what_a_mount_does_not_make_is_refused(database, db):
    attach = database.attach("x")
    db.fail(f"{attach}; CREATE VIEW x.{database.schema}.v AS SELECT 1 AS a", "mount")
    db.fail(f"{attach}; CREATE TEMPORARY TABLE x.{database.schema}.v AS SELECT 1 AS a", "TEMPORARY")
    db.fail(f"{attach}; CREATE TABLE x.nowhere.t AS SELECT 1 AS a", "there is no schema")


def test_schemas_are_made_and_dropped(database, db):
    attach = database.attach("x")
    if database.name == "sqlite":
        db.fail(f"{attach}; CREATE SCHEMA x.s", "CREATE SCHEMA does not work in SQLite")
        return
    db.ok(f"{attach}; CREATE SCHEMA x.s; CREATE SCHEMA IF NOT EXISTS x.s; CREATE TABLE x.s.t AS SELECT 1 AS a")
    assert db.rows(f"{attach}; SELECT * FROM x.s.t") == [(1,)]
    db.fail(f"{attach}; CREATE SCHEMA x.s", "already")
    db.fail(f"{attach}; DROP SCHEMA x.s", "depend")
    db.ok(f"{attach}; DROP SCHEMA x.s CASCADE; DROP SCHEMA IF EXISTS x.s")
    db.fail(f"{attach}; SELECT * FROM x.s.t", "there is no schema")


def test_files_are_copied_into_tables_and_tables_removed(postgres, db, tmp_path):
    database = postgres.create(tmp_path.name)
    (db.directory / "weir.yaml").write_text('mounts:\n  x: { kind: adbc, driver: postgresql, uri: "${env:X_URI}" }\n')
    db.env["X_URI"] = database.uri()
    (db.directory / "rows.csv").write_text("a,b\n1,x\n2,y\n")
    assert db.run("cp", "rows.csv", "/x/public/rows").returncode == 0
    assert db.run("cat", "/x/public/rows").stdout == "a,b\n1,x\n2,y\n"
    assert "already exists" in db.run("cp", "rows.csv", "/x/public/rows").stderr
    assert db.run("ls", "/x/public").stdout == "rows\n"
    assert db.run("rm", "/x/public/rows").returncode == 0
    assert db.run("ls", "/x/public").stdout == ""


# ---- Queries and partitions ----


def test_a_query_is_a_table_that_is_only_read(database, db):
    database.run("CREATE TABLE t (a int, s text)")
    database.run("INSERT INTO t VALUES (1, 'it''s'), (2, NULL)")
    create = using(database, "query 'SELECT a + 1 AS b, s FROM t WHERE a < 5 -- all of them\n;'")
    assert sorted(db.rows(f"{create}; SELECT * FROM t WHERE b > 1"), key=str) == [(2, "it's"), (3, None)]
    db.fail(f"{create}; INSERT INTO t VALUES (1, 'x')", "read only")
    db.fail(using(database, "query ' ; '"), "is empty")
    if database.name == "postgresql":  # the others give one of them another name
        db.fail(using(database, "query 'SELECT 1 AS a, 2 AS a'"), 'two columns are called "a"')
    db.fail(using(database, "query 'SELECT 1', \"table\" 't'"), "one of the options")


@pytest.mark.parametrize("options", ["num_partitions 4", "num_partitions 3, partition_column 'i', lower_bound 0, upper_bound 1000"])
def test_partitions_give_every_row_once(postgres, db, tmp_path, options):
    database = postgres.create(tmp_path.name)
    database.script("CREATE TABLE big AS SELECT nullif(i, 500)::float8 AS i, repeat('x', 500) AS s FROM generate_series(1, 2000) AS i; INSERT INTO big VALUES ('NaN', 's'), ('-infinity', 's'), ('infinity', 's')")
    create = using(database, f"\"table\" 'public.big', {options}")
    assert db.ok(f"{create}; EXPLAIN SELECT i FROM t").count("WHERE") >= 2
    for pushdown in ("on", "off"):
        rows = db.rows(f"{create}; SET weir.pushdown = {pushdown}; SELECT count(*), count(i), count(DISTINCT i), sum(length(s)) FROM t")
        assert rows == [(2003, 2002, 2002, 1000003)]


# ---- Secrets ----


def test_a_password_is_not_stored_but_its_reference_is(postgres, db, tmp_path):
    database = postgres.create(tmp_path.name)
    database.script("CREATE TABLE t AS SELECT 7 AS a")
    db.run("init")
    for statement in (
        database.attach("x"),
        f"ATTACH 'postgresql://weir@127.0.0.1:{postgres.port}/{database.database}' AS x (TYPE adbc, PASSWORD {literal(PASSWORD)})",
        using(database, "\"table\" 't'"),
    ):
        error = db.fail(statement, "${env:NAME}", "password")
        assert PASSWORD not in error and PASSWORD_IN_URI not in error
    db.env["X_URI"] = database.uri()
    (db.directory / "uri").write_text(database.uri() + "\n")
    db.ok("ATTACH '${env:X_URI}' AS x (TYPE adbc)")
    db.ok(f"ATTACH '${{file:{db.directory}/uri}}' AS y (TYPE adbc)")
    db.ok("CREATE TABLE u USING adbc OPTIONS (url '${env:X_URI}', \"table\" 't')")
    assert db.rows("SELECT x.t.a AS a, y.t.a AS b, u.a AS c FROM x.t, y.t, u") == [(7, 7, 7)]
    assert ("x", "adbc", "${env:X_URI}", "sql") in db.rows("SHOW MOUNTS")
    del db.env["X_URI"]
    db.fail("SELECT * FROM x.t", "X_URI is not set")
    for path in db.directory.glob(".weir/**/*"):
        if path.is_file():
            assert PASSWORD_IN_URI.encode() not in path.read_bytes(), path


def test_a_password_of_the_configuration_is_shown_nowhere(postgres, db, tmp_path):
    database = postgres.create(tmp_path.name)
    (db.directory / "weir.yaml").write_text(f'mounts:\n  x: {{ kind: adbc, uri: "{database.uri()}" }}\n  y: {{ kind: adbc, uri: "${{env:Y}}" }}\n')
    db.env["Y"] = database.uri()
    shown = db.ok("SHOW MOUNTS; SELECT * FROM system.mounts; SELECT * FROM system.settings; EXPLAIN SELECT * FROM x.pg_catalog.pg_class")
    shown += db.run("config", "show").stdout + db.run("config", "check").stdout
    assert PASSWORD_IN_URI not in shown and PASSWORD not in shown
    assert "postgresql://weir:***@127.0.0.1" in shown and "${env:Y}" in shown
