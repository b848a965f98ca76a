# SPDX-License-Identifier: Apache-2.0
"""Data sources of three methods: infer_schema, plan_partitions, read_partition."""

import json

import pytest
from python_sources import sources  # noqa: F401  a fixture

NUMBERS = """
import pyarrow as pa

class Numbers:
    def infer_schema(self, options):
        return pa.schema([("n", pa.int64()), ("part", pa.string())])

    def plan_partitions(self, options):
        return [{"part": i, "rows": int(options.get("rowsEach", 10))} for i in range(int(options.get("numPartitions", 3)))]

    def read_partition(self, spec, options):
        for start in range(0, spec["rows"], 4):
            rows = range(start, min(start + 4, spec["rows"]))
            yield pa.record_batch({"n": pa.array(rows, pa.int64()), "part": [f"p{spec['part']}"] * len(rows)})
"""


def test_every_partition_is_read_once(sources):
    sources.write(NUMBERS)
    table = sources.of("Numbers")
    assert sources.rows(f"SELECT part, count(*), sum(n) FROM {table} GROUP BY part ORDER BY part") == [
        ("p0", 10, 45),
        ("p1", 10, 45),
        ("p2", 10, 45),
    ]
    assert sources.value(f"SELECT count(*) FROM {table}") == 30
    assert sources.rows(f"SELECT * FROM {table} WHERE n = 9 ORDER BY part") == [(9, "p0"), (9, "p1"), (9, "p2")]


def test_a_table_of_a_workspace_is_there_the_next_time(sources):
    sources.write(NUMBERS)
    (sources.directory / "weir.yaml").write_text("extensions:\n  python: {}\n")
    create = "CREATE TABLE n USING python OPTIONS (python_module 'sources', python_class 'Numbers', numPartitions '2')"
    assert super(type(sources), sources).run("sql", create).returncode == 0
    result = super(type(sources), sources).run("sql", "SELECT count(*) AS n FROM n", "--format", "csv")
    assert (result.stdout, result.stderr) == ("n\n20\n", "")


def test_options_keep_their_spelling_and_specs_their_types(sources):
    sources.write("""
        import json
        class Echo:
            def infer_schema(self, options):
                return "what STRING"
            def plan_partitions(self, options):
                return [("tuple", 1, None), {"dict": 2.5}]
            def read_partition(self, spec, options):
                yield (json.dumps([type(spec).__name__, repr(spec), sorted(options.items())]),)
    """)
    table = sources.of("Echo", partitionColumn="id", UPPER="Ünï", url="x://y")
    found = sorted(json.loads(text) for (text,) in sources.rows(f"SELECT what FROM {table}"))
    options = [["UPPER", "Ünï"], ["partitionColumn", "id"], ["url", "x://y"]]
    assert found == [["dict", "{'dict': 2.5}", options], ["tuple", "('tuple', 1, None)", options]]


ROWS = """
    import datetime as d, decimal
    class Rows:
        def infer_schema(self, options):
            return '''b BOOLEAN, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, g DOUBLE, x DECIMAL(12,3), c STRING, y BINARY,
                d DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, a ARRAY<INT>, m MAP<STRING, BIGINT>, st STRUCT<p: INT, q: ARRAY<STRING>>'''
        def plan_partitions(self, options):
            return [0]
        def read_partition(self, spec, options):
            utc = d.timezone.utc
            yield (True, -128, -32768, -2147483648, -2**63, 1.5, 1e300, decimal.Decimal("-123456789.125"), "ä\\U0001f600", b"\\0\\xff",
                   d.date(1, 1, 1), d.datetime(2024, 2, 29, 23, 59, 59, 999999, utc), d.datetime(1969, 12, 31, 23, 59, 59),
                   [1, None, 3], {"k": 1, "l": None}, (7, ["x", None]))
            yield [None] * 16
            yield {"b": False, "t": 127, "s": 32767, "i": 2147483647, "l": 2**63 - 1, "f": -0.0, "g": float("inf"), "x": 5,
                   "c": "", "y": bytearray(b"ab"), "d": d.date(9999, 12, 31), "ts": d.datetime(1970, 1, 1, 2, tzinfo=d.timezone(d.timedelta(hours=2))),
                   "tn": d.datetime(2000, 1, 1), "a": (), "m": {}, "st": {"p": None, "q": []}}
"""


def test_rows_of_python_objects_become_columns(sources):
    sources.write(ROWS)
    table = sources.of("Rows")
    rows = sources.rows(
        "SELECT b, t, s, i, l, f, g = 'inf'::double, CAST(x AS TEXT), c, encode(y, 'hex'), CAST(d AS TEXT), CAST(ts AS TEXT), "
        f"CAST(tn AS TEXT), a, m, st FROM {table} ORDER BY b NULLS LAST"
    )
    assert rows[0][:9] == (False, 127, 32767, 2147483647, 2**63 - 1, 0.0, True, "5.000", "")
    assert rows[0][9:] == ("6162", "9999-12-31", "1970-01-01T00:00:00Z", "2000-01-01T00:00:00", [], {}, {"p": None, "q": []})
    assert rows[1][:9] == (True, -128, -32768, -2147483648, -(2**63), 1.5, False, "-123456789.125", "ä\U0001f600")
    assert rows[1][9:13] == ("00ff", "0001-01-01", "2024-02-29T23:59:59.999999Z", "1969-12-31T23:59:59")
    assert rows[1][13:] == ([1, None, 3], {"k": 1, "l": None}, {"p": 7, "q": ["x", None]})
    assert rows[2] == (None,) * 16


@pytest.mark.parametrize(
    "schema, value, words",
    [
        ("n TINYINT", "128", ['row 0, column "n"', "128 does not fit into 8 bits"]),
        ("n BIGINT", "2**63", ["OverflowError", 'column "n"']),
        ("n INT", "'1'", ["TypeError", "interpreted as an integer"]),
        ("n INT", "1.0", ["TypeError", "interpreted as an integer"]),
        ("n INT NOT NULL", "None", ["None, and the schema says that the column has none"]),
        ("n DECIMAL(4,2)", "decimal.Decimal('1.005')", ["ValueError", "has more digits than decimal(4, 2)"]),
        ("n DECIMAL(4,2)", "100", ["has more digits than decimal(4, 2)"]),
        ("n DATE", "'2020-01-01'", ["a datetime.date is required, not str"]),
        ("n TIMESTAMP", "datetime.date(2020, 1, 1)", ["a datetime.datetime is required, not date"]),
        ("n BINARY", "'text'", ["a bytes-like object is required"]),
        ("n ARRAY<INT>", "'text'", ["a list is required"]),
        ("n STRUCT<a: INT>", "(1, 2)", ["2 values instead of 1"]),
        ("n INT", "object(), 1", ["row 0 has 2 values, and the schema 1 columns"]),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_names_the_place(sources, schema, value, words):
    sources.write(f"""
        import datetime, decimal
        class Wrong:
            def infer_schema(self, options): return {schema!r}
            def plan_partitions(self, options): return [1]
            def read_partition(self, spec, options): yield ({value},)
    """)
    sources.fail(f"SELECT * FROM {sources.of('Wrong')}", "partition 0", *words)


def test_anything_of_arrow_is_taken(sources):
    sources.write("""
        import pandas, polars, pyarrow as pa
        class Any:
            def infer_schema(self, options):
                return pa.schema([("n", pa.int64()), ("s", pa.string())])
            def plan_partitions(self, options):
                return ["table", "reader", "batch", "polars", "pandas", "list", "sliced", "mixed", "nothing", "order"]
            def read_partition(self, spec, options):
                batch = pa.record_batch({"n": [1, 2, 3], "s": ["a", None, spec]})
                table = pa.Table.from_batches([batch, batch])
                if spec == "table": return table
                if spec == "reader": return table.to_reader()
                if spec == "batch": return batch
                if spec == "polars": return polars.from_arrow(table)
                if spec == "pandas": return [table.to_pandas()]
                if spec == "list": return [batch, table]
                if spec == "sliced": return iter([batch.slice(1, 1), table.slice(2, 3)])
                if spec == "mixed": return iter([(1, "x"), batch, {"n": 2, "s": "y"}, table])
                if spec == "nothing": return []
                return [batch.select(["s", "n"]), batch.append_column("more", pa.array([1, 2, 3]))]
    """)
    table = sources.of("Any")
    rows = sources.rows(f"SELECT s, count(*), sum(n) FROM {table} GROUP BY s ORDER BY s NULLS LAST")
    assert rows == [
        ("a", 18, 18),
        ("batch", 1, 3),
        ("list", 3, 9),
        ("mixed", 3, 9),
        ("order", 2, 6),
        ("pandas", 2, 6),
        ("polars", 2, 6),
        ("reader", 2, 6),
        ("sliced", 1, 3),
        ("table", 2, 6),
        ("x", 1, 1),
        ("y", 1, 2),
        (None, 19, 38),
    ]
    assert sources.value(f"SELECT count(*) FROM {table}") == 57


def test_rows_of_batches_that_are_only_counted(sources):
    """Batches of one schema are not handed over then; every other one is, and is checked."""
    sources.write("""
        import pyarrow as pa
        BATCH = pa.record_batch({"n": pa.array([1, 2, None]), "s": ["x", None, "z"]})
        SCHEMA = BATCH.schema
        MORE = pa.record_batch({"n": pa.array([4, 5]), "s": ["a", "b"], "new": [1.5, 2.5]})
        LARGE = BATCH.set_column(1, "s", BATCH["s"].cast(pa.large_string()))
        NAMED = BATCH.replace_schema_metadata({"made by": "test"})
        EMPTY = BATCH.slice(3)
        class Counted:
            def infer_schema(self, options): return SCHEMA
            def plan_partitions(self, options): return range(3)
            def read_partition(self, spec, options):
                yield from [BATCH] * 5 + [BATCH.slice(1), EMPTY, BATCH.select(["s", "n"]), MORE, MORE, LARGE, NAMED, BATCH]
                yield 7, "row"
                yield BATCH
                yield pa.table(BATCH)
        class Other(Counted):
            def read_partition(self, spec, options):
                yield from [BATCH, BATCH]
                yield BATCH.set_column(0, "n", pa.array([1.0, 2.0, 3.0]))  # which pyarrow makes int64 when it is asked
                yield BATCH.set_column(0, "n", pa.array([1.0, 2.0, 3.5]))
        class Nullable(Counted):
            def infer_schema(self, options): return pa.schema([pa.field("n", pa.int64(), nullable=False)])
            def read_partition(self, spec, options, projection=None):
                yield from [BATCH.select(["n"]).slice(0, 2)] * 3
    """)
    of_each = 5 * 3 + 2 + 3 + 2 * 2 + 3 * 3 + 1 + 3 + 3
    for options in ({}, {"workers": 2}):
        counted, other = sources.of("Counted", **options), sources.of("Other", **options)
        assert sources.value(f"SELECT count(*) FROM {counted}") == 3 * of_each
        assert sources.rows(f"SELECT count(*), count(n) FROM {counted} WHERE n > 1") == [(3 * 17, 3 * 17)]
        assert sources.rows(f"SELECT DISTINCT 'x' FROM {counted}") == [("x",)]
        sources.fail(f"SELECT count(*) FROM {other}", 'column "n" is float64 in the batch and int64 in the schema')
        assert sources.value(f"SELECT count(*) FROM {sources.of('Nullable', **options)}") == 18


def test_the_hints_that_a_signature_takes_are_passed(sources):
    sources.write("""
        import json
        class Hints:
            def infer_schema(self, options): return "a INT, b STRING, c DOUBLE"
            def plan_partitions(self, options, filters, limit): return [json.dumps([[list(f) for f in filters], limit])]
            def read_partition(self, spec, options, projection=None, filters=None):
                rows = {"a": 1, "b": spec, "c": 1.5}
                assert json.loads(spec)[0] == [list(f) for f in filters]
                yield tuple(rows[name] for name in projection or rows)
        class Names(Hints):
            def read_partition(self, spec, options, projection=None):
                yield tuple(repr(projection) if name == "b" else None for name in projection or "abc")
    """)
    assert sources.rows(f"SELECT b FROM {sources.of('Hints')} WHERE a = 1 AND c < 2 AND b LIKE '[%'") == [
        ('[[["a", "=", 1], ["c", "<", 2.0]], null]',)
    ]
    assert sources.rows(f"SELECT b FROM {sources.of('Hints')} LIMIT 1") == [("[[], 1]",)]
    assert sources.rows(f"SELECT b, a FROM {sources.of('Names')}") == [("['a', 'b']", None)]
    assert sources.rows(f"SELECT * FROM {sources.of('Names')}")[0][1] in ("None", "['a', 'b', 'c']")
    assert sources.value(f"SELECT count(*) FROM {sources.of('Names')}") == 1


def test_an_error_has_type_message_traceback_and_partition(sources):
    sources.write("""
        class Broken:
            def infer_schema(self, options):
                if "schema" in options: raise LookupError("no schema today")
                return "n INT"
            def plan_partitions(self, options):
                if "plan" in options: raise RuntimeError("no plan today")
                return [0, 1]
            def read_partition(self, spec, options):
                yield (1,)
                if spec == 1: deeper()
        def deeper():
            if True: raise ValueError("of my own")
    """)
    error = sources.fail(f"SELECT * FROM {sources.of('Broken')}", 'table "python" (kind python), partition 1: ValueError: of my own')
    assert "Traceback (most recent call last):" in error and "in deeper" in error and 'raise ValueError("of my own")' in error
    assert "_weir_python" not in error, "the host's own lines say nothing to the user"
    sources.fail(f"SELECT * FROM {sources.of('Broken', schema=1)}", "LookupError: no schema today", "in infer_schema")
    sources.fail(f"SELECT * FROM {sources.of('Broken', plan=1)}", "RuntimeError: no plan today", "in plan_partitions")


@pytest.mark.parametrize(
    "text, words",
    [
        ("class C: pass", ["C is no data source", "infer_schema, plan_partitions, read_partition"]),
        ("D = 1", ["module 'sources' has no attribute 'C'"]),
        ("import no_such_module", ["No module named 'no_such_module'", "sources.py"]),
        ("class C:\n  def f(:", ["SyntaxError", "sources.py"]),
        ("raise SystemExit(3)", ["the source called sys.exit(3)"]),
        ("class C:\n  def __init__(self, x): pass", ["TypeError", "__init__"]),
    ],
)
def test_what_is_no_source_is_told_when_the_table_is_made(sources, text, words):
    sources.write(text)
    sources.fail("CREATE TABLE t USING python OPTIONS (python_module 'sources', python_class 'C')", *words)
    sources.fail("CREATE TABLE t USING python OPTIONS (python_module 'sources')", 'option "python_class" is required')


def test_a_batch_must_be_what_the_schema_says(sources):
    sources.write("""
        import pyarrow as pa
        class Other:
            def infer_schema(self, options):
                return pa.schema([pa.field("n", pa.int64(), nullable="null" not in options), ("s", pa.string())])
            def plan_partitions(self, options): return [0]
            def read_partition(self, spec, options):
                if "type" in options: yield pa.record_batch({"n": pa.array([1.5]), "s": ["x"]})
                if "name" in options: yield pa.record_batch({"m": [1], "s": ["x"]})
                if "twice" in options: yield pa.RecordBatch.from_arrays([pa.array([1])] * 2 + [pa.array(["x"])], names=["n", "n", "s"])
                if "null" in options: yield pa.record_batch({"n": [None, 1], "s": ["x", "y"]})
                if "array" in options: yield pa.array([1])
                if "int" in options: yield 5
                if "narrow" in options: yield pa.record_batch({"n": pa.array([1], pa.int32()), "s": pa.array(["x"], pa.large_string())})
    """)
    sources.fail(f"SELECT * FROM {sources.of('Other', type=1)}", 'column "n" is float64 in the batch and int64 in the schema')
    sources.fail(f"SELECT s FROM {sources.of('Other', type=1)}", 'column "n" is float64')
    sources.fail(f"SELECT * FROM {sources.of('Other', name=1)}", 'the batch has no column "n"', "its columns: m, s")
    sources.fail(f"SELECT s, n FROM {sources.of('Other', twice=1)}", 'two columns "n"')
    sources.fail(f"SELECT * FROM {sources.of('Other', null=1)}", 'column "n" has NULL values')
    sources.fail(f"SELECT * FROM {sources.of('Other', array=1)}", "a record batch", "int64")
    sources.fail(f"SELECT * FROM {sources.of('Other', int=1)}", "Arrow batches", "not <class 'int'>")
    assert sources.rows(f"SELECT * FROM {sources.of('Other', narrow=1)}") == [(1, "x")]


def test_statistics_are_used(sources):
    sources.write("""
        class Known:
            def infer_schema(self, options): return "n INT"
            def plan_partitions(self, options): return [0]
            def statistics(self, options): return {"rows": 1000, "exact": True}
            def read_partition(self, spec, options): raise AssertionError("read")
    """)
    assert sources.value(f"SELECT count(*) FROM {sources.of('Known')}") == 1000


def test_rows_are_written_and_a_failure_is_told(sources):
    sources.write("""
        import json, os, pyarrow as pa
        class File:
            def infer_schema(self, options): return "n INT, s STRING"
            def plan_partitions(self, options): return [0] if os.path.exists("rows.json") else []
            def read_partition(self, spec, options):
                for row in json.load(open("rows.json")): yield tuple(row)
            def write(self, rows, options, overwrite):
                old = [] if overwrite or not os.path.exists("rows.json") else json.load(open("rows.json"))
                new = list(rows) if "rows" in options else [list(r.values()) for r in pa.table(rows).to_pylist()]
                if any(n == 13 for n, s in new): raise ValueError("not 13")
                json.dump(old + [list(r) for r in new], open("rows.json", "w"))
                return len(new)
    """)
    for how in ("rows", "batches"):
        create = f"CREATE TABLE t USING python OPTIONS (python_module 'sources', python_class 'File', {how} '1'); "
        sources.ok(create + "INSERT OVERWRITE t VALUES (1, 'a'), (2, NULL)")
        assert sources.rows(create + "INSERT INTO t VALUES (3, 'c'); SELECT * FROM t ORDER BY n") == [(1, "a"), (2, None), (3, "c")]
        sources.fail(create + "INSERT INTO t VALUES (4, 'd'), (13, 'x')", "ValueError: not 13", "in write")
        assert sources.value(create + "SELECT count(*) FROM t") == 3
    sources.write(NUMBERS)
    create = "CREATE TABLE t USING python OPTIONS (python_module 'sources', python_class 'Numbers'); "
    sources.fail(create + "INSERT INTO t VALUES (1, 'x')", "Numbers has no write: the table is read only")


def test_what_a_source_prints_is_no_result(sources):
    sources.write("""
        class Loud:
            def infer_schema(self, options): print("schema"); return "n INT"
            def plan_partitions(self, options): print("plan"); return [0]
            def read_partition(self, spec, options): print("read"); yield (1,)
    """)
    result = sources.run("sql", "--format", "csv", f"SELECT * FROM {sources.of('Loud')}")
    assert result.stdout == "n\n1\n"
    assert "schema" in result.stderr and "read" in result.stderr


def test_a_limit_ends_an_endless_source_and_its_generator_is_closed(sources):
    sources.write("""
        import pyarrow as pa, sys
        class Endless:
            def infer_schema(self, options): return "n BIGINT"
            def plan_partitions(self, options): return [0, 1]
            def read_partition(self, spec, options):
                n = 0
                try:
                    while True:
                        yield pa.record_batch({"n": [n] * 1000}) if "batches" in options else (n,)
                        n += 1
                finally:
                    print("closed", file=sys.stderr)
    """)
    for options in ({}, {"batches": 1}):
        result = sources.run("sql", "--format", "csv", f"SELECT count(*) FROM (SELECT * FROM {sources.of('Endless', **options)} LIMIT 2500)")
        assert result.returncode == 0 and result.stdout.split() == ["count(*)", "2500"]
        assert "closed" in result.stderr


def test_a_source_is_known_by_its_registered_name(sources):
    package = sources.directory / "site" / "someones"
    (package.parent / "someones-1.dist-info").mkdir(parents=True)
    package.mkdir()
    (package.parent / "someones-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: someones\nVersion: 1\n")
    (package.parent / "someones-1.dist-info" / "entry_points.txt").write_text("[weir.datasources]\nsomeones = someones:Source\n")
    (package / "__init__.py").write_text(NUMBERS.replace("Numbers", "Source"))
    sources.env["PYTHONPATH"] = str(package.parent)
    assert sources.value('SELECT count(*) FROM someones("numPartitions" => 2)') == 20
    assert sources.value("CREATE TABLE t USING someones OPTIONS (rowsEach '5'); SELECT count(*) FROM t") == 15
    sources.fail("SELECT * FROM somebodys(n => '2')", "somebodys")
    sources.fail("CREATE TABLE t USING somebodys", "somebodys")


def test_without_a_python_that_is_said(sources):
    sources.write(NUMBERS)
    sources.env["WEIR_PYTHON"] = "/nowhere/python"
    sources.fail(f"SELECT * FROM {sources.of('Numbers')}", "no Python: '/nowhere/python' cannot be run", "WEIR_PYTHON")
    sources.fail(f"SELECT * FROM {sources.of('Numbers', workers=1)}", "no Python: '/nowhere/python' cannot be run", "WEIR_PYTHON")
    sources.env["WEIR_PYTHON"] = "/bin/false"
    sources.fail(f"SELECT * FROM {sources.of('Numbers')}", "'/bin/false' is no usable Python")


def test_a_module_is_found_in_python_path(sources):
    (sources.directory / "deep" / "er").mkdir(parents=True)
    sources.write(NUMBERS, "deep/er/there.py")
    table = "python(python_module => 'there', python_class => 'Numbers', python_path => 'nowhere:deep/er')"
    assert sources.value(f"SELECT count(*) FROM {table}") == 30
    sources.fail(f"SELECT count(*) FROM {table.replace('deep', 'dip')}", "No module named 'there'")


def test_an_error_in_a_worker_reads_as_one_in_a_thread(sources):
    sources.write("""
        class Broken:
            def infer_schema(self, options):
                if "schema" in options: raise LookupError("no schema today")
                return "n INT"
            def plan_partitions(self, options): return [0]
            def read_partition(self, spec, options): raise ValueError("of my own")
    """)
    for options in ({}, {"schema": 1}):
        errors = {sources.fail(f"SELECT * FROM {sources.of('Broken', **options, **more)}", "Error: ") for more in ({}, {"workers": 1})}
        assert len(errors) == 1, errors


def test_explain_analyze_says_what_python_cost(sources):
    sources.write(NUMBERS)
    shown = sources.ok(f"EXPLAIN ANALYZE SELECT n FROM {sources.of('Numbers')}")
    for figure in ("output_rows=30", "bytes=240", "python_time=", "gil_wait_time="):
        assert figure in shown, shown
    assert "worker_time=" in sources.ok(f"EXPLAIN ANALYZE SELECT n FROM {sources.of('Numbers', workers=1)}")
