# SPDX-License-Identifier: Apache-2.0
"""
One system in one process: worker.py SYSTEM THREADS DIRECTORY LIBRARY

Reads one JSON string, a query, per line and answers with one JSON object per line: the seconds
until all rows are there as Arrow, how many rows, and the peak resident memory of the process so
far in bytes.
"""

import json
import pathlib
import sys
import time

TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]


def open_weir(threads, paths, library):
    import weir_ctypes

    session = weir_ctypes.Session(library, threads)
    for name, path in paths.items():
        session.register(name, path)
    return lambda sql: session.query(sql).read_all()


def open_datafusion(threads, paths, _):
    import datafusion

    context = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads))
    for name, path in paths.items():
        context.register_parquet(name, str(path))
    return lambda sql: context.sql(sql).to_arrow_table()


def open_duckdb(threads, paths, _):
    import duckdb

    connection = duckdb.connect(config={"threads": threads})
    for name, path in paths.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM '{path}'")
    return lambda sql: connection.sql(sql).to_arrow_table()


def peak_memory():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def main():
    system, threads, directory, library = sys.argv[1:]
    paths = {name: pathlib.Path(directory, f"{name}.parquet") for name in TABLES}
    opener = {"weir": open_weir, "datafusion": open_datafusion, "duckdb": open_duckdb}[system]
    run = opener(int(threads), paths, library)
    for line in sys.stdin:
        sql = json.loads(line)
        start = time.perf_counter()
        try:
            table = run(sql)
            answer = {"seconds": time.perf_counter() - start, "rows": table.num_rows}
            del table
        except Exception as error:  # reported by the parent, with the query it belongs to
            answer = {"error": str(error)}
        answer["memory"] = peak_memory()
        print(json.dumps(answer), flush=True)


main()
