# SPDX-License-Identifier: Apache-2.0
"""
One process of bench/databases.py: databases_worker.py SYSTEM OPTIONS, where OPTIONS is a JSON object.

Systems: weir (library, threads, setup: statements), adbc (driver, entrypoint, options), connectorx (uri),
duckdb (threads, setup: statements).

Reads one JSON object per line and answers with one per line: {"sql": TEXT, "keep": BOOL} runs a query to
its end, all rows into Arrow, kept as one table or each batch dropped before the next; "partitions" of a
connectorx query. {"run": TEXT} runs a statement, {"explain": TEXT} answers with weir's physical plan. The answer has the seconds, CPU seconds, rows, and the peak of the process's memory.
"""

import hashlib
import json
import os
import pathlib
import re
import resource
import sys
import time


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak():
    """Bytes; what a new process inherits does not count, so this is not ru_maxrss."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


class Weir:
    def __init__(self, library, threads, setup):
        import weir_ctypes

        self.session = weir_ctypes.Session(library, threads)
        for sql in setup:
            self.session.run(sql)

    def batches(self, request):
        return self.session.query(request["sql"])

    def run(self, sql):
        self.session.run(sql)


class Adbc:
    def __init__(self, driver, entrypoint, options):
        import adbc_driver_manager.dbapi

        self.connection = adbc_driver_manager.dbapi.connect(
            driver=driver, entrypoint=entrypoint, db_kwargs=options, autocommit=True
        )
        self.cursor = self.connection.cursor()

    def batches(self, request):
        # A cursor gives the same text to its database once only, and has what was planned then run again.
        self.cursor.close()
        self.cursor = self.connection.cursor()
        self.cursor.execute(request["sql"])
        return self.cursor.fetch_record_batch()


class Connectorx:
    def __init__(self, uri):
        self.uri = uri

    def batches(self, request):
        import connectorx

        more = request.get("partitions") or {}
        return connectorx.read_sql(self.uri, request["sql"], return_type="arrow", protocol="binary", **more).to_batches()


class DuckDb:
    def __init__(self, threads, setup):
        import duckdb
        import duckdb_extension_postgres_scanner

        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": threads})
        folder = pathlib.Path(duckdb_extension_postgres_scanner.__file__).parent / "extensions"
        (extension,) = folder.glob("*/*.duckdb_extension")
        self.connection.execute(f"LOAD '{extension}'")
        for sql in setup:
            self.connection.execute(sql)

    def batches(self, request):
        return self.connection.execute(request["sql"]).to_arrow_reader(1 << 16)


SYSTEMS = {"weir": Weir, "adbc": Adbc, "connectorx": Connectorx, "duckdb": DuckDb}


def digest(batches):
    """Of few rows in any order, with numbers as they are in most systems."""
    rows = []
    for batch in batches:
        for row in batch.to_pylist():
            rows.append(tuple(f"{float(v):.2f}" if is_number(v) else str(v).strip() for v in row.values()))
    return hashlib.sha256("\n".join(map(str, sorted(rows))).encode()).hexdigest()


def is_number(value):
    try:
        float(value)
        return not isinstance(value, bool)
    except (TypeError, ValueError):
        return False


def answer(system, request):
    if "run" in request:
        system.run(request["run"])
        return {}
    if "explain" in request:
        rows = [row for batch in system.batches({"sql": "EXPLAIN " + request["explain"]}) for row in batch.to_pylist()]
        return {"plan": rows[-1]["plan"]}
    start, start_cpu = time.perf_counter(), cpu_seconds()
    n_rows, kept = 0, []
    for batch in system.batches(request):
        n_rows += batch.num_rows
        if request.get("keep"):
            kept.append(batch)
    result = {"seconds": time.perf_counter() - start, "cpu": cpu_seconds() - start_cpu, "rows": n_rows}
    if request.get("keep") and n_rows <= 1000:
        result["digest"] = digest(kept)
    return {**result, "memory": peak()}


def main():
    system = SYSTEMS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps({"ready": os.getpid()}), flush=True)
    for line in sys.stdin:
        try:
            result = answer(system, json.loads(line))
        except Exception as error:  # reported by the parent, with the query it belongs to
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
