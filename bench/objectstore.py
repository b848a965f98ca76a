# SPDX-License-Identifier: Apache-2.0
"""
Queries over objects of S3 beside other engines: bench/objectstore.py BUILD [--delay MS] [--runs N] [--case NAME ...]

MinIO behind a proxy that makes each request wait, 40 ms by default, and counts requests and bytes. The others are the
packages duckdb with its httpfs extension, datafusion and polars. Each run is a process of its own: its first query of a
case is "cold", the second one "warm"; the first one of a second process is "restarted". weir has a workspace, new for each
run, whose caches stay between the two processes; the others keep nothing over a process's end. Seconds are medians of the runs, which go around all engines; requests and bytes
of the first run. The data are four Parquet files, 90 MB, with 700,000 rows each of two integers, a float and a text.

- point lookup, selective scan, top-k, full scan, count: SQL over the four files.
- listing: the names of 10,000 objects.
- write: 16 million rows made by the engine to one Parquet object.

Prints Markdown.
"""

import argparse
import concurrent.futures
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy
import objectstore_worker
import pyarrow
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests/e2e"))

import fault_proxy  # noqa: E402
import stores  # noqa: E402

ROWS, FILES, OBJECTS = 700_000, 4, 10_000
ENGINES = ("weir", "duckdb", "datafusion", "polars")
PHASES = ("cold", "warm", "restarted")
# What an engine's package has no call for.
WITHOUT = {"listing": ("datafusion", "polars"), "write": ("datafusion",)}
CASES = (*objectstore_worker.CASES, "listing", "write")


def fill(store):
    store.make(objectstore_worker.BUCKET)
    for i in range(FILES):
        random, keys = numpy.random.default_rng(i), numpy.arange(i * ROWS, (i + 1) * ROWS)
        columns = {"k": keys, "a": random.random(ROWS), "b": random.integers(0, 1 << 40, ROWS), "s": [f"row {k}" for k in keys]}
        out = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table(columns), out, row_group_size=120_000, write_page_index=True)
        store.put(objectstore_worker.BUCKET, f"t/{i}.parquet", out.getvalue())


def fill_many(store):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: store.put(objectstore_worker.BUCKET, f"many/{i:05}.csv", b"1\n"), range(OBJECTS)))


class Worker:
    def __init__(self, engine, proxy, library, directory):
        command = [sys.executable, ROOT / "bench/objectstore_worker.py", engine, proxy.url, stores.KEY_ID, stores.SECRET, library, directory]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", f"{engine} does not start"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def run(self, case):
        self.process.stdin.write(case + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def run(worker, engine, case, proxy):
    """Seconds, requests, bytes both ways, what was found."""
    before = len(proxy.log)
    answer = worker.run(case)
    if "error" in answer:
        raise SystemExit(f"{engine}, {case}: {answer['error']}")
    made = proxy.requests()[before:]
    return {**answer, "requests": len(made), "bytes": sum(r.sent + r.received for r in made)}


def measure(engine, case, proxy, library):
    """In the order of PHASES; of writing and listing, which no cache helps, the first only."""
    answers = []
    with tempfile.TemporaryDirectory(prefix="weir-objectstore-") as directory:
        for n in (1,) if case in WITHOUT else (2, 1):
            with Worker(engine, proxy, library, directory) as worker:
                answers += [run(worker, engine, case, proxy) for _ in range(n)]
    return answers


def same(case, one, other):
    if case == "write" or one == other:
        return True
    return len(one) == len(other) and all(
        abs(a - b) <= 1e-6 * abs(b) if isinstance(b, float) else a == b for x, y in zip(one, other) for a, b in zip(x, y)
    )


def milliseconds(seconds):
    return f"{seconds * 1e3:.0f}" if seconds >= 0.01 else f"{seconds * 1e3:.2f}"


def compare(case, options, proxy, library):
    engines = [engine for engine in ENGINES if engine not in WITHOUT.get(case, ())]
    runs = {engine: [] for engine in engines}
    for i in range(options.runs):
        for engine in engines[i % len(engines) :] + engines[: i % len(engines)]:
            runs[engine].append(measure(engine, case, proxy, library))
    for engine in engines:
        found = [answer["found"] for run in runs[engine] for answer in run]
        assert all(same(case, one, runs["weir"][0][0]["found"]) for one in found), f"{engine} finds something else: {case}"
    middle = {engine: [statistics.median(run[i]["seconds"] for run in runs[engine]) for i in range(len(runs[engine][0]))] for engine in engines}
    for i, phase in enumerate(PHASES[: len(middle["weir"])]):
        best = min(middle[engine][i] for engine in engines if engine != "weir")
        for engine in engines:
            first = runs[engine][0][i]
            ratio = f"{best / middle[engine][i]:.2f}" if engine == "weir" else ""
            print(f"| {case}, {phase} | {engine} | {first['requests']} | {first['bytes'] / 1e6:.2f} | {milliseconds(middle[engine][i])} | {ratio} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--delay", type=float, default=40, help="milliseconds that each request waits")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--case", nargs="*", default=list(CASES), choices=list(CASES))
    options = parser.parse_args()
    library = options.build.resolve() / "src/libweir.so"
    with tempfile.TemporaryDirectory(prefix="weir-objectstore-") as directory:
        store = stores.MinIO(pathlib.Path(directory))
        try:
            fill(store)
            if "listing" in options.case:
                fill_many(store)
            with fault_proxy.FaultProxy("127.0.0.1", store.port) as proxy:
                proxy.rule(fault_proxy.delay(options.delay / 1e3))
                print(f"{len(os.sched_getaffinity(0))} cores for all, {options.delay:.0f} ms a request, {options.runs} runs\n")
                print("| case | engine | requests | MB | ms | weir is times as fast as the best |\n|---|---|---:|---:|---:|---:|", flush=True)
                for case in options.case:
                    compare(case, options, proxy, library)
        finally:
            store.close()


if __name__ == "__main__":
    main()
