# SPDX-License-Identifier: Apache-2.0
"""
A session of PySpark itself, in a process of its own environment: reads cases as lines of JSON and answers each by a line. A case has
the module and class of a data source, its options, and a query over it, or rows to be written to it; what it reads is left in an
Arrow file. Standard output is the answers' alone.
"""

import importlib
import json
import os
import sys

import pyarrow as pa


def session():
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC", "spark.sql.python.filterPushdown.enabled": "true",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.sql.shuffle.partitions": "1",
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def answer(spark, case):
    source = getattr(importlib.import_module(case["module"]), case["class"])
    spark.dataSource.register(source)
    if "rows" in case:
        frame = spark.createDataFrame([tuple(row) for row in case["rows"]], case["columns"]).coalesce(1)
        frame.write.format(source.name()).options(**case["options"]).mode(case["mode"]).save()
        return {}
    reader = spark.read.format(source.name()).options(**case["options"])
    if "columns" in case:
        reader = reader.schema(case["columns"])
    reader.load().createOrReplaceTempView("source")
    table = spark.sql(case["query"]).toArrow()
    with pa.ipc.new_file(case["file"], table.schema) as file:
        file.write_table(table)
    return {}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    spark = session()
    print(json.dumps({"version": spark.version}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            given = answer(spark, json.loads(line))
        except Exception as error:
            given = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(given), file=answers, flush=True)


main()
