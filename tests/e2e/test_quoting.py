# SPDX-License-Identifier: Apache-2.0
"""
No literal and no name becomes SQL: random texts with quotes, backslashes, dollars, NUL, comments and
statements in them are found exactly as values, patterns, tables and columns, and nothing else happens in
the database. WEIR_SEED repeats a run.
"""

import os
import random
import re
import time

import pyarrow as pa
import pytest
from backends import DuckDB, SQLite
from databases import need
from test_pushdown import Weir

# MySQL has its own tests of this, in test_databases_mysql.py: it takes fewer names.
DATABASES = ["postgresql", "sqlite", "duckdb"]
SEED = int(os.environ.get("WEIR_SEED") or time.time_ns() % 1_000_000)
TEXTS = 1000
NAMES = 120
PIECES = [
    "'", "''", "'''", '"', '""', "\\", "\\\\", "\\'", "\\x27", "$$", "$1", "$a$", "$tag$", ";", "; DROP TABLE canary; --", "--", "-- \n",
    "/*", "*/", "/**/", "#", "`", "?", ":a", "%s", "%", "_", "{}", "E'", "U&'", "X'", "N'", "\n", "\r", "\t", "\b", "\x1a", "\x7f", " ", "",
    "') OR 1=1 --", "' UNION SELECT 1 --", "'||(SELECT 1)||'", "DELETE FROM canary", "a", "B", "ä", "\u2019", "\uff07", "\u02bc", "日本",
    "🦆", "\u202e", "\u2400", "(", ")", "[", "]", "=", "NULL", "select", "\u00a0", "\ufeff", "\ufffd", "\U0010ffff",
]  # fmt: skip
COLLECTED = "SELECT count(*), min(a), max(b) FROM canary"


def any_text(rng, n_pieces=6):
    return "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, n_pieces)))


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def pattern(text):
    """A LIKE pattern of exactly this text."""
    return re.sub(r"([\\%_])", r"\\\1", text)


@pytest.fixture
def database(request, drivers, tmp_path):
    """With a table `canary` that stays as it is, and everything that PostgreSQL is told in its log."""
    name = request.param
    need(drivers, name)
    if name == "postgresql":
        from backends import Server

        server = Server(drivers, settings={"log_statement": "all", "log_line_prefix": "~~%p~~ "})
        request.addfinalizer(server.close)
        made = server.create("quoting")
    else:
        made = {"sqlite": SQLite, "duckdb": DuckDB}[name](drivers, tmp_path / f"quoting.{name}")
    made.script("CREATE TABLE canary (a INTEGER, b VARCHAR(20)); INSERT INTO canary VALUES (1, 'alive'), (2, 'alive')")
    return made


def tables_of(database):
    sql = {
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "duckdb": "SELECT table_name FROM duckdb_tables()",
    }[database.dialect]
    return sorted(name for (name,) in database.rows(sql))


def without_quoted(statement):
    """What the server would take for words: a statement without its texts and quoted names."""
    strings = r"[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$"
    return re.sub(strings, " ? ", statement, flags=re.S)


def check_log(database, start):
    """Nothing of what was asked since `start` names the canary outside quotes or is more than one statement."""
    data = database.server.log.read_bytes()[start:].decode()
    statements = re.findall(r"~~\d+~~ LOG:  (?:statement|execute [^:]*): (.*?)(?=\n~~|\Z)", data, re.S)
    assert len(statements) > 100
    for statement in statements:
        words = without_quoted(statement)
        assert "canary" not in words and ";" not in words.rstrip("; \n"), f"WEIR_SEED={SEED}: {statement}"
        assert "--" not in words and "/*" not in words, f"WEIR_SEED={SEED}: {statement}"


def check_untouched(database, tables):
    assert database.rows(COLLECTED) == [(2, 1, "alive")], f"WEIR_SEED={SEED}"
    assert tables_of(database) == sorted(tables), f"WEIR_SEED={SEED}"


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_texts_are_found_exactly_and_stay_texts(database):
    rng = random.Random(f"{SEED} texts")
    texts = [any_text(rng) for _ in range(TEXTS)]
    database.ingest("texts", pa.table({"id": pa.array(range(TEXTS), pa.int64()), "s": texts}), mode="create")
    where = {text: [i for i, other in enumerate(texts) if other == text] for text in texts}
    starting = {text: [i for i, other in enumerate(texts) if other.startswith(text)] for text in texts}
    table = f"x.{database.schema}.texts"
    start = len(database.server.log.read_bytes()) if database.dialect == "postgresql" else 0
    with Weir({"x": database}) as weir:
        for i, text in enumerate(texts):
            # One way of asking for each in its turn, so that a run takes seconds.
            sql, expected = [
                (f"SELECT id FROM {table} WHERE s = {literal(text)}", where[text]),
                (f"SELECT id FROM {table} WHERE s IN ({literal(text)}, 'no such text')", where[text]),
                (f"SELECT id FROM {table} WHERE s LIKE {literal(pattern(text))}", where[text]),
                (f"SELECT id FROM {table} WHERE s LIKE {literal(pattern(text) + '%')}", starting[text]),
                (f"SELECT id FROM {table} WHERE concat(s, {literal(text)}) = {literal(text + text)}", where[text]),
                (f"SELECT id FROM {table} WHERE (CASE WHEN s = {literal(text)} THEN {literal(text)} END) = s", where[text]),
            ][i % 6]
            assert sorted(weir.session.rows(sql)) == [(j,) for j in expected], f"WEIR_SEED={SEED}: {sql}"
            if i % 10 == 0:
                sql = f"SELECT {literal(text)} AS t, s, id FROM {table} WHERE id = {i}"
                assert weir.session.rows(sql) == [(text, text, i)], f"WEIR_SEED={SEED}: {sql}"
    if database.dialect == "postgresql":
        check_log(database, start)
    check_untouched(database, ["canary", "texts"])


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_text_with_nul_is_no_end_of_a_statement(database):
    database.script("CREATE TABLE texts (id BIGINT, s VARCHAR(100)); INSERT INTO texts VALUES (1, 'a'), (2, 'ab')")
    table = f"x.{database.schema}.texts"
    with Weir({"x": database}) as weir:
        for tail in ["", "b", "'; DROP TABLE canary; --"]:
            sql = f"SELECT id FROM {table} WHERE s = concat('a', chr(0), {literal(tail)}) OR s = 'ab'"
            assert weir.session.rows(sql) == [(2,)]
            sql = f"SELECT id FROM {table} WHERE s NOT LIKE concat('a', chr(0), {literal(tail)}) ORDER BY id"
            assert weir.session.rows(sql) == [(1,), (2,)]
    check_untouched(database, ["canary", "texts"])


def names(rng):
    """Names that differ, also by case, and that each database takes: PostgreSQL cuts after 63 bytes."""
    seen = {"canary", ""}
    while len(seen) < NAMES + 2:
        name = any_text(rng, 5)
        # A slash parts the names of weir's tree.
        if "/" not in name and 0 < len(name.encode()) < 60 and name.lower() not in {other.lower() for other in seen}:
            seen.add(name)
            if len(seen) > 2:
                yield name


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_names_are_found_exactly_and_stay_names(database):
    found = list(names(random.Random(f"{SEED} names")))
    for i, name in enumerate(found):
        column = found[i - 1]
        database.run(f"CREATE TABLE {quoted(name)} ({quoted(column)} INTEGER, other INTEGER)")
        database.run(f"INSERT INTO {quoted(name)} VALUES ({i}, 0)")
    start = len(database.server.log.read_bytes()) if database.dialect == "postgresql" else 0
    with Weir({"x": database}) as weir:
        for i, name in enumerate(found):
            column = quoted(found[i - 1])
            table = f"x.{database.schema}.{quoted(name)}"
            for sql, expected in [
                (f"SELECT {column} FROM {table} WHERE {column} = {i}", [(i,)]),
                (f"SELECT t.{column}, count(*) AS n FROM {table} AS t GROUP BY t.{column}", [(i, 1)]),
                (f"SELECT max({column}) AS {column} FROM {table} AS {quoted(name)} WHERE other = 0", [(i,)]),
            ]:
                assert weir.session.rows(sql) == expected, f"WEIR_SEED={SEED}: {sql}"
    if database.dialect == "postgresql":
        check_log(database, start)
    check_untouched(database, ["canary", *found])


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_tables_that_weir_makes_have_the_names_that_were_said(database):
    found = list(names(random.Random(f"{SEED} made")))[:40]
    start = len(database.server.log.read_bytes()) if database.dialect == "postgresql" else 0
    with Weir({"x": database}) as weir:
        for i, name in enumerate(found):
            table = f"x.{database.schema}.{quoted(name)}"
            weir.session.run(f"CREATE TABLE {table} AS SELECT {i} AS {quoted(found[i - 1])}, {literal(name)} AS s")
            assert weir.session.rows(f"SELECT {quoted(found[i - 1])}, s FROM {table}") == [(i, name)], f"WEIR_SEED={SEED}"
    if database.dialect == "postgresql":
        check_log(database, start)
    check_untouched(database, ["canary", *found])
