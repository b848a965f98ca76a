# SPDX-License-Identifier: Apache-2.0
"""
What a derived table costs when it streams, and when it is made into bytes first: bench/duality.py
BUILD [--scale N] [--threads N] [--repeats N] [--seconds N] [--case NAME ...] [--forms FORM ...] [--codecs CODEC ...]

One build of libweir, the same threads and data (TPC-H of tpchgen-cli as Parquet), each process with a
workspace in memory.

- A, what a system without duality does: run the derived query, encode its rows as Parquet in memory
  (a file in tmpfs), by the engine's own writer at the setting that a trial finds fastest, decode them
  (into a table in memory) and run the outer query. A chain of derived tables is encoded at each of its
  levels.
- A', a kinder A: what is run over the bytes reads from them what it needs, by the engine's own scan.
- B: the outer query over weir's derived table: a view, and a .sql file.
- H: the same query written out by hand, without subqueries.

A, and B with H, each have a process; runs take turns after one for warmth; the median counts. B and H
repeat until three seconds (--seconds) are spent, and B/H is the median of the ratios of neighbours. Results are
compared. Memory is that of a process of its own for one run: the highest resident size, and for A
what the files in tmpfs hold on top. CPU seconds are those of all threads.

- Schema: weir_node_schema of Parquet files of 1 MB, 100 MB and 2 GB, and of the derived tables, in new
  processes: milliseconds, and bytes read as the kernel (rchar of /proc/PID/io) and the engine's store
  count them, beside reading all of the data.

Prints Markdown. Ratios above 1 are B's gain over A; B/H should be 1.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet

import run as tpch

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = 5  # of what takes a process of its own each time


class Worker:
    def __init__(self, options, path=None):
        command = [sys.executable, HERE / "duality_worker.py", options.build / "src/libweir.so"]
        command += [str(options.threads)] + ([path] if path else [])
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def __call__(self, steps, **more):
        self.process.stdin.write(json.dumps({"steps": steps, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"a process died with exit code {self.process.wait()}\n{steps}")
        result = json.loads(line)
        if "error" in result:
            sys.exit(f"{result['error']}\n{steps}")
        return result


# ---- Cases: a chain of derived queries over {previous}, and an outer query over {table} ----

JOIN = """SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_discount, l_tax, l_shipdate,
    o_custkey, o_orderdate, o_orderpriority FROM lineitem JOIN orders ON l_orderkey = o_orderkey"""
WIDE = """SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount,
    l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_shipmode,
    l_extendedprice * (1 - l_discount) AS net, l_receiptdate - l_shipdate AS under_way,
    upper(l_shipinstruct) AS instruction FROM lineitem"""
ONE_PERCENT = "l_partkey <= 2000"  # of 200,000 at scale 1, spread over all row groups
BY_PRIORITY = """SELECT o_orderpriority, count(*) AS n, sum(l_extendedprice * (1 - l_discount)) AS net
    FROM {source} GROUP BY o_orderpriority"""

# Each level adds a column, a table or a filter, and passes on the rest.
LEVELS = [
    JOIN,
    "SELECT *, l_extendedprice * (1 - l_discount) AS net FROM {previous}",
    "SELECT v.*, c_mktsegment FROM {previous} AS v JOIN customer ON o_custkey = c_custkey",
    "SELECT *, net * (1 + l_tax) AS charge FROM {previous} WHERE l_quantity > 1",
]
FLAT_JOIN = "lineitem JOIN orders ON l_orderkey = o_orderkey"
OVER_LEVELS = [  # the outer query, and the whole by hand
    (BY_PRIORITY, BY_PRIORITY.format(source=FLAT_JOIN)),
    (
        "SELECT o_orderpriority, count(*) AS n, sum(net) AS net FROM {source} GROUP BY o_orderpriority",
        BY_PRIORITY.format(source=FLAT_JOIN),
    ),
    (
        "SELECT c_mktsegment, count(*) AS n, sum(net) AS net FROM {source} GROUP BY c_mktsegment",
        "SELECT c_mktsegment, count(*) AS n, sum(l_extendedprice * (1 - l_discount)) AS net FROM "
        + FLAT_JOIN
        + " JOIN customer ON o_custkey = c_custkey GROUP BY c_mktsegment",
    ),
    (
        "SELECT c_mktsegment, count(*) AS n, sum(charge) AS charge FROM {source} GROUP BY c_mktsegment",
        "SELECT c_mktsegment, count(*) AS n, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charge"
        " FROM " + FLAT_JOIN + " JOIN customer ON o_custkey = c_custkey WHERE l_quantity > 1"
        " GROUP BY c_mktsegment",
    ),
]
COLUMNS = """l_partkey, l_extendedprice, l_discount, l_shipdate, l_orderkey, l_suppkey, l_linenumber, l_quantity,
    l_tax, l_returnflag, l_linestatus, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment"""


class Case:
    def __init__(self, name, title, chain, outer, by_hand, selectivity="100 %", is_first_rows=False):
        self.name, self.title, self.chain = name, title, chain
        self.outer, self.by_hand, self.selectivity = outer, by_hand, selectivity
        self.is_first_rows = is_first_rows  # which rows is not said: results may differ


def hand(outer, derived):
    """The derived query's own table with the outer query's filter and limit behind it."""
    return derived + " " + outer.split("{source}")[1]


def cases():
    yield Case("join", "join under an aggregate", [JOIN], *OVER_LEVELS[0])
    everything, some = "SELECT * FROM {source}", "SELECT * FROM {source} WHERE " + ONE_PERCENT
    yield Case("wide", "wide, all rows into Arrow", [WIDE], everything, WIDE)
    yield Case("wide", "wide, 1 % of the rows into Arrow", [WIDE], some, hand(some, WIDE), "1 %")
    total = "SELECT count(*) AS n, sum(net) AS net FROM {source} WHERE " + ONE_PERCENT
    net = "sum(l_extendedprice * (1 - l_discount))"
    by_hand = f"SELECT count(*) AS n, {net} AS net FROM lineitem WHERE {ONE_PERCENT}"
    yield Case("wide", "wide, 1 % under an aggregate", [WIDE], total, by_hand, "1 %")
    first = "SELECT * FROM {source} LIMIT 10"
    yield Case("limit", "wide, `LIMIT 10`", [WIDE], first, hand(first, WIDE), "10 rows", True)
    yield Case("limit", "join, `LIMIT 10`", [JOIN], first, hand(first, JOIN), "10 rows", True)
    for depth, (outer, by_hand) in enumerate(OVER_LEVELS, 1):
        yield Case("chain", f"chain of {depth}", LEVELS[:depth], outer, by_hand)
    for keep in (100, 10, 1):
        for width in (4, 16):
            columns = ", ".join(COLUMNS.split(",")[:width])
            where = "" if keep == 100 else f" WHERE l_orderkey <= {{orders}} * {keep} / 100"
            derived = f"SELECT {columns} FROM lineitem{where}"
            for selectivity, filtered in (("100 %", ""), ("1 %", ONE_PERCENT)):
                outer = "SELECT count(*) AS n, sum(l_extendedprice) AS price FROM {source}"
                by_hand = outer.format(source="lineitem") + where
                if filtered:
                    outer += " WHERE " + filtered
                    by_hand += (" AND " if where else " WHERE ") + filtered
                title = f"{width} columns of {keep} % of lineitem"
                yield Case("grid", title, [derived], outer, by_hand, selectivity)


# ---- Statements of a case ----


class Bench:
    def __init__(self, options, directory, memory):
        self.options = options
        self.directory = directory  # .sql files
        self.memory = memory  # tmpfs
        self.tables = {name: str(options.data / f"{name}.parquet") for name in TABLES}
        self.writer = None
        orders = pyarrow.parquet.ParquetFile(self.tables["orders"]).metadata
        self.largest_order = max(
            orders.row_group(i).column(0).statistics.max for i in range(orders.num_row_groups)
        )

    def text(self, sql, **names):
        """The statement with its tables' paths in place of their names."""
        sql = sql.replace("{orders}", str(self.largest_order)).format(**names)
        named = r"\b(FROM|JOIN) (" + "|".join(TABLES) + r")\b"
        return re.sub(named, lambda match: f"{match[1]} '{self.tables[match[2]]}'", sql)

    def settings(self):
        return [["sql", f"SET {key} = {value}"] for key, value in self.writer["settings"].items()]

    def encode(self, sql, path, codec):
        options = {"compression": codec, **self.writer["options"]}
        if self.writer["by"] == "weir_encode":
            return ["encode", sql, path, options]
        given = ", ".join(f"{key} '{value}'" for key, value in options.items())
        return ["sql", f"COPY ({sql}) TO '{path}' (FORMAT parquet, OVERWRITE true, {given})"]

    def files(self, case):
        return [f"{self.memory}/level{i}.parquet" for i in range(1, len(case.chain) + 1)]

    def materialise(self, case, codec, is_kind):
        steps, previous = [], None
        for i, (derived, path) in enumerate(zip(case.chain, self.files(case)), 1):
            steps.append(self.encode(self.text(derived, previous=previous), path, codec))
            previous = f"'{path}'"
            if not is_kind:
                previous = f"decoded{i}"
                steps.append(["sql", f"CREATE TABLE {previous} AS SELECT * FROM '{path}'"])
        return steps + [["sql", self.text(case.outer, source=previous)]]

    def remove(self, case):
        tables = [["untimed", f"DROP TABLE IF EXISTS decoded{i}"] for i in range(1, len(case.chain) + 1)]
        return [["remove", path] for path in self.files(case)] + tables

    def define(self, case, form):
        """Makes the chain, and gives what to do first and the name of its top."""
        steps, previous = [], None
        for i, derived in enumerate(case.chain, 1):
            text = self.text(derived, previous=previous)
            if form == "view":
                previous = f"level{i}"
                steps.append(["sql", f"CREATE OR REPLACE VIEW {previous} AS {text}"])
            else:
                path = self.directory / f"level{i}.sql"
                path.write_text(text + "\n")
                previous = f"'{path}'"
        return steps, previous


TABLES = ["customer", "lineitem", "orders"]
WRITERS = [
    {"by": by, "settings": settings, "options": options}
    for by in ("COPY", "weir_encode")
    for settings, options in (
        ({}, {}),
        ({"datafusion.execution.parquet.maximum_parallel_row_group_writers": 2}, {}),
        ({}, {"format.dictionary_enabled": "false", "format.statistics_enabled": "none"}),
    )
    if by == "COPY" or not (settings or options)
]


def describe_writer(writer):
    changes = [f"{key} = {value}" for key, value in {**writer["settings"], **writer["options"]}.items()]
    return f"{writer['by']} with " + (", ".join(changes) or "defaults")


def find_writer(bench, codec):
    """The fastest way of those that encode the join of `codec`."""
    seconds = {}
    for i, writer in enumerate(WRITERS):
        bench.writer = writer
        with Worker(bench.options) as worker:
            path = f"{bench.memory}/trial.parquet"
            worker(bench.settings())
            steps = [bench.encode(bench.text(JOIN), path, codec)]
            seconds[i] = min(worker(steps)["seconds"] for _ in range(2))
            worker([["remove", path]])
    return {WRITERS[i]["by"] + str(i): s for i, s in seconds.items()}, WRITERS[min(seconds, key=seconds.get)]


# ---- Measuring ----


class Runs:
    def __init__(self):
        self.seconds, self.cpu, self.memory = [], [], 0
        self.result = None

    def add(self, answer):
        self.seconds.append(answer["seconds"])
        self.cpu.append(answer["cpu"])

    @property
    def median(self):
        return statistics.median(self.seconds)


def compare(case, results):
    rows = {result["rows"] for result in results.values()}
    digests = {result["digest"] for result in results.values()}
    if len(rows) > 1 or (len(digests) > 1 and not case.is_first_rows):
        sys.exit(f"{case.title}: results differ: {results}")
    return rows.pop()


def peak(bench, setup, steps):
    """The memory of a process that does only this."""
    with Worker(bench.options) as worker:
        worker(setup)
        return worker(steps, sample=str(bench.memory))["memory"]


def measure_case(bench, case):
    """Runs of A by codec and kindness, of B by form with its ratios to H, of H; and the number of rows."""
    options = bench.options
    by_hand = [["sql", bench.text(case.by_hand)]]
    a = {(codec, is_kind): Runs() for codec in options.codecs for is_kind in (False, True)}
    b = {form: Runs() for form in options.forms}
    results, ratios = {}, {form: [] for form in b}
    define = {form: bench.define(case, form) for form in b}
    outer = {form: [["sql", bench.text(case.outer, source=top)]] for form, (_, top) in define.items()}
    h = Runs()
    with Worker(options) as materialising, Worker(options) as streaming:
        for steps, _ in define.values():
            streaming(steps)
        for form in b:
            results[form] = streaming(outer[form])
        results["by hand"] = streaming(by_hand)
        for turn in range(options.repeats + 1):
            first = turn % max(len(a), 1)
            for codec, is_kind in list(a)[first:] + list(a)[:first]:
                bench.writer = options.writers[codec]
                materialising(bench.remove(case) + bench.settings())
                answer = materialising(bench.materialise(case, codec, is_kind))
                results[codec, is_kind] = answer
                if turn:
                    a[codec, is_kind].add(answer)
            for form in b:
                if turn:
                    b[form].add(streaming(outer[form]))
        materialising(bench.remove(case))
        n_rows = compare(case, results)
        for form in b:
            ratios[form], some = pairs(streaming, outer[form], by_hand, options.seconds)
            for answer in some[0]:
                b[form].add(answer)
            for answer in some[1]:
                h.add(answer)
    for codec, is_kind in a:
        bench.writer = options.writers[codec]
        steps = bench.materialise(case, codec, is_kind)
        a[codec, is_kind].memory = peak(bench, bench.settings(), steps)
        for path in bench.files(case):
            pathlib.Path(path).unlink()
    for form in b:
        b[form].memory = peak(bench, define[form][0], outer[form])
    h.memory = peak(bench, [], by_hand)
    return a, b, h, ratios, n_rows


def pairs(worker, derived, by_hand, seconds):
    """Ratios of neighbouring runs, each first in its turn, and the runs."""
    ratios, answers = [], ([], [])
    start = time.monotonic()
    while len(ratios) < 7 or (time.monotonic() - start < seconds and len(ratios) < 1001):
        if len(ratios) % 2:
            second = worker(by_hand)
            first = worker(derived)
        else:
            first = worker(derived)
            second = worker(by_hand)
        answers[0].append(first)
        answers[1].append(second)
        ratios.append(first["seconds"] / second["seconds"])
    return ratios, answers


def report_cases(bench, names):
    title = None
    for case in cases():
        if names and case.name not in names:
            continue
        if case.name != title:
            title = case.name
            header(TITLES[title])
        a, b, h, ratios, n_rows = measure_case(bench, case)
        for (codec, is_kind), runs in a.items():
            print_row(case, n_rows, f"A{chr(39) * is_kind}, {codec}", runs, "", "", "")
        for form, runs in b.items():
            gains = ", ".join(f"{other.median / runs.median:.1f}" for other in a.values())
            memory = ", ".join(f"{runs.memory / other.memory:.2f}" for other in a.values())
            ratio = f"{statistics.median(ratios[form]):.3f}"
            print_row(case, n_rows, f"B, {form}", runs, gains, ratio, memory)
        print_row(case, n_rows, "H", h, "", "", "")


TITLES = {
    "join": "Six million rows of a join under an aggregate",
    "wide": "A projection of 16 columns",
    "limit": "The first ten rows",
    "chain": "Derived tables over derived tables",
    "grid": "Rows, width and selectivity",
}


def header(title):
    """The lists of ratios are in the order of A's lines."""
    print(f"\n### {title}\n")
    print("| | kept | rows out | | ms | CPU s | peak MiB | A/B of each A | B/H | memory B/A of each A |")
    print("|---|---|---:|---|---:|---:|---:|---:|---:|---:|", flush=True)


def print_row(case, n_rows, what, runs, gains, ratio, memory):
    cells = [case.title, case.selectivity, f"{n_rows:,}", what, f"{runs.median * 1e3:.1f}"]
    cells += [f"{statistics.median(runs.cpu):.2f}", f"{runs.memory / 2**20:.0f}", gains, ratio, memory]
    print("| " + " | ".join(cells) + " |", flush=True)


# ---- Schema ----

SIZES = {"1 MB": 1e6, "100 MB": 1e8, "2 GB": 2e9}


def large_file(bench, name, size):
    """lineitem again and again, in row groups of at most a hundredth of the file; kept in the cache."""
    path = bench.options.cache / f"duality-{name.replace(' ', '')}.parquet"
    if path.exists():
        return path
    print(f"generating {path}", file=sys.stderr)
    source = bench.tables["lineitem"]
    per_row = os.path.getsize(source) / pyarrow.parquet.ParquetFile(source).metadata.num_rows
    n_rows = int(size / per_row)
    with Worker(bench.options) as worker:
        while True:
            group = max(1000, n_rows // 100)
            copies = [f"SELECT * FROM '{source}'"] * (-(-n_rows // 6_000_000) + 1)
            select = f"SELECT * FROM ({' UNION ALL '.join(copies)}) LIMIT {n_rows}"
            given = f"FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE {group}, OVERWRITE true"
            worker([["sql", f"COPY ({select}) TO '{path}.new.parquet' ({given})"]])
            written = os.path.getsize(f"{path}.new.parquet")
            if written >= size:
                break
            n_rows = int(n_rows * size / written * 1.02)
    os.rename(f"{path}.new.parquet", path)
    return path


def once(bench, setup, steps, repeats=SAMPLES):
    """Medians over new processes."""
    answers = []
    for _ in range(repeats):
        with Worker(bench.options) as worker:
            worker(setup)
            before = worker([], metrics=True).get("metrics", {})
            answer = worker(steps)
            after = worker([], metrics=True).get("metrics", {})
            answer["stored"] = after["store_bytes_read"] - before["store_bytes_read"]
            answer["footers"] = after["footers_read"] - before["footers_read"]
            answers.append(answer)
    keys = ("seconds", "read", "stored", "footers")
    return {key: statistics.median(answer[key] for answer in answers) for key in keys}


def report_schema(bench):
    print("\n### Schema without data\n")
    print("| node | size MB | | ms | MB read (kernel) | MB read (store) | footers | of the time of all data |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    for name, size in SIZES.items():
        path = large_file(bench, name, size)
        schema = once(bench, [], [["schema", str(path)]])
        scan = once(bench, [], [["scan", f"SELECT * FROM '{path}'"]], 3)
        schema_rows(f"Parquet of {name}", os.path.getsize(path), schema, scan)
    for form in bench.options.forms:
        for case in cases():
            if case.title in ("join under an aggregate", "chain of 4"):
                define, top = bench.define(case, form)
                schema = once(bench, define, [["schema", top.strip("'")]])
                scan = once(bench, define, [["scan", f"SELECT * FROM {top}"]], 3)
                schema_rows(f"{case.title.split()[0]}, {len(case.chain)} deep, {form}", None, schema, scan)


def schema_rows(name, size, schema, scan):
    for what, runs in (("schema", schema), ("all data", scan)):
        share = f"{schema['seconds'] / scan['seconds']:.3%}" if runs is schema else ""
        cells = [name, f"{size / 1e6:,.0f}" if size else "", what, f"{runs['seconds'] * 1e3:.1f}"]
        cells += [f"{runs['read'] / 1e6:,.3f}", f"{runs['stored'] / 1e6:,.3f}", f"{runs['footers']:.0f}", share]
        print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="for the pairs of B and H")
    parser.add_argument("--case", nargs="*", default=[], choices=[*TITLES, "schema"], help="all without names")
    parser.add_argument("--forms", nargs="*", default=["view", ".sql"], choices=["view", ".sql"])
    parser.add_argument("--codecs", nargs="*", default=["none", "zstd"], help="without names: no A")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "weir"
    options.data = options.cache / f"tpch-{options.scale}"
    tpch.generate(options.data, options.scale)

    memory = pathlib.Path(tempfile.mkdtemp(prefix="weir-duality-", dir="/dev/shm"))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-duality-"))
    try:
        bench = Bench(options, directory, memory)
        version = [options.build / "weir", "version"]
        lines = subprocess.run(version, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        print(", ".join(lines))
        print(f"{options.threads} threads, medians of {options.repeats}, TPC-H scale factor {options.scale}, Parquet", flush=True)
        if options.case != ["schema"]:
            options.writers = {}
            for codec in options.codecs:
                seconds, options.writers[codec] = find_writer(bench, codec)
                print(f"A encodes ({codec}) by {describe_writer(options.writers[codec])}: of", seconds)
            report_cases(bench, [name for name in options.case if name != "schema"])
        if not options.case or "schema" in options.case:
            report_schema(bench)
    finally:
        shutil.rmtree(memory)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
