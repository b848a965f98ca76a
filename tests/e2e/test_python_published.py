# SPDX-License-Identifier: Apache-2.0
"""Data sources that others published for PySpark, unmodified: those of pyspark-data-sources, and the samples of pysail."""

import doctest
import json
import pathlib
import subprocess

import pyarrow as pa
import pytest
from python_sources import Sources

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def python():
    """The interpreter of the environment that has them."""
    venv = subprocess.run([ROOT / "scripts/venv", "python-sources"], check=True, stdout=subprocess.PIPE, text=True)
    return pathlib.Path(venv.stdout.strip()) / "bin/python"


@pytest.fixture
def sources(tmp_path, python):
    sources = Sources(tmp_path)
    sources.env["WEIR_PYTHON"] = str(python)
    return sources


def package(python, name):
    (found,) = python.parent.parent.glob(f"lib/python3*/site-packages/{name}")
    return found


def test_faker_gives_rows(sources):
    sources.write("import faker; faker.Faker.seed(7); from pyspark_datasources import FakeDataSource")
    table = sources.of("FakeDataSource", numRows=5)
    rows = sources.rows(f"SELECT * FROM {table}")
    assert len(rows) == 5 and all(len(row) == 4 and all(isinstance(value, str) and value for value in row) for row in rows)
    create = (
        "CREATE TABLE f (name VARCHAR, zipcode VARCHAR) USING python OPTIONS (python_module 'sources', "
        "python_class 'FakeDataSource', numRows '300', numPartitions '3')"
    )
    assert sources.rows(f"{create}; SELECT count(*), count(zipcode), max(length(zipcode)) FROM f") == [(300, 300, 5)]


def test_arrow_files_are_read_one_partition_each(sources):
    sources.write("from pyspark_datasources import ArrowDataSource")
    expected = []
    for i in range(3):
        table = pa.table({"id": pa.array(range(i * 10, i * 10 + 10)), "name": [f"n{i}"] * 10, "x": [0.5 * i] * 10})
        with pa.ipc.new_file(sources.directory / f"{i}.arrow", table.schema) as file:
            file.write_table(table, max_chunksize=4)
        expected += [tuple(row.values()) for row in table.to_pylist()]
    for path in (sources.directory, sources.directory / "*.arrow"):
        assert sources.rows(f"SELECT * FROM {sources.of('ArrowDataSource', path=path)} ORDER BY id") == expected
    assert "partitions=3" in sources.ok(f"EXPLAIN SELECT * FROM {sources.of('ArrowDataSource', path=sources.directory)}")


def test_a_rest_source_is_read(sources):
    """What it would fetch comes from here: requests are answered in place of the service on the Internet."""
    posts = [{"userId": i % 2, "id": i, "title": f"t{i}", "body": "b"} for i in range(6)]
    sources.write(f"""
        import requests
        class Answer:
            def __init__(self, rows): self.rows = rows
            def raise_for_status(self): pass
            def json(self): return self.rows
        def get(url, params=None, timeout=None):
            assert url.endswith("/posts"), url
            return Answer({json.dumps(posts)}[: int(params.get("_limit", 100))])
        requests.get = get
        from pyspark_datasources import JSONPlaceholderDataSource
    """)
    table = sources.of("JSONPlaceholderDataSource", endpoint="posts")
    assert sources.rows(f"SELECT * FROM {table} ORDER BY id") == [tuple(post.values()) for post in posts]
    assert sources.rows(f'SELECT "userId", count(*) FROM {table} GROUP BY 1 ORDER BY 1') == [(0, 3), (1, 3)]
    assert sources.value(f"SELECT count(*) FROM {sources.of('JSONPlaceholderDataSource', limit=2)}") == 2


@pytest.mark.parametrize(
    "file, name, expected",
    [
        ("test_python_read.txt", "SimpleDataSource", [("Alice", 20), ("Bob", 30)]),
        ("test_python_read_arrow.txt", "SimpleArrowDataSource", [(1, "one"), (2, "two"), (3, "three")]),
    ],
)
def test_samples_of_pysail_give_the_rows_that_they_say(sources, python, file, name, expected):
    text = (package(python, "pysail") / "tests/spark/datasource" / file).read_text()
    told = ("spark.dataSource", "spark.read", "df.")  # what needs a session: registering, and showing the rows
    examples = [e.source for e in doctest.DocTestParser().get_examples(text) if not any(word in e.source for word in told)]
    sources.write("".join(examples))
    assert sources.rows(f"SELECT * FROM {sources.of(name)} ORDER BY 1") == expected
    assert sources.rows(f"SELECT * FROM {sources.of(name, workers=1)} ORDER BY 1") == expected
