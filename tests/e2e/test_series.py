# SPDX-License-Identifier: Apache-2.0
"""Many files read as one table: which files are read, and that nothing is read twice."""

import datetime
import json
import re

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from conftest import Weir

FILES = 10_000
ROWS = 10  # in each
START = datetime.datetime(2024, 1, 1)
HOUR = datetime.timedelta(hours=1)
# Ten files lie in the ten hours from the 5,000th on.
FIRST, LAST = START + 5000 * HOUR, START + 5010 * HOUR
FILTER = f"at >= TIMESTAMP '{FIRST}' AND at < TIMESTAMP '{LAST}'"
METRICS = "SELECT name, value FROM system.metrics"


def workspace(directory):
    """One in which `lake` is the directory of that name."""
    (directory / "weir.yaml").touch()
    program = Weir(directory)
    program.ok("ATTACH 'lake' AS lake")
    return program


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A workspace over 10,000 files of an hour each."""
    directory = tmp_path_factory.mktemp("series")
    (directory / "lake" / "hours").mkdir(parents=True)
    schema = pa.schema([("id", pa.int64()), ("at", pa.timestamp("us")), ("text", pa.string())])
    for i in range(FILES):
        at = [START + i * HOUR + n * HOUR / ROWS for n in range(ROWS)]
        ids = list(range(i * ROWS, (i + 1) * ROWS))
        rows = pa.table([ids, at, [f"text {n}" for n in ids]], schema=schema)
        pq.write_table(rows, directory / "lake" / "hours" / f"{i:05}.parquet", compression="none")
    return workspace(directory)


def count_and_metrics(program, path):
    """The count with the time filter, and what the process has counted when it is done."""
    answer = program.ok(f"SELECT count(*) AS n FROM '{path}' WHERE {FILTER}; {METRICS}", "--format", "jsonl")
    (first, *rest) = map(json.loads, answer.splitlines())
    return first["n"], {row["name"]: row["value"] for row in rest}


def largest(program):
    return max(path.stat().st_size for path in (program.directory / "lake" / "hours").iterdir())


@pytest.mark.parametrize("path", ["/lake/hours", "/lake/hours/*.parquet"])
def test_footers_are_read_once_and_only_matching_files_are_scanned(series, path):
    n, first = count_and_metrics(series, path)
    assert n == 10 * ROWS
    n, second = count_and_metrics(series, path)
    assert n == 10 * ROWS
    assert second["footers_read"] == 0
    assert 0 < second["store_bytes_read"] <= 10 * largest(series)
    if path == "/lake/hours":
        assert first["footers_read"] == FILES  # by nobody before, by nobody after
    else:
        assert first["footers_read"] == 0


def test_a_changed_file_is_the_only_footer_that_is_read_again(series):
    count_and_metrics(series, "/lake/hours")
    path = series.directory / "lake" / "hours" / "05000.parquet"
    rows = pq.read_table(path)
    pq.write_table(pa.concat_tables([rows, rows]), path, compression="none")
    try:
        n, metrics = count_and_metrics(series, "/lake/hours")
        assert (n, metrics["footers_read"]) == (11 * ROWS, 1)
    finally:
        pq.write_table(rows, path, compression="none")
    n, metrics = count_and_metrics(series, "/lake/hours")
    assert (n, metrics["footers_read"]) == (10 * ROWS, 1)


def test_plan_shows_the_matching_files_only(series):
    plan = series.ok(f"EXPLAIN SELECT text FROM '/lake/hours' WHERE {FILTER}", "--format", "csv")
    assert sorted(set(re.findall(r"\b(\d{5})\.parquet", plan))) == [f"{i:05}" for i in range(5000, 5010)]


def test_count_of_all_rows_reads_no_data(series):
    count_and_metrics(series, "/lake/hours")
    answer = series.ok(f"SELECT count(*) AS n FROM '/lake/hours'; {METRICS}", "--format", "jsonl")
    (first, *rest) = map(json.loads, answer.splitlines())
    metrics = {row["name"]: row["value"] for row in rest}
    assert first["n"] == FILES * ROWS
    assert (metrics["footers_read"], metrics["store_bytes_read"]) == (0, 0)


# ---- What a series is ----


@pytest.fixture
def lake(tmp_path):
    """A workspace with a mount `lake`, empty."""
    (tmp_path / "lake").mkdir()
    return workspace(tmp_path)


def three(directory, ending="parquet"):
    directory.mkdir(parents=True, exist_ok=True)
    for i in range(3):
        rows = pa.table({"id": [2 * i, 2 * i + 1], "name": [f"a{i}", f"b{i}"]})
        if ending == "parquet":
            pq.write_table(rows, directory / f"{i}.parquet")
        else:
            pa.csv.write_csv(rows, directory / f"{i}.csv")


def bytes_of(program, path):
    result = program.run("cat", "--bytes", path, input=b"")
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_bytes_of_a_series_are_all_of_its_rows(lake, ending):
    three(lake.directory / "lake" / "many", ending)
    for path in ("/lake/many.parquet", "/lake/many.arrow"):
        data = pa.BufferReader(bytes_of(lake, path))
        table = pq.read_table(data) if path.endswith("parquet") else pa.ipc.open_file(data).read_all()
        assert sorted(table["id"].to_pylist()) == list(range(6))
        assert sorted(table["name"].to_pylist()) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    lines = bytes_of(lake, "/lake/many.csv").decode().splitlines()
    assert sorted(lines[1:]) == sorted(f"{2 * i + n},{'ab'[n]}{i}" for i in range(3) for n in range(2))


def test_a_series_has_a_name_in_sql_and_as_a_path(lake):
    three(lake.directory / "lake" / "deep" / "many")
    for name in ("'/lake/deep/many'", "'/lake/deep/many/'", "'/lake/deep/many/*.parquet'", "lake.deep.many"):
        assert lake.value(f"SELECT sum(id) FROM {name}") == 15, name


def test_a_new_file_is_a_new_version_and_new_bytes(lake):
    three(lake.directory / "lake" / "many")
    before = bytes_of(lake, "/lake/many.parquet")
    assert bytes_of(lake, "/lake/many.parquet") == before
    pq.write_table(pa.table({"id": [99], "name": ["new"]}), lake.directory / "lake" / "many" / "3.parquet")
    table = pq.read_table(pa.BufferReader(bytes_of(lake, "/lake/many.parquet")))
    assert sorted(table["id"].to_pylist()) == [0, 1, 2, 3, 4, 5, 99]


def test_a_directory_and_a_file_of_one_name_are_not_confused(lake):
    three(lake.directory / "lake" / "many")
    pq.write_table(pa.table({"id": [7]}), lake.directory / "lake" / "many.parquet")
    assert lake.rows("SELECT id FROM '/lake/many.parquet'") == [(7,)]
    assert lake.value("SELECT count(*) FROM '/lake/many/'") == 6
    assert bytes_of(lake, "/lake/many.parquet") == (lake.directory / "lake" / "many.parquet").read_bytes()


def test_two_files_of_one_stem_have_only_their_full_names(lake):
    pq.write_table(pa.table({"id": [1]}), lake.directory / "lake" / "x.parquet")
    (lake.directory / "lake" / "x.csv").write_text("id\n2\n")
    assert lake.rows("SELECT id FROM '/lake/x.parquet'") == [(1,)]
    assert lake.rows("SELECT id FROM '/lake/x.csv'") == [(2,)]
    lake.fail("SELECT id FROM lake.x", "x.parquet", "x.csv")


def test_headers_that_differ_are_united_by_name_or_refused(lake):
    d = lake.directory / "lake" / "days"
    d.mkdir()
    (d / "1.csv").write_text("id,a\n1,x\n")
    (d / "2.csv").write_text("b,id\n2.5,2\n")
    assert lake.rows("SELECT id, a, b FROM '/lake/days' ORDER BY id") == [(1, "x", None), (2, None, 2.5)]
    text = bytes_of(lake, "/lake/days.jsonl").decode()
    rows = sorted((json.loads(line) for line in text.splitlines()), key=lambda row: row["id"])
    assert rows == [{"id": 1, "a": "x", "b": None}, {"id": 2, "a": None, "b": 2.5}]


def test_types_that_cannot_be_united_name_the_file_and_column(lake):
    d = lake.directory / "lake" / "days"
    d.mkdir()
    pq.write_table(pa.table({"id": [1]}), d / "1.parquet")
    pq.write_table(pa.table({"id": [[1, 2]]}), d / "2.parquet")
    lake.fail("SELECT * FROM '/lake/days'", "id", "2.parquet")


@pytest.mark.parametrize("path,near", [
    ("/lake/mnay/*.parquet", "many"),
    ("/lake/many/*.csv", "/lake/many"),
    ("/lake/many/x?.parquet", "/lake/many"),
    ("/lake/many/[a-z].parquet", "/lake/many"),
    ("/lake/mnay", "many"),
    ("/lake/many/0.parqet", "0.parquet"),
    ("/lak/many", "lak"),
])
def test_what_is_not_there_says_where_it_looked(lake, path, near):
    three(lake.directory / "lake" / "many")
    error = lake.fail(f"SELECT * FROM '{path}'", near)
    assert "58P01" in error or "42P01" in error
    result = lake.run("cat", path)
    assert result.returncode == 1 and near in result.stderr


def test_an_empty_match_is_fine_when_asked_for_with_a_schema(lake):
    create = "CREATE TABLE t (id INT, name VARCHAR) USING files OPTIONS (path 'lake/none/*.parquet', format parquet{})"
    lake.fail(create.format("") + "; SELECT * FROM t", "none")
    sql = create.format(", allow_empty true").replace("TABLE t ", "TABLE u ")
    assert lake.rows(sql + "; SELECT count(*), count(name) FROM u") == [(0, 0)]
