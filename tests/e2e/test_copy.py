# SPDX-License-Identifier: Apache-2.0
"""COPY ... TO: what it writes, and that after any failure nothing of it is visible."""

import os
import resource
import signal
import subprocess
import time

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

FORMATS = {"parquet": "parquet", "csv": "csv", "jsonl": "json", "arrow": "arrow"}


def read_back(path):
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".arrow":
        return pa.ipc.open_file(path).read_all()
    if path.suffix == ".csv":
        return pa.csv.read_csv(path)
    import pyarrow.json

    return pa.json.read_json(path)


@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_written_is_read_by_others(db, ending):
    db.ok(
        "COPY (SELECT value AS id, value * 0.5 AS half, CASE WHEN value % 3 = 0 THEN 'x' || value END AS name "
        f"FROM range(10000)) TO 'out.{ending}' (FORMAT {FORMATS[ending]})"
    )
    table = read_back(db.directory / f"out.{ending}").sort_by("id")
    assert table["id"].to_pylist() == list(range(10000))
    assert table["half"].to_pylist() == [i * 0.5 for i in range(10000)]
    names = [name or None for name in table["name"].to_pylist()]
    assert names == [f"x{i}" if i % 3 == 0 else None for i in range(10000)]
    assert db.left() == [f"out.{ending}"]


def test_parquet_is_zstd_unless_told(db):
    db.ok("COPY (SELECT value FROM range(1000)) TO 'a.parquet'")
    db.ok("COPY (SELECT value FROM range(1000)) TO 'b.parquet' (FORMAT parquet, COMPRESSION snappy)")
    assert pq.ParquetFile(db.directory / "a.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    assert pq.ParquetFile(db.directory / "b.parquet").metadata.row_group(0).column(0).compression == "SNAPPY"


def test_rows_that_have_an_order_keep_it_and_are_not_merged_for_cheap_work(db):
    rows = "generate_series(1, 300000)"
    cheap = f"SELECT value AS k, value * 7 % 1000003 AS a, 'row ' || value AS s FROM {rows}"
    dear = f"SELECT value AS k, md5(CAST(value AS VARCHAR)) AS s FROM {rows}"
    for query, merges in ((cheap, False), (dear, True)):
        plan = db.ok(f"EXPLAIN COPY ({query}) TO 'x.parquet'", "--threads", "4", "--format", "csv")
        assert ("SortPreservingMergeExec" in plan) == merges, plan
        db.ok(f"COPY ({query}) TO 'x.parquet'", "--threads", "4")
        assert pq.read_table(db.directory / "x.parquet")["k"].to_pylist() == list(range(1, 300_001))
    db.ok(f"COPY ({cheap}) TO 'x.parquet'", "--threads", "4")
    table = pq.read_table(db.directory / "x.parquet")
    assert table["a"].to_pylist() == [k * 7 % 1_000_003 for k in range(1, 300_001)]
    assert table["s"].to_pylist() == [f"row {k}" for k in range(1, 300_001)]


# All different; few values; few of which none comes twice in the first rows; different with a few nulls; few at last.
COLUMNS = """value AS k, value % 7 AS few, 'text ' || (value % 20000) AS later, CASE WHEN value % 9 > 0 THEN value * 0.5 END AS nulls,
    'row ' || value AS s"""
WITH_DICTIONARIES = {"few", "later"}


def dictionaries(path):
    """The columns that have one in some row group; that a file has all of it or none is seen there too."""
    groups = pq.ParquetFile(path).metadata
    columns = [groups.row_group(i).column(c) for i in range(groups.num_row_groups) for c in range(groups.num_columns)]
    return {column.path_in_schema for column in columns if column.has_dictionary_page}


def test_columns_have_dictionaries_where_they_are_of_use(db):
    rows = f"SELECT {COLUMNS} FROM generate_series(1, 1500000) ORDER BY k DESC"
    db.ok(f"COPY ({rows}) TO 'auto.parquet'")
    db.ok(f"COPY ({rows}) TO 'all.parquet' ('format.dictionary_enabled' true)")
    assert dictionaries(db.directory / "auto.parquet") == WITH_DICTIONARIES
    auto, every = (pq.ParquetFile(db.directory / name) for name in ("auto.parquet", "all.parquet"))
    assert auto.read().equals(every.read())
    assert auto.read(["k"])["k"].to_pylist() == list(range(1_500_000, 0, -1))
    sizes = [(db.directory / name).stat().st_size for name in ("auto.parquet", "all.parquet")]
    assert sizes[0] < sizes[1], sizes
    for i in range(2):
        one, other = auto.metadata.row_group(i), every.metadata.row_group(i)
        assert one.num_rows == other.num_rows and one.sorting_columns == other.sorting_columns != ()
        for c in range(one.num_columns):
            assert one.column(c).statistics == other.column(c).statistics
            assert one.column(c).has_column_index and one.column(c).has_offset_index


@pytest.mark.parametrize(
    "options, expected",
    [
        ("'format.dictionary_enabled' true", {"k", "few", "later", "nulls", "s"}),
        ("'format.dictionary_enabled' false", set()),
        ("'format.dictionary_enabled::k' true", {"k", "few", "later"}),
        ("'format.dictionary_enabled::few' false, 'format.compression::k' snappy", {"later"}),
        ("'format.dictionary_page_size_limit' 1000, 'format.bloom_filter_on_write' true", {"few"}),
    ],
)
def test_what_is_said_of_dictionaries_holds(db, options, expected):
    db.ok(f"COPY (SELECT {COLUMNS} FROM generate_series(1, 200000)) TO 'x.parquet' ({options})")
    assert dictionaries(db.directory / "x.parquet") == expected
    group = pq.ParquetFile(db.directory / "x.parquet").metadata.row_group(0)
    assert (group.column(0).compression == "SNAPPY") == ("snappy" in options)
    filters = [group.column(c).bloom_filter_offset is not None for c in range(group.num_columns)]
    assert all(filters) if "bloom" in options else not any(filters)


def test_dictionaries_of_inserted_files_and_those_that_a_session_sets(db):
    def insert(name, *before):
        table = f"CREATE EXTERNAL TABLE t (k BIGINT, few BIGINT) STORED AS PARQUET LOCATION '{name}/'"
        (db.directory / name).mkdir()
        db.ok("; ".join([*before, table, "INSERT INTO t SELECT value, value % 7 FROM generate_series(1, 200000)"]))
        assert sorted(pq.read_table(db.directory / name)["k"].to_pylist()) == list(range(1, 200_001))
        return set().union(*map(dictionaries, (db.directory / name).glob("*.parquet")))

    assert insert("auto") == {"few"}
    assert insert("all", "SET datafusion.execution.parquet.dictionary_enabled = true") == {"k", "few"}


def test_partitions_have_dictionaries_of_their_own(db):
    # All different over all partitions, which is what the first rows are of.
    db.ok("COPY (SELECT value % 4 AS part, value / 4 % 1000 * 4 + value % 4 AS few FROM range(400000)) TO 'lake' (FORMAT parquet, PARTITION_BY (part))")
    for path in (db.directory / "lake").glob("*/*.parquet"):
        assert dictionaries(path) == {"few"}


def test_empty_result_is_a_valid_file(db):
    for ending, name in FORMATS.items():
        db.ok(f"COPY (SELECT 1 AS id, 'x' AS name WHERE false) TO 'out.{ending}' (FORMAT {name})")
    assert pq.read_table(db.directory / "out.parquet").column_names == ["id", "name"]
    assert (db.directory / "out.csv").read_text().strip() in ("id,name", '"id","name"')
    assert db.value("SELECT count(*) FROM 'out.arrow'") == 0


def test_partitions_are_directories(db):
    db.ok(
        "COPY (SELECT value AS id, value % 3 AS part, concat('a', value % 2) AS kind FROM range(1000)) "
        "TO 'lake' (FORMAT parquet, PARTITION_BY (part, kind))"
    )
    parts = sorted(os.path.dirname(path) for path in db.left("lake/**/*.parquet"))
    assert sorted(set(parts)) == [f"lake/part={p}/kind=a{k}" for p in range(3) for k in range(2)]
    assert db.rows("SELECT count(*), sum(id), count(DISTINCT part), count(DISTINCT kind) FROM 'lake/'") == [
        (1000, 499500, 3, 2)
    ]


def test_file_is_replaced_whole(db):
    db.ok("COPY (SELECT value AS id FROM range(100000)) TO 'out.parquet'")
    db.ok("COPY (SELECT 7 AS id) TO 'out.parquet'")
    assert db.rows("SELECT id FROM 'out.parquet'") == [(7,)]
    db.fail("COPY (SELECT CAST('x' || value AS INT) AS id FROM range(10)) TO 'out.parquet'")
    assert db.rows("SELECT id FROM 'out.parquet'") == [(7,)]
    assert db.left() == ["out.parquet"]


# ---- Failures ----

BAD_CAST = "SELECT CAST(CASE WHEN value = 3000000 THEN 'bad' ELSE '1' END AS INT) AS n, value FROM range(4000000)"


@pytest.mark.parametrize("target", ["out.parquet", "out.csv", "out.jsonl", "out.arrow", "tree/"])
def test_bad_cast_in_row_three_million_leaves_nothing(db, target):
    name = FORMATS.get(target.rpartition(".")[2], "parquet")
    db.fail(f"COPY ({BAD_CAST}) TO '{target}' (FORMAT {name})", "bad")
    assert db.left() == []
    assert not (db.directory / target).exists()


def test_bad_cast_with_partitions_leaves_nothing(db):
    db.fail(f"COPY (SELECT n, value, value % 5 AS p FROM ({BAD_CAST})) TO 'tree/' (FORMAT csv, PARTITION_BY (p))", "bad")
    assert db.left() == []


def test_bad_cast_into_an_existing_directory_leaves_it_as_it_was(db):
    db.ok("COPY (SELECT 1 AS n, 2 AS value) TO 'tree/' (FORMAT parquet)")
    before = db.left()
    db.fail(f"COPY ({BAD_CAST}) TO 'tree/' (FORMAT parquet)", "bad")
    assert db.left() == before
    assert db.value("SELECT count(*) FROM 'tree/'") == 1


@pytest.mark.parametrize("target", ["out.parquet", "out.csv", "tree/"])
def test_full_disk_leaves_nothing(db, target):
    """A limit on file size stands for the disk: writing beyond it fails with EFBIG once SIGXFSZ is ignored."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    name = FORMATS.get(target.rpartition(".")[2], "csv")
    sql = f"COPY (SELECT value, sqrt(value) AS root, md5(CAST(value AS VARCHAR)) AS hash FROM range(1000000)) TO '{target}' (FORMAT {name})"
    message = db.fail(sql, preexec_fn=limit)
    assert "out" in message or "tree" in message
    assert db.left() == []


def test_full_file_system_leaves_nothing(db):
    """A real one, where this user may mount."""
    small = db.directory / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True)
    if mount.returncode != 0:
        pytest.skip("this user cannot mount a file system")
    try:
        db.fail(
            "COPY (SELECT value, md5(CAST(value AS VARCHAR)) AS hash FROM range(1000000)) TO 'small/out.parquet'",
            "space",
        )
        assert db.left() == []
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("target", ["out.parquet", "tree/"])
def test_killed_copy_is_not_visible(db, target):
    big = "SELECT value, md5(CAST(value AS VARCHAR)) AS hash FROM range(200000000)"
    process = db.start("sql", f"COPY ({big}) TO '{target}' (FORMAT parquet)")
    time.sleep(1.0)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    assert not (db.directory / target).exists()
    visible = [path for path in db.left() if not path.startswith(".")]
    assert visible == []
    db.fail("SELECT * FROM '*.parquet'")
    # The next one to the same place works, and sweeps what the dead one left.
    db.ok(f"COPY (SELECT 1 AS id) TO '{target}' (FORMAT parquet)")
    assert db.value(f"SELECT count(*) FROM '{target}'") == 1
    assert not any(path.startswith(".") for path in db.left()), db.left()


def test_terminated_copy_leaves_nothing(db):
    big = "SELECT value, md5(CAST(value AS VARCHAR)) AS hash FROM range(200000000)"
    result, seconds = db.interrupt("sql", f"COPY ({big}) TO 'out.parquet'", after=1.0)
    assert result.returncode == 130
    assert seconds < 1.5
    assert db.left() == []


def test_target_that_cannot_be_written_is_named(db):
    (db.directory / "dir").mkdir()
    (db.directory / "file").write_text("x")
    db.fail("COPY (SELECT 1) TO 'dir' (FORMAT parquet, COMPRESSION nonsense)", "nonsense")
    db.fail("COPY (SELECT 1) TO 'file/out.parquet'", "file/out.parquet")
    db.fail("COPY (SELECT 1) TO '/proc/out.parquet'", "/proc/")
