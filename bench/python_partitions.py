# SPDX-License-Identifier: Apache-2.0
"""
What a partition of a Python source costs, by how many there are: bench/python_partitions.py BUILD [--seconds N]

Each partition has the same rows, so that a cost that grows linearly is the same for each. Read are a generator of batches, in
threads and in worker processes, and examples/python/jdbc.py over PostgreSQL, each partition by a connection of its own; then the
same 1,000,000 rows of PostgreSQL in ever more partitions. The row that comes out is checked.

Prints Markdown.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import adbc_driver_manager.dbapi  # noqa: E402
from backends import PASSWORD_IN_URI, USER, Drivers, Server  # noqa: E402

COUNTS = (1, 2, 4, 8, 16, 32, 64)
ROWS = 1_000_000
EACH = ROWS // 64
SOURCE = """
import numpy as np, pyarrow as pa
SCHEMA = pa.schema([("n", pa.int64()), ("v", pa.float64())])
BATCH = pa.record_batch([pa.array(np.arange(65536)), pa.array(np.linspace(0, 1, 65536))], schema=SCHEMA)

class Batches:
    def infer_schema(self, options): return SCHEMA
    def plan_partitions(self, options): return range(int(options["partitions"]))
    def read_partition(self, spec, options):
        for _ in range(int(options["batches"])): yield BATCH
"""


class Weir:
    def __init__(self, build, modules):
        self.connection = adbc_driver_manager.dbapi.connect(driver=str(build / "src/libweir.so"), autocommit=True)
        self.cursor = self.connection.cursor()
        self.cursor.execute("LOAD python")
        self.modules = modules

    def make(self, module, class_name, **options):
        given = {"python_module": module, "python_class": class_name, "python_path": self.modules, **options}
        text = ", ".join(f"{key} '{value}'" for key, value in given.items())
        self.cursor.execute(f"CREATE OR REPLACE TABLE t USING python OPTIONS ({text})")

    def seconds(self, query, expected, least):
        """The median of several runs, after one that is not counted."""
        times, begin = [], time.monotonic()
        while len(times) < 6 or time.monotonic() - begin < least:
            start = time.perf_counter()
            self.cursor.execute(query)
            row = self.cursor.fetchone()
            times.append(time.perf_counter() - start)
            assert row == expected, (row, expected)
        return statistics.median(times[1:])

    def close(self):
        self.cursor.close()
        self.connection.close()


def report(title, make, query, expected, weir, least):
    """`make(n)` makes the table of n partitions; `expected(n)` is its row."""
    print(f"\n### {title}\n\n| partitions | ms | ms each | of that with 1 |\n|---:|---:|---:|---:|", flush=True)
    first = None
    for n in COUNTS:
        make(n)
        took = weir.seconds(query, expected(n), least)
        first = first or took
        print(f"| {n} | {took * 1e3:.2f} | {took * 1e3 / n:.3f} | {took / n / first:.2f} |", flush=True)


def generators(weir, least):
    query = "SELECT count(*), sum(n) FROM t"
    for workers, batches in ((0, 50), (2, 50)):
        where = "worker processes" if workers else "threads"
        report(
            f"A generator, {batches} batches each, {where}",
            lambda n: weir.make("partition_source", "Batches", partitions=n, batches=batches, workers=workers),
            query,
            lambda n: (n * batches * 65536, n * batches * 65536 * 65535 // 2),
            weir,
            least,
        )


def postgres(weir, least):
    with tempfile.TemporaryDirectory(prefix="weir-drivers-") as directory:
        server = Server(Drivers(directory), settings={"max_connections": 100}.items())
        try:
            server.script(
                f"CREATE TABLE orders AS SELECT i AS id, i % 97 AS grp, 'order ' || i AS note FROM generate_series(0, {ROWS - 1}) AS s(i); "
                "ALTER TABLE orders ADD PRIMARY KEY (id); ANALYZE orders"
            )
            url = f"postgresql://{USER}:{PASSWORD_IN_URI}@127.0.0.1:{server.port}/postgres"
            options = {"url": url, "driver": "adbc_driver_postgresql", "partitionColumn": "id", "lowerBound": 0}

            def jdbc(n, rows):
                table = f"(SELECT * FROM orders WHERE id < {rows})".replace("'", "''")
                weir.make("jdbc", "JdbcSource", dbtable=table, upperBound=rows, numPartitions=n, **options)

            query = "SELECT count(*), count(DISTINCT id), sum(id), max(note) FROM t"

            def expected(rows):
                return (rows, rows, rows * (rows - 1) // 2, max(f"order {i}" for i in range(rows)))

            report(f"PostgreSQL, {EACH:,} rows each", lambda n: jdbc(n, n * EACH), query, lambda n: expected(n * EACH), weir, least)
            print(f"\n### PostgreSQL, {ROWS:,} rows in all\n\n| partitions | ms |\n|---:|---:|", flush=True)
            for n in COUNTS:
                jdbc(n, ROWS)
                print(f"| {n} | {weir.seconds(query, expected(ROWS), least) * 1e3:.0f} |", flush=True)
        finally:
            server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=2, help="least time for a figure")
    parser.add_argument("--only", choices=("generator", "postgresql"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as modules:
        pathlib.Path(modules, "partition_source.py").write_text(SOURCE)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        weir = Weir(options.build.resolve(), f"{modules}:{ROOT / 'examples/python'}")
        try:
            if options.only != "postgresql":
                generators(weir, options.seconds)
            if options.only != "generator":
                postgres(weir, options.seconds)
        finally:
            weir.close()


main()
