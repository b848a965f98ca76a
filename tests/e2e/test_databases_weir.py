# SPDX-License-Identifier: Apache-2.0
"""Another weir as a database: `weir serve`, attached by the ADBC driver for Flight SQL."""

import re
import subprocess
import threading
import time

import pyarrow as pa
import pyarrow.parquet
import pytest
import values
from conftest import PROGRAM, ROOT
from http_server import until
from test_databases_failures import FAILURES, fails, within
from test_pushdown import Weir, types_of
from test_tpch import TABLES, reference, same  # noqa: F401  a fixture
from weir_server import WeirServer

# The name of each column, and its values as SQL.
TYPES = {
    "b": "CAST(NULL AS BOOLEAN), TRUE, FALSE",
    "i8": "CAST(NULL AS TINYINT), -128, 127",
    "i16": "CAST(NULL AS SMALLINT), -32768, 32767",
    "i32": "CAST(NULL AS INTEGER), -2147483648, 2147483647",
    "i64": "CAST(NULL AS BIGINT), -9223372036854775808, 9223372036854775807",
    "u8": "CAST(NULL AS TINYINT UNSIGNED), 0, 255",
    "u64": "CAST(NULL AS BIGINT UNSIGNED), 0, CAST('18446744073709551615' AS BIGINT UNSIGNED)",
    "f32": "CAST(NULL AS REAL), CAST('-0.0' AS REAL), CAST('Infinity' AS REAL)",
    "f64": "CAST(NULL AS DOUBLE), CAST('NaN' AS DOUBLE), 1e308",
    "dec": "CAST(NULL AS DECIMAL(38, 10)), 0, CAST('-1234567890123456789012345678.0123456789' AS DECIMAL(38, 10))",
    "wide": "CAST(NULL AS DECIMAL(60, 2)), 0, CAST('123456789012345678901234567890123456789012345678.25' AS DECIMAL(60, 2))",
    "t": "CAST(NULL AS VARCHAR), '', 'it''s \"ä\" 🦆 \\ % _'",
    "by": "CAST(NULL AS BYTEA), X'', X'00ff27'",
    "d": "CAST(NULL AS DATE), DATE '0001-01-01', DATE '9999-12-31'",
    "ts": "CAST(NULL AS TIMESTAMP), TIMESTAMP '1969-12-31 23:59:59.999999999', TIMESTAMP '2262-04-11 23:47:16'",
    "tz": "arrow_cast(NULL, 'Timestamp(Microsecond, Some(\"UTC\"))'), arrow_cast(0, 'Timestamp(Microsecond, Some(\"UTC\"))'), arrow_cast(-1, 'Timestamp(Microsecond, Some(\"UTC\"))')",
    "tm": "CAST(NULL AS TIME), TIME '00:00:00', TIME '23:59:59.999999999'",
    "iv": "CAST(NULL AS INTERVAL), INTERVAL '1 year 2 months 3 days 4 hours', INTERVAL '-1 day'",
    "du": "arrow_cast(NULL, 'Duration(Microsecond)'), arrow_cast(0, 'Duration(Microsecond)'), arrow_cast(-5, 'Duration(Microsecond)')",
    "li": "arrow_cast(NULL, 'List(Int64)'), make_array(1, NULL, 3), arrow_cast(make_array(), 'List(Int64)')",
    "nested": "CAST(NULL AS STRUCT<a BIGINT, b VARCHAR>), named_struct('a', 1, 'b', 'x'), named_struct('a', CAST(NULL AS BIGINT), 'b', '')",
}  # fmt: skip
ODD = ["a_b", "axb", "100%", 'quo"te', "Mixed Case", "select", "back\\slash", "günther's; --"]


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


def types_query():
    rows = [", ".join(f"{split(values)[i]} AS {name}" for name, values in TYPES.items()) for i in range(3)]
    return " UNION ALL ".join(f"SELECT {i} AS id, {row}" for i, row in enumerate(rows))


def split(text):
    """By commas outside of parentheses, brackets and texts."""
    parts, depth, quoted = [""], 0, False
    for c in text:
        quoted ^= c == "'"
        depth += (c in "(<[") - (c in ")>]") if not quoted else 0
        if c == "," and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


@pytest.fixture(scope="module")
def server(drivers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("remote")
    lake = directory / "lake"
    (lake / "deep").mkdir(parents=True)
    rows = pa.table({"i": list(range(1000)), "s": [f"t{i % 7}" if i % 3 else None for i in range(1000)]})
    pyarrow.parquet.write_table(rows, lake / "x.parquet")
    pyarrow.parquet.write_table(rows.slice(0, 5), lake / "deep" / "y.parquet")
    with WeirServer(drivers, directory / "ws", f"mounts:\n  lake: {{ kind: files, url: {lake} }}\n") as server:
        yield server


@pytest.fixture(scope="module")
def weir(server):
    """The other weir, with the server's own catalog as `x` and its mount as `lake`."""
    with Weir({"x": server}) as weir:
        weir.session.run(server.attach("lake", ", CATALOG lake"))
        yield weir


@pytest.fixture
def table(server, request):
    """A table of 100 rows on the server, `i` from 0 on and `s`."""
    name = "t_" + re.sub(r"\W", "_", request.node.name)
    server.script(f"CREATE TABLE {name} AS SELECT i - 1 AS i, concat('s', i % 10) AS s FROM generate_series(1, 100) AS g(i)")
    yield name
    server.script(f"DROP TABLE IF EXISTS {name}")


# ---- Names ----


def names_of(weir, catalog):
    sql = f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = '{catalog}' AND table_schema <> 'information_schema'"
    return set(weir.session.rows(sql))


def test_the_current_catalog_is_attached_and_others_by_name(weir, server):
    server.script("CREATE TABLE here AS SELECT 1 AS a")
    assert names_of(weir, "lake") == {(".", "x"), (".", "deep"), ("deep", "y")}
    assert ("public", "here") in names_of(weir, "x")
    assert not {name for _, name in names_of(weir, "x")} & {"x", "y", "settings"}
    assert weir.session.rows("SELECT a FROM x.here") == weir.session.rows("SELECT a FROM x.public.here") == [(1,)]
    assert weir.session.rows("SELECT count(*), max(i) FROM lake.x") == [(1000, 999)]
    assert weir.session.rows("SELECT count(*) FROM lake.deep.y") == [(5,)]


def test_the_tables_of_its_system_are_read(weir, server):
    weir.session.run(server.attach("sys", ", CATALOG system"))
    assert weir.session.rows("SELECT name FROM sys.mounts ORDER BY name") == server.rows("SELECT name FROM system.mounts ORDER BY name")
    weir.session.run("DETACH sys")


def test_a_catalog_that_is_not_there_has_nothing(weir, server):
    weir.session.run(server.attach("none", ", CATALOG nosuch"))
    fails(weir, "SELECT * FROM none.public.t", "public")
    weir.session.run("DETACH none")


def test_a_catalog_is_refused_where_a_connection_has_one(drivers, tmp_path, db):
    db.env["ADBC_DRIVER_PATH"] = str(drivers.directory)
    db.fail(f"ATTACH '{tmp_path}/a.db' AS q (TYPE adbc, DRIVER sqlite, CREATE true, CATALOG main)", "catalog", "SQLite")


def test_a_name_is_itself_and_no_pattern(weir, server):
    for i, name in enumerate(ODD):
        server.script(f"CREATE TABLE {identifier(name)} AS SELECT {i} AS {identifier(name)}")
    for i, name in enumerate(ODD):
        assert weir.session.query(f"SELECT * FROM x.public.{identifier(name)}").read_all().to_pylist() == [{name: i}]
    assert {("public", name) for name in ODD} <= names_of(weir, "x")
    fails(weir, 'SELECT * FROM x.public."a%b"', "a%b")
    for name in ODD:
        server.script(f"DROP TABLE {identifier(name)}")


def test_schemas_are_made_and_dropped(weir, server):
    weir.session.run("CREATE SCHEMA x.made")
    weir.session.run("CREATE TABLE x.made.t AS SELECT 1 AS a")
    assert server.rows("SELECT a FROM weir.made.t") == [(1,)]
    weir.session.run("DROP TABLE x.made.t")
    weir.session.run("DROP SCHEMA x.made")
    assert server.value("SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'made'") == 0


# ---- Rows ----


def test_every_type_comes_back_as_it_is_there(weir, server):
    server.script(f"CREATE TABLE types AS {types_query()}")
    there = server.table("SELECT * FROM types ORDER BY id")
    here = weir.session.query("SELECT * FROM x.public.types ORDER BY id").read_all()
    assert here.num_rows == 3
    assert types_of(here) == types_of(there)
    assert [str(row) for row in here.to_pylist()] == [str(row) for row in there.to_pylist()]
    empty = weir.session.query("SELECT * FROM x.public.types WHERE id > 5").read_all()
    assert empty.num_rows == 0 and types_of(empty) == types_of(there)


def test_what_cannot_be_null_there_cannot_here(weir, server):
    server.script("CREATE TABLE strict (a BIGINT NOT NULL, b BIGINT)")
    schema = weir.session.query("SELECT * FROM x.public.strict").schema
    assert [field.nullable for field in schema] == [False, True]


QUERIES = [
    "SELECT i FROM {x} WHERE i < 10",
    "SELECT s, i FROM {x} WHERE s IS NULL AND i >= 990",
    "SELECT count(*) AS n, sum(i) AS t FROM {x} WHERE s = 't3'",
    "SELECT s, count(*) AS n, avg(i) AS a FROM {x} GROUP BY s ORDER BY s NULLS FIRST",
    "SELECT i FROM {x} ORDER BY i DESC LIMIT 5 OFFSET 3",
    "SELECT a.i FROM {x} AS a JOIN {x} AS b ON a.i = b.i + 990",
    "SELECT DISTINCT s FROM {x} WHERE s LIKE 't_' OR s ILIKE 'T1'",
    "SELECT i, row_number() OVER (PARTITION BY s ORDER BY i) AS n FROM {x} WHERE i % 100 = 1",
    "SELECT i FROM {x} WHERE i IN (SELECT max(i) FROM {x} GROUP BY s)",
    "SELECT i / 7 AS q, i % 7 AS r, i * 1.5 AS f FROM {x} WHERE i BETWEEN 5 AND 8",
    "SELECT upper(s) AS u, i FROM {x} WHERE i < 0",
]


@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_those_of_the_server_itself(weir, server, query):
    there = values.rows_of(server.table(query.format(x="lake.x")))
    ordered = "ORDER BY" in query.rsplit(")", 1)[-1]
    for is_on in (True, False):
        here = weir.ask(query.format(x="lake.x"), is_on)
        assert not isinstance(here, str), here
        assert not values.difference(values.rows_of(here), there, values.exactly, ordered)


def test_filters_and_columns_are_the_servers(weir):
    plan = weir.explain("SELECT s FROM lake.x WHERE i < 10")
    sent = plan.split("sql=", 1)[1]
    assert '"lake"."."."x"' in sent and "< 10" in sent, plan


def test_a_result_in_several_endpoints_is_whole(drivers, tmp_path):
    """The driver reads them itself, at the same time; each has its rows once."""
    (tmp_path / "all").mkdir()
    for k in range(8):
        pyarrow.parquet.write_table(pa.table({"i": list(range(k * 1000, k * 1000 + 1000))}), tmp_path / "all" / f"part{k}.parquet")
    config = f"mounts:\n  parts: {{ kind: files, url: {tmp_path} }}\n"
    with WeirServer(drivers, tmp_path / "ws", config) as server, Weir({}) as weir:
        header = '"adbc.flight.sql.rpc.call_header.weir-endpoints"'
        weir.session.run(server.attach("x", f", CATALOG parts, {header} '4'"))
        rows = weir.session.rows("SELECT i FROM x.all")
        assert sorted(i for (i,) in rows) == list(range(8000))
        assert weir.session.rows("SELECT i FROM x.all ORDER BY i DESC LIMIT 3") == [(7999,), (7998,), (7997,)]


@pytest.fixture(scope="module")
def divided(drivers, tmp_path_factory):
    """A table of eight files, whose rows the server gives in as many parts as it is asked for."""
    path = tmp_path_factory.mktemp("divided")
    (path / "all").mkdir()
    for k in range(8):
        pyarrow.parquet.write_table(pa.table({"i": list(range(k * 1000, k * 1000 + 1000))}), path / "all" / f"part{k}.parquet")
    config = f"mounts:\n  parts: {{ kind: files, url: {path} }}\n"
    with WeirServer(drivers, path / "ws", config) as server, Weir({}) as weir:

        def create(name, query, more):
            header = "\"adbc.flight.sql.rpc.call_header.weir-endpoints\" '8'"
            options = f"url '{server.uri}', driver 'flightsql', query '{query}', {header}, {more}"
            weir.session.run(f"CREATE TABLE {name} USING adbc OPTIONS ({options})")

        weir.create = create
        yield weir


@pytest.mark.parametrize("n", [1, 2, 3, 16])
def test_partitions_of_a_result_are_shared_by_several_connections(divided, n):
    """Each is read once, whatever number of them there is for each connection."""
    divided.create(f"p{n}", 'SELECT i FROM parts."all"', f"num_partitions {n}")
    assert f"partitions={min(n, 8)}," in divided.explain(f"SELECT i FROM p{n}")
    for _ in range(5):
        assert sorted(i for (i,) in divided.session.rows(f"SELECT i FROM p{n}")) == list(range(8000))
    assert divided.session.rows(f"SELECT sum(i), count(*) FROM p{n}") == [(7999 * 4000, 8000)]
    assert sorted(divided.session.rows(f"SELECT i FROM p{n} WHERE i % 1000 = 7")) == [(k * 1000 + 7,) for k in range(8)]
    assert len(divided.session.rows(f"SELECT i FROM p{n} LIMIT 5")) == 5
    assert divided.session.rows(f"SELECT i FROM p{n} ORDER BY i DESC LIMIT 3") == [(7999,), (7998,), (7997,)]


def test_a_partition_that_fails_is_named(divided):
    divided.create("failing", 'SELECT 1 / (i - 7500) AS j FROM parts."all"', "num_partitions 3")
    with pytest.raises(FAILURES, match=r"partition \d of \d.*[Dd]ivide by zero"):
        divided.session.rows("SELECT j FROM failing")
    assert divided.session.rows("SELECT 1") == [(1,)]


def test_a_query_of_the_server_is_a_table(weir, server):
    weir.session.run(f"CREATE TABLE q USING adbc OPTIONS (url '{server.uri}', driver 'flightsql', query 'SELECT i + 1 AS j FROM lake.x WHERE i < 3')")
    assert sorted(weir.session.rows("SELECT j FROM q")) == [(1,), (2,), (3,)]
    weir.session.run("DROP TABLE q")


@pytest.mark.parametrize("number", range(1, 23))
def test_tpch_over_it_gives_the_same_rows(drivers, tpch, reference, tpch_weir, number):  # noqa: F811
    sql = (ROOT / "bench" / "tpch" / f"q{number:02}.sql").read_text()
    expected = reference.execute(sql).fetchall()
    got = tpch_weir.session.rows(sql)
    assert len(got) == len(expected) > 0
    for i, (a, b) in enumerate(zip(got, expected)):
        assert len(a) == len(b) and all(map(same, a, b)), f"row {i}: {a} is not {b}"


@pytest.fixture(scope="module")
def tpch_weir(drivers, tpch, tmp_path_factory):
    config = f"mounts:\n  tpch: {{ kind: files, url: {tpch} }}\n"
    with WeirServer(drivers, tmp_path_factory.mktemp("tpch_remote") / "ws", config) as server, Weir({}) as weir:
        weir.session.run(server.attach("x", ", CATALOG tpch"))
        for name in TABLES:
            weir.session.run(f"CREATE VIEW {name} AS SELECT * FROM x.{name}")
        yield weir


# ---- Changes ----


def test_tables_are_made_filled_and_dropped(weir, server):
    weir.session.run("CREATE TABLE x.public.made AS SELECT i, s FROM lake.x")
    assert server.rows("SELECT count(*), sum(i) FROM made") == [(1000, 499500)]
    fails(weir, "CREATE TABLE x.public.made AS SELECT 1 AS i", "made", "already")
    weir.session.run("INSERT INTO x.public.made VALUES (-1, NULL), (-2, 'two')")
    assert server.rows("SELECT s FROM made WHERE i < 0 ORDER BY i") == [("two",), (None,)]
    weir.session.run("CREATE OR REPLACE TABLE x.public.made AS SELECT i + 1 AS j FROM x.public.made WHERE i < 0")
    assert sorted(server.rows("SELECT j FROM made")) == [(-1,), (0,)]
    weir.session.run("DROP TABLE x.public.made")
    fails(weir, "SELECT * FROM x.public.made", "made")


def test_rows_that_fail_on_the_way_leave_nothing(weir, server, table):
    half = "SELECT 10 / (i - 200000) AS i, 'x' AS s FROM generate_series(1, 300000) AS g(i)"
    for sql in (f"INSERT INTO x.public.{table} {half}", f"CREATE TABLE x.public.half AS {half}"):
        fails(weir, sql, "zero")
    assert server.value(f"SELECT count(*) FROM {table}") == 100
    with pytest.raises(Exception, match="half"):
        server.rows("SELECT * FROM half")


def test_inserting_over_all_rows_is_refused(weir, server, table):
    fails(weir, f"INSERT OVERWRITE x.public.{table} VALUES (1, 'x')", "transactions")
    assert server.value(f"SELECT count(*) FROM {table}") == 100


CHANGES = [
    ("UPDATE {t} SET s = 'new' WHERE i < 10", "SELECT count(*) FROM {t} WHERE s = 'new'", 10),
    ("UPDATE {t} SET i = i + 1000 WHERE s = 's3'", "SELECT count(*) FROM {t} WHERE i >= 1000", 10),
    ("UPDATE {t} SET s = NULL", "SELECT count(*) FROM {t} WHERE s IS NULL", 100),
    ("DELETE FROM {t} WHERE i >= 90", "SELECT 100 - count(*) FROM {t}", 10),
    ("DELETE FROM {t} WHERE s IS NULL", "SELECT 100 - count(*) FROM {t}", 0),
    ("DELETE FROM {t} WHERE i IN (SELECT max(i) FROM {t})", "SELECT 100 - count(*) FROM {t}", 1),
    ("DELETE FROM {t}", "SELECT 100 - count(*) FROM {t}", 100),
]


@pytest.mark.parametrize("sql, count, expected", CHANGES)
def test_a_change_is_that_of_the_server_or_none(weir, server, table, sql, count, expected):
    before = server.rows(f"SELECT * FROM {table} ORDER BY i")
    try:
        ((changed,),) = weir.session.rows(sql.format(t=f"x.public.{table}")) or [(None,)]
    except FAILURES:
        assert server.rows(f"SELECT * FROM {table} ORDER BY i") == before
    else:
        assert changed in (None, expected)
        assert server.value(count.format(t=table)) == expected


def test_a_view_there_takes_no_rows(weir, server):
    server.script("CREATE VIEW seen AS SELECT 1 AS a")
    assert weir.session.rows("SELECT a FROM x.public.seen") == [(1,)]
    with pytest.raises(FAILURES):
        weir.session.run("INSERT INTO x.public.seen VALUES (2)")
    fails(weir, "DROP TABLE x.public.seen", "view")
    assert server.rows("SELECT a FROM seen") == [(1,)]


# ---- Failures ----


def test_errors_keep_their_state_and_name_the_database(weir, server, table):
    text = fails(weir, f"SELECT 10 / (i - 50) FROM x.public.{table}", "zero")
    assert "SQLSTATE" not in text and "rpc error" not in text
    wrong = f"CREATE TABLE wrong USING adbc OPTIONS (url '{server.uri}', driver 'flightsql', query 'SELECT nosuch FROM lake.x')"
    fails(weir, wrong, "nosuch", "42703")


def test_a_server_that_is_stopped_is_an_error_and_one_that_is_back_is_used(drivers, tmp_path):
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    with WeirServer(drivers, tmp_path / "ws", f"mounts:\n  files: {{ kind: files, url: {tmp_path} }}\n") as server, Weir({}) as weir:
        weir.session.run(server.attach("x", ", CATALOG files"))
        assert weir.session.rows("SELECT sum(a) FROM x.a") == [(3,)]
        for kill in (False, True):
            server.stop(kill)
            fails(weir, "SELECT sum(a) FROM x.a", "x")
            server.start()
            until(lambda: answers(weir, "SELECT sum(a) FROM x.a", [(3,)]), "it answers again", 10)


def answers(weir, sql, rows):
    try:
        return weir.session.rows(sql) == rows
    except FAILURES:
        return False


def test_a_server_that_is_not_there_is_said(drivers, db):
    db.env["ADBC_DRIVER_PATH"] = str(drivers.directory)
    with within(8):
        db.fail("ATTACH 'grpc://127.0.0.1:1' AS x (TYPE adbc)", "x")


def test_credentials_come_from_the_environment_and_are_not_shown(drivers, tmp_path, db):
    workspace = tmp_path / "ws"
    workspace.mkdir()
    (workspace / "weir.yaml").write_text("")
    made = subprocess.run([PROGRAM, "user", "add", "ada"], input="Pa55-of-ada\n", cwd=workspace, capture_output=True, text=True, env={**db.env})
    assert made.returncode == 0, made.stderr
    db.env.update(ADBC_DRIVER_PATH=str(drivers.directory), W_PASSWORD="Pa55-of-ada")
    with WeirServer(drivers, workspace, user="ada", password="Pa55-of-ada") as server:
        assert server.rows("SELECT 1 AS a") == [(1,)]
        attach = server.attach("x", ", USERNAME 'ada', PASSWORD '${env:W_PASSWORD}'")
        shown = db.ok(f"{attach}; SELECT * FROM system.mounts; SELECT count(*) AS n FROM information_schema.tables WHERE table_catalog = 'x'")
        assert "Pa55" not in shown
        for password in ("wr0ng", ""):
            db.env["W_PASSWORD"] = password
            with within(8):
                said = db.fail(f"{attach}; SELECT * FROM x.public.t", "x")
            assert "wr0ng" not in said.replace("${env", "") and "Pa55" not in said


# ---- Cancel ----

SLOW = "SELECT count(*) AS n FROM generate_series(1, 100000) AS a(i), generate_series(1, 1000000) AS b(j) WHERE (i * j) % 7 = 3"


def test_an_interrupt_ends_the_statement_on_the_server(drivers, server, db):
    server.script(f"CREATE VIEW slow AS {SLOW}")
    db.env["ADBC_DRIVER_PATH"] = str(drivers.directory)
    process = db.start("sql", f"{server.attach('x')}; SELECT n FROM x.public.slow")
    try:
        slow = "SELECT count(*) FROM system.queries WHERE state = 'running' AND sql LIKE '%slow%' AND sql NOT LIKE '%system.%'"
        until(lambda: server.value(slow) > 0, "it runs there")
        process.send_signal(2)
        started = time.monotonic()
        _, said = process.communicate(timeout=20)
        assert process.returncode == 130, said
        assert time.monotonic() - started < 5
        until(lambda: server.value(slow) == 0, "it ends there", 5)
    finally:
        process.kill()
        process.wait()


def test_a_table_whose_making_is_killed_there_is_an_error_and_not_made(server, weir):
    sql = "CREATE TABLE x.public.cut AS SELECT i, 'x' AS s FROM generate_series(1, 1000000000) AS g(i)"
    failed = []

    def run():
        try:
            weir.session.run(sql)
        except FAILURES as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: server.value("SELECT count(*) FROM system.queries WHERE state = 'running' AND sql LIKE '%weir ingest%' AND sql NOT LIKE '%system.%'"), "it runs there")
    ((query,),) = server.rows("SELECT query_id FROM system.queries WHERE state = 'running' AND sql LIKE '%weir ingest%' AND sql NOT LIKE '%system.%'")
    server.script(f"KILL QUERY '{query}'")
    thread.join(20)
    assert not thread.is_alive() and failed
    fails(weir, "SELECT * FROM x.public.cut", "cut")
