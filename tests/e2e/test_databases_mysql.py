# SPDX-License-Identifier: Apache-2.0
"""
What is MySQL's own: its types and their nasty values, texts that are equal without regard to case, dates of zeros,
literals whatever sql_mode is, tables made without transactions, and errors, cancels and servers that go and come.
"""

import contextlib
import datetime
import decimal
import os
import random
import signal
import threading
import time

import pytest
from backends import PASSWORD, PASSWORD_IN_URI
from backends_mysql import MySQLServer
from databases import need
from test_databases_failures import FAILURES, fails, settled, within
from test_pushdown import SEED, Weir, compare

SECRETS = [PASSWORD, PASSWORD_IN_URI, "s3cret", "p@ss w0rd"]
SLOW = "SELECT n FROM x.own.slow"
D = decimal.Decimal


@pytest.fixture(scope="module")
def mysql(drivers):
    """A server of this file's own, which it may stop and kill, with the database `own`."""
    need(drivers, "mysql")
    server = MySQLServer(drivers)
    try:
        own = server.create("own")
        own.script(
            "CREATE TABLE big (i BIGINT NOT NULL, s VARCHAR(200)); INSERT INTO big SELECT seq, repeat('x', 200) FROM seq_1_to_200000;"
            "CREATE VIEW slow AS SELECT count(*) AS n FROM big AS a, big AS b WHERE a.i * b.i % 7 = 3"
        )
        yield server
    finally:
        server.close()


@pytest.fixture
def own(mysql):
    return mysql.database("own")


@contextlib.contextmanager
def table(database, definition, *rows):
    """A table t for the time of a test."""
    database.script(f"CREATE TABLE t ({definition})" + "".join(f"; INSERT INTO t VALUES ({row})" for row in rows))
    try:
        with Weir({"x": database}) as weir:
            yield weir
    finally:
        database.script("DROP TABLE t")


def both(weir, sql):
    """The rows, which are the same with pushdown and without."""
    on, off = (weir.ask(sql, is_on) for is_on in (True, False))
    assert not isinstance(on, str), on
    what = compare(on, off, "ORDER BY" in sql)
    assert what is None, f"{what}\n{weir.explain(sql)}"
    return [tuple(row.values()) for row in on.to_pylist()]


# ---- Values ----


NUMBERS = {
    "TINYINT": (-128, 127, "int8"),
    "TINYINT UNSIGNED": (0, 255, "uint8"),
    "BOOLEAN": (-5, 1, "int8"),
    "SMALLINT UNSIGNED": (0, 65535, "uint16"),
    "MEDIUMINT": (-(2**23), 2**23 - 1, "int32"),
    "INT UNSIGNED ZEROFILL": (0, 2**32 - 1, "uint32"),
    "BIGINT": (-(2**63), 2**63 - 1, "int64"),
    "BIGINT UNSIGNED": (0, 2**64 - 1, "uint64"),
    "YEAR": (1901, 2155, "uint16"),
    "FLOAT": (-16777215.0, 0.10000000149011612, "float"),
    "DOUBLE": (5e-324, 1.7976931348623157e308, "double"),
    "DECIMAL(38,30)": (D("-12345678.123456789012345678901234567890"), D("99999999." + "9" * 30), "decimal128(38, 30)"),
    "DECIMAL(65,30)": (D("-1e-30"), D("9" * 35 + "." + "9" * 30), "decimal256(65, 30)"),
    "BIT(64)": (0, 2**64 - 1, "uint64"),
}


@pytest.mark.parametrize("type", NUMBERS)
def test_the_least_and_greatest_number_of_a_type_come_as_they_are(own, type):
    least, greatest, arrow = NUMBERS[type]
    decimal.getcontext().prec = 80
    with table(own, f"id INT PRIMARY KEY, v {type}", f"1, {least}", f"2, {greatest}", "3, NULL") as weir:
        assert both(weir, "SELECT v FROM x.own.t ORDER BY id") == [(least,), (greatest,), (None,)]
        assert str(weir.session.query("SELECT v FROM x.own.t LIMIT 0").schema.field("v").type) == arrow
        assert both(weir, "SELECT min(v), max(v), count(v) FROM x.own.t") == [(min(least, greatest), max(least, greatest), 2)]


TEXTS = {
    "VARCHAR(20) CHARACTER SET latin1": "Ü'\\",
    "CHAR(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci": "日本",
    "MEDIUMTEXT": "🦆 \\ \" ` ' % _",
    "ENUM('a', 'it''s', '🦆')": "it's",
    "SET('a', 'b', 'c')": "a,c",
    "JSON": '{"a": "\\u00e9"}',
    "UUID": "123e4567-e89b-12d3-a456-426655440000",
    "INET6": "2001:db8::ff00:42:8329",
}


@pytest.mark.parametrize("type", TEXTS)
def test_what_is_no_number_and_no_moment_is_a_text(own, type):
    value = TEXTS[type]
    with table(own, f"id INT PRIMARY KEY, v {type}", f"1, _utf8mb4 x'{value.encode().hex()}'", "2, NULL") as weir:
        assert both(weir, "SELECT v FROM x.own.t ORDER BY id") == [(value,), (None,)]
        quoted = value.replace("'", "''")
        assert both(weir, f"SELECT id FROM x.own.t WHERE v = '{quoted}'") == [(1,)]


def test_a_time_of_day_is_one_and_what_is_longer_an_error(own):
    with table(own, "id INT PRIMARY KEY, v TIME(6)", "1, '23:59:59.999999'", "2, '00:00:00'") as weir:
        assert both(weir, "SELECT v FROM x.own.t ORDER BY id") == [(datetime.time(23, 59, 59, 999999),), (datetime.time(),)]
        for value in ("-00:00:01", "24:00:00", "838:59:59"):
            own.script(f"UPDATE t SET v = '{value}' WHERE id = 2")
            fails(weir, "SELECT v FROM x.own.t WHERE id = 2", "v")


@pytest.mark.parametrize("type", ["DATE", "DATETIME", "DATETIME(6)", "TIMESTAMP NULL"])
@pytest.mark.parametrize("value", ["0000-00-00", "2024-00-00", "2024-02-30"])
def test_a_date_that_is_none_is_an_error_and_not_null(own, type, value):
    if type.startswith("TIMESTAMP") and value != "0000-00-00":
        return  # it holds no other one
    with table(own, f"id INT PRIMARY KEY, v {type}", "1, '2024-02-29'", "2, NULL") as weir:
        own.script(f"SET sql_mode = 'ALLOW_INVALID_DATES'; INSERT INTO t VALUES (3, '{value}')")
        fails(weir, "SELECT v FROM x.own.t", "v", value)
        assert weir.session.rows("SELECT count(v) FROM x.own.t WHERE id < 3") == [(1,)]


def test_moments_mean_the_same_whatever_the_servers_zone_is(own):
    with table(own, "id INT PRIMARY KEY, at TIMESTAMP(6) NULL, here DATETIME(6)", "1, '2024-07-01 12:00:00.5', '2024-07-01 12:00:00.5'") as weir:
        ((at, here),) = both(weir, "SELECT at, here FROM x.own.t")
        assert at == datetime.datetime(2024, 7, 1, 12, 0, 0, 500000, tzinfo=datetime.timezone.utc)
        assert here == at.replace(tzinfo=None)
        for condition in ("at = '2024-07-01T12:00:00.5Z'", "at > '2024-07-01T07:59:59-04:00'", "here = '2024-07-01T12:00:00.5'"):
            assert both(weir, f"SELECT id FROM x.own.t WHERE {condition}") == [(1,)]


def test_texts_are_equal_by_their_bytes_where_the_column_says_otherwise(own):
    values = ["a", "A", "a ", "á", "ss", "ß"]
    with table(own, "id INT PRIMARY KEY, v VARCHAR(20)", *(f"{i}, '{v}'" for i, v in enumerate(values))) as weir:
        for i, value in enumerate(values):
            assert both(weir, f"SELECT id FROM x.own.t WHERE v = '{value}'") == [(i,)]
            assert both(weir, f"SELECT id FROM x.own.t WHERE v LIKE '{value}'") == [(i,)]
        assert both(weir, "SELECT count(DISTINCT v) FROM x.own.t") == [(6,)]
        assert sorted(both(weir, "SELECT v, count(*) FROM x.own.t GROUP BY v")) == sorted((v, 1) for v in values)
        assert both(weir, "SELECT v FROM x.own.t ORDER BY v") == [(v,) for v in sorted(values)]
        assert both(weir, "SELECT max(v) FROM x.own.t WHERE v < 'b'") == [("a ",)]
        assert both(weir, "SELECT count(*) FROM x.own.t AS a JOIN x.own.t AS b ON a.v = b.v") == [(6,)]
        assert "GROUP BY (t1.`v`" in weir.explain("SELECT v, count(*) FROM x.own.t GROUP BY v")


def test_long_texts_are_told_apart_by_all_of_them(own):
    rows = [f"{i}, concat(repeat('x', 5000), '{i % 3}')" for i in range(9)]
    with table(own, "id INT PRIMARY KEY, v LONGTEXT", *rows) as weir:
        assert sorted(both(weir, "SELECT count(*) FROM x.own.t GROUP BY v")) == [(3,)] * 3
        assert sorted(both(weir, "SELECT count(*), count(DISTINCT id) FROM x.own.t GROUP BY v")) == [(3, 3)] * 3
        assert both(weir, "SELECT count(DISTINCT v) FROM x.own.t") == [(3,)]
        assert both(weir, "SELECT id FROM x.own.t ORDER BY v DESC, id LIMIT 1") == [(2,)]
        assert both(weir, "SELECT DISTINCT n FROM (SELECT count(*) OVER (PARTITION BY v) AS n FROM x.own.t) AS q") == [(3,)]


def test_names_in_any_case_with_any_quotes_are_found(own):
    own.script('CREATE TABLE "Odd` ""name\\" ("sel`ect" INT, "a\\b" VARCHAR(9)); INSERT INTO "Odd` ""name\\" VALUES (1, \'x\')')
    try:
        with Weir({"x": own}) as weir:
            name = 'x.own."Odd` ""name\\"'
            assert both(weir, f'SELECT "sel`ect", "a\\b" FROM {name} WHERE "sel`ect" = 1 AND "a\\b" = \'x\'') == [(1, "x")]
            fails(weir, 'SELECT * FROM x.own."odd` ""name\\"', "there is no table")
    finally:
        own.script('DROP TABLE "Odd` ""name\\"')


# ---- Literals ----


PIECES = ["'", "''", '"', "`", "\\", "\\'", "\\\\", "%", "_", "!", "?", ";", "--", "#", "/*", "*/", "{fn x}", "{d '", "\n", "\t", "$$", ":a", "@@x", "é", "🦆", "a", "B", " ", "\x01", "0x", "N'"]


def test_literals_of_any_text_are_that_text(own):
    """Whatever the session's sql_mode would make of them: they are data, and never SQL."""
    rng = random.Random(SEED)
    texts = ["".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 7))) for _ in range(1000)]
    quoted = [text.replace("'", "''") for text in texts]
    with table(own, "id INT PRIMARY KEY, v TEXT") as weir:
        for start in range(0, len(texts), 100):
            values = ", ".join(f"({i}, _utf8mb4 x'{texts[i].encode().hex()}')" for i in range(start, start + 100))
            own.script(f"INSERT INTO t VALUES {values}")
        for i, text in enumerate(texts):
            sql = f"SELECT id FROM x.own.t WHERE v = '{quoted[i]}' AND id = {i}"
            assert weir.session.rows(sql) == [(i,)], (SEED, text, weir.explain(sql))
            if i % 10 == 0:
                count = sum(text in other for other in texts)
                assert weir.session.rows(f"SELECT count(*) FROM x.own.t WHERE strpos(v, '{quoted[i]}') > 0") == [(count,)], (SEED, text)
        assert weir.session.rows("SELECT count(*) FROM x.own.t") == [(1000,)]


# ---- Changes ----


MADE = (
    "SELECT CAST(1 AS TINYINT) AS i8, CAST(18446744073709551615 AS BIGINT UNSIGNED) AS u64, CAST(0.1 AS FLOAT) AS f, CAST(1e-300 AS DOUBLE) AS g,"
    " CAST('-12345678901234567890123456789012345.123' AS DECIMAL(38, 3)) AS n, true AS b, 'ü🦆\\''' AS s, '' AS e, X'00ff5c27' AS y, DATE '0001-01-01' AS d,"
    " CAST('23:59:59.999999' AS TIME) AS tm, TIMESTAMP '2024-02-29 23:59:59.999999' AS ts,"
    " CAST('2024-07-01T12:00:00.5Z' AS TIMESTAMP WITH TIME ZONE) AS tz"
)


def test_a_table_holds_what_it_was_made_of(own):
    with Weir({"x": own}) as weir:
        weir.session.run(f"CREATE TABLE x.own.made AS {MADE}")
        try:
            weir.session.run(f"INSERT INTO x.own.made {MADE}")
            here = weir.session.query(MADE).read_all().to_pylist()[0]
            here["b"] = 1  # a number there
            for row in weir.session.query("SELECT * FROM x.own.made").read_all().to_pylist():
                assert row == here
            assert weir.session.rows("SELECT count(*) FROM x.own.made") == [(2,)]
        finally:
            own.script("DROP TABLE made")


def test_what_a_column_cannot_hold_is_an_error_and_nothing_is_written(own):
    with table(own, "i8 TINYINT, g DOUBLE, ts DATETIME(6), tz TIMESTAMP NULL, s VARCHAR(3), e ENUM('a', 'b')") as weir:
        for column, value, word in [
            ("i8", "300", "300"),
            ("g", "CAST('NaN' AS DOUBLE)", "NaN"),
            ("g", "CAST('Infinity' AS DOUBLE)", "g"),
            ("tz", "CAST('2199-07-01T12:00:00Z' AS TIMESTAMP WITH TIME ZONE)", "tz"),
            ("s", "'four'", "s"),
            ("e", "'c'", "t"),
            ("e", "'a'), ('c'), ('b'", "t"),
        ]:
            fails(weir, f"INSERT INTO x.own.t ({column}) VALUES ({value})", word)
        assert weir.session.rows("SELECT count(*) FROM x.own.t") == [(0,)]


def test_counts_of_changes_are_those_of_the_rows_that_were_found(own):
    with table(own, "id INT PRIMARY KEY, a INT, b INT, s VARCHAR(9), y YEAR", "1, 1, 2, 'x', 2024", "2, 3, 4, 'y', 2024") as weir:
        for sql, count in [
            ("UPDATE x.own.t SET a = 3", 2),
            ("UPDATE x.own.t SET b = a", 2),
            ("UPDATE x.own.t SET s = 'a\\''b' WHERE s = 'X' OR s = 'x'", 1),
            ("DELETE FROM x.own.t WHERE s = 'Y'", 0),
        ]:
            weir.session.run(sql)
            last = f"SELECT rows_returned FROM system.queries WHERE sql LIKE '{sql[:6]}%' ORDER BY started_at DESC LIMIT 1"
            assert weir.session.rows(last) == [(count,)], sql
        # It would assign the second one what the first one has become.
        fails(weir, "UPDATE x.own.t SET a = id, b = a", "in one statement")
        assert both(weir, "SELECT * FROM x.own.t ORDER BY id") == [(1, 3, 3, "a\\'b", 2024), (2, 3, 3, "y", 2024)]


def test_what_is_cancelled_while_a_table_is_made_leaves_none(mysql, own):
    with Weir({"x": own}) as weir:
        ending = threading.Timer(1.5, weir.session.interrupt)
        ending.start()
        with within(), pytest.raises(FAILURES):
            weir.session.run("CREATE TABLE x.own.endless AS SELECT i, 'x' AS s FROM generate_series(1, 1000000000) AS g(i)")
        ending.join()
        assert settled(lambda: own.script("SHOW TABLES LIKE 'endless'"), lambda found: not found)
        assert weir.session.rows("SELECT max(i) FROM x.own.big") == [(200000,)]


# ---- What goes wrong ----


def n_running(mysql):
    return int(mysql.script("SELECT count(*) FROM information_schema.processlist WHERE user = 'weir' AND command = 'Query'"))


def test_errors_are_told_apart_and_show_no_password(mysql, own, db, drivers):
    db.env["ADBC_DRIVER_PATH"] = os.environ["ADBC_DRIVER_PATH"]
    cases = [
        (own.uri("wr0ngs3cret"), ["Access denied", "weir"]),
        (own.uri().replace(f":{mysql.port}/", ":1/"), ["127.0.0.1"]),
        (own.uri().replace("/own", "/nosuch"), ["Unknown database", "nosuch"]),
        (own.uri().replace("3cret", "3cret%zz"), ["hexadecimal"]),
    ]
    for uri, words in cases:
        with within():
            error = db.fail(f"ATTACH '{uri}' AS x (TYPE adbc)", *words)
        assert "wr0ngs3cret" not in error and not any(secret in error for secret in SECRETS), error
    error = db.fail(f"{own.attach('x')}; SELECT * FROM x.own.bigg", 'did you mean "big"?')
    assert not any(secret in error for secret in SECRETS), error
    assert settled(mysql.n_connections, lambda n: n == 0)


def test_a_table_dropped_meanwhile_is_an_error_and_the_next_one_is_used(own):
    with table(own, "a INT", "1") as weir:
        assert weir.session.rows("SELECT a FROM x.own.t") == [(1,)]
        own.script("DROP TABLE t")
        fails(weir, "SELECT a FROM x.own.t", "t")
        own.script("CREATE TABLE t (b INT); INSERT INTO t VALUES (2)")
        with contextlib.suppress(*FAILURES):
            weir.session.rows("SELECT * FROM x.own.t")
        weir.session.run("REFRESH TABLE x.own.t")
        assert weir.session.rows("SELECT * FROM x.own.t") == [(2,)]


def test_a_stopped_server_is_an_error_and_one_that_is_back_is_used_without_one(mysql, own):
    with Weir({"x": own}) as weir:
        assert weir.session.rows("SELECT count(*) FROM x.own.big") == [(200000,)]
        mysql.stop()
        try:
            fails(weir, "SELECT max(i) FROM x.own.big", "x")
        finally:
            mysql.start()
        assert weir.session.rows("SELECT max(i) FROM x.own.big") == [(200000,)]
        mysql.stop(signal.SIGKILL)
        mysql.start()
        assert weir.session.rows("SELECT sum(i) FROM x.own.big") == [(20000100000,)]
        mysql.script("SELECT group_concat(concat('KILL ', id) SEPARATOR ';') INTO @k FROM information_schema.processlist WHERE user = 'weir'; EXECUTE IMMEDIATE @k")
        assert weir.session.rows("SELECT min(i) FROM x.own.big") == [(1,)]
    assert settled(mysql.n_connections, lambda n: n == 0)


def test_a_server_killed_while_it_answers_is_an_error_and_not_the_end(mysql, own):
    with Weir({"x": own}) as weir:
        killing = threading.Timer(0.5, mysql.stop, [signal.SIGKILL])
        killing.start()
        try:
            fails(weir, SLOW, "x")
        finally:
            killing.join()
            mysql.start()
        assert weir.session.rows("SELECT min(i) FROM x.own.big") == [(1,)]


def test_a_cancel_ends_the_statement_in_the_server(mysql, own, db):
    db.env["ADBC_DRIVER_PATH"] = os.environ["ADBC_DRIVER_PATH"]
    result, seconds = db.interrupt("sql", f"{own.attach('x')}; {SLOW}", after=2)
    assert result.returncode == 130, result.stderr
    assert seconds < 5
    assert settled(lambda: n_running(mysql), lambda n: n == 0)
    with Weir({"x": own}) as weir:
        ending = threading.Timer(1, weir.session.interrupt)
        ending.start()
        with within(), pytest.raises(FAILURES):
            weir.session.query(SLOW).read_all()
        ending.join()
        assert settled(lambda: n_running(mysql), lambda n: n == 0)
        assert weir.session.rows("SELECT max(i) FROM x.own.big") == [(200000,)]


def test_a_timeout_of_the_mount_ends_the_statement_in_the_server(mysql, own):
    with Weir({}) as weir:
        weir.session.run(own.attach("x", ", STATEMENT_TIMEOUT '1s'"))
        start = time.monotonic()
        fails(weir, SLOW, "time")
        assert time.monotonic() - start > 0.8
        assert settled(lambda: n_running(mysql), lambda n: n == 0)
        assert weir.session.rows("SELECT max(i) FROM x.own.big") == [(200000,)]
