# SPDX-License-Identifier: Apache-2.0
"""Files as others write them: each format, compression, listing and writer, read back value by value."""

import bz2
import datetime
import decimal
import gzip
import json
import lzma
import os
import threading

import duckdb
import fastavro
import polars
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

ROWS = [(1, "one", 1.5, True), (2, "zwei, \"2\"", -2.25, False), (3, None, None, None), (4, "四", 0.0, True)]
NAMES = ["id", "name", "value", "flag"]
QUERY = "SELECT id, name, value, flag FROM {} ORDER BY id"


@pytest.fixture
def table():
    types = [pa.int64(), pa.string(), pa.float64(), pa.bool_()]
    return pa.table([pa.array(c, t) for c, t in zip(zip(*ROWS), types)], names=NAMES)


def check(db, path, query=QUERY):
    assert db.rows(query.format(f"'{path}'")) == ROWS


# ---- Parquet and its writers ----


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_parquet_of_pyarrow_is_read(db, table, compression, version):
    pq.write_table(table, db.directory / "x.parquet", compression=compression, version=version)
    check(db, "x.parquet")


@pytest.mark.parametrize("page", ["1.0", "2.0"])
def test_parquet_with_many_row_groups_and_pages_is_read(db, page):
    n = 20000
    table = pa.table({"id": range(n), "text": [f"text {i % 100}" for i in range(n)]})
    pq.write_table(
        table, db.directory / "x.parquet", row_group_size=1000, data_page_size=512, data_page_version=page
    )
    assert db.rows("SELECT count(*), sum(id), count(DISTINCT text) FROM 'x.parquet'") == [(n, n * (n - 1) // 2, 100)]
    assert db.rows("SELECT id FROM 'x.parquet' WHERE text = 'text 7' AND id > 19900") == [(19907,)]


def test_parquet_of_duckdb_is_read(db, table):
    rows = table
    duckdb.execute(f"COPY (SELECT * FROM rows) TO '{db.directory}/x.parquet' (FORMAT parquet)")
    check(db, "x.parquet")


def test_parquet_of_polars_is_read(db, table):
    polars.from_arrow(table).write_parquet(db.directory / "x.parquet")
    check(db, "x.parquet")


def test_types_of_parquet_are_kept(db):
    table = pa.table(
        {
            "d": pa.array([decimal.Decimal("12345678901234567890.12"), None], pa.decimal128(22, 2)),
            "day": pa.array([datetime.date(2024, 2, 29), None]),
            "at": pa.array([datetime.datetime(2024, 2, 29, 12, 30), None], pa.timestamp("us")),
            "zoned": pa.array([datetime.datetime(2024, 2, 29, 12, 30), None], pa.timestamp("us", "Europe/Berlin")),
            "list": pa.array([[1, None], None], pa.list_(pa.int32())),
            "struct": pa.array([{"a": 1, "b": "x"}, None]),
            "dict": pa.array(["red", "red"]).dictionary_encode(),
            "bytes": pa.array([b"\x00\xff", None]),
        }
    )
    pq.write_table(table, db.directory / "x.parquet")
    db.ok("COPY (SELECT * FROM 'x.parquet') TO 'y.parquet'")
    again = pq.read_table(db.directory / "y.parquet")
    assert again.column_names == table.column_names
    for name in table.column_names:
        assert again[name].to_pylist() == table[name].to_pylist(), name
    assert str(again.schema.field("d").type) == "decimal128(22, 2)"
    assert str(again.schema.field("zoned").type) == "timestamp[us, tz=Europe/Berlin]"


# ---- Text ----


def text_of(kind, table):
    sink = pa.BufferOutputStream()
    if kind in ("csv", "tsv"):
        options = pa.csv.WriteOptions(delimiter="\t" if kind == "tsv" else ",")
        pa.csv.write_csv(table, sink, options)
        return sink.getvalue().to_pybytes()
    records = [dict(zip(NAMES, row)) for row in ROWS]
    if kind == "json":
        return json.dumps(records, indent=1).encode()
    return "".join(json.dumps(r) + "\n" for r in records).encode()


def zstd(data):
    return pa.compress(data, "zstd", asbytes=True)


PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "ndjson"])
def test_text_is_read_plain_and_compressed(db, table, kind, ending):
    path = db.directory / f"x.{kind}{ending}"
    path.write_bytes(PACKERS[ending](text_of(kind, table)))
    check(db, path.name)


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_delimiter_and_header_of_csv_are_found(db, delimiter):
    lines = [delimiter.join(["id", "name"])] + [delimiter.join([str(i), f"n{i}"]) for i in range(100)]
    (db.directory / "x.csv").write_text("\n".join(lines) + "\n")
    assert db.rows("SELECT name FROM 'x.csv' WHERE id = 42") == [("n42",)]


def test_options_of_csv_are_obeyed(db):
    (db.directory / "x.txt").write_text("# comment\n1;a;-\n2;;-\n")
    weir_options = "path 'x.txt', format csv, delimiter ';', header false, comment '#'"
    rows = db.rows(f"CREATE TABLE t USING files OPTIONS ({weir_options}); SELECT * FROM t")
    assert rows == [(1, "a", "-"), (2, None, "-")]


def test_line_ends_and_byte_order_mark_of_csv_are_no_values(db):
    (db.directory / "x.csv").write_bytes(b"\xef\xbb\xbfid,name\r\n1,a\r\n2,b\r\n")
    assert db.rows("SELECT id, name FROM 'x.csv'") == [(1, "a"), (2, "b")]


def test_line_break_in_a_quoted_value_is_read(db):
    (db.directory / "x.csv").write_text('id,name\n1,"two\nlines"\n2,b\n')
    assert db.rows("SELECT id, name FROM 'x.csv' ORDER BY id") == [(1, "two\nlines"), (2, "b")]


# ---- Arrow and Avro ----


def test_arrow_file_and_stream_are_read(db, table):
    with pa.OSFile(str(db.directory / "x.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(str(db.directory / "x.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    pa.feather.write_feather(table, db.directory / "x.feather", compression="zstd")
    for name in ("x.arrow", "x.arrows", "x.feather"):
        check(db, name)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_avro_is_read(db, codec):
    types = ["long", "string", "double", "boolean"]
    fields = [{"name": n, "type": ["null", t]} for n, t in zip(NAMES, types)]
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": fields})
    with open(db.directory / "x.avro", "wb") as out:
        fastavro.writer(out, schema, [dict(zip(NAMES, row)) for row in ROWS], codec=codec)
    check(db, "x.avro")


# ---- Several files ----


def split(db, table, directory="many"):
    (db.directory / directory).mkdir()
    for i in range(4):
        pq.write_table(table.slice(i, 1), db.directory / directory / f"{i}.parquet")


@pytest.mark.parametrize("path", ["many/", "./many", "many/*.parquet", "many/[0-3].parquet", "**/*.parquet", "ma?y/*"])
def test_directory_and_pattern_are_one_table(db, table, path):
    split(db, table)
    check(db, path)


def test_pattern_takes_only_what_it_matches(db, table):
    split(db, table)
    assert db.rows("SELECT id FROM 'many/{0,2}.parquet' ORDER BY id") == [(1,), (3,)]
    assert db.rows("SELECT id FROM 'many/[!0-2].parquet'") == [(4,)]


def test_hidden_and_marker_files_are_no_rows(db, table):
    split(db, table)
    (db.directory / "many" / "_SUCCESS").write_text("")
    (db.directory / "many" / ".0.parquet.crc").write_text("x")
    check(db, "many/")


def test_hive_directories_are_columns(db, table):
    for year in (2023, 2024):
        for kind in ("a", "b"):
            path = db.directory / "lake" / f"year={year}" / f"kind={kind}"
            path.mkdir(parents=True)
            pq.write_table(table.select(["id"]), path / "part.parquet")
    assert db.rows("SELECT year, kind, count(*) FROM 'lake/' GROUP BY 1, 2 ORDER BY 1, 2") == [
        (2023, "a", 4),
        (2023, "b", 4),
        (2024, "a", 4),
        (2024, "b", 4),
    ]
    assert db.value("SELECT count(*) FROM 'lake/**/*.parquet' WHERE year = 2024 AND kind = 'b' AND id > 2") == 2


def test_differing_schemas_are_united_by_name(db):
    d = db.directory
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int32()), "a": ["x", "y"]}), d / "1.parquet")
    pq.write_table(pa.table({"b": [1.5], "id": pa.array([2**40], pa.int64())}), d / "2.parquet")
    assert db.rows("SELECT id, a, b FROM '*.parquet' ORDER BY id") == [
        (1, "x", None),
        (2, "y", None),
        (2**40, None, 1.5),
    ]
    assert db.value("SELECT count(*) FROM '*.parquet' WHERE a IS NULL") == 1


def test_differing_columns_of_text_are_united_by_name(db):
    (db.directory / "1.csv").write_text("id,a\n1,x\n")
    (db.directory / "2.csv").write_text("b,id\n2.5,2\n")
    assert db.rows("SELECT id, a, b FROM '*.csv' ORDER BY id") == [(1, "x", None), (2, None, 2.5)]
    (db.directory / "1.jsonl").write_text('{"id": 1, "a": "x"}\n')
    (db.directory / "2.jsonl").write_text('{"id": 2, "b": 2.5}\n')
    assert db.rows("SELECT id, a, b FROM '*.jsonl' ORDER BY id") == [(1, "x", None), (2, None, 2.5)]


def test_formats_are_joined(db, table):
    split(db, table, "tree")
    (db.directory / "x.csv").write_text("id,word\n1,un\n4,quatre\n")
    assert db.rows(
        "SELECT t.id, t.name, x.word FROM 'tree/**/*.parquet' t JOIN 'x.csv' x ON t.id = x.id ORDER BY 1"
    ) == [(1, "one", "un"), (4, "四", "quatre")]


# ---- Names and pipes ----


@pytest.mark.parametrize("name", ["with space.parquet", "ünïcode.parquet", "100%.parquet", "a+b&c=d.parquet", "a#b.parquet"])
def test_odd_names_are_paths(db, table, name):
    pq.write_table(table, db.directory / name)
    check(db, name)
    check(db, db.directory / name)


def test_file_that_looks_like_a_pattern_is_read(db, table):
    pq.write_table(table, db.directory / "a[1].parquet")
    check(db, "a[1].parquet")


def test_file_url_and_symbolic_link_are_followed(db, table):
    pq.write_table(table, db.directory / "x.parquet")
    (db.directory / "link.parquet").symlink_to("x.parquet")
    check(db, f"file://{db.directory}/x.parquet")
    check(db, "link.parquet")


def test_standard_input_is_a_table(db, table):
    out = db.ok(
        "CREATE TABLE t USING files OPTIONS (path '/dev/stdin', format csv); "
        "SELECT count(*) AS n, sum(id) AS s FROM t",
        "--format",
        "csv",
        input=text_of("csv", table).decode(),
    )
    assert out.splitlines() == ["n,s", "4,10"]


def test_csv_through_standard_input_is_recognised(db, table):
    out = db.ok("SELECT count(*) AS n FROM '/dev/stdin'", "--format", "csv", input=text_of("csv", table).decode())
    assert out.splitlines() == ["n", "4"]


def test_parquet_through_a_named_pipe_is_read(db, table):
    pq.write_table(table, db.directory / "x.parquet")
    pipe = db.directory / "pipe.parquet"
    os.mkfifo(pipe)
    data = (db.directory / "x.parquet").read_bytes()
    writer = threading.Thread(target=lambda: pipe.write_bytes(data), daemon=True)
    writer.start()
    assert db.value("SELECT sum(id) FROM 'pipe.parquet'", timeout=20) == 10
    writer.join(5)


def test_table_option_names_a_path(db, table):
    pq.write_table(table, db.directory / "x.parquet")
    assert db.value("SELECT sum(id) FROM mine", "--table", "mine=x.parquet") == 10
