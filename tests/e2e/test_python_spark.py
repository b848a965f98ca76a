# SPDX-License-Identifier: Apache-2.0
"""PySpark's DataSource as a source of rows, without PySpark: what Spark's own contract says of it."""

import pytest
from python_sources import sources  # noqa: F401  a fixture

IMPORTS = """
from pyspark.sql import Row
from pyspark.sql.datasource import *
from pyspark.sql.types import *
import datetime, decimal, json, os
"""


def write(sources, text):
    import textwrap

    sources.write(IMPORTS + textwrap.dedent(text))


def test_a_reader_without_partitions_reads_once(sources):
    write(sources, """
        class Plain(DataSource):
            @classmethod
            def name(cls): return "plain"
            def schema(self): return "id INT, name STRING"
            def reader(self, schema): return PlainReader(schema, self.options)
        class PlainReader(DataSourceReader):
            def __init__(self, schema, options): self.schema, self.options = schema, options
            def partitions(self):
                if "empty" in self.options: return []
                raise NotImplementedError
            def read(self, partition):
                assert partition is None
                assert [f.name for f in self.schema.fields] == ["id", "name"] and isinstance(self.schema, StructType)
                yield (1, "tuple")
                yield [2, "list"]
                yield Row(name="row", id=3)
                yield Row("id", "name")(4, "made")
    """)
    expected = [(1, "tuple"), (2, "list"), (3, "row"), (4, "made")]
    for options in ({}, {"empty": 1}):
        assert sources.rows(f"SELECT * FROM {sources.of('Plain', **options)} ORDER BY id") == expected


def test_each_partition_is_read_and_options_are_found_in_any_case(sources):
    write(sources, """
        class Range(InputPartition):
            def __init__(self, start, end): self.start, self.end = start, end
        class Numbers(DataSource):
            def schema(self): return StructType([StructField("n", LongType(), False)]).add("text", "string")
            def reader(self, schema): return NumbersReader(self.options)
        class NumbersReader(DataSourceReader):
            def __init__(self, options):
                assert options.get("NUMpartitions") == options["numpartitions"] and "NumPartitions" in options
                self.n = int(options["NumPartitions"])
            def partitions(self): return [Range(i * 10, i * 10 + 10) for i in range(self.n)]
            def read(self, partition):
                for n in range(partition.start, partition.end): yield (n, repr(partition))
    """)
    table = sources.of("Numbers", numPartitions=8)
    assert sources.rows(f"SELECT count(*), count(DISTINCT n), sum(n), max(text) FROM {table}") == [
        (80, 80, 3160, "Range(start=70, end=80)")
    ]
    assert sources.value(f"SELECT count(*) FROM {sources.of('Numbers', numPartitions=8, workers=2)}") == 80


def test_every_type_comes_as_spark_has_it(sources):
    write(sources, """
        class Types(DataSource):
            def schema(self):
                if "ddl" in self.options:
                    return '''b boolean, y tinyint, s smallint, i int, l bigint, f float, d double, x decimal(10,2), t string, v varchar(10),
                        z binary, dt date, ts timestamp, tn timestamp_ntz, a array<int>, m map<string,int>, st struct<a: int, b: string>'''
                return StructType([StructField("b", BooleanType()), StructField("y", ByteType()), StructField("s", ShortType()),
                    StructField("i", IntegerType()), StructField("l", LongType()), StructField("f", FloatType()), StructField("d", DoubleType()),
                    StructField("x", DecimalType(10, 2)), StructField("t", StringType()), StructField("v", VarcharType(10)),
                    StructField("z", BinaryType()), StructField("dt", DateType()), StructField("ts", TimestampType()),
                    StructField("tn", TimestampNTZType()), StructField("a", ArrayType(IntegerType())),
                    StructField("m", MapType(StringType(), IntegerType())),
                    StructField("st", StructType([StructField("a", IntegerType()), StructField("b", StringType())]))])
            def reader(self, schema): return TypesReader()
        class TypesReader(DataSourceReader):
            def read(self, partition):
                utc = datetime.timezone.utc
                yield (True, 1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("1.25"), "t", "v", b"z", datetime.date(2024, 2, 29),
                    datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=utc), datetime.datetime(2024, 2, 29, 1, 2, 3), [1, None], {"k": 1}, Row(b="x", a=1))
                yield [None] * 17
    """)
    for options in ({}, {"ddl": 1}):
        table = sources.of("Types", **options)
        first = sources.rows(f"SELECT * EXCLUDE (z, x, st), CAST(x AS TEXT), encode(z, 'hex'), st FROM {table} WHERE b")[0]
        assert first == (
            True, 1, 2, 3, 4, 1.5, 2.5, "t", "v", "2024-02-29", "2024-02-29T01:02:03Z", "2024-02-29T01:02:03", [1, None], {"k": 1},
            "1.25", "7a", {"a": 1, "b": "x"},
        )  # fmt: skip
        assert sources.rows(f"SELECT count(*), count(st), count(l) FROM {table}") == [(2, 1, 1)]


def test_arrow_batches_are_read(sources):
    write(sources, """
        import pyarrow as pa
        class Batches(DataSource):
            def schema(self): return pa.schema([("n", pa.int32())])
            def reader(self, schema):
                assert isinstance(schema.fields[0].dataType, IntegerType)
                return BatchesReader()
        class BatchesReader(DataSourceReader):
            def partitions(self): return [InputPartition(i) for i in range(3)]
            def read(self, partition):
                for i in range(4): yield pa.record_batch({"n": pa.array([partition.value * 10 + i], pa.int32())})
    """)
    assert sources.rows(f"SELECT count(*), sum(n) FROM {sources.of('Batches')}") == [(12, 138)]


FILTERS = """
    class Filters(DataSource):
        def schema(self): return "n INT, s STRING, d DATE"
        def reader(self, schema): return FiltersReader()
    class FiltersReader(DataSourceReader):
        def __init__(self): self.seen = []
        def pushFilters(self, filters):
            self.seen = sorted(map(repr, filters))
            return [] # claims all of them, and drops nothing: they are checked again
        def read(self, partition):
            for n in range(5): yield (n, "; ".join(self.seen), datetime.date(2020, 1, n + 1))
"""


def test_filters_are_pushed_as_spark_names_them_and_checked_again(sources):
    write(sources, FILTERS)
    where = "n > 1 AND n <> 4 AND d <= DATE '2020-01-03' AND s IS NOT NULL AND s LIKE '%' AND n % 2 = 0"
    rows = sources.rows(f"SELECT n, s FROM {sources.of('Filters')} WHERE {where}")
    assert [n for n, _ in rows] == [2]
    assert set(rows[0][1].split("; ")) >= {
        "GreaterThan(attribute=('n',), value=1)",
        "LessThanOrEqual(attribute=('d',), value=datetime.date(2020, 1, 3))",
        "Not(child=EqualTo(attribute=('n',), value=4))",
    }


def test_columns_are_pruned_and_limits_pushed_where_the_reader_has_them(sources):
    write(sources, """
        class Pruned(DataSource):
            def schema(self): return "a INT, b STRING, c DOUBLE"
            def reader(self, schema): return PrunedReader()
        class PrunedReader(DataSourceReader):
            limit, fields = None, ["a", "b", "c"]
            def pruneColumns(self, schema): self.fields = schema.names
            def pushLimit(self, limit): self.limit = limit
            def read(self, partition):
                what = {"a": 1, "b": f"{','.join(self.fields)} {self.limit}", "c": 2.5}
                while True:
                    yield tuple(what[name] for name in self.fields)
                    if not self.limit: return
    """)
    table = sources.of("Pruned")
    assert sources.rows(f"SELECT b FROM {table}") == [("b None",)]
    assert sources.rows(f"SELECT c, b FROM {table} LIMIT 2") == [(2.5, "b,c 2")] * 2
    assert sources.value(f"SELECT count(*) FROM {table}") == 1


def test_a_writer_commits_what_it_wrote_or_aborts(sources):
    write(sources, """
        class Message(WriterCommitMessage):
            def __init__(self, rows): self.rows = rows
        class Kept(DataSource):
            def schema(self): return "n INT, s STRING"
            def reader(self, schema): return KeptReader()
            def writer(self, schema, overwrite): return KeptWriter(overwrite)
        class KeptReader(DataSourceReader):
            def read(self, partition):
                for row in json.load(open("kept.json")) if os.path.exists("kept.json") else []: yield tuple(row)
        class KeptWriter(DataSourceWriter):
            def __init__(self, overwrite): self.overwrite = overwrite
            def write(self, rows):
                found = [(row.n, row["s"]) for row in rows]
                if any(n == 13 for n, s in found): raise ValueError("not 13")
                return Message(found)
            def commit(self, messages):
                old = [] if self.overwrite else list(KeptReader().read(None))
                json.dump(old + [row for m in messages for row in m.rows], open("kept.json", "w"))
            def abort(self, messages): open("aborted", "a").write(f"{len(messages)}\\n")
    """)
    for workers in ("", ", workers '1'"):
        create = f"CREATE TABLE t USING python OPTIONS (python_module 'sources', python_class 'Kept'{workers}); "
        assert sources.rows(create + "INSERT INTO t VALUES (1, 'a'), (2, NULL); SELECT * FROM t ORDER BY n") == [(1, "a"), (2, None)]
        assert sources.rows(create + "INSERT INTO t VALUES (3, 'c'); SELECT count(*) FROM t") == [(3,)]
        sources.fail(create + "INSERT INTO t VALUES (13, 'x')", "ValueError: not 13")
        sources.fail(create + "INSERT INTO t SELECT CAST(CASE WHEN value > 3 THEN 'five' ELSE '4' END AS INT), 'x' FROM range(9)", "five")
        assert sources.rows(create + "SELECT count(*) FROM t") == [(3,)]
        assert (sources.directory / "aborted").read_text() == "1\n1\n"
        assert sources.rows(create + "INSERT OVERWRITE t VALUES (9, 'z'); SELECT * FROM t") == [(9, "z")]
        (sources.directory / "kept.json").unlink()
        (sources.directory / "aborted").unlink()


def test_columns_are_declared_where_the_source_has_none(sources):
    write(sources, """
        class Any(DataSource):
            def reader(self, schema): return AnyReader(schema)
        class AnyReader(DataSourceReader):
            def __init__(self, schema): self.schema = schema
            def read(self, partition): yield (1, repr(self.schema.fields[1].dataType))
    """)
    create = "CREATE TABLE t (n BIGINT, s VARCHAR) USING python OPTIONS (python_module 'sources', python_class 'Any')"
    assert sources.rows(f"{create}; SELECT * FROM t") == [(1, "StringType()")]
    sources.fail(f"SELECT * FROM {sources.of('Any')}", "Any has no schema of its own: declare the columns")


@pytest.mark.parametrize(
    "ddl, words",
    [
        ("id INTT", "expected a type and found 'INTT'"),
        ("id INT,", "expected a column's name and found 'its end'"),
        ("id ARRAY<INT", "expected > and found 'its end'"),
        ("id INT name STRING", "expected a comma and found 'name'"),
        ("id INT; DROP", "unexpected ';'"),
    ],
)
def test_a_wrong_ddl_is_told(sources, ddl, words):
    write(sources, f"""
        class Wrong(DataSource):
            def schema(self): return {ddl!r}
            def reader(self, schema): return None
    """)
    sources.fail(f"SELECT * FROM {sources.of('Wrong')}", words)


def test_pyspark_itself_is_taken_where_it_is(sources):
    """A package of that name which is there is used, and ours is not."""
    there = sources.directory / "pyspark" / "sql"
    there.mkdir(parents=True)
    (there.parent / "__init__.py").write_text("")
    (there / "__init__.py").write_text("")
    sources.write("import pyspark.sql.datasource")
    sources.fail(f"SELECT * FROM {sources.of('X')}", "No module named 'pyspark.sql.datasource'")
