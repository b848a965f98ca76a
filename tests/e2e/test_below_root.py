# SPDX-License-Identifier: Apache-2.0
"""Files below a root, and queries in .sql files, through SQL: what the engine itself opens."""

import os
import threading

import pyarrow
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest


@pytest.fixture
def lake(tmp_path):
    """A directory `lake` with the same rows in every format, and something outside."""
    root = tmp_path / "lake"
    (root / "sub dir" / "k=1").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    rows = pyarrow.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    pyarrow.parquet.write_table(rows, root / "x.parquet")
    pyarrow.feather.write_feather(rows, root / "x.arrow", compression="uncompressed")
    pyarrow.csv.write_csv(rows, root / "x.csv")
    pyarrow.csv.write_csv(rows, root / "sub dir" / "k=1" / "100% é.csv")
    (root / "x.jsonl").write_text('{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n{"a":3,"b":"z"}\n')
    pyarrow.csv.write_csv(pyarrow.table({"a": [666], "b": ["q"]}), tmp_path / "outside" / "x.csv")
    return root


def below(root, path):
    return f"CREATE TABLE t USING files OPTIONS (path '{root}/{path}', root '{root}');"


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.csv", "x.jsonl"])
def test_every_format_is_read_below_a_root(db, lake, name):
    assert db.rows(below(lake, name) + "SELECT a, b FROM t WHERE a > 1 ORDER BY a") == [(2, "y"), (3, "z")]


def test_odd_names_and_partitions_are_read_below_a_root(db, lake):
    sql = below(lake, "sub dir") + "SELECT a, k FROM t WHERE k = 1 ORDER BY a"
    assert db.rows(sql) == [(1, 1), (2, 1), (3, 1)]


def test_a_link_inside_is_followed_and_one_that_leads_out_is_named(db, lake):
    os.symlink("x.csv", lake / "in.csv")
    os.symlink("../outside", lake / "out")
    assert db.value(below(lake, "in.csv") + "SELECT sum(a) FROM t") == 6
    db.fail(below(lake, "out/x.csv") + "SELECT * FROM t", f'out/x.csv" leads out of "{lake}"', "22023")
    db.fail(below(lake, "*/*.csv") + "SELECT * FROM t", "leads out of")


def test_a_directory_that_is_swapped_while_it_is_read_gives_no_row_of_the_outside(db, lake):
    """What the listing allowed the engine opens later: by then it may be a link."""
    (lake / "swap").mkdir()
    pyarrow.csv.write_csv(pyarrow.table({"a": [1], "b": ["x"]}), lake / "swap" / "x.csv")
    ended = threading.Event()

    def swap():
        while not ended.is_set():
            os.rename(lake / "swap", lake / "kept")
            os.symlink("../outside", lake / "swap")
            os.unlink(lake / "swap")
            os.rename(lake / "kept", lake / "swap")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        query = "SELECT a FROM t; " * 300
        for _ in range(5):
            script = below(lake, "swap/x.csv") + query
            result = db.run("sql", "--format", "csv", "--no-header", "-f", "-", "--keep-going", input=script)
            assert set(result.stdout.split()) <= {"1"}, result.stdout
    finally:
        ended.set()
        thread.join()


def using_sql(path, *options):
    given = ", ".join([f"path '{path}'", "catalog 'weir'", "schema 'public'", *options])
    return f"CREATE TABLE t USING sql OPTIONS ({given});"


def test_a_sql_file_is_a_table_with_inputs_and_parameters(db, lake):
    (lake.parent / "d.sql").write_text(
        "-- name: daily\n-- input f: lake/x.csv\n-- param least: 2\nSELECT a FROM f WHERE a >= $least\n"
    )
    assert db.rows(using_sql("d.sql") + "SELECT * FROM t ORDER BY a") == [(2,), (3,)]
    assert db.rows(using_sql("d.sql", "param.least 3") + "SELECT * FROM t") == [(3,)]
    db.fail(using_sql("d.sql", "param.lest 3"), '"d.sql" has no parameter "lest"; it has least')


def test_an_error_in_a_sql_file_names_its_line_and_column(db, tmp_path):
    (tmp_path / "bad.sql").write_text("-- a comment\n-- name: bad\nSELECT 1,\n  FROM WHERE\n")
    db.fail(using_sql("bad.sql") + "SELECT * FROM t", "bad.sql:4:")
    (tmp_path / "key.sql").write_text("-- comment\n-- paramter x: default 1\nSELECT 1\n")
    db.fail(using_sql("key.sql"), '"key.sql", line 2: unknown key "paramter"; did you mean "param"?')


def test_a_sql_file_needs_no_catalog_when_it_names_nothing(db, tmp_path):
    (tmp_path / "one.sql").write_text("SELECT 41 + 1 AS a")
    assert db.value("CREATE TABLE t USING sql OPTIONS (path 'one.sql'); SELECT a FROM t") == 42
