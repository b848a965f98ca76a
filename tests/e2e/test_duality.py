# SPDX-License-Identifier: Apache-2.0
"""
Both facets of a node agree: its bytes, read by other programs, are the rows and types that SQL gives.

Tables are random, of every type that an encoding can hold. What an encoding makes of types that it does
not have itself:

- Parquet has neither run lengths nor 64-bit offsets nor views; readers give the plain type.
- CSV has texts only. They are compared after they were turned into SQL's types (readers.value_of). NULL
  and the empty text are the same. Bytes are hexadecimal, durations ISO 8601; lists, structures and maps
  are their display.
- JSON has numbers, texts, lists and objects. NaN and the infinities are null; the rest is as in CSV.
"""

import datetime
import decimal
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import readers
from conftest import PROGRAM, ROOT, Weir
from peak import Peak

sys.path.insert(0, str(ROOT / "bench"))
import weir_ctypes  # noqa: E402

LIBRARY = pathlib.Path(PROGRAM).parent / "src/libweir.so"
ENCODINGS = ["parquet", "arrow", "csv", "jsonl"]
SEEDS = [1, 2, 3]

# ---- Random tables ----

TEXTS = ["", " ", "a", 'with "quotes", commas', "two\nlines", "tab\t", "über 四 🦆", "NULL", "\\", "'", "0", "x" * 300]
LEAST, MOST = datetime.date(1, 1, 1), datetime.date(9999, 12, 31)


def any_text(rng):
    return rng.choice(TEXTS) if rng.random() < 0.5 else f"text {rng.randrange(50)}"


def any_bytes(rng):
    return rng.randbytes(rng.choice([0, 1, 3, 20]))


def any_float(rng):
    special = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), 1e30, -1.5]
    return rng.choice(special) if rng.random() < 0.3 else float(rng.randrange(-4096, 4096)) / 8


def small_float(rng):
    return rng.choice([0.0, -0.0, float("nan"), 1.5, -2.25, 1024.0])


def integer(kind):
    bits = kind.bit_width
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if pa.types.is_signed_integer(kind) else (0, 2**bits - 1)
    return lambda rng: rng.choice([least, most, 0, 1, rng.randint(least, most)])


def between(least, most):
    return lambda rng: rng.choice([least, most, rng.randint(least, most)])


def digits(precision, scale):
    most = 10**precision - 1
    with_scale = lambda n: decimal.Decimal(n).scaleb(-scale, decimal.Context(prec=80))
    return lambda rng: with_scale(rng.choice([0, 1, -1, most, -most, rng.randint(-most, most)]))


def list_of(draw, least=0, most=4, nulls=0.2):
    return lambda rng: [maybe(draw, rng, nulls) for _ in range(rng.randint(least, most))]


def struct_of(**fields):
    return lambda rng: {name: maybe(draw, rng, 0.2) for name, draw in fields.items()}


def map_of(draw):
    return lambda rng: [(f"k{i}", maybe(draw, rng, 0.2)) for i in range(rng.randrange(3))]


def maybe(draw, rng, nulls):
    return None if rng.random() < nulls else draw(rng)


SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
DAYS_OF_NS = 106_000  # what 64 bits of nanoseconds hold on either side of 1970
FIRST, LAST = (LEAST - datetime.date(1970, 1, 1)).days, (MOST - datetime.date(1970, 1, 1)).days


def moments(unit):
    first, last = (-DAYS_OF_NS, DAYS_OF_NS) if unit == "ns" else (FIRST + 1, LAST - 1)
    return between(first * 86400 * SECONDS[unit], last * 86400 * SECONDS[unit])


def whole_days(rng):
    return between(FIRST, LAST)(rng) * 86_400_000


SMALL = between(-5, 5)
COLUMNS = {
    **{str(kind): (kind, integer(kind)) for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    "float16": (pa.float16(), small_float),
    "float32": (pa.float32(), lambda rng: rng.choice([0.0, float("nan"), float("-inf"), 0.5, -3.75, 2.0**100])),
    "float64": (pa.float64(), any_float),
    "bool": (pa.bool_(), lambda rng: rng.random() < 0.5),
    "string": (pa.string(), any_text),
    "large_string": (pa.large_string(), any_text),
    "string_view": (pa.string_view(), any_text),
    "naïve \"name\"": (pa.string(), any_text),
    "binary": (pa.binary(), any_bytes),
    "large_binary": (pa.large_binary(), any_bytes),
    "binary_view": (pa.binary_view(), any_bytes),
    "fixed_binary": (pa.binary(5), lambda rng: rng.randbytes(5)),
    "decimal32": (pa.decimal32(7, 2), digits(7, 2)),
    "decimal64": (pa.decimal64(15, 3), digits(15, 3)),
    "decimal128": (pa.decimal128(38, 10), digits(38, 10)),
    "date32": (pa.date32(), between(FIRST, LAST)),
    "time32_ms": (pa.time32("ms"), between(0, 86_399_999)),
    "time64_us": (pa.time64("us"), between(0, 86_399_999_999)),
    "time64_ns": (pa.time64("ns"), between(0, 86_399_999_999_999)),
    **{f"timestamp_{unit}": (pa.timestamp(unit), moments(unit)) for unit in ("ms", "us", "ns")},
    "zoned_utc": (pa.timestamp("us", "UTC"), moments("us")),
    "zoned_berlin": (pa.timestamp("ms", "Europe/Berlin"), between(0, 2 * 10**12)),
    **{f"duration_{unit}": (pa.duration(unit), between(-(10**15), 10**15)) for unit in SECONDS},
    "list": (pa.list_(pa.int32()), list_of(SMALL)),
    "large_list": (pa.large_list(pa.string()), list_of(lambda rng: rng.choice(["a", "b"]))),
    "fixed_list": (pa.list_(pa.int16(), 3), list_of(SMALL, 3, 3)),
    "struct": (pa.struct([("a", pa.int64()), ("b", pa.string())]), struct_of(a=SMALL, b=lambda rng: "b")),
    "map": (pa.map_(pa.string(), pa.int64()), map_of(SMALL)),
    "nested": (
        pa.list_(pa.struct([("a", pa.list_(pa.int64())), ("m", pa.map_(pa.string(), pa.int32()))])),
        list_of(struct_of(a=list_of(SMALL), m=map_of(SMALL))),
    ),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), lambda rng: rng.choice(["red", "green", ""])),
    "dictionary_8": (pa.dictionary(pa.int8(), pa.int64()), lambda rng: rng.choice([7, 8])),
    "null": (pa.null(), lambda rng: None),
    "all_null": (pa.int32(), lambda rng: None),
}
# Types that some reader cannot even open a file with.
RARE = {
    "decimal256": (pa.decimal256(60, 20), digits(60, 20)),
    "zoned_offset": (pa.timestamp("ns", "+05:30"), moments("ns")),
    "list_view": (pa.list_view(pa.int64()), list_of(SMALL)),
}
# Types that Parquet has no place for; the others are in it as they are.
NOT_IN_PARQUET = {
    "interval": (pa.month_day_nano_interval(), lambda rng: pa.MonthDayNano([SMALL(rng), SMALL(rng), SMALL(rng)])),
}
# Types that Parquet has in another unit only.
SECONDS_AND_DAYS = {
    "timestamp_s": (pa.timestamp("s"), moments("s")),
    "zoned_s": (pa.timestamp("s", "UTC"), moments("s")),
    "time32_s": (pa.time32("s"), between(0, 86_399)),
    "date64": (pa.date64(), whole_days),
}


def array_of(kind, values):
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return pa.array(values, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)
    return pa.array(values, kind)


def random_table(seed, columns, n_rows=None):
    rng = random.Random(seed)
    n = rng.randint(50, 400) if n_rows is None else n_rows
    ids = list(range(n))
    rng.shuffle(ids)
    arrays = {"id": pa.array(ids, pa.int64())}
    for name, (kind, draw) in columns.items():
        nulls = rng.choice([0, 0.1, 0.5])
        arrays[name] = array_of(kind, [maybe(draw, rng, nulls) for _ in range(n)])
    return pa.table(arrays)


def write_arrow(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=97)


# ---- The tree that is read ----


class Lake:
    """A workspace with a mount `lake` in which every kind of node holds rows."""

    def __init__(self, directory, seed):
        self.directory = directory
        self.lake = directory / "lake"
        self.lake.mkdir(parents=True)
        (directory / "weir.yaml").touch()
        self.program = Weir(directory)
        self.program.ok("ATTACH 'lake' AS lake")
        table = random_table(seed, COLUMNS)
        self.write_files(table, seed)
        self.write_series(table)
        self.session = weir_ctypes.Session(LIBRARY, 2, directory)
        self.session.run("CREATE VIEW even AS SELECT * FROM '/lake/columns.arrow' WHERE id % 2 = 0")
        self.session.run("CREATE VIEW none AS SELECT * FROM even WHERE id < 0")
        self.session.run("CREATE TABLE kept AS SELECT * FROM '/lake/columns.arrow' WHERE id % 3 = 0")

    def write_files(self, table, seed):
        write_arrow(table, self.lake / "columns.arrow")
        pq.write_table(table, self.lake / "plain.parquet", row_group_size=64)
        write_arrow(random_table(seed, RARE), self.lake / "rare.arrow")
        write_arrow(random_table(seed, NOT_IN_PARQUET), self.lake / "intervals.arrow")
        write_arrow(random_table(seed, SECONDS_AND_DAYS), self.lake / "coarse.arrow")
        rng = random.Random(seed)
        records = [
            {"id": i, "n": maybe(SMALL, rng, 0.2), "x": i / 8, "text": any_text(rng).strip() or "t", "on": i % 2 == 0}
            for i in range(100)
        ]
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (self.lake / "lines.jsonl").write_text("".join(lines), encoding="utf-8")
        cells = ['id,n,x,text,day'] + [
            f'{r["id"]},{"" if r["n"] is None else r["n"]},{r["x"]},"{r["text"].replace(chr(34), chr(34) * 2)}",2024-01-{i % 28 + 1:02}'
            for i, r in enumerate(records)
        ]
        (self.lake / "cells.csv").write_text("\n".join(cells) + "\n", encoding="utf-8")
        (self.lake / "odd.sql").write_text("-- description: those with an odd number\nSELECT * FROM columns WHERE id % 2 = 1\n")
        (self.lake / "deep.sql").write_text("SELECT * FROM odd WHERE id > 10\n")
        (self.lake / "empty.sql").write_text("SELECT * FROM columns WHERE false\n")
        pq.write_table(random_table(seed, COLUMNS, 0), self.lake / "nothing.parquet")

    def write_series(self, table):
        several, arrows, hive = self.lake / "several", self.lake / "arrows", self.lake / "hive"
        several.mkdir()
        arrows.mkdir()
        step = -(-table.num_rows // 4)
        for i in range(4):
            part = table.slice(i * step, step)
            pq.write_table(part, several / f"{i}.parquet")
            write_arrow(part, arrows / f"{i}.arrow")
            below = hive / f"year={2020 + i % 2}" / f"kind=k{i}"
            below.mkdir(parents=True)
            pq.write_table(part.select(["id", "string", "decimal128", "list"]), below / "part.parquet")

    def truth(self, path):
        """Schema and rows that SQL gives."""
        table = self.session.query(f"SELECT * FROM '{path}'").read_all()
        return table.schema, readers.rows(table)

    def bytes(self, path, encoding):
        with self.session.node(path) as node, node.open(encoding) as file:
            info = file.describe()
            data = file.read()
            assert len(data) == info.n_bytes
            assert info.encoding.decode() == encoding
            return data

    def close(self):
        self.session.close()


@pytest.fixture(scope="module", params=SEEDS)
def lake(request, tmp_path_factory):
    print(f"seed {request.param}")
    lake = Lake(tmp_path_factory.mktemp("duality") / "w", request.param)
    yield lake
    lake.close()


NODES = {
    "Parquet file": "/lake/plain",
    "Arrow file": "/lake/columns",
    "Arrow file of rare types": "/lake/rare",
    "JSON Lines file": "/lake/lines",
    "CSV file": "/lake/cells",
    "file without rows": "/lake/nothing",
    "directory of Parquet files": "/lake/several",
    "directory of Arrow files": "/lake/arrows",
    "Hive directories": "/lake/hive",
    "view": "/weir/public/even",
    "view without rows": "/weir/public/none",
    ".sql file": "/lake/odd",
    ".sql file over another": "/lake/deep",
    ".sql file without rows": "/lake/empty",
    "table in memory": "/weir/public/kept",
}

# What readers do not have: columns that begin so are left out, or the reader is for files with them.
LACKS = {
    "parquet_by_duckdb": ("decimal256", "duration"),  # it reads them as DOUBLE and as BIGINT
    "jsonl_by_duckdb": ("decimal", "float"),  # numbers are DOUBLE
}
CANNOT_OPEN = {"parquet_by_polars": RARE, "arrow_by_polars": RARE}


def same_rows(expected, actual, what):
    assert list(actual) == list(expected), what
    for name, values in expected.items():
        if actual[name] != values:
            i = next(i for i, pair in enumerate(zip(values, actual[name])) if pair[0] != pair[1])
            pytest.fail(f"{what}: column {name}, row {i}: SQL gives {values[i]!r}, the bytes {actual[name][i]!r}")
        assert len(actual[name]) == len(values), what


def without_lacks(reader, columns):
    return {name: values for name, values in columns.items() if not name.startswith(LACKS.get(reader, ()))}


def check_binary(encoding, data, schema, rows, path):
    """Parquet and Arrow: types and rows by each reader."""
    assert readers.types(readers.schema_of(encoding, data)) == readers.types(schema)
    file = readers.written(path.with_suffix("." + encoding), data)
    for reader in [r for r in dir(readers) if r.startswith(encoding + "_by_")]:
        if rows.keys() & CANNOT_OPEN.get(reader, {}).keys():
            continue
        table = getattr(readers, reader)(file)
        assert table.column_names == list(rows), reader
        known = without_lacks(reader, rows)
        same_rows(known, readers.rows(table.select(list(known))), reader)


def nothing_is_null(values):
    return [None if value in ("", b"") else value for value in values]


def check_csv(data, schema, rows, path):
    file = readers.written(path.with_suffix(".csv"), data)
    for reader in [r for r in dir(readers) if r.startswith("csv_by_")]:
        texts = readers.csv_texts(getattr(readers, reader)(file))
        assert list(texts) == list(rows), reader
        expected, actual = {}, {}
        for name, values in rows.items():
            kind = schema.field(name).type
            if pa.types.is_nested(kind):
                expected[name] = ["" if value is None else readers.shown(value, kind) for value in values]
                actual[name] = texts[name]
            else:
                expected[name] = nothing_is_null(values)
                actual[name] = [None if t == "" else readers.value_of(t, kind) for t in texts[name]]
                actual[name] = nothing_is_null(actual[name])
        same_rows(expected, actual, reader)


def finite(value):
    if isinstance(value, list):
        return [(v[0], finite(v[1])) if isinstance(v, tuple) and len(v) == 2 else finite(v) for v in value]
    return None if value in (("float", "nan"), ("float", "inf"), ("float", "-inf")) else value


def check_jsonl(data, schema, rows, path):
    file = readers.written(path.with_suffix(".jsonl"), data)
    if not rows["id"]:
        assert data == b""
        return
    for reader in ("jsonl_by_python", "jsonl_by_duckdb"):
        found = readers.jsonl_values(getattr(readers, reader)(file))
        actual = {
            name: [readers.value_of(value, schema.field(name).type) for value in values]
            for name, values in found.items()
        }
        expected = {name: [finite(v) for v in values] for name, values in rows.items()}
        same_rows(without_lacks(reader, expected), without_lacks(reader, actual), reader)


def check_bytes(encoding, data, schema, rows, path):
    if encoding in ("parquet", "arrow"):
        check_binary(encoding, data, schema, rows, path)
    elif encoding == "csv":
        check_csv(data, schema, rows, path)
    else:
        check_jsonl(data, schema, rows, path)


# ---- The property ----


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("node", NODES)
def test_bytes_of_a_node_are_the_rows_and_types_of_sql(lake, tmp_path, node, encoding):
    path = NODES[node]
    schema, rows = lake.truth(path)
    assert rows["id"] or node.endswith("without rows")
    check_bytes(encoding, lake.bytes(path, encoding), schema, rows, tmp_path / "read")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_program_gives_the_bytes_that_the_library_gives(lake, encoding):
    """Where both find them in the spool, or in the node's own file."""
    for node, path in NODES.items():
        if node != "table in memory":
            result = lake.program.run("cat", "--bytes", f"{path}.{encoding}", input=b"")
            assert result.returncode == 0, result.stderr
            assert result.stdout == lake.bytes(path, encoding), node


def test_arrow_of_the_program_is_the_bytes_of_the_node(lake):
    for path in ("/weir/public/even", "/lake/odd"):
        result = lake.program.run("sql", "--format", "arrow", f"SELECT * FROM '{path}'", input=b"")
        table = pa.ipc.open_file(result.stdout).read_all()
        bytes_of = pa.ipc.open_file(lake.bytes(path, "arrow")).read_all()
        assert table.schema == bytes_of.schema
        assert readers.rows(table) == readers.rows(bytes_of)


def test_seconds_and_days_of_milliseconds_keep_their_meaning_in_parquet(lake, tmp_path):
    """Parquet has no such units. What it has instead is the next finer one, and a date is a date."""
    schema, rows = lake.truth("/lake/coarse")
    data = lake.bytes("/lake/coarse", "parquet")
    kinds = {field.name: str(field.type) for field in readers.schema_of("parquet", data)}
    assert kinds == {
        "id": "int64",
        "timestamp_s": "timestamp[ms]",
        "zoned_s": "timestamp[ms, tz=UTC]",
        "time32_s": "time32[ms]",
        "date64": "date32[day]",
    }
    file = readers.written(tmp_path / "x.parquet", data)
    same_rows(rows, readers.rows(readers.parquet_by_pyarrow(file)), "pyarrow")
    same_rows(rows, readers.rows(readers.parquet_by_duckdb(file)), "DuckDB")


@pytest.mark.parametrize("encoding", ["arrow", "csv", "jsonl"])
@pytest.mark.parametrize("path", ["/lake/coarse", "/lake/intervals"])
def test_other_encodings_have_all_units(lake, tmp_path, path, encoding):
    schema, rows = lake.truth(path)
    data = lake.bytes(path, encoding)
    if encoding == "arrow":
        assert readers.types(readers.schema_of("arrow", data)) == readers.types(schema)
        file = readers.written(tmp_path / "x.arrow", data)
        same_rows(rows, readers.rows(readers.arrow_by_pyarrow(file)), "pyarrow")
    else:
        check_bytes(encoding, data, schema, rows, tmp_path / "x")


def test_an_encoding_that_cannot_hold_a_type_says_which_column_of_what(lake):
    with pytest.raises(weir_ctypes.WeirError) as failure:
        lake.bytes("/lake/intervals", "parquet")
    assert failure.value.code == 2  # not implemented
    for word in ("/lake/intervals", "parquet", '"interval"', "cast"):
        assert word in failure.value.message, failure.value.message


def test_a_file_of_the_encoding_gives_its_own_bytes_by_any_range(lake):
    own = (lake.lake / "plain.parquet").read_bytes()
    for path in ("/lake/plain.parquet", "/lake/plain", str(lake.lake / "plain.parquet")):
        with lake.session.node(path) as node, node.open("parquet") as file:
            assert file.describe().is_own == 1 and file.read() == own
            rng = random.Random(1)
            for _ in range(50):
                offset, length = rng.randrange(len(own) + 10), rng.randrange(5000)
                assert file.read(offset, length) == own[offset : offset + length]


def test_ranges_of_encoded_bytes_are_those_of_the_whole(lake):
    with lake.session.node("/weir/public/even.csv") as node, node.open() as file:
        whole = file.read()
        assert file.describe().is_own == 0
        rng = random.Random(2)
        for _ in range(50):
            offset, length = rng.randrange(len(whole) + 10), rng.randrange(5000)
            assert file.read(offset, length) == whole[offset : offset + length]


# ---- One encoding, kept under its version ----

SLOW = 3_000_000  # rows whose encoding takes a second or so


@pytest.fixture
def slow(tmp_path):
    """A workspace in which the view `slow` takes a while to encode, over a file that may change."""
    pq.write_table(pa.table({"n": pa.array([SLOW], pa.int64())}), tmp_path / "many.parquet")
    program = Weir(tmp_path)
    (tmp_path / "weir.yaml").touch()
    program.ok(
        "CREATE VIEW slow AS SELECT value AS id, md5(CAST(value AS VARCHAR)) AS digest "
        f"FROM range({SLOW}) WHERE value < (SELECT max(n) FROM '{tmp_path}/many.parquet')"
    )
    return program


def change(program, n):
    """Replaces the view's input."""
    new = program.directory / "new"
    pq.write_table(pa.table({"n": pa.array([n], pa.int64())}), new)
    os.replace(new, program.directory / "many.parquet")


def spooled(program):
    """The bytes that are kept, and what is half-written."""
    files = [p for p in (program.directory / ".weir").rglob("*") if p.is_file() and "spool" in str(p.parent)]
    return [p for p in files if not p.name.endswith((".part", ".lock"))], [p for p in files if p.name.endswith(".part")]


def test_sixteen_threads_cause_one_encoding(slow):
    session = weir_ctypes.Session(LIBRARY, 2, slow.directory)
    before, found = session.metrics()["encodings"], []

    def read():
        with session.node("/weir/public/slow.parquet") as node, node.open() as file:
            found.append(file.read())

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16 and len(set(found)) == 1
    assert pq.read_metadata(pa.BufferReader(found[0])).num_rows == SLOW
    assert session.metrics()["encodings"] == before + 1
    session.close()


CHILD = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import weir_ctypes
session = weir_ctypes.Session(sys.argv[2], 1, sys.argv[3])
sys.stdin.readline()
with session.node(sys.argv[4]) as node, node.open() as file:
    print(hashlib.sha256(file.read()).hexdigest())
metrics = session.metrics()
print(metrics["encodings"], metrics["spool_hits"], metrics["store_bytes_read"])
session.close()
"""


def readers_of(program, path, n):
    """Processes that read the bytes at once: [(digest, encodings, spool hits, bytes of inputs read)]."""
    command = [sys.executable, "-c", CHILD, str(ROOT / "bench"), str(LIBRARY), str(program.directory), path]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(n)]
    time.sleep(0.25 * n)
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0].split() for process in processes]
    assert all(process.returncode == 0 for process in processes)
    return [(digest, *map(int, rest)) for digest, *rest in outputs]


def test_sixteen_processes_cause_one_encoding(slow):
    answers = readers_of(slow, "/weir/public/slow.parquet", 16)
    assert len({digest for digest, *_ in answers}) == 1
    assert sum(encodings for _, encodings, *_ in answers) == 1
    assert len(spooled(slow)[0]) == 1 and spooled(slow)[1] == []


def test_unchanged_bytes_come_from_the_spool_and_run_no_query(slow):
    ((first, encodings, _, _),) = readers_of(slow, "/weir/public/slow.parquet", 1)
    assert encodings == 1
    ((second, encodings, hits, n_read),) = readers_of(slow, "/weir/public/slow.parquet", 1)
    # The input's footer is in the cache, its rows are not asked for.
    assert (second, encodings, hits, n_read) == (first, 0, 1, 0)


def test_a_changed_input_changes_version_and_bytes(slow):
    change(slow, 1000)
    session = weir_ctypes.Session(LIBRARY, 2, slow.directory)

    def read():
        with session.node("/weir/public/slow.parquet") as node, node.open() as file:
            return node.version(), file.describe().version, file.read()

    node, bytes_of, data = read()
    assert (node, bytes_of, data) == read()
    change(slow, 500)
    new_node, new_bytes_of, new_data = read()
    assert new_node != node and new_bytes_of != bytes_of
    assert pq.read_metadata(pa.BufferReader(data)).num_rows == 1000
    assert pq.read_metadata(pa.BufferReader(new_data)).num_rows == 500
    session.close()


def test_an_open_file_keeps_its_bytes_when_the_input_changes(slow):
    change(slow, 1000)
    session = weir_ctypes.Session(LIBRARY, 2, slow.directory)
    with session.node("/weir/public/slow.parquet") as node, node.open() as file:
        before = file.read()
        change(slow, 10)
        assert len(session.query("SELECT * FROM slow").read_all()) == 10
        assert file.read() == before
    session.close()


def test_a_reader_killed_half_way_leaves_nothing_that_is_read(slow):
    process = slow.start("cat", "--bytes", "/weir/public/slow.parquet")
    try:
        deadline = time.monotonic() + 30
        while not any(part.exists() and part.stat().st_size > 0 for part in spooled(slow)[1]):
            assert time.monotonic() < deadline and process.poll() is None, "it was never seen half-written"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert spooled(slow)[0] == []
    result = slow.run("cat", "--bytes", "/weir/public/slow.parquet", input=b"")
    assert result.returncode == 0, result.stderr
    table = pq.read_table(pa.BufferReader(result.stdout))
    assert table.num_rows == SLOW
    assert len(spooled(slow)[0]) == 1 and spooled(slow)[1] == []


def test_a_waiting_reader_takes_over_when_the_one_that_encodes_is_killed(slow):
    first = slow.start("cat", "--bytes", "/weir/public/slow.parquet")
    deadline = time.monotonic() + 30
    while not spooled(slow)[1]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    command = [PROGRAM, "cat", "--bytes", "/weir/public/slow.parquet"]
    with open(slow.directory / "copy", "wb") as out:
        second = subprocess.Popen(command, stdout=out, cwd=slow.directory, env=slow.env)
    time.sleep(0.1)
    first.kill()
    first.communicate()
    assert second.wait(timeout=60) == 0
    assert pq.read_table(slow.directory / "copy").num_rows == SLOW


def test_bytes_do_not_go_through_memory(slow):
    """The process stays small, however large the file is."""
    slow.ok("CREATE VIEW wide AS SELECT id, digest, repeat(digest, 16) AS r FROM slow WHERE id < 1000000")
    command = [PROGRAM, "cat", "--bytes", "/weir/public/wide.csv"]
    with open(slow.directory / "copy", "wb") as out:
        process = subprocess.Popen(command, stdout=out, cwd=slow.directory, env=slow.env)
        peak = Peak(process)
        process.wait()
    assert process.returncode == 0
    size = (slow.directory / "copy").stat().st_size
    assert size > 540_000_000
    assert 0 < peak.bytes() < size / 2
