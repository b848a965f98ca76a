# SPDX-License-Identifier: Apache-2.0
"""
One system of bench/python.py in a process of its own: python_worker.py SYSTEM. It reads cases as lines of JSON and answers each
with its seconds and the row that came out.

The source yields batches that are there already, so that what is measured is the way from Python into the engine; `tuples` makes
each row anew, `work` computes for each row in Python.
"""

import json
import sys
import time

import numpy as np
import pyarrow as pa

ROWS = 65536
SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.float64())])
BATCH = pa.record_batch([pa.array(np.arange(ROWS) % 100), pa.array(np.linspace(0, 1, ROWS))], schema=SCHEMA)


def rows_of(shape, n_batches):
    """The rows of one partition."""
    for _ in range(n_batches):
        if shape == "batches":
            yield BATCH
        elif shape == "tuples":
            yield from zip(range(ROWS), map(float, range(ROWS)))
        else:
            values = [sum(i * j % 7 for j in range(20)) for i in range(ROWS // 64)]
            yield BATCH.slice(0, len(values))


def sql_of(case, table):
    if case["query"] == "group":
        return f"SELECT count(*), sum(s) FROM (SELECT k, sum(v) AS s FROM {table} GROUP BY k) AS g"
    sums = {"count": "", "sum": ", sum(v)", "all": ", sum(k), sum(v)"}
    return f"SELECT count(*){sums[case['query']]} FROM {table}"


# ---- The systems: each gives a function of a case that runs it ----


def memory():
    array = np.zeros(1 << 27, np.uint8)
    words = array.view(np.int64)

    def run(case):
        n = case["partitions"] * case["batches"] * BATCH.nbytes
        done = 0
        while done < n:
            words.sum()
            done += array.nbytes
        return [done]

    return run


class Generator:
    def infer_schema(self, options):
        return SCHEMA

    def plan_partitions(self, options):
        return range(int(options["partitions"]))

    def read_partition(self, spec, options):
        return rows_of(options["shape"], int(options["batches"]))


def weir_system():
    import weir

    weir.register_datasource("gen", Generator)
    connection = weir.connect()
    cursor = connection.cursor()

    def run(case):
        options = f"partitions {case['partitions']}, batches {case['batches']}, shape '{case['shape']}'"
        how = f"gen OPTIONS ({options}"
        if case.get("workers"):
            how = f"python OPTIONS (python_module 'python_worker', python_class 'Generator', {options}"
            how += f", workers {case['workers']}, python_path '{sys.path[0]}'"
        cursor.execute(f"CREATE OR REPLACE TABLE t USING {how})")
        cursor.execute(sql_of(case, "t"))
        return list(cursor.fetchone())

    return run


def reader_of(case):
    def batches():
        for _ in range(case["partitions"]):
            yield from rows_of("batches", case["batches"])

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


def duckdb_system():
    import duckdb

    connection = duckdb.connect()

    def run(case):
        connection.register("t", reader_of(case))
        return list(connection.execute(sql_of(case, "t")).fetchall()[0])

    return run


def datafusion_system():
    import datafusion
    import pyarrow.dataset

    context = datafusion.SessionContext()

    def run(case):
        if context.table_exist("t"):
            context.deregister_table("t")
        context.register_dataset("t", pyarrow.dataset.InMemoryDataset(reader_of(case)))
        (batch,) = [batch for batch in context.sql(sql_of(case, "t")).collect() if batch.num_rows]
        return [column[0].as_py() for column in batch.columns]

    return run


def sail_system():
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession
    from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()

    class Reader(DataSourceReader):
        def __init__(self, options):
            self.options = options

        def partitions(self):
            return [InputPartition(i) for i in range(int(self.options["partitions"]))]

        def read(self, partition):
            return rows_of(self.options["shape"], int(self.options["batches"]))

    class Source(DataSource):
        @classmethod
        def name(cls):
            return "gen"

        def schema(self):
            return "k BIGINT, v DOUBLE"

        def reader(self, schema):
            return Reader(self.options)

    spark.dataSource.register(Source)

    def run(case):
        keys = ("partitions", "batches", "shape")
        spark.read.format("gen").options(**{key: str(case[key]) for key in keys}).load().createOrReplaceTempView("t")
        return list(spark.sql(sql_of(case, "t")).collect()[0])

    run.server = server  # which ends when nobody has it
    return run


SYSTEMS = {
    "memory": memory,
    "weir": weir_system,
    "duckdb": duckdb_system,
    "datafusion": datafusion_system,
    "sail": sail_system,
}


def main():
    run = SYSTEMS[sys.argv[1]]()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        cpu, start = time.process_time(), time.perf_counter()
        row = run(case)
        answer = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "row": row}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
