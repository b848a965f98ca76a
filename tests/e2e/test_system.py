# SPDX-License-Identifier: Apache-2.0
"""The catalog `system` over real mounts, and its documents held to what it is."""

import re

import pytest
from conftest import ROOT

TYPES = {
    "Utf8": "utf8",
    "Int64": "int64",
    "Boolean": "bool",
    'Timestamp(µs, "UTC")': "timestamp",
}


def documented_columns():
    """(table, column, position, type, nullable) of every row in docs/internals/system.md."""
    text = (ROOT / "docs/internals/system.md").read_text()
    table, position = None, 0
    for line in text[text.index("\n## Tables\n") :].splitlines():
        if line.startswith("### "):
            table, position = line[4:], 0
        row = re.match(r"\| `(\w+)` \| (\w+)(, not null)? \|", line)
        if row:
            position += 1
            yield table, row[1], position, row[2], row[3] is None


def manual_columns():
    """{table: [columns]} of the manual's list."""
    text = (ROOT / "docs/weir.1").read_text()
    text = text[text.index(".SH SYSTEM TABLES") : text.index(".SH EXIT STATUS")]
    return {
        name: columns.split(", ")
        for name, columns in re.findall(r'^\.BR (\w+) " \(([\w, ]+)\)"$', text, re.M)
    }


def test_the_documents_have_every_table_with_its_columns_and_types(db):
    columns = [
        (table, name, at, kind, null == "YES")
        for table in db.run("ls", "/system").stdout.split()
        for at, (name, kind, null) in enumerate(db.rows(f"DESCRIBE system.{table}"), 1)
    ]
    actual = {(table, name, at, TYPES[kind], null) for table, name, at, kind, null in columns}
    assert actual == set(documented_columns())
    by_table = {}
    for table, name, *_ in sorted(columns, key=lambda row: (row[0], row[2])):
        by_table.setdefault(table, []).append(name)
    manual = manual_columns()
    assert len(manual) == 11
    assert manual == {table: by_table[table] for table in manual}


@pytest.fixture
def lake(db, tmp_path):
    """A workspace with a directory as the mount `lake`."""
    directory = tmp_path / "data"
    (directory / "logs" / "old").mkdir(parents=True)
    (directory / "people.csv").write_text("id,name\n1,Ann\n2,Bob\n")
    (directory / "notes.txt").write_text("not a table\n")
    (directory / "logs" / "a.csv").write_text("at,what\n2026-01-01,start\n")
    (directory / "logs" / "old" / "b.jsonl").write_text('{"n": 1}\n{"n": 2}\n')
    (directory / "adults.sql").write_text("SELECT name FROM people WHERE id > 1\n")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "weir.yaml").write_text("spool:\n  max_bytes: 1GiB\n")
    db.ok(f"ATTACH '{directory}' AS lake", "--workspace", workspace)
    db.workspace = workspace
    db.data = directory
    return db


def rows(db, sql):
    return db.rows(sql, "--workspace", db.workspace)


def test_mounts_say_where_they_come_from(lake):
    assert rows(lake, "SELECT * FROM system.mounts ORDER BY name") == [
        ("lake", "files", str(lake.data), "sql"),
        ("system", "system", None, "weir"),
        ("weir", "catalog", None, "weir"),
    ]


def test_tables_of_a_mount_are_listed_with_type_and_path(lake):
    found = rows(
        lake,
        "SELECT namespace, name, type, path FROM system.tables"
        " WHERE catalog = 'lake' AND type <> 'series' ORDER BY path",
    )
    assert found == [
        (".", "adults", "derived", "/lake/adults.sql"),
        ("logs", "a", "file", "/lake/logs/a.csv"),
        ("logs/old", "b", "file", "/lake/logs/old/b.jsonl"),
        (".", "people", "file", "/lake/people.csv"),
    ]
    for namespace, name, _, path in found:
        by_name = lake.value(
            f'SELECT count(*) FROM lake."{namespace}"."{name}"', "--workspace", lake.workspace
        )
        by_path = lake.value(f"SELECT count(*) FROM '{path}'", "--workspace", lake.workspace)
        assert by_name == by_path > 0


def test_namespaces_of_a_mount_are_its_directories(lake):
    assert rows(
        lake, "SELECT namespace, is_default FROM system.namespaces WHERE catalog = 'lake' ORDER BY 1"
    ) == [(".", True), ("logs", False), ("logs/old", False)]


def test_columns_and_information_schema_cover_mounts(lake):
    assert rows(
        lake,
        "SELECT table_name, column_name, data_type FROM system.columns"
        " WHERE catalog = 'lake' AND namespace = '.' AND table_name IN ('people', 'adults')"
        " ORDER BY table_name, ordinal_position",
    ) == [
        ("adults", "name", "Utf8"),
        ("people", "id", "Int64"),
        ("people", "name", "Utf8"),
    ]
    assert rows(
        lake,
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'lake'"
        " AND table_schema = 'logs/old' ORDER BY 1",
    ) == [("b",)]


def test_a_table_that_cannot_be_read_is_listed_and_keeps_no_other_from_it(lake):
    """/lake/logs is a series of CSV and JSON files, which is none."""
    lake.fail("SELECT * FROM lake.logs", "more than one format", args=("--workspace", lake.workspace))
    (listed,) = rows(lake, "SELECT type FROM system.tables WHERE path = '/lake/logs'")
    assert listed == ("series",)
    of_lake = "WHERE table_catalog = 'lake' AND table_schema = '.' ORDER BY table_name"
    names = rows(lake, f"SELECT table_name FROM information_schema.tables {of_lake}")
    assert names == [("adults",), ("logs",), ("people",)]
    names = rows(lake, f"SELECT DISTINCT table_name FROM information_schema.columns {of_lake}")
    assert names == [("adults",), ("people",)]


def test_settings_say_where_each_value_comes_from(lake):
    lake.env["WEIR_THREADS"] = "2"
    assert rows(
        lake,
        "SELECT name, value, origin FROM system.settings"
        " WHERE name IN ('threads', 'spool.max_bytes', 'statement_timeout') ORDER BY name",
    ) == [
        ("spool.max_bytes", "1GiB", "weir.yaml:2"),
        ("statement_timeout", "0s", "default"),
        ("threads", "2", "WEIR_THREADS"),
    ]


def test_a_mount_that_is_gone_is_named_and_does_no_harm_to_others(lake):
    lake.data.rename(lake.data.with_name("moved"))
    args = ("--workspace", lake.workspace)
    for table in "tables", "namespaces":
        lake.fail(f"SELECT * FROM system.{table}", f"system.{table}", 'mount "lake"', args=args)
        sql = f"SELECT count(*) FROM system.{table} WHERE catalog = 'system'"
        assert lake.value(sql, *args) > 0
    assert len(rows(lake, "SELECT * FROM system.mounts")) == 3


def test_kinds_of_mount_are_extensions(db):
    assert db.rows("SELECT type, origin FROM system.extensions WHERE name = 'files' ORDER BY type") == [
        ("mount kind", "built-in"),
        ("table kind", "built-in"),
    ]


def test_names_that_are_not_utf8_are_listed_all_the_same(lake):
    with open(bytes(lake.data) + b"/caf\xe9.csv", "w") as file:
        file.write("a\n1\n")
    names = [name for (name,) in rows(lake, "SELECT name FROM system.tables WHERE catalog = 'lake'")]
    assert "people" in names
    assert all("\ufffd" in name or name.isascii() for name in names)
