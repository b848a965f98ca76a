# SPDX-License-Identifier: Apache-2.0
"""
Tables in databases beside the databases' own drivers and others: bench/databases.py BUILD [--scale N]
[--threads N] [--seconds N] [--case NAME ...] [--query N ...]

The database server is PostgreSQL 15, started here and stopped at the end, with TPC-H loaded and analysed
(kept in the cache); SQLite and DuckDB are files. Each system is a process of its own. Two systems are
compared in pairs of neighbouring runs, each first in its turn, after one run of each for warmth; a ratio
is the median of the pairs' ratios, weir's time over the other's: below 1 weir is faster.

- fetch: all of lineitem from PostgreSQL into Arrow, batches dropped as they come: weir with one
  connection and with two, the bare ADBC driver, connectorx with one and with two, DuckDB's extension.
  `lineitem` has NUMERIC columns, which weir makes decimals of and the bare driver texts;
  `lineitem_plain` has DOUBLE PRECISION instead, where both give the same types.
- tpch-postgresql, tpch-sqlite, tpch-duckdb: each query by weir, which gives it whole to the database,
  and the same SQL given to the database by the bare driver, each time anew. Those of which weir computes
  something itself are marked, and count in no mean.
- join: a few orders of a Parquet file joined with lineitem in PostgreSQL: weir, weir that pushes
  nothing, DuckDB's extension.
- cached: a query over a table in PostgreSQL and over a copy that weir keeps.

Prints Markdown.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import run as tpch
from backends import Drivers, DuckDB, Server, SQLite
from backends_tpch import CACHE, TPCH, cached, load_duckdb, load_postgresql, load_sqlite, postgresql_template

HERE = pathlib.Path(__file__).resolve().parent
QUERIES = {i: (HERE / "tpch" / f"q{i:02}.sql").read_text() for i in range(1, 23)}


class Worker:
    def __init__(self, system, **options):
        command = [sys.executable, HERE / "databases_worker.py", system, json.dumps(options, default=str)]
        self.system = system
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.read("the start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def read(self, what):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.system} died with exit code {self.process.wait()} at {what}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.system}: {answer['error']}\n{what}")
        return answer

    def __call__(self, sql, **more):
        self.process.stdin.write(json.dumps({"sql": sql, **more}) + "\n")
        self.process.stdin.flush()
        return self.read(sql)

    def ask(self, what, sql):
        self.process.stdin.write(json.dumps({what: sql}) + "\n")
        self.process.stdin.flush()
        return self.read(sql)

    def run(self, sql):
        self.ask("run", sql)

    def is_pushed_whole(self, sql):
        return self.ask("explain", sql)["plan"].startswith("StreamExec")


def pairs(first, second, seconds, at_least=5):
    """The ratio of two ways (functions that give an answer), and all their answers."""
    answers = ([first()], [second()])
    rows = {answer["rows"] for answer in (answers[0][0], answers[1][0])}
    if len(rows) != 1:
        sys.exit(f"the systems differ in the number of rows: {rows}")
    answers[0].clear()
    answers[1].clear()
    ratios, start = [], time.monotonic()
    while len(ratios) < at_least or (time.monotonic() - start < seconds and len(ratios) < 201):
        order = (0, 1) if len(ratios) % 2 == 0 else (1, 0)
        for i in order:
            answers[i].append((first, second)[i]())
        ratios.append(answers[0][-1]["seconds"] / answers[1][-1]["seconds"])
    return statistics.median(ratios), answers


def median(answers, key="seconds"):
    return statistics.median(answer[key] for answer in answers)


class Bench:
    def __init__(self, options, drivers, directory):
        self.options, self.drivers, self.directory = options, drivers, directory
        self.library = options.build / "src/libweir.so"
        self._server = None

    @property
    def server(self):
        if not self._server:
            template = postgresql_template(self.drivers, self.options.data, self.options.scale)
            # Enough for the tables that the queries read again and again.
            settings = {"shared_buffers": "1GB", "work_mem": "64MB"}
            self._server = Server(self.drivers, template, settings)
        return self._server

    def close(self):
        if self._server:
            self._server.close()

    def database(self, name):
        if name == "postgresql":
            return self.server.database("tpch")
        kind, load = {"sqlite": (SQLite, self.make_sqlite), "duckdb": (DuckDB, self.make_duckdb)}[name]
        return kind(self.drivers, cached(f"tpch-{self.options.scale}.{name}", load))

    def another(self, database):
        """The same tables for the second of two processes: DuckDB lets only one open a file."""
        is_duckdb = isinstance(database, DuckDB)
        return database.copy(pathlib.Path(self.directory) / "copy.duckdb") if is_duckdb else database

    def make_sqlite(self, path):
        load_sqlite(path, self.options.data)

    def make_duckdb(self, path):
        load_duckdb(self.drivers, path, self.options.data)

    def weir(self, *setup):
        return Worker("weir", library=self.library, threads=self.options.threads, setup=setup)

    def bare(self, database):
        library, entry = self.drivers.libraries[database.name]
        key = {"postgresql": "uri", "sqlite": "uri", "duckdb": "path"}[database.name]
        value = database.uri() if database.name == "postgresql" else database.path
        return Worker("adbc", driver=library, entrypoint=entry, options={key: str(value)})

    def duckdb(self):
        uri = self.server.database("tpch").uri()
        return Worker("duckdb", threads=self.options.threads, setup=[f"ATTACH '{uri}' AS pg (TYPE postgres)"])

    def connectorx(self):
        return Worker("connectorx", uri=self.server.database("tpch").uri())


# ---- Cases ----


def header(title, *columns):
    print(f"\n### {title}\n")
    print("| " + " | ".join(columns) + " |")
    print("|---" + "|---:" * (len(columns) - 1) + "|", flush=True)


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def fetch(bench):
    """Each way beside the bare driver, and the memory of a process that did it once."""
    database = bench.server.database("tpch")
    make_plain(database)
    highest = database.value("SELECT max(l_orderkey) FROM lineitem")
    for table in ("lineitem", "lineitem_plain"):
        header(f"All of {table} into Arrow", "system", "rows", "ms", "CPU s", "peak MiB", "of the bare driver's time")
        sql = f"SELECT * FROM {table}"
        two = {"partition_on": "l_orderkey", "partition_num": 2, "partition_range": [0, highest]}
        ways = {
            "weir, one connection": (lambda: bench.weir(one_table(database, table, 1)), "SELECT * FROM fetched", {}),
            "weir, two connections": (lambda: bench.weir(one_table(database, table, 2)), "SELECT * FROM fetched", {}),
            "connectorx, one connection": (bench.connectorx, sql, {}),
            "connectorx, two connections": (bench.connectorx, sql, {"partitions": two}),
            "DuckDB's extension": (bench.duckdb, f"SELECT * FROM pg.public.{table}", {}),
        }
        driver_memory, driver_seconds, driver_cpu, n_rows = 0, [], [], 0
        for name, (make, text, more) in ways.items():
            try:
                with make() as worker, bench.bare(database) as driver:
                    ratio, answers = pairs(lambda: worker(text, **more), lambda: driver(sql), bench.options.seconds, 3)
            except RuntimeError as error:
                row(name, "", f"cannot: {str(error).splitlines()[0]}", "", "", "")
                continue
            row(
                name,
                f"{answers[0][0]['rows']:,}",
                f"{median(answers[0]) * 1e3:.0f}",
                f"{median(answers[0], 'cpu'):.2f}",
                f"{answers[0][-1]['memory'] / 2**20:.0f}",
                f"{ratio:.3f}",
            )
            driver_seconds += [a["seconds"] for a in answers[1]]
            driver_cpu += [a["cpu"] for a in answers[1]]
            driver_memory, n_rows = max(driver_memory, answers[1][-1]["memory"]), answers[1][0]["rows"]
        cells = [f"{statistics.median(driver_seconds) * 1e3:.0f}", f"{statistics.median(driver_cpu):.2f}"]
        row("the bare driver", f"{n_rows:,}", *cells, f"{driver_memory / 2**20:.0f}", "1")


def one_table(database, table, n_partitions):
    """A table of weir that is read by so many connections."""
    options = f"url '{database.uri()}', driver 'postgresql', table '{table}', num_partitions {n_partitions}"
    return f"CREATE TABLE fetched USING adbc OPTIONS ({options})"


def make_plain(database):
    columns = ", ".join(
        f"{c.split()[0]}{'::double precision' if 'DECIMAL' in c else ''}"
        for c in TPCH["lineitem"][1].replace("(15,2)", "").split(", ")
    )
    database.script(f"CREATE TABLE IF NOT EXISTS lineitem_plain AS SELECT {columns} FROM lineitem; VACUUM ANALYZE lineitem_plain")


def whole_queries(name):
    def case(bench):
        database = bench.database(name)
        header(f"TPC-H in {name}", "query", "weir ms", "the database ms", "ratio", "weir's CPU s")
        setup = [database.attach("x")]
        setup += [f"CREATE VIEW {table} AS SELECT * FROM x.{database.schema}.{table}" for table in TPCH]
        ratios = []
        with bench.weir(*setup) as weir, bench.bare(bench.another(database)) as driver:
            for number, sql in QUERIES.items():
                if bench.options.query and number not in bench.options.query:
                    continue
                text = in_dialect(sql, name)
                if text is None:
                    continue
                ratio, answers = pairs(lambda: weir(sql, keep=True), lambda: driver(text, keep=True), bench.options.seconds)
                is_whole = weir.is_pushed_whole(sql)
                ratios += [ratio] if is_whole else []
                first, second = (f"{median(side) * 1e3:.1f}" for side in answers)
                is_same = answers[0][0].get("digest") == answers[1][0].get("digest")
                row(f"Q{number}" + ("" if is_whole else " (in part)"), first, second, f"{ratio:.3f}" + (" (rows differ)" if not is_same else ""), f"{median(answers[0], 'cpu'):.3f}")
        mean = f"{statistics.geometric_mean(ratios):.3f}" if ratios else ""
        row(f"geometric mean of {len(ratios)}", "", "", mean, "")

    return case


def in_dialect(sql, name):
    """The same query as the database understands it; None where it has no words for it."""
    if name != "sqlite":
        return sql
    import re

    sql = re.sub(r"(?i)date '([0-9-]+)' *([+-]) *interval '(\d+)' *(day|month|year)s?", r"date('\1', '\2\3 \4')", sql)
    sql = re.sub(r"(?i)date '([0-9-]+)'", r"'\1'", sql)
    sql = re.sub(r"(?i)extract\(year from (\w+)\)", r"CAST(strftime('%Y', \1) AS INTEGER)", sql)
    sql = re.sub(r"(?i)substring\((\w+) from (\d+) for (\d+)\)", r"substr(\1, \2, \3)", sql)
    return None if "interval" in sql.lower() else sql


def join(bench):
    database = bench.server.database("tpch")
    path = f"{bench.options.data}/orders.parquet"
    sql = """SELECT o_orderkey, o_orderdate, sum(l_extendedprice * (1 - l_discount)) AS net
        FROM {orders} AS o JOIN {lineitem} AS l ON l_orderkey = o_orderkey
        WHERE o_custkey = {customer} GROUP BY o_orderkey, o_orderdate ORDER BY o_orderkey"""
    customer = database.value("SELECT max(o_custkey) FROM orders")
    with_weir = sql.format(orders=f"'{path}'", lineitem="pg.public.lineitem", customer=customer)
    header("A few orders of a file with lineitem in PostgreSQL", "system", "rows", "ms", "weir's time of it")
    with bench.weir(database.attach("pg")) as weir:
        for name, make, setting in [
            ("weir that pushes nothing", lambda: bench.weir(database.attach("pg"), "SET weir.pushdown = off"), with_weir),
            ("DuckDB's extension", bench.duckdb, with_weir),
        ]:
            with make() as other:
                ratio, answers = pairs(lambda: weir(with_weir, keep=True), lambda: other(setting, keep=True), bench.options.seconds, 3)
                row(name, answers[1][0]["rows"], f"{median(answers[1]) * 1e3:.1f}", f"{ratio:.3f}")
                ours = answers[0]
        row("weir", ours[0]["rows"], f"{median(ours) * 1e3:.1f}", "")


def cached_copy(bench):
    database = bench.server.database("tpch")
    queries = {
        "Q1": QUERIES[1],
        "Q6": QUERIES[6],
        "one row": "SELECT * FROM lineitem WHERE l_orderkey = 1 AND l_linenumber = 1",
    }
    header("A cached table", "query", "cached ms", "uncached ms", "ratio")
    view = "CREATE VIEW lineitem AS SELECT * FROM {}.public.lineitem"
    cache = ", cache.mode 'full', cache.max_age '1h'"
    with bench.weir(database.attach("pg", cache), view.format("pg")) as copy, bench.weir(database.attach("pg"), view.format("pg")) as store:
        for name, sql in queries.items():
            ratio, answers = pairs(lambda: copy(sql, keep=True), lambda: store(sql, keep=True), bench.options.seconds)
            row(name, f"{median(answers[0]) * 1e3:.1f}", f"{median(answers[1]) * 1e3:.1f}", f"{ratio:.3f}")


CASES = {
    "fetch": fetch,
    "tpch-postgresql": whole_queries("postgresql"),
    "tpch-sqlite": whole_queries("sqlite"),
    "tpch-duckdb": whole_queries("duckdb"),
    "join": join,
    "cached": cached_copy,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seconds", type=float, default=5, help="for the pairs of each comparison")
    parser.add_argument("--case", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--query", nargs="*", type=int, default=[], help="of TPC-H; all without numbers")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.data = CACHE / f"tpch-{options.scale}"
    tpch.generate(options.data, options.scale)
    version = subprocess.run([options.build / "weir", "version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(", ".join(version.splitlines()))
    print(f"{options.threads} threads, {len(os.sched_getaffinity(0))} cores, TPC-H scale factor {options.scale}, pairs for {options.seconds:g} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="weir-databases-") as directory:
        drivers = Drivers(directory)
        os.environ["ADBC_DRIVER_PATH"] = directory
        bench = Bench(options, drivers, directory)
        try:
            for name in options.case:
                CASES[name](bench)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
