# SPDX-License-Identifier: Apache-2.0
"""
PySpark itself beside weir: its real classes in weir's interpreter, and the same unmodified sources under a session of its own, whose
rows are those that weir's must be. The environment (scripts/requirements/pyspark.txt) is made when it can be, and a session needs
Java 17; without them the tests are skipped, with the reason.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import textwrap

import pyarrow as pa
import pytest
from python_sources import Sources
from test_python_published import package
from test_python_published import python as published_python  # noqa: F401  a fixture
from test_python_spark import IMPORTS

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def python():
    """The interpreter of the environment that has PySpark."""
    made = subprocess.run([ROOT / "scripts/venv", "pyspark"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if made.returncode:
        pytest.skip(f"no environment with PySpark: {made.stderr.strip().splitlines()[-1]}")
    return pathlib.Path(made.stdout.strip()) / "bin/python"


class Beside(Sources):
    """weir with PySpark's classes, and the session."""

    def __init__(self, directory, python):
        super().__init__(directory)
        self.env["WEIR_PYTHON"] = str(python)

    def table(self, class_name, query="SELECT * FROM source", columns=None, workers=0, **options):
        own = "".join(f", {key} '{value}'" for key, value in {"workers": workers, **options}.items())
        using = f"USING python OPTIONS (python_module 'sources', python_class '{class_name}'{own})"
        file = self.directory / "weir.arrow"
        result = self.run("sql", "--format", "arrow", "-o", file, f"CREATE TABLE source{f' ({columns})' if columns else ''} {using}; {query}")
        assert result.returncode == 0, result.stderr
        return rows_of(file)


def rows_of(file):
    with pa.memory_map(str(file)) as memory:
        try:
            table = pa.ipc.open_file(memory).read_all()
        except pa.ArrowInvalid:
            memory.seek(0)
            table = pa.ipc.open_stream(memory).read_all()
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.fixture
def sources(tmp_path, python):
    return Beside(tmp_path, python)


class Spark:
    def __init__(self, directory, python):
        self.log = (directory / "spark.err").open("w+")
        # Its workers import what the driver's session registers.
        self.modules = directory / "modules"
        self.modules.mkdir()
        self.n = 0
        env = {**os.environ, "PYSPARK_PYTHON": str(python), "PYTHONPATH": str(self.modules), "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [python, ROOT / "tests/e2e/spark_session.py"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, cwd=directory, env=env, text=True)
        self.version = self.read()["version"]

    def read(self):
        line = self.process.stdout.readline()
        self.log.seek(0)
        assert line, self.log.read()[-3000:]
        return json.loads(line)

    def ask(self, sources, class_name, options, **case):
        self.n += 1
        module = f"sources_{self.n}"  # what was imported stays imported
        shutil.copy(sources.directory / "sources.py", self.modules / f"{module}.py")
        options = {key: str(value) for key, value in options.items()}
        case.update({"module": module, "class": class_name, "options": options})
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        assert "error" not in answer, answer["error"]

    def table(self, sources, class_name, query="SELECT * FROM source", columns=None, **options):
        file = sources.directory / "spark.arrow"
        case = {"query": query, "file": str(file), **({"columns": columns} if columns else {})}
        self.ask(sources, class_name, options, **case)
        return rows_of(file)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


@pytest.fixture(scope="module")
def spark(python, tmp_path_factory):
    java = shutil.which("java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr if java else ""
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < 17:
        pytest.skip("a session of PySpark needs Java 17, which is not installed")
    session = Spark(tmp_path_factory.mktemp("spark"), python)
    yield session
    session.close()


def write(sources, text):
    sources.write(IMPORTS + textwrap.dedent(text))


def same(sources, spark, class_name, **asked):
    """The rows, in any order, which both systems give."""
    expected = spark.table(sources, class_name, **asked)
    for workers in (0, 2):
        got = sources.table(class_name, workers=workers, **asked)
        assert sorted(got, key=repr) == sorted(expected, key=repr)
    return expected


# ---- The classes ----


def test_the_classes_are_pysparks_own(sources, python):
    write(sources, """
        import pyspark, sys
        class Where(DataSource):
            def schema(self): return StructType().add("version", StringType()).add("files", StringType())
            def reader(self, schema):
                assert type(schema) is StructType
                return WhereReader()
        class WhereReader(DataSourceReader):
            def read(self, partition):
                yield Row(files=" ".join(sys.modules[c.__module__].__file__ for c in (DataSource, StructType, Row)), version=pyspark.__version__)
    """)
    for workers in (0, 1):
        ((version, files),) = sources.table("Where", workers=workers)
        assert version.startswith("4.")
        assert len(files.split()) == 3 and all(str(python.parent.parent) in file for file in files.split())


# ---- The same sources under a session ----


def test_rows_of_every_shape_and_partitions(sources, spark):
    write(sources, """
        class Range(InputPartition):
            def __init__(self, start, end): self.start, self.end = start, end
        class Numbers(DataSource):
            @classmethod
            def name(cls): return "numbers"
            def schema(self): return StructType([StructField("n", LongType(), False)]).add("text", "string")
            def reader(self, schema): return NumbersReader(self.options)
        class NumbersReader(DataSourceReader):
            def __init__(self, options): self.n = int(options["NumPartitions"])
            def partitions(self): return [Range(i * 10, i * 10 + 10) for i in range(self.n)]
            def read(self, partition):
                if partition is None:
                    yield (0, "none")
                    return
                for n in range(partition.start, partition.end):
                    yield ((n, repr(partition)), [n, None], Row(n=n, text="named"), Row(text="other order", n=n))[n % 4]
    """)
    assert len(same(sources, spark, "Numbers", numPartitions=8)) == 80
    assert same(sources, spark, "Numbers", numPartitions=0) == [(0, "none")]


def test_values_of_every_type(sources, spark):
    write(sources, """
        class Types(DataSource):
            @classmethod
            def name(cls): return "types"
            def schema(self):
                return '''b boolean, y tinyint, s smallint, i int, l bigint, f float, d double, x decimal(10,2), t string, v string,
                    z binary, dt date, ts timestamp, tn timestamp_ntz, a array<int>, m map<string,int>, st struct<a: int, b: string>'''
            def reader(self, schema): return TypesReader()
        class TypesReader(DataSourceReader):
            def read(self, partition):
                utc = datetime.timezone.utc
                yield (True, 1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("1.25"), "t", "v", b"z", datetime.date(2024, 2, 29),
                    datetime.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=utc), datetime.datetime(2024, 2, 29, 1, 2, 3), [1, None], {"k": 1}, Row(a=1, b="x"))
                yield (False, -128, -32768, -2**31, -2**63, float("inf"), float("-inf"), decimal.Decimal("-99999999.99"), "", "", b"", datetime.date(1, 1, 1),
                    datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=utc), datetime.datetime(9999, 12, 31), [], {}, Row(a=None, b=None))
                yield [None] * 17
    """)
    assert len(same(sources, spark, "Types")) == 3


def test_arrow_batches(sources, spark):
    write(sources, """
        import pyarrow as pa
        class Batches(DataSource):
            @classmethod
            def name(cls): return "batches"
            def schema(self): return "n int, s string"
            def reader(self, schema): return BatchesReader()
        class BatchesReader(DataSourceReader):
            def partitions(self): return [InputPartition(i) for i in range(3)]
            def read(self, partition):
                for i in range(4): yield pa.record_batch({"n": pa.array([partition.value * 10 + i, None], pa.int32()), "s": ["x", str(i)]})
    """)
    assert len(same(sources, spark, "Batches")) == 24


def test_filters_that_a_reader_takes_or_leaves(sources, spark):
    write(sources, """
        class Filters(DataSource):
            @classmethod
            def name(cls): return "filters"
            def schema(self): return "n int, s string, d date"
            def reader(self, schema): return FiltersReader()
        class FiltersReader(DataSourceReader):
            least = 0
            def pushFilters(self, filters):
                for f in filters:
                    if isinstance(f, GreaterThan) and f.attribute == ("n",): self.least = f.value + 1
                    else: yield f
            def read(self, partition):
                for n in range(self.least, 30): yield (n, None if n % 5 == 0 else f"s{n}", datetime.date(2020, 1, n + 1))
    """)
    for where in ("n > 10", "n > 10 AND s IS NULL", "n > 3 AND n <> 7 AND d <= DATE '2020-01-09'", "s = 's4' OR n > 27", "s LIKE 's1%' AND n > 1"):
        assert same(sources, spark, "Filters", query=f"SELECT * FROM source WHERE {where}")


def test_columns_that_are_declared(sources, spark):
    write(sources, """
        class Any(DataSource):
            @classmethod
            def name(cls): return "declared"
            def reader(self, schema): return AnyReader(schema)
        class AnyReader(DataSourceReader):
            def __init__(self, schema): self.schema = schema
            def read(self, partition): yield (1, repr(self.schema.fields[1].dataType))
    """)
    assert same(sources, spark, "Any", columns="n bigint, s string") == [(1, "StringType()")]


def test_what_is_written(sources, spark):
    write(sources, """
        class Kept(DataSource):
            @classmethod
            def name(cls): return "kept"
            def schema(self): return "n bigint, s string"
            def writer(self, schema, overwrite): return KeptWriter(self.options["path"], overwrite)
        class KeptWriter(DataSourceWriter):
            def __init__(self, path, overwrite): self.path, self.overwrite = path, overwrite
            def write(self, rows):
                message = WriterCommitMessage()
                message.rows = sorted((row.n, row["s"]) for row in rows)
                return message
            def commit(self, messages):
                with open(self.path, "w" if self.overwrite else "a") as file:
                    for message in messages: file.write(json.dumps(message.rows) + "\\n")
    """)
    paths = {name: sources.directory / f"{name}.json" for name in ("spark", "weir")}
    for rows, mode, insert in ([(1, "a"), (2, "b")], "append", "INTO"), ([(3, "c")], "append", "INTO"), ([(9, "z")], "overwrite", "OVERWRITE"):
        spark.ask(sources, "Kept", {"path": paths["spark"]}, rows=rows, columns="n bigint, s string", mode=mode)
        create = f"CREATE TABLE kept USING python OPTIONS (python_module 'sources', python_class 'Kept', path '{paths['weir']}')"
        sources.ok(f"{create}; INSERT {insert} kept VALUES {', '.join(map(str, rows))}")
        assert paths["weir"].read_text() == paths["spark"].read_text()


# ---- Sources that others published ----


def test_published_files_of_arrow(sources, spark):
    sources.write("from pyspark_datasources import ArrowDataSource")
    (sources.directory / "data").mkdir()
    for i in range(3):
        table = pa.table({"id": pa.array(range(i * 10, i * 10 + 10)), "name": [f"n{i}"] * 10, "x": [0.5 * i] * 10})
        with pa.ipc.new_file(sources.directory / "data" / f"{i}.arrow", table.schema) as file:
            file.write_table(table, max_chunksize=4)
    assert len(same(sources, spark, "ArrowDataSource", path=sources.directory / "data")) == 30


def test_published_fake_rows(sources, spark):
    """Made anew by each reader, so that their shape is compared, and what they say of themselves."""
    sources.write("from pyspark_datasources import FakeDataSource")
    query = "SELECT count(*) AS n, count(name) AS names, max(length(zipcode)) AS zipcodes FROM source"
    assert same(sources, spark, "FakeDataSource", query=query, columns="name string, zipcode string", numRows=300, numPartitions=3) == [(300, 300, 5)]


def test_a_published_rest_source(sources, spark):
    """What it would fetch comes from here: requests are answered in place of the service on the Internet."""
    posts = [{"userId": i % 2, "id": i, "title": f"t{i}", "body": "b"} for i in range(6)]
    sources.write(f"""
        import requests
        class Answer:
            def raise_for_status(self): pass
            def json(self): return {json.dumps(posts)}
        requests.get = lambda url, params=None, timeout=None: Answer()
        from pyspark_datasources import JSONPlaceholderDataSource as Published
        class JSONPlaceholderDataSource(Published):
            pass
    """)
    assert len(same(sources, spark, "JSONPlaceholderDataSource", endpoint="posts")) == 6


@pytest.mark.parametrize("file, name", [("test_python_read.txt", "SimpleDataSource"), ("test_python_read_arrow.txt", "SimpleArrowDataSource")])
def test_samples_of_pysail(sources, spark, published_python, file, name):
    import doctest

    text = (package(published_python, "pysail") / "tests/spark/datasource" / file).read_text()
    told = ("spark.dataSource", "spark.read", "df.")
    sources.write("".join(e.source for e in doctest.DocTestParser().get_examples(text) if not any(word in e.source for word in told)))
    assert len(same(sources, spark, name)) >= 2
