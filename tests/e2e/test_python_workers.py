# SPDX-License-Identifier: Apache-2.0
"""
Worker processes: what a source's code does there ends its own query and nothing else. Each fault is
met several times in a row by one server; WEIR_FAULTS=100 makes it longer.
"""

import os
import signal
import sys
import time

import pytest
from adbc_driver_manager import dbapi
from python_sources import BUILD, sources  # noqa: F401  a fixture

REPEATS = int(os.environ.get("WEIR_FAULTS", "3"))
TIMEOUT = 3  # seconds; a busy machine answers later than an idle one
HANGS = ("hang", "spin", "lock")

SOURCE = """
import ctypes, os, subprocess, sys, time
import pyarrow as pa

class Faulty:
    def infer_schema(self, options):
        return pa.schema([("n", pa.int64()), ("s", pa.string()), ("pid", pa.int64())])

    def plan_partitions(self, options):
        return list(range(4))

    def read_partition(self, spec, options):
        what = options.get("what")
        for b in range(5):
            if b == 2 and spec == 1 and what:
                open(options["mark"], "w").write(repr(time.time()))
                if what == "crash": ctypes.string_at(0)
                if what == "hang": time.sleep(1000)
                if what == "spin":
                    while True: pass
                if what == "lock": ctypes.pythonapi.PyEval_RestoreThread; ctypes.PyDLL(None).sleep(1000)
                if what == "exit": sys.exit(3)
                if what == "leave": os._exit(4)
                if what == "abort": os.abort()
                if what == "child": subprocess.Popen(["sleep", "1000"]); os.kill(os.getpid(), 9)
                if what == "leak":
                    kept = []
                    while True: kept.append(bytearray(50_000_000))
                if what == "print":
                    print("hello"); os.write(1, b"raw")
                if what == "raise": raise ValueError("in the third batch")
                if what == "schema":
                    yield pa.record_batch({"n": ["x"], "s": ["x"], "pid": [1]})
                    continue
                if what == "close": os.closerange(3, 4)
                if what == "write": os.write(3, b"x" * 100000)
            yield pa.record_batch({"n": range(10), "s": [f"{spec}-{b}"] * 10, "pid": [os.getpid()] * 10})

class AfterClose(Faulty):
    def read_partition(self, spec, options):
        while True:
            try:
                yield pa.record_batch({"n": [1], "s": ["x"], "pid": [os.getpid()]})
            except GeneratorExit:
                yield pa.record_batch({"n": [2], "s": ["x"], "pid": [os.getpid()]})
                if "hang" in options: time.sleep(1000)
"""

FAULTS = {
    "crash": ["signal 11", "partition 1"],
    "hang": ["did not answer within 3 seconds", "worker_timeout", "partition 1"],
    "spin": ["did not answer within 3 seconds", "partition 1"],
    "lock": ["did not answer within 3 seconds", "partition 1"],
    "exit": ["SystemExit: the source called sys.exit(3)", "partition 1"],
    "leave": ["ended with status 4", "partition 1"],
    "abort": ["signal 6", "partition 1"],
    "child": ["signal 9", "partition 1"],
    "leak": ["out of memory", "partition 1"],
    "raise": ["ValueError: in the third batch", "partition 1", "read_partition"],
    "schema": ['column "n" is utf8 in the batch and int64 in the schema', "partition 1"],
    "close": ["worker process", "partition"],
    "write": ["worker process", "partition"],
}


class Tables:
    def __init__(self, directory, cursor):
        self.directory, self.cursor = directory, cursor
        self.n = 0

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall()

    def make(self, class_name="Faulty", **options):
        self.n += 1
        options = {"python_path": self.directory, "workers": 2, "worker_timeout": "60s", "worker_memory": "4GiB", **options}
        own = "".join(f", {key} '{value}'" for key, value in options.items() if value is not None)
        self.ask(f"CREATE TABLE t{self.n} USING python OPTIONS (python_module 'faulty', python_class '{class_name}'{own})")
        return f"t{self.n}"


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "faulty.py").write_text(SOURCE)
    with dbapi.connect(driver=f"{BUILD}/src/libweir.so", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD python")
        yield Tables(tmp_path, cursor)


def children():
    """The processes of ours that run a source, ended ones too."""
    found = set()
    for entry in os.listdir("/proc"):
        try:
            fields = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()
            command = open(f"/proc/{entry}/cmdline").read()
        except (OSError, IndexError):
            continue
        if entry.isdigit() and int(fields[1]) == os.getpid() and ("serve(3" in command or fields[0] == "Z"):
            found.add(int(entry))
    return found


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_ends_its_query_soon_and_no_other(tables, tmp_path, what):
    mark = tmp_path / "mark"
    options = {"worker_memory": "400MiB"} if what == "leak" else {"worker_timeout": f"{TIMEOUT}s"} if what in HANGS else {}
    table = tables.make(what=what, mark=mark, **options)
    good = tables.make()
    allowed = 2 + (TIMEOUT if what in HANGS else 0)
    for _ in range(REPEATS):
        mark.unlink(missing_ok=True)
        with pytest.raises(Exception) as caught:
            tables.ask(f"SELECT sum(n), max(s), count(pid) FROM {table}")
        assert mark.exists(), str(caught.value)
        took = time.time() - float(mark.read_text())
        for word in FAULTS[what]:
            assert word in str(caught.value), str(caught.value)
        assert took < allowed, f"{took:.1f} s after the fault"
        assert tables.ask(f"SELECT count(*), sum(n) FROM {good}") == [(200, 900)]


def test_what_is_printed_in_a_worker_is_no_result(sources):
    sources.write(SOURCE, "faulty.py")
    table = "python(python_module => 'faulty', python_class => 'Faulty', workers => 2, what => 'print', mark => 'mark')"
    for _ in range(REPEATS):
        result = sources.run("sql", "--format", "csv", f"SELECT count(*) AS n FROM {table}")
        assert (result.returncode, result.stdout) == (0, "n\n200\n")
        assert "hello" in result.stderr and "raw" in result.stderr


def test_partitions_are_spread_over_the_workers_and_they_are_kept(tables):
    table = tables.make(workers=3)
    first = tables.ask(f"SELECT DISTINCT pid FROM {table} ORDER BY pid")
    assert len(first) == 3 and os.getpid() not in {pid for (pid,) in first}
    assert tables.ask(f"SELECT DISTINCT pid FROM {table} ORDER BY pid") == first
    assert tables.ask(f"SELECT count(*) FROM {table} a JOIN {table} b ON a.s = b.s AND a.n = b.n") == [(200,)]
    tables.ask(f"DROP TABLE {table}")
    wait_until(lambda: not {pid for (pid,) in first} & children())


def test_a_reader_that_does_not_close_is_left_behind(tables):
    for options in ({}, {"hang": 1}):
        table = tables.make("AfterClose", worker_timeout=None, worker_memory=None, **options)
        for _ in range(REPEATS):
            start = time.monotonic()
            assert tables.ask(f"SELECT n FROM {table} LIMIT 3") == [(1,)] * 3
            assert time.monotonic() - start < 30


def test_a_cancelled_query_ends_a_hanging_worker(sources, tmp_path):
    sources.write(SOURCE, "faulty.py")
    mark = tmp_path / "mark"
    table = f"python(python_module => 'faulty', python_class => 'Faulty', workers => 1, what => 'hang', mark => '{mark}')"
    process = sources.start("sql", f"LOAD python; SELECT count(*) FROM {table}", start_new_session=True)
    try:
        wait_until(mark.exists, 60)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 130 and "interrupted" in errors, errors
        assert time.monotonic() - start < 10
    finally:
        process.kill()


def test_workers_end_with_their_server(sources, tmp_path):
    sources.write(SOURCE, "faulty.py")
    mark = tmp_path / "mark"
    table = f"python(python_module => 'faulty', python_class => 'Faulty', workers => 1, what => 'spin', mark => '{mark}')"
    process = sources.start("sql", f"LOAD python; SELECT count(*) FROM {table}")
    wait_until(mark.exists, 60)
    workers = [
        int(entry)
        for entry in os.listdir("/proc")
        if entry.isdigit() and os.path.exists(f"/proc/{entry}/stat") and parent_of(entry) == process.pid
    ]
    assert len(workers) == 1
    process.kill()
    process.communicate()
    wait_until(lambda: not os.path.exists(f"/proc/{workers[0]}") or is_zombie(workers[0]))


def parent_of(pid):
    try:
        return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def is_zombie(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return True


def test_a_spec_that_cannot_be_pickled_is_told(sources):
    sources.write("""
        class Unpickled:
            def infer_schema(self, options): return "n INT"
            def plan_partitions(self, options): return [lambda: 1, lambda: 2]
            def read_partition(self, spec, options): yield (spec(),)
    """)
    assert sources.value(f"SELECT sum(n) FROM {sources.of('Unpickled')}") == 3
    assert sources.value(f"SELECT sum(n) FROM {sources.of('Unpickled', workers=1)}") == 3
    sources.fail(f"SELECT sum(n) FROM {sources.of('Unpickled', workers=2)}", "pickle")


@pytest.mark.parametrize(
    "options, words",
    [
        ({"workers": "-1"}, ['option "workers" must be a whole number']),
        ({"workers": "5000"}, ['"workers" must be at most 1024']),
        ({"workers": "1", "worker_memory": "much"}, ['"worker_memory" must be a size like 512MiB']),
        ({"workers": "1", "worker_timeout": "5 years"}, ['"worker_timeout" must be a time like 30s']),
        ({"worker_timeout": "5s"}, ["need workers"]),
    ],
)
def test_wrong_limits_are_told(sources, options, words):
    sources.write("class C: pass")
    sources.fail(f"SELECT * FROM {sources.of('C', **options)}", *words)


TYPES = """
import datetime as d, decimal, pyarrow as pa
D, utc = decimal.Decimal, d.timezone.utc
VALUES = {
    pa.null(): [None, None, None], pa.bool_(): [True, False, None], pa.int8(): [-128, 127, None], pa.uint64(): [0, 2**64 - 1, None],
    pa.float16(): [1.5, -0.0, None], pa.float32(): [1.5, float("inf"), None], pa.float64(): [float("nan"), -0.0, None],
    pa.decimal128(38, 10): [D("1.5"), D("-12345678901234567890.123"), None], pa.decimal256(50, 2): [D("1.25"), D("-7"), None],
    pa.string(): ["", "\\u00e4\\U0001f600", None], pa.large_string(): ["x" * 100, "", None], pa.string_view(): ["short", "longer than twelve bytes", None],
    pa.binary(): [b"\\0", b"", None], pa.large_binary(): [b"\\xff", b"", None], pa.binary(3): [b"abc", b"\\0\\0\\0", None],
    pa.date32(): [d.date(1, 1, 1), d.date(9999, 12, 31), None], pa.time64("us"): [d.time(1, 2, 3, 4), d.time(0), None],
    pa.timestamp("ns"): [d.datetime(2020, 1, 1), d.datetime(1969, 1, 1), None], pa.timestamp("s", "UTC"): [d.datetime(2020, 1, 1, tzinfo=utc), None, None],
    pa.duration("ms"): [d.timedelta(1), d.timedelta(-1), None],
    pa.list_(pa.string()): [["a", None], [], None], pa.large_list(pa.int32()): [[1], [None, 2], None], pa.list_(pa.int8(), 2): [[1, 2], [None, 4], None],
    pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]): [{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None],
    pa.map_(pa.string(), pa.int64()): [[("k", 1)], [], None],
    pa.dictionary(pa.int8(), pa.string()): ["x", "y", None],
    pa.list_(pa.list_(pa.string_view())): [[["deep", "longer than twelve bytes"], []], [None], None],
}
ARRAYS = []
for kind, values in VALUES.items():
    many = pa.chunked_array([pa.array(values * 20, kind if not pa.types.is_dictionary(kind) else pa.string())])
    ARRAYS.append((many.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else many).combine_chunks())
ARRAYS = [a.chunk(0) if isinstance(a, pa.ChunkedArray) else a for a in ARRAYS]
BATCH = pa.RecordBatch.from_arrays(ARRAYS, names=[f"c{i}" for i in range(len(ARRAYS))])

class Types:
    def infer_schema(self, options): return BATCH.schema
    def plan_partitions(self, options): return [0]
    def read_partition(self, spec, options):
        yield BATCH
        for start, length in ((0, 0), (1, 1), (7, 9), (8, 16), (13, 40), (3, 57)):
            yield BATCH.slice(start, length)
"""


def test_every_type_passes_from_a_worker_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "typed_source.py").write_text(TYPES)
    monkeypatch.syspath_prepend(str(tmp_path))
    import typed_source

    expected = list(typed_source.Types().read_partition(0, {}))
    with dbapi.connect(driver=f"{BUILD}/src/libweir.so", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("LOAD python")
        for options in ("", ", workers '1'"):
            cursor.execute(
                "CREATE OR REPLACE TABLE typed USING python OPTIONS (python_module 'typed_source', python_class 'Types', "
                f"python_path '{tmp_path}'{options})"
            )
            cursor.execute("SELECT * FROM typed")
            got = cursor.fetch_arrow_table()
            for name in got.column_names:
                values = [value for batch in expected for value in batch.column(name).to_pylist()]
                assert repr(got.column(name).to_pylist()) == repr(values), (name, typed_source.BATCH.schema.field(name).type, options)
    sys.modules.pop("typed_source")
