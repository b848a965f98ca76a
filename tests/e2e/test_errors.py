# SPDX-License-Identifier: Apache-2.0
"""One clear error each, which names the file and the place; never an empty table."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def write_parquet(path, n=1000):
    pq.write_table(pa.table({"id": range(n), "name": [f"n{i}" for i in range(n)]}), path)


def test_missing_file_is_named(db):
    db.fail("SELECT * FROM 'nothing.parquet'", "nothing.parquet", "no such file")
    db.fail("SELECT * FROM 'no/such/dir/x.csv'", "no/such/dir/x.csv")
    db.fail("CREATE TABLE t USING files OPTIONS (path 'nothing.csv'); SELECT 1", "nothing.csv")


def test_directory_and_pattern_without_a_match_are_named(db):
    (db.directory / "empty").mkdir()
    (db.directory / "readme.md").write_text("x")
    db.fail("SELECT * FROM 'empty/'", "empty")
    db.fail("SELECT * FROM '*.parquet'", "*.parquet")
    db.fail("SELECT * FROM 'empty/**/*.csv'", "empty/**/*.csv")
    db.fail("SELECT count(*) FROM '{a,b}.json'", "{a,b}.json")


@pytest.mark.parametrize("keep", [0, 3, 4, 100, -1, -8, -30])
def test_truncated_parquet_is_named(db, keep):
    path = db.directory / "cut.parquet"
    write_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[:keep])
    db.fail("SELECT count(*) FROM 'cut.parquet'", "cut.parquet")


def test_one_truncated_parquet_among_many_is_named(db):
    for i in range(5):
        write_parquet(db.directory / f"{i}.parquet")
    path = db.directory / "3.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    db.fail("SELECT count(*) FROM '*.parquet'", "3.parquet")


def test_parquet_with_a_broken_page_is_named(db):
    path = db.directory / "broken.parquet"
    write_parquet(path, 100000)
    data = bytearray(path.read_bytes())
    data[100:4000] = b"\xff" * 3900
    path.write_bytes(data)
    db.fail("SELECT sum(id), max(name) FROM 'broken.parquet'", "broken.parquet")


def test_file_of_another_format_is_named(db):
    (db.directory / "text.parquet").write_text("id,name\n1,a\n")
    db.fail("SELECT * FROM 'text.parquet'", "text.parquet")
    write_parquet(db.directory / "x.csv.gz")
    db.fail("SELECT * FROM 'x.csv.gz'", "x.csv.gz")


def test_cut_gzip_is_named(db):
    import gzip

    data = gzip.compress(b"id,name\n" + b"".join(b"%d,n%d\n" % (i, i) for i in range(100000)))
    (db.directory / "cut.csv.gz").write_bytes(data[: len(data) // 2])
    db.fail("SELECT count(*) FROM 'cut.csv.gz'", "cut.csv.gz")


def test_bad_row_of_csv_is_named_with_its_line(db):
    lines = ["id,name"] + [f"{i},n{i}" for i in range(5000)]
    lines[4001] = "4000,n4000,surplus,columns"
    (db.directory / "bad.csv").write_text("\n".join(lines) + "\n")
    db.fail("SELECT sum(id) FROM 'bad.csv'", "bad.csv", "4002")


def test_bad_value_of_csv_is_named_with_its_line(db):
    lines = ["id,name"] + [f"{i},n{i}" for i in range(50000)]
    lines[40001] = "many,n40000"
    (db.directory / "bad.csv").write_text("\n".join(lines) + "\n")
    db.fail("SELECT sum(id) FROM 'bad.csv'", "bad.csv", "many", "line 4000")


def test_bad_line_of_json_is_named(db):
    lines = ['{"id": %d}' % i for i in range(2000)]
    lines[1500] = '{"id": '
    (db.directory / "bad.jsonl").write_text("\n".join(lines) + "\n")
    db.fail("SELECT sum(id) FROM 'bad.jsonl'", "bad.jsonl")


def test_types_that_do_not_unite_are_named(db):
    pq.write_table(pa.table({"id": [1, 2]}), db.directory / "1.parquet")
    pq.write_table(pa.table({"id": [[1], [2]]}), db.directory / "2.parquet")
    db.fail("SELECT * FROM '*.parquet'", "id", "2.parquet")


def test_wrong_type_in_an_expression_is_named(db):
    write_parquet(db.directory / "x.parquet")
    db.fail("SELECT name + 1 FROM 'x.parquet'", "Utf8View + Int64")
    db.fail("SELECT CAST(name AS INT) FROM 'x.parquet'", "n0", "Int32")
    db.fail("SELECT sum(name) FROM 'x.parquet'", "sum")
    db.fail("SELECT * FROM 'x.parquet' WHERE id = 'abc'", "abc")


def test_unknown_column_table_and_function_are_named_with_the_place(db):
    write_parquet(db.directory / "x.parquet")
    assert "nmae" in db.fail("SELECT nmae FROM 'x.parquet'", "nmae", "name")
    db.fail("SELECT * FROM nowhere", "nowhere")
    db.fail("SELECT lenght(name) FROM 'x.parquet'", "lenght")


def test_syntax_error_shows_the_place(db):
    db.fail("SELECT id,\n  FROM WHERE", "line 2")
    db.fail("SELECT 'open", "unterminated")


@pytest.mark.parametrize(
    "sql, words",
    [
        ("CREATE TABLE t USING files OPTIONS (path 'x.csv', delimeter ';')", ["delimeter", "delimiter"]),
        ("CREATE TABLE t USING files OPTIONS (path 'x.csv', format cvs)", ["cvs", "csv"]),
        ("CREATE TABLE t USING files OPTIONS (path 'x.csv', header perhaps)", ["header", "perhaps"]),
        ("CREATE TABLE t USING file OPTIONS (path 'x.csv')", ["file", "files"]),
        ("CREATE TABLE t USING files", ["path"]),
        ("COPY (SELECT 1) TO 'y.parquet' (FORMAT parquet, COMPRESION zstd)", ["COMPRESION", "COMPRESSION"]),
        ("SET datafusion.execution.batchsize = 1", ["batchsize"]),
    ],
)
def test_unknown_option_is_named_with_the_nearest(db, sql, words):
    (db.directory / "x.csv").write_text("id\n1\n")
    db.fail(sql, *words)


def test_unreadable_file_is_named(db):
    import os

    path = db.directory / "secret.csv"
    path.write_text("id\n1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads everything")
    db.fail("SELECT * FROM 'secret.csv'", "secret.csv", "permission")


def test_directory_as_a_file_is_named(db):
    (db.directory / "dir.parquet").mkdir()
    db.fail("SELECT * FROM 'dir.parquet'", "dir.parquet")


def test_later_statements_do_not_run_after_a_failure(db):
    db.fail("SELECT * FROM nowhere; COPY (SELECT 1) TO 'late.csv'", "nowhere")
    assert db.left() == []


def test_null_in_a_not_null_column_is_a_violation(db):
    message = db.fail("CREATE TABLE strict (a INT NOT NULL); INSERT INTO strict VALUES (NULL)")
    assert "(23502)" in message
